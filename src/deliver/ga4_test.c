#include "deliver/destination.h"
#include "base/clock.h"
#include "codec/json.h"
#include "deliver/house.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* ---- one event ---- */

enum { NOW_S = 1795310651 };
#define AT_MS (NOW_S * 1000LL)
#define HOUR_MS (3600 * 1000LL)

static const struct destination *ga4(void)
{
    const struct destination *d = destination_find(STR("ga4"));
    assert_non_null(d);
    assert_non_null(d->fit);
    return d;
}

static const struct conf_destination conf = { .endpoint = STR_INIT("https://ga.example"),
                                              .measurement_id = STR_INIT("G-ABC123"),
                                              .secret = STR_INIT("a secret&x=1/%") };

static enum reason fit(const char *body, struct arena *a, struct fitted *ret_f)
{
    const struct outgoing_event e = {
        .received_ms = AT_MS - 1000, .body = str_of(body), .has_device = true, .device_fields = true
    };
    *ret_f = (struct fitted){ 0 };
    return ga4()->fit(&conf, &e, AT_MS, a, ret_f);
}

/* The value at a path of the request, as text; numbers of events count as members do not: "events" is the first. */
static struct str at(struct str request, const char *path, struct arena *a)
{
    struct json_doc d;
    assert_int_equal(json_scan(request, a, &d, NULL), OK);
    struct str p = str_of(path);
    uint32_t from = JSON_ROOT;
    if (str_starts(p, STR("events."))) {
        from = json_first(&d, json_get(&d, JSON_ROOT, STR("events")));
        p = (struct str){ p.p + 7, p.n - 7 };
    }
    return json_raw(&d, json_find(&d, from, p));
}

static void assert_at(struct str request, const char *path, const char *expected, struct arena *a)
{
    struct str got = at(request, path, a);
    if (!str_eq(got, str_of(expected)))
        fail_msg("%s is %.*s, expected %s, in %.*s", path, STR_ARG(got), expected,
                 STR_ARG(request));
}

#define ID "\"anonymousId\":\"1.2\","

static void each_event_is_a_request_of_its_own(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct fitted f;
    assert_int_equal(
        fit("{" ID "\"type\":\"track\",\"event\":\"A b\",\"properties\":{\"n\":1}}", &a, &f),
        REASON_PERMITTED);
    assert_string_equal(
        f.body.p, "{\"client_id\":\"1.2\",\"consent\":{\"ad_user_data\":\"DENIED\","
                  "\"ad_personalization\":\"DENIED\"},\"events\":[{\"name\":\"A_b\",\"params\":{"
                  "\"engagement_time_msec\":1,\"n\":1},\"timestamp_micros\":1795310650000000}]}");
    assert_string_equal(f.names.p, "anonymousId,event,properties.n,type");
    assert_true(str_eq(f.whom, STR("{\"client_id\":\"1.2\"")));
    assert_true(str_starts(f.body, f.beside) && str_starts(f.beside, f.whom));
    assert_int_equal(f.cut + f.omitted, 0);
}

static void what_cannot_be_sent_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum reason reason;
    } rows[] = {
        { "{" ID "\"event\":\"fine\"}", REASON_PERMITTED },
        { "{" ID "\"type\":\"page\"}", REASON_PERMITTED },
        { "{\"type\":\"track\",\"event\":\"A\"}", REASON_NO_ID },
        { "{\"anonymousId\":\"\",\"type\":\"track\",\"event\":\"A\"}", REASON_NO_ID },
        { "{\"anonymousId\":null,\"event\":\"A\"}", REASON_NO_ID },
        { "{\"userId\":\"u\",\"event\":\"A\"}", REASON_NO_ID }, /* it came with a device */
        { "{" ID "\"type\":\"identify\",\"event\":\"A\"}", REASON_UNSUITABLE },
        { "{" ID "\"type\":\"screen\"}", REASON_UNSUITABLE },
        { "{" ID "\"type\":\"track\"}", REASON_UNSUITABLE },
        { "{" ID "\"type\":\"track\",\"event\":7}", REASON_UNSUITABLE },
        { "{" ID "\"type\":\"track\",\"event\":\" \\t \"}", REASON_UNSUITABLE },
        { "{" ID "}", REASON_UNSUITABLE },
        { "{" ID "\"event\":\"session_start\"}", REASON_UNSUITABLE },
        { "{" ID "\"event\":\"first visit\"}", REASON_UNSUITABLE },
        { "{" ID "\"event\":\"user_engagement\"}", REASON_UNSUITABLE },
        { "{" ID "\"event\":\"Error\"}", REASON_PERMITTED }, /* names know large from small */
        { "{" ID "\"event\":\"error\"}", REASON_UNSUITABLE },
        { "{" ID "\"event\":\"screen_view\"}", REASON_UNSUITABLE },
        { "[]", REASON_NO_ID },
        { "{", REASON_UNSUITABLE },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct fitted f;
        enum reason r = fit(rows[i].body, &a, &f);
        if (r != rows[i].reason)
            fail_msg("%s: %s", rows[i].body, reason_name(r));
        assert_true((r == REASON_PERMITTED) == (f.body.n > 0));
    }
}

