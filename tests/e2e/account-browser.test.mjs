// What licet has recorded, in the privacy choices: of this device, and of the account when the site's server vouches for it.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { faultsOf, granted, openShop, SECRET, settled, shot } from './banner-house.mjs'
import { until } from './daemon.mjs'

let shop, licet, people = 0
before(async () => {
  shop = await openShop()
  licet = shop.house.licet
})
after(() => shop?.stop())

const vouch = id => createHmac('sha256', SECRET).update(id).digest('hex')
const identify = (page, id, more = { token: vouch(id) }) => page.evaluate(([id, more]) => void window.licet.identify(id, {}, more), [id, more])
const standing = async id => Object.fromEntries((await licet.api('GET', `/v1/permissions/${id}`)).json.purposes.map(p => [p.id, p.reason]))
/** What she said elsewhere, as the site's server recorded it. */
const said = (id, preferences) => licet.api('POST', '/consent', { subject: { id }, preferences, versions: Object.fromEntries(Object.keys(preferences).map(p => [p, 1])), proofs: [{ form: 'by telephone' }] })
const lineOf = (me, id) => me.dialog.locator(`[data-purpose=${id}]`)
const accountOf = (me, id) => me.dialog.locator(`.account [data-account=${id}]`)
/** The paths of licet that a visitor's browser asked since. */
const asked = (me, path) => me.asked.filter(url => url.endsWith(path)).length

/** Somebody who agreed on this device. */
async function visitor(options, path = '/?l=en') {
  const me = await shop.visitor(options)
  await me.open(path)
  await me.press('accept')
  await settled(me.page)
  return me
}

for (const [language, words] of Object.entries({
  en: {
    device: /^Recorded since .+, holds until .+\d{4}$/, heading: 'With your account', nothing: 'Nothing is recorded', no: /^Recorded as declined since /, withdrawn: /^Recorded as withdrawn since /,
    withdraw: 'Withdraw', decide: 'Decide',
  },
  de: {
    device: /^Festgehalten seit .+, gilt bis .+\d{4}$/, heading: 'Mit Ihrem Konto', nothing: 'Nichts ist festgehalten', no: /^Seit .+ ist Ihre Ablehnung festgehalten$/, withdrawn: /^Seit .+ ist Ihr Widerruf festgehalten$/,
    withdraw: 'Widerrufen', decide: 'Entscheiden',
  },
  nl: {
    device: /^Vastgelegd sinds .+, geldt tot .+\d{4}$/, heading: 'Met uw account', nothing: 'Er is niets vastgelegd', no: /^Uw weigering is vastgelegd sinds /, withdrawn: /^Uw intrekking is vastgelegd sinds /,
    withdraw: 'Intrekken', decide: 'Beslissen',
  },
})) {
  test(`what is recorded of this device and of her account, in ${language}; withdrawn there it is recorded, and axe-core finds nothing`, async () => {
    const id = `person-${language}-${++people}`
    await said(id, { statistics: true, adverts: false })
    const me = await visitor({}, `/?l=${language}`)
    await me.press('opener')
    await until(async () => words.device.test(await lineOf(me, 'statistics').locator('.state').innerText()), 'what is recorded of the device')
    assert.match(await lineOf(me, 'adverts').locator('.state').innerText(), words.device)
    assert.equal(await me.dialog.locator('.account').count(), 0, 'nobody is signed in')
    await shot(me.page, `account-${language}-1-device`)
    assert.deepEqual(await faultsOf(me.page), [], 'device')
    await me.press('close')

    await identify(me.page, id)
    await me.press('opener')
    await accountOf(me, 'statistics').waitFor()
    assert.equal(await me.dialog.locator('.account h4').innerText(), words.heading)
    assert.match(await accountOf(me, 'statistics').locator('.state').innerText(), words.device)
    assert.match(await accountOf(me, 'adverts').locator('.state').innerText(), words.no)
    assert.equal(await accountOf(me, 'linking').locator('.state').innerText(), words.nothing)
    assert.equal(await accountOf(me, 'recording').count(), 0, 'nothing of the account is known there')
    assert.equal(await lineOf(me, 'linking').count(), 0, 'a person\'s purpose stands with her account alone')
    assert.equal(await accountOf(me, 'linking').locator('button').innerText(), words.decide)
    assert.equal(await accountOf(me, 'adverts').locator('button').count(), 0)
    await accountOf(me, 'statistics').scrollIntoViewIfNeeded()
    await shot(me.page, `account-${language}-2-account`)
    assert.deepEqual(await faultsOf(me.page), [], 'account')

    const button = accountOf(me, 'statistics').locator('button')
    assert.equal(await button.innerText(), words.withdraw)
    await button.click()
    await until(async () => words.withdrawn.test(await accountOf(me, 'statistics').locator('.state').innerText()), 'the withdrawal')
    assert.equal((await standing(id)).statistics, 'withdrawn')
    assert.ok((await granted(me.page)).includes('statistics'), 'what this device agreed to is another matter')
    assert.equal(await accountOf(me, 'statistics').locator('button').count(), 0)
    assert.ok((await me.dialog.locator('[role=status]').innerText()).length > 0, 'it is said aloud')
    assert.equal(await me.page.evaluate(() => document.querySelector('licet-consent').shadowRoot.activeElement?.id), 'licet-account-statistics', 'the keyboard stays there')
    await shot(me.page, `account-${language}-3-withdrawn`)
    assert.deepEqual(await faultsOf(me.page), [], 'withdrawn')
    const act = me.acts.at(-1)
    assert.deepEqual([act.subject, act.preferences], [{ id }, { statistics: false }])
    assert.match(act.proofs[0].form, new RegExp(words.withdraw), 'the very wording is the proof')
    assert.deepEqual(me.faults, [])
  })
}

