// What the browser's script does beside showing: acts on their way, events, other scripts.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { granted, openShop, SECRET, settled } from './banner-house.mjs'
import { sleep, until } from './daemon.mjs'
import { arrivals } from './fixture.mjs'

let shop, licet
before(async () => {
  shop = await openShop()
  licet = shop.house.licet
})
after(() => shop?.stop())

const kept = async me => JSON.parse((await me.stored()).local.licet ?? 'null')
const recorded = async id => (await licet.api('GET', `/consent?subject_id=${id}&limit=100`)).json
const accepted = async (options, path) => {
  const me = await shop.visitor(options)
  await me.open(path)
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants')
  me.device = (await kept(me)).device
  return me
}
const CONSENT = '**/public/consent'

// ---- acts on their way ----

test('an attempt that hangs is given up after half a minute, and goes again', async () => {
  const me = await shop.visitor()
  await me.context.addInitScript(() => { // the half minute in a second
    const real = AbortSignal.timeout
    AbortSignal.timeout = ms => (window.patience = ms, real.call(AbortSignal, ms / 30))
  })
  let attempts = 0
  await me.context.route(CONSENT, r => (attempts++ ? r.continue() : undefined))
  await me.open()
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants', 15_000)
  assert.equal(await me.page.evaluate(() => window.patience), 30_000)
  assert.equal(attempts, 2)
  assert.equal(new Set(me.keys).size, 1, 'under the same key')
})

test('offline a choice is kept, is not asked again, permits nothing yet, and is sent once when the line is back', async () => {
  const me = await shop.visitor()
  await me.context.route(CONSENT, r => r.abort('internetdisconnected'))
  await me.open()
  await me.press('accept')
  await settled(me.page)
  assert.deepEqual(await granted(me.page), [], 'nothing is permitted that licet does not know of')
  assert.ok(Object.keys((await me.stored()).local).some(key => key.startsWith('licet.act.')))
  await me.open('/next')
  assert.ok(await me.card.isHidden())
  assert.deepEqual(me.events, [])
  await me.press('opener')
  assert.ok(await me.dialog.getByText('Counts once you are online again').first().isVisible())
  await me.context.unroute(CONSENT)
  await me.page.evaluate(() => dispatchEvent(new Event('online')))
  await until(async () => (await granted(me.page)).length === 2, 'the grants')
  await until(() => me.events.length === 1, 'the page view')
  assert.equal(new Set(me.keys).size, 1, 'every attempt has the same Idempotency-Key')
  assert.equal(new Set(me.acts.map(a => JSON.stringify(a))).size, 1, 'and the same body')
  const { device } = await kept(me)
  assert.equal((await recorded(device)).length, 1)
  assert.deepEqual(Object.keys((await me.stored()).local), ['licet'], 'nothing is left in the queue')
})

test('an act whose answer is lost is recorded once, and the browser knows its device', async () => {
  const me = await shop.visitor()
  let lost = 0
  await me.context.route(CONSENT, async r => {
    if (r.request().method() !== 'POST' || lost++) return r.continue()
    await r.fetch() // it has come; the answer does not
    await r.abort('connectionreset')
  })
  await me.open()
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants', 15_000)
  assert.equal(lost, 2)
  assert.equal(new Set(me.keys).size, 1)
  const { device } = await kept(me)
  assert.equal((await recorded(device)).length, 1)
  const verdict = await licet.verdicts({ type: 'track', event: 'Seen', anonymousId: device, messageId: `lost-${device}` })
  assert.equal(verdict.warehouse, 'permitted')
  // the token was handed out once and is lost: a withdrawal still reaches this device
  await me.page.evaluate(() => window.licet.withdraw())
  await settled(me.page)
  const after = await licet.verdicts({ type: 'track', event: 'Seen', anonymousId: device, messageId: `lost-2-${device}` })
  assert.equal(after.warehouse, 'withdrawn')
})

test('a withdrawal without a line is obeyed at once, and reaches licet with the next page', async () => {
  const me = await accepted()
  await me.context.route(CONSENT, r => r.abort('internetdisconnected'))
  await me.press('opener')
  await me.press('decline')
  assert.deepEqual(await granted(me.page), [])
  assert.equal((await kept(me)).device, undefined)
  const sent = me.events.length
  await me.page.evaluate(() => window.licet.track('Late'))
  await me.context.unroute(CONSENT)
  await me.open('/next')
  await settled(me.page)
  const verdict = await licet.verdicts({ type: 'track', event: 'Late', anonymousId: me.device, messageId: `line-${me.device}` })
  assert.equal(verdict.warehouse, 'withdrawn')
  await sleep(500)
  assert.equal(me.events.length, sent)
  assert.ok(!JSON.stringify(await me.stored()).includes(me.device))
})

test('a withdrawal that is turned away at the door is kept, and arrives later', async () => {
  const me = await accepted()
  await me.context.route(CONSENT, r => (r.request().method() === 'POST'
    ? r.fulfill({ status: 403, headers: { 'Access-Control-Allow-Origin': '*' }, contentType: 'application/json', body: '{"message":"Invalid authentication credentials"}' }) : r.continue()))
  await me.press('opener')
  await me.press('decline')
  await settled(me.page)
  await me.context.unroute(CONSENT)
  await me.open('/next')
  await settled(me.page)
  const verdict = await licet.verdicts({ type: 'track', event: 'Late', anonymousId: me.device, messageId: `door-${me.device}` })
  assert.equal(verdict.warehouse, 'withdrawn')
})

test('a withdrawal does not need the policy', async () => {
  const me = await accepted()
  await me.context.route('**/sdk/policy*', r => r.abort('connectionrefused'))
  await me.open('/next')
  assert.equal(await me.page.locator('licet-consent').count(), 0)
  await me.page.evaluate(() => window.licet.withdraw())
  await settled(me.page)
  const verdict = await licet.verdicts({ type: 'track', event: 'Late', anonymousId: me.device, messageId: `policy-${me.device}` })
  assert.deepEqual([verdict.warehouse, verdict.crm], ['withdrawn', 'withdrawn'])
  assert.ok(!JSON.stringify(await me.stored()).includes(me.device))
})

test('the line is back while an attempt hangs: the next one does not wait', async () => {
  const me = await shop.visitor()
  const held = []
  await me.context.route(CONSENT, r => (r.request().method() === 'POST' && held.length === 0 ? held.push(r) : r.continue()))
  await me.open()
  await me.press('accept')
  await until(() => held.length === 1, 'the first attempt')
  const sent = settled(me.page)
  await until(() => me.page.evaluate(() => true), 'the page to have asked')
  await held[0].abort('internetdisconnected')
  await sent
  assert.equal((await granted(me.page)).length, 2)
  assert.equal(new Set(me.keys).size, 1)
})

