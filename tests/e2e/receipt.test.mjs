// What a person keeps of what she said: as JSON by its schema, as a page, as text; and who may see it.
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import Ajv from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { openBrowser } from './browser.mjs'
import { newKey } from './daemon.mjs'
import { browserConsent, consent, startHouse } from './fixture.mjs'

const SECRET = 'the-operators-server-alone-knows-it'
const ORIGIN = 'https://shop.example'
const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false })
addFormats(ajv)
const fits = ajv.compile(JSON.parse(await readFile(new URL('../../docs/receipt.schema.json', import.meta.url), 'utf8')))
const HOSTILE = ['<script>document.title="owned"</script>', '"><img src=x onerror=\'document.title="owned"\'>', '</style><b>', '&lt;b&gt;', "' onload='x", '\u202eevil\u202c', '{{7*7}}', '</title><h1>x</h1>']

const words = title => ({
  title, aim: `Aim of ${title}.`, data: 'A number for this device.', transfer: 'To Ireland and the United States.', storage: 'At Google, 14 months.',
  automation: 'Nothing is decided automatically.', consequences: 'None.', withdrawal: 'At the foot of every page.',
})
let house, d, limited
before(async () => {
  house = await startHouse({
    change(config) {
      const [statistics, profiling] = config.purposes
      statistics.versions[0].text = { en: words('Statistics'), de: words('Statistik'), fr: words('Statistiques') }
      statistics.versions[0].notice = { privacy_policy: 1 }
      statistics.versions.push({ ...statistics.versions[0], version: 2, since: '2025-06-01' })
      profiling.versions[0].text.en.title = HOSTILE[0]
      profiling.double_opt_in = true
      config.purposes.push({
        id: 'security', basis: 'legitimate_interests', terminal_access: 'strictly_necessary', reason: 'r', assessment: 'a', date: '2024-01-01', proof: 'optional',
        versions: [{ version: 1, since: '2024-01-01', text: { en: words('Security') } }],
      }, { id: 'letters', scope: 'person', lifetime: '30d', versions: [{ version: 1, since: '2024-01-01', recipients: [], text: { en: words('Letters') } }] })
      config.destinations[1].recipient = { name: `Google ${HOSTILE[1]}`, country: 'IE', role: 'processor' }
      config.destinations[1].transfers = [{
        importer: 'Google LLC', country: 'US', basis: 'adequacy', instrument: 'EU-US DPF', since: '2023-07-10', certified_until: '2027-09-15',
        fallback: { basis: 'scc', module: 2, assessed: '2025-05-02' },
      }]
      config.subject_token_secret = SECRET
      config.keys.public = [{ key: '${LICET_PUBLIC_KEY}', origins: [ORIGIN] }]
      config.limits = { address_per_minute: 100_000, subject_per_hour: 100_000 }
      return config
    },
  })
  d = house.licet
})
after(async () => {
  await house.stop()
  await limited?.stop()
})

const sha256 = text => createHash('sha256').update(text).digest('hex')
const subjectToken = id => createHmac('sha256', SECRET).update(id).digest('hex')
const of = async (path, more) => {
  const answer = await d.api('GET', path, undefined, more)
  assert.equal(answer.status, 200, answer.text)
  assert.ok(fits(answer.json), `${path}: ${ajv.errorsText(fits.errors)}`)
  return answer.json
}
const standing = (subject, query = '') => of(`/subjects/${encodeURIComponent(subject)}/receipt${query}`)
const about = (receipt, purpose) => receipt.purposes.find(p => p.purpose === purpose)
/** A browser that agrees to the text in force. */
const visitor = () => browserConsent(d, { statistics: true }, { versions: { statistics: 2 } })
/** By the person herself: no key, unless one is given. */
const publicly = (headers = {}, { method = 'GET', body, key = null, query = '' } = {}) => d.api(method, `/public/receipt${query}`, body, { key, headers })

