// The storm's account finds what does not add up. (The storm itself is run by script/storm.)
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Account, Discrepancies } from './account.mjs'
import { Dice } from './dice.mjs'
import { DESTINATIONS, RECEIVERS } from './house.mjs'
import { DENY, EITHER, People, PERMIT } from './people.mjs'
import { DOUBT, KEPT, SAW, TOOK } from './receivers.mjs'

const BASE = Date.parse('2026-01-01T00:00:00Z')
const OF = { own: {}, warehouse: { result: 'sent' }, archive: { result: 'dropped', why: 'withdrawn' }, partner: { result: 'dead' }, crm: { result: 'uncertain' } }
const SEEN = { warehouse: SAW | TOOK | KEPT, archive: SAW, partner: SAW, crm: SAW | DOUBT }

/** A storm of one event that adds up, but for what `change` does to it. */
function account(change = () => {}) {
  const storm = {
    expected: DESTINATIONS.map(() => Uint8Array.of(PERMIT)),
    receivers: Object.fromEntries(RECEIVERS.map(id => [id, { record: Uint8Array.of(SEEN[id]) }])),
    lines: [{ id: 'e', timestamp: new Date(BASE).toISOString(), destinations: DESTINATIONS.map(d => ({ destination: d.id, verdict: 'permit', ...OF[d.id] })) }],
  }
  storm.at = id => storm.lines[0].destinations.find(d => d.destination === id)
  change(storm)
  const wrong = new Discrepancies()
  const a = new Account({ events: 1, base: BASE, expected: storm.expected, receivers: storm.receivers, wrong })
  for (const line of storm.lines) a.take(line)
  a.finish(() => 'somebody')
  return [...wrong.kinds.keys()]
}

test('a storm that adds up has no discrepancy', () => assert.deepEqual(account(), []))

const FOUND = {
  'agreed to, acknowledged, and lost': s => (s.lines = []),
  'agreed to, and denied': s => Object.assign(s.at('crm'), { verdict: 'deny', result: undefined }),
  'not agreed to, and permitted': s => (s.expected[1][0] = DENY),
  'not permitted, and arrived': s => Object.assign(s.at('warehouse'), { verdict: 'deny', result: undefined }),
  'denied at collection, and yet there is a delivery': s => (s.at('partner').verdict = 'deny'),
  'sent, says licet; the receiver never said so': s => (s.receivers.warehouse.record[0] = SAW | DOUBT),
  'dead, says licet; nobody refused it': s => (s.receivers.partner.record[0] = 0),
  'ends as missing': s => (s.at('warehouse').result = 'missing'),
  'ends as retry': s => (s.at('warehouse').result = 'retry'),
  'the sum is not right': s => (s.at('warehouse').result = 'waiting'),
  'stored twice': s => s.lines.push(s.lines[0]),
  'two records of one delivery': s => s.lines[0].destinations.push(s.at('crm')),
  'stored, but never sent': s => (s.lines[0].timestamp = new Date(BASE + 1).toISOString()),
}
for (const [kind, change] of Object.entries(FOUND)) {
  test(`it finds: ${kind}`, () => assert.ok(account(change).includes(kind), JSON.stringify(account(change))))
}
for (const bit of [TOOK, DOUBT, KEPT]) {
  test(`it finds a drop of what may have arrived (${bit})`, () => {
    assert.deepEqual(account(s => (s.receivers.archive.record[0] |= bit)), ['dropped, says licet; it may have arrived or did'])
  })
}
test('of what nobody can know beforehand it expects nothing', () => {
  assert.deepEqual(account(s => {
    for (const e of s.expected) e[0] = EITHER
    for (const r of Object.values(s.receivers)) r.record[0] = 0
    s.lines = []
  }), [])
})

const answering = status => ({ api: async () => ({ status, json: { id: 'act' } }) })
const people = daemon => new People({ devices: 1, persons: 1, dice: new Dice(1), daemon })
const [DEVICE, PERSON, BOTH] = [{ device: 0, person: -1 }, { device: -1, person: 0 }, { device: 0, person: 0 }]
const WAREHOUSE = DESTINATIONS[1], CRM = DESTINATIONS.find(d => d.id === 'crm'), PARTNER = DESTINATIONS.find(d => d.id === 'partner')

test('it expects what was answered, and nothing while an act is on its way', async () => {
  let answer
  const p = people({ api: () => new Promise(ok => (answer = () => ok({ status: 200, json: { id: 'act' } }))) })
  assert.equal(p.expected(DEVICE, WAREHOUSE), DENY)
  const before = p.version(DEVICE)
  const saying = p.say(p.devices[0], { statistics: true })
  assert.equal(p.expected(DEVICE, WAREHOUSE), EITHER)
  answer()
  await saying
  assert.equal(p.expected(DEVICE, WAREHOUSE), PERMIT)
  assert.notEqual(p.version(DEVICE), before)
})

test('a person speaks for herself, a device can only close', async () => {
  const p = people(answering(200))
  await p.say(p.devices[0], { statistics: true, marketing: true })
  assert.equal(p.expected(BOTH, WAREHOUSE), DENY)
  await p.say(p.persons[0], { statistics: true, profiling: true })
  assert.equal(p.expected(BOTH, WAREHOUSE), PERMIT)
  assert.equal(p.expected(PERSON, CRM), PERMIT)
  assert.equal(p.expected(DEVICE, CRM), DENY)
  assert.equal(p.expected(DEVICE, PARTNER), PERMIT)
  p.narrow.says = true
  assert.equal(p.expected(DEVICE, PARTNER), DENY)
  await p.say(p.devices[0], { statistics: false })
  assert.equal(p.expected(BOTH, WAREHOUSE), DENY)
})

test('what begins after an answered withdrawal is forbidden, until she grants again', async () => {
  const p = people(answering(200))
  await p.say(p.devices[0], { statistics: true })
  assert.equal(p.forbidden(DEVICE, WAREHOUSE, Infinity), null)
  await p.say(p.devices[0], { statistics: false })
  assert.equal(p.forbidden(DEVICE, WAREHOUSE, p.devices[0].loweredMs.statistics - 1), null)
  assert.match(p.forbidden(DEVICE, WAREHOUSE, p.devices[0].loweredMs.statistics + 1), /d-0 withdrew statistics/)
  assert.match(p.forbidden(BOTH, WAREHOUSE, p.devices[0].loweredMs.statistics + 1), /d-0 withdrew statistics/)
  assert.equal(p.forbidden(DEVICE, CRM, Infinity), null)
  await p.say(p.devices[0], { statistics: true })
  assert.equal(p.forbidden(DEVICE, WAREHOUSE, Infinity), null)
})
