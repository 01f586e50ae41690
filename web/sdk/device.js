// What this browser keeps: one entry of localStorage with the choices, and one for each act on its way. Nothing is
// written before a choice. Where storage is blocked or full, things live as long as the page.
import { quietly } from '../common/small.js'

const KEY = 'licet'
const ACT = 'licet.act.'

/** localStorage; null where the browser blocks it. */
const store = quietly(() => window.localStorage)
export const blocked = !store
const memory = new Map()

/** Null as well for what is somebody else's, or damaged. */
const read = key => quietly(() => JSON.parse(memory.get(key) ?? store?.getItem(key) ?? 'null'))

/** False when it lives as long as the page only. */
function write(key, value) {
  const text = JSON.stringify(value)
  memory.delete(key)
  try {
    store.setItem(key, text)
    return true
  } catch {
    memory.set(key, text)
    return false
  }
}

function remove(key) {
  memory.delete(key)
  store?.removeItem(key)
}

/** {choices: {purpose: {on, v, day, wait}}, device, token, person}. A day, not a moment: a refusal must not be an id. */
export function load() {
  const kept = read(KEY)
  return kept?.choices instanceof Object ? kept : { choices: {} }
}

export const today = () => Math.floor(Date.now() / 864e5)

export function save(state) {
  if (!Object.keys(state.choices).length) remove(KEY)
  else if (!write(KEY, state)) store?.removeItem(KEY) // what stood there is not so any more
}

export const acts = () => [...new Set([...Object.keys(store ?? {}), ...memory.keys()])]
  .filter(key => key.startsWith(ACT)).map(key => ({ ...read(key), id: key.slice(ACT.length) })).filter(act => act.body).sort((a, b) => a.n - b.n)

export const keepAct = act => write(ACT + act.id, act)
export const dropAct = act => remove(ACT + act.id)

/** Calls `then` when another tab has changed something, or may have while this page was put aside. */
export function watch(then) {
  addEventListener('storage', e => {
    if (e.key !== KEY && e.key) return
    memory.delete(KEY)
    then()
  })
  addEventListener('pageshow', e => e.persisted && then())
}

const matches = (name, pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern)

/** Deletes cookies and entries of the page's storage that other scripts left. */
export function forget(patterns) {
  const named = name => patterns.some(p => matches(name, p))
  for (const one of quietly(() => [localStorage, sessionStorage]) ?? []) {
    for (const key of Object.keys(one)) if (named(key)) one.removeItem(key)
  }
  const host = location.hostname.split('.')
  for (const cookie of (quietly(() => document.cookie) ?? '').split('; ')) {
    const name = cookie.split('=')[0]
    if (!named(name)) continue
    const end = `${name}=; Max-Age=0; Path=`
    for (const path of ['/', location.pathname]) {
      document.cookie = end + path
      for (let i = 0; i < host.length; i++) document.cookie = `${end}${path}; Domain=${host.slice(i).join('.')}`
    }
  }
}
