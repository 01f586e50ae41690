// The pages, as strings. Everything that people wrote goes through `h`.
import { GOODS, money } from './goods.mjs'
import { PARTS, PURPOSES } from './texts.mjs'

const h = s => String(s).replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`)
const cartCount = session => Object.values(session?.cart ?? {}).reduce((a, b) => a + b, 0)

/** The whole text of a purpose, one click away wherever a choice is asked for. */
export function fullText(id) {
  const text = PURPOSES[id]
  return `<details class="full-text"><summary>Full text: ${h(text.title)}</summary>
<dl>${PARTS.map(([part, label]) => `<dt>${h(label)}</dt><dd>${h(text[part])}</dd>`).join('')}</dl></details>`
}

const NOTES = {
  recorded: 'Your choices are saved and in force.',
  ordered: 'Thank you. Your order is on its way.',
  failed: 'Your choice could not be saved, so nothing changed. Please try again.',
}

export function page({ title, body, session, config, view, note }) {
  const account = session?.account
  const n = cartCount(session)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${h(title)} · Blatt &amp; Halm</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/shop.css">
<script async src="${h(config.licetUrl)}/sdk/licet.js" data-key="${h(config.publicKey)}" data-button="off"></script>
<script type="module" src="/shop.js"></script>
</head>
<body data-view="${h(JSON.stringify(view ?? {}))}">
<a class="skip" href="#main">To the content</a>
<header class="top">
  <a class="brand" href="/">Blatt &amp; Halm</a>
  <nav aria-label="Shop">
    ${account ? '<a href="/account">Account</a>' : '<a href="/sign-in">Sign in</a>'}
    <a href="/cart">Cart<span id="cart-count"${n ? '' : ' hidden'}> ${n}</span></a>
  </nav>
</header>
<main id="main">
${NOTES[note] ? `<p class="note${note === 'failed' ? ' bad' : ''}" role="status">${NOTES[note]}</p>` : ''}
${body}
</main>
<footer>
  <p>An example shop: nothing is really sold.</p>
  <p><a href="/privacy">Privacy policy</a> <button type="button" class="link" data-licet-open>Privacy choices</button></p>
</footer>
</body>
</html>`
}

const tile = ([id, good]) => `<li><a class="tile" href="/product/${id}">
<span class="picture ${good.tint}">${good.picture}</span>
<span class="caption"><b>${h(good.name)}</b><span>${money(good.price)}</span></span>
<span class="line">${h(good.line)}</span></a></li>`

export const home = () => ({
  title: 'Paper and pencils',
  view: { page: 'Home' },
  body: `<h1>Paper worth<br>writing on.</h1>
<p class="lead">Three things, made well. We print what sells and leave the rest.</p>
<ul class="tiles">${Object.entries(GOODS).map(tile).join('')}</ul>`,
})

export const product = (id, good) => ({
  title: good.name,
  view: { page: 'Product', event: 'Product Viewed', properties: { product: id, value: good.price, currency: 'EUR' } },
  body: `<article class="product">
<span class="picture ${good.tint}">${good.picture}</span>
<div>
  <h1>${h(good.name)}</h1>
  <p class="price">${money(good.price)}</p>
  <p>${h(good.text)}</p>
  <form method="post" action="/cart" data-product="${id}" data-price="${good.price}">
    <input type="hidden" name="product" value="${id}">
    <button>Add to cart</button>
    <p class="state" role="status"></p>
  </form>
</div></article>`,
})

export function cart(session) {
  const rows = Object.entries(session?.cart ?? {})
  const total = rows.reduce((sum, [id, n]) => sum + GOODS[id].price * n, 0)
  const body = rows.length === 0
    ? '<h1>Your cart</h1><p>It is empty. <a href="/">Look at the papers</a></p>'
    : `<h1>Your cart</h1>
<table class="cart"><thead><tr><th scope="col">Article</th><th scope="col">Number</th><th scope="col">Price</th></tr></thead>
<tbody>${rows.map(([id, n]) => `<tr><th scope="row">${h(GOODS[id].name)}</th><td>${n}</td><td>${money(GOODS[id].price * n)}</td></tr>`).join('')}</tbody>
<tfoot><tr><th scope="row" colspan="2">Together</th><td>${money(total)}</td></tr></tfoot></table>
${session.account
    ? `<form method="post" action="/order"><button>Order for ${money(total)}</button></form>`
    : '<p><a class="button" href="/sign-in?next=/cart">Sign in to order</a></p>'}`
  return { title: 'Cart', view: { page: 'Cart' }, body }
}

/** What an account may be asked: never ticked beforehand, never needed. */
const accountChoices = checked => `<fieldset class="choices">
<legend>Two questions, both optional</legend>
<div class="choice"><label><input type="checkbox" name="statistics" value="true"${checked?.statistics ? ' checked' : ''}> Count my orders in the shop's statistics, too</label>${fullText('statistics')}</div>
<div class="choice"><label><input type="checkbox" name="profiling" value="true"${checked?.profiling ? ' checked' : ''}> Write to me about papers that go with my orders</label>${fullText('profiling')}</div>
</fieldset>`

export const signIn = (next, fault) => ({
  title: 'Sign in',
  view: { page: 'Sign in' },
  body: `<h1>Sign in</h1>
<form class="stack" method="post" action="/sign-in" id="sign-in">
${fault ? `<p class="note bad" role="alert">${h(fault)}</p>` : ''}
<input type="hidden" name="next" value="${h(next)}">
<label>Name<input name="name" autocomplete="name" required maxlength="100"></label>
<label>E-mail<input name="email" type="email" autocomplete="email" required maxlength="254"></label>
${accountChoices(null)}
<button>Sign in</button>
<p class="fine">The example asks for no password.</p>
</form>`,
})

export const account = session => ({
  title: 'Your account',
  view: { page: 'Account' },
  body: `<h1>Your account</h1>
<p>${h(session.account.name)}, ${h(session.account.email)}</p>
<form class="stack" method="post" action="/account" id="account-choices">
${accountChoices(session.account.choices)}
<button>Save choices</button>
</form>
<form method="post" action="/sign-out"><button class="quiet">Sign out</button></form>`,
})

export const privacy = () => ({
  title: 'Privacy policy',
  view: { page: 'Privacy' },
  body: `<article class="prose"><h1>Privacy policy</h1>
<p>Blatt &amp; Halm, Germany, is responsible for this shop: privacy@blatt-und-halm.example.</p>
<p>Without your agreement we store nothing on your device, apart from your cart and your sign-in once you use them, and a note of your refusal, which says what you declined and on which day, so that we do not ask again on every page.</p>
${Object.values(PURPOSES).map(text => `<h2>${h(text.title)}</h2><dl>${PARTS.map(([part, label]) => `<dt>${h(label)}</dt><dd>${h(text[part])}</dd>`).join('')}</dl>`).join('')}
</article>`,
})

export const notFound = () => ({ title: 'Not found', body: '<h1>There is no such page</h1><p><a href="/">To the shop</a></p>' })

/** The policy as text: what is stored with licet as the legal notice. */
export const policyText = () => privacy().body.replace(/<\/(p|h1|h2|dt|dd)>/g, '\n').replace(/<[^>]+>/g, '').replace(/&amp;/g, '&').replace(/&#(\d+);/g, (_, n) => String.fromCharCode(n)).trim()
