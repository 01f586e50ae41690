// The public key stands in every page. With nothing but it, a stranger must gain nothing.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newKey } from './daemon.mjs'
import { browserConsent, consent, purpose, startHouse, track } from './fixture.mjs'

let house, d
before(async () => {
  house = await startHouse({
    change(config) {
      const [statistics] = config.purposes
      // version 1 ended long ago, version 2 is in force
      statistics.versions.push({ ...purpose('statistics', { recipients: ['warehouse'] }).versions[0], version: 2, since: '2025-01-01' })
      config.limits = { public_per_second: 1000, address_per_minute: 100000, subject_per_hour: 1000 }
      return config
    },
  })
  d = house.licet
})
after(() => house.stop())

const grant = (options = {}) => browserConsent(d, { statistics: true }, { versions: { statistics: 2 }, ...options })
const privateGrant = subject => consent(d, subject, { statistics: true, profiling: true }, { versions: { statistics: 2, profiling: 1 } })
const verdict = async (ids, destination = 'warehouse') => (await d.verdicts(track(ids)))[destination]

test('a browser may grant for the device that licet made up for it', async () => {
  const mine = await grant()
  assert.equal(mine.status, 200)
  assert.deepEqual(Object.keys(mine.json).sort(), ['id', 'subject_id', 'timestamp'])
  assert.ok(mine.token, 'a device token is handed out')
  assert.match(mine.headers.get('set-cookie'), /^licet_device=[^;]+;.*HttpOnly/i)
  assert.equal(await verdict(mine.subject), 'permitted')
})

test('a refusal hands out nothing that could recognise the device', async () => {
  const answer = await browserConsent(d, { statistics: false })
  assert.equal(answer.status, 200)
  assert.equal(answer.token, null)
  assert.equal(answer.cookie, null)
})

test('a stranger cannot open the gate for somebody else', async () => {
  for (const subject of [{ id: 'victim' }, { id: 'victim', email: 'v@x.example', verified: true }]) {
    const answer = await grant({ subject })
    assert.equal(answer.status, 200)
    assert.deepEqual(Object.keys(answer.json).sort(), ['id', 'subject_id', 'timestamp'])
    assert.equal(answer.token, null, 'no device token for a subject that licet did not make up')
  }
  assert.equal(await verdict('victim'), 'unconfirmed')
  assert.equal(await verdict({ userId: 'victim' }), 'unconfirmed')
})

test('one browser\'s token does not speak for another device', async () => {
  const mine = await grant()
  await grant({ subject: { id: 'other-device' }, headers: { 'Licet-Device-Token': mine.token } })
  await grant({ subject: { id: 'other-device' }, headers: { Cookie: mine.cookie } })
  assert.equal(await verdict('other-device'), 'unconfirmed')
})

test('a forged or damaged token is worth nothing', async () => {
  const mine = await grant()
  const flip = c => (c === 'A' ? 'B' : 'A')
  const forged = [
    mine.token.slice(0, -2) + flip(mine.token.at(-2)) + mine.token.at(-1),
    flip(mine.token[0]) + mine.token.slice(1), mine.token.slice(0, 20), 'x', '', 'A'.repeat(4000), Buffer.from('victim-2').toString('base64url'),
  ]
  for (const token of forged) {
    const answer = await grant({ subject: { id: 'victim-2' }, headers: { 'Licet-Device-Token': token } })
    assert.ok(answer.status === 200 || answer.status === 431 || answer.status === 400, `${answer.status}`)
  }
  assert.ok(['unconfirmed', 'no_consent'].includes(await verdict('victim-2')))
})

test('a stranger cannot reopen what was withdrawn', async () => {
  await privateGrant('leaver')
  assert.equal(await verdict('leaver'), 'permitted')
  await consent(d, 'leaver', { statistics: false })
  assert.equal(await verdict('leaver'), 'withdrawn')
  for (const timestamp of [undefined, '2024-01-01T00:00:00Z', new Date(Date.now() + 200_000).toISOString()]) {
    assert.equal((await grant({ subject: { id: 'leaver' }, timestamp })).status, 200)
    assert.equal(await verdict('leaver'), 'withdrawn')
  }
})

test('a grant by public key cannot be backdated to an old text', async () => {
  const old = await grant({ versions: { statistics: 1 }, timestamp: '2024-06-01T00:00:00Z' })
  assert.equal(old.status, 200)
  assert.notEqual(await verdict(old.subject), 'permitted')
  const { json } = await d.api('GET', `/consent/${old.json.id}`)
  assert.match(json.timestamp, /^2024-06-01/, 'what was claimed is shown as claimed')
})

test('an older grant that arrives late never reopens a withdrawal', async () => {
  await privateGrant('late')
  await consent(d, 'late', { statistics: false })
  await consent(d, 'late', { statistics: true }, { versions: { statistics: 2 }, timestamp: '2025-06-01T00:00:00Z' })
  assert.equal(await verdict('late'), 'withdrawn')
})

test('anybody may lower', async () => {
  await privateGrant('lowered')
  await browserConsent(d, { statistics: false }, { subject: { id: 'lowered' } })
  assert.equal(await verdict('lowered'), 'withdrawn')
})

