// Acts on their way to POST /public/consent: kept until licet has taken them, sent in order, each once.
import { actKey, acts, dropAct, keepAct, newId } from './device.js'

const WAITS = [2, 10, 60] // seconds between attempts on one page, then 300
let site, tried = 0, timer, sending, asked

/** `taken(act, answer)` and `refused(act, status)` hear of each act's end. */
export function openQueue(options) {
  site = options
  addEventListener('online', flush)
  addEventListener('pagehide', () => clearTimeout(timer))
}

/** Puts an act into the line: {body, grants, token}. `short`: what is sent where there is no room for all of it. */
export function enqueue({ body, short, ...more }) {
  const act = { n: Math.max(Date.now(), (acts().at(-1)?.n ?? 0) + 1), id: newId(), ...more }
  act.key = actKey(act.id)
  const kept = keepAct({ ...act, body: JSON.stringify(body) }) || (short && keepAct({ ...act, body: JSON.stringify(short) }))
  flush()
  return kept
}

export const waiting = () => acts().length > 0

/** Sends what waits; one tab at a time. Who asks during an attempt, since the line is back, gets another when it fails. */
export function flush() {
  clearTimeout(timer)
  timer = null
  asked = !!sending
  sending ??= alone(sendAll).then(() => {
    sending = null
    if (waiting() && (asked || !timer)) return flush() // or what came as this ended
  })
  return sending
}

// where storage is blocked, so are locks
const alone = work => (navigator.locks ? navigator.locks.request('licet', work).catch(work) : work())

async function sendAll() {
  for (let act; (act = acts()[0]);) {
    if (!(await sendOne(act))) return again()
  }
}

function again() {
  timer = setTimeout(flush, 1000 * (WAITS[tried++] ?? 300))
}

/** Whether another attempt may do better. What lowers is given up only when the act itself is at fault, not with a key that is
 *  taken back or a proxy that leads astray for a while. */
const isLater = (status, act) => status === 429 || status >= 500 || (status > 300 && !act.grants.length && ![400, 409, 413].includes(status))

/** True when it has come to its end. The token of the first attempt is kept with the act, since the second must be the same. */
async function sendOne(act) {
  if (act.token === undefined) {
    act.token = site.token() ?? ''
    keepAct(act)
  }
  const answer = await fetch(`${site.url}/public/consent`, {
    method: 'POST',
    credentials: 'omit', // no cookie: the device's id lies where a withdrawal can delete it
    keepalive: act.body.length < 6e4,
    headers: {
      ApiKey: site.key, 'Content-Type': 'application/json', 'Idempotency-Key': act.id,
      ...(act.token && { 'Licet-Device-Token': act.token }),
    },
    body: act.body,
  }).catch(() => null)
  if (!answer || isLater(answer.status, act)) return false
  const said = await answer.json().catch(() => null)
  if (answer.ok && !said) return false // cut off on its way
  dropAct(act)
  tried = 0
  if (!answer.ok) {
    site.refused(act, answer.status, said)
    return true
  }
  const token = answer.headers.get('Licet-Device-Token')
  // what she said after it, and before it was known, is about the same device
  if (token) for (const later of acts()) if (later.token === undefined) keepAct({ ...later, token })
  site.taken(act, { device: said.subject_id, token })
  return true
}
