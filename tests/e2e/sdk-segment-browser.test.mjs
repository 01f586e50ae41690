import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openBrowser } from './browser.mjs'
import { arrivals, consent, startHouse } from './fixture.mjs'
import { SEGMENT, startSite } from './page-server.mjs'

const html = `<!doctype html><title>Site</title><link rel="icon" href="data:,"><script src="/sdk/index.js"></script>`
let house, site, browser
before(async () => {
  house = await startHouse()
  site = await startSite({ pages: { '/': html, '/shop/shoes': html }, scripts: SEGMENT })
  browser = await openBrowser()
})
after(async () => {
  await browser?.close()
  await site?.close()
  await house?.stop()
})

/** A page of the site with the SDK loaded as its documentation says; only cdnURL is licet's. */
async function openPage(path, anonymousId) {
  const context = await browser.newContext()
  const page = await context.newPage()
  const seen = { errors: [], cookies: [] }
  page.on('console', m => m.type() === 'error' && seen.errors.push(m.text()))
  page.on('pageerror', e => seen.errors.push(e.message))
  page.on('response', async r => r.url().startsWith(house.licet.url) && (await r.headerValue('set-cookie')) && seen.cookies.push(r.url()))
  await page.goto(site.url + path)
  await page.evaluate(({ writeKey, cdnURL, id }) => {
    window.analytics = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey, cdnURL })
    if (id) window.analytics.setAnonymousId(id)
  }, { writeKey: house.licet.publicKey, cdnURL: house.licet.url, id: anonymousId })
  return { page, context, seen }
}

test('the unmodified Segment SDK in a browser sends through licet, across origins', async () => {
  await consent(house.licet, 'browser-1', { statistics: true })
  const { page, context, seen } = await openPage('/shop/shoes?utm_source=x', 'browser-1')
  await page.evaluate(async () => {
    await window.analytics.page('Shoes')
    await window.analytics.track('Shoe Seen', { n: 42, secret: 'stays' })
  })
  const came = await arrivals(house.receiver, 2)
  await context.close()
  assert.deepEqual(seen.errors, [])
  assert.deepEqual(seen.cookies, [], 'an event sets no cookie')
  const shoe = came.find(a => a.event.event === 'Shoe Seen').event
  assert.deepEqual(shoe.properties, { n: 42 })
  assert.equal(shoe.context.page.path, '/shop/shoes')
  assert.equal(shoe.context.ip, '127.0.0.0', 'the network address is the request\'s, cut')
  assert.match(shoe.anonymousId, /^[0-9a-f]{32}$/)
})

test('loaded before anybody agreed, it sends, sees no error, and nothing leaves', async () => {
  const told = []
  const tail = await house.licet.tail(line => told.push(line))
  const { page, context, seen } = await openPage('/', null)
  const before = house.receiver.arrived.length
  await page.evaluate(() => window.analytics.track('Sent Without Asking'))
  await consent(house.licet, 'browser-2', { statistics: true })
  await house.licet.ingest([{ type: 'track', event: 'After', anonymousId: 'browser-2', messageId: 'after-1' }])
  await arrivals(house.receiver, 1, a => a.event.event === 'After')
  await context.close()
  tail.kill()
  assert.deepEqual(seen.errors, [])
  assert.deepEqual(house.receiver.arrived.slice(before).map(a => a.event.event), ['After'])
  const reasons = told.filter(line => line.name === 'Sent Without Asking').map(line => [line.destination, line.verdict, line.reason])
  assert.deepEqual(reasons.sort(), [['crm', 'deny', 'no_consent'], ['own', 'deny', 'no_consent'], ['warehouse', 'deny', 'no_consent']])
})
