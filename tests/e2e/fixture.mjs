// One configuration for most tests: statistics (device) for the warehouse, profiling
// (person) for the crm, and a receiver that takes both. JSON is YAML, so it is written as objects.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Receiver } from '../receiver/receiver.mjs'
import { BINARY, Daemon, newWebhookSecret, sleep, until } from './daemon.mjs'

const AIMS = { profiling: 'We note what a customer reads, to answer what she asks.' } // the word alone is warned of
const text = title => ({
  en: {
    title, aim: AIMS[title] ?? `We need it for ${title}.`, data: 'What the page tells.', transfer: 'To the recipient named, nowhere else.',
    storage: 'A year.', automation: 'None.', consequences: 'None.', withdrawal: 'At the foot of every page.',
  },
})

export const purpose = (id, { recipients, version = 1, since = '2024-01-01', ...more }) => ({
  id, ...more, versions: [{ version, since, recipients, text: text(id) }],
})

export const webhook = (id, { requires, receiver, fields, ...more }) => ({
  id, type: 'webhook', endpoint: `${receiver}/${id}`, allow_private_addresses: true, secret: `\${${id.toUpperCase()}_SECRET}`,
  requires, recipient: { name: `${id} Ltd`, country: 'IE', role: 'processor' }, fields, ...more,
})

export const FIELDS = {
  warehouse: { type: 'keep', event: 'keep', anonymousId: 'pseudonymise', userId: 'pseudonymise', 'properties.n': 'keep', 'context.page.path': 'keep', 'context.ip': 'truncate_ip' },
  crm: { type: 'keep', event: 'keep', userId: 'keep', 'traits.email': 'hash', 'properties.n': 'keep' },
}

/** The configuration as an object, to be changed by a test before it is written. */
export const standard = receiver => ({
  listen: '127.0.0.1:${LICET_PORT}',
  store: 'sqlite:./data',
  controller: { name: 'Muster GmbH', country: 'DE', contact: 'datenschutz@muster.example' },
  keys: { private: ['${LICET_PRIVATE_KEY}'], public: ['${LICET_PUBLIC_KEY}'] },
  purposes: [
    purpose('statistics', { scope: 'device', recipients: ['warehouse'] }),
    purpose('profiling', { scope: 'person', recipients: ['crm'] }),
  ],
  destinations: [
    { id: 'own', requires: ['statistics'], retention: '90d', fields: { type: 'keep', event: 'keep', messageId: 'keep', 'properties.n': 'keep' } },
    webhook('warehouse', { requires: ['statistics'], receiver, fields: FIELDS.warehouse }),
    webhook('crm', { requires: ['profiling'], receiver, fields: FIELDS.crm }),
  ],
})

/** licet and its receiver, both to be stopped by stop(). `change(config)` may alter the configuration; `receiverTls` (options
 *  of node's TLS server) goes to the receiver, the rest to the daemon. */
export async function startHouse({ change = c => c, answer, receiverTls, env = {}, ...daemon } = {}) {
  const secrets = { warehouse: newWebhookSecret(), crm: newWebhookSecret() }
  const receiver = await new Receiver({ secrets, answer, tls: receiverTls }).listen()
  const house = { receiver, standard: () => standard(receiver.url) }
  // tests ask faster than servers do: without the limits that would be in the way, unless a test sets them
  const unlimited = { api_requests_per_second: 0, api_requests_per_hour: 0 }
  const write = config => () => JSON.stringify({ ...config, limits: { ...unlimited, ...config.limits } }, null, 2)
  try {
    house.licet = await Daemon.start({
      ...daemon,
      config: d => {
        Object.assign(d.env, env, {
          LICET_PORT: String(d.port), LICET_PRIVATE_KEY: d.privateKey, LICET_PUBLIC_KEY: d.publicKey,
          WAREHOUSE_SECRET: secrets.warehouse, CRM_SECRET: secrets.crm,
        })
        return write(change(house.standard()) ?? {})()
      },
    })
  } catch (e) {
    await receiver.close()
    throw e
  }
  house.reload = config => house.licet.reload(write(config))
  house.stop = async () => {
    const end = await house.licet.stop()
    await receiver.close()
    return end
  }
  return house
}

/** An act by private key, with what it needs to be worth something. Gives licet's answer. */
export async function consent(d, subject, preferences, more = {}) {
  const granted = Object.keys(preferences).filter(name => preferences[name] === true)
  const { status, json, text } = await d.api('POST', '/consent', {
    subject: typeof subject === 'string' ? { id: subject } : subject,
    preferences,
    versions: Object.fromEntries(granted.map(name => [name, 1])),
    proofs: [{ form: '<form>…</form>', content: JSON.stringify(preferences) }],
    ...more,
  })
  if (status !== 200) throw new Error(`consent: ${status} ${text}`)
  return json
}

/** The same as a browser says it: by public key, for the device that licet makes up. {subject, token, cookie, …} */
export async function browserConsent(d, preferences, { subject = {}, headers = {}, ...more } = {}) {
  const answer = await d.api('POST', '/public/consent', {
    subject, preferences, versions: { statistics: 1 }, shown: { language: 'en' },
    proofs: [{ form: '<form>…</form>' }], ...more,
  }, { key: 'public', headers })
  return {
    ...answer, subject: answer.json?.subject_id, token: answer.headers.get('licet-device-token'),
    cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? null,
  }
}

let counter = 0
export const track = (ids, event = 'Clicked', more = {}) => ({
  type: 'track', event, messageId: `m-${process.pid}-${++counter}-${randomUUID().slice(0, 8)}`, timestamp: new Date().toISOString(),
  ...(typeof ids === 'string' ? { anonymousId: ids } : ids), ...more,
})

/** Waits until so many events have arrived; gives them. */
export async function arrivals(receiver, n, where = () => true, ms = 15_000) {
  const found = () => receiver.arrived.filter(where)
  await until(() => found().length >= n, () => `${n} arrivals; so far ${found().length}, faults ${JSON.stringify(receiver.faults.slice(0, 3))}`, ms)
  return found()
}

const FAULTS = join(dirname(BINARY), '../tests/faults/libfaults.so')

/** Why tests/faults cannot be used; false when it can. A sanitizer's runtime has those functions to itself. */
export const noFaults = /asan|tsan/.test(BINARY) ? 'the daemon is built with a sanitizer' : !existsSync(FAULTS) && 'tests/faults is not built'

/** A house whose disk and clock do as `house.fail('fdatasync EIO /events/', 'clock 3600000')` says, until house.heal(). */
export async function startFaultyHouse(options = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'licet-faults-'))
  const file = join(folder, 'faults')
  const house = await startHouse({ ...options, env: { ...options.env, LD_PRELOAD: FAULTS, LICET_FAULTS: file } })
  house.fail = async (...lines) => {
    await writeFile(file, lines.map(line => line + '\n').join(''))
    await sleep(30) // it looks every 5 ms
  }
  house.heal = () => house.fail()
  const { stop } = house
  house.stop = async () => {
    await house.heal()
    const end = await stop()
    await rm(folder, { recursive: true })
    return end
  }
  return house
}
