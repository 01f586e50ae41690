// Legal notices: which is in force when, and what is watched where it is published.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Authority } from './authority.mjs'
import { sleep, until } from './daemon.mjs'
import { consent, startHouse } from './fixture.mjs'

const page = (text, nonce = 1) => `<!doctype html><html><head><title>${nonce}</title></head><body class="b${nonce}">
  <script nonce="${nonce}">track()</script><!-- built ${nonce} --><h1>Privacy</h1>\n<p data-n="${nonce}">${text}</p></body></html>`

let authority, server, house, d, answer, requests = 0
before(async () => {
  authority = new Authority('Pages')
  const { key, cert } = authority.issue('pages')
  server = createServer({ key, cert }, (q, a) => {
    requests++
    answer(q, a)
  })
  await new Promise(ok => server.listen(0, '127.0.0.1', ok))
  answer = html(page('We use Google.'))
  house = await startHouse({ change: c => ({ ...c, notices: [watched()] }) })
  d = house.licet
})
after(async () => {
  await house.stop()
  server.closeAllConnections()
  server.close()
  authority.remove()
})
const watched = (more = {}) => ({
  identifier: 'privacy_policy', url: `https://localhost:${server.address().port}/privacy`, every: '1s', allow_private_addresses: true,
  tls: { ca: authority.ca }, ...more,
})
const html = (text, type = 'text/html; charset=utf-8') => (q, a) => a.writeHead(200, { 'Content-Type': type }).end(text)
const state = async (identifier = 'privacy_policy') => (await d.api('GET', '/v1/notices')).json.find(n => n.identifier === identifier)
const pending = async (where = () => true) => until(async () => {
  const { pending: found } = await state()
  return found && where(found) && found
}, () => `something pending\n${d.log.slice(-1500)}`)
const looks = async n => {
  const from = requests
  await until(() => requests >= from + n + 1, 'looks')
}

test('what is published is pending until somebody confirms it, and only then in force', async () => {
  const { sha256 } = await pending()
  assert.equal((await d.api('GET', '/legal_notices/privacy_policy')).status, 404)
  assert.equal(await d.metric('licet_notices_pending'), 1)
  assert.match(d.log, /"notice\.pending"/)
  const list = await d.cli(['notices', 'list'])
  assert.ok(list.out.includes(sha256) && list.out.includes('no version yet'), list.out)
  const show = await d.cli(['notices', 'show', 'privacy_policy'])
  assert.equal(show.out, 'Privacy\nWe use Google.\n')
  assert.deepEqual((await d.api('GET', '/v1/notices/privacy_policy/pending')).json.content, 'Privacy\nWe use Google.')
  assert.equal((await d.api('POST', '/v1/notices/confirm?identifier=privacy_policy&sha256=0123456789')).status, 409)
  const wrong = await d.cli(['notices', 'confirm', 'privacy_policy', '0123456789'])
  assert.equal(wrong.code, 1)
  assert.equal((await d.cli(['notices', 'confirm', 'privacy_policy', sha256.slice(0, 7)])).code, 1)
  const { code, out } = await d.cli(['notices', 'confirm', 'privacy_policy', sha256.slice(0, 12)])
  assert.equal(code, 0, out)
  assert.equal((await state()).pending, null)
  const [notice] = (await d.api('GET', '/legal_notices/privacy_policy')).json
  assert.equal(notice.version, 1)
  assert.equal(notice.content, 'Privacy\nWe use Google.')
  assert.equal(await d.metric('licet_notices_pending'), 0)
})

test('another nonce, class, comment or line break is no new version', async () => {
  answer = (q, a) => html(page('We   use\n <b>Google</b>.', requests))(q, a)
  await looks(3)
  assert.equal((await state()).pending, null)
})

test('while a change is pending acts bind to the old version; after the word, to the new one', async () => {
  answer = html(page('We use Google and Meta.'))
  const { sha256 } = await pending()
  const cited = async subject => {
    const { id } = await consent(d, subject, { statistics: true }, { legal_notices: [{ identifier: 'privacy_policy' }] })
    return (await d.api('GET', `/consent/${id}`)).json.legal_notices
  }
  assert.deepEqual(await cited('before'), [{ identifier: 'privacy_policy', version: 1 }])
  assert.equal((await d.api('GET', '/legal_notices/privacy_policy')).json.length, 1)
  const before = new Date().toISOString()
  await sleep(5)
  const { status, json } = await d.api('POST', `/v1/notices/confirm?identifier=privacy_policy&sha256=${sha256}`)
  assert.equal(status, 200)
  assert.equal(json.version, 2)
  assert.deepEqual(await cited('after'), [{ identifier: 'privacy_policy', version: 2 }])
  const at = async when => (await d.api('GET', `/legal_notices/privacy_policy?at=${when}`))
  assert.equal((await at(before)).json.version, 1)
  assert.equal((await at(new Date(Date.now() + 1000).toISOString())).json.version, 2)
  assert.equal((await at('2020-01-01T00:00:00Z')).status, 404)
  const again = await d.api('POST', `/v1/notices/confirm?identifier=privacy_policy&sha256=${sha256}`)
  assert.equal(again.status, 400) // there is nothing left to confirm
})

test('a page that goes back to the version in use leaves nothing pending', async () => {
  answer = html(page('We use Google, Meta and more.'))
  const { sha256 } = await pending()
  answer = html(page('We use Google and Meta.'))
  await until(async () => (await state()).pending === null, 'nothing pending')
  answer = html(page('We use Google, Meta and more.'))
  assert.equal((await pending()).sha256, sha256)
  answer = html(page('We use Google and Meta.'))
  await until(async () => (await state()).pending === null, 'nothing pending')
})

