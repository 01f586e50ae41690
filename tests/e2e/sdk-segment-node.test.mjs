import { Analytics } from '@segment/analytics-node'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { arrivals, consent, startHouse } from './fixture.mjs'

let house
before(async () => (house = await startHouse()))
after(() => house.stop())

function sdk(writeKey = house.licet.publicKey) {
  const errors = []
  const analytics = new Analytics({ writeKey, host: house.licet.url, flushAt: 15, flushInterval: 200, maxRetries: 0 })
  analytics.on('error', e => errors.push(e))
  return { analytics, errors }
}

test('the unmodified Segment SDK for Node sends through licet what is permitted', async () => {
  await consent(house.licet, 'ada', { statistics: true, profiling: true })
  const { analytics, errors } = sdk()
  analytics.identify({ userId: 'ada', traits: { email: ' Ada@X.example' } })
  analytics.track({ userId: 'ada', event: 'Order Completed', properties: { n: 9.5, secret: 'stays' } })
  analytics.page({ userId: 'ada', name: 'Home' })
  analytics.screen({ userId: 'ada', name: 'Start' })
  await analytics.closeAndFlush()
  assert.deepEqual(errors, [])
  const crm = await arrivals(house.receiver, 4, a => a.destination === 'crm')
  assert.deepEqual(crm.map(a => a.event.type).sort(), ['identify', 'page', 'screen', 'track'])
  const order = crm.find(a => a.event.type === 'track').event
  assert.deepEqual(order, { type: 'track', event: 'Order Completed', userId: 'ada', properties: { n: 9.5 } })
  const { traits } = crm.find(a => a.event.type === 'identify').event
  assert.deepEqual(traits, { email: await sha256('ada@x.example') })
  const warehouse = await arrivals(house.receiver, 4, a => a.destination === 'warehouse')
  for (const a of warehouse) {
    assert.match(a.event.userId, /^[0-9a-f]{32}$/)
    assert.ok(!JSON.stringify(a.event).includes('ada'))
  }
  assert.equal(new Set(warehouse.map(a => a.event.userId)).size, 1, 'one person has one pseudonym')
})

test('of somebody who agreed to nothing, nothing leaves, and the SDK sees no error', async () => {
  const { analytics, errors } = sdk()
  const before = house.receiver.arrived.length
  for (let i = 0; i < 40; i++) analytics.track({ anonymousId: 'nobody', event: 'Seen' })
  await analytics.closeAndFlush()
  assert.deepEqual(errors, [])
  // what is permitted and comes after must not overtake: once it is there, the others would be
  const last = sdk()
  last.analytics.track({ userId: 'ada', event: 'Last' })
  await last.analytics.closeAndFlush()
  await arrivals(house.receiver, 1, a => a.event.event === 'Last' && a.destination === 'warehouse')
  assert.deepEqual(house.receiver.arrived.slice(before).filter(a => a.event.event === 'Seen'), [])
})

test('a hundred events in batches arrive once each', async () => {
  const { analytics, errors } = sdk()
  for (let n = 0; n < 100; n++) analytics.track({ userId: 'ada', event: 'Counted', properties: { n } })
  await analytics.closeAndFlush()
  assert.deepEqual(errors, [])
  const where = a => a.event.event === 'Counted' && a.destination === 'warehouse'
  const came = await arrivals(house.receiver, 100, where)
  assert.deepEqual(came.map(a => a.event.properties.n).sort((a, b) => a - b), [...Array(100).keys()])
  assert.equal(house.receiver.faults.length, 0)
})

test('what belongs to somebody else never leaves', async () => {
  const { analytics } = sdk()
  analytics.alias({ userId: 'ada', previousId: 'before-ada' })
  analytics.group({ userId: 'ada', groupId: 'friends-of-ada' })
  await analytics.closeAndFlush()
  const came = await arrivals(house.receiver, 2, a => ['alias', 'group'].includes(a.event.type) && a.destination === 'warehouse')
  for (const a of came) assert.ok(!/before-ada|friends-of-ada/.test(JSON.stringify(a.event)))
})

test('a wrong key is told to the SDK', async () => {
  const { analytics, errors } = sdk('no-such-key-no-such-key-no-such')
  analytics.track({ userId: 'ada', event: 'Lost' })
  await analytics.closeAndFlush()
  assert.ok(errors.length > 0)
})

async function sha256(s) {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(s))).toString('hex')
}
