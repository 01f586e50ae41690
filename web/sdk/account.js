// What licet has recorded, in the privacy choices: a line below each choice of this device, and a part of its own for the account.
import { choose, current, licet, now, purpose } from './core.js'
import { fill, h } from './dom.js'
import { answeredBy, button, wordingOf } from './panel.js'
import { date, fullText, item, tongue, words } from './purpose.js'
import { enqueue } from './queue.js'
import { look } from './recorded.js'

let turn = 0 // what was asked for choices that are not open any more is not shown

/** The choices were closed, or are made anew. */
export const forget = () => void turn++

const WHYS = ['unconfirmed', 'no_proof', 'expired', 'text_voided', 'not_verified']

/** What stands of a purpose, in words. */
function sentence({ state, since, until, version, current: newest, counts, reason }) {
  const w = words()
  const on = state === 'granted'
  const text = { granted: w.recorded, refused: w.recorded_no, withdrawn: w.recorded_withdrawn, objected: w.recorded_objection }[state]
  return [
    text ? fill(text, { date: date(since), until: until && date(until) }) + (on && (!counts || !newest) ? '.' : '') : w.recorded_nothing,
    on && !counts && fill(w.not_counting, { why: w[`why_${WHYS.includes(reason) ? reason : 'other'}`] }),
    on && newest === false && fill(w.recorded_older, { version }),
  ].filter(Boolean).join(' ')
}

// ---- of this device ----

export async function showDevice(box) {
  const { token: device } = current()
  const mine = turn
  const said = device && await look({ device })
  if (!said || mine !== turn) return
  for (const line of box.querySelectorAll('[data-purpose]')) {
    const p = purpose(line.dataset.purpose)
    const entry = said[p.id]
    const choice = current().choices[p.id]
    if (!entry || p.scope !== 'device' || choice?.wait) continue
    if (choice && !choice.over && !!choice.on !== (entry.state === 'granted')) continue // she chose since it was asked
    const input = line.querySelector('input')
    if (input?.checked && choice && !choice.on && 'was' in input.dataset) { // it was lowered elsewhere
      input.checked = false
      input.removeAttribute('checked')
      delete input.dataset.was
    }
    if (entry.state !== 'never' || choice?.over) line.querySelector('.state').textContent = sentence(entry)
  }
}

// ---- of the account ----

/** Withdraws for the person, whatever the purpose's scope: what lowers always may. */
function withdraw(p, line, e) {
  const { id, token } = now.known
  const form = wordingOf(line)
  const by = answeredBy(e, 'withdraw, with the account')
  if (p.scope === 'person') return choose({ [p.id]: false }, { form, by })
  const content = JSON.stringify({ by, page: location.origin + location.pathname, at: new Date().toISOString() })
  const body = {
    subject: { id }, ...(token && { subject_token: token }), preferences: { [p.id]: false }, versions: { [p.id]: p.version },
    shown: { language: p.language },
  }
  return enqueue({ body: { ...body, legal_notices: p.notices, proofs: [{ form, content }] }, short: body, token: '', grants: [] })
}

/** One purpose of the account. */
function lineOf(box, p, entry, ask) {
  const w = words()
  const id = `licet-account-${p.id}`
  const person = p.scope === 'person'
  const on = entry.state === 'granted'
  const named = (label, act) => {
    const made = button(label === w.decide ? 'decide' : 'withdraw', label, act, 'small')
    made.setAttribute('aria-label', `${label}: ${p.text.title}`)
    return made
  }
  const line = h('li', { ...tongue(p), 'data-account': p.id },
    h('div', { class: 'row' },
      h('div', {}, h('h3', { id, tabindex: '-1' }, p.text.title), person && h('p', {}, p.text.aim), h('p', { class: 'note state' }, sentence(entry))),
      on ? named(w.withdraw, async e => {
        withdraw(p, line, e)
        const mine = turn
        e.target.remove()
        line.querySelector('h3').focus()
        if (await licet.flush()) await fillIn(box, ask, p)
        else if (mine === turn) tell(box, line.querySelector('.state').textContent = w.withdraw_waiting, true)
      }) : person && p.basis === 'consent' && named(w.decide, () => ask(p.id, { again: true }))),
    person && fullText(p, []))
  return line
}

/** `aloud`: for readers of the screen alone, since it stands elsewhere as well. */
function tell(box, text, aloud) {
  const status = box.querySelector('.account [role=status]')
  status.classList.toggle('aloud', !!aloud)
  status.textContent = text
}

/** "Withdraw all" means what stands there with the account, too. A person's purposes go with the others. */
export function withdrawListed(box, e) {
  for (const one of box.querySelectorAll('.account [data-licet=withdraw]')) {
    const line = one.closest('li')
    const p = purpose(line.dataset.account)
    if (p.scope !== 'person') withdraw(p, line, e)
  }
}

/** `changed`: the purpose that was withdrawn just now; its line takes the keyboard, and what stands of it is said. */
async function fillIn(box, ask, changed) {
  const mine = turn
  const said = await look(now.known)
  if (mine !== turn) return
  const list = box.querySelector('.account ul')
  if (!said) return void tell(box, words().account_unseen)
  const moved = [...list.querySelectorAll('input')].some(i => i.checked !== ('was' in i.dataset))
  if (moved) return void tell(box, '') // she is about to choose: her switches stay
  const inside = list.contains(list.getRootNode().activeElement)
  list.replaceChildren(...now.policy.purposes.filter(p => said[p.id] && (p.scope === 'person' || said[p.id].state !== 'never')).map(p => (
    p.scope === 'person' && p.basis !== 'consent' ? item(p, { switches: p.basis === 'legitimate_interests', state: true }) : lineOf(box, p, said[p.id], ask))))
  if (!list.children.length) list.append(h('li', { 'data-account': '' }, h('p', {}, words().recorded_nothing)))
  tell(box, changed ? `${changed.text.title}: ${sentence(said[changed.id])}` : '', true)
  if (inside) (changed ? list.querySelector(`[data-account="${CSS.escape(changed.id)}"] h3`) : box.querySelector('h2'))?.focus()
}

/** `ask(id, options)` asks her for a purpose. */
export function showAccount(box, ask) {
  box.querySelector('.account ul').before(h('p', { role: 'status', class: 'note' }, words().account_asking))
  return fillIn(box, ask)
}
