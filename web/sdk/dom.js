// Elements, without markup as text: a policy's words stay words.

/** h('p', {class: 'x', onclick: f}, 'text', h('b', {}, 'more')) */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== false && value != null) element.setAttribute(name, value)
  }
  element.append(...children.flat(9).filter(c => c != null && c !== false))
  return element
}

/** fill('Text {n}', {n: 1}) */
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all)
