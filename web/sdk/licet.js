// One tag: <script async src="https://licet.shop.example/sdk/licet.js" data-key="…"></script>
import { askInTurn, openBanner, openChoices, standing } from './banner.js'
import { keepCookie } from './cookie.js'
import { licet, now, start } from './core.js'

licet.ask = askInTurn
licet.open = () => void standing.then(openChoices)
start().then(() => {
  if (!now.policy) return
  keepCookie()
  if (document.body) openBanner()
  else document.addEventListener('DOMContentLoaded', openBanner)
})
