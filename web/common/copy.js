/** What holds a copy of the element, in a document of its own, where nothing runs and nothing is fetched. */
export function copyOf(element) {
  const { body } = document.implementation.createHTMLDocument('')
  body.append(body.ownerDocument.importNode(element, true))
  return body
}
