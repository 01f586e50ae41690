// The state of one's own consents: read tokens, who gets one, what it opens, and what nobody learns.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { newKey, sleep } from './daemon.mjs'
import { browserConsent, consent, startHouse } from './fixture.mjs'

const SECRET = 'the-operators-server-alone-knows-it'
const ORIGIN = 'https://shop.example'
let house, d, limited
before(async () => {
  house = await startHouse({
    change(config) {
      const [statistics, profiling] = config.purposes
      statistics.versions.push({ ...statistics.versions[0], version: 2, since: '2025-06-01' })
      profiling.double_opt_in = true
      config.purposes.push({
        id: 'letters', scope: 'person', lifetime: '30d', versions: [{ ...statistics.versions[0], recipients: [] }],
      })
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

const subjectToken = id => createHmac('sha256', SECRET).update(id).digest('hex')
const ask = (body, { headers = {}, key = 'public', at = d } = {}) => at.api('POST', '/public/read_token', body, { key, headers })
const vouched = (id, more = {}) => ask({ subject: { id }, subject_token: subjectToken(id), ...more })
const make = (id, body) => d.api('POST', `/subjects/${encodeURIComponent(id)}/read_token`, body)
const read = (token, { headers = {}, key = 'public', at = d } = {}) => at.api('GET', '/public/state', undefined, { key, headers: { ...(token && { 'Licet-Read-Token': token }), ...headers } })
const stateOf = async id => {
  const { json: { read_token: token } } = await make(id)
  const { status, json, text } = await read(token)
  assert.equal(status, 200, text)
  return Object.fromEntries(json.purposes.map(p => [p.id, p]))
}
const visitor = (preferences = { statistics: true }) => browserConsent(d, preferences, { versions: { statistics: 2 } })

test('a device gets a token by its own, and reads what is recorded of it', async () => {
  const mine = await visitor()
  for (const headers of [{ 'Licet-Device-Token': mine.token }, { Cookie: mine.cookie }]) {
    const answer = await ask(undefined, { headers })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.json.expires_in, 600, 'ten minutes, when nothing is said')
    assert.ok(Math.abs(Date.parse(answer.json.expires) - Date.now() - 600_000) < 60_000)
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    const state = await read(answer.json.read_token)
    assert.equal(state.status, 200, state.text)
    assert.equal(state.headers.get('cache-control'), 'no-store')
    const p = state.json.purposes.find(one => one.id === 'statistics')
    assert.deepEqual([p.state, p.version, p.current, p.counts, p.reason], ['granted', 2, true, true, 'permitted'])
    const end = new Date(p.since)
    end.setUTCFullYear(end.getUTCFullYear() + 1)
    assert.equal(p.until, end.toISOString())
    assert.ok(!state.text.includes(mine.subject), 'not even its own id is told')
  }
})

test('a person gets one when the operator\'s server vouches for her, as JSON and as a form', async () => {
  await consent(d, { id: 'vouched', full_name: 'Vera Vouched', email: 'vera@x.example' }, { statistics: true, letters: false }, { ip_address: '198.51.100.7' })
  const json = await vouched('vouched')
  const form = await ask(new URLSearchParams({ 'subject[id]': 'vouched', subject_token: subjectToken('vouched'), expires_in: '60' }).toString(),
    { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
  assert.deepEqual([json.status, form.status, form.json.expires_in], [200, 200, 60])
  for (const { json: { read_token: token } } of [json, form]) {
    const { text, json: state } = await read(token)
    assert.deepEqual(state.purposes.map(p => [p.id, p.state, p.counts]),
      [['statistics', 'granted', true], ['profiling', 'never', false], ['letters', 'refused', false]])
    for (const secret of ['vouched', 'Vera', 'vera@', '198.51', 'form']) assert.ok(!text.includes(secret), secret)
  }
})

test('the operator\'s server makes one by private key, for whom and how long it likes, up to an hour', async () => {
  await consent(d, 'served', { statistics: true })
  for (const [body, seconds] of [[undefined, 600], [{}, 600], [{ expires_in: 1 }, 1], [{ expires_in: 3600 }, 3600], [{ expires_in: '30' }, 30]]) {
    const { status, json } = await make('served', body)
    assert.deepEqual([status, json.expires_in], [200, seconds])
  }
  for (const body of [{ expires_in: 0 }, { expires_in: 3601 }, { expires_in: -1 }, { expires_in: 1.5 }, { expires_in: 'long' }, { expires_in: 1e15 }, { expires_in: true }, { expires_in: null }, { expires_in: '' }]) {
    const { status, json } = await make('served', body)
    assert.deepEqual([status, json.field], [400, 'expires_in'], JSON.stringify(body))
    assert.equal((await vouched('served', body)).status, 400, JSON.stringify(body))
  }
  assert.deepEqual(await make('served', '{').then(a => [a.status, a.json.field]), [400, 'body'])
  assert.equal((await make('anonymous')).status, 400)
  assert.equal((await stateOf('served')).statistics.state, 'granted')
})

test('why a grant does not count is told, and what stands of it', async () => {
  await d.api('POST', '/public/consent', { subject: { id: 'varied' }, preferences: { statistics: true }, versions: { statistics: 2 }, proofs: [{ form: 'f' }] }, { key: 'public' })
  assert.deepEqual(await stateOf('varied').then(s => [s.statistics.state, s.statistics.counts, s.statistics.reason]), ['granted', false, 'unconfirmed'])
  await d.api('POST', '/consent', { subject: { id: 'bare' }, preferences: { statistics: true } })
  assert.equal((await stateOf('bare')).statistics.reason, 'no_proof')
  await consent(d, 'optin', { profiling: true })
  assert.deepEqual(await stateOf('optin').then(s => [s.profiling.state, s.profiling.reason]), ['granted', 'not_verified'])
  const long = new Date(Date.now() - 40 * 86_400_000).toISOString()
  await consent(d, 'late', { letters: true }, { timestamp: long })
  const { letters } = await stateOf('late')
  assert.deepEqual([letters.state, letters.counts, letters.reason, letters.since], ['granted', false, 'expired', long])
  assert.ok(Date.parse(letters.until) < Date.now())
  await consent(d, 'older', { statistics: true }, { versions: { statistics: 1 } })
  assert.deepEqual(await stateOf('older').then(s => [s.statistics.version, s.statistics.current, s.statistics.counts]), [1, false, true])
  await consent(d, 'older', { statistics: false })
  assert.deepEqual(await stateOf('older').then(s => [s.statistics.state, s.statistics.version, s.statistics.until]), ['withdrawn', null, null])
  await consent(d, 'void', { statistics: true }, { versions: { statistics: 2 } })
  assert.equal((await d.api('POST', '/v1/void', { purpose: 'statistics', version: 2, reason: 'a test' })).status, 200)
  const { statistics } = await stateOf('void')
  assert.deepEqual([statistics.state, statistics.version, statistics.counts, statistics.reason], ['granted', 2, false, 'text_voided'])
})

test('whether anybody knows the subject, neither the token nor the state tells', async () => {
  await consent(d, 'known-for-sure', { other: true })
  const shape = ({ status, json }) => [status, Object.keys(json), json.read_token?.length, json.expires_in]
  assert.deepEqual(shape(await vouched('known-for-sure')), shape(await vouched('never-seen-so1')))
  assert.deepEqual(shape(await make('known-for-sure')), shape(await make('never-seen-so1')))
  assert.deepEqual(await stateOf('known-for-sure'), await stateOf('never-seen-so1'))
})

test('whoever proves nothing gets no token, and the answers do not differ', async () => {
  const mine = await visitor()
  await consent(d, 'victim', { statistics: true })
  const forged = mine.token.slice(0, -4) + (mine.token.endsWith('AAAA') ? 'BBBB' : 'AAAA')
  const { json: { read_token: reading } } = await make('victim')
  const seen = new Set()
  for (const [body, headers] of [
    [undefined, {}], [{ subject: { id: 'victim' } }, {}], [{ subject: { id: 'victim' }, subject_token: 'x' }, {}],
    [{ subject: { id: 'victim' }, subject_token: subjectToken('other') }, {}], [{ subject: { id: 'never-seen' }, subject_token: subjectToken('other') }, {}],
    [{ subject: { id: 'null' }, subject_token: subjectToken('null') }, {}], [undefined, { 'Licet-Device-Token': forged }],
    [undefined, { Cookie: `licet_device=${forged}` }], [undefined, { 'Licet-Device-Token': reading }],
    [{ subject: { id: 'victim' }, subject_token: reading }, {}], [{ subject: { id: 'victim' }, subject_token: 'wrong' }, { 'Licet-Device-Token': mine.token }],
  ]) {
    const { status, text } = await ask(body, { headers })
    seen.add(`${status} ${text}`)
  }
  assert.equal(seen.size, 1, [...seen].join('\n'))
  assert.match([...seen][0], /^401 .*"message"/)
})

test('a token that is missing, changed, over or of another kind is refused in one and the same words', async () => {
  const mine = await visitor()
  await consent(d, 'reader', { statistics: true })
  const { json: { read_token: good } } = await make('reader')
  const { json: { read_token: short } } = await make('reader', { expires_in: 1 })
  assert.equal((await read(good)).status, 200)
  const flip = i => good.slice(0, i) + (good[i] === 'A' ? 'B' : 'A') + good.slice(i + 1)
  await sleep(1100)
  const seen = new Set()
  for (const token of [
    undefined, 'x', short, good.slice(0, -1), `${good}A`, `${good}=`, mine.token, subjectToken('reader'), d.privateKey,
    'A'.repeat(3000), ...[...good].map((_, i) => flip(i)),
  ]) {
    const { status, text } = await read(token)
    seen.add(`${status} ${text}`)
  }
  assert.equal(seen.size, 1, [...seen].join('\n'))
  assert.match([...seen][0], /^401 .*read token/)
  assert.equal((await read(good)).status, 200)
})

test('a read token opens nothing else, and writes nothing', async () => {
  await consent(d, 'only', { statistics: true })
  const { json: { read_token: token } } = await make('only')
  const headers = { 'Licet-Read-Token': token }
  assert.equal((await d.api('GET', '/public/receipt', undefined, { key: null, headers })).status, 404)
  assert.equal((await d.api('GET', '/public/receipt', undefined, { key: null, headers: { 'Licet-Device-Token': token } })).status, 404)
  for (const path of ['/subjects/only', '/v1/permissions/only', '/consent']) {
    assert.equal((await d.api('GET', path, undefined, { key: token })).status, 403, path)
    assert.equal((await d.api('GET', path, undefined, { key: 'public', headers })).status, 403, path)
  }
  // as a device token or subject token it raises nothing
  for (const [more, body] of [[{ 'Licet-Device-Token': token }, {}], [headers, {}], [{}, { subject_token: token }]]) {
    await d.api('POST', '/public/consent', { subject: { id: 'only' }, preferences: { letters: true }, versions: { letters: 1 }, proofs: [{ form: 'f' }], ...body }, { key: 'public', headers: more })
  }
  assert.equal((await stateOf('only')).letters.reason, 'unconfirmed')
})

test('who has no key, or asks for the subject of another, gets nothing', async () => {
  const { json: { read_token: token } } = await make('somebody')
  for (const key of [null, newKey()]) {
    assert.ok([401, 403].includes((await read(token, { key })).status))
    assert.ok([401, 403].includes((await ask({}, { key })).status))
  }
  for (const key of ['public', null, newKey()]) {
    assert.ok([401, 403].includes((await d.api('POST', '/subjects/somebody/read_token', {}, { key })).status))
  }
  assert.equal((await ask({ subject: { id: 'x'.repeat(9000) } })).status, 413)
  assert.equal((await d.api('POST', '/subjects/somebody/read_token', { more: 'x'.repeat(1 << 20) })).status, 413)
})

test('a page reads it across origins where the key is for it, and by the cookie not where it is not', async () => {
  const mine = await visitor()
  const { json: { read_token: token } } = await ask(undefined, { headers: { 'Licet-Device-Token': mine.token } })
  const preflight = await fetch(`${d.url}/public/state`, { method: 'OPTIONS', headers: { Origin: ORIGIN, 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'apikey,licet-read-token' } })
  assert.equal(preflight.status, 204)
  assert.match(preflight.headers.get('access-control-allow-headers'), /Licet-Read-Token/)
  const own = await read(token, { headers: { Origin: ORIGIN } })
  assert.deepEqual([own.status, own.headers.get('access-control-allow-origin')], [200, ORIGIN])
  assert.equal((await read(token, { headers: { Origin: 'https://evil.example' } })).status, 403)
  const byCookie = origin => ask(undefined, { headers: { Cookie: mine.cookie, Origin: origin } })
  assert.equal((await byCookie('https://evil.example')).status, 403)
  assert.equal((await byCookie(ORIGIN)).status, 200)
})

test('asking often is refused, and does not keep her from withdrawing', async () => {
  limited = await startHouse({ change: c => ({ ...c, limits: { address_per_minute: 5 } }) })
  const at = limited.licet
  const mine = await browserConsent(at, { statistics: true })
  const headers = { 'Licet-Device-Token': mine.token }
  const { json: { read_token: token } } = await ask(undefined, { at, headers })
  const answers = []
  for (let i = 0; i < 6; i++) answers.push(await (i % 2 ? ask(undefined, { at, headers }) : read(token, { at })))
  assert.deepEqual(answers.map(a => a.status), [200, 200, 200, 200, 429, 429])
  assert.ok(Number(answers.at(-1).headers.get('retry-after')) > 0)
  assert.equal((await browserConsent(at, { statistics: false }, { headers })).status, 200)
  assert.equal(await at.metric('licet_limited_total', { by: 'states' }), 2)
})
