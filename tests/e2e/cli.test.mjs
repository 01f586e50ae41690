import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { licet, until } from './daemon.mjs'
import { consent, startHouse, track } from './fixture.mjs'

const VERBS = ['serve', 'check', 'explain', 'verify', 'backup', 'template', 'tail', 'version']
let house, d, dir
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'licet-cli-'))
  house = await startHouse()
  d = house.licet
})
after(async () => {
  await house.stop()
  await rm(dir, { recursive: true })
})

test('licet without a command, or with an unknown one, is wrong usage', async () => {
  for (const args of [[], ['dance'], ['--dance'], ['check', '--dance'], ['explain', '--config']]) {
    const { code, out, err } = await licet(args, { cwd: dir })
    assert.equal(code, 2, args.join(' '))
    assert.ok(err.length > 0)
    assert.equal(out, '')
  }
})

test('licet --help names every command', async () => {
  const { code, out } = await licet(['--help'])
  assert.equal(code, 0)
  for (const verb of VERBS) assert.match(out, new RegExp(`\\b${verb}\\b`))
})

for (const verb of VERBS) {
  test(`licet ${verb} --help tells its usage`, async () => {
    const { code, out, err } = await licet([verb, '--help'])
    assert.equal(code, 0)
    assert.match(out, new RegExp(`^usage: licet .*\\b${verb}\\b`))
    assert.equal(err, '')
  })
}

test('with the keys and secrets that README.md makes, the full example is accepted', async () => {
  const top = resolve(import.meta.dirname, '../..')
  const [, names] = /^for name in (.*); do$/m.exec(await readFile(join(top, 'README.md'), 'utf8'))
  const env = Object.fromEntries(names.split(' ').map(name => [`LICET_${name}`, randomBytes(16).toString('hex')]))
  const { code, err } = await licet(['--config', 'examples/licet.yaml', 'check'], { cwd: top, env })
  assert.equal(code, 0, err)
})

test('licet version prints one', async () => {
  const { code, out } = await licet(['version'])
  assert.equal(code, 0)
  assert.match(out, /^licet \d+\.\d+/)
})

test('a configuration that is not there is wrong usage', async () => {
  const { code, err } = await licet(['check', '--config', '/nowhere/licet.yaml'])
  assert.equal(code, 2)
  assert.match(err, /\/nowhere\/licet\.yaml/)
})

test('check accepts a good configuration', async () => {
  const { code, out, err } = await d.cli(['check'])
  assert.equal(code, 0, out + err)
})

test('check shows every fault with file:line:column, the line and a caret', async () => {
  const file = join(dir, 'bad.yaml')
  await writeFile(file, `listen: 127.0.0.1:8080
store: sqlite:./data
controller: {name: Muster GmbH, country: DE, contact: d@muster.example}
keys:
  private: ["${'k'.repeat(32)}"]
  public: ["${'p'.repeat(32)}"]
purposes:
  - id: statistics
    scop: device
destinations:
  - id: own
    requires: [statistic]
`)
  const { code, out, err } = await licet(['check', '--config', file])
  assert.equal(code, 2)
  const text = out + err
  assert.match(text, /bad\.yaml:9:5: error: .*scop/)
  assert.match(text, /bad\.yaml:12:16: error: .*statistic/)
  assert.match(text, /^ *\d+ \| {5}requires: \[statistic\]\n *\| +\^/m)
  assert.match(text, /did you mean 'statistics'/)
})

test('the key of a configuration never shows in its faults', async () => {
  const file = join(dir, 'secret.yaml')
  await writeFile(file, `listen: 127.0.0.1:8080\nkeys: {private: ["very-secret-key-very-secret-key-1"], publik: []}\n`)
  const { code, out, err } = await licet(['check', '--config', file])
  assert.equal(code, 2)
  assert.ok(!(out + err).includes('very-secret-key'))
})

test('explain tells of a stored event what became of it', async () => {
  await consent(d, 'ada', { statistics: true })
  const { json } = await d.ingest([track('ada', 'Explained')], { key: 'private', explain: true })
  const [{ id }] = json.explain
  const { out } = await until(async () => {
    const got = await d.cli(['explain', id])
    return got.code === 0 && /sent/.test(got.out) && got
  }, 'explain to tell of the sending')
  assert.match(out, /warehouse/)
  assert.match(out, /crm[^]*no_consent/)
})

