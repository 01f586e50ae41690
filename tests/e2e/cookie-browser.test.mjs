// banner.cookie: this browser's id for the site's own server, only while it may be there.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openShop } from './banner-house.mjs'
import { until } from './daemon.mjs'

const DAY = 864e5
let shop
before(async () => {
  const cookie = { name: 'licet_id', lifetime: '30d' }
  shop = await openShop({ change: c => ({ ...c, banner: { ...c.banner, cookie } }) })
})
after(() => shop?.stop())

const granted = page => page.evaluate(() => window.licet.ready.then(() => window.licet.granted('statistics')))
const cookies = me => me.context.cookies()
const accepted = async () => {
  const me = await shop.visitor()
  await me.open()
  await me.press('accept')
  await until(() => granted(me.page), 'the grant')
  return me
}

test('no cookie before a choice, nor after a refusal or a grant that no event rests on', async () => {
  const me = await shop.visitor()
  await me.open()
  assert.deepEqual(await cookies(me), [])
  await me.press('decline')
  await me.page.evaluate(() => window.licet.flush())
  assert.deepEqual(await cookies(me), [])
  await me.page.evaluate(() => (window.licet.choose({ recording: true }), window.licet.when('recording')))
  await me.open('/next')
  assert.deepEqual(await cookies(me), [])
})

test('after a grant it has the id that events have, for the time configured, which no visit prolongs', async () => {
  const me = await accepted()
  const [cookie, ...more] = await cookies(me)
  assert.deepEqual(more, [])
  assert.deepEqual([cookie.name, cookie.path, cookie.sameSite, cookie.domain], ['licet_id', '/', 'Lax', '127.0.0.1'])
  assert.equal(cookie.value, await me.page.evaluate(() => window.licet.anonymousId()))
  const left = cookie.expires * 1000 - Date.now()
  assert.ok(left > 28 * DAY && left <= 30 * DAY, `${left / DAY} days`)
  await me.page.clock.setFixedTime(Date.now() + 10 * DAY)
  await me.open('/later')
  assert.ok(await granted(me.page))
  assert.equal((await cookies(me))[0].expires, cookie.expires)
  await me.page.clock.setFixedTime(Date.now() + 31 * DAY)
  await me.open('/much-later')
  assert.ok(await granted(me.page), 'the grant lives longer')
  assert.deepEqual(await cookies(me), [])
})

test('a withdrawal takes it away at once, in this tab and in another, also without a line', async () => {
  const me = await accepted()
  const other = me.watch(await me.context.newPage())
  await me.open('/other', other)
  assert.equal((await cookies(me)).length, 1)
  await me.context.route('**/public/consent', r => r.abort('internetdisconnected'))
  await other.evaluate(() => void window.licet.withdraw('statistics', 'adverts'))
  assert.deepEqual(await cookies(me), [])
  await me.open('/next')
  assert.deepEqual(await cookies(me), [])
})

test('the page works where cookies are blocked', async () => {
  const me = await shop.visitor()
  await me.page.addInitScript(() => Object.defineProperty(Document.prototype, 'cookie', { get() { throw new DOMException('no', 'SecurityError') }, set() { throw new DOMException('no', 'SecurityError') } }))
  await me.open()
  await me.press('accept')
  await until(() => granted(me.page), 'the grant')
  assert.deepEqual([await cookies(me), me.faults], [[], []])
})
