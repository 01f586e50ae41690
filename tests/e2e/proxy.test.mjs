// Proxies: those of the configuration, and never those of the environment.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Authority } from './authority.mjs'
import { until } from './daemon.mjs'
import { arrivals, consent, startHouse, track } from './fixture.mjs'
import { Proxy } from './proxy.mjs'

let ours, server
before(() => {
  ours = new Authority()
  server = ours.issue('receiver', { san: 'DNS:receiver.example,IP:127.0.0.1' })
})
after(() => ours.remove())

const warehouseOf = config => config.destinations.find(t => t.id === 'warehouse')
const told = d => d.log.split('\n').filter(line => line.startsWith('{')).map(JSON.parse).filter(line => /^delivery\.(retry|uncertain|dead)$/.test(line.event))
const PRIVATE = { allow_private_addresses: true }

/** A house whose warehouse is receiver.example, which only the proxy knows. */
const behind = (proxy, { more = {}, env = {}, keep = {} } = {}) => startHouse({
  receiverTls: { key: server.key, cert: server.cert }, env,
  change: c => {
    const warehouse = warehouseOf(c)
    warehouse.endpoint = warehouse.endpoint.replace('127.0.0.1', 'receiver.example')
    Object.assign(warehouse, { tls: { ca: ours.ca }, proxy: { url: proxy.url, ...PRIVATE, ...more }, allow_private_addresses: false, ...keep })
    if (!more) delete warehouse.proxy
    return c
  },
})
async function send(house) {
  await consent(house.licet, 'ada', { statistics: true })
  await house.licet.ingest([track('ada')])
}
const failure = house => until(() => told(house.licet)[0]?.error, () => `an error\n${house.licet.log.slice(-1500)}`)

for (const kind of ['http', 'https', 'socks5']) {
  test(`${kind}: the receiver is reached and verified through it, by its name`, async () => {
    const proxyCert = ours.issue('proxy')
    const proxy = await new Proxy({ kind, user: 'me', password: 'p@ss:w0rd%41', tls: { key: proxyCert.key, cert: proxyCert.cert } }).listen()
    const house = await behind(proxy, {
      env: { PROXY_PASSWORD: 'p@ss:w0rd%41' },
      more: { user: 'me', password: '${PROXY_PASSWORD}', ...(kind === 'https' && { ca: ours.ca }) },
    })
    try {
      await send(house)
      await arrivals(house.receiver, 1)
      await house.licet.ingest([track('ada')])
      await arrivals(house.receiver, 2)
      assert.equal(proxy.asked.length, 1, 'one tunnel, which is kept')
      const [asked] = proxy.asked
      assert.equal(asked.host, 'receiver.example')
      assert.equal(asked.port, Number(new URL(house.receiver.url).port))
      assert.equal(proxy.plain, 0)
      if (kind === 'socks5') assert.ok(asked.byName)
      else assert.deepEqual(Object.keys(asked.headers).filter(name => /webhook|content/.test(name)), [], 'the proxy reads nothing of the request')
      const { text } = await house.licet.api('GET', '/metrics')
      assert.ok(!`${text}${house.licet.log}`.includes('p@ss'), 'the password is shown nowhere')
    } finally {
      await house.stop()
      await proxy.close()
    }
  })

  test(`${kind}: a wrong password is an error, and nothing leaves`, async () => {
    const proxyCert = ours.issue('proxy')
    const proxy = await new Proxy({ kind, user: 'me', password: 'right', tls: { key: proxyCert.key, cert: proxyCert.cert } }).listen()
    const house = await behind(proxy, { more: { user: 'me', password: 'wrong', ...(kind === 'https' && { ca: ours.ca }) } })
    try {
      await send(house)
      assert.equal(await failure(house), kind === 'socks5' ? 'the proxy did not connect' : 'the proxy wants another name or password')
      assert.equal(house.receiver.connections, 0)
    } finally {
      await house.stop()
      await proxy.close()
    }
  })
}

test('an https proxy is verified, too', async () => {
  const proxyCert = ours.issue('proxy')
  const proxy = await new Proxy({ kind: 'https', tls: { key: proxyCert.key, cert: proxyCert.cert } }).listen()
  const house = await behind(proxy)
  try {
    await send(house)
    assert.equal(await failure(house), 'the certificate is not trusted, or not for this name')
    assert.deepEqual(proxy.asked, [])
  } finally {
    await house.stop()
    await proxy.close()
  }
})

