// The banner made of the templates, as a visitor meets it: three languages, on a telephone's 320 pixels.
import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import { faultsOf, openShop, SECRET, shot } from './banner-house.mjs'
import { licet } from './daemon.mjs'
import { ENV, LANGUAGES, NAMES, sets } from './template-house.mjs'

const IN_BANNER = ['statistics', 'statistics_google', 'advertising', 'remarketing']
let shop, purposes
before(async () => {
  const { out } = await licet(['template', ...NAMES, ...await sets(NAMES, { hubspot_endpoint: 'http://127.0.0.1:9/hubspot' })])
  const said = parse(out)
  purposes = said.purposes
  shop = await openShop({
    env: ENV,
    change: c => ({
      ...c, ...said, destinations: said.destinations.map(d => (d.id === 'hubspot' ? { ...d, allow_private_addresses: true } : d)),
      banner: { texts: c.banner.texts },
    }),
  })
})
after(() => shop?.stop())

/** Whatever in the banner or the choices is wider than its place, or reaches out of the window. */
const overflowing = page => page.evaluate(() => {
  const found = []
  if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways')
  const walk = node => {
    for (const e of node.querySelectorAll('*')) {
      if (e.shadowRoot) walk(e.shadowRoot)
      const box = e.getBoundingClientRect()
      if (box.width === 0 || getComputedStyle(e).visibility === 'hidden') continue
      if (box.left < -0.5 || box.right > innerWidth + 0.5) found.push(`${e.tagName}.${e.className}: ${box.left} to ${box.right}`)
      if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1 && getComputedStyle(e).display !== 'inline') found.push(`${e.tagName}.${e.className}: ${e.scrollWidth} in ${e.clientWidth}`)
    }
  }
  walk(document.querySelector('licet-consent').shadowRoot ?? document.querySelector('licet-consent'))
  return found
})
const textOf = (id, language) => purposes.find(p => p.id === id).versions[0].text[language]
const flat = text => text.replace(/\s+/g, ' ')

for (const language of LANGUAGES) {
  test(`the templates in ${language} at 320 pixels: banner, full text and choices show every word, and nothing overflows`, async () => {
    const me = await shop.visitor({ viewport: { width: 320, height: 640 }, locale: language })
    await me.open(`/?l=${language}`)
    await me.card.waitFor()
    await shot(me.page, `templates-${language}-1-banner`)
    const banner = flat(await me.card.innerText())
    for (const id of IN_BANNER) {
      assert.ok(banner.includes(textOf(id, language).title), id)
      assert.ok(banner.includes(textOf(id, language).aim), id)
    }
    for (const p of purposes.filter(p => p.separate)) assert.ok(!banner.includes(textOf(p.id, language).title), `${p.id} is asked separately`)
    assert.deepEqual(await overflowing(me.page), [])
    const box = await me.card.boundingBox()
    assert.ok(box.y >= 0 && box.y + box.height <= 640, 'the banner fits into the window')
    for (const part of ['accept', 'decline', 'choose']) {
      const { y, height } = await me.page.locator(`licet-consent [data-licet=${part}]:visible`).boundingBox()
      assert.ok(y >= 0 && y + height <= 640, `${part} can be reached without scrolling`)
    }
    assert.deepEqual(await faultsOf(me.page), [])
    for (const summary of await me.card.locator('summary').all()) await summary.click()
    await shot(me.page, `templates-${language}-2-opened`)
    assert.deepEqual(await overflowing(me.page), [])
    const opened = flat(await me.card.innerText())
    for (const id of IN_BANNER) {
      for (const [part, says] of Object.entries(textOf(id, language))) assert.ok(opened.includes(flat(says)), `${id}.${part} can be read before any choice`)
    }
    await me.press('choose')
    await shot(me.page, `templates-${language}-3-one-by-one`)
    assert.deepEqual(await overflowing(me.page), [])
    await me.press('decline')
    await me.press('opener')
    await me.dialog.waitFor()
    for (const summary of await me.dialog.locator('summary').all()) await summary.click()
    const choices = flat(await me.dialog.innerText())
    for (const p of purposes.filter(p => p.scope !== 'person')) {
      for (const [part, says] of Object.entries(textOf(p.id, language))) assert.ok(choices.includes(flat(says)), `${p.id}.${part}`)
    }
    assert.deepEqual(await overflowing(me.page), [])
    await shot(me.page, `templates-${language}-4-choices`)
    await me.dialog.evaluate(d => d.querySelectorAll('*').forEach(e => { if (e.scrollHeight > e.clientHeight + 100) e.scrollTop = 1400 }))
    await me.dialog.evaluate(d => { d.scrollTop = 1400 })
    await shot(me.page, `templates-${language}-5-full-text`)
    assert.deepEqual(await faultsOf(me.page), [])
    assert.deepEqual(me.faults, [])
  })
}

for (const language of LANGUAGES) {
  test(`what is asked separately, in ${language}, is asked by itself of somebody signed in, with the whole text, at 320 pixels`, async () => {
    const me = await shop.visitor({ viewport: { width: 320, height: 640 }, locale: language })
    await me.open(`/?l=${language}`)
    await me.card.waitFor()
    await me.press('decline')
    const id = `person-${randomUUID()}`
    await me.page.evaluate(([who, token]) => window.licet.identify(who, {}, { token }), [id, createHmac('sha256', SECRET).update(id).digest('hex')])
    for (const p of purposes.filter(p => p.separate)) {
      const answer = me.page.evaluate(purpose => window.licet.ask(purpose, { again: true }), p.id)
      await me.dialog.waitFor()
      await me.dialog.locator('li').waitFor()
      const said = flat(await me.dialog.innerText())
      for (const [part, says] of Object.entries(textOf(p.id, language))) assert.ok(said.includes(flat(says)), `${p.id}.${part}`)
      assert.deepEqual(await overflowing(me.page), [], p.id)
      assert.deepEqual(await faultsOf(me.page), [], p.id)
      await shot(me.page, `templates-${language}-6-${p.id}`)
      await me.dialog.locator('button[data-licet=decline]').click()
      assert.equal(await answer, false)
    }
    assert.deepEqual(me.faults, [])
  })
}
