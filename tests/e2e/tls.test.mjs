// licet speaks TLS itself: which versions, with which certificate, and how a new one comes into use.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect } from 'node:tls'
import { consent, startHouse, track } from './fixture.mjs'
import { until } from './daemon.mjs'

const dir = mkdtempSync(join(tmpdir(), 'licet-tls-'))
const path = name => join(dir, name)
const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] }).toString()

/** A certificate for localhost of an authority of its own: NAME.pem (with the one between) and NAME.key. */
function issue(name, { algorithm = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], days = 30 } = {}) {
  const key = ['-newkey', ...algorithm, '-nodes']
  const extensions = text => (writeFileSync(path('ext'), text), ['-extfile', 'ext'])
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', `${name}.ca`, '-subj', `/CN=${name} root`, '-days', '30')
  openssl('req', ...key, '-keyout', 'between.key', '-out', 'between.csr', '-subj', '/CN=between')
  openssl('x509', '-req', '-in', 'between.csr', '-CA', `${name}.ca`, '-CAkey', 'ca.key', '-out', 'between.pem', '-days', '30', ...extensions('basicConstraints=CA:TRUE'))
  openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'between.pem', '-CAkey', 'between.key', '-out', `${name}.leaf`, '-days', String(days), ...extensions('subjectAltName=DNS:localhost,IP:127.0.0.1'))
  writeFileSync(path(`${name}.pem`), readFileSync(path(`${name}.leaf`)) + readFileSync(path('between.pem')))
}
/** Puts it where the configuration says, as renewal programs do. */
function install(name, { key = name } = {}) {
  for (const [from, to] of [[`${key}.key`, 'shop.key'], [`${name}.pem`, 'shop.pem']]) {
    copyFileSync(path(from), path(`${to}.new`))
    renameSync(path(`${to}.new`), path(to))
  }
}

