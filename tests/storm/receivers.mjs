// Receivers whose mood changes: they take, refuse, are busy, reset, take and die, answer slowly
// or half, hang, or are not there. Each keeps its own record of what it saw and what it kept.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { sleep } from '../e2e/daemon.mjs'
import { Fault, secretKey, verifyRequest } from '../receiver/verify.mjs'
import { nowMs } from './dice.mjs'

// bits of an event's record at one receiver
export const SAW = 1 // all of a request with it was here
export const TOOK = 2 // and was answered with 200
export const DOUBT = 4 // and was not answered, or not wholly: licet cannot know
export const KEPT = 8 // and was kept all the same

const MOODS = [
  [60, 'takes'], [6, 'slow'], [6, 'http 500'], [6, 'http 503'], [5, 'http 429'], [2, 'http 400'], [4, 'resets early'],
  [4, 'resets late'], [5, 'takes and dies'], [3, 'half an answer'], [3, 'garbage'], [4, 'hangs'], [4, 'is not there'],
]
const HANG_MS = 4000

export class StormReceiver {
  /** arrived(i, beganMs): called for each event of a request that was here as a whole. */
  constructor({ id, secret, events, dice, arrived }) {
    Object.assign(this, { id, dice, arrived })
    this.key = secretKey(secret)
    this.record = new Uint8Array(events)
    this.mood = 'takes'
    this.faults = []
    this.counts = {}
    this.idsOf = new Map() // webhook-id → hash of its events
    this.hanging = new Set()
    this.server = createServer((q, r) => this.serve(q, r).catch(e => this.faults.push(String(e.stack ?? e))))
    this.server.keepAliveTimeout = 60_000
    this.server.on('clientError', (e, socket) => socket.destroy())
  }

  listen(port = 0) {
    return new Promise((ok, no) => this.server.once('error', no).listen(port, '127.0.0.1', () => {
      this.server.off('error', no)
      this.port = this.server.address().port
      this.url = `http://127.0.0.1:${this.port}`
      ok(this)
    }))
  }

  async setMood(mood) {
    const was = this.mood
    this.mood = mood
    for (const release of this.hanging) release()
    if (mood === 'is not there' && was !== mood) {
      this.server.closeAllConnections()
      await new Promise(ok => this.server.close(ok))
    }
    if (was === 'is not there' && was !== mood) await this.listen(this.port)
  }

  /** Changes its mood until `over()`; about half of the time it takes what comes. */
  async live(over, meanMs) {
    while (!over()) {
      await this.setMood(this.dice.weighed(MOODS))
      for (const end = Date.now() + this.dice.wait(this.mood === 'takes' ? meanMs * 1.5 : meanMs); !over() && Date.now() < end;) await sleep(50)
    }
    await this.setMood('takes')
  }

  async close() {
    for (const release of this.hanging) release()
    this.server.closeAllConnections()
    if (this.server.listening) await new Promise(ok => this.server.close(ok))
  }

  mark(indexes, bits) {
    for (const i of indexes) this.record[i] |= bits
  }

  async serve(q, r) {
    const beganMs = nowMs()
    const mood = this.mood
    this.counts[mood] = (this.counts[mood] ?? 0) + 1
    if (mood === 'resets early') return q.socket.resetAndDestroy()
    const chunks = []
    try {
      for await (const chunk of q) chunks.push(chunk)
    } catch {
      return // cut off by licet, by its end, or by ours
    }
    const indexes = this.check(q, Buffer.concat(chunks), beganMs)
    if (!indexes) return r.writeHead(400).end('no')
    this.mark(indexes, SAW)
    await this.answer(mood, indexes, q, r)
  }

  /** The numbers of the request's events, or null when it is not what licet promises. */
  check(q, body, beganMs) {
    try {
      const events = verifyRequest({ method: q.method, headers: q.headers, body, key: this.key })
      const id = q.headers['webhook-id']
      const hash = createHash('sha256').update(events.map(e => e.id).join()).digest('base64')
      if ((this.idsOf.get(id) ?? hash) !== hash) throw new Fault(`webhook-id ${id} came before with other events`)
      this.idsOf.set(id, hash)
      const indexes = events.map(e => Number(/^storm-(\d+)$/.exec(e.event.messageId)?.[1] ?? NaN))
      if (!indexes.every(i => i < this.record.length)) throw new Fault('a messageId that nobody sent')
      for (const i of indexes) this.arrived(i, beganMs)
      return indexes
    } catch (e) {
      if (!(e instanceof Fault)) throw e
      this.faults.push(e.message)
      return null
    }
  }

  async answer(mood, indexes, q, r) {
    const say = (status, headers = {}) => r.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end('{}')
    switch (mood) {
      case 'http 500': case 'http 400': return say(Number(mood.slice(5)))
      case 'http 503': case 'http 429': return say(Number(mood.slice(5)), this.dice.chance(0.5) ? { 'Retry-After': '1' } : {})
      case 'resets late': this.mark(indexes, DOUBT); return q.socket.resetAndDestroy()
      case 'takes and dies': this.mark(indexes, DOUBT | KEPT); return q.socket.destroy()
      case 'half an answer':
        this.mark(indexes, DOUBT | KEPT)
        return q.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"ok"')
      case 'garbage': this.mark(indexes, DOUBT); return q.socket.end('no HTTP at all\r\n\r\n')
      case 'hangs':
        this.mark(indexes, DOUBT)
        await this.hang()
        return q.socket.resetAndDestroy()
      case 'slow': await sleep(this.dice.between(50, 1200)) // and then as usual
    }
    // kept before it is answered; whether licet hears the answer is another matter
    this.mark(indexes, TOOK | KEPT)
    say(200)
  }

  async hang() {
    await new Promise(ok => {
      const timer = setTimeout(ok, HANG_MS)
      const release = () => (clearTimeout(timer), ok())
      this.hanging.add(release)
    })
    this.hanging.clear()
  }
}
