// /cons/iubenda_cons.js: takes the calls that pages make to the existing consent library, and records with licet.
// No global but _iub; nothing is sent before a call or a click asks for it.
import { matches } from './dom.js'
import { elementOf, readForm } from './form.js'
import { enqueue, flush, openQueue } from './queue.js'
import { watchPasswords } from './secret.js'

const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal', 'none']
const LATER = { message: 'no answer; it is sent again later', status: 0 }
const PATIENCE_MS = 10_000 // then a page hears "error", and the act goes on waiting
const FOLDERS = /\/(cons|consent_solution|sdk)(\/beta)?\/[^/]*$/
const config = {}

function log(level, ...said) {
  const least = LEVELS.indexOf(config.log_level ?? 'error')
  if (config.logger !== 'none' && LEVELS.indexOf(level) >= least) console[level]('licet:', ...said)
}

/** An option as pages give it: true, "1", "false", "" or nothing. */
const on = (value, otherwise) => (value === undefined || value === null ? otherwise : !/^(false|0|)$/.test(value))

/** What a page's function throws is the page's: it shows there, and stops nothing here. */
function call(fn, ...args) {
  if (typeof fn !== 'function') return
  try {
    fn(...args)
  } catch (e) {
    setTimeout(() => {
      throw e
    })
  }
}

// ---- what becomes of an act, and who wants to know ----

const listeners = new Map() // id of an act: {outcomes, waits}

/** `settle(ok, answer)` counts once; .success(fn) and .error(fn) may be asked before or after. */
function outcome(callbacks) {
  const { success, error } = typeof callbacks === 'function' ? { success: callbacks } : callbacks ?? {}
  let settle
  const end = new Promise(done => (settle = (ok, answer) => done({ ok, answer })))
  const ask = wanted => fn => {
    end.then(({ ok, answer }) => ok === wanted && call(fn, answer))
    return its
  }
  const its = { success: ask(true), error: ask(false) }
  its.success(success).error(error)
  return { its, settle }
}

/** `over`: the act is at its end. If not, the line stands, and pages that wait for what is behind it hear so too. */
function told({ id }, status, said, over) {
  const ok = /2../.test(status)
  const answer = ok ? said : { ...LATER, ...said, status }
  log(ok ? 'info' : status ? 'error' : 'warn', answer)
  for (const [each, { outcomes, waits }] of listeners) {
    if (each !== id && (over || waits)) continue
    for (const settle of outcomes) settle(ok, answer)
    listeners.delete(each)
  }
}

// ---- acts ----

const isObject = it => typeof it === 'object' && it !== null && !Array.isArray(it)
const filled = it => Object.fromEntries(Object.entries(it ?? {}).filter(([, value]) => value !== undefined && value !== null))

/** What the page says comes before what its form says. */
function bodyOf({ form, consent, autodetect_ip_address: address } = {}) {
  const given = consent ?? {}
  const bare = !isObject(form) || elementOf(form) // the form itself, where {selector, map} belongs
  const element = elementOf(bare ? form : form.selector)
  if (form && !element) log('warn', 'not found', form)
  const read = element && readForm(element, bare ? {} : form.map ?? {})
  const scrub = text => (read && typeof text === 'string' ? read.scrub(text) : text)
  const proofs = given.proofs?.length
    ? [...given.proofs].map(proof => (isObject(proof) ? { ...proof, content: scrub(proof.content), form: scrub(proof.form) } : proof))
    : read ? [read.proof] : undefined
  const preferences = given.preferences === undefined || isObject(given.preferences)
    ? { ...read?.preferences, ...given.preferences } : given.preferences
  return { autodetect_ip_address: address, ...given, subject: { ...read?.subject, ...filled(given.subject) }, preferences, proofs }
}

/** Records what a form or a page says now. `held`: where the page does not say whether it waits for the next one. */
function record(args, callbacks, held) {
  const { its, settle } = outcome(callbacks)
  try {
    const waits = on(args?.writeOnLocalStorage, held)
    const id = enqueue(bodyOf(args), waits)
    listeners.set(id, { outcomes: [...(listeners.get(id)?.outcomes ?? []), settle], waits })
    if (!waits) setTimeout(settle, PATIENCE_MS, false, LATER)
    flush(!waits && sendsAtLoad())
  } catch (e) {
    log('error', e)
    settle(false, { message: String(e), status: 0 })
  }
  return its
}

// ---- commands ----

const sendsAtLoad = () => on(config.sendFromLocalStorageAtLoad, true)
let loaded = null
const bound = new WeakMap() // what is pressed: what it records

/** Whether the browser will show what is missing, and send no form. */
function isStopped(element) {
  const { form } = element
  return /^(submit|image)$/.test(element.type) && form && !element.formNoValidate && matches.call(form, ':invalid:not([novalidate])')
}

function bind(pressed, work) {
  const element = elementOf(pressed)
  if (!element) {
    if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', () => elementOf(pressed) && bind(pressed, work))
    else log('warn', 'not found', pressed)
    return
  }
  if (!bound.has(element)) {
    const event = element instanceof HTMLFormElement ? 'submit' : 'click'
    element.addEventListener(event, () => (event === 'submit' || !isStopped(element)) && bound.get(element)(), true)
  }
  bound.set(element, work)
}

const commands = {
  __proto__: null,
  init(options, then) {
    Object.assign(config, options)
    flush(sendsAtLoad())
    call(then)
  },
  submit: (args, callbacks) => record(args, callbacks, false),
  /** Watches what sends a form; without submitElement, sendData() does. */
  load(args, callbacks) {
    loaded = () => record(args, callbacks, true)
    if (args?.submitElement) bind(args.submitElement, loaded)
  },
  sendData() {
    if (loaded) return loaded()
    log('warn', 'nothing is loaded')
  },
  sendFromLocalStorage: () => flush(true),
}

function run(instruction) {
  const [name, ...args] = Array.isArray(instruction) ? instruction : []
  log('debug', name, ...args)
  if (typeof commands[name] !== 'function') return log('warn', 'unknown', instruction)
  try {
    commands[name](...args)
  } catch (e) {
    log('error', name, e)
  }
}

function start(iub) {
  const script = document.currentScript ?? document.querySelector('script[src*="iubenda_cons.js"]')
  const { origin, pathname } = new URL(script?.src ?? '/', location.href)
  openQueue({ url: origin + pathname.replace(FOLDERS, '').replace(/\/$/, ''), key: () => config.api_key, mayLeave: sendsAtLoad, told })
  watchPasswords()
  iub.cons = { ...commands, version: VERSION }
  // The same array, that pages may hold: they look for "init" in it, so that it stays there; the rest would keep forms alive.
  const line = Array.isArray(iub.cons_instructions) ? iub.cons_instructions : (iub.cons_instructions = [])
  const early = line.splice(0)
  line.push = (...instructions) => {
    for (const one of instructions) {
      if (one?.[0] === 'init') line[line.length] = one
      run(one)
    }
    return line.length
  }
  line.push(...early)
}

const iub = (window._iub ||= {})
if (!iub.cons?.version) start(iub) // a second tag of it changes nothing
