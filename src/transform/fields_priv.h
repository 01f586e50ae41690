/* transform/fields_priv.h - the compiled plan.
 *
 * Every path that a rule or an owner names is a node. Bits are indexes into
 * policy->use. A scalar at a node obeys the use's own rule there, else the rule
 * that covers it from above; a container passes down the use's `.*` rule, else its
 * own rule, else what came from above. Items of an array stand at the array's path.
 */
#ifndef TRANSFORM_FIELDS_PRIV_H
#define TRANSFORM_FIELDS_PRIV_H

#include "transform/fields.h"

enum owner { OWNER_NOBODY = 0, OWNER_DEVICE, OWNER_PERSON, OWNER_NEVER, OWNER_COUNT };

struct plan_node {
    struct str name;
    uint32_t parent;
    uint32_t rule_at; /* the first of its rules; exact ones by use, then those below by use */
    enum owner owner;
    bool leaf;                     /* nothing further is named below */
    uint64_t exact_any, below_any; /* uses with a rule */
    uint64_t exact;                /* of these, those whose rule lets a scalar through */
    uint64_t exact_down;           /* those whose exact rule also covers what is below */
    uint64_t below;                /* those whose `.*` rule lets something through */
    uint64_t subtree; /* uses that may get something from below through a further node */
};

/* Always there, whether a rule names them or not. */
enum plan_special {
    PLAN_ROOT = 1, /* node 0 is none */
    PLAN_ANONYMOUS_ID,
    PLAN_USER_ID,
    PLAN_TYPE,
    PLAN_MESSAGE_ID,
    PLAN_TIMESTAMP,
    PLAN_CONTEXT,
    PLAN_IP,
    PLAN_USER_AGENT,
};

struct fields_plan {
    const struct policy *policy;
    const struct plan_node *node;
    uint32_t node_count;
    const struct conf_field *const *rule;
    const uint32_t *slot; /* hash table of node indexes, 0: empty */
    uint32_t slot_mask;
};

static inline uint32_t plan_hash(uint32_t parent, struct str name)
{
    uint32_t h = parent * 0x9e3779b1u + (uint32_t)name.n * 0x85ebca6bu;
    if (name.n)
        h += (uint32_t)(unsigned char)name.p[0] * 0xc2b2ae35u +
             (uint32_t)(unsigned char)name.p[name.n - 1] * 0x27d4eb2fu +
             (uint32_t)(unsigned char)name.p[name.n / 2] * 0x165667b1u;
    return h ^ h >> 15;
}

/* The node of a member's name below `parent`, or 0. */
static inline uint32_t plan_child(const struct fields_plan *p, uint32_t parent, struct str name)
{
    if (p->node[parent].leaf)
        return 0;
    for (uint32_t h = plan_hash(parent, name);; h++) {
        uint32_t i = p->slot[h & p->slot_mask];
        if (i == 0 || (p->node[i].parent == parent && str_eq(p->node[i].name, name)))
            return i;
    }
}

/* The use's rule at a node, or NULL. */
const struct conf_field *plan_exact(const struct fields_plan *p, uint32_t node, uint32_t use);
const struct conf_field *plan_below(const struct fields_plan *p, uint32_t node, uint32_t use);

/* Whether a treatment of a container goes on for what is in it. */
static inline bool treats_below(enum conf_treatment t)
{
    return t == CONF_KEEP || t == CONF_PSEUDONYMISE || t == CONF_HASH;
}

/* A key as it reads. Keys are strings; the arena is used for escaped ones alone. */
static inline struct str key_text(const struct json_doc *d, uint32_t key, struct arena *a)
{
    const struct json_node *n = &d->node[key];
    struct str s = { d->text.p + n->at + 1, n->len - 2 };
    if (n->escaped)
        must(json_string(d, key, a, &s));
    return s;
}

#endif
