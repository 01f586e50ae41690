// Promise P6 on a full disk: what was answered with 503 is kept when it is sent again.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { arrivals, consent, startHouse, track } from './fixture.mjs'
import { sleep, until } from './daemon.mjs'

let house, d
before(async () => {
  house = await startHouse({
    change(config) {
      config.destinations.find(t => t.id === 'warehouse').fields.messageId = 'keep'
      return config
    },
  })
  d = house.licet
  await consent(d, 'ada', { statistics: true })
})
after(() => house.stop())

// a limit on the size of its files meets the daemon as a full disk does
const limit = bytes => execFileSync('prlimit', [`--pid=${d.child.pid}`, `--fsize=${bytes}:unlimited`])

test('an event that was refused for want of space is stored when it is sent again', { timeout: 60_000 }, async () => {
  limit(4096)
  const refused = []
  for (let i = 0; i < 40 && refused.length < 8; i++) {
    const message = track('ada', 'Refused') // alone: the first of its group
    if ((await d.ingest([message])).status === 503) refused.push(message)
    await sleep(20)
  }
  limit('unlimited')
  assert.ok(refused.length > 0, 'the disk was never full')
  for (const message of refused) assert.equal((await d.ingest([message])).status, 200)
  const ids = new Set(refused.map(m => m.messageId))
  const came = await arrivals(house.receiver, ids.size, a => ids.has(a.event.messageId))
  assert.deepEqual(new Set(came.map(a => a.event.messageId)), ids)
})

test('so is each event of a batch, those before it that nobody permitted included', { timeout: 60_000 }, async () => {
  limit(4096)
  const batch = [track('nobody', 'Refused'), track('ada', 'Refused'), track('ada', 'Refused'), track('nobody', 'Refused'), track('ada', 'Refused')]
  let status
  for (let i = 0; i < 40 && status !== 503; i++) {
    for (const m of batch) m.messageId = `${m.messageId}-${i}`
    ;({ status } = await d.ingest(batch))
    await sleep(20)
  }
  limit('unlimited')
  assert.equal(status, 503)
  assert.equal((await d.ingest(batch)).status, 200)
  const ids = batch.filter(m => m.anonymousId === 'ada').map(m => m.messageId)
  await arrivals(house.receiver, ids.length, a => ids.includes(a.event.messageId))
})

test('a repetition of what is being stored is not answered before it is stored', { timeout: 60_000 }, async () => {
  limit(4096)
  const acknowledged = new Set()
  let refused = 0
  for (let round = 0; round < 40; round++) {
    const message = track('ada', 'Twice') // the same one, many times at once
    const answers = await Promise.all(Array.from({ length: 12 }, () => d.ingest([message])))
    if (answers.some(a => a.status === 200)) acknowledged.add(message.messageId)
    refused += answers.filter(a => a.status === 503).length
  }
  limit('unlimited')
  assert.ok(refused > 0, 'the disk was never full')
  await consent(d, 'bob', { statistics: true })
  const last = track('bob', 'Last')
  assert.equal((await d.ingest([last])).status, 200)
  const came = () => new Set(house.receiver.arrived.map(a => a.event.messageId))
  await until(() => came().has(last.messageId), 'what came after it to arrive', 30_000)
  assert.deepEqual([...acknowledged].filter(id => !came().has(id)), [], 'acknowledged, and lost')
})
