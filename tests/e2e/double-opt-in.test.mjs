// A newsletter with double opt-in, from the sign-up to the letter to the click, and what strangers make of it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Authority } from './authority.mjs'
import { newWebhookSecret, until } from './daemon.mjs'
import { consent, noFaults, startHouse } from './fixture.mjs'
import { open, reasonOf, signUp, startOptInHouse, stateOf } from './optin-house.mjs'
import { HookReceiver } from '../receiver/hooks.mjs'
import { MailServer } from '../receiver/smtp.mjs'

const generous = config => {
  config.limits = { public_per_second: 1000, address_per_minute: 10000, letters_per_address_per_hour: 1000 }
  return config
}
let house, d
before(async () => {
  house = await startOptInHouse({ change: generous })
  d = house.licet
})
after(() => house.stop())

const verdict = async (userId, destination = 'mailing') =>
  (await d.verdicts({ type: 'track', event: 'Opened', userId, messageId: `m-${Math.random()}` }))[destination]

test('a newsletter sign-up: the letter is asked for, sent, opened, and confirmed by the button', async () => {
  const her = await signUp(house)
  assert.equal(await reasonOf(house, her.subject), 'not_verified')
  const letter = await her.letter()
  await until(async () => (await stateOf(house, her.subject)).state === 'sent', 'it to be written that it went')
  assert.equal(await verdict(her.subject), 'not_verified')
  const page = await open(letter.link)
  assert.equal(page.status, 200)
  for (const part of ['Muster GmbH', 'Newsletter', 'To send you our monthly letter.', 'By the link at the foot of every letter.']) assert.ok(page.text.includes(part), part)
  assert.ok(!page.text.includes(her.email), 'the address is shown partly')
  assert.ok(page.text.replace('\u2060', '').includes(`${her.email[0]}…@mail.example`))
  const done = await open(letter.link, { answer: 'yes' })
  assert.equal(done.status, 200)
  assert.match(done.text, /Confirmed/)
  assert.equal(await reasonOf(house, her.subject), 'permitted')
  assert.equal(await verdict(her.subject), 'permitted')
  const { verified, email } = (await d.api('GET', `/subjects/${her.subject}`)).json
  assert.deepEqual({ verified, email }, { verified: true, email: her.email })
})

test('the confirmation is an act of its own, with what she was shown and what the letter said', async () => {
  const her = await signUp(house)
  const letter = await her.letter()
  const shown = (await open(letter.link)).text
  await open(letter.link, { answer: 'yes' })
  const [act] = (await d.api('GET', `/consent?subject_id=${her.subject}`)).json
  assert.equal(act.source, 'confirmation')
  assert.deepEqual(act.effects.map(e => [e.name, e.grant, e.confirmed, e.evidence, e.version]), [['newsletter', true, true, 'confirmation', 1]])
  const { proofs: [proof] } = (await d.api('GET', `/consent/${act.id}`)).json
  assert.ok(shown.includes(proof.form), 'the proof is the page, letter by letter')
  assert.ok(proof.content.includes('agreed to the following') && proof.content.includes(her.email))
  assert.ok(!proof.content.includes(letter.link.split('/').at(-1)), 'the token is kept nowhere')
  const { state, ended } = await stateOf(house, her.subject)
  assert.equal(state, 'confirmed')
  assert.ok(ended)
})

test('letters are as the standards ask, and say nothing of the person in the link', async () => {
  const her = await signUp(house)
  const letter = await her.letter()
  assert.deepEqual(house.mail.faults, [])
  assert.equal(letter.from.text, '"Muster GmbH" <letters@muster.example>')
  assert.equal(letter.to.text, her.email)
  assert.deepEqual(letter.envelope, { from: 'letters@muster.example', to: [her.email] })
  assert.equal(letter.headers.get('auto-submitted'), 'auto-generated')
  assert.match(letter.messageId, /^<[0-9a-f-]{36}@muster\.example>$/)
  assert.ok(Math.abs(letter.date - Date.now()) < 60_000)
  assert.match(letter.text, /\* Newsletter/)
  const token = new URL(letter.link).pathname.split('/').at(-1)
  assert.match(token, /^[\w-]{32}$/)
  const bytes = Buffer.from(token, 'base64url').toString('latin1')
  for (const secret of [her.email, her.subject, her.id]) assert.ok(!bytes.includes(secret))
  assert.ok(!bytes.includes(Buffer.from(her.subject.replaceAll('-', ''), 'hex').toString('latin1')))
})