test('the receiver is verified, whoever the proxy leads to', async () => {
  const proxy = await new Proxy().listen()
  const house = await startHouse({
    receiverTls: { key: server.key, cert: server.cert },
    change: c => {
      Object.assign(warehouseOf(c), { endpoint: warehouseOf(c).endpoint.replace('127.0.0.1', 'elsewhere.example'), tls: { ca: ours.ca }, proxy: { url: proxy.url, ...PRIVATE } })
      return c
    },
  })
  try {
    await send(house)
    assert.equal(await failure(house), 'the certificate is not trusted, or not for this name')
    assert.equal(proxy.asked[0].host, 'elsewhere.example')
    assert.equal(house.receiver.requests, 0)
  } finally {
    await house.stop()
    await proxy.close()
  }
})

test("a proxy's own address must be public unless its configuration says otherwise", async () => {
  const proxy = await new Proxy().listen()
  const house = await behind({ url: proxy.url.replace('127.0.0.1', 'localhost') }, { more: { allow_private_addresses: false }, keep: PRIVATE })
  try {
    await send(house)
    assert.equal(await failure(house), "the proxy's address is not a public one")
    assert.deepEqual(proxy.asked, [])
    assert.equal(proxy.sockets.size, 0)
  } finally {
    await house.stop()
    await proxy.close()
  }
})

test('a name that leads to this machine is not called', async () => {
  const house = await startHouse({
    receiverTls: { key: server.key, cert: server.cert },
    change: c => {
      Object.assign(warehouseOf(c), { endpoint: warehouseOf(c).endpoint.replace('127.0.0.1', 'localhost'), allow_private_addresses: false, tls: { ca: ours.ca } })
      return c
    },
  })
  try {
    await send(house)
    assert.equal(await failure(house), 'the address is not a public one')
    assert.equal(house.receiver.connections, 0)
  } finally {
    await house.stop()
  }
})

test('proxies of the environment are not used', async () => {
  const proxy = await new Proxy().listen()
  const env = Object.fromEntries(['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'].map(name => [name, proxy.url]))
  for (const tls of [null, { key: server.key, cert: server.cert }]) {
    const house = await startHouse({ receiverTls: tls, env, change: c => (tls && (warehouseOf(c).tls = { ca: ours.ca }), c) })
    try {
      await send(house)
      await arrivals(house.receiver, 1)
    } finally {
      await house.stop()
    }
  }
  assert.equal(proxy.sockets.size, 0)
  await proxy.close()
})

test('no_proxy of the environment does not go around one', async () => {
  const proxy = await new Proxy().listen()
  const house = await behind(proxy, { env: { no_proxy: '*', NO_PROXY: '*' } })
  try {
    await send(house)
    await arrivals(house.receiver, 1)
    assert.equal(proxy.asked.length, 1)
  } finally {
    await house.stop()
    await proxy.close()
  }
})

test('an endpoint without TLS is tunnelled all the same', async () => {
  const proxy = await new Proxy().listen()
  const house = await startHouse({ change: c => ((warehouseOf(c).proxy = { url: proxy.url, ...PRIVATE }), c) })
  try {
    await send(house)
    await arrivals(house.receiver, 1)
    assert.equal(proxy.plain, 0)
    assert.equal(proxy.asked.length, 1)
  } finally {
    await house.stop()
    await proxy.close()
  }
})

test('destinations behind one proxy share no tunnel and no password', async () => {
  const proxy = await new Proxy().listen()
  const house = await startHouse({
    change: c => {
      const [, warehouse, crm] = c.destinations
      warehouse.proxy = { url: proxy.url, ...PRIVATE, user: 'warehouse', password: 'one' }
      crm.proxy = { url: proxy.url, ...PRIVATE }
      c.purposes[1].scope = 'device'
      return c
    },
  })
  try {
    await consent(house.licet, 'ada', { statistics: true, profiling: true })
    await house.licet.ingest([track('ada')])
    await arrivals(house.receiver, 2)
    assert.deepEqual(proxy.asked.map(a => a.headers['proxy-authorization']).sort(), [`Basic ${btoa('warehouse:one')}`, undefined])
  } finally {
    await house.stop()
    await proxy.close()
  }
})
