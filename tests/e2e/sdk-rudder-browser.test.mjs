import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openBrowser } from './browser.mjs'
import { arrivals, consent, startHouse } from './fixture.mjs'
import { RUDDER, startSite } from './page-server.mjs'

const html = `<!doctype html><title>Site</title><link rel="icon" href="data:,"><script src="/sdk/index.js"></script>`
let house, site, browser
before(async () => {
  house = await startHouse()
  site = await startSite({ pages: { '/': html }, scripts: RUDDER })
  browser = await openBrowser()
})
after(async () => {
  await browser?.close()
  await site?.close()
  await house?.stop()
})

test('the unmodified RudderStack SDK in a browser sends through licet, across origins', async () => {
  await consent(house.licet, 'browser-1', { statistics: true })
  const page = await browser.newPage()
  const errors = []
  page.on('pageerror', e => errors.push(e.message))
  page.on('requestfailed', q => q.url().startsWith(house.licet.url) && errors.push(`${q.url()}: ${q.failure().errorText}`))
  await page.goto(site.url)
  await page.evaluate(({ key, url }) => new Promise(ok => {
    const { RudderAnalytics } = window.rudderanalytics
    const analytics = new RudderAnalytics()
    analytics.load(key, url, { configUrl: url, onLoaded: () => ok() })
    analytics.setAnonymousId('browser-1')
    analytics.track('Shoe Seen', { n: 42, secret: 'stays' })
  }), { key: house.licet.publicKey, url: house.licet.url })
  const [came] = await arrivals(house.receiver, 1, a => a.event.event === 'Shoe Seen')
  await page.close()
  assert.deepEqual(errors, [])
  assert.deepEqual(came.event.properties, { n: 42 })
  assert.match(came.event.anonymousId, /^[0-9a-f]{32}$/)
})

test('a beacon without header or preflight is taken', async () => {
  await consent(house.licet, 'beacon-1', { statistics: true })
  const message = { type: 'track', event: 'Left', anonymousId: 'beacon-1', messageId: 'beacon-1', originalTimestamp: new Date().toISOString() }
  const answer = await house.licet.api('POST', `/beacon/v1/batch?writeKey=${house.licet.publicKey}`, JSON.stringify({ batch: [message] }),
    { key: null, headers: { 'Content-Type': 'text/plain', Origin: site.url } })
  assert.equal(answer.status, 200)
  await arrivals(house.receiver, 1, a => a.event.event === 'Left')
})

test('a pixel is taken and answered with an image', async () => {
  await consent(house.licet, 'pixel-1', { statistics: true })
  const query = new URLSearchParams({ writeKey: house.licet.publicKey, anonymousId: 'pixel-1', event: 'Opened' })
  const answer = await fetch(`${house.licet.url}/pixel/v1/track?${query}`)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'image/gif')
  assert.equal(Buffer.from(await answer.arrayBuffer()).subarray(0, 6).toString(), 'GIF89a')
  await arrivals(house.receiver, 1, a => a.event.event === 'Opened')
})