test('letters and pages speak her language', async () => {
  const cases = [
    [{ body: { shown: { language: 'de' } } }, /Bitte bestätigen: Muster GmbH/, /Ja, ich stimme zu/, /monatlich unseren Rundbrief/],
    [{ headers: { 'Accept-Language': 'nl-BE, fr;q=0.5' }, body: { shown: undefined } }, /Bevestig alstublieft/, /Ja, ik stem ermee in/, /maandelijks onze nieuwsbrief/],
    [{ headers: { 'Accept-Language': 'fr' }, body: { shown: undefined } }, /Please confirm/, /Yes, I agree/, /monthly letter/],
  ]
  for (const [how, subject, button, aim] of cases) {
    const her = await signUp(house, undefined, how)
    const letter = await her.letter()
    assert.match(letter.subject, subject)
    const page = await open(letter.link, { headers: { 'Accept-Language': 'en' } })
    const wanted = how.headers?.['Accept-Language'] === 'fr' ? /Yes, I agree/ : button
    assert.match(page.text, wanted)
    assert.match(page.text, aim)
  }
  assert.deepEqual(house.mail.faults, [])
})

test('what programs do with a link confirms nothing', async () => {
  const her = await signUp(house)
  const { link } = await her.letter()
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'GET']) await fetch(link, { method })
  for (const method of ['PUT', 'PATCH', 'DELETE']) assert.equal((await fetch(link, { method })).status, 405)
  for (const body of ['', 'answer=', 'answer=no', 'answer=YES', '{"answer":"yes"}', 'x=answer=yes']) {
    assert.equal((await fetch(link, { method: 'POST', body })).status, 200, body)
  }
  assert.match((await stateOf(house, her.subject)).state, /^(requested|sent)$/)
  assert.equal(await reasonOf(house, her.subject), 'not_verified')
})

test('a link works once, and a second click is told so', async () => {
  const her = await signUp(house)
  const { link } = await her.letter()
  const answers = await Promise.all([1, 2, 3].map(() => open(link, { answer: 'yes' })))
  assert.deepEqual(answers.map(a => a.status).sort(), [200, 410, 410])
  assert.match(answers.find(a => a.status === 410).text, /Already confirmed/)
  const acts = (await d.api('GET', `/consent?subject_id=${her.subject}&source=confirmation`)).json
  assert.equal(acts.length, 1)
  for (const answer of [undefined, 'yes', 'not_me']) assert.equal((await open(link, { answer })).status, 410)
  assert.equal((await stateOf(house, her.subject)).state, 'confirmed')
})

