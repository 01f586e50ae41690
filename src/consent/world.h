/* consent/world.h - a policy, a real store and a ledger, for tests only.
 *
 * Purposes (all but `letters` need proof):
 *   statistics  device  v1 2026-01-01 {privacy_policy: 7}            en, de
 *                       v2 2026-03-01 {privacy_policy: 8}            en
 *                       v3 2026-06-01 {privacy_policy: 8, cookies: 2} en
 *   letters     person  v1 2026-01-01, proof: optional               en
 *   marketing   person  v1 2026-02-01 {terms: 1}                     en
 * and with `letters`
 *   newsletter  person  v1 2026-01-01, double_opt_in: true           en, de
 *                       v2 2026-03-02                                en
 * Destinations: own requires statistics, crm requires statistics and marketing.
 */
#ifndef CONSENT_WORLD_H
#define CONSENT_WORLD_H

#include "consent/ledger.h"

#define DAY (24LL * 3600 * 1000)
#define JAN_1 1767225600000LL /* 2026-01-01T00:00:00Z */
#define FEB_1 1769904000000LL
#define MAR_1 1772323200000LL
#define JUN_1 1780272000000LL
#define JUL_1 1782864000000LL

struct world {
    struct arena arena;
    struct conf *conf;
    const struct policy *policy;
    struct store *store;
    struct store_reader *reader; /* of committed groups */
    struct ledger *ledger;
    int64_t now;
    struct err_info info;
    char dir[64]; /* empty: in memory */
    bool letters; /* before world_open(): letters are configured, and there is one purpose more */
};

/* Only the policy, numbers given out in the order of the file. */
void world_policy(struct world *w);
/* With a store: in memory, or in a new directory, which world_close() removes. */
void world_open(struct world *w, bool on_disk);
void world_close(struct world *w);

void world_begin(struct world *w);
void world_commit(struct world *w);

#endif
