// The real daemon and Google's stand-in: what is sent, when not, and what Google is told of consent.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer as createTlsServer } from 'node:https'
import { after, before, beforeEach, test } from 'node:test'
import { licet, sleep, until } from './daemon.mjs'
import { consent, track } from './fixture.mjs'
import { clientId, FIELDS, SECRET, startGa4 } from './ga4-house.mjs'

let house, d, google, behave = () => ({})
before(async () => {
  house = await startGa4({ answer: q => behave(q), fields: { ...FIELDS, anonymousId: 'pseudonymise', 'context.sessionId': 'pseudonymise' } })
  ;({ licet: d, google } = house)
})
beforeEach(() => (behave = () => ({}))) // whatever became of the one before
after(() => house.stop())

const someone = async (preferences = { statistics: true }) => {
  const id = randomUUID()
  await consent(d, id, preferences)
  return id
}
const store = async (message, more) => {
  const { json, text } = await d.ingest([message], { key: 'private', explain: true, ...more })
  assert.ok(json?.explain, text)
  return json.explain[0].id
}
const fateOf = async id => {
  const { destinations } = JSON.parse((await d.cli(['explain', id])).out)
  return destinations?.find(x => x.destination === 'ga4').deliveries ?? [] // it may not be found yet
}
/** What became of a stored event, once something did. */
const fate = async (id, wanted) => until(async () => {
  const last = (await fateOf(id)).at(-1)
  const flying = last?.result === 'uncertain' && !last.error // is shown so until its answer is there
  return last && !flying && (!wanted || last.result === wanted) && last
}, `${id} to be ${wanted ?? 'decided'}`)
const named = name => google.events.filter(e => e.name === name)
const requestOf = name => google.requests.find(({ body }) => body.events.some(e => e.name === name))
const arrival = name => until(() => requestOf(name), () => `${name}; faults ${JSON.stringify(google.faults)}`)
const unique = () => `e_${randomUUID().replaceAll('-', '_')}`.slice(0, 40)
/** A success ends the back-off, which otherwise grows from one bad answer to the next. */
const recover = async () => {
  behave = () => ({})
  await fate(await store(track(await someone(), unique())), 'sent')
}
const noFaults = () => assert.deepEqual(google.faults, [])

test('ga4: consent is part of every request, as the record has it', async () => {
  for (const [preferences, ad_user_data, ad_personalization] of [
    [{ statistics: true }, 'DENIED', 'DENIED'],
    [{ statistics: true, ads: true }, 'GRANTED', 'DENIED'],
    [{ statistics: true, profiles: true }, 'DENIED', 'DENIED'],
    [{ statistics: true, ads: true, profiles: true }, 'GRANTED', 'GRANTED'],
    [{ statistics: true, ads: true, profiles: false }, 'GRANTED', 'DENIED'],
    [{ statistics: true, ads: false, profiles: true }, 'DENIED', 'DENIED'],
  ]) {
    const name = unique()
    await d.ingest([track(await someone(preferences), name)])
    assert.deepEqual((await arrival(name)).body.consent, { ad_user_data, ad_personalization }, JSON.stringify(preferences))
  }
  noFaults()
})

test('ga4: who withdraws from advertising is reported so from then on', async () => {
  const anna = await someone({ statistics: true, ads: true, profiles: true }), [first, second] = [unique(), unique()]
  await d.ingest([track(anna, first)])
  assert.equal((await arrival(first)).body.consent.ad_personalization, 'GRANTED')
  await consent(d, anna, { ads: false })
  await d.ingest([track(anna, second)])
  assert.deepEqual((await arrival(second)).body.consent, { ad_user_data: 'DENIED', ad_personalization: 'DENIED' })
})

test('ga4: what was collected before a grant is not sent as granted', async () => {
  const anna = await someone(), name = unique()
  const refuse = { status: 503, headers: { 'Retry-After': '1' } }
  behave = () => refuse
  const id = await store(track(anna, name))
  await fate(id, 'retry')
  await consent(d, anna, { ads: true, profiles: true })
  behave = () => ({})
  assert.deepEqual((await arrival(name)).body.consent, { ad_user_data: 'DENIED', ad_personalization: 'DENIED' })
})

