// The consent database as existing clients speak to it: paths, shapes, errors.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sleep } from './daemon.mjs'
import { consent, startHouse } from './fixture.mjs'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
let house, d
before(async () => {
  house = await startHouse()
  d = house.licet
})
after(() => house.stop())

test('a consent is answered with id, timestamp and subject_id', async () => {
  const { status, json, headers } = await d.api('POST', '/consent', { subject: { email: 'a@x.example' }, preferences: { newsletter: true } })
  assert.equal(status, 200)
  assert.match(headers.get('content-type'), /^application\/json/)
  assert.match(json.id, UUID)
  assert.match(json.timestamp, TIME)
  assert.ok(Math.abs(Date.parse(json.timestamp) - Date.now()) < 5000)
  assert.ok(json.subject_id.length > 0)
})

test('a consent is read back with everything that was said', async () => {
  await d.api('POST', '/legal_notices', { identifier: 'privacy_policy', content: 'first' })
  const { json: made } = await d.api('POST', '/consent', {
    timestamp: '2024-05-04T14:52:26Z',
    subject: { id: 'full', email: 'full@x.example', first_name: 'F', last_name: 'Ull', full_name: 'F Ull', verified: true, telephone: '1', type: 'x' },
    legal_notices: [{ identifier: 'privacy_policy', version: '1' }, { identifier: 'terms_and_conditions', version: 3 }],
    proofs: [{ content: 'text', form: '<form>' }, { content: 'only content' }],
    preferences: { newsletter: 'yes', profiling: false, banner: { purposes: { 1: true }, list: [1, 2] } },
    ip_address: '203.0.113.7',
  })
  assert.match(made.timestamp, /^2024-05-04T14:52:26/)
  const { status, json } = await d.api('GET', `/consent/${made.id}`)
  assert.equal(status, 200)
  assert.equal(json.id, made.id)
  assert.match(json.timestamp, /^2024-05-04T14:52:26/)
  assert.match(json.checksum, /^[0-9a-f]{64}$/)
  assert.equal(json.source, 'private')
  assert.equal(json.ip_address, '203.0.113.7')
  assert.equal(json.subject.id, 'full')
  assert.equal(json.subject.email, 'full@x.example')
  assert.equal(json.subject.first_name, 'F')
  assert.equal(json.subject.verified, true)
  assert.deepEqual(json.preferences, { newsletter: 'yes', profiling: false, banner: { purposes: { 1: true }, list: [1, 2] } })
  assert.deepEqual(json.legal_notices, [{ identifier: 'privacy_policy', version: 1 }, { identifier: 'terms_and_conditions', version: 3 }])
  assert.equal(json.proofs.length, 2)
  assert.equal(json.proofs[0].form, '<form>')
  assert.equal(json.proofs[1].content, 'only content')
  for (const key of ['owner', 'proof_documents']) assert.ok(key in json, key)
})

test('a notice without version stands for its newest', async () => {
  await d.api('POST', '/legal_notices', { identifier: 'terms', content: 'one' })
  await d.api('POST', '/legal_notices', { identifier: 'terms', content: 'two' })
  const { json: made } = await d.api('POST', '/consent', { subject: { id: 'reader' }, preferences: {}, legal_notices: [{ identifier: 'terms' }] })
  const { json } = await d.api('GET', `/consent/${made.id}`)
  assert.deepEqual(json.legal_notices, [{ identifier: 'terms', version: 2 }])
})

test('subject.preferences tells the newest value and the act that set it', async () => {
  const first = await consent(d, 'chooser', { newsletter: true, general: true })
  const second = await consent(d, 'chooser', { newsletter: false })
  const { json } = await d.api('GET', '/subjects/chooser')
  assert.deepEqual(json.preferences.newsletter, { value: false, consent_id: second.id })
  assert.deepEqual(json.preferences.general, { value: true, consent_id: first.id })
})

test('an act that changes nothing is recorded all the same', async () => {
  for (let i = 0; i < 3; i++) await consent(d, 'again', { newsletter: true })
  const { json } = await d.api('GET', '/consent?subject_id=again')
  assert.equal(json.length, 3)
})

