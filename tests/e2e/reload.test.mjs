// SIGHUP reads the configuration again, without losing a request.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sleep, until } from './daemon.mjs'
import { arrivals, consent, startHouse, track } from './fixture.mjs'

let house, d
before(async () => {
  house = await startHouse()
  d = house.licet
  await consent(d, 'ada', { statistics: true })
})
after(() => house.stop())

const warehouseOf = config => config.destinations.find(t => t.id === 'warehouse')

test('reloads under load lose no request', { timeout: 60_000 }, async () => {
  let running = true
  const wrong = []
  let n = 0
  const load = Array.from({ length: 4 }, async () => {
    while (running && d.child) {
      const answer = await d.ingest([track('ada', 'During Reload', { properties: { n: n++ } })]).catch(e => ({ status: e.message }))
      if (answer.status !== 200) wrong.push(answer.status)
    }
  })
  for (let i = 0; i < 10; i++) {
    const config = house.standard()
    warehouseOf(config).fields['context.locale'] = i % 2 ? 'keep' : 'drop'
    await house.reload(config)
    await sleep(100)
  }
  running = false
  await Promise.all(load)
  assert.deepEqual(wrong, [])
  const came = await arrivals(house.receiver, n, a => a.event.event === 'During Reload', 30_000)
  assert.deepEqual(came.map(a => a.event.properties.n).sort((a, b) => a - b), [...Array(n).keys()])
})

test('what a reload takes away no longer leaves', async () => {
  const config = house.standard()
  delete warehouseOf(config).fields['properties.n']
  await house.reload(config)
  await until(async () => {
    const event = `Narrow ${Math.random()}`
    await d.ingest([track('ada', event, { properties: { n: 1 } })])
    const [came] = await arrivals(house.receiver, 1, a => a.event.event === event)
    return came.event.properties === undefined
  }, 'the field to stop leaving')
})

const REFUSED = {
  'a fault': config => (warehouseOf(config).requires = ['no_such_purpose'], config),
  'a changed text of a version in force': config => ((config.purposes[0].versions[0].text.en.aim = 'Something quite different.'), config),
  'a recipient re-pointed to another company': config => ((warehouseOf(config).recipient.name = 'Somebody Else Inc'), config),
}
for (const [name, change] of Object.entries(REFUSED)) {
  test(`${name} does not take the daemon down, and leaves no wider gate`, async () => {
    await house.reload(house.standard())
    await house.reload(change(house.standard()))
    assert.ok(await d.ready())
    const verdict = (await d.verdicts(track('ada'))).warehouse
    // a re-pointed recipient may be taken: then the old consent does not name it
    assert.ok(['permitted', 'recipient_not_named'].includes(verdict), verdict)
    if (name === 'a fault') assert.equal(verdict, 'permitted')
  })
}
