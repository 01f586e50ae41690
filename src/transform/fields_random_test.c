/* Random rules and random events against a naive reading of the same rules: every path
 * is compared with every rule as text, nothing is compiled and nothing is walked twice. */
#include "transform/fields.h"
#include "transform/treat.h"

#include "base/limits.h"
#include "codec/time.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

enum { USES = 3, RULES = 12, ROUNDS = 10000, DEEPEST = 5 };

static const uint8_t secret[32] = "thirty-two bytes of some secret";
static uint64_t seed = 88172645463325252u;

static uint32_t pick(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % below;
}

/* Names as they read, and how they may be written. */
static const char *const name[] = { "a",         "b",    "context",   "ip",          "userAgent",
                                    "traits",    "ids",  "ga4",       "hubspot",     "userId",
                                    "groupId",   "page", "sessionId", "anonymousId", "type",
                                    "timestamp", "",     "context.ip" };
static const char *const escaped[] = {
    "\\u0061",   "b",           "con\\u0074ext", "i\\u0070",     "userAgent", "tr\\u0061its",
    "ids",       "ga\\u0034",   "hubspot",       "use\\u0072Id", "groupId",   "page",
    "sessionId", "anonymousId", "t\\u0079pe",    "timestamp",    "",          "context\\u002eip"
};
/* Only these occur in rules: nobody can name a key with a dot. */
enum { RULE_NAMES = 16 };

/* ---- generating ---- */

static void random_value(struct buf *b, int depth);

static void random_object(struct buf *b, int depth)
{
    bool used[COUNT(name)] = { false };
    buf_byte(b, '{');
    uint32_t count = pick(depth == 0 ? 9 : 4);
    for (uint32_t i = 0, written = 0; i < count; i++) {
        uint32_t n = pick(COUNT(name));
        if (used[n])
            continue;
        used[n] = true;
        if (written++)
            buf_byte(b, ',');
        buf_printf(b, "\"%s\":", pick(4) ? name[n] : escaped[n]);
        random_value(b, depth + 1);
    }
    buf_byte(b, '}');
}

static void random_value(struct buf *b, int depth)
{
    static const char *const scalar[] = { "1",
                                          "-2.5e3",
                                          "true",
                                          "null",
                                          "\"\"",
                                          "\"x\"",
                                          "\"1.2.3.4\"",
                                          "\"2001:db8::1\"",
                                          "\"/p?utm_a=1&b=2#c\"",
                                          "\"\\u00e9\\n\"" };
    uint32_t kind = depth >= DEEPEST ? 0 : pick(6);
    if (kind < 3) {
        buf_str(b, str_of(scalar[pick(COUNT(scalar))]));
    } else if (kind < 5) {
        random_object(b, depth);
    } else {
        buf_byte(b, '[');
        for (uint32_t i = 0, count = pick(4); i < count; i++) {
            if (i)
                buf_byte(b, ',');
            random_value(b, depth + 1);
        }
        buf_byte(b, ']');
    }
}

static struct str utm[] = { STR_INIT("utm_*") };

static struct conf_field random_field(struct arena *a)
{
    struct str path = { 0 };
    for (uint32_t i = 0, parts = 1 + pick(3); i < parts; i++)
        path = arena_printf(a, "%.*s%s%s", STR_ARG(path), i ? "." : "", name[pick(RULE_NAMES)]);
    struct conf_field f = { .path = path,
                            .below = pick(3) == 0,
                            .treatment =
                                (enum conf_treatment)(pick(4) ? pick(CONF_HASH + 1) : CONF_KEEP),
                            .parameter = utm,
                            .parameter_count = COUNT(utm) };
    if (pick(20) == 0) {
        f.path = (struct str){ 0 };
        f.below = true;
    }
    return f;
}

static struct policy *random_policy(struct arena *a)
{
    struct policy_use *use = arena_array(a, struct policy_use, USES);
    for (uint32_t u = 0; u < USES; u++) {
        struct conf_destination *d = arena_new(a, struct conf_destination);
        d->field = arena_array(a, struct conf_field, RULES);
        d->field_count = pick(RULES + 1);
        for (uint32_t i = 0; i < d->field_count; i++)
            d->field[i] = random_field(a);
        use[u] = (struct policy_use){ .slot = u * 3, .conf = d };
    }
    struct policy *p = arena_new(a, struct policy);
    *p = (struct policy){ .use = use, .use_count = USES };
    return p;
}

/* ---- the naive reading ---- */

struct path {
    struct str part[32];
    uint32_t n;
};

