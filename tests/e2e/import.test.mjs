// licet import and licet export: the report, the restart, the round trip.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BINARY, sleep, until } from './daemon.mjs'
import { consent, startHouse } from './fixture.mjs'

const PEOPLE = Number(process.env.IMPORT ?? 20_000)
const KILLS = 4

let folder
before(async () => { folder = await mkdtemp(join(tmpdir(), 'licet-import-')) })
after(() => rm(folder, { recursive: true, force: true }))

// half a year ago: within a lifetime of twelve months
const WHEN = new Date(Date.now() - 180 * 86_400_000).toISOString()

const file = async (name, text) => {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}
const lines = list => list.map(x => JSON.stringify(x) + '\n').join('')
const state = async (d, subject, purpose) => {
  const { json } = await d.api('GET', `/v1/permissions/${subject}`)
  return json.purposes.find(p => p.id === purpose).reason
}
const record = (id, preferences, more = {}) => ({
  timestamp: WHEN, subject: { id }, preferences,
  proofs: [{ content: 'I agree' }], ...more,
})

/** All that decides what may be done with each subject. */
const standing = async (d, ids) => {
  const all = {}
  for (const id of ids) {
    const { json } = await d.api('GET', `/v1/permissions/${id}`)
    all[id] = json.purposes.map(p => [p.id, p.state, p.reason, p.version, p.since])
  }
  return all
}

