#include "collect/segment.h"
#include "collect/segment_recorded.h"

#include "base/limits.h"
#include "codec/text.h"
#include "codec/time.h"
#include "consent/ledger.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const char received_text[] = "2026-11-22T01:30:00.000Z";

enum { STATISTICS = 1, MARKETING = 2, LINKING = 4, ALL_PURPOSES = 7 };
enum { OWN = 1, GA4 = 2, HOOK = 4, ALL_USES = 7 };

static struct str marketing_category[] = { STR_INIT("Advertising"), STR_INIT("ads") };
static const struct conf_purpose purposes[] = {
    { .id = STR_INIT("statistics") },
    { .id = STR_INIT("marketing"),
      .consent_category = marketing_category,
      .consent_category_count = 2 },
    { .id = STR_INIT("linking") },
};
static const struct conf_destination destinations[] = {
    { .id = STR_INIT("own") },
    { .id = STR_INIT("ga4") },
    { .id = STR_INIT("Hook") },
};
static const struct policy_purpose policy_purposes[] = { { .conf = &purposes[0] },
                                                         { .conf = &purposes[1] },
                                                         { .conf = &purposes[2] } };
static const struct policy_use policy_uses[] = { { .conf = &destinations[0] },
                                                 { .conf = &destinations[1] },
                                                 { .conf = &destinations[2] } };
static const struct policy policy = {
    .purpose = policy_purposes, .purpose_count = 3, .use = policy_uses, .use_count = 3
};

/* One request and what came of it. */
struct given {
    struct arena a;
    struct collect_request q;
    struct collect_result r;
    struct err_info info;
};

static int given_new(void **state)
{
    struct given *g = must_alloc_zero(sizeof *g);
    must(time_parse(STR(received_text), &g->q.received_ms));
    g->q.path = STR("/v1/track");
    *state = g;
    return 0;
}

static int given_free(void **state)
{
    struct given *g = *state;
    arena_fini(&g->a);
    free_ptr(state);
    return 0;
}

static enum err collect(struct given *g, const char *body)
{
    g->r = (struct collect_result){ 0 };
    g->info = (struct err_info){ 0 };
    g->q.body = str_of(body);
    struct json_doc *doc;
    enum err err = collect_segment_scan(&g->q, &g->a, &doc, &g->info);
    return err ? err : collect_segment_events(&g->q, doc, &policy, &g->a, &g->r, &g->info);
}

static const struct event *one(struct given *g, const char *body)
{
    assert_int_equal(collect(g, body), OK);
    if (g->r.rejected_count)
        print_message("rejected: %s\n", g->r.rejected[0].why);
    assert_int_equal(g->r.rejected_count, 0);
    assert_int_equal(g->r.event_count, 1);
    return &g->r.event[0];
}

static void rejects(struct given *g, const char *body, const char *why)
{
    assert_int_equal(collect(g, body), OK);
    assert_int_equal(g->r.event_count, 0);
    assert_int_equal(g->r.rejected_count, 1);
    assert_non_null(strstr(g->r.rejected[0].why, why));
}

#define assert_str(s, text) assert_true(str_eq((s), str_of(text)))

static void assert_time(int64_t ms, const char *text)
{
    char got[TIME_TEXT + 1];
    time_format(ms, got);
    assert_string_equal(got, text);
}

/* ---- as recorded ---- */

static void segment_node_batches_give_six_events(void **state)
{
    struct given *g = *state;
    g->q.path = STR("/v1/batch");
    assert_int_equal(collect(g, segment_node_batch), OK);
    assert_int_equal(g->r.event_count, 6);
    assert_int_equal(g->r.rejected_count, 0);
    static const struct {
        const char *type, *person, *device, *timestamp;
        uint64_t lowered;
    } want[] = {
        /* sentAt is 01:24:11.253, received 01:30:00.000: 5:48.747 are added */
        { "track", "u1", "an1", "2026-01-02T03:09:53.747Z", MARKETING },
        { "page", "u1", "", "2026-11-22T01:29:59.990Z", MARKETING },
        { "screen", "", "an1", "2026-11-22T01:29:59.991Z", 0 },
        { "identify", "u1", "an1", "2026-11-22T01:29:59.991Z", 0 },
        { "group", "u1", "", "2026-11-22T01:29:59.991Z", 0 },
        { "alias", "u1", "", "2026-11-22T01:29:59.991Z", 0 },
    };
    for (size_t i = 0; i < COUNT(want); i++) {
        const struct event *e = &g->r.event[i];
        assert_str(e->type, want[i].type);
        assert_str(e->person, want[i].person);
        assert_str(e->device, want[i].device);
        assert_time(e->timestamp_ms, want[i].timestamp);
        assert_int_equal(e->lowered, want[i].lowered);
        assert_int_equal(e->lowered_uses, 0);
        assert_true(str_starts(e->message_id, STR("node-next-17953106512")));
        assert_int_equal(id_ms(&e->id), g->q.received_ms);
    }
}