test('granted and withdrawn while offline: both are recorded, in this order, of one device', async () => {
  const me = await shop.visitor()
  await me.context.addInitScript(() => { // while a route ends, playwright misses what is asked and answered
    const real = window.fetch
    window.answers = []
    window.fetch = async (...how) => {
      const answer = await real(...how)
      if (how[0].endsWith('/public/consent')) window.answers.push(await answer.clone().json())
      return answer
    }
  })
  await me.context.route(CONSENT, r => r.abort('internetdisconnected'))
  await me.open()
  await me.press('accept')
  await me.press('opener')
  await me.press('decline')
  await me.context.unroute(CONSENT)
  await me.page.evaluate(() => dispatchEvent(new Event('online')))
  await settled(me.page)
  const answers = await me.page.evaluate(() => window.answers)
  assert.equal(answers.length, 2)
  assert.equal(answers[0].subject_id, answers[1].subject_id)
  const acts = await recorded(answers[0].subject_id)
  assert.deepEqual(acts.map(a => a.preferences.statistics), [false, true], 'newest first')
  assert.deepEqual(await granted(me.page), [])
  assert.ok(!JSON.stringify(await me.stored()).includes(answers[0].subject_id))
})

test('two tabs: what is chosen in one counts in the other, at once', async () => {
  const me = await shop.visitor()
  const other = me.watch(await me.context.newPage())
  await me.open()
  await me.open('/other', other)
  const card = other.locator('licet-consent .card')
  await card.waitFor()
  await me.press('accept')
  await until(async () => (await granted(other)).length === 2, 'the grants in the other tab')
  assert.ok(await card.isHidden(), 'its banner closes')
  await until(() => me.events.length === 2, 'both pages')
  assert.deepEqual(me.events.map(e => e.context.page.path).sort(), ['/', '/other'])
  assert.equal(me.acts.length, 1)
  await me.press('opener', other)
  await me.press('decline', other)
  await until(async () => (await granted(me.page)).length === 0, 'the withdrawal in the first tab')
  assert.equal(await me.page.evaluate(() => window.licet.track('Late')), false)
  assert.deepEqual(me.faults, [])
})

test('two tabs: choices that stand open in one follow what is chosen in the other, but for a switch that she has moved', async () => {
  const me = await accepted()
  const other = me.watch(await me.context.newPage())
  await me.open('/other', other)
  await me.press('opener')
  const named = name => me.dialog.getByRole('switch', { name })
  await named(/Recording/).check()
  await other.evaluate(() => window.licet.choose({ statistics: false, recording: false }, { form: 'The page\'s own' }))
  await until(async () => !(await named(/Statistics/).isChecked()), 'the switch to follow')
  await me.dialog.locator('[data-purpose=statistics]').getByText(/^Declined on|^Withdrawn/).waitFor()
  assert.ok(await named(/advertisement/).isChecked())
  assert.ok(await named(/Recording/).isChecked(), 'what she has moved')
  await me.press('save')
  await until(async () => (await granted(me.page)).join() === 'adverts,recording', 'what she saw')
  assert.deepEqual(me.faults, [])
})

test('two tabs that come back at the same time send what waits once', async () => {
  const me = await shop.visitor()
  await me.context.route(CONSENT, r => r.abort('internetdisconnected'))
  await me.open()
  await me.press('accept')
  await settled(me.page)
  await me.context.unroute(CONSENT)
  me.keys.length = 0
  const other = await me.context.newPage()
  await Promise.all([me.open('/a'), me.open('/b', other)])
  await until(async () => (await granted(other)).length === 2, 'the grants')
  assert.equal(me.keys.length, 1)
})

test('a full storage loses no choice: it is sent at once, and counts on this page', async () => {
  const me = await shop.visitor()
  await me.context.addInitScript(() => {
    Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }
  })
  await me.open()
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants')
  assert.equal(me.acts.length, 1)
  await until(() => me.events.length === 1, 'the page view')
  await me.press('opener')
  await me.press('decline')
  await settled(me.page)
  assert.deepEqual([(await granted(me.page)).length, me.acts.length], [0, 2])
  assert.deepEqual(me.faults, [])
})

test('a storage that is full when she withdraws lets the withdrawal be kept all the same', async () => {
  const me = await accepted()
  await me.context.route(CONSENT, r => r.abort('internetdisconnected'))
  await me.page.evaluate(() => {
    const fill = size => {
      for (let n = 0; ; n++) {
        try {
          localStorage.setItem(`fill-${size}-${n}`, 'x'.repeat(size))
        } catch {
          return
        }
      }
    }
    for (const size of [1 << 20, 1 << 14, 1 << 10]) fill(size)
  })
  await me.page.evaluate(() => window.licet.withdraw())
  await settled(me.page)
  await me.context.unroute(CONSENT)
  await me.open('/next')
  await settled(me.page)
  const verdict = await licet.verdicts({ type: 'track', event: 'Late', anonymousId: me.device, messageId: `full-${me.device}` })
  assert.equal(verdict.warehouse, 'withdrawn')
})

test('where the browser keeps nothing she is not asked on every page, and what she chooses by hand counts on its page', async () => {
  const me = await shop.visitor()
  await me.context.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get() { throw new DOMException('blocked', 'SecurityError') } })
    Object.defineProperty(Document.prototype, 'cookie', { get() { throw new DOMException('blocked', 'SecurityError') }, set() { throw new DOMException('blocked', 'SecurityError') } })
  })
  await me.open()
  await me.page.locator('licet-consent .opener').waitFor()
  assert.ok(await me.card.isHidden())
  await me.press('opener')
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants')
  await me.open('/next')
  await me.page.locator('licet-consent .opener').waitFor()
  assert.deepEqual([await granted(me.page), await me.card.isHidden()], [[], true])
  assert.deepEqual(me.faults, [])
})

for (const days of [1, -1]) {
  test(`a clock that is wrong by ${days} day: the choice is taken, events are dated rightly, and nothing is asked again`, async () => {
    const me = await shop.visitor()
    const wrong = Date.now() + days * 864e5
    await me.page.clock.setFixedTime(wrong)
    await me.open()
    await me.press('accept')
    await until(async () => (await granted(me.page)).length === 2, 'the grants')
    const { device } = await kept(me)
    const [act] = await recorded(device)
    assert.ok(Math.abs(Date.parse(act.timestamp) - Date.now()) < 60_000)
    await me.page.evaluate(() => window.licet.track('Dated'))
    await me.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    await me.page.evaluate(() => dispatchEvent(new Event('pagehide')))
    await until(() => me.events.some(e => e.event === 'Dated'), 'the event')
    await me.page.clock.setFixedTime(Date.now())
    await me.open('/next')
    assert.ok(await me.card.isHidden())
    assert.deepEqual(await granted(me.page), ['statistics', 'adverts'])
  })
}

