// What other scripts of the page are told. Words and spellings are theirs.
const GOOGLE = Object.fromEntries(['ad_storage', 'ad_user_data', 'ad_personalization', 'analytics_storage', 'functionality_storage',
  'personalization_storage', 'security_storage'].map(name => [name, []]))

const layer = () => (window.dataLayer ??= [])
function gtag() {
  layer().push(arguments) // Google's own scripts take nothing else
}

const said = (names, all, yes, no) => names.every(p => all[p]) && names.length ? yes : no
const each = (signals, all, yes, no) => Object.fromEntries(Object.entries(signals).map(([name, ids]) => [name, said(ids, all, yes, no)]))

/** Before any tag: all seven denied. A page that loads its own tags says so itself, before this script is there. */
export function tellDefault() {
  if (!layer().some(c => c?.[0] === 'consent')) gtag('consent', 'default', { ...each(GOOGLE, {}, 'granted', 'denied'), wait_for_update: 500 })
}

/** `all`: {purpose: granted}. `lowered`: something was granted on this page and is no longer. */
export function tell(policy, all, lowered) {
  gtag('consent', 'update', each(policy.google ?? GOOGLE, all, 'granted', 'denied'))
  layer().push({ event: 'licet_consent', licet: { ...all } })
  if (policy.clarity) {
    window.clarity ??= function () {
      (window.clarity.q ??= []).push(arguments)
    }
    window.clarity('consentv2', each(policy.clarity, all, 'granted', 'denied'))
  }
  if (policy.hubspot) {
    const hubspot = (window._hsp ??= [])
    const now = each(policy.hubspot, all, true, false)
    hubspot.push(['setHubSpotConsent', now])
    if (lowered && !Object.values(now).includes(true)) hubspot.push(['revokeCookieConsent'])
  }
}
