// A site that keeps its consent management platform: what she chooses there becomes an act here, and the gate obeys it.
// OneTrust, Cookiebot and Usercentrics are stood in for by scripts that fire the events and hold the objects and cookies that these
// vendors document; the TCF is the reference implementation itself.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import { build } from 'esbuild'
import { BANNER, granted, openShop, purposes, secondVersion, settled } from './banner-house.mjs'
import { sleep, until } from './daemon.mjs'

const require = createRequire(import.meta.url)
const CONSENT = '**/public/consent'
const WORDING = 'We record how you use these pages.'

const state = page => page.evaluate(() => Object.fromEntries(Object.entries(window.licet.state()).map(([id, s]) => [id, s.chosen])))
const kept = async me => JSON.parse((await me.stored()).local.licet ?? 'null')
const flat = act => Object.fromEntries(act.effects.map(e => [e.name, e.grant ? `${e.evidence}@${e.version}` : 'lowered']))
let messages = 0

/** A shop with that provider; `scene` of each visitor: {me, acts(), verdicts()}. */
async function openPlatform(provider, map, { change = c => c } = {}) {
  const shop = await openShop({ script: 'licet-cmp.js', change: c => change({ ...c, banner: BANNER, cmp: { provider, map } }) })
  shop.site.head = `<script nonce="n1" src="/cmp.js"></script>`
  const { licet } = shop.house
  shop.enter = async (script, options) => {
    const me = await shop.visitor(options)
    await me.context.route('**/cmp.js', r => r.fulfill({ contentType: 'text/javascript', body: script }))
    await me.open()
    const scene = {
      me, page: me.page,
      do: (what, ...more) => me.page.evaluate(([name, args]) => window.cmp[name](...args), [what, more]),
      granted: list => until(async () => (await granted(me.page)).join() === list.join(), () => `the grants ${list}`),
      device: async () => (await kept(me))?.device,
      acts: async () => {
        const device = await scene.device()
        if (!device) return []
        const list = (await licet.api('GET', `/consent?subject_id=${device}&limit=100`)).json
        return Promise.all(list.map(async a => (await licet.api('GET', `/consent/${a.id}`)).json)).then(all => all.reverse())
      },
      verdicts: async (device = null) => {
        const anonymousId = device ?? await scene.device()
        return licet.verdicts({ type: 'track', event: 'Seen', anonymousId, messageId: `cmp-${process.pid}-${++messages}` })
      },
    }
    return scene
  }
  return shop
}

// ---- what each vendor's script does, as documented ----

/** OneTrust: the groups are applied and announced with each load and each choice; OnConsentChanged hears of choices alone. */
const ONETRUST = ({ model = 'opt-in', groups = ['C0001', 'C0002', 'C0003', 'C0004', 'C0005'], late = 0 } = {}) => `(() => {
  const heard = [], groups = ${JSON.stringify(groups)}
  const jar = name => document.cookie.split('; ').find(c => c.startsWith(name + '='))?.slice(name.length + 1)
  const keep = (name, value) => { document.cookie = name + '=' + value + '; path=/; max-age=31536000' }
  const id = new URLSearchParams(decodeURIComponent(jar('OptanonConsent') ?? '')).get('consentId') ?? crypto.randomUUID()
  const active = () => (new URLSearchParams(decodeURIComponent(jar('OptanonConsent') ?? '')).get('groups') ?? '').split(',').filter(g => g.endsWith(':1')).map(g => g.split(':')[0])
  const write = on => keep('OptanonConsent', encodeURIComponent(new URLSearchParams({ datestamp: new Date(), version: '202411.1.0', consentId: id, interactionCount: '1', groups: groups.map(g => g + ':' + (on.includes(g) ? 1 : 0)).join(',') }).toString()))
  const apply = () => {
    window.OnetrustActiveGroups = ',' + active().join(',') + ','
    window.OptanonWrapper?.()
    dispatchEvent(new CustomEvent('OneTrustGroupsUpdated', { detail: active() }))
  }
  const choose = (...on) => {
    write(['C0001', ...on])
    keep('OptanonAlertBoxClosed', new Date().toISOString())
    apply()
    for (const each of heard) each(new CustomEvent('consent.onetrust', { detail: active() }))
    dispatchEvent(new CustomEvent('OTConsentApplied'))
  }
  window.cmp = { choose, id: () => id, load }
  function load() {
    window.OneTrust = {
      OnConsentChanged: each => heard.push(each), IsAlertBoxClosed: () => !!jar('OptanonAlertBoxClosed'),
      GetDomainData: () => ({ Domain: 'template-7', AlertNoticeText: 'We use cookies.', ConsentModel: { Name: '${model}' }, ShowAlertNotice: true, Groups: groups.map(CustomGroupId => ({ CustomGroupId, GroupName: 'Group ' + CustomGroupId, GroupDescription: 'What it does.' })) }),
    }
    if (!jar('OptanonConsent')) write('${model}' === 'opt-in' ? ['C0001'] : groups)
    apply()
  }
  ${late < 0 ? '' : late ? `setTimeout(load, ${late})` : 'load()'}
})()`

