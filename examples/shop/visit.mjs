// The automatic visit: a real browser, a real shop, real SDKs. Prints what went
// where and checks it against what must be. Run by script/demo --check.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { openBrowser } from '../../tests/e2e/browser.mjs'
import { sleep, until } from '../../tests/e2e/daemon.mjs'
import { flatten } from '../../tests/receiver/verify.mjs'
import { Rows, printTable } from './table.mjs'

const EMAIL = 'ada@visitor.example'
const ALLOWED = {
  warehouse: ['type', 'event', 'anonymousId', 'userId', 'context.page.path', 'context.page.url', 'context.ip',
    'properties.product', 'properties.value', 'properties.currency'],
  crm: ['type', 'event', 'userId', 'traits.email', 'properties.product', 'properties.value'],
}

// What must come of every event, by phase: event → destination → outcome and reason.
const stopped = reason => `stopped ${reason}`
const SENT = 'sent permitted'
const KEPT = 'kept permitted'
const nobody = { own: stopped('no_consent'), warehouse: stopped('no_consent'), crm: stopped('no_consent') }
const counted = { own: KEPT, warehouse: SENT, crm: stopped('no_consent') }
const recommended = { own: stopped('no_consent'), warehouse: stopped('no_consent'), crm: SENT }
const PHASES = {
  'she declines, and looks around': {},
  'a page that sends without asking': { 'Sent Without Asking': nobody },
  'she accepts statistics, and shops': { page: counted, 'Product Viewed': counted, 'Product Added': counted },
  'she signs in, agrees to nothing more, and orders': { page: counted, identify: nobody, 'Order Completed': nobody },
  'she signs in again, agrees to recommendations, and orders': {
    page: counted, 'Product Viewed': counted, 'Product Added': counted,
    identify: recommended, 'Order Completed': recommended,
  },
  'she withdraws both in her account': { page: counted },
  'she looks around, and orders once more': {
    'Late Event': { own: stopped('withdrawn'), warehouse: stopped('withdrawn'), crm: stopped('no_consent') },
    'Order Completed': { own: stopped('no_consent'), warehouse: stopped('no_consent'), crm: stopped('withdrawn') },
  },
}

class Visit {
  constructor(demo) {
    this.demo = demo
    this.rows = new Rows()
    this.phase = null
    this.finished = [] // phases
    this.faults = []
    this.toLicet = [] // what the browser asks of /v1
    demo.watchers.add(line => this.rows.add(line, this.phase))
  }

  /** One phase: what she does, then a wait until everything that must be decided is. */
  async act(phase, deed) {
    this.phase = phase
    const n = this.rows.all().length
    await deed()
    const expected = Object.keys(PHASES[phase])
    const come = () => new Set(this.rows.all().slice(n).map(row => row.event))
    await until(() => expected.every(event => come().has(event)) && this.rows.done(),
      () => `"${phase}": ${expected} decided and sent; so far ${[...come()]}, waiting: ${JSON.stringify(this.rows.all().filter(r => r.outcome === 'waiting'))}`, 20_000)
    await sleep(300) // what must not come would come now
    this.finished.push(phase)
  }

  async open(path) {
    await this.page.goto(this.demo.shop.url + path, { waitUntil: 'networkidle' })
  }

  async signIn(tick) {
    await this.open('/sign-in?next=/cart')
    await this.page.getByLabel('Name').fill('Ada')
    await this.page.getByLabel('E-mail').fill(EMAIL)
    for (const name of tick) await this.page.locator(`input[name=${name}]`).check()
    await this.page.getByRole('button', { name: 'Sign in' }).click()
    await this.page.waitForURL('**/cart')
  }

  async order() {
    await this.page.getByRole('button', { name: /^Order for/ }).click()
    await this.page.getByText('Your order is on its way').waitFor()
    await this.page.waitForLoadState('networkidle')
  }

  async buy(product) {
    await this.open(`/product/${product}?utm_source=letter&session=secret`)
    await this.page.getByRole('button', { name: 'Add to cart' }).click()
    await this.page.getByText('It is in your cart.').waitFor()
    await this.page.waitForLoadState('networkidle')
  }

  async newVisitor() {
    this.context = await this.browser.newContext()
    this.page = await this.context.newPage()
    this.page.on('pageerror', e => this.faults.push(`the page failed: ${e.message}`))
    this.page.on('request', q => q.url().startsWith(`${this.demo.licet.url}/v1/`) && this.toLicet.push(q.url()))
  }

