// What waits to be sent goes in order, one at a time over all tabs. What fails stops the line, so that nothing overtakes, and goes again
// after a while; at once when somebody asked during the attempt, since the way may be free again.
const MOST = 300 // seconds between attempts on one page

/** What is on its way now, or null; and how many attempts have failed since the last that did not. */
export let flying = null, tried = 0

/** Gives what sends: its promise resolves when nothing is left, or nothing can be sent now. `lock`: its name. `next()` gives what goes next, if anything;
 *  `post(it)` resolves with an answer, null where it does not; `end(it, answer)` with true when the line may go on, else with the seconds to wait, or false. */
export function openLine(lock, next, post, end) {
  let sending, timer, asked
  const sendAll = async () => {
    clearTimeout(timer)
    try {
      while ((flying = next())) {
        const it = flying
        asked = null
        const answer = await post(it).catch(() => null)
        flying = null // who asks again because it failed has her turn after the pause
        const over = await end(it, answer)
        if (over === true) tried = 0
        else if (!asked) return void (timer = setTimeout(flush, 1000 * (over || Math.min(2 * 5 ** tried++, MOST))))
      }
    } finally {
      sending = null // before the lock is free, so that nobody's wish is lost in between
    }
  }
  const flush = () => {
    asked ||= flying
    // where storage is blocked, so are locks
    return (sending ??= (navigator.locks?.request(lock, sendAll) ?? Promise.reject()).catch(sendAll))
  }
  addEventListener('online', flush)
  return flush
}