/** Cookiebot: OnAccept and OnDecline come with each load after an answer, too. */
const COOKIEBOT = ({ method = 'explicit' } = {}) => `(() => {
  const jar = () => decodeURIComponent(document.cookie.split('; ').find(c => c.startsWith('CookieConsent='))?.slice(14) ?? '')
  const of = name => new RegExp(name + ":'?([^',}]*)").exec(jar())?.[1]
  const bot = window.Cookiebot = { serial: '0000-cb', consent: {}, get hasResponse() { return !!jar() } }
  const apply = () => {
    Object.assign(bot.consent, { necessary: true, stamp: of('stamp') ?? '0', method: of('method') ?? null })
    for (const n of ['preferences', 'statistics', 'marketing']) bot.consent[n] = of(n) === 'true'
    bot.consentID = of('stamp') ?? '0'
    if (!bot.hasResponse) return
    bot.consented = ['preferences', 'statistics', 'marketing'].some(n => bot.consent[n])
    bot.declined = !bot.consented
    dispatchEvent(new Event('CookiebotOnConsentReady'))
    dispatchEvent(new Event(bot.consented ? 'CookiebotOnAccept' : 'CookiebotOnDecline'))
  }
  const choose = (...on) => {
    document.cookie = 'CookieConsent=' + encodeURIComponent("{stamp:'" + btoa(Math.random()).replace(/=/g, '') + "',necessary:true" + ['preferences', 'statistics', 'marketing'].map(n => ',' + n + ':' + on.includes(n)).join('') + ",method:'${method}',ver:1,utc:" + Date.now() + ",region:'de'}") + '; path=/'
    apply()
  }
  window.cmp = { choose, id: () => bot.consentID }
  addEventListener('load', apply)
})()`

/** Usercentrics v3: UC_UI_CMP_EVENT tells of the button, getConsentDetails() of what was chosen. */
const USERCENTRICS3 = `(() => {
  const names = { a1: 'Google Analytics', b2: 'Meta Pixel' }
  const load = () => JSON.parse(localStorage.getItem('ucData') ?? 'null') ?? { type: 'IMPLICIT', by: 'onInitialPageLoad', on: [], at: Date.now() }
  const keep = kept => localStorage.setItem('ucData', JSON.stringify(kept))
  const controllerId = localStorage.getItem('ucController') ?? crypto.randomUUID()
  localStorage.setItem('ucController', controllerId)
  window.__ucCmp = {
    isInitialized: async () => true,
    getConsentDetails: async () => {
      const { type, by, on, at } = load()
      const services = Object.fromEntries(Object.entries(names).map(([id, name]) => [id, { name, consent: { given: on.includes(id), type }, essential: false, subservices: {} }]))
      return { consent: { status: 'SOME_ACCEPTED', type, controllerId, updatedAt: at, updatedBy: by, hash: 'h4sh', setting: { id: 'SETTING', version: '12.1.4', language: 'de' } }, services, categories: { marketing: { state: on.includes('b2') ? 'ALL_ACCEPTED' : 'ALL_DENIED', dps: { b2: on.includes('b2') } } } }
    },
  }
  const choose = (...on) => {
    const type = on.length === 2 ? 'ACCEPT_ALL' : on.length ? 'SAVE' : 'DENY_ALL'
    dispatchEvent(new CustomEvent('UC_UI_CMP_EVENT', { detail: { source: 'first', type } }))
    return new Promise(ok => setTimeout(() => {
      keep({ type: 'EXPLICIT', by: 'onUpdateServices', on, at: Date.now() })
      dispatchEvent(new CustomEvent('UC_CONSENT', { detail: {} }))
      ok()
    }, 80))
  }
  window.cmp = { choose, id: () => controllerId }
  setTimeout(() => dispatchEvent(new Event('UC_UI_INITIALIZED')))
})()`

