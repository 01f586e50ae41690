// The form as it was shown, as text: words, fields, and which box stood ticked before; nothing that was typed, nothing that runs.
import { copyOf } from '../common/copy.js'
import { attribute, getAttributeNames, matches, querySelectorAll, remove, removeAttribute, replaceChildren, setAttribute } from './dom.js'
import { plainAddress } from './secret.js'

const LONGEST = 200_000 // characters
const GONE = 'script, style, link, iframe, object, embed, template, noscript, [data-cons-exclude]'
const OFFERS = 'option, button, [type=checkbox], [type=radio], [type=submit], [type=button], [type=reset]'
const KEPT = /^(id|class|name|type|for|href|src|action|method|required|disabled|hidden|checked|multiple|placeholder|title|alt|lang|label|style|(aria|data-cons)-.*)$/

function bare(element) {
  for (const name of getAttributeNames.call(element)) {
    if (name === 'value' ? !matches.call(element, OFFERS) : !KEPT.test(name)) removeAttribute.call(element, name)
    else if (/^(href|src|action)$/.test(name)) {
      const address = plainAddress(attribute(element, name))
      setAttribute.call(element, name, name === 'href' ? address : address.replace(/[?#].*/, ''))
    }
  }
  if (matches.call(element, 'textarea, [contenteditable]')) replaceChildren.call(element)
}

/** `out`: fields that are no part of it. */
export function wordingOf(form, out) {
  const real = [form, ...querySelectorAll.call(form, '*')]
  const copy = copyOf(form)
  copy.querySelectorAll('*').forEach((element, i) => {
    if (out.includes(real[i]) || (i && matches.call(element, GONE))) remove.call(element)
    else bare(element)
  })
  return copy.innerHTML.replace(/<!--[^]*?-->/g, '').slice(0, LONGEST)
}
