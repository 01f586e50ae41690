// Debian's Firefox by WebDriver BiDi, which it speaks itself: https://www.w3.org/TR/webdriver-bidi/
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { saying, whenEnded } from '../e2e/program.mjs'

/** A browser of somebody new, with one page: {go(url), run(expression): its value, awaited; click(x, y), shot(file), close()} */
export async function openFirefox() {
  const home = await mkdtemp(join(tmpdir(), 'licet-firefox-'))
  const child = spawn('firefox-esr', ['--headless', '--no-remote', '--remote-debugging-port=0', '--profile', home], {
    stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: home },
  })
  const [, address] = await saying(child, /WebDriver BiDi listening on (ws:\S+)/)
  const line = new WebSocket(`${address}/session`)
  await new Promise((ok, no) => Object.assign(line, { onopen: ok, onerror: no }))
  const waiting = new Map()
  let last = 0
  line.onmessage = ({ data }) => {
    const said = JSON.parse(data)
    waiting.get(said.id)?.(said)
    waiting.delete(said.id)
  }
  const call = (method, params) => new Promise((ok, no) => {
    waiting.set(++last, said => (said.type === 'error' ? no(new Error(`${method}: ${said.message}`)) : ok(said.result)))
    line.send(JSON.stringify({ id: last, method, params }))
  })
  await call('session.new', { capabilities: {} })
  const [{ context }] = (await call('browsingContext.getTree', {})).contexts
  await call('browsingContext.setViewport', { context, viewport: { width: 1200, height: 800 } })
  const mouse = (...actions) => call('input.performActions', { context, actions: [{ type: 'pointer', id: 'mouse', actions }] })
  return {
    go: url => call('browsingContext.navigate', { context, url, wait: 'complete' }),
    async run(expression) {
      const said = await call('script.evaluate', {
        target: { context }, awaitPromise: true, expression: `(async () => JSON.stringify(await (${expression})) ?? 'null')()`,
      })
      if (said.type !== 'success') throw new Error(said.exceptionDetails.text)
      return JSON.parse(said.result.value)
    },
    click: (x, y) => mouse({ type: 'pointerMove', x, y }, { type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }),
    shot: async file => writeFile(file, Buffer.from((await call('browsingContext.captureScreenshot', { context })).data, 'base64')),
    async close() {
      line.close()
      await whenEnded(child)
      await rm(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
