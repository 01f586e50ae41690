// What the pages do beyond plain forms. Without JavaScript the shop works as well, and nothing is counted.
const view = JSON.parse(document.body.dataset.view)

// licet.js sends the page by itself once statistics are granted; what was looked at is told then, too. Where licet is out of reach nobody takes
// these out of the array, and the shop works as well.
const tell = call => (window.licet ??= []).push(call)
if (view.event) tell(licet => licet.when('statistics').then(() => licet.track(view.event, view.properties)))

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
  tell(licet => licet.track('Product Added', { product: form.dataset.product, value: Number(form.dataset.price), currency: 'EUR' }))
})
