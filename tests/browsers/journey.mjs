// A visit in Firefox and in WebKit, from the first page to the withdrawal, by the mouse. What is tried in Chromium stands in tests/e2e.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { AXE, OUT, openShop } from '../e2e/banner-house.mjs'
import { until } from '../e2e/daemon.mjs'
import { arrivals } from '../e2e/fixture.mjs'
import { openFirefox } from './firefox.mjs'
import { openWebkit } from './webkit.mjs'

const HEAD = `<script nonce="n1">window.faults = []
for (const kind of ['error', 'unhandledrejection', 'securitypolicyviolation']) addEventListener(kind, e => faults.push(kind + ' ' + (e.message ?? e.reason ?? e.violatedDirective)))
</script>`
let shop
before(async () => {
  shop = await openShop({ browser: null })
  shop.site.head = HEAD
})
after(() => shop?.stop())

const IN_BANNER = `document.querySelector('licet-consent').shadowRoot`
const all = (selector, what) => `[...${IN_BANNER}.querySelectorAll('${selector}')].map(e => ${what})`

/** A visitor with such a browser, and what she sees and does; `called`: how her pictures are. */
async function visitor(open, called) {
  const browser = await open()
  const sees = expression => browser.run(expression).catch(() => false) // no banner yet
  const laidOut = panel => until(() => sees(`!!${IN_BANNER}.querySelector('${panel}:not(.first)')`), panel)
  return {
    browser, sees, laidOut,
    go: path => browser.go(shop.site.url + path),
    async press(part) {
      const place = `${all(`[data-licet=${part}]`, 'e.getBoundingClientRect()')}.filter(r => r.width).map(r => [r.x + r.width / 2, r.y + r.height / 2].map(Math.round))`
      await until(() => sees(`!${IN_BANNER}.querySelector('.first') && ${place}.length === 1`), part)
      await browser.click(...(await browser.run(place))[0])
    },
    kept: () => browser.run('({ storage: Object.keys(localStorage), cookies: document.cookie, id: licet.anonymousId() })'),
    async faults() {
      await browser.run(`(() => { ${AXE}\n; return null })()`)
      const found = await browser.run(`axe.run({ include: [['licet-consent']] }, { resultTypes: ['violations'] }).then(r => r.violations.map(v => v.id + ' ' + v.nodes.map(n => n.html).join(' | ')))`)
      return [...found, ...await browser.run('faults')]
    },
    async shot(what) {
      await until(() => sees(`!${IN_BANNER}.getAnimations().length`), 'rest')
      await browser.shot(join(OUT, `${called}-${what}.png`))
    },
  }
}

const WORDS = {
  en: ['May we use your data?', 'January 1, 2025', 'Finland'],
  de: ['Dürfen wir Ihre Daten verwenden?', '1. Januar 2025', 'Finnland'],
  nl: ['Mogen wij uw gegevens gebruiken?', '1 januari 2025', 'Finland'],
}

for (const [name, open] of [['Firefox', openFirefox], ['WebKit', openWebkit]]) {
  for (const [language, words] of Object.entries(WORDS)) {
    test(`${name}, ${language}: nothing before the choice, what is granted counts, nothing is left after the withdrawal`, async () => {
      const me = await visitor(open, `${name}-${language}`)
      try {
        const path = `/${name}-${language}`
        await me.go(`${path}?l=${language}`)
        await me.laidOut('.card')
        assert.deepEqual(await me.kept(), { storage: [], cookies: '', id: null })
        const [card] = await me.browser.run(all('.card', 'e.textContent'))
        for (const word of words) assert.ok(card.includes(word), `${word}: ${card}`)
        await me.shot('1-first')
        assert.deepEqual(await me.faults(), [])

        await me.press('choose')
        await until(() => me.sees(`${all('.card input', 'e.checked')}.join() === 'false,false'`), 'switches, all of them off')
        await me.press('accept')
        await until(() => me.sees(`licet.granted('statistics') && licet.granted('adverts') && !licet.granted('recording')`), 'the grants')
        const { id } = await me.kept()
        await arrivals(shop.house.receiver, 1, a => a.event.type === 'page' && a.event.context?.page?.path === path)

        await me.press('opener')
        await until(() => me.sees(`${all('dialog .state', 'e.textContent')}.filter(t => t.startsWith(licet.policy().words.recorded.split('{')[0])).length === 2`), 'what is recorded')
        await me.shot('2-choices')
        assert.deepEqual(await me.faults(), [])
        await me.press('decline')
        await until(() => me.sees('licet.flush()'), 'the withdrawal on its way')
        assert.deepEqual(await me.kept(), { storage: ['licet'], cookies: '', id: null })
        assert.ok(!(await me.browser.run('localStorage.licet')).includes(id), 'and no id stays')
        const { json } = await shop.house.licet.api('GET', `/v1/permissions/${id}`)
        assert.deepEqual(Object.fromEntries(json.purposes.map(p => [p.id, p.reason])), { statistics: 'withdrawn', adverts: 'withdrawn', recording: 'refused', linking: 'no_consent' })

        await me.browser.run(`(void licet.ask('recording', { again: true }), null)`)
        await me.laidOut('dialog[open]')
        await me.shot('3-asked')
        await me.press('accept')
        await until(() => me.sees(`licet.granted('recording')`), 'what was asked by itself')
        await me.go(`/next?l=${language}`)
        await until(() => me.sees(`licet.granted('recording') && !licet.granted('statistics')`), 'the same on the next page')
        assert.deepEqual(await me.browser.run('faults'), [])
      } finally {
        await me.browser.close()
      }
    })
  }

  test(`${name}: a page written for the existing consent library records what a form says, as the page is left`, async () => {
    const { licet } = shop.house
    const email = `${name}@visitor.example`.toLowerCase()
    const me = await visitor(open, name)
    shop.site.head = `${HEAD}<script nonce="n1">var _iub = _iub || {}; _iub.cons_instructions = _iub.cons_instructions || []
_iub.cons_instructions.push(["init", {api_key: "${licet.publicKey}", logger: "console"}])</script><script src="${licet.url}/cons/iubenda_cons.js" async></script>`
    shop.site.body = `<form id="form" action="/thanks"><input name="mail" value="${email}"><input type="password" name="secret" value="hunter2"><input type="checkbox" name="news" checked><button id="send">Send</button></form>
<script nonce="n1">_iub.cons_instructions.push(["load", {submitElement: document.getElementById("send"), form: {selector: document.getElementById("form"), map: {subject: {email: "mail"}, preferences: {newsletter: "news"}}}}])</script>`
    try {
      await me.go('/')
      await me.laidOut('.card')
      await me.press('close')
      await until(() => me.sees('!!_iub.cons.submit'), 'the library')
      const place = await me.browser.run(`(r => [r.x + r.width / 2, r.y + r.height / 2].map(Math.round))(document.getElementById('send').getBoundingClientRect())`)
      await me.browser.click(...place)
      await until(() => me.sees(`location.pathname === '/thanks'`), 'the next page')
      let found = []
      await until(async () => (found = (await licet.api('GET', `/consent?subject_email_exact=${encodeURIComponent(email)}`)).json).length, 'the act')
      assert.equal(found.length, 1)
      assert.deepEqual(found[0].preferences, { newsletter: true })
      assert.ok(!JSON.stringify(found).includes('hunter2'))
      assert.deepEqual(await me.browser.run('faults'), [])
    } finally {
      Object.assign(shop.site, { head: HEAD, body: '' })
      await me.browser.close()
    }
  })
}
