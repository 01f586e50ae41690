#include "deliver/destination.h"
#include "codec/json.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const struct destination *webhook(void)
{
    const struct destination *w = destination_find(STR("webhook"));
    assert_non_null(w);
    return w;
}

static struct id id_of(const char *text)
{
    struct id id;
    assert_true(id_parse(str_of(text), &id));
    return id;
}

static void two_events(struct outgoing_event ret_event[2])
{
    ret_event[0] =
        (struct outgoing_event){ id_of("0190b5c7-0000-7000-8000-000000000001"), 1795310651242,
                                 STR("{\"type\":\"track\",\"event\":\"Grüße\"}") };
    ret_event[1] =
        (struct outgoing_event){ id_of("0190b5c7-0000-7000-8000-000000000002"), 0, STR("{}") };
}

static const char two_body[] =
    "{\"batch\":[{\"id\":\"0190b5c7-0000-7000-8000-000000000001\","
    "\"received\":\"2026-11-22T01:24:11.242Z\",\"event\":{\"type\":\"track\",\"event\":\"Grüße\"}},"
    "{\"id\":\"0190b5c7-0000-7000-8000-000000000002\",\"received\":\"1970-01-01T00:00:00.000Z\","
    "\"event\":{}}]}";

static struct str header(const struct outgoing_request *q, struct str name)
{
    for (uint32_t i = 0; i < q->header_count; i++)
        if (str_starts(q->header[i], name))
            return (struct str){ q->header[i].p + name.n, q->header[i].n - name.n };
    return (struct str){ 0 };
}

static void assert_str(struct str s, const char *expected)
{
    if (!str_eq(s, str_of(expected)))
        fail_msg("got \"%.*s\", expected \"%s\"", STR_ARG(s), expected);
}

/* signatures made with Node's crypto module over the same bytes */
static void request_is_that_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        const char *secret, *signature;
    } rows[] = {
        { "a plain secret", "v1,9Vq6JdiGUYuw4bakyShR0nqMrH8smAf/cnwxDnm3gSE=" },
        { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
          "v1,zWE+YqMV84pus5ah428F/hlUmVwEiTCG94ZwQc5oHpU=" },
        { "", "" },
    };
    struct outgoing_event event[2];
    two_events(event);
    struct id request = id_of("0190b5c7-0000-7000-8000-00000000000a");
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct conf_destination conf = { .endpoint = STR("https://hooks.shop.example/in?x=1"),
                                         .secret = str_of(rows[i].secret) };
        struct outgoing_request q;
        assert_int_equal(webhook()->build(&conf, event, 2, &request, 1795310651999, &a, &q), OK);
        assert_string_equal(q.method, "POST");
        assert_str(q.url, "https://hooks.shop.example/in?x=1");
        assert_str(buf_view(&q.body), two_body);
        assert_str(header(&q, STR("Content-Type: ")), "application/json");
        assert_str(header(&q, STR("webhook-id: ")), "0190b5c7-0000-7000-8000-00000000000a");
        assert_str(header(&q, STR("webhook-timestamp: ")), "1795310651");
        assert_str(header(&q, STR("webhook-signature: ")), rows[i].signature);
        assert_int_equal(q.header_count, rows[i].secret[0] ? 4 : 3);
        buf_fini(&q.body);
    }
}

static void repeated_request_differs_in_time_and_signature_only(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct outgoing_event event[2];
    two_events(event);
    struct id request = id_new(1);
    struct conf_destination conf = { .endpoint = STR("https://h.example/"), .secret = STR("s") };
    struct outgoing_request first, second;
    assert_int_equal(webhook()->build(&conf, event, 2, &request, 1000, &a, &first), OK);
    assert_int_equal(webhook()->build(&conf, event, 2, &request, 99000, &a, &second), OK);
    assert_true(str_eq(buf_view(&first.body), buf_view(&second.body)));
    assert_true(str_eq(header(&first, STR("webhook-id: ")), header(&second, STR("webhook-id: "))));
    assert_str(header(&first, STR("webhook-timestamp: ")), "1");
    assert_str(header(&second, STR("webhook-timestamp: ")), "99");
    assert_false(str_eq(header(&first, STR("webhook-signature: ")),
                        header(&second, STR("webhook-signature: "))));
    buf_fini(&first.body);
    buf_fini(&second.body);
}

