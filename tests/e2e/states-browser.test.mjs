// States that a page can be in beside "loaded": put aside and brought back, made ready beforehand, without the script.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { granted, openShop, settled } from './banner-house.mjs'
import { openBare } from './browser.mjs'
import { sleep, until } from './daemon.mjs'
import { arrivals } from './fixture.mjs'

let shop, licet
before(async () => {
  shop = await openShop({ browser: { ignoreDefaultArgs: ['--disable-back-forward-cache'] } })
  licet = shop.house.licet
})
after(() => shop?.stop())

const accepted = async path => {
  const me = await shop.visitor()
  await me.open(path)
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants')
  await until(() => me.events.length === 1, 'the page view')
  return me
}

// ---- put aside, and brought back by "back" ----

const putAside = async (me, path) => {
  await me.page.evaluate(() => {
    window.marked = true
    addEventListener('pageshow', e => e.persisted && sessionStorage.setItem('back', '1'))
  })
  await me.open(path)
}
async function back(me) {
  await me.page.evaluate(() => void setTimeout(() => history.back()))
  await until(() => me.page.evaluate(() => window.marked).catch(() => false), 'the page as it was put aside')
}
async function obeys(me) {
  await until(async () => (await granted(me.page)).length === 0, 'the withdrawal')
  const sent = me.events.length
  assert.deepEqual(await me.page.evaluate(() => [window.licet.track('Late'), window.licet.page(), window.licet.anonymousId()]), [false, false, null])
  await sleep(600)
  assert.equal(me.events.length, sent)
  assert.equal((await me.page.evaluate(() => window.dataLayer)).at(-1).licet.statistics, false, 'other scripts are told')
  assert.ok(await me.card.isHidden())
  await me.press('opener')
  assert.equal(await me.dialog.locator('input:checked').count(), 0)
  assert.ok(await me.dialog.getByText(/^Declined on/).first().isVisible())
  assert.deepEqual(me.faults, [])
}

test('a page that comes back after a withdrawal on the next one obeys it', async () => {
  const me = await accepted('/one')
  await putAside(me, '/two')
  await until(() => me.events.length === 2, 'the second page view')
  await me.press('opener')
  await me.press('decline')
  await settled(me.page)
  await back(me)
  await obeys(me)
})

test('a page that comes back after a withdrawal in another tab obeys it', async () => {
  const me = await accepted('/one')
  await putAside(me, '/two')
  const other = me.watch(await me.context.newPage())
  await me.open('/three', other)
  await other.evaluate(() => window.licet.withdraw())
  await settled(other)
  await back(me)
  await obeys(me)
})

test('a page with a script of somebody else that comes back after the withdrawal is loaded anew', async () => {
  shop.site.body = '<script type="text/plain" data-licet-purpose="statistics" src="/third-a.js"></script>'
  const me = await accepted('/one')
  await until(() => me.page.evaluate(() => window.third?.length), 'the script')
  await putAside(me, '/two')
  await me.press('opener')
  await Promise.all([me.page.waitForEvent('load'), me.press('decline')])
  await settled(me.page)
  await me.page.evaluate(() => void setTimeout(() => history.back()))
  await until(() => me.page.evaluate(() => location.pathname === '/one' && !window.marked && !!window.licet?.policy?.()).catch(() => false), 'the page, loaded anew')
  shop.site.body = ''
  assert.equal(await me.page.evaluate(() => sessionStorage.getItem('back')), '1', 'it was put aside and brought back')
  assert.equal(await me.page.evaluate(() => window.third), undefined)
  assert.deepEqual(await granted(me.page), [])
})

// ---- made ready before she goes there ----

/** A page that does `first`, and then has /next made ready, whose own script is `next`. Resolves once that has loaded, unseen. */
async function ready({ first = '', next = '' } = {}) {
  shop.site.head = `<script nonce="n1">
window.licet = []
if (location.pathname === '/next') {
  window.faults = []
  addEventListener('error', e => faults.push(e.message))
  window.began = document.prerendering
  addEventListener('load', () => { ${next}; new Image().src = '/made-ready' })
} else addEventListener('load', async () => {
  await licet.ready
  ${first}
  const rules = document.createElement('script')
  rules.type = 'speculationrules'
  rules.nonce = 'n1'
  rules.textContent = '{"prerender": [{"source": "list", "urls": ["/next"], "eagerness": "immediate"}]}'
  document.head.append(rules)
})</script>`
  const before = shop.site.asked.length
  const bare = await openBare(`${shop.site.url}/start`)
  await until(() => shop.site.asked.slice(before).includes('/made-ready'), 'the next page to be made ready', 30_000)
  return bare
}
const go = async bare => {
  await bare.run('void setTimeout(() => { const a = document.createElement("a"); a.href = "/next"; document.body.append(a); a.click() })')
  await until(() => bare.run('location.pathname === "/next" && !document.prerendering && !!window.licet?.policy?.()').catch(() => false), 'the next page')
  assert.equal(await bare.run('window.began'), true, 'it was made ready beforehand')
  assert.deepEqual(await bare.run('faults'), [])
}
const ACCEPT = 'licet.choose({ statistics: true, adverts: true }, { form: "Our words" }); await licet.when("statistics");'
/** What the document asked licet for before anybody saw it. */
const EARLY = `performance.getEntriesByType('resource').filter(e => e.startTime < performance.getEntriesByType('navigation')[0].activationStart)
  .map(e => new URL(e.name)).filter(u => u.origin === '${'LICET'}').map(u => u.pathname)`
