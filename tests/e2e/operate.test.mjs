// What those rely on who run licet: retention, readiness, metrics, logs, explain.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { licet, sleep, until } from './daemon.mjs'
import { arrivals, consent, purpose, startHouse, track } from './fixture.mjs'

let house, d, standing
before(async () => {
  house = await startHouse({
    change(config) {
      config.purposes.push({
        ...purpose('security', { scope: 'device', recipients: ['warehouse'] }), basis: 'legitimate_interests', terminal_access: 'none',
        reason: 'Our shop must stay up.', assessment: 'Weighed.', date: '2024-01-01', honours: ['gpc', 'dnt'],
      })
      config.destinations.find(t => t.id === 'own').retention = '0d'
      config.destinations.find(t => t.id === 'warehouse').requires = ['security']
      standing = JSON.stringify(config)
      return config
    },
  })
  d = house.licet
})
after(() => house.stop())

const stored = async message => {
  const { json } = await d.ingest([message], { key: 'private', explain: true })
  return json.explain[0].id
}
const explained = async id => JSON.parse((await d.cli(['explain', id])).out)
const ownOf = config => config.destinations.find(t => t.id === 'own')
const warehouseOf = config => config.destinations.find(t => t.id === 'warehouse')

test('with a retention of 0d nothing is kept of what was delivered', async () => {
  await consent(d, 'brief', { statistics: true })
  const id = await stored(track('brief', 'Brief'))
  await arrivals(house.receiver, 1, a => a.event.event === 'Brief')
  const told = await until(async () => {
    const now = await explained(id)
    return now.kept === null && now
  }, 'the body to be deleted')
  assert.equal(told.stored, true)
  assert.equal(told.destinations.find(t => t.destination === 'own').at_collection.verdict, 'permit')
  assert.equal(told.destinations.find(t => t.destination === 'warehouse').deliveries[0].result, 'sent')
  const { code, out } = await d.cli(['verify'])
  assert.equal(code, 0, out)
})

test('what was not delivered yet is kept even then', async () => {
  house.receiver.answer = () => ({ status: 503 })
  const id = await stored(track('brief', 'Stays'))
  await sleep(2500) // the janitor runs each second
  assert.notEqual((await explained(id)).kept, null)
  house.receiver.answer = null
  await arrivals(house.receiver, 1, a => a.event.event === 'Stays', 60_000)
  await until(async () => (await explained(id)).kept === null, 'the body to be deleted')
})

test('a retention that is set to 0d ends what was kept before', async () => {
  const keeping = JSON.parse(standing)
  ownOf(keeping).retention = '90d'
  await house.reload(keeping)
  const id = await stored(track('brief', 'Kept'))
  await arrivals(house.receiver, 1, a => a.event.event === 'Kept')
  await sleep(2500)
  assert.match(JSON.stringify((await explained(id)).kept), /Kept/)
  await house.reload(JSON.parse(standing))
  await until(async () => (await explained(id)).kept === null, 'the body to be deleted')
})

// ---- explain --sample ----

const sample = async (message, ...options) => {
  const { code, out, err } = await d.cli(['explain', '--sample', '-', ...options], { input: JSON.stringify(message) })
  assert.equal(code, 0, err)
  return Object.fromEntries(out.trim().split('\n').map(line => JSON.parse(line)).map(t => [t.destination, t.reason]))
}

test('explain --sample judges with the signals that are given', async () => {
  assert.equal((await sample(track('sampled'))).warehouse, 'permitted')
  for (const signals of [['--gpc'], ['--dnt'], ['--dnt', '--gpc']]) assert.equal((await sample(track('sampled'), ...signals)).warehouse, 'signal')
})

test('a sample without a type that has an event is a track', async () => {
  const { type, ...untyped } = track('sampled')
  assert.equal((await sample(untyped)).warehouse, 'permitted')
  const { event, ...nothing } = untyped
  const { code, err } = await d.cli(['explain', '--sample', '-'], { input: JSON.stringify(nothing) })
  assert.equal(code, 1)
  assert.match(err, /no valid type/)
})

test('explain takes one thing at a time', async () => {
  for (const args of [[], ['--gpc'], ['--denied', '--gpc'], ['--denied', 'x'], ['x', 'y'], ['--sample'], ['--sample', 'x', '--denied']]) {
    const { code, err } = await d.cli(['explain', ...args])
    assert.equal(code, 2, args.join(' '))
    assert.match(err, /takes EVENT/)
  }
})

// ---- the log of a reload ----

