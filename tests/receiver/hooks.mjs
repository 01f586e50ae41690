// A receiver of licet's hooks: checks every request strictly, lets the library of the Standard Webhooks specification
// judge each as well, and remembers what it took. It can misbehave in every way a receiver can.
import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { Fault, secretKey, sign } from './verify.mjs'

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
export const TYPES = ['consent.recorded', 'consent.withdrawn', 'subject.created', 'subject.changed', 'subject.restricted',
  'subject.released', 'notice.published', 'notice.pending', 'text.voided', 'verification.requested']

const must = (condition, why) => {
  if (!condition) throw new Fault(why)
}

/** Throws a Fault, or gives the message. */
export function verifyMessage({ method, headers, body, secret, aheadMs = 0 }) {
  must(method === 'POST', `${method} instead of POST`)
  must(headers['content-type'] === 'application/json', 'Content-Type is not application/json')
  must(/^licet\/\d/.test(headers['user-agent']), 'User-Agent is not licet')
  must(!headers['content-encoding'] && headers['content-length'] === String(body.length), 'the body is not of the length that was said')
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers
  must(Math.abs((Date.now() + aheadMs) / 1000 - timestamp) <= 300, 'webhook-timestamp is more than 5 minutes off')
  must(signature === sign(secretKey(secret), id, timestamp, body), 'webhook-signature does not match')
  try {
    if (aheadMs === 0) new Webhook(secret).verify(body, headers) // it knows this machine's time only
  } catch (e) {
    throw new Fault(`standardwebhooks: ${e.message}`)
  }
  const message = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  must(Object.keys(message).join() === 'id,type,time,data', 'the body is not {id, type, time, data}')
  must(message.id === id && UUID7.test(id), 'the id is not the one of the header, or no UUIDv7')
  must(TYPES.includes(message.type), `type ${message.type}`)
  must(ISO_TIME.test(message.time) && Date.parse(message.time) === parseInt(id.replace('-', '').slice(0, 12), 16), 'the time is not that of the id')
  must(message.data !== null && typeof message.data === 'object', 'data is no object')
  return message
}

export class HookReceiver {
  /** answer({path, message, headers, count, attempt}) may return {status, headers, delayMs, reset, endless, never}. */
  constructor({ secret, answer = null }) {
    Object.assign(this, { secret, answer })
    this.taken = [] // {path, message, attempt, atMs}: answered with 2xx
    this.attempts = [] // {path, message, headers}: all that came
    this.bodies = new Map() // path + id → body: a repeated one is the same bytes
    this.faults = []
    this.ids = new Set() // of all that was taken
    this.remembers = true // false: no bodies and no history, of very many
    this.open = 0
    this.aheadMs = 0 // of the daemon's clock
    this.mostOpen = 0
    this.server = createServer((q, r) => this.take(q, r).catch(e => this.faults.push(String(e?.stack ?? e))))
    this.server.keepAliveTimeout = 60_000
  }

  async listen(port = 0) {
    await new Promise((ok, no) => this.server.once('error', no).listen(port, '127.0.0.1', ok))
    this.port = this.server.address().port
    this.url = `http://127.0.0.1:${this.port}`
    return this
  }

  close() {
    this.server.closeAllConnections()
    return new Promise(ok => this.server.close(ok))
  }

  check(path, q, body) {
    const message = verifyMessage({ method: q.method, headers: q.headers, body, secret: this.secret, aheadMs: this.aheadMs })
    if (!this.remembers) return message
    const key = `${path} ${message.id}`
    must((this.bodies.get(key) ?? String(body)) === String(body), 'this id came before with another body')
    this.bodies.set(key, String(body))
    return message
  }

  async take(q, r) {
    this.mostOpen = Math.max(this.mostOpen, ++this.open)
    r.on('close', () => this.open--)
    const chunks = []
    for await (const chunk of q) chunks.push(chunk)
    let message
    try {
      message = this.check(q.url, q, Buffer.concat(chunks))
    } catch (e) {
      this.faults.push(e.message)
      return r.writeHead(400).end()
    }
    const attempt = this.remembers ? this.attempts.filter(a => a.path === q.url && a.message.id === message.id).length + 1 : 0
    if (this.remembers) this.attempts.push({ path: q.url, message, headers: q.headers })
    const behave = (await this.answer?.({ path: q.url, message, headers: q.headers, count: this.attempts.length, attempt })) ?? {}
    if (behave.never) return
    if (behave.reset) return q.socket.resetAndDestroy()
    if (behave.delayMs) await new Promise(ok => setTimeout(ok, behave.delayMs))
    if (behave.endless) return this.talk(r, behave)
    const status = behave.status ?? 204
    if (status >= 200 && status < 300 && !r.destroyed) {
      this.ids.add(message.id)
      if (this.remembers || message.type !== 'consent.recorded') this.taken.push({ path: q.url, message, attempt, atMs: Date.now() })
    }
    r.writeHead(status, behave.headers).end()
  }

  /** A body that never ends. */
  async talk(r, { status = 200, message }) {
    r.writeHead(status)
    while (!r.destroyed && r.write('x'.repeat(16384)) !== undefined) await new Promise(ok => setTimeout(ok, 1))
    return message
  }

  of(path, where = () => true) {
    return this.taken.filter(t => t.path === path && where(t.message)).map(t => t.message)
  }
}