let house, d, ca
const agent = new Agent({ keepAlive: true })
function call(method, target, body, { headers = {}, ...more } = {}) {
  return new Promise((ok, no) => {
    const q = request({ host: '127.0.0.1', port: d.port, ca, servername: 'localhost', method, path: target, headers, agent: false, ...more }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', t => (text += t)).on('end', () => ok({ status: answer.statusCode, headers: answer.headers, text }))
    })
    q.on('error', no)
    q.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
/** Who answers a new handshake; `session` of one that goes on may be given. */
function handshake(options = {}) {
  return new Promise((ok, no) => {
    const socket = connect({ host: '127.0.0.1', port: d.port, ca, servername: 'localhost', ...options }, () => {
      ok({ name: socket.getPeerCertificate().subject.CN, protocol: socket.getProtocol(), authorized: socket.authorized, socket })
    })
    socket.on('error', no)
  })
}
const shown = async options => {
  const { socket, ...rest } = await handshake(options)
  socket.destroy()
  return rest
}
const ingest = batch => call('POST', '/v1/batch', { batch }, { headers: { Authorization: `Basic ${btoa(`${d.publicKey}:`)}` } })

before(async () => {
  for (const name of ['first', 'second', 'third']) issue(name)
  issue('rsa', { algorithm: ['rsa:2048'] })
  ca = ['first', 'second', 'third', 'rsa'].map(name => readFileSync(path(`${name}.ca`)))
  install('first')
  house = await startHouse({
    change: config => Object.assign(config, { tls: { certificate: path('shop.pem'), key: path('shop.key') }, timeouts: { head: '3s' } }),
    probe: daemon => ((d = daemon), call('GET', '/readyz').then(a => a.status === 200, () => false)),
  })
  d = house.licet
})
after(async () => {
  agent.destroy()
  const end = await house?.stop()
  rmSync(dir, { recursive: true })
  assert.equal(end?.code, 0)
})

test('an event comes by TLS and is stored', async () => {
  const { status } = await call('POST', '/consent', { subject: { id: 'u' }, preferences: { statistics: true }, versions: { statistics: 1 }, proofs: [{ content: 'yes' }] }, { headers: { ApiKey: d.privateKey } })
  assert.equal(status, 200)
  assert.equal((await ingest([track('u')])).status, 200)
  const { text } = await call('GET', '/metrics')
  assert.match(text, /licet_events_total\{outcome="stored"\} [1-9]/)
  assert.match(text, /licet_certificate_expires_seconds 1\d{9}/)
})

test('the chain is shown up to the authority, in TLS 1.2 and 1.3', async () => {
  assert.deepEqual(await shown(), { name: 'first', protocol: 'TLSv1.3', authorized: true })
  assert.deepEqual(await shown({ maxVersion: 'TLSv1.2' }), { name: 'first', protocol: 'TLSv1.2', authorized: true })
})

test('older versions of TLS are refused', async () => {
  for (const version of ['TLSv1', 'TLSv1.1']) {
    await assert.rejects(shown({ minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }), { code: 'ECONNRESET' })
  }
})

test('who speaks no TLS gets no answer, and others are served on', async () => {
  await assert.rejects(fetch(`http://127.0.0.1:${d.port}/healthz`))
  assert.equal((await call('GET', '/healthz')).status, 200)
})

test('a cookie is for TLS only', async () => {
  const answer = await call('POST', '/public/consent', { subject: {}, preferences: { statistics: true }, versions: { statistics: 1 }, shown: { language: 'en' } }, { headers: { ApiKey: d.publicKey } })
  assert.equal(answer.status, 200)
  assert.match(answer.headers['set-cookie'][0], /; Secure/)
})

test('a large body and many at once come through', async () => {
  const batch = Array.from({ length: 500 }, () => track('u', 'Large', { properties: { text: 'x'.repeat(2000) } }))
  assert.equal((await ingest(batch)).status, 200)
  const answers = await Promise.all(Array.from({ length: 50 }, () => ingest([track('u')])))
  assert.ok(answers.every(a => a.status === 200))
})

test('a renewed certificate is shown to new handshakes, and connections go on', async () => {
  const old = await handshake()
  let text = ''
  old.socket.setEncoding('utf8').on('data', t => (text += t))
  const ask = async () => {
    text = ''
    old.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => text.includes('"ok"'), () => `an answer on the old connection: ${text}`)
  }
  await ask()
  install('second')
  d.child.kill('SIGHUP')
  await until(async () => (await shown()).name === 'second', 'the second certificate')
  await ask()
  assert.equal(old.name, 'first')
  old.socket.destroy()
})

test('a renewed certificate is noticed without a word', async () => {
  install('rsa')
  await until(async () => (await shown()).name === 'rsa', 'the certificate to be noticed')
  assert.equal((await shown({ maxVersion: 'TLSv1.2' })).name, 'rsa')
})

const BROKEN = {
  'a key that is another\'s': () => install('third', { key: 'second' }),
  'no certificate': () => writeFileSync(path('shop.pem'), 'nothing'),
  'a certificate that is cut': () => writeFileSync(path('shop.pem'), readFileSync(path('third.pem')).subarray(0, 300)),
  'a chain in which one does not sign the next': () => writeFileSync(path('shop.pem'), readFileSync(path('third.leaf')) + readFileSync(path('first.leaf'))),
  'a key with a password': () => {
    copyFileSync(path('third.pem'), path('shop.pem'))
    openssl('ec', '-in', 'third.key', '-aes128', '-passout', 'pass:secret', '-out', 'shop.key')
  },
  'a file that is gone': () => rmSync(path('shop.key')),
}
for (const [name, breakIt] of Object.entries(BROKEN)) {
  test(`${name} is refused with the place in the log, and the old certificate stays`, async () => {
    install('second')
    d.child.kill('SIGHUP')
    await until(async () => (await shown()).name === 'second', 'the second certificate')
    d.log = ''
    breakIt()
    d.child.kill('SIGHUP')
    await until(() => d.log.includes('certificate.refused'), () => `the refusal in the log: ${d.log}`)
    assert.match(d.log, /licet\.yaml:\d+:\d+: error: /)
    assert.doesNotMatch(d.log, /BEGIN|secret/)
    assert.equal((await shown()).name, 'second')
    const { code, err } = await d.cli(['check'])
    assert.equal(code, 2)
    assert.match(err, /licet\.yaml:\d+:\d+: error: .*\n[^\n]*\|.*shop\.(pem|key)/)
  })
}

test('after a broken one a good one is taken again', async () => {
  install('third')
  await until(async () => (await shown()).name === 'third', 'the third certificate')
})

test('a handshake that does not end is closed in time', async () => {
  const { connect: tcp } = await import('node:net')
  const socket = tcp(d.port, '127.0.0.1')
  socket.on('error', () => {})
  const closed = new Promise(ok => socket.on('close', ok))
  socket.write(Buffer.from('1603010100010000fc0303', 'hex')) // a hello's beginning
  const drip = setInterval(() => socket.writable && socket.write('\0'), 200)
  await closed
  clearInterval(drip)
  const { text } = await call('GET', '/metrics')
  assert.match(text, /licet_connections_closed_total\{why="head"\} [1-9]/)
})

test('a daemon does not start with a certificate that it cannot use', async () => {
  install('first', { key: 'second' })
  const { code, err } = await d.cli(['serve'])
  assert.equal(code, 2)
  assert.match(err, /licet\.yaml:\d+:\d+: error: this key is not that of the certificate/)
  install('first')
})
