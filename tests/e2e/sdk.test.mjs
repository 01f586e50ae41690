// What licet serves to the browser's script: the script itself, and the policy.
import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { BANNER, purposes } from './banner-house.mjs'
import { startHouse } from './fixture.mjs'

let house, licet
before(async () => {
  house = await startHouse({
    change: c => ({
      ...c, purposes: [...purposes(), { id: 'orders', basis: 'contract', terminal_access: 'strictly_necessary', reason: 'the cart', assessment: 'no. 1', date: '2025-01-01', versions: c.purposes[0].versions }], banner: { ...BANNER, texts: { ...BANNER.texts, fr: { accept_all: 'Tout accepter', privacy_policy: '/vie-privee' } } },
      destinations: c.destinations.map(d => (d.id === 'crm' ? { ...d, requires: ['adverts', 'linking'] } : d)),
      keys: { ...c.keys, public: [...c.keys.public, { key: 'another-public-key-1', origins: ['https://shop.example'] }] },
    }),
  })
  licet = house.licet
})
after(() => house?.stop())

/** {status, headers, body} of a GET, byte for byte: fetch would unpack it. */
const get = (path, headers = {}) => new Promise((ok, no) => {
  request(licet.url + path, { headers }, r => {
    const parts = []
    r.on('data', part => parts.push(part)).on('end', () => ok({ status: r.statusCode, headers: r.headers, body: Buffer.concat(parts) }))
  }).on('error', no).end()
})
const policy = async (query = '', headers) => get(`/sdk/policy?key=${licet.publicKey}${query}`, headers)
const json = async (...how) => JSON.parse((await policy(...how)).body)

test('the script with the banner is smaller than 15 kB, without it than 6 kB', async () => {
  for (const [name, most] of [['licet.js', 15_000], ['licet-core.js', 6_000], ['licet-cmp.js', 9_000]]) {
    const { status, headers, body } = await get(`/sdk/${name}`, { 'Accept-Encoding': 'br, gzip;q=0.8' })
    assert.equal(status, 200)
    assert.equal(headers['content-encoding'], 'gzip')
    assert.equal(headers['content-type'], 'text/javascript; charset=utf-8')
    assert.ok(body.length < most, `${name}: ${body.length} bytes`)
    const plain = await get(`/sdk/${name}`)
    assert.equal(plain.headers['content-encoding'], undefined)
    assert.deepEqual(gunzipSync(body), plain.body, 'with and without compression it is the same')
    assert.notEqual(plain.headers.etag, headers.etag)
    assert.equal((await get(`/sdk/${name}`, { 'Accept-Encoding': 'gzip;q=0' })).headers['content-encoding'], undefined)
  }
})

test('script and policy may be kept by anybody, set no cookie, and are not sent twice', async () => {
  for (const path of ['/sdk/licet.js', `/sdk/policy?key=${licet.publicKey}`]) {
    const first = await get(path, { Origin: 'https://any.example', Cookie: 'licet_device=x' })
    assert.match(first.headers['cache-control'], /^public, max-age=\d+$/)
    assert.equal(first.headers['set-cookie'], undefined)
    assert.equal(first.headers['access-control-allow-origin'], '*')
    assert.equal(first.headers['cross-origin-resource-policy'], 'cross-origin')
    assert.equal(first.headers.vary, 'Accept-Encoding')
    for (const known of [first.headers.etag, `"x", W/${first.headers.etag}`, '*']) {
      const again = await get(path, { 'If-None-Match': known })
      assert.deepEqual([again.status, again.body.length, again.headers.etag], [304, 0, first.headers.etag])
    }
    assert.equal((await get(path, { 'If-None-Match': '"other"' })).status, 200)
  }
  assert.equal((await get('/sdk/other.js')).status, 404)
  assert.equal((await licet.api('POST', '/sdk/licet.js', {})).status, 405)
})

test('what is described of scripts and policy is what comes', async () => {
  const ask = (path, headers) => licet.api('GET', path, undefined, { key: null, headers })
  const key = `/sdk/policy?key=${licet.publicKey}`
  for (const path of ['/sdk/licet.js', '/sdk/licet-core.js', '/sdk/licet-cmp.js', '/cons/iubenda_cons.js', '/cons/beta/iubenda_cons.js', '/consent_solution/iubenda_cons.js', key]) {
    const first = await ask(path)
    assert.equal(first.status, 200, path)
    const again = await ask(path, { 'If-None-Match': first.headers.get('etag') })
    assert.deepEqual([again.status, again.text], [304, ''], path)
  }
  assert.equal((await ask('/sdk/none.js')).status, 404)
  assert.equal((await ask('/sdk/policy')).status, 401)
  assert.equal((await ask('/sdk/policy?key=another-public-key-1', { Origin: 'https://evil.example' })).status, 403)
})