/** Usercentrics v2: services with their history. */
const USERCENTRICS2 = `(() => {
  const load = () => JSON.parse(localStorage.getItem('uc2') ?? '[]')
  const controllerId = localStorage.getItem('uc2id') ?? 'c'.repeat(64)
  localStorage.setItem('uc2id', controllerId)
  window.UC_UI = {
    isInitialized: () => true, getControllerId: () => controllerId, getSettingsCore: () => ({ id: 'SETTING2', version: '30.0.1' }),
    getServicesBaseInfo: () => [['a1', 'Google Analytics', 'statistics'], ['b2', 'Meta Pixel', 'marketing']].map(([id, name, categorySlug]) => {
      const history = load().map(h => ({ action: 'onUpdateServices', language: 'de', status: h.on.includes(id), timestamp: h.at, type: h.type, versions: { settings: '30.0.1' } }))
      return { id, name, categorySlug, isEssential: false, consent: { status: history.at(-1)?.status ?? false, history } }
    }),
  }
  const choose = (...on) => {
    localStorage.setItem('uc2', JSON.stringify([...load(), { on, at: Date.now(), type: 'explicit' }]))
    dispatchEvent(new CustomEvent('UC_UI_CMP_EVENT', { detail: { source: 'FIRST_LAYER', type: on.length === 2 ? 'ACCEPT_ALL' : on.length ? 'SAVE' : 'DENY_ALL' } }))
  }
  window.cmp = { choose, id: () => controllerId }
  setTimeout(() => dispatchEvent(new Event('UC_UI_INITIALIZED')))
})()`

// ---- the same of every platform ----

const PLATFORMS = [
  { name: 'onetrust', provider: 'onetrust', script: ONETRUST(), map: { C0002: 'statistics@1', C0004: 'adverts@1' }, statistics: 'C0002', adverts: 'C0004', other: 'C0003' },
  { name: 'cookiebot', provider: 'cookiebot', script: COOKIEBOT(), map: { statistics: 'statistics@1', marketing: 'adverts@1' }, statistics: 'statistics', adverts: 'marketing', other: 'preferences' },
  { name: 'usercentrics v3', provider: 'usercentrics', script: USERCENTRICS3, map: { a1: 'statistics@1', marketing: 'adverts@1' }, statistics: 'a1', adverts: 'b2' },
  { name: 'usercentrics v2', provider: 'usercentrics', script: USERCENTRICS2, map: { 'Google Analytics': 'statistics@1', b2: 'adverts@1' }, statistics: 'a1', adverts: 'b2' },
]

