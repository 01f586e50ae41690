// Global Privacy Control and Do Not Track of the very request that brings an event.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { arrivals, consent, purpose, startHouse, track } from './fixture.mjs'

const HONOURS = { honours: ['gpc', 'dnt'] }
const SIGNALS = { 'Sec-GPC': { 'Sec-GPC': '1' }, DNT: { DNT: '1' }, both: { 'Sec-GPC': '1', DNT: '1' } }
let house, d
before(async () => {
  house = await startHouse({
    change(config) {
      const interest = {
        basis: 'legitimate_interests', terminal_access: 'none', reason: 'Our shop must stay up.', assessment: 'Weighed.', date: '2024-01-01',
      }
      config.purposes = [
        // what was said to another site's banner, and what nobody can show the text of
        purpose('loose', { scope: 'device', recipients: ['warehouse'], proof: 'optional', ...HONOURS }),
        purpose('security', { scope: 'device', recipients: ['crm'], ...interest, ...HONOURS }),
      ]
      config.destinations.find(t => t.id === 'own').requires = ['loose']
      config.destinations.find(t => t.id === 'warehouse').requires = ['loose']
      Object.assign(config.destinations.find(t => t.id === 'crm'), { requires: ['security'], fields: { event: 'keep', anonymousId: 'keep' } })
      return config
    },
  })
  d = house.licet
})
after(() => house.stop())

/** A request as analytics-next makes it, from a page whose browser sends these headers. */
async function browse(message, headers) {
  const { status, json } = await d.api('POST', '/v1/t', {
    ...message, context: { library: { name: 'analytics.js', version: 'next-1.84.0' }, page: { path: '/', url: 'https://shop.example/' } },
    integrations: {}, writeKey: d.publicKey, sentAt: new Date().toISOString(),
  }, { key: null, headers: { 'Content-Type': 'text/plain', Origin: 'https://shop.example', ...headers } })
  assert.deepEqual([status, json], [200, { success: true }])
}

const verdicts = async (id, headers) => {
  const { json } = await d.ingest([track(id)], { key: 'private', explain: true, headers })
  return Object.fromEntries(json.explain[0].destinations.map(t => [t.destination, t.reason]))
}

test('without a signal, each basis stands', async () => {
  await d.api('POST', '/consent', { subject: { id: 'bare' }, preferences: { loose: true }, versions: { loose: 1 } })
  assert.deepEqual(await verdicts('bare', {}), { own: 'permitted', warehouse: 'permitted', crm: 'permitted' })
  for (const headers of [{ 'Sec-GPC': '0' }, { DNT: '0' }, { DNT: 'unspecified' }]) assert.equal((await verdicts('bare', headers)).warehouse, 'permitted')
})

for (const [name, headers] of Object.entries(SIGNALS)) {
  test(`${name} stops what rests on a bare grant or on legitimate interests`, async () => {
    assert.deepEqual(await verdicts('bare', headers), { own: 'signal', warehouse: 'signal', crm: 'signal' })
  })

  test(`${name} does not outweigh a specific grant on this site`, async () => {
    await consent(d, 'specific', { loose: true })
    assert.deepEqual(await verdicts('specific', headers), { own: 'permitted', warehouse: 'permitted', crm: 'signal' })
    await consent(d, 'specific-interest', { security: true })
    assert.equal((await verdicts('specific-interest', headers)).crm, 'permitted')
  })

  test(`${name} of an SDK's request keeps its event from leaving`, async () => {
    await browse(track('bare', `Signalled ${name}`), headers)
    await browse(track('specific', `Granted ${name}`), headers)
    await browse(track('bare', `Plain ${name}`), {})
    await arrivals(house.receiver, 1, a => a.destination === 'warehouse' && a.event.event === `Granted ${name}`)
    await arrivals(house.receiver, 2, a => a.event.event === `Plain ${name}`)
    assert.deepEqual(house.receiver.arrived.filter(a => a.event.event === `Signalled ${name}`), [])
    assert.deepEqual(house.receiver.arrived.filter(a => a.event.event === `Granted ${name}`).map(a => a.destination), ['warehouse'])
  })
}

test('explain shows the signals that a stored event came with', async () => {
  const { json } = await d.ingest([track('specific', 'Shown')], { key: 'private', explain: true, headers: SIGNALS.both })
  const { out } = await d.cli(['explain', json.explain[0].id])
  assert.deepEqual(JSON.parse(out).signals, ['gpc', 'dnt'])
})