for (const days of [1, -1]) {
  test(`a clock that is wrong by ${days} day: a grant ends, and a refusal is asked about again, at most a day off, and a withdrawal arrives`, async () => {
    const me = await accepted()
    const at = n => me.page.clock.setFixedTime(Date.now() + (n + days) * 864e5)
    const look = async n => {
      await at(n)
      await me.open('/next')
      return [(await granted(me.page)).length, await me.card.isVisible()]
    }
    assert.deepEqual(await look(364 - days), [2, false])
    assert.deepEqual(await look(365 - days), [0, true], 'when this clock says so')
    await at(0)
    await me.open('/again')
    await me.press('accept')
    await until(async () => (await granted(me.page)).length === 2, 'the new grants')
    const { device } = await kept(me)
    await me.page.evaluate(() => window.licet.withdraw()) // by the token
    await settled(me.page)
    const verdict = await licet.verdicts({ type: 'track', event: 'Late', anonymousId: device, messageId: `wrong-${device}` })
    assert.deepEqual([verdict.warehouse, verdict.crm], ['withdrawn', 'withdrawn'])
    assert.deepEqual(await look(180 - days), [0, false]) // the clock is mended
    assert.deepEqual(await look(183 - days), [0, true])
  })
}

test('what was granted under a clock a day ahead does not outlive its time by more than that day', async () => {
  const me = await shop.visitor()
  await me.page.clock.setFixedTime(Date.now() + 864e5)
  await me.open()
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants')
  for (const [day, many] of [[365, 2], [366, 0]]) {
    await me.page.clock.setFixedTime(Date.now() + day * 864e5)
    await me.open('/next')
    assert.equal((await granted(me.page)).length, many, `day ${day}`)
  }
})

test('what licet does not take is not granted: she is told, and asked again', async () => {
  const me = await shop.visitor()
  await me.context.route(CONSENT, r => (r.request().method() === 'POST'
    ? r.fulfill({ status: 400, headers: { 'Access-Control-Allow-Origin': '*' }, contentType: 'application/json', body: '{"message":"no","field":"subject"}' }) : r.continue()))
  await me.open()
  await me.press('accept')
  await me.card.getByText('This could not be recorded').waitFor()
  assert.deepEqual(await granted(me.page), [])
  assert.deepEqual((await me.stored()).local, {}, 'and nothing is kept')
})

test('what licet does not take of a question or of the choices is told where the banner has nothing to ask', async () => {
  const me = await shop.visitor()
  await me.open()
  await me.press('decline')
  await settled(me.page)
  await me.context.route(CONSENT, r => (r.request().method() === 'POST'
    ? r.fulfill({ status: 400, headers: { 'Access-Control-Allow-Origin': '*' }, contentType: 'application/json', body: '{"message":"no","field":"subject"}' }) : r.continue()))
  await me.page.evaluate(() => window.licet.choose({ recording: true }, { form: 'The page\'s own' }))
  await settled(me.page)
  await sleep(100)
  assert.ok(await me.dialog.isHidden(), 'what the page did by itself is told to nobody')
  await me.page.evaluate(() => void window.licet.ask('recording', { again: true }).then(answer => { window.answer = answer }))
  await me.press('accept')
  await me.dialog.getByText('This could not be recorded').waitFor()
  assert.equal(await me.page.evaluate(() => window.answer), false)
  assert.equal(await me.dialog.getByRole('switch', { name: /Recording/ }).isChecked(), false)
  await me.context.unroute(CONSENT)
  await me.dialog.getByRole('switch', { name: /Recording/ }).check()
  await me.press('save')
  await until(async () => (await granted(me.page)).join() === 'recording', 'the grant')
  await me.press('opener')
  assert.equal(await me.dialog.getByText('This could not be recorded').count(), 0)
})

test('while licet is busy it is asked again, after a while', async () => {
  const me = await shop.visitor()
  let n = 0
  await me.context.route(CONSENT, r => (r.request().method() === 'POST' && n++ === 0
    ? r.fulfill({ status: 503, headers: { 'Access-Control-Allow-Origin': '*' }, contentType: 'application/json', body: '{}' }) : r.continue()))
  await me.open()
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants', 15_000)
  assert.equal(new Set(me.keys).size, 1)
})

test('a key that is not for this page shows no banner, sends nothing, and says why', async () => {
  const me = await shop.visitor()
  await me.context.route('**/sdk/policy*', r => r.continue({ url: r.request().url().replace(/key=[^&]*/, 'key=wrong-key-0123456789') }))
  await me.open()
  assert.equal(await me.page.locator('licet-consent').count(), 0)
  assert.ok(me.faults.some(f => f.includes('no policy: 401')), me.faults.join())
  assert.deepEqual(me.acts, [])
})

test('where something else answers in licet\'s place, calls do nothing, a form is sent, nothing is thrown, and it is asked again', async () => {
  shop.site.body = '<form id="f" action="/thanks" data-licet-form><input name="email" data-licet-subject="email" value="x@visitor.example"><button>Subscribe</button></form>'
  for (const [contentType, body] of [['text/html', '<!doctype html><h1>Log in to the network</h1>'], ['application/json', 'null'], ['application/json', '[]']]) {
    const me = await shop.visitor()
    await me.context.route(url => url.origin === licet.url && !url.pathname.endsWith('.js'), r => r.fulfill({ headers: { 'Access-Control-Allow-Origin': '*' }, contentType, body }))
    await me.open()
    assert.deepEqual(await me.page.evaluate(() => [window.licet.granted('statistics'), window.licet.track('x'), window.licet.state(), window.licet.policy()]), [false, false, {}, null])
    await Promise.all([me.page.waitForURL('**/thanks?**'), me.page.click('#f button')])
    assert.ok(me.faults.length && me.faults.every(f => f.startsWith('licet: no policy: 200')), me.faults.join())
    await me.context.unrouteAll()
    await me.page.evaluate(() => void dispatchEvent(new Event('online')))
    await until(() => me.page.evaluate(() => window.licet.policy()), 'the policy, once licet answers itself')
  }
  shop.site.body = ''
})

test('a choice that another tab has just made is not undone by one that is made here before the tab hears of it', async () => {
  const me = await accepted()
  const other = me.watch(await me.context.newPage())
  await other.addInitScript(() => addEventListener('storage', e => e.stopImmediatePropagation(), true))
  await me.open('/other', other)
  await until(async () => (await granted(other)).length === 2, 'the grants in the other tab')
  await me.page.evaluate(() => window.licet.withdraw('statistics'))
  // storage comes to another process in a while; only its event is held back here
  await until(() => other.evaluate(() => !JSON.parse(localStorage.licet).choices.statistics.on), 'the withdrawal in what both keep')
  await other.evaluate(() => window.licet.choose({ recording: true }, { form: 'Our words' }))
  await settled(other)
  await until(async () => (await granted(me.page)).join() === 'adverts,recording', 'both grants')
  assert.equal((await kept(me)).choices.statistics.on, 0)
})

