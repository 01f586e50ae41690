/** Null where the browser forbids it: storage that is blocked or full, what is damaged there. */
export const quietly = work => {
  try {
    return work()
  } catch {
    return null
  }
}

/** ['a', 'b'] of 'a, b'. */
export const wordsOf = (text = '') => text.split(/[\s,]+/).filter(Boolean)

/** 128 bits at random; crypto.randomUUID is there by https only. */
export const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map(n => (n + 256).toString(16).slice(1)).join('')
