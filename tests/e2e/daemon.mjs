// Starts licet as a user would, on a free port and a temporary folder, and talks to it.
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { describedBy } from './described.mjs'

const TOP = resolve(import.meta.dirname, '../..')
export const BINARY = process.env.LICET_BIN
  ?? ['build/src/licet', 'build/src/cli/licet', 'build/licet'].map(p => join(TOP, p)).find(existsSync)
  ?? join(TOP, 'build/src/licet')

const PROBE = 'Is Anybody Following'
export const sleep = ms => new Promise(ok => setTimeout(ok, ms))

/** Waits until `probe` gives something true; says `what` it missed when it never does. */
export async function until(probe, what, ms = 10_000) {
  const end = Date.now() + ms
  for (let wait = 5; ; wait = Math.min(wait * 1.5, 100)) {
    const found = await probe()
    if (found) return found
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for ${typeof what === 'function' ? what() : what}`)
    await sleep(wait)
  }
}

/** A free port; `wanted` if that is free. */
export function freePort(wanted = 0) {
  return new Promise((ok, no) => {
    const server = createServer()
    server.once('error', e => (wanted && e.code === 'EADDRINUSE' ? ok(freePort(0)) : no(e)))
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => ok(port))
    })
  })
}

export const newKey = () => randomBytes(24).toString('base64url')
export const newWebhookSecret = () => 'whsec_' + randomBytes(32).toString('base64')

/** Runs one command to its end: {code, out, err}. */
export function licet(args, { env = {}, cwd, input, timeout = 30_000 } = {}) {
  return new Promise(ok => {
    const child = execFile(BINARY, args, { env: { ...process.env, ...env }, cwd, timeout, maxBuffer: 64 << 20 },
      (e, out, err) => ok({ code: e ? (e.code ?? e.signal) : 0, out, err }))
    child.stdin.on('error', () => {}) // it may have ended without reading
    child.stdin.end(input)
  })
}

export class Daemon {
  /** `config(d)` gives the text of the configuration; it may use d.port, d.dir, d.privateKey, d.publicKey. */
  constructor({ config, env = {}, dir = null, port = 0, privateKey = newKey(), publicKey = newKey(), probe = null }) {
    Object.assign(this, { config, env, dir, port, privateKey, publicKey, probe })
    this.log = ''
    this.child = null
    this.tails = []
  }

  static async start(options) {
    const d = new Daemon(options)
    d.ownDir = !d.dir
    d.dir ??= await mkdtemp(join(tmpdir(), 'licet-'))
    d.port ||= await freePort()
    d.url = `http://127.0.0.1:${d.port}`
    d.configFile = join(d.dir, 'licet.yaml')
    try {
      await d.writeConfig()
      await d.run()
    } catch (e) {
      await d.stop()
      throw e
    }
    return d
  }

  async writeConfig(config = this.config) {
    this.config = config
    await writeFile(this.configFile, config(this))
  }

  async run() {
    const child = spawn(BINARY, ['serve', '--config', this.configFile], { env: { ...process.env, ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    const keep = text => (this.log = (this.log + text).slice(-200_000))
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    this.ended = new Promise(ok => {
      child.once('error', e => ok({ error: e }))
      child.once('exit', (code, signal) => ok({ code, signal }))
    }).then(end => {
      if (this.child === child) this.child = null
      return end
    })
    await until(() => !this.child || this.ready(), () => `licet to be ready\n${this.log}`, 20_000)
    if (!this.child) {
      const end = await this.ended
      throw new Error(`licet ended at start: ${end.error?.message ?? JSON.stringify(end)}\n${this.log}`)
    }
  }

  /** `probe(d)` asks in its stead, where fetch cannot. */
  ready() {
    if (this.probe) return this.probe(this)
    return fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2000) }).then(a => a.ok, () => false)
  }

  async kill(signal = 'SIGKILL') {
    const { ended } = this
    this.child?.kill(signal)
    return ended
  }

  async restart(signal = 'SIGTERM') {
    const end = await this.kill(signal)
    await this.run()
    return end
  }

  /** SIGHUP, and waits until the log tells the outcome. */
  async reload(config) {
    if (config) await this.writeConfig(config)
    const before = this.log.length
    this.child.kill('SIGHUP')
    await until(() => /"reload\.(done|refused)"/.test(this.log.slice(before)), () => `a reload\n${this.log.slice(before)}`)
  }

  async stop() {
    for (const tail of this.tails) tail.kill()
    const end = await this.kill('SIGTERM')
    if (this.ownDir && this.dir) await rm(this.dir, { recursive: true, force: true, maxRetries: 5 })
    return end
  }

  /** {status, headers, json, text}; `key` is "private", "public", null for none, or a key itself. Throws when the
   *  exchange is not as described. */
  async api(method, path, body, { key = 'private', headers = {}, ...more } = {}) {
    const value = key === 'private' ? this.privateKey : key === 'public' ? this.publicKey : key
    const text = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
    const sent = { ...(value && { ApiKey: value }), ...(text !== undefined && { 'Content-Type': 'application/json' }), ...headers }
    const answer = await fetch(this.url + path, { method, body: text, headers: sent, ...more })
    const got = { status: answer.status, headers: answer.headers, text: await answer.text() }
    try {
      got.json = JSON.parse(got.text)
    } catch {}
    describedBy(BINARY).check({ method, path, headers: sent, body: text }, got)
    return got
  }

  /** Messages as an SDK sends them. With the private key and `explain`, the verdicts come back. */
  ingest(batch, { key = 'public', explain = false, ...more } = {}) {
    const value = key === 'private' ? this.privateKey : this.publicKey
    return this.api('POST', `/v1/batch${explain ? '?explain=1' : ''}`, { batch }, {
      key: null, ...more, headers: { Authorization: `Basic ${btoa(`${value}:`)}`, ...more.headers },
    })
  }

  /** The verdicts on one message: {own: "permitted", warehouse: "no_consent", …} */
  async verdicts(message) {
    const { status, json, text } = await this.ingest([message], { key: 'private', explain: true })
    if (status !== 200 || !json?.explain?.[0]) throw new Error(`no verdict: ${status} ${text}`)
    return Object.fromEntries(json.explain[0].destinations.map(d => [d.destination, d.verdict === 'permit' ? 'permitted' : d.reason]))
  }

  cli(args, more = {}) {
    return licet([...args, '--config', this.configFile], { env: this.env, ...more })
  }

  /** Calls `each` with every line of `licet tail --json` from now on. */
  async tail(each) {
    const child = spawn(BINARY, ['tail', '--json', '--config', this.configFile], { env: { ...process.env, ...this.env }, stdio: ['ignore', 'pipe', 'inherit'] })
    this.tails.push(child)
    let follows = false
    const names = new Map() // a line about a delivery knows its event's id only
    createInterface({ input: child.stdout }).on('line', text => {
      const told = JSON.parse(text)
      if (told.type) names.set(told.event_id, { type: told.type, name: told.name, message_id: told.message_id })
      const line = { ...names.get(told.event_id), ...told }
      if (line.name === PROBE) follows = true
      else each(line)
    })
    // it follows when it tells of an event of ours
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`licet tail ended with ${child.exitCode}`)
      await this.ingest([{ type: 'track', event: PROBE, anonymousId: 'tail-probe', messageId: `probe-${randomBytes(6).toString('hex')}` }])
      return follows
    }, 'licet tail to follow')
    return child
  }

  /** The value of a metric; labels must all be there. 0 when there is none. */
  async metric(name, labels = {}) {
    const { text } = await this.api('GET', '/metrics')
    return text.split('\n').filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter(line => Object.entries(labels).every(([k, v]) => line.includes(`${k}="${v}"`)))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }
}
