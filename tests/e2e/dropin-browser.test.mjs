// /cons/iubenda_cons.js: pages written for the existing consent library, of both generations of its calls, with only the host of its script
// changed. The calls are those that public pages, shops and plug-ins make.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { after, afterEach, before, test } from 'node:test'
import { get } from 'node:http'
import { sleep, until } from './daemon.mjs'
import { openSite, PATHS, SECRET } from './dropin-house.mjs'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
let it, site, licet
before(async () => {
  it = await openSite()
  ;({ site, licet } = it)
})
after(() => it?.stop())
afterEach(() => it.away(null))

let counter = 0
/** A page of its own and somebody of her own. `script` may use EMAIL. */
async function open({ body = '', script = '', head = it.tag(), foot, csp, init = {}, go = true, visitor = {} } = {}) {
  const path = `/p${++counter}`, email = `v${counter}@x.example`
  const own = init ? it.init(init) : ''
  site.pages[path] = { head, body: body.replaceAll('EMAIL', email), script: own + script.replaceAll('EMAIL', email), foot, csp }
  const me = await it.visitor(visitor)
  if (go) await me.open(path)
  return Object.assign(me, { path, email, recorded: n => until(async () => (await it.acts(email)).length >= n, `${n} acts of ${email}`).then(() => it.acts(email)) })
}
const told = me => until(() => me.page.evaluate(() => window.told), 'a callback')
const TELL = '{success: function (r) { window.told = {ok: true, r: r} }, error: function (r) { window.told = {ok: false, r: r} }}'
const CONTACT = `<form id="contact-form" method="post" action="/thanks">
  <p>We write once a month. <a href="/privacy">Privacy</a></p>
  <label for="m">Your e-mail</label><input id="m" type="email" name="your-email" value="">
  <input type="text" name="your-name"><textarea name="your-message"></textarea>
  <label><input type="checkbox" name="generic" required> I've read the Privacy Policy</label>
  <label><input type="checkbox" name="newsletter"> Send me news (optional)</label>
  <button id="send">Send</button></form>`
const MAP = `map: {subject: {email: "your-email", full_name: "your-name"}, preferences: {newsletter: "newsletter", general: "generic"}}`
const NOTICES = 'consent: {legal_notices: [{identifier: "privacy_policy"}, {identifier: "cookie_policy"}]}'
async function fill(me, page = me.page) {
  await page.fill('[name=your-email]', me.email)
  await page.fill('[name=your-name]', 'Ann Ode')
  await page.check('[name=generic]')
}
const LOAD = `_iub.cons_instructions.push(["load", {submitElement: document.getElementById("send"),
  form: {selector: document.getElementById("contact-form"), ${MAP}}, ${NOTICES}}])`
const SUBMIT = `_iub.cons_instructions.push(["submit", {writeOnLocalStorage: false, form: {selector: document.getElementById("contact-form"), ${MAP}}, ${NOTICES}}, ${TELL}])`
const ON_SUBMIT = `document.getElementById("contact-form").addEventListener("submit", function (e) { e.preventDefault(); ${SUBMIT} })`

// ---- calls ----

