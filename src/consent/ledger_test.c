#include "consent/world.h"

#include "base/limits.h"
#include "codec/json.h"
#include "codec/text.h"
#include "policy/gate.h"

#include <sodium.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static struct world w;

static int open_world(void **state)
{
    (void)state;
    world_open(&w, false);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&w);
    return 0;
}

/* ---- asking and reading ---- */

#define PROOF "\"proofs\":[{\"form\":\"<form>\"}]"
#define SECRET STR("the operator's server knows this")

static struct str text(const char *format, ...) PRINTF_LIKE(1, 2);
static struct str text(const char *format, ...)
{
    char to[8192];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(to, sizeof to, format, args);
    va_end(args);
    assert_in_range(n, 0, sizeof to - 1);
    return arena_str(&w.arena, (struct str){ to, (size_t)n });
}

static enum err send(const struct consent_request *q, struct consent_answer *ret_answer)
{
    struct consent_request full = *q;
    if (full.received_ms == 0)
        full.received_ms = w.now;
    w.info = (struct err_info){ 0 };
    world_begin(&w);
    enum err e = ledger_add_consent(w.ledger, w.policy, &full, &w.arena, ret_answer, &w.info);
    world_commit(&w); /* a refused body leaves a group that can be committed */
    return e;
}

static struct consent_answer sent(const struct consent_request *q)
{
    struct consent_answer ans = { 0 };
    if (send(q, &ans) != OK)
        fail_msg("%.*s: %s: %s", STR_ARG(q->body), w.info.field, w.info.text);
    return ans;
}

static struct consent_answer private(struct str json)
{
    return sent(&(struct consent_request){ .body = json, .source = ACT_PRIVATE_KEY });
}

static struct consent_answer public(struct str json)
{
    return sent(&(struct consent_request){ .body = json, .source = ACT_PUBLIC_KEY });
}

static struct consent_answer from_device(struct str json, struct str device)
{
    return sent(
        &(struct consent_request){ .body = json, .source = ACT_PUBLIC_KEY, .device = device });
}

/* The JSON text at a dotted path; "" when there is nothing. */
static const char *at(struct str json, const char *path)
{
    struct json_doc d;
    if (json_scan(json, &w.arena, &d, NULL) != OK)
        fail_msg("no JSON: %.*s", STR_ARG(json));
    return arena_str(&w.arena, json_raw(&d, json_find(&d, JSON_ROOT, str_of(path)))).p;
}

/* The same of the item of an array. */
static struct str item(struct str json, uint32_t index)
{
    struct json_doc d;
    assert_int_equal(json_scan(json, &w.arena, &d, NULL), OK);
    uint32_t i = json_first(&d, JSON_ROOT);
    while (i && index--)
        i = json_next(&d, JSON_ROOT, i);
    return json_raw(&d, i);
}

static uint32_t items(struct str json)
{
    struct json_doc d;
    assert_int_equal(json_scan(json, &w.arena, &d, NULL), OK);
    assert_int_equal(json_type(&d, JSON_ROOT), JSON_ARRAY);
    return d.node[JSON_ROOT].count;
}

static struct str consent(struct consent_answer ans)
{
    char id[ID_TEXT + 1];
    struct str json;
    id_format(&ans.act, id);
    assert_int_equal(ledger_get_consent(w.reader, str_of(id), &w.arena, &json), OK);
    return json;
}

static struct str effect_in(struct consent_answer ans, uint32_t index)
{
    return item(str_of(at(consent(ans), "effects")), index);
}

static struct str subject(const char *id)
{
    struct str json;
    assert_int_equal(ledger_get_subject(w.reader, str_of(id), &w.arena, &json), OK);
    return json;
}

static enum reason reason_of(struct str id, const char *purpose)
{
    const struct snapshot *s;
    struct decision_purpose d;
    assert_int_equal(ledger_snapshot_now(w.ledger, id, &s), OK);
    gate_purpose(w.policy, s, policy_purpose_index(w.policy, str_of(purpose)), w.now, &d);
    return d.reason;
}

static void assert_reason(const char *id, const char *purpose, enum reason expected)
{
    enum reason r = reason_of(str_of(id), purpose);
    if (r != expected)
        fail_msg("%s/%s: %s, not %s", id, purpose, reason_name(r), reason_name(expected));
}

static struct str list_consents(const char *query)
{
    struct str json;
    enum err e = ledger_list_consents(w.reader, str_of(query), &w.arena, &json, &w.info);
    if (e != OK)
        fail_msg("%s: %s", query, w.info.text);
    return json;
}

static struct str list_subjects(const char *query)
{
    struct str json;
    enum err e = ledger_list_subjects(w.reader, str_of(query), &w.arena, &json, &w.info);
    if (e != OK)
        fail_msg("%s: %s", query, w.info.text);
    return json;
}

/* ---- answers ---- */

static void the_answer_is_what_existing_clients_expect(void **state)
{
    (void)state;
    struct consent_answer ans =
        private(STR("{\"timestamp\":\"2026-02-04T14:52:26.789Z\",\"subject\":{\"id\":\"u1\"},"
                    "\"preferences\":{\"statistics\":true}," PROOF "}"));
    char id[ID_TEXT + 1];
    id_format(&ans.act, id);
    struct str expected = text("{\"id\":\"%s\",\"timestamp\":\"2026-02-04T14:52:26Z\","
                               "\"subject_id\":\"u1\"}",
                               id);
    assert_string_equal(arena_str(&w.arena, ans.json).p, expected.p);
    assert_true(str_eq(ans.subject, STR("u1")));
    assert_false(ans.replayed || ans.new_device || ans.lowers);
}

static void a_private_grant_that_permits_nothing_is_answered_with_a_warning(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says;
    } cases[] = {
        { "{\"preferences\":{\"statistics\":true}}", "no proof" },
        { "{\"preferences\":{\"marketing\":true}," PROOF ",\"timestamp\":\"2026-01-31T00:00:00Z\"}",
          "no version" },
        { "{\"preferences\":{\"statistics\":true}," PROOF
          ",\"legal_notices\":[{\"identifier\":\"privacy_policy\",\"version\":3}]}",
          "no version" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct consent_answer ans = private(str_of(cases[i].json));
        const char *warnings = at(ans.json, "warnings");
        assert_non_null(strstr(warnings, cases[i].says));
        assert_non_null(strstr(warnings, i == 1 ? "\\\"marketing\\\"" : "\\\"statistics\\\""));
        assert_int_not_equal(reason_of(ans.subject, i == 1 ? "marketing" : "statistics"),
                             REASON_PERMITTED);
    }
    assert_string_equal(
        at(private(STR("{\"preferences\":{\"letters\":true,\"other\":true}}")).json, "warnings"),
        ""); /* proof: optional; not registered */
    assert_string_equal(at(public(STR("{\"preferences\":{\"statistics\":true}}")).json, "warnings"),
                        "");
}

static void the_public_answer_is_the_same_for_known_and_unknown_subjects(void **state)
{
    (void)state;
    (void)private(
        STR("{\"subject\":{\"id\":\"known\",\"email\":\"k@example.org\",\"verified\":true},"
            "\"preferences\":{\"statistics\":true}," PROOF "}"));
    const char *body =
        "{\"timestamp\":\"2026-02-20T00:00:00Z\",\"subject\":{\"id\":\"%s\",\"email\":"
        "\"x@example.org\"},\"preferences\":{\"statistics\":%s}}";
    static const char *const values[] = { "true", "false" };
    for (int i = 0; i < 2; i++) {
        struct consent_answer a = public(text(body, "known", values[i]));
        struct consent_answer b = public(text(body, "nobody", values[i]));
        assert_int_equal(a.json.n, b.json.n - 1); /* but for the id itself */
        assert_int_equal(a.lowers, b.lowers);
        assert_int_equal(a.new_device, b.new_device);
        assert_string_equal(at(a.json, "timestamp"), at(b.json, "timestamp"));
        assert_string_equal(at(a.json, "warnings"), "");
    }
}

