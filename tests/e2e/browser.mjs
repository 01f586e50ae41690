// Debian's Chromium through playwright-core; nothing is downloaded.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { saying, whenEnded } from './program.mjs'

const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const ALWAYS = process.getuid() === 0 ? ['--no-sandbox'] : []

/** `more`: further options of playwright's launch(). */
export function openBrowser(more = {}) {
  return chromium.launch({ executablePath: PROGRAM, args: ALWAYS, ...more })
}

/** Chromium as people have it, on one page: while playwright watches, no page is made ready beforehand (prerendering).
 *  {run(expression): its value, awaited, in whatever document the page shows then; close()}. Nothing watches before the first run(). */
export async function openBare(url) {
  const profile = await mkdtemp(join(tmpdir(), 'licet-chromium-'))
  const child = spawn(PROGRAM, [...ALWAYS, '--headless', '--no-first-run', '--remote-debugging-port=0', `--user-data-dir=${profile}`, url], { stdio: ['ignore', 'ignore', 'pipe'] })
  const close = async () => {
    await whenEnded(child)
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
  const [, address] = await saying(child, /DevTools listening on ws:\/\/([^/]+)/)
  const waiting = new Map()
  let line, last = 0
  const watch = async () => {
    const target = (await (await fetch(`http://${address}/json`)).json()).find(t => t.type === 'page' && t.url.startsWith(url))
    line = new WebSocket(target.webSocketDebuggerUrl)
    await new Promise(ok => line.addEventListener('open', ok))
    line.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(data)
      waiting.get(id)?.(result)
    })
  }
  return {
    close,
    async run(expression) {
      if (!line) await watch()
      const id = ++last
      const answer = new Promise(ok => waiting.set(id, ok))
      line.send(JSON.stringify({ id, method: 'Runtime.evaluate', params: { expression, awaitPromise: true, returnByValue: true, userGesture: true } }))
      const { result, exceptionDetails } = await answer
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
      return result?.value
    },
  }
}
