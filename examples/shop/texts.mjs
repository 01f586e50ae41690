// The wording that is shown before any choice: the same, letter by letter, as in
// licet.yaml (shop.test.mjs sees to it). A changed wording is a new version there.
export const PURPOSES = {
  statistics: {
    version: 1,
    title: 'Statistics of the shop',
    aim: 'We count which pages and products are looked at and which orders follow, so that we know what to print next and which pages to mend.',
    data: 'The page, the product, its price, the day and time, a random number for this browser, and your network address without its last part.',
    transfer: 'To Tuuli Warehouse Oy, Finland, which stores it for us and may use it for nothing else. Nothing leaves the European Economic Area.',
    storage: 'Ninety days with us and thirteen months with Tuuli Warehouse.',
    automation: 'Nothing is decided about you by a machine.',
    consequences: 'The shop works the same whether you accept or not.',
    withdrawal: 'Press "Privacy choices" at the foot of every page. It takes effect at once.',
  },
  profiling: {
    version: 1,
    title: 'Recommendations by e-mail',
    aim: 'We look at what you ordered and write to you about papers that go with it, at most once a month.',
    data: 'Your account number, a fingerprint of your e-mail address, what you ordered and for how much.',
    transfer: 'To Ribeira CRM Lda, Portugal, which keeps the list and sends the e-mails for us. Nothing leaves the European Economic Area.',
    storage: 'As long as you agree, and two years after your last order at most.',
    automation: 'A program chooses the papers from your orders; it sets no prices and refuses nothing.',
    consequences: 'You get the same papers at the same prices whether you agree or not.',
    withdrawal: 'In your account, or by the link in every e-mail. It takes effect at once.',
  },
}

export const PARTS = [
  ['aim', 'What for'],
  ['data', 'Which data'],
  ['transfer', 'Who receives it'],
  ['storage', 'How long'],
  ['automation', 'Automatic decisions'],
  ['consequences', 'If you say no'],
  ['withdrawal', 'Changing your mind'],
]
