// The banner as visitors meet it: three languages, before and after every choice.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { faultsOf, granted, openShop, purposes, secondVersion, settled, shot } from './banner-house.mjs'
import { sleep, until } from './daemon.mjs'
import { arrivals } from './fixture.mjs'

let shop, licet
before(async () => {
  shop = await openShop()
  licet = shop.house.licet
})
after(() => shop?.stop())

const standing = async id => Object.fromEntries((await licet.api('GET', `/v1/permissions/${id}`)).json.purposes.map(p => [p.id, p]))

for (const [language, words] of Object.entries({
  en: ['May we use your data?', 'Decline all', 'Accept all', 'Full text', 'Privacy choices', 'January 1, 2025'],
  de: ['Dürfen wir Ihre Daten verwenden?', 'Alle ablehnen', 'Alle annehmen', 'Voller Wortlaut', 'Datenschutz-Wahl', '1. Januar 2025'],
  nl: ['Mogen wij uw gegevens gebruiken?', 'Alles weigeren', 'Alles toestaan', 'Volledige tekst', 'Privacykeuzes', '1 januari 2025'],
})) {
  test(`the whole journey in ${language}: nothing before the choice, nothing after the withdrawal, no finding of axe-core`, async () => {
    const me = await shop.visitor({ viewport: { width: 1200, height: 800 } })
    const { page } = me
    const [title, decline, accept, text, manage, since] = words
    await me.open(`/?l=${language}&utm_source=letter`)
    await me.card.getByRole('heading', { name: title }).waitFor()
    await shot(page, `${language}-1-first`)
    assert.deepEqual(await faultsOf(page), [])
    assert.deepEqual(await me.stored(), { local: {}, session: {}, cookies: '' }, 'nothing is stored before the choice')
    const elsewhereKept = await page.evaluate(async () => [await indexedDB.databases(), await caches.keys(), await navigator.serviceWorker.getRegistrations()])
    assert.deepEqual(elsewhereKept, [[], [], []], 'nor anywhere else in the browser')
    const elsewhere = me.asked.filter(url => !url.startsWith(shop.site.url))
    assert.deepEqual(elsewhere.map(url => new URL(url).pathname), ['/sdk/licet.js', '/sdk/policy'], 'and nothing asked but script and policy')
    assert.equal(await me.card.getByRole('button', { name: decline }).count(), 1)

    await me.card.getByText(text).first().click()
    assert.ok(await me.card.getByText('Tuuli Warehouse Oy').first().isVisible(), 'the full text is one click away')
    await me.card.getByText(since).first().waitFor()
    await shot(page, `${language}-2-full-text`)
    assert.deepEqual(await faultsOf(page), [])
    await me.press('choose')
    await shot(page, `${language}-3-one-by-one`)
    assert.deepEqual(await faultsOf(page), [])
    assert.equal(await me.card.locator('input:checked').count(), 0, 'nothing is switched on beforehand')

    await me.card.getByRole('button', { name: accept }).click()
    await until(async () => (await granted(page)).length === 2, 'the grants')
    await until(() => me.events.length > 0, 'the page view')
    const device = (await page.evaluate(() => JSON.parse(localStorage.getItem('licet')))).device
    const held = await standing(device)
    assert.deepEqual([held.statistics.state, held.adverts.state, held.recording.state], ['permitted', 'permitted', 'denied'])

    await page.getByRole('button', { name: manage }).click()
    await me.dialog.getByRole('heading', { name: manage }).waitFor()
    await shot(page, `${language}-4-choices`)
    assert.deepEqual(await faultsOf(page), [])
    const sent = me.events.length
    await me.press('decline')
    await settled(page)
    await me.open(`/?l=${language}`)
    await page.evaluate(() => window.licet.track('After'))
    await page.evaluate(() => new Promise(ok => setTimeout(ok, 600)))
    assert.equal(me.events.length, sent, 'after the withdrawal no event is sent')
    const left = await me.stored()
    assert.deepEqual(Object.keys(left.local), ['licet'])
    assert.ok(!left.local.licet.includes(device) && !left.local.licet.includes('token'), 'and no id is left')
    assert.deepEqual([left.session, left.cookies], [{}, ''])
    assert.deepEqual(await me.context.cookies(), [], 'nor a cookie that scripts do not see, of whatever host')
    const hosts = new Set(me.asked.map(url => new URL(url).origin))
    assert.deepEqual([...hosts], [shop.site.url, licet.url], 'no other host was asked for anything')
    await shot(page, `${language}-5-withdrawn`)
    assert.deepEqual(me.faults, [])
  })
}

