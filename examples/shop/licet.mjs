// What the shop's server says to licet, with its private key.
import { Analytics } from '@segment/analytics-node'

export class Licet {
  constructor({ url, privateKey }) {
    this.url = url
    this.key = privateKey
    // the unmodified SDK; only its host is licet
    this.analytics = new Analytics({ writeKey: privateKey, host: url, flushAt: 1, flushInterval: 100 })
    this.analytics.on('error', e => console.error('analytics:', e.reason ?? e.code ?? e))
  }

  async call(method, path, body, headers = {}) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { ApiKey: this.key, 'Content-Type': 'application/json', ...headers },
      body: body && JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }

  /** Stores the privacy policy if its newest version reads otherwise. */
  async publishPolicy(text) {
    const known = await this.call('GET', '/legal_notices?identifier=privacy_policy&limit=1').catch(() => [])
    if (known[0]?.content?.en !== text) {
      await this.call('POST', '/legal_notices', { identifier: 'privacy_policy', content: { en: text } })
    }
  }

  /** One act of a signed-in person. `form` is what she saw, `content` what she sent. */
  consent({ account, preferences, versions, form, content, ip, idempotencyKey }) {
    return this.call('POST', '/consent', {
      subject: { id: account.id, email: account.email, full_name: account.name },
      preferences,
      versions,
      proofs: [{ form, content: JSON.stringify(content) }],
      legal_notices: [{ identifier: 'privacy_policy' }],
      ip_address: ip,
    }, { 'Idempotency-Key': idempotencyKey })
  }

  track(account, event, properties) {
    this.analytics.track({ userId: account.id, event, properties })
  }

  identify(account) {
    this.analytics.identify({ userId: account.id, traits: { email: account.email, name: account.name } })
  }

  close() {
    return this.analytics.closeAndFlush({ timeout: 2000 })
  }
}
