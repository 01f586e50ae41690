// The DOM's own methods: a form with a field named "matches" would answer with the field.
export const { closest, getAttribute, getAttributeNames, matches, querySelectorAll, remove, removeAttribute, replaceChildren, setAttribute } = Element.prototype
export const attribute = (it, name) => getAttribute.call(it, name) ?? ''
export const elementsOf = Object.getOwnPropertyDescriptor(HTMLFormElement.prototype, 'elements').get