/* ---- DESIGN 3.2: effect ---- */

static void an_older_grant_that_arrives_late_never_reopens_a_withdrawal(void **state)
{
    (void)state;
    w.now = FEB_1;
    (void)private(
        STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true}," PROOF "}"));
    assert_reason("u", "statistics", REASON_PERMITTED);
    w.now = FEB_1 + DAY;
    struct consent_answer no =
        public(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":false}}"));
    assert_true(no.lowers);
    assert_reason("u", "statistics", REASON_WITHDRAWN);
    w.now = FEB_1 + 2 * DAY;
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"timestamp\":\"2026-02-01T12:00:00Z\","
                      "\"preferences\":{\"statistics\":true}," PROOF "}"));
    assert_reason("u", "statistics", REASON_WITHDRAWN);
    assert_string_equal(at(subject("u"), "preferences.statistics.value"), "false");
    (void)private(
        STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true}," PROOF "}"));
    assert_reason("u", "statistics", REASON_PERMITTED);
    assert_string_equal(at(subject("u"), "preferences.statistics.value"), "true");
}

static void a_withdrawal_counts_from_its_receipt_whatever_it_claims(void **state)
{
    (void)state;
    struct consent_answer no =
        private(STR("{\"subject\":{\"id\":\"u\"},\"timestamp\":\"2026-01-05T00:00:00Z\","
                    "\"preferences\":{\"statistics\":true,\"letters\":false}," PROOF "}"));
    assert_string_equal(at(effect_in(no, 0), "effect"), "1767571200000"); /* 2026-01-05 */
    assert_string_equal(at(effect_in(no, 1), "effect"), text("%lld", (long long)MAR_1).p);
    assert_string_equal(at(consent(no), "timestamp"), "\"2026-01-05T00:00:00Z\"");
}

static void by_public_key_nothing_is_backdated(void **state)
{
    (void)state;
    struct consent_answer ans =
        public(STR("{\"timestamp\":\"2026-01-05T00:00:00Z\",\"preferences\":{\"statistics\":true},"
                   "\"legal_notices\":[{\"identifier\":\"privacy_policy\",\"version\":7}]}"));
    assert_string_equal(at(effect_in(ans, 0), "effect"), text("%lld", (long long)MAR_1).p);
    assert_string_equal(at(ans.json, "timestamp"), "\"2026-01-05T00:00:00Z\"");
    w.now = JUN_1; /* version 1 ended on 1 March: a claimed time in January does not bind it */
    struct consent_answer late =
        public(STR("{\"timestamp\":\"2026-01-05T00:00:00Z\",\"preferences\":{\"statistics\":true},"
                   "\"legal_notices\":[{\"identifier\":\"privacy_policy\",\"version\":7}]}"));
    assert_string_equal(at(effect_in(late, 0), "version"), "0");
    assert_false(late.new_device);
}

static void a_claim_from_the_future_is_refused(void **state)
{
    (void)state;
    struct consent_answer ans;
    for (int source = ACT_PUBLIC_KEY; source <= ACT_PRIVATE_KEY; source++) {
        struct consent_request q = { .source = (enum act_source)source };
        q.body = STR("{\"timestamp\":\"2026-03-01T00:05:00.001Z\"}");
        assert_int_equal(send(&q, &ans), ERR_VALUE);
        assert_string_equal(w.info.field, "timestamp");
        q.body = STR("{\"timestamp\":\"2026-03-01T00:05:00Z\",\"preferences\":{\"letters\":true}}");
        assert_int_equal(send(&q, &ans), OK);
        assert_string_equal(at(effect_in(ans, 0), "effect"), text("%lld", (long long)MAR_1).p);
    }
    assert_int_equal(items(list_consents("limit=100")), 2);
}

/* ---- DESIGN 3.2: which version, and evidence ---- */

static void a_citation_without_a_version_means_the_newest_stored_one(void **state)
{
    (void)state;
    struct str json;
    world_begin(&w);
    for (int i = 0; i < 8; i++)
        assert_int_equal(ledger_add_notices(w.ledger, STR("{\"identifier\":\"privacy_policy\"}"),
                                            BODY_JSON, w.now, &w.arena, &json, &w.info),
                         OK);
    world_commit(&w);
    struct consent_answer ans =
        private(STR("{\"preferences\":{\"statistics\":true},\"legal_notices\":["
                    "{\"identifier\":\"privacy_policy\"},{\"identifier\":\"never stored\"}]}"));
    assert_string_equal(at(effect_in(ans, 0), "version"), "2");
    assert_string_equal(at(effect_in(ans, 0), "evidence"), "\"cited\"");
    assert_string_equal(at(consent(ans), "legal_notices"),
                        "[{\"identifier\":\"privacy_policy\",\"version\":8},"
                        "{\"identifier\":\"never stored\",\"version\":null}]");
    assert_int_equal(reason_of(ans.subject, "statistics"), REASON_PERMITTED);
}

static void a_citation_of_what_was_never_stored_grants_nothing(void **state)
{
    (void)state;
    struct consent_answer ans =
        private(STR("{\"preferences\":{\"statistics\":true}," PROOF
                    ",\"legal_notices\":[{\"identifier\":\"privacy_policy\"}]}"));
    assert_string_equal(at(effect_in(ans, 0), "version"), "0");
    assert_int_not_equal(reason_of(ans.subject, "statistics"), REASON_PERMITTED);
}

static void a_grant_that_permits_nothing_displaces_nothing(void **state)
{
    (void)state;
    (void)private(
        STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true}," PROOF "}"));
    static const char *const weak[] = {
        "{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true}}",
        "{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true}," PROOF
        ",\"versions\":{\"statistics\":9}}",
    };
    for (size_t i = 0; i < COUNT(weak); i++) {
        w.now += DAY;
        (void)private(str_of(weak[i]));
        assert_reason("u", "statistics", REASON_PERMITTED);
    }
    w.now += DAY;
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":\"\"}}"));
    assert_reason("u", "statistics", REASON_WITHDRAWN);
    for (size_t i = 0; i < COUNT(weak); i++) {
        w.now += DAY;
        (void)private(str_of(weak[i]));
        assert_reason("u", "statistics", REASON_WITHDRAWN);
    }
}

static void our_banner_says_what_was_shown(void **state)
{
    (void)state;
    struct consent_answer ans =
        public(STR("{\"preferences\":{\"statistics\":true},\"versions\":{\"statistics\":2},"
                   "\"shown\":{\"language\":\"en\"}}"));
    assert_string_equal(at(effect_in(ans, 0), "evidence"), "\"shown\"");
    assert_string_equal(at(effect_in(ans, 0), "version"), "2");
    assert_true(ans.new_device);
    assert_int_equal(reason_of(ans.subject, "statistics"), REASON_PERMITTED);
}

/* ---- DESIGN 3.2: who may say what ---- */

