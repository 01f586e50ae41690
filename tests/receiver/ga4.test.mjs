// The stand-in for Google's collection is as strict as it says: each rule on its own.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Ga4Receiver, validate } from './ga4.mjs'

const now = Date.now()
const good = (change = () => {}) => {
  const body = {
    client_id: '1307714608.1760043792', consent: { ad_user_data: 'DENIED', ad_personalization: 'GRANTED' },
    events: [{ name: 'page_view', params: { engagement_time_msec: 1, page_title: 'x'.repeat(300) }, timestamp_micros: now * 1000 }],
  }
  change(body, body.events[0], body.events[0].params)
  return body
}
const many = (n, each) => Object.fromEntries(Array.from({ length: n }, (_, i) => each(i)))

test('ga4 receiver: what Google takes has no fault', () => {
  assert.deepEqual(validate(good(), now), [])
  assert.deepEqual(validate(good((b, e, p) => {
    Object.assign(b, { user_id: 'u', user_properties: { plan: { value: 'x'.repeat(36) } }, ip_override: '203.0.113.0', user_agent: 'UA/1' })
    Object.assign(p, { session_id: '1764340309', currency: 'EUR', value: 1.5, items: [{ item_id: '1', price: 2, any: 'x'.repeat(100) }] }, many(18, i => [`p${i}`, i]))
    for (let i = 1; i < 25; i++) b.events.push({ name: 'x'.repeat(40), params: { engagement_time_msec: 1 } })
  }), now), [])
})

for (const [rule, code, change] of [
  ['a client id is needed', 'VALUE_REQUIRED', b => delete b.client_id],
  ['a client id is two numbers', 'VALUE_INVALID', b => (b.client_id = 'a.b')],
  ['consent is needed', 'VALUE_REQUIRED', b => delete b.consent],
  ['consent is two words', 'VALUE_INVALID', b => (b.consent.ad_user_data = 'granted')],
  ['consent needs both', 'VALUE_INVALID', b => delete b.consent.ad_personalization],
  ['consent has no more than both', 'NAME_INVALID', b => (b.consent.ad_storage = 'DENIED')],
  ['unknown members are faults', 'NAME_INVALID', b => (b.messageId = 'x')],
  ['events are needed', 'VALUE_REQUIRED', b => (b.events = [])],
  ['25 events', 'EXCEEDED_MAX_ENTITIES', b => (b.events = Array(26).fill(b.events[0]))],
  ['a name is needed', 'VALUE_REQUIRED', (b, e) => delete e.name],
  ['a name has no space', 'NAME_INVALID', (b, e) => (e.name = 'page view')],
  ['a name begins with a letter', 'NAME_INVALID', (b, e) => (e.name = '3d')],
  ['a name has 40 characters', 'NAME_INVALID', (b, e) => (e.name = 'x'.repeat(41))],
  ['a name is not reserved', 'NAME_RESERVED', (b, e) => (e.name = 'session_start')],
  ['a name is not like Google\'s', 'NAME_RESERVED', (b, e) => (e.name = 'ga_x')],
  ['25 parameters', 'EXCEEDED_MAX_ENTITIES', (b, e, p) => Object.assign(p, many(24, i => [`p${i}`, i]))],
  ['a parameter is not reserved', 'NAME_RESERVED', (b, e, p) => (p.firebase_conversion = 1)],
  ['a parameter\'s name has 40 characters', 'NAME_INVALID', (b, e, p) => (p['x'.repeat(41)] = 1)],
  ['a value has 100 characters', 'VALUE_INVALID', (b, e, p) => (p.x = 'ä'.repeat(101))],
  ['a title has 300 characters', 'VALUE_INVALID', (b, e, p) => (p.page_title += 'x')],
  ['a value is no list', 'VALUE_INVALID', (b, e, p) => (p.x = [])],
  ['a value is no truth value', 'VALUE_INVALID', (b, e, p) => (p.x = true)],
  ['a value is not empty', 'VALUE_INVALID', (b, e, p) => (p.x = '')],
  ['the value is a number', 'VALUE_INVALID', (b, e, p) => (p.value = '1')],
  ['a currency has three capitals', 'VALUE_INVALID', (b, e, p) => (p.currency = 'eur')],
  ['a session is a number', 'VALUE_INVALID', (b, e, p) => (p.session_id = 'abc')],
  ['engagement is needed', 'VALUE_REQUIRED', (b, e, p) => delete p.engagement_time_msec],
  ['72 hours', 'VALUE_OUT_OF_BOUNDS', (b, e) => (e.timestamp_micros = (now - 73 * 3600_000) * 1000)],
  ['no future', 'VALUE_OUT_OF_BOUNDS', (b, e) => (e.timestamp_micros = (now + 3600_000) * 1000)],
  ['microseconds', 'VALUE_OUT_OF_BOUNDS', (b, e) => (e.timestamp_micros = now)],
  ['200 items', 'EXCEEDED_MAX_ENTITIES', (b, e, p) => (p.items = Array(201).fill({ item_id: '1' }))],
  ['an item has an id or a name', 'VALUE_REQUIRED', (b, e, p) => (p.items = [{ price: 1 }])],
  ['an item has 10 parameters of its own', 'EXCEEDED_MAX_ENTITIES', (b, e, p) => (p.items = [{ item_id: '1', ...many(11, i => [`c${i}`, i]) }])],
  ['a price is a number', 'VALUE_INVALID', (b, e, p) => (p.items = [{ item_id: '1', price: '1' }])],
  ['an id is a text', 'VALUE_INVALID', (b, e, p) => (p.items = [{ item_id: 1 }])],
  ['25 user properties', 'EXCEEDED_MAX_ENTITIES', b => (b.user_properties = many(26, i => [`p${i}`, { value: i }]))],
  ['a user property\'s name has 24 characters', 'NAME_INVALID', b => (b.user_properties = { ['x'.repeat(25)]: { value: 1 } })],
  ['a user property\'s value has 36 characters', 'VALUE_INVALID', b => (b.user_properties = { a: { value: 'x'.repeat(37) } })],
  ['a user property is not reserved', 'NAME_RESERVED', b => (b.user_properties = { first_open_time: { value: 1 } })],
  ['a user id is a text', 'VALUE_INVALID', b => (b.user_id = 7)],
]) {
  test(`ga4 receiver: ${rule}`, () => {
    const found = validate(good(change), now)
    assert.ok(found.some(f => f.validationCode === code), JSON.stringify(found))
    for (const f of found) assert.deepEqual(Object.keys(f), ['fieldPath', 'description', 'validationCode'])
  })
}

