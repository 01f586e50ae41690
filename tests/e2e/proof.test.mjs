// A proof leaves the house in one file and is checked where nothing else is: no configuration, no database.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { licet, until } from './daemon.mjs'
import { arrivals, consent, startHouse, track } from './fixture.mjs'
import { StampAuthority } from './stamp-authority.mjs'

let house, d, dir, authority

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'licet-proof-'))
  authority = await new StampAuthority(join(dir, 'authority')).start()
  house = await startHouse({
    change: c => ({
      ...c,
      seals: { every: '1s', authority: { url: authority.url, certificates: authority.ca, allow_private_addresses: true } },
    }),
  })
  d = house.licet
  await d.api('POST', '/legal_notices', { identifier: 'privacy_policy', content: 'What we do with data.' })
  await consent(d, { id: 'ada', email: 'ada@example.com' }, { statistics: true }, { legal_notices: [{ identifier: 'privacy_policy', version: 1 }] })
  await consent(d, { id: 'eve', email: 'eve@secret.example' }, { statistics: true })
})
after(async () => {
  await house.stop()
  await authority.stop()
  await rm(dir, { recursive: true })
})

const alone = (args, more = {}) => licet(args, { cwd: dir, ...more })
let files = 0
async function exported(...what) {
  const file = join(dir, `proof-${++files}.jsonl`)
  const { code, err } = await d.cli(['export-proof', ...what, '--out', file])
  assert.equal(code, 0, err)
  return file
}
const publicKeys = async () => {
  const file = join(dir, `keys-${++files}`)
  const { code, out, err } = await d.cli(['keys', 'list'])
  assert.equal(code, 0, err)
  await writeFile(file, out)
  return file
}
/** Waits until everything written so far is sealed and stamped. */
const stamped = async () => {
  const before = authority.stamped
  await consent(d, `tick-${++files}`, { statistics: true })
  await until(() => authority.stamped >= before + 2, 'two more time stamps')
}

test('a proof is checked without anything else, and says what it proves', async () => {
  await stamped()
  const file = await exported('--subject', 'ada')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const { code, out, err } = await alone(['verify', file, '--key', await publicKeys(), '--authority', authority.ca])
  assert.equal(code, 0, out + err)
  assert.match(out, /about the subject "ada", as kept by Muster GmbH/)
  assert.match(out, /statistics: agreed to, text version 1, evidence: cited|evidence: proof/)
  assert.match(out, /of the purpose statistics, version 1/)
  assert.match(out, /notice privacy_policy, version 1/)
  assert.match(out, /Time stamp: what was sealed .* existed .*, says/)
  assert.match(out, /time stamped/)
  assert.doesNotMatch(out, /WARNING/)
  assert.doesNotMatch(out, /Nobody you named/)
})

test('without a key to compare with, the warning is plain', async () => {
  const file = await exported('--subject', 'ada')
  const { code, out } = await alone(['verify', file])
  assert.equal(code, 0)
  assert.match(out, /WARNING: anybody can make a key/)
  assert.match(out, /Nobody you named vouches for it/)
})