  async run() {
    const { page } = this
    const phases = Object.keys(PHASES)
    await this.act(phases[0], async () => {
      await this.open('/')
      const box = page.locator('licet-consent .card')
      await box.waitFor()
      const [accept, decline] = await Promise.all(['accept', 'decline'].map(part => box.locator(`[data-licet=${part}]`).evaluate(e => {
        const { width, height } = e.getBoundingClientRect()
        const { backgroundColor, color, fontSize, fontWeight } = getComputedStyle(e)
        return { width, height, backgroundColor, color, fontSize, fontWeight }
      })))
      assert.deepEqual(accept, decline, 'accepting and declining are equally prominent')
      await box.locator('summary').click()
      assert.ok(await box.getByText('Who receives it, and where').isVisible(), 'the full text is one click away before any choice')
      await box.locator('[data-licet=decline]').click()
      await box.waitFor({ state: 'hidden' })
      await this.buy('notebook')
      await this.open('/privacy')
      assert.deepEqual(this.toLicet, [], 'after a refusal nothing asks licet for anything')
      await this.nothingLeft('after a refusal')
      const cookies = (await this.context.cookies()).map(c => c.name)
      assert.deepEqual(cookies.filter(name => name !== 'shop_session'), [], 'after a refusal the only cookie is the cart')
    })
    await this.act(phases[1], async () => {
      const stranger = await (await this.browser.newContext()).newPage()
      await stranger.goto(`${this.demo.shop.url}/before-consent.html`)
      await stranger.locator('[data-sent=yes]').waitFor()
      await stranger.context().close()
    })
    await this.act(phases[2], async () => {
      await this.open('/')
      await page.getByRole('button', { name: 'Privacy choices' }).click()
      await Promise.all([page.waitForResponse(/\/v1\/batch$/), page.locator('licet-consent dialog [data-licet=accept]').click()])
      await page.locator('licet-consent dialog').waitFor({ state: 'hidden' })
      await this.buy('letters')
    })
    this.subject = (await page.evaluate("window.licet.anonymousId()"))
    await this.act(phases[3], async () => {
      await this.signIn([])
      await this.order()
    })
    await this.act(phases[4], async () => {
      await this.open('/account')
      await page.getByRole('button', { name: 'Sign out' }).click()
      await this.buy('pencils')
      await this.signIn(['profiling'])
      await this.order()
    })
    await this.act(phases[5], () => this.withdraw())
    await this.act(phases[6], () => this.afterwards())
  }

  /** Of what could recognise her: only what was declined, and on which day. */
  async nothingLeft(when) {
    const kept = await this.page.evaluate('({ ...localStorage })')
    assert.deepEqual(Object.keys(kept), ['licet'], `${when} nothing but the choice stays on the device`)
    assert.deepEqual(Object.keys(JSON.parse(kept.licet)), ['choices'], `${when} no id stays on the device`)
    for (const choice of Object.values(JSON.parse(kept.licet).choices)) assert.deepEqual([Object.keys(choice), choice.on], [['on', 'v', 'day'], 0])
  }

  async withdraw() {
    const { page } = this
    await this.open('/account')
    await page.locator('input[name=profiling]').uncheck()
    await page.getByRole('button', { name: 'Save choices' }).click()
    await page.getByText('saved and in force').waitFor()
    await page.waitForLoadState('networkidle')
    await until(() => this.rows.done(), 'the last page to be sent')
    await page.getByRole('button', { name: 'Privacy choices' }).click()
    await Promise.all([page.waitForResponse(/\/public\/consent$/), page.locator('licet-consent dialog').getByRole('button', { name: 'Withdraw all' }).click()])
  }

  async afterwards() {
    const { page } = this
    const before = this.toLicet.length
    await this.buy('notebook')
    assert.equal(this.toLicet.length, before, 'after the withdrawal the browser sends nothing')
    await this.nothingLeft('after the withdrawal')
    // what was queued in her browser before, and gets through only now
    const late = { type: 'track', event: 'Late Event', anonymousId: this.subject, messageId: `late-${Date.now()}` }
    const answer = await fetch(`${this.demo.licet.url}/v1/t`, {
      method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: JSON.stringify({ ...late, writeKey: this.demo.licet.publicKey }),
    })
    assert.equal(answer.status, 200, 'a stopped event is no error for its sender')
    await this.open('/cart')
    await this.order()
  }