test('a receipt tells purpose, words, recipients, transfers, times, evidence and record of what stands', async () => {
  const { id } = await consent(d, { id: 'whole', full_name: 'Wanda Whole', email: 'w@x.example' }, { statistics: true }, { versions: { statistics: 2 } })
  const receipt = await standing('whole', '?language=de')
  const [p] = receipt.purposes, record = receipt.records.find(r => r.record_id === id)
  assert.equal(receipt.covers, 'standing')
  assert.equal(receipt.language, 'de')
  assert.equal(receipt.pii_principal_id, 'whole')
  assert.equal(receipt.name, 'Wanda Whole')
  assert.deepEqual(receipt.pii_controllers, [{ party_id: 'controller', party_name: 'Muster GmbH', party_address: { addressCountry: 'DE' }, party_contact: 'datenschutz@muster.example', party_role: 'controller' }])
  assert.equal(receipt.purposes.length, 1)
  assert.deepEqual([p.purpose, p.holds, p.state, p.decided_by, p.lawful_basis, p.scope], ['statistics', true, 'granted', id, 'consent', 'device'])
  assert.deepEqual(p.privacy_notice, { relation: 'agreed', version: 2, since: '2025-06-01', language: 'de', legal_notices: [{ identifier: 'privacy_policy', version: 1 }] })
  assert.equal(p.title, 'Statistik')
  assert.equal(p.withdrawal_method, words().withdrawal)
  const [google] = p.recipient_third_parties
  assert.deepEqual([google.party_id, google.party_name, google.party_address, google.party_role], ['warehouse', `Google ${HOSTILE[1]}`, { addressCountry: 'IE' }, 'processor'])
  assert.deepEqual(google.transfers, [
    { importer: 'Google LLC', country: 'US', basis: 'adequacy', instrument: 'EU-US DPF', from: '2023-07-10', until: '2027-09-15' },
    { importer: 'Google LLC', country: 'US', basis: 'scc', instrument: null, from: '2025-05-02', until: null },
  ])
  assert.deepEqual(p.processing_locations, ['DE', 'IE', 'US'])
  assert.deepEqual([p.event.said, p.event.event_state, p.event.event_type, p.event.evidence, p.event.validity_duration], ['grant', 'ConsentGiven', 'ExpressedConsent', 'proof', 'P12M'])
  const end = new Date(p.event.effect_time)
  end.setUTCFullYear(end.getUTCFullYear() + 1)
  assert.equal(p.event.valid_until, end.toISOString())
  const stored = (await d.api('GET', `/consent/${id}`)).json
  assert.equal(record.checksum, stored.checksum, 'the checksum is that of GET /consent/ID')
  assert.equal(record.proofs[0].form_sha256, sha256('<form>…</form>'))
  assert.ok(!('form' in record.proofs[0]) && !('preferences' in record))
})

test('what was withdrawn, refused, objected to or never counted stands on a receipt as such', async () => {
  const granted = await consent(d, 'varied', { statistics: true })
  const no = await consent(d, 'varied', { statistics: false, letters: false, security: false })
  await d.api('POST', '/consent', { subject: { id: 'varied' }, preferences: { profiling: true } })
  const receipt = await standing('varied')
  const see = name => [about(receipt, name).state, about(receipt, name).holds, about(receipt, name).event.event_state, about(receipt, name).privacy_notice?.relation]
  assert.deepEqual(see('statistics'), ['withdrawn', false, 'ConsentWithdrawn', 'withdrawn'])
  assert.deepEqual(see('letters'), ['refused', false, 'ConsentRefused', 'in_force'])
  assert.deepEqual(see('security'), ['objected', false, null, 'in_force'])
  assert.equal(about(receipt, 'profiling').holds, false)
  assert.equal(about(receipt, 'profiling').event.evidence, 'bare')
  assert.equal(about(receipt, 'profiling').event.event_state, 'ConsentUnknown')
  assert.equal(about(receipt, 'statistics').privacy_notice.version, 1, 'the text that she withdrew from, not the newest')
  assert.equal(about(receipt, 'statistics').decided_by, no.id)
  assert.ok(receipt.records.every(r => r.record_id !== granted.id), 'what decides nothing any more is not there')
})

test('what has run out, or waits for a confirmed address, is told', async () => {
  const long = new Date(Date.now() - 40 * 86_400_000).toISOString()
  await consent(d, 'late', { letters: true }, { timestamp: long })
  await consent(d, 'late', { profiling: true })
  const receipt = await standing('late')
  assert.equal(about(receipt, 'letters').state, 'expired')
  assert.equal(about(receipt, 'letters').event.event_state, 'ConsentExpired')
  assert.ok(Date.parse(about(receipt, 'letters').event.valid_until) < Date.now())
  assert.equal(about(receipt, 'profiling').state, 'not_verified')
})

