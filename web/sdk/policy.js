// The policy, and what follows from it and the choices made: pure but for load().
import { today } from './device.js'

/** The policy of /sdk/policy; rejects when it cannot be had. */
export async function loadPolicy({ url, key, language }) {
  const wanted = [language || document.documentElement.lang, ...(navigator.languages ?? [])].filter(Boolean)
  const query = new URLSearchParams({ key, language: [...new Set(wanted)].slice(0, 4).join() })
  const answer = await fetch(`${url}/sdk/policy?${query}`, { credentials: 'omit' })
  const said = await answer.json().catch(() => null)
  if (said?.purposes) return said // not whatever a portal or a catch-all says with 200
  throw Object.assign(new Error(`licet: no policy: ${answer.status} ${said?.message}`), { final: !answer.ok && answer.status < 429 })
}

/** A day that lies ahead is one of a clock that was wrong: today, then. */
const age = choice => Math.max(0, today() - choice.day)

const signals = () => ({ gpc: navigator.globalPrivacyControl, dnt: navigator.doNotTrack === '1' })
/** Whether the browser itself says no to this purpose. */
export const signalled = p => p.honours.some(name => signals()[name])

/** Whether a grant is young enough, and its text not void. */
export const stands = (p, choice) => choice.v <= p.version && !p.void.includes(choice.v) && age(choice) < p.lifetime_days

/** Whether the purpose is permitted here and now: a grant that licet has taken, young enough, of a text that is not void. */
export function isGranted(p, choices) {
  const choice = choices[p.id]
  if (p.basis !== 'consent') return !(choice && !choice.on) && (p.basis !== 'legitimate_interests' || !signalled(p))
  return !!choice?.on && !choice.wait && stands(p, choice)
}

/** 'first', 'new' (others were asked about before), 'changed' or 'again'; null: not now. */
export function whyAsk(p, state) {
  const choice = state.choices[p.id]
  if (p.basis !== 'consent' || p.separate || signalled(p) || (p.scope === 'person' && !state.known)) return null
  if (!choice) return Object.keys(state.choices).length ? 'new' : 'first'
  if (choice.wait) return null
  const reason = choice.v < p.version ? 'changed' : 'again'
  if (!choice.on) return choice.over || age(choice) >= p.ask_again_days ? reason : null
  return choice.v < p.version ? reason : null
}

/** Names of the parts that changed since the text she knows. */
export function changedParts(p, choice) {
  const parts = p.changes.filter(c => choice && c.version > choice.v).flatMap(c => c.parts)
  return [...new Set(parts)]
}
