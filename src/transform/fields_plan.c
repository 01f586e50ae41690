#include "transform/fields_priv.h"

/* Whose a field is (ARCHITECTURE, "Whose consent"). What stands below an owned path has its owner,
 * unless a deeper line says otherwise. Of systems that we do not know we assume the device. */
static const struct {
    struct str path;
    enum owner owner;
} owners[] = {
    { STR_INIT("anonymousId"), OWNER_DEVICE }, /* the order of enum plan_special */
    { STR_INIT("userId"), OWNER_PERSON },
    { STR_INIT("type"), OWNER_NOBODY },
    { STR_INIT("messageId"), OWNER_NOBODY },
    { STR_INIT("timestamp"), OWNER_NOBODY },
    { STR_INIT("context"), OWNER_NOBODY },
    { STR_INIT("context.ip"), OWNER_DEVICE },
    { STR_INIT("context.userAgent"), OWNER_DEVICE },
    { STR_INIT("context.userAgentData"), OWNER_DEVICE },
    { STR_INIT("context.device"), OWNER_DEVICE },
    { STR_INIT("context.network"), OWNER_DEVICE },
    { STR_INIT("context.sessionId"), OWNER_DEVICE },
    { STR_INIT("context.externalId"), OWNER_DEVICE },
    { STR_INIT("context.externalIds"), OWNER_DEVICE },
    { STR_INIT("context.traits"), OWNER_PERSON },
    { STR_INIT("context.groupId"), OWNER_NEVER },
    { STR_INIT("context.previousId"), OWNER_NEVER },
    { STR_INIT("traits"), OWNER_PERSON },
    { STR_INIT("ids"), OWNER_DEVICE },
    { STR_INIT("ids.hubspot"), OWNER_PERSON },
    { STR_INIT("integrations"), OWNER_DEVICE }, /* options for vendors: their ids, mostly */
    { STR_INIT("previousId"), OWNER_NEVER },
    { STR_INIT("mergeProperties"), OWNER_NEVER },
    { STR_INIT("groupId"), OWNER_NEVER },
    { STR_INIT("writeKey"), OWNER_NEVER },
};

struct compiler {
    struct fields_plan plan;
    struct plan_node *node;
    uint32_t *slot;
    const struct conf_field **rule;
    uint32_t rule_count;
};

static uint32_t segments(struct str path)
{
    uint32_t count = 0;
    for (struct str part; str_next(&path, '.', &part);)
        count++;
    return count;
}

/* Room for every segment of every path, and a table of at least four times that. */
static void reserve(struct compiler *c, const struct policy *p, struct arena *a)
{
    uint32_t nodes = 2, rules = 0;
    for (size_t i = 0; i < COUNT(owners); i++)
        nodes += segments(owners[i].path);
    for (uint32_t u = 0; u < p->use_count; u++) {
        rules += p->use[u].conf->field_count;
        for (uint32_t f = 0; f < p->use[u].conf->field_count; f++)
            nodes += segments(p->use[u].conf->field[f].path);
    }
    uint32_t slots = 64;
    while (slots < nodes * 4)
        slots *= 2;
    c->node = arena_array(a, struct plan_node, nodes);
    c->slot = arena_array(a, uint32_t, slots);
    c->rule = arena_array(a, const struct conf_field *, rules + 1);
    c->node[PLAN_ROOT].leaf = true;
    c->plan = (struct fields_plan){ .policy = p,
                                    .node = c->node,
                                    .node_count = PLAN_ROOT + 1,
                                    .rule = c->rule,
                                    .slot = c->slot,
                                    .slot_mask = slots - 1 };
}

static uint32_t add_child(struct compiler *c, uint32_t parent, struct str name)
{
    uint32_t found = plan_child(&c->plan, parent, name);
    if (found)
        return found;
    uint32_t h = plan_hash(parent, name), i = c->plan.node_count++;
    while (c->slot[h & c->plan.slot_mask])
        h++;
    c->slot[h & c->plan.slot_mask] = i;
    c->node[i] = (struct plan_node){
        .name = name, .parent = parent, .owner = c->node[parent].owner, .leaf = true
    };
    c->node[parent].leaf = false;
    return i;
}

