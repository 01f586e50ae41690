// Decisions, as `licet tail --json` tells them, become rows: one event for one destination.

/** Gathers lines into rows; a later line about the same event and destination completes the row. */
export class Rows {
  constructor() {
    this.byKey = new Map()
  }

  add(line, phase) {
    const key = `${line.event_id}\n${line.destination}`
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

const GAP = '  '

/** Breaks a list of names so that it fits. */
function wrap(text, room) {
  const lines = ['']
  for (const word of text.split(' ')) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word
    if (longer.length > room && lines.at(-1)) lines.push(word)
    else lines[lines.length - 1] = longer
  }
  return lines
}

/** Text for a terminal: one block per phase. */
export function printTable(rows, phases, columns = process.stdout.columns ?? 120) {
  const blocks = phases.map(phase => [phase, collapse(rows.filter(row => row.phase === phase)).map(row => COLUMNS.map(([, cell]) => cell(row)))])
  const width = COLUMNS.slice(0, -1).map(([title], i) => Math.max(title.length, ...blocks.flatMap(([, lines]) => lines.map(line => line[i].length))))
  const indent = width.reduce((sum, w) => sum + w + GAP.length, 0)
  const write = line => line.slice(0, -1).map((cell, i) => cell.padEnd(width[i]) + GAP).join('')
    + wrap(line.at(-1), Math.max(columns - indent, 30)).join(`\n${' '.repeat(indent)}`)
  const out = [write(COLUMNS.map(([title]) => title))]
  for (const [phase, lines] of blocks) {
    out.push('', `— ${phase}`, ...(lines.length ? lines.map(line => write(line).trimEnd()) : ['(nothing was sent to licet)']))
  }
  return out.join('\n')
}