static void a_new_browser_is_its_own_subject_and_goes_on_with_its_token(void **state)
{
    (void)state;
    const struct str grant = STR("{\"preferences\":{\"statistics\":true}," PROOF "}");
    struct consent_answer first = public(grant);
    assert_true(first.new_device);
    assert_int_equal(reason_of(first.subject, "statistics"), REASON_PERMITTED);
    struct id id;
    assert_true(id_parse(first.subject, &id));
    w.now += 1000;
    struct consent_answer no =
        from_device(STR("{\"preferences\":{\"statistics\":0}}"), first.subject);
    assert_true(str_eq(no.subject, first.subject));
    assert_true(no.lowers);
    assert_false(no.new_device);
    assert_int_equal(reason_of(first.subject, "statistics"), REASON_WITHDRAWN);
    w.now += 1000;
    struct consent_answer again = from_device(grant, first.subject);
    assert_false(again.new_device);
    assert_int_equal(reason_of(first.subject, "statistics"), REASON_PERMITTED);
    struct consent_answer named = from_device(
        text("{\"subject\":{\"id\":\"%s\"},\"preferences\":{\"letters\":true}}", first.subject.p),
        first.subject);
    assert_string_equal(at(effect_in(named, 0), "confirmed"), "true");
}

static void a_token_is_handed_out_only_for_what_permits_something(void **state)
{
    (void)state;
    assert_false(public(STR("{\"preferences\":{\"statistics\":false}}")).new_device);
    assert_false(public(STR("{\"preferences\":{\"statistics\":true}}")).new_device); /* bare */
    assert_false(public(STR("{\"preferences\":{\"unregistered\":true}," PROOF "}")).new_device);
    assert_false(
        public(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":true}}")).new_device);
    assert_false(private(STR("{\"preferences\":{\"letters\":true}}")).new_device);
    assert_true(public(STR("{\"preferences\":{\"letters\":true}}")).new_device);
}

static void a_strangers_grant_is_recorded_and_permits_nothing(void **state)
{
    (void)state;
    const struct str grant =
        STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true}," PROOF "}");
    struct consent_answer ans = public(grant);
    assert_string_equal(at(effect_in(ans, 0), "confirmed"), "false");
    assert_string_equal(at(effect_in(ans, 0), "version"), "2");
    assert_reason("u", "statistics", REASON_UNCONFIRMED);
    assert_string_equal(at(subject("u"), "preferences"), "null");
    /* nor does a device speak for a person */
    ans = from_device(grant, STR("some-device"));
    assert_string_equal(at(effect_in(ans, 0), "confirmed"), "false");
    assert_reason("some-device", "statistics", REASON_NO_CONSENT);
    /* it does not open what was closed, nor replace what stands */
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":false}}"));
    w.now += DAY;
    (void)public(grant);
    assert_int_not_equal(reason_of(STR("u"), "statistics"), REASON_PERMITTED);
    assert_string_equal(at(subject("u"), "preferences.statistics.value"), "false");
    /* and is not confirmed by itself later, when the subject is confirmed for something else */
    w.now += DAY;
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":true}}"));
    assert_int_not_equal(reason_of(STR("u"), "statistics"), REASON_PERMITTED);
}

static void a_stranger_may_always_lower(void **state)
{
    (void)state;
    struct consent_answer yes = private(STR(
        "{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true,\"note\":\"old\"}," PROOF
        "}"));
    w.now += 1;
    struct consent_answer no =
        public(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":\"nonsense\","
                   "\"note\":\"new\",\"junk\":[1]}}"));
    assert_true(no.lowers);
    assert_reason("u", "statistics", REASON_WITHDRAWN);
    char id[ID_TEXT + 1];
    id_format(&no.act, id);
    assert_string_equal(at(subject("u"), "preferences.statistics.consent_id"),
                        text("\"%s\"", id).p);
    id_format(&yes.act, id); /* what is no purpose is not a stranger's to change */
    assert_string_equal(at(subject("u"), "preferences.note.value"), "\"old\"");
    assert_string_equal(at(subject("u"), "preferences.note.consent_id"), text("\"%s\"", id).p);
    assert_string_equal(at(subject("u"), "preferences.junk"), "");
    assert_string_equal(at(consent(no), "preferences.junk"), "[1]");
}

static struct str subject_token(struct str secret, struct str id, bool hex)
{
    char *mac = arena_alloc(&w.arena, crypto_auth_hmacsha256_BYTES);
    crypto_auth_hmacsha256_state s;
    crypto_auth_hmacsha256_init(&s, (const uint8_t *)secret.p, secret.n);
    crypto_auth_hmacsha256_update(&s, (const uint8_t *)id.p, id.n);
    crypto_auth_hmacsha256_final(&s, (uint8_t *)mac);
    struct str bytes = { mac, crypto_auth_hmacsha256_BYTES };
    return hex ? hex_encode(bytes, &w.arena) : base64url_encode(bytes, &w.arena);
}

static bool confirmed_by(const char *token, bool inside, struct str secret)
{
    struct str body = inside ? text("{\"subject\":{\"id\":\"u\",\"subject_token\":\"%s\"},"
                                    "\"preferences\":{\"letters\":true}}",
                                    token)
                             : text("{\"subject\":{\"id\":\"u\"},\"subject_token\":\"%s\","
                                    "\"preferences\":{\"letters\":true}}",
                                    token);
    struct consent_answer ans = sent(&(struct consent_request){
        .body = body, .source = ACT_PUBLIC_KEY, .subject_token_secret = secret });
    assert_null(strstr(consent(ans).p, "subject_token")); /* it is a secret: never kept */
    return strcmp(at(effect_in(ans, 0), "confirmed"), "true") == 0;
}

static void the_operators_server_vouches_with_a_subject_token(void **state)
{
    (void)state;
    for (int inside = 0; inside < 2; inside++) {
        for (int hex = 0; hex < 2; hex++) {
            const char *token = subject_token(SECRET, STR("u"), hex).p;
            assert_true(confirmed_by(token, inside, SECRET));
            assert_false(confirmed_by(token, inside, STR("another secret")));
            assert_false(confirmed_by(token, inside, (struct str){ 0 }));
            assert_false(confirmed_by(subject_token(SECRET, STR("v"), hex).p, inside, SECRET));
            assert_false(confirmed_by(text("%.*s", 20, token).p, inside, SECRET));
            assert_false(confirmed_by(text("%s00", token).p, inside, SECRET));
        }
    }
    assert_false(confirmed_by("", false, SECRET));
    /* a token made with an empty secret does not open a door that is not there */
    assert_false(confirmed_by(subject_token(STR(""), STR("u"), true).p, false, (struct str){ 0 }));
}

static void the_public_key_never_sets_verified_or_an_address(void **state)
{
    (void)state;
    const struct consent_request q = {
        .body = STR("{\"subject\":{\"verified\":true,\"email\":\"a@example.org\"},"
                    "\"ip_address\":\"198.51.100.7\",\"preferences\":{\"letters\":true}}"),
        .source = ACT_PUBLIC_KEY,
        .ip = STR("203.0.113.99"),
    };
    struct consent_answer ans = sent(&q);
    assert_string_equal(at(subject(arena_str(&w.arena, ans.subject).p), "verified"), "false");
    assert_string_equal(at(consent(ans), "subject.verified"), "");
    assert_string_equal(at(consent(ans), "ip_address"), "\"203.0.113.0\"");
    assert_null(strstr(consent(ans).p, "198.51.100"));
    assert_null(strstr(consent(ans).p, "113.99"));
}