test('without anybody signed in licet is asked about this device alone, and before a choice about nothing', async () => {
  const me = await shop.visitor()
  await me.open()
  await me.press('close')
  await me.press('opener')
  await me.page.waitForLoadState('networkidle')
  assert.deepEqual([asked(me, '/public/read_token'), asked(me, '/public/state')], [0, 0])
  await me.press('accept')
  await settled(me.page)
  await me.press('opener')
  await until(() => asked(me, '/public/state') === 1, 'the question')
  assert.equal(asked(me, '/public/read_token'), 1)
  assert.equal(await me.dialog.locator('.account').count(), 0)
  const { local, session, cookies } = await me.stored()
  assert.ok(!JSON.stringify([local, session, cookies]).includes('read_token'))
  assert.deepEqual(Object.keys(local), ['licet'], 'nothing of it is kept')
})

test('somebody who signed in without a token of the site\'s server sees no account', async () => {
  const me = await visitor()
  await identify(me.page, 'unvouched', {})
  await me.press('opener')
  await until(async () => /^Recorded/.test(await lineOf(me, 'statistics').locator('.state').innerText()), 'the device')
  assert.equal(await me.dialog.locator('.account').count(), 0)
  assert.ok(await me.dialog.getByRole('switch', { name: 'Linking your visits with your account' }).isVisible(), 'as before')
})

test('what was withdrawn elsewhere this device obeys as soon as the choices are opened, and asks for nothing in return', async () => {
  const me = await visitor()
  const device = await me.page.evaluate(() => window.licet.anonymousId())
  await said(device, { statistics: false })
  assert.ok((await granted(me.page)).includes('statistics'), 'nobody has told it yet')
  const acts = me.acts.length
  await me.page.evaluate(() => { document.cookie = '_ga_X=1; path=/' })
  await me.press('opener')
  await until(async () => !(await granted(me.page)).includes('statistics'), 'the device to obey')
  assert.deepEqual(await granted(me.page), ['adverts'])
  assert.match(await lineOf(me, 'statistics').locator('.state').innerText(), /^Recorded as withdrawn since /)
  assert.equal(await lineOf(me, 'statistics').locator('input').isChecked(), false)
  assert.ok(!(await me.stored()).cookies.includes('_ga_X'), 'what its scripts left is gone')
  await settled(me.page)
  assert.equal(me.acts.length, acts, 'it is recorded already')
  await me.press('close')
  await me.open('/again')
  assert.deepEqual(await granted(me.page), ['adverts'])
  assert.ok(await me.card.isHidden(), 'a withdrawal is no reason to ask again')
})