static void segment_browser_requests_are_read(void **state)
{
    struct given *g = *state;
    g->q.path = STR("/v1/p");
    g->q.from_browser = true;
    g->q.ip = STR("192.0.2.9");
    g->q.user_agent = STR("UA of the request");
    const struct event *e = one(g, segment_browser_page);
    assert_str(e->type, "page");
    assert_str(e->person, "u1");
    assert_str(e->device, "37bfe769-aa40-4430-a328-d4d441ba0a8f");
    assert_str(e->request_ip, "192.0.2.9");
    assert_int_equal(e->request_user_agent.n, 0); /* the message brings its own */
    assert_time(e->timestamp_ms, "2026-11-22T01:29:59.901Z");

    g->q.path = STR("/v1/b");
    assert_int_equal(collect(g, segment_browser_batch), OK);
    assert_int_equal(g->r.event_count, 3);
    assert_str(g->r.event[1].type, "track");
    assert_int_equal(g->r.event[0].lowered, 0);
    assert_int_equal(g->r.event[1].lowered, MARKETING);
}

static void rudder_node_batches_come_compressed_as_a_form(void **state)
{
    struct given *g = *state;
    g->q.path = STR("/v1/batch");
    g->q.body = (struct str){ (const char *)rudder_node_batch_gzip, sizeof rudder_node_batch_gzip };
    struct json_doc *doc;
    assert_int_equal(collect_segment_scan(&g->q, &g->a, &doc, &g->info), OK);
    assert_int_equal(collect_segment_events(&g->q, doc, &policy, &g->a, &g->r, &g->info), OK);
    assert_int_equal(g->r.event_count, 4);
    static const char *const type[] = { "page", "identify", "group", "alias" };
    for (size_t i = 0; i < COUNT(type); i++) {
        assert_str(g->r.event[i].type, type[i]);
        assert_str(g->r.event[i].person, "u1");
        assert_int_equal(g->r.event[i].device.n, 0); /* previousId and groupId are nobody's */
    }
    /* sentAt .603 within the message, originalTimestamp .565 */
    assert_time(g->r.event[0].timestamp_ms, "2026-11-22T01:29:59.962Z");
}

static void rudder_browser_requests_are_read(void **state)
{
    struct given *g = *state;
    g->q.path = STR("/v1/page");
    const struct event *e = one(g, rudder_browser_page);
    assert_str(e->type, "page");
    assert_int_equal(e->person.n, 0); /* "" is no id */
    assert_str(e->device, "70513aad-c7e1-457e-a911-c313b7e07c64");
    assert_str(e->message_id, "65ea59ff-8474-42b1-b5a9-a584246eb18b");
    assert_time(e->timestamp_ms, "2026-11-22T01:29:59.994Z");

    g->q.path = STR("/beacon/v1/batch");
    assert_int_equal(collect(g, rudder_browser_batch), OK);
    assert_int_equal(g->r.event_count, 3);
    assert_str(g->r.event[2].type, "identify");
    assert_str(g->r.event[2].person, "u1");
}

/* ---- type ---- */

