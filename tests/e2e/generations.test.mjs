// Who holds which text, texts that are voided, people who are not known, consents on paper.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sleep, until } from './daemon.mjs'
import { arrivals, browserConsent, consent, startHouse, track } from './fixture.mjs'

const coverage = async (d, purpose) => (await d.api('GET', `/v1/purposes/${purpose}/coverage`)).json
const reason = async (d, subject, purpose) =>
  (await d.api('GET', `/v1/permissions/${subject}`)).json.purposes.find(p => p.id === purpose).reason

describe('who holds which version', () => {
  let house, d
  before(async () => { d = (house = await startHouse()).licet })
  after(() => house.stop())

  test('subjects are counted by what they hold now', async () => {
    for (let i = 0; i < 5; i++) await consent(d, `g${i}`, { statistics: true })
    await consent(d, 'g3', { statistics: false })
    await consent(d, 'g4', { statistics: false })
    await consent(d, 'g4', { statistics: true })
    await consent(d, 'r1', { statistics: false })
    await consent(d, 'bare', { statistics: true }, { proofs: [], versions: {} })
    await consent(d, 'over', { statistics: true }, { timestamp: '2024-01-05T00:00:00Z' })
    const { json } = await d.api('GET', '/v1/purposes')
    const statistics = json.find(p => p.id === 'statistics')
    assert.deepEqual(statistics.subjects, { granted: 4, expired: 1, voided: 0, withdrawn: 1, refused: 1, without_effect: 1 })
    assert.deepEqual(statistics.versions.map(v => [v.version, v.in_force, v.granted, v.expired, v.withdrawn]), [[1, true, 4, 1, 1]])
    assert.deepEqual(statistics.versions[0].recipients, [{ destination: 'warehouse', name: 'warehouse Ltd', country: 'IE' }])
    assert.equal(json.find(p => p.id === 'profiling').subjects.granted, 0)
    assert.equal((await d.api('GET', '/v1/purposes/nonsense/coverage')).status, 404)
    assert.match((await d.cli(['report', 'coverage'])).out, /statistics: {2}4 granted {2}1 expired/)
  })

  test('a refusal of somebody who is not known is counted, and makes nobody a data subject', async () => {
    const before = (await d.api('GET', '/subjects?limit=100')).json.length
    const no = { preferences: { statistics: false, profiling: false }, shown: { language: 'en' } }
    const answer = await d.api('POST', '/public/consent', no, { key: 'public', headers: { 'Idempotency-Key': 'once' } })
    assert.equal(answer.status, 200)
    assert.deepEqual(Object.keys(answer.json).sort(), ['id', 'subject_id', 'timestamp'])
    const again = await d.api('POST', '/public/consent', no, { key: 'public', headers: { 'Idempotency-Key': 'once' } })
    assert.equal(again.text, answer.text)
    assert.equal((await d.api('GET', `/consent/${answer.json.id}`)).status, 404)
    assert.equal((await d.api('GET', `/subjects/${answer.json.subject_id}`)).status, 404)
    assert.equal((await d.api('GET', '/subjects?limit=100')).json.length, before)
    const found = await coverage(d, 'profiling')
    assert.equal(found.refused_by_unknown, 1)
    assert.deepEqual(found.unknown, [{ day: new Date().toISOString().slice(0, 10), version: 1, refused: 1 }])
    assert.equal(await d.metric('licet_unknown_refusals_total', { purpose: 'statistics' }), 1)
  })

  test('whoever says who she is, or says yes to something, is recorded as before', async () => {
    const more = [
      { subject: { id: 'page-user' }, preferences: { statistics: false } },
      { subject: { email: 'a@shop.example' }, preferences: { statistics: false } },
      { preferences: { statistics: false, newsletter: true } },
      { preferences: { statistics: false, profiling: true }, proofs: [{ form: 'f' }] },
      { preferences: { statistics: false }, proofs: [{ form: 'f' }] },
    ]
    for (const body of more) {
      const { json } = await d.api('POST', '/public/consent', body, { key: 'public' })
      assert.equal((await d.api('GET', `/consent/${json.id}`)).status, 200, JSON.stringify(body))
    }
    const { subject, token } = await browserConsent(d, { statistics: true })
    const { json } = await d.api('POST', '/public/consent', { preferences: { statistics: false } }, { key: 'public', headers: { 'Licet-Device-Token': token } })
    assert.equal(json.subject_id, subject)
    assert.equal(await reason(d, subject, 'statistics'), 'withdrawn')
    assert.equal((await coverage(d, 'statistics')).refused_by_unknown, 1)
  })

  test('what was counted survives kill -9, and agrees with what is recorded', async () => {
    const was = await coverage(d, 'statistics')
    await d.restart('SIGKILL')
    const is = await coverage(d, 'statistics')
    assert.deepEqual([is.subjects, is.unknown], [was.subjects, was.unknown])
    const { code, out } = await d.cli(['verify'])
    assert.equal(code, 0, out)
  })

  test('none of it is for the public key', async () => {
    for (const [method, path] of [['GET', '/v1/purposes'], ['GET', '/v1/purposes/statistics/coverage'], ['POST', '/v1/void'],
      ['GET', '/v1/reports/voided'], ['POST', '/v1/imports?id=a&kind=consents'], ['GET', '/v1/imports/a'], ['GET', '/v1/imports/a/refused']])
      assert.equal((await d.api(method, path, method === 'POST' ? '{}' : undefined, { key: 'public' })).status, 403, path)
  })
})

