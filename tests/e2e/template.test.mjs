// Templates of purposes: whole and concrete in every language, refused while a mark stands, and valid once filled in.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { licet } from './daemon.mjs'
import { BASE, ENV, FILLED, LANGUAGES, NAMES, sets } from './template-house.mjs'

const TOP = resolve(import.meta.dirname, '../..')
const PARTS = ['title', 'aim', 'data', 'transfer', 'storage', 'automation', 'consequences', 'withdrawal']
const MARK = /\[\[([a-z][a-z0-9_]*)\]\]/g
let dir
before(async () => { dir = await mkdtemp(join(tmpdir(), 'licet-template-')) })
after(() => rm(dir, { recursive: true }))

const source = name => readFile(join(TOP, 'templates', `${name}.yaml`), 'utf8')
/** The others that its text speaks of. */
const company = async name => [name, ...((await source(name)).match(/^# Goes with: ([^.]*)\./m)?.[1].split(', ') ?? [])]
const print = async (names, ...options) => {
  const { code, out, err } = await licet(['template', ...names, ...options])
  assert.equal(code, 0, err)
  return out
}
async function check(yaml) {
  const file = join(dir, 'licet.yaml')
  await writeFile(file, yaml)
  return licet(['check', '--config', file], { env: ENV, cwd: dir })
}
const textsOf = yaml => parse(yaml).purposes.flatMap(p => Object.entries(p.versions[0].text).map(([language, text]) => ({ id: p.id, language, text })))
const all = () => Promise.all(NAMES.map(source)).then(files => files.flatMap(textsOf))

test('licet template lists every file of templates/ with a line about it', async () => {
  const { code, out } = await licet(['template'])
  assert.equal(code, 0)
  const files = (await readdir(join(TOP, 'templates'))).filter(f => f.endsWith('.yaml')).map(f => f.replace('.yaml', ''))
  const lines = out.trimEnd().split('\n').map(line => line.match(/^(\S+) +(\S.{20,90})$/))
  assert.deepEqual(lines.map(l => l?.[1]).sort(), files.sort())
  assert.deepEqual([...NAMES].sort(), files.sort(), 'and the tests know them all')
})

for (const name of NAMES) {
  describe(name, () => {
    test(`${name} is one purpose of that name, version 1, with every part in every language`, async () => {
      const { purposes } = parse(await source(name))
      assert.equal(purposes.length, 1)
      assert.deepEqual([purposes[0].id, purposes[0].versions.length, purposes[0].versions[0].version], [name, 1, 1])
      assert.deepEqual(Object.keys(purposes[0].versions[0].text), LANGUAGES)
      for (const [language, text] of Object.entries(purposes[0].versions[0].text)) {
        assert.deepEqual(Object.keys(text), PARTS, language)
        for (const [part, says] of Object.entries(text)) {
          assert.ok(says.trim().length >= (part === 'automation' || part === 'title' ? 15 : 60), `${language}.${part} says little: ${says}`)
          if (part !== 'title') assert.match(says, /[.!]$/, `${language}.${part} ends as a sentence`)
        }
        assert.ok(text.title.length <= 50, `${language}: a title of a few words`)
        assert.ok(text.aim.length <= 280, `${language}: an aim that fits into a banner`)
      }
    })

    test(`${name}: the languages ask for the same things to be filled in, part by part`, async () => {
      const { text } = parse(await source(name)).purposes[0].versions[0]
      for (const part of PARTS) {
        const marks = LANGUAGES.map(l => [...text[l][part].matchAll(MARK)].map(m => m[1]).sort())
        assert.deepEqual([marks[1], marks[2]], [marks[0], marks[0]], part)
        assert.equal(new Set(LANGUAGES.map(l => text[l][part])).size, LANGUAGES.length, `${part} stands in a language twice`)
      }
    })

    test(`${name}: every mark stands within double quotes, so that what is set cannot end the value`, async () => {
      for (const line of (await source(name)).split('\n').filter(l => !l.startsWith('#') && l.includes('[['))) {
        assert.match(line, /^ +(- )?[a-z_]+: "[^"\\]*"$/, line)
      }
    })

    test(`${name}, filled in, passes licet check without a warning`, async () => {
      const { code, out, err } = await check(BASE + await print(await company(name), ...await sets(await company(name))))
      assert.deepEqual([code, err], [0, ''], out)
    })

    test(`${name}, not filled in, is refused with each mark and its line, and nothing else`, async () => {
      const yaml = BASE + await print(await company(name))
      const marks = yaml.split('\n').flatMap((line, i) => [...line.matchAll(MARK)].map(m => `${i + 1}:${m.index + 1} ${m[0]}`))
      assert.ok(marks.length > 0)
      const { code, err } = await check(yaml)
      assert.equal(code, 2)
      const said = [...err.matchAll(/:(\d+:\d+): error: (.*)$/gm)].map(m => `${m[1]} ${m[2].replace(/ is still to be filled in$/, '')}`)
      assert.deepEqual(said, marks)
      assert.ok(!err.includes('warning'))
    })

    test(`${name}: one mark left open is enough to be refused`, async () => {
      const names = await company(name)
      const options = await sets(names)
      const open = options.findLast(o => /^company=/.test(o)) ?? options.at(-1)
      const { code, err } = await check(BASE + await print(names, ...options.filter((o, i) => o !== open && options[i + 1] !== open)))
      assert.equal(code, 2)
      assert.match(err, new RegExp(`error: \\[\\[${open.split('=')[0]}\\]\\] is still to be filled in`))
    })
  })
}

test('all of them together are one valid configuration, with the destinations that they name', async () => {
  const yaml = BASE + await print(NAMES, ...await sets(NAMES))
  const { code, out, err } = await check(yaml)
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /9 purposes, 3 destinations/)
  const c = parse(yaml)
  assert.deepEqual(c.destinations.map(d => [d.id, d.requires]), [['own', ['statistics']], ['ga4', ['statistics_google']], ['hubspot', ['crm']]])
  assert.deepEqual(c.destinations[1].consent, { ad_user_data: ['advertising'], ad_personalization: ['advertising', 'remarketing'] }, 'what the last says of a destination counts')
  assert.deepEqual(c.links, [{ from: 'ga4.client_id', to: 'hubspot.contact', requires: ['linking'] }])
  const named = c.purposes.flatMap(p => p.versions[0].recipients ?? [])
  assert.deepEqual([...new Set(named)].sort(), ['ga4', 'hubspot'])
})

test('what is told Google of advertising goes only with the consents chosen', async () => {
  const consent = async names => parse(await print(names, '--section', 'destinations'))[0].consent
  assert.equal(await consent(['statistics_google']), undefined)
  assert.deepEqual(await consent(['advertising', 'statistics_google']), { ad_user_data: ['advertising'] })
})

test('recording, linking, the customer file, suggestions and the newsletter are asked separately; nothing rests on anything but consent', async () => {
  const { purposes } = parse(await print(NAMES))
  assert.deepEqual(purposes.filter(p => p.separate).map(p => p.id).sort(), ['crm', 'linking', 'newsletter', 'recommendations', 'recording'])
  assert.deepEqual(purposes.filter(p => p.scope === 'person').map(p => p.id).sort(), ['crm', 'linking', 'newsletter', 'recommendations'])
  assert.deepEqual(purposes.filter(p => p.double_opt_in).map(p => p.id), ['newsletter'])
  assert.ok(purposes.every(p => !p.basis || p.basis === 'consent'))
  for (const id of ['recording', 'linking', 'advertising', 'remarketing']) assert.ok(purposes.find(p => p.id === id).honours.includes('gpc'), id)
})

test('no aim and no title says what is known to say nothing', async () => {
  const empty = /profil|personali[sz]|personalis|sharper|clearer picture|sch[aä]rfer|scherper|experience|erlebnis|erfahrung|ervaring|beleving|optimi|verbesser|verbeter|improve|relevant|tailor|ma[sß]geschneider|op maat|marketing|partner/i
  for (const { id, language, text } of await all()) {
    for (const part of ['title', 'aim']) assert.doesNotMatch(text[part], empty, `${id}.${language}.${part}`)
  }
})

test('an aim is a sentence that says who does what, in the first word', async () => {
  const we = { en: /^We /, de: /^Wir /, nl: /^We / }
  for (const { id, language, text } of await all()) assert.match(text.aim, we[language], `${id}.${language}`)
})

test('where a company in the United States gets something, the text names it, the transfer, its basis, the storage there, and who can get at it', async () => {
  const us = { en: 'United States', de: 'USA', nl: 'Verenigde Staten' }
  const authorities = { en: /Authorities in the United States can demand/, de: /US-Behörden können/, nl: /Amerikaanse autoriteiten kunnen/ }
  let seen = 0
  for (const { id, language, text } of await all()) {
    const importers = text.transfer.match(/Google LLC|HubSpot, Inc\.|Microsoft Corporation/g) ?? []
    if (importers.length === 0) continue
    seen++
    assert.ok(text.transfer.includes(us[language]), `${id}.${language}: the country`)
    assert.match(text.transfer, /Ireland Limited|Ireland Operations Limited/, `${id}.${language}: the European company`)
    assert.match(text.transfer, /Data Privacy Framework/, `${id}.${language}: the basis`)
    assert.match(text.transfer, authorities[language], `${id}.${language}: who can get at it`)
    if (id !== 'crm') assert.ok(text.storage.includes(us[language]), `${id}.${language}: where it is stored`)
  }
  assert.equal(seen, 18) // six templates in three languages
})

test('recipients of the destinations are those that the texts name', async () => {
  const { purposes, destinations } = parse(await print(NAMES))
  for (const p of purposes) {
    for (const id of p.versions[0].recipients ?? []) {
      const d = destinations.find(x => x.id === id)
      for (const [language, text] of Object.entries(p.versions[0].text)) {
        for (const company of [d.recipient.name, ...d.transfers.map(t => t.importer)]) assert.ok(text.transfer.includes(company), `${p.id}.${language}: ${company}`)
      }
    }
  }
})

test('a destination lets out no more than the text says: no address of the network, no id as it is but the customer\'s own', async () => {
  for (const { id, fields } of parse(await print(NAMES)).destinations) {
    for (const field of Object.keys(fields)) assert.doesNotMatch(field, /ip|\*$|userAgent|location/i, `${id}: ${field}`)
    if (id !== 'hubspot') assert.deepEqual([fields.anonymousId, fields.userId, fields['traits.email']], ['pseudonymise', undefined, undefined], id)
  }
})

test('what follows from agreeing and from refusing stands there, and that nothing is lost by refusing', async () => {
  const both = {
    en: [/If you (agree|sign up)/, /If you (refuse|do not sign up)/, /same/],
    de: [/Wenn Sie (zustimmen|sich anmelden)/, /Wenn Sie (ablehnen|sich nicht anmelden)/, /dieselben|denselben/],
    nl: [/Als u (toestemt|zich aanmeldt)/, /Als u (weigert|zich niet aanmeldt)/, /gelijk|dezelfde/],
  }
  for (const { id, language, text } of await all()) {
    for (const says of both[language]) assert.match(text.consequences, says, `${id}.${language}`)
  }
})

test('how to withdraw is said by the words that the button bears', async () => {
  const words = await readFile(join(TOP, 'src/conf/words.h'), 'utf8')
  const labels = words.match(/W\(manage, "[^"]*", "([^"]*)", +\\\n +"([^"]*)", "([^"]*)"\)/).slice(1)
  for (const { id, language, text } of await all()) {
    if (id === 'newsletter') assert.match(text.withdrawal, /link/i)
    else assert.ok(text.withdrawal.includes(labels[LANGUAGES.indexOf(language)]), `${id}.${language}`)
  }
})

test('a text that speaks of another purpose calls it by its title', async () => {
  const titles = Object.fromEntries((await all()).map(({ id, language, text }) => [`${id}.${language}`, text.title]))
  for (const name of ['advertising', 'remarketing', 'linking']) {
    for (const language of LANGUAGES) {
      const { text } = (await all()).find(t => t.id === name && t.language === language)
      for (const other of (await company(name)).slice(1)) {
        const title = titles[`${other}.${language}`]
        const said = text.data.toLowerCase().replace('„ihrer kundenakte', '„ihre kundenakte') // in the dative
        assert.ok(said.includes(title.toLowerCase()), `${name}.${language}: ${title}`)
      }
    }
  }
})

test('every mark is explained in docs/texts.md, and nothing else is', async () => {
  const marks = new Set((await Promise.all(NAMES.map(source))).flatMap(t => [...t.matchAll(MARK)].map(m => m[1])))
  const told = [...(await readFile(join(TOP, 'docs/texts.md'), 'utf8')).matchAll(/^\| `\[\[([a-z0-9_]+)\]\]` \|/gm)].map(m => m[1])
  assert.deepEqual(told.sort(), [...marks].sort())
  assert.deepEqual(Object.keys(FILLED).sort(), [...marks].filter(m => m !== 'since').sort(), 'and the tests fill them all in')
})

test('licet check warns of an aim that says nothing', async () => {
  const yaml = BASE + (await print(['statistics'], ...await sets(['statistics'])))
  for (const aim of ['We carry out profiling.', 'Um ein schärferes Bild über unsere Nutzer zu bekommen.', 'Voor een betere ervaring.']) {
    const { code, err } = await check(yaml.replace(/aim: ".*"/, `aim: "${aim}"`))
    assert.equal(code, 0)
    assert.match(err, /licet\.yaml:\d+:\d+: warning: '(profiling|schärferes Bild|betere ervaring)' tells nobody what happens/)
  }
  const { err } = await licet(['export', 'consents', '--config', join(dir, 'licet.yaml')], { env: ENV, cwd: dir })
  assert.ok(!err.includes('warning'), `a command that does something else says nothing of it: ${err}`)
  assert.match(err, /^licet export: /, 'but what keeps it from doing that')
})

test('what is set arrives as it was given, whatever stands in it', async () => {
  for (const value of ['Blatt & Halm "GmbH"', 'a\\b', "O'Neill: #1 {x} [y] - z", '💌 Łódź', '*&!%@`']) {
    const yaml = await print(['statistics'], '--set', `company=${value}`)
    assert.ok(parse(yaml).purposes[0].versions[0].text.de.transfer.startsWith(`Nur ${value} erhält`), value)
  }
  const { code, err } = await check(BASE + await print(['statistics'], ...await sets(['statistics'], { company: 'a "b" \\ c: #d' })))
  assert.deepEqual([code, err], [0, ''])
})

test('since is today unless it is set', async () => {
  const since = async (...o) => parse(await print(['newsletter'], ...o)).purposes[0].versions[0].since
  const days = [new Date().toISOString().slice(0, 10)]
  const said = await since()
  assert.ok([...days, new Date().toISOString().slice(0, 10)].includes(said), said)
  assert.equal(await since('--set', 'since=2027-01-01'), '2027-01-01')
})

test('one language can be had alone, and the entries without their heading', async () => {
  for (const [option, languages] of [['de', ['de']], ['nl,en', ['en', 'nl']]]) {
    const { purposes } = parse(await print(NAMES, '--language', option))
    for (const p of purposes) assert.deepEqual(Object.keys(p.versions[0].text), languages, p.id)
  }
  const names = ['statistics', 'recording']
  const one = await print(['recording'], ...await sets(['recording']), '--section', 'purposes')
  const own = BASE + await print(['statistics'], ...await sets(['statistics']))
  const { code, err } = await check(own.replace(/^destinations:/m, `${one}destinations:`)) // pasted below the others
  assert.deepEqual([code, err], [0, ''])
  assert.deepEqual(parse(own.replace(/^destinations:/m, `${one}destinations:`)).purposes.map(p => p.id), names)
})

test('what is still open is said, apart from the text', async () => {
  const { out, err } = await licet(['template', 'newsletter', '--set', 'company=Muster'])
  assert.equal(err, 'licet template: still to be filled in: mails_per_month, mail_company, proof_years\n')
  assert.ok(!out.includes('still to be'))
})

test('wrong usage prints no text', async () => {
  for (const args of [['newsleter'], ['--set', 'company=x'], ['newsletter', '--set'], ['newsletter', '--set', 'company'], ['newsletter', '--set', 'company='],
    ['newsletter', '--set', '=x'], ['newsletter', '--set', 'company=  '], ['newsletter', '--set', 'company=a\nb'], ['newsletter', '--set', `company=${'x'.repeat(1001)}`],
    ['newsletter', '--set', 'company=a', '--set', 'company=b'], ['newsletter', '--set', 'compani=a'], ['newsletter', '--language', 'fr'], ['newsletter', '--language', 'de,xx'],
    ['newsletter', '--section', 'hooks'], ['newsletter', '--dance', 'x'], ['--section', 'links'], ['newsletter', '']]) {
    const { code, out, err } = await licet(['template', ...args])
    assert.deepEqual([code, out], [2, ''], args.join(' '))
    assert.ok(err.length > 0)
  }
  assert.deepEqual((await licet(['template', 'newsletter', '--section', 'links'])).code, 1)
})
