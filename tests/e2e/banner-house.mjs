// A shop's site with /sdk/licet.js on it, under a strict content security policy, and licet behind it with texts in three languages.
import { mkdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { openBrowser } from './browser.mjs'
import { FIELDS, startHouse, webhook } from './fixture.mjs'

export const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
export const OUT = resolve(import.meta.dirname, '../../out/banner')

const TEXTS = {
  statistics: {
    en: {
      title: 'Statistics of the shop',
      aim: 'We count which pages and products are looked at, so that we know what to print next and which pages to mend.',
      data: 'The page, the product, the day and time, a random number for this browser, and your network address without its last part.',
      transfer: 'Tuuli Warehouse Oy, Finland, stores it for us and may use it for nothing else. Nothing leaves the European Economic Area.',
      storage: 'Ninety days with us, thirteen months with Tuuli Warehouse.',
      automation: 'Nothing is decided about you by a machine.',
      consequences: 'None. The shop works the same, whichever you choose.',
      withdrawal: 'Press “Privacy choices” on any page. It takes effect at once; what was counted stays counted.',
    },
    de: {
      title: 'Statistik des Ladens',
      aim: 'Wir zählen, welche Seiten und Waren angesehen werden, damit wir wissen, was wir als Nächstes drucken und welche Seiten wir verbessern.',
      data: 'Die Seite, die Ware, Tag und Uhrzeit, eine Zufallszahl für diesen Browser und Ihre Netzadresse ohne den letzten Teil.',
      transfer: 'Tuuli Warehouse Oy, Finnland, speichert sie in unserem Auftrag und darf sie für nichts anderes nutzen. Nichts verlässt den Europäischen Wirtschaftsraum.',
      storage: 'Neunzig Tage bei uns, dreizehn Monate bei Tuuli Warehouse.',
      automation: 'Keine Maschine entscheidet etwas über Sie.',
      consequences: 'Keine. Der Laden funktioniert genauso, wie auch immer Sie wählen.',
      withdrawal: 'Mit „Datenschutz-Wahl“ auf jeder Seite. Es wirkt sofort; was gezählt wurde, bleibt gezählt.',
    },
    nl: {
      title: 'Statistiek van de winkel',
      aim: 'We tellen welke pagina’s en producten bekeken worden, zodat we weten wat we hierna drukken en welke pagina’s beter moeten.',
      data: 'De pagina, het product, dag en tijd, een willekeurig getal voor deze browser en uw netwerkadres zonder het laatste deel.',
      transfer: 'Tuuli Warehouse Oy, Finland, bewaart ze voor ons en mag ze nergens anders voor gebruiken. Niets verlaat de Europese Economische Ruimte.',
      storage: 'Negentig dagen bij ons, dertien maanden bij Tuuli Warehouse.',
      automation: 'Er beslist geen machine over u.',
      consequences: 'Geen. De winkel werkt hetzelfde, wat u ook kiest.',
      withdrawal: 'Met ‘Privacykeuzes’ op elke pagina. Het werkt meteen; wat geteld is, blijft geteld.',
    },
  },
  adverts: {
    en: {
      title: 'Which advertisement brought you here',
      aim: 'We note which advertisement led to an order, to pay for those that work and end the others.',
      data: 'The name of the advertisement in the address of the page, and what was ordered for how much.',
      transfer: 'Ribeira CRM Lda, Portugal, which works for us and for nobody else with it.',
      storage: 'Six months.', automation: 'A program chooses which advertisements we go on paying for. It decides nothing about you.',
      consequences: 'None. You see neither more nor fewer advertisements.',
      withdrawal: 'Press “Privacy choices” on any page. It takes effect at once.',
    },
    de: {
      title: 'Welche Anzeige Sie hergeführt hat',
      aim: 'Wir merken uns, welche Anzeige zu einer Bestellung führte, um die wirksamen zu bezahlen und die anderen zu beenden.',
      data: 'Der Name der Anzeige in der Adresse der Seite, und was für wie viel bestellt wurde.',
      transfer: 'Ribeira CRM Lda, Portugal, arbeitet damit für uns und für niemanden sonst.',
      storage: 'Sechs Monate.', automation: 'Ein Programm wählt, welche Anzeigen wir weiter bezahlen. Über Sie entscheidet es nichts.',
      consequences: 'Keine. Sie sehen weder mehr noch weniger Anzeigen.',
      withdrawal: 'Mit „Datenschutz-Wahl“ auf jeder Seite. Es wirkt sofort.',
    },
    nl: {
      title: 'Welke advertentie u hier bracht',
      aim: 'We onthouden welke advertentie tot een bestelling leidde, om de goede te betalen en de andere te stoppen.',
      data: 'De naam van de advertentie in het adres van de pagina, en wat er voor hoeveel besteld werd.',
      transfer: 'Ribeira CRM Lda, Portugal, dat er voor ons mee werkt en voor niemand anders.',
      storage: 'Zes maanden.', automation: 'Een programma kiest welke advertenties we blijven betalen. Over u beslist het niets.',
      consequences: 'Geen. U ziet niet meer en niet minder advertenties.',
      withdrawal: 'Met ‘Privacykeuzes’ op elke pagina. Het werkt meteen.',
    },
  },
  recording: {
    en: {
      title: 'Recording how you use the pages',
      aim: 'We watch recordings of visits to find the places where people get stuck.',
      data: 'Movements of the pointer, clicks, scrolling. What you type is never recorded.',
      transfer: 'Tuuli Warehouse Oy, Finland. Nothing leaves the European Economic Area.',
      storage: 'Thirty days.', automation: 'None.', consequences: 'None.', withdrawal: 'Press “Privacy choices”. The recording ends at once.',
    },
  },
  linking: {
    en: {
      title: 'Linking your visits with your account',
      aim: 'We tie what you look at here to your account, to answer your questions knowing what you saw.',
      data: 'The random number of this browser and the number of your account.',
      transfer: 'Ribeira CRM Lda, Portugal.', storage: 'As long as you agree.', automation: 'None.',
      consequences: 'Our staff sees your path through the shop.', withdrawal: 'In your account. The link is cut at once.',
    },
  },
}

const say = (id, languages = Object.keys(TEXTS[id])) => Object.fromEntries(languages.map(l => [l, TEXTS[id][l]]))
export const purposes = () => [
  { id: 'statistics', forget: ['_ga*', 'hubspotutk'], versions: [{ version: 1, since: '2025-01-01', recipients: ['warehouse'], notice: { privacy_policy: 1 }, text: say('statistics') }] },
  { id: 'adverts', honours: ['gpc', 'dnt'], forget: ['_fbp'], versions: [{ version: 1, since: '2025-01-01', recipients: ['crm'], notice: { privacy_policy: 1 }, text: say('adverts') }] },
  { id: 'recording', separate: true, forget: ['_cl*'], versions: [{ version: 1, since: '2025-01-01', recipients: ['warehouse'], text: say('recording') }] },
  { id: 'linking', scope: 'person', separate: true, versions: [{ version: 1, since: '2025-01-01', recipients: ['crm'], text: say('linking') }] },
]
/** The second version of a text: what `change` says otherwise. */
export const secondVersion = (id, change, more) => ({
  version: 2, since: '2026-02-01', recipients: ['warehouse'],
  text: Object.fromEntries(Object.entries(TEXTS[id]).map(([l, t]) => [l, { ...t, ...change }])), ...more,
})

export const BANNER = {
  texts: {
    en: { privacy_policy: '/privacy' }, de: { privacy_policy: '/privacy', imprint_page: '/imprint' }, nl: { privacy_policy: '/privacy' },
  },
  google: { analytics_storage: ['statistics'], ad_storage: ['adverts'], ad_user_data: ['adverts'], ad_personalization: ['adverts'] },
  clarity: { analytics_storage: ['recording'], ad_storage: ['adverts'] },
  hubspot: { analytics: ['statistics'], advertisement: ['adverts'], functionality: ['statistics'] },
}

export const SECRET = 'subject-secret-of-the-tests'
const fields = { ...FIELDS.warehouse, 'context.page.url': { query: ['utm_*'] }, 'context.page.referrer': 'keep', 'context.campaign.source': 'keep', 'properties.file': 'keep', 'properties.plan': 'keep', 'properties.title': 'keep', name: 'keep' }
const config = (c, receiver) => ({
  ...c,
  controller: { name: 'Blatt & Halm', country: 'DE', contact: 'privacy@blatt-und-halm.example' },
  subject_token_secret: SECRET,
  purposes: purposes(),
  destinations: [
    { id: 'own', requires: ['statistics'], retention: '90d', fields: { type: 'keep', event: 'keep' } },
    { ...webhook('warehouse', { requires: ['statistics'], receiver, fields }), recipient: { name: 'Tuuli Warehouse Oy', country: 'FI', role: 'processor' } },
    { ...webhook('crm', { requires: ['adverts'], receiver, fields: { type: 'keep', event: 'keep' } }), recipient: { name: 'Ribeira CRM Lda', country: 'PT', role: 'processor' } },
  ],
  limits: { ...c.limits, address_per_minute: 6000, subject_per_hour: 6000 },
  banner: BANNER,
})

const STYLE = `body{margin:0;font:17px/1.6 Georgia,serif;color:#26282b;background:#faf8f4;overflow-wrap:anywhere}main{max-width:44rem;margin:0 auto;padding:3rem 1.5rem}h1{font-size:2.6rem;line-height:1.1;font-weight:500}a{color:#7a3b12}.goods{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:1rem;padding:0;list-style:none}.goods li{background:#efe9dd;aspect-ratio:1;display:grid;place-items:center}
@media(prefers-color-scheme:dark){body{background:#141414;color:#ddd}.goods li{background:#2a2723}a{color:#e0a878}}`
const SAYS = {
  en: ['Paper worth writing on.', 'Three things, made well. We print what sells and leave the rest.', ['Notebook', 'Letters', 'Pencils']],
  de: ['Papier, auf dem man gern schreibt.', 'Drei Dinge, gut gemacht. Wir drucken, was gekauft wird, und lassen den Rest.', ['Notizbuch', 'Briefe', 'Stifte']],
  nl: ['Papier om graag op te schrijven.', 'Drie dingen, goed gemaakt. We drukken wat verkocht wordt en laten de rest.', ['Notitieboek', 'Brieven', 'Potloden']],
}

/** {house, site: {url, asked, head, body, tag}, browser, stop()}. `tag`: attributes of the script's tag; `browser`: options of Chromium, null for none. */
export async function openShop({ change = c => c, script = 'licet.js', env = {}, browser: how } = {}) {
  await mkdir(OUT, { recursive: true })
  const house = await startHouse({ env, change: c => change(config(c, c.destinations[1].endpoint.replace(/\/warehouse$/, ''))) })
  const site = { asked: [], head: '', body: '', tag: 'async' }
  const server = createServer((q, r) => {
    const { pathname, searchParams } = new URL(q.url, 'http://x')
    site.asked.push(q.url)
    if (pathname === '/style.css') return r.writeHead(200, { 'Content-Type': 'text/css' }).end(STYLE)
    if (/^\/third-\w+\.js$/.test(pathname)) return r.writeHead(200, { 'Content-Type': 'text/javascript' }).end(`(window.third ??= []).push('${pathname}'); document.cookie = '_ga_X=1; path=/'; document.cookie = '_clck=1; path=/'`)
    const language = searchParams.get('l') ?? 'en'
    const [title, lead, goods] = SAYS[language] ?? SAYS.en
    const csp = `default-src 'none'; script-src ${house.licet.url} 'self' 'nonce-n1'; connect-src ${house.licet.url}; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'`
    r.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': csp }).end(`<!doctype html><html lang="${language}"><head><meta name="viewport" content="width=device-width"><title>Blatt &amp; Halm</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css">
${site.head}<script src="${house.licet.url}/sdk/${script}" data-key="${house.licet.publicKey}" ${site.tag}></script></head>
<body><main><h1>${title}</h1><p>${lead}</p><ul class="goods">${goods.map(g => `<li>${g}</li>`).join('')}</ul><p><a href="/privacy">Privacy</a></p>${site.body}</main></body></html>`)
  })
  await new Promise(ok => server.listen(0, '127.0.0.1', ok))
  site.url = `http://127.0.0.1:${server.address().port}`
  const browser = how === null ? null : await openBrowser(how)
  const contexts = []
  return {
    house, site, browser,
    /** A browser of somebody new: {context, page, asked: [url], events: [message], acts: [body], faults: [text]} */
    async visitor(options = {}) {
      const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
      contexts.push(context)
      const me = { context, asked: [], events: [], acts: [], keys: [], faults: [] }
      context.on('request', q => {
        me.asked.push(q.url())
        if (q.url().endsWith('/v1/batch')) me.events.push(...(q.postDataJSON()?.batch ?? []))
        if (q.url().endsWith('/public/consent') && q.method() === 'POST') {
          me.acts.push(q.postDataJSON())
          me.keys.push(q.headers()['idempotency-key'])
        }
      })
      me.watch = page => {
        page.on('pageerror', e => me.faults.push(`the page failed: ${e.message}`))
        page.on('console', m => m.type() === 'error' && me.faults.push(m.text()))
        return page
      }
      me.page = me.watch(await context.newPage())
      me.open = (path = '/', page = me.page) => page.goto(site.url + path, { waitUntil: 'networkidle' })
      me.stored = () => me.page.evaluate(() => ({ local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie }))
      me.press = async (part, page = me.page) => {
        await page.locator(`licet-consent [data-licet=${part}]:visible`).click()
        await laidOut(page)
      }
      me.card = me.page.locator('licet-consent .card')
      me.dialog = me.page.locator('licet-consent dialog')
      return me
    },
    async stop() {
      for (const context of contexts) await context.close()
      await browser?.close()
      server.closeAllConnections()
      await new Promise(ok => server.close(ok))
      await house.stop()
    },
  }
}

/** A panel that opens is shown once all of it is laid out. */
const laidOut = page => page.locator('licet-consent .first').waitFor({ state: 'detached' })

export async function shot(page, name) {
  await laidOut(page)
  await page.screenshot({ path: join(OUT, `${name}.png`) })
}

/** What axe-core finds fault with in the banner and its dialogs. */
export async function faultsOf(page) {
  await laidOut(page)
  await page.evaluate(AXE)
  const { violations } = await page.evaluate(() => window.axe.run({ include: [['licet-consent']] }, { resultTypes: ['violations'] }))
  return violations.map(v => `${v.id}: ${v.nodes.map(n => n.html).join(' | ')}`)
}

/** Which purposes are granted on the page; and whether what was chosen there has been taken. */
export const granted = page => page.evaluate(() => window.licet.state()).then(s => Object.keys(s).filter(id => s[id].granted))
export const settled = page => page.evaluate(() => window.licet.flush())
