// What a form says, read at the moment it is sent: who, which preferences, and the proof.
import { quietly } from '../common/small.js'
import { attribute, closest, elementsOf, matches, querySelectorAll } from './dom.js'
import { json } from './json.js'
import { isPrivate, isSecret, scrubber } from './secret.js'
import { wordingOf } from './wording.js'

const LONGEST = 10_000, LONGEST_WHO = 255 // characters of one field in the proof, and of the subject's
const FIELDS = 'input, select, textarea'
const nameOf = field => attribute(field, 'name') || attribute(field, 'id')

/** An element from what pages pass for one: itself, one in jQuery's wrapping, an id, a selector. */
export function elementOf(it) {
  if (typeof it === 'string') return quietly(() => document.getElementById(it) ?? document.querySelector(it))
  return [it, it?.[0]].find(one => one instanceof Element)
}

const fieldsOf = form => [...(form instanceof HTMLFormElement ? elementsOf.call(form) : querySelectorAll.call(form, FIELDS))]
  .filter(field => matches.call(field, FIELDS) && !/^(submit|button|reset|image|file)$/.test(field.type))

/** What the fields of one name say together: a box whether it is ticked, several boxes what is ticked, a choice what is chosen. */
function valueOf(fields) {
  const boxes = fields.filter(f => f.type === 'checkbox')
  if (boxes.length === 1) return boxes[0].checked
  if (boxes.length) return boxes.filter(f => f.checked).map(f => f.value)
  const choices = fields.filter(f => f.type === 'radio')
  if (choices.length) return choices.find(f => f.checked)?.value ?? null
  if (fields[0].type === 'select-multiple') return [...fields[0].selectedOptions].map(o => o.value)
  return fields.length === 1 ? fields[0].value : fields.map(f => f.value)
}

/** Fields by key, in their order; without a key they are left out. */
function grouped(fields, keyOf) {
  const groups = new Map()
  for (const field of fields) {
    const key = keyOf(field)
    if (key) groups.set(key, [...(groups.get(key) ?? []), field])
  }
  return groups
}

const short = (value, most) => (typeof value === 'string' ? value.trim().slice(0, most) : value)

const listOf = it => (typeof it === 'string' ? [it] : Object.values(it ?? {}))

/** {subject, preferences, proof, scrub} of a form. `map` names fields beside the form's own attributes, and before them. What it
 *  excludes, and what bears data-cons-exclude or stands in it, is no part of the proof. */
export function readForm(form, map = {}) {
  const without = listOf(map.exclude)
  const fields = fieldsOf(form)
  const open = fields.filter(f => !isSecret(f))
  const shown = open.filter(f => !isPrivate(f) && !closest.call(f, '[data-cons-exclude]') &&
    !without.includes(attribute(f, 'name')) && !without.includes(attribute(f, 'id')))

  const meant = field => {
    const by = name => open.filter(f => attribute(f, name) === field)
    return typeof field === 'string' ? [by('name'), by('id')].find(found => found.length) ?? [] : open.filter(f => f === field)
  }
  const said = (kind, named) => {
    const groups = grouped(open, f => attribute(f, `data-cons-${kind}`))
    for (const [key, field] of Object.entries(named ?? {})) {
      const found = meant(field)
      if (found.length) groups.set(key, found)
    }
    return [...groups].map(([key, these]) => [key, short(valueOf(these), LONGEST)]).filter(([, value]) => value !== null)
  }
  const content = [...grouped(shown, nameOf)].map(([name, these]) => [name, short(valueOf(these), LONGEST)])
  const scrub = scrubber(fields)
  return {
    subject: Object.fromEntries(said('subject', map.subject)
      .map(([key, value]) => [key, short(Array.isArray(value) ? value.find(Boolean) ?? '' : value, LONGEST_WHO)]).filter(([, value]) => value !== '')),
    preferences: Object.fromEntries(said('preference', map.preferences)),
    proof: {
      content: json(Object.fromEntries(content)),
      form: scrub(wordingOf(form, fields.filter(f => !shown.includes(f)))),
    },
    scrub,
  }
}
