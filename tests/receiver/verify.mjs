// Is this request what licet's webhook promises? Strict on purpose: anything
// else is a fault of the sender. Signatures as in the Standard Webhooks
// specification (v1: HMAC-SHA256, base64).
import { createHmac, timingSafeEqual } from 'node:crypto'

const TOLERANCE_S = 5 * 60
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/

export class Fault extends Error {}
const must = (condition, why) => {
  if (!condition) throw new Fault(why)
}

/** whsec_<base64> → key bytes */
export function secretKey(secret) {
  must(/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret), 'the secret is not whsec_ and base64')
  const key = Buffer.from(secret.slice(6), 'base64')
  must(key.length >= 24 && key.length <= 64, 'the secret is not 24 to 64 bytes long')
  return key
}

export function sign(key, id, timestamp, body) {
  return 'v1,' + createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
}

function verifySignature(headers, body, key, nowMs) {
  const id = headers['webhook-id']
  must(id && /^[\x21-\x7e]{1,255}$/.test(id) && !id.includes('.'), 'webhook-id is missing or malformed')
  const timestamp = headers['webhook-timestamp']
  must(/^[1-9]\d{0,11}$/.test(timestamp ?? ''), 'webhook-timestamp is missing or not whole seconds')
  must(Math.abs(nowMs / 1000 - Number(timestamp)) <= TOLERANCE_S, 'webhook-timestamp is more than 5 minutes off')
  const expected = Buffer.from(sign(key, id, timestamp, body))
  const given = (headers['webhook-signature'] ?? '').split(' ').map(s => Buffer.from(s))
  must(given.some(s => s.length === expected.length && timingSafeEqual(s, expected)),
    'webhook-signature does not match')
}

function verifyItem(item, place) {
  must(item !== null && typeof item === 'object' && !Array.isArray(item), `${place} is not an object`)
  must(Object.keys(item).sort().join() === 'event,id,received', `${place} is not {id, received, event}`)
  must(UUID7.test(item.id), `${place}.id is not a UUIDv7`)
  must(typeof item.received === 'string' && ISO_TIME.test(item.received), `${place}.received is not a time`)
  must(item.event !== null && typeof item.event === 'object' && !Array.isArray(item.event),
    `${place}.event is not an object`)
}

/** Throws a Fault, or gives the events of the request. */
export function verifyRequest({ method, headers, body, key, nowMs = Date.now() }) {
  must(method === 'POST', `${method} instead of POST`)
  must(/^application\/json(; ?charset=utf-8)?$/i.test(headers['content-type'] ?? ''), 'Content-Type is not application/json')
  must(!headers['content-encoding'], 'Content-Encoding is set')
  verifySignature(headers, body, key, nowMs)
  let json
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new Fault('the body is not JSON in UTF-8')
  }
  must(json !== null && typeof json === 'object' && Object.keys(json).join() === 'batch', 'the body is not {batch}')
  must(Array.isArray(json.batch) && json.batch.length > 0, 'batch is not an array of events')
  json.batch.forEach((item, i) => verifyItem(item, `batch[${i}]`))
  must(new Set(json.batch.map(item => item.id)).size === json.batch.length, 'an event stands twice in the batch')
  return json.batch
}

/** {"a":{"b":1}} → [["a.b", 1]]: how fields are named in the configuration. */
export function flatten(value, prefix = '') {
  return Object.entries(value).flatMap(([name, v]) => {
    const path = prefix ? `${prefix}.${name}` : name
    return v !== null && typeof v === 'object' && !Array.isArray(v) ? flatten(v, path) : [[path, v]]
  })
}
