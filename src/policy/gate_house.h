/* policy/gate_house.h - one purpose, three destinations, and what a subject said
 * of it: for the tests of the gate only.
 *
 * Destinations: `out` needs the purpose, `lost` one that nobody knows, `idle`
 * none; each makes the claim ad_user_data of what it needs. The moment of every question is FIXTURE_NOW.
 */
#ifndef POLICY_GATE_HOUSE_H
#define POLICY_GATE_HOUSE_H

#include "policy/fixture.h"

#define NOW FIXTURE_NOW
#define DAY FIXTURE_DAY

enum { STATISTICS = 0, OUT = 0, LOST = 1, IDLE = 2 };
enum { V_NONE, V_GOOD, V_UNNAMED, V_VOIDED, V_BOTH, V_COUNT }; /* versions of the purpose */

struct house {
    enum conf_basis basis;
    enum conf_terminal terminal;
    enum conf_scope scope;
    bool double_opt_in, proof_optional, no_role, no_transfer;
};
const struct policy *house_policy(const struct house *h, struct arena *a);

/* ---- what a subject said ---- */

enum order { NEVER_LOWERED, LOWERED_BEFORE, LOWERED_AFTER, ONLY_LOWERED, NOTHING_SAID, ORDERS };

struct history {
    enum order order;
    bool bare, confirmed, imported, old;
    uint32_t version;
};

enum { EVERY_HISTORY = ORDERS * 16 * V_COUNT };
struct history history_numbered(uint32_t i);
extern const struct history good_grant;

struct snapshot *said(const struct history *h, uint32_t flags, struct arena *a);
/* One act alone in its class, on the only purpose. */
struct standing at_once(struct standing s, int64_t effect, int64_t seq);

#endif