test('a submit with a form records who, what, which notices and the proof, and tells the page', async () => {
  const me = await open({ body: CONTACT, script: ON_SUBMIT, csp: "; require-trusted-types-for 'script'; trusted-types 'none'" })
  await fill(me)
  await me.page.check('[name=newsletter]')
  await me.page.fill('textarea', 'Hello "you"')
  await me.page.click('#send')
  const { ok, r } = await told(me)
  assert.equal(ok, true)
  assert.match(r.id, UUID)
  assert.ok(r.subject_id.length > 0 && Math.abs(Date.parse(r.timestamp) - Date.now()) < 60_000)
  const act = await it.act(me.email)
  assert.equal(act.id, r.id)
  assert.equal(act.source, 'public')
  assert.equal(act.subject.full_name, 'Ann Ode')
  assert.deepEqual(act.preferences, { newsletter: true, general: true })
  assert.deepEqual(act.legal_notices, [{ identifier: 'privacy_policy', version: 1 }, { identifier: 'cookie_policy', version: 1 }])
  assert.equal(act.proofs.length, 1)
  assert.deepEqual(JSON.parse(act.proofs[0].content), { 'your-email': me.email, 'your-name': 'Ann Ode', 'your-message': 'Hello "you"', generic: true, newsletter: true })
  assert.match(act.proofs[0].form, /<form id="contact-form" method="post" action="\/thanks">/)
  assert.match(act.proofs[0].form, /<a href="\/privacy">Privacy<\/a>/)
  assert.match(act.proofs[0].form, /I've read the Privacy Policy/)
  assert.ok(!act.proofs[0].form.includes(me.email) && !act.proofs[0].form.includes('Hello') && !act.proofs[0].form.includes('Ann'))
  assert.equal(act.ip_address, '127.0.0.0')
  assert.equal(me.sent.length, 1)
  assert.equal(me.sent[0].headers.apikey, licet.publicKey)
  assert.match(me.sent[0].headers['idempotency-key'], /^[0-9a-f]{32}$/)
  assert.deepEqual(me.faults, [])
})

test('a box that is not ticked is a no', async () => {
  const me = await open({ body: CONTACT, script: ON_SUBMIT })
  await fill(me)
  await me.page.click('#send')
  await told(me)
  assert.deepEqual((await it.act(me.email)).preferences, { newsletter: false, general: true })
})

test('instructions work in whatever moment they come, in their order, and the array stays one', async () => {
  const one = (n, more = '') => `["submit", {consent: {subject: {email: "EMAIL"}, preferences: {n: ${n}}}${more}}]`
  const me = await open({
    head: '', init: null,
    script: `${it.init()} window.early = _iub.cons_instructions; _iub.cons_instructions.push(["init", {}, function () { window.ready = true }]);
      _iub.cons_instructions.push(${one(1)}, ${one(2)});
      var s = document.createElement("script"); s.async = true; s.src = "${it.url}${PATHS[0]}"; s.onload = function () {
        window.early.push(${one(3)}); _iub.cons_instructions = _iub.cons_instructions || []; _iub.cons_instructions.push(${one(4)}) }; document.head.appendChild(s)`,
  })
  const acts = await me.recorded(4)
  assert.deepEqual(acts.map(a => a.preferences.n), [1, 2, 3, 4])
  assert.equal(await me.page.evaluate(() => window.ready), true)
  assert.equal(await me.page.evaluate(() => _iub.cons_instructions.some(([name]) => name === 'init')), true)
  assert.equal(await me.page.evaluate(() => _iub.cons_instructions.some(([name]) => name === 'submit')), false)
  assert.deepEqual(me.faults, [])
})

test('the calls from before April 2019 work, from their address', async () => {
  const me = await open({
    body: CONTACT, head: it.tag(PATHS[2], ''), init: null,
    script: `_iub.cons.init({api_key: "${licet.publicKey}"});
      document.getElementById("send").addEventListener("click", function (e) { e.preventDefault(); window.calls = [];
        _iub.cons.submit({writeOnLocalStorage: false, form: {selector: document.getElementById("contact-form"), ${MAP}}, ${NOTICES}})
          .success(function (r) { window.calls.push(["success", r.id]); document.getElementById("contact-form").submit() })
          .error(function (r) { window.calls.push(["error", r]) }) })`,
  })
  site.pages['/thanks'] = { body: 'Thank you' }
  await fill(me)
  await Promise.all([me.page.waitForURL('**/thanks'), me.page.click('#send')])
  assert.deepEqual(site.posted.at(-1), { path: '/thanks', fields: { 'your-email': me.email, 'your-name': 'Ann Ode', 'your-message': '', generic: 'on' } })
  assert.equal((await it.act(me.email)).preferences.general, true)
  assert.equal(me.sent.length, 1)
})

test('success and error can be asked of an act that has ended', async () => {
  const me = await open()
  await me.page.evaluate(email => (window.act = _iub.cons.submit({ consent: { subject: { email }, preferences: { a: true } } })), me.email)
  const first = await me.page.evaluate(() => new Promise(ok => window.act.success(ok)))
  const again = await me.page.evaluate(() => new Promise(ok => window.act.error(() => ok('error')).success(ok)))
  assert.deepEqual(again, first)
})

test('a form is found as an element, in jQuery\'s wrapping, by id, by selector, and given in place of its description', async () => {
  for (const form of ['{selector: f}', '{selector: {0: f, length: 1}}', '{selector: "contact-form"}', '{selector: "form[method=post]"}', 'f']) {
    const me = await open({
      body: CONTACT.replace('name="your-email"', 'name="your-email" data-cons-subject="email"').replace('name="newsletter"', 'name="newsletter" data-cons-preference="news"'),
      script: `window.send = function () { var f = document.getElementById("contact-form"); _iub.cons_instructions.push(["submit", {form: ${form}}, ${TELL}]) }`,
    })
    await fill(me)
    await me.page.evaluate(() => window.send())
    assert.equal((await told(me)).ok, true, form)
    const act = await it.act(me.email)
    assert.deepEqual(act.preferences, { news: false }, form)
    assert.match(act.proofs[0].form, /contact-form/, form)
  }
})

test('what the page says comes before what its form says, and its own proofs are kept', async () => {
  const me = await open({ body: CONTACT })
  await fill(me)
  await me.page.evaluate(email => _iub.cons_instructions.push(['submit', {
    form: { selector: document.querySelector('form'), map: { subject: { email: 'your-name', full_name: 'your-name' }, preferences: { a: 'newsletter', b: 'generic' } } },
    consent: { subject: { email, first_name: undefined }, preferences: { a: 'yes' }, proofs: [{ content: 'said so' }], autodetect_ip_address: false, consent_type: 'cookie_policy', more: 1 },
  }, { success: r => (window.told = { ok: true, r }) }]), me.email)
  await told(me)
  const act = await it.act(me.email)
  assert.equal(act.subject.full_name, 'Ann Ode')
  assert.deepEqual(act.preferences, { a: 'yes', b: true })
  assert.equal(act.proofs.length, 1)
  assert.equal(act.proofs[0].content, 'said so')
  assert.equal(act.ip_address, null)
  assert.equal(act.consent_type, 'cookie_policy')
  assert.deepEqual(act.other, { more: 1 })
})

test('an act of a cookie banner, without a form, passes with its events as they are', async () => {
  const me = await open({
    script: `_iub.cons_instructions.push(["submit", {consent: {subject: {}, preferences: {purposes: {1: true, 4: false}, consent: true}, legal_notices: [{identifier: "cookie_policy"}],
      proofs: [{content: "{}", form: "<div>We use cookies</div>"}]}}, ${TELL}])`,
  })
  const { r } = await told(me)
  const { json } = await licet.api('GET', `/consent/${r.id}`)
  assert.deepEqual(json.preferences, { purposes: { 1: true, 4: false }, consent: true })
  assert.deepEqual(json.proofs, [{ form: '<div>We use cookies</div>', content: '{}' }])
})

test('a grant for a named person is recorded, and permits once her site vouches for her', async () => {
  const me = await open()
  const permits = async id => (await licet.api('GET', `/v1/permissions/${id}`)).json.purposes.find(p => p.id === 'profiling' || p.purpose === 'profiling')
  const say = (id, token) => me.page.evaluate(([id, token]) => new Promise(ok => _iub.cons_instructions.push(['submit', {
    consent: { subject: { id }, subject_token: token, preferences: { profiling: true }, versions: { profiling: 1 }, proofs: [{ content: 'I agree' }] },
  }, { success: ok, error: ok }])), [id, token])
  const stranger = `d-stranger-${counter}`, known = `d-known-${counter}`
  assert.match((await say(stranger)).id, UUID)
  assert.match((await say(known, createHmac('sha256', SECRET).update(known).digest('hex'))).id, UUID)
  const [no, yes] = [JSON.stringify(await permits(stranger)), JSON.stringify(await permits(known))]
  assert.match(no, /unconfirmed/, no)
  assert.doesNotMatch(yes, /unconfirmed/, yes)
})

// ---- forms that are sent by the browser ----

test('a watched form goes its way, and its act is recorded from the next page', async () => {
  const me = await open({ body: CONTACT, script: LOAD })
  site.pages['/thanks'] = { body: 'Thank you', head: it.tag(), script: it.init() }
  await fill(me)
  await me.page.check('[name=newsletter]')
  await Promise.all([me.page.waitForURL('**/thanks'), me.page.click('#send')])
  assert.equal(site.posted.at(-1).fields['your-email'], me.email)
  await until(async () => (await me.stored()).length === 0, 'the act to be taken')
  const act = await it.act(me.email)
  assert.deepEqual(act.preferences, { newsletter: true, general: true })
  assert.deepEqual(JSON.parse(act.proofs[0].content).newsletter, true)
  assert.deepEqual(new Set(me.sent.map(s => s.headers['idempotency-key'])).size, 1)
  assert.deepEqual(me.faults, [])
})

test('where the next page knows nothing of it, the act goes as the page goes', async () => {
  const me = await open({ body: CONTACT, script: LOAD })
  site.pages['/thanks'] = { body: 'Thank you' }
  await fill(me)
  await Promise.all([me.page.waitForURL('**/thanks'), me.page.click('#send')])
  await me.recorded(1)
  await it.act(me.email)
})

test('a form that the browser does not send, since something is missing, is no act', async () => {
  const me = await open({ body: CONTACT, script: LOAD })
  await me.page.fill('[name=your-email]', me.email)
  await me.page.click('#send')
  assert.deepEqual(await me.stored(), [])
  assert.equal(me.sent.length, 0)
  await me.page.check('[name=generic]')
  await me.page.evaluate(() => document.querySelector('form').addEventListener('submit', e => e.preventDefault()))
  await me.page.click('#send')
  assert.equal((await me.stored()).length, 1)
})

test('Enter in a field is as good as the button', async () => {
  const me = await open({ body: CONTACT, script: LOAD })
  site.pages['/thanks'] = { body: 'Thank you', head: it.tag(), script: it.init() }
  await fill(me)
  await Promise.all([me.page.waitForURL('**/thanks'), me.page.press('[name=your-name]', 'Enter')])
  await me.recorded(1)
  await it.act(me.email)
})

test('a plug-in that loads at each event, sends by sendData() and sendFromLocalStorage(), and hears two events for one, records one', async () => {
  const me = await open({
    body: CONTACT,
    script: `window.sent = function () { _iub.cons_instructions.push(["load", {submitElement: null, form: {selector: document.getElementById("contact-form"), ${MAP}}, ${NOTICES}}]); _iub.cons.sendData() }`,
  })
  await fill(me)
  await me.page.evaluate(() => (window.sent(), window.sent()))
  assert.equal((await me.stored()).length, 1)
  assert.equal(me.sent.length, 0, 'it waits')
  await me.page.evaluate(() => (window.sent(), _iub.cons.sendFromLocalStorage()))
  await me.recorded(1)
  await me.page.check('[name=newsletter]')
  await me.page.evaluate(() => (window.sent(), _iub.cons.sendFromLocalStorage()))
  const acts = await me.recorded(2)
  assert.deepEqual(acts.map(a => a.preferences.newsletter), [false, true])
  assert.deepEqual(await me.stored(), [])
})

test('the callbacks of load hear of the acts that go from this page', async () => {
  const me = await open({ body: CONTACT, script: `_iub.cons_instructions.push(["load", {submitElement: "send", form: {selector: "contact-form", ${MAP}}, ${NOTICES}}, ${TELL}]);
    document.getElementById("contact-form").addEventListener("submit", function (e) { e.preventDefault() })` })
  await fill(me)
  await me.page.click('#send')
  await me.page.evaluate(() => _iub.cons.sendFromLocalStorage())
  const { ok, r } = await told(me)
  assert.deepEqual([ok, r.id], [true, (await it.act(me.email)).id])
})

test('what is to wait waits: for sendFromLocalStorage() where the page says so', async () => {
  const me = await open({ init: { sendFromLocalStorageAtLoad: '' } })
  await me.page.evaluate(email => _iub.cons_instructions.push(['submit', { writeOnLocalStorage: true, consent: { subject: { email }, preferences: { a: true } } }]), me.email)
  await me.open(me.path)
  await me.open(me.path)
  assert.equal(me.sent.length, 0)
  assert.equal((await me.stored()).length, 1)
  await me.page.evaluate(() => _iub.cons_instructions.push(['sendFromLocalStorage']))
  await me.recorded(1)
})

test('a form of any size is recorded from the next page', async () => {
  const me = await open({ body: CONTACT.replace('We write once', `We write ${'und noch einmal — '.repeat(9000)} once`), script: LOAD })
  site.pages['/thanks'] = { body: 'Thank you', head: it.tag(), script: it.init() }
  await fill(me)
  await Promise.all([me.page.waitForURL('**/thanks'), me.page.click('#send')])
  await me.recorded(1)
  const { form } = (await it.act(me.email)).proofs[0]
  assert.ok(form.length > 160_000 && form.endsWith('</form>'), `${form.length}`)
})

test('boxes, choices, lists and doubled names say what a reader of the form would say', async () => {
  const me = await open({
    body: `<form id="f"><input type="hidden" name="news" value="0"><input type="checkbox" name="news" value="1" checked><input type="hidden" name="off" value="0"><input type="checkbox" name="off" value="1">
      <input type="checkbox" name="topics[]" value="art" checked><input type="checkbox" name="topics[]" value="tea"><input type="checkbox" name="topics[]" value="ink" checked>
      <input type="radio" name="how" value="post"><input type="radio" name="how" value="mail" checked><input type="radio" name="never" value="x">
      <select name="one"><option value="a">A<option value="b" selected>B</select><select name="many" multiple><option selected>X<option>Y<option selected>Z</select>
      <input id="byid" type="checkbox" checked><input name="mail" value=" EMAIL "><input name="mail" value=""><input name="outside" value="no"></form><input form="f" name="beyond" value="yes">`,
    script: `_iub.cons_instructions.push(["submit", {form: {selector: document.getElementById("f"), map: {exclude: {3: "outside"}, subject: {email: "mail"},
      preferences: {news: "news", off: "off", topics: "topics[]", how: "how", never: "never", one: "one", many: "many", byid: "byid", beyond: "beyond", meant: "outside", none: "nowhere"}}}}, ${TELL}])`,
  })
  await told(me)
  const act = await it.act(me.email)
  assert.deepEqual(act.preferences, { news: true, off: false, topics: ['art', 'ink'], how: 'mail', one: 'b', many: ['X', 'Z'], byid: true, beyond: 'yes', meant: 'no' })
  assert.equal(JSON.parse(act.proofs[0].content).outside, undefined, 'what is excluded is no part of the proof, though it may be named')
  assert.ok(!act.proofs[0].form.includes('outside'))
})

// ---- licet is out of reach ----

for (const how of ['abort', 503, 429, 404]) {
  test(`a watched form is sent as ever while licet does not answer (${how}), and its act is recorded once, later`, async () => {
    const me = await open({ body: CONTACT, script: LOAD })
    site.pages['/thanks'] = { body: 'Thank you', head: it.tag(), script: it.init() }
    it.away(how)
    await fill(me)
    await Promise.all([me.page.waitForURL('**/thanks'), me.page.click('#send')])
    assert.equal(site.posted.at(-1).fields['your-email'], me.email)
    await me.open('/thanks')
    assert.equal((await it.acts(me.email)).length, 0)
    const [kept] = await me.stored()
    it.away(null)
    await me.open('/thanks')
    await until(async () => (await me.stored()).length === 0, 'the act to be taken')
    const act = await it.act(me.email)
    assert.equal(act.timestamp.slice(0, 19), kept.at.slice(0, 19), 'it says when she pressed, not when it arrived')
  })
}

test('a licet that never answers delays no form, and is an error to the page that waits for it', async () => {
  const me = await open({ body: CONTACT, script: LOAD })
  site.pages['/thanks'] = { body: 'Thank you', head: it.tag(), script: it.init() }
  it.away('hang')
  await fill(me)
  await Promise.all([me.page.waitForURL('**/thanks', { waitUntil: 'load' }), me.page.click('#send')])
  assert.equal(site.posted.at(-1).fields['your-email'], me.email)

  const other = await open({ body: CONTACT, script: ON_SUBMIT, go: false })
  await other.page.clock.install()
  await other.page.goto(site.url + other.path)
  await fill(other)
  await other.page.click('#send')
  await until(() => other.sent.length === 1, 'the attempt')
  assert.equal(await other.page.evaluate(() => window.told), undefined)
  await other.page.clock.fastForward(10_000)
  assert.deepEqual((await told(other)).ok, false)
  it.away(null)
  await other.page.clock.fastForward(2000)
  await other.recorded(1)
})

test('a page whose script does not come at all sends its form', async () => {
  const me = await open({ body: CONTACT, script: LOAD, go: false })
  site.pages['/thanks'] = { body: 'Thank you' }
  await me.context.route(`${it.url}/**`, route => route.abort())
  await me.page.goto(site.url + me.path)
  await fill(me)
  await Promise.all([me.page.waitForURL('**/thanks'), me.page.click('#send')])
  assert.equal(site.posted.at(-1).fields['your-email'], me.email)
})

test('a submit that does not get through is told as an error, kept, and recorded when the line is back', async () => {
  const me = await open({ body: CONTACT, script: ON_SUBMIT })
  await fill(me)
  await me.context.setOffline(true)
  await me.page.click('#send')
  const { ok, r } = await told(me)
  assert.deepEqual([ok, r.status], [false, 0])
  assert.ok(r.message)
  assert.equal((await me.stored()).length, 1)
  await me.context.setOffline(false)
  await me.recorded(1)
  await until(async () => (await me.stored()).length === 0, 'the act to be taken')
  await it.act(me.email)
})

test('the line is back while an attempt hangs: the next one does not wait for the pause', async () => {
  const me = await open({ body: CONTACT, script: ON_SUBMIT })
  await me.page.clock.install()
  await me.page.clock.pauseAt(Date.now() + 1000) // so that no pause ever ends
  let hanging
  await me.context.route('**/public/consent', route => (hanging ? route.continue() : (hanging = route)))
  await fill(me)
  await me.page.click('#send')
  await until(() => hanging, 'the first attempt')
  await me.page.evaluate(() => dispatchEvent(new Event('online')))
  await hanging.abort('internetdisconnected')
  await until(async () => (await me.stored()).length === 0, 'the second attempt')
  await it.act(me.email)
  assert.equal(new Set(me.sent.map(s => s.headers['idempotency-key'])).size, 1)
})

test('a page that says it again in its error callback does not storm: the pause holds', async () => {
  const me = await open({ go: false })
  await me.page.clock.install()
  await me.open(me.path)
  await me.page.clock.pauseAt(Date.now() + 1000)
  it.away(503)
  await me.page.evaluate(email => {
    window.errors = 0
    const say = () => _iub.cons_instructions.push(['submit', { consent: { subject: { email }, preferences: { a: true } } }, { error: () => (window.errors++, say()) }])
    say()
  }, me.email)
  await until(() => me.page.evaluate(() => window.errors > 0), 'the first error')
  await sleep(500)
  assert.equal(me.sent.length, 1)
  it.away(null)
  await me.page.clock.fastForward(2000)
  await me.recorded(1)
  await it.act(me.email)
})

test('who presses again after an error says it once', async () => {
  const me = await open({ body: CONTACT, script: ON_SUBMIT })
  it.away('abort')
  await fill(me)
  await me.page.click('#send')
  assert.equal((await told(me)).ok, false)
  it.away(null)
  await me.page.evaluate(() => delete window.told)
  await me.page.click('#send')
  assert.equal((await told(me)).ok, true)
  await it.act(me.email)
})

test('an answer that is lost on its way makes no second act', async () => {
  const me = await open({ body: CONTACT, script: ON_SUBMIT })
  it.away('lost')
  await fill(me)
  await me.page.click('#send')
  assert.equal((await told(me)).ok, false)
  await it.act(me.email)
  it.away(null)
  await me.open(me.path)
  await until(async () => (await me.stored()).length === 0, 'the act to be taken')
  await it.act(me.email)
})

test('two tabs that come back at once record one act each, and no more', async () => {
  const me = await open({ body: CONTACT, script: ON_SUBMIT })
  const other = await me.newPage()
  await me.open(me.path, other)
  await me.context.setOffline(true)
  for (const page of [me.page, other]) {
    await fill(me, page)
    if (page === other) await page.check('[name=newsletter]')
    await page.click('#send')
  }
  await until(async () => (await me.stored()).length === 2, 'both acts to be kept')
  await me.context.setOffline(false)
  await me.recorded(2)
  await Promise.all([me.open(me.path), me.open(me.path, other)])
  assert.deepEqual((await it.acts(me.email)).map(a => a.preferences.newsletter), [false, true])
})

test('a withdrawal does not overtake the grant that waits before it', async () => {
  const me = await open()
  const say = value => me.page.evaluate(([email, value]) => _iub.cons_instructions.push(['submit', { consent: { subject: { email }, preferences: { newsletter: value } } }]), [me.email, value])
  it.away('abort')
  await say(true)
  it.away(null)
  await say(false)
  const acts = await me.recorded(2)
  assert.deepEqual(acts.map(a => a.preferences.newsletter), [true, false])
  await say(true)
  await me.recorded(3)
})

test('a device whose clock is a day ahead records all the same', async () => {
  const me = await open({ go: false, body: CONTACT, script: ON_SUBMIT })
  await me.page.addInitScript(() => {
    const { now } = Date
    const Real = Date
    window.Date = class extends Real {
      constructor(...args) {
        args.length ? super(...args) : super(now() + 864e5)
      }
      static now = () => now() + 864e5
    }
  })
  await me.open(me.path)
  await fill(me)
  await me.page.click('#send')
  assert.equal((await told(me)).ok, true)
  const act = await it.act(me.email)
  assert.ok(Math.abs(Date.parse(act.timestamp) - Date.now()) < 60_000)
})

test('an act that licet refuses is told, dropped, and holds up nothing', async () => {
  const me = await open()
  const say = preferences => me.page.evaluate(([email, preferences]) => new Promise(ok => _iub.cons_instructions.push(['submit', { consent: { subject: { email }, preferences } },
    { success: r => ok(['success', r]), error: r => ok(['error', r]) }])), [me.email, preferences])
  const [how, r] = await say(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`n${i}`, true])))
  assert.deepEqual([how, r.status], ['error', 400])
  assert.ok(r.message)
  assert.deepEqual(await me.stored(), [])
  assert.equal((await say({ a: true }))[0], 'success')
  await it.act(me.email)
})

