// Any CMP that speaks IAB Europe's TCF: `useractioncomplete` is a choice, `tcloaded` is what was kept.
import { seldom } from './cmp-page.js'

export function tcf(tell, guarded) {
  let last
  const read = (data, success) => {
    if (!success || !data?.tcString || data.gdprApplies === false) return
    const live = data.eventStatus === 'useractioncomplete'
    if (!live && data.eventStatus !== 'tcloaded') return
    if (live && data.tcString === last) return // told twice
    last = data.tcString
    const part = { purpose: data.purpose?.consents, vendor: data.vendor?.consents, 'special feature': data.specialFeatureOptins }
    tell({
      // the string is the receipt; a kept one does not say that she chose it herself
      live, explicit: live, at: live ? new Date() : undefined, tcString: data.tcString,
      state: key => part[key.replace(/ \d+$/, '')]?.[/\d+$/.exec(key)[0]] === true,
      more: { cmp_id: data.cmpId, version: data.cmpVersion, policy_version: data.tcfPolicyVersion },
    })
  }
  seldom(() => window.__tcfapi, () => window.__tcfapi('addEventListener', 2, (data, success) => guarded(() => read(data, success))))
}