static void device_whose_fields_may_not_leave_is_not_replaced(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    static const char body[] =
        "{\"userId\":\"u\",\"type\":\"track\",\"event\":\"A\",\"properties\":"
        "{\"client_id\":\"3.4\",\"session_id\":\"5\",\"session_number\":1}}";
    struct fitted f = { 0 };
    struct outgoing_event e = {
        .body = str_of(body), .received_ms = AT_MS, .has_device = true, .has_person = true
    };
    assert_int_equal(ga4()->fit(&conf, &e, AT_MS, &a, &f), REASON_NO_ID);
    e.has_device = false; /* from a server */
    assert_int_equal(ga4()->fit(&conf, &e, AT_MS, &a, &f), REASON_PERMITTED);
    assert_at(f.body, "user_id", "\"u\"", &a);
    assert_at(f.body, "client_id", "\"100616623.945918179\"", &a); /* SHA-256 of "u" */
    assert_at(f.body, "events.params", "{\"engagement_time_msec\":1}", &a);
}

static void client_ids_are_two_numbers(void **state)
{
    (void)state;
    /* made with sha256sum: 8 hexadecimal digits each, halved, made odd */
    static const struct {
        const char *id, *client_id;
    } rows[] = {
        { "1307714608.1760043792", "1307714608.1760043792" },
        { "1.2", "1.2" },
        { "99999999999999999999.1", "99999999999999999999.1" },
        { "u", NULL }, /* others are made */
        { "1.", NULL },
        { ".1", NULL },
        { "1.2.3", NULL },
        { "0.1", NULL },
        { "1.02", NULL },
        { "-1.2", NULL },
        { "1 .2", NULL },
        { "100000000000000000000.1", NULL },
        { "GA1.1.1307714608.1760043792", NULL },
        { "3f1e\\u00e4", NULL },
    };
    char seen[COUNT(rows)][64] = { { 0 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct fitted f;
        struct str body = arena_printf(&a, "{\"anonymousId\":\"%s\",\"event\":\"A\"}", rows[i].id);
        assert_int_equal(fit(body.p, &a, &f), REASON_PERMITTED);
        struct str id = at(f.body, "client_id", &a);
        (void)snprintf(seen[i], sizeof seen[i], "%.*s", (int)id.n - 2, id.p + 1);
        if (rows[i].client_id != NULL)
            assert_string_equal(seen[i], rows[i].client_id);
        else
            assert_string_not_equal(seen[i], rows[i].id);
        unsigned first, second;
        char end;
        if (rows[i].client_id == NULL) {
            assert_int_equal(sscanf(seen[i], "%u.%u%c", &first, &second, &end), 2);
            assert_true(first > 0 && second > 0 && first <= INT32_MAX && second <= INT32_MAX);
        }
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(seen[k], seen[i]);
    }
}

static void time_is_the_events_own_and_not_too_old(void **state)
{
    (void)state;
    static const struct {
        int64_t said_ms; /* before it was received; INT64_MIN: says nothing */
        int64_t age_ms;  /* since it was received */
        const char *micros;
    } rows[] = {
        { 500, 1000, "1795310649500000" },
        { INT64_MIN, 1000, "1795310650000000" },
        { -5000, 1000, "1795310650000000" }, /* a clock that goes ahead */
        { 72 * HOUR_MS - 1001, 1000, "1795051451001000" },
        { 72 * HOUR_MS - 1000, 1000, NULL },
        { 500, 72 * HOUR_MS, NULL }, /* it waited too long here */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct fitted f = { 0 };
        char time[TIME_TEXT + 1];
        int64_t received = AT_MS - rows[i].age_ms;
        time_format(received - (rows[i].said_ms == INT64_MIN ? 0 : rows[i].said_ms), time);
        struct str body = arena_printf(&a, "{" ID "\"event\":\"A\",\"%s\":\"%s\"}",
                                       rows[i].said_ms == INT64_MIN ? "x" : "timestamp", time);
        const struct outgoing_event e = {
            .body = body, .received_ms = received, .has_device = true, .device_fields = true
        };
        enum reason r = ga4()->fit(&conf, &e, AT_MS, &a, &f);
        assert_int_equal(r, rows[i].micros ? REASON_PERMITTED : REASON_TOO_OLD);
        if (rows[i].micros != NULL)
            assert_at(f.body, "events.timestamp_micros", rows[i].micros, &a);
    }
}

static void sessions_are_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *said, *session;
    } rows[] = {
        { "\"1764340309\"", "\"1764340309\"" },
        { "1764340309", "\"1764340309\"" },
        { "\"000000000001aabbccddeeff00112233\"", "\"1\"" }, /* a pseudonym */
        { "\"ffffffffffffaabbccddeeff00112233\"", "\"281474976710655\"" },
        { "\"0\"", "" },
        { "\"01\"", "" },
        { "\"-1\"", "" },
        { "1.5", "" },
        { "\"abc\"", "" },
        { "\"ffff\"", "" },
        { "true", "" },
        { "{}", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct fitted f;
        struct str body = arena_printf(&a, "{" ID "\"event\":\"A\",\"context\":{\"sessionId\":%s}}",
                                       rows[i].said);
        assert_int_equal(fit(body.p, &a, &f), REASON_PERMITTED);
        assert_at(f.body, "events.params.session_id", rows[i].session, &a);
    }
}

