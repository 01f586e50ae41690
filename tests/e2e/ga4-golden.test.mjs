// Each file of tests/golden/ga4: a message as an SDK sends it, and the request that Google gets for it.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { until } from './daemon.mjs'
import { consent } from './fixture.mjs'
import { clientId, startGa4 } from './ga4-house.mjs'

const DIR = new URL('../golden/ga4/', import.meta.url)
const names = readdirSync(DIR).filter(n => n.endsWith('.json')).map(n => n.slice(0, -5)).sort()
const golden = Object.fromEntries(names.map(n => [n, JSON.parse(readFileSync(new URL(`${n}.json`, DIR)))]))
const WRITE = process.env.GOLDEN_WRITE === '1' // after a change that was meant: then read the difference

let house
before(async () => {
  house = await startGa4({ destination: { batch: { events: 1, wait: '0s' } } })
})
after(() => house.stop())

for (const name of names) {
  test(`golden: ${name}`, async () => {
    const { event, request } = golden[name]
    const timestamp = new Date(Date.now() - 5000).toISOString()
    const message = { anonymousId: `device of ${name}`, messageId: `${name}-${Date.now()}`, timestamp, ...event }
    if (message.anonymousId === null) delete message.anonymousId
    for (const id of [message.anonymousId, message.userId]) if (id) await consent(house.licet, id, { statistics: true, ads: true })
    const before = house.google.requests.length
    assert.equal((await house.licet.ingest([message])).status, 200)
    await until(() => house.google.requests.length > before, () => `the request; faults ${JSON.stringify(house.google.faults)}`)
    const { body } = house.google.requests[before]
    assert.deepEqual(house.google.faults, [], 'Google finds no fault')
    const at = body.events[0].timestamp_micros
    assert.ok(Math.abs(at - Date.parse(timestamp) * 1000) <= 2000, `${at} is the event's own time`)
    body.events[0].timestamp_micros = 'the event\'s own time'
    if (body.client_id === clientId(message.anonymousId ?? message.userId)) body.client_id = 'made of the id'
    if (WRITE) writeFileSync(new URL(`${name}.json`, DIR), JSON.stringify({ event, request: body }, null, 2) + '\n')
    else assert.deepEqual(body, request)
  })
}

test('golden: every name of Segment\'s for what shops do is there', () => {
  const sent = new Set(names.map(n => golden[n].request?.events[0].name))
  for (const name of ['page_view', 'add_payment_info', 'add_to_cart', 'add_to_wishlist', 'begin_checkout', 'login', 'purchase', 'refund',
    'remove_from_cart', 'search', 'select_item', 'select_promotion', 'sign_up', 'view_cart', 'view_item', 'view_item_list', 'view_promotion']) assert.ok(sent.has(name), name)
})