test('on a telephone, in the dark and at 320 pixels everything fits, and axe-core finds nothing', async () => {
  for (const [name, options] of Object.entries({
    'small-light': { viewport: { width: 320, height: 640 } },
    'small-dark': { viewport: { width: 320, height: 640 }, colorScheme: 'dark' },
    'large-dark': { viewport: { width: 1200, height: 800 }, colorScheme: 'dark' },
  })) {
    const me = await shop.visitor(options)
    await me.open('/?l=de')
    await me.card.waitFor()
    await shot(me.page, name)
    assert.deepEqual(await faultsOf(me.page), [], name)
    const box = await me.card.boundingBox()
    assert.ok(box.x >= 0 && box.x + box.width <= options.viewport.width && box.height < options.viewport.height, name)
    for (const b of await me.card.locator('button:visible').all()) {
      const { x, y, width, height } = await b.boundingBox()
      assert.ok(x >= 0 && x + width <= options.viewport.width && y + height <= options.viewport.height && height >= 44, `${name}: a button lies outside or is small`)
    }
    assert.ok(await me.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name}: the page scrolls sideways`)
    await me.press('choose')
    await me.press('decline')
    await me.press('opener')
    await shot(me.page, `${name}-choices`)
    assert.deepEqual(await faultsOf(me.page), [], `${name}: choices`)
    assert.deepEqual(me.faults, [])
  }
})

test('declining is as prominent and as near as accepting', async () => {
  const me = await shop.visitor()
  await me.open()
  const look = part => me.card.locator(`[data-licet=${part}]`).evaluate(e => {
    const { width, height, top } = e.getBoundingClientRect()
    const { backgroundColor, color, borderColor, fontSize, fontWeight, opacity } = getComputedStyle(e)
    return { width, height, top, backgroundColor, color, borderColor, fontSize, fontWeight, opacity }
  })
  assert.deepEqual(await look('decline'), await look('accept'))
  await me.press('decline')
  await me.press('opener')
  const inDialog = part => me.dialog.locator(`[data-licet=${part}]`).evaluate(e => {
    const { width, height, top } = e.getBoundingClientRect()
    return { width, height, top, colour: getComputedStyle(e).backgroundColor }
  })
  assert.deepEqual(await inDialog('decline'), await inDialog('accept'))
  await me.press('close')
  await me.page.evaluate(() => void window.licet.ask('recording'))
  await me.dialog.getByRole('button', { name: 'I agree' }).waitFor()
  assert.deepEqual(await inDialog('decline'), await inDialog('accept'), 'what is asked by itself, too')
})

test('what is asked separately is not in the banner, and "accept all" does not grant it', async () => {
  const me = await shop.visitor()
  await me.open()
  await me.card.waitFor()
  assert.ok(!(await me.card.innerText()).includes('Recording'))
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants')
  await me.press('opener')
  assert.ok(await me.dialog.getByText('Recording how you use the pages').isVisible())
  await me.press('accept')
  await settled(me.page)
  assert.deepEqual(await granted(me.page), ['statistics', 'adverts'])
  assert.ok(me.acts.every(act => !('recording' in act.preferences)))
})

test('closing is not consent, nor a refusal: nothing is kept or sent, and the next page asks again', async () => {
  const me = await shop.visitor()
  await me.open()
  await me.press('close')
  assert.ok(await me.card.isHidden())
  await me.open('/again')
  assert.ok(await me.card.isVisible())
  await me.page.keyboard.press('Tab')
  await me.page.keyboard.press('Escape')
  assert.ok(await me.card.isHidden())
  assert.deepEqual(await me.stored(), { local: {}, session: {}, cookies: '' })
  assert.deepEqual(me.acts, [])
})

test('by keyboard alone: the banner is met first, declined, opened again and withdrawn', async () => {
  const me = await shop.visitor()
  await me.open()
  await me.card.waitFor()
  const focused = () => me.page.evaluate(() => {
    const inside = document.activeElement.shadowRoot?.activeElement
    return inside?.dataset.licet ?? inside?.localName ?? document.activeElement.localName
  })
  const tabTo = async part => {
    for (let n = 0; n < 20 && (await focused()) !== part; n++) await me.page.keyboard.press('Tab')
    assert.equal(await focused(), part)
  }
  await me.page.keyboard.press('Tab')
  assert.equal(await focused(), 'close', 'nothing of the page comes before it')
  await tabTo('accept')
  await me.page.keyboard.press('Enter')
  await until(async () => (await granted(me.page)).length === 2, 'the grants')
  await tabTo('opener')
  await me.page.keyboard.press('Enter')
  assert.equal(await focused(), 'h2', 'the dialog is read from its title')
  await tabTo('decline')
  await me.page.keyboard.press('Space')
  assert.deepEqual(await granted(me.page), [])
  assert.equal(await focused(), 'opener', 'and the keyboard is where it was')
  await settled(me.page)
})

test('each panel and each switch bears its own name, whichever was there before it', async () => {
  const me = await shop.visitor()
  await me.open()
  const named = async (role, name) => assert.equal(await me.page.getByRole(role, { name, exact: true }).count(), 1, `${role} ${name}`)
  await named('dialog', 'May we use your data?')
  await me.press('choose')
  await named('switch', 'Statistics of the shop')
  await me.press('decline')
  await me.press('opener')
  await named('dialog', 'Privacy choices')
  await named('switch', 'Statistics of the shop')
  await me.press('close')
  await me.page.evaluate(() => void window.licet.ask('recording', { again: true }))
  await named('dialog', 'Recording how you use the pages')
})

test('a refusal of somebody unknown carries no id and is only counted', async () => {
  const count = async () => (await licet.api('GET', '/v1/purposes/statistics/coverage')).json.refused_by_unknown
  const list = async () => (await licet.api('GET', '/consent?limit=100')).json.length
  const [counted, recorded] = [await count(), await list()]
  const me = await shop.visitor()
  await me.open()
  await me.press('decline')
  await settled(me.page)
  assert.deepEqual(me.acts, [{ subject: {}, preferences: { statistics: false, adverts: false }, versions: { statistics: 1, adverts: 1 }, shown: { language: 'en' } }])
  assert.equal(await count(), counted + 1)
  assert.equal(await list(), recorded)
  const { local, session, cookies } = await me.stored()
  const kept = JSON.parse(local.licet)
  assert.deepEqual(kept, { choices: { statistics: { on: 0, v: 1, day: kept.choices.statistics.day }, adverts: { on: 0, v: 1, day: kept.choices.adverts.day } } })
  assert.ok(Number.isInteger(kept.choices.adverts.day) && kept.choices.adverts.day < 100_000, 'a day, which is no id')
  assert.deepEqual([session, cookies], [{}, ''])
  await me.open('/next')
  assert.ok(await me.card.isHidden(), 'and she is not asked again')
})

test('a grant is recorded with version, language, the very wording and the page; then the page is told afresh', async () => {
  const me = await shop.visitor()
  await me.open('/shoes?utm_source=letter&utm_campaign=spring&session=secret', me.page)
  await me.press('choose')
  await me.card.getByRole('switch', { name: 'Statistics of the shop' }).check()
  await me.press('save')
  await until(async () => (await granted(me.page)).length === 1, 'the grant')
  const { device } = JSON.parse((await me.stored()).local.licet)
  const [act] = (await licet.api('GET', `/consent?subject_id=${device}`)).json
  const whole = (await licet.api('GET', `/consent/${act.id}`)).json
  assert.deepEqual(whole.preferences, { statistics: true, adverts: false })
  assert.deepEqual(whole.shown, { language: 'en' })
  assert.deepEqual(whole.versions, { statistics: 1, adverts: 1 })
  assert.deepEqual(whole.legal_notices, [{ identifier: 'privacy_policy', version: 1 }])
  const [{ form, content }] = whole.proofs
  for (const text of ['May we use your data?', 'Ninety days with us, thirteen months with Tuuli Warehouse.', 'Tuuli Warehouse Oy (Finland)', 'Decline all', 'Accept all']) {
    assert.ok(form.includes(text), text)
  }
  assert.match(form, /name="statistics"[^>]* checked/)
  assert.doesNotMatch(form, /name="adverts"[^>]* checked/)
  const said = JSON.parse(content)
  assert.equal(said.page, `${shop.site.url}/shoes`, 'the page, without its query')
  assert.equal(said.by, 'save')
  const [came] = await arrivals(shop.house.receiver, 1, a => a.event.type === 'page' && a.event.context?.page?.path === '/shoes')
  assert.match(came.event.context.page.url, /\/shoes\?utm_source=letter&utm_campaign=spring$/)
  assert.equal(me.events[0].context.campaign.source, 'letter')
  assert.equal(me.events[0].context.campaign.name, 'spring')
  assert.equal(me.events[0].anonymousId, device)
})

test('the referrer of the page that she came by is told after the grant', async () => {
  const me = await shop.visitor()
  await me.page.route('https://search.example/**', r => r.fulfill({ contentType: 'text/html', body: `<a id="go" href="${shop.site.url}/landing">go</a>`, headers: { 'Referrer-Policy': 'unsafe-url' } }))
  await me.page.goto('https://search.example/q')
  await me.page.click('#go')
  await me.press('accept')
  await until(() => me.events.length > 0, 'the page view')
  assert.equal(me.events[0].context.page.referrer, 'https://search.example/q')
})

test('a withdrawal deletes the ids, the cookies that the configuration names and those alone, and is final at the server', async () => {
  const me = await shop.visitor()
  await me.open()
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants')
  const { device } = JSON.parse((await me.stored()).local.licet)
  await me.page.evaluate(() => {
    for (const name of ['_ga', '_ga_ABC', 'hubspotutk', '_fbp', '_clck', 'basket']) document.cookie = `${name}=1; path=/`
    localStorage.setItem('_ga_local', '1')
    localStorage.setItem('own', '1')
  })
  await me.press('opener')
  await me.dialog.getByRole('switch', { name: 'Statistics of the shop' }).uncheck()
  await me.press('save')
  await settled(me.page)
  assert.deepEqual((await me.stored()).cookies.split('; ').sort(), ['_clck=1', '_fbp=1', 'basket=1'], 'of the purpose withdrawn alone')
  assert.equal(JSON.parse((await me.stored()).local.licet).device, device, 'the other grant stands, and needs its id')
  await me.press('opener')
  await me.press('decline')
  await settled(me.page)
  const { local, cookies } = await me.stored()
  assert.deepEqual(cookies.split('; ').sort(), ['basket=1'], 'what was never granted goes with everything')
  assert.deepEqual(Object.keys(local).sort(), ['licet', 'own'])
  assert.ok(!local.licet.includes(device))
  const verdict = await licet.verdicts({ type: 'track', event: 'Late', anonymousId: device, messageId: 'late-1' })
  assert.deepEqual([verdict.warehouse, verdict.crm], ['withdrawn', 'withdrawn'])
})

test('a new version is asked about alone, says what is new, and leaves the rest as it was', async () => {
  const her = await shop.visitor(), him = await shop.visitor()
  for (const [me, part] of [[her, 'accept'], [him, 'decline']]) {
    await me.page.route('**/sdk/policy*', r => r.continue()) // without the browser's cache
    await me.open()
    await me.press(part)
    await settled(me.page)
  }
  const config = JSON.parse(await readFile(licet.configFile, 'utf8'))
  const next = purposes()
  next[0].versions.push(secondVersion('statistics', { storage: 'Two years with us.' }, { recipients: ['warehouse', 'crm'] }))
  await shop.house.reload({ ...config, purposes: next })
  const policy = () => licet.api('GET', `/sdk/policy?key=${licet.publicKey}`, undefined, { key: null })
  await until(async () => (await policy()).json.purposes[0].version === 2, 'the new configuration')
  await her.open()
  await her.card.getByRole('heading', { name: 'Something is new. May we?' }).waitFor()
  const text = await her.card.innerText()
  assert.match(text, /New since you last chose: How long it is kept, Recipients/)
  assert.ok(!text.includes('Which advertisement'), 'what she has chosen is not asked again')
  assert.equal(await her.card.locator('dt.fresh').count(), 2)
  await shot(her.page, 'new-version')
  assert.deepEqual(await faultsOf(her.page), [])
  await her.press('accept')
  await settled(her.page)
  assert.deepEqual(her.acts.at(-1).versions, { statistics: 2 })
  assert.deepEqual(await granted(her.page), ['statistics', 'adverts'])
  await him.open()
  assert.ok(await him.card.isHidden(), 'who refused is not asked before the time is over')
  await him.page.clock.setFixedTime(Date.now() + 183 * 864e5)
  await him.open()
  await him.card.waitFor()
  assert.match(await him.card.innerText(), /Statistics of the shop[\s\S]*Which advertisement/)
  await shop.house.reload({ ...config, purposes: next })
})

test('when its lifetime is over a grant has ended, and is asked for again', async () => {
  const me = await shop.visitor()
  await me.open()
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the grants')
  await me.page.clock.setFixedTime(Date.now() + 364 * 864e5)
  await me.open()
  assert.deepEqual([(await granted(me.page)).length, await me.card.isHidden()], [2, true])
  await me.page.clock.setFixedTime(Date.now() + 366 * 864e5)
  await me.open()
  await me.card.getByRole('heading', { name: 'May we use your data?' }).waitFor()
  assert.deepEqual(await granted(me.page), [])
  assert.deepEqual(Object.keys(JSON.parse((await me.stored()).local.licet)), ['choices'], 'and its ids are gone')
  const sent = me.events.length
  assert.equal(await me.page.evaluate(() => window.licet.track('Late')), false)
  await me.press('accept')
  await until(async () => (await granted(me.page)).length === 2, 'the new grants')
  await until(() => me.events.length > sent, 'the page view')
})

const saysNo = me => me.context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true }))
async function acceptsStatisticsAlone(me) {
  await me.open()
  await me.card.waitFor()
  assert.ok(!(await me.card.innerText()).includes('advertisement'))
  await me.press('accept')
  await settled(me.page)
  assert.deepEqual(await granted(me.page), ['statistics'])
}

test('with Global Privacy Control a purpose that honours it is not asked for, and can be allowed on purpose', async () => {
  const me = await shop.visitor()
  await saysNo(me)
  await acceptsStatisticsAlone(me)
  await me.press('opener')
  assert.ok(await me.dialog.getByText('Your browser says no to this for you.').isVisible())
  await me.press('accept')
  await settled(me.page)
  assert.deepEqual(await granted(me.page), ['statistics'], '"accept all" does not override the browser')
  await me.press('opener')
  await me.dialog.getByRole('switch', { name: /advertisement/ }).check()
  await me.press('save')
  await settled(me.page)
  assert.deepEqual(await granted(me.page), ['statistics', 'adverts'])
})

test('with Do Not Track likewise', async () => {
  const me = await shop.visitor()
  await me.context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'doNotTrack', { get: () => '1' }))
  await me.open()
  await me.card.waitFor()
  assert.ok(!(await me.card.innerText()).includes('advertisement'))
})

test('with Global Privacy Control a purpose that honours it is not asked for again, neither after a refusal nor after a grant', async () => {
  for (const [part, days] of [['decline', 200], ['accept', 366]]) {
    const me = await shop.visitor()
    await me.open()
    await me.press(part)
    await settled(me.page)
    await saysNo(me)
    await me.page.clock.setFixedTime(Date.now() + days * 864e5)
    await acceptsStatisticsAlone(me)
  }
})

test('the banner stays as she has it while the page says who is signed in, and changes when there is more to ask', async () => {
  const text = { ...purposes()[0].versions[0].text.en, title: 'Advice by name' }
  const own = await openShop({ change: c => ({ ...c, purposes: [...c.purposes, { id: 'advice', scope: 'person', versions: [{ version: 1, since: '2025-01-01', text: { en: text } }] }] }) })
  try {
    const me = await own.visitor()
    await me.open()
    await me.press('choose')
    await me.card.getByRole('switch', { name: 'Statistics of the shop' }).check()
    await me.card.locator('summary').first().press('Enter')
    await me.page.evaluate(() => window.licet.identify(null))
    assert.ok(await me.card.getByRole('switch', { name: 'Statistics of the shop' }).isChecked())
    assert.ok(await me.card.getByText('Ninety days with us').isVisible())
    await me.page.keyboard.press('Enter')
    assert.ok(await me.card.getByText('Ninety days with us').isHidden(), 'the keyboard is where it was')
    assert.ok(!(await me.card.innerText()).includes('Advice by name'))
    await me.page.evaluate(() => window.licet.identify('u-advice', {}, { token: 'x' }))
    await me.card.getByText('Advice by name').waitFor()
    await me.page.evaluate(() => window.licet.reset())
    assert.ok(!(await me.card.innerText()).includes('Advice by name'))
    assert.deepEqual(me.faults, [])
  } finally {
    await own.stop()
  }
})

test('ask() asks for one purpose in a dialog of its own, keeps to a refusal, and can be asked again on purpose', async () => {
  const me = await shop.visitor()
  shop.site.body = '<button data-licet-ask="recording">Show us where it hurts</button>'
  await me.open()
  shop.site.body = ''
  await me.press('decline')
  const answer = me.page.evaluate(() => window.licet.ask('recording'))
  await me.dialog.getByRole('heading', { name: 'Recording how you use the pages' }).first().waitFor()
  assert.ok(await me.dialog.getByText('Thirty days.').isVisible(), 'with its full text')
  await shot(me.page, 'ask')
  assert.deepEqual(await faultsOf(me.page), [])
  await me.dialog.getByRole('button', { name: 'I do not agree' }).click()
  assert.equal(await answer, false)
  assert.equal(await me.page.evaluate(() => window.licet.ask('recording')), false, 'a refusal is kept to, without a question')
  assert.ok(await me.dialog.isHidden())
  await me.page.getByText('Show us where it hurts').click()
  await me.dialog.getByRole('button', { name: 'I agree' }).click()
  await until(async () => (await granted(me.page)).includes('recording'), 'the grant')
  assert.equal(me.acts.at(-1).preferences.recording, true)
  assert.equal(await me.page.evaluate(() => window.licet.ask('recording')), true)
})

test('a question that is closed is no answer: it resolves with what was, records nothing, and is asked again', async () => {
  const me = await shop.visitor()
  await me.open()
  await me.press('decline')
  await settled(me.page)
  for (const close of [() => me.page.keyboard.press('Escape'), () => me.press('close')]) {
    const answer = me.page.evaluate(() => window.licet.ask('recording'))
    await me.dialog.getByRole('heading', { name: 'Recording how you use the pages' }).waitFor()
    await close()
    assert.equal(await answer, false)
  }
  assert.equal(me.acts.length, 1)
  assert.ok(!JSON.stringify(await me.stored()).includes('recording'))
})

test('a question in another language than the page says which, its title as well', async () => {
  const me = await shop.visitor()
  await me.open('/?l=nl')
  await me.press('decline')
  await me.page.evaluate(() => void window.licet.ask('recording'))
  const title = me.dialog.getByRole('heading', { name: 'Recording how you use the pages' })
  await title.waitFor()
  assert.deepEqual(await title.evaluate(e => [e.lang, e.dir, e.getRootNode().host.lang]), ['en', 'ltr', 'nl'])
  assert.equal(await me.dialog.locator('li').getAttribute('lang'), 'en')
})

test('who is typing when the banner comes goes on typing, and the page stays where it was scrolled', async () => {
  const me = await shop.visitor()
  shop.site.body = '<p><input id="in"></p><div class="tall">more</div>'
  const held = []
  await me.context.route('**/sdk/policy*', r => void held.push(r))
  await me.page.goto(shop.site.url)
  shop.site.body = ''
  await until(() => held.length === 1, 'the policy to be asked for')
  await me.page.evaluate(() => (document.querySelector('.tall').style.height = '3000px'))
  await me.page.focus('#in')
  await me.page.evaluate(() => scrollTo(0, 60))
  await me.page.keyboard.type('one ')
  const before = await me.page.evaluate(() => scrollY)
  await held[0].continue()
  await me.card.waitFor()
  await me.page.keyboard.type('two')
  assert.deepEqual(await me.page.evaluate(() => [document.activeElement.id, document.activeElement.value, scrollY]), ['in', 'one two', before])
})

for (const [how, style] of [['', ''], [', on a page whose body is a grid', 'body{display:grid;gap:40px}']]) test(`nothing moves when the banner comes, opens into choices, and goes${how}`, async () => {
  const me = await shop.visitor()
  if (style) await me.context.route('**/style.css', r => r.fulfill({ contentType: 'text/css', body: style }))
  await me.context.addInitScript(() => {
    window.seen = []
    new PerformanceObserver(list => window.seen.push(...list.getEntries().filter(e => !e.hadRecentInput).map(e => e.value))).observe({ type: 'layout-shift', buffered: true })
  })
  const held = []
  await me.context.route('**/sdk/policy*', r => void held.push(r))
  await me.page.goto(shop.site.url)
  await until(() => held.length === 1, 'the policy to be asked for')
  const places = () => me.page.evaluate(() => [...document.querySelectorAll('main, main *')].map(e => [e.localName, ...Object.values(e.getBoundingClientRect().toJSON())]))
  const before = await places()
  await held[0].continue()
  await me.card.waitFor()
  assert.deepEqual(await places(), before)
  const rest = () => me.page.evaluate(() => new Promise(ok => setTimeout(ok, 300)))
  await rest()
  for (const part of ['choose', 'accept', 'opener', 'decline']) {
    await me.press(part)
    await rest()
  }
  assert.deepEqual(await me.page.evaluate(() => window.seen), [])
  await sleep(600) // what follows a click is nobody's shift
  await me.page.evaluate(() => document.querySelector('h1').before(document.createElement('hr')))
  await rest()
  assert.ok(await me.page.evaluate(() => window.seen.length > 0), 'and a shift would have been seen')
})

test('a page that makes its body anew, instead of loading the next one, keeps the button and the banner', async () => {
  const ways = {
    replace: () => { const body = document.createElement('body'); body.innerHTML = '<h1>Next</h1>'; document.body.replaceWith(body) },
    fill: () => { document.body.innerHTML = '<h1>Next</h1>' },
    remove: () => document.querySelector('licet-consent').remove(),
  }
  for (const [name, way] of Object.entries(ways)) {
    const me = await shop.visitor()
    await me.open()
    await me.card.waitFor()
    await me.page.evaluate(way)
    await me.card.waitFor()
    await me.press('decline')
    await sleep(1000)
    await me.press('opener')
    await me.page.evaluate(way)
    await until(async () => !(await me.dialog.isVisible()) && await me.page.locator('licet-consent .opener').isVisible(), `the button (${name})`)
    await me.press('opener')
    assert.ok(await me.dialog.getByText(/^Declined on/).first().isVisible())
    assert.equal(await me.page.locator('licet-consent').count(), 1)
    assert.deepEqual(me.faults, [])
  }
})

test('an extension that takes the banner away whenever it comes does not hold up the page', async () => {
  const me = await shop.visitor()
  await me.context.addInitScript(() => {
    window.taken = 0
    const take = () => { if (document.querySelector('licet-consent')) { document.querySelector('licet-consent').remove(); window.taken++ } }
    new MutationObserver(take).observe(document, { childList: true, subtree: true })
  })
  await me.open()
  await until(() => me.page.evaluate(() => window.taken > 0), 'it to be taken away')
  await sleep(1500)
  const taken = await me.page.evaluate(() => window.taken)
  assert.ok(taken < 10, `${taken} times`)
  assert.deepEqual(me.faults, [])
})

test('words without end, a window of 320 by 256 pixels and colours of the reader\'s own: everything can be read and reached', async () => {
  const word = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'
  const text = { ...purposes()[2].versions[0].text.en, title: word, aim: `See https://shop.example/${'x'.repeat(90)}` }
  const own = await openShop({ change: c => ({ ...c, purposes: c.purposes.map(p => (p.id === 'recording' ? { ...p, versions: [{ ...p.versions[0], text: { en: text } }] } : p)) }) })
  try {
    const me = await own.visitor({ viewport: { width: 320, height: 256 }, forcedColors: 'active' })
    const wide = panel => panel.evaluate(e => [e, ...e.querySelectorAll('*')].filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 1 && getComputedStyle(one).display !== 'inline').map(one => one.outerHTML.slice(0, 60)))
    const seen = async panel => {
      const all = await panel.boundingBox()
      assert.ok(all.y >= 0 && all.y + all.height <= 256)
      const { y, height } = await panel.locator('.body').boundingBox()
      assert.ok(Math.min(y + height, 256) - y > 100, 'there is room to read')
      for (const b of await panel.locator('button:visible').all()) {
        await b.scrollIntoViewIfNeeded()
        const box = await b.boundingBox()
        assert.ok(box.x >= 0 && box.x + box.width <= 320 && box.y >= 0 && box.y + box.height <= 256, await b.innerText())
      }
      assert.deepEqual(await wide(panel), [])
    }
    await me.open('/?l=de')
    await seen(me.card)
    await shot(me.page, 'smallest')
    await me.press('choose')
    const knob = input => input.evaluate(e => [getComputedStyle(e).backgroundColor, getComputedStyle(e, '::after').backgroundColor])
    const input = me.card.getByRole('switch').first()
    const off = await knob(input)
    await input.check()
    assert.equal(await input.evaluate(e => e.getRootNode().getAnimations().length), 0, 'without motion, as the reader wants it')
    const on = await knob(input)
    assert.notEqual(off[0], off[1])
    assert.notEqual(on[0], on[1])
    assert.notDeepEqual(on, off)
    await shot(me.page, 'smallest-choices')
    await me.press('decline')
    await me.press('opener')
    await seen(me.dialog)
    assert.deepEqual(await faultsOf(me.page), [])
    await me.press('close')
    await me.page.evaluate(() => void window.licet.ask('recording'))
    await me.dialog.getByRole('heading', { name: word }).first().waitFor()
    await seen(me.dialog)
    assert.deepEqual(me.faults, [])
  } finally {
    await own.stop()
  }
})