for (const p of PLATFORMS) {
  describe(p.name, () => {
    let shop
    before(async () => {
      shop = await openPlatform(p.provider, p.map)
    })
    after(() => shop?.stop())

    test(`${p.name}: what she accepts is an act with the platform's receipt, and the gate permits it`, async () => {
      const she = await shop.enter(p.script)
      assert.deepEqual(await granted(she.page), [])
      assert.equal(she.me.acts.length, 0, 'nothing was chosen')
      await she.do('choose', p.statistics, p.adverts)
      await she.granted(['statistics', 'adverts'])
      const [act, ...more] = await she.acts()
      assert.equal(more.length, 0)
      assert.deepEqual(flat(act), { statistics: 'cmp@1', adverts: 'cmp@1' })
      assert.equal(act.source, 'public')
      assert.equal(act.shown, null, 'licet showed nothing')
      assert.equal(act.cmp.provider, p.provider)
      assert.equal(act.cmp.consent_id, await she.do('id'))
      assert.equal(act.cmp.kind, 'choice')
      assert.deepEqual(act.cmp.granted, Object.keys(p.map))
      assert.ok(act.cmp.version && act.cmp.template, JSON.stringify(act.cmp))
      const verdicts = await she.verdicts()
      assert.equal(verdicts.warehouse, 'permitted')
      assert.equal(verdicts.crm, 'permitted')
      assert.deepEqual(she.me.faults, [])
    })

    if (p.provider === 'onetrust') {
      test('onetrust: the texts that she was asked by are named by their SHA-256', async () => {
        const she = await shop.enter(p.script)
        await she.do('choose', p.statistics)
        await she.granted(['statistics'])
        const texts = ['We use cookies.', undefined, ['C0001', 'C0002', 'C0003', 'C0004', 'C0005'].map(g => [g, `Group ${g}`, 'What it does.'])]
        assert.equal((await she.acts())[0].cmp.text_sha256, createHash('sha256').update(JSON.stringify(texts)).digest('hex'))
      })
    }

    test(`${p.name}: part of it is part of it; a reload records nothing`, async () => {
      const she = await shop.enter(p.script)
      await she.do('choose', p.statistics, ...(p.other ? [p.other] : []))
      await she.granted(['statistics'])
      for (let i = 0; i < 2; i++) {
        await she.me.open('/next')
        await settled(she.page)
      }
      const acts = await she.acts()
      assert.equal(acts.length, 1)
      assert.deepEqual(flat(acts[0]), { statistics: 'cmp@1', adverts: 'lowered' })
      assert.deepEqual(acts[0].cmp.granted, [Object.keys(p.map)[0]], "what is not mapped is nobody's matter")
      assert.equal(she.me.acts.length, 1)
      const verdicts = await she.verdicts()
      assert.deepEqual([verdicts.warehouse, verdicts.crm], ['permitted', 'refused'])
    })

    test(`${p.name}: a no is counted and makes nobody known`, async () => {
      const she = await shop.enter(p.script)
      await she.do('choose')
      await until(async () => (await state(she.page)).statistics === false, 'the refusal')
      await settled(she.page)
      assert.deepEqual(await granted(she.page), [])
      assert.equal(await she.device(), undefined)
      assert.equal(she.me.acts.length, 1)
      assert.deepEqual(Object.keys(she.me.acts[0]).sort(), ['preferences', 'subject', 'versions'])
      await she.me.open('/next')
      assert.equal(she.me.acts.length, 1)
    })

    test(`${p.name}: a change of mind lowers at once, and raises again`, async () => {
      const she = await shop.enter(p.script)
      await she.do('choose', p.statistics, p.adverts)
      await she.granted(['statistics', 'adverts'])
      const device = await she.device()
      await she.do('choose')
      await she.granted([])
      await settled(she.page)
      assert.equal((await she.verdicts(device)).warehouse, 'withdrawn')
      assert.equal(await she.device(), undefined, 'and her id is gone from the browser')
      await she.do('choose', p.adverts)
      await she.granted(['adverts'])
      const verdicts = await she.verdicts()
      assert.deepEqual([verdicts.warehouse, verdicts.crm], ['refused', 'permitted'])
    })

    test(`${p.name}: two tabs record one act`, async () => {
      const she = await shop.enter(p.script)
      const second = she.me.watch(await she.me.context.newPage())
      await she.me.open('/other', second)
      await she.do('choose', p.statistics, p.adverts)
      await she.granted(['statistics', 'adverts'])
      await until(async () => (await granted(second)).length === 2, 'the other tab')
      await second.reload({ waitUntil: 'networkidle' })
      await Promise.all([settled(she.page), settled(second)])
      assert.equal((await she.acts()).length, 1)
    })

    test(`${p.name}: while licet is out of reach a choice waits, and is sent once`, async () => {
      const she = await shop.enter(p.script)
      await she.me.context.route(CONSENT, r => r.abort('internetdisconnected'))
      await she.do('choose', p.statistics, p.adverts)
      await until(async () => (await state(she.page)).statistics === true, 'the choice')
      await settled(she.page)
      assert.deepEqual(await granted(she.page), [], 'nothing is permitted that licet does not know of')
      await she.me.open('/next')
      await she.me.context.unroute(CONSENT)
      await she.page.evaluate(() => dispatchEvent(new Event('online')))
      await she.granted(['statistics', 'adverts'])
      assert.equal((await she.acts()).length, 1)
      assert.equal(new Set(she.me.keys).size, 1)
    })

    test(`${p.name}: what she chose before licet came is recorded once, as kept, with the platform's own time`, async () => {
      const she = await shop.visitor()
      await she.context.route('**/sdk/licet-cmp.js', r => r.abort())
      await she.context.route('**/cmp.js', r => r.fulfill({ contentType: 'text/javascript', body: p.script }))
      await she.open()
      await she.page.evaluate(what => window.cmp.choose(...what), [p.statistics])
      await sleep(1100)
      const at = Date.now()
      await she.context.unroute('**/sdk/licet-cmp.js')
      const second = she.watch(await she.context.newPage())
      await Promise.all([she.open('/a'), she.open('/b', second)])
      await until(async () => (await granted(she.page)).join() === 'statistics', 'the grant')
      await Promise.all([settled(she.page), settled(second)])
      const { device } = await kept(she)
      const list = (await shop.house.licet.api('GET', `/consent?subject_id=${device}&limit=100`)).json
      assert.equal(list.length, 1)
      const act = (await shop.house.licet.api('GET', `/consent/${list[0].id}`)).json
      assert.deepEqual(flat(act), { statistics: 'cmp@1' })
      assert.equal(act.cmp.kind, 'kept')
      assert.ok(Date.parse(act.cmp.at) < at, 'the time is that of the choice')
      assert.ok(Date.parse(act.received) >= at)
    })
  })
}

