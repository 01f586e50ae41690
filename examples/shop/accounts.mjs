// Accounts and sessions, in memory: this is an example. A session cookie is set
// only when a visitor needs one, by filling the cart or signing in.
import { randomBytes, randomUUID } from 'node:crypto'

const COOKIE = 'shop_session'

export class Accounts {
  constructor() {
    this.byEmail = new Map()
    this.sessions = new Map()
  }

  /** The session of a request, or null. */
  session(request) {
    const cookie = /(?:^|;\s*)shop_session=([\w-]+)/.exec(request.headers.cookie ?? '')
    return this.sessions.get(cookie?.[1]) ?? null
  }

  /** The same, made if need be. */
  openSession(request, response) {
    const known = this.session(request)
    if (known) return known
    const id = randomBytes(24).toString('base64url')
    const session = { id, cart: {}, account: null }
    this.sessions.set(id, session)
    response.setHeader('Set-Cookie', `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Lax`)
    return session
  }

  /** An example signs everybody in who names an address. */
  signIn(email, name) {
    const key = email.toLowerCase()
    if (!this.byEmail.has(key)) {
      this.byEmail.set(key, { id: `account-${randomUUID()}`, email: key, name, choices: { statistics: false, profiling: false } })
    }
    return this.byEmail.get(key)
  }
}