describe('what an import brings', () => {
  let house, d
  before(async () => { d = (house = await startHouse()).licet })
  after(() => house.stop())

  test('each refused record is told with its line and field, the others are taken in', async () => {
    const path = await file('some.ndjson', lines([
      record('good', { statistics: true }),
      { subject: { id: 'null' }, preferences: { statistics: true } },
      record('late', { statistics: true }, { timestamp: '2099-01-01T00:00:00Z' }),
    ]) + '{"subject": {"id": "cut"\n\n' + lines([record('last', { statistics: false })]))
    const { code, out } = await d.cli(['import', path])
    assert.equal(code, 1)
    const told = out.trim().split('\n')
    assert.equal(told.length, 4, out)
    assert.ok(told[0].startsWith(`${path}:2: subject.id: `), told[0])
    assert.ok(told[1].startsWith(`${path}:3: timestamp: `), told[1])
    assert.ok(told[2].startsWith(`${path}:4: body: `), told[2])
    assert.equal(told[3], 'consents: 2 accepted, 0 there already, 3 refused')
    assert.equal(await state(d, 'good', 'statistics'), 'permitted')
    assert.equal(await state(d, 'last', 'statistics'), 'refused')
    assert.equal(await state(d, 'late', 'statistics'), 'no_consent')
  })

  test('the same file again brings nothing twice, and tells the same', async () => {
    const path = join(folder, 'some.ndjson')
    const { code, out } = await d.cli(['import', path])
    assert.equal(code, 1)
    assert.match(out, /2 accepted, 0 there already, 3 refused/)
    const { json } = await d.api('GET', '/consent?subject_id=good')
    assert.equal(json.length, 1)
  })

  test('a dry run writes nothing and finds the same faults', async () => {
    const path = await file('dry.ndjson', lines([record('dry', { statistics: true }), { subject: { id: '0' } }]))
    const { code, out } = await d.cli(['import', '--dry-run', path])
    assert.equal(code, 1)
    assert.match(out, /dry\.ndjson:2: subject\.id: /)
    assert.match(out, /1 accepted, 0 there already, 1 refused/)
    assert.equal((await d.api('GET', '/subjects/dry')).status, 404)
    assert.equal((await d.cli(['import', path])).code, 1)
    assert.equal(await state(d, 'dry', 'statistics'), 'permitted')
  })

  test('an import opens no text that is younger than it, and nothing without evidence', async () => {
    const path = await file('old.ndjson', lines([
      record('too-old', { statistics: true }, { timestamp: '2023-06-01T00:00:00Z' }),
      { timestamp: WHEN, subject: { id: 'bare' }, preferences: { statistics: true } },
    ]))
    const { code, out } = await d.cli(['import', path])
    assert.equal(code, 0, out)
    assert.notEqual(await state(d, 'too-old', 'statistics'), 'permitted')
    assert.equal(await state(d, 'bare', 'statistics'), 'no_proof')
    const { json } = await d.api('GET', '/consent?subject_id=bare')
    assert.equal(json[0].effects[0].evidence, 'import')
    assert.equal(json[0].source, 'import')
  })

  test('an older grant that is imported does not reopen a withdrawal, and fills only what is empty', async () => {
    await consent(d, { id: 'known', email: 'new@shop.example', verified: false }, { statistics: true })
    await consent(d, 'known', { statistics: false })
    const path = await file('known.ndjson', lines([
      record('known', { statistics: true }, { subject: { id: 'known', email: 'old@shop.example', first_name: 'Ada', verified: true } }),
    ]))
    assert.equal((await d.cli(['import', path])).code, 0)
    assert.equal(await state(d, 'known', 'statistics'), 'withdrawn')
    const { json } = await d.api('GET', '/subjects/known')
    assert.deepEqual([json.email, json.first_name, json.verified], ['new@shop.example', 'Ada', false])
  })

  test('an export of the existing product: bare arrays of consents, subjects and notices', async () => {
    const old = {
      id: '0b1c9d0e-1111-4222-8333-123456789abc', timestamp: WHEN, checksum: 'a'.repeat(64), owner: '77',
      source: 'public', subject: { id: 'jane', email: 'jane@shop.example', verified: true, owner_id: '77' },
      preferences: { statistics: 'true', newsletter: 'on' }, legal_notices: [{ identifier: 'privacy_policy', version: 2 }],
      proofs: [{ form: '<form a="[,]}">…</form>', content: 'I "agree"' }], proof_documents: [], ip_address: '203.0.113.9',
    }
    const notices = await file('notices.json', JSON.stringify([3, 2, 1].map(version => ({
      id: '77_privacy_policy', owner_id: '77', identifier: 'privacy_policy', version, timestamp: '2025-01-01T00:00:00Z', content: { en: `v${version}` },
    }))))
    const n = await d.cli(['import', notices])
    assert.equal(n.code, 0, n.out + n.err)
    assert.match(n.out, /notices: 3 accepted/)
    assert.equal((await d.api('GET', '/legal_notices/privacy_policy/2')).json.content.en, 'v2')
    const consents = await file('consents.json', JSON.stringify([old, { ...old, subject: { id: 0 } }], null, 2))
    const c = await d.cli(['import', consents])
    assert.equal(c.code, 1)
    assert.match(c.out, /consents\.json: item 2: subject\.id: /)
    assert.equal(await state(d, 'jane', 'statistics'), 'permitted')
    const subjects = await file('subjects.json', JSON.stringify([{ id: 'joe', owner_id: '77', email: 'joe@shop.example', verified: true, preferences: { general: { value: 'true', consent_id: old.id } }, timestamp: '2025-01-01T00:00:00Z' }]))
    const s = await d.cli(['import', subjects])
    assert.match(s.out, /subjects: 1 accepted/)
    assert.equal((await d.api('GET', '/subjects/joe')).json.verified, true)
    assert.match((await d.cli(['import', notices, '--id', 'again'])).out, /0 accepted, 3 there already/)
  })

  test('CSV with a header and a mapping', async () => {
    const path = await file('people.csv', '\ufeffMail,timestamp,subject.id,OK?,Paper,proofs.content,Remark\r\n' +
      `"a@shop.example",${WHEN},csv1,1,,"I agree,\r\nreally ""so""",x\r\n` +
      `b@shop.example,${WHEN},csv2,no,,,\r\n` +
      'c@shop.example,yesterday,csv3,1,,,\r\n')
    const plain = await d.cli(['import', path])
    assert.equal(plain.code, 2)
    assert.match(plain.err, /column 'Mail' is no field/)
    const { code, out, err } = await d.cli(['import', path, '--map', 'Mail=subject.email', '--map', 'OK?=preferences.statistics', '--map', 'Remark=', '--map', 'Paper='])
    assert.equal(code, 1, err)
    assert.match(out, /people\.csv:5: timestamp: /)
    assert.equal(await state(d, 'csv1', 'statistics'), 'permitted')
    assert.equal(await state(d, 'csv2', 'statistics'), 'refused')
    const { json } = await d.api('GET', '/consent?subject_id=csv1')
    const whole = (await d.api('GET', `/consent/${json[0].id}`)).json
    assert.equal(whole.proofs[0].content, 'I agree,\r\nreally "so"')
    assert.equal(whole.subject.email, 'a@shop.example')
  })

  test('what imports brought is verified like everything else', async () => {
    const { code, out } = await d.cli(['verify'])
    assert.equal(code, 0, out)
  })
})

