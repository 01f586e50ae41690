/* policy/gate_naive.h - the gate once more, slow and obvious, for tests only.
 *
 * Decides from the configuration itself and from raw acts, by names, without
 * anything compiled or reduced. Collects every reason that applies and takes the
 * first of their order.
 */
#ifndef POLICY_GATE_NAIVE_H
#define POLICY_GATE_NAIVE_H

#include "policy/gate.h"

struct naive_act {
    struct str purpose;
    int64_t effect, seq;
    bool grant, confirmed, bare, imported;
    uint32_t version;
};

struct naive_subject {
    uint32_t flags;
    const struct naive_act *act;
    uint32_t count;
};

/* Whom a version named when it was frozen. */
struct naive_named {
    struct str purpose;
    uint32_t version;
    struct str destination, name;
    char country[3];
};

/* A version that was declared void while licet ran. */
struct naive_voided {
    struct str purpose;
    uint32_t version;
    int64_t from_ms;
};

struct naive_world {
    const struct conf *conf;
    const struct naive_named *named;
    uint32_t named_count;
    const struct naive_voided *voided;
    uint32_t voided_count;
};

void naive_decide(const struct naive_world *w, const struct naive_subject *device,
                  const struct naive_subject *person, const struct use *use, int64_t at_ms,
                  struct decision *ret_decision);

/* The snapshot that a store would make of those acts. NULL for NULL. */
struct snapshot *naive_snapshot(const struct policy *p, const struct naive_subject *subject,
                                struct arena *a);

#endif
