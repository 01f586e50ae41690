// Three things to buy. Pictures are drawn, so the example carries no files.
const notebook = `<svg viewBox="0 0 240 200" aria-hidden="true"><rect x="70" y="28" width="104" height="144" rx="5" fill="#20409a"/><rect x="70" y="28" width="16" height="144" rx="4" fill="#16307a"/><rect x="146" y="28" width="7" height="144" fill="#f2c230"/><rect x="100" y="58" width="34" height="22" rx="2" fill="#f7f4ec"/><path d="M106 66h22M106 72h14" stroke="#20409a" stroke-width="2.4"/></svg>`
const envelope = `<svg viewBox="0 0 240 200" aria-hidden="true"><rect x="52" y="84" width="128" height="84" rx="4" fill="#c8452f" transform="rotate(-7 116 126)"/><rect x="58" y="70" width="128" height="84" rx="4" fill="#f7f4ec"/><path d="M58 74l64 46 64-46" fill="none" stroke="#c9bfa5" stroke-width="3"/><circle cx="122" cy="118" r="11" fill="#c8452f"/></svg>`
const pencils = `<svg viewBox="0 0 240 200" aria-hidden="true">${[['#1f6b4d', 84, -8], ['#f2c230', 113, 0], ['#20409a', 142, 8]].map(([c, x, r]) => `<g transform="rotate(${r} ${x} 170)"><path d="M${x - 8} 60l8-26 8 26z" fill="#e9d3ae"/><path d="M${x - 3} 44l3-10 3 10z" fill="#2b2b2b"/><path d="M${x - 8} 60h16v104h-16z" fill="${c}"/><path d="M${x - 2.5} 60h5v104h-5z" fill="#fff" opacity=".25"/><path d="M${x - 8} 156h16v10a8 8 0 0 1-16 0z" fill="#d98b80"/></g>`).join('')}</svg>`

export const GOODS = {
  notebook: {
    name: 'Field notebook', price: 18, tint: 'sand', picture: notebook,
    line: '160 pages, thread-sewn, lies flat.',
    text: 'Bound by hand in linen. The paper is 100 g, off-white, and takes fountain-pen ink without bleeding. An elastic band keeps it shut in the bag.',
  },
  letters: {
    name: 'Letter set', price: 24, tint: 'rose', picture: envelope,
    line: '20 sheets, 20 envelopes, one seal.',
    text: 'Cotton paper with a deckle edge, envelopes lined in red, and a stick of wax for those who mean it. Enough for a year of good letters.',
  },
  pencils: {
    name: 'Three pencils', price: 9, tint: 'mint', picture: pencils,
    line: 'Cedar, HB, in three colours.',
    text: 'Soft enough to sketch, hard enough to do the accounts. Lacquered twice, with an eraser that really erases.',
  },
}
export const money = n => `€ ${n.toFixed(2)}`
