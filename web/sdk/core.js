// The choices of this browser, kept, sent and obeyed. The banner is a layer above.
import * as device from './device.js'
import * as events from './events.js'
import { readForm } from './forms.js'
import { isGranted, loadPolicy, stands } from './policy.js'
import * as queue from './queue.js'
import { tell, tellDefault } from './signals.js'
import { cannotStop, runTags } from './tags.js'

const script = document.currentScript ?? document.querySelector('script[data-key][src*="/sdk/licet"]')
const options = script?.dataset ?? {}
export const site = {
  url: (options.url ?? new URL('..', script?.src ?? location.href).href).replace(/\/$/, ''),
  key: options.key, language: options.language, version: VERSION,
}
/** What is known and may change; the banner reads it. `known`: who signed in, {id, token, email, read}. */
export const now = { policy: null, known: null, options }
let state = device.load()
let before = {} // what was granted when it was last told
let told = false
/** The banner's: what to do when an act could not be recorded that grants these purposes. */
export const hooks = { failed() {}, changed() {} }

export const purpose = id => now.policy?.purposes.find(p => p.id === id)
/** A purpose that was granted can be withdrawn though the policy is out of reach, or no longer asks for it. */
const known = id => purpose(id) ?? { id, version: state.choices[id].v, scope: 'device', language: '', notices: [] }
export const granted = id => !!purpose(id) && mine(id) && isGranted(purpose(id), state.choices)
/** A person's consent is hers alone: it counts while she is signed in. */
const mine = id => purpose(id).scope !== 'person' || !state.choices[id]?.on || (!!now.known && state.person === now.known.id)
const all = () => Object.fromEntries(now.policy.purposes.map(p => [p.id, granted(p.id)]))
const mayTrack = () => (now.policy?.events.some(granted) ? state.device : null)

/** Deletes what the scripts of purposes left that are refused. */
function clear() {
  const kept = now.policy.purposes.filter(p => granted(p.id)).flatMap(p => p.forget)
  const gone = now.policy.purposes.filter(p => state.choices[p.id]?.on === 0).flatMap(p => p.forget).filter(p => !kept.includes(p))
  if (gone.length) device.forget(gone)
}

const allOn = () => Object.keys(state.choices).filter(id => state.choices[id].on)

/** Without a grant of the device's no id of it stays, without one of the person's none of hers. */
function keep() {
  const scopes = allOn().map(id => purpose(id)?.scope ?? 'device')
  if (!scopes.includes('device')) {
    delete state.device
    delete state.token
  }
  if (!scopes.length || (now.policy && !scopes.includes('person'))) delete state.person
  device.save(state)
}

/** A grant whose time is over, or whose text is void, is none: what rests on it goes as after a withdrawal. */
function end() {
  for (const p of now.policy.purposes) {
    const choice = state.choices[p.id]
    if (!choice?.on || choice.wait || stands(p, choice)) continue
    Object.assign(choice, { on: 0, over: 1 })
    keep()
  }
}

/** Everything that depends on the choices follows them. `chosen`: others are told even if nothing changed. */
function apply(chosen) {
  if (!now.policy) return
  end()
  const next = all()
  const changed = Object.keys(next).filter(id => next[id] !== !!before[id])
  const lowered = changed.some(id => before[id])
  const tracked = now.policy.events.some(id => before[id])
  before = next
  clear()
  if (told && !chosen && !changed.length) return
  if (told || changed.length || Object.keys(state.choices).length) tell(now.policy, next, lowered)
  told = true
  if (!mayTrack()) events.drop()
  else if (!tracked) events.startViews(options.pages !== 'off')
  runTags(granted)
  document.dispatchEvent(new CustomEvent('licet:consent', { detail: { granted: next, changed } }))
  hooks.changed()
  if (lowered && cannotStop(granted) && options.reload !== 'off') reload()
}

/** A script that runs is unloaded with its page: once the withdrawal has arrived, or soon. */
function reload() {
  const go = () => location.reload()
  setTimeout(go, 2000)
  queue.flush().then(go)
}

// ---- acts ----