static void addresses_are_cut_unless_the_operator_says_them(void **state)
{
    (void)state;
    static const struct {
        const char *ip, *kept;
    } cases[] = {
        { "203.0.113.99", "\"203.0.113.0\"" },
        { "2001:db8:1:2:3:4:5:6", "\"2001:db8:1::\"" },
        { "::ffff:203.0.113.99", "\"203.0.113.0\"" },
        { "rubbish", "null" },
        { "", "null" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct consent_request q = { .body = STR("{}"), .ip = str_of(cases[i].ip) };
        assert_string_equal(at(consent(sent(&q)), "ip_address"), cases[i].kept);
        q.body = STR("{\"autodetect_ip_address\":false}");
        assert_string_equal(at(consent(sent(&q)), "ip_address"), "null");
        q.source = ACT_PRIVATE_KEY; /* the address of the operator's server says nothing */
        q.body = STR("{}");
        assert_string_equal(at(consent(sent(&q)), "ip_address"), "null");
    }
    assert_string_equal(
        at(consent(private(STR("{\"ip_address\":\"198.51.100.7\"}"))), "ip_address"),
        "\"198.51.100.7\"");
    struct consent_answer ans;
    struct consent_request bad = { .body = STR("{\"ip_address\":\"198.51.100\"}"),
                                   .source = ACT_PRIVATE_KEY };
    assert_int_equal(send(&bad, &ans), ERR_VALUE);
    assert_string_equal(w.info.field, "ip_address");
}

static void the_public_key_fills_and_never_changes_a_subject(void **state)
{
    (void)state;
    struct consent_answer first =
        public(STR("{\"subject\":{\"email\":\"a@example.org\",\"phone\":1},"
                   "\"preferences\":{\"letters\":true}}"));
    const char *id = arena_str(&w.arena, first.subject).p;
    assert_string_equal(at(subject(id), "email"), "\"a@example.org\"");
    (void)from_device(
        STR("{\"subject\":{\"email\":\"b@example.org\",\"first_name\":\"B\",\"phone\":2,"
            "\"kind\":\"x\"}}"),
        first.subject);
    assert_string_equal(at(subject(id), "email"), "\"a@example.org\"");
    assert_string_equal(at(subject(id), "first_name"), "\"B\"");
    assert_string_equal(at(subject(id), "phone"), "1");
    assert_string_equal(at(subject(id), "kind"), "\"x\"");
    (void)public(text("{\"subject\":{\"id\":\"%s\",\"last_name\":\"Stranger\",\"more\":1}}", id));
    assert_string_equal(at(subject(id), "last_name"), "null");
    assert_string_equal(at(subject(id), "more"), "");
    (void)public(STR("{\"subject\":{\"id\":\"fresh\",\"email\":\"s@example.org\"}}"));
    assert_string_equal(at(subject("fresh"), "email"), "null");
}

static void the_private_key_changes_what_it_names(void **state)
{
    (void)state;
    (void)private(STR("{\"subject\":{\"id\":\"u\",\"email\":\"a@example.org\",\"first_name\":\"A\","
                      "\"telephone\":\"1\",\"type\":\"x\"}}"));
    (void)private(STR("{\"subject\":{\"id\":\"u\",\"email\":\"b@example.org\",\"first_name\":null,"
                      "\"last_name\":\"\",\"verified\":true,\"telephone\":\"2\"}}"));
    struct str s = subject("u");
    assert_string_equal(at(s, "email"), "\"b@example.org\"");
    assert_string_equal(at(s, "first_name"), "\"A\""); /* null in a consent says nothing */
    assert_string_equal(at(s, "verified"), "true");
    assert_string_equal(at(s, "telephone"), "\"2\"");
    assert_string_equal(at(s, "type"), "\"x\"");
}

static void other_sources_do_not_come_this_way(void **state)
{
    (void)state;
    struct consent_answer ans;
    struct consent_request q = { .body = STR("{}"), .source = ACT_CMP };
    assert_int_equal(send(&q, &ans), ERR_FORBIDDEN);
    q.source = ACT_CONFIRMATION;
    assert_int_equal(send(&q, &ans), ERR_FORBIDDEN);
}

/* ---- bodies ---- */

static void forms_are_understood(void **state)
{
    (void)state;
    struct consent_answer ans = sent(&(struct consent_request){
        .body = STR("subject[id]=u&subject[email]=a%40example.org&preferences[statistics]=true&"
                    "preferences[colour]=dark+red&proofs[0][content]=said+so&"
                    "legal_notices[0][identifier]=privacy_policy&legal_notices[0][version]=8"),
        .format = BODY_FORM,
        .source = ACT_PRIVATE_KEY });
    assert_reason("u", "statistics", REASON_PERMITTED);
    assert_string_equal(at(subject("u"), "email"), "\"a@example.org\"");
    assert_string_equal(at(consent(ans), "preferences"),
                        "{\"statistics\":\"true\",\"colour\":\"dark red\"}");
    assert_string_equal(at(consent(ans), "legal_notices"),
                        "[{\"identifier\":\"privacy_policy\",\"version\":8}]");
}

static void everything_that_was_sent_is_kept_as_it_was(void **state)
{
    (void)state;
    struct consent_answer ans = private(STR(
        "{\"subject\":{\"id\":42,\"phones\":[{\"number\":\"1\",\"label\":\"home\"}]},"
        "\"preferences\":{\"banner\":{\"v\": [1, 2.50],\"t\":\"\\u00fc\"},\"statistics\":\"yes\"},"
        "\"proofs\":[{\"content\":\"\\\"quoted\\\"\",\"form\":\"<b>\"}],"
        "\"proof_document_ids\":[\"d\"],\"versions\":{\"statistics\":2},"
        "\"shown\":{\"language\":\"en\",\"layout\":3},\"unescape_json\":true,"
        "\"campaign\":{\"id\":[7]},\"effects\":\"mine\",\"received\":0}"));
    struct str c = consent(ans);
    assert_string_equal(at(c, "subject"), "{\"id\":\"42\",\"phones\":[{\"number\":\"1\",\"label\":"
                                          "\"home\"}],\"owner_id\":\"1\"}");
    assert_string_equal(at(c, "preferences.banner"), "{\"v\": [1, 2.50],\"t\":\"\\u00fc\"}");
    assert_string_equal(at(c, "proofs"), "[{\"content\":\"\\\"quoted\\\"\",\"form\":\"<b>\"}]");
    assert_string_equal(at(c, "proof_document_ids"), "[\"d\"]");
    assert_string_equal(at(c, "shown.layout"), "3");
    assert_string_equal(at(c, "other"),
                        "{\"campaign\":{\"id\":[7]},\"effects\":\"mine\",\"received\":0}");
    assert_string_equal(at(c, "source"), "\"private\"");
    assert_string_equal(at(c, "received"), "\"2026-03-01T00:00:00.000Z\"");
    assert_int_equal(strlen(at(c, "checksum")), 66);
    assert_string_equal(at(c, "owner_id"), "\"1\"");
    struct consent_answer list = private(STR("{\"preferences\":[\"a\",{\"statistics\":true}]}"));
    assert_string_equal(at(consent(list), "preferences"), "[\"a\",{\"statistics\":true}]");
    assert_string_equal(at(consent(list), "effects"), "[]");
    assert_int_equal(reason_of(list.subject, "statistics"), REASON_NO_CONSENT);
}

static void an_act_that_says_nothing_is_recorded_too(void **state)
{
    (void)state;
    struct consent_answer ans = private(STR("{}"));
    struct id id;
    assert_true(id_parse(ans.subject, &id));
    assert_string_equal(at(consent(ans), "preferences"), "{}");
    assert_string_equal(at(consent(ans), "legal_notices"), "[]");
    (void)private(text("{\"subject\":{\"id\":\"%.*s\"},\"preferences\":{\"letters\":true}}",
                       STR_ARG(ans.subject)));
    (void)private(text("{\"subject\":{\"id\":\"%.*s\"},\"preferences\":{\"letters\":true}}",
                       STR_ARG(ans.subject)));
    assert_int_equal(items(list_consents("")), 3);
}

static void a_refused_body_writes_nothing(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "{\"subject\":{\"id\":\"null\"}}",
        "{\"subject\":{\"id\":\"\"}}",
        "{\"timestamp\":\"soon\"}",
        "{\"preferences\":7}",
        "{\"legal_notices\":{}x}",
        "{\"a\":\"\xff\"}",
        "{\"preferences\":{\"a\":1,\"a\":2}}",
    };
    for (size_t i = 0; i < COUNT(bodies); i++) {
        for (int source = ACT_PUBLIC_KEY; source <= ACT_PRIVATE_KEY; source++) {
            struct consent_answer ans = { .lowers = true };
            struct consent_request q = { .body = str_of(bodies[i]),
                                         .source = (enum act_source)source };
            enum err e = send(&q, &ans);
            if (e != ERR_SYNTAX && e != ERR_VALUE)
                fail_msg("%s: %d", bodies[i], e);
            assert_true(ans.lowers); /* untouched */
        }
    }
    struct chain_head head;
    assert_int_equal(store_newest_head(w.reader, &head), OK);
    assert_int_equal(head.group, 1); /* the configuration's */
    assert_string_equal(list_consents("").p, "[]");
    assert_string_equal(list_subjects("").p, "[]");
}

