// The page behind the link, in a real browser: what she sees, and that the click works.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openBrowser } from './browser.mjs'
import { reasonOf, signUp, startOptInHouse, stateOf } from './optin-house.mjs'

let house, browser
before(async () => {
  house = await startOptInHouse({
    change(config) {
      config.limits = { letters_per_address_per_hour: 1000 }
      return config
    },
  })
  browser = await openBrowser()
})
after(async () => {
  await browser?.close()
  await house?.stop()
})

/** Her page: {her, page, seen}, to be closed by the caller; `seen` has what the browser complained of and asked for. */
async function openPage(language, options = {}) {
  const her = await signUp(house, undefined, { body: { shown: { language } } })
  const { link } = await her.letter()
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const seen = { errors: [], requests: [] }
  page.on('console', m => seen.errors.push(m.text()))
  page.on('pageerror', e => seen.errors.push(e.message))
  page.on('request', r => seen.requests.push(`${r.method()} ${r.url()}`))
  await page.goto(link)
  return { her, link, page, seen, close: () => context.close() }
}

for (const [language, heading, yes, done] of [
  ['en', 'Please confirm', 'Yes, I agree', 'Confirmed'], ['de', 'Bitte bestätigen', 'Ja, ich stimme zu', 'Bestätigt'], ['nl', 'Bevestig alstublieft', 'Ja, ik stem ermee in', 'Bevestigd'],
]) {
  test(`the link is followed and the button pressed, in ${language}`, async () => {
    const { her, link, page, seen, close } = await openPage(language)
    assert.equal(await page.locator('h1').textContent(), heading)
    assert.equal(await page.locator('html').getAttribute('lang'), language)
    assert.equal(await page.locator('dd').count(), 7, 'the whole text is there')
    await page.getByRole('button', { name: yes }).click()
    await page.getByRole('heading', { name: done }).waitFor()
    assert.equal(await reasonOf(house, her.subject), 'permitted')
    assert.deepEqual(seen.errors, [], 'the page obeys its own policy')
    assert.deepEqual(seen.requests.filter(r => !r.endsWith('/favicon.ico')), [`GET ${link}`, `POST ${link}`], 'nothing else is asked for')
    await page.goBack()
    await page.reload()
    assert.equal(await page.locator('button').count(), 0, 'it cannot be pressed again')
    await close()
  })
}

test('the keyboard does it as well: first the yes, then the no', async () => {
  const { her, page, close } = await openPage('en')
  const focused = () => page.evaluate(() => document.activeElement.textContent)
  await page.keyboard.press('Tab')
  assert.equal(await focused(), 'Yes, I agree')
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none')
  await page.keyboard.press('Tab')
  assert.equal(await focused(), 'This was not me')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Noted' }).waitFor()
  assert.equal((await stateOf(house, her.subject)).state, 'disowned')
  await close()
})

test('a double click confirms once, and she is told that it is', async () => {
  const { her, page, close } = await openPage('en')
  await page.getByRole('button', { name: 'Yes, I agree' }).dblclick()
  await page.getByRole('heading', { name: /onfirmed$/ }).waitFor()
  const acts = (await house.licet.api('GET', `/consent?subject_id=${her.subject}&source=confirmation`)).json
  assert.equal(acts.length, 1)
  await close()
})

for (const colorScheme of ['light', 'dark']) {
  test(`it fits on 320 pixels and can be read, ${colorScheme}; neither button is the louder one`, async () => {
    const { page, close } = await openPage('de', { viewport: { width: 320, height: 600 }, colorScheme })
    const look = await page.evaluate(() => {
      const light = color => {
        const [r, g, b] = color.match(/[\d.]+/g).map(v => v / 255).map(v => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
      }
      const behind = e => (!e ? 'rgb(255, 255, 255)' : /, 0\)|transparent/.test(getComputedStyle(e).backgroundColor) ? behind(e.parentElement) : getComputedStyle(e).backgroundColor)
      const contrast = e => {
        const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x)
        return (a + 0.05) / (b + 0.05)
      }
      const buttons = [...document.querySelectorAll('button')]
      return {
        width: document.documentElement.scrollWidth,
        contrast: Math.min(...[...document.querySelectorAll('h1,h2,p,dt,dd,button,small')].map(contrast)),
        sizes: buttons.map(b => [b.offsetWidth, b.offsetHeight]),
        styles: buttons.map(b => ['color', 'backgroundColor', 'fontSize', 'fontWeight', 'borderColor'].map(p => getComputedStyle(b)[p])),
      }
    })
    assert.ok(look.width <= 320, `${look.width} wide`)
    assert.ok(look.contrast >= 4.5, `a contrast of ${look.contrast}`)
    assert.deepEqual(look.sizes[0], look.sizes[1])
    assert.deepEqual(look.styles[0], look.styles[1])
    assert.ok(look.sizes[0][1] >= 44)
    await close()
  })
}
