#!/usr/bin/env node
// The storm itself. Run by script/storm, which says what it does.
import { execFile, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs, promisify } from 'node:util'

const { values: options } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' }, minutes: { type: 'string', default: '15' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) }, build: { type: 'string', default: 'build' },
    memory: { type: 'string', default: '96' }, keep: { type: 'boolean', default: false },
  },
})
process.env.LICET_BIN ??= resolve(import.meta.dirname, '../..', options.build, 'src/licet')
const { BINARY, Daemon, freePort, newWebhookSecret, sleep } = await import('../e2e/daemon.mjs')
const { Account, Discrepancies } = await import('./account.mjs')
const { Dice, nowMs } = await import('./dice.mjs')
const { Disk } = await import('./disk.mjs')
const { anotherConfiguration, configuration, DESTINATIONS, RECEIVERS } = await import('./house.mjs')
const { EITHER, People } = await import('./people.mjs')
const { StormReceiver } = await import('./receivers.mjs')

const EVENTS = Number(options.events), MINUTES = Number(options.minutes), SEED = options.seed
if (!(EVENTS > 0 && MINUTES > 0)) throw new Error('--events and --minutes are numbers above 0')
const MEMORY_MB = Number(options.memory)
const POURERS = 4
const deadline = Date.now() + MINUTES * 60_000
// a third of the time is for coming to rest
const RATE = Math.max(2000, EVENTS / (MINUTES * 60 * 0.66)) // a second, at most
const seconds = EVENTS / RATE
const mean = usual => Math.min(usual, Math.max(1, seconds / 8)) * 1000 // so that a short storm has some of everything
const dice = name => new Dice(SEED, name)
const told = n => n.toLocaleString('en')

class Storm {
  constructor() {
    this.wrong = new Discrepancies()
    this.base = Math.floor(Date.now() / 1000) * 1000 - 86_400_000 // event i happened i ms later: so its line is known again
    this.who = { device: new Int16Array(EVENTS), person: new Int16Array(EVENTS) }
    this.expected = DESTINATIONS.map(() => new Uint8Array(EVENTS))
    this.next = 0
    this.acknowledged = 0
    this.again = 0
    this.pouring = true
    this.count = { kills: 0, reloads: 0, full: 0, busy: 0, refusals: 0 }
    this.memory = []
    this.lagMs = 0
    this.failed = new Promise((_, no) => (this.fail = no))
    this.failed.catch(() => {}) // it is waited for below
  }

  async start() {
    this.dir = await mkdtemp(join(tmpdir(), 'licet-storm-'))
    this.disk = new Disk(this.dir, (512 << 20) + EVENTS * 4096)
    const secrets = Object.fromEntries(RECEIVERS.map(id => [id, newWebhookSecret()]))
    this.receivers = {}
    for (const id of RECEIVERS) {
      this.receivers[id] = await new StormReceiver({
        id, secret: secrets[id], events: EVENTS, dice: dice(id), arrived: (i, beganMs) => this.arrived(id, i, beganMs),
      }).listen()
    }
    this.urls = Object.fromEntries(RECEIVERS.map(id => [id, this.receivers[id].url]))
    await symlink(this.disk.folder, join(this.dir, 'data'))
    this.daemon = new Daemon({
      dir: this.dir, config: () => JSON.stringify(configuration(this.urls)),
      env: Object.fromEntries(RECEIVERS.map(id => [`${id.toUpperCase()}_SECRET`, secrets[id]])),
    })
    const d = this.daemon
    d.port = await freePort()
    d.url = `http://127.0.0.1:${d.port}`
    d.configFile = join(this.dir, 'licet.yaml')
    Object.assign(d.env, { LICET_PORT: String(d.port), LICET_PRIVATE_KEY: d.privateKey, LICET_PUBLIC_KEY: d.publicKey })
    await d.writeConfig()
    await this.live()
    this.people = new People({ devices: 400, persons: 200, dice: dice('people'), daemon: d })
  }

  /** Starts the daemon; on a full disk it may refuse, then there is room again. */
  async live() {
    for (let tries = 0; ; tries++) {
      try {
        await this.daemon.run()
        this.disk.needed = this.ending = false
        this.daemon.ended.then(end => this.ending || this.fail(new Error(`the daemon ended by itself: ${JSON.stringify(end)}`)))
        return
      } catch (e) {
        if (tries > 5) throw e
        await this.daemon.kill('SIGKILL')
        this.disk.needed = true
        this.disk.free(this.daemon)
        this.count.refusals++
        await sleep(200)
      }
    }
  }