test('a stranger changes no field of a subject', async () => {
  await d.api('POST', '/subjects', { id: 'known', email: 'right@x.example', first_name: 'Right', verified: false })
  const before = (await d.api('GET', '/subjects/known')).json
  await grant({ subject: { id: 'known', email: 'wrong@x.example', first_name: 'Wrong', verified: true } })
  const { email, first_name, verified } = (await d.api('GET', '/subjects/known')).json
  assert.deepEqual({ email, first_name, verified }, { email: before.email, first_name: before.first_name, verified: before.verified })
  await grant({ subject: { id: 'unheard-of', email: 'set@x.example', verified: true } })
  const made = (await d.api('GET', '/subjects/unheard-of')).json
  assert.ok(!made.verified && !made.email, 'neither address nor verified is set by public key')
})

test('answers are the same for known and unknown subjects', async () => {
  await privateGrant('here')
  const shape = a => [a.status, Object.keys(a.json).sort(), [...a.headers.keys()].sort()]
  for (const preferences of [{ statistics: true }, { statistics: false }, { profiling: false }]) {
    const [known, unknown] = await Promise.all(['here', 'not-here'].map(id => browserConsent(d, preferences, { subject: { id }, versions: { statistics: 2 } })))
    assert.deepEqual(shape(known), shape(unknown))
    assert.equal(known.json.subject_id, 'here')
    assert.equal(unknown.json.subject_id, 'not-here')
  }
  const events = await Promise.all(['here', 'not-here'].map(id => d.ingest([track(id)])))
  assert.equal(events[0].text, events[1].text)
})

const READS = ['/consent', '/consent/ID', '/subjects', '/subjects/here', '/subjects/not-here', '/legal_notices', '/beta/subjects/here/consent/last', '/v1/permissions/here', '/v1/permissions/not-here']
for (const path of READS) {
  test(`GET ${path} tells a stranger nothing`, async () => {
    const { id } = await privateGrant('here')
    const at = path.replace('ID', id)
    const without = await d.api('GET', at, undefined, { key: null })
    const withPublic = await d.api('GET', at, undefined, { key: 'public' })
    assert.deepEqual([without.status, withPublic.status], [401, 403])
    assert.ok(!`${without.text}${withPublic.text}`.includes('here'))
  })
}

for (const [method, path] of [['POST', '/consent'], ['POST', '/subjects'], ['PATCH', '/subjects/here'], ['POST', '/legal_notices']]) {
  test(`${method} ${path} is not for the public key`, async () => {
    assert.equal((await d.api(method, path, { id: 'here', identifier: 'x', content: 'x' }, { key: 'public' })).status, 403)
  })
}

test('explain is not for the public key', async () => {
  const { json } = await d.ingest([track('here')], { explain: true })
  assert.ok(!('explain' in json))
})

test('guessing keys leads nowhere', async () => {
  for (const key of [newKey(), d.privateKey.slice(0, -1), `${d.privateKey}x`, d.publicKey.toUpperCase(), '']) {
    const { status } = await d.api('GET', '/consent', undefined, { key: key || null, headers: key ? {} : { ApiKey: '' } })
    assert.ok(status === 401 || status === 403)
  }
})

test('neither log nor metrics show a key, an id or an address', async () => {
  await grant({ subject: { id: 'secret-subject', email: 'secret@x.example' } })
  const seen = d.log + (await d.api('GET', '/metrics')).text
  for (const word of [d.privateKey, d.publicKey, 'secret-subject', 'secret@x.example', 'victim']) assert.ok(!seen.includes(word), word)
})

test('flooding is limited, and visible in the metrics', async () => {
  const small = await startHouse({
    change(config) {
      config.limits = { public_per_second: 1000, address_per_minute: 20, subject_per_hour: 5 }
      return config
    },
  })
  try {
    const say = subject => browserConsent(small.licet, { statistics: false }, subject)
    const device = await browserConsent(small.licet, { statistics: true })
    const one = []
    for (let i = 0; i < 8; i++) one.push((await say({ subject: { id: device.subject } })).status)
    assert.deepEqual(one, [200, 200, 200, 200, 200, 429, 429, 429], 'per subject')
    assert.equal(await small.licet.metric('licet_limited_total', { by: 'subject' }), 3)
    // she herself, with her token, is not shut out by that flood
    const hers = await say({ subject: { id: device.subject }, headers: { 'Licet-Device-Token': device.token } })
    assert.equal(hers.status, 200)
    const many = []
    for (let i = 0; i < 40; i++) many.push((await say({ subject: { id: `target-${i}` } })).status)
    assert.ok(many.filter(s => s === 429).length >= 20, 'per address')
    assert.ok((await small.licet.metric('licet_limited_total', { by: 'address' })) >= 20)
    const refused = await say({ subject: { id: 'target' } })
    assert.match(refused.headers.get('retry-after'), /^[1-9]\d*$/)
    // the operator's own server is not shut out by strangers
    await consent(small.licet, 'target', { statistics: false })
  } finally {
    await small.stop()
  }
})
