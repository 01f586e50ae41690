// One tag: <script src="https://licet.shop.example/sdk/licet.js" data-key="…"></script>
import { ask, openBanner } from './banner.js'
import { keepCookie } from './cookie.js'
import { licet, now, start } from './core.js'

licet.ask = (id, options) => licet.ready.then(() => ask(id, options))
licet.open = () => {} // until the policy is there
start().then(() => {
  if (!now.policy) return
  keepCookie()
  if (document.body) openBanner()
  else document.addEventListener('DOMContentLoaded', openBanner)
})