static void the_path_names_the_type_of_a_single_message(void **state)
{
    struct given *g = *state;
    static const struct {
        const char *path, *body, *type;
    } rows[] = {
        { "/v1/track", "{\"userId\":\"u\"}", "track" },
        { "/v1/t", "{\"userId\":\"u\"}", "track" },
        { "/v1/page", "{\"userId\":\"u\"}", "page" },
        { "/v1/p", "{\"userId\":\"u\"}", "page" },
        { "/v1/identify", "{\"userId\":\"u\"}", "identify" },
        { "/v1/i", "{\"userId\":\"u\"}", "identify" },
        { "/v1/group", "{\"userId\":\"u\"}", "group" },
        { "/v1/g", "{\"userId\":\"u\"}", "group" },
        { "/v1/alias", "{\"userId\":\"u\"}", "alias" },
        { "/v1/a", "{\"userId\":\"u\"}", "alias" },
        { "/v1/screen", "{\"userId\":\"u\"}", "screen" },
        { "/v1/s", "{\"userId\":\"u\"}", "screen" },
        { "/v1/merge", "{\"userId\":\"u\"}", "merge" },
        { "/v1/track", "{\"userId\":\"u\",\"type\":\"page\"}", "page" },  /* the body wins */
        { "/v1/track", "{\"userId\":\"u\",\"type\":\"Page\"}", "track" }, /* unless it is wrong */
        { "/v1/track", "{\"userId\":\"u\",\"type\":7}", "track" },
        { "/v1/track", "{\"userId\":\"u\",\"ty\\u0070e\":\"page\"}", "page" },
        { "/v1/batch", "{\"userId\":\"u\",\"type\":\"page\"}", "page" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        g->q.path = str_of(rows[i].path);
        assert_str(one(g, rows[i].body)->type, rows[i].type);
    }
    static const char *const none[] = {
        "/v1/batch", "/v1/b", "/v1/import", "/v1/m", "/v1", "/", ""
    };
    for (size_t i = 0; i < COUNT(none); i++) {
        g->q.path = str_of(none[i]);
        rejects(g, "{\"userId\":\"u\"}", "type");
    }
    g->q.path = STR("/v1/track"); /* which is not the type of a batch's items */
    rejects(g, "{\"batch\":[{\"userId\":\"u\"}]}", "type");
}

/* ---- identity ---- */

static void an_event_needs_somebody(void **state)
{
    struct given *g = *state;
    static const char *const nobody[] = {
        "{}",
        "{\"userId\":\"\"}",
        "{\"userId\":null,\"anonymousId\":\"\"}",
        "{\"userId\":\"undefined\",\"anonymousId\":\"null\"}",
        "{\"userId\":0}",
        "{\"userId\":true}",
        "{\"groupId\":\"g1\"}",
        "{\"previousId\":\"p1\"}",
        "{\"mergeProperties\":[{\"type\":\"email\",\"value\":\"a@b.test\"}]}",
        "{\"context\":{\"traits\":{\"userId\":\"u\"}}}",
        "{\"properties\":{\"userId\":\"u\"}}",
    };
    for (size_t i = 0; i < COUNT(nobody); i++)
        rejects(g, nobody[i], "no userId or anonymousId");
    const struct event *e = one(g, "{\"userId\":\"undefined\",\"anonymousId\":\"a1\"}");
    assert_int_equal(e->person.n, 0);
    assert_str(e->device, "a1");
}

static void ids_are_text_and_numbers_become_text(void **state)
{
    struct given *g = *state;
    const struct event *e = one(g, "{\"userId\":12345678901234567,\"anonymousId\":-7}");
    assert_str(e->person, "12345678901234567");
    assert_str(e->device, "-7");
    e = one(g, "{\"use\\u0072Id\":\"\\u00fc\\ud83d\\ude00\",\"messageId\":42}");
    assert_str(e->person, "\xc3\xbc\xf0\x9f\x98\x80");
    assert_str(e->message_id, "42");
    rejects(g, "{\"userId\":{\"id\":1},\"anonymousId\":\"a\"}", "userId");
    rejects(g, "{\"userId\":\"u\",\"anonymousId\":[\"a\"]}", "anonymousId");
}

static void long_ids_are_refused(void **state)
{
    struct given *g = *state;
    static const char *const member[] = { "userId", "anonymousId", "messageId" };
    char id[LIMIT_ID + 2];
    memset(id, 'x', sizeof id);
    for (size_t i = 0; i < COUNT(member); i++) {
        /* somebody else is there, so that only the length can be at fault */
        const char *other = i == 0 ? "anonymousId" : "userId";
        struct str ok =
            arena_printf(&g->a, "{\"%s\":\"%.*s\",\"%s\":\"o\"}", member[i], LIMIT_ID, id, other);
        (void)one(g, ok.p);
        struct str bad = arena_printf(&g->a, "{\"%s\":\"%.*s\",\"%s\":\"o\"}", member[i],
                                      LIMIT_ID + 1, id, other);
        rejects(g, bad.p, member[i]);
    }
}

static void an_alias_is_about_its_user_alone(void **state)
{
    struct given *g = *state;
    const struct event *e =
        one(g, "{\"type\":\"alias\",\"previousId\":\"old\",\"userId\":\"new\"}");
    assert_str(e->person, "new");
    assert_int_equal(e->device.n, 0);
    rejects(g, "{\"type\":\"alias\",\"previousId\":\"old\"}", "no userId");
}

static void the_anonymous_id_header_helps_out(void **state)
{
    struct given *g = *state;
    g->q.anonymous_id = STR("NzA1MTNhYWQtYzdlMS00NTdlLWE5MTEtYzMxM2I3ZTA3YzY0");
    assert_str(one(g, "{}")->device, "70513aad-c7e1-457e-a911-c313b7e07c64");
    assert_str(one(g, "{\"anonymousId\":\"null\"}")->device,
               "70513aad-c7e1-457e-a911-c313b7e07c64");
    assert_str(one(g, "{\"anonymousId\":\"own\"}")->device, "own");
    static const char *const bad[] = { "%%%", "dW5kZWZpbmVk" /* undefined */, "/w==" /* 0xff */,
                                       "" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        g->q.anonymous_id = str_of(bad[i]);
        rejects(g, "{}", "no userId");
    }
    char id[LIMIT_ID + 1];
    memset(id, 'x', sizeof id);
    g->q.anonymous_id = base64_encode((struct str){ id, sizeof id }, &g->a);
    rejects(g, "{}", "no userId");
}

static void a_missing_message_id_is_made_up(void **state)
{
    struct given *g = *state;
    static const char *const none[] = { "{\"userId\":\"u\"}",
                                        "{\"userId\":\"u\",\"messageId\":\"\"}",
                                        "{\"userId\":\"u\",\"messageId\":null}" };
    struct str last = { 0 };
    for (size_t i = 0; i < COUNT(none); i++) {
        const struct event *e = one(g, none[i]);
        struct id id;
        assert_true(id_parse(e->message_id, &id));
        assert_int_equal(id_ms(&id), g->q.received_ms);
        assert_false(str_eq(e->message_id, last));
        last = e->message_id;
    }
}

/* ---- time ---- */

static void times_are_corrected_for_the_clients_clock(void **state)
{
    struct given *g = *state;
    static const struct {
        const char *members, *want;
    } rows[] = {
        /* half an hour slow, said 10 s after it happened */
        { "\"timestamp\":\"2026-11-22T00:59:50Z\",\"sentAt\":\"2026-11-22T01:00:00Z\"",
          "2026-11-22T01:29:50.000Z" },
        { "\"originalTimestamp\":\"2026-11-22T00:59:40Z\",\"timestamp\":\"2026-11-22T00:00:00Z\","
          "\"sentAt\":\"2026-11-22T01:00:00Z\"",
          "2026-11-22T01:29:40.000Z" },
        { "\"originalTimestamp\":\"x\",\"timestamp\":\"2026-11-22T00:59:50Z\","
          "\"sentAt\":\"2026-11-22T01:00:00Z\"",
          "2026-11-22T01:29:50.000Z" },
        /* a clock that runs ahead */
        { "\"timestamp\":\"2031-01-01T00:00:00Z\",\"sentAt\":\"2031-01-01T00:00:01Z\"",
          "2026-11-22T01:29:59.000Z" },
        /* nothing to compare with: taken as it is */
        { "\"timestamp\":\"2026-11-21T00:00:00Z\"", "2026-11-21T00:00:00.000Z" },
        { "\"timestamp\":\"2026-11-21T00:00:00Z\",\"sentAt\":\"soon\"",
          "2026-11-21T00:00:00.000Z" },
        /* never ahead of us */
        { "\"timestamp\":\"2026-11-22T02:00:00Z\",\"sentAt\":\"2026-11-22T01:00:00Z\"",
          received_text },
        { "\"timestamp\":\"2026-12-01T00:00:00Z\"", received_text },
        /* ten years are enough */
        { "\"timestamp\":\"2016-11-23T00:00:00Z\"", "2016-11-23T00:00:00.000Z" },
        { "\"timestamp\":\"2016-11-20T00:00:00Z\"", received_text },
        { "\"timestamp\":\"1970-01-01T00:00:00Z\",\"sentAt\":\"9999-12-31T00:00:00Z\"",
          received_text },
        { "\"timestamp\":\"yesterday\",\"sentAt\":\"2026-11-22T01:00:00Z\"", received_text },
        { "\"timestamp\":1795310651242", received_text },
        { "\"x\":1", received_text },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str body = arena_printf(&g->a, "{\"userId\":\"u\",%s}", rows[i].members);
        assert_time(one(g, body.p)->timestamp_ms, rows[i].want);
        assert_int_equal(g->r.event[0].received_ms, g->q.received_ms);
    }
}

static void a_messages_sent_at_goes_before_the_batchs(void **state)
{
    struct given *g = *state;
    const struct event *e = one(
        g, "{\"sentAt\":\"2026-11-22T01:00:00Z\",\"batch\":[{\"type\":\"track\",\"userId\":\"u\","
           "\"timestamp\":\"2026-11-22T00:59:50Z\",\"sentAt\":\"2026-11-22T01:00:20Z\"}]}");
    assert_time(e->timestamp_ms, "2026-11-22T01:29:30.000Z");
    e = one(g, "{\"batch\":[{\"type\":\"track\",\"userId\":\"u\","
               "\"timestamp\":\"2026-11-22T00:59:50Z\"}],\"sentAt\":\"2026-11-22T01:00:00Z\"}");
    assert_time(e->timestamp_ms, "2026-11-22T01:29:50.000Z");
}

/* ---- context ---- */

static void only_browsers_leave_their_address_to_us(void **state)
{
    struct given *g = *state;
    static const struct {
        const char *context;
        bool browser, ip, agent;
    } rows[] = {
        { "{}", true, true, true },
        { "{}", false, false, false },
        { "{\"ip\":\"1.2.3.4\"}", true, false, true },
        { "{\"userAgent\":\"mine\"}", true, true, false },
        { "{\"ip\":\"1.2.3.4\",\"userAgent\":\"mine\"}", true, false, false },
        { "{\"ip\":\"1.2.3.4\",\"userAgent\":\"mine\",\"direct\":true}", true, true, true },
        { "{\"ip\":\"1.2.3.4\",\"userAgent\":\"mine\",\"direct\":true}", false, false, false },
        { "{\"ip\":\"1.2.3.4\",\"direct\":false}", true, false, true },
        { "{\"ip\":\"\",\"userAgent\":null}", true, true, true },
        { "null", true, true, true },
        { "[]", true, true, true },
    };
    g->q.ip = STR("192.0.2.9");
    g->q.user_agent = STR("Agent");
    for (size_t i = 0; i < COUNT(rows); i++) {
        g->q.from_browser = rows[i].browser;
        struct str body = arena_printf(&g->a, "{\"userId\":\"u\",\"context\":%s}", rows[i].context);
        const struct event *e = one(g, body.p);
        assert_str(e->request_ip, rows[i].ip ? "192.0.2.9" : "");
        assert_str(e->request_user_agent, rows[i].agent ? "Agent" : "");
    }
    g->q.from_browser = true;
    const struct event *e =
        one(g, "{\"context\":{\"ip\":\"1.2.3.4\"},\"batch\":["
               "{\"type\":\"track\",\"userId\":\"u\",\"context\":{\"direct\":true}}]}");
    assert_str(e->request_ip, "192.0.2.9");
    e = one(g, "{\"context\":{\"ip\":\"1.2.3.4\"},\"batch\":["
               "{\"type\":\"track\",\"userId\":\"u\",\"context\":{}}]}");
    assert_str(e->request_ip, "");
}

static void a_strange_user_agent_does_no_harm(void **state)
{
    struct given *g = *state;
    g->q.from_browser = true;
    g->q.user_agent = STR("a\xff\x00\xc3\xbc\xed\xa0\x80"
                          "b");
    assert_str(one(g, "{\"userId\":\"u\"}")->request_user_agent, "a??\xc3\xbc???b");
    char longer[1025];
    memset(longer, 'x', sizeof longer);
    g->q.user_agent = (struct str){ longer, sizeof longer };
    assert_int_equal(one(g, "{\"userId\":\"u\"}")->request_user_agent.n, 0);
}

static void what_the_batch_says_stands_under_every_message(void **state)
{
    struct given *g = *state;
    assert_int_equal(
        collect(g, "{\"context\":{\"consent\":{\"categoryPreferences\":{\"statistics\":false}}},"
                   "\"integrations\":{\"ga4\":false,\"hook\":false},\"batch\":["
                   "{\"type\":\"track\",\"userId\":\"u\"},"
                   "{\"type\":\"track\",\"userId\":\"u\",\"context\":{\"locale\":\"de\"},"
                   "\"integrations\":{\"ga4\":true}},"
                   "{\"type\":\"track\",\"userId\":\"u\",\"context\":{\"consent\":"
                   "{\"categoryPreferences\":{\"marketing\":false}}}}]}"),
        OK);
    assert_int_equal(g->r.event_count, 3);
    static const uint64_t lowered[] = { STATISTICS, STATISTICS, MARKETING };
    static const uint64_t uses[] = { GA4 | HOOK, HOOK, GA4 | HOOK };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(g->r.event[i].lowered, lowered[i]);
        assert_int_equal(g->r.event[i].lowered_uses, uses[i]);
        assert_int_not_equal(g->r.event[i].batch_context, 0);
        assert_int_not_equal(g->r.event[i].batch_integrations, 0);
    }
}

