// Raw bytes from people who do not mean well: a clear error, and everybody else is served on.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { sleep, until } from './daemon.mjs'
import { consent, startHouse, track } from './fixture.mjs'

let house, d, auth
before(async () => {
  house = await startHouse()
  d = house.licet
  auth = `Authorization: Basic ${btoa(`${d.publicKey}:`)}\r\n`
})
after(() => house.stop())
beforeEach(async () => assert.ok(await d.ready(), 'the daemon serves on'))

/** Sends bytes, gives all that comes back until the other side closes, or `ms` pass. */
function raw(bytes, { ms = 3000, chunks = null } = {}) {
  return new Promise(ok => {
    const socket = connect(d.port, '127.0.0.1')
    let text = ''
    const done = closed => (clearTimeout(timer), socket.destroy(), ok({ text, closed, status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0) }))
    const timer = setTimeout(() => done(false), ms)
    socket.setEncoding('latin1').on('data', t => (text += t)).on('close', () => done(true)).on('error', () => {})
    for (const chunk of chunks ?? [bytes]) socket.write(chunk)
  })
}
const head = (lines, path = '/v1/batch') => `POST ${path} HTTP/1.1\r\nHost: x\r\n${auth}${lines}\r\n`

const SMUGGLING = {
  'two Content-Lengths': () => head('Content-Length: 2\r\nContent-Length: 20\r\n') + '{}',
  'two equal Content-Lengths': () => head('Content-Length: 2\r\nContent-Length: 2\r\n') + '{}',
  'Content-Length with Transfer-Encoding': () => head('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n') + '0\r\n\r\n',
  'a space before the colon': () => head('Content-Length : 2\r\n') + '{}',
  'an unknown Transfer-Encoding': () => head('Transfer-Encoding: gzip, chunked\r\n') + '0\r\n\r\n',
  'a negative Content-Length': () => head('Content-Length: -1\r\n'),
  'a Content-Length with a sign': () => head('Content-Length: +2\r\n') + '{}',
  'a Content-Length of words': () => head('Content-Length: two\r\n') + '{}',
  'a list as Content-Length': () => head('Content-Length: 2, 2\r\n') + '{}',
  'an empty Content-Length': () => head('Content-Length: \r\n') + '{}',
  'a hexadecimal Content-Length': () => head('Content-Length: 0x2\r\n') + '{}',
  'Transfer-Encoding twice': () => head('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n') + '0\r\n\r\n',
  'Transfer-Encoding: identity': () => head('Content-Length: 2\r\nTransfer-Encoding: identity\r\n') + '{}',
  'Transfer-Encoding in HTTP/1.0': () => head('Transfer-Encoding: chunked\r\n').replace('HTTP/1.1', 'HTTP/1.0') + '0\r\n\r\n',
  'a tab before the colon': () => head('Transfer-Encoding\t: chunked\r\n') + '0\r\n\r\n',
  'a control character in a name': () => head('Transfer-Encoding\x0b: chunked\r\n') + '0\r\n\r\n',
  'a letter beyond ASCII in a name': () => head('\xffTransfer-Encoding: chunked\r\n') + '0\r\n\r\n',
  'a space in a name': () => head('X Content-Length: 2\r\n') + '{}',
  'a field without a name': () => head(': 2\r\nContent-Length: 2\r\n') + '{}',
  'a line without a colon': () => head('Content-Length\r\n') + '{}',
  'a folded line': () => head('X-Long: a\r\n b\r\nContent-Length: 2\r\n') + '{}',
  'a folded line that completes a name': () => head('Transfer-Encod: chunked\r\n ing\r\n') + '0\r\n\r\n',
  'a folded last line': () => head('Content-Length: 2\r\n 0\r\n') + '{}',
  'a folded first line': () => `POST /v1/batch HTTP/1.1\r\n X: y\r\nHost: x\r\n${auth}Content-Length: 2\r\n\r\n{}`,
  'a bare LF between two fields': () => head('X-One: 1\nContent-Length: 2\r\n') + '{}',
  'a bare LF behind the first line': () => `POST /v1/batch HTTP/1.1\nHost: x\r\n${auth}Content-Length: 2\r\n\r\n{}`,
  'a bare LF as the empty line': () => head('Content-Length: 2\r\n').slice(0, -2) + '\n{}',
  'a bare LF at the end of the last field': () => head('Content-Length: 2\n') + '{}',
  'a bare CR in a value': () => head('X-One: 1\rContent-Length: 2\r\n') + '{}',
  'a bare CR in a name': () => head('X-O\rne: 1\r\nContent-Length: 2\r\n') + '{}',
  'a zero byte in a value': () => head('X-One: 1\0Content-Length: 20\r\nContent-Length: 2\r\n') + '{}',
  'a zero byte in a name': () => head('X-One\0: 1\r\nContent-Length: 2\r\n') + '{}',
  'a zero byte in the target': () => head('Content-Length: 2\r\n', '/v1/batch\0/x') + '{}',
  'a control character in the target': () => head('Content-Length: 2\r\n', '/v1/batch\x01') + '{}',
  'a fragment in the target': () => head('Content-Length: 2\r\n', '/v1/batch#x') + '{}',
  'a target without a slash': () => head('Content-Length: 2\r\n', 'v1/batch') + '{}',
  'two spaces before the target': () => head('Content-Length: 2\r\n', ' /v1/batch') + '{}',
  'a tab behind the method': () => head('Content-Length: 2\r\n').replace('POST ', 'POST\t') + '{}',
  'no Host': () => head('Content-Length: 2\r\n').replace('Host: x\r\n', '') + '{}',
  'Host twice': () => head('Host: x\r\nContent-Length: 2\r\n') + '{}',
  'another Host': () => head('Host: y\r\nContent-Length: 2\r\n') + '{}',
  'a Host that is a list': () => head('Content-Length: 2\r\n').replace('Host: x', 'Host: x, y') + '{}',
  'a Host with a path': () => head('Content-Length: 2\r\n').replace('Host: x', 'Host: x/y') + '{}',
  'a target with another host than Host': () => head('Content-Length: 2\r\n', 'http://y/v1/batch') + '{}',
  'a target with a scheme that is not HTTP': () => head('Content-Length: 2\r\n', 'ftp://x/v1/batch') + '{}',
  'a target that is a host alone': () => `CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n`,
}
for (const [name, make] of Object.entries(SMUGGLING)) {
  test(`${name} is refused and the connection closed`, async () => {
    const smuggled = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
    const { status, text, closed } = await raw(make() + smuggled)
    assert.ok(status >= 400 && status < 500, text)
    assert.ok(closed, 'closed')
    assert.ok(!/HTTP\/1\.1 200/.test(text), 'what was hidden behind is not answered')
  })
}