/* ---- once ---- */

static struct consent_request keyed(const char *body, enum act_source source, const char *key)
{
    return (struct consent_request){ .body = str_of(body),
                                     .source = source,
                                     .idempotency_key = str_of(key) };
}

static void the_first_answer_to_an_idempotency_key_is_replayed(void **state)
{
    (void)state;
    const char *body = "{\"preferences\":{\"statistics\":true,\"letters\":false}}";
    struct consent_request q = keyed(body, ACT_PRIVATE_KEY, "k1");
    struct consent_answer first = sent(&q);
    w.now += 5000;
    struct consent_answer second = sent(&q);
    assert_true(second.replayed);
    assert_true(str_eq(first.json, second.json));
    assert_non_null(strstr(at(second.json, "warnings"), "statistics"));
    assert_true(str_eq(first.subject, second.subject));
    assert_memory_equal(&first.act, &second.act, sizeof first.act);
    assert_true(first.lowers && second.lowers);
    assert_int_equal(items(list_consents("")), 1);
    q = keyed(body, ACT_PRIVATE_KEY, "k2");
    assert_false(sent(&q).replayed);
    q = keyed(body, ACT_PUBLIC_KEY, "k1");
    assert_false(sent(&q).replayed);
    assert_int_equal(items(list_consents("")), 3);
}

static void an_idempotency_key_with_another_body_is_a_conflict(void **state)
{
    (void)state;
    struct consent_answer ans;
    struct consent_request q = keyed("{\"preferences\":{\"letters\":true}}", ACT_PRIVATE_KEY, "k");
    (void)sent(&q);
    q.body = STR("{\"preferences\":{\"letters\":false}}");
    assert_int_equal(send(&q, &ans), ERR_CONFLICT);
    assert_string_equal(w.info.field, "Idempotency-Key");
    w.now += LIMIT_IDEMPOTENCY_MS + 1;
    assert_int_equal(send(&q, &ans), OK); /* the key may be used again */
    assert_false(ans.replayed);
}

static void a_device_token_is_handed_out_once(void **state)
{
    (void)state;
    struct consent_request q = keyed("{\"preferences\":{\"letters\":true}}", ACT_PUBLIC_KEY, "k");
    assert_true(sent(&q).new_device);
    struct consent_answer again = sent(&q);
    assert_true(again.replayed);
    assert_false(again.new_device);
    q.device = STR("another-device"); /* another browser that came upon the same key */
    assert_true(str_eq(sent(&q).subject, STR("another-device")));
}

static void an_idempotency_key_has_a_maximum(void **state)
{
    (void)state;
    char key[LIMIT_IDEMPOTENCY_KEY + 2] = { 0 };
    memset(key, 'k', LIMIT_IDEMPOTENCY_KEY + 1);
    struct consent_answer ans;
    struct consent_request q = keyed("{}", ACT_PRIVATE_KEY, key);
    assert_int_equal(send(&q, &ans), ERR_LIMIT);
    assert_string_equal(w.info.field, "Idempotency-Key");
    q.idempotency_key.n--;
    assert_int_equal(send(&q, &ans), OK);
}

/* ---- the view of preferences ---- */

static void the_view_names_the_newest_value_and_the_act_that_proves_it(void **state)
{
    (void)state;
    struct consent_answer a = private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":"
                                          "{\"letters\":true,\"colour\":\"red\"}}"));
    w.now += 1000;
    struct consent_answer b = private(STR(
        "{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":\"off\",\"size\":{\"n\":1}}}"));
    char first[ID_TEXT + 1], second[ID_TEXT + 1];
    id_format(&a.act, first);
    id_format(&b.act, second);
    struct str expected =
        text("{\"letters\":{\"value\":\"off\",\"consent_id\":\"%s\"},\"colour\":{\"value\":\"red\","
             "\"consent_id\":\"%s\"},\"size\":{\"value\":{\"n\":1},\"consent_id\":\"%s\"}}",
             second, first, second);
    assert_string_equal(at(subject("u"), "preferences"), expected.p);
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"timestamp\":\"2026-02-02T00:00:00Z\","
                      "\"preferences\":{\"letters\":true}}"));
    assert_string_equal(at(subject("u"), "preferences"), expected.p);
    assert_string_equal(
        at(str_of(at(item(list_subjects("id=u"), 0), "preferences")), "letters.consent_id"),
        text("\"%s\"", second).p);
}

static void the_view_is_bounded_and_a_withdrawal_still_passes(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf body = BUF_INIT(1 << 20);
    struct consent_answer ans;
    int names = 0;
    enum err e = OK;
    for (int act = 0; e == OK && act < 6; act++) {
        buf_clear(&body);
        buf_lit(&body, "{\"subject\":{\"id\":\"u\"},\"preferences\":{");
        for (int i = 0; i < LIMIT_PREFERENCES; i++)
            buf_printf(&body, "%s\"p%d\":true", i ? "," : "", names++);
        buf_lit(&body, "}}");
        struct consent_request q = { .body = buf_view(&body), .source = ACT_PRIVATE_KEY };
        e = send(&q, &ans);
    }
    assert_int_equal(e, ERR_LIMIT);
    assert_string_equal(w.info.field, "preferences");
    assert_int_equal(names, 5 * LIMIT_PREFERENCES);
    (void)private(
        STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":false,\"more\":1}}"));
    assert_string_equal(at(subject("u"), "preferences.letters.value"), "false");
    assert_string_equal(at(subject("u"), "preferences.more"), "");
    assert_reason("u", "letters", REASON_REFUSED);
}

