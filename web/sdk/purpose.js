// One purpose as it stands in a panel, in the words of the policy.
import { current, granted, now } from './core.js'
import { fill, h } from './dom.js'
import { changedParts, signalled } from './policy.js'

const PARTS = ['data', 'transfer', 'recipients', 'storage', 'automation', 'consequences', 'withdrawal']

export const words = () => now.policy.words
/** As the policy writes the dates of that month; the browser's own calendars take long to load. */
export function date(said) {
  const day = new Date(said)
  return now.policy.dates[day.getUTCMonth()].replace('22', day.getUTCDate()).replace('3333', day.getUTCFullYear())
}

export const direction = language => (/^(ar|ckb|dv|fa|he|ps|sd|ug|ur|yi)\b/.test(language) ? 'rtl' : 'ltr')

/** Of what is not told in the language of the rest. */
export const tongue = p => (p.language === now.policy.language ? {} : { lang: p.language, dir: direction(p.language) })

/** The whole text of the version, as it would be agreed to. `fresh`: names of parts that are new to her. */
export function fullText(p, fresh) {
  const recipients = p.recipients.map(r => `${r.name} (${r.country_name})`).join(', ')
  const parts = { ...p.text, recipients }
  return h('details', {},
    h('summary', { 'aria-label': `${words().full_text}: ${p.text.title}` }, words().full_text),
    h('dl', {}, PARTS.filter(name => parts[name]).map(name => [
      h('dt', { class: fresh.includes(name) && 'fresh' }, words()[name]), h('dd', {}, parts[name])])),
    h('p', { class: 'fine' }, fill(words().version, { version: p.version, since: date(p.since) })))
}

export function stateOf(p, choice) {
  if (signalled(p) && !choice?.on) return words().signal
  if (!choice || choice.over) return null
  if (choice.wait) return words().waiting
  return fill(choice.on ? words().on_since : words().off_since, { date: date(choice.day * 864e5) })
}

/** A person's purpose stands there for whoever signed in; once she has left, only what she granted, to be withdrawn. */
export const mayAgree = p => p.scope === 'device' || !!now.known

/** Asked for with the others, in one answer. */
export const plain = p => p.basis === 'consent' && !p.separate

export function isOn(p) {
  const choice = current().choices[p.id]
  return p.basis === 'legitimate_interests' ? granted(p.id) : !!choice?.on && (!!choice.wait || granted(p.id) || !mayAgree(p))
}

/** `how`: {ask: reason, switches: true, state: true, alone: true where its title stands above} */
export function item(p, how) {
  const choice = current().choices[p.id]
  const fresh = how.ask === 'changed' ? changedParts(p, choice) : []
  const tag = how.ask === 'new' ? words().is_new : how.ask === 'changed' ? words().changed : null
  const id = `licet-${p.id}`
  const state = how.state && stateOf(p, choice)
  const more = p.basis === 'legitimate_interests' ? words().object : null
  return h('li', { ...tongue(p), 'data-purpose': p.id },
    h('div', { class: 'row' },
      h('div', {},
        (!how.alone || tag) && h('h3', { id }, how.alone ? null : p.text.title, tag && h('span', { class: 'tag' }, tag)),
        h('p', {}, p.text.aim),
        fresh.length ? h('p', { class: 'new' }, fill(words().changed_in, { parts: fresh.map(n => words()[n] ?? p.text.title).join(', ') })) : null,
        more && h('p', { class: 'note' }, more), how.state && h('p', { class: 'note state' }, state)),
      how.switches && h('input', {
        type: 'checkbox', role: 'switch', name: p.id, checked: isOn(p), 'data-was': isOn(p), 'aria-labelledby': id,
        onchange: e => e.target.toggleAttribute('checked', e.target.checked), // so that the proof shows it
      })),
    fullText(p, fresh))
}
