// What the banner costs the page it is on: Chromium with its processor slowed down, the same page without any script, with licet.js,
// and with vanilla-cookieconsent for the same purposes. script/bench banner runs it; it prints {figure: {unit, values}}.
//
// usage: LICET_BIN=… script/node bench/banner.mjs [--visits N] [--slower N] [--profile]
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openShop } from '../tests/e2e/banner-house.mjs'

const { values: options } = parseArgs({ options: {
  visits: { type: 'string', default: '7' }, slower: { type: 'string', default: '4' }, profile: { type: 'boolean', default: false },
} })
const PEER = resolve(import.meta.dirname, '../node_modules/vanilla-cookieconsent/dist')
const REST_MS = 1500 // after each step; longer than any of them takes
const rest = () => new Promise(ok => setTimeout(ok, REST_MS))

/** The same words in the peer's form: what is asked together in its banner, everything in its choices. */
function peersScript(policy) {
  const { words, purposes, controller } = policy
  const device = purposes.filter(p => p.scope === 'device')
  const text = p => ['aim', 'data', 'transfer', 'storage', 'automation', 'consequences', 'withdrawal'].map(part => `<p>${p.text[part]}</p>`).join('')
  const config = {
    hideFromBots: false, // it takes this browser for one
    categories: Object.fromEntries(device.map(p => [p.id, {}])),
    language: { default: 'en', translations: { en: {
      consentModal: {
        title: words.title, description: `${words.intro.replace('{controller}', controller.name)} ${device.filter(p => !p.separate).map(p => `<b>${p.text.title}</b> ${p.text.aim}`).join(' ')}`,
        acceptAllBtn: words.accept_all, acceptNecessaryBtn: words.decline_all, showPreferencesBtn: words.choose,
      },
      preferencesModal: {
        title: words.manage, acceptAllBtn: words.accept_all, acceptNecessaryBtn: words.decline_all, savePreferencesBtn: words.save, closeIconLabel: words.close,
        sections: [{ title: words.manage, description: words.manage_intro }, ...device.map(p => ({ title: p.text.title, description: text(p), linkedCategory: p.id }))],
      },
    } } },
  }
  return `CookieConsent.run(${JSON.stringify(config)})`
}

const shop = await openShop()
const { licet } = shop.house
const policy = await (await fetch(`${licet.url}/sdk/policy?key=${licet.publicKey}&language=en`)).json()
const files = {
  '/peer.js': ['text/javascript', await readFile(join(PEER, 'cookieconsent.umd.js'))],
  '/peer.css': ['text/css', await readFile(join(PEER, 'cookieconsent.css'))],
  '/peer-run.js': ['text/javascript', peersScript(policy)],
}
const HEAD = {
  floor: '',
  licet: `<script async src="${licet.url}/sdk/licet.js" data-key="${licet.publicKey}" data-pages="off"></script>`,
  peer: '<link rel="stylesheet" href="/peer.css"><script src="/peer.js" defer></script><script src="/peer-run.js" defer></script>',
}
const site = createServer((q, r) => {
  const name = q.url.slice(1)
  const [type, body] = files[q.url] ?? (name in HEAD ? ['text/html; charset=utf-8', `<!doctype html><html lang="en"><head><title>A shop</title><link rel="icon" href="data:,">${HEAD[name]}</head>
<body><h1>Paper worth writing on.</h1>${'<p>Three things, made well. We print what sells and leave the rest.</p>'.repeat(20)}<button data-cc="show-preferencesModal">Choices</button></body></html>`] : [])
  r.writeHead(type ? 200 : 404, { 'Content-Type': type ?? 'text/plain' }).end(body)
})
await new Promise(ok => site.listen(0, '127.0.0.1', ok))

/** Where what is pressed lies, told by the page itself: nothing of a test tool runs in it. */
const IN_LICET = part => `document.querySelector('licet-consent').shadowRoot.querySelector('${part}')`
const STEPS = {
  floor: [],
  licet: ['.card [data-licet=choose]', '.card [data-licet=accept]', '.opener', 'dialog [data-licet=accept]'].map(IN_LICET),
  peer: ['#cc-main .cm [data-role=show]', '#cc-main .pm [data-role=all]', '[data-cc]', '#cc-main .pm [data-role=all]'].map(s => `document.querySelector('${s}')`),
}

/** One visit of somebody new. {script_ms, main_ms: of the renderer until the banner stood, tasks: ms of each long task of the whole visit};
 *  `traced`: {longest_ms: processor time of the longest task}, in a visit of its own, since tracing takes time. */