static void a_huge_value_lowers_and_does_not_fill_the_view(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf body = BUF_INIT(1 << 20);
    buf_lit(&body, "{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":\"");
    for (int i = 0; i < 600000; i++)
        buf_byte(&body, 'x');
    buf_lit(&body, "\"}}");
    assert_true(public(buf_view(&body)).lowers);
    assert_string_equal(at(subject("u"), "preferences.letters.value"), "false");
    buf_clear(&body);
    buf_lit(&body, "{\"subject\":{\"id\":\"u\"},\"preferences\":{\"other\":\"");
    for (int i = 0; i < 600000; i++)
        buf_byte(&body, 'x');
    buf_lit(&body, "\"}}");
    struct consent_answer ans;
    struct consent_request q = { .body = buf_view(&body), .source = ACT_PRIVATE_KEY };
    assert_int_equal(send(&q, &ans), ERR_LIMIT);
    assert_string_equal(w.info.field, "preferences");
}

/* ---- subjects ---- */

static enum err put(const char *id, const char *body, bool must_exist, struct str *ret_json)
{
    struct subject_request q = {
        .body = str_of(body), .id = str_of(id), .must_exist = must_exist, .received_ms = w.now
    };
    w.info = (struct err_info){ 0 };
    world_begin(&w);
    enum err e = ledger_put_subject(w.ledger, &q, &w.arena, ret_json, &w.info);
    world_commit(&w);
    return e;
}

static void subjects_are_made_and_changed(void **state)
{
    (void)state;
    struct str json;
    assert_int_equal(
        put("", "{\"id\":\"u\",\"email\":\"a@example.org\",\"telephone\":\"1\"}", false, &json),
        OK);
    assert_string_equal(arena_str(&w.arena, json).p,
                        "{\"id\":\"u\",\"timestamp\":\"2026-03-01T00:00:00Z\","
                        "\"created_at\":\"2026-03-01T00:00:00Z\"}");
    w.now += 60000;
    assert_int_equal(
        put("u", "{\"verified\":true,\"email\":null,\"full_name\":\"U\",\"preferences\":{\"x\":1}}",
            true, &json),
        OK);
    assert_string_equal(at(json, "timestamp"), "\"2026-03-01T00:01:00Z\"");
    assert_string_equal(at(json, "created_at"), "\"2026-03-01T00:00:00Z\"");
    assert_string_equal(
        arena_str(&w.arena, subject("u")).p,
        "{\"id\":\"u\",\"owner_id\":\"1\",\"email\":null,\"first_name\":null,"
        "\"last_name\":null,\"full_name\":\"U\",\"verified\":true,\"telephone\":\"1\","
        "\"preferences\":null,\"timestamp\":\"2026-03-01T00:01:00Z\","
        "\"created_at\":\"2026-03-01T00:00:00Z\"}");
    struct chain_head before, after;
    assert_int_equal(store_newest_head(w.reader, &before), OK);
    w.now += 60000;
    assert_int_equal(put("u", "{\"verified\":true}", true, &json), OK); /* changes nothing */
    assert_string_equal(at(json, "timestamp"), "\"2026-03-01T00:01:00Z\"");
    assert_int_equal(store_newest_head(w.reader, &after), OK);
    assert_int_equal(before.group, after.group);
    assert_int_equal(put("", "{}", false, &json), OK);
    assert_int_equal(strlen(at(json, "id")), ID_TEXT + 2);
}

static void a_change_of_a_subject_keeps_her_preferences(void **state)
{
    (void)state;
    struct str json;
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":true}}"));
    assert_int_equal(put("u", "{\"email\":\"a@example.org\"}", true, &json), OK);
    assert_string_equal(at(subject("u"), "preferences.letters.value"), "true");
    assert_reason("u", "letters", REASON_PERMITTED);
}

static void faults_in_subjects_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *id, *body, *field;
        bool must_exist;
        enum err err;
    } cases[] = {
        { "nobody", "{}", "", true, ERR_NOT_FOUND },
        { "u", "{\"id\":\"v\"}", "id", false, ERR_VALUE },
        { "null", "{}", "id", false, ERR_VALUE },
        { "", "{\"id\":\"undefined\"}", "id", false, ERR_VALUE },
        { "u", "{\"email\":[]}", "email", false, ERR_VALUE },
        { "u", "{\"verified\":\"?\"}", "verified", false, ERR_VALUE },
        { "u", "[]", "", false, ERR_VALUE },
        { "u", "{", "", false, ERR_SYNTAX },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str json;
        enum err e = put(cases[i].id, cases[i].body, cases[i].must_exist, &json);
        if (e != cases[i].err || strcmp(w.info.field, cases[i].field) != 0)
            fail_msg("%zu: %d \"%s\"", i, e, w.info.field);
    }
    assert_string_equal(list_subjects("").p, "[]");
}

static void unknown_keys_of_a_subject_have_a_maximum(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf body = BUF_INIT(1 << 20);
    struct str json;
    buf_lit(&body, "{\"blob\":\"");
    for (int i = 0; i < 16384; i++)
        buf_byte(&body, 'x');
    buf_lit(&body, "\"}");
    assert_int_equal(put("u", arena_str(&w.arena, buf_view(&body)).p, false, &json), ERR_LIMIT);
    for (int i = 0; i < 20; i++) { /* nor piece by piece */
        struct str piece = text("{\"k%d\":\"%01000d\"}", i, i);
        enum err e = put("u", piece.p, false, &json);
        assert_int_equal(e, i < 16 ? OK : ERR_LIMIT);
    }
}

/* ---- notices ---- */

static enum err post_notices(const char *body, struct str *ret_json)
{
    w.info = (struct err_info){ 0 };
    world_begin(&w);
    enum err e =
        ledger_add_notices(w.ledger, str_of(body), BODY_JSON, w.now, &w.arena, ret_json, &w.info);
    world_commit(&w);
    return e;
}

static struct str list_notices(const char *identifier, const char *query)
{
    struct str json;
    enum err e =
        ledger_list_notices(w.reader, str_of(identifier), str_of(query), &w.arena, &json, &w.info);
    if (e != OK)
        fail_msg("%s?%s: %s", identifier, query, w.info.text);
    return arena_str(&w.arena, json);
}

static void notices_are_numbered_from_1(void **state)
{
    (void)state;
    struct str json;
    assert_int_equal(post_notices("{\"identifier\":\"terms\",\"content\":\"one\"}", &json), OK);
    assert_string_equal(json.p, "{\"identifier\":\"terms\",\"timestamp\":\"2026-03-01T00:00:00Z\","
                                "\"version\":1}");
    assert_int_equal(
        post_notices(
            "[{\"identifier\":\"terms\",\"version\":9,\"content\":{\"en\":\"two\",\"de\":\"zwei\"},"
            "\"timestamp\":\"2026-02-01T00:00:00Z\"},{\"identifier\":\"policy\"}]",
            &json),
        OK);
    assert_string_equal(json.p, "[{\"identifier\":\"terms\",\"timestamp\":\"2026-02-01T00:00:00Z\","
                                "\"version\":2},{\"identifier\":\"policy\",\"timestamp\":"
                                "\"2026-03-01T00:00:00Z\",\"version\":1}]");
    assert_string_equal(
        list_notices("terms", "").p,
        "[{\"id\":\"1_terms\",\"owner_id\":\"1\",\"identifier\":\"terms\",\"version\":2,"
        "\"timestamp\":\"2026-02-01T00:00:00Z\",\"content\":{\"en\":\"two\",\"de\":\"zwei\"}},"
        "{\"id\":\"1_terms\",\"owner_id\":\"1\",\"identifier\":\"terms\",\"version\":1,"
        "\"timestamp\":\"2026-03-01T00:00:00Z\",\"content\":\"one\"}]");
    assert_string_equal(at(list_notices("terms/1", ""), "content"), "\"one\"");
    assert_string_equal(at(list_notices("terms/2", "language=de"), "content"), "\"zwei\"");
    assert_int_equal(items(list_notices("", "")), 3);
    assert_int_equal(items(list_notices("", "limit=1")), 1);
    assert_int_equal(items(list_notices("", "identifier=policy")), 1);
    assert_int_equal(items(list_notices("", "id=1_policy")), 1);
    assert_int_equal(items(list_notices("terms", "version=1")), 1);
    assert_string_equal(at(item(list_notices("terms", "starting_after=2"), 0), "version"), "1");
    assert_int_equal(items(list_notices("", "to_time=2026-02-01")), 1);
    assert_int_equal(ledger_list_notices(w.reader, STR("nothing"), STR(""), &w.arena, &json, NULL),
                     ERR_NOT_FOUND);
    assert_int_equal(ledger_list_notices(w.reader, STR("terms/3"), STR(""), &w.arena, &json, NULL),
                     ERR_NOT_FOUND);
}

