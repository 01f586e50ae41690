// A time stamping authority, RFC 3161: `openssl ts` behind a small HTTP server.
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const CONF = dir => `
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[tsa]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[req]
distinguished_name = dn
[dn]
[service]
serial = ${dir}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
clock_precision_digits = 0
`

export class StampAuthority {
  constructor(dir) {
    Object.assign(this, { dir, stamped: 0, asked: 0, refuse: false, ca: join(dir, 'ca.pem') })
  }

  /** Makes a root and a certificate for time stamps, then answers at this.url. */
  async start() {
    const at = name => join(this.dir, name), conf = at('conf')
    await mkdir(this.dir, { recursive: true })
    await writeFile(conf, CONF(this.dir))
    await writeFile(at('serial'), '01\n')
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-config', conf]
    await run('openssl', ['req', '-x509', ...newKey, '-keyout', at('ca.key'), '-out', this.ca, '-subj', '/CN=Test Root', '-days', '30', '-extensions', 'ca'])
    await run('openssl', ['req', '-new', ...newKey, '-keyout', at('tsa.key'), '-out', at('tsa.csr'), '-subj', '/CN=Test Time'])
    await run('openssl', ['x509', '-req', '-in', at('tsa.csr'), '-CA', this.ca, '-CAkey', at('ca.key'), '-CAcreateserial', '-out', at('tsa.pem'), '-days', '30', '-extfile', conf, '-extensions', 'tsa'])
    this.server = createServer((q, a) => this.answer(q, a).catch(e => a.writeHead(500).end(String(e))))
    await new Promise(ok => this.server.listen(0, '127.0.0.1', ok))
    this.url = `http://127.0.0.1:${this.server.address().port}/`
    return this
  }

  async answer(request, answer) {
    const parts = []
    for await (const part of request) parts.push(part)
    this.asked++
    if (this.refuse || request.headers['content-type'] !== 'application/timestamp-query') return answer.writeHead(503).end()
    const asked = join(this.dir, `query-${this.asked}`), told = join(this.dir, `reply-${this.asked}`)
    await writeFile(asked, Buffer.concat(parts))
    await run('openssl', ['ts', '-reply', '-config', join(this.dir, 'conf'), '-section', 'service', '-queryfile', asked, '-out', told,
      '-signer', join(this.dir, 'tsa.pem'), '-inkey', join(this.dir, 'tsa.key'), '-chain', this.ca])
    const bytes = await readFile(told)
    this.stamped++
    answer.writeHead(200, { 'Content-Type': 'application/timestamp-reply' }).end(bytes)
  }

  stop() {
    return new Promise(ok => this.server.close(ok))
  }
}
