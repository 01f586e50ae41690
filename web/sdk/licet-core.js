// Without a banner: for sites that ask in their own words.
import { start } from './core.js'

start()