static void signals_and_test_go_with_every_event(void **state)
{
    struct given *g = *state;
    g->q.signals = SIGNAL_GPC;
    g->q.test = true;
    const struct event *e = one(g, "{\"userId\":\"u\",\"context\":{\"gpc\":false}}");
    assert_int_equal(e->signals, SIGNAL_GPC);
    assert_true(e->test);
}

/* ---- what the event denies ---- */

static void consent_in_the_context_can_only_lower(void **state)
{
    struct given *g = *state;
    static const struct {
        const char *context;
        uint64_t lowered;
    } rows[] = {
        { "{}", 0 },
        { "{\"consent\":{}}", 0 },
        { "{\"consent\":{\"categoryPreferences\":{}}}", ALL_PURPOSES },
        { "{\"consent\":{\"categoryPreferences\":{\"other\":true}}}", 0 },
        { "{\"consent\":{\"categoryPreferences\":{\"other\":false}}}", 0 },
        { "{\"consent\":{\"categoryPreferences\":{\"statistics\":true,\"linking\":true}}}", 0 },
        { "{\"consent\":{\"categoryPreferences\":{\"statistics\":false}}}", STATISTICS },
        { "{\"consent\":{\"categoryPreferences\":{\"Advertising\":false}}}", MARKETING },
        { "{\"consent\":{\"categoryPreferences\":{\"advertising\":false}}}", MARKETING },
        { "{\"consent\":{\"categoryPreferences\":{\"ads\":false,\"Advertising\":true}}}",
          MARKETING },
        { "{\"consent\":{\"categoryPreferences\":{\"st\\u0061tistics\":false}}}", STATISTICS },
        { "{\"consent\":{\"categoryPreferences\":{\"statistics\":\"false\"}}}", STATISTICS },
        { "{\"consent\":{\"categoryPreferences\":{\"statistics\":\"true\",\"ads\":1}}}", 0 },
        { "{\"consent\":{\"categoryPreferences\":{\"statistics\":null,\"ads\":{}}}}",
          STATISTICS | MARKETING },
        { "{\"consent\":{\"categoryPreferences\":null}}", ALL_PURPOSES },
        { "{\"consent\":{\"categoryPreferences\":[\"statistics\"]}}", ALL_PURPOSES },
        { "{\"consent\":null}", ALL_PURPOSES },
        { "{\"consent\":false}", ALL_PURPOSES },
        { "{\"consentManagement\":{\"allowedConsentIds\":[\"statistics\"],"
          "\"deniedConsentIds\":[]}}",
          0 },
        { "{\"consentManagement\":{\"allowedConsentIds\":[\"statistics\"],"
          "\"deniedConsentIds\":[\"Advertising\",\"linking\",7,null]}}",
          MARKETING | LINKING },
        { "{\"consentManagement\":{\"deniedConsentIds\":\"x\"}}", ALL_PURPOSES },
        { "{\"consent\":{\"deniedConsentIds\":[\"statistics\"]}}", STATISTICS },
        { "{\"consent\":{\"categoryPreferences\":{\"linking\":false}},"
          "\"consentManagement\":{\"deniedConsentIds\":[\"ads\"]}}",
          LINKING | MARKETING },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str body = arena_printf(&g->a, "{\"userId\":\"u\",\"context\":%s}", rows[i].context);
        uint64_t got = one(g, body.p)->lowered;
        if (got != rows[i].lowered)
            print_message("%s\n", rows[i].context);
        assert_int_equal(got, rows[i].lowered);
    }
}