/* Whether a rule's path is the first `n` parts of that one. */
static bool is_prefix(struct str rule, const struct path *p, uint32_t n)
{
    struct str part;
    uint32_t i = 0;
    if (rule.n == 0)
        return n == 0;
    while (str_next(&rule, '.', &part)) {
        if (i >= n || !str_eq(part, p->part[i]))
            return false;
        i++;
    }
    return i == n;
}

static const struct conf_field *rule_at(const struct conf_destination *d, const struct path *p,
                                        uint32_t n, bool below)
{
    for (uint32_t i = 0; i < d->field_count; i++) {
        if (d->field[i].below == below && is_prefix(d->field[i].path, p, n) &&
            (below || d->field[i].path.n))
            return &d->field[i];
    }
    return NULL;
}

/* The rule for what stands below the first `n` parts. */
static const struct conf_field *covering(const struct conf_destination *d, const struct path *p,
                                         uint32_t n)
{
    for (uint32_t i = n + 1; i-- > 0;) {
        const struct conf_field *below = rule_at(d, p, i, true), *exact = rule_at(d, p, i, false);
        if (below)
            return below->treatment == CONF_DROP ? NULL : below;
        if (exact)
            return exact->treatment == CONF_KEEP || exact->treatment == CONF_PSEUDONYMISE ||
                           exact->treatment == CONF_HASH
                       ? exact
                       : NULL;
    }
    return NULL;
}

static const struct conf_field *rule_for(const struct conf_destination *d, const struct path *p)
{
    const struct conf_field *exact = rule_at(d, p, p->n, false);
    return exact ? exact : covering(d, p, p->n - 1);
}

enum who { NOBODY, DEVICE, PERSON, NEVER };

static enum who owner_of(const struct path *p)
{
    static const struct {
        const char *path;
        enum who who;
    } owners[] = {
        { "ids.hubspot", PERSON },
        { "ids", DEVICE },
        { "context.traits", PERSON },
        { "context.groupId", NEVER },
        { "context.ip", DEVICE },
        { "context.userAgent", DEVICE },
        { "context.sessionId", DEVICE },
        { "traits", PERSON },
        { "userId", PERSON },
        { "groupId", NEVER },
        { "anonymousId", DEVICE },
    };
    for (size_t i = 0; i < COUNT(owners); i++) {
        for (uint32_t n = 1; n <= p->n; n++) {
            if (is_prefix(str_of(owners[i].path), p, n))
                return owners[i].who;
        }
    }
    return NOBODY;
}

struct naive {
    const struct policy_use *use;
    const struct json_doc *doc;
    bool pass[4];
    struct arena *a;
};

static struct str treated(const struct naive *n, uint32_t v, const struct conf_field *f)
{
    struct str text = json_raw(n->doc, v), t = { 0 };
    enum json_type type = json_type(n->doc, v);
    (void)json_string(n->doc, v, n->a, &text);
    if (f->treatment == CONF_QUERY && type == JSON_STRING) {
        if (text.n == 0)
            return STR("\"\"");
        t = treat_query(text, utm, 1, n->a);
    } else if (f->treatment == CONF_TRUNCATE_IP && type == JSON_STRING) {
        t = treat_truncate_ip(text, n->a);
    } else if (f->treatment == CONF_PSEUDONYMISE || f->treatment == CONF_HASH) {
        if (type == JSON_NULL)
            return STR("null");
        if (text.n)
            t = f->treatment == CONF_HASH ? treat_hash(text, n->a)
                                          : treat_pseudonymise(text, secret, n->use->slot,
                                                               n->use->conf->epoch_days, 0, n->a);
    }
    if (t.n == 0)
        return t;
    AUTO(buf_fini) struct buf b = BUF_INIT(1u << 16);
    json_write_string(&b, t);
    return arena_str(n->a, buf_view(&b));
}