describe('a text that is void', () => {
  let house, d, held = 0
  const slow = []
  before(async () => {
    house = await startHouse({ answer: () => (held ? new Promise(ok => slow.push(ok)) : undefined) })
    d = house.licet
  })
  after(() => house.stop())

  test('nothing leaves on it after the answer; what waits is dropped; the report says what had been sent', async () => {
    for (const who of ['v1', 'v2']) await consent(d, who, { statistics: true })
    await consent(d, 'v3', { profiling: true })
    await d.ingest([track('v1', 'Before'), track('v2', 'Before'), track({ userId: 'v3' }, 'Before')])
    await arrivals(house.receiver, 3)
    await d.cli(['deliveries', 'pause', 'warehouse'])
    await d.ingest([track('v1', 'Waits')])
    const missing = await d.cli(['void', '--purpose', 'statistics', '--version', '1'])
    assert.equal(missing.code, 2)
    const { code, out, err } = await d.cli(['void', '--purpose', 'statistics', '--version', '1', '--reason', 'It did not name the transfer.'])
    assert.equal(code, 0, err)
    assert.match(out, /version 1 of statistics is void from/)
    assert.equal(await reason(d, 'v1', 'statistics'), 'text_voided')
    assert.equal(await reason(d, 'v3', 'profiling'), 'permitted')
    await d.cli(['deliveries', 'resume', 'warehouse'])
    await until(async () => (await d.metric('licet_delivery_events_total', { destination: 'warehouse', result: 'dropped' })) >= 1, 'what waits to be dropped')
    await d.ingest([track('v1', 'After'), track({ userId: 'v3' }, 'After')])
    await arrivals(house.receiver, 1, e => e.event.event === 'After')
    assert.deepEqual(house.receiver.arrived.map(e => e.event.event).filter(e => e === 'Waits'), [])
    assert.equal(house.receiver.arrived.filter(e => e.event.event === 'After').length, 1)

    const report = (await d.api('GET', '/v1/reports/voided?purpose=statistics&version=1')).json
    assert.equal(report.next, null)
    assert.deepEqual(report.sent.map(s => [s.subject, s.destination, s.recipient, s.country, s.result, s.rested]).sort(), [
      ['v1', 'warehouse', 'warehouse Ltd', 'IE', 'sent', 'both'], ['v2', 'warehouse', 'warehouse Ltd', 'IE', 'sent', 'both'],
    ])
    const printed = await d.cli(['report', 'voided', '--json'])
    assert.equal(printed.out.trim().split('\n').length, 2)
    assert.match((await d.cli(['report', 'voided'])).out, /statistics version 1: 2 sent/)
    const found = await coverage(d, 'statistics')
    assert.deepEqual([found.subjects.granted, found.subjects.voided], [0, 2])
    assert.equal(found.versions[0].void.reason, 'It did not name the transfer.')
  })

  test('it cannot be taken back: not by saying it again, by a reload, nor by a restart', async () => {
    const again = await d.api('POST', '/v1/void', { purpose: 'statistics', version: 1, reason: 'later', from: '2090-01-01' })
    assert.equal(again.status, 409)
    await house.reload(house.standard())
    await sleep(300)
    assert.equal(await reason(d, 'v1', 'statistics'), 'text_voided')
    await d.restart('SIGKILL')
    assert.equal(await reason(d, 'v1', 'statistics'), 'text_voided')
    const { code, out } = await d.cli(['verify'])
    assert.equal(code, 0, out)
  })

  test('the answer waits for a sending that has begun, and nothing starts behind it', async () => {
    held = 1
    await d.ingest([track({ userId: 'v3' }, 'On its way')])
    await until(() => slow.length > 0, 'the receiver to have it')
    let answered = false
    const answer = d.api('POST', '/v1/void', { purpose: 'profiling', version: 1, reason: 'vague' }).then(a => ((answered = true), a))
    await until(async () => (await reason(d, 'v3', 'profiling')) === 'text_voided', 'the gate to refuse')
    await sleep(300)
    assert.equal(answered, false)
    held = 0
    for (const go of slow.splice(0)) go()
    assert.equal((await answer).status, 200)
    const { json } = await d.api('GET', '/v1/reports/voided?purpose=profiling&version=1')
    assert.deepEqual(json.sent.map(s => s.result), ['sent', 'sent', 'sent'])
  })

  test('what cannot be voided is said with its field', async () => {
    for (const [body, field] of [
      [{ purpose: 'nonsense', version: 1, reason: 'r' }, 'purpose'], [{ purpose: 'profiling', version: 9, reason: 'r' }, 'version'],
      [{ purpose: 'profiling', version: 1 }, 'reason'], [{ purpose: 'profiling', version: 1, reason: 'r', from: 'soon' }, 'from'],
    ]) {
      const { status, json } = await d.api('POST', '/v1/void', body)
      assert.equal(status, 400)
      assert.equal(json.field, field)
    }
  })
})