static void integrations_deny_destinations(void **state)
{
    struct given *g = *state;
    static const struct {
        const char *integrations;
        uint64_t uses;
    } rows[] = {
        { "{}", 0 },
        { "null", 0 },
        { "{\"All\":true}", 0 },
        { "{\"Segment.io\":true,\"Other\":false}", 0 },
        { "{\"All\":false}", ALL_USES },
        { "{\"all\":false}", ALL_USES },
        { "{\"All\":null}", ALL_USES },
        { "{\"All\":false,\"ga4\":true}", OWN | HOOK },
        { "{\"ga4\":true,\"All\":false}", OWN | HOOK },
        { "{\"All\":false,\"GA4\":{\"clientId\":\"1\"}}", OWN | HOOK },
        { "{\"All\":false,\"ga4\":\"yes\"}", ALL_USES },
        { "{\"All\":true,\"ga4\":false}", GA4 },
        { "{\"hook\":false,\"OWN\":false}", OWN | HOOK },
        { "{\"g\\u0061\\u0034\":false}", GA4 },
        { "{\"ga4\":null}", GA4 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str body =
            arena_printf(&g->a, "{\"userId\":\"u\",\"integrations\":%s}", rows[i].integrations);
        assert_int_equal(one(g, body.p)->lowered_uses, rows[i].uses);
    }
    const struct event *e =
        one(g, "{\"integrations\":{\"All\":false},\"batch\":[{\"type\":\"track\","
               "\"userId\":\"u\",\"integrations\":{\"All\":true}}]}");
    assert_int_equal(e->lowered_uses, 0);
}

/* ---- envelopes ---- */

static void a_bad_message_does_not_harm_the_others(void **state)
{
    struct given *g = *state;
    assert_int_equal(collect(g, "{\"batch\":[1,{\"type\":\"track\",\"userId\":\"a\"},{},null,"
                                "{\"type\":\"track\",\"userId\":\"u\",\"anonymousId\":[]},[],"
                                "{\"type\":\"page\",\"anonymousId\":\"b\"}]}"),
                     OK);
    assert_int_equal(g->r.event_count, 2);
    assert_str(g->r.event[0].person, "a");
    assert_int_equal(g->r.event[0].device.n, 0);
    assert_str(g->r.event[1].device, "b");
    assert_int_equal(g->r.event[1].person.n, 0); /* nothing is left of those refused before */
    static const uint32_t index[] = { 0, 2, 3, 4, 5 };
    assert_int_equal(g->r.rejected_count, COUNT(index));
    for (size_t i = 0; i < COUNT(index); i++)
        assert_int_equal(g->r.rejected[i].index, index[i]);
}

static void wrong_envelopes_are_refused_as_a_whole(void **state)
{
    struct given *g = *state;
    static const struct {
        const char *body;
        enum err err;
        const char *field;
    } rows[] = {
        { "", ERR_SYNTAX, "body" },
        { "[]", ERR_VALUE, "body" },
        { "7", ERR_VALUE, "body" },
        { "{\"batch\":{}}", ERR_VALUE, "batch" },
        { "{\"batch\":null}", ERR_VALUE, "batch" },
        { "{\"batch\":[}", ERR_SYNTAX, "body" },
        { "{\"userId\":\"a\",\"use\\u0072Id\":\"b\"}", ERR_SYNTAX, "body" },
        { "{\"userId\":\"a\\u0000\"}", ERR_SYNTAX, "body" },
        { "\x1f\x8b\x08", ERR_SYNTAX, "body" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(collect(g, rows[i].body), rows[i].err);
        assert_string_equal(g->info.field, rows[i].field);
        assert_null(g->r.event);
    }
    assert_int_equal(collect(g, "{\"batch\":[]}"), OK);
    assert_int_equal(g->r.event_count + g->r.rejected_count, 0);
}

/* {"batch":[item,item,…]} with something in front. */
static const char *batch_of(struct given *g, const char *head, const char *item, uint32_t count)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(LIMIT_BODY_INFLATED);
    buf_printf(&b, "{%s\"batch\":[", head);
    for (uint32_t i = 0; i < count; i++) {
        buf_str(&b, str_of(i ? "," : ""));
        buf_str(&b, str_of(item));
    }
    buf_lit(&b, "]}");
    assert_false(b.over);
    return arena_str(&g->a, buf_view(&b)).p;
}

static void batches_and_messages_have_their_limits(void **state)
{
    struct given *g = *state;
    const char *item = "{\"type\":\"track\",\"userId\":\"u\"}";
    assert_int_equal(collect(g, batch_of(g, "", item, LIMIT_BATCH)), OK);
    assert_int_equal(g->r.event_count, LIMIT_BATCH);
    assert_int_equal(collect(g, batch_of(g, "", item, LIMIT_BATCH + 1)), ERR_LIMIT);
    assert_string_equal(g->info.field, "batch");

    char *pad = arena_alloc(&g->a, LIMIT_EVENT + 1);
    memset(pad, 'x', LIMIT_EVENT);
    int frame = (int)strlen("{\"userId\":\"u\",\"x\":\"\"}"), max = (int)LIMIT_EVENT;
    (void)one(g, arena_printf(&g->a, "{\"userId\":\"u\",\"x\":\"%.*s\"}", max - frame, pad).p);
    rejects(g, arena_printf(&g->a, "{\"userId\":\"u\",\"x\":\"%.*s\"}", max - frame + 1, pad).p,
            "larger");
    /* the batch's context counts with each message, and cannot be multiplied without end */
    const char *head = arena_printf(&g->a, "\"context\":{\"x\":\"%.*s\"},", max, pad).p;
    rejects(g, batch_of(g, head, item, 1), "larger");
    head = arena_printf(&g->a, "\"context\":{\"x\":\"%.*s\"},", 4000, pad).p;
    assert_int_equal(collect(g, batch_of(g, head, item, 100)), OK);
    assert_int_equal(g->r.event_count, 100);
    head = arena_printf(&g->a, "\"context\":{\"x\":\"%.*s\"},", 16000, pad).p;
    assert_int_equal(collect(g, batch_of(g, head, item, 1000)), ERR_LIMIT);
    assert_string_equal(g->info.field, "context");
}

static void compressed_bodies_have_a_limit_when_inflated(void **state)
{
    struct given *g = *state;
    g->q.body = (struct str){ arena_alloc(&g->a, LIMIT_BODY + 1), LIMIT_BODY + 1 };
    struct json_doc *doc = NULL;
    assert_int_equal(collect_segment_scan(&g->q, &g->a, &doc, &g->info), ERR_LIMIT);
    assert_string_equal(g->info.field, "body");
    g->q.body =
        (struct str){ (const char *)rudder_node_batch_gzip, sizeof rudder_node_batch_gzip - 1 };
    assert_int_equal(collect_segment_scan(&g->q, &g->a, &doc, &g->info), ERR_SYNTAX);
    assert_null(doc);
}

/* ---- keys ---- */

static void the_write_key_comes_from_header_query_or_body(void **state)
{
    struct given *g = *state;
    static const struct {
        const char *header, *query, *body, *key;
    } rows[] = {
        { "Basic V0tfVEVTVDo=", "", "{}", "WK_TEST" },
        { "basic  V0tfVEVTVDo=", "", "{}", "WK_TEST" },
        { "Basic V0tfVEVTVA==", "", "{}", "WK_TEST" },     /* without the colon */
        { "Basic V0tfVEVTVDpwYXNz", "", "{}", "WK_TEST" }, /* with a password */
        { "Bearer tok", "", "{}", "tok" },
        { "Basic V0tfVEVTVDo=", "writeKey=Q", "{\"writeKey\":\"B\"}", "WK_TEST" },
        { "", "a=1&writeKey=Q%2B", "{\"writeKey\":\"B\"}", "Q+" },
        { "", "writeKey=", "{\"writeKey\":\"B\"}", "B" },
        { "", "", "{\"writeKey\":\"B\"}", "B" },
        { "Basic %%%", "", "{\"writeKey\":\"B\"}", "B" }, /* no key, as if not there */
        { "Basic Og==", "", "{\"writeKey\":\"B\"}", "B" },
        { "Digest x", "", "{}", "" },
        { "Basic", "", "{}", "" },
        { "Basic ", "", "{\"writeKey\":7}", "" },
        { "BasicV0tfVEVTVDo=", "", "{}", "" },
        { "", "", "[\"writeKey\"]", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        g->q.authorization = str_of(rows[i].header);
        g->q.query = str_of(rows[i].query);
        g->q.body = str_of(rows[i].body);
        struct json_doc *doc;
        assert_int_equal(collect_segment_scan(&g->q, &g->a, &doc, NULL), OK);
        assert_str(collect_segment_key(&g->q, doc, &g->a), rows[i].key);
    }
    g->q.authorization = g->q.query = (struct str){ 0 };
    assert_int_equal(collect_segment_key(&g->q, NULL, &g->a).n, 0);
}

/* ---- pixels ---- */

static void pixels_become_messages(void **state)
{
    struct given *g = *state;
    g->q.path = STR("/pixel/v1/page");
    g->q.from_browser = true;
    g->q.ip = STR("192.0.2.9");
    g->q.query =
        STR("writeKey=WK&anonymousId=a%22b&name=Home+page&context.page.url="
            "https%3A%2F%2Fex.test%2F%3Fq%3D1&context.locale=de&properties.a.b=1&name=2"
            "&properties.a=x&context=no&type=track&batch=1&batch.x=2&bad=%ff%00&=x&a..b=1");
    assert_int_equal(collect_segment_pixel(&g->q, &policy, &g->a, &g->r, &g->info), OK);
    assert_int_equal(g->r.event_count, 1);
    const struct event *e = &g->r.event[0];
    assert_str(e->type, "page");
    assert_str(e->device, "a\"b");
    assert_str(e->request_ip, "192.0.2.9");
    assert_int_equal(e->timestamp_ms, g->q.received_ms);
    assert_str(json_raw(e->doc, e->root),
               "{\"anonymousId\":\"a\\\"b\",\"name\":\"Home page\","
               "\"context\":{\"page\":{\"url\":\"https://ex.test/?q=1\"},\"locale\":\"de\"},"
               "\"properties\":{\"a\":{\"b\":\"1\"}},\"bad\":\"??\",\"a\":{\"\":{\"b\":\"1\"}}}");
    g->q.path = STR("/pixel/v1/track");
    g->q.query = STR("userId=u&context.consent.categoryPreferences.statistics=false"
                     "&integrations.All=false");
    assert_int_equal(collect_segment_pixel(&g->q, &policy, &g->a, &g->r, &g->info), OK);
    assert_str(g->r.event[0].type, "track");
    assert_int_equal(g->r.event[0].lowered, STATISTICS);
    assert_int_equal(g->r.event[0].lowered_uses, ALL_USES);
}

static void hostile_pixels_are_bounded(void **state)
{
    struct given *g = *state;
    g->q.path = STR("/pixel/v1/track");
    AUTO(buf_fini) struct buf b = BUF_INIT(1u << 20);
    buf_lit(&b, "userId=u&");
    for (int i = 0; i < 5000; i++)
        buf_lit(&b, "a.");
    buf_lit(&b, "=1");
    g->q.query = buf_view(&b);
    assert_int_equal(collect_segment_pixel(&g->q, &policy, &g->a, &g->r, &g->info), OK);
    assert_int_equal(g->r.event_count, 1);
    buf_clear(&b);
    for (int i = 0; i < 200; i++)
        buf_printf(&b, "a%d=1&", i);
    g->q.query = buf_view(&b);
    assert_int_equal(collect_segment_pixel(&g->q, &policy, &g->a, &g->r, &g->info), ERR_LIMIT);
    assert_string_equal(g->info.field, "query");
    buf_clear(&b);
    buf_lit(&b, "userId=u&x=");
    for (int i = 0; i < 10000; i++)
        buf_lit(&b, "abcd");
    g->q.query = buf_view(&b);
    assert_int_equal(collect_segment_pixel(&g->q, &policy, &g->a, &g->r, &g->info), ERR_LIMIT);
    g->q.query = (struct str){ 0 };
    assert_int_equal(collect_segment_pixel(&g->q, &policy, &g->a, &g->r, &g->info), OK);
    assert_int_equal(g->r.rejected_count, 1);
}

/* ---- what the SDKs ask first ---- */

static void answers_for_the_sdks_are_json_that_names_us(void **state)
{
    struct given *g = *state;
    struct str s = collect_segment_settings(STR("WK"), STR("collect.shop.example"), true, &g->a);
    assert_str(s, "{\"integrations\":{\"Segment.io\":{\"apiKey\":\"WK\",\"apiHost\":"
                  "\"collect.shop.example/v1\",\"protocol\":\"https\"}},\"plan\":{},"
                  "\"legacyVideoPluginsEnabled\":false}");
    struct json_doc doc;
    s = collect_segment_settings(STR("\"\\<\xff\n"), STR("h\"x"), false, &g->a);
    assert_int_equal(json_scan(s, &g->a, &doc, NULL), OK);
    struct str got;
    assert_true(json_string(
        &doc,
        json_get(&doc,
                 json_get(&doc, json_get(&doc, JSON_ROOT, STR("integrations")), STR("Segment.io")),
                 STR("apiKey")),
        &g->a, &got));
    assert_str(got, "\"\\<?\n");
    s = collect_segment_source_config(STR("W\"K"), &g->a);
    assert_int_equal(json_scan(s, &g->a, &doc, NULL), OK);
    uint32_t source = json_get(&doc, JSON_ROOT, STR("source"));
    assert_true(json_string(&doc, json_get(&doc, source, STR("writeKey")), &g->a, &got));
    assert_str(got, "W\"K");
    assert_int_equal(json_type(&doc, json_get(&doc, source, STR("enabled"))), JSON_TRUE);
    assert_int_equal(json_type(&doc, json_get(&doc, source, STR("destinations"))), JSON_ARRAY);
    assert_int_not_equal(json_find(&doc, source, STR("config.statsCollection.errors.enabled")), 0);
}

#define t(name) cmocka_unit_test_setup_teardown(name, given_new, given_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        t(segment_node_batches_give_six_events),
        t(segment_browser_requests_are_read),
        t(rudder_node_batches_come_compressed_as_a_form),
        t(rudder_browser_requests_are_read),
        t(the_path_names_the_type_of_a_single_message),
        t(an_event_needs_somebody),
        t(ids_are_text_and_numbers_become_text),
        t(long_ids_are_refused),
        t(an_alias_is_about_its_user_alone),
        t(the_anonymous_id_header_helps_out),
        t(a_missing_message_id_is_made_up),
        t(times_are_corrected_for_the_clients_clock),
        t(a_messages_sent_at_goes_before_the_batchs),
        t(only_browsers_leave_their_address_to_us),
        t(a_strange_user_agent_does_no_harm),
        t(what_the_batch_says_stands_under_every_message),
        t(signals_and_test_go_with_every_event),
        t(consent_in_the_context_can_only_lower),
        t(integrations_deny_destinations),
        t(a_bad_message_does_not_harm_the_others),
        t(wrong_envelopes_are_refused_as_a_whole),
        t(batches_and_messages_have_their_limits),
        t(compressed_bodies_have_a_limit_when_inflated),
        t(the_write_key_comes_from_header_query_or_body),
        t(pixels_become_messages),
        t(hostile_pixels_are_bounded),
        t(answers_for_the_sdks_are_json_that_names_us),
    };
    return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
