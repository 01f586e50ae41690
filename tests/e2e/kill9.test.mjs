// Promise P6: what was acknowledged survives kill -9. KILLS=200 for the full run.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sleep, until } from './daemon.mjs'
import { consent, startHouse, track } from './fixture.mjs'

const KILLS = Number(process.env.KILLS ?? 10)
const PEOPLE = 20

let house, d
before(async () => {
  house = await startHouse({
    change(config) {
      Object.assign(config.destinations.find(t => t.id === 'warehouse').fields, { messageId: 'keep' })
      return config
    },
  })
  d = house.licet
})
after(() => house.stop())

test(`${KILLS} times kill -9 under load: nothing acknowledged is lost, nothing is doubled`, { timeout: 60_000 + KILLS * 20_000 }, async () => {
  const events = new Map() // messageId → message, acknowledged
  const acts = [] // {id, subject}, acknowledged
  for (let i = 0; i < PEOPLE; i++) acts.push(await consent(d, `p-${i}`, { statistics: true }))

  for (let round = 0; round < KILLS; round++) {
    const unsure = await loadUntilKilled(events, acts)
    const verify = await d.cli(['verify'])
    assert.equal(verify.code, 0, `round ${round}: licet verify: ${verify.out}${verify.err}`)
    await d.run()
    // an SDK sends again what was not acknowledged, under the same ids
    for (const batch of unsure) {
      const { status } = await d.ingest(batch)
      assert.equal(status, 200)
      for (const m of batch) events.set(m.messageId, m)
    }
    for (const act of acts.splice(PEOPLE)) assert.equal((await d.api('GET', `/consent/${act.id}`)).status, 200, `round ${round}: an act is lost`)
  }

  const missing = () => {
    const came = new Set(house.receiver.arrived.map(a => a.event.messageId))
    return [...events.keys()].filter(id => !came.has(id))
  }
  await until(() => missing().length === 0, () => `${missing().length} of ${events.size} acknowledged events to arrive`, 60_000)
  const idsOf = new Map()
  for (const a of house.receiver.arrived) {
    const ids = idsOf.get(a.event.messageId) ?? new Set()
    idsOf.set(a.event.messageId, ids.add(a.id))
  }
  const doubled = [...idsOf].filter(([, ids]) => ids.size > 1)
  assert.deepEqual(doubled.map(([m, ids]) => [m, [...ids]]), [], 'a message was stored twice')
  assert.deepEqual(house.receiver.faults, [])

  for (const [messageId, ids] of [...idsOf].slice(-5)) {
    const { code, out } = await d.cli(['explain', [...ids][0]])
    assert.equal(code, 0, `licet explain of ${messageId}`)
    assert.match(out, /warehouse/)
  }
  const end = await d.kill('SIGTERM')
  assert.deepEqual(end, { code: 0, signal: null }, 'a stop by SIGTERM is clean')
  assert.equal((await d.cli(['verify'])).code, 0)
  await d.run()
  console.log(`# ${events.size} events and ${KILLS} kills; ${house.receiver.arrived.length} arrivals`)
})

/** Events and acts as fast as they go; kill -9 at a random moment. Gives the batches without an answer. */
async function loadUntilKilled(events, acts) {
  let alive = true
  const unsure = []
  const pour = async () => {
    while (alive) {
      const batch = Array.from({ length: 1 + randomInt(30) }, () => track(`p-${randomInt(PEOPLE)}`, 'Load'))
      try {
        const { status } = await d.ingest(batch)
        if (status !== 200) throw new Error(`${status}`)
        for (const m of batch) events.set(m.messageId, m)
      } catch {
        unsure.push(batch)
      }
    }
  }
  const agree = async () => {
    while (alive) {
      try {
        acts.push(await consent(d, `q-${randomInt(1000)}`, { statistics: randomInt(2) === 0 }))
      } catch {
        await sleep(1)
      }
    }
  }
  const load = [pour(), pour(), pour(), agree()]
  await sleep(30 + randomInt(400))
  await d.kill('SIGKILL')
  alive = false
  await Promise.all(load)
  return unsure
}

test('a second daemon on the same folder is refused', async () => {
  const { code, err, out } = await d.cli(['serve'], { timeout: 10_000 })
  assert.ok(code === 1 || code === 2, `${code}`)
  assert.ok((err + out).length > 0)
  assert.ok(await d.ready(), 'the first one goes on')
})