  /** Rows against PHASES. */
  checkDecisions() {
    const faults = []
    for (const row of this.rows.all()) {
      const must = PHASES[row.phase][row.event]?.[row.destination]
      const is = `${row.outcome} ${row.reason}`
      if (is !== must) faults.push(`${row.phase}: ${row.event} → ${row.destination}: ${is}, must be ${must ?? 'nothing at all'}`)
    }
    for (const phase of this.finished) {
      for (const [event, destinations] of Object.entries(PHASES[phase])) {
        for (const destination of Object.keys(destinations)) {
          if (!this.rows.all().some(row => row.phase === phase && row.event === event && row.destination === destination)) {
            faults.push(`${phase}: ${event} → ${destination}: no decision was told`)
          }
        }
      }
    }
    return faults
  }

  /** What the receiver got, against what licet says it sent, and against the lists of fields. */
  checkArrivals() {
    const { arrived, faults } = this.demo.receiver
    const wrong = faults.map(f => `receiver: ${f.destination}: ${f.why}`)
    const rows = new Map(this.rows.all().filter(row => row.outcome === 'sent').map(row => [`${row.id} ${row.destination}`, row]))
    for (const { id, destination, event } of arrived) {
      const row = rows.get(`${id} ${destination}`)
      if (!row) {
        wrong.push(`receiver: ${destination} got ${id} though licet does not tell of it`)
        continue
      }
      rows.delete(`${id} ${destination}`)
      // licet tells the fields of a whole request; what this event brought must be among them
      const told = row.fields.split(',')
      const brought = flatten(event).map(([name]) => name).sort()
      for (const name of brought) told.includes(name) || wrong.push(`receiver: ${destination} got ${name}, which licet does not tell`)
      row.fields = brought.join()
    }
    for (const row of rows.values()) wrong.push(`receiver: ${row.event} never came to ${row.destination}`)
    for (const a of arrived) wrong.push(...this.checkFields(a))
    return wrong
  }

  checkFields({ destination, event }) {
    const fields = Object.fromEntries(flatten(event))
    const wrong = []
    const must = (condition, why) => condition || wrong.push(`${destination}: ${why}: ${JSON.stringify(event)}`)
    for (const name of Object.keys(fields)) must(ALLOWED[destination].includes(name), `${name} may not leave`)
    const text = JSON.stringify(event)
    must(!text.includes(EMAIL), 'an address left')
    must(!text.includes('secret'), 'a query parameter left that is not named')
    must(!text.includes(this.subject), 'the device id left unpseudonymised')
    if (fields['context.ip']) must(fields['context.ip'] === '127.0.0.0', 'the network address is whole')
    if (destination === 'crm' && event.type === 'identify') {
      must(fields['traits.email'] === createHash('sha256').update(EMAIL).digest('hex'), 'the address is not its hash')
    }
    if (destination === 'warehouse' && event.type === 'page' && fields['context.page.path'] === '/product/letters') {
      must(fields['context.page.url']?.endsWith('/product/letters?utm_source=letter'), 'the campaign must be kept')
    }
    return wrong
  }
}

/** Visits, prints the table, gives the exit code. */
export async function visit(demo) {
  const it = new Visit(demo)
  it.browser = await openBrowser()
  const { faults } = it
  try {
    await it.newVisitor()
    await it.run()
  } catch (e) {
    faults.push(e.message)
  } finally {
    await it.browser.close()
  }
  faults.push(...it.checkDecisions(), ...it.checkArrivals())
  const rows = it.rows.all()
  console.log(printTable(rows, Object.keys(PHASES).filter(phase => phase === it.phase || it.finished.includes(phase))))
  const number = outcome => rows.filter(row => row.outcome === outcome).length
  console.log(`\n${number('sent')} sent, ${number('kept')} kept here, ${number('stopped')} stopped; the receiver took ${demo.receiver.arrived.length} and found ${demo.receiver.faults.length} faults`)
  if (faults.length) console.log(`\nNot as it must be:\n${faults.map(f => `  ${f}`).join('\n')}`)
  else console.log('Everything came as it must.')
  return faults.length ? 1 : 0
}
