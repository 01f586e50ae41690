// What every bridge needs of the page.

/** The value of a cookie, decoded; undefined: there is none. */
export function cookie(name) {
  try {
    const found = document.cookie.split('; ').find(c => c.startsWith(`${name}=`))
    return found && decodeURIComponent(found.slice(name.length + 1))
  } catch {
    return undefined
  }
}

/** A moment as a CMP says it; undefined when it is none, or one that lies ahead. */
export function when(said) {
  const at = new Date(said)
  return at.getTime() <= Date.now() + 6e4 ? at : undefined
}

/** Does `then` once, as soon as `there` gives something: now, at the event, or when somebody looks: ever more seldom. */
export function seldom(there, then, event) {
  let done = false
  let wait = 250
  const look = () => {
    if (done) return
    let found
    try {
      found = there()
    } catch {
      // not yet, then
    }
    if (found) {
      done = true
      then()
    }
  }
  const again = () => {
    look()
    if (!done) setTimeout(again, (wait = Math.min(wait * 1.5, 3e4)))
  }
  if (event) addEventListener(event, look)
  again()
}
