#include "transform/fields.h"

#include "base/limits.h"
#include "codec/time.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const uint8_t secret[32] = "thirty-two bytes of some secret";
static const uint64_t EVERY = ~(uint64_t)0;

/* Rules as the configuration has them: "path" or "prefix.*", use by use. */
struct rule {
    uint32_t use;
    const char *path;
    enum conf_treatment treatment;
};

static struct str utm[] = { STR_INIT("utm_*") };

static struct conf_field field_of(const struct rule *r)
{
    struct conf_field f = { .path = str_of(r->path), .treatment = r->treatment };
    if (f.path.n && f.path.p[f.path.n - 1] == '*') {
        f.below = true;
        f.path.n -= f.path.n > 1 ? 2 : 1;
    }
    if (f.treatment == CONF_QUERY) {
        f.parameter = utm;
        f.parameter_count = COUNT(utm);
    }
    return f;
}

static const struct policy *policy_of(const struct rule *rule, uint32_t count, uint32_t uses,
                                      struct arena *a)
{
    struct policy_use *use = arena_array(a, struct policy_use, uses);
    for (uint32_t u = 0; u < uses; u++) {
        struct conf_destination *d = arena_new(a, struct conf_destination);
        d->field = arena_array(a, struct conf_field, count);
        d->epoch_days = u * 30;
        for (uint32_t i = 0; i < count; i++) {
            if (rule[i].use == u)
                d->field[d->field_count++] = field_of(&rule[i]);
        }
        use[u] = (struct policy_use){ .slot = u + 5, .conf = d };
    }
    struct policy *p = arena_new(a, struct policy);
    *p = (struct policy){ .use = use, .use_count = uses };
    return p;
}

/* One event by hand; the texts that the message leaves to us have fixed values. */
static struct event event_of(struct str text, struct arena *a)
{
    struct json_doc *doc = arena_new(a, struct json_doc);
    struct json_fault fault = { 0 };
    if (json_scan(text, a, doc, &fault) != OK)
        fail_msg("%s at %u in %.*s", fault.why, fault.at, STR_ARG(text));
    return (struct event){ .doc = doc,
                           .root = JSON_ROOT,
                           .type = STR("track"),
                           .message_id = STR("m\"1"),
                           .timestamp_ms = 1795310651242,
                           .received_ms = 1795310659999 };
}

static struct str reduce(const struct policy *p, const struct event *e, struct fields_mask m,
                         struct arena *a)
{
    const struct fields_plan *plan = fields_compile(p, a);
    AUTO(buf_fini) struct buf b = BUF_INIT(4u << 20);
    fields_reduce(plan, e, &m, a, &b);
    assert_false(b.over);
    struct json_doc doc;
    assert_int_equal(json_scan(buf_view(&b), a, &doc, NULL), OK); /* whatever came in */
    return arena_str(a, buf_view(&b));
}

static struct str apply(const struct policy *p, uint32_t use, bool device, bool person,
                        struct str body, struct arena *a, struct str *ret_names)
{
    const struct fields_plan *plan = fields_compile(p, a);
    AUTO(buf_fini) struct buf b = BUF_INIT(4u << 20);
    AUTO(buf_fini) struct buf names = BUF_INIT(4u << 20);
    struct fields_keys keys = { .secret = secret, .at_ms = 1795310659999 };
    assert_int_equal(
        fields_apply(plan, use, device, person, body, &keys, a, &b, ret_names ? &names : NULL), OK);
    struct json_doc doc;
    assert_int_equal(json_scan(buf_view(&b), a, &doc, NULL), OK);
    if (ret_names)
        *ret_names = arena_str(a, buf_view(&names));
    return arena_str(a, buf_view(&b));
}

static void assert_text(struct str got, const char *want)
{
    if (!str_eq(got, str_of(want)))
        fail_msg("\n got %.*s\nwant %s", STR_ARG(got), want);
}

static const struct fields_mask everything = { EVERY, EVERY, EVERY };