static void of_several_notices_all_or_none_are_stored(void **state)
{
    (void)state;
    static const struct {
        const char *body, *field;
    } cases[] = {
        { "[{\"identifier\":\"a\"},{\"identifier\":\"\"}]", "identifier" },
        { "[{\"identifier\":\"a\"},{}]", "identifier" },
        { "[{\"identifier\":\"a\"},7]", "" },
        { "[{\"identifier\":\"a\"},{\"identifier\":\"b/1\"}]", "identifier" },
        { "[{\"identifier\":\"a\"},{\"identifier\":\"b\\n\"}]", "identifier" },
        { "[{\"identifier\":\"a\"},{\"identifier\":\"b\",\"content\":7}]", "content" },
        { "[{\"identifier\":\"a\"},{\"identifier\":\"b\",\"content\":{\"en\":{}}}]", "content" },
        { "[{\"identifier\":\"a\"},{\"identifier\":\"b\",\"timestamp\":\"x\"}]", "timestamp" },
        { "[{\"identifier\":\"a\"},{\"identifier\":\"b\",\"document_ids\":7}]", "document_ids" },
        { "7", "" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str json;
        assert_int_equal(post_notices(cases[i].body, &json), ERR_VALUE);
        assert_string_equal(w.info.field, cases[i].field);
    }
    assert_string_equal(list_notices("", "").p, "[]");
    struct str json;
    AUTO(buf_fini) struct buf many = BUF_INIT(1 << 20);
    for (int i = 0; i <= LIMIT_LIST; i++)
        buf_printf(&many, "%s{\"identifier\":\"n\"}", i ? "," : "[");
    buf_lit(&many, "]");
    assert_int_equal(post_notices(arena_str(&w.arena, buf_view(&many)).p, &json), ERR_LIMIT);
    assert_int_equal(post_notices("[]", &json), OK);
    assert_string_equal(json.p, "[]");
}

/* ---- lists ---- */

static void consents_are_listed_newest_first_and_filtered(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"subject\":{\"id\":\"a\",\"email\":\"ann@example.org\",\"first_name\":\"Ann "
        "Lee\",\"verified\":true},"
        "\"preferences\":{\"letters\":true},\"ip_address\":\"198.51.100.7\"}",
        "{\"subject\":{\"id\":\"b\",\"email\":\"bob@example.com\"},\"preferences\":{\"statistics\":"
        "true},"
        "\"timestamp\":\"2026-02-01T10:00:00Z\"," PROOF "}",
        "{\"subject\":{\"id\":\"a\"},\"preferences\":{\"statistics\":false}}",
    };
    char id[3][ID_TEXT + 1];
    for (int i = 0; i < 3; i++) {
        struct consent_answer ans = private(str_of(bodies[i]));
        id_format(&ans.act, id[i]);
    }
    (void)public(STR("{\"subject\":{\"id\":\"c\"}}"));
    struct {
        const char *query;
        uint32_t count;
        int first; /* index into id, -1: not looked at */
    } cases[] = {
        { "", 4, -1 },
        { "source=private", 3, 2 },
        { "source=public", 1, -1 },
        { "limit=1&source=private", 1, 2 },
        { "subject_id=a", 2, 2 },
        { "subject_id=nobody", 0, -1 },
        { "preference_key=statistics", 2, 2 },
        { "preference_key=letters", 1, 0 },
        { "ip_address=198.51.100.7", 1, 0 },
        { "ip_address=none", 3, -1 },
        { "to_time=2026-02-01T10:00:00Z", 1, 1 },
        { "to_time=2026-02-01%2009:59:59%20UTC", 0, -1 },
        { "from_time=1769940000&to_time=1769940000", 1, 1 },
        { "from_time=2026-02-02", 3, -1 },
        { "subject_email_exact=bob@example.com", 1, 1 },
        { "subject_email_exact=bob%40example.com", 1, 1 },
        { "subject_email_exact=bob", 0, -1 },
        { "subject_email=example", 3, 2 },
        { "subject_email=ANN", 2, 2 },
        { "subject_email=exam", 0, -1 },
        { "subject_first_name=lee", 2, 2 },
        { "subject_verified=true", 2, 2 },
        { "subject_verified=false&source=private", 1, 1 },
        { "subject_email=example&limit=1", 1, 2 },
        { "fulltext=anything&consent_type=null&unknown=%ff&limit=", 4, -1 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str json = list_consents(cases[i].query);
        if (items(json) != cases[i].count)
            fail_msg("%s: %u", cases[i].query, items(json));
        if (cases[i].first >= 0)
            assert_string_equal(at(item(json, 0), "id"), text("\"%s\"", id[cases[i].first]).p);
    }
    struct str one = item(list_consents("subject_id=b"), 0);
    assert_string_equal(at(one, "proofs"), "");
    assert_string_equal(at(one, "legal_notices"), "");
    assert_string_equal(at(one, "preferences.statistics"), "true");
    struct str rest = list_consents(text("source=private&starting_after=%s", id[2]).p);
    assert_int_equal(items(rest), 2);
    assert_string_equal(at(item(rest, 0), "id"), text("\"%s\"", id[1]).p);
    rest = list_consents(text("subject_email=ann&starting_after=%s", id[2]).p);
    assert_int_equal(items(rest), 1);
}

static void bad_parameters_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *query, *field;
        bool subjects;
    } cases[] = {
        { "limit=0", "limit", false },
        { "limit=101", "limit", false },
        { "limit=ten", "limit", false },
        { "limit=-1", "limit", false },
        { "from_time=yesterday", "from_time", false },
        { "to_time=2026-13-01", "to_time", false },
        { "to_time=99999999999999", "to_time", false },
        { "source=nobody", "source", false },
        { "starting_after=x", "starting_after", false },
        { "starting_after=5f2b6c1e-8a61-4c3e-9d36-0d4a3a8f1b11", "starting_after", false },
        { "subject_email=x&starting_after=5f2b6c1e-8a61-4c3e-9d36-0d4a3a8f1b11", "starting_after",
          false },
        { "subject_verified=perhaps", "subject_verified", false },
        { "limit=0", "limit", true },
        { "verified=perhaps", "verified", true },
        { "from_time=x", "from_time", true },
        { "starting_after=nobody", "starting_after", true },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str json;
        w.info = (struct err_info){ 0 };
        enum err e =
            cases[i].subjects
                ? ledger_list_subjects(w.reader, str_of(cases[i].query), &w.arena, &json, &w.info)
                : ledger_list_consents(w.reader, str_of(cases[i].query), &w.arena, &json, &w.info);
        if (e != ERR_VALUE || strcmp(w.info.field, cases[i].field) != 0)
            fail_msg("%s: %d \"%s\"", cases[i].query, e, w.info.field);
    }
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    struct str json;
    assert_int_equal(ledger_get_consent(w.reader, STR("x"), &w.arena, &json), ERR_NOT_FOUND);
    assert_int_equal(
        ledger_get_consent(w.reader, STR("5f2b6c1e-8a61-4c3e-9d36-0d4a3a8f1b11"), &w.arena, &json),
        ERR_NOT_FOUND);
    assert_int_equal(ledger_get_subject(w.reader, STR("nobody"), &w.arena, &json), ERR_NOT_FOUND);
}

