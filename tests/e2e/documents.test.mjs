// Documents as proofs: uploaded by the clients' own forms, told by their bytes, attached, verified.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { deflateSync, crc32 } from 'node:zlib'
import { BINARY } from './daemon.mjs'
import { describedBy } from './described.mjs'
import { consent, startHouse } from './fixture.mjs'

const run = promisify(execFile)
const MB = 1 << 20
const pdf = (words = 'signed') => Buffer.from(`%PDF-1.7\n% ${words}\nstartxref\n9\n%%EOF\n`)
const chunk = (type, data) => {
  const body = Buffer.concat([Buffer.from(type), data]), frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
const png = Buffer.concat([
  Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0])),
  chunk('IDAT', deflateSync(Buffer.from([0, 0]))), chunk('IEND', Buffer.alloc(0))])
const webp = Buffer.from('RIFF\x10\0\0\0WEBPVP8 \x04\0\0\0abcd', 'latin1')
const jpeg = Buffer.from('ffd8ffc0000b080001000101011100ffda0008010100003f0078ffd9', 'hex')

let house, d, dir
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'licet-documents-'))
  house = await startHouse()
  d = house.licet
})
after(async () => {
  await house.stop()
  await rm(dir, { recursive: true })
})

/** As a browser's or node's own form does it. */
async function upload(bytes, { name = 'signed.pdf', type = 'application/pdf', field = 'file', path = '/documents', key = d.privateKey, more = {} } = {}) {
  const form = new FormData()
  for (const [k, v] of Object.entries(more)) form.append(k, v)
  form.append(field, new Blob([bytes], { type }), name)
  const answer = await fetch(d.url + path, { method: 'POST', body: form, headers: key ? { ApiKey: key } : {} })
  const text = await answer.text()
  const got = { status: answer.status, headers: answer.headers, text, json: text.startsWith('{') ? JSON.parse(text) : undefined }
  describedBy(BINARY).check({ method: 'POST', path }, got)
  return got
}
const uploaded = async (bytes, options) => {
  const { status, json, text } = await upload(bytes, options)
  assert.equal(status, 200, text)
  return json
}
const content = (id, key = d.privateKey) => fetch(`${d.url}/documents/${id}/content`, { headers: key ? { ApiKey: key } : {} })

test('a file of each kind comes back byte by byte, to be saved and not shown', async () => {
  for (const [bytes, type, suffix] of [[pdf(), 'application/pdf', 'pdf'], [png, 'image/png', 'png'], [jpeg, 'image/jpeg', 'jpg'], [webp, 'image/webp', 'webp']]) {
    const told = await uploaded(bytes, { name: 'C:\\scan\\Müller "1".html', type: 'text/html' })
    assert.match(told.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    assert.deepEqual(told, {
      id: told.id, identifier: told.id, timestamp: told.timestamp, name: 'Müller %221%22.html', content_type: type,
      size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'),
    })
    assert.deepEqual((await d.api('GET', `/documents/${told.id}`)).json, told)
    const answer = await content(told.id)
    assert.equal(answer.status, 200)
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes)
    assert.equal(answer.headers.get('content-type'), type)
    assert.equal(answer.headers.get('content-disposition'), `attachment; filename="${told.id}.${suffix}"`)
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    assert.match(answer.headers.get('content-security-policy'), /default-src 'none'.*sandbox/)
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
  }
})

test('curl uploads and saves, also by the beta paths and with doubled slashes', async () => {
  const file = join(dir, 'paper "x".pdf'), back = join(dir, 'back.pdf')
  await writeFile(file, pdf('by curl'))
  const key = ['-H', `ApiKey: ${d.privateKey}`]
  const { stdout } = await run('curl', ['-sS', ...key, '-F', `file=@"${file.replaceAll('"', '\\"')}"`, `${d.url}/beta/documents/`])
  const { id, name } = JSON.parse(stdout)
  assert.match(name, /^paper .*x.*\.pdf$/)
  await run('curl', ['-sS', ...key, '-o', back, `${d.url}//beta//documents/${id}/content`])
  assert.deepEqual(await readFile(back), pdf('by curl'))
  assert.equal((await d.api('GET', `/beta/documents/${id}`)).json.id, id)
  assert.equal((await d.api('GET', '/beta/documents?limit=1')).json.length, 1)
})

