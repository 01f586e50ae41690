// What licet has recorded, of this device and of who signed in: asked for when the privacy choices are opened.
import { choose, current, follow, licet, now, site } from './core.js'

const LOWERED = ['refused', 'withdrawn', 'objected']
const OVER = ['expired', 'text_voided']
const held = new Map() // read tokens of this page, by whose they are: nothing of them is kept on the device

const call = (method, path, headers, body) => fetch(site.url + path, {
  method, credentials: 'omit', cache: 'no-store', headers: { ApiKey: site.key, ...headers }, body, signal: AbortSignal.timeout?.(1e4),
})

export const keyOf = who => who && JSON.stringify([who.device, who.id, who.token, typeof who.read === 'function' || who.read])
/** Whether the site's server vouches for who signed in. */
export const vouched = who => !!(who?.token || who?.read)

/** A read token that the site's server made, else one of licet's; null: nobody gives one. */
async function fetchToken({ device, id, token, read }, anew) {
  const given = typeof read === 'function' ? await read() : !anew && read
  if (given) return given
  if (!device && !token) return null
  const answer = await call('POST', '/public/read_token', {
    'Content-Type': 'application/json', ...(device && { 'Licet-Device-Token': device }),
  }, device ? '{}' : JSON.stringify({ subject: { id }, subject_token: token }))
  return answer.ok ? (await answer.json()).read_token : null
}

/** {purpose: what stands}, or null where it cannot be had now. A token that is over is asked for anew, once. */
async function recorded(who) {
  const key = keyOf(who)
  try {
    for (const anew of [false, true]) {
      const token = (!anew && held.get(key)) || await fetchToken(who, anew)
      if (!token) return null
      const answer = await call('GET', '/public/state', { 'Licet-Read-Token': token })
      if (answer.status === 401) continue
      held.set(key, token)
      return answer.ok ? Object.fromEntries((await answer.json()).purposes.map(p => [p.id, p])) : null
    }
  } catch {} // out of reach
  return null
}

/** Where this browser and licet differ, what lowers holds. `then`: the choices that were there when it was asked. A choice that was made or
 *  taken since is another object, and the answer is older than it. */
function obey(said, scope, then) {
  const { choices } = current()
  const follows = {}
  const again = []
  for (const p of now.policy.purposes.filter(p => p.scope === scope && said[p.id])) {
    const { state, since, counts, reason } = said[p.id]
    const day = Math.floor(Date.parse(since) / 864e5)
    const choice = choices[p.id]
    if (choice?.wait || choice !== then[p.id]) continue
    if (choice ? choice.on : p.basis !== 'consent') {
      if (LOWERED.includes(state)) follows[p.id] = { on: 0, v: choice?.v ?? p.version, day }
      else if (choice && !counts && (state === 'never' || OVER.includes(reason))) follows[p.id] = { ...choice, on: 0, over: 1 }
    } else if (scope === 'device' && choice && !choice.over && counts && !(day > choice.day)) again.push(p.id) // it never arrived
  }
  if (Object.keys(follows).length) follow(follows)
  if (again.length) choose(Object.fromEntries(again.map(id => [id, false])), { by: 'what this browser remembers' })
}

/** What is recorded of this device, or of who signed in, once it was obeyed; null: unknown. */
export async function look(who) {
  if (!(await licet.flush()) && who.device) return null // what she said last is not there yet
  const { choices, person } = current()
  const then = { ...choices }
  const said = await recorded(who)
  if (!said) return null
  if (who.device ? who.device === current().token : keyOf(who) === keyOf(now.known) && person === who.id) {
    obey(said, who.device ? 'device' : 'person', then)
  }
  return said
}
