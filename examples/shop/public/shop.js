// What the pages do beyond plain forms. Without JavaScript the shop works as well, and nothing is counted.
import { askPrivacy, loadSdk } from './privacy.js'

const view = JSON.parse(document.body.dataset.view)

// after a grant the page that she looks at is told afresh: the SDK knows its referrer and campaign
askPrivacy(async () => {
  await loadSdk()
  if (view.page) window.analytics.page(view.page)
  if (view.event) window.analytics.track(view.event, view.properties)
})

const form = document.querySelector('form[data-product]')
form?.addEventListener('submit', async e => {
  e.preventDefault()
  const said = form.querySelector('[role=status]')
  const answer = await fetch(form.action, { method: 'POST', headers: { Accept: 'application/json' }, body: new URLSearchParams(new FormData(form)) })
  if (!answer.ok) {
    said.textContent = 'That did not work. Please try again.'
    return
  }
  const { count } = await answer.json()
  const shown = document.getElementById('cart-count')
  shown.textContent = ` ${count}`
  shown.hidden = false
  said.textContent = 'It is in your cart.'
  window.analytics?.track('Product Added', { product: form.dataset.product, value: Number(form.dataset.price), currency: 'EUR' })
})