test('only the private key uploads, lists and reads', async () => {
  const { id } = await uploaded(pdf())
  for (const key of [null, d.publicKey, 'wrong']) {
    const status = key === null ? 401 : 403
    assert.equal((await upload(pdf(), { key })).status, status)
    for (const path of ['/documents', `/documents/${id}`, `/documents/${id}/content`]) assert.equal((await d.api('GET', path, undefined, { key })).status, status, path)
  }
})

test('a document that does not exist is a 404', async () => {
  for (const id of [randomUUID(), '7', '%2e%2e', 'x%00y']) {
    for (const path of [`/documents/${id}`, `/documents/${id}/content`]) {
      const { status, json } = await d.api('GET', path)
      assert.equal(status, 404, path)
      assert.deepEqual(json, { status: 'not_found' })
    }
  }
})

test('what is no document is refused in words that name the field', async () => {
  const before = (await d.api('GET', '/documents?limit=1')).json[0].id
  for (const [bytes, options, status, field] of [
    ['<html><script>alert(1)</script></html>', { type: 'application/pdf' }, 400, 'file'],
    ['GIF89a\x01\0\x01\0\0\0\0;', { type: 'image/png', name: 'a.png' }, 400, 'file'],
    ['', {}, 400, 'file'],
    [pdf(), { field: 'document' }, 400, 'file'],
    [pdf(), { more: { file: 'twice' } }, 400, 'file'],
    [png.subarray(0, -1), {}, 400, 'file'],
    [Buffer.concat([pdf(), Buffer.alloc(MB, ' '), Buffer.from('startxref\n9\n%%EOF')]), {}, 413, 'file'],
  ]) {
    const answer = await upload(bytes, options)
    assert.equal(answer.status, status, answer.text)
    assert.equal(answer.json.field, field)
    assert.ok(answer.json.message.length > 5)
  }
  for (const [type, body, field] of [
    ['application/json', '{"file":"x"}', 'Content-Type'],
    ['application/pdf', pdf(), 'Content-Type'],
    ['multipart/form-data', '--b--', 'Content-Type'],
    ['multipart/form-data; boundary=b', '--c--', 'body'],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + pdf(), 'body'],
    ['multipart/form-data; boundary=b', '--b--', 'file'],
  ]) {
    const { status, json } = await d.api('POST', '/documents', body, { headers: { 'Content-Type': type } })
    assert.equal(status, 400, type)
    assert.equal(json.field, field)
  }
  assert.equal((await d.api('GET', '/documents?limit=1')).json[0].id, before) // nothing was written
  assert.equal((await upload(pdf(), { more: { note: 'other fields are passed over' } })).status, 200)
})

test('one megabyte is taken, and the configuration moves the limit', async () => {
  const sized = n => Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(n - 9 - 17, 'x'), Buffer.from('startxref\n9\n%%EOF')])
  assert.equal(sized(MB).length, MB)
  await uploaded(sized(MB))
  assert.equal((await upload(sized(MB + 1))).status, 413)
  await house.reload({ ...house.standard(), documents: { max_kilobytes: 4096 } })
  for (let tries = 0; (await upload(sized(MB + 1))).status === 413; tries++) assert.ok(tries < 50)
  const { id, size } = await uploaded(sized(4 * MB))
  assert.equal(size, 4 * MB)
  assert.deepEqual(Buffer.from(await (await content(id)).arrayBuffer()), sized(4 * MB))
  assert.equal((await upload(sized(4 * MB + 1))).status, 413)
  assert.equal((await upload(sized(6 * MB))).status, 413)
  const more = await Promise.all([1, 2, 3, 4, 5].map(n => upload(Buffer.concat([sized(4 * MB - 1), Buffer.from([10 * n])]))))
  assert.deepEqual(more.map(a => a.status), [200, 200, 200, 200, 200])
})

