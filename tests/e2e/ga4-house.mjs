// licet with one destination of type ga4, and Google's stand-in behind it.
import { createHash } from 'node:crypto'
import { Ga4Receiver } from '../receiver/ga4.mjs'
import { purpose, startHouse } from './fixture.mjs'

export const SECRET = 'ga4/Secret+1234&x=y' // what must be escaped in an address is in it
export const MEASUREMENT_ID = 'G-TEST123'

export const FIELDS = {
  type: 'keep', event: 'keep', timestamp: 'keep', anonymousId: 'keep', userId: 'keep', 'properties.*': 'keep', 'traits.*': 'keep',
  'context.traits.*': 'keep', 'context.page.url': { query: ['utm_*'] }, 'context.page.title': 'keep', 'context.page.referrer': { query: [] },
  'context.locale': 'keep', 'context.sessionId': 'keep', 'context.externalId': 'keep', 'ids.ga4.*': 'keep', 'integrations.*': 'keep',
}

/** The house of the other tests, where everything but ga4 is left out. */
export async function startGa4({ answer, fields = FIELDS, destination = {}, change = c => c } = {}) {
  const google = await new Ga4Receiver({ measurementId: MEASUREMENT_ID, secret: SECRET, answer }).listen()
  const house = await startHouse({
    change(config) {
      config.purposes = [
        purpose('statistics', { scope: 'device', recipients: ['ga4'] }),
        purpose('ads', { scope: 'device', recipients: ['ga4'] }),
        purpose('profiles', { scope: 'device', recipients: ['ga4'] }),
      ]
      config.destinations = [
        { id: 'own', requires: ['statistics'], retention: '90d', fields: { type: 'keep', event: 'keep', messageId: 'keep' } },
        {
          id: 'ga4', measurement_id: MEASUREMENT_ID, api_secret: SECRET, endpoint: google.url, allow_private_addresses: true,
          requires: ['statistics'], consent: { ad_user_data: ['ads'], ad_personalization: ['ads', 'profiles'] },
          recipient: { name: 'Google Ireland Ltd', country: 'IE', role: 'processor' }, batch: { wait: '0s' }, fields, ...destination,
        },
      ]
      return change(config)
    },
  }).catch(async e => {
    await google.close()
    throw e
  })
  const stop = house.stop
  return Object.assign(house, {
    google,
    async stop() {
      const end = await stop()
      await google.close()
      return end
    },
  })
}

/** docs/ga4.md: the client id that is made of any other text. */
export function clientId(text) {
  if (/^[1-9]\d{0,19}\.[1-9]\d{0,19}$/.test(text)) return text
  const hash = createHash('sha256').update(text).digest()
  return [0, 4].map(at => (hash.readUInt32BE(at) >>> 1) | 1).join('.')
}