test('a proof that is too large goes without its form rather than not at all', async () => {
  const me = await open()
  const [how] = await me.page.evaluate(email => new Promise(ok => _iub.cons_instructions.push(['submit', {
    consent: { subject: { email }, preferences: { a: true }, proofs: [{ content: 'kept', form: 'x'.repeat(1_200_000) }] },
  }, { success: r => ok(['success', r]), error: r => ok(['error', r]) }])), me.email)
  assert.equal(how, 'success')
  const { proofs } = await it.act(me.email)
  assert.equal(proofs[0].content, 'kept')
  assert.ok(!proofs[0].form)
})

test('a guard before licet that minds HTML costs the form, not the act', async () => {
  const me = await open({ body: CONTACT, script: ON_SUBMIT })
  it.away('guard')
  await fill(me)
  await me.page.click('#send')
  assert.equal((await told(me)).ok, true)
  const { proofs } = await it.act(me.email)
  assert.ok(!proofs[0].form)
  assert.equal(JSON.parse(proofs[0].content).generic, true)
})

test('a page that waits behind an act that is stuck hears so at once', async () => {
  const me = await open()
  it.away(404)
  await me.page.clock.install() // so that patience never ends by itself
  const say = n => me.page.evaluate(([email, n]) => new Promise(ok => _iub.cons_instructions.push(['submit', { consent: { subject: { email }, preferences: { n } } }, { success: () => ok('success'), error: r => ok(r.status) }])), [me.email, n])
  assert.equal(await say(1), 404)
  assert.equal(await say(2), 404)
  it.away(null)
  assert.equal(await say(3), 'success')
  assert.deepEqual((await it.acts(me.email)).map(a => a.preferences.n), [1, 2, 3])
})