test('a 304 has the length of what it stands for, or none', async () => {
  for (const path of ['/sdk/licet.js', '/cons/iubenda_cons.js', '/openapi.json', '/docs', `/sdk/policy?key=${licet.publicKey}`]) {
    for (const headers of [{}, { 'Accept-Encoding': 'gzip' }]) {
      const first = await get(path, headers)
      const again = await get(path, { ...headers, 'If-None-Match': first.headers.etag })
      assert.deepEqual([again.status, again.body.length], [304, 0], path)
      assert.ok([undefined, String(first.body.length)].includes(again.headers['content-length']), `${path}: ${again.headers['content-length']}`)
    }
  }
})

test('the policy holds what a visitor is told, and nothing else of the configuration', async () => {
  const { body } = await policy('&language=en')
  const told = JSON.parse(body)
  assert.deepEqual(Object.keys(told).sort(), ['clarity', 'controller', 'dates', 'events', 'google', 'hubspot', 'imprint', 'language', 'privacy_policy', 'purposes', 'words'])
  assert.deepEqual(told.purposes.map(p => p.id), ['statistics', 'adverts', 'recording', 'linking', 'orders'])
  const [statistics, adverts, recording, linking, orders] = told.purposes
  assert.deepEqual(Object.keys(statistics).sort(), ['ask_again_days', 'basis', 'changes', 'forget', 'honours', 'id', 'language', 'lifetime_days', 'notices', 'recipients', 'scope', 'separate', 'since', 'terminal_access', 'text', 'version', 'void'])
  assert.deepEqual(statistics.recipients, [{ name: 'warehouse Ltd', country: 'IE', country_name: 'Ireland' }])
  assert.deepEqual([statistics.version, statistics.since, statistics.lifetime_days, statistics.ask_again_days], [1, '2025-01-01', 365, 182])
  assert.deepEqual(statistics.notices, [{ identifier: 'privacy_policy', version: 1 }])
  assert.deepEqual(statistics.forget, ['_ga*', 'hubspotutk'])
  assert.deepEqual(adverts.honours, ['gpc', 'dnt'])
  assert.deepEqual([recording.separate, linking.scope, orders.basis], [true, 'person', 'contract'])
  assert.deepEqual(told.events, ['statistics', 'adverts'], 'of the device, and required somewhere')
  assert.equal(Object.keys(told.google).length, 7)
  assert.deepEqual(told.google.security_storage, [])
  for (const secret of [licet.privateKey, licet.env.WAREHOUSE_SECRET, 'endpoint', house.receiver.url, 'retention', 'the cart', 'no. 1']) {
    assert.ok(!body.includes(secret), secret)
  }
})

test('the language is the best that is there, the words are its own, and what lacks it says in which it is told', async () => {
  const german = await json('&language=de-AT,en')
  assert.equal(german.language, 'de')
  assert.equal(german.words.accept_all, 'Alle annehmen')
  assert.equal(german.imprint, '/imprint')
  assert.equal(german.dates[2], '22. März 3333')
  assert.equal(german.controller.country_name, 'Deutschland')
  assert.deepEqual(german.purposes.map(p => p.language), ['de', 'de', 'en', 'en', 'en'])
  assert.equal(german.purposes[0].text.title, 'Statistik des Ladens')
  assert.equal((await json('&language=xx,,nl')).language, 'nl')
  assert.equal((await json('&language=fr')).language, 'en', 'words alone are no text')
  assert.equal((await json()).language, 'en')
  assert.equal((await json(`&language=${'zz,'.repeat(2000)}de`)).language, 'en', 'sixteen are looked at')
  for (const odd of ['%ff%fe', '%00', '%22%3Cscript%3E', '-', 'de-%22%5D']) {
    const answer = await policy(`&language=${odd}`)
    assert.equal(answer.status, 200)
    assert.ok(['en', 'de'].includes(JSON.parse(answer.body).language), odd)
  }
  const keys = Object.keys(german.words)
  for (const language of ['en', 'nl']) assert.deepEqual(Object.keys((await json(`&language=${language}`)).words), keys)
  assert.ok(keys.every(key => german.words[key].length > 0))
})

test('without a key, with a wrong one, and from another page than the key\'s there is no policy', async () => {
  assert.equal((await get('/sdk/policy')).status, 401)
  assert.equal((await get('/sdk/policy?key=wrong-key-0123456789')).status, 401)
  assert.equal((await get('/sdk/policy?key=another-public-key-1', { Origin: 'https://evil.example' })).status, 403)
  assert.equal((await get('/sdk/policy?key=another-public-key-1', { Origin: 'https://shop.example' })).status, 200)
  for (const q of ['/sdk/policy', '/sdk/policy?key=wrong-key-0123456789']) assert.equal((await get(q)).headers['cache-control'], 'no-store')
})

test('a text that is declared void is not shown any more', async () => {
  const { status } = await licet.api('POST', '/v1/void', { purpose: 'recording', version: 1, reason: 'it was not clear' })
  assert.equal(status, 200)
  const told = await json('&language=en')
  assert.deepEqual(told.purposes.map(p => p.id), ['statistics', 'adverts', 'linking', 'orders'])
})