test('deliveries --export prints every stored event with what became of it', async () => {
  await consent(d, 'exported', { statistics: true })
  const normal = house.receiver.answer
  const batch = ['Taken', 'Refused'].map(event => track('exported', event, { timestamp: '2026-01-02T03:04:05.678Z' }))
  const of = { device: 'exported', person: '', timestamp: '2026-01-02T03:04:05.678Z' }
  await d.ingest([batch[0]])
  const exported = async (n, result) => {
    const { code, out } = await d.cli(['deliveries', '--export'])
    assert.equal(code, 0)
    const lines = out.trimEnd().split('\n').map(line => JSON.parse(line)).filter(l => l.device === 'exported')
    return lines.length === n && lines.at(-1).destinations.some(x => x.result === result) && lines
  }
  const [taken] = await until(() => exported(1, 'sent'), 'the sending to be exported')
  house.receiver.answer = () => ({ status: 400 })
  await d.ingest([batch[1], track('unknown-to-all')])
  const [first, refused] = await until(() => exported(2, 'dead'), 'the dead letter to be exported')
  house.receiver.answer = normal
  assert.deepEqual(first, taken)
  for (const line of [taken, refused]) {
    assert.deepEqual({ device: line.device, person: line.person, timestamp: line.timestamp }, of)
    assert.ok(house.receiver.arrived.some(a => a.id === line.id) === (line === taken))
    const by = Object.fromEntries(line.destinations.map(x => [x.destination, x]))
    assert.deepEqual(Object.keys(by).sort(), ['crm', 'own', 'warehouse'])
    assert.deepEqual(by.own, { destination: 'own', verdict: 'permit' })
    assert.deepEqual(by.crm, { destination: 'crm', verdict: 'deny', reason: 'no_consent' })
    const { at, ...rest } = by.warehouse
    assert.deepEqual(rest, { destination: 'warehouse', verdict: 'permit', result: line === taken ? 'sent' : 'dead', attempts: 1 })
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000)
  }
  assert.equal((await d.cli(['deliveries', '--export', 'more'])).code, 2)
})

test('explain of what is not stored says so, and counts what was denied in that hour', async () => {
  const { code, out } = await d.cli(['explain', '018f3b0a-0000-7000-8000-000000000009'])
  assert.equal(code, 0)
  const said = JSON.parse(out)
  assert.equal(said.stored, false)
  assert.ok('denied_in_that_hour' in said)
})

test('explain --sample judges a given event now', async () => {
  const sample = join(dir, 'event.json')
  await writeFile(sample, JSON.stringify(track('nobody-known')))
  const { code, out } = await d.cli(['explain', '--sample', sample])
  assert.equal(code, 0)
  assert.match(out, /no_consent/)
})

test('verify finds a healthy store healthy', async () => {
  const { code, out, err } = await d.cli(['verify'])
  assert.equal(code, 0, out + err)
})

test('a backup is a store that verifies', async () => {
  const to = join(dir, 'backup.db')
  const { code, out, err } = await d.cli(['backup', to])
  assert.equal(code, 0, out + err)
})

test('tail --json tells every decision as it falls', async () => {
  const lines = []
  const tail = await d.tail(line => lines.push(line))
  await consent(d, 'tailed', { statistics: true })
  await d.ingest([track('tailed', 'Tailed')])
  await until(() => lines.some(l => l.name === 'Tailed' && l.verdict === 'sent'), () => `the sending; so far ${JSON.stringify(lines)}`)
  tail.kill()
  const of = destination => lines.filter(l => l.name === 'Tailed' && l.destination === destination)
  assert.ok(of('crm').some(l => l.stage === 'capture' && l.verdict === 'deny' && l.reason === 'no_consent'))
  assert.ok(of('warehouse').some(l => l.stage === 'capture' && l.verdict === 'permit'))
  const sent = of('warehouse').find(l => l.verdict === 'sent')
  assert.equal(sent.stage, 'delivery')
  assert.deepEqual(sent.fields.split(','), ['anonymousId', 'context.ip', 'event', 'type'])
  for (const l of lines) assert.ok(!JSON.stringify(l).includes('tailed'), 'no id in the tail')
})