/* The value's form as JSON, or an empty text: it may not leave. */
static struct str naive_value(const struct naive *n, uint32_t v, struct path *p, bool item)
{
    enum json_type type = json_type(n->doc, v);
    const struct conf_field *f =
        item || type >= JSON_ARRAY ? covering(n->use->conf, p, p->n) : rule_for(n->use->conf, p);
    bool may = f != NULL && f->treatment != CONF_DROP && n->pass[owner_of(p)];
    if (type < JSON_ARRAY) {
        if (!may)
            return (struct str){ 0 };
        return f->treatment == CONF_KEEP ? json_raw(n->doc, v) : treated(n, v, f);
    }
    if (n->doc->node[v].count == 0)
        return may && f->treatment == CONF_KEEP ? json_raw(n->doc, v) : (struct str){ 0 };
    AUTO(buf_fini) struct buf b = BUF_INIT(1u << 20);
    for (uint32_t m = json_first(n->doc, v); m;
         m = json_next(n->doc, v, type == JSON_OBJECT ? m + 1 : m)) {
        struct str out;
        if (type == JSON_OBJECT) {
            must(json_string(n->doc, m, n->a, &p->part[p->n++]));
            out = naive_value(n, m + 1, p, false);
            p->n--;
        } else {
            out = naive_value(n, m, p, true);
        }
        if (out.n == 0)
            continue;
        buf_byte(&b, b.n ? ',' : type == JSON_OBJECT ? '{' : '[');
        if (type == JSON_OBJECT) {
            buf_str(&b, json_raw(n->doc, m));
            buf_byte(&b, ':');
        }
        buf_str(&b, out);
    }
    if (b.n)
        buf_byte(&b, type == JSON_OBJECT ? '}' : ']');
    return arena_str(n->a, buf_view(&b));
}

/* The message as it would read if the client had said everything itself, in our order. */
static struct str normalised(const struct event *e, struct arena *a)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(1u << 20);
    char time[TIME_TEXT + 1];
    time_format(e->timestamp_ms, time);
    buf_printf(&b, "{\"type\":\"track\",\"messageId\":\"m\",\"timestamp\":\"%s\"", time);
    if (e->device.n)
        buf_lit(&b, ",\"anonymousId\":\"d\"");
    if (e->person.n)
        buf_lit(&b, ",\"userId\":\"p\"");
    const struct json_doc *d = e->doc;
    uint32_t context = json_get(d, e->root, STR("context"));
    for (uint32_t k = json_first(d, e->root); k; k = json_next(d, e->root, k + 1)) {
        static const char *const ours[] = { "type",        "messageId", "timestamp",
                                            "anonymousId", "userId",    "context" };
        struct str key;
        must(json_string(d, k, a, &key));
        bool skip = false;
        for (size_t i = 0; i < COUNT(ours); i++)
            skip = skip || str_eq(key, str_of(ours[i]));
        if (!skip)
            buf_printf(&b, ",%.*s:%.*s", STR_ARG(json_raw(d, k)), STR_ARG(json_raw(d, k + 1)));
    }
    AUTO(buf_fini) struct buf c = BUF_INIT(1u << 20);
    if (e->request_ip.n)
        buf_lit(&c, ",\"ip\":\"9.9.9.9\"");
    if (e->request_user_agent.n)
        buf_lit(&c, ",\"userAgent\":\"R\"");
    if (json_type(d, context) != JSON_OBJECT)
        context = 0;
    uint32_t from[] = { context, e->batch_context };
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t k = json_first(d, from[i]); k; k = json_next(d, from[i], k + 1)) {
            struct str key;
            must(json_string(d, k, a, &key));
            if ((e->request_ip.n && str_eq(key, STR("ip"))) ||
                (e->request_user_agent.n && str_eq(key, STR("userAgent"))) ||
                (i == 1 && json_get(d, context, key)))
                continue;
            buf_printf(&c, ",%.*s:%.*s", STR_ARG(json_raw(d, k)), STR_ARG(json_raw(d, k + 1)));
        }
    }
    if (c.n)
        buf_printf(&b, ",\"context\":{%.*s}", (int)c.n - 1, c.p + 1);
    buf_byte(&b, '}');
    must(!b.over && !c.over);
    return arena_str(a, buf_view(&b));
}

static struct event random_event(struct arena *a)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(1u << 20);
    buf_lit(&b, "{\"context\":");
    random_object(&b, 0);
    buf_lit(&b, ",\"batch\":[");
    random_object(&b, 0);
    buf_lit(&b, "]}");
    struct json_doc *doc = arena_new(a, struct json_doc);
    must(json_scan(arena_str(a, buf_view(&b)), a, doc, NULL) == OK);
    struct event e = { .doc = doc,
                       .root = json_first(doc, json_get(doc, JSON_ROOT, STR("batch"))),
                       .type = STR("track"),
                       .message_id = STR("m"),
                       .timestamp_ms = pick(1u << 31) };
    if (pick(2))
        e.batch_context = json_get(doc, JSON_ROOT, STR("context"));
    if (pick(2))
        e.device = STR("d");
    if (pick(2))
        e.person = STR("p");
    if (pick(3) == 0)
        e.request_ip = STR("9.9.9.9");
    if (pick(3) == 0)
        e.request_user_agent = STR("R");
    return e;
}