const early = bare => bare.run(EARLY.replace('LICET', licet.url))
const batches = bare => bare.run(`performance.getEntriesByType('resource').filter(e => e.name.endsWith('/v1/batch')).length`)
/** With `test(bare)` in a page that was made ready. */
async function madeReady(how, test) {
  const bare = await ready(how)
  try {
    await test(bare)
  } finally {
    await bare.close()
    shop.site.head = ''
  }
}

test('a page that is made ready beforehand asks nobody and tells nothing before she sees it', () => madeReady({
  next: 'window.early = [licet.track("Early"), licet.identify("u1")]',
}, async bare => {
  await go(bare)
  assert.deepEqual(await bare.run('early'), [false, false])
  assert.deepEqual(await early(bare), ['/sdk/licet.js'])
  await until(() => bare.run(`document.querySelector('licet-consent')?.shadowRoot.querySelector('.card').hidden === false`), 'the banner')
  assert.deepEqual(await bare.run('Object.keys(localStorage)'), [])
}))

test('a page view is of the moment in which she comes to see the page', () => madeReady({ first: ACCEPT }, async bare => {
  const device = await bare.run('licet.anonymousId()')
  await go(bare)
  assert.deepEqual(await early(bare), ['/sdk/licet.js'])
  assert.equal(await bare.run('licet.anonymousId()'), device)
  await until(async () => await batches(bare) === 1, 'the page view')
  await arrivals(shop.house.receiver, 1, a => a.event.type === 'page' && a.event.context?.page?.path === '/next')
}))

test('a page that was made ready before she withdrew obeys the withdrawal', () => madeReady({ first: ACCEPT }, async bare => {
  await bare.run(`(async () => { licet.withdraw(); await licet.flush() })()`)
  await go(bare)
  assert.deepEqual(await bare.run(`[licet.granted('statistics'), licet.track('Late'), licet.anonymousId()]`), [false, false, null])
  await sleep(600)
  assert.equal(await batches(bare), 0)
  assert.ok(!(await bare.run('JSON.stringify(localStorage)')).includes('device'))
}))

// ---- the script does not come ----

test('where an extension stops the script the page works: calls wait, its buttons throw nothing, a form is sent', async () => {
  shop.site.head = '<script nonce="n1">window.licet = window.licet || []; licet.push(l => l.track("Seen")); licet.push(() => { window.ran = true })</script>'
  shop.site.body = `<form id="f" action="/thanks" data-licet-form><input name="email" data-licet-subject="email" value="x@visitor.example"><input type="checkbox" name="news" checked data-licet-preference="newsletter"><button>Subscribe</button></form>
<button id="p" data-licet-open>Privacy</button><a id="a" href="#x" data-licet-track="Followed">here</a><script type="text/plain" data-licet-purpose="statistics" src="/third-a.js"></script>`
  const me = await shop.visitor()
  await me.context.route(`${licet.url}/**`, r => r.abort('blockedbyclient'))
  await me.open()
  shop.site.head = ''
  await me.page.click('#p')
  await me.page.click('#a')
  await me.page.evaluate(() => window.licet.push(l => l.page()))
  assert.equal(await me.page.evaluate(() => window.ran), undefined)
  await Promise.all([me.page.waitForURL('**/thanks?email=x%40visitor.example&news=on'), me.page.click('#f button')])
  shop.site.body = ''
  assert.deepEqual(me.faults.filter(f => !f.includes('ERR_BLOCKED_BY_CLIENT')), [])
  assert.deepEqual(me.asked.filter(url => url.includes('third')), [], 'and nothing runs that waits for a consent')
})

test('where licet takes the request and never answers, the page is read and painted without waiting', async () => {
  shop.site.body = '<a id="a" href="/next">Next</a><script nonce="n1">window.ran = true</script>'
  const me = await shop.visitor()
  await me.context.route(`${licet.url}/**`, () => {})
  await me.page.goto(`${shop.site.url}/`, { waitUntil: 'domcontentloaded' })
  await until(() => me.page.evaluate(() => performance.getEntriesByName('first-contentful-paint').length), 'the first paint')
  assert.equal(await me.page.evaluate(() => window.ran), true)
  await Promise.all([me.page.waitForURL('**/next', { waitUntil: 'domcontentloaded' }), me.page.click('#a')])
  shop.site.body = ''
  assert.deepEqual(me.faults, [])
})

test('where an extension stops what the script asks, a form is sent, and nothing is granted', async () => {
  shop.site.body = '<form id="f" action="/thanks" data-licet-form><input name="email" data-licet-subject="email" value="x@visitor.example"><input type="checkbox" name="news" checked data-licet-preference="newsletter"><button>Subscribe</button></form>'
  const me = await shop.visitor()
  await me.context.route(url => url.origin === licet.url && !url.pathname.endsWith('.js'), r => r.abort('blockedbyclient'))
  await me.page.goto(`${shop.site.url}/`)
  assert.deepEqual(await me.page.evaluate(() => [window.licet.granted('statistics'), window.licet.track('x'), window.licet.state()]), [false, false, {}])
  await Promise.all([me.page.waitForURL('**/thanks?**'), me.page.click('#f button')])
  shop.site.body = ''
  assert.ok(me.faults.every(f => /ERR_BLOCKED_BY_CLIENT|Failed to fetch/.test(f)), me.faults.join())
})
