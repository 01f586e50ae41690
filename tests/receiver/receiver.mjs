#!/usr/bin/env node
// A receiver of licet's webhooks: checks every request strictly, remembers what
// came, and shows it live on a page. For the demo and the tests.
//
//   WAREHOUSE_SECRET=whsec_… script/node tests/receiver/receiver.mjs [--port 8091] warehouse …
//
// POST /NAME takes the webhooks of destination NAME.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecure } from 'node:https'
import { Fault, flatten, secretKey, verifyRequest } from './verify.mjs'

const PAGE_FILES = { '/': ['page.html', 'text/html'], '/page.css': ['page.css', 'text/css'], '/page.js': ['page.js', 'text/javascript'] }
const SHOWN = 500 // rows that a page opened later is still given
const BODY = 8 << 20

export class Receiver {
  /** secrets: {warehouse: "whsec_…"}. answer(request), if given, may return {status, headers, delayMs, reset}:
   *  how a bad receiver behaves; asked before the request is recorded. tls: options of node's TLS server. */
  constructor({ secrets, answer = null, tls = null, log = () => {} }) {
    this.keys = Object.fromEntries(Object.entries(secrets).map(([name, s]) => [name, secretKey(s)]))
    this.answer = answer
    this.log = log
    this.arrived = [] // {destination, id, received, event, request, beganMs}
    this.faults = [] // {destination, why}
    this.requests = 0
    this.bodyOf = new Map() // webhook-id → hash of its events: a repeated id carries the same
    this.rows = []
    this.watchers = new Set()
    this.scheme = tls ? 'https' : 'http'
    this.connections = 0
    const serve = (q, r) => this.serve(q, r).catch(e => this.log(e))
    this.server = tls ? createSecure(tls, serve) : createServer(serve)
    this.server.on('connection', () => this.connections++)
    this.server.keepAliveTimeout = 60_000
  }

  async listen(port = 0) {
    await new Promise((ok, no) => this.server.once('error', no).listen(port, '127.0.0.1', ok))
    this.url = `${this.scheme}://127.0.0.1:${this.server.address().port}`
    return this
  }

  close() {
    this.server.closeAllConnections()
    return new Promise(ok => this.server.close(ok))
  }

  /** A line of `licet tail --json`: stopped events are shown beside those that came. */
  decided(line) {
    if (line.verdict === 'deny') this.show({ kind: 'stopped', ...line })
  }

  show(row) {
    this.rows.push(row)
    if (this.rows.length > SHOWN) this.rows.shift()
    for (const w of this.watchers) w.write(`data: ${JSON.stringify(row)}\n\n`)
  }

  async serve(q, r) {
    const path = new URL(q.url, 'http://x').pathname
    if (q.method === 'GET' && PAGE_FILES[path]) return this.sendFile(r, ...PAGE_FILES[path])
    if (q.method === 'GET' && path === '/live') return this.watch(q, r)
    const destination = path.slice(1)
    if (!Object.hasOwn(this.keys, destination)) return r.writeHead(404).end()
    return this.take(destination, q, r)
  }

  sendFile(r, file, type) {
    r.writeHead(200, { 'Content-Type': `${type}; charset=utf-8`, 'Content-Security-Policy': "default-src 'self'; img-src 'self' data:" })
    r.end(readFileSync(new URL(file, import.meta.url)))
  }

  watch(q, r) {
    r.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    for (const row of this.rows) r.write(`data: ${JSON.stringify(row)}\n\n`)
    r.write('event: caught-up\ndata: {}\n\n')
    this.watchers.add(r)
    q.on('close', () => this.watchers.delete(r))
  }

  async take(destination, q, r) {
    const beganMs = performance.timeOrigin + performance.now() // the request's head is here: sending has begun
    this.requests++
    const chunks = []
    let size = 0
    for await (const chunk of q) {
      if ((size += chunk.length) > BODY) return r.writeHead(413).end()
      chunks.push(chunk)
    }
    const behave = (await this.answer?.({ destination, headers: q.headers, count: this.requests, body: String(Buffer.concat(chunks)) })) ?? {}
    if (behave.reset) return q.socket.resetAndDestroy()
    if (behave.delayMs) await new Promise(ok => setTimeout(ok, behave.delayMs))
    const status = behave.status ?? 200
    try {
      const events = this.check(destination, q, Buffer.concat(chunks))
      if (status < 300) for (const e of events) this.record(destination, e, q.headers['webhook-id'], beganMs)
      r.writeHead(status, { 'Content-Type': 'application/json', ...behave.headers }).end('{"ok":true}')
    } catch (e) {
      if (!(e instanceof Fault)) throw e
      this.faults.push({ destination, why: e.message })
      this.show({ kind: 'fault', at: new Date().toISOString(), destination, why: e.message })
      this.log(`${destination}: ${e.message}`)
      r.writeHead(400, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error: e.message }))
    }
  }

  check(destination, q, body) {
    const events = verifyRequest({ method: q.method, headers: q.headers, body, key: this.keys[destination] })
    const id = q.headers['webhook-id']
    const hash = createHash('sha256').update(events.map(e => e.id).join()).digest('base64')
    if ((this.bodyOf.get(id) ?? hash) !== hash) throw new Fault('this webhook-id came before with other events')
    this.bodyOf.set(id, hash)
    return events
  }

  record(destination, { id, received, event }, request, beganMs) {
    this.arrived.push({ destination, id, received, event, request, beganMs })
    this.show({
      kind: 'arrived', at: new Date(beganMs).toISOString(), destination, event_id: id,
      name: event.event ?? event.name ?? event.type ?? '', type: event.type ?? '', fields: flatten(event),
    })
  }
}

if (process.argv[1] === import.meta.filename) {
  const names = process.argv.slice(2)
  const at = names.indexOf('--port')
  const port = at < 0 ? 8091 : Number(names.splice(at, 2)[1])
  const secrets = Object.fromEntries(names.map(n => [n, process.env[`${n.toUpperCase()}_SECRET`] ?? '']))
  const receiver = await new Receiver({ secrets, log: console.log }).listen(port)
  console.log(`receiver ${receiver.url}`)
}