/* ---- the properties ---- */

static void departing_is_what_a_naive_reading_says(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(buf_fini) struct buf body = BUF_INIT(1u << 20);
    AUTO(buf_fini) struct buf out = BUF_INIT(1u << 20);
    AUTO(buf_fini) struct buf names = BUF_INIT(1u << 20);
    const struct fields_keys keys = { .secret = secret };
    uint32_t something = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        arena_clear(&a);
        const struct policy *p = random_policy(&a);
        const struct fields_plan *plan = fields_compile(p, &a);
        struct event e = random_event(&a);
        struct json_doc whole, stored;
        must(json_scan(normalised(&e, &a), &a, &whole, NULL) == OK);
        struct fields_mask m = { pick(1u << USES), pick(1u << USES), pick(1u << USES) };
        buf_clear(&body);
        fields_reduce(plan, &e, &m, &a, &body);
        assert_int_equal(json_scan(buf_view(&body), &a, &stored, NULL), OK);
        for (uint32_t u = 0; u < USES; u++) {
            if (!(m.permitted >> u & 1))
                continue;
            bool device = m.device >> u & 1, person = m.person >> u & 1;
            buf_clear(&out);
            buf_clear(&names);
            assert_int_equal(
                fields_apply(plan, u, device, person, buf_view(&body), &keys, &a, &out, &names),
                OK);
            struct naive n = { &p->use[u], &whole, { true, device, person, false }, &a };
            struct path path = { .n = 0 };
            struct str want = naive_value(&n, JSON_ROOT, &path, false);
            if (want.n == 0)
                want = STR("{}");
            if (!str_eq(buf_view(&out), want))
                fail_msg("round %u use %u\n got %.*s\nwant %.*s\nfrom %.*s", round, u,
                         STR_ARG(buf_view(&out)), STR_ARG(want), STR_ARG(whole.text));
            assert_true((names.n == 0) == (want.n == 2));
            something += want.n > 2;
        }
    }
    assert_true(something > ROUNDS / 2); /* or nothing was compared at all */
}

/* Every scalar of a stored body is one that a permitted use may have, its owner passing. */
static void check_stored(const struct policy *p, const struct json_doc *d, uint32_t v,
                         struct path *path, bool item, const struct fields_mask *m, struct arena *a)
{
    enum json_type type = json_type(d, v);
    if (type >= JSON_ARRAY) {
        for (uint32_t k = json_first(d, v); k;
             k = json_next(d, v, type == JSON_OBJECT ? k + 1 : k)) {
            if (type == JSON_OBJECT)
                must(json_string(d, k, a, &path->part[path->n++]));
            check_stored(p, d, type == JSON_OBJECT ? k + 1 : k, path, type == JSON_ARRAY, m, a);
            path->n -= type == JSON_OBJECT;
        }
        return;
    }
    bool may = false;
    for (uint32_t u = 0; u < USES; u++) {
        const struct conf_destination *c = p->use[u].conf;
        const struct conf_field *f = item ? covering(c, path, path->n) : rule_for(c, path);
        uint64_t pass[] = { m->permitted, m->permitted & m->device, m->permitted & m->person, 0 };
        may = may || (f && f->treatment != CONF_DROP && pass[owner_of(path)] >> u & 1);
    }
    if (!may)
        fail_msg("%.*s of %.*s", STR_ARG(json_raw(d, v)), STR_ARG(d->text));
}

static void nothing_is_stored_that_no_permitted_use_may_have(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(buf_fini) struct buf body = BUF_INIT(1u << 20);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        arena_clear(&a);
        const struct policy *p = random_policy(&a);
        struct event e = random_event(&a);
        struct fields_mask m = { pick(1u << USES), pick(1u << USES), pick(1u << USES) };
        buf_clear(&body);
        fields_reduce(fields_compile(p, &a), &e, &m, &a, &body);
        struct json_doc stored;
        assert_int_equal(json_scan(buf_view(&body), &a, &stored, NULL), OK);
        struct path path = { .n = 0 };
        check_stored(p, &stored, JSON_ROOT, &path, false, &m, &a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(departing_is_what_a_naive_reading_says),
        cmocka_unit_test(nothing_is_stored_that_no_permitted_use_may_have),
    };
    return cmocka_run_group_tests_name("fields_random", tests, NULL, NULL);
}
