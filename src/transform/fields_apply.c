#include "transform/fields_priv.h"
#include "transform/treat.h"

#include <sodium.h>
#include <stdlib.h>

/* The dotted name of the value at hand, innermost part first. */
struct trail {
    const struct trail *outer;
    struct str name;
};

struct apply {
    const struct fields_plan *plan;
    const struct policy_use *use;
    uint32_t index; /* of the use */
    const struct json_doc *doc;
    const struct fields_keys *keys;
    struct treat_key key; /* made when the first value needs it */
    bool has_key;
    bool pass[OWNER_COUNT];
    struct arena *a;
    struct buf *to;
    struct written *written; /* newest first; kept only when `wants_names` */
    uint32_t written_count;
    bool wants_names;
};

struct written {
    struct written *older;
    struct str name;
};

/* ---- the names of what was written ---- */

/* Names are kept for long and shown: one that is no plain word may be somebody's data. */
struct str fields_plain_name(struct str name)
{
    bool plain = name.n > 0 && name.n <= 64;
    for (size_t i = 0; i < name.n && plain; i++) {
        char c = name.p[i], low = (char)(c | 0x20);
        plain = (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                c == '$';
    }
    return plain ? name : STR("*");
}

/* Long trails are cut, or one event's names could be many times its size. */
enum { NAMED_PARTS = 6 };

static void note(struct apply *p, const struct trail *at)
{
    if (!p->wants_names)
        return;
    size_t parts = 0, n = 0;
    for (const struct trail *t = at; t->outer != NULL; t = t->outer)
        parts++;
    for (; parts > NAMED_PARTS; parts--)
        at = at->outer;
    for (const struct trail *t = at; t->outer != NULL; t = t->outer)
        n += fields_plain_name(t->name).n + 1;
    char *text = arena_alloc(p->a, n);
    char *end = text + n;
    for (const struct trail *t = at; t->outer != NULL; t = t->outer) {
        struct str part = fields_plain_name(t->name);
        *--end = '.';
        end -= part.n;
        memcpy(end, part.p, part.n);
    }
    struct written *w = arena_new(p->a, struct written);
    *w = (struct written){ .older = p->written, .name = { text, n ? n - 1 : 0 } };
    p->written = w;
    p->written_count++;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void write_names(const struct apply *p, struct buf *to)
{
    struct str *name = arena_array(p->a, struct str, p->written_count);
    uint32_t n = 0;
    for (const struct written *w = p->written; w != NULL; w = w->older)
        name[n++] = w->name;
    if (n)
        qsort(name, n, sizeof *name, by_name);
    for (uint32_t i = 0; i < n; i++) {
        if (i && str_eq(name[i], name[i - 1]))
            continue;
        if (i)
            buf_byte(to, ',');
        buf_str(to, name[i]);
    }
}

/* ---- values ---- */

static struct str pseudonym(struct apply *p, struct str value)
{
    if (!p->has_key) {
        p->key =
            treat_key_of(p->keys->secret, p->use->slot, p->use->conf->epoch_days, p->keys->at_ms);
        p->has_key = true;
    }
    return treat_pseudonymise_with(value, &p->key, p->a);
}

/* Writes one treated scalar; false when nothing is left of it. */
static bool apply_treated(struct apply *p, uint32_t value, const struct conf_field *rule)
{
    bool is_string = json_type(p->doc, value) == JSON_STRING;
    struct str text = json_raw(p->doc, value), treated = { 0 };
    if (is_string)
        must(json_string(p->doc, value, p->a, &text));
    if (text.n == 0 && rule->treatment != CONF_QUERY)
        return false; /* nobody's: a pseudonym of nothing would join strangers */
    switch (rule->treatment) {
    case CONF_PSEUDONYMISE: treated = pseudonym(p, text); break;
    case CONF_HASH: treated = treat_hash(text, p->a); break;
    case CONF_TRUNCATE_IP: treated = is_string ? treat_truncate_ip(text, p->a) : treated; break;
    case CONF_QUERY:
        if (is_string)
            treated = treat_query(text, rule->parameter, rule->parameter_count, p->a);
        break;
    case CONF_DROP:
    case CONF_KEEP: break;
    }
    if (treated.n == 0 && (!is_string || text.n))
        return false;
    json_write_string(p->to, treated);
    return true;
}

static bool apply_scalar(struct apply *p, uint32_t value, const struct conf_field *rule,
                         const struct trail *at)
{
    if (rule == NULL || rule->treatment == CONF_DROP)
        return false;
    bool nothing = json_type(p->doc, value) == JSON_NULL && treats_below(rule->treatment);
    if (rule->treatment == CONF_KEEP || nothing)
        buf_str(p->to, json_raw(p->doc, value));
    else if (!apply_treated(p, value, rule))
        return false;
    note(p, at);
    return true;
}

static bool apply_container(struct apply *p, uint32_t value, uint32_t node, bool owned,
                            const struct conf_field *cover, const struct trail *at);

/* Writes what may leave of one value; false, and nothing written, when that is
 * nothing. `node` is 0 where the plan names nothing; `owned`: its owner passes. */
static bool apply_value(struct apply *p, uint32_t value, uint32_t node, bool owned,
                        const struct conf_field *scalar, const struct conf_field *cover,
                        const struct trail *at)
{
    enum json_type type = json_type(p->doc, value);
    if (node)
        owned = p->pass[p->plan->node[node].owner];
    bool further = node && !p->plan->node[node].leaf;
    if (!owned && !further)
        return false;
    if (type != JSON_ARRAY && type != JSON_OBJECT)
        return owned && apply_scalar(p, value, scalar, at);
    if (cover == NULL && !further)
        return false;
    if (p->doc->node[value].count == 0) { /* an empty one holds nothing that could be treated */
        if (!owned || cover == NULL || cover->treatment != CONF_KEEP)
            return false;
        buf_str(p->to, json_raw(p->doc, value));
        note(p, at);
        return true;
    }
    return apply_container(p, value, node, owned, cover, at);
}

static const struct conf_field *kept(const struct conf_field *rule)
{
    return rule && rule->treatment != CONF_DROP ? rule : NULL;
}

/* One member, key first; false and nothing written when nothing of it may leave. */
static bool apply_member(struct apply *p, uint32_t key, uint32_t node, bool owned,
                         const struct conf_field *cover, const struct trail *at)
{
    struct trail trail = { at, key_text(p->doc, key, p->a) };
    uint32_t child = node ? plan_child(p->plan, node, trail.name) : 0;
    const struct conf_field *scalar = cover;
    if (child) {
        const struct conf_field *exact = plan_exact(p->plan, child, p->index);
        const struct conf_field *below = plan_below(p->plan, child, p->index);
        if (exact) {
            scalar = kept(exact);
            cover = treats_below(exact->treatment) ? exact : NULL;
        }
        if (below)
            cover = kept(below);
    } else if (cover == NULL) {
        return false;
    }
    buf_str(p->to, json_raw(p->doc, key));
    buf_byte(p->to, ':');
    return apply_value(p, key + 1, child, owned, scalar, cover, &trail);
}

static bool apply_container(struct apply *p, uint32_t value, uint32_t node, bool owned,
                            const struct conf_field *cover, const struct trail *at)
{
    bool object = json_type(p->doc, value) == JSON_OBJECT;
    size_t start = p->to->n;
    buf_byte(p->to, object ? '{' : '[');
    size_t opened = p->to->n;
    uint32_t v = json_first(p->doc, value);
    while (v) {
        size_t before = p->to->n;
        if (before != opened)
            buf_byte(p->to, ',');
        bool any = object ? apply_member(p, v, node, owned, cover, at)
                          : apply_value(p, v, node, owned, cover, cover, at);
        if (!any)
            p->to->n = before;
        v = json_next(p->doc, value, object ? v + 1 : v);
    }
    if (p->to->n == opened) {
        p->to->n = start;
        return false;
    }
    buf_byte(p->to, object ? '}' : ']');
    return true;
}

enum err fields_apply(const struct fields_plan *plan, uint32_t use, bool device_fields,
                      bool person_fields, struct str body, const struct fields_keys *keys,
                      struct arena *a, struct buf *to, struct buf *names)
{
    must(use < plan->policy->use_count);
    struct json_doc doc;
    if (json_scan(body, a, &doc, NULL) != OK || json_type(&doc, JSON_ROOT) != JSON_OBJECT)
        return ERR_CORRUPT;
    struct apply p = { .plan = plan,
                       .use = &plan->policy->use[use],
                       .index = use,
                       .doc = &doc,
                       .keys = keys,
                       .a = a,
                       .to = to,
                       .wants_names = names != NULL };
    p.pass[OWNER_NOBODY] = true;
    p.pass[OWNER_DEVICE] = device_fields;
    p.pass[OWNER_PERSON] = person_fields;
    const struct trail root = { 0 };
    const struct conf_field *cover = kept(plan_below(plan, PLAN_ROOT, use));
    if (!apply_container(&p, JSON_ROOT, PLAN_ROOT, true, cover, &root))
        buf_lit(to, "{}");
    if (names != NULL)
        write_names(&p, names);
    sodium_memzero(&p.key, sizeof p.key);
    return OK;
}