test('what is exported can be imported elsewhere: nothing more is permitted there, and nothing less', async () => {
  const from = await startHouse(), to = await startHouse(), toCsv = await startHouse()
  const d = from.licet
  try {
    await d.api('POST', '/legal_notices', { identifier: 'terms', content: 'a,\n"b"' })
    await consent(d, { id: 'p1', email: 'p1@shop.example', verified: true }, { statistics: true, profiling: true })
    await consent(d, 'p1', { profiling: false })
    await consent(d, 'p2', { statistics: true }, { proofs: [] })
    await consent(d, 'p3', { statistics: true }, { timestamp: '2024-02-03T04:05:06.789Z', legal_notices: [{ identifier: 'terms' }] })
    await consent(d, 'p4', { statistics: true }, { timestamp: WHEN, offline: { taken_by: 'Ms Lee', kept_at: 'cupboard 3' } })
    const stranger = { subject: { id: 'p5' }, preferences: { statistics: true }, proofs: [{ form: 'f' }] }
    assert.equal((await d.api('POST', '/public/consent', stranger, { key: 'public' })).status, 200)
    const ids = ['p1', 'p2', 'p3', 'p4', 'p5', 'nobody']
    const wanted = await standing(d, ids)
    assert.equal(await state(d, 'p5', 'statistics'), 'unconfirmed')
    for (const [format, target] of [['ndjson', to.licet], ['csv', toCsv.licet]]) {
      for (const kind of ['notices', 'subjects', 'consents']) {
        const { code, out, err } = await d.cli(['export', kind, '--format', format])
        assert.equal(code, 0, err)
        const path = await file(`${kind}.${format}`, out)
        const i = await target.cli(['import', path])
        assert.equal(i.code, 0, i.out + i.err)
      }
      assert.deepEqual(await standing(target, ids), wanted, format)
      assert.equal((await target.api('GET', '/legal_notices/terms/1')).json.content, 'a,\n"b"')
      const subject = (await target.api('GET', '/subjects/p1')).json
      assert.deepEqual([subject.email, subject.verified], ['p1@shop.example', true])
      assert.equal((await target.cli(['verify'])).code, 0)
    }
    const some = await d.cli(['export', 'consents', '--from', '2024-01-01', '--to', '2024-02-03'])
    assert.equal(some.out.trim().split('\n').length, 1)
    assert.match(some.out, /"p3"/)
  } finally {
    for (const house of [from, to, toCsv]) await house.stop()
  }
})

