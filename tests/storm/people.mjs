// The people of a storm: what each agreed to, as far as licet has answered. An act that is on
// its way may or may not be in force: until it is answered nothing is expected of her events.
import { sleep } from '../e2e/daemon.mjs'
import { nowMs } from './dice.mjs'
import { DESTINATIONS, PURPOSES } from './house.mjs'

export const EITHER = 0
export const PERMIT = 1
export const DENY = 2

class Subject {
  constructor(id, purposes) {
    this.id = id
    this.says = Object.fromEntries(purposes.map(p => [p, undefined])) // true, false, or nothing yet
    this.loweredMs = Object.fromEntries(purposes.map(p => [p, Infinity])) // answered; Infinity: not, or granted since
    this.version = 0 // odd while an act is on its way
  }
}

export class People {
  constructor({ devices, persons, dice, daemon }) {
    Object.assign(this, { dice, daemon })
    this.devices = Array.from({ length: devices }, (_, i) => new Subject(`d-${i}`, ['statistics', 'marketing']))
    this.persons = Array.from({ length: persons }, (_, i) => new Subject(`p-${i}`, Object.keys(PURPOSES)))
    this.all = [...this.devices, ...this.persons]
    this.acts = [] // ids of all that were answered
    this.withdrawals = 0
    this.refused = 0 // answered with 503: the disk
    this.narrow = { says: false, version: 0 } // whether partner needs what nobody agreed to
    this.longestMs = 0 // that a withdrawal took to be answered
  }

  /** What one of them says next: mostly the contrary of what was said before. */
  next(subject) {
    const said = {}
    for (const p of Object.keys(subject.says)) if (this.dice.chance(0.6)) said[p] = subject.says[p] ? this.dice.chance(0.25) : this.dice.chance(0.8)
    return Object.keys(said).length ? said : { statistics: true }
  }

  /** Posts an act until it is answered; gives up only when `over()`. */
  async say(subject, said, over = () => false) {
    if (subject.version % 2) return
    subject.version++
    for (const p of Object.keys(said)) if (said[p]) subject.loweredMs[p] = Infinity
    const begunMs = nowMs()
    for (;;) {
      const id = await this.post(subject, said).catch(() => null)
      if (id) {
        this.acts.push(id)
        break
      }
      if (over()) return // stays odd: nothing is known
      await sleep(50)
    }
    const answeredMs = nowMs()
    for (const [p, value] of Object.entries(said)) {
      subject.says[p] = value
      if (!value) subject.loweredMs[p] = answeredMs
    }
    if (Object.values(said).includes(false)) {
      this.withdrawals++
      this.longestMs = Math.max(this.longestMs, answeredMs - begunMs)
    }
    subject.version++
  }

  async post(subject, said) {
    const granted = Object.keys(said).filter(p => said[p])
    const { status, json } = await this.daemon.api('POST', '/consent', {
      subject: { id: subject.id }, preferences: said, versions: Object.fromEntries(granted.map(p => [p, 1])),
      proofs: [{ content: JSON.stringify(said) }],
    }, { signal: AbortSignal.timeout(60_000) })
    if (status === 503) this.refused++
    return status === 200 ? json.id : null
  }

  /** Everybody says something, most of them yes. */
  async begin() {
    const left = [...this.all]
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let s; (s = left.pop());) await this.say(s, Object.fromEntries(Object.keys(s.says).map(p => [p, this.dice.chance(0.85)])))
    }))
  }

  /** {device, person} of an event: a device, a person, or both. */
  who() {
    const kind = this.dice.next()
    return { device: kind < 0.75 ? this.dice.below(this.devices.length) : -1, person: kind >= 0.6 ? this.dice.below(this.persons.length) : -1 }
  }

  /** By whom a purpose is decided: {granter, closer}. */
  parties(who) {
    const device = who.device < 0 ? null : this.devices[who.device]
    const person = who.person < 0 ? null : this.persons[who.person]
    return person ? { granter: person, closer: device } : { granter: device, closer: null }
  }

  /** A number that changes whenever anything changes that decides about them. */
  version(who) {
    const { granter, closer } = this.parties(who)
    return granter.version + (closer?.version ?? 0) + this.narrow.version
  }

  isOpen(who) {
    const { granter, closer } = this.parties(who)
    return granter.version % 2 || closer?.version % 2 || this.narrow.version % 2
  }

  /** What must be decided for that destination now. */
  expected(who, destination) {
    if (this.isOpen(who)) return EITHER
    if (destination.id === 'partner' && this.narrow.says) return DENY
    const { granter, closer } = this.parties(who)
    const granted = destination.needs.every(p =>
      granter.says[p] === true && !(PURPOSES[p] === 'person' && who.person < 0) && closer?.says[p] !== false)
    return granted ? PERMIT : DENY
  }

  /** Why nothing of them may have begun at that time, or null: a withdrawal that had been answered. */
  forbidden(who, destination, beganMs) {
    const { granter, closer } = this.parties(who)
    for (const p of destination.needs)
      for (const s of [granter, closer])
        if (s && s.loweredMs[p] < beganMs) return `${s.id} withdrew ${p}, answered ${Math.round(beganMs - s.loweredMs[p])} ms before`
    return null
  }
}

export const destinationOf = Object.fromEntries(DESTINATIONS.map(d => [d.id, d]))