test('a page themes it by custom properties, under the same policy', async () => {
  const me = await shop.visitor()
  await me.open()
  await me.card.waitFor()
  await me.page.evaluate(() => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(':root{--licet-button:#7a3b12;--licet-button-text:#fff;--licet-background:#fffaf0;--licet-radius:3px;--licet-font:16px/1.5 Georgia,serif;--licet-accent:#7a3b12}')
    document.adoptedStyleSheets = [sheet]
  })
  const colour = await me.card.locator('[data-licet=accept]').evaluate(e => getComputedStyle(e).backgroundColor)
  assert.equal(colour, 'rgb(122, 59, 18)')
  await shot(me.page, 'themed')
  assert.deepEqual(await faultsOf(me.page), [])
  assert.deepEqual(me.faults, [])
})

test('a language of the configuration, from right to left, and a legitimate interest that she objects to', async () => {
  const arabic = {
    title: 'إحصاءات المتجر', aim: 'نعدّ الصفحات التي تُزار لنعرف ما الذي نطبعه بعد ذلك.', data: 'الصفحة واليوم والوقت.', transfer: 'شركة Tuuli Warehouse Oy في فنلندا.',
    storage: 'تسعون يومًا.', automation: 'لا.', consequences: 'لا شيء.', withdrawal: 'بزر الخصوصية في كل صفحة.',
  }
  const own = await openShop({
    change: c => ({
      ...c,
      purposes: [{ ...c.purposes[0], versions: [{ ...c.purposes[0].versions[0], text: { ...c.purposes[0].versions[0].text, ar: arabic } }] }, ...c.purposes.slice(1),
        { id: 'fraud', basis: 'legitimate_interests', terminal_access: 'none', reason: 'orders alone', assessment: 'no. 4', date: '2025-01-01',
          versions: [{ version: 1, since: '2025-01-01', text: { en: { ...c.purposes[0].versions[0].text.en, title: 'Finding stolen cards', aim: 'We compare orders to find stolen cards.' } } }] }],
      banner: { ...c.banner, texts: { ...c.banner.texts, ar: { title: 'هل نستخدم بياناتك؟', intro: 'يطلب {controller} موافقتك.', accept_all: 'قبول الكل', decline_all: 'رفض الكل', choose: 'اختيار فردي', full_text: 'النص الكامل', manage: 'الخصوصية' } } },
    }),
  })
  try {
    const me = await own.visitor({ viewport: { width: 1200, height: 800 } })
    await me.open('/?l=ar')
    await me.card.getByRole('heading', { name: 'هل نستخدم بياناتك؟' }).waitFor()
    assert.equal(await me.card.evaluate(e => getComputedStyle(e).direction), 'rtl')
    const { x, width } = await me.card.boundingBox()
    assert.ok(x + width > 1150, 'it lies where reading begins')
    await shot(me.page, 'ar')
    assert.deepEqual(await faultsOf(me.page), [])
    assert.equal(await me.card.locator('li').nth(1).getAttribute('lang'), 'en', 'what is not told in it says in which language it is')

    await me.open('/?l=en')
    assert.ok(!(await me.card.innerText()).includes('stolen cards'), 'nobody is asked for what rests on other grounds')
    await me.press('decline')
    assert.deepEqual(await granted(me.page), ['fraud'])
    await me.press('opener')
    const object = me.dialog.getByRole('switch', { name: 'Finding stolen cards' })
    assert.ok(await object.isChecked())
    await object.scrollIntoViewIfNeeded()
    await shot(me.page, 'objection')
    assert.deepEqual(await faultsOf(me.page), [])
    await object.uncheck()
    await me.press('save')
    await settled(me.page)
    assert.deepEqual(await granted(me.page), [])
    assert.equal(me.acts.at(-1).preferences.fraud, false)
    assert.ok(!('recording' in me.acts.at(-1).preferences), 'what was not asked and not touched is not answered')
    await me.open('/next')
    assert.deepEqual(await granted(me.page), [], 'and it stays so')
    assert.deepEqual(me.faults, [])
  } finally {
    await own.stop()
  }
})
