// A form of the site's own whose wording is the proof: <form data-licet-form>, read as it is sent.
//
// data-licet-subject="email" on a field: what is said of the subject (id, email, first_name, last_name, full_name).
// data-licet-preference="newsletter" on a box, radio or list: what is agreed to. An empty box is no answer, unless the form says
// data-licet-form="settings": there the boxes show what holds, and emptying one withdraws.
// data-licet-notices="privacy_policy,terms" on the form: what is cited.
import { copyOf } from '../common/copy.js'
import { wordsOf } from '../common/small.js'

const SECRET = /^(password|hidden|file|submit|button|image|reset)$/

const marked = (form, name) => [...form.elements].filter(e => e.dataset[name] && !e.disabled && !SECRET.test(e.type))
const box = e => e.type === 'checkbox' || e.type === 'radio'
const valueOf = e => (box(e) && e.value === 'on' ? 'true' : e.value)

/** {subject, preferences, proofs, legal_notices}; null when it agrees to nothing and refuses nothing. */
export function readForm(form) {
  const subject = {}, preferences = {}
  for (const e of marked(form, 'licetSubject')) if (e.value) subject[e.dataset.licetSubject] = e.value
  for (const e of marked(form, 'licetPreference')) {
    if (!box(e) || e.checked) preferences[e.dataset.licetPreference] = valueOf(e)
    else if (form.dataset.licetForm === 'settings') preferences[e.dataset.licetPreference] ??= 'false'
  }
  if (!Object.keys(preferences).length) return null
  const fields = [...form.elements].filter(e => e.name && !SECRET.test(e.type) && (!box(e) || e.checked))
  const content = { page: location.origin + location.pathname, at: new Date().toISOString(), fields: Object.fromEntries(fields.map(e => [e.name, e.value])) }
  return {
    subject, preferences,
    legal_notices: wordsOf(form.dataset.licetNotices).map(identifier => ({ identifier })),
    proofs: [{ form: wordingOf(form), content: JSON.stringify(content) }],
  }
}

/** The form as it stood, without what is secret in it. */
function wordingOf(form) {
  const copy = copyOf(form)
  for (const e of copy.querySelectorAll('script,style,input[type=hidden],input[type=password]')) e.remove()
  return copy.innerHTML
}