async function visit(kind, traced) {
  const context = await shop.browser.newContext({ viewport: { width: 1200, height: 800 } })
  try {
    const page = await context.newPage()
    const cdp = await context.newCDPSession(page)
    const run = async expression => (await cdp.send('Runtime.evaluate', { expression, returnByValue: true })).result.value
    const metrics = async () => Object.fromEntries((await cdp.send('Performance.getMetrics')).metrics.map(m => [m.name, m.value * 1000]))
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: Number(options.slower) })
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' }) // processor time: others on this machine do not count
    await page.addInitScript(() => {
      window.tasks = []
      new PerformanceObserver(list => window.tasks.push(...list.getEntries().map(e => e.duration))).observe({ type: 'longtask', buffered: true })
    })
    const trace = traced && await startTrace()
    if (options.profile) await cdp.send('Profiler.enable').then(() => cdp.send('Profiler.start'))
    const before = await metrics()
    await page.goto(`http://127.0.0.1:${site.address().port}/${kind}`)
    await rest()
    const stood = await metrics()
    for (const [n, step] of STEPS[kind].entries()) {
      const place = await run(`(() => { const e = ${step}; const r = e?.getBoundingClientRect(); return r?.width ? { x: r.x + r.width / 2, y: r.y + r.height / 2 } : null })()`)
      if (!place) throw new Error(`${kind}: nothing to press at step ${n + 1}`)
      for (const type of ['mousePressed', 'mouseReleased']) await cdp.send('Input.dispatchMouseEvent', { type, ...place, button: 'left', clickCount: 1 })
      await rest()
    }
    if (trace) return { longest_ms: Math.max(...await trace(`/${kind}`)) }
    if (options.profile) console.error(kind, await hottest(cdp))
    return { script_ms: stood.ScriptDuration - before.ScriptDuration, main_ms: stood.TaskDuration - before.TaskDuration, tasks: await run('window.tasks') }
  } finally {
    await context.close()
  }
}

/** Traces the browser's tasks. Gives what ends it: {path} -> [ms of processor time of each task of that page's main thread], but for the
 *  one in which the page itself came. */
async function startTrace() {
  const cdp = await shop.browser.newBrowserCDPSession()
  const events = []
  cdp.on('Tracing.dataCollected', e => events.push(...e.value))
  await cdp.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['toplevel', 'devtools.timeline'] } })
  return async path => {
    const complete = new Promise(ok => cdp.once('Tracing.tracingComplete', ok))
    await cdp.send('Tracing.end')
    await complete
    await cdp.detach()
    const { pid, tid } = events.find(e => e.name === 'ParseHTML' && e.args.beginData?.url.endsWith(path))
    const here = events.filter(e => e.pid === pid && e.tid === tid && e.ph === 'X')
    const came = here.find(e => e.name === 'CommitLoad' && e.args.data?.url.endsWith(path))
    const within = (e, task) => e.ts >= task.ts && e.ts <= task.ts + task.dur
    return here.filter(e => e.name === 'ThreadControllerImpl::RunTask' && !within(came, e)).map(e => (e.tdur ?? 0) / 1000)
  }
}

/** The functions with the most time of their own. */
async function hottest(cdp) {
  const { profile } = await cdp.send('Profiler.stop')
  const own = new Map()
  profile.samples.forEach((id, i) => own.set(id, (own.get(id) ?? 0) + profile.timeDeltas[i] / 1000))
  return profile.nodes.map(n => [Math.round(own.get(n.id) ?? 0), `${n.callFrame.functionName || '(anonymous)'} ${n.callFrame.url.split('/').at(-1)}:${n.callFrame.lineNumber + 1}:${n.callFrame.columnNumber}`])
    .filter(([ms, name]) => ms > 1 && !/^\((idle|program)/.test(name)).sort((a, b) => b[0] - a[0]).slice(0, 15).map(line => line.join(' ms ')).join('\n')
}

const figures = {}
const note = (name, unit, value) => (figures[name] ??= { unit, values: [] }).values.push(value)
for (const kind of Object.keys(HEAD)) await visit(kind) // what is compiled once, for everybody
for (let n = 0; n < Number(options.visits); n++) {
  const seen = {}
  for (const kind of Object.keys(HEAD)) seen[kind] = { ...await visit(kind), ...await visit(kind, true) }
  for (const [kind, { script_ms, main_ms, tasks, longest_ms }] of Object.entries(seen)) {
    note(`banner.${kind}_script_ms`, 'ms', script_ms)
    note(`banner.${kind}_main_ms`, 'ms', main_ms)
    note(`banner.${kind}_long_tasks`, 'tasks', tasks.length)
    note(`banner.${kind}_longest_ms`, 'ms', Math.max(0, ...tasks))
    note(`banner.${kind}_longest_cpu_ms`, 'ms', longest_ms)
  }
  note('banner.script_ratio', 'ratio', (seen.licet.script_ms - seen.floor.script_ms) / (seen.peer.script_ms - seen.floor.script_ms))
  note('banner.main_ratio', 'ratio', (seen.licet.main_ms - seen.floor.main_ms) / (seen.peer.main_ms - seen.floor.main_ms))
}
console.log(JSON.stringify(figures))
site.closeAllConnections()
site.close()
await shop.stop()
