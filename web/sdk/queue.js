// Acts on their way to POST /public/consent: kept until licet has taken them, sent in order, each once.
import { openLine } from '../common/line.js'
import { newId } from '../common/small.js'
import { acts, dropAct, keepAct } from './device.js'

let site

/** Sends what waits; resolves when nothing does, or nothing can be sent now. */
export let flush

/** `taken(act, answer)` and `refused(act, status)` hear of each act's end. */
export function openQueue(options) {
  site = options
  flush = openLine('licet', () => acts()[0], post, end)
}

/** Puts an act into the line: {body, grants, token}. `short`: what is sent where there is no room for all of it. */
export function enqueue({ body, short, ...more }) {
  const act = { n: Math.max(Date.now(), (acts().at(-1)?.n ?? 0) + 1), id: newId(), ...more }
  const kept = keepAct({ ...act, body: JSON.stringify(body) }) || (short && keepAct({ ...act, body: JSON.stringify(short) }))
  flush()
  return kept
}

export const waiting = () => acts().length > 0

/** Whether another attempt may do better. What lowers is given up only when the act itself is at fault, not with a key that is
 *  taken back or a proxy that leads astray for a while. */
const isLater = (status, act) => /429|5../.test(status) || (status > 300 && !act.grants.length && !/400|409|413/.test(status))

/** The token of the first attempt is kept with the act, since the second must be the same. */
async function post(act) {
  if (act.token === undefined) {
    act.token = site.token() ?? ''
    keepAct(act)
  }
  return fetch(`${site.url}/public/consent`, {
    method: 'POST', body: act.body,
    credentials: 'omit', // no cookie: the device's id lies where a withdrawal can delete it
    keepalive: act.body.length < 6e4,
    headers: {
      ApiKey: site.key, 'Content-Type': 'application/json', 'Idempotency-Key': act.id,
      ...(act.token && { 'Licet-Device-Token': act.token }),
    },
    signal: AbortSignal.timeout?.(3e4), // one that hangs must not hold up the line
  })
}

async function end(act, answer) {
  if (!answer || isLater(answer.status, act)) return false
  const said = await answer.json().catch(() => null)
  if (answer.ok && !said) return false // cut off on its way
  dropAct(act)
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