describe('a consent on paper', () => {
  let house, d
  before(async () => { d = (house = await startHouse()).licet })
  after(() => house.stop())

  test('licet consent add records who took it, when, and where it is kept', async () => {
    const { code, out, err } = await d.cli(['consent', 'add', '--subject', 'paula', '--grant', 'profiling', '--refuse', 'statistics',
      '--at', '2025-02-03T10:00:00Z', '--taken-by', 'Ms Lee', '--place', 'shop in Graz', '--kept-at', 'cupboard 3, folder 7', '--email', 'p@shop.example'])
    assert.equal(code, 0, err)
    assert.match(out, /of subject paula/)
    const id = out.match(/consent (\S+)/)[1]
    const { json } = await d.api('GET', `/consent/${id}`)
    assert.deepEqual(json.offline, { taken_by: 'Ms Lee', place: 'shop in Graz', kept_at: 'cupboard 3, folder 7' })
    assert.equal(json.timestamp, '2025-02-03T10:00:00Z')
    assert.deepEqual(json.effects.map(e => [e.name, e.grant, e.evidence, e.version]), [['profiling', true, 'paper', 1], ['statistics', false, 'paper', 0]])
    assert.equal(await reason(d, 'paula', 'statistics'), 'refused')
  })

  test('a text that came later is not covered, and half of the evidence is refused', async () => {
    const offline = { taken_by: 'Ms Lee', kept_at: 'cupboard 3' }
    const before = await d.api('POST', '/consent', { subject: { id: 'early' }, timestamp: '2023-05-01T00:00:00Z', preferences: { statistics: true }, offline })
    assert.match(before.json.warnings[0], /no version/)
    for (const [body, field] of [
      [{ offline: { taken_by: 'x' }, timestamp: '2025-05-01T00:00:00Z' }, 'offline.kept_at'], [{ offline: { kept_at: 'x' }, timestamp: '2025-05-01T00:00:00Z' }, 'offline.taken_by'],
      [{ offline }, 'timestamp'], [{ offline: 'paper' }, 'offline'],
    ]) {
      const { status, json } = await d.api('POST', '/consent', { subject: { id: 'half' }, preferences: { statistics: true }, ...body })
      assert.deepEqual([status, json.field], [400, field])
    }
    const stranger = await d.api('POST', '/public/consent', { subject: { id: 'x' }, timestamp: '2025-05-01T00:00:00Z', preferences: { statistics: true }, offline }, { key: 'public' })
    assert.deepEqual([stranger.status, stranger.json.field], [400, 'offline'])
  })
})
