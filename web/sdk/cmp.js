// The bridge: what she chose in the site's own consent management platform (CMP) becomes her choice in licet.
//
// A reading is what a CMP says at one moment:
//   live      she has just chosen, on this page; else it is what the CMP kept from before
//   explicit  she chose it herself; nothing is granted that is only implied
//   state(key)  true, false, or undefined: the CMP does not ask for it here
//   id, at, more  its receipt, when she chose, and what else it makes known
import { afresh, chooseBy, current, now, purpose } from './core.js'
import { onetrust } from './cmp-onetrust.js'
import { cookiebot } from './cmp-cookiebot.js'
import { tcf } from './cmp-tcf.js'
import { usercentrics } from './cmp-usercentrics.js'

const PLATFORMS = { onetrust, cookiebot, tcf, usercentrics }
const MOST = 1024 // letters of one thing that a CMP makes known
const MOST_KEYS = 256, MOST_BYTES = 16_000 // what licet takes: a withdrawal must not fail for its evidence
let map // [{purpose, version, since, keys}], each purpose once

/** Entries of one purpose taken together: all of their keys are needed. */
function joined(entries) {
  const all = new Map()
  for (const { purpose, keys, ...more } of entries) {
    all.set(purpose, { ...more, purpose, keys: [...(all.get(purpose)?.keys ?? []), ...keys] })
  }
  return [...all.values()]
}

/** true, false, or undefined where the CMP does not ask for all of it, or takes it for granted. */
function wanted({ keys }, reading) {
  const states = keys.map(reading.state)
  if (states.includes(false)) return false
  return (!states.includes(undefined) && reading.explicit) || undefined
}

/** What a CMP kept from before raises only what was never chosen here, and only if it was chosen under the text in force. */
function countsFromBefore(entry, reading, choice) {
  return !choice && !!reading.id && !!reading.at && reading.at.toISOString().slice(0, 10) >= entry.since
}

function values(reading) {
  const { choices, known } = reading.live ? current() : afresh()
  const found = {}
  for (const entry of map) {
    const p = purpose(entry.purpose)
    if (p?.scope === 'person' && !known?.token) continue // a CMP knows browsers, not people
    const choice = choices[entry.purpose]
    const yes = wanted(entry, reading)
    if (yes === undefined) continue
    if (reading.live || (yes ? countsFromBefore(entry, reading, choice) : choice?.on)) found[entry.purpose] = yes
  }
  return found
}

const short = text => (typeof text === 'string' && text.length <= MOST ? text : undefined)

/** What licet can take; without the rest of it a grant is bare. */
function bounded(evidence) {
  return new Blob([JSON.stringify(evidence)]).size <= MOST_BYTES ? evidence : { provider: evidence.provider }
}

function evidence(provider, reading, found) {
  const keys = new Set(map.filter(e => e.purpose in found).flatMap(e => e.keys))
  return {
    provider, consent_id: short(reading.id), at: reading.at?.toISOString(), kind: reading.live ? 'choice' : 'kept',
    granted: [...keys].filter(key => reading.state(key) === true).slice(0, MOST_KEYS), tc_string: reading.tcString?.length <= 8192 ? reading.tcString : undefined,
    ...Object.fromEntries(Object.entries(reading.more ?? {}).filter(([, value]) => value !== undefined && String(value).length <= MOST)),
  }
}

function take(provider, reading) {
  const found = values(reading)
  if (!Object.keys(found).length) return
  const versions = Object.fromEntries(map.map(e => [e.purpose, e.version]))
  chooseBy({ versions, evidence: bounded(evidence(provider, reading, found)) }, found)
}

// two tabs that open at once find the same choice from before: the second sees what the first has kept
const alone = work => (navigator.locks ? navigator.locks.request('licet.cmp', work).catch(work) : work())

/** A CMP that never comes, or fails, is none: nothing is granted, and the page does not notice. */
export function watchPlatform({ provider, map: entries }) {
  map = joined(entries)
  const watch = PLATFORMS[provider]
  if (!watch || !map.length) return
  const guarded = look => {
    try {
      return look()
    } catch (e) {
      console.error(`licet: ${provider}:`, e)
    }
  }
  guarded(() => watch(reading => guarded(() => (reading.live ? take(provider, reading) : alone(() => guarded(() => take(provider, reading))))), guarded))
}
