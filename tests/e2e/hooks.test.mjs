// Hooks: the operator's own systems are told what the consent database recorded.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { HookReceiver, TYPES } from '../receiver/hooks.mjs'
import { BINARY, newWebhookSecret, sleep, until } from './daemon.mjs'
import { consent, noFaults, startFaultyHouse, startHouse } from './fixture.mjs'

// a sanitizer keeps what was freed
const sanitized = /asan|tsan/.test(BINARY) && 'the daemon is built with a sanitizer'
const stops = []
after(async () => {
  for (const stop of stops.reverse()) await stop()
})

const secret = newWebhookSecret()
const hook = (receiver, id = 'crm', more = {}) => ({
  id, endpoint: `${receiver.url}/${id}`, secret: '${HOOK_SECRET}', allow_private_addresses: true, ...more,
})

/** A receiver and a house whose hooks lead there. */
async function told({ answer = null, hooks = r => [hook(r)], change = c => c, start = startHouse } = {}) {
  const receiver = await new HookReceiver({ secret, answer }).listen()
  stops.push(() => receiver.close())
  const house = await start({ env: { HOOK_SECRET: secret }, change: c => change({ ...c, hooks: hooks(receiver) }) })
  stops.push(() => house.stop())
  return { receiver, house, d: house.licet, config: () => change({ ...house.standard(), hooks: hooks(receiver) }) }
}

const arrive = (receiver, n, path = '/crm', where = () => true, ms = 20_000) =>
  until(() => receiver.of(path, where).length >= n && receiver.of(path, where),
    () => `${n} messages; ${receiver.of(path, where).length} came, faults ${JSON.stringify(receiver.faults.slice(0, 3))}`, ms)
const list = async (d, id = 'crm') => (await d.api('GET', '/v1/hooks')).json.find(h => h.hook === id)
const standing = (d, where, what, id = 'crm') => until(async () => {
  const h = await list(d, id)
  return h && where(h) && h
}, async () => `${what}: ${JSON.stringify(await list(d, id))}`)
const unique = messages => [...new Map(messages.map(m => [m.id, m])).values()]

/** The examples of docs/hooks.md, by type. */
const documented = new Map([...readFileSync(new URL('../../docs/hooks.md', import.meta.url), 'utf8').matchAll(/```json\n([^]*?)```/g)]
  .map(([, text]) => JSON.parse(text)).map(m => [m.type, m]))
/** Every member that is told is documented, and the other way round. */
function asDocumented(message) {
  const type = { 'consent.recorded': 'consent.withdrawn', 'subject.created': 'subject.changed', 'subject.released': 'subject.restricted' }[message.type] ?? message.type
  const example = documented.get(type)
  assert.ok(example, `${type} has no example`)
  assert.deepEqual(Object.keys(message), Object.keys(example), type)
  assert.deepEqual(Object.keys(message.data), Object.keys(example.data), type)
  for (const name of ['effects', 'legal_notices'])
    if (message.data[name]?.length) assert.deepEqual(Object.keys(message.data[name][0]), Object.keys(example.data[name][0]), name)
}