static void secret_that_cannot_be_decoded_signs_nothing(void **state)
{
    (void)state;
    static const char *const secret[] = { "whsec_", "whsec_!", "whsec_a" };
    struct outgoing_event event[2];
    two_events(event);
    struct id request = id_new(1);
    for (size_t i = 0; i < COUNT(secret); i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct conf_destination conf = { .endpoint = STR("https://h.example/"),
                                         .secret = str_of(secret[i]) };
        struct outgoing_request q = { 0 };
        assert_int_equal(webhook()->build(&conf, event, 2, &request, 1, &a, &q), ERR_VALUE);
        assert_null(q.body.p);
    }
}

static void body_stops_at_its_limit(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    enum { EVENTS = 40, EACH = 30000 };
    char *text = arena_alloc(&a, EACH);
    memset(text, 'x', EACH);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + EACH - 2, "\"}", 2);
    struct outgoing_event event[EVENTS];
    struct id request = id_new(1);
    for (int i = 0; i < EVENTS; i++)
        event[i] = (struct outgoing_event){ id_new(1), 1, { text, EACH } };
    struct conf_destination conf = { .endpoint = STR("https://h.example/") };
    struct outgoing_request q = { 0 };
    assert_int_equal(webhook()->build(&conf, event, EVENTS, &request, 1, &a, &q), ERR_LIMIT);
    assert_null(q.body.p);
    assert_int_equal(webhook()->build(&conf, event, EVENTS / 2, &request, 1, &a, &q), OK);
    struct json_doc doc;
    assert_int_equal(json_scan(buf_view(&q.body), &a, &doc, NULL), OK);
    assert_int_equal(doc.node[json_get(&doc, JSON_ROOT, STR("batch"))].count, EVENTS / 2);
    buf_fini(&q.body);
}

static void every_status_has_one_meaning(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum answer answer;
    } rows[] = {
        { 0, ANSWER_UNCERTAIN },   { 99, ANSWER_UNCERTAIN }, { 199, ANSWER_UNCERTAIN },
        { 200, ANSWER_SENT },      { 204, ANSWER_SENT },     { 299, ANSWER_SENT },
        { 301, ANSWER_RETRY },     { 307, ANSWER_RETRY },    { 400, ANSWER_REFUSED },
        { 401, ANSWER_REFUSED },   { 404, ANSWER_REFUSED },  { 408, ANSWER_RETRY },
        { 410, ANSWER_REFUSED },   { 413, ANSWER_REFUSED },  { 425, ANSWER_RETRY },
        { 429, ANSWER_RETRY },     { 499, ANSWER_REFUSED },  { 500, ANSWER_RETRY },
        { 503, ANSWER_RETRY },     { 599, ANSWER_RETRY },    { 600, ANSWER_UNCERTAIN },
        { 999, ANSWER_UNCERTAIN }, { -1, ANSWER_UNCERTAIN },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (webhook()->judge(rows[i].status, (struct str){ 0 }) != rows[i].answer)
            fail_msg("status %d", rows[i].status);
}

static void only_known_types_are_sent_to(void **state)
{
    (void)state;
    assert_non_null(destination_find(STR("webhook")));
    static const char *const none[] = { "own", "", "web", "webhook ", "WEBHOOK", "webhooks" };
    for (size_t i = 0; i < COUNT(none); i++)
        assert_null(destination_find(str_of(none[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_that_of_the_standard),
        cmocka_unit_test(repeated_request_differs_in_time_and_signature_only),
        cmocka_unit_test(secret_that_cannot_be_decoded_signs_nothing),
        cmocka_unit_test(body_stops_at_its_limit),
        cmocka_unit_test(every_status_has_one_meaning),
        cmocka_unit_test(only_known_types_are_sent_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