test('the receipt of one act tells what was said in it, and what decides since', async () => {
  const first = await consent(d, 'twice', { statistics: true, 'a <b>': HOSTILE[0] }, { ip_address: '198.51.100.7' })
  const second = await consent(d, 'twice', { statistics: false })
  const receipt = await of(`/consent/${first.id}/receipt`), [p] = receipt.purposes, [record] = receipt.records
  assert.equal(receipt.covers, 'act')
  assert.equal(receipt.purposes.length, 1)
  assert.deepEqual([p.event.record_id, p.event.event_state, p.state, p.decided_by], [first.id, 'ConsentGiven', 'withdrawn', second.id])
  assert.deepEqual(record.preferences, { statistics: true, 'a <b>': HOSTILE[0] })
  assert.equal(record.proofs[0].form, '<form>…</form>')
  assert.equal(record.ip_address, '198.51.100.7')
  const then = await of(`/consent/${second.id}/receipt`)
  assert.deepEqual([then.purposes[0].event.event_state, then.purposes[0].decided_by], ['ConsentWithdrawn', second.id])
})

test('a later yes does not turn the receipt of a no into something else', async () => {
  await consent(d, 'again', { letters: true })
  const no = await consent(d, 'again', { letters: false })
  await consent(d, 'again', { letters: true })
  const { purposes: [p] } = await of(`/consent/${no.id}/receipt`)
  assert.deepEqual([p.event.said, p.event.event_state, p.state], ['lower', 'ConsentWithdrawn', 'granted'])
})

test('the same words have the same number, other words another', async () => {
  await consent(d, 'numbered', { statistics: true })
  const [a, b] = [await standing('numbered'), await standing('numbered')]
  assert.equal(a.receipt_id, b.receipt_id)
  assert.notEqual((await standing('numbered', '?language=nl')).receipt_id, a.receipt_id)
  await consent(d, 'numbered', { statistics: false })
  assert.notEqual((await standing('numbered')).receipt_id, a.receipt_id)
})

test('texts come in the language asked for, else as shown, else in English', async () => {
  await consent(d, 'polyglot', { statistics: true, letters: true }, { shown: { language: 'fr' }, versions: { statistics: 1, letters: 1 } })
  const see = async query => {
    const r = await standing('polyglot', query)
    return [r.language, about(r, 'statistics').privacy_notice.language, about(r, 'letters').privacy_notice.language]
  }
  assert.deepEqual(await see(''), ['en', 'fr', 'en'])
  assert.deepEqual(await see('?language=de-AT'), ['de', 'de', 'en'])
  assert.deepEqual(await see('?language=fr'), ['en', 'fr', 'en'])
  assert.deepEqual(await see('?language=nl'), ['nl', 'fr', 'en'])
  assert.deepEqual(await see(`?language=${'x'.repeat(300)}`), ['en', 'fr', 'en'])
})

test('what there is nothing of is not found, and a format nobody knows is refused', async () => {
  for (const path of ['/subjects/nobody/receipt', '/consent/01890000-0000-7000-8000-000000000000/receipt', '/consent/x/receipt']) {
    assert.equal((await d.api('GET', path)).status, 404, path)
  }
  const { status, json } = await d.api('GET', '/subjects/whole/receipt?format=pdf')
  assert.deepEqual([status, json.field], [400, 'format'])
})

test('receipts of anybody need the private key', async () => {
  const { id } = await consent(d, 'private', { statistics: true })
  for (const key of ['public', null, newKey()]) {
    for (const path of ['/subjects/private/receipt', `/consent/${id}/receipt`]) {
      const { status, text } = await d.api('GET', path, undefined, { key })
      assert.ok([401, 403].includes(status), `${path}: ${status}`)
      assert.ok(!text.includes('Statistics'))
    }
  }
})

// ---- by the person herself

test('what asks for a receipt is short', async () => {
  assert.equal((await publicly({ 'Content-Type': 'application/json' }, { method: 'POST', body: JSON.stringify({ subject: 'x'.repeat(9000) }) })).status, 413)
})

