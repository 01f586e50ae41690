#!/usr/bin/env node
// The example shop. Plain Node, no framework.
//
//   LICET_URL=http://127.0.0.1:8080 LICET_PRIVATE_KEY=… LICET_PUBLIC_KEY=… script/node examples/shop/server.mjs [--port 8090]
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Accounts } from './accounts.mjs'
import { GOODS } from './goods.mjs'
import { Licet } from './licet.mjs'
import * as pages from './pages.mjs'
import { PURPOSES } from './texts.mjs'

const STATIC = { '/shop.css': 'text/css', '/shop.js': 'text/javascript', '/before-consent.html': 'text/html', '/before-consent.js': 'text/javascript' }
// the SDK as npm brings it, not a byte changed
const SDK = join(dirname(createRequire(import.meta.url).resolve('@segment/analytics-next')), '../umd')
const FORM = 16 << 10

export class Shop {
  constructor({ licetUrl, privateKey, publicKey }) {
    this.config = { licetUrl, publicKey }
    this.licet = new Licet({ url: licetUrl, privateKey })
    this.accounts = new Accounts()
    this.server = createServer((q, r) => this.serve(q, r).catch(e => this.fail(r, e)))
  }

  async listen(port = 0) {
    await new Promise((ok, no) => this.server.once('error', no).listen(port, '127.0.0.1', ok))
    this.url = `http://127.0.0.1:${this.server.address().port}`
    return this
  }

  async close() {
    await this.licet.close()
    this.server.closeAllConnections()
    await new Promise(ok => this.server.close(ok))
  }

  fail(r, e) {
    console.error(`shop: ${e.message}`)
    if (!r.headersSent) r.writeHead(500, { 'Content-Type': 'text/plain' })
    r.end('Something failed here; it was not you.')
  }

  async serve(q, r) {
    const url = new URL(q.url, 'http://shop')
    r.setHeader('Content-Security-Policy',
      `default-src 'self'; script-src 'self' ${this.config.licetUrl}; img-src 'self' data:; connect-src 'self' ${this.config.licetUrl}; frame-ancestors 'none'`)
    r.setHeader('X-Content-Type-Options', 'nosniff')
    r.setHeader('Referrer-Policy', 'strict-origin-when-cross-origin')
    if (q.method === 'GET' || q.method === 'HEAD') return this.get(url, q, r)
    if (q.method !== 'POST') return r.writeHead(405).end()
    // a form of another site must not act for her
    if (q.headers.origin !== undefined && q.headers.origin !== `http://${q.headers.host}`) return r.writeHead(403).end()
    return this.post(url, q, r, await readForm(q))
  }

  async get(url, q, r) {
    const path = url.pathname
    if (STATIC[path]) return send(r, 200, STATIC[path], await readFile(new URL(`public${path}`, import.meta.url)))
    const bundle = /^\/(?:sdk|analytics-next\/bundles)\/([\w.-]+\.js)$/.exec(path)
    if (bundle) return sendFile(r, join(SDK, bundle[1]))
    if (path === '/config.json') return send(r, 200, 'application/json', JSON.stringify(this.config))
    const session = this.accounts.session(q)
    const good = GOODS[/^\/product\/(\w+)$/.exec(path)?.[1]]
    const shown = good ? pages.product(path.slice(9), good)
      : path === '/' ? pages.home()
      : path === '/cart' ? pages.cart(session)
      : path === '/sign-in' ? pages.signIn(url.searchParams.get('next') ?? '/account')
      : path === '/account' && session?.account ? pages.account(session)
      : path === '/privacy' ? pages.privacy()
      : path === '/account' ? null
      : pages.notFound()
    if (!shown) return redirect(r, '/sign-in')
    this.page(r, shown.title === 'Not found' ? 404 : 200, shown, session, url.searchParams.get('note'))
  }

  page(r, status, shown, session, note) {
    send(r, status, 'text/html; charset=utf-8', pages.page({ ...shown, session, config: this.config, note }))
  }

