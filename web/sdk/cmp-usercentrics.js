// Usercentrics: v3 (__ucCmp) and v2 (UC_UI). UC_UI_CMP_EVENT tells of a button; what was chosen is there once its time has changed.
import { seldom, when } from './cmp-page.js'

const CHOICES = ['ACCEPT_ALL', 'DENY_ALL', 'SAVE']
const HERS = ['onAcceptAllServices', 'onDenyAllServices', 'onUpdateServices', 'onSessionRestored', undefined]
const isExplicit = (type, by) => String(type).toUpperCase() === 'EXPLICIT' && HERS.includes(by)

let pressed = false
let changed = () => {}
addEventListener('UC_UI_CMP_EVENT', e => {
  if (!CHOICES.includes(e.detail?.type)) return
  pressed = true
  for (const wait of [0, 150, 600, 2000]) setTimeout(() => changed(), wait)
})
addEventListener('UC_CONSENT', () => changed())

/** v3: a service or a category of getConsentDetails(). */
function third({ consent = {}, services = {}, categories = {} }) {
  return {
    id: consent.controllerId, at: consent.updatedAt && when(consent.updatedAt), explicit: isExplicit(consent.type, consent.updatedBy),
    state(key) {
      const service = Object.hasOwn(services, key) ? services[key] : Object.values(services).find(s => s.name === key)
      if (service) return service.consent?.given === true
      return Object.hasOwn(categories, key) ? categories[key].state === 'ALL_ACCEPTED' : undefined
    },
    more: { version: consent.setting?.version, template: consent.setting?.id, language: consent.language, hash: consent.hash },
  }
}

/** v2: a list of services, each with its history. */
function second(ui) {
  const services = ui.getServicesBaseInfo()
  const last = services.flatMap(s => s.consent?.history ?? []).sort((a, b) => a.timestamp - b.timestamp).at(-1)
  return {
    id: ui.getControllerId?.(), at: last && when(last.timestamp), explicit: isExplicit(last?.type, last?.action),
    state(key) {
      const mine = services.filter(s => s.id === key || s.name === key || s.categorySlug === key)
      return mine.length ? mine.every(s => s.consent?.status === true) : undefined
    },
    more: { version: last?.versions?.settings, template: ui.getSettingsCore?.().id, language: last?.language },
  }
}

export function usercentrics(tell, guarded) {
  let looked = false, seen
  const read = async () => {
    const reading = window.__ucCmp?.getConsentDetails ? third(await window.__ucCmp.getConsentDetails()) : second(window.UC_UI)
    const at = reading.at?.getTime()
    // after a button the old choice may stand there for a while
    const live = pressed && reading.explicit && at !== seen
    if (looked && !live) return
    if (live) pressed = false
    looked = true
    seen = at
    if (reading.explicit) tell({ ...reading, live })
  }
  changed = () => read().catch(e => guarded(() => {
    throw e
  }))
  seldom(() => window.__ucCmp?.getConsentDetails ?? window.UC_UI?.isInitialized?.(), changed, 'UC_UI_INITIALIZED')
}
