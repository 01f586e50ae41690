// The description of the interface: that it is one, that its check can fail, and what of it no other test exercises.
// That every exchange of every other test is as described, Daemon.api sees to.
import { Validator } from '@seriousme/openapi-schema-validator'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BINARY, newKey } from './daemon.mjs'
import { Description, describedBy, formObject } from './described.mjs'
import { arrivals, consent, startHouse, track } from './fixture.mjs'

const doc = JSON.parse(readFileSync(join(dirname(BINARY), 'api/openapi.json'), 'utf8'))
const description = describedBy(BINARY)
const bound = newKey() // a public key of one page
const ORIGIN = 'https://shop.example'

let house, d
before(async () => {
  house = await startHouse({
    change(config) {
      config.keys.public = [...config.keys.public, { key: bound, origins: [ORIGIN] }]
      return config
    },
  })
  d = house.licet
})
after(() => house.stop())

describe('the document', () => {
  test('is a valid OpenAPI 3.1 document', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(structuredClone(doc))
    assert.ok(valid, JSON.stringify(errors, null, 1))
    assert.equal(validator.version, '3.1')
  })

  test('every schema of it can be used, and every example is as its schema says', () => {
    let examples = 0
    const look = (node, at) => {
      if (!node || typeof node !== 'object') return
      for (const [name, value] of Object.entries(node)) {
        const here = `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
        if (name === 'schema' && !Array.isArray(node)) description.fault(here, null) // throws when it is none
        if (name === 'properties' || name === 'paths' || !['example', 'examples', 'enum', 'const', 'default'].includes(name)) look(value, here)
      }
      const told = node.schema && [...('example' in node ? [node.example] : []), ...Object.values(node.examples ?? {}).map(e => e.value)]
      for (const value of told ?? []) {
        examples++
        assert.equal(description.fault(`${at}/schema`, value), null, `${at}: ${JSON.stringify(value)}`)
      }
    }
    look(doc, '')
    for (const [name, schema] of Object.entries(doc.components.schemas)) {
      for (const value of schema.examples ?? []) {
        examples++
        assert.equal(description.fault(`/components/schemas/${name}`, value), null, name)
      }
    }
    assert.ok(examples > 30, `${examples} examples`)
  })

  test('what an answer may hold is closed, but where anybody may add to it', () => {
    const open = new Set(['ConsentSubject', 'Subject', 'Proof', 'Preferences']) // unknown names are kept and come back
    const asked = new Set()
    const find = (node, into) => {
      if (!node || typeof node !== 'object') return
      const name = typeof node.$ref === 'string' && node.$ref.startsWith('#/components/schemas/') && node.$ref.split('/').at(-1)
      if (name && !into.has(name)) find(doc.components.schemas[name], into.add(name))
      Object.values(node).forEach(value => find(value, into))
    }
    for (const { operation } of description.operations()) find(operation.requestBody, asked)
    for (const [name, schema] of Object.entries(doc.components.schemas)) {
      if (schema.properties && !asked.has(name) && !open.has(name)) assert.equal(schema.additionalProperties, false, name)
    }
  })

  test('is served with its tag, and not sent again to who has it', async () => {
    for (const path of ['/openapi.json', '/docs']) {
      const first = await d.api('GET', path, undefined, { key: null })
      assert.equal(first.status, 200)
      const tag = first.headers.get('etag')
      for (const known of [tag, `"x", W/${tag}`, '*']) {
        const again = await d.api('GET', path, undefined, { key: null, headers: { 'If-None-Match': known } })
        assert.equal(again.status, 304, known)
        assert.equal(again.text, '')
        assert.equal(again.headers.get('etag'), tag)
        assert.ok([null, first.headers.get('content-length')].includes(again.headers.get('content-length')))
      }
      for (const other of ['"x"', tag.slice(0, -1), tag.replaceAll('"', '')]) {
        assert.equal((await d.api('GET', path, undefined, { key: null, headers: { 'If-None-Match': other } })).status, 200, other)
      }
      const head = await d.api('HEAD', path, undefined, { key: null })
      assert.equal(head.headers.get('content-length'), first.headers.get('content-length'))
    }
    assert.deepEqual((await d.api('GET', '/openapi.json')).json, doc)
    const page = await d.api('GET', '/openapi.json', undefined, { key: null, headers: { Origin: 'https://editor.example' } })
    assert.equal(page.headers.get('access-control-allow-origin'), '*')
  })

  test('the page has every operation and every schema of it, once', async () => {
    const { text } = await d.api('GET', '/docs', undefined, { key: null })
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(m => m[1])
    assert.equal(new Set(ids).size, ids.length)
    for (const { operation } of description.operations()) assert.ok(ids.includes(operation.operationId), operation.operationId)
    for (const name of Object.keys(doc.components.schemas)) assert.ok(ids.includes(`schema-${name}`), name)
    for (const [, target] of text.matchAll(/ href="#([^"]+)"/g)) assert.ok(ids.includes(target), `#${target} leads nowhere`)
  })
})

describe('joining the files', () => {
  const TOP = join(import.meta.dirname, '../..')
  const joined = async text => {
    const top = await mkdtemp(join(tmpdir(), 'licet-openapi-')), folder = join(top, 'src/api/openapi')
    try {
      await cp(join(TOP, 'src/api/openapi'), folder, { recursive: true })
      await cp(join(TOP, 'docs'), join(top, 'docs'), { recursive: true }) // a schema may have a file of its own
      await writeFile(join(folder, 'more.yaml'), text)
      return spawnSync('python3', [join(TOP, 'tools/openapi-join'), '1', folder, join(folder, 'out.json'), join(folder, 'out.d')], { encoding: 'utf8' })
    } finally {
      await rm(top, { recursive: true })
    }
  }
  const get = more => `paths:\n  /x:\n    get: {operationId: x, summary: X, tags: [Consents], responses: {200: {description: Y.}}${more}}\n`

  test('takes in a file that is right', async () => {
    const { status, stderr } = await joined(get(''))
    assert.equal(status, 0, stderr)
  })
  for (const [what, text, why] of [
    ['a path that is described elsewhere', 'paths:\n  /consent:\n    get: {}\n', /more\.yaml: the path \/consent is described elsewhere/],
    ['an operation without what it needs', 'paths:\n  /x:\n    get: {}\n', /GET \/x: summary is missing/],
    ['a parameter of the path that is not said', 'paths:\n  /x/{id}:\n    get: {operationId: x, summary: X, tags: [Consents], responses: {}}\n', /parameters/],
    ['an operationId of another', get('').replace('operationId: x', 'operationId: addConsent'), /operationId is that of/],
    ['a tag that nobody made', get('').replace('Consents', 'Nothing'), /no tag Nothing/],
    ['a reference that leads nowhere', get(', parameters: [{$ref: "#/components/parameters/nothing"}]'), /leads nowhere/],
    ['a name that stands twice', get('') + '  /x: {}\n', /"\/x" stands here twice/],
    ['a text cut at its comma', get('').replace('Y.', 'Y, as ever.'), /within braces a text with a comma needs quotes/],
    ['what is no YAML', 'paths: [', /more\.yaml/],
  ]) {
    test(`refuses ${what}, and says where`, async () => {
      const { status, stderr } = await joined(text)
      assert.equal(status, 1)
      assert.match(stderr, why)
      assert.doesNotMatch(stderr, /Traceback/)
    })
  }
})

describe('the check', () => {
  const answer = (status, json, type = 'application/json') => ({ status, json, text: JSON.stringify(json), headers: new Headers({ 'Content-Type': type }) })
  const fresh = new Description(structuredClone(doc))
  const asked = { method: 'GET', path: '/healthz', headers: {} }
  const fails = (request, got, why) => assert.throws(() => fresh.check(request, got), { code: 'ERR_ASSERTION', message: why })

  test('takes what is as described', () => {
    fresh.check(asked, answer(200, { status: 'ok' }))
    assert.deepEqual(fresh.seen, { 'GET /healthz': { 200: 1 } })
  })
  test('fails on a status that is not described, and says where to say it', () => {
    fails(asked, answer(418, {}), /418: this status is not described\. Say it in src\/api\/openapi/)
  })
  test('fails on another content type', () => fails(asked, answer(200, { status: 'ok' }, 'text/plain'), /content type text\/plain/))
  test('fails on a member more, one less, another value', () => {
    fails(asked, answer(200, { status: 'ok', more: 1 }), /additional properties \("more"\)/)
    fails(asked, answer(200, {}), /must have required property 'status'/)
    fails(asked, answer(200, { status: 'fine' }), /must be equal to constant/)
  })
  test('fails on an operation that is not described', () => {
    fails({ method: 'GET', path: '/v1/new' }, answer(200, {}), /not described/)
    fails({ method: 'DELETE', path: '/consent' }, answer(200, {}), /not described/)
    fresh.check({ method: 'DELETE', path: '/consent' }, answer(405, { message: 'no' }))
    fresh.check({ method: 'GET', path: '/v1/new' }, answer(404, { status: 'not_found' }))
    fails({ method: 'GET', path: '/v1/new' }, answer(404, { message: 'no' }), /404/)
  })
  test('fails on a header that must be there', () => {
    fails({ method: 'GET', path: '/docs' }, { status: 200, text: '<!doctype html>', headers: new Headers({ 'Content-Type': 'text/html' }) }, /header ETag/)
  })
  test('fails on a body or parameter that was taken and may not be sent', () => {
    const stored = answer(200, { id: '019ab3c4-5d6e-7f80-9123-456789abcdef', timestamp: '2026-05-04T14:52:26Z', subject_id: 'u1' })
    const say = body => ({ method: 'POST', path: '/beta//consent/', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
    fresh.check(say({ subject: { id: 7 } }), stored)
    fails(say({ subject: { id: true } }), stored, /a body was taken/)
    fails({ ...say(''), headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'proofs=x' }, stored, /a body was taken/)
    fails({ method: 'GET', path: '/consent?limit=101' }, answer(200, []), /parameter limit=101/)
    fresh.check({ method: 'GET', path: '/consent?limit=&unknown=1' }, answer(200, []))
  })
  test('names what nobody exercised', () => {
    const lines = new Description(structuredClone(doc)).unexercised({ 'GET /healthz': { 200: 1 }, 'GET /consent/{id}': { 200: 1 } })
    assert.ok(lines.includes('POST /consent: no test at all'))
    assert.ok(lines.includes('GET /consent/{id}: no test gets 404'))
    assert.ok(lines.includes('the common answer WrongKey: no test gets it'))
    assert.ok(!lines.some(line => line.startsWith('GET /healthz')))
  })
  test('reads forms as the daemon does', () => {
    assert.deepEqual(formObject('a[b]=1&a[c][]=2&a[c][]=3&l[][i]=4&l[][v]=5&l[][i]=6&n[0][x]=7&e=+%26'),
      { a: { b: '1', c: ['2', '3'] }, l: [{ i: '4', v: '5' }, { i: '6' }], n: [{ x: '7' }], e: ' &' })
  })
})

// ---- what no other test asks by Daemon.api ----

const basic = key => ({ Authorization: `Basic ${btoa(`${key}:`)}` })
const sent = (path, body, headers) => d.api('POST', path, body, { key: null, headers })
const EVENTS = Object.keys(doc.paths).filter(path => doc.paths[path].post?.tags.includes('Events'))

for (const path of EVENTS) {
  test(`POST ${path}: stored, without a key, from a wrong page, too large`, async () => {
    const one = track('paths')
    const stored = await sent(path, /batch|\/b$|import/.test(path) ? { batch: [one] } : one, basic(d.publicKey))
    assert.deepEqual([stored.status, stored.json], [200, { success: true }])
    assert.equal((await sent(path, one, {})).status, 401)
    assert.equal((await sent(path, one, basic('x'.repeat(32)))).status, 401)
    assert.equal((await sent(path, one, { ...basic(bound), Origin: 'https://other.example' })).status, 403)
    assert.equal((await sent(path, one, { ...basic(bound), Origin: ORIGIN })).status, 200)
    assert.equal((await sent(path, { batch: Array(2501).fill(0) }, basic(d.publicKey))).status, 413)
    assert.equal((await sent(path, '{', basic(d.publicKey))).status, 400)
  })
}

test('a picture: stored, without a key, from a wrong page', async () => {
  const ask = (key, headers = {}) => d.api('GET', `/pixel/v1/page?anonymousId=a1&context.page.path=/x${key && `&writeKey=${key}`}`, undefined, { key: null, headers })
  assert.equal((await ask(d.publicKey)).status, 200)
  assert.equal((await ask('')).status, 401)
  assert.equal((await ask(bound, { Origin: 'https://other.example' })).status, 403)
  const many = Array.from({ length: 129 }, (_, i) => `p${i}=1`).join('&')
  assert.equal((await d.api('GET', `/pixel/v1/page?writeKey=${d.publicKey}&${many}`, undefined, { key: null })).status, 400)
})

test('what the browser SDKs ask for first', async () => {
  assert.equal((await d.api('GET', `/v1/projects/${d.publicKey}/settings`, undefined, { key: null })).status, 200)
  assert.equal((await d.api('GET', '/v1/projects/unknown-key/settings', undefined, { key: null })).status, 404)
  assert.equal((await d.api('GET', '/sourceConfig/?p=npm', undefined, { key: null, headers: basic(d.publicKey) })).status, 200)
  assert.equal((await d.api('GET', '/sourceConfig', undefined, { key: null })).status, 401)
})

test('what the world may ask', async () => {
  for (const path of ['/healthz', '/readyz', '/.well-known/gpc.json', '/metrics']) {
    assert.equal((await d.api('GET', path, undefined, { key: null })).status, 200, path)
  }
  assert.equal((await d.api('GET', '/metrics', undefined, { key: null, headers: { 'X-Forwarded-For': '203.0.113.7' } })).status, 401)
  assert.equal((await d.api('GET', '/metrics', undefined, { headers: { 'X-Forwarded-For': '203.0.113.7' } })).status, 200)
})

test('documents and their content', async () => {
  const form = bytes => Buffer.concat([Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'), bytes, Buffer.from('\r\n--b--\r\n')])
  const upload = bytes => d.api('POST', '/documents', form(bytes), { headers: { 'Content-Type': 'multipart/form-data; boundary=b' } })
  const { json } = await upload(Buffer.from('%PDF-1.7\n% signed\nstartxref\n9\n%%EOF\n'))
  assert.equal((await upload(Buffer.alloc(1 << 21, '%PDF-1.7\n'))).status, 413)
  assert.deepEqual((await d.api('GET', `/documents/${json.id}`)).json, json)
  assert.equal((await d.api('GET', `/documents/${json.id}/content`)).status, 200)
  assert.deepEqual((await d.api('GET', '/documents?limit=1')).json, [json])
  for (const path of ['', '/content']) assert.equal((await d.api('GET', `/documents/018f3b0a-0000-7000-8000-000000000009${path}`)).status, 404)
})

test('bodies that are too large', async () => {
  const large = { content: 'x'.repeat(1 << 20) }
  await consent(d, 'large', {})
  for (const [method, path] of [['POST', '/consent'], ['POST', '/public/consent'], ['POST', '/subjects'], ['PUT', '/subjects/large'], ['PATCH', '/subjects/large'], ['POST', '/legal_notices'], ['POST', '/v1/void']]) {
    assert.equal((await d.api(method, path, large)).status, 413, `${method} ${path}`)
  }
  assert.equal((await d.api('POST', '/v1/imports?id=large&kind=consents', 'x'.repeat((4 << 20) + 1), { headers: { 'Content-Type': 'application/x-ndjson' } })).status, 413)
})

test('an Idempotency-Key with another body, by either key', async () => {
  for (const path of ['/consent', '/public/consent']) {
    const say = n => d.api('POST', path, { subject: { id: 'once' }, preferences: { newsletter: n } }, { headers: { 'Idempotency-Key': 'described' } })
    assert.equal((await say(1)).status, 200)
    assert.equal((await say(2)).status, 409)
  }
})

test('subjects, notices, purposes and imports that are not there', async () => {
  const paths = ['GET /consent/018f3b0a-0000-7000-8000-000000000009', 'GET /subjects/nobody-here', 'PUT /subjects/nobody-here', 'PATCH /subjects/nobody-here', 'GET /subjects/nobody-here/consent/last',
    'GET /legal_notices/none', 'GET /legal_notices/none/1', 'GET /v1/notices/none/pending', 'GET /v1/purposes/none/coverage', 'GET /v1/imports/none',
    'GET /v1/imports/none/refused', 'GET /v1/decisions/018f3b0a-0000-7000-8000-000000000009']
  for (const line of paths) {
    const [method, path] = line.split(' ')
    const { status } = await d.api(method, path, method === 'GET' ? undefined : {})
    assert.equal(status, 404, line)
  }
})

test('an import, how far it is, and what it refused', async () => {
  const lines = `1 ${JSON.stringify({ subject: { id: 'i1' }, preferences: { newsletter: true } })}\n2 {"timestamp":"soon"}\n`
  const send = kind => d.api('POST', `/v1/imports?id=described&kind=${kind}`, lines, { headers: { 'Content-Type': 'application/x-ndjson' } })
  const { json } = await send('consents')
  assert.equal(json.accepted, 1)
  assert.equal(json.refused[0].field, 'timestamp')
  assert.equal((await send('subjects')).status, 409)
  assert.equal((await d.api('GET', '/v1/imports/described')).json.refused, 1)
  assert.equal((await d.api('GET', '/v1/imports/described/refused')).json[0].line, 2)
})

test('decisions: of one event, of what was stopped, as they are made', async () => {
  const tail = after => new Promise((ok, no) => {
    const path = `/v1/tail${after === undefined ? '' : `?after=${after}`}`
    httpRequest({ socketPath: join(d.dir, 'data/licet.sock'), path }, async answer => {
      const got = { status: answer.statusCode, headers: new Headers(answer.headers), text: Buffer.concat(await answer.toArray()).toString() }
      description.check({ method: 'GET', path, headers: {} }, got)
      ok(got.text.trim().split('\n').map(line => JSON.parse(line)))
    }).on('error', no).end()
  })
  const [{ last }] = await tail()
  await consent(d, 'decided', { statistics: true })
  const { json } = await d.ingest([track('decided'), track('nobody')], { key: 'private', explain: true })
  const lines = await tail(last)
  assert.ok(lines.length > 1 && lines.at(-1).last > last)
  await arrivals(house.receiver, 1)
  assert.equal((await d.api('GET', `/v1/decisions/${json.explain[0].id}`)).status, 200)
  assert.equal((await d.api('GET', '/v1/decisions?from_time=2026-01-01')).status, 200)
  assert.equal((await d.api('GET', '/v1/tail')).status, 403)
})

test('deliveries, and how each destination stands', async () => {
  for (const state of ['', 'dead', 'retry', 'sending']) assert.deepEqual((await d.api('GET', `/v1/deliveries?state=${state}`)).json, [])
  assert.deepEqual((await d.api('POST', '/v1/deliveries/resend?all=1')).json, { resent: 0 })
  assert.equal((await d.api('GET', '/v1/deliveries/destinations')).json.length, 2)
  assert.deepEqual((await d.api('POST', '/v1/deliveries/pause?destination=crm')).json, { destination: 'crm', paused: true })
  assert.equal((await d.api('GET', '/v1/deliveries/destinations')).json.find(x => x.destination === 'crm').state, 'paused')
  assert.deepEqual((await d.api('POST', '/v1/deliveries/resume?destination=crm')).json, { destination: 'crm', paused: false })
})