// ---- IAB TCF, by its reference implementation ----

const VENDOR = { purposes: [1, 7, 9], legIntPurposes: [], flexiblePurposes: [], specialPurposes: [], features: [], specialFeatures: [1], name: 'Vendor', policyUrl: '', usesCookies: true }
const named = numbers => Object.fromEntries(numbers.map(id => [id, { id, name: `n${id}`, description: '', illustrations: [] }]))
const VENDOR_LIST = {
  gvlSpecificationVersion: 3, vendorListVersion: 150, tcfPolicyVersion: 5, lastUpdated: '2026-01-01T16:00:00Z',
  purposes: named([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), specialPurposes: named([1]), features: named([1]), specialFeatures: named([1, 2]), stacks: {},
  vendors: { 2: { ...VENDOR, id: 2 }, 755: { ...VENDOR, id: 755 } },
}

/** A CMP on @iabtcf/cmpapi: what it keeps is loaded first, without a window. */
const TCF_PAGE = `
import { CmpApi } from ${JSON.stringify(require.resolve('@iabtcf/cmpapi'))}
import { GVL, TCModel, TCString } from ${JSON.stringify(require.resolve('@iabtcf/core'))}
const api = new CmpApi(31, 2, true)
const list = ${JSON.stringify(VENDOR_LIST)}
const make = ({ purposes = [], vendors = [], features = [] }) => {
  const model = new TCModel(new GVL(list))
  Object.assign(model, { cmpId: 31, cmpVersion: 2, consentScreen: 1, consentLanguage: 'DE', isServiceSpecific: true, publisherCountryCode: 'DE' })
  model.purposeConsents.set(purposes)
  model.vendorConsents.set(vendors)
  model.specialFeatureOptins.set(features)
  model.vendorsDisclosed.set([2, 755])
  return TCString.encode(model)
}
const kept = localStorage.getItem('tc')
window.cmp = {
  choose(what) {
    const string = make(what)
    localStorage.setItem('tc', string)
    api.update(kept ?? '', true)
    api.update(string, false)
    return string
  },
  open: () => api.update(kept ?? '', true),
  string: () => localStorage.getItem('tc'),
}
api.update(kept ?? '', !kept)
`
const TCF_MAP = { 'purpose 1, purpose 9, vendor 755': 'statistics@1', 'purpose 7, vendor 2, special feature 1': 'adverts@1' }

describe('tcf', () => {
  let shop, script
  before(async () => {
    const made = await build({ stdin: { contents: TCF_PAGE, resolveDir: import.meta.dirname }, bundle: true, format: 'iife', write: false, logLevel: 'error' })
    script = made.outputFiles[0].text
    shop = await openPlatform('tcf', TCF_MAP)
  })
  after(() => shop?.stop())

  const ALL = { purposes: [1, 7, 9], vendors: [2, 755], features: [1] }

  test('tcf: purposes, vendors and special features together are a grant, and the TC string bears it out', async () => {
    const she = await shop.enter(script)
    await she.do('open')
    await settled(she.page)
    assert.equal(she.me.acts.length, 0, 'a window that opens is no choice')
    const string = await she.do('choose', ALL)
    await she.granted(['statistics', 'adverts'])
    const [act, ...more] = await she.acts()
    assert.equal(more.length, 0)
    assert.deepEqual(flat(act), { statistics: 'cmp@1', adverts: 'cmp@1' })
    assert.equal(act.cmp.tc_string, string)
    assert.equal(act.cmp.cmp_id, 31)
    const verdicts = await she.verdicts()
    assert.deepEqual([verdicts.warehouse, verdicts.crm], ['permitted', 'permitted'])
    assert.deepEqual(she.me.faults, [])
  })

  test('tcf: a purpose without its vendor, or a vendor without the purpose, is none', async () => {
    const she = await shop.enter(script)
    await she.do('choose', { purposes: [1, 7, 9], vendors: [755] })
    await she.granted(['statistics'])
    assert.deepEqual(flat((await she.acts())[0]), { statistics: 'cmp@1', adverts: 'lowered' })
    await she.do('choose', { purposes: [1, 7], vendors: [2, 755], features: [1] })
    await she.granted(['adverts'])
    const acts = await she.acts()
    assert.deepEqual(acts.map(flat).at(-1), { statistics: 'lowered', adverts: 'cmp@1' })
    const verdicts = await she.verdicts()
    assert.deepEqual([verdicts.warehouse, verdicts.crm], ['withdrawn', 'permitted'])
  })

  test('tcf: a reload is no choice, whatever was kept; what is kept and not granted any more is lowered', async () => {
    const she = await shop.enter(script)
    await she.do('choose', ALL)
    await she.granted(['statistics', 'adverts'])
    const device = await she.device()
    await she.me.open('/next')
    await settled(she.page)
    assert.equal((await she.acts()).length, 1)
    assert.equal(she.me.acts.length, 1)
    // withdrawn on a page without licet
    await she.me.context.route('**/sdk/licet-cmp.js', r => r.abort())
    await she.me.open('/bare')
    await she.do('choose', {})
    await she.me.context.unroute('**/sdk/licet-cmp.js')
    await she.me.open('/next')
    await she.granted([])
    await settled(she.page)
    assert.equal((await she.verdicts(device)).warehouse, 'withdrawn')
  })

  test('tcf: what was kept before licet came does not say that she chose it herself: nothing until she chooses again', async () => {
    const she = await shop.visitor()
    await she.context.route('**/sdk/licet-cmp.js', r => r.abort())
    await she.context.route('**/cmp.js', r => r.fulfill({ contentType: 'text/javascript', body: script }))
    await she.open()
    await she.page.evaluate(what => window.cmp.choose(what), ALL)
    await she.context.unroute('**/sdk/licet-cmp.js')
    await she.open('/next')
    await settled(she.page)
    await sleep(300)
    assert.deepEqual(await granted(she.page), [])
    assert.equal(she.acts.length, 0)
  })

  test('tcf: while licet is out of reach a choice waits, and is sent once', async () => {
    const she = await shop.enter(script)
    await she.me.context.route(CONSENT, r => r.abort('internetdisconnected'))
    await she.do('choose', ALL)
    await until(async () => (await state(she.page)).statistics === true, 'the choice')
    await settled(she.page)
    await she.me.open('/next')
    await she.me.context.unroute(CONSENT)
    await she.page.evaluate(() => dispatchEvent(new Event('online')))
    await she.granted(['statistics', 'adverts'])
    assert.equal((await she.acts()).length, 1)
  })

  test('tcf: a grant that the TC string does not bear out is bare, whoever says so', async () => {
    const { licet } = shop.house
    const she = await shop.enter(script)
    await she.do('choose', { purposes: [1, 9], vendors: [755] })
    await she.granted(['statistics'])
    const tc = await she.do('string')
    const say = (body, key) => licet.api('POST', key === 'public' ? '/public/consent' : '/consent', {
      subject: {}, preferences: { statistics: true }, versions: { statistics: 1 }, cmp: { provider: 'tcf', tc_string: tc }, ...body,
    }, { key })
    const evidence = async body => {
      const { status, json } = await say(body, 'private')
      assert.equal(status, 200)
      const act = (await licet.api('GET', `/consent/${json.id}`)).json
      return [act.effects[0].evidence, json.warnings?.length ?? 0]
    }
    assert.deepEqual(await evidence({}), ['cmp', 0])
    const bare = ['bare', 1]
    assert.deepEqual(await evidence({ preferences: { adverts: true }, versions: { adverts: 1 } }), bare)
    assert.deepEqual(await evidence({ versions: {} }), bare)
    assert.deepEqual(await evidence({ versions: { statistics: 2 } }), bare)
    assert.deepEqual(await evidence({ cmp: { provider: 'onetrust', consent_id: 'x', granted: ['C0002'] } }), bare)
    assert.deepEqual(await evidence({ cmp: { provider: 'tcf', tc_string: `${tc}A.` } }), bare)
    assert.deepEqual(await evidence({ cmp: { provider: 'tcf' }, shown: { language: 'en' }, proofs: [{ form: 'f' }] }), bare)
    // by public key it raises nothing that a public act does not: somebody else's id stays unconfirmed
    const told = (await say({ subject: { id: 'somebody-known' } }, 'public')).json
    const act = (await licet.api('GET', `/consent/${told.id}`)).json
    assert.deepEqual([act.effects[0].evidence, act.effects[0].confirmed], ['cmp', false])
    assert.deepEqual((await say({ cmp: 'x' }, 'private')).status, 400)
    assert.deepEqual((await say({ cmp: {} }, 'private')).status, 400)
    assert.deepEqual((await say({ cmp: { provider: 'tcf', tc_string: 'A'.repeat(8193) } }, 'private')).status, 400)
  })
})

// ---- platforms that behave otherwise ----

describe('odd platforms', () => {
  let shop
  const map = {
    C0002: 'statistics@1', C0004: 'adverts@1', C0005: { purpose: 'recording@1', wording: WORDING }, C0003: { purpose: 'linking@1', wording: WORDING },
  }
  before(async () => {
    shop = await openPlatform('onetrust', map)
  })
  after(() => shop?.stop())

  test("recording is granted where the platform's own wording names it; a person's purpose is not, by a browser that knows nobody", async () => {
    const she = await shop.enter(ONETRUST())
    await she.do('choose', 'C0002', 'C0003', 'C0005')
    await she.granted(['statistics', 'recording'])
    assert.deepEqual(flat((await she.acts())[0]), { statistics: 'cmp@1', adverts: 'lowered', recording: 'cmp@1' })
  })

  test('where the platform assumes consent nothing is granted, and a no is obeyed', async () => {
    const she = await shop.enter(ONETRUST({ model: 'opt-out' }))
    await she.do('choose', 'C0002', 'C0004')
    await settled(she.page)
    await sleep(300)
    assert.deepEqual(await granted(she.page), [])
    await she.do('choose', 'C0004')
    await until(async () => (await state(she.page)).statistics === false, 'the refusal')
    assert.equal((await state(she.page)).adverts, null)
  })

  test('a group that the platform does not ask for here is neither granted nor lowered', async () => {
    const she = await shop.enter(ONETRUST({ groups: ['C0001', 'C0002'] }))
    await she.do('choose', 'C0002')
    await she.granted(['statistics'])
    assert.deepEqual(flat((await she.acts())[0]), { statistics: 'cmp@1' })
  })

  test('a platform that comes late is heard', async () => {
    const she = await shop.enter(ONETRUST({ late: 1500 }))
    await until(() => she.page.evaluate(() => !!window.OneTrust), 'OneTrust')
    await sleep(600)
    await she.do('choose', 'C0002')
    await she.granted(['statistics'])
    assert.equal((await she.acts()).length, 1)
  })

  for (const [how, script] of [['never comes', ''], ['throws', "window.OneTrust = { get OnConsentChanged() { throw new Error('x') } }"], ['gives nonsense', "window.OnetrustActiveGroups = 7; window.OneTrust = { OnConsentChanged(f) { f(null); f() }, GetDomainData() { return 'x' } }"]]) {
    test(`a platform that ${how} grants nothing and breaks nothing`, async () => {
      const she = await shop.enter(script)
      await sleep(500)
      assert.deepEqual(await granted(she.page), [])
      assert.deepEqual(await she.page.evaluate(() => window.licet.ready), { statistics: false, adverts: false, recording: false, linking: false })
      assert.deepEqual(she.me.faults.filter(f => f.startsWith('the page failed')), [])
    })
  }

  test('whatever a platform makes known, a withdrawal gets through', async () => {
    const she = await shop.enter(ONETRUST())
    await she.do('choose', 'C0002')
    await she.granted(['statistics'])
    const device = await she.device()
    await she.page.evaluate(() => {
      window.OneTrust.GetDomainData = () => ({ Domain: { toString: () => '', more: 'x'.repeat(30_000) }, ConsentModel: { Name: 'opt-in' } })
    })
    await she.do('choose')
    await settled(she.page)
    assert.equal((await she.verdicts(device)).warehouse, 'withdrawn')
    assert.deepEqual(she.me.acts.at(-1).cmp, { provider: 'onetrust' })
  })

  test('what was withdrawn here is not raised again by what the platform kept', async () => {
    const she = await shop.enter(ONETRUST())
    await she.do('choose', 'C0002')
    await she.granted(['statistics'])
    const device = await she.device()
    await she.page.evaluate(() => window.licet.withdraw())
    await settled(she.page)
    await she.me.open('/next')
    await settled(she.page)
    await sleep(300)
    assert.deepEqual(await granted(she.page), [])
    assert.equal((await she.verdicts(device)).warehouse, 'withdrawn')
  })
})

describe('a text that is newer than the choice', () => {
  let shop
  before(async () => {
    const later = purposes()
    later[0].versions.push(secondVersion('statistics', { aim: 'Something else.' }))
    shop = await openPlatform('cookiebot', { statistics: 'statistics@2' }, { change: c => ({ ...c, purposes: later }) })
  })
  after(() => shop?.stop())

  test('what the platform kept from before the text was in force is not about it', async () => {
    const script = COOKIEBOT()
    const she = await shop.visitor()
    await she.context.route('**/cmp.js', r => r.fulfill({ contentType: 'text/javascript', body: script }))
    const old = encodeURIComponent("{stamp:'old',necessary:true,preferences:false,statistics:true,marketing:false,method:'explicit',ver:1,utc:1767300000000,region:'de'}")
    await she.context.addCookies([{ name: 'CookieConsent', value: old, url: shop.site.url }])
    await she.open()
    await sleep(300)
    await settled(she.page)
    assert.deepEqual(await granted(she.page), [])
    assert.equal(she.acts.length, 0)
    await she.page.evaluate(() => window.cmp.choose('statistics'))
    await until(async () => (await granted(she.page)).join() === 'statistics', 'the grant')
    // the server does not believe it either
    const { json } = await shop.house.licet.api('POST', '/consent', {
      subject: {}, preferences: { statistics: true }, versions: { statistics: 2 },
      cmp: { provider: 'cookiebot', consent_id: 'old', granted: ['statistics'], at: '2026-01-01T20:40:00Z' },
    })
    assert.equal(json.warnings.length, 1)
  })

  test('what the platform only implied is not granted', async () => {
    const she = await shop.enter(COOKIEBOT({ method: 'implied' }))
    await she.do('choose', 'statistics')
    await sleep(300)
    await settled(she.page)
    assert.deepEqual(await granted(she.page), [])
    assert.equal(she.me.acts.length, 0)
  })
})