  /** The most memory that this life has had. */
  measure() {
    try {
      this.peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${this.daemon.child.pid}/status`, 'utf8'))[1]) / 1024
    } catch {} // it is away
  }

  lifeEnds() {
    this.ending = true
    this.measure()
    this.memory.push(this.peak)
    if (this.peak >= MEMORY_MB) this.wrong.add(`more than ${MEMORY_MB} MB`, `life ${this.memory.length}: ${this.peak.toFixed(1)} MB`)
  }

  whoOf(i) {
    return { device: this.who.device[i], person: this.who.person[i] }
  }

  nameOf(i) {
    const { device, person } = this.whoOf(i)
    return [device >= 0 && `d-${device}`, person >= 0 && `p-${person}`].filter(Boolean).join(' and ')
  }

  arrived(id, i, beganMs) {
    const why = this.people.forbidden(this.whoOf(i), DESTINATIONS.find(d => d.id === id), beganMs)
    if (why) this.wrong.add('begun after a withdrawal was answered', `storm-${i} to ${id}: ${why}`)
  }

  // ---- events ----

  makeBatch(of) {
    const batch = { from: this.next, versions: [], messages: [], tries: 0 }
    this.next = Math.min(EVENTS, this.next + 1 + of.below(200))
    for (let i = batch.from; i < this.next; i++) {
      const who = this.people.who()
      this.who.device[i] = who.device
      this.who.person[i] = who.person
      batch.messages.push({
        type: 'track', event: 'Storm', messageId: `storm-${i}`, timestamp: new Date(this.base + i).toISOString(),
        ...(who.device >= 0 && { anonymousId: `d-${who.device}` }), ...(who.person >= 0 && { userId: `p-${who.person}` }),
        properties: { n: i, text: 'x'.repeat(i % 97) },
      })
      DESTINATIONS.forEach((d, k) => (this.expected[k][i] = this.people.expected(who, d)))
      batch.versions.push(this.people.version(who))
    }
    return batch
  }

  /** Acknowledged: what anybody's act has touched meanwhile may have gone either way. */
  settle(batch) {
    batch.versions.forEach((version, k) => {
      const i = batch.from + k
      if (this.people.version(this.whoOf(i)) !== version) this.expected.forEach(e => (e[i] = EITHER))
    })
    this.acknowledged += batch.messages.length
  }

  async post(batch) {
    for (;; this.again++) {
      const answer = await this.daemon.ingest(batch.messages, { signal: AbortSignal.timeout(30_000) }).catch(() => null)
      if (answer?.status === 200) {
        if (answer.json?.rejected) this.wrong.add('rejected', JSON.stringify(answer.json.rejected[0]))
        return
      }
      if (answer?.status === 503) this.count.busy++
      else if (answer) this.wrong.add('an answer that nobody expects', `${answer.status} ${answer.text}`)
      await sleep(20)
    }
  }

  async pour(number) {
    const of = dice(`pour ${number}`)
    while (this.next < EVENTS) {
      const ahead = this.next / RATE * 1000 - (Date.now() - this.begunMs)
      if (ahead > 0) await sleep(ahead)
      if (this.next >= EVENTS) return
      const batch = this.makeBatch(of)
      await this.post(batch)
      this.settle(batch)
    }
  }

  // ---- trouble ----

  async act(number) {
    const of = dice(`act ${number}`)
    while (this.pouring) {
      await sleep(of.wait(60))
      const subject = of.pick(this.people.all)
      await this.people.say(subject, this.people.next(subject), () => !this.pouring)
    }
  }

  async kill() {
    const of = dice('kill')
    for (;;) {
      await this.pause(of.wait(mean(12)))
      if (!this.pouring) return
      this.lifeEnds()
      this.count.kills++
      await this.daemon.kill('SIGKILL')
      await this.live()
    }
  }

  /** SIGHUP, until it is in force: a new generation, or a new life. */
  async reload(change) {
    const { narrow } = this.people
    const d = this.daemon
    narrow.version++
    await d.writeConfig(() => JSON.stringify(configuration(this.urls, change)))
    const { child: life, n } = await this.generation()
    // in force with a new generation of this life, or with the next life, which reads it when it is started
    for (let tries = 0; ; tries++) {
      if (life && d.child === life) life.kill('SIGHUP')
      await sleep(200)
      const now = await this.generation()
      if (now.child !== life || now.n > n) break
      if (tries > 300) throw new Error('a reload does not come into force')
    }
    narrow.says = Boolean(change?.narrow)
    narrow.version++
    this.count.reloads++
  }

  /** The life at hand, and the number of its configuration: when it is there to be asked. */
  async generation() {
    for (;;) {
      const { child } = this.daemon
      const n = child ? await this.daemon.metric('licet_configuration_generation').catch(() => 0) : 0
      if (n > 0 && this.daemon.child === child) return { child, n }
      await sleep(50)
    }
  }

  async reloads() {
    const of = dice('reload')
    for (;;) {
      await this.pause(of.wait(mean(10)))
      if (!this.pouring) return
      await this.reload(anotherConfiguration(of))
    }
  }

  async fill() {
    const of = dice('disk')
    for (;;) {
      await this.pause(of.wait(mean(40)))
      if (!this.pouring) return
      this.count.full++
      for (const end = Date.now() + of.between(500, 3000); Date.now() < end; await sleep(100)) this.disk.fill(this.daemon)
      this.disk.free(this.daemon)
    }
  }

  async pause(ms) {
    for (const end = Date.now() + ms; this.pouring && Date.now() < end;) await sleep(50)
  }

  // ---- watching ----

  say(text) {
    console.log(`[${String(Math.round((Date.now() - this.startMs) / 1000)).padStart(4)} s] ${text}`)
  }

  watch() {
    let last = performance.now(), shown = Date.now()
    this.watching = setInterval(() => {
      const now = performance.now()
      this.lagMs = Math.max(this.lagMs, now - last - 100)
      last = now
      this.measure()
      if (Date.now() - shown < 5000) return
      shown = Date.now()
      const moods = Object.values(this.receivers).filter(r => r.mood !== 'takes').map(r => `${r.id} ${r.mood}`)
      if (this.disk.full) moods.push('the disk is full')
      this.say(`${told(this.acknowledged)} of ${told(EVENTS)} acknowledged; ${this.people.withdrawals} withdrawals, ${this.count.kills} kills, `
        + `${this.count.reloads} reloads, ${this.count.full} × full; ${this.peak?.toFixed(0)} MB; ${this.wrong.total} wrong${moods.length ? `; ${moods.join(', ')}` : ''}`)
    }, 100)
  }

  // ---- coming to rest ----

  /** Waits until nothing is on its way any more; what then waits stays in the account. */
  async rest() {
    const end = Math.max(deadline, Date.now() + 180_000)
    for (let told = 0; Date.now() < end; await sleep(500)) {
      const left = await this.left().catch(() => null)
      if (left && !Object.values(left).some(Boolean)) return
      if (left && Date.now() - told > 5000) {
        told = Date.now()
        this.say(`still ${Object.entries(left).filter(([, n]) => n).map(([what, n]) => `${n} ${what}`).join(', ')}`)
      }
    }
    this.say('not at rest in time')
  }

  async left() {
    const list = async state => (await this.daemon.api('GET', `/v1/deliveries?state=${state}`)).json.length
    return { 'groups of events behind': await this.daemon.metric('licet_delivery_lag_segments'), 'requests to try again': await list('retry'), 'on their way': await list('sending') }
  }

  async account() {
    const account = new Account({ events: EVENTS, base: this.base, expected: this.expected, receivers: this.receivers, wrong: this.wrong })
    const child = spawn(BINARY, ['deliveries', '--export', '--config', this.daemon.configFile], { env: { ...process.env, ...this.daemon.env }, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = new Promise(ok => child.once('close', ok))
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Infinity })) account.take(JSON.parse(line))
    if (await ended !== 0) this.wrong.add('licet deliveries --export failed', `exit ${child.exitCode}`)
    account.finish(i => this.nameOf(i))
    return account
  }

  /** Every act that was answered is there. */
  async checkActs() {
    const left = [...this.people.acts]
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let id; (id = left.pop());) {
        let status
        while (({ status } = await this.daemon.api('GET', `/consent/${id}`)).status === 429) await sleep(100) // asked too fast
        if (status !== 200) this.wrong.add('an acknowledged consent record is lost', `${id}: ${status}`)
      }
    }))
  }

  async verify() {
    const { stdout, error } = await promisify(execFile)(BINARY, ['verify', '--config', this.daemon.configFile], { env: { ...process.env, ...this.daemon.env }, maxBuffer: 64 << 20 })
      .catch(error => ({ stdout: error.stdout ?? '', error }))
    if (error) for (const line of stdout.split('\n').filter(l => l.startsWith('fault:')).concat(`exit ${error.code}`)) this.wrong.add('licet verify', line)
    return stdout.trim().split('\n').slice(-2).join(', ')
  }

  async run() {
    this.startMs = Date.now()
    console.log(`storm: seed ${SEED}, ${told(EVENTS)} events within ${MINUTES} minutes, at most ${told(Math.round(RATE))} a second; ${BINARY}`)
    await this.start()
    console.log(`storm: the disk is ${this.disk.how}; data in ${this.dir}`)
    await this.people.begin()
    this.watch()
    this.begunMs = Date.now()
    const weather = [
      this.kill(), this.reloads(), this.fill(), ...Array.from({ length: 6 }, (_, k) => this.act(k)),
      ...Object.values(this.receivers).map(r => r.live(() => !this.pouring, mean(4))),
    ]
    for (const w of weather) w.catch(this.fail)
    const unlessItFails = what => Promise.race([what, this.failed])
    await unlessItFails(Promise.all(Array.from({ length: POURERS }, (_, k) => this.pour(k))))
    this.pouring = false
    await unlessItFails(Promise.all(weather))
    this.say(`${told(this.acknowledged)} acknowledged; the storm is over, waiting for rest`)
    await unlessItFails(this.reload().then(() => this.rest()).then(() => this.checkActs()))
    this.lifeEnds()
    const end = await this.daemon.kill('SIGTERM')
    if (end.code !== 0) this.wrong.add('a stop that is not clean', JSON.stringify(end))
    clearInterval(this.watching)
    this.say('at rest; licet verify')
    const verified = await this.verify()
    this.say('the account')
    this.summary(await this.account(), verified)
  }

  summary(account, verified) {
    for (const r of Object.values(this.receivers)) for (const fault of r.faults) this.wrong.add('a request that is not what licet promises', `${r.id}: ${fault}`)
    const moods = {}
    for (const r of Object.values(this.receivers)) for (const [mood, n] of Object.entries(r.counts)) moods[mood] = (moods[mood] ?? 0) + n
    const firm = account.sum.warehouse.firm
    const lines = [
      '', `seed ${SEED}: ${told(this.acknowledged)} events acknowledged in ${Math.round((Date.now() - this.startMs) / 1000)} s; ${told(this.again)} batches sent again`,
      ...account.lines(),
      `  of ${told(firm)} events it was certain beforehand what must be decided; of the others somebody's act was on its way`,
      `  ${told(this.people.acts.length)} acts, ${told(this.people.withdrawals)} of them lower; the slowest took ${Math.round(this.people.longestMs)} ms; ${this.people.refused} answered 503`,
      `  ${this.count.kills} kills, ${this.count.reloads} reloads, ${this.count.full} times a full disk (${told(this.count.busy)} batches answered 503, ${this.count.refusals} starts refused)`,
      `  requests by mood of the receiver: ${Object.entries(moods).map(([m, n]) => `${m} ${told(n)}`).join(', ')}`,
      `  memory: ${Math.max(...this.memory).toFixed(1)} MB at most in ${this.memory.length} lives; limit ${MEMORY_MB}`,
      `  ${verified}`, `  the storm's own longest stop: ${Math.round(this.lagMs)} ms`, '',
      ...(this.wrong.total ? [`${told(this.wrong.total)} things do not add up:`, ...this.wrong.lines()] : ['Everything adds up.']),
    ]
    console.log(lines.join('\n'))
  }

  async stop() {
    this.pouring = false
    this.ending = true
    clearInterval(this.watching)
    if (this.daemon?.child) await this.daemon.kill('SIGKILL')
    for (const r of Object.values(this.receivers ?? {})) await r.close()
    const keep = options.keep && this.wrong.total
    if (keep) {
      const copy = await mkdtemp(join(tmpdir(), 'licet-storm-kept-'))
      await promisify(execFile)('cp', ['-a', `${this.disk.folder}/.`, this.daemon.configFile, copy])
      console.log(`kept in ${copy}`)
    }
    this.disk?.close()
    if (this.dir) await rm(this.dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

const storm = new Storm()
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => storm.stop().finally(() => process.exit(130)))
let code = 1
try {
  await storm.run()
  code = storm.wrong.total ? 1 : 0
} catch (e) {
  console.error(e)
  if (storm.daemon) console.error(storm.daemon.log.slice(-3000))
  for (const line of storm.wrong.lines()) console.error(line)
}
await storm.stop()
process.exit(code)