test('every kind of fact is told as its type, signed, and without names or addresses', async () => {
  const { receiver, d } = await told()
  const first = await consent(d, { id: 'anna', email: 'anna@secret.example', first_name: 'Annabella', phone: '+49301234' },
    { statistics: true, color: 'blue' }, { legal_notices: [{ identifier: 'terms' }], ip_address: '203.0.113.77' })
  const second = await consent(d, 'anna', { statistics: false, profiling: true })
  await d.api('PUT', '/subjects/anna', { verified: true, last_name: 'Bergmann' })
  await d.api('POST', '/legal_notices', { identifier: 'terms', content: { en: 'The long text' } })
  assert.equal((await d.api('POST', '/v1/void', { purpose: 'profiling', version: 1, reason: 'It was wrong' })).status, 200)
  const got = await arrive(receiver, 6)
  assert.deepEqual(receiver.faults, [])
  assert.deepEqual(got.filter(m => m.data.subject_id).map(m => m.type),
    ['subject.created', 'consent.recorded', 'consent.withdrawn', 'subject.changed'])
  const of = type => got.find(m => m.type === type).data

  const shown = (await d.api('GET', `/consent/${first.id}`)).json
  const recorded = of('consent.recorded')
  assert.equal(recorded.consent_id, first.id)
  for (const name of ['timestamp', 'received', 'source', 'consent_type', 'preferences', 'legal_notices', 'effects'])
    assert.deepEqual(recorded[name], shown[name], name)
  assert.deepEqual(recorded.lowered, [])
  const lowered = of('consent.withdrawn')
  assert.equal(lowered.consent_id, second.id)
  assert.deepEqual(lowered.lowered, ['statistics'])

  assert.deepEqual(of('subject.created').changed, ['email', 'first_name', 'other'])
  assert.equal(of('subject.created').consent_id, first.id)
  const changed = of('subject.changed')
  assert.equal(changed.verified, true)
  assert.deepEqual(changed.changed.sort(), ['last_name', 'verified'])
  const { identifier, version } = of('notice.published')
  assert.deepEqual([identifier, version], ['terms', 1])
  assert.equal(of('text.voided').reason, 'It was wrong')

  await writeFile(join(d.dir, 'subjects.ndjson'), JSON.stringify({ id: 'berta', restricted: true, timestamp: '2026-01-02T00:00:00Z' }))
  const imported = await d.cli(['import', join(d.dir, 'subjects.ndjson'), '--kind', 'subjects'])
  assert.equal(imported.code, 0, imported.err)
  assert.deepEqual((await arrive(receiver, 8)).slice(6).map(m => m.type), ['subject.created', 'subject.restricted'])
  for (const m of receiver.of('/crm')) asDocumented(m)
  for (const type of documented.keys()) assert.ok(TYPES.includes(type), type)

  const all = JSON.stringify(got)
  for (const word of ['secret.example', 'Annabella', 'Bergmann', '49301234', '203.0.113', 'The long text', '<form>', 'proofs'])
    assert.ok(!all.includes(word), `${word} was told`)
  assert.deepEqual(unique(receiver.attempts.map(a => a.message)).length, receiver.attempts.length, 'each once')
})

test('a hook is told what it asked for, from when it was put in', async () => {
  let on = ['consent']
  const { receiver, house, d, config } = await told({
    hooks: r => [hook(r, 'consents', { on }), hook(r, 'withdrawals', { on: ['withdrawal'] }), hook(r, 'notices', { on: ['notice'] })],
  })
  await consent(d, 'bert', { statistics: true })
  await consent(d, 'bert', { statistics: false })
  await consent(d, 'bert', { statistics: false, profiling: true })
  await d.api('POST', '/legal_notices', { identifier: 'terms', content: 'x' })
  const consents = await arrive(receiver, 2, '/consents')
  assert.deepEqual(consents.map(m => m.type), ['consent.recorded', 'consent.withdrawn'], 'what grants and lowers comes to both')
  assert.deepEqual((await arrive(receiver, 2, '/withdrawals')).map(m => m.type), ['consent.withdrawn', 'consent.withdrawn'])
  assert.deepEqual((await arrive(receiver, 1, '/notices')).map(m => m.type), ['notice.published'])
  assert.equal(consents[1].id, receiver.of('/withdrawals')[1].id, 'the same fact has the same id everywhere')

  on = ['consent', 'subject']
  await house.reload({ ...config(), hooks: [...config().hooks, hook(receiver, 'late')] })
  await standing(d, h => h.state === 'closed', 'the late one', 'late')
  await consent(d, 'carl', { statistics: true })
  assert.deepEqual((await arrive(receiver, 2, '/late')).map(m => m.type), ['subject.created', 'consent.recorded'])
  assert.deepEqual((await arrive(receiver, 4, '/consents')).slice(2).map(m => m.type), ['subject.created', 'consent.recorded'])
  assert.match(d.log, /"hook\.start".*"late"/)
  assert.deepEqual(receiver.faults, [])
})

test('a withdrawal is answered while its hook is dead, and is told when the hook is back', async () => {
  let dead = true
  const { receiver, d } = await told({
    answer: () => (dead ? { never: true } : {}), hooks: r => [hook(r), hook({ url: 'http://127.0.0.1:1' }, 'nobody'), hook(r, 'fine', {})],
    change: c => c,
  })
  await consent(d, 'dora', { statistics: true })
  await until(() => receiver.attempts.length > 0, 'an attempt')
  const answer = await d.api('POST', '/consent', { subject: { id: 'dora' }, preferences: { statistics: false } })
  assert.equal(answer.status, 200)
  assert.equal(answer.json.withdrawal.total, 0)
  assert.match((await standing(d, h => h.last_error, 'an error', 'nobody')).last_error, /connect/i)
  dead = false
  receiver.server.closeAllConnections()
  const got = await arrive(receiver, 1, '/crm', m => m.type === 'consent.withdrawn')
  assert.deepEqual(got[0].data.lowered, ['statistics'])
  assert.equal((await list(d, 'nobody')).unfinished, 3)
})

