#!/usr/bin/env node
// Google Analytics' collection by the Measurement Protocol, as strict as its documentation: what Google drops
// in silence is a fault here. /debug/mp/collect answers like Google's validation server.
//
//   script/node tests/receiver/ga4.mjs [--port 8092]
import { createServer } from 'node:http'

const BODY = 130_000
const BACK_MS = 72 * 3600_000
const RESERVED_EVENTS = new Set(`ad_activeview ad_click ad_exposure ad_impression ad_query ad_reward adunit_exposure
  app_clear_data app_exception app_install app_remove app_store_refund app_update app_upgrade dynamic_link_app_open
  dynamic_link_app_update dynamic_link_first_open error firebase_campaign firebase_in_app_message_action
  firebase_in_app_message_dismiss firebase_in_app_message_impression first_open first_visit in_app_purchase
  notification_dismiss notification_foreground notification_open notification_receive notification_send os_update
  screen_view session_start user_engagement`.split(/\s+/))
const RESERVED_PARAMS = new Set(['firebase_conversion'])
const RESERVED_PROPERTIES = new Set(['first_open_time', 'first_visit_time', 'last_deep_link_referrer', 'user_id', 'first_open_after_install'])
const OWN = /^(_|firebase_|ga_|google_|gtag\.)/
const NAME = /^[A-Za-z][A-Za-z0-9_]*$/
const LONGER = { page_title: 300, page_referrer: 420, page_location: 1000 }
const NUMBERS = new Set(['value', 'tax', 'shipping', 'engagement_time_msec', 'session_number'])
const ITEM_NUMBERS = new Set(['price', 'quantity', 'index', 'discount'])
const ITEM = new Set(`item_id item_name affiliation coupon currency discount index item_brand item_category item_category2
  item_category3 item_category4 item_category5 item_list_id item_list_name item_variant location_id price quantity
  promotion_id promotion_name creative_name creative_slot`.split(/\s+/))
const TOP = new Set(['client_id', 'user_id', 'timestamp_micros', 'user_properties', 'user_data', 'consent', 'non_personalized_ads',
  'user_location', 'ip_override', 'device', 'user_agent', 'validation_behavior', 'events'])

const characters = text => [...text].length
const isObject = v => v !== null && typeof v === 'object' && !Array.isArray(v)

