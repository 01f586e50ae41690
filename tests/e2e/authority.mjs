// Certificates of our own making, by the openssl command.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] })

export class Authority {
  constructor(name = 'Test Authority') {
    this.dir = mkdtempSync(join(tmpdir(), 'licet-ca-'))
    this.ca = this.path('ca.pem')
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
      '-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE', '-keyout', this.path('ca.key'), '-out', this.ca)
  }

  path(name) {
    return join(this.dir, name)
  }

  /** {key, cert} as PEM, {keyFile, certFile} and the pin of its public key. `days` may be negative: it ended before. */
  issue(name, { san = 'DNS:localhost,IP:127.0.0.1', usage = 'serverAuth', days = 2 } = {}) {
    const [keyFile, request, extensions, certFile] = ['key', 'csr', 'ext', 'pem'].map(end => this.path(`${name}.${end}`))
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`, '-keyout', keyFile, '-out', request)
    writeFileSync(extensions, `${san ? `subjectAltName=${san}\n` : ''}extendedKeyUsage=${usage}\n`)
    openssl('x509', '-req', '-in', request, '-CA', this.ca, '-CAkey', this.path('ca.key'), '-CAcreateserial', '-days', String(days), '-extfile', extensions, '-out', certFile)
    const spki = execFileSync('openssl', ['pkey', '-pubout', '-outform', 'DER', '-in', keyFile])
    const digest = execFileSync('openssl', ['dgst', '-sha256', '-binary'], { input: spki }).toString('base64')
    return { key: readFileSync(keyFile), cert: readFileSync(certFile), keyFile, certFile, pin: `sha256//${digest}` }
  }

  remove() {
    rmSync(this.dir, { recursive: true, force: true })
  }
}
