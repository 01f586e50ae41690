// Page views and events in Segment's format, to /v1/batch. Without a grant every call does nothing.
import { newId } from '../common/small.js'

const MOST = 20 // events in a request
const PAUSE = 400 // ms that events are gathered
let site, buffer = [], timer, due, views, last, user, seen

/** `anonymousId()` gives the device's id while events may be sent, else null. */
export function openTracker(options) {
  site = options
  for (const end of ['pagehide', 'visibilitychange']) addEventListener(end, () => send(true))
  addEventListener('click', e => mark(e.target, ':not(form)'), true)
  addEventListener('submit', e => mark(e.target, 'form'), true)
  for (const name of ['pushState', 'replaceState']) {
    const real = history[name]
    history[name] = function () {
      real.apply(this, arguments)
      view()
    }
  }
  addEventListener('popstate', view)
}

const clean = url => url.split('#')[0]

function pageOf() {
  const { pathname: path, search, href } = location
  return { path, search, title: document.title, url: clean(href), referrer: last ?? document.referrer }
}

function campaignOf() {
  const found = {}
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (name.startsWith('utm_')) found[name === 'utm_campaign' ? 'name' : name.slice(4)] = value
  }
  return Object.keys(found).length ? found : undefined
}

function put(message) {
  const anonymousId = site.anonymousId()
  if (!anonymousId) return false
  buffer.push({
    ...message, messageId: newId(), anonymousId, userId: user, timestamp: new Date().toISOString(),
    context: {
      page: pageOf(), campaign: campaignOf(), locale: navigator.language, library: { name: 'licet.js', version: site.version },
    },
  })
  if (buffer.length >= MOST) send()
  else timer ??= setTimeout(send, PAUSE)
  return true
}

/** What was gathered goes out. A beacon while leaving: nothing else gets through then. */
function send(leaving) {
  clearTimeout(timer)
  timer = null
  if (!buffer.length) return
  const batch = buffer.splice(0)
  const body = JSON.stringify({ writeKey: site.key, sentAt: new Date().toISOString(), batch })
  const url = `${site.url}/v1/batch`
  if (leaving === true && navigator.sendBeacon?.(url, body)) return
  attempt(url, body, 0)
}

function attempt(url, body, n) {
  if (!site.anonymousId()) return
  fetch(url, { method: 'POST', body, credentials: 'omit', keepalive: body.length < 6e4, headers: { 'Content-Type': 'text/plain' } })
    .catch(() => ({ status: 503 }))
    .then(a => /429|5../.test(a.status) && n < 4 && setTimeout(attempt, 1000 * 4 ** n, url, body, n + 1))
}

/** Forgets what has not been sent. */
export function drop() {
  buffer = []
}

export function page(name, properties) {
  if (typeof name === 'object') [name, properties] = [undefined, name]
  const sent = put({ type: 'page', name, properties: { ...pageOf(), ...properties } })
  last = clean(location.href)
  return sent
}

export const track = (event, properties = {}) => put({ type: 'track', event, properties })

export function identify(id, traits = {}) {
  user = id == null ? undefined : String(id)
  return put({ type: 'identify', traits })
}

export function signOut() {
  user = undefined
}

/** The page that she looks at, once for each address; again after a new grant. */
export function view(afresh) {
  if (!views || !site.anonymousId()) return
  const here = location.pathname + location.search
  if (here === seen && afresh !== true) return
  seen = here
  clearTimeout(due)
  if (afresh !== true) due = setTimeout(page) // a router sets the title after the address, and corrects the address
  else page()
}

export function startViews(automatic) {
  views = automatic
  last = undefined
  view(true)
}

/** <a data-licet-track="Downloaded" data-licet-prop-file="a.pdf">. A field's content is never read. */
function mark(target, kind) {
  const element = target.closest?.(`${kind}[data-licet-track]`)
  if (!element) return
  const properties = {}
  for (const [name, value] of Object.entries(element.dataset)) {
    if (/^licetProp./.test(name)) properties[name[9].toLowerCase() + name.slice(10)] = value
  }
  if (element.href) properties.href = clean(String(element.href)).split('?')[0]
  track(element.dataset.licetTrack, properties)
}
