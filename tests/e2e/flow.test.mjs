// What a destination gets, when, in which order; and what the operator can do about it.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { Receiver } from '../receiver/receiver.mjs'
import { newWebhookSecret, sleep, until } from './daemon.mjs'
import { arrivals, consent, FIELDS, startHouse, track, webhook } from './fixture.mjs'

let house, d, base
const PEOPLE = 40
const person = i => `visitor-${i % PEOPLE}`
const warehouseOf = config => config.destinations.find(t => t.id === 'warehouse')
const config = (change = c => c) => {
  const c = JSON.parse(JSON.stringify(base))
  return change(c) ?? c
}

before(async () => {
  house = await startHouse({
    change(c) {
      warehouseOf(c).batch = { events: 5, wait: '0s' }
      warehouseOf(c).fields = { ...FIELDS.warehouse, anonymousId: 'keep' }
      base = JSON.parse(JSON.stringify(c))
      return c
    },
  })
  d = house.licet
  for (let i = 0; i < PEOPLE; i++) await consent(d, person(i), { statistics: true })
})
after(() => house.stop())
beforeEach(() => (house.receiver.answer = null))

const standing = async id => (await d.api('GET', '/v1/deliveries/destinations')).json.find(t => t.destination === id)
const reload = async c => {
  const before = d.log.length
  await house.reload(c)
  assert.match(d.log.slice(before), /"reload\.done"/)
}
const named = event => a => a.event.event === event
/** n events, each of another visitor. */
const send = (event, n, first = 0) => d.ingest(Array.from({ length: n }, (_, i) => track(person(first + i), event, { properties: { n: i } })))

test('an outage opens the circuit, says until when, and ends with a slow opening', { timeout: 60_000 }, async () => {
  let atOnce = 0, most = 0, answered = 0
  const bounds = []
  house.receiver.answer = () => ({ status: 503 })
  await send('Outage', 40)
  const open = await until(async () => {
    const s = await standing('warehouse')
    return s.state === 'open' && s
  }, 'the circuit to open')
  assert.match(open.last_error, /status 503/)
  assert.ok(Date.parse(open.open_until) > Date.parse(open.last_error_at) - 1)
  assert.equal(open.window, 1)
  assert.ok(open.unfinished > 0)
  const { out } = await d.cli(['deliveries', 'list'])
  assert.match(out, /^warehouse +(open|probing) .*last error .*status 503$/m)
  house.receiver.answer = async () => {
    most = Math.max(most, ++atOnce)
    bounds.push([atOnce, answered])
    await sleep(20)
    atOnce--
    answered++
    return {}
  }
  await arrivals(house.receiver, 40, named('Outage'), 40_000)
  // one more at once only after a whole window of successes
  for (const [n, successes] of bounds) assert.ok(successes >= (n * (n - 1)) / 2, `${n} at once after ${successes}`)
  const closed = await until(async () => {
    const s = await standing('warehouse')
    return s.state === 'closed' && s.unfinished === 0 && s
  }, 'the circuit to close')
  assert.equal(closed.open_until, null)
  assert.equal(closed.lag_seconds, 0)
  assert.ok(d.log.includes('"delivery.open"') && d.log.includes('"delivery.closed"'))
})

test('a receiver that asks for time by Retry-After gets it', { timeout: 60_000 }, async () => {
  const times = []
  house.receiver.answer = () => {
    times.push(Date.now())
    return times.length === 1 ? { status: 429, headers: { 'Retry-After': '2' } } : {}
  }
  await send('Busy', 1)
  await until(() => times.length === 1, 'the first request')
  const { open_until } = await until(async () => {
    const s = await standing('warehouse')
    return s.state === 'open' && s
  }, 'the circuit to open')
  assert.ok(Date.parse(open_until) >= times[0] + 1900)
  await send('Busy', 20, 1) // nor does anything else go there
  await arrivals(house.receiver, 21, named('Busy'), 30_000)
  assert.ok(times[1] - times[0] >= 1900, `${times[1] - times[0]} ms`)
})

test('a slow receiver takes nothing from a fast one', { timeout: 60_000 }, async () => {
  const secret = newWebhookSecret(), other = await new Receiver({ secrets: { slow: secret } }).listen()
  const held = []
  other.answer = () => new Promise(ok => held.push(ok))
  d.env.SLOW_SECRET = secret
  try {
    const before = d.log.length
    await d.kill('SIGTERM')
    await d.writeConfig(() => JSON.stringify(config(c => {
      const slow = webhook('slow', { requires: ['statistics'], receiver: other.url, fields: { event: 'keep' }, batch: { events: 5, wait: '0s' } })
      delete slow.recipient // the controller's own: no text must name it
      c.destinations.push(slow)
    })))
    await d.run()
    assert.match(d.log.slice(before), /"delivery.start","destination":"slow"/)
    for (let i = 0; i < 10; i++) await send('Beside', 40)
    await arrivals(house.receiver, 400, named('Beside'), 30_000)
    const slow = await standing('slow')
    assert.ok(slow.in_flight >= 1 && slow.sent === 0 && slow.unfinished >= 1)
    assert.ok((await d.metric('licet_delivery_lag_segments', { destination: 'slow' })) > 0)
    assert.ok((await d.metric('licet_delivery_lag_seconds', { destination: 'slow' })) > 0)
    assert.equal(await d.metric('licet_delivery_unfinished', { destination: 'warehouse' }), 0)
  } finally {
    for (const ok of held) ok({ reset: true })
    other.answer = () => ({ reset: true })
    await reload(config())
    await other.close()
  }
})

