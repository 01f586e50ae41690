// A site written for the existing consent library, whose script now comes from licet; and licet behind it.
import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { openBrowser } from './browser.mjs'
import { startHouse } from './fixture.mjs'

export const SECRET = 'subject-secret-of-the-tests'
export const PATHS = ['/cons/iubenda_cons.js', '/cons/beta/iubenda_cons.js', '/consent_solution/iubenda_cons.js']

const listening = server => new Promise(ok => server.listen(0, '127.0.0.1', () => ok(`http://127.0.0.1:${server.address().port}`)))

/** licet as browsers reach it, until `front.how` says otherwise: a status for acts, "abort" for a broken line, "hang" for no answer,
 *  "lost" for an answer that does not come back, "guard" for a guard in between who minds HTML. A route of the browser's would not do: what it sends as a page goes passes by them. */
async function openFront(licet) {
  const front = { how: null }
  const server = createServer((q, r) => {
    const how = q.method === 'POST' ? front.how : null
    if (how === 'abort') return r.destroy()
    if (how === 'hang') return q.resume()
    if (how === 'guard') {
      let body = ''
      return q.on('data', part => (body += part)).on('end', () => {
        if (body.includes('<form')) return r.writeHead(403, { 'Access-Control-Allow-Origin': '*' }).end('<h1>Attack detected</h1>')
        request(licet.url + q.url, { method: q.method, headers: q.headers }, answer => (r.writeHead(answer.statusCode, answer.rawHeaders), answer.pipe(r))).end(body)
      })
    }
    if (typeof how === 'number') return q.resume().on('end', () => r.writeHead(how, { 'Access-Control-Allow-Origin': '*', 'Content-Type': 'application/json' }).end('{"message":"not now"}'))
    q.pipe(request(licet.url + q.url, { method: q.method, headers: q.headers }, answer => {
      if (how === 'lost') return answer.resume().on('end', () => r.destroy())
      r.writeHead(answer.statusCode, answer.rawHeaders)
      answer.pipe(r)
    }).on('error', () => r.destroy()))
  })
  front.url = await listening(server)
  front.close = () => (server.closeAllConnections(), new Promise(ok => server.close(ok)))
  return front
}

/** {licet, url, site, visitor(), stop()}: `url` is licet for browsers. `site.pages[path]` is {body, script, head, foot, csp}: `script` is the page's own, a file of its own, since the
 *  policy of its pages forbids scripts within them. */
export async function openSite() {
  const house = await startHouse({
    change: c => ({ ...c, subject_token_secret: SECRET, limits: { ...c.limits, address_per_minute: 60_000, subject_per_hour: 60_000, public_per_second: 1000 } }),
  })
  const { licet } = house
  await licet.api('POST', '/legal_notices', ['privacy_policy', 'cookie_policy', 'terms'].map(identifier => ({ identifier, content: 'A text.' })))
  const front = await openFront(licet)
  const site = { pages: {}, posted: [] }
  const server = createServer((q, r) => {
    const { pathname } = new URL(q.url, 'http://x')
    const own = /^\/own(\/.*)\.js$/.exec(pathname)?.[1]
    if (own) return r.writeHead(200, { 'Content-Type': 'text/javascript' }).end(site.pages[own]?.script ?? '')
    const page = site.pages[pathname]
    if (!page) return r.writeHead(404).end()
    let body = ''
    q.on('data', part => (body += part)).on('end', () => {
      if (q.method === 'POST') site.posted.push({ path: pathname, fields: Object.fromEntries(new URLSearchParams(body)) })
      const csp = `default-src 'none'; script-src 'self' ${front.url}; connect-src 'self' ${front.url}; img-src 'self' data:; base-uri 'none'; form-action 'self'${page.csp ?? ''}`
      r.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': csp }).end(
        `<!doctype html><html lang="en"><head><title>A site</title><link rel="icon" href="data:,">${page.head ?? ''}</head>
<body>${page.body ?? ''}<script src="/own${pathname}.js"></script>${page.foot ?? ''}</body></html>`)
    })
  })
  site.url = await listening(server)
  const browser = await openBrowser()
  const contexts = []
  const it = {
    licet, site, url: front.url,
    tag: (path = PATHS[0], how = 'async') => `<script type="text/javascript" src="${front.url}${path}" ${how}></script>`,
    init: (more = {}) => `var _iub = _iub || {}; _iub.cons_instructions = _iub.cons_instructions || [];
      _iub.cons_instructions.push(["init", ${JSON.stringify({ api_key: licet.publicKey, ...more })}]);`,
    /** A browser of somebody new. `sent`: what went to licet; `faults`: what a developer would see in red. */
    async visitor(options = {}) {
      const context = await browser.newContext(options)
      contexts.push(context)
      const me = { context, sent: [], asked: [], faults: [] }
      context.on('request', q => {
        me.asked.push(`${q.method()} ${q.url()}`)
        if (q.method() === 'POST' && q.url().endsWith('/public/consent')) me.sent.push({ body: q.postDataJSON(), text: q.postData(), headers: q.headers() })
      })
      me.watch = page => {
        page.on('pageerror', e => me.faults.push(e.message))
        page.on('console', m => m.type() === 'error' && me.faults.push(m.text()))
        return page
      }
      me.newPage = async () => me.watch(await context.newPage())
      me.page = await me.newPage()
      me.open = (path, page = me.page) => page.goto(site.url + path, { waitUntil: 'networkidle' })
      me.stored = (page = me.page) => page.evaluate(() => Object.entries(localStorage).filter(([key]) => key.startsWith('licet.cons.')).map(([, text]) => JSON.parse(text)))
      return me
    },
    /** What becomes of acts from now on: "abort", "hang", "lost", "guard", a status; null: licet takes them. */
    away: how => void (front.how = how),
    /** The acts recorded of somebody with this address, oldest first, in full. */
    async acts(email) {
      const { json } = await licet.api('GET', `/consent?limit=100&subject_email_exact=${encodeURIComponent(email)}`)
      return Promise.all(json.reverse().map(async act => (await licet.api('GET', `/consent/${act.id}`)).json))
    },
    async act(email) {
      const acts = await it.acts(email)
      assert.equal(acts.length, 1, `${acts.length} acts of ${email}`)
      return acts[0]
    },
    async stop() {
      for (const context of contexts) await context.close()
      await browser.close()
      server.closeAllConnections()
      await new Promise(ok => server.close(ok))
      await front.close()
      await house.stop()
    },
  }
  return it
}