test('with a wrong key an act waits for the right one', async () => {
  const me = await open({ init: { api_key: 'wrong' } })
  await me.page.evaluate(email => _iub.cons_instructions.push(['submit', { consent: { subject: { email }, preferences: { a: true } } },
    { error: r => (window.told = r) }]), me.email)
  assert.equal((await told(me)).status, 403)
  assert.equal((await me.stored()).length, 1)
  site.pages[me.path].script = it.init()
  await me.open(me.path)
  await me.recorded(1)
  await until(async () => (await me.stored()).length === 0, 'the act to be taken')
})

// ---- storage ----

const BLOCKED = () => Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError') } })
const FULL = () => {
  for (let part = 'x'.repeat(1 << 20); part.length;) {
    try {
      localStorage.setItem(`f${localStorage.length}`, part)
    } catch {
      part = part.slice(0, part.length >> 1)
    }
  }
}
for (const [name, block] of [['blocked', BLOCKED], ['full', FULL]]) {
  test(`with storage ${name} a submit is recorded, and a watched form too`, async () => {
    const me = await open({ body: CONTACT, script: ON_SUBMIT, go: false })
    await me.page.addInitScript(block)
    await me.open(me.path)
    await fill(me)
    await me.page.click('#send')
    assert.equal((await told(me)).ok, true)
    await it.act(me.email)
    assert.deepEqual(me.faults, [])

    const other = await open({ body: CONTACT, script: LOAD, go: false })
    site.pages['/thanks'] = { body: 'Thank you' }
    await other.page.addInitScript(block)
    await other.open(other.path)
    await fill(other)
    await Promise.all([other.page.waitForURL('**/thanks'), other.page.click('#send')])
    await other.recorded(1)
    await it.act(other.email)
    assert.deepEqual(other.faults, [])
  })

  test(`with storage ${name} an act that does not get through is tried again while the page is there`, async () => {
    const me = await open({ body: CONTACT, script: ON_SUBMIT, go: false })
    await me.page.addInitScript(block)
    await me.open(me.path)
    it.away('abort')
    await fill(me)
    await me.page.click('#send')
    assert.equal((await told(me)).ok, false)
    it.away(null)
    await me.recorded(1)
    await it.act(me.email)
  })
}

