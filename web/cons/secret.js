// What never leaves the page: passwords, cards, codes, tokens. Told by what a field is, then by its name, then by what stands in it.
import { quietly } from '../common/small.js'
import { attribute } from './dom.js'

const NAME = /pass(w|phrase|code|port|e?$)|pwd|kennwort|contrase|wachtwoord|senha|token|nonce|csrf|xsrf|captcha|secret|(^|[^a-z])(otp|pin|cvc|cvv2?|csc|iban|ssn)([^a-z]|$)|one.?time|card.?(n|h|exp|c|v)|cc.?(num|name|exp|csc)/i
const PARAMETER = /^(key|sig|signature|hash|code|sid|session)/i

/** Fields that were once a password: a button "show" makes text of them. */
const once = new WeakSet()
export function watchPasswords() {
  const note = field => field?.type === 'password' && once.add(field)
  const look = () => document.querySelectorAll('input[type=password]').forEach(note)
  for (const type of ['focusin', 'input']) document.addEventListener(type, e => note(e.target), true)
  look()
  document.addEventListener('DOMContentLoaded', look)
}

/** Never read at all, whatever the page says. */
export const isSecret = field => field.type === 'password' || once.has(field) || /(^|\s)(one-time-code|cc-)/i.test(attribute(field, 'autocomplete'))

/** Numbers with the check digit that cards have. */
export function isCard(text) {
  const digits = text.replace(/[\s-]/g, '')
  if (!/^\d{13,19}$/.test(digits)) return false
  const sum = [...digits].reverse().reduce((all, d, i) => all + (i % 2 ? (d * 2 > 9 ? d * 2 - 9 : d * 2) : +d), 0)
  return sum % 10 === 0
}

const looksSecret = field => isSecret(field) || /(current|new)-password/i.test(attribute(field, 'autocomplete')) ||
  NAME.test(attribute(field, 'name')) || NAME.test(attribute(field, 'id')) || isCard(field.value)

/** No part of the proof: a secret by its name, or nothing that the person saw. */
export const isPrivate = field => field.type === 'hidden' || looksSecret(field)

/** Takes what was typed into such fields out of texts that the page itself made. */
export function scrubber(fields) {
  const typed = fields.filter(f => !/^(hidden|checkbox|radio|select)/.test(f.type) && looksSecret(f)).map(f => f.value).filter(v => v.length > 3)
  return text => typed.reduce((left, value) => left.replaceAll(value, '').replaceAll(JSON.stringify(value).slice(1, -1), ''), text)
}

/** An address without what could let somebody in; empty when it is a program. */
export function plainAddress(text) {
  if (!/[?#:]/.test(text)) return text
  const url = quietly(() => new URL(text, document.baseURI))
  if (!/^(https?|mailto|tel):$/.test(url?.protocol)) return ''
  const names = [...url.searchParams.keys()].filter(name => NAME.test(name) || PARAMETER.test(name))
  if (!names.length && !url.password) return text
  for (const name of names) url.searchParams.delete(name)
  url.password = ''
  return url.href
}
