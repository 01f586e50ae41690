// OneTrust's web CMP. OneTrustGroupsUpdated comes with every load as well, OnConsentChanged with her choices alone.
import { cookie, seldom, when } from './cmp-page.js'

const closed = () => cookie('OptanonAlertBoxClosed')
const before = closed()

/** SHA-256 of the texts that she was asked by; undefined where the page cannot compute it. */
async function hashOf(data) {
  const texts = JSON.stringify([data.AlertNoticeText, data.MainInfoText, data.Groups?.map(g => [g.CustomGroupId, g.GroupName, g.GroupDescription])])
  const hash = await crypto.subtle?.digest('SHA-256', new TextEncoder().encode(texts))
  return hash && [...new Uint8Array(hash)].map(n => (n + 256).toString(16).slice(1)).join('')
}

export function onetrust(tell, guarded) {
  let looked = false, textHash
  const read = (live, detail) => {
    const data = window.OneTrust?.GetDomainData?.()
    const kept = new URLSearchParams(cookie('OptanonConsent') ?? '')
    const active = Array.isArray(detail) ? detail : String(window.OnetrustActiveGroups ?? '').split(',')
    const groups = data?.Groups?.map(g => g.CustomGroupId ?? g.OptanonGroupId)
    tell({
      live, id: kept.get('consentId') ?? undefined, at: live ? new Date() : when(closed()),
      // where the law lets a site assume consent, groups are active that nobody has agreed to
      explicit: /^opt-in$/i.test(data?.ConsentModel?.Name),
      state: group => (groups && !groups.includes(group) ? undefined : active.includes(group)),
      more: { version: kept.get('version'), template: data?.Domain, language: data?.Language?.Culture, interactions: kept.get('interactionCount') ?? undefined, text_sha256: textHash },
    })
  }
  // what was kept is looked at once: the event comes with each choice, too
  const look = () => {
    if (looked || window.OnetrustActiveGroups === undefined) return
    looked = true
    if (closed()) read(closed() !== before)
  }
  seldom(() => window.OneTrust?.OnConsentChanged, () => {
    guarded(() => hashOf(window.OneTrust.GetDomainData()).then(h => (textHash = h)).catch(() => {}))
    guarded(look)
    window.OneTrust.OnConsentChanged(e => guarded(() => read(true, e?.detail)))
    addEventListener('OneTrustGroupsUpdated', () => guarded(look))
  }, 'OneTrustGroupsUpdated')
}
