// walkerOS's collector behind Express, as its own Express source does it: parse,
// push, answer when that is done. Two destinations: one that the event's consent
// opens, one that it does not. What is sent on is dropped at once: no network, no
// disk. Its queues lie in memory and are bounded. An event that a destination may
// not have stays in that destination's queue and is looked at again with each event
// that follows: with the default length of 1000 that alone makes it twenty times
// slower, so it has the shortest one here.
//   PEER_PORT=… node walkeros.mjs
import { startFlow } from '@walkeros/collector'
import express from 'express'

let taken = 0
const sink = (consent, push) => ({ code: { type: 'sink', config: {}, push }, config: { consent, queueMax: 1 } })
const { collector } = await startFlow({
  run: true,
  logger: { level: 'ERROR' },
  destinations: {
    own: sink({ statistics: true }, () => { taken++ }),
    partner: sink({ advertising: true }, () => { throw new Error('nobody agreed to it') }),
  },
})

const app = express()
app.disable('x-powered-by')
app.disable('etag')
app.use(express.json({ limit: '1mb' }))
app.post('/collect', async (req, res) => {
  const { ok } = await collector.push(req.body)
  res.status(ok ? 200 : 500).json({ success: ok, timestamp: Date.now() })
})
app.get('/taken', (req, res) => res.json({ taken }))
const server = app.listen(Number(process.env.PEER_PORT), '127.0.0.1')
process.once('SIGTERM', () => {
  server.close(() => process.exit(0))
  server.closeAllConnections()
})
