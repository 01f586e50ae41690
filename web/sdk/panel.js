// The frame of a panel: title, what it says, buttons; and its wording as proof.
import { now } from './core.js'
import { fill, h } from './dom.js'
import { words } from './purpose.js'

const cross = () => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  svg.setAttribute('viewBox', '0 0 16 16')
  svg.setAttribute('aria-hidden', 'true')
  path.setAttribute('d', 'M2 2l12 12M14 2L2 14')
  svg.append(path)
  return svg
}

export const button = (part, label, onclick, kind) => h('button', { type: 'button', part, 'data-licet': part, class: kind, onclick }, label)

function footer() {
  const { controller, privacy_policy: policy, imprint } = now.policy
  const links = [[policy, words().policy], [imprint, words().imprint]].filter(([href]) => href)
  return h('p', { class: 'fine' },
    fill(words().responsible, { controller: controller.name, country: controller.country_name, contact: controller.contact }),
    links.map(([href, text], i) => [i ? ' · ' : h('br'), h('a', { href }, text)]))
}

/** Fills a panel and empties the others, since what one is named by must not be found in another.
 *  {title, of: attributes of it, intro, failed: whether to say that a choice was not recorded, content, buttons, close} */
export function panel(box, { title, of, intro, failed, content, buttons, close }) {
  for (const one of box.parentNode.querySelectorAll('.card,dialog')) one.replaceChildren()
  box.replaceChildren(
    h('div', { class: 'top' },
      h('h2', { id: 'licet-title', tabindex: '-1', ...of }, title),
      h('button', { type: 'button', class: 'x', part: 'close', 'data-licet': 'close', 'aria-label': words().close, onclick: close }, cross())),
    h('div', { class: 'body', tabindex: '0', role: 'group', 'aria-labelledby': 'licet-title' },
      h('p', {}, intro), failed ? h('p', { class: 'bad', role: 'alert' }, words().failed) : null, content, footer()),
    h('div', { class: 'buttons' }, buttons))
}

/** Lays out its frame first and its lists after that, then shows both: at once it would hold up a slow device. */
export function inTurns(box) {
  box.classList.add('first')
  requestAnimationFrame(() => setTimeout(() => box.classList.remove('first')))
}

/** How it was answered: a script's click is no person's. */
export const answeredBy = (event, by) => (event.isTrusted ? by : `${by}, by a script`)

/** The very wording of it, as proof; without what is recorded of her account, which an act of this device is not to tell. */
export function wordingOf(box) {
  const copy = box.cloneNode(true)
  copy.querySelectorAll('[data-account]').forEach(line => line.remove())
  return copy.outerHTML.replace(/ (class|part|style)="[^"]*"|<svg.*?<\/svg>/g, '')
}
