// The shop alone: what it shows before any choice, and that it works without licet's help.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { Shop } from './server.mjs'
import { PARTS, PURPOSES } from './texts.mjs'

let licet, shop
const acts = []
before(async () => {
  licet = createServer(async (q, r) => {
    let body = ''
    for await (const chunk of q) body += chunk
    if (q.url === '/consent') acts.push({ key: q.headers.apikey, ...JSON.parse(body) })
    r.writeHead(q.url === '/consent' && acts.at(-1).subject.email === 'broken@x.example' ? 503 : 200, { 'Content-Type': 'application/json' }).end('{}')
  })
  await new Promise(ok => licet.listen(0, '127.0.0.1', ok))
  shop = await new Shop({ licetUrl: `http://127.0.0.1:${licet.address().port}`, privateKey: 'private', publicKey: 'public' }).listen()
})
after(async () => {
  await shop.close()
  licet.close()
})
const get = (path, headers = {}) => fetch(shop.url + path, { headers, redirect: 'manual' })
const post = (path, form, headers = {}) => fetch(shop.url + path, { method: 'POST', body: new URLSearchParams(form), headers, redirect: 'manual' })
const cookieOf = answer => answer.headers.get('set-cookie')?.split(';')[0]

test('the wording shown is the wording configured, letter by letter', async () => {
  const yaml = await readFile(new URL('licet.yaml', import.meta.url), 'utf8')
  for (const text of Object.values(PURPOSES)) {
    for (const part of ['title', ...PARTS.map(([name]) => name)]) {
      assert.ok(yaml.includes(`            ${part}: ${text[part]}\n`), `${part}: ${text[part]}`)
    }
  }
})

test('looking around sets no cookie and loads no SDK', async () => {
  for (const path of ['/', '/product/notebook', '/cart', '/sign-in', '/privacy']) {
    const answer = await get(path)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('set-cookie'), null)
    const scripts = [...(await answer.text()).matchAll(/<script[^>]* src="([^"]+)"/g)].map(([, src]) => new URL(src, shop.url).pathname)
    assert.deepEqual(scripts, ['/sdk/licet.js', '/shop.js'])
  }
})

test('nothing is ticked beforehand', async () => {
  assert.doesNotMatch(await (await get('/sign-in')).text(), /checked/)
})

test('what is ticked at sign-in becomes an act with its proof, what is not does not', async () => {
  acts.length = 0
  const answer = await post('/sign-in', { name: 'Ada', email: 'Ada@x.example', profiling: 'true', next: '/cart' })
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('location'), '/cart')
  assert.equal(acts.length, 1)
  const [act] = acts
  assert.equal(act.key, 'private')
  assert.deepEqual(act.preferences, { profiling: true })
  assert.deepEqual(act.versions, { profiling: 1 })
  assert.equal(act.subject.email, 'ada@x.example')
  assert.match(act.proofs[0].form, /Write to me about papers/)
  assert.match(act.proofs[0].content, /"profiling":"true"/)
})

test('emptying a box in the account withdraws, and only that', async () => {
  const cookie = cookieOf(await post('/sign-in', { name: 'Eve', email: 'eve@x.example', profiling: 'true', statistics: 'true' }))
  acts.length = 0
  await post('/account', { statistics: 'true' }, { cookie })
  assert.deepEqual(acts[0].preferences, { statistics: true, profiling: false })
})

test('a choice that could not be saved is not shown as saved', async () => {
  const answer = await post('/sign-in', { name: 'B', email: 'broken@x.example', profiling: 'true', next: '/account' })
  assert.match(answer.headers.get('location'), /note=failed/)
  const account = await (await get('/account', { cookie: cookieOf(answer) })).text()
  assert.doesNotMatch(account, /checked/)
})

test('names are shown as text', async () => {
  const cookie = cookieOf(await post('/sign-in', { name: '<img src=x>', email: 'x@x.example' }))
  assert.ok(!(await (await get('/account', { cookie })).text()).includes('<img'))
})

test('forms of other sites and odd addresses are refused', async () => {
  assert.equal((await post('/cart', { product: 'notebook' }, { origin: 'http://evil.example' })).status, 403)
  assert.equal((await post('/cart', { product: 'toString' })).status, 400)
  assert.equal((await post('/sign-in', { name: 'A', email: 'a@x.example', next: '//evil.example' })).headers.get('location'), '/account')
  assert.equal((await get('/sdk/..%2f..%2fpackage.json')).status, 404)
  assert.equal((await get('/nowhere')).status, 404)
})