test('answers and questions about letters are short', async () => {
  const { status } = await house.licet.api('POST', `/confirm/${'A'.repeat(32)}`, 'answer='.padEnd(5000, 'x'), {
    key: null, headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  assert.equal(status, 413)
  assert.equal((await house.licet.api('POST', '/subjects/anybody/verification', JSON.stringify({ language: 'x'.repeat(1 << 20) }))).status, 413)
})

test('a forged link is one that nobody knows', async () => {
  const her = await signUp(house)
  const { link } = await her.letter()
  const [base, token] = [link.slice(0, -32), link.slice(-32)]
  const flip = c => (c === 'A' ? 'B' : 'A')
  const unknown = await open(base + 'A'.repeat(32))
  for (const forged of [flip(token[0]) + token.slice(1), token.slice(0, -1) + flip(token.at(-1)), token.slice(1), `${token}A`, token.toLowerCase(), '%00', '..', 'A'.repeat(4000), '%F0%28%8C%BC', `${token}%00`]) {
    for (const answer of [undefined, 'yes']) {
      const page = await open(base + forged, { answer })
      if (page.status === 400 || page.headers.get('content-type') === 'application/json') continue // no such path at all
      assert.equal(page.status, 404, forged)
      assert.equal(page.text, unknown.text)
    }
  }
  assert.match((await stateOf(house, her.subject)).state, /^(requested|sent)$/)
})

test('pages load nothing, run nothing, are kept nowhere and tell nobody', async () => {
  const her = await signUp(house)
  const { link } = await her.letter()
  for (const page of [await open(link), await open(`${link.slice(0, -1)}`), await open(link, { answer: 'yes' }), await open(link)]) {
    const policy = page.headers.get('content-security-policy')
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.ok(!/script|unsafe|https?:/.test(policy))
    assert.equal(page.headers.get('cache-control'), 'no-store')
    assert.equal(page.headers.get('referrer-policy'), 'no-referrer')
    assert.equal(page.headers.get('x-content-type-options'), 'nosniff')
    assert.equal(page.headers.get('set-cookie'), null)
    assert.ok(!/<script|<img|<link|src=|url\(|https?:/.test(page.text))
  }
})

test('"this was not me" ends the request, records nothing but that, and stops further letters to that address', async () => {
  const her = await signUp(house, 'victim@mail.example')
  const { link } = await her.letter()
  const before = (await d.api('GET', `/consent?subject_id=${her.subject}`)).json.length
  const page = await open(link, { answer: 'not_me' })
  assert.equal(page.status, 200)
  assert.match(page.text, /Nothing was confirmed/)
  assert.equal((await d.api('GET', `/consent?subject_id=${her.subject}`)).json.length, before)
  assert.equal((await stateOf(house, her.subject)).state, 'disowned')
  assert.equal((await open(link, { answer: 'yes' })).status, 410)
  assert.equal(await reasonOf(house, her.subject), 'not_verified')
  for (const email of ['victim@mail.example', 'Victim@Mail.example', 'victim+again@mail.example']) await signUp(house, email)
  const other = await signUp(house)
  await other.letter() // the post has gone round
  assert.equal(house.mail.letters.filter(l => /victim/i.test(l.envelope.to[0])).length, 1)
  const { status, json } = await d.api('POST', `/subjects/${her.subject}/verification`)
  assert.equal(status, 409)
  assert.match(json.message, /not her/)
})

test('a withdrawal before the click wins', async () => {
  const her = await signUp(house)
  const { link } = await her.letter()
  await d.api('POST', '/public/consent', { subject: { id: her.subject }, preferences: { newsletter: false } }, { key: 'public', headers: { 'Licet-Device-Token': her.token } })
  assert.equal(await reasonOf(house, her.subject), 'withdrawn')
  for (const answer of [undefined, 'yes', 'not_me']) {
    const page = await open(link, { answer })
    assert.equal(page.status, 410)
    assert.match(page.text, /Nothing was confirmed/)
  }
  assert.equal(await reasonOf(house, her.subject), 'withdrawn')
  assert.equal((await d.api('GET', `/subjects/${her.subject}`)).json.verified, false)
})

test('a withdrawal after the click wins as well', async () => {
  const her = await signUp(house)
  const { link } = await her.letter()
  await open(link, { answer: 'yes' })
  await consent(d, her.subject, { newsletter: false })
  await open(link, { answer: 'yes' })
  assert.equal(await reasonOf(house, her.subject), 'withdrawn')
})

test('by private key: an act with an address asks for the letter, and she confirms its very version', async () => {
  const { subject_id: id } = await consent(d, { id: 'customer-1', email: 'customer-1@mail.example' }, { newsletter: true, statistics: true })
  const letter = await until(() => house.mail.to('customer-1@mail.example')[0], 'the letter')
  assert.ok(!/statistics/.test(letter.text), 'what needs no confirmation is not asked')
  assert.equal(await verdict(id), 'not_verified')
  const config = generous(house.config())
  const [first] = config.purposes.at(-1).versions
  config.purposes.at(-1).versions.push({ ...first, version: 2, since: new Date(Date.now() - 86400_000).toISOString().slice(0, 10), text: { en: { ...first.text.en, aim: 'To send you two letters a month.' } } })
  await house.reload(config)
  await until(async () => (await d.api('GET', '/v1/purposes/newsletter/coverage')).json.versions.length === 2, 'version 2')
  const page = await open(letter.link)
  assert.ok(page.text.includes('our monthly letter') && !page.text.includes('two letters'))
  await open(letter.link, { answer: 'yes' })
  const [act] = (await d.api('GET', `/consent?subject_id=${id}`)).json
  assert.equal(act.effects[0].version, 1)
  assert.equal(await verdict(id), 'permitted')
})

test('a stranger cannot confirm with his own mailbox what somebody else shall have said', async () => {
  await d.api('POST', '/subjects', { id: 'known', email: 'known@mail.example' })
  await signUp(house, 'mallory@mail.example', { body: { subject: { id: 'known', email: 'mallory@mail.example' } } })
  await signUp(house, 'mallory@mail.example', { body: { subject: { id: 'nobody-knows-me', email: 'mallory@mail.example' } } })
  const other = await signUp(house)
  await other.letter()
  assert.equal(house.mail.to('mallory@mail.example').length, 0)
  assert.equal(house.mail.to('known@mail.example').length, 0)
  assert.equal((await d.api('GET', '/subjects/known')).json.email, 'known@mail.example')
  // she herself may be asked at the address that is hers, and what the stranger said then counts by her word alone
  await signUp(house, 'known@mail.example', { body: { subject: { id: 'known' } } })
  const letter = await until(() => house.mail.to('known@mail.example')[0], 'the letter')
  assert.equal(await reasonOf(house, 'known'), 'unconfirmed')
  await open(letter.link, { answer: 'yes' })
  assert.equal(await reasonOf(house, 'known'), 'permitted')
})

test('who is named by the address itself can confirm it', async () => {
  const id = 'self@mail.example'
  await signUp(house, id, { body: { subject: { id, email: id } } })
  assert.equal(await reasonOf(house, id), 'unconfirmed')
  const letter = await until(() => house.mail.to(id)[0], 'the letter')
  await open(letter.link, { answer: 'yes' })
  assert.equal(await reasonOf(house, id), 'permitted')
})

test('answers are the same whether a letter is written or not', async () => {
  await d.api('POST', '/subjects', { id: 'quiet', email: 'quiet@mail.example', verified: true })
  const ask = subject => d.api('POST', '/public/consent', { subject, preferences: { newsletter: true }, proofs: [{ form: 'f' }] }, { key: 'public' })
  const shape = a => [a.status, Object.keys(a.json).sort(), [...a.headers.keys()].sort()]
  const answers = []
  for (const subject of [{ id: 'quiet' }, { id: 'unheard' }, { id: 'quiet', email: 'other@mail.example' }, { id: 'x1', email: 'not an address' }]) answers.push(shape(await ask(subject)))
  for (const a of answers) assert.deepEqual(a, answers[0])
})

test('an address that no letter can be written to gets none', async () => {
  for (const email of ['a@b.example\r\nBcc: c@d.example', '"a b"@c.example', 'a@b.example,c@d.example', '<a@b.example>', 'ä@b.example', '-oX@b.example']) {
    await signUp(house, email)
  }
  const other = await signUp(house)
  await other.letter()
  assert.ok(house.mail.letters.every(l => l.envelope.to.length === 1 && /@mail\.example$/.test(l.envelope.to[0])))
})

test('by private key a letter can be asked for again, within the limits', async () => {
  const her = await signUp(house)
  const first = await her.letter()
  const again = await d.api('POST', `/subjects/${her.subject}/verification`, { language: 'nl' })
  assert.equal(again.status, 200)
  assert.deepEqual(Object.keys(again.json).sort(), ['address', 'attempts', 'consent_id', 'ended', 'error', 'id', 'language', 'requested', 'sent', 'state', 'subject_id', 'until'])
  const second = await her.letter(2)
  assert.match(second.subject, /Bevestig/)
  assert.notEqual(second.link, first.link)
  assert.equal((await d.api('POST', `/subjects/${her.subject}/verification`)).status, 200)
  const refused = await d.api('POST', `/subjects/${her.subject}/verification`)
  assert.equal(refused.status, 429)
  assert.equal((await open(first.link, { answer: 'yes' })).status, 200)
  assert.equal((await open(second.link, { answer: 'yes' })).status, 410, 'the other one has nothing to ask any more')
  const verified = await d.api('POST', `/subjects/${her.subject}/verification`)
  assert.equal(verified.status, 409)
  assert.equal((await d.api('POST', '/subjects/nobody/verification')).status, 404)
  assert.equal((await d.api('GET', '/subjects/nobody/verification')).status, 404)
  await d.api('POST', '/subjects', { id: 'no-address' })
  assert.equal((await d.api('POST', '/subjects/no-address/verification')).status, 400)
  for (const [method, key, status] of [['POST', 'public', 403], ['POST', null, 401], ['GET', 'public', 403], ['GET', null, 401]]) {
    assert.equal((await d.api(method, `/subjects/${her.subject}/verification`, undefined, { key })).status, status)
  }
})

test('neither the log nor the metrics show an address, a subject or a token', async () => {
  const her = await signUp(house)
  const { link } = await her.letter()
  await open(link, { answer: 'yes' })
  const seen = d.log + (await d.api('GET', '/metrics')).text
  for (const word of [her.email, 'mail.example', her.subject, link.slice(-32)]) assert.ok(!seen.includes(word), word)
  assert.ok(await d.metric('licet_letters_total', { outcome: 'sent' }) >= 10)
  assert.ok(await d.metric('licet_confirmations_total', { answer: 'yes' }) >= 5)
})

test('what was asked and how it ended is part of her proof', async () => {
  const her = await signUp(house)
  await open((await her.letter()).link, { answer: 'yes' })
  const file = `${d.dir}/her.proof`
  const written = await d.cli(['export-proof', '--subject', her.subject, '--out', file])
  assert.equal(written.code, 0, written.err)
  const { code, out, err } = await d.cli(['verify', file])
  assert.equal(code, 0, out + err)
  assert.match(out, /a letter to visitor-\d+@mail\.example asked for a confirmation/)
  assert.match(out, /what the letter asked was confirmed/)
})

test('everything that was said here verifies', async () => {
  const { code, out, err } = await d.cli(['verify'])
  assert.equal(code, 0, out + err)
  assert.match(out, /0 faults/)
})

// ---- houses of their own ----

async function withHouse(options, use) {
  const own = await startOptInHouse(options)
  try {
    await use(own, own.licet)
  } finally {
    await own.stop()
  }
}

test('a link that has run out confirms nothing', { skip: noFaults }, () => withHouse({ faulty: true }, async own => {
  const her = await signUp(own)
  const { link } = await her.letter()
  await own.fail(`clock ${48 * 3600_000 - 60_000}`)
  assert.equal((await open(link)).status, 200)
  await own.fail(`clock ${48 * 3600_000 + 60_000}`)
  for (const answer of [undefined, 'yes', 'not_me']) {
    const page = await open(link, { answer })
    assert.equal(page.status, 410)
    assert.match(page.text, /No longer valid/)
  }
  assert.equal((await stateOf(own, her.subject)).state, 'expired')
  assert.equal(await reasonOf(own, her.subject), 'not_verified')
  const again = await own.licet.api('POST', `/subjects/${her.subject}/verification`)
  assert.equal(again.status, 200)
  const fresh = await her.letter(2)
  assert.equal((await open(fresh.link, { answer: 'yes' })).status, 200)
  assert.equal(await reasonOf(own, her.subject), 'permitted')
}))

test('kill -9 between the request and the letter: the letter goes after the start', async () => {
  let slow = true
  const mail = { answer: () => slow && new Promise(() => {}) } // takes the connection and never answers
  await withHouse({ mail }, async own => {
    const all = []
    for (let i = 0; i < 5; i++) all.push(await signUp(own, undefined, { headers: { 'X-Forwarded-For': `198.51.100.${i}` } }))
    await until(() => own.mail.tried > 0, 'the first try')
    await own.licet.kill('SIGKILL')
    assert.equal(own.mail.letters.length, 0)
    slow = false
    await own.licet.run()
    for (const her of all) {
      const { link } = await her.letter()
      assert.equal((await open(link, { answer: 'yes' })).status, 200)
      assert.equal(await reasonOf(own, her.subject), 'permitted')
    }
    const { code, out } = await own.licet.cli(['verify'])
    assert.equal(code, 0, out)
  })
})

test('letters go to the hook of the mailer, with address and link, and to no other hook', async () => {
  const secret = newWebhookSecret()
  const receiver = await new HookReceiver({ secret }).listen()
  const hook = id => ({ id, endpoint: `${receiver.url}/${id}`, secret: '${HOOK_SECRET}', allow_private_addresses: true })
  try {
    await withHouse({
      env: { HOOK_SECRET: secret },
      change: c => ({ ...c, hooks: [{ ...hook('mailer'), on: ['withdrawal'] }, hook('crm')], double_opt_in: { hook: 'mailer' } }),
    }, async own => {
      const her = await signUp(own)
      const [message] = await until(() => receiver.of('/mailer').length > 0 && receiver.of('/mailer'), 'the letter')
      assert.equal(message.type, 'verification.requested')
      assert.deepEqual(Object.keys(message.data), ['subject_id', 'consent_id', 'email', 'language', 'until', 'subject', 'link', 'text'])
      assert.equal(message.data.email, her.email)
      assert.equal(message.data.consent_id, her.id)
      assert.ok(message.data.text.includes(message.data.link))
      assert.equal((await stateOf(own, her.subject)).state, 'sent')
      await until(() => receiver.of('/crm').some(m => m.data.consent_id === her.id), 'the act, told to the other')
      assert.ok(receiver.of('/crm').every(m => m.type !== 'verification.requested' && !JSON.stringify(m).includes('/confirm/')))
      assert.equal((await open(message.data.link, { answer: 'yes' })).status, 200)
      assert.equal((await stateOf(own, her.subject)).state, 'confirmed')
      assert.equal(await reasonOf(own, her.subject), 'permitted')
      assert.deepEqual(receiver.faults, [])
      assert.deepEqual(own.mail.to(her.email), [])
    })
  } finally {
    await receiver.close()
  }
})

test('a mail server that is down is tried again, and the letter says so meanwhile', async () => {
  await withHouse({}, async own => {
    const { port } = own.mail
    await own.mail.close()
    const her = await signUp(own)
    await until(async () => (await stateOf(own, her.subject)).attempts >= 2, 'two tries', 30_000)
    const { state, error, sent } = await stateOf(own, her.subject)
    assert.equal(state, 'requested')
    assert.equal(sent, null)
    assert.match(error, /connect/i)
    assert.equal(await reasonOf(own, her.subject), 'not_verified')
    own.mail = await new MailServer().listen(port)
    const { link } = await until(() => own.mail.to(her.email)[0], 'the letter', 60_000)
    await until(async () => (await stateOf(own, her.subject)).error === null, 'it to be written that it went')
    assert.equal((await open(link, { answer: 'yes' })).status, 200)
  })
})

test('a refused address is given up at once; one that is busy is tried again', async () => {
  let busy = 1
  const fail = (code, text) => Object.assign(new Error(text), { responseCode: code })
  const mail = { answer: a => (a.startsWith('gone') ? fail(550, 'no such user') : a.startsWith('busy') && busy-- > 0 ? fail(451, 'later') : null) }
  await withHouse({ mail }, async own => {
    const gone = await signUp(own, 'gone@mail.example'), late = await signUp(own, 'busy@mail.example')
    await until(async () => (await stateOf(own, gone.subject)).state === 'failed', 'it to be given up')
    assert.equal((await stateOf(own, gone.subject)).error, 'status 550')
    assert.equal((await stateOf(own, gone.subject)).attempts, 1)
    await late.letter()
    await until(async () => (await stateOf(own, late.subject)).attempts >= 2, 'both tries to be counted')
  })
})

test('a slow mail server keeps nobody waiting, nor the end of the daemon', async () => {
  await withHouse({ mail: { answer: () => new Promise(() => {}) } }, async own => {
    await signUp(own)
    await until(() => own.mail.tried > 0, 'the first try')
    await consent(own.licet, 'meanwhile', { statistics: true })
    const { code } = await own.licet.kill('SIGTERM')
    assert.equal(code, 0)
    await own.licet.run()
  })
})

test('TLS is verified, and a mail server that offers none gets nothing', async () => {
  const authority = new Authority()
  const good = authority.issue('mail')
  const secure = await new MailServer({ secure: true, key: good.key, cert: good.cert, onAuth: (auth, session, done) => done(auth.username === 'licet' && auth.password === 'secret' ? null : new Error('no'), { user: 1 }) }).listen()
  const starttls = await new MailServer({ key: good.key, cert: good.cert }).listen()
  const plain = await new MailServer({ hideSTARTTLS: true, disabledCommands: ['AUTH', 'STARTTLS'] }).listen()
  const as = (smtp, more = {}) => ({ mail: { smtp, from: 'letters@muster.example', allow_private_addresses: true, tls: { ca: authority.ca }, ...more } })
  const fails = (optIn, why) => withHouse({ optIn }, async own => {
    const her = await signUp(own)
    await until(async () => why.test((await stateOf(own, her.subject)).error ?? ''), async () => `${why}: ${JSON.stringify(await stateOf(own, her.subject))}`)
  })
  try {
    await withHouse({ optIn: as(`smtps://127.0.0.1:${secure.port}`, { user: 'licet', password: 'secret' }) }, async own => {
      const her = await signUp(own)
      const letter = await until(() => secure.to(her.email)[0], 'the letter')
      assert.ok(letter.secure)
    })
    await withHouse({ optIn: as(`smtp+starttls://127.0.0.1:${starttls.port}`) }, async own => {
      const her = await signUp(own)
      const letter = await until(() => starttls.to(her.email)[0], 'the letter')
      assert.ok(letter.secure)
    })
    await fails(as(`smtps://127.0.0.1:${secure.port}`, { user: 'licet', password: 'wrong' }), /does not take the name and password/)
    await fails(as(`smtps://127.0.0.1:${secure.port}`, { tls: undefined }), /certificate is not trusted/)
    await fails(as(`smtp+starttls://127.0.0.1:${plain.port}`), /offers no TLS/)
    assert.equal(plain.letters.length, 0)
    assert.equal(secure.letters.length, 1)
  } finally {
    authority.remove()
    await Promise.all([secure, starttls, plain].map(s => s.close()))
  }
})

test('strangers cannot make a mail bomb of it', () => withHouse({
  change(config) {
    config.limits = { public_per_second: 1000, address_per_minute: 10000, subject_per_hour: 10000, letters_per_address_per_hour: 5 }
    config.trusted_proxies = ['127.0.0.1']
    return config
  },
}, async (own, licet) => {
  const from = n => ({ headers: { 'X-Forwarded-For': `198.51.${n}.1` } })
  // one mailbox, from everywhere, written in many ways
  for (let i = 0; i < 8; i++) await signUp(own, ['one@mail.example', 'ONE@mail.example', `one+${i}@mail.example`][i % 3], from(i))
  // many mailboxes, from one place
  for (let i = 0; i < 20; i++) await signUp(own, `many-${i}@mail.example`, from(100))
  const last = await signUp(own, 'last@mail.example', from(101))
  await until(() => own.mail.to(last.email)[0], 'the last letter')
  const count = pattern => own.mail.letters.filter(l => pattern.test(l.envelope.to[0])).length
  assert.equal(count(/^one/i), 3)
  assert.equal(count(/^many/), 5)
  // the operator's own server is not shut out by them
  await consent(licet, { id: 'c', email: 'customer@mail.example' }, { newsletter: true })
  await until(() => own.mail.to('customer@mail.example')[0], 'the letter')
  // one subject, whose id a stranger knows, and several days of trying
  for (let i = 0; i < 10; i++) await signUp(own, 'customer@mail.example', { ...from(110 + i), body: { subject: { id: 'c' } } })
  const again = await signUp(own, 'again@mail.example', from(130))
  await until(() => own.mail.to(again.email)[0], 'the last letter')
  assert.equal(count(/^customer/), 3)
}))

test('without double_opt_in in the configuration no letter is written, and nothing else is changed', async () => {
  const own = await startHouse({
    change(config) {
      config.purposes[1].double_opt_in = true
      return config
    },
  })
  try {
    const { json } = await own.licet.api('POST', '/public/consent', { subject: { email: 'a@mail.example' }, preferences: { profiling: true }, proofs: [{ form: 'f' }] }, { key: 'public' })
    assert.equal((await own.licet.api('GET', `/subjects/${json.subject_id}/verification`)).status, 404)
    const asked = await own.licet.api('POST', `/subjects/${json.subject_id}/verification`)
    assert.equal(asked.status, 400)
    assert.equal(asked.json.field, 'double_opt_in')
  } finally {
    await own.stop()
  }
})