  async post(url, q, r, form) {
    const session = this.accounts.openSession(q, r)
    switch (url.pathname) {
      case '/cart': return this.addToCart(q, r, session, form)
      case '/sign-in': return this.signIn(q, r, session, form)
      case '/sign-out': session.account = null; return redirect(r, '/')
    }
    if (!session.account) return redirect(r, '/sign-in')
    switch (url.pathname) {
      case '/order': return this.order(r, session)
      case '/account': return redirect(r, `/account?note=${await this.choose(q, session.account, form, true) ? 'recorded' : 'failed'}`)
    }
    r.writeHead(404).end()
  }

  addToCart(q, r, session, form) {
    const id = form.get('product')
    if (!Object.hasOwn(GOODS, id ?? '')) return r.writeHead(400).end()
    session.cart[id] = (session.cart[id] ?? 0) + 1
    if (q.headers.accept !== 'application/json') return redirect(r, '/cart')
    send(r, 200, 'application/json', JSON.stringify({ count: Object.values(session.cart).reduce((a, b) => a + b, 0) }))
  }

  async signIn(q, r, session, form) {
    const email = (form.get('email') ?? '').trim()
    const name = (form.get('name') ?? '').trim()
    const next = /^\/(?!\/)[\w/-]*$/.test(form.get('next') ?? '') ? form.get('next') : '/account'
    if (!/^[^\s@]+@[^\s@]+$/.test(email) || !name) {
      return this.page(r, 422, pages.signIn(next, 'Please give your name and an e-mail address.'), session)
    }
    session.account = this.accounts.signIn(email, name)
    const saved = await this.choose(q, session.account, form, false)
    // licet decides what becomes of it, the shop need not
    this.licet.identify(session.account)
    redirect(r, saved ? next : `${next}?note=failed`)
  }

  /** Records what the form says, if it says anything. At sign-in an empty box is no answer; in the
   *  account, where the boxes show what holds, emptying one withdraws. False if licet did not take it. */
  async choose(q, account, form, emptyWithdraws) {
    const preferences = {}
    for (const id of Object.keys(PURPOSES)) {
      const ticked = form.get(id) === 'true'
      if (ticked || (emptyWithdraws && account.choices[id])) preferences[id] = ticked
    }
    if (Object.keys(preferences).length === 0) return true
    const granted = Object.keys(preferences).filter(id => preferences[id])
    try {
      await this.licet.consent({
        account, preferences,
        versions: Object.fromEntries(granted.map(id => [id, PURPOSES[id].version])),
        form: emptyWithdraws ? pages.account({ account }).body : pages.signIn('').body,
        content: Object.fromEntries(form), ip: q.socket.remoteAddress, idempotencyKey: randomUUID(),
      })
    } catch (e) {
      console.error(`shop: ${e.message}`)
      return false
    }
    Object.assign(account.choices, preferences)
    return true
  }

  order(r, session) {
    const rows = Object.entries(session.cart)
    if (rows.length === 0) return redirect(r, '/cart')
    this.licet.track(session.account, 'Order Completed', {
      product: rows.map(([id]) => id).join(' '),
      value: rows.reduce((sum, [id, n]) => sum + GOODS[id].price * n, 0),
      currency: 'EUR',
    })
    session.cart = {}
    redirect(r, '/?note=ordered')
  }
}

async function readForm(q) {
  let text = ''
  for await (const chunk of q) {
    if ((text += chunk).length > FORM) throw new Error('the form is too long')
  }
  return new URLSearchParams(text)
}

function send(r, status, type, body) {
  r.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(body)
}

async function sendFile(r, file) {
  const body = await readFile(file).catch(() => null)
  body ? send(r, 200, 'text/javascript', body) : r.writeHead(404).end()
}

const redirect = (r, to) => r.writeHead(303, { Location: to }).end()

if (process.argv[1] === import.meta.filename) {
  const at = process.argv.indexOf('--port')
  const { LICET_URL, LICET_PRIVATE_KEY, LICET_PUBLIC_KEY } = process.env
  const shop = new Shop({ licetUrl: LICET_URL, privateKey: LICET_PRIVATE_KEY, publicKey: LICET_PUBLIC_KEY })
  await shop.listen(at < 0 ? 8090 : Number(process.argv[at + 1]))
  await shop.licet.publishPolicy(pages.policyText())
  console.log(`shop ${shop.url}`)
}