/** One act for each language of the texts, and for the person apart from the device. */
function split(ids) {
  const groups = new Map()
  for (const id of ids) {
    const p = known(id)
    const who = p.scope === 'person'
    const key = `${who} ${p.language}`
    groups.set(key, [...(groups.get(key) ?? []), p])
  }
  return [...groups.values()]
}

function bodyOf(purposes, values, { form, by, whom }) {
  const person = purposes[0].scope === 'person'
  const grants = purposes.some(p => values[p.id])
  // what lowers needs nobody to be signed in: it is of who granted it here
  const who = whom ?? (!grants && state.person && { id: state.person })
  const recorded = person || grants || state.device
  const notices = new Map(purposes.flatMap(p => p.notices).map(n => [n.identifier + n.version, n]))
  const body = {
    subject: person && who ? { id: who.id, email: who.email } : !state.token && state.device && !grants ? { id: state.device } : {},
    ...(person && who?.token && { subject_token: who.token }),
    preferences: Object.fromEntries(purposes.map(p => [p.id, values[p.id]])),
    versions: Object.fromEntries(purposes.map(p => [p.id, p.version])),
    shown: { language: purposes[0].language },
  }
  if (CMP && asked) {
    // she was asked by another's text: what shows it is what that platform makes known
    delete body.shown
    body.versions = Object.fromEntries(purposes.map(p => [p.id, asked.versions[p.id]]))
    return recorded ? { body: { ...body, cmp: asked.evidence }, short: grants ? undefined : body } : { body }
  }
  // a no of somebody who is not known carries nothing: licet counts it
  if (!recorded) return { body }
  const content = { by, page: location.origin + location.pathname, at: new Date().toISOString() }
  const proof = { ...body, legal_notices: [...notices.values()], proofs: [{ form, content: JSON.stringify(content) }] }
  return { body: proof, short: grants ? undefined : body }
}

/** Records choices, {purpose: true|false}. `form`: the very wording shown. What is lowered is obeyed at once, what is granted once licet
 *  has taken it. */
export function choose(values, { form = '', by = 'api', whom = now.known } = {}) {
  state = device.load() // another tab's choice may be on its way to us
  const ids = Object.keys(values).filter(id => purpose(id) || (!values[id] && state.choices[id]))
  const lowersAlone = ids.every(id => !values[id])
  const lines = split(ids).map(purposes => ({
    ...bodyOf(purposes, values, { form, by, whom }),
    ...(purposes[0].scope === 'person' ? { token: '', person: 1 } : lowersAlone && state.token ? { token: state.token } : {}),
    grants: purposes.filter(p => values[p.id]).map(p => p.id),
  }))
  const day = device.today()
  for (const id of ids) {
    const on = values[id] ? 1 : 0
    const had = state.choices[id]
    const v = (CMP && asked?.versions[id]) || known(id).version
    state.choices[id] = on && had?.on && !had.wait && had.v === v ? { ...had, day } : { on, v, day, ...(on && { wait: 1 }) }
    if (on && known(id).scope === 'person') state.person = whom?.id
  }
  keep()
  const kept = lines.map(queue.enqueue)
  apply(lowersAlone) // what is granted is told once it counts
  return kept.every(Boolean)
}

let asked // in licet-cmp.js alone: {versions, evidence} while a choice is taken from another platform
/** A choice that another platform asked for. */
export function chooseBy(platform, values) {
  asked = platform
  choose(values)
  asked = null
}

/** Records what a form says: an act of whoever it names. The form may leave the page at once. */
function record(form) {
  const body = readForm(form)
  return !!body && queue.enqueue({ body, token: '', grants: [] })
}

function taken(act, { device: id, token }) {
  state = device.load()
  const still = act.grants.filter(p => state.choices[p]?.on)
  for (const p of still) delete state.choices[p].wait
  if (still.length && !act.person) {
    state.device = id
    if (token) state.token = token
  }
  if (still.length) keep()
  apply()
}

function refused(act, status, said) {
  console.error('licet: refused:', status, said)
  state = device.load()
  for (const p of act.grants) if (state.choices[p]?.wait) delete state.choices[p]
  keep()
  apply()
  if (act.grants.length) hooks.failed(act.grants)
}

// ---- what a page calls ----

/** What one of them throws is reported by the browser, and keeps nobody else from hearing. */
const onChange = each => document.addEventListener('licet:consent', e => each(e.detail))