test('of a device that licet knows nothing of any more the grant ends here as well', async () => {
  const me = await visitor()
  await me.page.route('**/public/state', async route => {
    const answer = await route.fetch()
    const json = await answer.json()
    for (const p of json.purposes) Object.assign(p, { state: 'never', since: null, until: null, version: null, current: null, counts: false, reason: 'no_consent' })
    await route.fulfill({ response: answer, json })
  })
  await me.press('opener')
  await until(async () => (await granted(me.page)).length === 0, 'the end of the grants')
  assert.equal(await lineOf(me, 'statistics').locator('.state').innerText(), 'Nothing is recorded')
  const { local } = await me.stored()
  assert.ok(!local.licet.includes('token'), 'nor does its id stay')
})

test('a withdrawal of this device that never arrived is sent again, and an expired choice is not taken for one', async () => {
  const me = await visitor()
  const device = await me.page.evaluate(() => window.licet.anonymousId())
  await me.page.evaluate(() => {
    const kept = JSON.parse(localStorage.licet)
    Object.assign(kept.choices.statistics, { on: 0 })
    Object.assign(kept.choices.adverts, { on: 0, over: 1 })
    Object.assign(kept.choices, { other: { on: 1, v: 1, day: 1 } }) // of a purpose that is gone: so that the token stays
    localStorage.licet = JSON.stringify(kept)
  })
  await me.open('/again')
  if (await me.card.isVisible()) await me.press('close')
  assert.equal((await standing(device)).statistics, 'permitted')
  await me.press('opener')
  await until(async () => (await standing(device)).statistics === 'withdrawn', 'the withdrawal')
  assert.equal((await standing(device)).adverts, 'permitted')
})

test('what she chooses while licet is asked is not undone by an older answer', async () => {
  const me = await visitor()
  const device = await me.page.evaluate(() => window.licet.anonymousId())
  await said(device, { statistics: false })
  let go
  const wait = new Promise(ok => (go = ok))
  await me.page.route('**/public/state', async route => {
    const answer = await route.fetch()
    await wait
    await route.fulfill({ response: answer })
  })
  await me.press('opener')
  await until(() => asked(me, '/public/state') === 1, 'the question')
  await me.page.evaluate(() => window.licet.choose({ statistics: true }, { form: 'Yes' }))
  await settled(me.page)
  go()
  await until(async () => /^Recorded/.test(await lineOf(me, 'adverts').locator('.state').innerText()), 'the answer')
  assert.ok((await granted(me.page)).includes('statistics'))
  assert.match(await lineOf(me, 'statistics').locator('.state').innerText(), /^Accepted on /, 'nor is it told')
})

test('a read token that is over while the page stands open is asked for anew', async () => {
  const me = await visitor()
  const id = `anew-${++people}`
  await said(id, { statistics: true })
  await me.page.route('**/public/read_token', route => { // each lives for a second
    const body = JSON.parse(route.request().postData() ?? '{}')
    return route.continue({ postData: JSON.stringify({ ...body, expires_in: 1 }) })
  })
  await identify(me.page, id)
  await me.press('opener')
  await accountOf(me, 'statistics').waitFor()
  const before = asked(me, '/public/read_token')
  await me.page.waitForTimeout(1200)
  await accountOf(me, 'statistics').locator('button').click()
  await until(async () => /^Recorded as withdrawn/.test(await accountOf(me, 'statistics').locator('.state').innerText()), 'what stands now')
  assert.equal(asked(me, '/public/read_token'), before + 1)
})

test('a read token of the site\'s server will do, as text or fetched when it is needed, and withdrawing works with it', async () => {
  const id = `read-${++people}`
  await said(id, { statistics: true, linking: true })
  const make = async seconds => (await licet.api('POST', `/subjects/${id}/read_token`, { expires_in: seconds })).json.read_token
  const me = await visitor()
  await identify(me.page, id, { read: await make(600) })
  await me.press('opener')
  await accountOf(me, 'linking').locator('button').click()
  await until(async () => (await standing(id)).linking === 'withdrawn', 'the withdrawal')
  await me.press('close')

  await identify(me.page, id, { read: 'over' })
  await me.press('opener')
  await until(async () => (await me.dialog.locator('[role=status]').innerText()).includes('cannot be shown now'), 'to be told')
  await me.press('close')

  let fetched = 0
  await me.page.exposeFunction('fetchToken', () => make(fetched++ ? 600 : 1))
  await me.page.evaluate(id => void window.licet.identify(id, {}, { read: () => window.fetchToken() }), id)
  await me.press('opener')
  await accountOf(me, 'statistics').waitFor()
  await me.press('close')
  await me.page.waitForTimeout(1200)
  await me.press('opener')
  await accountOf(me, 'statistics').waitFor()
  assert.equal(fetched, 2, 'the first was over')
  await settled(me.page)
})