test('a paused destination gets nothing, over a restart too, and then goes on where it stood', { timeout: 60_000 }, async () => {
  assert.deepEqual(await d.cli(['deliveries', 'pause', 'warehouse']), { code: 0, out: 'warehouse is paused; what is on its way is finished\n', err: '' })
  await until(async () => (await standing('warehouse')).state === 'paused', 'the pause')
  await send('Paused', 10)
  await d.restart()
  await send('Paused', 10, 10)
  assert.equal((await standing('warehouse')).state, 'paused')
  assert.equal(await d.metric('licet_delivery_paused', { destination: 'warehouse' }), 1)
  await sleep(1500)
  assert.equal(house.receiver.arrived.filter(named('Paused')).length, 0)
  assert.ok((await standing('warehouse')).lag_seconds >= 1)
  const { status, json } = await d.api('POST', '/v1/deliveries/resume?destination=warehouse')
  assert.deepEqual([status, json], [200, { destination: 'warehouse', paused: false }])
  const came = await arrivals(house.receiver, 20, named('Paused'))
  assert.equal(came.length, 20)
  const again = await d.cli(['deliveries', 'resume', 'warehouse']) // saying it twice changes nothing
  assert.equal(again.out, 'warehouse goes on\n')
})

test('pause and resume name what they cannot do', async () => {
  for (const [query, message] of [['', 'is needed'], ['?destination=nowhere', 'is not in the configuration'], ['?destination=own', 'nothing is sent there']]) {
    const { status, json } = await d.api('POST', `/v1/deliveries/pause${query}`)
    assert.deepEqual([status, json], [400, { message, field: 'destination' }])
  }
  for (const [key, status] of [[null, 401], ['public', 403]]) assert.equal((await d.api('POST', '/v1/deliveries/pause?destination=warehouse', undefined, { key })).status, status)
  for (const args of [['pause'], ['pause', 'a b'], ['list', 'x'], ['pause', 'x', 'y'], ['stop', 'x']]) {
    assert.equal((await d.cli(['deliveries', ...args])).code, 2, args.join(' '))
  }
})

test('with requests in parallel and failures at random, nobody is overtaken nor on the way twice', { timeout: 120_000 }, async () => {
  const onTheWay = new Set(), faults = []
  let most = 0, n = 0
  const take = house.receiver.take
  house.receiver.take = async function (destination, q, r) {
    const chunks = []
    for await (const chunk of q) chunks.push(chunk)
    const events = JSON.parse(Buffer.concat(chunks)).batch
    const people = new Set(events.map(e => e.event.anonymousId))
    for (const p of people) if (onTheWay.has(p)) faults.push(`${p} twice`)
    for (const p of people) onTheWay.add(p)
    most = Math.max(most, ++n)
    await sleep(Math.random() * 15)
    const kind = Math.random()
    for (const p of people) onTheWay.delete(p)
    n--
    if (kind < 0.05) return q.socket.resetAndDestroy()
    if (kind < 0.12) return r.writeHead(500).end()
    for (const e of events) this.record(destination, e, q.headers['webhook-id'], 0)
    r.writeHead(kind < 0.15 ? 503 : 200).end() // a 503 that took it all the same
  }
  try {
    const count = new Map()
    for (let i = 0; i < 60; i++) {
      const batch = Array.from({ length: 20 }, () => {
        const who = person(Math.floor(Math.random() * PEOPLE))
        const k = (count.get(who) ?? 0) + 1
        count.set(who, k)
        return track(who, 'Ordered', { properties: { n: k } })
      })
      assert.equal((await d.ingest(batch)).status, 200)
    }
    await until(async () => {
      const s = await standing('warehouse')
      return s.unfinished === 0 && s.lag_segments === 0
    }, async () => JSON.stringify(await standing('warehouse')), 90_000)
    const last = new Map()
    for (const a of house.receiver.arrived.filter(named('Ordered'))) {
      const who = a.event.anonymousId, k = a.event.properties.n
      // again is allowed (nobody had said yes), skipping ahead is not
      if (k > (last.get(who) ?? 0) + 1) faults.push(`${who}: ${k} after ${last.get(who) ?? 0}`)
      last.set(who, Math.max(k, last.get(who) ?? 0))
    }
    assert.deepEqual(faults, [])
    for (const [who, k] of count) assert.equal(last.get(who), k, who)
    assert.ok(most > 1, 'requests went in parallel')
  } finally {
    house.receiver.take = take
  }
})