static void subjects_are_listed_newest_first_and_filtered(void **state)
{
    (void)state;
    struct str json;
    assert_int_equal(
        put("a", "{\"email\":\"ann@example.org\",\"full_name\":\"Ann Lee\"}", false, &json), OK);
    w.now += 1000;
    assert_int_equal(put("b", "{\"email\":\"bob@example.com\",\"verified\":true}", false, &json),
                     OK);
    assert_string_equal(at(item(list_subjects(""), 0), "id"), "\"b\"");
    assert_int_equal(items(list_subjects("limit=1")), 1);
    assert_string_equal(at(item(list_subjects("starting_after=b"), 0), "id"), "\"a\"");
    assert_int_equal(items(list_subjects("email_exact=ann%40example.org")), 1);
    assert_int_equal(items(list_subjects("email=example&fulltext=x")), 2);
    assert_int_equal(items(list_subjects("full_name=lee")), 1);
    assert_int_equal(items(list_subjects("verified=true")), 1);
    assert_int_equal(items(list_subjects("from_time=2026-03-01T00:00:01Z")), 1);
    assert_int_equal(items(list_subjects("id=a")), 1);
}

/* ---- permissions ---- */

static struct str permissions(const char *id)
{
    struct str json;
    assert_int_equal(
        ledger_permissions(w.ledger, w.reader, w.policy, str_of(id), w.now, &w.arena, &json), OK);
    return json;
}

static void permissions_say_what_and_why(void **state)
{
    (void)state;
    struct str p = permissions("nobody");
    assert_string_equal(at(p, "known"), "false");
    assert_string_equal(at(item(str_of(at(p, "purposes")), 0), "reason"), "\"no_consent\"");
    assert_string_equal(at(item(str_of(at(p, "destinations")), 0), "permitted"), "false");
    struct consent_answer ans = private(
        STR("{\"subject\":{\"id\":\"u\"},\"timestamp\":\"2026-02-02T00:00:00Z\",\"preferences\":"
            "{\"statistics\":true,\"letters\":false}," PROOF "}"));
    char id[ID_TEXT + 1];
    id_format(&ans.act, id);
    p = permissions("u");
    struct str statistics = item(str_of(at(p, "purposes")), 0);
    assert_string_equal(at(p, "known"), "true");
    assert_string_equal(at(p, "subject"), "\"u\"");
    assert_string_equal(at(statistics, "id"), "\"statistics\"");
    assert_string_equal(at(statistics, "state"), "\"permitted\"");
    assert_string_equal(at(statistics, "version"), "1");
    assert_string_equal(at(statistics, "consent_id"), text("\"%s\"", id).p);
    assert_string_equal(at(statistics, "since"), "\"2026-02-02T00:00:00.000Z\"");
    struct str letters = item(str_of(at(p, "purposes")), 1);
    assert_string_equal(at(letters, "state"), "\"denied\"");
    assert_string_equal(at(letters, "reason"), "\"refused\"");
    assert_string_equal(at(letters, "since"), "\"2026-03-01T00:00:00.000Z\"");
    struct str own = item(str_of(at(p, "destinations")), 0),
               crm = item(str_of(at(p, "destinations")), 1);
    assert_string_equal(at(own, "id"), "\"own\"");
    assert_string_equal(at(own, "as"), "\"device\"");
    assert_string_equal(at(own, "permitted"), "true");
    assert_string_equal(at(crm, "as"), "\"person\"");
    assert_string_equal(at(crm, "permitted"), "false");
    assert_string_equal(at(crm, "reason"), "\"no_consent\"");
    assert_string_equal(at(item(str_of(at(crm, "purposes")), 1), "id"), "\"marketing\"");
    (void)private(
        STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"marketing\":true}," PROOF "}"));
    assert_string_equal(at(item(str_of(at(permissions("u"), "destinations")), 1), "permitted"),
                        "true");
    struct str json;
    assert_int_equal(
        ledger_permissions(w.ledger, w.reader, w.policy, STR("null"), w.now, &w.arena, &json),
        ERR_VALUE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        T(the_answer_is_what_existing_clients_expect),
        T(a_private_grant_that_permits_nothing_is_answered_with_a_warning),
        T(the_public_answer_is_the_same_for_known_and_unknown_subjects),
        T(an_older_grant_that_arrives_late_never_reopens_a_withdrawal),
        T(a_withdrawal_counts_from_its_receipt_whatever_it_claims),
        T(by_public_key_nothing_is_backdated),
        T(a_claim_from_the_future_is_refused),
        T(a_citation_without_a_version_means_the_newest_stored_one),
        T(a_citation_of_what_was_never_stored_grants_nothing),
        T(a_grant_that_permits_nothing_displaces_nothing),
        T(our_banner_says_what_was_shown),
        T(a_new_browser_is_its_own_subject_and_goes_on_with_its_token),
        T(a_token_is_handed_out_only_for_what_permits_something),
        T(a_strangers_grant_is_recorded_and_permits_nothing),
        T(a_stranger_may_always_lower),
        T(the_operators_server_vouches_with_a_subject_token),
        T(the_public_key_never_sets_verified_or_an_address),
        T(addresses_are_cut_unless_the_operator_says_them),
        T(the_public_key_fills_and_never_changes_a_subject),
        T(the_private_key_changes_what_it_names),
        T(other_sources_do_not_come_this_way),
        T(forms_are_understood),
        T(everything_that_was_sent_is_kept_as_it_was),
        T(an_act_that_says_nothing_is_recorded_too),
        T(a_refused_body_writes_nothing),
        T(the_first_answer_to_an_idempotency_key_is_replayed),
        T(an_idempotency_key_with_another_body_is_a_conflict),
        T(a_device_token_is_handed_out_once),
        T(an_idempotency_key_has_a_maximum),
        T(the_view_names_the_newest_value_and_the_act_that_proves_it),
        T(the_view_is_bounded_and_a_withdrawal_still_passes),
        T(a_huge_value_lowers_and_does_not_fill_the_view),
        T(subjects_are_made_and_changed),
        T(a_change_of_a_subject_keeps_her_preferences),
        T(faults_in_subjects_are_named),
        T(unknown_keys_of_a_subject_have_a_maximum),
        T(notices_are_numbered_from_1),
        T(of_several_notices_all_or_none_are_stored),
        T(consents_are_listed_newest_first_and_filtered),
        T(bad_parameters_are_named),
        T(what_is_not_there_is_not_found),
        T(subjects_are_listed_newest_first_and_filtered),
        T(permissions_say_what_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
