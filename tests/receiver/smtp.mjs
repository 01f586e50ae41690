// A mail server that takes letters and judges them: smtp-server speaks, mailparser reads.
import { simpleParser } from 'mailparser'
import { createRequire } from 'node:module'
const { SMTPServer } = createRequire(import.meta.url)('smtp-server')

/** What RFC 5322 and 2045 ask of the bytes themselves; "" when they are as they must be. */
function fault(raw) {
  const text = raw.toString('latin1')
  if (/[^\x09\x0a\x0d\x20-\x7e]/.test(text)) return 'bytes that are not ASCII'
  if (/[^\r]\n|\r[^\n]/.test(text)) return 'a line that does not end in CRLF'
  if (text.split('\r\n').some(line => line.length > 78)) return 'a line of more than 78 bytes'
  const head = text.slice(0, text.indexOf('\r\n\r\n'))
  for (const name of ['Date', 'From', 'To', 'Subject', 'Message-ID', 'MIME-Version', 'Content-Type', 'Auto-Submitted']) {
    const found = head.split('\r\n').filter(line => line.toLowerCase().startsWith(`${name.toLowerCase()}:`)).length
    if (found !== 1) return `${found} times ${name}`
  }
  return ''
}

export class MailServer {
  /** `options` as of smtp-server; `answer(address)` may give an Error with responseCode, or wait. */
  constructor({ answer = () => null, ...options } = {}) {
    Object.assign(this, { answer, letters: [], faults: [], tried: 0, hellos: [] })
    this.server = new SMTPServer({
      disabledCommands: options.onAuth ? [] : ['AUTH'], authOptional: !options.onAuth, logger: false, disableReverseLookup: true, closeTimeout: 100,
      onMailFrom: (address, session, done) => {
        this.hellos.push(session.hostNameAppearsAs)
        done()
      },
      onRcptTo: async (address, session, done) => {
        this.tried++
        done(await this.answer(address.address, session))
      },
      onData: (stream, session, done) => this.take(stream, session, done),
      ...options,
    })
    this.server.on('error', () => {}) // a client that goes away
  }

  async take(stream, session, done) {
    const parts = []
    for await (const part of stream) parts.push(part)
    const raw = Buffer.concat(parts)
    const letter = await simpleParser(raw, { skipTextToHtml: true })
    letter.raw = raw.toString('latin1')
    letter.envelope = { from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map(r => r.address) }
    letter.secure = session.secure
    letter.link = /https?:\/\/\S+\/confirm\/\S+/.exec(letter.text)?.[0]
    const why = fault(raw)
    if (why) this.faults.push(why)
    this.letters.push(letter)
    done()
  }

  listen(port = 0) {
    return new Promise(ok => this.server.listen(port, '127.0.0.1', () => {
      this.port = this.server.server.address().port
      ok(this)
    }))
  }

  /** The letters to an address, oldest first. */
  to(address) {
    return this.letters.filter(l => l.envelope.to.includes(address))
  }

  close() {
    return new Promise(ok => this.server.close(() => ok()))
  }
}
