// Slow clients, too many of them, and more than can be done: everybody else is served on.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { request } from 'node:http'
import { after, afterEach, before, test } from 'node:test'
import { consent, startHouse, track } from './fixture.mjs'
import { sleep, until } from './daemon.mjs'

const LIMITS = { connections: 60, connections_per_address: 40, address_requests_per_second: 0, public_per_second: 100000, address_per_minute: 100000 }
let house, d, auth
const open = new Set()
before(async () => {
  house = await startHouse({
    change: config => Object.assign(config, { timeouts: { head: '1s', body: '1s', idle: '3s' }, limits: LIMITS, trusted_proxies: ['127.0.0.9'] }),
  })
  d = house.licet
  auth = `Authorization: Basic ${btoa(`${d.publicKey}:`)}\r\n`
  await consent(d, 'good', { statistics: true })
})
after(() => house.stop())
afterEach(() => open.forEach(s => s.destroy()))

/** A connection that keeps what it is told; `.gone` resolves when the other side closes. */
function dial(from = '127.0.0.1') {
  const socket = connect({ port: d.port, host: '127.0.0.1', localAddress: from })
  socket.text = ''
  socket.isClosed = false
  socket.setEncoding('latin1').setNoDelay(true).on('data', t => (socket.text += t)).on('error', () => {})
  socket.gone = new Promise(ok => socket.on('close', () => (open.delete(socket), (socket.isClosed = true), ok())))
  socket.up = new Promise(ok => socket.on('connect', ok))
  open.add(socket)
  return socket
}
/** Writes bit by bit until the other side closes. */
async function drip(socket, bit, ms) {
  const timer = setInterval(() => socket.writable && socket.write(bit), ms)
  await socket.gone
  clearInterval(timer)
}
const GET = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
async function ask(socket) {
  socket.text = ''
  socket.write(GET)
  await until(() => socket.text.includes('"ok"') || socket.isClosed, 'an answer')
  return socket.text.includes('"ok"')
}
const closedFor = why => d.metric('licet_connections_closed_total', { why })
/** Waits until licet closed one more for this reason while `what` runs. */
async function closes(why, what) {
  const before = await closedFor(why)
  await what()
  await until(async () => (await closedFor(why)) > before, `a connection closed for ${why}`)
}

test('a head that comes byte by byte is cut off', () => closes('head', async () => {
  const socket = dial()
  socket.write('POST /v1/batch HTTP/1.1\r\nHost: x\r\n')
  await drip(socket, 'X', 100)
  assert.equal(socket.text, '')
}))

test('a first line that comes byte by byte is cut off', () => closes('head', () => drip(dial(), 'G', 100)))

test('who connects and is silent is cut off', () => closes('head', () => dial().gone))

test('a second head on the same connection has no more time', () => closes('head', async () => {
  const socket = dial()
  assert.ok(await ask(socket))
  socket.write('GET /healthz HTTP/1.1\r\n')
  await drip(socket, 'X', 100)
}))

test('a body that comes byte by byte is cut off, whether its length is known or not', async () => {
  for (const length of ['Content-Length: 1000', 'Transfer-Encoding: chunked']) {
    await closes('body', async () => {
      const socket = dial()
      socket.write(`POST /v1/batch HTTP/1.1\r\nHost: x\r\n${auth}${length}\r\n\r\n`)
      await drip(socket, length.includes('chunked') ? '1\r\nx\r\n' : 'x', 100)
    })
  }
})

test('a body that is large, and comes at a fair rate, has the time that it needs', async () => {
  const socket = dial()
  const body = JSON.stringify({ batch: [track('good', 'Slow', { properties: { text: 'x'.repeat(30_000) } })] })
  socket.write(`POST /v1/batch HTTP/1.1\r\nHost: x\r\n${auth}Content-Length: ${body.length}\r\n\r\n`)
  for (let at = 0; at < body.length; at += 3000) {
    socket.write(body.slice(at, at + 3000))
    await sleep(200)
  }
  await until(() => socket.text.includes('\r\n\r\n') || socket.isClosed, 'an answer')
  assert.match(socket.text, /^HTTP\/1\.1 200/)
})