/** What Google would find fault with: [{fieldPath, description, validationCode}]. */
export function validate(body, nowMs = Date.now()) {
  const found = []
  const bad = (validationCode, fieldPath, description) => found.push({ fieldPath, description, validationCode })

  const name = (text, path, most, reserved) => {
    if (!NAME.test(text)) bad('NAME_INVALID', path, `Event at name: [${text}] must start with an alphabetic character and hold alphanumeric characters and underscores only.`)
    if (characters(text) > most) bad('NAME_INVALID', path, `[${text}] is longer than ${most}.`)
    if (OWN.test(text) || reserved.has(text)) bad('NAME_RESERVED', path, `[${text}] is reserved.`)
  }
  const value = (v, path, most) => {
    if (typeof v === 'string') {
      if (characters(v) > most) bad('VALUE_INVALID', path, `is longer than ${most}`)
      if (v === '') bad('VALUE_INVALID', path, 'is empty')
    } else if (typeof v !== 'number' || !Number.isFinite(v)) bad('VALUE_INVALID', path, 'is neither a text nor a number')
  }
  const currency = (v, path) => {
    if (!/^[A-Z]{3}$/.test(v)) bad('VALUE_INVALID', path, 'is not a currency of ISO 4217')
  }
  const time = (v, path) => {
    const ms = v / 1000
    if (!Number.isSafeInteger(v) || v <= 0) return bad('VALUE_INVALID', path, 'is not a time in microseconds')
    if (ms < nowMs - BACK_MS - 60_000) bad('VALUE_OUT_OF_BOUNDS', path, 'lies more than 72 hours back')
    if (ms > nowMs + 60_000) bad('VALUE_OUT_OF_BOUNDS', path, 'lies in the future')
  }

  const item = (it, path) => {
    if (!isObject(it)) return bad('VALUE_INVALID', path, 'is no object')
    if (it.item_id === undefined && it.item_name === undefined) bad('VALUE_REQUIRED', path, 'One of item_id and item_name is required.')
    const custom = Object.keys(it).filter(k => !ITEM.has(k))
    if (custom.length > 10) bad('EXCEEDED_MAX_ENTITIES', path, 'has more than 10 custom parameters')
    for (const [k, v] of Object.entries(it)) {
      if (!ITEM.has(k)) name(k, `${path}.${k}`, 40, RESERVED_PARAMS)
      value(v, `${path}.${k}`, 100)
      if (ITEM_NUMBERS.has(k) !== (typeof v === 'number') && ITEM.has(k)) bad('VALUE_INVALID', `${path}.${k}`, 'has the wrong type')
      if (k === 'currency') currency(v, `${path}.${k}`)
    }
  }
  const params = (p, path) => {
    if (!isObject(p)) return bad('VALUE_INVALID', path, 'is no object')
    if (Object.keys(p).length > 25) bad('EXCEEDED_MAX_ENTITIES', path, 'has more than 25 parameters')
    for (const [k, v] of Object.entries(p)) {
      const at = `${path}.${k}`
      if (k === 'items') {
        if (!Array.isArray(v) || v.length === 0) bad('VALUE_INVALID', at, 'is no list')
        else if (v.length > 200) bad('EXCEEDED_MAX_ENTITIES', at, 'has more than 200 items')
        else v.forEach((it, i) => item(it, `${at}[${i}]`))
        continue
      }
      name(k, at, 40, RESERVED_PARAMS)
      value(v, at, LONGER[k] ?? 100)
      if (NUMBERS.has(k) && typeof v !== 'number') bad('VALUE_INVALID', at, 'is no number')
      if (k === 'currency') currency(v, at)
      if (k === 'session_id' && !/^[1-9]\d*$/.test(String(v))) bad('VALUE_INVALID', at, 'is no number')
    }
    if (p.engagement_time_msec === undefined) bad('VALUE_REQUIRED', `${path}.engagement_time_msec`, 'Without it nobody counts as active.')
    else if (!(p.engagement_time_msec > 0)) bad('VALUE_OUT_OF_BOUNDS', `${path}.engagement_time_msec`, 'is not positive')
  }

  if (!isObject(body)) return [{ fieldPath: '', description: 'is no object', validationCode: 'VALUE_INVALID' }]
  for (const k of Object.keys(body)) if (!TOP.has(k)) bad('NAME_INVALID', k, 'is not known')
  if (typeof body.client_id !== 'string') bad('VALUE_REQUIRED', 'client_id', 'is required')
  else if (!/^[1-9]\d*\.[1-9]\d*$/.test(body.client_id)) bad('VALUE_INVALID', 'client_id', 'is not two positive numbers with a dot between')
  if (body.user_id !== undefined && (typeof body.user_id !== 'string' || !body.user_id || characters(body.user_id) > 256)) bad('VALUE_INVALID', 'user_id', 'is no text of at most 256 characters')
  if (body.timestamp_micros !== undefined) time(body.timestamp_micros, 'timestamp_micros')
  if (!isObject(body.consent)) bad('VALUE_REQUIRED', 'consent', 'Without it Google takes the answer that its own tag was given.')
  else {
    for (const k of ['ad_user_data', 'ad_personalization']) {
      if (!['GRANTED', 'DENIED'].includes(body.consent[k])) bad('VALUE_INVALID', `consent.${k}`, 'is neither GRANTED nor DENIED')
    }
    if (Object.keys(body.consent).length !== 2) bad('NAME_INVALID', 'consent', 'holds more than it may')
  }
  if (body.user_properties !== undefined) {
    const entries = Object.entries(body.user_properties)
    if (entries.length > 25) bad('EXCEEDED_MAX_ENTITIES', 'user_properties', 'has more than 25')
    for (const [k, v] of entries) {
      name(k, `user_properties.${k}`, 24, RESERVED_PROPERTIES)
      if (!isObject(v) || Object.keys(v).join() !== 'value') bad('VALUE_INVALID', `user_properties.${k}`, 'is not {value}')
      else value(v.value, `user_properties.${k}.value`, 36)
    }
  }
  for (const k of ['ip_override', 'user_agent']) if (body[k] !== undefined && (typeof body[k] !== 'string' || !body[k])) bad('VALUE_INVALID', k, 'is no text')
  if (!Array.isArray(body.events) || body.events.length === 0) bad('VALUE_REQUIRED', 'events', 'is required')
  else if (body.events.length > 25) bad('EXCEEDED_MAX_ENTITIES', 'events', 'has more than 25')
  else body.events.forEach((e, i) => {
    const path = `events[${i}]`
    if (!isObject(e)) return bad('VALUE_INVALID', path, 'is no object')
    for (const k of Object.keys(e)) if (!['name', 'params', 'timestamp_micros'].includes(k)) bad('NAME_INVALID', `${path}.${k}`, 'is not known')
    if (typeof e.name !== 'string' || !e.name) bad('VALUE_REQUIRED', `${path}.name`, 'is required')
    else name(e.name, `${path}.name`, 40, RESERVED_EVENTS)
    params(e.params ?? {}, `${path}.params`)
    if (e.timestamp_micros !== undefined) time(e.timestamp_micros, `${path}.timestamp_micros`)
  })
  return found
}

