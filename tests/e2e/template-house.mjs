// What the tests of the templates fill in, and a configuration that lacks nothing but purposes.
import { licet } from './daemon.mjs'

export const LANGUAGES = ['en', 'de', 'nl']
export const NAMES = ['statistics', 'statistics_google', 'advertising', 'remarketing', 'recording', 'crm', 'linking', 'newsletter', 'recommendations']
export const ENV = { LICET_GA4_SECRET: 'ga4-0123456789abcdef', LICET_HUBSPOT_SECRET: 'hubspot-0123456789' }
export const FILLED = {
  company: 'Blatt & Halm', hosting_company: 'Tuuli Hosting Oy', own_days: '90', ga4_months: '14', measurement_id: 'G-ABC123',
  google_certified_until: '2099-09-15', checked_on: '2026-11-01', audience_days: '90', hubspot_data_centre: 'Frankfurt', crm_months: '24', deletion_days: '14',
  hubspot_endpoint: 'https://bridge.shop.example/hubspot', hubspot_certified_until: '2099-08-01', mail_company: 'Ribeira Mail Lda',
  mails_per_month: '2', proof_years: '3', orders_months: '24',
}
export const BASE = `listen: 127.0.0.1:8080
store: sqlite:./data
controller: {name: Blatt & Halm, country: DE, contact: privacy@blatt-und-halm.example}
keys:
  private: ["private-0123456789"]
  public: ["public-0123456789"]
`

/** The --set options that these templates need. */
export async function sets(names, more = {}) {
  const { out } = await licet(['template', ...names])
  return Object.entries({ ...FILLED, ...more }).filter(([mark]) => out.includes(`[[${mark}]]`)).flatMap(([mark, value]) => ['--set', `${mark}=${value}`])
}