test('signing in and out while the choices stand open shows her account and takes it away', async () => {
  const me = await visitor()
  const id = `out-${++people}`
  await said(id, { statistics: true })
  await me.press('opener')
  await identify(me.page, id)
  await accountOf(me, 'statistics').waitFor()
  await me.page.evaluate(() => window.licet.reset())
  await me.dialog.locator('.account').waitFor({ state: 'detached' })
  assert.ok(await me.dialog.isVisible())
  assert.match(await me.dialog.innerText(), /Statistics of the shop/)
})

test('an answer about somebody who has left is shown to nobody', async () => {
  const me = await visitor()
  const [first, second] = [`first-${++people}`, `second-${++people}`]
  await said(first, { statistics: true })
  let go
  const wait = new Promise(ok => (go = ok))
  let held = 0
  await me.page.route('**/public/read_token', async route => {
    const answer = await route.fetch()
    if (route.request().postData()?.includes(first)) {
      held++
      await wait
    }
    await route.fulfill({ response: answer })
  })
  await identify(me.page, first)
  await me.press('opener')
  await until(() => held === 1, 'the question about the first')
  await identify(me.page, second)
  await accountOf(me, 'linking').waitFor()
  go()
  await me.page.waitForLoadState('networkidle')
  assert.equal(await accountOf(me, 'statistics').count(), 0)
})

test('her consent given elsewhere and withdrawn elsewhere ends on this device as well', async () => {
  const me = await visitor()
  const id = `elsewhere-${++people}`
  await identify(me.page, id)
  await me.page.evaluate(() => void window.licet.ask('linking', { again: true }))
  await me.press('accept')
  await settled(me.page)
  await until(async () => (await granted(me.page)).includes('linking'), 'her grant')
  await said(id, { linking: false })
  await me.press('opener')
  await until(async () => !(await granted(me.page)).includes('linking'), 'the device to obey')
  assert.match(await accountOf(me, 'linking').locator('.state').innerText(), /^Recorded as withdrawn/)
  // and from there she can decide anew, with the whole text before her
  await accountOf(me, 'linking').locator('button').click()
  assert.ok(await me.dialog.getByText('The random number of this browser and the number of your account.').isVisible())
  await me.press('accept')
  await until(async () => (await standing(id)).linking === 'permitted', 'the grant')
})

test('offline the choices work as ever, say that the account cannot be shown, and a withdrawal there is kept and sent', async () => {
  const me = await visitor()
  const id = `offline-${++people}`
  await said(id, { statistics: true })
  await identify(me.page, id)
  await me.press('opener')
  await accountOf(me, 'statistics').waitFor()
  await me.context.setOffline(true)
  await accountOf(me, 'statistics').locator('button').click()
  await until(async () => (await accountOf(me, 'statistics').locator('.state').innerText()) === 'Withdrawn here. It is sent once you are online again.', 'to be told')
  await me.press('close')
  await me.press('opener')
  await until(async () => (await me.dialog.locator('[role=status]').innerText()).includes('cannot be shown now'), 'to be told')
  assert.ok(await me.dialog.getByRole('switch', { name: 'Linking your visits with your account' }).isVisible(), 'its switch is there instead')
  await shot(me.page, 'account-offline')
  assert.deepEqual(await faultsOf(me.page), [])
  assert.match(await lineOf(me, 'statistics').locator('.state').innerText(), /^Accepted on /)
  await me.press('decline')
  assert.deepEqual(await granted(me.page), [])
  await me.context.setOffline(false)
  await until(async () => (await standing(id)).statistics === 'withdrawn', 'the withdrawal', 20_000)
})