test('ga4: what waits is sent as denied after a withdrawal from advertising', async () => {
  const anna = await someone({ statistics: true, ads: true }), name = unique()
  behave = () => ({ status: 503, headers: { 'Retry-After': '1' } })
  const id = await store(track(anna, name))
  await fate(id, 'retry')
  await consent(d, anna, { ads: false })
  behave = () => ({})
  assert.equal((await arrival(name)).body.consent.ad_user_data, 'DENIED')
})

test('ga4: the client id is made of the pseudonym, and stays the same', async () => {
  const anna = await someone(), [first, second] = [unique(), unique()]
  await d.ingest([track(anna, first, { context: { sessionId: 1764340309 } })])
  await arrival(first)
  await d.ingest([track(anna, second, { context: { sessionId: 1764340309 } })])
  const [a, b] = [(await arrival(first)).body, (await arrival(second)).body]
  assert.match(a.client_id, /^[1-9]\d*\.[1-9]\d*$/)
  assert.notEqual(a.client_id, clientId(anna))
  assert.equal(a.client_id, b.client_id)
  assert.match(a.events[0].params.session_id, /^[1-9]\d*$/)
  assert.notEqual(a.events[0].params.session_id, '1764340309')
  assert.equal(a.events[0].params.session_id, b.events.find(e => e.name === second).params.session_id)
})

test('ga4: a request is about one client, and has at most 25 events', async () => {
  const people = await Promise.all(Array.from({ length: 6 }, () => someone()))
  const name = unique(), from = google.requests.length
  const batch = Array.from({ length: 180 }, (_, i) => track(people[i % people.length], name, { properties: { n: i, who: i % people.length } }))
  await d.ingest(batch)
  await until(() => named(name).length === batch.length, () => `${named(name).length} events`)
  const requests = google.requests.slice(from)
  for (const { body } of requests) {
    assert.ok(body.events.length <= 25)
    assert.equal(new Set(body.events.map(e => e.params.who)).size, 1)
  }
  assert.equal(new Set(requests.map(({ body }) => body.client_id)).size, people.length)
  assert.deepEqual(named(name).map(e => e.params.n).sort((a, b) => a - b), batch.map((_, i) => i))
  assert.ok(requests.length < batch.length / 4, `${requests.length} requests`)
  noFaults()
})

test('ga4: events of one client with another consent go in another request', async () => {
  const anna = await someone({ statistics: true, ads: true }), [plain, lowered] = [unique(), unique()]
  await d.ingest([track(anna, plain), track(anna, lowered, { context: { consent: { categoryPreferences: { ads: false } } } }), track(anna, plain)])
  await until(() => named(plain).length === 2 && named(lowered).length === 1, 'all')
  assert.deepEqual(named(plain).map(e => e.consent.ad_user_data), ['GRANTED', 'GRANTED'])
  assert.equal(named(lowered)[0].consent.ad_user_data, 'DENIED')
})

test('ga4: events that cannot be sent are dropped with their reason, and hold nobody up', async () => {
  const anna = await someone(), name = unique()
  const dropped = [
    [track(anna, 'session_start'), 'unsuitable'],
    [track(anna, 'in_app_purchase'), 'unsuitable'],
    [track(anna, '   '), 'unsuitable'],
    [{ ...track(anna), type: 'identify', event: undefined, traits: { plan: 'gold' } }, 'unsuitable'],
    [{ ...track(anna), type: 'screen', event: undefined, name: 'Home' }, 'unsuitable'],
    [track(anna, name, { timestamp: new Date(Date.now() - 73 * 3600_000).toISOString() }), 'too_old'],
  ]
  const before = await d.metric('licet_delivery_events_total', { destination: 'ga4', result: 'dropped' })
  const ids = []
  for (const [message] of dropped) ids.push(await store(message))
  const last = await store(track(anna, name))
  assert.equal((await fate(last)).result, 'sent')
  for (const [i, [message, reason]] of dropped.entries()) {
    const { result, reason: why, text } = await fate(ids[i])
    assert.deepEqual([result, why], ['dropped', reason], message.event ?? message.type)
    assert.ok(text)
  }
  assert.equal(named(name).length, 1)
  assert.equal(await d.metric('licet_delivery_events_total', { destination: 'ga4', result: 'dropped' }), before + dropped.length)
  noFaults()
})

