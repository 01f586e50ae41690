// The page of the description, in a real browser: read on a small screen, in the dark, by keyboard, without scripts.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openBrowser } from './browser.mjs'
import { startHouse } from './fixture.mjs'

let house, browser
before(async () => {
  house = await startHouse()
  browser = await openBrowser()
})
after(async () => {
  await browser?.close()
  await house.stop()
})

async function open(options = {}) {
  const page = await browser.newPage({ javaScriptEnabled: true, ...options })
  const faults = []
  page.on('console', m => faults.push(m.text()))
  page.on('request', r => r.url().startsWith('data:') || new URL(r.url()).pathname === '/docs' || r.url().endsWith('/favicon.ico') || faults.push(r.url()))
  await page.goto(`${house.licet.url}/docs`)
  return { page, faults }
}
const rgb = text => text.match(/\d+/g).slice(0, 3).map(Number)
const luminance = text => rgb(text).map(v => v / 255).map(v => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)

test('the page loads nothing else, and its own style is permitted', async () => {
  const { page, faults } = await open()
  assert.deepEqual(faults, [])
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.querySelector('nav')).position), 'static')
  await page.close()
})

test('nothing is wider than a screen of 320 pixels', async () => {
  const { page } = await open({ viewport: { width: 320, height: 640 } })
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320)
  const wide = await page.evaluate(() => [...document.querySelectorAll('main *:not(pre *)')].filter(e => e.getBoundingClientRect().right > 321).map(e => e.outerHTML.slice(0, 120)))
  assert.deepEqual(wide, [])
  await page.close()
})

for (const colorScheme of ['light', 'dark']) {
  test(`every text can be told from its ground: ${colorScheme}`, async () => {
    const { page } = await open({ colorScheme })
    const pairs = await page.evaluate(() => {
      const ground = e => { // the first that is painted
        for (; e; e = e.parentElement) {
          const c = getComputedStyle(e).backgroundColor
          if (!/, 0\)$/.test(c)) return c
        }
      }
      const own = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
      return [...new Set([...document.querySelectorAll('body *')].filter(own).map(e => `${getComputedStyle(e).color} on ${ground(e)}`))]
    })
    assert.ok(pairs.length > 5)
    for (const pair of pairs) {
      const [a, b] = pair.split(' on ').map(luminance)
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
      assert.ok(contrast >= 4.5, `${pair}: ${contrast.toFixed(2)}`) // WCAG 2.2, 1.4.3
    }
    await page.close()
  })
}

test('the keyboard leads past the contents to the text, and along them', async () => {
  const { page } = await open()
  const focused = () => page.evaluate(() => [document.activeElement.className, document.activeElement.getAttribute('href'), document.activeElement.getBoundingClientRect().left])
  await page.keyboard.press('Tab')
  const [name, target, left] = await focused()
  assert.deepEqual([name, target], ['skip', '#about'])
  assert.ok(left >= 0, 'it shows when it has the focus')
  await page.keyboard.press('Enter')
  assert.equal(new URL(page.url()).hash, '#about')
  await page.keyboard.press('Tab')
  assert.ok(await page.evaluate(() => document.querySelector('main').contains(document.activeElement)))
  await page.close()
})

test('it says all of it without scripts, and on paper', async () => {
  const { page } = await open({ javaScriptEnabled: false })
  assert.ok(await page.getByRole('heading', { name: 'POST /consent', exact: true }).isVisible())
  await page.emulateMedia({ media: 'print' })
  assert.ok((await page.pdf({ format: 'A4' })).length > 100_000)
  await page.close()
})