/* ---- intake ---- */

struct reduce_row {
    struct rule rule[6];
    const char *message, *want;
};

static void check_reduce(const struct reduce_row *row, struct fields_mask m)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    uint32_t count = 0;
    while (count < COUNT(row->rule) && row->rule[count].path)
        count++;
    const struct policy *p = policy_of(row->rule, count, 3, &a);
    struct event e = event_of(str_of(row->message), &a);
    e.device = STR("d1");
    e.person = STR("p1");
    assert_text(reduce(p, &e, m, &a), row->want);
}

static void only_what_is_named_is_stored_and_as_it_stood(void **state)
{
    (void)state;
    static const struct reduce_row rows[] = {
        { { { 0 } }, "{\"event\":\"x\"}", "{}" },
        { { { 0, "event", CONF_KEEP } },
          "{ \"event\" : \"\\u0041\\/x\" , \"y\":1}",
          "{\"event\":\"\\u0041\\/x\"}" },
        { { { 0, "event", CONF_DROP } }, "{\"event\":\"x\"}", "{}" },
        { { { 0, "event", CONF_HASH } }, "{\"event\":\"x\"}", "{\"event\":\"x\"}" },
        { { { 0, "a", CONF_KEEP }, { 1, "b", CONF_KEEP } },
          "{\"a\":1.50,\"b\":1e5,\"c\":2}",
          "{\"a\":1.50,\"b\":1e5}" },
        { { { 0, "properties.*", CONF_KEEP } },
          "{\"properties\":{\"a\":[ 1, {\"b\":null} ],\"c\":{}}}",
          "{\"properties\":{\"a\":[ 1, {\"b\":null} ],\"c\":{}}}" },
        { { { 0, "properties.*", CONF_KEEP } },
          "{\"properties\":7}",
          "{}" }, /* below, not itself */
        { { { 0, "properties", CONF_KEEP } }, "{\"properties\":7}", "{\"properties\":7}" },
        { { { 0, "properties.address", CONF_KEEP } },
          "{\"properties\":{\"address\":{\"city\":\"X\"},\"b\":1}}",
          "{\"properties\":{\"address\":{\"city\":\"X\"}}}" },
        { { { 0, "properties.a.b", CONF_KEEP } },
          "{\"properties\":{\"a\":{\"c\":1},\"d\":{}}}",
          "{}" },
        { { { 0, "a.*", CONF_KEEP }, { 0, "a.b", CONF_DROP } },
          "{\"a\":{\"b\":1,\"c\":2}}",
          "{\"a\":{\"c\":2}}" },
        { { { 0, "a.*", CONF_DROP }, { 0, "a.b", CONF_KEEP } },
          "{\"a\":{\"b\":1,\"c\":2}}",
          "{\"a\":{\"b\":1}}" },
        { { { 0, "*", CONF_KEEP }, { 0, "a", CONF_DROP } },
          "{\"a\":{\"b\":1},\"c\":2}",
          "{\"type\":\"track\",\"messageId\":\"m\\\"1\",\"timestamp\":\"2026-11-22T01:24:11.242Z\","
          "\"anonymousId\":\"d1\",\"userId\":\"p1\",\"c\":2}" },
        /* items stand at their array's path */
        { { { 0, "a.b", CONF_KEEP } },
          "{\"a\":[{\"b\":1,\"c\":2},3,{\"c\":4},[{\"b\":5}]]}",
          "{\"a\":[{\"b\":1},[{\"b\":5}]]}" },
        { { { 0, "a.b", CONF_KEEP } }, "{\"a\":[1,2,{\"c\":3}]}", "{}" },
        { { { 0, "a", CONF_KEEP }, { 0, "a.b", CONF_DROP } },
          "{\"a\":[1,{\"b\":2,\"c\":3},{\"b\":2}]}",
          "{\"a\":[1,{\"c\":3}]}" },
        /* one use drops what another may have */
        { { { 0, "a", CONF_DROP }, { 1, "a", CONF_KEEP } }, "{\"a\":1}", "{\"a\":1}" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_reduce(&rows[i], everything);
}

static void what_the_event_says_replaces_what_the_message_says(void **state)
{
    (void)state;
    static const struct reduce_row rows[] = {
        { { { 0, "timestamp", CONF_KEEP } },
          "{\"timestamp\":\"1999-01-01T00:00:00Z\"}",
          "{\"timestamp\":\"2026-11-22T01:24:11.242Z\"}" },
        { { { 0, "timestamp", CONF_KEEP } }, "{}", "{\"timestamp\":\"2026-11-22T01:24:11.242Z\"}" },
        { { { 0, "messageId", CONF_KEEP } }, "{}", "{\"messageId\":\"m\\\"1\"}" },
        { { { 0, "type", CONF_KEEP } }, "{\"type\":{\"x\":1}}", "{\"type\":\"track\"}" },
        { { { 0, "anonymousId", CONF_KEEP }, { 0, "userId", CONF_HASH } },
          "{\"us\\u0065rId\":2}",
          "{\"anonymousId\":\"d1\",\"userId\":\"p1\"}" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_reduce(&rows[i], everything);
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct event e = event_of(STR("{\"anonymousId\":\"undefined\",\"userId\":\"\"}"), &a);
    const struct rule rules[] = { { 0, "anonymousId", CONF_KEEP }, { 0, "userId", CONF_KEEP } };
    assert_text(reduce(policy_of(rules, 2, 1, &a), &e, everything, &a), "{}");
}

static void the_context_comes_from_message_batch_and_request(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct event e = event_of(
        STR("{\"context\":{\"locale\":\"de\",\"page\":{\"path\":\"/a\"}},\"batch\":[{\"context\":"
            "{\"l\\u006fcale\":\"en\",\"ip\":\"1.2.3.4\"}},{\"context\":\"no\"},{\"context\":{}},{}"
            "]}"),
        &a);
    e.batch_context = json_get(e.doc, JSON_ROOT, STR("context"));
    uint32_t item = json_first(e.doc, json_get(e.doc, JSON_ROOT, STR("batch")));
    const struct rule rules[] = { { 0, "context.*", CONF_KEEP } };
    const struct policy *p = policy_of(rules, 1, 1, &a);

    e.root = item;
    assert_text(
        reduce(p, &e, everything, &a),
        "{\"context\":{\"l\\u006fcale\":\"en\",\"ip\":\"1.2.3.4\",\"page\":{\"path\":\"/a\"}}}");
    e.request_ip = STR("9.9.9.9");
    e.request_user_agent = STR("U\"A");
    assert_text(reduce(p, &e, everything, &a),
                "{\"context\":{\"ip\":\"9.9.9.9\",\"userAgent\":\"U\\\"A\",\"l\\u006fcale\":\"en\","
                "\"page\":{\"path\":\"/a\"}}}");
    for (int i = 0; i < 3; i++) { /* a context that is none, an empty one, none at all */
        e.root = item = json_next(e.doc, json_get(e.doc, JSON_ROOT, STR("batch")), item);
        assert_text(reduce(p, &e, everything, &a),
                    "{\"context\":{\"ip\":\"9.9.9.9\",\"userAgent\":\"U\\\"A\",\"locale\":\"de\","
                    "\"page\":{\"path\":\"/a\"}}}");
    }
    e.batch_context = 0;
    const struct fields_mask no_device = { EVERY, 0, EVERY };
    assert_text(reduce(p, &e, no_device, &a), "{}");
}

static void contexts_of_many_members_merge_as_well(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(buf_fini) struct buf text = BUF_INIT(1u << 20), want = BUF_INIT(1u << 20);
    /* the message says even names up to 200, the batch all up to 150, some of them escaped */
    buf_lit(&text, "{\"batch\":{\"context\":{\"x\":0");
    buf_lit(&want, "{\"context\":{\"x\":0");
    for (int i = 0; i < 200; i += 2) {
        buf_printf(&text, ",\"\\u006b%d\":%d", i, i);
        buf_printf(&want, ",\"\\u006b%d\":%d", i, i);
    }
    buf_lit(&text, "}},\"context\":{\"x\":1");
    for (int i = 0; i < 150; i++) {
        buf_printf(&text, ",\"k%d\":%d", i, -i);
        if (i % 2)
            buf_printf(&want, ",\"k%d\":%d", i, -i);
    }
    buf_lit(&text, "}}");
    buf_lit(&want, "}}");
    buf_byte(&want, 0);
    struct event e = event_of(buf_view(&text), &a);
    e.root = json_get(e.doc, JSON_ROOT, STR("batch"));
    e.batch_context = json_get(e.doc, JSON_ROOT, STR("context"));
    const struct rule rules[] = { { 0, "context.*", CONF_KEEP } };
    assert_text(reduce(policy_of(rules, 1, 1, &a), &e, everything, &a), want.p);
}

static const char owned[] = "{\"anonymousId\":\"d\",\"userId\":\"p\",\"traits\":{\"email\":\"e\"},"
                            "\"ids\":{\"ga4\":{\"client_id\":1},"
                            "\"clarity\":{\"session\":2},\"hubspot\":{\"contact\":3},\"other\":{"
                            "\"x\":4}},\"context\":{\"ip\":\"1.2.3.4\","
                            "\"userAgent\":\"UA\",\"userAgentData\":{\"mobile\":false},\"device\":{"
                            "\"id\":5},\"network\":{\"wifi\":true},"
                            "\"sessionId\":6,\"externalId\":[{\"id\":7}],\"externalIds\":[8],"
                            "\"traits\":{\"age\":9},\"groupId\":\"g\",\"previousId\":1,"
                            "\"locale\":\"de\"},\"previousId\":\"pp\",\"groupId\":\"gg\","
                            "\"mergeProperties\":[{\"type\":\"email\"}],"
                            "\"writeKey\":\"WK\",\"event\":\"x\"}";

static void owned_fields_leave_only_when_their_owner_passes(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    /* the widest rules there are, and every owned field by its name as well */
    const struct rule wide[] = { { 0, "*", CONF_KEEP } };
    const struct rule named[] = {
        { 0, "anonymousId", CONF_KEEP },     { 0, "userId", CONF_KEEP },
        { 0, "traits", CONF_KEEP },          { 0, "ids", CONF_KEEP },
        { 0, "context", CONF_KEEP },         { 0, "event", CONF_KEEP },
        { 0, "previousId", CONF_KEEP },      { 0, "groupId", CONF_KEEP },
        { 0, "mergeProperties", CONF_KEEP }, { 0, "writeKey", CONF_KEEP },
        { 0, "context.groupId", CONF_KEEP },
    };
    static const struct {
        bool device, person;
        const char *want;
    } rows[] = {
        { false, false, "\"event\":\"x\",\"context\":{\"locale\":\"de\"}}" },
        { true, false,
          "\"anonymousId\":\"d\",\"ids\":{\"ga4\":{\"client_id\":1},\"clarity\":{\"session\":2},"
          "\"other\":{\"x\":4}},\"event\":\"x\",\"context\":{\"ip\":\"1.2.3.4\",\"userAgent\":"
          "\"UA\","
          "\"userAgentData\":{\"mobile\":false},\"device\":{\"id\":5},\"network\":{\"wifi\":true},"
          "\"sessionId\":6,\"externalId\":[{\"id\":7}],\"externalIds\":[8],\"locale\":\"de\"}}" },
        { false, true,
          "\"userId\":\"p\",\"traits\":{\"email\":\"e\"},\"ids\":{\"hubspot\":{\"contact\":3}},"
          "\"event\":\"x\",\"context\":{\"traits\":{\"age\":9},\"locale\":\"de\"}}" },
        { true, true,
          "\"anonymousId\":\"d\",\"userId\":\"p\",\"traits\":{\"email\":\"e\"},\"ids\":{\"ga4\":{"
          "\"client_id\":1},\"clarity\":{\"session\":2},\"hubspot\":{\"contact\":3},\"other\":{"
          "\"x\":4}},"
          "\"event\":\"x\",\"context\":{\"ip\":\"1.2.3.4\",\"userAgent\":\"UA\",\"userAgentData\":{"
          "\"mobile\":false},\"device\":{\"id\":5},\"network\":{\"wifi\":true},\"sessionId\":6,"
          "\"externalId\":[{\"id\":7}],\"externalIds\":[8],\"traits\":{\"age\":9},\"locale\":"
          "\"de\"}}" },
    };
    struct event e = event_of(STR(owned), &a);
    e.device = STR("d");
    e.person = STR("p");
    const struct policy *policies[] = { policy_of(wide, COUNT(wide), 1, &a),
                                        policy_of(named, COUNT(named), 1, &a) };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t j = 0; j < COUNT(policies); j++) {
            struct fields_mask m = { 1, rows[i].device, rows[i].person };
            struct str body = reduce(policies[j], &e, m, &a);
            const char *head = j ? "{"
                                 : "{\"type\":\"track\",\"messageId\":\"m\\\"1\","
                                   "\"timestamp\":\"2026-11-22T01:24:11.242Z\",";
            struct str want = arena_printf(&a, "%s%s", head, rows[i].want);
            assert_text(body, want.p);
            /* and again when it departs, from a body that holds more than it should */
            assert_text(apply(policies[j], 0, rows[i].device, rows[i].person,
                              reduce(policies[j], &e, everything, &a), &a, NULL),
                        want.p);
            if (j == 0)
                continue;
            struct json_doc got, must_be;
            struct str from_raw =
                apply(policies[j], 0, rows[i].device, rows[i].person, STR(owned), &a, NULL);
            assert_int_equal(json_scan(from_raw, &a, &got, NULL), OK);
            assert_int_equal(json_scan(want, &a, &must_be, NULL), OK);
            assert_int_equal(got.count, must_be.count);
        }
    }
    /* without a permit an owner's consent is worth nothing */
    assert_text(reduce(policies[0], &e, (struct fields_mask){ 0, EVERY, EVERY }, &a), "{}");
}

static void uses_get_the_union_at_intake_and_their_own_at_departure(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    const struct rule rules[] = { { 0, "a", CONF_KEEP },
                                  { 0, "context.ip", CONF_KEEP },
                                  { 1, "b", CONF_KEEP },
                                  { 1, "context.ip", CONF_TRUNCATE_IP },
                                  { 2, "c", CONF_KEEP } };
    const struct policy *p = policy_of(rules, COUNT(rules), 3, &a);
    struct event e =
        event_of(STR("{\"a\":1,\"b\":2,\"c\":3,\"context\":{\"ip\":\"1.2.3.4\"}}"), &a);
    struct str body = reduce(p, &e, (struct fields_mask){ 3, 2, 0 }, &a);
    assert_text(body, "{\"a\":1,\"b\":2,\"context\":{\"ip\":\"1.2.3.4\"}}");
    assert_text(apply(p, 0, false, false, body, &a, NULL), "{\"a\":1}");
    assert_text(apply(p, 1, true, false, body, &a, NULL),
                "{\"b\":2,\"context\":{\"ip\":\"1.2.3.0\"}}");
    assert_text(apply(p, 2, true, true, body, &a, NULL), "{}");
    /* the address only for a use whose own device fields pass */
    assert_text(reduce(p, &e, (struct fields_mask){ 5, 2, 0 }, &a), "{\"a\":1,\"c\":3}");
}

static void keys_count_as_they_read(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    const struct rule rules[] = { { 0, "context.*", CONF_KEEP },
                                  { 0, "context.page.url", CONF_QUERY },
                                  { 0, "traits.*", CONF_KEEP },
                                  { 0, "userId", CONF_KEEP },
                                  { 0, "a..b", CONF_KEEP } };
    const struct policy *p = policy_of(rules, COUNT(rules), 1, &a);
    static const struct {
        const char *message, *want;
    } rows[] = {
        { "{\"use\\u0072Id\":\"p\",\"tr\\u0061its\":{\"a\":1}}", "{}" },
        { "{\"con\\u0074ext\":{\"\\u0069p\":\"1.2.3.4\",\"tr\\u0061its\":{\"a\":1},\"x\":1}}",
          "{\"context\":{\"x\":1}}" },
        /* a dot within a key is no step */
        { "{\"context.page.url\":\"u\",\"context\":{\"page.url\":\"u\",\"x.y\":1}}",
          "{\"context\":{\"page.url\":\"u\",\"x.y\":1}}" },
        { "{\"context\\u002eip\":\"1.2.3.4\",\"context.traits\":1,\".\":1,\"*\":2,\"\":3}", "{}" },
        { "{\"context\":{\"\":1,\"*\":2,\"\\u002a\\\"\":3}}",
          "{\"context\":{\"\":1,\"*\":2,\"\\u002a\\\"\":3}}" },
        { "{\"a\":{\"\":{\"b\":1,\"c\":2},\"b\":3}}", "{\"a\":{\"\":{\"b\":1}}}" },
        /* arrays do not hide an owner either */
        { "{\"context\":{\"traits\":[{\"a\":1}],\"device\":[[1]],\"y\":2}}",
          "{\"context\":{\"y\":2}}" },
        { "{\"context\":[{\"ip\":\"1.2.3.4\",\"x\":1}]}", "{}" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct event e = event_of(str_of(rows[i].message), &a);
        e.person = STR("p");
        assert_text(reduce(p, &e, (struct fields_mask){ 1, 0, 0 }, &a), rows[i].want);
    }
    /* at departure, from a body that nobody reduced */
    assert_text(apply(p, 0, false, false,
                      STR("{\"context\":[{\"\\u0069p\":\"1\",\"x\":1}],\"use\\u0072Id\":2}"), &a,
                      NULL),
                "{\"context\":[{\"x\":1}]}");
}

static void deep_messages_stay_within_the_limits(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    const struct rule rules[] = { { 0, "a.*", CONF_HASH }, { 0, "a.a.a.a.a", CONF_KEEP } };
    const struct policy *p = policy_of(rules, COUNT(rules), 1, &a);
    AUTO(buf_fini) struct buf b = BUF_INIT(1u << 20);
    for (int i = 0; i < LIMIT_JSON_DEPTH - 1; i++)
        buf_lit(&b, "{\"a\":");
    buf_lit(&b, "[]");
    for (int i = 0; i < LIMIT_JSON_DEPTH - 1; i++)
        buf_byte(&b, '}');
    struct event e = event_of(buf_view(&b), &a);
    struct str body = reduce(p, &e, everything, &a);
    assert_true(str_eq(body, buf_view(&b)));
    assert_true(str_eq(apply(p, 0, true, true, body, &a, NULL), body));
}

/* ---- departure ---- */

static void every_treatment_does_its_work(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    const struct rule rules[] = {
        { 1, "hash", CONF_HASH },  { 1, "ip", CONF_TRUNCATE_IP },
        { 1, "url", CONF_QUERY },  { 1, "pseudo.*", CONF_PSEUDONYMISE },
        { 1, "h.*", CONF_HASH },   { 1, "h.keep", CONF_KEEP },
        { 1, "u.*", CONF_QUERY },  { 1, "keep", CONF_KEEP },
        { 0, "other", CONF_KEEP }, { 1, "whole", CONF_HASH },
    };
    const struct policy *p = policy_of(rules, COUNT(rules), 2, &a);
    static const char one_hash[] =
        "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";
    static const struct {
        const char *body, *want;
    } rows[] = {
        { "{\"hash\":1}", "{\"hash\":\"@\"}" },
        { "{\"hash\":\" 1 \"}", "{\"hash\":\"@\"}" },
        { "{\"hash\":\"\\u0031\"}", "{\"hash\":\"@\"}" },
        { "{\"hash\":\"\"}", "{}" },
        { "{\"hash\":null}", "{\"hash\":null}" },
        { "{\"ip\":\"1.2.3.4\"}", "{\"ip\":\"1.2.3.0\"}" },
        { "{\"ip\":\"nowhere\"}", "{}" },
        { "{\"ip\":7,\"url\":7}", "{}" },
        { "{\"ip\":null,\"url\":true}", "{}" },
        { "{\"ip\":[\"1.2.3.4\"],\"url\":{\"a\":\"/\"}}", "{}" },
        { "{\"url\":\"\\/a?x=1&utm_a=\\\"\"}", "{\"url\":\"/a?utm_a=\\\"\"}" },
        { "{\"url\":\"\"}", "{\"url\":\"\"}" },
        { "{\"url\":\"mailto:a@b.test\"}", "{}" },
        { "{\"h\":{\"a\":1,\"b\":[1,{\"c\":\"1\"},{}],\"keep\":1,\"e\":{},\"n\":null}}",
          "{\"h\":{\"a\":\"@\",\"b\":[\"@\",{\"c\":\"@\"}],\"keep\":1,\"n\":null}}" },
        { "{\"h\":1}", "{}" },
        { "{\"u\":{\"a\":\"/?x=1\",\"b\":1,\"c\":[\"/#\"]}}",
          "{\"u\":{\"a\":\"/\",\"c\":[\"/\"]}}" },
        { "{\"whole\":{\"a\":[1]}}", "{\"whole\":{\"a\":[\"@\"]}}" },
        { "{\"keep\":{\"a\":[],\"b\":{}},\"other\":1}", "{\"keep\":{\"a\":[],\"b\":{}}}" },
        { "{}", "{}" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(buf_fini) struct buf want = BUF_INIT(4096);
        for (const char *c = rows[i].want; *c; c++)
            *c == '@' && strstr(rows[i].body, "a@b") == NULL ? buf_str(&want, STR(one_hash))
                                                             : buf_byte(&want, *c);
        buf_byte(&want, 0);
        assert_text(apply(p, 1, true, true, str_of(rows[i].body), &a, NULL), want.p);
    }
    struct str x =
        apply(p, 1, true, true, STR("{\"pseudo\":{\"a\":1,\"b\":\"1\",\"c\":true}}"), &a, NULL);
    struct json_doc doc;
    assert_int_equal(json_scan(x, &a, &doc, NULL), OK);
    struct str va, vb, vc;
    assert_true(json_string(&doc, json_find(&doc, JSON_ROOT, STR("pseudo.a")), &a, &va));
    assert_true(json_string(&doc, json_find(&doc, JSON_ROOT, STR("pseudo.b")), &a, &vb));
    assert_true(json_string(&doc, json_find(&doc, JSON_ROOT, STR("pseudo.c")), &a, &vc));
    assert_true(str_eq(va, vb));
    assert_false(str_eq(va, vc));
    assert_int_equal(va.n, 32);
}

static struct str pseudonym_of(const struct policy *p, uint32_t use, const uint8_t key[32],
                               int64_t at_ms, struct arena *a)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(4096);
    struct fields_keys keys = { .secret = key, .at_ms = at_ms };
    assert_int_equal(fields_apply(fields_compile(p, a), use, true, true, STR("{\"v\":\"u1\"}"),
                                  &keys, a, &b, NULL),
                     OK);
    return arena_str(a, buf_view(&b));
}

static void pseudonyms_differ_per_destination_epoch_and_secret(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    const struct rule rules[] = { { 0, "v", CONF_PSEUDONYMISE },
                                  { 1, "v", CONF_PSEUDONYMISE },
                                  { 2, "v", CONF_PSEUDONYMISE } };
    const struct policy *p = policy_of(rules, 3, 3, &a); /* epochs of 0, 30 and 60 days */
    static const uint8_t other[32] = "another secret";
    const int64_t day = 24LL * 3600 * 1000, at = 60 * 300 * day;
    struct str all[] = {
        pseudonym_of(p, 0, secret, at, &a), pseudonym_of(p, 1, secret, at, &a),
        pseudonym_of(p, 2, secret, at, &a), pseudonym_of(p, 1, secret, at + 30 * day, &a),
        pseudonym_of(p, 0, other, at, &a),
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        for (size_t j = 0; j < i; j++)
            assert_false(str_eq(all[i], all[j]));
    }
    assert_true(str_eq(all[0], pseudonym_of(p, 0, secret, at + 900 * day, &a)));
    assert_true(str_eq(all[1], pseudonym_of(p, 1, secret, at + 29 * day, &a)));
    assert_true(str_eq(all[2], pseudonym_of(p, 2, secret, at + 59 * day, &a)));
}

static void names_tell_what_left(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    const struct rule rules[] = { { 0, "event", CONF_KEEP },
                                  { 0, "properties.*", CONF_KEEP },
                                  { 0, "context.page.url", CONF_QUERY },
                                  { 0, "context.ip", CONF_TRUNCATE_IP } };
    const struct policy *p = policy_of(rules, COUNT(rules), 1, &a);
    struct str names;
    (void)apply(p, 0, true, true,
                STR("{\"properties\":{\"z\":1,\"a\":[{\"b\":1},{\"b\":2},3],\"e\":{},"
                    "\"some@body.test\":1,\"x,y\":{\"k\":1}},\"event\":\"x\",\"context\":{\"page\":"
                    "{\"url\":\"/\",\"title\":1},\"ip\":\"none\"},\"name\":\"n\"}"),
                &a, &names);
    assert_text(names, "context.page.url,event,properties.*,properties.*.k,properties.a,"
                       "properties.a.b,properties.e,properties.z");
    (void)apply(p, 0, true, true, STR("{}"), &a, &names);
    assert_text(names, "");
    (void)apply(
        p, 0, true, true,
        STR("{\"properties\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":1,\"g\":2},\"h\":3}}}}}}"),
        &a, &names);
    assert_text(names, "properties.a.b.c.d.e,properties.a.b.c.d.h");
}

static void a_damaged_body_is_told(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    const struct rule rules[] = { { 0, "*", CONF_KEEP } };
    const struct fields_plan *plan = fields_compile(policy_of(rules, 1, 1, &a), &a);
    static const char *const bad[] = {
        "", "{", "[]", "7", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "null"
    };
    struct fields_keys keys = { .secret = secret };
    for (size_t i = 0; i < COUNT(bad); i++) {
        AUTO(buf_fini) struct buf b = BUF_INIT(100);
        assert_int_equal(fields_apply(plan, 0, true, true, str_of(bad[i]), &keys, &a, &b, NULL),
                         ERR_CORRUPT);
        assert_int_equal(b.n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_named_is_stored_and_as_it_stood),
        cmocka_unit_test(what_the_event_says_replaces_what_the_message_says),
        cmocka_unit_test(the_context_comes_from_message_batch_and_request),
        cmocka_unit_test(contexts_of_many_members_merge_as_well),
        cmocka_unit_test(owned_fields_leave_only_when_their_owner_passes),
        cmocka_unit_test(uses_get_the_union_at_intake_and_their_own_at_departure),
        cmocka_unit_test(keys_count_as_they_read),
        cmocka_unit_test(deep_messages_stay_within_the_limits),
        cmocka_unit_test(every_treatment_does_its_work),
        cmocka_unit_test(pseudonyms_differ_per_destination_epoch_and_secret),
        cmocka_unit_test(names_tell_what_left),
        cmocka_unit_test(a_damaged_body_is_told),
    };
    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
