// script/described: whether the tests that ran exercised all of the description.
import { BINARY } from './daemon.mjs'
import { describedBy, exercised } from './described.mjs'

const description = describedBy(BINARY)
const missing = description.unexercised(exercised(process.argv[2]))
for (const line of missing) console.log(line)
if (missing.length) console.log(`\nAdd a test that asks for it by Daemon.api: to the tests of its resource, or to tests/e2e/openapi.test.mjs.`)
else console.log(`described: ${[...description.operations()].length} operations, each with every status of its own exercised`)
process.exitCode = missing.length ? 1 : 0