test('a destination added by a reload starts at that moment, and says so', { timeout: 60_000 }, async () => {
  const secret = newWebhookSecret()
  const late = await new Receiver({ secrets: { late: secret } }).listen()
  try {
    d.env.LATE_SECRET = secret
    await d.restart() // the environment of a process does not change
    const withLate = c => {
      const t = webhook('late', { requires: ['statistics'], receiver: late.url, fields: { event: 'keep' }, batch: { events: 5, wait: '0s' } })
      delete t.recipient
      c.destinations.push(t)
    }
    await send('Before', 10)
    await arrivals(house.receiver, 10, named('Before'))
    await reload(config(withLate))
    await send('After', 10)
    await arrivals(late, 10, named('After'))
    assert.equal(late.arrived.filter(named('Before')).length, 0)
    const start = d.log.split('\n').filter(l => l.includes('"delivery.start"') && l.includes('"late"')).map(l => JSON.parse(l))
    assert.equal(start.length, 1)
    assert.equal(start[0].text, 'new: from now on')
    const { started } = await standing('late')
    assert.equal(started.segment, start[0].segment)
    assert.ok(Math.abs(Date.parse(started.at) - Date.now()) < 60_000)

    // a changed endpoint goes on at its cursor
    const elsewhere = await new Receiver({ secrets: { late: secret } }).listen()
    await d.cli(['deliveries', 'pause', 'late'])
    await until(async () => (await standing('late')).state === 'paused', 'the pause')
    await send('Moved', 10)
    await reload(config(c => {
      withLate(c)
      c.destinations.find(t => t.id === 'late').endpoint = `${elsewhere.url}/late`
    }))
    await d.cli(['deliveries', 'resume', 'late'])
    await arrivals(elsewhere, 10, named('Moved'))
    assert.equal(late.arrived.filter(named('Moved')).length, 0)
    assert.match(d.log, /"delivery.endpoint","destination":"late"/)
    assert.equal((await standing('late')).started.segment, started.segment)

    // one that was taken out and comes back is new; what waited for it becomes dead letters
    elsewhere.answer = () => ({ status: 500 })
    await send('Waited', 3)
    await until(async () => (await standing('late')).retried > 0, 'a repetition to wait')
    await d.cli(['deliveries', 'pause', 'late'])
    await until(async () => (await standing('late')).in_flight === 0, 'nothing to be on its way')
    await send('Queued', 3)
    await reload(config())
    assert.match(d.log, /"delivery.out","destination":"late"/)
    await send('Absent', 3)
    elsewhere.answer = null
    const before = d.log.length
    await reload(config(c => {
      withLate(c)
      c.destinations.find(t => t.id === 'late').endpoint = `${elsewhere.url}/late`
    }))
    assert.match(d.log.slice(before), /"delivery.start","destination":"late","segment":\d+,"text":"was taken out: from now on"/)
    await d.cli(['deliveries', 'resume', 'late'])
    await send('Back', 3)
    await arrivals(elsewhere, 3, named('Back'))
    for (const event of ['Waited', 'Queued', 'Absent']) assert.equal(elsewhere.arrived.filter(named(event)).length, 0, event)
    const dead = (await d.api('GET', '/v1/deliveries')).json.filter(q => q.destination === 'late')
    assert.ok(dead.length > 0)
    for (const q of dead) assert.match(q.error, /the destination was taken out$/)
    const became = (await d.cli(['deliveries', '--export'])).out.trim().split('\n').map(JSON.parse)
      .flatMap(e => e.destinations).filter(t => t.destination === 'late' && t.verdict === 'permit').map(t => t.result)
    assert.equal(became.filter(result => result === 'skipped').length, 3) // those queued
    assert.ok(!became.includes('missing'))
    await elsewhere.close()
  } finally {
    await reload(config())
    await late.close()
  }
})

test('a rate limit is kept over seconds', { timeout: 60_000 }, async () => {
  await reload(config(c => {
    warehouseOf(c).limits = { events_per_second: 20, requests_per_second: 8 }
  }))
  const times = []
  house.receiver.answer = () => {
    times.push(performance.now())
    return {}
  }
  const start = performance.now()
  await send('Limited', 40)
  await send('Limited', 40)
  await arrivals(house.receiver, 80, named('Limited'), 30_000)
  const seconds = (performance.now() - start) / 1000
  assert.ok(80 <= 20 * (seconds + 1) + 0.5, `80 events in ${seconds} s`)
  assert.ok(times.length <= 8 * (seconds + 1) + 0.5, `${times.length} requests in ${seconds} s`)
  await reload(config())
})
