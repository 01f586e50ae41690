// The banner, the privacy choices behind it, and the button that always opens them.
import { blocked } from './device.js'
import { forget, showAccount, showDevice, withdrawListed } from './account.js'
import { choose, current, granted, hooks, licet, now, purpose } from './core.js'
import { fill, h } from './dom.js'
import { dress } from './look.js'
import { answeredBy, button, inTurns, panel, wordingOf } from './panel.js'
import { signalled, whyAsk } from './policy.js'
import { direction, isOn, item, mayAgree, plain, stateOf, tongue, words } from './purpose.js'
import { keyOf, vouched } from './recorded.js'

const script = document.currentScript
let root, card, dialog, opener, dismissed, failed
let pressed = [] // what she answered last
let askedFor // what the card was made for
let shown // of the choices that stand open: for whom, null for nobody; false: they do not
let stand
/** Resolves once there is something to be opened. */
export const standing = new Promise(ok => (stand = ok))

// ---- what she answers ----

/** Records what was chosen in a panel, with the very panel as proof. `close`: how it goes; `whom`: of whom it is, if not of who signed in. */
function record(box, event, values, by, { close = dismiss, whom } = {}) {
  const form = wordingOf(box)
  failed = false
  pressed = Object.keys(values)
  close()
  choose(values, { form, by: answeredBy(event, by), whom })
}

const valuesOf = (list, on) => Object.fromEntries(list.map(p => [p.id, on]))
/** What the switches say. One that is off and was never asked about is no answer where it is not asked: what is separate, or rests on
 *  other grounds, counts when it was moved. */
const switched = box => Object.fromEntries([...box.querySelectorAll('input')]
  .filter(i => {
    const p = purpose(i.name)
    return i.checked !== ('was' in i.dataset) || (plain(p) && mayAgree(p))
  })
  .map(i => [i.name, i.checked]))

// ---- the banner: what is new to her, and nothing that is asked separately ----

const inQuestion = () => JSON.stringify([failed, asked().map(({ p, ask }) => [p.id, p.version, ask])])
const asked = () => now.policy.purposes.map(p => ({ p, ask: whyAsk(p, current()) })).filter(({ ask }) => ask)

function openCard(oneByOne) {
  const list = asked()
  const purposes = list.map(({ p }) => p)
  const news = list.every(({ ask }) => ask === 'new' || ask === 'changed')
  const w = words()
  const act = (on, by) => e => record(card, e, valuesOf(purposes, on), by)
  panel(card, {
    title: news ? w.title_news : w.title,
    intro: fill(news ? w.intro_news : w.intro, { controller: now.policy.controller.name }),
    failed,
    content: h('ul', {}, list.map(({ p, ask }) => item(p, { ask, switches: oneByOne }))),
    close: dismiss,
    buttons: [
      button('decline', purposes.length > 1 ? w.decline_all : w.decline, act(false, 'decline')),
      button('accept', purposes.length > 1 ? w.accept_all : w.accept, act(true, 'accept')),
      purposes.length > 1 && (oneByOne
        ? button('save', w.save, e => record(card, e, switched(card), 'save'), 'third')
        : button('choose', w.choose, () => {
          openCard(true)
          card.querySelector('input').focus()
        }, 'third')),
    ],
  })
  askedFor = inQuestion()
  if (card.hidden) inTurns(card)
  card.hidden = false
  opener.hidden = true
}

/** Closing is no answer: nothing is kept, and the next page asks again. */
function dismiss() {
  dismissed = true
  hide()
}

function hide() {
  const here = card.contains(root.activeElement)
  opener.hidden = now.options.button === 'off'
  card.hidden = true
  if (dialog.open) dialog.close()
  if (here) opener.focus()
}

// ---- the choices, at any time ----

export function openChoices() {
  const w = words()
  const all = now.policy.purposes.filter(p => mayAgree(p) || current().choices[p.id]?.on)
  const consent = all.filter(p => p.basis === 'consent')
  const together = consent.filter(plain)
  const separate = consent.filter(p => p.separate)
  const others = all.filter(p => p.basis !== 'consent')
  const on = consent.some(p => current().choices[p.id]?.on)
  const hers = vouched(now.known) ? all.filter(p => p.scope === 'person') : [] // they stand with her account
  const here = list => list.filter(p => !hers.includes(p))
  const section = (title, note, list, switches) => list.length && [h('h4', {}, title), note ? h('p', {}, note) : null,
    h('ul', {}, list.map(p => item(p, { switches: switches(p), state: true })))]
  const act = (list, value, by) => e => record(dialog, e, valuesOf(list, value), by)
  panel(dialog, {
    title: w.manage,
    intro: w.manage_intro,
    failed,
    content: [
      h('ul', {}, here(together).map(p => item(p, { switches: true, state: true }))),
      section(w.separate, w.separate_note, here(separate), () => true) || null,
      section(w.unasked, '', here(others), p => p.basis === 'legitimate_interests') || null,
      vouched(now.known) && h('section', { class: 'account' }, section(w.account, w.account_note, hers, p => p.basis !== 'contract' && p.basis !== 'legal_obligation')
        || [h('h4', {}, w.account), h('p', {}, w.account_note), h('ul')]),
    ],
    close: () => dialog.close(),
    buttons: [
      // declining reaches what was asked separately, accepting never does, nor what her browser declines
      button('decline', on ? w.withdraw_all : w.decline_all, e => {
        withdrawListed(dialog, e)
        act(consent, false, on ? 'withdraw' : 'decline')(e)
      }),
      button('accept', w.accept_all, act(together.filter(p => mayAgree(p) && !signalled(p)), true, 'accept')),
      button('save', w.save, e => record(dialog, e, switched(dialog), 'save'), 'third'),
    ],
  })
  show()
  shown = keyOf(now.known)
  showDevice(dialog)
  if (vouched(now.known)) showAccount(dialog, ask)
}