test('nothing is hidden behind a chunked body: the connection is closed', async () => {
  const smuggled = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
  const body = '2;x\ny\r\n{}\r\n0\r\n\r\n'
  for (const chunked of [body, body.replace('\n', '\r\n'), '2\r\n{}\r\n0\r\n\r\n']) {
    const { text, closed } = await raw(head('Transfer-Encoding: chunked\r\n') + chunked + smuggled)
    assert.ok(closed, 'closed')
    assert.equal(text.match(/HTTP\/1\.1 \d/g)?.length, 1, text)
  }
})

const WELL_FORMED = {
  'a target as a proxy is asked': 'GET http://x/healthz HTTP/1.1\r\nHost: x\r\n',
  'one that has a port, in another case': 'GET HTTP://SHOP.example:8080/healthz HTTP/1.1\r\nHost: shop.EXAMPLE:8080\r\n',
  'an address as Host': 'GET /healthz HTTP/1.1\r\nHost: [::1]:8080\r\n',
  'an empty line before it': '\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n',
  'blanks around a value': 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-One: \t 1 \t\r\n',
  'an empty value': 'GET /healthz HTTP/1.1\r\nX-One:\r\nHost: x\r\n',
  'a query with everything encoded': 'GET /healthz?a=%0D%0A%00&b HTTP/1.1\r\nHost: x\r\nCookie: a=b; c\r\n',
  'HTTP/1.0 without a field': 'GET /healthz HTTP/1.0\r\n',
}
for (const [name, lines] of Object.entries(WELL_FORMED)) {
  test(`${name} is understood, however it arrives`, async () => {
    const whole = await raw(`${lines}\r\n`, { ms: 500 })
    assert.equal(whole.status, 200, whole.text)
    const socket = connect(d.port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1').on('data', t => (text += t)).setNoDelay(true)
    for (const byte of `${lines}\r\n`) {
      socket.write(byte)
      await sleep(1)
    }
    await until(() => text.includes('\r\n\r\n'), () => `an answer: ${text}`)
    assert.match(text, /^HTTP\/1\.[01] 200/)
    socket.destroy()
  })
}

test('requests one behind the other are all answered', async () => {
  const one = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
  const { text } = await raw(one.repeat(5), { ms: 500 })
  assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 5, text)
})

