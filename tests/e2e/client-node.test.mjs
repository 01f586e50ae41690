// iubenda-consent-solution-api as npm has it, unmodified: it posts to https://consent.iubenda.com, and so it does here. What is
// changed is where that name leads, as an operator changes it: to licet, which speaks TLS with a certificate for it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import https from 'node:https'
import { createRequire } from 'node:module'
import { after, before, mock, test } from 'node:test'
import { connect } from 'node:tls'
import { Authority } from './authority.mjs'
import { startHouse } from './fixture.mjs'

const { IubendaConsentSolution } = createRequire(import.meta.url)('iubenda-consent-solution-api')
const HOST = 'consent.iubenda.com'
const authority = new Authority()
const ca = readFileSync(authority.ca)
const { certFile, keyFile } = authority.issue('interface', { san: `DNS:${HOST},DNS:localhost,IP:127.0.0.1` })
let house, d
const asked = []

before(async () => {
  house = await startHouse({
    change: c => Object.assign(c, { tls: { certificate: certFile, key: keyFile } }),
    probe: d => new Promise(ok => {
      https.get({ host: '127.0.0.1', port: d.port, servername: HOST, ca, path: '/readyz', agent: false }, a => ok(a.resume().statusCode === 200)).on('error', () => ok(false))
    }),
  })
  d = house.licet
  const { request } = https
  mock.method(https, 'request', (options, ...rest) => {
    asked.push(options.host)
    return request({ ...options, agent: undefined, createConnection: () => connect({ host: '127.0.0.1', port: d.port, servername: options.host, ca }) }, ...rest)
  })
})
after(async () => {
  mock.restoreAll()
  await house.stop()
  authority.remove()
})

const client = (options = {}) => new IubendaConsentSolution({ apiKey: d.privateKey, ...options })

for (const options of [{}, { beta: true }, { unescape_json: true }, { beta: true, unescape_json: true }]) {
  const name = Object.keys(options).join(' and ') || 'as it comes'
  const id = `client-${Object.keys(options).join('-')}`

  test(`the client, ${name}: subjects are made, changed, read and listed`, async () => {
    const c = client(options)
    const made = await c.createSubject({ id, email: `${id}@test.it`, first_name: 'John', last_name: 'Fix' })
    assert.equal(made.id, id)
    const changed = await c.updateSubject({ id, email: `${id}@test.it`, first_name: 'Jonathan', last_name: 'Fix' }, id)
    assert.ok(!('error' in changed))
    const read = await c.getSubject(id)
    assert.equal(read.first_name, 'Jonathan')
    assert.equal(read.verified, false)
    const listed = await c.getSubjects()
    assert.ok(Array.isArray(listed) && listed.some(s => s.id === id))
    assert.deepEqual((await c.getSubjects({ email_exact: `${id}@test.it`, limit: 1 })).map(s => s.id), [id])
  })

  test(`the client, ${name}: consents are made, read and listed`, async () => {
    const c = client(options)
    const made = await c.createConsent({
      autodetect_ip_address: 'false',
      subject: { id, email: `${id}@test.it`, first_name: 'John', last_name: 'Fix' },
      legal_notices: [{ identifier: 'privacy_policy', version: '1' }, { identifier: 'terms_and_conditions', version: '1' }, { identifier: 'cookie_policy' }],
      proofs: [{ content: '{}', form: '<form>Example Form</form>' }],
      preferences: { privacy_policy: 'true', newsletter: 'false' },
    })
    assert.equal(made.subject_id, id)
    const read = await c.getConsent(made.id)
    assert.deepEqual(read.preferences, { privacy_policy: 'true', newsletter: 'false' })
    assert.equal(read.proofs[0].form, '<form>Example Form</form>')
    assert.deepEqual(read.legal_notices[0], { identifier: 'privacy_policy', version: 1 })
    const listed = await c.getConsents()
    assert.ok(Array.isArray(listed))
    assert.equal(listed[0].id, made.id)
    assert.deepEqual((await c.getConsents({ subject_id: id, preference_key: 'newsletter' })).map(x => x.id), [made.id])
  })
}

test('the client gets errors as it knows them', async () => {
  assert.deepEqual(await client({ apiKey: 'invalid' }).getConsents(), { status: 403, message: 'Invalid authentication credentials', error: true })
  assert.deepEqual(await client({ apiKey: d.publicKey }).getSubjects(), { status: 403, message: 'Invalid authentication credentials', error: true })
  const gone = await client().getConsent('de801ca9-abec-45e2-8f7c-729822cfffad')
  assert.equal(gone.status, 404)
  assert.equal(gone.error, true)
  const wrong = await client().createConsent({ timestamp: 'soon' })
  assert.equal(wrong.status, 400)
  assert.match(wrong.message, /ISO 8601/)
})

test('it asked for no other host', () => {
  assert.deepEqual([...new Set(asked)], [HOST])
})
