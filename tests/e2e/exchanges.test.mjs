// Exchanges as they are on record, one per operation and per thing that clients are known to do: each file of
// exchanges/ is a list of stories, told to one fresh licet in their order. README.md there says how they are written.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { BINARY } from './daemon.mjs'
import { describedBy } from './described.mjs'
import { startHouse } from './fixture.mjs'

const FOLDER = join(import.meta.dirname, 'exchanges')

const PATTERNS = {
  uuid: v => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(v),
  time: v => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(v),
  hex64: v => /^[0-9a-f]{64}$/.test(v),
  text: v => typeof v === 'string' && v.length > 0,
  any: () => true,
}

/** What is asked and answered in one file shares these: "${name}" in a request, "$name" in an answer. */
class Told {
  constructor(start) {
    this.values = { ...start }
  }

  fill(text) {
    return text.replace(/\$\{(\w+)\}/g, (_, name) => {
      if (!(name in this.values)) throw new Error(`nothing is known of \${${name}}`)
      return this.values[name]
    })
  }

  /** Compares an answer: "$uuid" and the like are patterns, "$uuid:name" keeps what was there, "$name" is what was kept.
   *  An object with "...": true may have more members. */
  match(wanted, got, at = 'the answer') {
    if (typeof wanted === 'string' && wanted.startsWith('$')) {
      const [name, keep] = wanted.slice(1).split(':')
      if (name in PATTERNS) assert.ok(PATTERNS[name](got), `${at}: ${JSON.stringify(got)} is no ${name}`)
      else assert.deepEqual(got, this.values[name], `${at}: is not $${name}`)
      if (keep) this.values[keep] = got
    } else if (Array.isArray(wanted)) {
      assert.ok(Array.isArray(got), `${at}: ${JSON.stringify(got)} is no array`)
      assert.equal(got.length, wanted.length, `${at}: ${JSON.stringify(got).slice(0, 2000)}`)
      wanted.forEach((w, i) => this.match(w, got[i], `${at}[${i}]`))
    } else if (wanted && typeof wanted === 'object') {
      assert.ok(got && typeof got === 'object' && !Array.isArray(got), `${at}: ${JSON.stringify(got)} is no object`)
      const { '...': more, ...members } = wanted
      for (const [name, w] of Object.entries(members)) {
        assert.ok(name in got, `${at}.${name} is missing`)
        this.match(w, got[name], `${at}.${name}`)
      }
      if (!more) assert.deepEqual(Object.keys(got).sort(), Object.keys(members).sort(), at)
    } else {
      assert.deepEqual(got, wanted, at)
    }
  }
}

function bodyOf(request, told) {
  if (request.latin1 !== undefined) return Buffer.from(told.fill(request.latin1), 'latin1')
  if (request.repeat) return request.repeat.text.replace('#', 'x'.repeat(request.repeat.bytes))
  if (request.text !== undefined) return told.fill(request.text)
  return request.json === undefined ? undefined : told.fill(JSON.stringify(request.json))
}

/** The very bytes that a client sends: its lines, an empty one, its body. */
async function raw(d, lines, body, told) {
  const bytes = Buffer.from(told.fill(body ?? ''))
  const head = told.fill(lines.join('\r\n').replace('${length}', String(bytes.length)))
  const text = await new Promise((ok, no) => {
    const socket = connect(d.port, '127.0.0.1', () => socket.write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes])))
    const parts = []
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')))
    socket.on('error', no)
    socket.on('close', () => ok(Buffer.concat(parts).toString()))
    socket.on('data', part => {
      parts.push(part)
      const all = Buffer.concat(parts).toString('latin1')
      const end = all.indexOf('\r\n\r\n')
      const length = /^content-length: (\d+)/im.exec(all.slice(0, end))
      if (end >= 0 && all.length >= end + 4 + Number(length?.[1] ?? 0)) socket.end()
    })
  })
  const [top, ...rest] = text.split('\r\n\r\n')
  const headers = new Headers(top.split('\r\n').slice(1).map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]))
  const got = { status: Number(top.split(' ')[1]), headers, text: rest.join('\r\n\r\n') }
  try {
    got.json = JSON.parse(got.text)
  } catch {}
  const [method, path] = head.split(' ')
  describedBy(BINARY).check({ method, path, headers: /^content-type: .*/im.test(head) ? { 'content-type': /^content-type: (.*)/im.exec(head)[1] } : {}, body: bytes }, got)
  return got
}

async function ask(d, request, told) {
  if (request.lines) return raw(d, request.lines, request.body, told)
  const keys = { private: d.privateKey, public: d.publicKey, wrong: 'x'.repeat(32), none: null }
  return d.api(request.method, told.fill(request.path), bodyOf(request, told), {
    key: keys[request.key ?? 'private'], headers: request.headers ?? {},
  })
}

for (const file of readdirSync(FOLDER).filter(f => f.endsWith('.json'))) {
  const { configuration = {}, stories } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))
  let house, told
  before(async () => {
    house = await startHouse({ change: c => Object.assign(c, configuration) })
    told = new Told({ private: house.licet.privateKey, public: house.licet.publicKey, host: `127.0.0.1:${house.licet.port}`, now: new Date().toISOString() })
  })
  after(() => house?.stop())
  for (const { name, exchanges } of stories) {
    test(`${file}: ${name}`, async () => {
      for (const [i, { request, answer }] of exchanges.entries()) {
        const got = await ask(house.licet, request, told)
        const where = `exchange ${i + 1}, ${request.path ?? request.lines[0]}`
        assert.equal(got.status, answer.status, `${where}: ${got.text.slice(0, 1000)}`)
        if ('json' in answer) told.match(answer.json, got.json, where)
        for (const [header, wanted] of Object.entries(answer.headers ?? {})) {
          const value = got.headers.get(header)
          if (wanted === null) assert.equal(value, null, `${where}: ${header}`)
          else assert.match(value ?? '(missing)', new RegExp(wanted, 'i'), `${where}: ${header}`)
        }
      }
    })
  }
}