test('a reload logs one line for each fault and warning, at its level', async () => {
  const before = d.log.length
  const config = JSON.parse(standing)
  warehouseOf(config).requires = ['no_such_purpose']
  ownOf(config).retentoin = '1d'
  config.purposes[0].lifetime = '20 months'
  await house.reload(config)
  assert.match(d.log.slice(before), /reload\.refused/)
  await d.writeConfig(() => standing)
  const lines = d.log.slice(before).split('\n').filter(line => line.includes('"configuration"')).map(line => JSON.parse(line))
  const told = lines.map(line => [line.level, line.text.match(/: (error|warning): .*/)?.[1]])
  assert.deepEqual(told.map(([level]) => level).sort(), ['error', 'error', 'warning'])
  for (const [level, said] of told) assert.equal(said, level)
  assert.ok(lines.some(line => line.text.includes("no_such_purpose")))
})

// ---- metrics and faults ----

const elsewhere = { 'X-Forwarded-For': '203.0.113.7' } // whoever comes by a proxy is not on this machine

test('metrics take the private key in either header', async () => {
  const get = headers => d.api('GET', '/metrics', undefined, { key: null, headers })
  assert.equal((await get({})).status, 200)
  assert.equal((await get(elsewhere)).status, 401)
  assert.equal((await get({ ...elsewhere, ApiKey: d.privateKey })).status, 200)
  assert.equal((await get({ ...elsewhere, Authorization: `Bearer ${d.privateKey}` })).status, 200)
  for (const key of [d.publicKey, 'x', '']) assert.equal((await get({ ...elsewhere, Authorization: `Bearer ${key}` })).status, 401)
})

test('faults of a query name their parameter', async () => {
  for (const [method, path, field, message] of [
    ['POST', '/v1/deliveries/resend?id=7', 'id', 'must be the id of a request'],
    ['POST', '/v1/deliveries/resend?destination=nowhere', 'destination', 'is not in the configuration'],
    ['POST', '/v1/deliveries/resend', 'id', 'one of id, destination and all=1 is needed'],
    ['GET', '/v1/deliveries?state=lost', 'state', 'must be sending, retry or dead'],
    ['GET', '/v1/decisions?from_time=noon', 'from_time', 'must be an ISO 8601 time'],
    ['GET', '/v1/decisions/7', 'event', 'must be a UUID'],
  ]) {
    const { status, json } = await d.api(method, path)
    assert.deepEqual([status, json], [400, { message, field }], path)
  }
})

test('a body that is not JSON is told in one way', async () => {
  const consents = await d.api('POST', '/consent', '{"subject":}')
  const events = await d.api('POST', '/v1/batch', '{"batch":}', { key: null, headers: { Authorization: `Basic ${btoa(`${d.publicKey}:`)}` } })
  for (const { status, json } of [consents, events]) {
    assert.equal(status, 400)
    assert.equal(json.field, 'body')
    assert.match(json.message, /^not JSON: .* at byte \d+$/)
  }
})

// ---- the command line ----

test('a configuration that is not there is told once', async () => {
  const { code, err } = await licet(['check', '--config', '/nowhere/licet.yaml'])
  assert.equal(code, 2)
  assert.equal(err, '/nowhere/licet.yaml: error: No such file or directory\n')
})

test('where no daemon runs, its folder is told in full', async () => {
  const config = JSON.parse(standing)
  config.store = 'sqlite:./elsewhere'
  const file = join(d.dir, 'elsewhere.yaml')
  await writeFile(file, JSON.stringify(config))
  const ask = () => licet(['deliveries', '--config', 'elsewhere.yaml'], { env: d.env, cwd: d.dir })
  assert.match((await ask()).err, new RegExp(`: no daemon runs in ${d.dir}/.*elsewhere: there is no such folder\n$`))
  await mkdir(join(d.dir, 'elsewhere'))
  assert.match((await ask()).err, new RegExp(`: no daemon runs in ${d.dir}/elsewhere\n$`))
})

// ---- readiness; last, since it fills the disk ----

test('a licet that cannot write is not ready, until it can', { timeout: 60_000 }, async () => {
  const mayWrite = bytes => execFileSync('prlimit', ['--pid', String(d.child.pid), `--fsize=${bytes}:`])
  const ready = async () => {
    const { status, text } = await d.api('GET', '/readyz', undefined, { key: null })
    return `${status} ${text}`
  }
  assert.equal(await ready(), '200 {"status":"ready"}')
  mayWrite(1)
  const { status } = await d.ingest([track('brief', 'No Room')])
  assert.equal(status, 503)
  assert.equal(await ready(), '503 {"status":"not ready"}')
  await sleep(2500) // what had nothing to write in between changes nothing
  assert.equal(await ready(), '503 {"status":"not ready"}')
  mayWrite('unlimited')
  assert.equal((await d.ingest([track('brief', 'Room')])).status, 200)
  assert.equal(await ready(), '200 {"status":"ready"}')
})