test(`an import of ${PEOPLE} consents survives kill -9 of either side: none is lost, none doubled`, async t => {
  const house = await startHouse()
  const d = house.licet
  try {
    const path = join(folder, 'many.ndjson')
    const out = createWriteStream(path)
    for (let i = 0; i < PEOPLE; i++) {
      const line = JSON.stringify(record(`person-${i}`, { statistics: i % 4 !== 3, newsletter: true })) + '\n'
      if (!out.write(line)) await new Promise(ok => out.once('drain', ok))
    }
    await new Promise(ok => out.end(ok))
    const begun = Date.now()
    const run = () => {
      const child = spawn(BINARY, ['import', path, '--config', d.configFile], { env: { ...process.env, ...d.env }, stdio: ['ignore', 'pipe', 'pipe'] })
      child.told = ''
      child.stdout.setEncoding('utf8').on('data', s => (child.told += s))
      child.stderr.setEncoding('utf8').on('data', s => (child.err = (child.err ?? '') + s))
      child.ended = new Promise(ok => child.once('exit', (code, signal) => ok({ code, signal })))
      return child
    }
    const taken = () => d.metric('licet_imported_records_total')
    let child = run(), peak = 0
    for (let i = 0; i < KILLS && child.exitCode === null; i++) {
      const goal = PEOPLE / (KILLS + 3)
      const start = await taken()
      await until(async () => child.exitCode !== null || (await taken()) - start >= goal, 'some of it to be taken in', 600_000)
      if (i % 2) {
        peak = Math.max(peak, await d.metric('licet_resident_bytes'))
        await d.restart('SIGKILL')
      } else {
        child.kill('SIGKILL')
        await child.ended
        child = run()
      }
    }
    const end = await child.ended
    peak = Math.max(peak, await d.metric('licet_resident_bytes'))
    assert.equal(end.code, 0, child.err)
    assert.match(child.told, new RegExp(`consents: ${PEOPLE} accepted, 0 there already, 0 refused`))
    t.diagnostic(`${PEOPLE} consents in ${((Date.now() - begun) / 1000).toFixed(1)} s, ${KILLS} kills included; daemon ${(peak / 1048576).toFixed(0)} MB`)
    const { json } = await d.api('GET', '/v1/purposes/statistics/coverage')
    assert.equal(json.subjects.granted + json.subjects.expired, PEOPLE - Math.floor(PEOPLE / 4))
    assert.equal(json.subjects.refused, Math.floor(PEOPLE / 4))
    for (let i = 0; i < 20; i++) {
      const who = Math.floor(Math.random() * PEOPLE)
      const found = (await d.api('GET', `/consent?subject_id=person-${who}`)).json
      assert.equal(found.length, 1, `person-${who}`)
    }
    const checked = await d.cli(['verify'], { timeout: 600_000 })
    assert.equal(checked.code, 0, checked.out)
  } finally {
    await house.stop()
  }
})

test('what a consent platform made known goes along: to the receipt, the report, the export, and the licet that imports it', async () => {
  const platform = { cmp: { provider: 'onetrust', map: { C0002: 'statistics@1' } } }
  const source = await startHouse({ change: c => ({ ...c, ...platform }) })
  const cmp = { provider: 'onetrust', consent_id: '7cbc60b3', at: '2026-02-03T04:05:06Z', granted: ['C0002'], version: '202411.1.0' }
  try {
    const d = source.licet
    const act = { subject: { id: 'kept' }, preferences: { statistics: true }, versions: { statistics: 1 } }
    const { json } = await d.api('POST', '/consent', { ...act, cmp })
    assert.equal(json.warnings, undefined)
    const bare = (await d.api('POST', '/consent', { ...act, subject: { id: 'bare' }, cmp: { ...cmp, granted: [] } })).json
    assert.match(bare.warnings[0], /has no proof of what was shown/)
    const receipt = (await d.api('GET', `/consent/${json.id}/receipt`)).json
    assert.deepEqual(receipt.records[0].cmp, cmp)
    const page = (await d.api('GET', `/consent/${json.id}/receipt?format=text`)).text
    assert.match(page, /Consent platform/)
    assert.match(page, /7cbc60b3/)
    const report = await d.cli(['report', 'consent', '--subject', 'kept', '--json'])
    assert.match(report.out, /"cmp":\{"provider":"onetrust","consent_id":"7cbc60b3"/, report.err)
    for (const format of ['ndjson', 'csv']) {
      const { out } = await d.cli(['export', 'consents', '--format', format])
      const target = await startHouse() // without a map of its own
      try {
        const path = await file(`platform.${format}`, out)
        assert.equal((await target.licet.cli(['import', path])).code, 0)
        const effects = async id => {
          const [one] = (await target.licet.api('GET', `/consent?subject_id=${id}`)).json
          const whole = (await target.licet.api('GET', `/consent/${one.id}`)).json
          return [whole.cmp, whole.effects[0].evidence]
        }
        assert.deepEqual(await effects('kept'), [cmp, 'cmp'])
        assert.equal((await effects('bare'))[1], 'import')
        assert.equal((await target.licet.cli(['verify'])).code, 0)
        const verdict = await target.licet.verdicts({ type: 'track', event: 'Seen', anonymousId: 'kept', messageId: `kept-${format}` })
        assert.equal(verdict.warehouse, 'permitted')
      } finally {
        await target.stop()
      }
    }
  } finally {
    await source.stop()
  }
})