test('what fails is sent again: the same id, the same bytes, its subject in order', async () => {
  const { receiver, d } = await told({ answer: ({ attempt, message }) => (message.data.subject_id === 'emil' && attempt < 3 ? { status: 500 } : {}) })
  await consent(d, 'emil', { statistics: true })
  await consent(d, 'emil', { statistics: false })
  await consent(d, 'fritz', { statistics: true })
  await arrive(receiver, 5)
  assert.deepEqual(receiver.faults, [])
  const emil = receiver.taken.filter(t => t.message.data.subject_id === 'emil')
  assert.deepEqual(emil.map(t => [t.message.type, t.attempt]), [['subject.created', 3], ['consent.recorded', 3], ['consent.withdrawn', 3]])
  const of = m => receiver.attempts.filter(a => a.message.id === m.id)
  for (const { message } of emil) assert.equal(new Set(of(message).map(a => a.headers['webhook-id'])).size, 1)
  assert.equal((await d.metric('licet_hook_messages_total', { hook: 'crm', result: 'failed' })), 6)
  assert.equal((await d.metric('licet_hook_messages_total', { hook: 'crm', result: 'told' })), 5)
})

test('a receiver that is gone (410) is told nothing more until somebody says so', async () => {
  let gone = true
  const { receiver, d } = await told({ answer: () => (gone ? { status: 410 } : {}), hooks: r => [hook(r, 'crm', { limits: { at_once: 1 } })] })
  await consent(d, 'gerd', { statistics: true })
  const paused = await standing(d, h => h.state === 'paused' && h.why, 'to be paused')
  assert.match(paused.why, /410/)
  const before = receiver.attempts.length
  await consent(d, 'hans', { statistics: true })
  await d.restart()
  assert.equal((await standing(d, h => h.state !== 'starting', 'to be looked at')).state, 'paused')
  assert.equal(receiver.attempts.length, before)
  assert.equal(await d.metric('licet_hook_paused', { hook: 'crm' }), 1)
  const shown = await d.cli(['hooks'])
  assert.match(shown.out, /^crm +paused .*gone/)
  gone = false
  const { code, out } = await d.cli(['hooks', 'resume', 'crm'])
  assert.equal(code, 0, out)
  assert.deepEqual((await arrive(receiver, 4)).filter(m => m.data.subject_id === 'gerd').map(m => m.type), ['subject.created', 'consent.recorded'])
  assert.equal((await standing(d, h => h.state === 'closed' && h.unfinished === 0, 'to flow')).why, null)
})

test('redirects are not followed; an answer without end is cut, and its status counts', async () => {
  let elsewhere = true
  const { receiver, d } = await told({
    answer: ({ path, message }) => {
      if (path === '/crm' && message.type === 'consent.recorded') return { endless: true, status: 200 }
      return path === '/crm' && elsewhere ? { status: 307, headers: { Location: '/elsewhere' } } : {}
    },
  })
  await consent(d, 'ida', { statistics: true })
  await standing(d, h => h.last_error === 'status 307', 'the redirect')
  elsewhere = false
  await arrive(receiver, 1)
  await standing(d, h => h.unfinished === 0 && h.told === 2, 'the endless one')
  await sleep(300)
  assert.equal(receiver.attempts.filter(a => a.path === '/elsewhere').length, 0)
  assert.equal(receiver.attempts.filter(a => a.message.type === 'consent.recorded').length, 1)
})

test('a slow one gets no more at once than it bears, and holds up nobody else', async () => {
  const slow = await new HookReceiver({ secret, answer: () => ({ delayMs: 700 }) }).listen()
  stops.push(() => slow.close())
  const { receiver, d } = await told({ hooks: r => [hook(r), hook(slow, 'slow', { limits: { at_once: 2 } })] })
  for (let i = 0; i < 20; i++) await consent(d, `jan${i}`, { statistics: true })
  await arrive(receiver, 40)
  assert.ok(slow.taken.length < 40, `${slow.taken.length}`)
  await until(() => slow.taken.length >= 6, 'some')
  assert.ok(slow.mostOpen <= 2, `${slow.mostOpen} at once`)
})

/** Acts of several people, so many each; gives the ids of their consents in order. */
async function acts(d, people, each) {
  const ids = new Map(people.map(p => [p, []]))
  for (let i = 0; i < each; i++)
    await Promise.all(people.map(async p => ids.get(p).push((await consent(d, p, { statistics: i % 2 === 0 })).id)))
  return ids
}
const firsts = (receiver, subject, path = '/crm') =>
  unique(receiver.of(path, m => m.data.subject_id === subject && m.data.consent_id && m.type.startsWith('consent.'))).map(m => m.data.consent_id)

