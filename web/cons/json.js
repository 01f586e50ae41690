/** JSON.stringify, also on pages with a library that teaches arrays and texts a toJSON of its own. */
export function json(it) {
  const taught = [Array, String].map(({ prototype }) => [prototype, prototype.toJSON])
  for (const [prototype] of taught) delete prototype.toJSON
  try {
    return JSON.stringify(it)
  } finally {
    for (const [prototype, toJSON] of taught) if (toJSON) prototype.toJSON = toJSON
  }
}
