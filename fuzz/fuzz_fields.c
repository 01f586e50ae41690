/* A line of rules ("0kcontext.* 1hcontext.ip": use, treatment, path), then a message.
 * What is stored and what leaves is always JSON, and no owner's field leaves without
 * its owner. */
#include "transform/fields.h"

#include "base/limits.h"

#include "target.h"

enum { USES = 3, RULES = 32 };

static struct arena arena;
static struct str parameter[] = { STR_INIT("utm_*"), STR_INIT("q") };

static struct conf_field field_of(char treatment, struct str path)
{
    static const char letters[] = "dkptqh"; /* in the order of enum conf_treatment */
    const char *hit = strchr(letters, treatment ? treatment : 'd');
    struct conf_field f = { .path = path,
                            .treatment = hit ? (enum conf_treatment)(hit - letters) : CONF_KEEP,
                            .parameter = parameter,
                            .parameter_count = 2 };
    if (path.n && path.p[path.n - 1] == '*') {
        f.below = true;
        f.path.n -= path.n > 1 ? 2 : 1;
    }
    return f;
}

static const struct policy *policy_of(struct str rules)
{
    struct policy_use *use = arena_array(&arena, struct policy_use, USES);
    struct conf_destination *d = arena_array(&arena, struct conf_destination, USES);
    for (uint32_t u = 0; u < USES; u++) {
        d[u].field = arena_array(&arena, struct conf_field, RULES);
        use[u] = (struct policy_use){ .slot = u, .conf = &d[u] };
    }
    struct str rule;
    while (str_next(&rules, ' ', &rule)) {
        struct conf_destination *to = &d[rule.n ? (unsigned char)rule.p[0] % USES : 0];
        if (rule.n > 2 && rule.n < LIMIT_FIELD_PATH && to->field_count < RULES)
            to->field[to->field_count++] =
                field_of(rule.p[1], (struct str){ rule.p + 2, rule.n - 2 });
    }
    struct policy *p = arena_new(&arena, struct policy);
    *p = (struct policy){ .use = use, .use_count = USES };
    return p;
}

static struct json_doc scan(struct str text)
{
    struct json_doc d;
    must(json_scan(text, &arena, &d, NULL) == OK && json_type(&d, JSON_ROOT) == JSON_OBJECT);
    return d;
}

static void lacks_all(const struct json_doc *d, const char *const *path, size_t count)
{
    for (size_t i = 0; i < count; i++)
        must(json_find(d, JSON_ROOT, str_of(path[i])) == 0);
}

static void owners_hold(struct str json, bool device, bool person)
{
    static const char *const never[] = { "previousId", "groupId",         "mergeProperties",
                                         "writeKey",   "context.groupId", "context.previousId" };
    static const char *const devices[] = {
        "anonymousId",       "ids.ga4",        "context.ip",
        "context.sessionId", "context.device", "context.network"
    };
    static const char *const persons[] = { "userId", "traits", "context.traits", "ids.hubspot" };
    struct json_doc d = scan(json);
    lacks_all(&d, never, COUNT(never));
    if (!device)
        lacks_all(&d, devices, COUNT(devices));
    if (!person)
        lacks_all(&d, persons, COUNT(persons));
}

static void check_apply(const struct fields_plan *plan, uint32_t use, bool device, bool person,
                        struct str body)
{
    static const uint8_t secret[32] = { 7 };
    struct fields_keys keys = { .secret = secret, .at_ms = 1795310659999 };
    AUTO(buf_fini) struct buf out = BUF_INIT(64u << 20);
    AUTO(buf_fini) struct buf names = BUF_INIT(64u << 20);
    must(fields_apply(plan, use, device, person, body, &keys, &arena, &out, &names) == OK);
    must(!out.over && !names.over);
    owners_hold(buf_view(&out), device, person);
    must((out.n == 2) == (names.n == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str rules, text = { (const char *)data, n };
    arena_clear(&arena);
    struct json_doc doc;
    if (!str_next(&text, '\n', &rules) || text.p == NULL || n > 2 * LIMIT_EVENT ||
        json_scan(text, &arena, &doc, NULL) != OK || json_type(&doc, JSON_ROOT) != JSON_OBJECT)
        return 0;
    const struct fields_plan *plan = fields_compile(policy_of(rules), &arena);
    struct event e = { .doc = &doc,
                       .root = JSON_ROOT,
                       .type = STR("track"),
                       .message_id = STR("m\x01\""),
                       .device = n & 1 ? STR("d\"") : (struct str){ 0 },
                       .person = n & 2 ? STR("p") : (struct str){ 0 },
                       .request_ip = n & 4 ? STR("9.9.9.9") : (struct str){ 0 } };
    uint32_t batch = json_get(&doc, JSON_ROOT, STR("batch"));
    if (json_type(&doc, batch) == JSON_OBJECT) { /* then the message stands in the batch */
        uint32_t context = json_get(&doc, JSON_ROOT, STR("context"));
        e.batch_context = json_type(&doc, context) == JSON_OBJECT ? context : 0;
        e.root = batch;
    }
    for (uint64_t who = 0; who < 4; who++) {
        bool device = who & 1, person = who & 2;
        struct fields_mask m = { 7, device ? 7 : 0, person ? 7 : 0 };
        AUTO(buf_fini) struct buf body = BUF_INIT(64u << 20);
        fields_reduce(plan, &e, &m, &arena, &body);
        must(!body.over);
        owners_hold(buf_view(&body), device, person);
        for (uint32_t u = 0; u < USES; u++) {
            check_apply(plan, u, device, person, buf_view(&body));
            check_apply(plan, u, device, person, text); /* a body that nobody reduced */
        }
    }
    return 0;
}