/* A value is cut between characters, whatever they are made of. */
static void long_values_end_at_a_character(void **state)
{
    (void)state;
    static const char *const unit[] = { "x", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
    for (size_t u = 0; u < COUNT(unit); u++) {
        for (uint32_t n = 99; n <= 101; n++) {
            AUTO(arena_fini) struct arena a = ARENA_INIT;
            AUTO(buf_fini) struct buf body = BUF_INIT(4096);
            struct fitted f;
            buf_lit(&body, "{" ID "\"event\":\"A\",\"properties\":{\"t\":\"");
            for (uint32_t i = 0; i < n; i++)
                buf_str(&body, str_of(unit[u]));
            buf_lit(&body, "\"}}");
            assert_int_equal(fit(arena_str(&a, buf_view(&body)).p, &a, &f), REASON_PERMITTED);
            assert_int_equal(f.cut, n > 100);
            struct str value = at(f.body, "events.params.t", &a);
            assert_int_equal(value.n, 2 + strlen(unit[u]) * (n > 100 ? 100 : n));
            assert_int_equal(strstr(f.names.p, "properties.t:cut") != NULL, n > 100);
        }
    }
}

/* A number has one too, but what is left of it when it is cut would be another number. */
static void a_number_that_is_longer_than_its_place_is_left_out(void **state)
{
    (void)state;
    for (int digits = 35; digits <= 38; digits++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct fitted f;
        const char *number = arena_printf(&a, "0.%0*d", digits - 2, 7).p;
        const char *body =
            arena_printf(&a, "{" ID "\"event\":\"A\",\"traits\":{\"price\":%s}}", number).p;
        assert_int_equal(fit(body, &a, &f), REASON_PERMITTED);
        assert_string_equal(arena_str(&a, at(f.body, "user_properties.price.value", &a)).p,
                            digits <= 36 ? number : "");
        assert_int_equal(f.omitted, digits > 36);
        assert_int_equal(strstr(f.names.p, "traits.price:omitted") != NULL, digits > 36);
    }
}

/* ---- a request ---- */

static struct outgoing_event fitted_event(const char *body, uint32_t claims, struct arena *a)
{
    struct fitted f;
    assert_int_equal(fit(body, a, &f), REASON_PERMITTED);
    return (struct outgoing_event){ .body = f.body, .claims = claims };
}

static void request_has_the_secret_in_its_address_only(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *base;
    } rows[] = {
        { "https://ga.example", "https://ga.example" },
        { "https://ga.example/", "https://ga.example" },
        { "https://ga.example/mp/collect", "https://ga.example" },
        { "https://proxy.example/to/google", "https://proxy.example/to/google" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct conf_destination c = conf;
        c.endpoint = str_of(rows[i].endpoint);
        struct outgoing_event e = fitted_event("{" ID "\"event\":\"A\"}", 0, &a);
        struct id id = id_new(1);
        struct outgoing_request q, asked;
        assert_int_equal(ga4()->build(&c, &e, 1, &id, AT_MS, &a, &q), OK);
        assert_int_equal(ga4()->ask(&c, AT_MS, &a, &asked), OK);
        assert_string_equal(q.url.p, arena_printf(&a,
                                                  "%s/mp/collect?measurement_id=G-ABC123&"
                                                  "api_secret=a%%20secret%%26x%%3D1%%2F%%25",
                                                  rows[i].base)
                                         .p);
        assert_string_equal(asked.url.p, arena_printf(&a,
                                                      "%s/debug/mp/collect?measurement_id=G-ABC123&"
                                                      "api_secret=a%%20secret%%26x%%3D1%%2F%%25",
                                                      rows[i].base)
                                             .p);
        assert_string_equal(q.method, "POST");
        assert_int_equal(q.header_count, 1);
        assert_true(str_eq(q.header[0], STR("Content-Type: application/json")));
        assert_true(str_eq(buf_view(&q.body), e.body)); /* one event is its request */
        assert_null(memmem(asked.body.p, asked.body.n, "secret", 6));
        buf_fini(&q.body);
        buf_fini(&asked.body);
    }
}

static void request_of_several_says_the_least_of_consent_and_the_newest_of_her(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct outgoing_event e[] = {
        fitted_event("{" ID "\"event\":\"A\",\"traits\":{\"plan\":\"old\"}}", 3, &a),
        fitted_event("{" ID "\"event\":\"B\"}", 1, &a),
        fitted_event("{" ID "\"event\":\"C\",\"traits\":{\"plan\":\"new\"}}", 3, &a),
    };
    struct id id = id_new(1);
    struct outgoing_request q;
    assert_int_equal(ga4()->build(&conf, e, 3, &id, AT_MS, &a, &q), OK);
    struct str body = buf_view(&q.body);
    assert_at(body, "consent", "{\"ad_user_data\":\"GRANTED\",\"ad_personalization\":\"DENIED\"}",
              &a);
    assert_at(body, "user_properties", "{\"plan\":{\"value\":\"new\"}}", &a);
    struct json_doc d;
    assert_int_equal(json_scan(body, &a, &d, NULL), OK);
    uint32_t events = json_get(&d, JSON_ROOT, STR("events"));
    assert_int_equal(d.node[events].count, 3);
    static const char *const name[] = { "\"A\"", "\"B\"", "\"C\"" };
    uint32_t v = json_first(&d, events);
    for (size_t i = 0; i < 3; i++, v = json_next(&d, events, v))
        assert_true(str_eq(json_raw(&d, json_get(&d, v, STR("name"))), str_of(name[i])));
    buf_fini(&q.body);
}

static void request_stops_at_its_limit(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(buf_fini) struct buf body = BUF_INIT(1u << 20);
    buf_lit(&body, "{" ID "\"event\":\"Order Completed\",\"properties\":{\"products\":[");
    for (int i = 0; i < 80; i++)
        buf_printf(&body, "%s{\"product_id\":\"%0100d\",\"name\":\"%0100d\"}", i ? "," : "", i, i);
    buf_lit(&body, "]}}");
    struct outgoing_event e[25];
    struct outgoing_request q = { 0 };
    struct id id = id_new(1);
    for (size_t i = 0; i < COUNT(e); i++)
        e[i] = fitted_event(arena_str(&a, buf_view(&body)).p, 0, &a);
    assert_int_equal(ga4()->build(&conf, e, COUNT(e), &id, AT_MS, &a, &q), ERR_LIMIT);
    assert_null(q.body.p);
    assert_int_equal(ga4()->build(&conf, e, 5, &id, AT_MS, &a, &q), OK);
    assert_in_range(q.body.n, 1, 129999);
    buf_fini(&q.body);
}

static void every_status_has_one_meaning(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum answer answer;
    } rows[] = {
        { 0, ANSWER_UNCERTAIN },   { 199, ANSWER_UNCERTAIN }, { 200, ANSWER_SENT },
        { 204, ANSWER_SENT },      { 299, ANSWER_SENT },      { 302, ANSWER_RETRY },
        { 400, ANSWER_REFUSED },   { 401, ANSWER_REFUSED },   { 403, ANSWER_REFUSED },
        { 404, ANSWER_REFUSED },   { 408, ANSWER_RETRY },     { 413, ANSWER_REFUSED },
        { 425, ANSWER_RETRY },     { 429, ANSWER_RETRY },     { 499, ANSWER_REFUSED },
        { 500, ANSWER_UNCERTAIN }, { 502, ANSWER_UNCERTAIN }, { 503, ANSWER_RETRY },
        { 504, ANSWER_UNCERTAIN }, { 599, ANSWER_UNCERTAIN }, { 600, ANSWER_UNCERTAIN },
        { -1, ANSWER_UNCERTAIN },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (ga4()->judge(rows[i].status, (struct str){ 0 }) != rows[i].answer)
            fail_msg("status %d", rows[i].status);
}

static void complaints_are_told_line_by_line(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body, *says;
    } rows[] = {
        { 200, "{\"validationMessages\":[]}", "" },
        { 200,
          "{\"validationMessages\":[{\"fieldPath\":\"events\",\"description\":\"bad\","
          "\"validationCode\":\"NAME_INVALID\"},{\"description\":7}]}",
          "NAME_INVALID: events: bad\n: : \n" },
        { 200, "{\"validationMessages\":{}}", "the answer is not that of Google's validation\n" },
        { 200, "{\"validationMessages\":[7,null]}", ": : \n: : \n" },
        { 200, "{}", "the answer is not that of Google's validation\n" },
        { 200, "<html>", "the answer is not that of Google's validation\n" },
        { 200, "", "the answer is not that of Google's validation\n" },
        { 204, "", "the answer is not that of Google's validation\n" },
        { 404, "{\"validationMessages\":[]}", "status 404\n" },
        { 302, "", "status 302\n" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        AUTO(buf_fini) struct buf says = BUF_INIT(4096);
        ga4()->complaints(rows[i].status, str_of(rows[i].body), &a, &says);
        if (!str_eq(buf_view(&says), str_of(rows[i].says)))
            fail_msg("row %zu: %.*s", i, STR_ARG(buf_view(&says)));
    }
}

/* ---- through the house ---- */

enum { PEOPLE = 5, OTHERS = 1 << SLOT_SECOND | 1 << SLOT_THIRD };
static const char *const people[PEOPLE] = { "anna", "bert", "cleo", "dora", "emil" };

static struct house *house_with_people(struct house_options o)
{
    o.ga4 = true;
    struct house *h = house_new(o);
    for (size_t i = 0; i < PEOPLE; i++)
        house_say(h, people[i], "mail", true);
    return h;
}

static uint32_t sent_of(struct house *h, int64_t segment, uint32_t count)
{
    uint32_t sent = 0;
    for (uint32_t i = 0; i < count; i++)
        sent += house_result(h, SLOT_HOOK, segment, i) == DELIVERY_SENT;
    return sent;
}

static int64_t add_by_turns(struct house *h, uint32_t count)
{
    struct house_event event[200];
    must(count <= COUNT(event));
    for (uint32_t i = 0; i < count; i++)
        event[i] = (struct house_event){ .device = people[i % PEOPLE], .denied = OTHERS };
    return house_add(h, event, count);
}

/* Events in what arrived whole, and that each request is about one client. */
static uint32_t arrived_events(struct house *h, uint32_t *ret_most)
{
    uint32_t n = receiver_count(h->receiver), events = 0;
    for (uint32_t i = 0; i < n; i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct json_doc d;
        struct str body = receiver_get(h->receiver, i)->body;
        assert_int_equal(json_scan(body, &a, &d, NULL), OK);
        uint32_t count = d.node[json_get(&d, JSON_ROOT, STR("events"))].count;
        assert_true(json_get(&d, JSON_ROOT, STR("client_id")) != 0);
        assert_at(body, "consent.ad_user_data", "\"GRANTED\"", &a);
        assert_at(body, "consent.ad_personalization", "\"DENIED\"", &a);
        if (count > *ret_most)
            *ret_most = count;
        events += count;
    }
    return events;
}

static void each_request_is_about_one_client_and_nothing_is_lost_or_doubled(void **state)
{
    (void)state;
    struct house *h = house_with_people((struct house_options){ .hold = true });
    house_start(h);
    enum { EACH = 200 };
    int64_t segment = add_by_turns(h, EACH);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == EACH);
    house_stop(h);
    uint32_t most = 0;
    assert_int_equal(arrived_events(h, &most), EACH);
    assert_in_range(most, 2, 25);
    assert_true(receiver_count(h->receiver) < EACH / 4);
    assert_int_equal(sent_of(h, segment, EACH), EACH);
    assert_int_equal(house_cursor(h, SLOT_HOOK).segment, segment);
    house_start(h); /* the cursor is behind all of them */
    house_idle(h, 30);
    assert_int_equal(arrived_events(h, &most), EACH);
    house_free(&h);
}