export class Ga4Receiver {
  /** answer(request), if given, may return {status, headers, reset, hang, debug}: how a bad receiver behaves. */
  constructor({ measurementId = 'G-TEST123', secret, answer = null }) {
    Object.assign(this, { measurementId, secret, answer })
    this.requests = [] // {body, url, path, atMs}
    this.faults = []
    this.seen = 0
    this.server = createServer((q, r) => this.serve(q, r).catch(e => this.faults.push({ why: String(e) })))
    this.server.keepAliveTimeout = 60_000 // else it closes connections just when they are used again
  }

  async listen(port = 0) {
    await new Promise((ok, no) => this.server.once('error', no).listen(port, '127.0.0.1', ok))
    this.url = `http://127.0.0.1:${this.server.address().port}`
    return this
  }

  close() {
    this.server.closeAllConnections()
    return new Promise(ok => this.server.close(ok))
  }

  /** All events that arrived, with what their request says of them. */
  get events() {
    return this.requests.flatMap(({ body }) => body.events.map(e => ({ ...e, client_id: body.client_id, user_id: body.user_id, consent: body.consent })))
  }

  async serve(q, r) {
    this.seen++
    const chunks = []
    for await (const chunk of q) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    const url = new URL(q.url, 'http://x')
    const behave = (await this.answer?.({ path: url.pathname, count: this.seen })) ?? {}
    if (behave.reset) return q.socket.resetAndDestroy()
    if (behave.hang) return
    const faults = this.check(q, url, bytes)
    if (url.pathname === '/debug/mp/collect') {
      const validationMessages = behave.debug ?? faults
      return r.writeHead(behave.status ?? 200, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify({ validationMessages }, null, 2))
    }
    if ((behave.status ?? 204) < 300) {
      this.faults.push(...faults)
      if (this.body) this.requests.push({ body: this.body, url: q.url, atMs: Date.now() })
    }
    r.writeHead(behave.status ?? 204, behave.headers).end() // Google does not say what is wrong
  }

  check(q, url, bytes) {
    const fault = why => ({ fieldPath: '', description: why, validationCode: 'VALUE_INVALID' })
    this.body = null
    if (q.method !== 'POST') return [fault(`${q.method} instead of POST`)]
    if (!['/mp/collect', '/debug/mp/collect'].includes(url.pathname)) return [fault(`${url.pathname} is not known`)]
    const faults = []
    if (q.headers['content-type'] !== 'application/json') faults.push(fault('Content-Type is not application/json'))
    if (url.searchParams.get('measurement_id') !== this.measurementId) faults.push(fault('measurement_id is wrong'))
    if (url.searchParams.get('api_secret') !== this.secret) faults.push(fault('api_secret is wrong'))
    if ([...url.searchParams.keys()].length !== 2) faults.push(fault('the query holds more than it may'))
    if (bytes.length >= BODY) faults.push(fault('the body is too large'))
    try {
      this.body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    } catch {
      return [...faults, fault('the body is not JSON in UTF-8')]
    }
    return [...faults, ...validate(this.body)]
  }
}

if (process.argv[1] === import.meta.filename) {
  const at = process.argv.indexOf('--port')
  const receiver = await new Ga4Receiver({ measurementId: process.env.GA4_MEASUREMENT_ID, secret: process.env.GA4_API_SECRET }).listen(at < 0 ? 8092 : Number(process.argv[at + 1]))
  console.log(`ga4 receiver ${receiver.url}`)
}