test('a withdrawal that the storage does not take leaves no grant behind in it', async () => {
  const me = await accepted()
  await me.page.evaluate(() => {
    const real = Storage.prototype.setItem
    Storage.prototype.setItem = function (key, text) {
      if (key === 'licet') throw new DOMException('full', 'QuotaExceededError')
      real.call(this, key, text)
    }
  })
  await me.page.evaluate(() => window.licet.withdraw('statistics'))
  await settled(me.page)
  assert.deepEqual(await granted(me.page), ['adverts'])
  await me.open('/next')
  assert.deepEqual(await granted(me.page), [], 'what is not known any more is no grant')
})

test('a person\'s grant that arrives before the policy is there is not taken for this browser\'s', async () => {
  const me = await accepted()
  const id = `person-early-${me.device}`
  const token = createHmac('sha256', SECRET).update(id).digest('hex')
  await me.context.route(CONSENT, r => r.abort('internetdisconnected'))
  await me.page.evaluate(([id, token]) => window.licet.identify(id, {}, { token }), [id, token])
  await me.page.evaluate(() => window.licet.choose({ linking: true }, { form: 'Our words' }))
  await settled(me.page)
  await me.context.unroute(CONSENT)
  const held = []
  await me.context.route('**/sdk/policy*', r => void held.push(r))
  await me.page.goto(`${shop.site.url}/next`)
  await until(async () => (await recorded(id)).length === 1, 'the consent')
  await until(() => me.page.evaluate(() => Object.keys(localStorage).length === 1), 'its answer')
  await held[0].continue()
  await me.page.evaluate(() => window.licet.ready)
  assert.equal((await kept(me)).device, me.device)
  assert.equal(await me.page.evaluate(() => window.licet.anonymousId()), me.device)
})

// ---- what pages do wrong ----

test('a call before the script is there that throws keeps neither the next nor the banner from coming', async () => {
  const me = await shop.visitor()
  shop.site.head = '<script nonce="n1">window.licet = []; licet.push(() => { throw new Error("the page\'s own") }); licet.push(() => { window.second = true })</script>'
  await me.open()
  shop.site.head = ''
  await me.card.waitFor()
  assert.equal(await me.page.evaluate(() => window.second), true)
  assert.deepEqual(me.faults, ['the page failed: the page\'s own'], 'and it shows as what it is')
})

test('what a page throws when it hears of a choice keeps nobody else from hearing, nor a script from being unloaded', async () => {
  shop.site.body = '<script type="text/plain" data-licet-purpose="statistics" src="/third-a.js"></script>'
  const me = await accepted()
  await until(() => me.page.evaluate(() => window.third?.length), 'the script')
  shop.site.body = ''
  await me.page.evaluate(() => {
    window.licet.onChange(() => { throw new Error('the page\'s own') })
    window.licet.onChange(() => sessionStorage.setItem('heard', '1'))
  })
  await me.press('opener')
  await Promise.all([me.page.waitForEvent('load'), me.press('decline')])
  assert.equal(await me.page.evaluate(() => sessionStorage.getItem('heard')), '1')
  assert.deepEqual(await granted(me.page), [])
})

test('identify() without an id is nobody', async () => {
  const me = await accepted()
  await me.page.evaluate(() => window.licet.identify(null))
  assert.equal(await me.page.evaluate(() => window.licet.ask('linking')), false)
  assert.ok(me.faults.some(f => f.includes('call licet.identify first')), me.faults.join())
})

test('who has signed out sees what she granted for herself here, and can withdraw it without signing in', async () => {
  for (const how of ['decline', 'save']) {
    const me = await accepted()
    const id = `person-left-${me.device}`
    const permitted = async () => (await licet.api('GET', `/v1/permissions/${id}`)).json.purposes.find(p => p.id === 'linking').state
    await me.page.evaluate(([id, token]) => window.licet.identify(id, {}, { token }), [id, createHmac('sha256', SECRET).update(id).digest('hex')])
    await me.page.evaluate(() => void window.licet.ask('linking'))
    await me.dialog.getByRole('button', { name: 'I agree' }).click()
    await settled(me.page)
    assert.equal(await permitted(), 'permitted')
    await me.open('/next') // the site does not say who she is
    await me.press('opener')
    await me.press('save') // nothing was moved
    await settled(me.page)
    assert.equal(await permitted(), 'permitted')
    await me.press('opener')
    const linking = me.dialog.getByRole('switch', { name: /Linking/ })
    assert.ok(await linking.isChecked())
    if (how === 'save') await linking.uncheck()
    await me.press(how)
    await settled(me.page)
    assert.notEqual(await permitted(), 'permitted')
    assert.deepEqual(me.acts.findLast(a => 'linking' in a.preferences).subject, { id })
    assert.ok(!JSON.stringify(await me.stored()).includes(id), 'and nothing of her stays here')
    await me.press('opener')
    assert.equal(await linking.count(), 0)
    assert.deepEqual(me.faults, [])
  }
})

// ---- what pages open ----

test('open() and ask() work as soon as they can be called: before the script is there, and before the page has a body', async () => {
  const wish = call => `<script nonce="n1">window.licet = window.licet || []; licet.push(l => l.${call}); licet.push(l => l.ready.then(() => l.${call}))</script>`
  for (const [call, title] of [['open()', 'Privacy choices'], ['ask("recording")', 'Recording how you use the pages']]) {
    for (const late of [false, true]) {
      const me = await shop.visitor()
      Object.assign(shop.site, { head: wish(call), tag: `async${late ? '></script><script src="/third-late.js"' : ''}` })
      const held = []
      if (late) await me.page.route('**/third-late.js', r => void held.push(r))
      const loaded = me.page.goto(shop.site.url)
      if (late) {
        await until(() => held.length && me.page.evaluate(() => !!window.licet?.policy?.()), 'the policy')
        await held[0].continue()
      }
      await loaded
      Object.assign(shop.site, { head: '', tag: 'async' })
      await me.page.getByRole('dialog', { name: title }).waitFor()
      await me.press('close')
      assert.deepEqual(me.faults, [])
    }
  }
})

test('questions that a page asks at once are asked one after the other, each once, and each is answered', async () => {
  const me = await shop.visitor()
  await me.open()
  await me.press('decline')
  await me.page.evaluate(() => {
    window.answers = []
    window.licet.identify('u-turns', {}, { token: 'x' })
    for (const id of ['recording', 'linking', 'recording']) window.licet.ask(id).then(answer => window.answers.push([id, answer]))
  })
  await me.dialog.getByRole('heading', { name: 'Recording how you use the pages' }).waitFor()
  await me.dialog.getByRole('button', { name: 'I agree' }).click()
  await me.dialog.getByRole('heading', { name: 'Linking your visits with your account' }).waitFor()
  await me.dialog.getByRole('button', { name: 'I do not agree' }).click()
  await until(() => me.page.evaluate(() => window.answers.length === 3), 'the answers')
  assert.deepEqual(await me.page.evaluate(() => window.answers), [['recording', true], ['recording', true], ['linking', false]])
  await settled(me.page)
  assert.ok(await me.dialog.isHidden())
  assert.deepEqual(me.acts.slice(1).map(a => a.preferences), [{ recording: true }, { linking: false }])
})

