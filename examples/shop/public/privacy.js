// Consent in the browser. Before a grant nothing is stored on this device, and the
// SDK is not even loaded. Only a refusal is noted, as one word in sessionStorage, so
// that she is not asked again on every page; it says nothing about who she is.
const meta = document.querySelector('meta[name=licet]')
const licet = { url: meta.content, key: meta.dataset.key, version: Number(meta.dataset.version) }
const box = document.getElementById('consent')
const opener = document.getElementById('privacy-choices')
const state = document.getElementById('consent-state')
const KEPT = 'privacy' // localStorage after a grant: {subject, token, since}

export const granted = () => JSON.parse(localStorage.getItem(KEPT) ?? 'null')
const refused = () => sessionStorage.getItem(KEPT) === 'declined'

/** One act. Throws when licet did not take it: then nothing has changed. */
async function record(preferences, kept) {
  const answer = await fetch(`${licet.url}/public/consent`, {
    method: 'POST',
    credentials: 'include',
    headers: { ApiKey: licet.key, 'Content-Type': 'application/json', ...(kept?.token && { 'Licet-Device-Token': kept.token }) },
    body: JSON.stringify({
      subject: kept ? { id: kept.subject } : {},
      preferences,
      versions: { statistics: licet.version },
      shown: { language: 'en' },
      proofs: [{ form: box.outerHTML, content: JSON.stringify(preferences) }],
      legal_notices: [{ identifier: 'privacy_policy' }],
    }),
  })
  if (!answer.ok) throw new Error(`licet answered ${answer.status}`)
  const { subject_id: subject } = await answer.json()
  // where cookies are blocked, this header stands in for licet's cookie
  return { subject, token: answer.headers.get('Licet-Device-Token') ?? kept?.token ?? null }
}

async function accept() {
  const kept = await record({ statistics: true }, granted())
  localStorage.setItem(KEPT, JSON.stringify({ ...kept, since: new Date().toISOString() }))
  sessionStorage.removeItem(KEPT)
}

async function decline() {
  const kept = granted()
  await record({ statistics: false }, kept)
  sessionStorage.setItem(KEPT, 'declined')
  if (kept) {
    forget()
    location.reload() // a script that runs cannot be unloaded
  }
}

/** Everything that the consent had let onto this device. */
function forget() {
  window.analytics?.reset()
  for (const key of Object.keys(localStorage)) {
    if (key === KEPT || key.startsWith('ajs_') || key.startsWith('persisted-queue')) localStorage.removeItem(key)
  }
  for (const cookie of document.cookie.split('; ')) {
    if (cookie.startsWith('ajs_')) document.cookie = `${cookie.split('=')[0]}=; Max-Age=0; Path=/`
  }
}

/** The unmodified SDK, which takes licet for its own server. Then there is window.analytics. */
export function loadSdk() {
  const { subject } = granted()
  return new Promise((ok, no) => {
    const script = document.createElement('script')
    script.src = '/sdk/index.js'
    script.onerror = no
    script.onload = () => {
      window.analytics = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey: licet.key, cdnURL: licet.url })
      window.analytics.setAnonymousId(subject)
      ok()
    }
    document.head.append(script)
  })
}

function open(byHand) {
  const kept = granted()
  state.textContent = kept ? `You accepted on ${new Date(kept.since).toLocaleDateString('en-GB', { dateStyle: 'long' })}.`
    : refused() ? 'You declined in this visit.' : ''
  document.getElementById('consent-title').textContent = kept ? 'We count your visit' : 'May we count your visit?'
  document.getElementById('decline').textContent = kept ? 'Withdraw statistics' : 'Decline statistics'
  document.getElementById('accept').textContent = kept ? 'Keep statistics' : 'Accept statistics'
  box.hidden = false
  if (byHand) document.getElementById('consent-title').focus()
}

function close() {
  box.hidden = true
  opener.focus({ preventScroll: true })
}

/** Shows the box if she has not chosen; calls onGrant once she has accepted, now or before. */
export function askPrivacy(onGrant) {
  opener.hidden = false
  opener.onclick = () => open(true)
  const choose = act => async () => {
    const had = granted()
    state.textContent = 'Saving …'
    try {
      await act()
    } catch {
      state.textContent = 'This could not be saved, so nothing has changed. Please try again.'
      return
    }
    close()
    if (!had && granted()) onGrant()
  }
  document.getElementById('accept').onclick = () => (granted() ? close() : choose(accept)())
  document.getElementById('decline').onclick = choose(decline)
  box.onkeydown = e => e.key === 'Escape' && (granted() || refused()) && close()
  // the SDK writes its queue into localStorage as its page unloads, after a withdrawal too
  if (!granted()) forget()
  if (granted()) onGrant()
  else if (!refused()) open(false)
}
