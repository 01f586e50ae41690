import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { arrivals, consent, startHouse } from './fixture.mjs'

let house
before(async () => {
  house = await startHouse()
  await consent(house.licet, 'ada', { statistics: true })
})
after(() => house.stop())

for (const gzip of [true, false]) {
  test(`the unmodified RudderStack SDK for Node sends through licet, gzip ${gzip}`, async () => {
    const rudder = new RudderAnalytics(house.licet.publicKey, { dataPlaneUrl: house.licet.url, gzip, flushInterval: 100, logLevel: 'error' })
    const event = `Order ${gzip}`
    rudder.track({ userId: 'ada', event, properties: { n: 1, secret: 'stays' } })
    rudder.track({ userId: 'stranger', event, properties: { n: 2 } })
    await rudder.flush()
    const came = await arrivals(house.receiver, 1, a => a.event.event === event)
    assert.equal(came.length, 1)
    assert.equal(came[0].destination, 'warehouse')
    assert.deepEqual(came[0].event.properties, { n: 1 })
    assert.match(came[0].event.userId, /^[0-9a-f]{32}$/)
  })
}