test('lists are bare arrays, newest first, and page by starting_after', async () => {
  for (let i = 0; i < 12; i++) await consent(d, 'pager', { newsletter: i % 2 === 0 })
  const all = (await d.api('GET', '/consent?subject_id=pager&limit=100')).json
  assert.equal(all.length, 12)
  assert.ok(!('proofs' in all[0]) && !('legal_notices' in all[0]))
  assert.equal((await d.api('GET', '/consent?subject_id=pager')).json.length, 10)
  const pages = []
  for (let after = ''; ;) {
    const { json } = await d.api('GET', `/consent?subject_id=pager&limit=5${after && `&starting_after=${after}`}`)
    if (json.length === 0) break
    pages.push(...json)
    after = json.at(-1).id
  }
  assert.deepEqual(pages.map(c => c.id), all.map(c => c.id))
  const times = all.map(c => Date.parse(c.timestamp))
  assert.deepEqual(times, [...times].sort((a, b) => b - a))
})

test('list filters find what they name and nothing else', async () => {
  await consent(d, { id: 'filter-1', email: 'find.me@x.example', first_name: 'Findus', verified: true }, { rare_name: true })
  await consent(d, { id: 'filter-2', email: 'other@x.example' }, { newsletter: true })
  const ids = async query => (await d.api('GET', `/consent?limit=100&${query}`)).json.map(c => c.subject.id)
  assert.deepEqual(await ids('subject_email_exact=find.me@x.example'), ['filter-1'])
  assert.deepEqual(await ids('preference_key=rare_name'), ['filter-1'])
  assert.deepEqual(await ids('subject_first_name=Findus'), ['filter-1'])
  assert.deepEqual(await ids('subject_id=filter-2'), ['filter-2'])
  assert.deepEqual(await ids('subject_id=filter-2&source=public'), [])
  assert.deepEqual(await ids('subject_id=filter-2&from_time=2999-01-01'), [])
  assert.deepEqual(await ids(`subject_id=filter-2&from_time=${Math.floor(Date.now() / 1000) - 60}`), ['filter-2'])
  assert.deepEqual(await ids('subject_id=filter-2&fulltext=whatever'), ['filter-2'])
})

const WRONG_QUERIES = { 'limit=0': 'limit', 'limit=101': 'limit', 'limit=x': 'limit', 'starting_after=018f3b0a-0000-7000-8000-000000000009': 'starting_after', 'from_time=yesterday': 'from_time' }
for (const [query, name] of Object.entries(WRONG_QUERIES)) {
  test(`GET /consent?${query} names what is wrong`, async () => {
    const { status, text } = await d.api('GET', `/consent?${query}`)
    assert.equal(status, 400)
    assert.ok(text.includes(name), text)
  })
}

test('subjects are made, changed by PUT and PATCH, read and listed', async () => {
  const { json: made, status } = await d.api('POST', '/subjects', { id: 'crud', email: 'crud@x.example' })
  assert.equal(status, 200)
  assert.equal(made.id, 'crud')
  assert.match(made.timestamp, TIME)
  assert.match(made.created_at, TIME)
  assert.equal((await d.api('PUT', '/subjects/crud', { first_name: 'C' })).status, 200)
  assert.equal((await d.api('PATCH', '/subjects/crud', { verified: true })).status, 200)
  const { json } = await d.api('GET', '/subjects/crud')
  assert.equal(json.email, 'crud@x.example')
  assert.equal(json.first_name, 'C')
  assert.equal(json.verified, true)
  assert.ok('owner_id' in json && 'timestamp' in json && 'preferences' in json)
  const found = (await d.api('GET', '/subjects?email_exact=crud@x.example')).json
  assert.deepEqual(found.map(s => s.id), ['crud'])
  assert.equal((await d.api('PATCH', '/subjects/nobody-here', { verified: true })).status, 404)
})

test('a subject without id is given one that works', async () => {
  const { json } = await d.api('POST', '/subjects', { email: 'noid@x.example' })
  assert.equal((await d.api('GET', `/subjects/${json.id}`)).json.email, 'noid@x.example')
})

