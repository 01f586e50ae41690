// <script type="text/plain" data-licet-purpose="statistics">: runs once every purpose named is granted.
import { quietly, wordsOf } from '../common/small.js'

const ran = new Set()

/** Runs what may run. What the page's own policy forbids the browser reports: it keeps nobody else from running or hearing. */
export function runTags(granted) {
  for (const tag of document.querySelectorAll('script[type="text/plain"][data-licet-purpose]')) quietly(() => {
    const purposes = wordsOf(tag.dataset.licetPurpose)
    if (!purposes.length || !purposes.every(granted)) return
    const script = document.createElement('script')
    for (const { name, value } of tag.attributes) if (name !== 'type') script.setAttribute(name, value)
    if (tag.dataset.licetType) script.type = tag.dataset.licetType
    script.nonce = tag.nonce // hidden from attributes
    script.async = tag.hasAttribute('async')
    script.textContent = tag.textContent
    for (const p of purposes) ran.add(p)
    tag.replaceWith(script)
  })
}

/** Whether a script runs that is no longer permitted: it can only be unloaded with its page. */
export const cannotStop = granted => [...ran].some(p => !granted(p))
