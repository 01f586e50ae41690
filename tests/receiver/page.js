// Shows the receiver's rows as they come. Everything is set as text: events are strangers' input.
const WHY = {
  unknown_use: 'No rule knows this use.',
  no_role: 'The recipient is no mere processor, and its own purposes are not agreed to.',
  erased: 'This person was erased.',
  restricted: 'Processing is restricted for this person.',
  no_transfer_basis: 'There is no basis for the transfer to that country.',
  unknown_purpose: 'The purpose is not registered.',
  no_consent: 'Nobody agreed to this.',
  refused: 'She said no.',
  withdrawn: 'She withdrew her consent.',
  unconfirmed: 'A stranger could have said this: not confirmed.',
  no_proof: 'The consent has no evidence.',
  objected: 'She objected.',
  no_terminal_access: 'The device may not be read for this.',
  recipient_not_named: 'The text she saw did not name this recipient.',
  text_voided: 'The text she saw was voided.',
  expired: 'The consent is too old.',
  not_verified: 'The address was never confirmed.',
  signal: 'Her browser asks not to be tracked.',
  client_lowered: 'The event itself said no.',
  not_at_capture: 'It was not permitted when it was collected.',
  test: 'A test key: judged, never sent.',
}
const el = (tag, className, ...content) => {
  const e = document.createElement(tag)
  if (className) e.className = className
  e.append(...content)
  return e
}
const count = { arrived: 0, stopped: 0, fault: 0 }
let live = false
let last = null // the newest stopped row: what is told of the same event is added to it

const chip = destination => el('span', 'to', destination)
const head = row => {
  const at = el('time', '', row.at.slice(11, 19))
  at.dateTime = row.at
  const title = row.name || row.type || 'request'
  const type = row.type && row.type !== title ? [el('span', 'type', row.type)] : []
  return el('div', 'head', el('strong', '', title), ...type, chip(row.destination), at)
}

const show = {
  arrived(row) {
    const fields = el('dl', 'fields')
    for (const [name, value] of row.fields) {
      fields.append(el('dt', '', name), el('dd', '', typeof value === 'string' ? value : JSON.stringify(value)))
    }
    put('arrived', el('li', 'arrived', head(row), fields))
  },
  stopped(row) {
    const same = last && last.event === row.event_id && last.reason === row.reason
    if (same) return last.head.insertBefore(chip(row.destination), last.head.lastChild)
    last = { event: row.event_id, reason: row.reason, head: head(row) }
    put('stopped', el('li', 'stopped', last.head, el('p', 'reason', `${WHY[row.reason] ?? ''} `, el('code', '', row.reason))))
  },
  fault(row) {
    document.getElementById('faults').hidden = false
    put('arrived', el('li', 'fault', head(row), el('p', 'reason', `Refused: ${row.why}`)))
  },
}

function put(list, item) {
  if (live) item.classList.add('fresh')
  document.getElementById(list).prepend(item)
  document.getElementById(`empty-${list}`).hidden = true
}

const state = document.getElementById('state')
const source = new EventSource('/live')
source.onopen = () => {
  // after a break the server tells everything again
  for (const list of ['arrived', 'stopped']) document.getElementById(list).replaceChildren()
  Object.assign(count, { arrived: 0, stopped: 0, fault: 0 })
  live = false
  last = null
  state.className = ''
  state.textContent = 'live'
}
source.onerror = () => {
  state.className = 'off'
  state.textContent = 'not connected'
}
source.addEventListener('caught-up', () => (live = true))
source.onmessage = message => {
  const row = JSON.parse(message.data)
  show[row.kind](row)
  document.getElementById(`count-${row.kind}`).textContent = ++count[row.kind]
}
