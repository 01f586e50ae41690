// Promise P3: after the answer to a withdrawal nothing of that subject begins to arrive.
// WITHDRAWALS=10000 for the full run.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sleep, until } from './daemon.mjs'
import { consent, startHouse, track } from './fixture.mjs'

const WITHDRAWALS = Number(process.env.WITHDRAWALS ?? 500)
const POOL = 60 // people whose events flow at any time
const BATCH = 40
const LAG = 100 // groups: what waits for longer is mostly dropped, and would show nothing

/** How the receiver behaves: quick, slow, now and then refusing. */
const moody = () => {
  const dice = randomInt(100)
  return dice < 5 ? { status: 503 } : dice < 30 ? { delayMs: randomInt(30) } : {}
}
const keepIds = config => {
  Object.assign(config.destinations.find(t => t.id === 'warehouse').fields, { anonymousId: 'keep', userId: 'keep', messageId: 'keep' })
  config.purposes.find(p => p.id === 'profiling').double_opt_in = true
  return config
}

let house, d
before(async () => {
  house = await startHouse({ change: keepIds, answer: moody })
  d = house.licet
})
after(() => house.stop())

test(`${WITHDRAWALS} withdrawals at random moments, while events flow at full speed`, { timeout: 60_000 + WITHDRAWALS * 200 }, async () => {
  const answered = new Map() // subject → ms of the answer
  const living = []
  const recent = [] // withdrawn just now: their events go on coming in
  let next = 0, begun = 0, posted = 0
  const totals = { sent: 0, uncertain: 0, dropped: 0 }
  const born = async () => {
    const id = `s-${next++}`
    await consent(d, id, { statistics: true })
    living.push(id)
  }
  for (let i = 0; i < POOL; i++) await born()

  let flowing = true, full = false
  const watch = async () => {
    for (; flowing; await sleep(20)) full = (await d.metric('licet_delivery_lag_segments', { destination: 'warehouse' })) > LAG
  }
  const pour = async () => {
    while (flowing) {
      if (full) {
        await sleep(5)
        continue
      }
      const pick = () => (recent.length && randomInt(4) === 0 ? recent[randomInt(recent.length)] : living[randomInt(living.length)])
      const { status } = await d.ingest(Array.from({ length: BATCH }, () => track(pick(), 'Flow')))
      assert.equal(status, 200)
      posted += BATCH
    }
  }
  const withdraw = async () => {
    while (begun < WITHDRAWALS) {
      begun++
      const [id] = living.splice(randomInt(living.length), 1)
      await sleep(randomInt(8))
      recent.push(id)
      if (recent.length > POOL) recent.shift()
      const answer = await consent(d, id, { statistics: false })
      answered.set(id, performance.timeOrigin + performance.now())
      const { sent, uncertain, dropped } = answer.withdrawal
      totals.sent += sent.length
      totals.uncertain += uncertain.length
      totals.dropped += dropped
      await born()
    }
  }
  const pours = [watch(), ...Array.from({ length: 3 }, pour)]
  await Promise.all(Array.from({ length: 4 }, withdraw))
  flowing = false
  await Promise.all(pours)
  // whatever is still queued gets the chance to come
  await quiet(house.receiver)

  assert.equal(answered.size, WITHDRAWALS)
  const after = house.receiver.arrived.filter(a => answered.has(a.event.anonymousId) && a.beganMs > answered.get(a.event.anonymousId))
  assert.deepEqual(after.map(a => [a.event.anonymousId, a.beganMs - answered.get(a.event.anonymousId)]), [])
  assert.deepEqual(house.receiver.faults, [])
  // the test would be worth nothing if little had flowed, or nothing had been under way
  const of = house.receiver.arrived.filter(a => answered.has(a.event.anonymousId))
  assert.ok(of.length > WITHDRAWALS, `only ${of.length} events of the withdrawn had left before`)
  assert.ok(totals.sent > 0 && totals.dropped > 0, JSON.stringify(totals))
  console.log(`# ${posted} events in, ${house.receiver.arrived.length} out; of the withdrawn ${JSON.stringify(totals)}`)
})

