#include "transform/fields_priv.h"

#include "codec/time.h"

#include <sodium.h>

struct reduce {
    const struct fields_plan *plan;
    const struct event *e;
    const struct json_doc *doc;
    struct arena *a;
    struct buf *to;
    uint64_t pass[OWNER_COUNT]; /* uses that may have what this owner owns */
};

/* The uses that may have a scalar at this node; `cover`: those covered from above. */
static uint64_t scalar_mask(const struct plan_node *n, uint64_t cover)
{
    return (cover & ~n->exact_any) | n->exact;
}

static uint64_t cover_below(const struct plan_node *n, uint64_t cover)
{
    return (((cover & ~n->exact_any) | n->exact_down) & ~n->below_any) | n->below;
}

/* Begins a member: a comma unless it is the first, then the key. */
static void begin(struct buf *to, size_t opened, struct str raw_key)
{
    if (to->n != opened)
        buf_byte(to, ',');
    buf_str(to, raw_key);
    buf_byte(to, ':');
}

static bool reduce_members(struct reduce *r, uint32_t object, uint32_t node, uint64_t cover);
static bool reduce_items(struct reduce *r, uint32_t array, uint32_t node, uint64_t cover);

/* Writes what may stay of one value; false, and nothing written, when that is
 * nothing. `scalar` are the uses that may have it if it is one, `cover` those covered below. */
static bool reduce_value(struct reduce *r, uint32_t value, uint32_t node, uint64_t scalar,
                         uint64_t cover)
{
    const struct plan_node *n = &r->plan->node[node];
    const struct json_node *v = &r->doc->node[value];
    bool container = v->type >= JSON_ARRAY;
    if (container && !n->leaf && v->count) {
        if (((cover | n->subtree) & r->pass[OWNER_NOBODY]) == 0)
            return false;
        return v->type == JSON_OBJECT ? reduce_members(r, value, node, cover)
                                      : reduce_items(r, value, node, cover);
    }
    if (((container ? cover : scalar) & r->pass[n->owner]) == 0)
        return false;
    buf_str(r->to, json_raw(r->doc, value));
    return true;
}

static bool reduce_items(struct reduce *r, uint32_t array, uint32_t node, uint64_t cover)
{
    size_t start = r->to->n;
    buf_byte(r->to, '[');
    size_t opened = r->to->n;
    for (uint32_t v = json_first(r->doc, array); v; v = json_next(r->doc, array, v)) {
        size_t before = r->to->n;
        if (before != opened)
            buf_byte(r->to, ',');
        if (!reduce_value(r, v, node, cover, cover))
            r->to->n = before;
    }
    if (r->to->n == opened) {
        r->to->n = start;
        return false;
    }
    buf_byte(r->to, ']');
    return true;
}

/* One member, unless it is nothing. `opened` is where the object's first member would stand. */
static void reduce_member(struct reduce *r, uint32_t key, uint32_t parent, uint32_t child,
                          uint64_t cover, size_t opened)
{
    size_t before = r->to->n;
    uint64_t scalar = cover;
    if (child) {
        const struct plan_node *n = &r->plan->node[child];
        scalar = scalar_mask(n, cover);
        cover = cover_below(n, cover);
    } else if ((cover & r->pass[r->plan->node[parent].owner]) == 0) {
        return;
    }
    begin(r->to, opened, json_raw(r->doc, key));
    if (child == 0)
        buf_str(r->to, json_raw(r->doc, key + 1));
    else if (!reduce_value(r, key + 1, child, scalar, cover))
        r->to->n = before;
}

static bool reduce_members(struct reduce *r, uint32_t object, uint32_t node, uint64_t cover)
{
    size_t start = r->to->n;
    buf_byte(r->to, '{');
    size_t opened = r->to->n;
    for (uint32_t k = json_first(r->doc, object); k; k = json_next(r->doc, object, k + 1)) {
        uint32_t child = plan_child(r->plan, node, key_text(r->doc, k, r->a));
        reduce_member(r, k, node, child, cover, opened);
    }
    if (r->to->n == opened) {
        r->to->n = start;
        return false;
    }
    buf_byte(r->to, '}');
    return true;
}

/* What stands in the event itself rather than in the message. */
static void reduce_special(struct reduce *r, enum plan_special node, struct str raw_key,
                           struct str value, uint64_t cover, size_t opened)
{
    const struct plan_node *n = &r->plan->node[node];
    if (value.n == 0 || (scalar_mask(n, cover) & r->pass[n->owner]) == 0)
        return;
    begin(r->to, opened, raw_key);
    json_write_string(r->to, value);
}

/* The names of an object's members, for objects with so many that asking json_get() for
 * each of another's would take quadratic time. Keyed, since strangers choose the names. */
struct name_set {
    uint32_t object;
    struct str *slot; /* NULL: few members, json_get() will do */
    size_t mask;
    uint8_t key[crypto_shorthash_KEYBYTES];
};

enum { FEW_MEMBERS = 16 };

