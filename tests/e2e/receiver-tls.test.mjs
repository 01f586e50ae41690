// Receivers are verified, always; and licet shows a certificate where one is asked for.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Authority } from './authority.mjs'
import { until } from './daemon.mjs'
import { arrivals, consent, startHouse, track } from './fixture.mjs'

let ours, others, server, client
before(() => {
  ours = new Authority('Ours')
  others = new Authority('Somebody else')
  server = ours.issue('receiver')
  client = ours.issue('licet', { usage: 'clientAuth', san: null })
})
after(() => {
  ours.remove()
  others.remove()
})

const warehouseOf = config => config.destinations.find(t => t.id === 'warehouse')
const told = d => d.log.split('\n').filter(line => line.startsWith('{')).map(JSON.parse).filter(line => /^delivery\.(retry|uncertain|dead)$/.test(line.event))

/** One event to the warehouse, called as `warehouse` says: 'sent', or the first error that the log tells. */
async function call({ warehouse, options = {}, tls = { key: server.key, cert: server.cert, ...options }, answer, env, look = () => {} }) {
  const house = await startHouse({ receiverTls: tls, answer, env, change: c => (Object.assign(warehouseOf(c), typeof warehouse === 'function' ? warehouse(c) : warehouse), c) })
  try {
    await consent(house.licet, 'ada', { statistics: true })
    await house.licet.ingest([track('ada')])
    await until(() => house.receiver.arrived.length || told(house.licet).length, () => `an end\n${house.licet.log.slice(-1500)}`)
    await look(house)
    return house.receiver.arrived.length ? 'sent' : told(house.licet)[0].error
  } finally {
    await house.stop()
  }
}

const UNTRUSTED = 'the certificate is not trusted, or not for this name'
const NO_TLS = 'no TLS connection could be agreed on (1.2 is the least)'

test('a receiver with a certificate of the named authority is called', async () => {
  assert.equal(await call({ warehouse: { tls: { ca: ours.ca } } }), 'sent')
})

test('one that nobody vouches for is not', async () => {
  assert.equal(await call({ warehouse: {}, look: h => assert.equal(h.receiver.requests, 0) }), UNTRUSTED)
})

test('nor one of another authority, also when the environment says to trust it', async () => {
  const env = { SSL_CERT_FILE: ours.ca, CURL_CA_BUNDLE: ours.ca }
  assert.equal(await call({ warehouse: { tls: { ca: others.ca } }, env }), UNTRUSTED)
})

const WRONG = {
  'a certificate for another name, whatever its common name says': { san: 'DNS:elsewhere.example' },
  'a certificate that has expired': { days: -1 },
  'a certificate that is for clients': { usage: 'clientAuth' },
}
for (const [name, how] of Object.entries(WRONG)) {
  test(`${name} is not taken`, async () => {
    const { key, cert } = ours.issue('127.0.0.1', how)
    assert.equal(await call({ tls: { key, cert }, warehouse: { tls: { ca: ours.ca } }, look: h => assert.equal(h.receiver.requests, 0) }), UNTRUSTED)
  })
}

test('allow_private_addresses changes nothing of that', async () => {
  assert.equal(await call({ warehouse: { allow_private_addresses: true } }), UNTRUSTED)
})

test('TLS 1.2 is the least', async () => {
  const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0', secureOptions: 0 }
  assert.equal(await call({ options: old, warehouse: { tls: { ca: ours.ca } } }), NO_TLS)
  assert.equal(await call({ options: { maxVersion: 'TLSv1.2' }, warehouse: { tls: { ca: ours.ca } } }), 'sent')
})

test('an endpoint that speaks no TLS, and one that wants HTTP/2 alone', async () => {
  assert.equal(await call({ tls: null, warehouse: c => ({ endpoint: warehouseOf(c).endpoint.replace('http:', 'https:'), tls: { ca: ours.ca } }) }), NO_TLS)
  assert.equal(await call({ options: { ALPNProtocols: ['h2'] }, warehouse: { tls: { ca: ours.ca } } }), NO_TLS)
})

test('a pin holds beside the authority', async () => {
  const another = ours.issue('another')
  const pinned = pins => call({ warehouse: { tls: { ca: ours.ca, pins } } })
  assert.equal(await pinned([another.pin, server.pin]), 'sent')
  assert.equal(await pinned([another.pin]), 'the public key is none of the pins')
  assert.equal(await call({ warehouse: { tls: { pins: [server.pin] } } }), UNTRUSTED, 'and not in its place')
})