let receiver
before(async () => (receiver = await new Ga4Receiver({ measurementId: 'G-X', secret: 's' }).listen()))
after(() => receiver.close())
const post = (path, body, headers = { 'Content-Type': 'application/json' }) =>
  fetch(receiver.url + path, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) })

test('ga4 receiver: collection says 204 to everything, and remembers the faults', async () => {
  const wrong = [
    ['/mp/collect?measurement_id=G-X&api_secret=s', '{'], ['/mp/collect?measurement_id=G-X&api_secret=t', good()],
    ['/mp/collect?measurement_id=G-Y&api_secret=s', good()], ['/mp/collect?measurement_id=G-X&api_secret=s&x=1', good()],
    ['/mp/collect?measurement_id=G-X&api_secret=s', good(b => delete b.consent)], ['/elsewhere', good()],
  ]
  for (const [path, body] of wrong) {
    const before = receiver.faults.length
    const answer = await post(path, body)
    assert.deepEqual([answer.status, await answer.text()], [204, ''])
    assert.ok(receiver.faults.length > before, path)
  }
  const before = receiver.faults.length
  await post('/mp/collect?measurement_id=G-X&api_secret=s', good())
  assert.equal(receiver.faults.length, before)
  assert.equal(receiver.events.at(-1).name, 'page_view')
  await post('/mp/collect?measurement_id=G-X&api_secret=s', good(), { 'Content-Type': 'text/plain' })
  assert.ok(receiver.faults.length > before)
})

test('ga4 receiver: validation says what is wrong, and keeps nothing', async () => {
  const [kept, faults] = [receiver.requests.length, receiver.faults.length]
  const ask = async body => (await post('/debug/mp/collect?measurement_id=G-X&api_secret=s', body)).json()
  assert.deepEqual(await ask(good()), { validationMessages: [] })
  assert.equal((await ask(good((b, e) => (e.name = 'error')))).validationMessages[0].validationCode, 'NAME_RESERVED')
  assert.deepEqual([receiver.requests.length, receiver.faults.length], [kept, faults])
})