test('on a page without an origin of its own, where storage, cookies and locks are all denied, an act is recorded', async () => {
  const me = await open({ body: CONTACT, script: ON_SUBMIT, csp: '; sandbox allow-scripts allow-forms' })
  assert.equal(await me.page.evaluate(() => { try { return localStorage.length } catch (e) { return e.name } }), 'SecurityError')
  await fill(me)
  await me.page.click('#send')
  assert.equal((await told(me)).ok, true)
  await it.act(me.email)
  assert.deepEqual(me.faults, [])
})

test('what others wrote into our part of the storage stops nothing', async () => {
  const me = await open({ go: false, script: '' })
  await me.page.addInitScript(() => {
    for (const [i, text] of ['{', 'null', '7', '"x"', '{"n":1}', '{"body":7}', '[]'].entries()) localStorage.setItem(`licet.cons.bad${i}`, text)
  })
  await me.open(me.path)
  await me.page.evaluate(email => _iub.cons_instructions.push(['submit', { consent: { subject: { email }, preferences: { a: true } } }]), me.email)
  await me.recorded(1)
  assert.deepEqual(me.faults, [])
})

// ---- what never leaves ----

const SECRETS = `<form id="f"><p>Logged in. <a href="/out?action=logout&_wpnonce=LINKSECRET">Log out</a> <a href="javascript:alert('RUNS')">x</a></p>
  <input type="email" name="email" data-cons-subject="email">
  <input type="password" name="a"><input type="password" id="toggled" name="b">
  <input type="hidden" name="_token" value="HIDDENSECRET"><input type="hidden" name="plain" value="HIDDENPLAIN">
  <input name="nr" autocomplete="cc-number"><input name="whatever"><input name="cvc"><input name="code" autocomplete="one-time-code">
  <input name="user_pass"><textarea name="g-recaptcha-response"></textarea>
  <fieldset data-cons-exclude><legend>SECTION</legend><input name="health" value=""></fieldset>
  <input name="inner" data-cons-exclude><input name="mapped-out"><input type="file" name="file">
  <input name="prefilled" value="PREFILLED"><input name="kept">
  <input type="checkbox" name="news" value="1" data-cons-preference="news" checked onclick="RUNS()" data-token="DATASECRET">
  <select name="size"><option value="s">Small</option><option value="l" selected>Large</option></select>
  <script type="text/template">TEMPLATESECRET</script><!-- COMMENTSECRET -->
  <input type="hidden" data-cons-subject="id" name="user_id" value="u-hidden-N"></form>`