test('"withdraw all" means what stands with the account as well', async () => {
  const me = await visitor()
  const id = `all-${++people}`
  await said(id, { statistics: true, recording: true, linking: true })
  await identify(me.page, id)
  await me.press('opener')
  await accountOf(me, 'statistics').waitFor()
  await me.press('decline')
  await settled(me.page)
  const { statistics, recording, linking } = await standing(id)
  assert.deepEqual([statistics, recording, linking], ['withdrawn', 'withdrawn', 'withdrawn'])
  assert.deepEqual(await granted(me.page), [])
})

test('what an act of this device proves tells nothing of her account', async () => {
  const me = await visitor()
  const id = `apart-${++people}`
  await said(id, { statistics: true })
  await identify(me.page, id)
  await me.press('opener')
  await accountOf(me, 'statistics').waitFor()
  await me.press('decline')
  await settled(me.page)
  const act = me.acts.find(one => one.subject.id !== id && one.preferences.statistics === false)
  assert.match(act.proofs[0].form, /Statistics of the shop/)
  assert.doesNotMatch(act.proofs[0].form, /data-account/)
})

test('why something recorded does not count is said in words, and that the text has changed since', async () => {
  const me = await visitor()
  const id = `why-${++people}`
  await said(id, { statistics: true })
  let change
  await me.page.route('**/public/state', async route => {
    const answer = await route.fetch()
    const json = await answer.json()
    Object.assign(json.purposes.find(p => p.id === 'statistics'), change)
    await route.fulfill({ response: answer, json })
  })
  for (const [said, words] of [
    [{ counts: false, reason: 'unconfirmed' }, / Not valid: you have not confirmed it\.$/],
    [{ counts: false, reason: 'no_proof' }, / Not valid: there is no proof of what you were shown\.$/],
    [{ counts: false, reason: 'expired' }, / Not valid: its time is over\.$/],
    [{ counts: false, reason: 'text_voided' }, / Not valid: the text was taken back\.$/],
    [{ counts: false, reason: 'not_verified' }, / Not valid: your e-mail address is not confirmed yet\.$/],
    [{ counts: false, reason: 'no_terminal_access' }, / Not valid: something that it needs is missing\.$/],
    [{ current: false }, /\d{4}\. You accepted an earlier text \(version 1\)\.$/],
    [{}, /^Recorded since .+, holds until .+\d{4}$/],
  ]) {
    change = said
    await identify(me.page, id)
    await me.press('opener')
    await accountOf(me, 'statistics').waitFor()
    assert.match(await accountOf(me, 'statistics').locator('.state').innerText(), words)
    assert.ok(await accountOf(me, 'statistics').locator('button').isVisible(), 'it can be withdrawn all the same')
    await me.press('close')
  }
})

test('at 320 pixels, in the light and in the dark everything fits, by keyboard, and axe-core finds nothing', async () => {
  for (const [name, options] of Object.entries({
    'account-small-light': { viewport: { width: 320, height: 640 } },
    'account-small-dark': { viewport: { width: 320, height: 640 }, colorScheme: 'dark' },
    'account-large-dark': { viewport: { width: 1200, height: 800 }, colorScheme: 'dark' },
  })) {
    const id = `${name}-${++people}`
    await said(id, { statistics: true, adverts: true, recording: false })
    const me = await visitor(options, '/?l=de')
    await identify(me.page, id)
    await me.press('opener')
    await accountOf(me, 'statistics').waitFor()
    await shot(me.page, name)
    await accountOf(me, 'linking').scrollIntoViewIfNeeded()
    await shot(me.page, `${name}-account`)
    assert.deepEqual(await faultsOf(me.page), [], name)
    for (const b of await me.dialog.locator('.account button').all()) {
      const { x, width, height } = await b.boundingBox()
      assert.ok(x >= 0 && x + width <= options.viewport.width && height >= 44, `${name}: a button lies outside or is small`)
    }
    assert.ok(await me.dialog.locator('.body').evaluate(e => e.scrollWidth <= e.clientWidth), `${name}: it scrolls sideways`)
    await accountOf(me, 'statistics').locator('button').focus()
    await me.page.keyboard.press('Enter')
    await until(async () => (await standing(id)).statistics === 'withdrawn', 'the withdrawal')
    assert.deepEqual(me.faults, [])
  }
})
