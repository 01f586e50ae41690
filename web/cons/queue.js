// Acts on their way to POST /public/consent: one entry of localStorage each, until licet has taken it or has said that it never will. They
// go in order, one at a time over all tabs, each under one Idempotency-Key however often it is sent. Where storage is
// blocked or full an act lives as long as the page.
import { flying, openLine, tried } from '../common/line.js'
import { newId, quietly } from '../common/small.js'
import { json } from './json.js'

const PREFIX = 'licet.cons.'
const PATIENCE_MS = 10_000 // for one attempt
const KEEPALIVE = 60_000 // bytes that a browser still sends when the page is gone
const memory = new Map()
let site, send, all = false

/** `url`; `key()` of the API; `mayLeave()`: what is held may go as the page does; `told(act, status, said, over)` hears of each attempt. */
export function openQueue(options) {
  site = options
  send = openLine('licet.cons', next, attempt, end)
  addEventListener('pagehide', leave)
}

const store = work => quietly(() => work(window.localStorage))

/** In the order in which they were said. */
function acts() {
  const keys = Object.keys(store(s => s) ?? {}).filter(key => key.startsWith(PREFIX))
  const kept = keys.map(key => ({ ...store(s => JSON.parse(s.getItem(key))), id: key.slice(PREFIX.length) }))
  return [...kept.filter(act => !memory.has(act.id)), ...memory.values()].filter(act => typeof act.body === 'string').sort((a, b) => a.n - b.n)
}

function keep(act) {
  const { id, ...rest } = act
  const kept = store(s => (s.setItem(PREFIX + id, JSON.stringify(rest)), true))
  if (kept) memory.delete(id)
  else memory.set(id, act)
}

function drop({ id }) {
  memory.delete(id)
  store(s => s.removeItem(PREFIX + id))
}

/** JSON as licet reads it: halves of characters and zeros would be refused. */
const write = body => json(body).replace(/\\(?:u(?:0000|d[89a-f]..)|.)/g, found => (found.length > 2 ? '\ufffd' : found))

/** Puts an act into the line and gives its id. What was said last, and waits, is not said twice. `held`: it waits for the next page. */
export function enqueue(body, held) {
  const text = write(body)
  const last = acts().at(-1)
  if (last?.body === text) {
    if (!held && last.held) keep({ ...last, held })
    return last.id
  }
  const act = { n: Math.max(Date.now(), (last?.n ?? 0) + 1), id: newId(), at: new Date().toISOString(), body: text, key: site.key(), held }
  keep(act)
  return act.id
}

function next() {
  if (!site.key()) return
  const first = acts().find(act => all || !act.held || memory.has(act.id))
  if (!first) all = false
  return first
}

/** Sends what waits; with `everything` also what is held. */
export function flush(everything) {
  all ||= site.key() && everything
  send()
}

/** The same bytes under the same key each time; after a change that licet asked for, other bytes under another. */
async function post(act, options) {
  const body = JSON.parse(act.body)
  if (!act.timeless) body.timestamp ??= act.at
  if (act.short) for (const proof of body.proofs ?? []) delete proof.form
  const bytes = new TextEncoder().encode(json(body))
  return fetch(`${site.url}/public/consent`, {
    method: 'POST',
    credentials: 'omit',
    keepalive: !tried && bytes.length < KEEPALIVE,
    headers: {
      ApiKey: act.key ?? site.key(), 'Content-Type': 'application/json',
      'Idempotency-Key': act.id + (act.timeless ? '-t' : '') + (act.short ? '-s' : ''),
    },
    body: bytes,
    ...options,
  })
}

/** What can be done about a refusal: the act as it is then, or nothing. */
function mended(act, status, said) {
  if (status === 400 && said?.field === 'timestamp' && !act.timeless) return { ...act, timeless: 1 } // this device's clock
  if ((status === 413 || (/403|406/.test(status) && !said)) && !act.short) return { ...act, short: 1 } // a guard before licet may mind HTML
  if (/401|403/.test(status) && act.key !== site.key()) return { ...act, key: site.key() } // the site has another one now
}

/** {status, said}; status 0 for no answer, or somebody else's. */
async function attempt(act) {
  const patience = new AbortController()
  setTimeout(() => patience.abort(), PATIENCE_MS)
  const answer = await post(act, { signal: patience.signal })
  const said = await answer.json().catch(() => null)
  return { status: answer.ok && !said?.id ? 0 : answer.status, said }
}

function end(act, answer) {
  const { status, said } = answer ?? { status: 0 }
  const other = mended(act, status, said)
  if (other) {
    keep(other)
    return true
  }
  const over = /2..|400|409|413/.test(status)
  if (over) drop(act)
  site.told(act, status, said, over)
  return over || (/^40/.test(status) && 300)
}

/** The page goes. One act is sent on, and what is kept nowhere; several would overtake each other. */
function leave() {
  const waiting = acts().filter(act => all || !act.held || site.mayLeave() || memory.has(act.id))
  for (const act of waiting) {
    const nowhere = memory.has(act.id)
    if ((act.id === flying?.id && !tried) || !site.key() || (waiting.length > 1 && !nowhere)) continue
    post(nowhere && act.body.length > KEEPALIVE / 2 ? { ...act, short: 1 } : act, { keepalive: true }).catch(() => {}) // the next page does it
  }
}