test('ga4: no user id stands in for a device that may not leave', async () => {
  const [device, person, name] = [randomUUID(), randomUUID(), unique()]
  await consent(d, person, { statistics: true }) // the device itself agreed to nothing
  const id = await store(track({ anonymousId: device, userId: person }, name, { properties: { client_id: '1307714608.1760043792' } }))
  const { result, reason } = await fate(id)
  assert.deepEqual([result, reason], ['dropped', 'no_id'])
  const server = unique()
  await d.ingest([track({ userId: person }, server)])
  const { body } = await arrival(server)
  assert.equal(body.client_id, clientId(person))
  assert.equal(body.user_id, person)
  assert.equal(named(name).length, 0)
})

test('ga4: ids of the device among the properties are no parameters', async () => {
  const person = randomUUID(), name = unique()
  await consent(d, person, { statistics: true })
  await d.ingest([track({ userId: person }, name, { properties: { client_id: '1307714608.1760043792', session_id: '7', n: 1 } })])
  const { body } = await arrival(name)
  assert.deepEqual(body.events[0].params, { engagement_time_msec: 1, n: 1 })
  assert.equal(body.client_id, clientId(person))
})

test('ga4: what was cut and left out is told and counted', async () => {
  const anna = await someone(), name = unique()
  const count = what => d.metric('licet_delivery_fields_total', { destination: 'ga4', what })
  const [cut, omitted] = [await count('cut'), await count('omitted')]
  const id = await store(track(anna, name, { properties: { long: 'x'.repeat(101), fine: 1, ga_own: 1, list: [1], 'a b': 2 } }))
  const { fields } = await fate(id, 'sent')
  assert.deepEqual(fields.split(','), ['anonymousId', 'event', 'properties.*:cut', 'properties.fine', 'properties.ga_own:omitted', 'properties.list:omitted', 'properties.long:cut', 'timestamp', 'type'])
  assert.deepEqual([await count('cut') - cut, await count('omitted') - omitted], [2, 2])
  noFaults()
})

test('ga4: answers mean what docs/ga4.md says', { timeout: 120_000 }, async () => {
  for (const [answer, result] of [
    [{ status: 400 }, 'dead'], [{ status: 403 }, 'dead'], [{ status: 413 }, 'dead'],
    [{ status: 500 }, 'uncertain'], [{ status: 502 }, 'uncertain'], [{ status: 504 }, 'uncertain'], [{ reset: true }, 'uncertain'],
    [{ status: 429 }, 'retry'], [{ status: 503 }, 'retry'], [{ status: 302, headers: { Location: 'http://127.0.0.1:1/' } }, 'retry'],
    [{ status: 200 }, 'sent'], [{ status: 204 }, 'sent'],
  ]) {
    const anna = await someone(), name = unique()
    let asked = 0
    behave = () => (asked++ ? {} : answer)
    const id = await store(track(anna, name))
    // between two attempts it may be for a moment only: what counts is that there were two
    const { attempts } = await fate(id, result === 'retry' ? 'sent' : result)
    assert.equal(attempts, result === 'retry' ? 2 : 1, JSON.stringify(answer))
    await recover()
  }
})

test('ga4: what may have arrived is not sent again', async () => {
  const anna = await someone(), [name, next] = [unique(), unique()]
  let tries = 0
  behave = () => (tries++ ? {} : { reset: true })
  const id = await store(track(anna, name))
  assert.match((await fate(id, 'uncertain')).error, /may have arrived/)
  await store(track(anna, next)).then(fate)
  await until(() => named(next).length === 1, 'the next')
  assert.equal(tries, 2)
  assert.equal(named(name).length, 0)
  await recover()
})

test('ga4: the secret is in the address and nowhere else', async () => {
  const anna = await someone(), name = unique()
  const lines = []
  await d.tail(line => lines.push(line))
  behave = () => ({ status: 400 })
  const id = await store(track(anna, name))
  await fate(id, 'dead')
  await recover()
  behave = () => ({ reset: true })
  await fate(await store(track(anna, name)), 'uncertain')
  await recover()
  const shown = [
    d.log, JSON.stringify(lines), (await d.cli(['explain', id])).out, (await d.cli(['deliveries'])).out,
    (await d.api('GET', '/metrics')).text, (await d.api('GET', '/v1/deliveries')).text, (await d.cli(['check'])).out + (await d.cli(['check'])).err,
  ]
  assert.ok(lines.length > 0)
  assert.ok(new URL(google.requests[0].url, 'http://x').searchParams.get('api_secret') === SECRET)
  for (const text of shown) for (const secret of [SECRET, encodeURIComponent(SECRET)]) assert.ok(!text.includes(secret), text.slice(0, 300))
})

