// Whether it adds up: licet's record of every event, what was expected of it, and what the
// receivers have seen and kept.
import { DENY, PERMIT } from './people.mjs'
import { DOUBT, KEPT, SAW, TOOK } from './receivers.mjs'
import { DESTINATIONS } from './house.mjs'

const RESULTS = ['sent', 'dropped', 'dead', 'uncertain']
const SHOWN = 5

/** What does not add up, by kind, with the first of each. */
export class Discrepancies {
  constructor() {
    this.kinds = new Map()
    this.total = 0
  }

  add(kind, what) {
    this.total++
    const k = this.kinds.get(kind) ?? { n: 0, first: [] }
    this.kinds.set(kind, k)
    k.n++
    if (k.first.length < SHOWN) k.first.push(what)
  }

  * lines() {
    for (const [kind, { n, first }] of this.kinds) {
      yield `  ${n} × ${kind}`
      for (const what of first) yield `      ${what}`
      if (n > first.length) yield `      … and ${n - first.length} more`
    }
  }
}

/** Takes licet's export line by line; then sums(). `base`: the timestamp of event 0. */
export class Account {
  constructor({ events, base, expected, receivers, wrong }) {
    Object.assign(this, { events, base, expected, receivers, wrong })
    this.stored = new Uint8Array(events)
    this.verdict = Object.fromEntries(DESTINATIONS.map(d => [d.id, new Uint8Array(events)]))
    this.sum = Object.fromEntries(DESTINATIONS.map(d => [d.id, { permitted: 0, firm: 0, why: {}, ...Object.fromEntries(RESULTS.map(r => [r, 0])) }]))
  }

  take(line) {
    const i = Date.parse(line.timestamp) - this.base
    if (!(i >= 0 && i < this.events)) return this.wrong.add('stored, but never sent', line.id)
    if (this.stored[i]++) return this.wrong.add('stored twice', `storm-${i} (${line.id})`)
    const seen = new Set()
    for (const d of line.destinations) {
      const name = `storm-${i} (${line.id}) for ${d.destination}`
      if (seen.has(d.destination)) this.wrong.add('two records of one delivery', name)
      seen.add(d.destination)
      this.verdict[d.destination][i] = d.verdict === 'permit' ? PERMIT : DENY
      if (d.verdict === 'permit') this.permitted(i, d, name)
      else if (d.result) this.wrong.add('denied at collection, and yet there is a delivery', `${name}: ${d.result}`)
    }
  }

  permitted(i, d, name) {
    const sum = this.sum[d.destination]
    sum.permitted++
    if (d.destination === 'own') return
    if (!RESULTS.includes(d.result)) return this.wrong.add(`ends as ${d.result}`, name)
    sum[d.result]++
    const record = this.receivers[d.destination].record[i]
    const seen = [[SAW, 'saw it'], [TOOK, 'took it'], [DOUBT, 'left it in doubt'], [KEPT, 'kept it']].filter(([bit]) => record & bit).map(([, text]) => text)
    if (d.result === 'sent' && !(record & TOOK)) this.wrong.add('sent, says licet; the receiver never said so', `${name}: it ${seen.join(', ') || 'never saw it'}`)
    if (d.result === 'dropped') {
      sum.why[d.why] = (sum.why[d.why] ?? 0) + 1
      if (record & (TOOK | DOUBT | KEPT)) this.wrong.add('dropped, says licet; it may have arrived or did', `${name}: it ${seen.join(', ')}; ${d.why}`)
    }
    if (d.result === 'dead' && !(record & SAW)) this.wrong.add('dead, says licet; nobody refused it', name)
  }

  /** After the last line: what was expected of each event, and what came that was not permitted. */
  finish(who) {
    for (let i = 0; i < this.events; i++) {
      DESTINATIONS.forEach((d, k) => {
        const expected = this.expected[k][i]
        const verdict = this.verdict[d.id][i] || DENY // what is denied everywhere is not stored
        const name = () => `storm-${i} of ${who(i)} for ${d.id}`
        this.sum[d.id].firm += expected !== 0
        if (expected === PERMIT && verdict !== PERMIT) this.wrong.add(this.stored[i] ? 'agreed to, and denied' : 'agreed to, acknowledged, and lost', name())
        if (expected === DENY && verdict === PERMIT) this.wrong.add('not agreed to, and permitted', name())
        if (d.id !== 'own' && verdict !== PERMIT && this.receivers[d.id].record[i]) this.wrong.add('not permitted, and arrived', name())
      })
    }
    for (const d of DESTINATIONS.slice(1)) {
      const s = this.sum[d.id]
      const total = RESULTS.reduce((n, r) => n + s[r], 0)
      if (total !== s.permitted) this.wrong.add('the sum is not right', `${d.id}: ${s.permitted} permitted, ${total} accounted for`)
    }
  }

  * lines() {
    const n = x => x.toLocaleString('en').padStart(10)
    yield `  ${'destination'.padEnd(12)}${['permitted', ...RESULTS].map(t => t.padStart(10)).join('')}`
    for (const d of DESTINATIONS) {
      const s = this.sum[d.id]
      const why = Object.entries(s.why).map(([reason, k]) => `${reason} ${k.toLocaleString('en')}`).join(', ')
      yield `  ${d.id.padEnd(12)}${n(s.permitted)}${d.id === 'own' ? '  (kept here)' : RESULTS.map(r => n(s[r])).join('')}${why && `   dropped: ${why}`}`
    }
  }
}