function show() {
  shown = false
  forget()
  card.hidden = true
  opener.hidden = now.options.button === 'off' // the keyboard comes back to it
  if (!dialog.open) {
    inTurns(dialog)
    dialog.showModal()
  }
  dialog.querySelector('h2').focus()
}

// ---- one question, where it matters ----

/** Asks for one purpose, in a dialog of its own. Resolves with whether it is granted; closing resolves with what was before. Does not
 *  ask when it is granted already, nor within the time after a refusal unless `again`. */
function ask(id, { again, subject } = {}) {
  const p = purpose(id)
  if (!p || p.basis !== 'consent') return Promise.resolve(granted(id))
  const whom = subject ?? now.known
  if (p.scope === 'person' && !whom) {
    console.error(`licet: '${id}' is a person's to grant: call licet.identify first`)
    return Promise.resolve(false)
  }
  const choice = current().choices[id]
  const reason = whyAsk({ ...p, separate: false }, { ...current(), known: whom })
  if (granted(id) && choice.v >= p.version) return Promise.resolve(true)
  if (!again && !reason) return Promise.resolve(granted(id))
  return new Promise(ok => {
    let answer
    const close = () => dialog.close()
    const act = (on, by) => e => {
      answer = on
      record(dialog, e, { [id]: on }, by, { close, whom })
    }
    const line = item(p, { ask: reason === 'changed' && reason, state: true, alone: true })
    line.querySelector('details').open = true
    panel(dialog, {
      title: p.text.title, of: tongue(p),
      intro: fill(words().intro, { controller: now.policy.controller.name }),
      failed,
      content: h('ul', {}, line),
      close,
      buttons: [button('decline', words().no, act(false, 'no')), button('accept', words().yes, act(true, 'yes'))],
    })
    show()
    closed().then(async () => {
      if (answer) await licet.flush()
      ok(granted(id))
    })
  })
}

/** Resolves when no dialog is open. The event of one that was closed comes later, and another may be open by then. */
const closed = async () => {
  while (dialog.open) await new Promise(ok => dialog.addEventListener('close', ok, { once: true }))
}

const waiting = new Map()
let line = standing

/** ask() for pages: a question waits until nothing else is open, and is not asked twice. */
export function askInTurn(id, options) {
  if (!waiting.has(id)) {
    waiting.set(id, line.then(closed).then(() => ask(id, options)).finally(() => waiting.delete(id)))
    line = waiting.get(id).catch(() => {})
  }
  return waiting.get(id)
}

// ---- the page ----

/** What was chosen in another tab while the choices stand open shows in the switches that she has not moved. */
function followTabs() {
  for (const input of dialog.querySelectorAll('[data-purpose] input')) {
    const p = purpose(input.name)
    const on = isOn(p)
    if (input.checked === on || input.checked !== ('was' in input.dataset)) continue
    for (const name of ['checked', 'data-was']) input.toggleAttribute(name, on)
    input.checked = on
    input.closest('li').querySelector('.state').textContent = stateOf(p, current().choices[p.id]) ?? ''
  }
}

function refresh() {
  if (!now.policy || !card) return
  if (dialog.open && shown !== false && shown !== keyOf(now.known)) openChoices() // she signed in, or out
  if (dialog.open) return followTabs()
  // in a browser that keeps nothing she would be asked on every page for nothing
  if (!dismissed && !blocked && asked().length) {
    if (card.hidden || askedFor !== inQuestion()) openCard() // else it stays as it is, with what she moved and opened there
  } else if (!card.hidden && !asked().length) hide()
}

/** Comes back where a page makes its body anew, as some do instead of loading the next one. Not more than once a second: others may want it gone. */
function stay(host) {
  let last = -1000
  const look = () => {
    watcher.observe(document.documentElement, { childList: true })
    if (document.body) watcher.observe(document.body, { childList: true })
    if (host.isConnected || !document.body) return
    const pause = last + 1000 - performance.now()
    if (pause > 0) return void setTimeout(look, pause)
    last = performance.now()
    document.body.prepend(host)
    if (dialog.open) dialog.close() // it went with the page before
  }
  const watcher = new MutationObserver(look)
  look()
}

/** Builds it all, once the policy is there. */
export function openBanner() {
  const host = h('licet-consent', { 'data-theme': now.options.theme, lang: now.policy.language })
  host.dir = direction(now.policy.language)
  root = host.attachShadow({ mode: 'open' })
  dress(root, script?.nonce)
  card = h('section', { class: 'card', part: 'banner', role: 'dialog', 'aria-labelledby': 'licet-title', hidden: true,
    onkeydown: e => e.key === 'Escape' && dismiss() })
  dialog = h('dialog', { part: 'choices', 'aria-labelledby': 'licet-title', onclose: () => {
    if (dialog.open) return // again, for something else
    shown = false
    forget()
    hide()
    refresh()
  } })
  opener = button('opener', words().manage, openChoices, 'opener')
  opener.hidden = now.options.button === 'off'
  root.append(card, opener, dialog)
  document.body.prepend(host) // so that it is what the keyboard meets first
  stay(host)
  document.addEventListener('click', e => {
    const wish = e.target.closest?.('[data-licet-open],[data-licet-ask]')
    if (!wish) return
    e.preventDefault()
    if (wish.dataset.licetAsk) askInTurn(wish.dataset.licetAsk, { again: true })
    else openChoices()
  })
  hooks.changed = refresh
  hooks.failed = ids => {
    failed = true
    dismissed = false
    refresh()
    if (card.hidden && !dialog.open && ids.some(id => pressed.includes(id))) openChoices() // it is not in the banner
  }
  refresh()
  stand()
}