// ---- licet check --live ----

test('check --live: Google finds no fault with the made-up event, and keeps nothing of it', async () => {
  const from = google.requests.length
  const asked = []
  behave = q => (asked.push(q.path), {})
  const { code, out, err } = await d.cli(['check', '--live'])
  behave = () => ({})
  assert.deepEqual([code, ...err.match(/licet check: .*/g) ?? []], [0])
  assert.match(out, /ga4: reached, no faults\n$/)
  assert.deepEqual(asked, ['/debug/mp/collect'])
  assert.equal(google.requests.length, from)
})

test('check --live: what Google finds fault with is shown, and fails', async () => {
  for (const [answer, told] of [
    [{ debug: [{ fieldPath: 'events', description: 'Event at index: [0] has invalid name [x\u001b[31m].', validationCode: 'NAME_INVALID' }] }, 'NAME_INVALID: events: Event at index: [0] has invalid name [x?[31m].'],
    [{ status: 500 }, 'status 500'],
    [{ status: 302 }, 'status 302'],
    [{ debug: 'odd' }, "the answer is not that of Google's validation"],
    [{ reset: true }, ''],
  ]) {
    behave = () => answer
    const { code, out, err } = await d.cli(['check', '--live'])
    behave = () => ({})
    assert.equal(code, 1, told)
    assert.ok(err.includes(`licet check: ga4: ${told}`), err)
    assert.ok(!err.includes(SECRET) && !out.includes(SECRET))
  }
})

test('check --live: webhooks are reached without an event, and must prove who they are', async () => {
  const { key, cert } = certificate()
  let connections = 0, requests = 0
  const stranger = createTlsServer({ key, cert }, () => requests++).on('secureConnection', () => connections++).on('tlsClientError', () => connections++)
  await new Promise(ok => stranger.listen(0, '127.0.0.1', ok))
  const before = house.receiver.requests
  const hook = (id, endpoint) => ({ id, type: 'webhook', endpoint, secret: 'at-least-16-bytes', allow_private_addresses: true, requires: ['statistics'], fields: { event: 'keep' } })
  const check = async (...hooks) => {
    const config = JSON.parse(d.config(d))
    config.store = 'sqlite:./elsewhere'
    config.destinations.push(...hooks)
    await writeFile(`${d.dir}/live.yaml`, JSON.stringify(config))
    return licet(['check', '--live', '--config', 'live.yaml'], { env: d.env, cwd: d.dir })
  }
  try {
    const good = await check(hook('fine', `${house.receiver.url}/crm`))
    assert.deepEqual([good.code, ...good.err.match(/licet check: .*/g) ?? []], [0])
    assert.match(good.out, /fine: reached, no faults/)
    assert.equal(house.receiver.requests, before)
    const bad = await check(hook('nobody', 'http://127.0.0.1:1/'), hook('liar', `https://127.0.0.1:${stranger.address().port}/`), hook('lost', 'https://no-such-host.invalid/'))
    assert.equal(bad.code, 1)
    assert.match(bad.err, /nobody: .*onnect/)
    assert.match(bad.err, /liar: .*certificate/i)
    assert.match(bad.err, /lost: .*resolve/)
    assert.ok(connections > 0)
    assert.equal(requests, 0)
    assert.match(bad.out, /ga4: reached, no faults/) // one does not keep the others from being looked at
  } finally {
    stranger.closeAllConnections()
    stranger.close()
  }
})

/** Signed by nobody whom anybody knows. */
function certificate() {
  const pem = execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=stranger', '-keyout', '-'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return { key: pem.slice(0, pem.indexOf('-----BEGIN CERT')), cert: pem.slice(pem.indexOf('-----BEGIN CERT')) }
}

// ---- the last: it is killed ----

test('ga4: after kill -9 in the middle of a request its events are uncertain, not repeated', { timeout: 60_000 }, async () => {
  const anna = await someone(), name = unique()
  let hung = 0
  behave = () => (hung++ ? {} : { hang: true })
  const id = await store(track(anna, name))
  await until(() => hung > 0, 'the request')
  await d.restart('SIGKILL')
  behave = () => ({})
  const { error } = await fate(id, 'uncertain')
  assert.match(error, /daemon ended/)
  await sleep(300)
  assert.equal(named(name).length, 0)
  noFaults()
})