test("one person's proof holds nothing of another's but hashes", async () => {
  const text = await readFile(await exported('--subject', 'ada'), 'utf8')
  assert.doesNotMatch(text, /"eve|eve@|secret\.example/)
  const base64 = text.match(/[A-Za-z0-9+/]{8,}={0,2}/g).map(b => Buffer.from(b, 'base64').toString('latin1')).join('\n')
  assert.doesNotMatch(base64, /eve@|secret\.example/)
  const about = text.trim().split('\n').map(JSON.parse).filter(l => l.type === 'record' && l.kind === 'consent')
  assert.deepEqual([...new Set(about.map(l => JSON.parse(l.payload.join('')).subject.id))], ['ada'])
})

test('documents that prove a consent come along, byte for byte', async () => {
  const scan = Buffer.concat([Buffer.from('%PDF-1.4\n% '), randomBytes(600_000), Buffer.from('\nstartxref\n9\n%%EOF\n')])
  const form = new FormData()
  form.append('file', new Blob([scan], { type: 'application/pdf' }), 'signed.pdf')
  const told = await (await fetch(`${d.url}/documents`, { method: 'POST', headers: { ApiKey: d.privateKey }, body: form })).json()
  assert.ok(told.id, JSON.stringify(told))
  await consent(d, 'bea', { statistics: true }, { proof_document_ids: [told.id] })
  const file = await exported('--subject', 'bea')
  const { code, out, err } = await alone(['verify', file])
  assert.equal(code, 0, err)
  assert.match(out, new RegExp(`document "signed\\.pdf" \\(application/pdf, ${scan.length} bytes, SHA-256 ${told.sha256}\\)`))
  const lines = (await readFile(file, 'utf8')).trim().split('\n').map(JSON.parse)
  const content = lines.find(l => l.type === 'content')
  assert.ok(Buffer.concat(content.bytes.map(b => Buffer.from(b, 'base64'))).equals(scan))
  const other = await readFile(await exported('--subject', 'ada'), 'utf8')
  assert.doesNotMatch(other, /"type":"content"/)
})

test('a proof of a time holds everybody of that time', async () => {
  const file = await exported('--from', '2020-01-01', '--to', '2100-01-01')
  const { code, out, err } = await alone(['verify', file])
  assert.equal(code, 0, err)
  assert.match(out, /of the kind consent/)
  const text = await readFile(file, 'utf8')
  assert.match(text, /eve/)
  const nothing = await exported('--from', '2020-01-01', '--to', '2020-01-02')
  assert.match((await alone(['verify', nothing])).out, /Proven: 0 records/)
})

test('any changed line is found, and the first record that fails is named', async () => {
  const lines = (await readFile(await exported('--subject', 'ada'), 'utf8')).trimEnd().split('\n')
  const at = lines.findIndex(l => l.includes('"kind":"consent"'))
  const seq = JSON.parse(lines[at]).seq
  const changed = lines.with(at, lines[at].replace('ada@example.com', 'bob@example.com').replace('statistics', 'marketings'))
  assert.notEqual(changed[at], lines[at])
  const file = join(dir, 'changed.jsonl')
  await writeFile(file, changed.join('\n') + '\n')
  const { code, err } = await alone(['verify', file])
  assert.equal(code, 1)
  assert.match(err, new RegExp(`NOT PROVEN: line ${at + 1}: consent \\(record ${seq}\\): its content is not what was recorded`))
  for (const [name, other] of Object.entries({
    'a line taken out': lines.toSpliced(at, 1),
    'the end taken off': lines.slice(0, -1),
    'something added': [...lines, lines[0]],
    'two lines changed places': lines.with(at, lines[at + 1]).with(at + 1, lines[at]),
    'another controller': lines.with(0, lines[0].replace('Muster', 'Fremde')),
  })) {
    await writeFile(file, other.join('\n') + '\n')
    assert.equal((await alone(['verify', file])).code, 1, name)
  }
})

test('a key that is not the one given is refused', async () => {
  const file = await exported('--subject', 'ada')
  const { code, err } = await alone(['verify', file, '--key', 'ab'.repeat(32)])
  assert.equal(code, 1)
  assert.match(err, /its key is none of those given/)
})

test('a time stamp of an authority that is not the one given is refused', async () => {
  await stamped()
  const file = await exported('--subject', 'ada')
  const other = await new StampAuthority(join(dir, 'other')).start()
  const { code, err } = await alone(['verify', file, '--authority', other.ca])
  await other.stop()
  assert.equal(code, 1)
  assert.match(err, /does not come from a trusted authority/)
})

test('after a change of keys old proofs stand, and the old key vouches for new ones', async () => {
  const old = await exported('--subject', 'ada'), oldKeys = await publicKeys()
  const { code, out, err } = await d.cli(['keys', 'new'])
  assert.equal(code, 0, err)
  assert.match(out, /handed over by the one before {2}in use/)
  await stamped()
  const young = await exported('--subject', 'ada')
  for (const [file, keys] of [[old, oldKeys], [young, oldKeys], [old, await publicKeys()], [young, await publicKeys()]]) {
    const { code, out, err } = await alone(['verify', file, '--key', keys])
    assert.equal(code, 0, out + err)
  }
  const newest = out.slice(0, 64)
  assert.ok((await readFile(young, 'utf8')).trimEnd().split('\n').at(-1).includes(newest))
  assert.equal((await d.cli(['verify'])).code, 0)
})

test('nobody known, wrong words and files that are there are refused', async () => {
  assert.equal((await d.cli(['export-proof', '--subject', 'nobody-at-all'])).code, 1)
  assert.equal((await d.cli(['export-proof'])).code, 2)
  assert.equal((await d.cli(['export-proof', '--from', '2026-02-30', '--to', '2026-03-01'])).code, 2)
  assert.equal((await d.cli(['export-proof', '--subject', 'ada', '--from', '2026-01-01', '--to', '2026-03-01'])).code, 2)
  const file = await exported('--subject', 'ada')
  assert.equal((await d.cli(['export-proof', '--subject', 'ada', '--out', file])).code, 1)
  assert.equal((await alone(['verify', join(dir, 'no-such-file')])).code, 1)
  await writeFile(join(dir, 'empty'), '')
  assert.match((await alone(['verify', join(dir, 'empty')])).err, /no proof of licet's/)
})

test('while the authority cannot be reached everything else goes on, and it is asked again', async () => {
  const sealed = () => d.log.split('\n').filter(l => l.includes('"seal"')).length
  authority.refuse = true
  const was = sealed()
  await consent(d, 'during-the-outage', { statistics: true })
  await until(() => d.log.includes('seal.unstamped') && sealed() > was + 1, 'seals without a stamp')
  const file = await exported('--subject', 'during-the-outage')
  const { code, out } = await alone(['verify', file])
  assert.equal(code, 0)
  assert.match(out, /bear no outside time stamp/)
  authority.refuse = false
})

test('the report of a person tells purpose, wording, act, evidence and what left', async () => {
  await d.ingest([track('ada', 'Seen')])
  await arrivals(house.receiver, 1)
  await until(async () => JSON.parse((await d.cli(['report', 'consent', '--subject', 'ada', '--json'])).out).sent_total > 0, 'the sending in the report')
  const { code, out, err } = await d.cli(['report', 'consent', '--subject', 'ada'])
  assert.equal(code, 0, err)
  assert.match(out, /PURPOSE statistics: holds now/)
  assert.match(out, /aim: We need it for statistics\./)
  assert.match(out, /evidence: /)
  assert.match(out, /Form: <form>…<\/form>/)
  assert.match(out, /to warehouse Ltd, IE \(warehouse\), sent;\s+fields:\s+anonymousId/)
  assert.match(out, /PURPOSE profiling: does not hold now/)
  assert.doesNotMatch(out, /\beve\b|secret\.example/)
  const json = JSON.parse((await d.cli(['report', 'consent', '--subject', 'ada', '--json'])).out)
  const statistics = json.purposes.find(p => p.id === 'statistics')
  assert.equal(statistics.version, 1)
  assert.equal(statistics.decided_by.id, statistics.acts[0].id)
  assert.equal(json.sent[0].recipient, 'warehouse Ltd')
  await consent(d, 'ada', { statistics: false })
  const after = (await d.cli(['report', 'consent', '--subject', 'ada'])).out
  assert.match(after, /PURPOSE statistics: does not hold now/)
  assert.match(after, /refused or withdrew/)
  assert.match(after, /The text of version 1/, 'what she had agreed to is still shown')
  assert.equal((await d.cli(['report', 'consent', '--subject', 'nobody-at-all'])).code, 1)
})

// the last: whoever looks for the key meanwhile to seal with it tries again in a minute only
test('a signing key that others can read is not used', async () => {
  const file = join(d.dir, 'data', 'signing.key')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  await chmod(file, 0o644)
  const { code, err } = await d.cli(['export-proof', '--subject', 'ada'])
  await chmod(file, 0o600)
  assert.equal(code, 1)
  assert.match(err, /others can read the file/)
})
