// c15t's backend as its documentation sets it up for production, over PostgreSQL:
// kysely with a pool, prepared by its own migrator, on Hono's adapter for Node.
// Without logging, telemetry, API pages and the look-up of places.
//   PEER_PORT=… PGHOST=… PGUSER=… PGDATABASE=… node c15t.mjs
import { c15tInstance } from '@c15t/backend'
import { kyselyAdapter } from '@c15t/backend/db/adapters/kysely'
import { migrator } from '@c15t/backend/db/migrator'
import { DB } from '@c15t/backend/db/schema'
import { serve } from '@hono/node-server'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'

const POOL = Number(process.env.PEER_POOL ?? 10) // pg's own default

const pool = new pg.Pool({ max: POOL })
const adapter = kyselyAdapter({ db: new Kysely({ dialect: new PostgresDialect({ pool }) }), provider: 'postgresql' })
const migration = await migrator({ db: DB.client(adapter), schema: 'latest' })
await migration.execute()

const c15t = c15tInstance({
  appName: 'bench',
  trustedOrigins: ['https://shop.example'],
  adapter,
  disableGeoLocation: true,
  openapi: { enabled: false },
  logger: { disabled: true },
})
const server = serve({ fetch: c15t.handler, hostname: '127.0.0.1', port: Number(process.env.PEER_PORT) })
process.once('SIGTERM', () => {
  server.close(() => pool.end().then(() => process.exit(0)))
  server.closeAllConnections()
})