test('passwords, tokens, cards, hidden and excluded fields are in no part of an act', async () => {
  const me = await open({ body: SECRETS.replace('u-hidden-N', `u-hidden-${counter}`) })
  const type = { a: 'PASSWORDONE', b: 'PASSWORDTWO', nr: '4111111111111111', whatever: '5500 0000 0000 0004', cvc: '9173', code: '886655', user_pass: 'PASSWORDTHREE', 'g-recaptcha-response': 'CAPTCHASECRET', health: 'EXCLUDEDONE', inner: 'EXCLUDEDTWO', 'mapped-out': 'EXCLUDEDTHREE', kept: 'KEPTVALUE', email: me.email }
  for (const [name, value] of Object.entries(type)) await me.page.fill(`[name="${name}"]`, value)
  await me.page.evaluate(() => (document.getElementById('toggled').type = 'text')) // "show my password"
  await me.page.evaluate(() => _iub.cons_instructions.push(['submit', {
    form: { selector: document.getElementById('f'), map: { exclude: ['mapped-out'], subject: { last_name: 'a', first_name: 'toggled', full_name: 'nr' } } },
  }, { success: r => (window.told = { ok: true, r }) }]))
  const { r } = await told(me)
  const [{ text }] = me.sent
  for (const secret of ['PASSWORD', 'HIDDEN', 'SECRET', '4111', '5500', '9173', '886655', 'EXCLUDED', 'SECTION', 'RUNS', 'mapped-out', '_token', 'user_pass']) assert.ok(!text.includes(secret), `${secret} in ${text}`)
  const { json: act } = await licet.api('GET', `/consent/${r.id}`)
  assert.equal(act.subject.email, me.email)
  assert.equal(act.subject.id, `u-hidden-${counter - 1}`)
  assert.deepEqual([act.subject.first_name, act.subject.last_name, act.subject.full_name], [null, null, null])
  assert.deepEqual(act.preferences, { news: true })
  const [{ content, form }] = act.proofs
  assert.deepEqual(JSON.parse(content), { email: me.email, prefilled: 'PREFILLED', kept: 'KEPTVALUE', news: true, size: 'l' })
  assert.ok(!form.includes('PREFILLED') && !form.includes('KEPTVALUE') && !form.includes(me.email), form)
  assert.match(form, /<input type="checkbox" name="news" value="1" data-cons-preference="news" checked="">/, 'that it stood ticked before is proof')
  assert.match(form, /<a href="[^"]*\/out\?action=logout">Log out<\/a>/)
  assert.match(form, /<option value="l">Large<\/option>/)
})

