// A site on an origin of its own, for the browser SDKs: pages given as strings, scripts from npm.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'

const PACKAGES = resolve(import.meta.dirname, '../../node_modules')
export const SEGMENT = join(PACKAGES, '@segment/analytics-next/dist/umd')
export const RUDDER = join(PACKAGES, '@rudderstack/analytics-js/dist/npm/modern/bundled/umd')

/** pages: {"/a": html}; scripts: a folder, served under /sdk/ */
export async function startSite({ pages, scripts }) {
  const server = createServer(async (q, r) => {
    const { pathname } = new URL(q.url, 'http://x')
    if (pages[pathname]) return r.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(pages[pathname])
    const name = /^\/sdk\/([\w.-]+)$/.exec(pathname)?.[1]
    const body = name && (await readFile(join(scripts, name)).catch(() => null))
    body ? r.writeHead(200, { 'Content-Type': 'text/javascript' }).end(body) : r.writeHead(404).end()
  })
  await new Promise(ok => server.listen(0, '127.0.0.1', ok))
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => (server.closeAllConnections(), new Promise(ok => server.close(ok))),
  }
}
