// A clock that is set while licet runs. tests/faults sets it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sleep, until } from './daemon.mjs'
import { arrivals, consent, noFaults, startFaultyHouse, track } from './fixture.mjs'

const skip = noFaults
const HOUR = 3_600_000
const DAY = 24 * HOUR
let house, d
let n = 0
const send = () => d.ingest([track({ anonymousId: 'ada' }, 'Seen', { messageId: `m-${++n}`, properties: { n } })])
const verdict = async () => (await d.verdicts(track({ anonymousId: 'ada' }, 'Seen', { messageId: `v-${++n}` }))).warehouse
const act = async (subject, preferences) => {
  const { status, json, text } = await d.api('POST', '/consent', { subject: { id: subject }, preferences, versions: { statistics: 1 }, proofs: [{ content: 'yes' }] })
  assert.equal(status, 200, text)
  return parseInt(json.id.replace('-', '').slice(0, 12), 16) // a UUIDv7 begins with the time
}
const ask = sql => Number(execFileSync('sqlite3', ['-readonly', join(d.dir, 'data/licet.db'), sql], { encoding: 'utf8' }))

before(async () => {
  if (skip) return
  house = await startFaultyHouse()
  d = house.licet
  await consent(d, 'ada', { statistics: true })
})
after(async () => {
  if (!skip) assert.equal((await house.stop()).code, 0)
})

test('set back by a day, times do not run backwards, and events still leave', { skip }, async () => {
  const before = await act('bob', { statistics: true })
  await house.fail(`clock ${-DAY}`)
  const later = await act('bob', { statistics: false })
  assert.ok(later >= before)
  await sleep(50)
  assert.ok(await act('bob', { statistics: true }) > later) // it goes on, slowly
  assert.equal((await send()).status, 200)
  const id = n
  await arrivals(house.receiver, 1, e => e.destination === 'warehouse' && e.event.properties.n === id)
  assert.ok(await d.metric('licet_clock_behind_seconds') > 0.9 * DAY / 1000)
  await until(() => /clock\.jumped/.test(d.log), 'the jump to be logged')
  await house.heal()
  assert.equal(await d.metric('licet_clock_behind_seconds'), 0)
})

let kept
test('what is to be kept of delivered events is kept', { skip }, async () => {
  await until(() => ask('SELECT count(*) FROM segment WHERE retention_seq = 0') === 0, 'delivered events to be cut down')
  kept = ask('SELECT sum(length(bytes)) FROM segment')
  assert.ok(kept > 0)
})

test('set ahead by two years, a consent is expired; with the right time it is in force again', { skip }, async () => {
  assert.equal(await verdict(), 'permitted')
  await house.fail(`clock ${800 * DAY}`)
  assert.equal(await verdict(), 'expired')
})

test('set ahead, nothing stored is deleted for its age', { skip }, async () => {
  await until(() => /clock\.jumped","by_ms":[1-9]\d{10}/.test(d.log), () => `the jump to be seen\n${d.log}`)
  assert.ok(await d.metric('licet_clock_jumps_total') >= 1)
  await sleep(2500) // the janitor comes by every second
  assert.ok(ask('SELECT sum(length(bytes)) FROM segment') >= kept)
})

test('started while the clock is behind what is stored, it goes on from there', { skip }, async () => {
  const before = await act('bob', { statistics: true })
  await d.kill('SIGTERM')
  await house.heal()
  await d.run()
  assert.ok(await act('bob', { statistics: true }) >= before)
  assert.ok(await d.metric('licet_clock_behind_seconds') > 700 * DAY / 1000)
})