test('a question does not take the place of the choices that she has open', async () => {
  const me = await shop.visitor()
  await me.open()
  await me.press('decline')
  await me.press('opener')
  await me.page.evaluate(() => void window.licet.ask('recording').then(answer => { window.answer = answer }))
  await me.dialog.getByRole('switch', { name: 'Statistics of the shop' }).check()
  await me.press('save')
  await me.dialog.getByRole('heading', { name: 'Recording how you use the pages' }).waitFor()
  await me.press('decline')
  await until(async () => await me.page.evaluate(() => window.answer) === false, 'the answer')
  await until(async () => (await granted(me.page)).join() === 'statistics', 'what she saved')
})

test('what a page opens when it hears of a choice stays open, and waits for its answer', async () => {
  const me = await accepted()
  await me.page.evaluate(() => window.licet.onChange(e => e.granted.statistics || window.licet.ask('recording', { again: true }).then(answer => { window.answer = answer })))
  await me.press('opener')
  await me.press('decline')
  await me.dialog.getByRole('heading', { name: 'Recording how you use the pages' }).waitFor()
  await sleep(100)
  assert.ok(await me.dialog.isVisible())
  assert.equal(await me.page.evaluate(() => window.answer), undefined)
  await me.press('accept')
  await until(() => me.page.evaluate(() => window.answer), 'the answer')
  await me.page.evaluate(() => {
    window.licet.open()
    setTimeout(() => {
      document.querySelector('licet-consent').shadowRoot.querySelector('dialog [data-licet=close]').click()
      window.licet.open()
    }, 50)
  })
  await sleep(300)
  assert.ok(await me.dialog.getByRole('heading', { name: 'Privacy choices' }).isVisible(), 'closed and opened in one go it is open')
})

// ---- events ----

test('page views of a page that changes its address without loading, with the referrer of each', async () => {
  const me = await accepted({}, '/one?utm_source=letter')
  await until(() => me.events.length === 1, 'the first')
  await me.page.evaluate(() => {
    history.pushState({}, '', '/two')
    document.title = 'Two'
  })
  await until(() => me.events.length === 2, 'the second')
  await me.page.evaluate(() => history.replaceState({}, '', '/two#part'))
  await me.page.evaluate(() => history.back())
  await until(() => me.events.length === 3, 'the third')
  const told = me.events.map(e => [e.type, e.context.page.path, new URL(e.properties.referrer || 'http://none/').pathname, e.context.page.title])
  assert.deepEqual(told, [['page', '/one', '/', 'Blatt & Halm'], ['page', '/two', '/one', 'Two'], ['page', '/one', '/two', 'Two']])
  assert.equal(new Set(me.events.map(e => e.messageId)).size, 3)
  await arrivals(shop.house.receiver, 1, a => a.event.context?.page?.path === '/two')
})

test('a router that corrects the address at once is one page view, of the address that stays', async () => {
  const me = await accepted({}, '/one')
  await until(() => me.events.length === 1, 'the first')
  await me.page.evaluate(() => {
    history.pushState({}, '', '/two')
    history.replaceState({}, '', '/two?tab=1')
  })
  await until(() => me.events.length > 1, 'the second')
  await sleep(600)
  assert.deepEqual(me.events.map(e => e.context.page.path + e.context.page.search), ['/one', '/two?tab=1'])
})

test('events of links and forms by attributes, never what was typed; what happens as she leaves arrives', async () => {
  shop.site.body = `<a id="l" href="/file.pdf?secret=1" data-licet-track="Downloaded" data-licet-prop-file="a.pdf">file</a>
<form id="f" action="/sent" data-licet-track="Signed Up" data-licet-prop-plan="gold"><input name="email" value="ada@visitor.example"><button>go</button></form><button id="b" type="button">nothing</button>`
  const me = await accepted()
  shop.site.body = ''
  await me.page.click('#b')
  await me.page.evaluate(() => {
    const stay = e => e.preventDefault()
    document.getElementById('l').addEventListener('click', stay, { once: true })
    addEventListener('submit', stay, { once: true })
  })
  await me.page.click('#f button')
  await me.page.evaluate(() => document.getElementById('l').click())
  await until(() => me.events.filter(e => e.type === 'track').length === 2, 'both')
  const tracked = me.events.filter(e => e.type === 'track')
  assert.deepEqual(tracked.map(e => [e.event, e.properties]), [
    ['Signed Up', { plan: 'gold' }], ['Downloaded', { file: 'a.pdf', href: `${shop.site.url}/file.pdf` }]])
  assert.ok(!JSON.stringify(tracked.map(e => e.properties)).includes('ada@'))
  const [came] = await arrivals(shop.house.receiver, 1, a => a.destination === 'warehouse' && a.event.event === 'Signed Up')
  assert.deepEqual(came.event.properties, { plan: 'gold' })
  await me.page.click('#l')
  await me.page.waitForURL('**/file.pdf*')
  await arrivals(shop.house.receiver, 2, a => a.destination === 'warehouse' && a.event.event === 'Downloaded')
})

test('calls before a grant do nothing, then and later', async () => {
  const me = await shop.visitor()
  shop.site.head = '<script nonce="n1">window.licet = []; licet.push(l => { window.early = l.track("Early") })</script>'
  await me.open()
  shop.site.head = ''
  assert.equal(await me.page.evaluate(() => window.early), false)
  assert.deepEqual(await me.page.evaluate(() => [window.licet.page('x'), window.licet.track('y'), window.licet.identify('u1', { email: 'a@b.example' })]), [false, false, false])
  await me.press('accept')
  await until(() => me.events.length > 0, 'the page view')
  await sleep(600)
  assert.deepEqual(me.events.map(e => e.type), ['page'])
})

test('a person grants for herself with the token of the site\'s server, is known by it alone, and is forgotten when she signs out', async () => {
  const me = await accepted()
  const id = `person-${me.device}`
  const token = createHmac('sha256', SECRET).update(id).digest('hex')
  assert.equal(await me.page.evaluate(() => window.licet.ask('linking')), false, 'nobody is signed in')
  await me.page.evaluate(([id, token]) => window.licet.identify(id, {}, { token }), [id, token])
  const answer = me.page.evaluate(() => window.licet.ask('linking'))
  await me.dialog.getByRole('button', { name: 'I agree' }).click()
  assert.equal(await answer, true)
  const permissions = (await licet.api('GET', `/v1/permissions/${id}`)).json.purposes.find(p => p.id === 'linking')
  assert.equal(permissions.state, 'permitted')
  assert.deepEqual(me.acts.at(-1).subject, { id })
  await me.open('/next')
  assert.ok(!(await granted(me.page)).includes('linking'), 'not before she is signed in')
  await me.page.evaluate(([id, token]) => window.licet.identify(id, {}, { token }), [id, token])
  assert.ok((await granted(me.page)).includes('linking'))
  await me.page.evaluate(() => window.licet.reset())
  assert.ok(!(await granted(me.page)).includes('linking'))
  assert.ok(!JSON.stringify(await me.stored()).includes(id))
  await me.page.evaluate(() => window.licet.identify('somebody else', {}, { token: 'x' }))
  assert.ok(!(await granted(me.page)).includes('linking'), 'and not for somebody else')
})

