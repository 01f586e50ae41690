// What the destination of Segment's own (npm: @segment/action-destinations, google-analytics-4) would send for the
// messages of tests/golden/ga4, and every way in which licet differs. docs/ga4.md says why, under the same names.
// That package is unpacked by script/bootstrap without what it wants for its other destinations.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, test } from 'node:test'
import { clientId } from './ga4-house.mjs'

const require = createRequire(import.meta.url)
const { transform, defaultValues } = require('@segment/actions-core')
const segment = require('@segment/action-destinations/dist/destinations/google-analytics-4').default

const DIR = new URL('../golden/ga4/', import.meta.url)
const golden = readdirSync(DIR).map(n => [n.slice(0, -5), JSON.parse(readFileSync(new URL(n, DIR)))])
const TIMESTAMP = '2026-01-02T03:04:05.678Z'
const cut = (v, most) => [...v].slice(0, most).join('')
const fitted = v => v.trim().replace(/[^A-Za-z0-9]/gu, '_')

/** path: of what differs; only: theirs or ours has it; value: what ours is then, from theirs and the message. */
const DIFFERENCES = {
  'client id': { path: /^client_id$/, value: (theirs, { event, device }) => clientId(device ?? event.userId) },
  'client id given': { path: /^client_id$/, value: (theirs, { event }) => event.context?.externalId?.[0].id ?? event.integrations?.['Google Analytics 4'].clientId ?? event.ids?.ga4.client_id ?? event.properties.clientId },
  'consent': { path: /^consent\.(ad_user_data|ad_personalization)$/, only: 'ours', value: (_, { path }) => (path.endsWith('ad_user_data') ? 'GRANTED' : 'DENIED') },
  'time of each event': { path: /^(events\.0\.)?timestamp_micros$/, only: 'either' },
  'session': { path: /^events\.0\.params\.session_id$/, only: 'ours', value: (_, { event }) => String(event.context?.sessionId ?? event.ids?.ga4.session_id ?? event.integrations?.['Google Analytics 4'].sessionId) },
  'session preferred': { path: /^events\.0\.params\.session_id$/, value: (_, { event }) => event.ids.ga4.session_id },
  'ids are no parameters': { path: /^events\.0\.params\.(client_id|clientId)$/, only: 'theirs' },
  'engagement': { path: /^events\.0\.params\.engagement_time_msec$/, value: theirs => (theirs > 0 ? theirs : 1) },
  'page of every event': { path: /^events\.0\.params\.(page_location|page_referrer|page_title)$/, only: 'ours', when: ({ event }) => event.type === 'track' },
  'page from the properties': { path: /^events\.0\.params\.(page_location|page_referrer|page_title)$/, only: 'ours', when: ({ event }) => event.type === 'page' && !event.context },
  'address without its query': { path: /^events\.0\.params\.(page_location|page_referrer)$/, value: theirs => ({ 'https://ex.test/shop?utm_source=mail&email=a%40ex.test#top': 'https://ex.test/shop?utm_source=mail', 'https://search.test/?q=secret': 'https://search.test/' })[theirs] },
  'length of a page': { path: /^events\.0\.params\.(page_location|page_referrer|page_title)$/, value: (theirs, { path }) => cut(theirs, { page_location: 1000, page_referrer: 420, page_title: 300 }[path.split('.').at(-1)]) },
  'language': { path: /^events\.0\.params\.language$/, only: 'ours', value: (_, { event }) => event.context.locale },
  'name': { path: /^events\.0\.name$/, value: theirs => cut(/^[a-z]/i.test(fitted(theirs)) && !theirs.startsWith('ga_') ? fitted(theirs) : `e_${fitted(theirs)}`, 40) },
  'name as it can be': { path: /^events\.0\.params\.(Schuh-Größe|a b|a-b)$/, only: 'theirs' },
  'name as it became': { path: /^events\.0\.params\.Schuh_Gr__e$/, only: 'ours', value: (_, { event }) => event.properties['Schuh-Größe'] },
  'the first of names that meet': { path: /^events\.0\.params\.a_b$/, value: (_, { event }) => event.properties['a b'] },
  'what Google does not take': { path: /^events\.0\.params\.(_own|ga_own|google_own|firebase_conversion|9lives|value|currency|shipping|empty|items)$/, only: 'theirs', when: ({ theirs, path }) => /own$|conversion$|9lives$/.test(path) || ['much', 'Euro', 'free', '', '3'].includes(theirs) },
  'length of a value': { path: /^events\.0\.params\.|^user_properties\./, value: (theirs, { path }) => typeof theirs === 'string' && cut(theirs, path.startsWith('user') ? 36 : 100) },
  'number of parameters': { path: /^events\.0\.params\.p2[4-9]$/, only: 'theirs' },
  'truth values': { path: /^events\.0\.params\.|^user_properties\./, value: theirs => typeof theirs === 'boolean' && String(theirs) },
  'numbers': { path: /^events\.0\.params\.(value|tax)$/, value: theirs => typeof theirs === 'string' && Number(theirs) },
  'texts': { path: /^events\.0\.params\.(transaction_id|items\.\d+\.item_id)$/, value: theirs => typeof theirs === 'number' && String(theirs) },
  'currency': { path: /^events\.0\.params\.currency$/, value: theirs => theirs.toUpperCase() },
  'other properties': { path: /^events\.0\.params\.(cart_id|order_id|wishlist_id|revenue|username|method|path|affiliation|coupon|shipping|tax|value|currency)$/, only: 'ours', value: (_, { event, path }) => event.properties[path.split('.').at(-1)] },
  'revenue': { path: /^events\.0\.params\.value$/, only: 'ours', when: ({ event }) => event.properties.total === undefined, value: (_, { event }) => event.properties.revenue },
  'other members of a product': { path: /^events\.0\.params\.items\.\d+\.(sku|image_url|c\d)$/, only: 'ours' },
  'place in a list': { path: /^events\.0\.params\.items\.0\.index$/, only: 'ours', value: (_, { event }) => event.properties.position },
  'a promotion is no product': { path: /^events\.0\.params\.items\.0\.item_name$/, only: 'theirs', when: ({ event }) => event.event.startsWith('Promotion') },
  'place of a promotion': { path: /^events\.0\.params\.location_id$/, only: 'ours', value: (_, { event }) => event.properties.position },
  'user properties': { path: /^user_properties\.city\.value$/, only: 'ours', value: (_, { event }) => event.context.traits.city },
  'user properties that Google does not take': { path: /^user_properties\.(first_open_time|_own|Lieblings-Farbe und noch viel mehr)\.value$/, only: 'theirs' },
  'user property as it can be': { path: /^user_properties\.Lieblings_Farbe_und_noch\.value$/, only: 'ours', value: () => 'Blau' },
}