static void group_that_failed_is_repeated_and_the_others_are_not(void **state)
{
    (void)state;
    struct house *h = house_with_people((struct house_options){ 0 });
    house_start(h);
    receiver_next(h->receiver, RECEIVE_503, 2);
    int64_t segment = add_by_turns(h, 40);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 40);
    house_stop(h);
    assert_int_equal(sent_of(h, segment, 40), 40);
    uint32_t most = 0;
    assert_int_equal(arrived_events(h, &most),
                     40 + 2 * 8); /* what was answered with 503 came, too */
    assert_int_equal(house_pending(h, SLOT_HOOK, PENDING_RETRY), 0);
    house_free(&h);
}

static void who_withdraws_takes_nobody_along(void **state)
{
    (void)state;
    struct house *h = house_with_people((struct house_options){ 0 });
    receiver_set(h->receiver, RECEIVE_503);
    house_start(h);
    int64_t segment = add_by_turns(h, 40);
    house_until(h, house_numbers(h, SLOT_HOOK).requests >= 2);
    (void)house_withdraw(h, "cleo", "mail");
    receiver_set(h->receiver, RECEIVE_200);
    house_until(h,
                house_numbers(h, SLOT_HOOK).sent == 32 && house_numbers(h, SLOT_HOOK).dropped == 8);
    house_stop(h);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(house_result(h, SLOT_HOOK, segment, i),
                         i % PEOPLE == 2 ? DELIVERY_DROPPED : DELIVERY_SENT);
    house_free(&h);
}

