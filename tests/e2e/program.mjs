// A program that is started for a test, and says when it is ready.

/** The match of what it writes to standard error. */
export const saying = (child, pattern) => new Promise((ok, no) => {
  let said = ''
  child.stderr.on('data', part => {
    const found = pattern.exec(said += part)
    if (found) ok(found)
  })
  child.once('error', no)
  child.once('exit', () => no(new Error(`${child.spawnfile} ended: ${said}`)))
})

/** Ends it. */
export async function whenEnded(child) {
  if (child.exitCode != null || child.signalCode) return
  const gone = new Promise(ok => child.once('exit', ok))
  child.kill()
  await gone
}