test('what waits for a retry is dropped by a withdrawal', async () => {
  await consent(d, 'waiter', { statistics: true })
  const normal = house.receiver.answer
  let refused = 0
  house.receiver.answer = () => (refused++, { status: 503 })
  await d.ingest([track('waiter', 'Waiting'), track('waiter', 'Waiting')])
  await until(() => refused > 0, 'a refused attempt')
  const { withdrawal } = await consent(d, 'waiter', { statistics: false })
  house.receiver.answer = normal
  assert.equal(withdrawal.sent.length, 0)
  assert.equal(withdrawal.dropped, 2)
  await consent(d, 'waiter-2', { statistics: true })
  await d.ingest([track('waiter-2', 'Follows')])
  await until(() => house.receiver.arrived.some(a => a.event.event === 'Follows'), 'the receiver to be served again', 60_000)
  assert.ok(!house.receiver.arrived.some(a => a.event.event === 'Waiting'))
})

test('the answer says what had been sent, to whom and when', async () => {
  await consent(d, 'asker', { statistics: true })
  house.receiver.answer = null
  await d.ingest([track('asker', 'Before')])
  await until(() => house.receiver.arrived.some(a => a.event.event === 'Before'), 'the event to arrive', 60_000)
  const { withdrawal } = await until(async () => {
    const answer = await consent(d, 'asker', { statistics: false })
    return answer.withdrawal.sent.length ? answer : null
  }, 'the sending to be listed')
  assert.equal(withdrawal.sent.length, 1)
  assert.match(JSON.stringify(withdrawal.sent[0]), /warehouse/)
  assert.match(JSON.stringify(withdrawal.sent[0]), new RegExp(house.receiver.arrived.find(a => a.event.event === 'Before').id))
})

test('a withdrawal waits for a sending that has begun', async () => {
  await consent(d, 'slow', { statistics: true })
  let release, arrivedAt
  house.receiver.answer = async ({ body }) => {
    if (!body.includes('"Slow"')) return {} // something else may still be on its way
    arrivedAt = performance.now()
    await new Promise(ok => (release = ok))
    return {}
  }
  await d.ingest([track('slow', 'Slow')])
  await until(() => release, 'the sending to begin', 60_000)
  let answeredAt = null
  const answer = consent(d, 'slow', { statistics: false }).then(a => ((answeredAt = performance.now()), a))
  await sleep(500)
  assert.equal(answeredAt, null, 'not answered while it is under way')
  const releasedAt = performance.now()
  release()
  const { withdrawal } = await answer
  assert.ok(answeredAt > releasedAt && releasedAt > arrivedAt)
  assert.equal(withdrawal.sent.length + withdrawal.uncertain.length, 1)
  house.receiver.answer = null
})

test('so does a person who is verified no more', async () => {
  await consent(d, { id: 'mailed', verified: true }, { profiling: true })
  let release
  house.receiver.answer = async ({ body }) => {
    if (body.includes('"Verified"')) await new Promise(ok => (release = ok))
    return {}
  }
  await d.ingest([track({ userId: 'mailed' }, 'Verified')])
  await until(() => release, 'the sending to begin', 60_000)
  let answered = false
  const change = d.api('PATCH', '/subjects/mailed', { verified: false }).finally(() => (answered = true))
  await sleep(500)
  assert.equal(answered, false, 'not answered while it is under way')
  release()
  const { status, json } = await change
  assert.equal(status, 200)
  assert.equal(json.id, 'mailed')
  assert.equal((await d.verdicts(track({ userId: 'mailed' }))).crm, 'not_verified')
  house.receiver.answer = null
})

test('a receiver that never answers is cut off after two seconds, and the sending is uncertain', async () => {
  await consent(d, 'stuck', { statistics: true })
  let began = false
  house.receiver.answer = async ({ destination, body }) => {
    if (destination === 'warehouse' && !began && body.includes('"Stuck"')) {
      began = true
      await new Promise(() => {})
    }
    return {}
  }
  await d.ingest([track('stuck', 'Stuck')])
  await until(() => began, 'the sending to begin', 60_000)
  const start = performance.now()
  const { withdrawal } = await consent(d, 'stuck', { statistics: false })
  const took = performance.now() - start
  assert.ok(took > 1500 && took < 5000, `${took} ms`)
  assert.equal(withdrawal.uncertain.length, 1)
  house.receiver.answer = null
})

/** Nothing has arrived for a while. */
async function quiet(receiver, forMs = 1500) {
  for (let last = -1, since = Date.now(); Date.now() - since < forMs; await sleep(50)) {
    if (receiver.arrived.length !== last) {
      last = receiver.arrived.length
      since = Date.now()
    }
  }
}
