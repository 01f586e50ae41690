#!/usr/bin/env node
// Starts licet, the shop and the receiver, and shows or visits them. Run by script/demo.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Daemon, freePort, newKey, newWebhookSecret } from '../../tests/e2e/daemon.mjs'
import { Receiver } from '../../tests/receiver/receiver.mjs'
import { policyText } from './pages.mjs'
import { Shop } from './server.mjs'

export class Demo {
  static async start({ log = () => {} } = {}) {
    const demo = new Demo()
    demo.dir = await mkdtemp(join(tmpdir(), 'licet-demo-'))
    demo.decisions = []
    demo.watchers = new Set()
    try {
      await demo.run(log)
    } catch (e) {
      await demo.stop()
      throw e
    }
    return demo
  }

  async run(log) {
    const wanted = { licet: 8080, shop: 8090, receiver: 8091 }
    const port = {}
    for (const [name, n] of Object.entries(wanted)) {
      port[name] = await freePort(n)
      if (port[name] !== n) log(`port ${n} is taken, ${name} uses ${port[name]}`)
    }
    const secrets = { warehouse: newWebhookSecret(), crm: newWebhookSecret() }
    const privateKey = newKey()
    const publicKey = newKey()
    this.receiver = await new Receiver({ secrets, log: e => console.error('receiver:', e) }).listen(port.receiver)
    const config = await readFile(new URL('licet.yaml', import.meta.url), 'utf8')
    this.licet = await Daemon.start({
      config: () => config, dir: this.dir, port: port.licet, privateKey, publicKey,
      env: {
        LICET_PORT: String(port.licet), LICET_DATA: join(this.dir, 'data'), SHOP_URL: `http://127.0.0.1:${port.shop}`,
        RECEIVER_PORT: String(port.receiver), LICET_PRIVATE_KEY: privateKey, LICET_PUBLIC_KEY: publicKey,
        WAREHOUSE_SECRET: secrets.warehouse, CRM_SECRET: secrets.crm,
      },
    })
    await this.licet.tail(line => {
      this.decisions.push(line)
      this.receiver.decided(line)
      for (const watch of this.watchers) watch(line)
    })
    this.shop = new Shop({ licetUrl: this.licet.url, privateKey, publicKey })
    await this.shop.listen(port.shop)
    await this.shop.licet.publishPolicy(policyText())
  }

  async stop({ keep = false } = {}) {
    await this.shop?.close()
    await this.licet?.stop()
    await this.receiver?.close()
    if (!keep) await rm(this.dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

if (process.argv[1] === import.meta.filename) {
  const keep = process.argv.includes('--keep')
  const demo = await Demo.start({ log: console.log }).catch(e => {
    console.error(`demo: ${e.message}`)
    process.exit(1)
  })
  let code = 0
  let stopping = false
  const end = async () => {
    if (stopping) return
    stopping = true
    await demo.stop({ keep })
    if (keep) console.log(`the data is in ${demo.dir}`)
    process.exit(code)
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => ((code ||= process.argv.includes('--check') ? 1 : 0), end()))
  demo.licet.ended.then(() => stopping || (console.error(`licet ended by itself:\n${demo.licet.log}`), (code = 1), end()))
  if (process.argv.includes('--check')) {
    const { visit } = await import('./visit.mjs')
    code = await visit(demo).catch(e => (console.error(e), 1))
    await end()
  } else {
    console.log(`shop      ${demo.shop.url}       visit it, accept or decline, sign in, order`)
    console.log(`receiver  ${demo.receiver.url}       what left, and what was stopped and why`)
    console.log(`licet     ${demo.licet.url}       Ctrl-C stops all three`)
  }
}