// ---- other scripts ----

const SEVEN = ['ad_storage', 'ad_user_data', 'ad_personalization', 'analytics_storage', 'functionality_storage', 'personalization_storage', 'security_storage']
const layer = page => page.evaluate(() => window.dataLayer.map(e => (e.event ? e : [...e])))

test('Google\'s Consent Mode: seven signals denied before any tag, told what was chosen, and denied again', async () => {
  const me = await shop.visitor()
  Object.assign(shop.site, { tag: '', body: '<script nonce="n1">window.atTag = dataLayer.map(e => [...e])</script>' })
  await me.open()
  Object.assign(shop.site, { tag: 'async', body: '' })
  const atTag = await me.page.evaluate(() => window.atTag)
  assert.deepEqual(atTag, [['consent', 'default', { ...Object.fromEntries(SEVEN.map(s => [s, 'denied'])), wait_for_update: 500 }]])
  assert.equal((await layer(me.page)).length, 1, 'and nothing more before the choice')
  await me.press('choose')
  await me.card.getByRole('switch', { name: /Statistics/ }).check()
  await me.press('save')
  await until(async () => (await granted(me.page)).length === 1, 'the grant')
  let [update, event] = (await layer(me.page)).slice(-2)
  assert.deepEqual(update, ['consent', 'update', { ...Object.fromEntries(SEVEN.map(s => [s, 'denied'])), analytics_storage: 'granted' }])
  assert.deepEqual(event, { event: 'licet_consent', licet: { statistics: true, adverts: false, recording: false, linking: false } })
  await me.open('/next')
  update = (await layer(me.page)).findLast(e => e[1] === 'update')
  assert.equal(update[2].analytics_storage, 'granted', 'on the next page, too')
  await me.press('opener')
  await me.press('decline')
  ;[update, event] = (await layer(me.page)).slice(-2)
  assert.deepEqual(Object.values(update[2]), SEVEN.map(() => 'denied'))
  assert.equal(event.licet.statistics, false)
})

