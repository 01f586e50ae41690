// The configuration of a storm, and what reloads change in it.
import { purpose, webhook } from '../e2e/fixture.mjs'

/** Where events go. `needs`: all of these purposes. */
export const DESTINATIONS = [
  { id: 'own', needs: ['statistics'] },
  { id: 'warehouse', needs: ['statistics'] },
  { id: 'archive', needs: ['statistics'], uncertain: 'hold' },
  { id: 'partner', needs: ['statistics', 'marketing'] },
  { id: 'crm', needs: ['profiling'] },
]
export const RECEIVERS = DESTINATIONS.filter(d => d.id !== 'own').map(d => d.id)
export const PURPOSES = { statistics: 'device', marketing: 'device', profiling: 'person' }
const NOBODYS = 'nobodys' // a purpose that nobody agrees to: who needs it gets nothing

const FIELDS = { type: 'keep', event: 'keep', messageId: 'keep', 'properties.n': 'keep' }
const AS_USUAL = { batch: 100, narrow: false, locale: false }

/** change: {batch, narrow: partner needs what nobody agreed to, locale: a field more} */
export function configuration(urls, change = AS_USUAL) {
  const fields = { ...FIELDS, ...(change.locale && { 'context.locale': 'keep' }) }
  return {
    listen: '127.0.0.1:${LICET_PORT}',
    store: 'sqlite:./data',
    limits: { api_requests_per_second: 0, api_requests_per_hour: 0 },
    controller: { name: 'Muster GmbH', country: 'DE', contact: 'datenschutz@muster.example' },
    keys: { private: ['${LICET_PRIVATE_KEY}'], public: ['${LICET_PUBLIC_KEY}'] },
    purposes: [
      ...Object.entries(PURPOSES).map(([id, scope]) => purpose(id, { scope, recipients: DESTINATIONS.filter(d => d.needs.includes(id) && d.id !== 'own').map(d => d.id) })),
      purpose(NOBODYS, { scope: 'device', recipients: ['partner'] }),
    ],
    destinations: [
      { id: 'own', requires: ['statistics'], retention: '90d', fields },
      ...DESTINATIONS.filter(d => d.id !== 'own').map(d => webhook(d.id, {
        receiver: urls[d.id], fields, uncertain: d.uncertain ?? 'retry', batch: { events: change.batch, wait: '1s' },
        requires: [...d.needs, ...(d.id === 'partner' && change.narrow ? [NOBODYS] : [])],
      })),
    ],
  }
}

export const anotherConfiguration = dice => ({ batch: dice.pick([20, 60, 100, 250]), narrow: dice.chance(0.3), locale: dice.chance(0.5) })