test('a password is taken out of the proofs that a page makes by itself', async () => {
  const me = await open({ body: '<form id="f"><input name="email"><input type="password" name="p"></form>' })
  await me.page.fill('[name=p]', 'my "PASSWORD"')
  await me.page.evaluate(email => {
    const f = document.getElementById('f')
    document.querySelector('[name=p]').setAttribute('value', 'my "PASSWORD"')
    _iub.cons_instructions.push(['submit', {
      form: f, consent: { subject: { email }, proofs: [{ content: JSON.stringify(Object.fromEntries(new FormData(f))), form: 'my "PASSWORD" <form>' }] },
    }, { success: r => (window.told = { ok: true, r }) }])
  }, me.email)
  await told(me)
  assert.ok(!me.sent[0].text.includes('PASSWORD'), me.sent[0].text)
  assert.equal((await it.act(me.email)).proofs[0].form, ' <form>')
})

test('nothing is sent, kept or set before somebody sends something', async () => {
  const me = await open({ body: CONTACT, script: LOAD + ';' + ON_SUBMIT })
  await fill(me)
  await me.page.fill('textarea', 'typed')
  await sleep(300)
  assert.deepEqual(me.asked.filter(q => !q.startsWith('GET')), [])
  assert.deepEqual(me.asked.filter(q => q.includes(it.url)), [`GET ${it.url}${PATHS[0]}`])
  assert.deepEqual(await me.page.evaluate(() => [document.cookie, Object.keys(localStorage), Object.keys(sessionStorage)]), ['', [], []])
})

test('no cookie is sent or set, and no global is made but _iub', async () => {
  const me = await open({ head: '', init: null })
  const before = await me.page.evaluate(() => Object.keys(window))
  await me.page.evaluate(src => new Promise(ok => {
    const s = document.createElement('script')
    s.src = src
    s.onload = ok
    document.head.append(s)
  }), it.url + PATHS[0])
  assert.deepEqual((await me.page.evaluate(() => Object.keys(window))).filter(key => !before.includes(key)), ['_iub'])
  await me.context.addCookies([{ name: 'licet_device', value: 'x', url: it.url }])
  const headers = me.context.waitForEvent('request', { predicate: q => q.method() === 'POST' && q.url().endsWith('/public/consent') }).then(q => q.allHeaders())
  await me.page.evaluate(key => (_iub.cons.init({ api_key: key }), new Promise(success => _iub.cons_instructions.push(['submit', { consent: { preferences: { statistics: true }, proofs: [{ content: 'x' }] } }, { success }]))), licet.publicKey)
  assert.equal((await headers).cookie, undefined)
  assert.deepEqual((await me.context.cookies()).map(c => c.value), ['x'])
})

// ---- hostile pages ----

test('fields that are named like the parts of a form or of an object are fields', async () => {
  const names = ['elements', 'id', 'attributes', 'querySelectorAll', 'submit', 'nodeType', 'tagName', 'length', 'selector', 'map', 'matches', 'getAttribute', 'outerHTML', 'innerHTML', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'cloneNode', 'remove', 'noValidate', '0']
  const me = await open({
    body: `<form id="f" data-x='"><script>1</script>'>${names.map(n => `<input name="${n}" value="v-${n}">`).join('')}<input name="mail" data-cons-subject="email" value="EMAIL">
      <input type="checkbox" checked data-cons-preference="__proto__" name="p1"><input type="checkbox" checked data-cons-preference="constructor" name="p2"><button id="b">x</button></form>`,
    script: `_iub.cons_instructions.push(["load", {submitElement: "b", form: {selector: document.getElementById("f"), map: {preferences: {toString: "p1", none: "nowhere"}}}}]);
      document.getElementById("f").addEventListener("submit", function (e) { e.preventDefault() })`,
  })
  await me.page.evaluate(() => document.getElementById('b').click()) // playwright's own stumbles over this form
  await me.page.evaluate(() => _iub.cons.sendFromLocalStorage())
  await me.recorded(1)
  const { text } = me.sent[0]
  const body = JSON.parse(text)
  assert.deepEqual(Object.keys(JSON.parse(body.proofs[0].content)).sort(), [...names, 'mail', 'p1', 'p2'].sort())
  assert.deepEqual(Object.entries(body.preferences).sort(), [['__proto__', true], ['constructor', true], ['toString', true]])
  assert.ok(!body.proofs[0].form.includes('script'))
  assert.deepEqual(me.faults, [])
})

test('whatever is typed is recorded as it was typed, or as near as text can be', async () => {
  const me = await open({ body: CONTACT, script: ON_SUBMIT })
  await fill(me)
  const typed = '</script><img src=x onerror=window.ran=1> \\u0000 \\ud83d "quoted" \\\\ 😀'
  await me.page.evaluate(typed => {
    document.querySelector('textarea').value = typed
    document.querySelector('[name=your-name]').value = 'A\0nn \ud83d Ode'
  }, typed)
  await me.page.click('#send')
  assert.equal((await told(me)).ok, true)
  const act = await it.act(me.email)
  assert.equal(JSON.parse(act.proofs[0].content)['your-message'], typed)
  assert.equal(act.subject.full_name, 'A\ufffdnn \ufffd Ode')
  assert.equal(await me.page.evaluate(() => window.ran), undefined)
})

