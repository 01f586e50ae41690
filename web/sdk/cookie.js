// This browser's id as a cookie, for the site's own server: there while events may be sent, for a time that visits do not prolong.
import { quietly } from '../common/small.js'
import { current, granted, now } from './core.js'

function write({ name, domain, days }) {
  const { device, choices } = current()
  const given = now.policy.purposes.filter(p => now.policy.events.includes(p.id) && granted(p.id))
  const last = Math.max(0, ...given.map(p => choices[p.id].day + Math.min(days, p.lifetime_days)))
  const ends = new Date(last * 864e5)
  const what = device && ends > Date.now() ? `${device}; Expires=${ends.toUTCString()}` : '; Max-Age=0'
  document.cookie = `${name}=${what}; Path=/; SameSite=Lax${domain ? `; Domain=${domain}` : ''}${location.protocol === 'https:' ? '; Secure' : ''}`
}

export function keepCookie() {
  const { cookie } = now.policy
  if (!cookie) return
  const follow = () => quietly(() => write(cookie))
  document.addEventListener('licet:consent', follow)
  follow()
}