static struct str *name_slot(const struct name_set *s, struct str name)
{
    uint64_t hash;
    _Static_assert(sizeof hash == crypto_shorthash_BYTES, "a hash is one word");
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)name.p, name.n, s->key);
    while (s->slot[hash & s->mask].p != NULL && !str_eq(s->slot[hash & s->mask], name))
        hash++;
    return &s->slot[hash & s->mask];
}

static struct name_set names_of(const struct reduce *r, uint32_t object)
{
    struct name_set s = { .object = object };
    uint32_t count = object ? r->doc->node[object].count : 0;
    if (count <= FEW_MEMBERS)
        return s;
    size_t slots = 64;
    while (slots < count * 2ul)
        slots *= 2;
    s.slot = arena_array(r->a, struct str, slots);
    s.mask = slots - 1;
    random_bytes(s.key, sizeof s.key);
    for (uint32_t k = json_first(r->doc, object); k; k = json_next(r->doc, object, k + 1)) {
        struct str name = key_text(r->doc, k, r->a);
        *name_slot(&s, name) = name;
    }
    return s;
}

static bool has_name(const struct reduce *r, const struct name_set *s, struct str name)
{
    if (s->slot == NULL)
        return json_get(r->doc, s->object, name) != 0;
    return name_slot(s, name)->p != NULL;
}

/* The message's context, what the batch says beside it, and what the client left to us. */
static void reduce_context(struct reduce *r, uint32_t context, uint64_t cover, size_t outer)
{
    const struct event *e = r->e;
    const struct plan_node *n = &r->plan->node[PLAN_CONTEXT];
    cover = cover_below(n, cover);
    if (((cover | n->subtree) & r->pass[OWNER_NOBODY]) == 0)
        return;
    size_t before = r->to->n;
    begin(r->to, outer, STR("\"context\""));
    buf_byte(r->to, '{');
    size_t opened = r->to->n;
    reduce_special(r, PLAN_IP, STR("\"ip\""), e->request_ip, cover, opened);
    reduce_special(r, PLAN_USER_AGENT, STR("\"userAgent\""), e->request_user_agent, cover, opened);
    uint32_t from[] = { context, e->batch_context };
    struct name_set own = { 0 };
    if (e->batch_context)
        own = names_of(r, context);
    for (size_t i = 0; i < COUNT(from); i++) {
        for (uint32_t k = json_first(r->doc, from[i]); k; k = json_next(r->doc, from[i], k + 1)) {
            struct str name = key_text(r->doc, k, r->a);
            uint32_t child = plan_child(r->plan, PLAN_CONTEXT, name);
            bool ours = (child == PLAN_IP && e->request_ip.n) ||
                        (child == PLAN_USER_AGENT && e->request_user_agent.n);
            if (!ours && (i == 0 || !has_name(r, &own, name)))
                reduce_member(r, k, PLAN_CONTEXT, child, cover, opened);
        }
    }
    if (r->to->n == opened)
        r->to->n = before;
    else
        buf_byte(r->to, '}');
}

void fields_reduce(const struct fields_plan *plan, const struct event *e,
                   const struct fields_mask *m, struct arena *a, struct buf *to)
{
    struct reduce r = { .plan = plan, .e = e, .doc = e->doc, .a = a, .to = to };
    r.pass[OWNER_NOBODY] = m->permitted;
    r.pass[OWNER_DEVICE] = m->permitted & m->device;
    r.pass[OWNER_PERSON] = m->permitted & m->person;
    uint64_t cover = cover_below(&plan->node[PLAN_ROOT], 0);

    buf_byte(to, '{');
    size_t opened = to->n;
    char time[TIME_TEXT + 1];
    struct str timestamp = { time, TIME_TEXT };
    if (scalar_mask(&plan->node[PLAN_TIMESTAMP], cover) & m->permitted)
        time_format(e->timestamp_ms, time);
    else
        timestamp.n = 0;
    reduce_special(&r, PLAN_TYPE, STR("\"type\""), e->type, cover, opened);
    reduce_special(&r, PLAN_MESSAGE_ID, STR("\"messageId\""), e->message_id, cover, opened);
    reduce_special(&r, PLAN_TIMESTAMP, STR("\"timestamp\""), timestamp, cover, opened);
    reduce_special(&r, PLAN_ANONYMOUS_ID, STR("\"anonymousId\""), e->device, cover, opened);
    reduce_special(&r, PLAN_USER_ID, STR("\"userId\""), e->person, cover, opened);

    uint32_t context = 0;
    for (uint32_t k = json_first(r.doc, e->root); k; k = json_next(r.doc, e->root, k + 1)) {
        uint32_t child = plan_child(plan, PLAN_ROOT, key_text(r.doc, k, a));
        if (child == PLAN_CONTEXT && json_type(r.doc, k + 1) == JSON_OBJECT)
            context = k + 1;
        if (child < PLAN_ANONYMOUS_ID || child > PLAN_CONTEXT)
            reduce_member(&r, k, PLAN_ROOT, child, cover, opened);
    }
    reduce_context(&r, context, cover, opened);
    buf_byte(to, '}');
}
