// A disk that fails: what is answered, what is kept, what goes on. tests/faults makes it fail.
import assert from 'node:assert/strict'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sleep } from './daemon.mjs'
import { arrivals, consent, noFaults, startFaultyHouse, track } from './fixture.mjs'

const skip = noFaults
let house, d
let n = 0
const message = (subject = 'ada') => track({ anonymousId: subject }, 'Seen', { messageId: `m-${++n}`, properties: { n } })
const send = (m = message()) => d.ingest([m])
const stored = () => d.metric('licet_events_total', { outcome: 'stored' })

before(async () => {
  if (skip) return
  house = await startFaultyHouse()
  d = house.licet
  await consent(d, 'ada', { statistics: true })
  await consent(d, 'eve', { statistics: true })
})
after(async () => {
  if (!skip) assert.equal((await house.stop()).code, 0)
})

for (const [call, error] of [['pwritev', 'ENOSPC'], ['fdatasync', 'EIO'], ['pwritev', 'EROFS']]) {
  test(`while ${call} fails with ${error}, events are refused with 503 and Retry-After; then they are taken`, { skip }, async () => {
    await house.fail(`${call} ${error} /events/`, 'pwrite EIO licet.db', 'fdatasync EIO licet.db')
    const m = message()
    for (let i = 0; i < 3; i++) {
      const answer = await send(m)
      assert.equal(answer.status, 503)
      assert.equal(answer.headers.get('retry-after'), '1')
    }
    assert.equal((await d.api('GET', '/readyz')).status, 503)
    assert.equal((await d.api('GET', '/healthz')).status, 200)
    await house.heal()
    assert.equal((await send(m)).status, 200)
    assert.equal((await send(m)).status, 200) // again: it is known now
    const is = e => e.destination === 'warehouse' && e.event.properties.n === m.properties.n
    await arrivals(house.receiver, 1, is)
    await sleep(200)
    assert.equal((await arrivals(house.receiver, 1, is)).length, 1)
  })
}

test('while the event log alone fails, events go to the database', { skip }, async () => {
  await house.fail('pwritev EIO /events/')
  const first = await send() // this one finds it out
  const second = await send()
  assert.deepEqual([first.status, second.status], [503, 200])
  await house.heal()
  assert.equal((await send()).status, 200)
})

test('a withdrawal that cannot be written is a 503 and in force all the same', { skip }, async () => {
  const withdraw = () => d.api('POST', '/consent', { subject: { id: 'eve' }, preferences: { statistics: false } })
  await house.fail('pwrite EIO licet.db')
  assert.equal((await withdraw()).status, 503)
  const before = await stored()
  assert.equal((await send(message('eve'))).status, 200) // denied: nothing is to be written
  assert.equal(await stored(), before)
  await house.heal()
  assert.equal((await withdraw()).status, 200)
  assert.equal((await send(message('eve'))).status, 200)
  assert.equal(await stored(), before)
  await consent(d, 'eve', { statistics: true })
  assert.equal((await send(message('eve'))).status, 200)
  assert.equal(await stored(), before + 1)
})

test('after all that nothing acknowledged is missing and the chain holds', { skip }, async () => {
  await d.restart('SIGKILL')
  assert.equal((await send()).status, 200)
  const { code, out, err } = await d.cli(['verify'])
  assert.equal(code, 0, out + err)
})

test('a flipped bit in stored events is told by verify, and the daemon goes on', { skip }, async () => {
  for (let i = 0; i < 20; i++) await send()
  await d.restart('SIGTERM')
  const folder = join(d.dir, 'data/events')
  const name = (await readdir(folder)).sort().at(-1)
  const file = await open(join(folder, name), 'r+')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1 << 20), 0, 1 << 20, 0)
  const at = buffer.subarray(0, bytesRead).lastIndexOf('"Seen"')
  assert.ok(at > 0)
  await file.write(Buffer.from('"Sean"'), 0, 6, at)
  const { code, out, err } = await d.cli(['verify'])
  assert.equal(code, 1)
  assert.match(out + err, /event [0-9a-f-]{36} .*leaf does not agree/)
  assert.equal((await send()).status, 200)
  await file.write(Buffer.from('"Seen"'), 0, 6, at)
  await file.close()
  assert.equal((await d.cli(['verify'])).code, 0)
})

test('a folder that cannot be written is told at start', { skip }, async () => {
  await d.kill('SIGTERM')
  await house.fail('ftruncate EROFS /events/')
  await assert.rejects(d.run(), /event log: file: Read-only file system/)
  await house.heal()
  await d.run()
  assert.equal((await send()).status, 200)
})