test('notices count their versions from 1 and are never overwritten', async () => {
  const write = content => d.api('POST', '/legal_notices', { identifier: 'cookie_policy', content })
  const first = await write({ en: 'one', de: 'eins' })
  assert.equal(first.status, 200)
  assert.equal(first.json.identifier, 'cookie_policy')
  assert.equal(first.json.version, 1)
  assert.match(first.json.timestamp, TIME)
  assert.equal((await write('two')).json.version, 2)
  const { json: history } = await d.api('GET', '/legal_notices/cookie_policy')
  assert.deepEqual(history.map(n => n.version), [2, 1])
  const { json: one } = await d.api('GET', '/legal_notices/cookie_policy/1')
  assert.deepEqual(one.content, { en: 'one', de: 'eins' })
  assert.equal((await d.api('PUT', '/legal_notices/cookie_policy/1', { content: 'x' })).status >= 400, true)
  assert.deepEqual((await d.api('GET', '/legal_notices/cookie_policy/1')).json.content, { en: 'one', de: 'eins' })
})

test('several notices are written at once, all or none', async () => {
  const { json } = await d.api('POST', '/legal_notices', [{ identifier: 'n1', content: 'a' }, { identifier: 'n2', content: 'b' }])
  assert.deepEqual(json.map(n => [n.identifier, n.version]), [['n1', 1], ['n2', 1]])
  assert.equal((await d.api('POST', '/legal_notices', [{ identifier: 'n3', content: 'a' }, { content: 'no identifier' }])).status, 400)
  assert.equal((await d.api('GET', '/legal_notices/n3')).status === 404 || (await d.api('GET', '/legal_notices/n3')).json.length === 0, true)
})

for (const path of ['/consent/', '//consent', '/consent']) {
  test(`the path ${path} is understood`, async () => {
    assert.equal((await d.api('POST', path, { subject: { id: 'path' }, preferences: {} })).status, 200)
  })
}