test('a document proves a consent and carries a notice', async () => {
  const one = await uploaded(pdf('one')), two = await uploaded(png, { name: 'scan.png' })
  const { id } = await consent(d, 'paper-ada', { profiling: true }, { proofs: undefined, proof_document_ids: [two.id, one.id, two.id] })
  const { json } = await d.api('GET', `/consent/${id}`)
  assert.deepEqual(json.proof_documents, [one, two])
  assert.deepEqual(json.proof_document_ids, [two.id, one.id, two.id])
  assert.equal(json.effects[0].evidence, 'proof')
  const notice = await d.api('POST', '/legal_notices', { identifier: 'terms', document_ids: [one.id] })
  assert.equal(notice.status, 200, notice.text)
  assert.deepEqual((await d.api('GET', '/legal_notices/terms')).json[0].documents, [one])
})

test('an id that names no document is refused and named', async () => {
  for (const ids of [[randomUUID()], ['7'], [7], [(await uploaded(pdf())).id, 'x']]) {
    const act = await d.api('POST', '/consent', { subject: { id: 'nobody' }, proof_document_ids: ids })
    assert.equal(act.status, 400)
    assert.equal(act.json.field, 'proof_document_ids')
    const notice = await d.api('POST', '/legal_notices', { identifier: 'never', document_ids: ids })
    assert.equal(notice.status, 400)
    assert.equal(notice.json.field, 'document_ids')
  }
  assert.equal((await d.api('GET', '/subjects/nobody')).status, 404)
  assert.equal((await d.api('GET', '/legal_notices/never')).status, 404)
})

test('by public key a document that exists and one that does not are answered alike', async () => {
  const { id } = await uploaded(pdf('private'))
  const answers = await Promise.all([id, randomUUID(), '7'].map(one =>
    d.api('POST', '/public/consent', { preferences: { statistics: true }, proof_document_ids: [one] }, { key: 'public' })))
  for (const { status, text } of answers) {
    assert.equal(status, 400)
    assert.equal(text, answers[0].text)
  }
  assert.equal((await d.api('POST', '/public/consent', { preferences: {}, proof_document_ids: [] }, { key: 'public' })).status, 200)
})

test('the list goes on where it ended', async () => {
  const ids = []
  for (let n = 0; n < 5; n++) ids.unshift((await uploaded(pdf(`n ${n}`))).id)
  const page = async query => (await d.api('GET', `/documents?${query}`)).json.map(x => x.id)
  assert.deepEqual(await page('limit=3'), ids.slice(0, 3))
  assert.deepEqual(await page(`limit=2&starting_after_identifier=${ids[2]}`), ids.slice(3))
  const { status, json } = await d.api('GET', `/documents?starting_after_identifier=${randomUUID()}`)
  assert.equal(status, 400)
  assert.equal(json.field, 'starting_after_identifier')
})

test('documents survive kill -9, are in the backup, and a changed byte is found by name', async () => {
  const bytes = pdf('to be kept')
  const { id } = await uploaded(bytes)
  await d.restart('SIGKILL')
  assert.deepEqual(Buffer.from(await (await content(id)).arrayBuffer()), bytes)
  const backup = join(dir, 'licet.backup')
  assert.equal((await d.cli(['backup', backup])).code, 0)
  const copy = new DatabaseSync(backup)
  const row = copy.prepare('SELECT bytes FROM content JOIN document ON content = no WHERE id = ?').get(Buffer.from(id.replaceAll('-', ''), 'hex'))
  copy.close()
  assert.deepEqual(Buffer.from(row.bytes), bytes)
  assert.equal((await d.cli(['verify'])).code, 0)

  const file = join(d.dir, 'data/licet.db')
  await d.kill('SIGTERM')
  const change = to => {
    const db = new DatabaseSync(file)
    db.prepare('UPDATE content SET bytes = ? WHERE no = (SELECT content FROM document WHERE id = ?)').run(to, Buffer.from(id.replaceAll('-', ''), 'hex'))
    db.close()
  }
  change(pdf('to be keqt'))
  const { code, out, err } = await d.cli(['verify'])
  assert.equal(code, 1)
  assert.ok((out + err).includes(`document ${id}`), out + err)
  await d.run()
  assert.equal((await content(id)).status, 500) // nor is it given out as what it was
  await d.kill('SIGTERM')
  change(bytes)
  assert.equal((await d.cli(['verify'])).code, 0)
  await d.run()
})