let isReady
const ready = new Promise(ok => (isReady = ok))

export const licet = {
  version: site.version,
  /** Resolves with {purpose: granted} once the policy is there. */
  ready,
  granted,
  /** {purpose: {granted, chosen, version, waiting}} */
  state: () => Object.fromEntries((now.policy?.purposes ?? []).map(p => {
    const c = state.choices[p.id]
    return [p.id, { granted: granted(p.id), chosen: c ? !!c.on : null, version: c?.v ?? null, waiting: !!c?.wait }]
  })),
  policy: () => now.policy,
  /** Resolves when the purpose is granted, now or later. */
  when: id => (granted(id) ? Promise.resolve(true) : new Promise(ok => onChange(all => all.granted[id] && ok(true)))),
  onChange,
  choose,
  /** Withdraws these purposes, or all that were granted. */
  withdraw(...ids) {
    return choose(Object.fromEntries((ids.length ? ids.flat() : allOn()).map(id => [id, false])))
  },
  form: record,
  /** This browser's id, once something is granted here: for other SDKs. */
  anonymousId: () => state.device ?? null,
  /** Resolves once nothing waits to be sent, true, or cannot be sent now, false. */
  flush: () => queue.flush().then(() => !queue.waiting()),
  page: events.page,
  track: events.track,
  /** Who signed in. `token`: the HMAC of the id, made by the site's server: with it she can choose for herself here, and see what is
   *  recorded for her. `read`: a read token, or what fetches one: with it she sees that as well. */
  identify(id, traits, more) {
    now.known = id == null ? null : { ...more, id: String(id) }
    const sent = events.identify(id, traits)
    apply()
    hooks.changed()
    return sent
  },
  /** She signed out. */
  reset() {
    state = device.load()
    now.known = null
    events.signOut()
    for (const p of now.policy?.purposes ?? []) if (p.scope === 'person' && state.choices[p.id]?.on) delete state.choices[p.id]
    keep()
    apply()
    hooks.changed()
  },
  /** licet.push(licet => …) does before the script is there, too. */
  push: call => void call(licet),
  /** Runs <script type="text/plain"> that came later. */
  scan: () => runTags(granted),
}

/** Follows what licet says of choices made elsewhere: nothing is recorded, since it is already. */
export function follow(changed) {
  Object.assign(state.choices, changed)
  keep()
  apply(true)
}

/** current(), as another tab may have left it just now. */
export const afresh = () => {
  state = device.load()
  return current()
}
export const current = () => ({ ...state, known: now.known })

/** Begins; resolves when the policy is there, or will not come. */
export async function start() {
  if (window.licet?.version) return // the tag stands there twice
  const early = Array.isArray(window.licet) ? window.licet : []
  window.licet = licet
  tellDefault()
  events.openTracker({ ...site, anonymousId: mayTrack })
  queue.openQueue({ ...site, token: () => state.token, taken, refused })
  // a page that is only made ready has not been visited
  if (document.prerendering) await new Promise(ok => document.addEventListener('prerenderingchange', ok))
  state = device.load() // she may have chosen meanwhile
  const saying = () => JSON.stringify(state.choices)
  device.watch(() => {
    const said = saying()
    state = device.load()
    apply(said !== saying() && !Object.values(state.choices).some(c => c.wait))
  })
  document.addEventListener('submit', e => e.target.hasAttribute('data-licet-form') && record(e.target), true)
  document.addEventListener('DOMContentLoaded', licet.scan)
  queue.flush()
  await new Promise(setTimeout) // a task of its own: a slow device has had enough to do
  await fetchPolicy()
  if (now.policy) {
    apply()
    isReady(all())
  }
  for (const call of early) queueMicrotask(() => call(licet)) // what one throws stops nothing
}

/** Out of reach: once more when the line is there again, or in a while. */
async function fetchPolicy() {
  for (let n = 0; n < 5; n++) {
    try {
      now.policy = await loadPolicy(site)
      return
    } catch (e) {
      console.error(e.message)
      if (e.final) return
    }
    await new Promise(ok => {
      addEventListener('online', ok, { once: true })
      setTimeout(ok, 3e4)
    })
  }
}