test('a page that loads Google\'s tags says the default itself, as docs/sdk.md has it, and licet says no other one', async () => {
  const docs = await readFile(new URL('../../docs/sdk.md', import.meta.url), 'utf8')
  const snippet = docs.match(/<script>\n(.*?gtag\('consent', 'default'.*?)<\/script>/s)[1]
  shop.site.head = `<script nonce="n1">${snippet}; gtag('js', new Date()); gtag('config', 'G-TEST')</script>`
  try {
    const me = await shop.visitor()
    await me.open()
    await me.press('accept')
    await until(async () => (await granted(me.page)).length === 2, 'the grants')
    const said = await layer(me.page)
    assert.deepEqual(said.map(e => e.event ?? (e[0] === 'consent' ? e[1] : e[0])), ['default', 'js', 'config', 'update', 'licet_consent'])
    assert.deepEqual(said[0][2], { ...Object.fromEntries(SEVEN.map(s => [s, 'denied'])), wait_for_update: 500 })
    assert.equal(said[3][2].analytics_storage, 'granted')
    assert.deepEqual(me.faults, [])
  } finally {
    shop.site.head = ''
  }
})

test('a refusal is told to other scripts as well, by event and by Consent Mode', async () => {
  const me = await shop.visitor()
  await me.open()
  await me.page.evaluate(() => document.addEventListener('licet:consent', e => { window.heard = e.detail }))
  await me.press('decline')
  assert.deepEqual(await me.page.evaluate(() => window.heard), { granted: { statistics: false, adverts: false, recording: false, linking: false }, changed: [] })
  assert.equal((await layer(me.page)).at(-1).event, 'licet_consent')
})

test('Clarity\'s consentv2 and HubSpot\'s consent call say what was chosen, and the withdrawal', async () => {
  const me = await accepted()
  const queues = () => me.page.evaluate(() => ({ clarity: window.clarity.q.map(a => [...a]), hubspot: window._hsp }))
  let { clarity, hubspot } = await queues()
  assert.deepEqual(clarity.at(-1), ['consentv2', { ad_Storage: 'granted', analytics_Storage: 'denied' }])
  assert.deepEqual(hubspot.at(-1), ['setHubSpotConsent', { analytics: true, advertisement: true, functionality: true }])
  await me.press('opener')
  await me.press('decline')
  ;({ clarity, hubspot } = await queues())
  assert.deepEqual(clarity.at(-1), ['consentv2', { ad_Storage: 'denied', analytics_Storage: 'denied' }])
  assert.deepEqual(hubspot.slice(-2), [['setHubSpotConsent', { analytics: false, advertisement: false, functionality: false }], ['revokeCookieConsent']])
})

test('ready and when() resolve, and onChange hears', async () => {
  const me = await shop.visitor()
  await me.open()
  assert.deepEqual(await me.page.evaluate(() => window.licet.ready), { statistics: false, adverts: false, recording: false, linking: false })
  await me.page.evaluate(() => {
    window.heard = []
    window.licet.onChange(e => window.heard.push(e.changed))
    window.licet.when('adverts').then(() => { window.adverts = true })
    window.licet.when('recording').then(() => { window.recording = true })
  })
  await me.press('accept')
  await until(() => me.page.evaluate(() => window.adverts), 'the promise')
  assert.equal(await me.page.evaluate(() => window.recording), undefined)
  assert.deepEqual((await me.page.evaluate(() => window.heard)).at(-1), ['statistics', 'adverts'])
})

test('third parties\' scripts run once every purpose they name is granted, inline ones with the page\'s nonce', async () => {
  shop.site.body = `<script type="text/plain" data-licet-purpose="statistics" src="/third-a.js"></script>
<script type="text/plain" data-licet-purpose="statistics recording" src="/third-b.js"></script>
<script type="text/plain" nonce="n1" data-licet-purpose="adverts">window.inline = true</script>
<script type="text/plain" data-licet-purpose="" src="/third-c.js"></script>`
  const me = await shop.visitor()
  await me.open()
  assert.deepEqual(me.asked.filter(url => url.includes('third')), [])
  assert.equal((await me.stored()).cookies, '')
  await me.press('accept')
  await until(() => me.page.evaluate(() => window.third?.length && window.inline), 'the scripts')
  await me.open('/next')
  await until(() => me.page.evaluate(() => window.third?.length), 'the script on the next page')
  assert.deepEqual([...new Set(me.asked.filter(url => url.includes('third')).map(url => new URL(url).pathname))], ['/third-a.js'])
  const before = me.asked.length
  await me.press('opener')
  await Promise.all([me.page.waitForEvent('load'), me.press('decline')]) // what runs is unloaded with its page
  await me.page.waitForLoadState('networkidle')
  shop.site.body = ''
  assert.deepEqual(me.asked.slice(before).filter(url => url.includes('third')), [])
  const { local, cookies } = await me.stored()
  assert.deepEqual([Object.keys(local), cookies], [['licet'], ''], 'and its cookies are gone')
  assert.deepEqual(me.faults, [])
})

test('under trusted types no script that waits runs, and all else works', async () => {
  Object.assign(shop.site, {
    head: `<meta http-equiv="Content-Security-Policy" content="require-trusted-types-for 'script'; trusted-types 'none'">`,
    body: '<script type="text/plain" data-licet-purpose="statistics" src="/third-a.js"></script>',
  })
  const me = await shop.visitor()
  await me.open()
  Object.assign(shop.site, { head: '', body: '' })
  await me.page.evaluate(() => window.licet.onChange(e => { window.heard = e.changed }))
  await me.press('accept')
  await until(() => me.page.evaluate(() => window.heard?.length), 'the grants to be told')
  assert.deepEqual(await granted(me.page), ['statistics', 'adverts'])
  assert.equal(await me.page.evaluate(() => window.third), undefined)
  await me.press('opener')
  assert.equal(await me.dialog.locator('input:checked').count(), 2)
  assert.deepEqual(me.faults.filter(f => !f.includes('TrustedScriptURL')), [])
})

test('without the banner: a site asks in its own words, which are the proof', async () => {
  const own = await openShop({ script: 'licet-core.js' })
  try {
    const me = await own.visitor()
    await me.open()
    assert.equal(await me.page.locator('licet-consent').count(), 0)
    await me.page.evaluate(() => window.licet.choose({ statistics: true }, { form: '<p>Our own words</p>', by: 'our button' }))
    await until(async () => (await granted(me.page)).length === 1, 'the grant')
    const { device } = await kept(me)
    const [act] = (await own.house.licet.api('GET', `/consent?subject_id=${device}`)).json
    const { proofs } = (await own.house.licet.api('GET', `/consent/${act.id}`)).json
    assert.equal(proofs[0].form, '<p>Our own words</p>')
    assert.deepEqual(me.faults, [])
  } finally {
    await own.stop()
  }
})

test('autoconsent opts out by a plain rule of one click', async () => {
  const rule = { name: 'licet', detectCmp: [{ exists: ['licet-consent', '.card'] }], detectPopup: [{ visible: ['licet-consent', '.card'] }],
    optIn: [{ click: ['licet-consent', '[data-licet=accept]'] }], optOut: [{ click: ['licet-consent', '[data-licet=decline]'] }] }
  const script = await readFile(createRequire(import.meta.url).resolve('@duckduckgo/autoconsent').replace(/autoconsent\.\w+\.js$/, 'autoconsent.playwright.js'), 'utf8')
  const me = await shop.visitor()
  const told = []
  await me.page.exposeBinding('autoconsentSendMessage', async ({ frame }, message) => {
    told.push(message)
    if (message.type === 'init') {
      await frame.evaluate(`autoconsentReceiveMessage(${JSON.stringify({ type: 'initResp', rules: { autoconsent: [rule] },
        config: { enabled: true, autoAction: 'optOut', disabledCmps: [], enablePrehide: false, detectRetries: 20, enableCosmeticRules: false, enableGeneratedRules: false } })})`)
    }
  })
  await me.open()
  await me.card.waitFor()
  await me.page.evaluate(script)
  await until(() => told.some(m => m.type === 'autoconsentDone' || m.type === 'autoconsentError'), () => `autoconsent: ${JSON.stringify(told)}`)
  assert.deepEqual(told.filter(m => m.type === 'optOutResult').map(m => m.result), [true])
  assert.ok(await me.card.isHidden())
  await settled(me.page)
  assert.deepEqual(me.acts.map(a => a.preferences), [{ statistics: false, adverts: false }])
})

// ---- the tag and what is documented of it ----

const tagged = async (tag, { body = '', head = '', path } = {}) => {
  const me = await shop.visitor()
  Object.assign(shop.site, { tag, body, head })
  await me.open(path)
  Object.assign(shop.site, { tag: 'async', body: '', head: '' })
  return me
}

test('data-language, data-theme and data-pages say what they say', async () => {
  const me = await tagged('async data-language="nl" data-theme="dark" data-pages="off"')
  await me.card.getByRole('heading', { name: 'Mogen wij uw gegevens gebruiken?' }).waitFor()
  assert.equal(await me.card.evaluate(e => getComputedStyle(e).backgroundColor), 'rgb(25, 27, 31)')
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants')
  await me.page.evaluate(() => history.pushState({}, '', '/two'))
  await sleep(600)
  assert.deepEqual(me.events, [])
  assert.equal(await me.page.evaluate(() => window.licet.page('By hand')), true)
  await until(() => me.events.length === 1, 'the page told by hand')
})

test('data-url: a copy of the script on the site itself asks licet all the same', async () => {
  const copy = await (await fetch(`${licet.url}/sdk/licet.js`)).text()
  const me = await shop.visitor()
  await me.context.route(`${licet.url}/sdk/licet.js`, r => r.abort())
  await me.context.route('**/scripts/consent.js', r => r.fulfill({ contentType: 'text/javascript', body: copy }))
  shop.site.head = `<script async src="/scripts/consent.js" data-url="${licet.url}/" data-key="${licet.publicKey}"></script>`
  await me.open()
  shop.site.head = ''
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants')
})

test('data-button="off": a button of the site\'s own opens the choices and gets the keyboard back', async () => {
  const me = await tagged('async data-button="off"', { body: '<button id="own" data-licet-open><b>Privacy</b></button>' })
  await me.press('decline')
  assert.ok(await me.page.locator('licet-consent .opener').isHidden())
  await me.page.click('#own b')
  assert.ok(await me.dialog.getByRole('heading', { name: 'Privacy choices' }).isVisible())
  await me.page.keyboard.press('Escape')
  await until(() => me.page.evaluate(() => document.activeElement.id === 'own'), 'the keyboard')
  assert.ok(await me.page.locator('licet-consent .opener').isHidden())
})

test('data-reload="off": a withdrawal leaves the page as it is', async () => {
  const me = await tagged('async data-reload="off"', { body: '<script type="text/plain" data-licet-purpose="statistics" src="/third-a.js"></script>' })
  await me.press('accept')
  await until(() => me.page.evaluate(() => window.third?.length), 'the script')
  await me.page.evaluate(() => { window.marked = true })
  await me.press('opener')
  await me.press('decline')
  await settled(me.page)
  await sleep(2300) // a reload would have come by then
  assert.equal(await me.page.evaluate(() => window.marked), true)
})

test('the tag twice on a page is the tag once', async () => {
  const me = await tagged('async', { head: `<script async src="${licet.url}/sdk/licet.js" data-key="${licet.publicKey}"></script>` })
  await me.card.waitFor()
  assert.equal(await me.page.locator('licet-consent').count(), 1)
  assert.equal(me.asked.filter(url => url.includes('/sdk/policy')).length, 1)
  await me.press('accept')
  await until(() => me.events.length > 0, 'the page view')
  await sleep(600)
  assert.deepEqual([me.acts.length, me.events.length], [1, 1])
  assert.deepEqual(me.faults, [])
})

test('a tag that comes long after the page brings the banner, and what waited before it runs', async () => {
  const me = await shop.visitor()
  await me.context.route(`${licet.url}/sdk/licet.js`, async r => (await sleep(300), r.continue()))
  shop.site.head = `<script nonce="n1">addEventListener('load', () => setTimeout(() => { const s = document.createElement('script'); s.src = '${licet.url}/sdk/licet.js'; s.dataset.key = '${licet.publicKey}'; document.head.append(s) }, 300))</script>`
  Object.assign(shop.site, { tag: 'type="text/x-none"', body: '<script type="text/plain" data-licet-purpose="statistics" src="/third-a.js"></script>' })
  await me.page.goto(shop.site.url)
  Object.assign(shop.site, { head: '', tag: 'async', body: '' })
  await me.press('accept')
  await until(() => me.page.evaluate(() => window.third?.length), 'the script')
  assert.deepEqual(me.faults, [])
})

test('data-licet-type makes a module of a script that waited, and scan() finds those that came later', async () => {
  const me = await tagged('async', { body: '<script type="text/plain" nonce="n1" data-licet-purpose="statistics" data-licet-type="module">window.module = [typeof import.meta, document.currentScript]</script>' })
  await me.press('accept')
  await until(() => me.page.evaluate(() => window.module), 'the module')
  assert.deepEqual(await me.page.evaluate(() => window.module), ['object', null])
  const later = () => me.page.evaluate(() => {
    const tag = document.createElement('script')
    tag.type = 'text/plain'
    tag.dataset.licetPurpose = 'statistics'
    tag.src = '/third-b.js'
    document.body.append(tag)
  })
  await later()
  await sleep(200)
  assert.equal(await me.page.evaluate(() => window.third), undefined)
  await me.page.evaluate(() => window.licet.scan())
  await until(() => me.page.evaluate(() => window.third?.length === 1), 'the script that came later')
})

// ---- forms of the site's own ----

test('a form is read as it is sent: who, what, its wording and what was typed, but nothing secret', async () => {
  shop.site.body = `<form id="n" action="/thanks" data-licet-form data-licet-notices="privacy_policy">
<label>E-mail <input name="email" type="email" data-licet-subject="email"></label><input type="password" name="pw"><input type="hidden" name="csrf" value="hidden-value">
<label><input type="checkbox" name="news" data-licet-preference="newsletter"> Write to me once a month</label>
<label><input type="checkbox" name="offers" data-licet-preference="offers"> And with offers</label><button>Subscribe</button></form>`
  const me = await shop.visitor()
  await me.open()
  await me.press('close')
  const email = `ada-${Date.now()}@visitor.example`
  await me.page.getByLabel('E-mail').fill(email)
  await me.page.locator('[name=pw]').fill('password-typed')
  await me.page.getByLabel('Write to me once a month').check()
  await me.page.getByRole('button', { name: 'Subscribe' }).click() // leaves the page at once
  await me.page.waitForURL('**/thanks*')
  shop.site.body = ''
  const find = async () => (await licet.api('GET', `/consent?subject_email_exact=${encodeURIComponent(email)}`)).json
  await until(async () => (await find()).length === 1, 'the consent')
  const [{ id }] = await find()
  const whole = (await licet.api('GET', `/consent/${id}`)).json
  assert.deepEqual(whole.preferences, { newsletter: 'true' }, 'an empty box is no answer')
  assert.deepEqual(whole.legal_notices.map(n => n.identifier), ['privacy_policy'])
  const [{ form, content }] = whole.proofs
  assert.match(form, /Write to me once a month/)
  assert.deepEqual(JSON.parse(content).fields, { email, news: 'on' })
  for (const secret of ['hidden-value', 'password-typed', 'csrf']) assert.ok(!(form + content).includes(secret), secret)
  await settled(me.page)
  assert.deepEqual((await me.stored()).local, {}, 'and nothing of it stays here')
})

test('the copy of a form that becomes the proof runs nothing and fetches nothing, though a field is named like a method', async () => {
  shop.site.head = '<script nonce="n1">window.made = 0; customElements.define("x-made", class extends HTMLElement { constructor() { super(); window.made++ } })</script>'
  shop.site.body = `<form id="c" action="/sent" data-licet-form><input name="id" value="u-copied" data-licet-subject="id"><input name="cloneNode" value="x"><input name="matches" value="x"><x-made></x-made><img alt="seal">
<input type="checkbox" name="news" checked data-licet-preference="newsletter"><button>Send</button></form>`
  const me = await shop.visitor()
  await me.open()
  shop.site.head = shop.site.body = ''
  await me.page.evaluate(() => {
    document.querySelector('img').setAttribute('src', '/seal.png')
    document.addEventListener('submit', e => e.preventDefault())
  })
  await until(() => me.asked.some(url => url.endsWith('/seal.png')), 'the page to fetch its own image')
  const asked = me.asked.filter(url => url.includes('/seal')).length
  await me.page.evaluate(() => document.querySelector('#c button').click())
  await until(async () => (await recorded('u-copied')).length === 1, 'the consent')
  assert.equal(await me.page.evaluate(() => window.made), 1)
  assert.equal(me.asked.filter(url => url.includes('/seal')).length, asked)
  const [{ id }] = await recorded('u-copied')
  assert.match((await licet.api('GET', `/consent/${id}`)).json.proofs[0].form, /^<form id="c"[^>]*>.*<img alt="seal" src="\/seal.png">/)
  assert.deepEqual(me.faults, [])
})

test('in a settings form emptying a box withdraws', async () => {
  shop.site.body = `<form id="s" action="/saved" data-licet-form="settings"><input type="text" name="id" value="u-settings" data-licet-subject="id">
<label><input type="checkbox" name="news" checked data-licet-preference="newsletter"> News</label><button>Save</button></form>`
  const me = await shop.visitor()
  await me.open()
  shop.site.body = ''
  await me.press('close')
  await me.page.getByLabel('News').uncheck()
  await me.page.getByRole('button', { name: 'Save' }).click()
  await until(async () => (await recorded('u-settings')).length === 1, 'the consent')
  assert.deepEqual((await recorded('u-settings'))[0].preferences, { newsletter: 'false' })
})