test('what cannot be read is told, and changes nothing', async () => {
  const slow = []
  for (const [why, bad] of [
    ['the answer is a redirect, which is not followed', (q, a) => a.writeHead(302, { Location: '/elsewhere' }).end()],
    ['the answer is not 200', (q, a) => a.writeHead(500, { 'Content-Type': 'text/html' }).end(page('Oops'))],
    ['the answer is neither HTML nor plain text', html('{"a":1}', 'application/json')],
    ['it is no text in UTF-8', html(Buffer.from('<p>caf\xe9', 'latin1'))],
    ['there is no text in it', html('<p> </p>')],
    ['the page is larger than 1 MB', (q, a) => {
      a.writeHead(200, { 'Content-Type': 'text/html' })
      const more = setInterval(() => a.write('x'.repeat(200_000)), 5) // without end
      a.on('close', () => clearInterval(more))
    }],
    [/transfer|closed|Failure|outstanding|EOF|read/i, (q, a) => {
      a.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': 5000 }).write('<p>cut')
      setTimeout(() => a.destroy(), 20)
    }],
  ]) {
    answer = bad
    await until(async () => {
      const { error } = await state()
      return typeof why === 'string' ? error === why : error && why.test(error)
    }, () => `${why}: ${d.log.slice(-600)}`, 30_000)
    assert.equal((await state()).pending, null)
    answer = html(page('We use Google and Meta.'))
    await until(async () => (await state()).error === null, 'a good look', 30_000)
  }
  slow.forEach(s => s.destroy())
  assert.ok(await d.metric('licet_notice_looks_total', { outcome: 'failed' }) >= 7)
})

test('a page that never comes keeps nobody waiting, and not the end of the daemon either', async () => {
  let asked
  const reached = new Promise(ok => (asked = ok))
  answer = (q, a) => {
    a.writeHead(200, { 'Content-Type': 'text/html' }).write('<p>slow')
    asked()
  }
  await reached
  assert.equal((await d.api('GET', '/v1/notices')).status, 200)
  await consent(d, 'meanwhile', { statistics: true })
  const { code } = await d.kill('SIGTERM')
  assert.equal(code, 0)
  answer = html(page('We use Google and Meta.'))
  await d.run()
})

test('a certificate that nobody vouches for, and a private address, are not asked', async () => {
  await house.reload({ ...house.standard(), notices: [watched({ tls: undefined })] })
  await until(async () => /certificate/.test((await state()).error ?? ''), 'the certificate to be refused')
  await house.reload({ ...house.standard(), notices: [watched({ allow_private_addresses: false })] })
  await until(async () => (await state()).error === 'the address is not a public one', 'the address to be refused')
})

test('a file is watched as well, and a notice that somebody stored is not taken for a change', async () => {
  const file = join(d.dir, 'terms.txt')
  await writeFile(file, 'Our  terms\nof sale')
  await d.api('POST', '/legal_notices', { identifier: 'terms', content: 'Our terms of sale' })
  await house.reload({ ...house.standard(), notices: [{ identifier: 'terms', file: 'terms.txt', every: '1s' }] })
  await until(async () => (await state('terms'))?.looked, 'a look')
  assert.equal((await state('terms')).pending, null)
  assert.equal((await state('terms')).in_force, 1)
  await writeFile(file, 'Our terms of rent')
  await until(async () => (await state('terms')).pending, 'the change')
  await writeFile(file, Buffer.alloc((1 << 20) + 1, 'x'))
  await until(async () => (await state('terms')).error === 'the file is larger than 1 MB', 'it to be refused')
})

test('findings survive a restart, and everything verifies', async () => {
  const before = await state('terms')
  await d.restart('SIGKILL')
  const { pending: after } = await state('terms')
  assert.deepEqual(after, before.pending)
  const { code, out, err } = await d.cli(['verify'])
  assert.equal(code, 0, out + err)
})

test('a recipient that the privacy policy does not name is reported', async () => {
  // the policy in force names neither: "We use Google and Meta."
  const check = await d.cli(['check'])
  assert.equal(check.code, 0, check.err)
  assert.match(check.err, /does not name "warehouse Ltd"/)
  assert.match(check.err, /does not name "crm Ltd"/)
  assert.equal(await d.metric('licet_recipients_unnamed'), 2)
  assert.match(d.log, /policy\.recipient_unnamed/)
  await d.api('POST', '/legal_notices', { identifier: 'privacy_policy', content: { en: '<p>It goes to <b>Warehouse\n LTD</b>.</p>', de: 'An crm Ltdx.' } })
  await until(async () => await d.metric('licet_recipients_unnamed') === 1, 'one left')
  const again = await d.cli(['check'])
  assert.doesNotMatch(again.err, /warehouse/)
  assert.match(again.err, /does not name "crm Ltd"/)
})

test('only the private key sees and confirms', async () => {
  for (const key of [null, 'public']) {
    const status = key ? 403 : 401
    for (const [method, path] of [['GET', '/v1/notices'], ['GET', '/v1/notices/terms/pending'], ['POST', '/v1/notices/confirm?identifier=terms&sha256=x']]) {
      assert.equal((await d.api(method, path, undefined, { key })).status, status, path)
    }
  }
})