test('order per subject holds through failures, resets and outages', async () => {
  let n = 0, out = false
  const dice = () => (n = (n * 1103515245 + 12345) % 2147483648) / 2147483648
  const { receiver, d } = await told({
    answer: () => {
      const x = dice()
      return out ? { status: 503 } : x < 0.15 ? { status: 500 } : x < 0.25 ? { reset: true } : x < 0.3 ? { delayMs: 50 } : {}
    },
    hooks: r => [hook(r, 'crm', { limits: { at_once: 16 } })],
  })
  const people = ['kai', 'lea', 'max', 'nora', 'olaf']
  const working = acts(d, people, 20)
  await arrive(receiver, 20)
  out = true
  await standing(d, h => h.state === 'open' || h.state === 'probing', 'the outage')
  out = false
  const ids = await working
  n = 0
  for (const p of people) {
    await until(() => firsts(receiver, p).length === 20, () => `all of ${p}: ${firsts(receiver, p).length}, ${receiver.attempts.length} attempts`, 60_000)
    assert.deepEqual(firsts(receiver, p), ids.get(p), p)
  }
  assert.deepEqual(receiver.faults, [])
})

test('kill -9 in between loses nothing and changes no id; a clean stop repeats nothing', async () => {
  const { receiver, d } = await told({ answer: ({ count }) => (count % 7 === 0 ? { status: 500 } : { delayMs: 5 }) })
  const people = ['paul', 'rosa', 'sven']
  const ids = new Map(people.map(p => [p, []]))
  for (let round = 0; round < 4; round++) {
    const more = await acts(d, people, 6)
    for (const p of people) ids.get(p).push(...more.get(p))
    await arrive(receiver, 10 * (round + 1))
    await d.restart('SIGKILL')
  }
  for (const p of people) {
    await until(() => firsts(receiver, p).length === 24, () => `all of ${p}: ${firsts(receiver, p).length}`, 60_000)
    assert.deepEqual(firsts(receiver, p), ids.get(p), p)
  }
  await standing(d, h => h.unfinished === 0 && h.lag_facts === 0, 'everything to be told')
  assert.deepEqual(receiver.faults, [])
  const repeated = receiver.taken.length - unique(receiver.taken.map(t => t.message)).length
  assert.ok(repeated <= 4 * 200, `${repeated} repeated`)

  for (let i = 0; i < 3; i++) {
    await consent(d, `tim${i}`, { statistics: true })
    const before = receiver.taken.length
    await d.restart('SIGTERM')
    await standing(d, h => h.unfinished === 0 && h.lag_facts === 0, 'everything to be told')
    assert.ok(receiver.taken.length <= before + 2)
  }
  const tim = receiver.taken.filter(t => /^tim/.test(t.message.data.subject_id)).map(t => t.message.id)
  assert.equal(tim.length, 6)
  assert.equal(new Set(tim).size, 6, 'each once')
})

test('one that was taken out and comes back starts anew; what waited is dead and can be resent', async () => {
  const { receiver, house, d, config } = await told({ answer: ({ path }) => (path === '/crm' && refusing ? { status: 500 } : {}) })
  await consent(d, 'udo', { statistics: true })
  await standing(d, h => h.failed > 0, 'a failure')
  await house.reload({ ...config(), hooks: [] })
  assert.match(d.log, /"hook\.out"/)
  await until(async () => (await d.api('GET', '/v1/hooks/messages?state=waiting')).json[0]?.attempts > 0, 'that to be written all the same')
  await consent(d, 'vera', { statistics: true })
  refusing = false
  await house.reload(config())
  await until(async () => (await list(d))?.dead === 1, 'it to be back')
  const { started } = await list(d)
  assert.ok(started.fact > 0)
  await consent(d, 'willi', { statistics: true })
  assert.deepEqual((await arrive(receiver, 2)).map(m => m.data.subject_id), ['willi', 'willi'])
  const dead = await d.cli(['hooks', 'dead'])
  assert.match(dead.out, /crm .*taken out/)
  const { json } = await d.api('GET', '/v1/hooks/messages?state=dead')
  assert.equal(json.length, 1)
  assert.equal((await d.cli(['hooks', 'resend', json[0].id])).out, '1 message due again\n')
  assert.equal((await arrive(receiver, 3))[2].id, json[0].id)
})
let refusing = true

