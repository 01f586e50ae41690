// Decisions, as `licet tail --json` tells them, become rows: one event for one destination.

/** Gathers lines into rows; a later line about the same event and destination completes the row. */
export class Rows {
  constructor() {
    this.byKey = new Map()
  }

  add(line, phase) {
    const key = `${line.message_id}\n${line.destination}`
    if (!this.byKey.has(key)) {
      const event = line.type === 'track' ? line.name : line.type
      this.byKey.set(key, { phase, event, destination: line.destination, outcome: 'waiting', reason: '', fields: '' })
    }
    const row = this.byKey.get(key)
    if (line.verdict === 'deny') Object.assign(row, { outcome: 'stopped', reason: line.reason })
    else if (line.verdict === 'sent') Object.assign(row, { outcome: 'sent', reason: 'permitted', fields: line.fields })
    else if (line.verdict !== 'permit') Object.assign(row, { outcome: line.verdict, reason: line.reason })
    else if (line.destination === 'own') Object.assign(row, { outcome: 'kept', reason: 'permitted', fields: line.fields ?? '' })
  }

  all() {
    return [...this.byKey.values()]
  }

  done() {
    return this.all().every(row => row.outcome !== 'waiting')
  }
}

/** The same event with the same end stands once, with its number. */
function collapse(rows) {
  const seen = new Map()
  for (const row of rows) {
    const key = [row.event, row.destination, row.outcome, row.reason, row.fields].join('\n')
    if (seen.has(key)) seen.get(key).n++
    else seen.set(key, { ...row, n: 1 })
  }
  return [...seen.values()].sort((a, b) => order(a.event, rows) - order(b.event, rows))
}
const order = (event, rows) => rows.findIndex(row => row.event === event)

const COLUMNS = [
  ['event', row => (row.n > 1 ? `${row.event} ×${row.n}` : row.event)],
  ['destination', row => row.destination],
  ['outcome', row => row.outcome],
  ['reason', row => row.reason],
  ['fields that left', row => row.fields.replaceAll(',', ', ')],
]

/** Text for a terminal: one block per phase. */
export function printTable(rows, phases) {
  const cells = phases.map(phase => [phase, collapse(rows.filter(row => row.phase === phase)).map(row => COLUMNS.map(([, cell]) => cell(row)))])
  const width = COLUMNS.map(([title], i) => Math.max(title.length, ...cells.flatMap(([, lines]) => lines.map(line => line[i].length))))
  const write = line => line.map((cell, i) => (i === line.length - 1 ? cell : cell.padEnd(width[i]))).join('  ').trimEnd()
  const out = [write(COLUMNS.map(([title]) => title))]
  for (const [phase, lines] of cells) {
    out.push('', `— ${phase}`)
    out.push(...(lines.length ? lines.map(write) : ['(nothing was sent to licet)']))
  }
  return out.join('\n')
}
