// Cookiebot. Its events come with every load as well: a choice is one whose cookie is not that of the load.
import { cookie, when } from './cmp-page.js'

const NAMES = ['preferences', 'statistics', 'marketing']
const kept = () => cookie('CookieConsent')
const partOf = (text, name) => new RegExp(`[{,]${name}:'?([^',}]*)`).exec(text ?? '')?.[1]

let before = kept()

export function cookiebot(tell, guarded) {
  const read = () => {
    const bot = window.Cookiebot
    if (!bot?.hasResponse) return
    const text = kept()
    const live = text !== before
    before = text
    const utc = Number(partOf(text, 'utc'))
    tell({
      live, id: bot.consentID ?? bot.consent.stamp ?? partOf(text, 'stamp'), at: bot.consentUTC ? when(bot.consentUTC) : utc ? when(utc) : live ? new Date() : undefined,
      explicit: bot.consent.method === 'explicit',
      state: name => (NAMES.includes(name) ? bot.consent[name] === true : undefined),
      more: { version: partOf(text, 'ver'), template: bot.serial, region: partOf(text, 'region'), method: bot.consent.method ?? undefined },
    })
  }
  for (const event of ['CookiebotOnAccept', 'CookiebotOnDecline']) addEventListener(event, () => guarded(read))
  guarded(read)
}