test('a form-encoded body is understood', async () => {
  const body = 'subject[id]=former&subject[email]=f%40x.example&preferences[newsletter]=true&legal_notices[][identifier]=terms&proofs[][content]=c'
  const { status, json } = await d.api('POST', '/consent', body, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
  assert.equal(status, 200)
  const { json: read } = await d.api('GET', `/consent/${json.id}`)
  assert.equal(read.subject.email, 'f@x.example')
  assert.equal(read.preferences.newsletter, 'true')
  assert.equal(read.legal_notices[0].identifier, 'terms')
})

test('keys are asked for, and answered as clients know it', async () => {
  const none = await d.api('GET', '/consent', undefined, { key: null })
  assert.equal(none.status, 401)
  assert.deepEqual(none.json, { message: 'No API key found in request' })
  const wrong = await d.api('GET', '/consent', undefined, { key: 'x'.repeat(32) })
  assert.equal(wrong.status, 403)
  assert.deepEqual(wrong.json, { message: 'Invalid authentication credentials' })
})

test('what is not there is not_found', async () => {
  for (const path of ['/consent/018f3b0a-0000-7000-8000-000000000009', '/subjects/nobody-at-all', '/legal_notices/never_stored/1']) {
    const { status, json } = await d.api('GET', path)
    assert.equal(status, 404, path)
    assert.deepEqual(json, { status: 'not_found' })
  }
})

test('consents can be neither changed nor deleted', async () => {
  const { id } = await consent(d, 'fixed', { newsletter: true })
  const before = (await d.api('GET', `/consent/${id}`)).text
  for (const method of ['PUT', 'PATCH', 'DELETE', 'POST']) {
    const { status } = await d.api(method, `/consent/${id}`, { preferences: { newsletter: false } })
    assert.ok(status === 404 || status === 405, `${method} ${status}`)
  }
  assert.equal((await d.api('GET', `/consent/${id}`)).text, before)
})

test('an Idempotency-Key replays the first answer and refuses another body', async () => {
  const say = (newsletter, key) => d.api('POST', '/consent', { subject: { id: 'idem' }, preferences: { newsletter } }, { headers: { 'Idempotency-Key': key } })
  const first = await say(true, 'k-1')
  const again = await say(true, 'k-1')
  assert.equal(again.status, 200)
  assert.equal(again.json.id, first.json.id)
  assert.equal((await say(false, 'k-1')).status, 409)
  assert.equal((await d.api('GET', '/consent?subject_id=idem')).json.length, 1)
})

test('a bare grant is recorded, permits nothing, and the answer says so', async () => {
  const { status, json } = await d.api('POST', '/consent', { subject: { id: 'bare' }, preferences: { statistics: true } })
  assert.equal(status, 200)
  assert.ok(json.warnings.length > 0)
  assert.match(JSON.stringify(json.warnings), /statistics/)
  assert.equal((await d.verdicts({ type: 'track', event: 'E', anonymousId: 'bare', messageId: 'bare-1' })).warehouse, 'no_proof')
})

const BAD_BODIES = {
  'no JSON': ['{', 'body'],
  'no object': ['[]', 'body'],
  'a claimed time 10 minutes ahead': [{ timestamp: new Date(Date.now() + 600_000).toISOString(), preferences: {} }, 'timestamp'],
  'a time that is none': [{ timestamp: 'soon', preferences: {} }, 'timestamp'],
  'a subject that is text': [{ subject: 'ada' }, 'subject'],
  'a shared id': [{ subject: { id: 'null' } }, 'subject.id'],
  'an id too long': [{ subject: { id: 'x'.repeat(256) } }, 'subject.id'],
  'an e-mail too long': [{ subject: { email: `${'x'.repeat(1025)}@x.example` } }, 'subject.email'],
  'too many preferences': [{ preferences: Object.fromEntries([...Array(65).keys()].map(i => [`p${i}`, true])) }, 'preferences'],
  'a proof that is text': [{ proofs: ['x'] }, 'proofs'],
  'bytes that are not UTF-8': [Buffer.from('{"subject":{"id":"\xff\xfe"}}', 'latin1'), 'body'],
  'the same name twice': ['{"preferences":{"a":true,"a":false}}', 'preferences'],
}
for (const [name, [body, field]] of Object.entries(BAD_BODIES)) {
  test(`${name} is a 400 that names the place, and writes nothing`, async () => {
    const count = async () => (await d.api('GET', '/consent?limit=1')).json[0]?.id
    const before = await count()
    const { status, text } = await d.api('POST', '/consent', body)
    assert.equal(status, 400, text)
    assert.ok(text.includes(field.split('.')[0]) || / at byte \d+/.test(text), text)
    assert.equal(await count(), before)
  })
}

test('a body over 1 MB is a 413', async () => {
  const { status } = await d.api('POST', '/consent', { proofs: [{ content: 'x'.repeat(1 << 20) }] })
  assert.equal(status, 413)
})

test('the last consent of a subject', async () => {
  await consent(d, 'lasting', { newsletter: true })
  await sleep(2)
  const { id } = await consent(d, 'lasting', { newsletter: false })
  const { status, json } = await d.api('GET', '/beta/subjects/lasting/consent/last')
  assert.equal(status, 200)
  assert.equal(json.id, id)
})

test('what may be done with a profile now, with reasons', async () => {
  await consent(d, 'profile', { profiling: true })
  const { status, text } = await d.api('GET', '/v1/permissions/profile')
  assert.equal(status, 200)
  assert.match(text, /"crm"/)
  assert.match(text, /no_consent/)
})

test('the preflight of a browser is answered', async () => {
  const { status, headers } = await d.api('OPTIONS', '/public/consent', undefined, {
    key: null, headers: { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'apikey,content-type,licet-device-token' },
  })
  assert.ok(status === 200 || status === 204)
  const allowed = headers.get('access-control-allow-headers').toLowerCase()
  for (const name of ['apikey', 'content-type', 'licet-device-token']) assert.ok(allowed.includes(name), name)
  assert.match(headers.get('access-control-allow-methods'), /POST/)
})