static void what_was_going_on_at_a_crash_is_held(void **state)
{
    (void)state;
    struct house *h = house_with_people((struct house_options){ .hold = true });
    receiver_set(h->receiver, RECEIVE_NEVER);
    house_start(h);
    int64_t segment = add_by_turns(h, 10);
    house_until(h, receiver_waiting(h->receiver) == PEOPLE);
    house_crash(h);
    receiver_set(h->receiver, RECEIVE_200);
    house_start(h);
    house_until(h, house_numbers(h, SLOT_HOOK).uncertain == 10);
    int64_t next = add_by_turns(h, 10);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 10);
    assert_int_equal(sent_of(h, next, 10), 10);
    assert_int_equal(sent_of(h, segment, 10), 0);
    house_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_is_a_request_of_its_own),
        cmocka_unit_test(what_cannot_be_sent_says_why),
        cmocka_unit_test(device_whose_fields_may_not_leave_is_not_replaced),
        cmocka_unit_test(client_ids_are_two_numbers),
        cmocka_unit_test(time_is_the_events_own_and_not_too_old),
        cmocka_unit_test(sessions_are_numbers),
        cmocka_unit_test(long_values_end_at_a_character),
        cmocka_unit_test(a_number_that_is_longer_than_its_place_is_left_out),
        cmocka_unit_test(request_has_the_secret_in_its_address_only),
        cmocka_unit_test(request_of_several_says_the_least_of_consent_and_the_newest_of_her),
        cmocka_unit_test(request_stops_at_its_limit),
        cmocka_unit_test(every_status_has_one_meaning),
        cmocka_unit_test(complaints_are_told_line_by_line),
        cmocka_unit_test(each_request_is_about_one_client_and_nothing_is_lost_or_doubled),
        cmocka_unit_test(group_that_failed_is_repeated_and_the_others_are_not),
        cmocka_unit_test(who_withdraws_takes_nobody_along),
        cmocka_unit_test(what_was_going_on_at_a_crash_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