static uint32_t add_path(struct compiler *c, struct str path)
{
    uint32_t at = PLAN_ROOT;
    if (path.n == 0) /* "*": everything */
        return at;
    for (struct str part; str_next(&path, '.', &part);)
        at = add_child(c, at, part);
    return at;
}

/* Of two rules for the same path the first stands. */
static void add_rule(struct compiler *c, uint32_t use, const struct conf_field *f)
{
    uint64_t bit = (uint64_t)1 << use;
    struct plan_node *n = &c->node[add_path(c, f->path)];
    bool passes = f->treatment != CONF_DROP;
    if (f->below && !(n->below_any & bit)) {
        n->below_any |= bit;
        n->below |= passes ? bit : 0;
    } else if (!f->below && !(n->exact_any & bit)) {
        n->exact_any |= bit;
        n->exact |= passes ? bit : 0;
        n->exact_down |= treats_below(f->treatment) ? bit : 0;
    }
}

static uint32_t place_of(const struct plan_node *n, bool below, uint32_t use)
{
    uint64_t before = ((uint64_t)1 << use) - 1;
    if (!below)
        return n->rule_at + (uint32_t)__builtin_popcountll(n->exact_any & before);
    return n->rule_at + (uint32_t)__builtin_popcountll(n->exact_any) +
           (uint32_t)__builtin_popcountll(n->below_any & before);
}

/* Now that all bits are known, every rule has its place. */
static void place_rules(struct compiler *c)
{
    const struct policy *p = c->plan.policy;
    for (uint32_t i = PLAN_ROOT; i < c->plan.node_count; i++) {
        struct plan_node *n = &c->node[i];
        n->rule_at = c->rule_count;
        c->rule_count += (uint32_t)__builtin_popcountll(n->exact_any) +
                         (uint32_t)__builtin_popcountll(n->below_any);
    }
    for (uint32_t u = 0; u < p->use_count; u++) {
        for (uint32_t f = 0; f < p->use[u].conf->field_count; f++) {
            const struct conf_field *field = &p->use[u].conf->field[f];
            uint32_t at = place_of(&c->node[add_path(c, field->path)], field->below, u);
            if (c->rule[at] == NULL)
                c->rule[at] = field;
        }
    }
}

const struct fields_plan *fields_compile(const struct policy *p, struct arena *a)
{
    must(p->use_count <= 64);
    struct compiler c = { 0 };
    reserve(&c, p, a);
    /* owners first, so that rules below them inherit */
    for (size_t i = 0; i < COUNT(owners); i++) {
        uint32_t at = add_path(&c, owners[i].path);
        must(i >= PLAN_USER_AGENT - PLAN_ANONYMOUS_ID + 1 || at == PLAN_ANONYMOUS_ID + i);
        c.node[at].owner = owners[i].owner;
    }
    for (uint32_t u = 0; u < p->use_count; u++) {
        for (uint32_t f = 0; f < p->use[u].conf->field_count; f++)
            add_rule(&c, u, &p->use[u].conf->field[f]);
    }
    place_rules(&c);
    for (uint32_t i = c.plan.node_count - 1; i > PLAN_ROOT;
         i--) { /* children have greater indexes */
        struct plan_node *n = &c.node[i];
        c.node[n->parent].subtree |= n->subtree | n->exact | n->below;
    }
    struct fields_plan *plan = arena_new(a, struct fields_plan);
    *plan = c.plan;
    return plan;
}

const struct conf_field *plan_exact(const struct fields_plan *p, uint32_t node, uint32_t use)
{
    const struct plan_node *n = &p->node[node];
    return n->exact_any >> use & 1 ? p->rule[place_of(n, false, use)] : NULL;
}

const struct conf_field *plan_below(const struct fields_plan *p, uint32_t node, uint32_t use)
{
    const struct plan_node *n = &p->node[node];
    return n->below_any >> use & 1 ? p->rule[place_of(n, true, use)] : NULL;
}
