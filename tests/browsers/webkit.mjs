// WebKit as Debian has it, WebKitGTK's own small browser, by its WebDriver (https://www.w3.org/TR/webdriver2/), on a screen that nobody sees.
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../e2e/daemon.mjs'
import { saying, whenEnded } from '../e2e/program.mjs'

async function program() {
  for (const machine of await readdir('/usr/lib')) {
    const path = `/usr/lib/${machine}/webkit2gtk-4.1`
    if ((await readdir(path).catch(() => [])).includes('MiniBrowser')) return `${path}/MiniBrowser`
  }
  throw new Error('there is no MiniBrowser of WebKitGTK: install webkit2gtk-driver')
}

/** As openFirefox(). */
export async function openWebkit() {
  const home = await mkdtemp(join(tmpdir(), 'licet-webkit-'))
  const screen = spawn('Xvfb', ['-displayfd', '2', '-screen', '0', '1280x900x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const [, display] = await saying(screen, /^(\d+)\n/m)
  const port = await freePort()
  const driver = spawn('WebKitWebDriver', [`--port=${port}`], {
    stdio: 'ignore', env: { ...process.env, DISPLAY: `:${display}`, HOME: home, XDG_RUNTIME_DIR: home, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' },
  })
  const call = async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) })
    const { value } = await answer.json()
    if (!answer.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`)
    return value
  }
  for (let n = 0; !(await call('GET', '/status').catch(() => null)); n++) {
    if (n === 100) throw new Error('WebKitWebDriver does not answer')
    await new Promise(ok => setTimeout(ok, 100))
  }
  const { sessionId } = await call('POST', '/session', {
    capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { binary: await program(), args: ['--automation'] } } },
  })
  const at = `/session/${sessionId}`
  const mouse = (...actions) => call('POST', `${at}/actions`, { actions: [{ type: 'pointer', id: 'mouse', parameters: { pointerType: 'mouse' }, actions }] })
  return {
    go: url => call('POST', `${at}/url`, { url }),
    async run(expression) {
      const said = await call('POST', `${at}/execute/async`, {
        args: [], script: `const done = arguments[0]; (async () => JSON.stringify(await (${expression})) ?? 'null')().then(value => done({ value }), e => done({ fault: String(e) }))`,
      })
      if (said.fault) throw new Error(said.fault)
      return JSON.parse(said.value)
    },
    click: (x, y) => mouse({ type: 'pointerMove', x, y, duration: 0 }, { type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }),
    shot: async file => writeFile(file, Buffer.from(await call('GET', `${at}/screenshot`), 'base64')),
    async close() {
      await call('DELETE', at).catch(() => {}) // the browser; it may be gone
      await whenEnded(driver)
      await whenEnded(screen)
      await rm(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