test('bytes that are no HTTP are refused', async () => {
  for (const bytes of ['\x16\x03\x01\x02\x00\x01\x00', '\0\0\0\0\r\n\r\n', 'HELO x\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'GET /healthz  HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /healthz\r\n\r\n']) {
    const { text } = await raw(Buffer.from(bytes, 'latin1'), { ms: 1000 })
    assert.ok(!/HTTP\/1\.1 200/.test(text), text)
  }
})

test('header fields over the limit are refused', async () => {
  const { text } = await raw(head(`X-Long: ${'x'.repeat(100_000)}\r\nContent-Length: 2\r\n`) + '{}')
  assert.ok(!/HTTP\/1\.1 200/.test(text))
})

test('a declared length over the limit is refused at once', async () => {
  const { status } = await raw(head('Content-Length: 4294967296\r\n'))
  assert.equal(status, 413)
})

test('a chunked body over the limit is cut off', async () => {
  const chunk = `${(1 << 20).toString(16)}\r\n${'x'.repeat(1 << 20)}\r\n`
  const { text } = await raw(null, { chunks: [head('Transfer-Encoding: chunked\r\n'), ...Array(12).fill(chunk)] })
  assert.ok(!/HTTP\/1\.1 200/.test(text))
})

const post = (body, headers = {}) => d.api('POST', '/v1/batch', body, { key: null, headers: { Authorization: `Basic ${btoa(`${d.publicKey}:`)}`, ...headers } })
const deep = n => '['.repeat(n) + ']'.repeat(n)
const message = { type: 'track', event: 'E', anonymousId: 'a', messageId: 'hostile' }
const ENVELOPES = {
  'an empty body': '',
  'no JSON': '{"batch":',
  'text after the end': '{"batch":[]} x',
  'a number as body': '42',
  'batch that is no array': { batch: {} },
  'deep nesting': `{"batch":[{"type":"track","properties":${deep(100)}}]}`,
  'very deep nesting': deep(100_000),
  'the same name twice': '{"batch":[],"batch":[]}',
  'NaN': '{"batch":[{"properties":{"n":NaN}}]}',
  'a control character in a string': '{"batch":[{"event":"a\u0001b"}]}',
  'a lone surrogate': '{"batch":[{"event":"\\ud800"}]}',
  'bytes that are not UTF-8': Buffer.from('{"batch":[{"event":"\xff"}]}', 'latin1'),
  'gzip that is damaged': Buffer.concat([gzipSync('{"batch":[]}').subarray(0, 12), Buffer.from('garbage')]),
  'gzip that is cut short': gzipSync(JSON.stringify({ batch: [message] })).subarray(0, -9),
  'more than 2500 messages': { batch: Array(2501).fill(message) },
}
for (const [name, body] of Object.entries(ENVELOPES)) {
  test(`${name} is an error of the envelope that names the place`, async () => {
    const { status, json, text } = await post(body)
    assert.ok(status === 400 || status === 413, `${status} ${text}`)
    assert.ok(json, 'the error is JSON')
    assert.match(text, /body|batch/)
  })
}

test('a bomb is refused before it is unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(64 << 20, 0x20), { level: 9 })
  assert.ok(bomb.length < 100_000)
  const { status, text } = await post(bomb, { 'Content-Encoding': 'gzip' })
  assert.ok(status === 400 || status === 413, `${status}`)
  assert.match(text, /body/)
})

test('a huge number in an event does no harm', async () => {
  const { status } = await post('{"batch":[{"type":"track","event":"E","anonymousId":"a","messageId":"big","properties":{"n":123456789012345678901234567890}}]}')
  assert.ok(status === 200 || status === 400)
})

const BAD_MESSAGES = {
  'no id at all': [{ type: 'track', event: 'E', messageId: 'x1' }, /anonymousId/],
  'a shared id': [{ type: 'track', event: 'E', anonymousId: 'null', messageId: 'x2' }, /anonymousId/],
  'an id too long': [{ type: 'track', event: 'E', anonymousId: 'x'.repeat(256), messageId: 'x3' }, /anonymousId/],
  'an unknown type': [{ type: 'dance', anonymousId: 'a', messageId: 'x4' }, /type/],
  'no object': ['x', /./],
  'over 32 KB': [{ ...message, messageId: 'x5', properties: { s: 'x'.repeat(33 << 10) } }, /./],
}
for (const [name, [bad, why]] of Object.entries(BAD_MESSAGES)) {
  test(`a message with ${name} is listed, and the good ones beside it are taken`, async () => {
    await consent(d, 'good', { statistics: true })
    const event = `Beside ${name}`
    const { status, json } = await post({ batch: [track('good', event), bad, track('good', event)] })
    assert.equal(status, 200)
    assert.deepEqual(json.rejected.map(r => r.index), [1])
    assert.match(json.rejected[0].error, why)
    const { arrivals } = await import('./fixture.mjs')
    assert.equal((await arrivals(house.receiver, 2, a => a.event.event === event)).length, 2)
  })
}

test('a slow client does not keep others waiting', async () => {
  const sockets = Array.from({ length: 50 }, () => {
    const s = connect(d.port, '127.0.0.1')
    s.on('error', () => {})
    s.write(head('Content-Length: 1000\r\n').slice(0, -2))
    return s
  })
  const drip = setInterval(() => sockets.forEach(s => s.writable && s.write('X')), 50)
  const start = performance.now()
  for (let i = 0; i < 20; i++) assert.equal((await d.ingest([track('good')])).status, 200)
  assert.ok(performance.now() - start < 3000)
  clearInterval(drip)
  sockets.forEach(s => s.destroy())
})

test('methods and paths that are not there are told in JSON', async () => {
  for (const [method, path] of [['DELETE', '/consent'], ['PUT', '/v1/batch'], ['GET', '/v1/nothing'], ['GET', '/%00'], ['GET', '/../../etc/passwd']]) {
    const { status, json } = await d.api(method, path)
    assert.ok(status === 404 || status === 405 || status === 400, `${method} ${path}: ${status}`)
    assert.ok(json)
  }
})
