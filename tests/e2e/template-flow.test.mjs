// What the texts of the templates promise, held against what leaves when they are configured.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import { Ga4Receiver } from '../receiver/ga4.mjs'
import { licet, until } from './daemon.mjs'
import { arrivals, consent, startHouse, track } from './fixture.mjs'
import { ENV, FILLED, NAMES, sets } from './template-house.mjs'

let google, house, d
before(async () => {
  google = await new Ga4Receiver({ measurementId: FILLED.measurement_id, secret: ENV.LICET_GA4_SECRET }).listen()
  const { out } = await licet(['template', ...NAMES, ...await sets(NAMES)])
  house = await startHouse({
    env: ENV,
    change: c => {
      const { purposes, links, destinations } = parse(out)
      const [own, ga4, hubspot] = destinations
      const near = { allow_private_addresses: true, batch: { wait: '0s' } }
      const { region, ...there } = ga4 // Google's stand-in is here
      Object.assign(c, { purposes, links, destinations: [own, { ...there, ...near, endpoint: google.url },
        { ...hubspot, ...near, id: 'hubspot', endpoint: c.destinations[2].endpoint, secret: '${CRM_SECRET}' }] })
      return c
    },
  })
  d = house.licet
})
after(async () => {
  await house?.stop()
  await google?.close()
})

const SECRETS = ['203.0.113.77', 'Mozilla/5.0 of Ada', 'ada@shop.example', 'Lovelace', 'private-search', 'Berlin-Mitte', '+49301234567']
const unique = () => `e_${randomUUID().replaceAll('-', '_')}`.slice(0, 40)
/** Everything that a page might tell. */
const visit = (ids, event) => track(ids, event, {
  context: {
    ip: '203.0.113.77', userAgent: 'Mozilla/5.0 of Ada', sessionId: 's-1', location: { city: 'Berlin-Mitte' },
    page: { url: 'https://shop.example/ink?utm_campaign=spring&q=private-search', path: '/ink', title: 'Ink', referrer: 'https://other.example/?q=private-search', search: '?q=private-search' },
    traits: { email: 'ada@shop.example', lastName: 'Lovelace', phone: '+49301234567' },
  },
  properties: { product: 'Black ink', value: 12.5, currency: 'EUR', email: 'ada@shop.example', note: 'private-search' },
  traits: { email: 'ada@shop.example', firstName: 'Ada', lastName: 'Lovelace', phone: '+49301234567' },
})
const atGoogle = name => google.requests.find(({ body }) => body.events.some(e => e.name === name))
const arrival = name => until(() => atGoogle(name), () => `${name}; faults ${JSON.stringify(google.faults)}`)

test('Google Analytics gets what the text names: campaign, title, value, pseudonyms; no address, name, or search', async () => {
  const device = randomUUID(), name = unique()
  await consent(d, device, { statistics_google: true })
  await d.ingest([visit(device, name)])
  const { body } = await arrival(name)
  const said = JSON.stringify(body)
  for (const secret of [...SECRETS, device, 's-1', 'Black ink', 'other.example']) assert.ok(!said.includes(secret), secret)
  for (const told of ['utm_campaign=spring', 'Ink', '12.5', 'EUR']) assert.ok(said.includes(told), told)
  for (const key of ['ip_override', 'user_id', 'user_data', 'user_location', 'user_agent', 'device']) assert.equal(body[key], undefined, key)
  assert.deepEqual(body.consent, { ad_user_data: 'DENIED', ad_personalization: 'DENIED' })
})

test('Google is told of advertising and of remarketing by their consents, as the texts say: of the second only beside the first', async () => {
  for (const [more, ad_user_data, ad_personalization] of [[{ advertising: true }, 'GRANTED', 'DENIED'], [{ remarketing: true }, 'DENIED', 'DENIED'], [{ advertising: true, remarketing: true }, 'GRANTED', 'GRANTED']]) {
    const device = randomUUID(), name = unique()
    await consent(d, device, { statistics_google: true, ...more })
    await d.ingest([visit(device, name)])
    assert.deepEqual((await arrival(name)).body.consent, { ad_user_data, ad_personalization }, JSON.stringify(more))
  }
})

test('whoever refuses statistics with Google, but agrees to its advertising, has nothing sent there', async () => {
  const device = randomUUID(), other = randomUUID(), [name, last] = [unique(), unique()]
  await consent(d, device, { statistics_google: false, advertising: true, remarketing: true })
  await consent(d, other, { statistics_google: true })
  assert.equal((await d.verdicts(visit(device, name))).ga4, 'refused')
  await d.ingest([visit(other, last)])
  await arrival(last)
  assert.equal(atGoogle(name), undefined)
})

test('statistics of one\'s own go to nobody; nor does a visit of somebody who agreed to nothing', async () => {
  const device = randomUUID()
  await consent(d, device, { statistics: true })
  const { own, ga4, hubspot } = await d.verdicts(visit(device, unique()))
  assert.deepEqual([own, ga4 === 'permitted', hubspot === 'permitted'], ['permitted', false, false])
  for (const verdict of Object.values(await d.verdicts(visit(randomUUID(), unique())))) assert.equal(verdict, 'no_consent')
})

test('the customer file gets what its text names, under the account\'s number, and only of whoever agreed to it', async () => {
  const ada = `ada-${randomUUID()}`, other = `other-${randomUUID()}`, name = unique()
  await consent(d, ada, { crm: true })
  await consent(d, other, { statistics: true, statistics_google: true, linking: true })
  await d.ingest([visit({ userId: other, anonymousId: randomUUID() }, name), visit({ userId: ada, anonymousId: randomUUID() }, name)])
  const [{ event }] = await arrivals(house.receiver, 1, a => a.event.event === name)
  const said = JSON.stringify(event)
  assert.equal(event.userId, ada)
  for (const told of ['ada@shop.example', 'Lovelace', '/ink', 'Black ink', '12.5']) assert.ok(said.includes(told), told)
  for (const secret of ['203.0.113.77', 'Mozilla/5.0 of Ada', 'private-search', 'Berlin-Mitte', '+49301234567', 'other.example']) assert.ok(!said.includes(secret), secret)
  assert.equal(house.receiver.arrived.filter(a => a.event.event === name).length, 1)
})

test('a withdrawal ends it: Google gets nothing more', async () => {
  const device = randomUUID(), [first, second, last] = [unique(), unique(), unique()]
  await consent(d, device, { statistics_google: true })
  await d.ingest([visit(device, first)])
  await arrival(first)
  await consent(d, device, { statistics_google: false })
  await d.ingest([visit(device, second)])
  const other = randomUUID()
  await consent(d, other, { statistics_google: true })
  await d.ingest([visit(other, last)])
  await arrival(last)
  assert.equal(atGoogle(second), undefined)
})

test('until the address is confirmed, the newsletter is not permitted', async () => {
  const somebody = `reader-${randomUUID()}`
  const reason = async () => (await d.api('GET', `/v1/permissions/${somebody}`)).json.purposes.find(p => p.id === 'newsletter').reason
  await consent(d, { id: somebody, email: 'reader@shop.example' }, { newsletter: true })
  assert.equal(await reason(), 'not_verified')
  await consent(d, { id: somebody, email: 'reader@shop.example', verified: true }, { newsletter: true })
  assert.equal(await reason(), 'permitted')
})
