import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Receiver } from './receiver.mjs'
import { flatten, secretKey, sign } from './verify.mjs'

const secret = 'whsec_' + Buffer.alloc(32, 7).toString('base64')
const id = '018f3b0a-0000-7000-8000-000000000001'
const good = { batch: [{ id, received: '2026-01-02T03:04:05.678Z', event: { event: 'A', context: { page: { path: '/' } } } }] }
let receiver
before(async () => (receiver = await new Receiver({ secrets: { warehouse: secret } }).listen()))
after(() => receiver.close())

async function post({ body = JSON.stringify(good), type = 'application/json', hook = 'm1', age = 0, key = secret, change = h => h, method = 'POST' } = {}) {
  const timestamp = String(Math.floor(Date.now() / 1000) - age)
  const headers = change({
    'content-type': type, 'webhook-id': hook, 'webhook-timestamp': timestamp,
    'webhook-signature': sign(secretKey(key), hook, timestamp, body),
  })
  const answer = await fetch(`${receiver.url}/warehouse`, { method, headers, body })
  return { status: answer.status, text: await answer.text() }
}

test('a signature of the specification\'s own example is reproduced', () => {
  const key = secretKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
  assert.equal(sign(key, 'msg_p5jXN8AQM9LWM0D4loKWxJek', '1614265330', '{"test": 2432232314}'),
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test('what is signed and well formed is taken', async () => {
  assert.equal((await post()).status, 200)
  assert.deepEqual(receiver.arrived.map(a => [a.destination, a.id]), [['warehouse', id]])
  assert.equal(receiver.faults.length, 0)
})

test('one of several signatures is enough', async () => {
  const change = h => ({ ...h, 'webhook-signature': `v1,${'A'.repeat(43)}= ${h['webhook-signature']}` })
  assert.equal((await post({ hook: 'several', change })).status, 200)
})

const other = JSON.stringify({ batch: [{ ...good.batch[0], id: id.replace(/1$/, '2') }] })
const hostile = {
  'a wrong key': [{ key: 'whsec_' + Buffer.alloc(32, 8).toString('base64') }, /signature/],
  'no signature': [{ change: ({ 'webhook-signature': _, ...h }) => h }, /signature/],
  'a changed id': [{ change: h => ({ ...h, 'webhook-id': 'm2' }) }, /signature/],
  'an old timestamp': [{ age: 301 }, /5 minutes/],
  'a future timestamp': [{ age: -302 }, /5 minutes/],
  'a timestamp in words': [{ change: h => ({ ...h, 'webhook-timestamp': 'now' }) }, /whole seconds/],
  'another content type': [{ type: 'text/plain' }, /Content-Type/],
  'no JSON': [{ body: '{' }, /not JSON/],
  'a second key': [{ body: JSON.stringify({ ...good, extra: 1 }) }, /not \{batch\}/],
  'an empty batch': [{ body: '{"batch":[]}' }, /not an array/],
  'a field too many': [{ body: JSON.stringify({ batch: [{ ...good.batch[0], userId: 'u' }] }) }, /batch\[0\] is not/],
  'an id of another version': [{ body: JSON.stringify({ batch: [{ ...good.batch[0], id: id.replace('-7', '-4') }] }) }, /UUIDv7/],
  'a time without zone': [{ body: JSON.stringify({ batch: [{ ...good.batch[0], received: '2026-01-02 03:04' }] }) }, /not a time/],
  'the same event twice': [{ body: JSON.stringify({ batch: [good.batch[0], good.batch[0]] }) }, /twice/],
  'the same webhook-id for other events': [{ body: other, hook: 'm1' }, /came before/],
}
for (const [name, [how, why]] of Object.entries(hostile)) {
  test(`${name} is refused`, async () => {
    const before = { faults: receiver.faults.length, arrived: receiver.arrived.length }
    const { status, text } = await post(how)
    assert.equal(status, 400)
    assert.match(text, why)
    assert.equal(receiver.faults.length, before.faults + 1)
    assert.equal(receiver.arrived.length, before.arrived)
  })
}

test('an unknown destination is not found', async () => {
  assert.equal((await fetch(`${receiver.url}/elsewhere`, { method: 'POST' })).status, 404)
})

test('fields are named as in the configuration', () => {
  assert.deepEqual(flatten({ event: 'A', context: { page: { path: '/' }, ids: [1] } }),
    [['event', 'A'], ['context.page.path', '/'], ['context.ids', [1]]])
})