test('after three days of failures a message is dead, and those behind it go on', { skip: noFaults }, async () => {
  let down = true
  const { receiver, house, d } = await told({
    start: startFaultyHouse, answer: () => (down ? { status: 500 } : {}), hooks: r => [hook(r, 'crm', { limits: { at_once: 1 } })],
  })
  await consent(d, 'xaver', { statistics: true })
  await standing(d, h => h.failed > 0, 'a failure')
  receiver.aheadMs = 3 * 86400 * 1000 + 60_000
  await house.fail(`clock ${receiver.aheadMs}`)
  await standing(d, h => h.dead >= 1, 'it to be given up')
  assert.match(d.log, /"hook\.dead"/)
  down = false
  assert.equal((await arrive(receiver, 1))[0].type, 'consent.recorded')
  assert.equal((await d.cli(['hooks', 'dead'])).out.split('\n').length, 2)
  await d.cli(['hooks', 'resend', 'crm'])
  assert.equal((await arrive(receiver, 2))[1].type, 'subject.created')
  await standing(d, h => h.dead === 0, 'nothing to be dead')
})

test('100,000 facts that wait take no memory, hold up nobody, and all come in the end', { timeout: 240_000, skip: sanitized }, async t => {
  let down = true
  const { receiver, d } = await told({
    answer: ({ path }) => (down && path === '/crm' ? { status: 503 } : {}),
    hooks: r => [hook(r, 'crm', { on: ['consent'], limits: { at_once: 16 } }), hook(r, 'notices', { on: ['notice'] })],
  })
  receiver.remembers = false
  const people = 50_000
  const lines = Array.from({ length: people }, (_, i) => JSON.stringify({
    subject: { id: `p${i}` }, preferences: { statistics: true }, versions: { statistics: 1 }, timestamp: '2026-01-02T00:00:00Z', proofs: [{ form: 'f' }],
  }))
  await writeFile(join(d.dir, 'people.ndjson'), lines.join('\n'))
  const imported = await d.cli(['import', join(d.dir, 'people.ndjson')], { timeout: 120_000 })
  assert.equal(imported.code, 0, imported.err)
  await d.api('POST', '/legal_notices', { identifier: 'terms', content: 'x' })
  const since = Date.now()
  await arrive(receiver, 1, '/notices')
  const passed = Date.now() - since
  const waiting = await standing(d, h => h.lag_facts >= 2 * people && h.state !== 'closed', 'the backlog')
  assert.ok(waiting.unfinished <= 256, `${waiting.unfinished} in memory`)
  const before = await d.metric('licet_resident_bytes')

  down = false
  const begun = Date.now()
  let most = 0
  await until(async () => {
    most = Math.max(most, await d.metric('licet_resident_bytes'))
    return receiver.ids.size >= people
  }, () => `${receiver.ids.size} of ${people}`, 200_000)
  await standing(d, h => h.lag_facts === 0 && h.unfinished === 0, 'the end')
  const rate = Math.round(people / ((Date.now() - begun) / 1000))
  t.diagnostic(`${rate} messages a second; resident ${(before / 1e6).toFixed(1)} MB before, ${(most / 1e6).toFixed(1)} MB at most; the notice took ${passed} ms`)
  assert.ok(most - before < 24e6, `${before} → ${most}`)
  assert.deepEqual(receiver.faults, [])
})

test('a hook is paused and resumed over HTTP, and nothing is dead to be resent', async () => {
  const { d } = await told()
  assert.deepEqual((await d.api('POST', '/v1/hooks/pause?hook=crm')).json, { hook: 'crm', paused: true })
  await standing(d, h => h.state === 'paused', 'to be paused')
  assert.deepEqual((await d.api('POST', '/v1/hooks/resume?hook=crm')).json, { hook: 'crm', paused: false })
  await standing(d, h => h.state === 'closed', 'to go on')
  assert.equal((await d.api('POST', '/v1/hooks/resend?all=1')).status, 200)
})

test('the private interface says what is wrong with a request about hooks', async () => {
  const { d } = await told()
  const live = await d.cli(['check', '--live'])
  assert.match(live.out, /^crm: reached, no faults$/m, live.err)
  for (const [path, field] of [['pause', 'hook'], ['pause?hook=nobody', 'hook'], ['resend', 'id'], ['resend?id=1', 'id']]) {
    const { status, text } = await d.api('POST', `/v1/hooks/${path}`)
    assert.equal(status, 400, path)
    assert.ok(text.includes(field), text)
  }
  assert.equal((await d.api('GET', '/v1/hooks/messages?state=gone')).status, 400)
  assert.equal((await d.api('GET', '/v1/hooks/messages?after=1')).status, 400)
  assert.equal((await d.api('GET', '/v1/hooks', undefined, { key: 'public' })).status, 403)
  assert.equal((await d.cli(['hooks', 'pause'])).code, 2)
  assert.equal((await d.cli(['hooks', 'resume', 'Nobody!'])).code, 2)
})