test('a receiver that asks for a certificate gets ours', async () => {
  let subject
  const asks = { requestCert: true, rejectUnauthorized: true, ca: [readFileSync(ours.ca)] }
  const look = h => h.receiver.server.on('secureConnection', s => (subject = s.getPeerCertificate().subject.CN))
  const answer = () => undefined
  const tls = { ca: ours.ca, certificate: client.certFile, key: client.keyFile }
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    subject = null
    const options = { ...asks, minVersion: version, maxVersion: version }
    const got = await call({ options, answer, warehouse: { tls }, look: async h => {
      look(h)
      await h.licet.ingest([track('ada')])
      await arrivals(h.receiver, 2)
    } })
    assert.equal(got, 'sent', version)
    const without = await call({ options, warehouse: { tls: { ca: ours.ca } }, look: h => assert.equal(h.receiver.requests, 0) })
    // with 1.3 the request is out before the receiver says no
    assert.match(without, version === 'TLSv1.2' ? /TLS connection/ : /^may have arrived: /, version)
  }
})

test('certificates of one destination are not shown to another at the same host', async () => {
  const seen = []
  const options = { requestCert: true, rejectUnauthorized: false, ca: [readFileSync(ours.ca)] }
  const house = await startHouse({
    receiverTls: { key: server.key, cert: server.cert, ...options },
    answer: ({ destination }) => void seen.push(destination),
    change: c => {
      const [, warehouse, crm] = c.destinations
      warehouse.tls = { ca: ours.ca, certificate: client.certFile, key: client.keyFile }
      crm.tls = { ca: ours.ca }
      c.purposes[1].scope = 'device'
      return c
    },
  })
  try {
    const shown = []
    house.receiver.server.on('secureConnection', s => shown.push(s.getPeerCertificate().subject?.CN ?? null))
    await consent(house.licet, 'ada', { statistics: true, profiling: true })
    for (let i = 1; i <= 3; i++) {
      await house.licet.ingest([track('ada')])
      await arrivals(house.receiver, 2 * i)
    }
    assert.deepEqual(shown.sort(), ['licet', null].sort())
  } finally {
    await house.stop()
  }
})

test('a key that does not belong to the certificate stops it', async () => {
  const tls = { ca: ours.ca, certificate: client.certFile, key: server.keyFile }
  assert.equal(await call({ warehouse: { tls } }), 'our own certificate or its key cannot be used')
})

test('certificates are read again at a reload, and old connections go with the old ones', async () => {
  const house = await startHouse({ receiverTls: { key: server.key, cert: server.cert }, change: c => ((warehouseOf(c).tls = { ca: ours.ca }), c) })
  try {
    await consent(house.licet, 'ada', { statistics: true })
    await house.licet.ingest([track('ada')])
    await arrivals(house.receiver, 1)
    const config = house.standard()
    warehouseOf(config).tls = { ca: others.ca }
    await house.reload(config)
    assert.equal(await house.licet.metric('licet_reloads_total', { outcome: 'done' }), 1)
    await house.licet.ingest([track('ada')])
    await until(() => told(house.licet).length, 'an error')
    assert.equal(told(house.licet)[0].error, UNTRUSTED)
    assert.equal(house.receiver.arrived.length, 1)
    warehouseOf(config).tls = { ca: ours.ca }
    await house.reload(config)
    await arrivals(house.receiver, 2)
  } finally {
    await house.stop()
  }
})

test('what cannot be read is said at the start', async () => {
  const bad = ours.path('bad.pem')
  writeFileSync(bad, 'nothing\n')
  await assert.rejects(call({ warehouse: { tls: { ca: bad } } }), /holds no certificate \(PEM\)/)
})

test('redirects are not followed, wherever they lead', async () => {
  let elsewhere = 0
  const answer = ({ destination }) => {
    if (destination === 'crm') elsewhere++
    return { status: 307, headers: { Location: '/crm' } }
  }
  const house = await startHouse({ receiverTls: { key: server.key, cert: server.cert }, answer, change: c => ((warehouseOf(c).tls = { ca: ours.ca }), c) })
  try {
    await consent(house.licet, 'ada', { statistics: true })
    await house.licet.ingest([track('ada')])
    await until(() => told(house.licet).length >= 2, 'two attempts')
    assert.equal(told(house.licet)[0].error, 'status 307')
    assert.equal(elsewhere, 0)
  } finally {
    await house.stop()
  }
})

test('a bomb for an answer is not unfolded', async () => {
  const bomb = gzipSync(Buffer.alloc(64 << 20), { level: 9 })
  for (const header of ['Content-Encoding', 'Transfer-Encoding']) {
    const house = await startHouse({ change: c => c })
    try {
      // the receiver's own server is replaced by one that answers so
      house.receiver.server.removeAllListeners('request')
      let asked = 0
      house.receiver.server.on('request', (q, r) => {
        asked++
        q.resume().on('end', () => {
          r.socket.write(`HTTP/1.1 200 OK\r\n${header}: gzip\r\nConnection: close\r\n\r\n`)
          r.socket.end(bomb)
        })
      })
      await consent(house.licet, 'ada', { statistics: true })
      await house.licet.ingest([track('ada')])
      await until(async () => await house.licet.metric('licet_delivery_events_total', { destination: 'warehouse', result: 'sent' }) === 1, () => `it to count as sent\n${house.licet.log.slice(-800)}`)
      assert.equal(asked, 1)
      assert.ok(await house.licet.ready())
    } finally {
      await house.stop()
    }
  }
})
