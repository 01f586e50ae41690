// A house that writes letters: a newsletter with double opt-in, and a mail server on loopback.
import { MailServer } from '../receiver/smtp.mjs'
import { BINARY, until } from './daemon.mjs'
import { describedBy } from './described.mjs'
import { FIELDS, purpose, startFaultyHouse, startHouse, webhook } from './fixture.mjs'

const PARTS = {
  en: ['Newsletter', 'To send you our monthly letter.', 'Your address.', 'To nobody.', 'On our server, until you cancel it.', 'None.', 'You get one letter a month.', 'By the link at the foot of every letter.'],
  de: ['Rundbrief', 'Um Ihnen monatlich unseren Rundbrief zu schicken.', 'Ihre Adresse.', 'An niemanden.', 'Auf unserem Server, bis Sie ihn abbestellen.', 'Keine.', 'Sie erhalten einen Brief im Monat.', 'Über den Link am Ende jedes Briefes.'],
  nl: ['Nieuwsbrief', 'Om u maandelijks onze nieuwsbrief te sturen.', 'Uw adres.', 'Aan niemand.', 'Op onze server, tot u hem opzegt.', 'Geen.', 'U krijgt één brief per maand.', 'Met de link onder elke brief.'],
}
const NAMES = ['title', 'aim', 'data', 'transfer', 'storage', 'automation', 'consequences', 'withdrawal']
export const newsletterText = Object.fromEntries(Object.entries(PARTS).map(([l, parts]) => [l, Object.fromEntries(parts.map((p, i) => [NAMES[i], p]))]))

/** `change(config)` as of startHouse(); `mail` options of the mail server; `optIn` is merged into double_opt_in; `faulty`: with
 *  a disk and a clock that do as told. */
export async function startOptInHouse({ mail = {}, optIn = {}, faulty = false, change = c => c, ...more } = {}) {
  const server = await new MailServer(mail).listen()
  const withLetters = config => {
    config.purposes.push({
      ...purpose('newsletter', { scope: 'person', double_opt_in: true, recipients: ['crm'] }),
      versions: [{ version: 1, since: '2024-01-01', recipients: ['mailing'], text: newsletterText }],
    })
    config.destinations.push(webhook('mailing', { requires: ['newsletter'], receiver: config.destinations[1].endpoint.replace(/\/[a-z]+$/, ''), fields: FIELDS.crm, secret: '${CRM_SECRET}' }))
    config.public_url = 'http://127.0.0.1:${LICET_PORT}'
    config.double_opt_in = {
      mail: { smtp: `smtp://127.0.0.1:${server.port}`, from: 'Muster GmbH <letters@muster.example>', allow_private_addresses: true },
      ...optIn,
    }
    return change(config)
  }
  try {
    const house = await (faulty ? startFaultyHouse : startHouse)({ ...more, change: withLetters })
    house.mail = server
    house.config = () => withLetters(house.standard())
    const { stop } = house
    house.stop = async () => {
      const end = await stop()
      await house.mail.close()
      return end
    }
    return house
  } catch (e) {
    await server.close()
    throw e
  }
}

let visitors = 0
/** A visitor of the page signs up: by public key, nobody vouches for her. {subject, id, email, letter()} */
export async function signUp(house, email = `visitor-${++visitors}@mail.example`, { body = {}, headers = {}, preferences = { newsletter: true } } = {}) {
  const { status, json, text, headers: back } = await house.licet.api('POST', '/public/consent', {
    subject: { email }, preferences, versions: { newsletter: 1 }, shown: { language: 'en' }, proofs: [{ form: '<form>…</form>' }], ...body,
  }, { key: 'public', headers })
  if (status !== 200) throw new Error(`sign-up: ${status} ${text}`)
  return {
    subject: json.subject_id, id: json.id, email, token: back.get('licet-device-token'),
    letter: (n = 1) => until(() => house.mail.to(email)[n - 1], () => `letter ${n} to ${email}\n${house.licet.log.slice(-1500)}`),
  }
}

/** The page behind a link, as a program sees it: {status, headers, text}. */
export async function open(link, { answer, ...more } = {}) {
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const sent = { redirect: 'error', ...more, ...(answer && { method: 'POST', body: String(new URLSearchParams({ answer, language: 'en' })), headers: form }) }
  const reply = await fetch(link, sent)
  const got = { status: reply.status, headers: reply.headers, text: await reply.text() }
  if (got.headers.get('content-type') === 'application/json') got.json = JSON.parse(got.text)
  describedBy(BINARY).check({ method: sent.method ?? 'GET', path: new URL(link).pathname, headers: sent.headers ?? {}, body: sent.body }, got)
  return got
}

export const reasonOf = async (house, subject, name = 'newsletter') =>
  (await house.licet.api('GET', `/v1/permissions/${encodeURIComponent(subject)}`)).json.purposes.find(p => p.id === name).reason

export const stateOf = async (house, subject) => (await house.licet.api('GET', `/subjects/${encodeURIComponent(subject)}/verification`)).json
