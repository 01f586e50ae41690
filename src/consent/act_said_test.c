#include "consent/asking.h"

#include "codec/text.h"
#include "codec/time.h"

#include <sodium.h>

#define SECRET STR("the operator's server knows this")

/* ---- ARCHITECTURE, "Acts": effect ---- */

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

/* ---- ARCHITECTURE, "Acts": which version, and evidence ---- */

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

/* ---- ARCHITECTURE, "Acts": who may say what ---- */

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
    assert_string_equal(at(consent(ans), "subject.verified"), "null");
    assert_string_equal(at(consent(ans), "ip_address"), "\"203.0.113.0\"");
    assert_null(strstr(consent(ans).p, "198.51.100"));
    assert_null(strstr(consent(ans).p, "113.99"));
}

static void addresses_are_cut_unless_the_operator_says_them(void **state)
{
    (void)state;
    static const struct {
        const char *ip, *kept, *whole;
    } cases[] = {
        { "203.0.113.99", "\"203.0.113.0\"", "\"203.0.113.99\"" },
        { "2001:db8:1:2:3:4:5:6", "\"2001:db8:1::\"", "\"2001:db8:1:2:3:4:5:6\"" },
        { "::ffff:203.0.113.99", "\"203.0.113.0\"", "\"203.0.113.99\"" },
        { "rubbish", "null", "null" },
        { "", "null", "null" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct consent_request q = { .body = STR("{}"), .ip = str_of(cases[i].ip) };
        assert_string_equal(at(consent(sent(&q)), "ip_address"), cases[i].kept);
        q.whole_ip = true; /* where the configuration says so */
        assert_string_equal(at(consent(sent(&q)), "ip_address"), cases[i].whole);
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

/* ---- any history ---- */

struct said { /* what a reader of ARCHITECTURE, "Acts", would note down of one act */
    int64_t effect;
    bool counts, grant;
};

static struct said say_something(unsigned dice, int64_t claimed)
{
    char at_time[TIME_TEXT + 1];
    time_format(claimed, at_time);
    const char *value = dice % 3 ? "true" : "\"no\"";
    const char *beside = dice / 3 % 4 == 0 ? ""
                         : dice / 3 % 4 == 1
                             ? ",\"legal_notices\":[{\"identifier\":\"privacy_policy\","
                               "\"version\":3}]," PROOF
                             : "," PROOF;
    bool is_private = dice / 12 % 2, vouched = dice / 24 % 3 == 0;
    struct consent_request q = {
        .body =
            text("{\"subject\":{\"id\":\"u\"},\"timestamp\":\"%s\",\"subject_token\":\"%s\","
                 "\"preferences\":{\"statistics\":%s}%s}",
                 at_time, vouched ? subject_token(SECRET, STR("u"), true).p : "", value, beside),
        .source = is_private ? ACT_PRIVATE_KEY : ACT_PUBLIC_KEY,
        .subject_token_secret = SECRET,
    };
    (void)sent(&q);
    bool grant = dice % 3;
    return (struct said){ .effect = grant && is_private ? claimed : w.now,
                          .grant = grant,
                          .counts = !grant || ((is_private || vouched) && dice / 3 % 4 >= 2) };
}

static void in_any_history_the_greatest_effect_that_counts_decides(void **state)
{
    (void)state;
    unsigned seed = 1, permitted = 0, denied = 0;
    for (int history = 0; history < 60; history++) {
        const struct said *newest = NULL;
        struct said said[24];
        (void)close_world(NULL);
        (void)open_world(NULL);
        for (size_t i = 0; i < COUNT(said); i++) {
            seed = seed * 1103515245u + 12345u;
            w.now += (seed >> 8) % 3 * 1000; /* some in the same millisecond */
            said[i] = say_something(seed >> 16, w.now - (seed >> 10) % 8 * 1000);
            if (said[i].counts && (newest == NULL || said[i].effect >= newest->effect))
                newest = &said[i];
            bool expected = newest != NULL && newest->grant;
            if ((reason_of(STR("u"), "statistics") == REASON_PERMITTED) != expected)
                fail_msg("history %d, act %zu: %s", history, i,
                         reason_name(reason_of(STR("u"), "statistics")));
            permitted += expected;
            denied += !expected;
        }
    }
    assert_true(permitted > 200 && denied > 200);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
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
        T(in_any_history_the_greatest_effect_that_counts_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