test('a browser opens the receipt of its own device, by cookie or header, without a key', async () => {
  const mine = await visitor()
  for (const headers of [{ Cookie: mine.cookie }, { 'Licet-Device-Token': mine.token }]) {
    const answer = await publicly(headers)
    assert.equal(answer.status, 200, answer.text)
    assert.ok(fits(answer.json), ajv.errorsText(fits.errors))
    assert.equal(answer.json.pii_principal_id, mine.subject)
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    assert.ok(!('name' in answer.json) && !('email' in answer.json), 'whoever sits at the browser is not told who she is')
    assert.equal(about(answer.json, 'statistics').event.evidence, 'shown')
  }
})

test('a subject that the operator vouches for gets hers, from JSON and from a form', async () => {
  await consent(d, { id: 'vouched', full_name: 'Vera' }, { statistics: true })
  const json = await publicly({}, { method: 'POST', body: { subject: { id: 'vouched' }, subject_token: subjectToken('vouched'), language: 'de' } })
  assert.equal(json.status, 200, json.text)
  assert.deepEqual([json.json.name, json.json.language], ['Vera', 'de'])
  const form = await publicly({ 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' }, {
    method: 'POST', body: new URLSearchParams({ 'subject[id]': 'vouched', subject_token: subjectToken('vouched'), language: 'nl' }).toString(),
  })
  assert.equal(form.status, 200)
  assert.match(form.headers.get('content-type'), /^text\/html/)
  assert.match(form.text, /<html lang="nl">/)
})

