// Dice from a seed, one stream for each activity, so that one does not shuffle another's.
export class Dice {
  constructor(seed, stream = '') {
    this.state = [...`${seed}/${stream}`].reduce((h, c) => Math.imul(h ^ c.codePointAt(0), 0x01000193), 0x811c9dc5) >>> 0
  }

  /** 0 ≤ x < 1 (mulberry32) */
  next() {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  below(n) {
    return Math.floor(this.next() * n)
  }

  between(low, high) {
    return low + this.next() * (high - low)
  }

  /** Around `mean`, as waiting times are, but never far from it. */
  wait(mean) {
    return Math.min(4 * mean, Math.max(mean / 4, -Math.log(1 - this.next()) * mean))
  }

  chance(p) {
    return this.next() < p
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  /** [[weight, thing], …] */
  weighed(list) {
    let at = this.next() * list.reduce((sum, [w]) => sum + w, 0)
    for (const [w, thing] of list) if ((at -= w) < 0) return thing
    return list.at(-1)[1]
  }
}

export const nowMs = () => performance.timeOrigin + performance.now()