test('the copy of a form that becomes the proof runs nothing and fetches nothing', async () => {
  const me = await open({
    body: `<form id="f"><input name="mail" data-cons-subject="email" value="EMAIL"><x-made></x-made><img alt="seal"></form>`,
    script: `window.made = 0; customElements.define("x-made", class extends HTMLElement { constructor() { super(); window.made++ } })`,
  })
  await me.page.evaluate(() => document.querySelector('img').setAttribute('src', '/pixel.png?id=1'))
  await until(() => me.asked.some(q => q.includes('/pixel.png')), 'the page to fetch its own image')
  const before = me.asked.filter(q => q.includes('/pixel')).length
  await me.page.evaluate(() => _iub.cons_instructions.push(['submit', { form: { selector: document.getElementById('f') } }, { success: r => (window.told = { ok: true, r }) }]))
  await told(me)
  assert.equal(await me.page.evaluate(() => window.made), 1)
  assert.equal(me.asked.filter(q => q.includes('/pixel')).length, before)
  assert.match((await it.act(me.email)).proofs[0].form, /<img alt="seal" src="\/pixel.png">/)
})

test('a library that teaches arrays and texts a toJSON of its own changes nothing', async () => {
  const me = await open({
    body: CONTACT, init: null, script: `Array.prototype.toJSON = function () { return "[" + this.join() + "]" }; String.prototype.toJSON = function () { return "'" + this + "'" }; ${it.init()} ${ON_SUBMIT}`,
  })
  await fill(me)
  await me.page.click('#send')
  assert.equal((await told(me)).ok, true)
  const act = await it.act(me.email)
  assert.equal(JSON.parse(act.proofs[0].content)['your-name'], 'Ann Ode')
  assert.equal(act.legal_notices.length, 2)
  assert.equal(await me.page.evaluate(() => typeof Array.prototype.toJSON + typeof String.prototype.toJSON), 'functionfunction')
})

test('nonsense in the line throws nothing at the page', async () => {
  const me = await open({ init: { logger: 'none' } })
  await me.page.evaluate(() => {
    for (const nonsense of [undefined, null, 7, 'submit', {}, [], ['onConsentGiven', () => {}], ['__proto__'], ['toString'], ['submit'], ['submit', null], ['submit', 7], ['submit', { form: 7 }],
      ['submit', { form: { selector: ':::' } }], ['submit', { form: { elements: [{ name: 'email' }] } }], ['load'], ['load', { submitElement: 'none' }], ['load', { submitElement: 7 }], ['sendData'], ['init'], ['init', null, 7]]) {
      _iub.cons_instructions.push(nonsense)
    }
    const loop = {}
    loop.loop = loop
    _iub.cons_instructions.push(['submit', { consent: { preferences: loop } }, { error: () => (window.told = { ok: false }) }])
  })
  assert.equal((await told(me)).ok, false)
  await me.page.evaluate(email => _iub.cons_instructions.push(['submit', { consent: { subject: { email } } }]), me.email)
  await me.recorded(1)
  assert.deepEqual(me.faults, [])
})

test('what a callback throws is seen as the page\'s own fault and stops nothing', async () => {
  const me = await open({ init: null, script: `${it.init()} _iub.cons_instructions.push(["init", {}, function () { throw new Error("page fault 1") }]);
    _iub.cons_instructions.push(["submit", {consent: {subject: {email: "EMAIL"}, preferences: {n: 1}}}, {success: function () { throw new Error("page fault 2") }}]);
    _iub.cons_instructions.push(["submit", {consent: {subject: {email: "EMAIL"}, preferences: {n: 2}}}])` })
  await me.recorded(2)
  await until(() => me.faults.length === 2, 'both faults')
  assert.deepEqual(me.faults, ['page fault 1', 'page fault 2'])
})

test('beside licet.js each minds its own', async () => {
  const me = await open({ head: `${it.tag()}<script src="${it.url}/sdk/licet-core.js" data-key="${licet.publicKey}" async></script>` })
  await until(() => me.page.evaluate(() => !!window.licet?.version), 'licet.js')
  await me.page.evaluate(email => _iub.cons_instructions.push(['submit', { consent: { subject: { email }, preferences: { newsletter: true } } }]), me.email)
  await me.recorded(1)
  await until(() => me.page.evaluate(() => localStorage.length === 0), 'nothing to be left')
  assert.deepEqual(me.faults, [])
})

test('the script twice on a page is the script once', async () => {
  const me = await open({ head: it.tag() + it.tag(PATHS[1]), script: '_iub.cons_instructions.push(["submit", {consent: {subject: {email: "EMAIL"}}}])', foot: it.tag(PATHS[2]) })
  await me.recorded(1)
  await me.open(me.path)
  assert.equal((await it.acts(me.email)).length, 2, 'one for each time the page was opened')
})

// ---- how it is served ----

test('the script lies under its three addresses, small, compressed, and kept by browsers', async () => {
  for (const path of [...PATHS, `${PATHS[0]}?unescape_json=true`]) {
    const { status, headers, body } = await new Promise((ok, no) => get(it.url + path, { headers: { 'Accept-Encoding': 'gzip' } }, r => {
      const parts = []
      r.on('data', part => parts.push(part)).on('end', () => ok({ status: r.statusCode, headers: r.headers, body: Buffer.concat(parts) }))
    }).on('error', no))
    assert.equal(status, 200, path)
    assert.equal(headers['content-encoding'], 'gzip')
    assert.match(headers['content-type'], /^text\/javascript/)
    assert.match(headers['cache-control'], /public, max-age=3600/)
    assert.ok(body.length < 5000, `${body.length} bytes`)
    assert.match(gunzipSync(body).toString(), /cons_instructions/)
    const again = await fetch(it.url + path, { headers: { 'If-None-Match': headers.etag, 'Accept-Encoding': 'gzip' } })
    assert.equal(again.status, 304)
  }
})
