// Without a banner: for sites whose own consent management platform asks.
import { watchPlatform } from './cmp.js'
import { keepCookie } from './cookie.js'
import { now, start } from './core.js'

start().then(() => {
  if (!now.policy) return
  keepCookie()
  if (now.policy.cmp) watchPlatform(now.policy.cmp)
})