test('unknown, wrong and missing tokens are answered alike, as JSON and as a page', async () => {
  const mine = await visitor()
  await consent(d, 'known', { statistics: true })
  const forged = mine.token.slice(0, -4) + (mine.token.endsWith('AAAA') ? 'BBBB' : 'AAAA')
  const post = (id, token) => [{}, { method: 'POST', body: { subject: { id }, subject_token: token } }]
  const asked = [
    [], [{ 'Licet-Device-Token': forged }], [{ Cookie: `licet_device=${forged}` }], [{ 'Licet-Device-Token': subjectToken('known') }], [{}, { key: 'public' }],
    post('known', 'x'), post('known', subjectToken('other')), post('never-seen', subjectToken('never-seen')), post('null', subjectToken('null')), post('', subjectToken('')),
    [{ Cookie: mine.cookie }, { method: 'POST', body: { subject: { id: 'known' }, subject_token: 'wrong' } }],
  ]
  for (const accept of ['application/json', 'text/html']) {
    const seen = new Set()
    for (const [headers = {}, more = {}] of asked) {
      const { status, text, headers: h } = await publicly({ ...headers, Accept: accept }, more)
      seen.add(JSON.stringify([status, text, h.get('content-type'), h.get('cache-control'), h.get('content-security-policy')]))
    }
    assert.equal(seen.size, 1, [...seen].join('\n'))
    assert.match([...seen][0], /^\[404,/)
  }
})

test('the public key opens nobody\'s receipt, whatever it names', async () => {
  await consent(d, 'victim', { statistics: true })
  for (const query of ['?subject=victim', '?subject_id=victim', '?subject[id]=victim']) {
    assert.equal((await publicly({}, { key: 'public', query })).status, 404)
  }
  assert.equal((await publicly({}, { key: 'public', method: 'POST', body: { subject: { id: 'victim' } } })).status, 404)
})

test('another page cannot read it by the cookie that the browser sends along', async () => {
  const mine = await visitor()
  const ask = async (origin, key = null) => (await publicly({ Cookie: mine.cookie, Origin: origin }, { key })).status
  assert.equal(await ask('https://evil.example'), 404)
  assert.equal(await ask('https://evil.example', 'public'), 404, 'the key is in every page')
  assert.equal(await ask('null'), 404)
  assert.equal(await ask(ORIGIN), 404, 'nobody says that this page may')
  assert.equal(await ask(ORIGIN, 'public'), 200, 'the key is for this page')
  assert.equal(await ask(d.url), 200, 'its own')
})

test('asking often is refused, and does not keep her from withdrawing', async () => {
  limited = await startHouse({ change: c => ({ ...c, limits: { address_per_minute: 5 } }) })
  const mine = await browserConsent(limited.licet, { statistics: true })
  const ask = () => limited.licet.api('GET', '/public/receipt', undefined, { key: null, headers: { Cookie: mine.cookie } })
  const answers = []
  for (let i = 0; i < 7; i++) answers.push(await ask())
  assert.deepEqual(answers.map(a => a.status), [200, 200, 200, 200, 200, 429, 429])
  assert.ok(Number(answers.at(-1).headers.get('retry-after')) > 0)
  assert.equal((await browserConsent(limited.licet, { statistics: false }, { headers: { Cookie: mine.cookie } })).status, 200)
  assert.equal(await limited.licet.metric('licet_limited_total', { by: 'receipts' }), 2)
})

// ---- for people

test('a page asks for nothing, runs nothing, and is whole under its policy', async () => {
  await consent(d, { id: 'paged', full_name: HOSTILE[1], email: 'x@x.example' }, { statistics: true, profiling: true })
  const { status, headers, text } = await d.api('GET', '/subjects/paged/receipt?language=de', undefined, { headers: { Accept: 'text/html,application/xhtml+xml' } })
  assert.equal(status, 200)
  assert.match(headers.get('content-type'), /^text\/html; charset=utf-8/)
  const style = text.match(/<style>([^<]*)<\/style>/)[1]
  const policy = headers.get('content-security-policy')
  assert.ok(policy.startsWith("default-src 'none'; "), policy)
  assert.ok(policy.includes(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`), policy)
  for (const part of ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]) assert.ok(policy.includes(part), part)
  assert.doesNotMatch(policy, /unsafe|script-src/)
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
  assert.doesNotMatch(text, /<(script|img|link|iframe|form|a|b)\b/i)
  assert.doesNotMatch(style, /url\(|@import/)
})

test('what strangers wrote is text in a browser, wherever it stands', async () => {
  const { id } = await consent(d, { id: `hostile ${HOSTILE[0]}`, full_name: HOSTILE[1], email: HOSTILE[2] },
    { statistics: true, profiling: true, ...Object.fromEntries(HOSTILE.map((h, i) => [`${h}${i}`, h])) },
    { proofs: HOSTILE.map(h => ({ form: h, content: h })), shown: { language: 'en' }, legal_notices: [{ identifier: 'privacy_policy', version: 1 }] })
  const browser = await openBrowser()
  try {
    const context = await browser.newContext({ extraHTTPHeaders: { ApiKey: d.privateKey } })
    const page = await context.newPage(), told = []
    page.on('console', m => told.push(m.text()))
    page.on('pageerror', e => told.push(String(e)))
    for (const path of [`/consent/${id}/receipt?format=html`, `/subjects/${encodeURIComponent(`hostile ${HOSTILE[0]}`)}/receipt?format=html&language=nl`]) {
      await page.goto(d.url + path)
      assert.ok(['Consent receipt', 'Toestemmingsbewijs'].includes(await page.title()))
      assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('script,img,b,h1:not(main>h1),[onerror],[onload]')].length), 0)
      assert.equal(await page.evaluate(() => document.querySelectorAll('style').length), 1)
      const body = await page.evaluate(() => document.body.textContent)
      for (const text of HOSTILE.slice(0, 3)) assert.ok(body.includes(text), text)
    }
    assert.deepEqual(told, [])
  } finally {
    await browser.close()
  }
})

test('a page can be read on a narrow screen, in the dark, on paper and by ear', async () => {
  await consent(d, { id: 'reader', full_name: 'x'.repeat(200) }, { statistics: true, profiling: true, letters: true, security: false })
  const browser = await openBrowser()
  try {
    for (const [width, colorScheme, media, language] of [[320, 'light', 'screen', 'de'], [320, 'dark', 'screen', 'nl'], [1200, 'dark', 'screen', 'en'], [794, 'light', 'print', 'de']]) {
      const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, extraHTTPHeaders: { ApiKey: d.privateKey } })
      const page = await context.newPage()
      await page.emulateMedia({ media, colorScheme })
      await page.goto(`${d.url}/subjects/reader/receipt?format=html&language=${language}`)
      const found = await page.evaluate(() => {
        const luminance = c => {
          const [r, g, b] = c.match(/[\d.]+/g).map(Number).map(v => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
          return 0.2126 * r + 0.7152 * g + 0.0722 * b
        }
        const behind = e => { // the nearest that is not transparent
          for (; e; e = e.parentElement) {
            const c = getComputedStyle(e).backgroundColor
            if (!/, 0\)$/.test(c)) return c
          }
          return 'rgb(255, 255, 255)'
        }
        const weak = [...document.querySelectorAll('h1,h2,h3,p,dt,dd,th,td,caption,li,code')].filter(e => {
          const [a, b] = [luminance(getComputedStyle(e).color), luminance(behind(e))].sort((x, y) => y - x)
          return (a + 0.05) / (b + 0.05) < 4.5
        }).map(e => e.outerHTML.slice(0, 80))
        return {
          weak, language: document.documentElement.lang, over: document.documentElement.scrollWidth - innerWidth,
          levels: [...document.querySelectorAll('h1,h2,h3')].map(h => Number(h.tagName[1])),
          headers: [...document.querySelectorAll('table')].every(t => [...t.querySelectorAll('thead th')].every(h => h.scope === 'col') && [...t.querySelectorAll('tbody tr')].every(r => r.firstElementChild.scope === 'row')),
          foreign: [...new Set([...document.querySelectorAll('main [lang]')].map(e => e.lang))],
        }
      })
      assert.deepEqual(found.weak, [], 'too little contrast')
      assert.equal(found.language, language)
      assert.ok(found.over <= 0, `${width}: ${found.over} pixels too wide`)
      assert.equal(found.levels.filter(l => l === 1).length, 1)
      assert.ok(found.levels.every((l, i) => i === 0 || l <= found.levels[i - 1] + 1), 'no level of headings is left out')
      assert.ok(found.headers)
      assert.deepEqual(found.foreign, language === 'en' ? [] : ['en'], 'words in another language than the page say so')
      await context.close()
    }
  } finally {
    await browser.close()
  }
})

test('the command line gives the same, without a daemon as well', async () => {
  const { id } = await consent(d, 'lined', { statistics: true }, { versions: { statistics: 2 } })
  const json = await d.cli(['receipt', '--subject', 'lined', '--format', 'json', '--language', 'de'])
  assert.equal(json.code, 0, json.err)
  const receipt = JSON.parse(json.out)
  assert.ok(fits(receipt), ajv.errorsText(fits.errors))
  assert.equal(receipt.receipt_id, (await standing('lined', '?language=de')).receipt_id)
  await d.kill('SIGTERM')
  try {
    const alone = JSON.parse((await d.cli(['receipt', '--subject', 'lined', '--format', 'json', '--language', 'de'])).out)
    assert.deepEqual({ ...alone, issued: 0 }, { ...receipt, issued: 0 })
  } finally {
    await d.run()
  }
  assert.match((await d.cli(['receipt', '--act', id, '--format', 'html'])).out, /^<!doctype html>/)
  const text = (await d.cli(['receipt', '--subject', 'lined', '--act', id, '--language', 'nl'])).out
  assert.match(text, /^Toestemmingsbewijs\n=+\n/)
  assert.ok(text.includes(id))
  for (const args of [['--subject', 'nobody'], ['--act', 'x'], ['--subject', 'whole', '--act', id]]) {
    assert.equal((await d.cli(['receipt', ...args])).code, 1, args.join(' '))
  }
  for (const args of [[], ['--subject'], ['--subject', 'x', '--format', 'pdf'], ['--format', 'json']]) {
    assert.equal((await d.cli(['receipt', ...args])).code, 2, args.join(' '))
  }
})

test('a terminal gets no control characters from strangers', async () => {
  const { id } = await consent(d, { id: 'terminal', full_name: '\u001b[31mred\u001b[0m \u202eevil' }, { statistics: true, 'x\u001b]0;t\u0007': '\u009b31m' }, { proofs: [{ form: '\u001b[2J\r\u0085' }] })
  for (const args of [['--subject', 'terminal'], ['--act', id]]) {
    const { code, out } = await d.cli(['receipt', ...args])
    assert.equal(code, 0)
    assert.ok(out.includes('red') && out.includes('evil'))
    assert.doesNotMatch(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
  }
})