test('a connection is closed when nothing is asked for long, and not before', () => closes('idle', async () => {
  const socket = dial()
  assert.ok(await ask(socket))
  await sleep(1500) // longer than a head may take
  assert.ok(await ask(socket))
  await socket.gone
}))

test('more connections than one address may have are closed; others may come', () => closes('address', async () => {
  const mine = Array.from({ length: 45 }, () => dial('127.0.0.2'))
  await Promise.all(mine.map(s => s.up))
  await until(() => mine.filter(s => s.isClosed).length >= 5, 'those that are too many to be closed')
  assert.ok(await ask(mine.find(s => !s.isClosed)), 'those that may stay are served')
  assert.ok(await ask(dial('127.0.0.3')), 'somebody else is served')
}))

test('a trusted proxy may have as many as it wants', async () => {
  const before = await closedFor('address')
  const some = Array.from({ length: 45 }, () => dial('127.0.0.9'))
  const served = await Promise.all(some.map(ask))
  assert.ok(served.every(Boolean))
  assert.equal(await closedFor('address'), before)
})

test('when all are taken, who has waited longest in silence makes room for who has something to say', () => closes('crowded', async () => {
  const idle = Array.from({ length: 45 }, (_, i) => dial(`127.0.1.${i % 10}`))
  assert.ok((await Promise.all(idle.map(ask))).every(Boolean))
  await sleep(2100) // nobody has to go at once
  const asked = idle[0]
  assert.ok(await ask(asked), 'the oldest one speaks again')
  for (let i = 0; i < 20; i++) assert.ok(await ask(dial(`127.0.2.${i % 10}`)), 'whoever comes is served')
  await until(() => idle.some(s => s.isClosed), 'some to make room')
  assert.ok(!asked.isClosed, 'not the one that just spoke')
}))

test('when all are taken and nobody waits, the newcomer is closed', () => closes('refused', async () => {
  const fresh = Array.from({ length: 70 }, (_, i) => dial(`127.0.3.${i % 10}`))
  await Promise.all(fresh.map(s => s.up))
  await until(() => fresh.some(s => s.isClosed), 'a newcomer to be closed')
}))

test('with all of it going on, events are stored and a withdrawal is answered', async () => {
  const slow = Array.from({ length: 40 }, (_, i) => dial(`127.0.4.${i % 10}`))
  slow.forEach(s => s.write('POST /v1/batch HTTP/1.1\r\nHost: x\r\n'))
  for (let i = 0; i < 5; i++) assert.equal((await d.ingest([track('good')])).status, 200)
  await consent(d, 'leaver', { statistics: true })
  await consent(d, 'leaver', { statistics: false })
  assert.equal((await d.verdicts(track('leaver'))).warehouse, 'withdrawn')
})

// ---- how often ----

/** A request from an address of this machine, by a connection of its own. */
function call(path, { from = '127.0.0.1', headers = {}, method = 'GET', body } = {}) {
  return new Promise((ok, no) => {
    const q = request({ host: '127.0.0.1', port: d.port, path, method, headers, localAddress: from, agent: false }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', t => (text += t)).on('end', () => ok({ status: answer.statusCode, headers: answer.headers, text }))
    })
    q.on('error', no)
    q.end(body)
  })
}
async function withLimits(limits, what) {
  const config = house.standard()
  await house.reload(Object.assign(config, { limits: { ...LIMITS, ...limits }, trusted_proxies: ['127.0.0.9'] }))
  const generation = await d.metric('licet_configuration_generation')
  await until(async () => (await d.metric('licet_configuration_generation')) >= generation && d.log.includes('reload.done'), 'the reload')
  d.log = ''
  await what()
}
const post = options => call('/v1/track', { method: 'POST', ...options, headers: { Authorization: `Basic ${btoa(`${d.publicKey}:`)}`, ...options.headers }, body: JSON.stringify(track('good')) })