/** Where theirs gives up, since one value is not as it should be, and licet sends the rest. */
const REFUSED = {
  'value-null': /Param \[note\] has unsupported value of type \[NULL\]/,
  'values-of-several': /Param \[list\] has unsupported value of type \[Array\]/,
  'order-with-odd-products': /One of product name or product id is required/,
}

const actionOf = event => {
  for (const [name, action] of Object.entries(segment.actions)) {
    const [, type, , wanted] = /^type = "(\w+)"( and event =\s+"(.*)")?$/.exec(action.defaultSubscription ?? '') ?? []
    if (name !== 'generateLead' && name !== 'customEvent' && event.type === type && (type === 'page' || event.event === wanted)) return action
  }
  return segment.actions.customEvent
}

/** Their request for a message, with the mappings that a new destination begins with, and a custom event's properties as its parameters. */
async function theirs(message) {
  const action = actionOf(message)
  const mapping = { ...defaultValues(action.fields), user_id: { '@path': '$.userId' }, user_properties: { '@path': '$.traits' } }
  if (action === segment.actions.customEvent) mapping.params = { '@path': '$.properties' }
  let sent
  const request = async (url, options) => (sent = options.json)
  const settings = { measurementId: 'G-TEST123', apiSecret: 'secret' }
  await action.perform(request, { payload: transform(mapping, message), settings })
  return JSON.parse(JSON.stringify(sent))
}

const flat = (v, path = '') => (v !== null && typeof v === 'object' && Object.keys(v).length > 0
  ? Object.entries(v).flatMap(([k, x]) => flat(x, path ? `${path}.${k}` : k)) : [[path, v !== null && typeof v === 'object' ? JSON.stringify(v) : v]])

const used = new Set()
function explain(d) {
  const kind = d.theirs === undefined ? 'ours' : d.ours === undefined ? 'theirs' : 'both'
  for (const [name, rule] of Object.entries(DIFFERENCES)) {
    if (!rule.path.test(d.path) || !(rule.only === 'either' || (rule.only ?? 'both') === kind)) continue
    if (rule.when && !rule.when(d)) continue
    try {
      if (kind !== 'theirs' && rule.value && rule.value(d.theirs, d) !== d.ours) continue
    } catch {
      continue
    }
    used.add(name)
    return true
  }
  return false
}

function compare(name, event, ours, them) {
  const device = event.anonymousId === null ? undefined : `device of ${name}`
  const a = new Map(flat(them)), b = new Map(flat(ours))
  for (const path of new Set([...a.keys(), ...b.keys()])) {
    const d = { path, theirs: a.get(path), ours: b.get(path), event, device }
    if (path === 'client_id' && d.ours === 'made of the id') d.ours = clientId(device ?? event.userId)
    if (d.theirs === d.ours) continue
    assert.ok(explain(d), `nothing explains ${path}: theirs ${JSON.stringify(d.theirs)}, ours ${JSON.stringify(d.ours)}`)
  }
}

for (const [name, { event, request }] of golden) {
  test(`as Segment's own: ${name}`, async () => {
    const message = { anonymousId: `device of ${name}`, timestamp: TIMESTAMP, ...event }
    if (message.anonymousId === null) delete message.anonymousId
    if (REFUSED[name]) {
      await assert.rejects(theirs(message), REFUSED[name])
      return
    }
    compare(name, event, request, await theirs(message))
  })
}

test('as Segment\'s own: thirty messages and more were compared', () => assert.ok(golden.length - Object.keys(REFUSED).length >= 30))

test('as Segment\'s own: each difference was met, and is explained in docs/ga4.md', () => {
  const docs = readFileSync(new URL('../../docs/ga4.md', import.meta.url), 'utf8')
  for (const name of Object.keys(DIFFERENCES)) {
    assert.ok(used.has(name), `"${name}" was never met`)
    assert.ok(docs.includes(`| ${name} |`), `docs/ga4.md does not explain "${name}"`)
  }
})
