// Without a banner: for sites whose own consent management platform asks.
import { watchPlatform } from './cmp.js'
import { now, start } from './core.js'

start().then(() => now.policy?.cmp && watchPlatform(now.policy.cmp))