test('requests of one address are limited, events too, and others are not', () => withLimits({ address_requests_per_second: 1 }, async () => {
  const answers = await Promise.all(Array.from({ length: 5 }, () => post({ from: '127.0.5.1' })))
  const limited = answers.filter(a => a.status === 429)
  assert.ok(limited.length >= 3, 'most are refused')
  assert.ok(limited.every(a => Number(a.headers['retry-after']) >= 1))
  assert.ok(answers.every(a => a.status === 429 || a.status === 200))
  assert.equal((await post({ from: '127.0.5.2' })).status, 200)
  assert.equal((await call('/healthz', { from: '127.0.5.1' })).status, 200, 'health is always told')
  assert.ok(await d.metric('licet_limited_total', { by: 'address_requests' }) >= 3)
}))

test('behind a proxy it is the client\'s address that counts, of IPv6 the /64', () => withLimits({ address_requests_per_second: 1 }, async () => {
  const via = address => post({ from: '127.0.0.9', headers: { 'X-Forwarded-For': address } })
  const statuses = async addresses => (await Promise.all(addresses.map(via))).map(a => a.status)
  assert.deepEqual(await statuses(['203.0.113.1', '203.0.113.2', '203.0.113.3', '2001:db8:1::1', '2001:db8:2::1']), Array(5).fill(200))
  const household = await statuses(Array.from({ length: 5 }, (_, i) => `2001:db8:3:4::${i + 1}`))
  assert.ok(household.filter(s => s === 429).length >= 3, household.join())
}))

test('who is no proxy cannot take another\'s address', () => withLimits({ address_requests_per_second: 1 }, async () => {
  const answers = await Promise.all(Array.from({ length: 5 }, (_, i) => post({ from: '127.0.5.3', headers: { 'X-Forwarded-For': `203.0.114.${i}` } })))
  assert.ok(answers.filter(a => a.status === 429).length >= 3)
}))

test('requests with one key are limited, of whatever kind', () => withLimits({ key_requests_per_second: 1 }, async () => {
  const events = await Promise.all(Array.from({ length: 5 }, () => post({})))
  assert.ok(events.filter(a => a.status === 429).length >= 3)
  const lists = await Promise.all(Array.from({ length: 5 }, () => call('/consent', { headers: { ApiKey: d.privateKey } })))
  assert.ok(lists.filter(a => a.status === 429).length >= 3)
  assert.ok(lists.some(a => a.status === 200), 'another key is another matter')
}))

// ---- more than can be done ----

test('overloaded, it says so at once, loses nothing it answered, and withdrawals go first', () => withLimits({ connections: 120, connections_per_address: 120 }, async () => {
  const batch = i => Array.from({ length: 1000 }, (_, k) => ({ type: 'track', event: 'Flood', anonymousId: 'good', messageId: `flood-${i}-${k}`, properties: { n: k } }))
  const stored = await d.metric('licet_events_total', { outcome: 'stored' })
  let taken = 0, refused = 0, at = 0, acts = 0, ended = false
  const sender = async () => {
    while (at < 600) {
      const mine = batch(at++)
      const { status, headers } = await d.ingest(mine)
      if (status === 200) taken += mine.length
      else {
        assert.equal(status, 503)
        assert.ok(Number(headers.get('retry-after')) >= 1)
        refused++
      }
    }
  }
  const others = (async () => {
    while (!ended) {
      await consent(d, `leaver-${acts}`, { statistics: acts % 2 === 0 })
      assert.equal((await call('/healthz')).status, 200)
      acts++
    }
  })()
  await Promise.all(Array.from({ length: 40 }, sender))
  ended = true
  await others
  assert.ok(acts > 0, 'acts are taken all the time')
  assert.ok(taken > 0, 'events are taken as well')
  assert.equal(await d.metric('licet_events_total', { outcome: 'stored' }) - stored, taken, 'all that was answered with 200, and nothing else')
  assert.equal(await d.metric('licet_shed_total', { by: 'time' }), refused)
  assert.equal(await d.metric('licet_body_bytes'), 0)
  await until(async () => (await d.ingest([track('good')])).status === 200, 'to be as before')
}))
