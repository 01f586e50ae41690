#include "consent/asking.h"

#define DAY (24LL * 3600 * 1000)

static struct str state_json(const char *subject)
{
    struct str json;
    assert_int_equal(
        ledger_state(w.ledger, w.reader, w.policy, str_of(subject), w.now, &w.arena, &json), OK);
    return json;
}

/* One purpose's entry on a line: "STATE SINCE UNTIL VERSION CURRENT COUNTS REASON". */
static const char *shown(const char *subject, const char *purpose)
{
    struct str purposes = str_of(at(state_json(subject), "purposes"));
    for (uint32_t i = 0; i < w.policy->purpose_count; i++) {
        struct str p = item(purposes, i);
        if (strcmp(at(p, "id"), text("\"%s\"", purpose).p) == 0)
            return text("%s %s %s %s %s %s %s", at(p, "state"), at(p, "since"), at(p, "until"),
                        at(p, "version"), at(p, "current"), at(p, "counts"), at(p, "reason"))
                .p;
    }
    fail_msg("no purpose %s", purpose);
    return NULL;
}

#define NEVER "\"never\" null null null null false \"no_consent\""

static void every_purpose_is_told_with_what_stands(void **state)
{
    (void)state;
    (void)private(
        STR("{\"subject\":{\"id\":\"u\"},\"timestamp\":\"2026-02-02T00:00:00Z\",\"preferences\":"
            "{\"statistics\":true,\"letters\":false}," PROOF "}"));
    assert_string_equal(shown("u", "statistics"),
                        "\"granted\" \"2026-02-02T00:00:00.000Z\" \"2027-02-02T00:00:00.000Z\" 1 "
                        "false true \"permitted\"");
    assert_string_equal(
        shown("u", "letters"),
        "\"refused\" \"2026-03-01T00:00:00.000Z\" null null null false \"refused\"");
    assert_string_equal(shown("u", "marketing"), NEVER);
    w.now += DAY;
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true}," PROOF
                      "}")); /* the text in force */
    assert_string_equal(shown("u", "statistics"),
                        "\"granted\" \"2026-03-02T00:00:00.000Z\" \"2027-03-02T00:00:00.000Z\" 2 "
                        "true true \"permitted\"");
    w.now += DAY;
    (void)public(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":false}}"));
    assert_string_equal(
        shown("u", "statistics"),
        "\"withdrawn\" \"2026-03-03T00:00:00.000Z\" null null null false \"withdrawn\"");
}

static void a_grant_that_does_not_count_says_why(void **state)
{
    (void)state;
    (void)public(STR("{\"subject\":{\"id\":\"stranger\"},\"preferences\":{\"statistics\":true},"
                     "\"versions\":{\"statistics\":2}," PROOF "}"));
    assert_string_equal(shown("stranger", "statistics"),
                        "\"granted\" \"2026-03-01T00:00:00.000Z\" \"2027-03-01T00:00:00.000Z\" 2 "
                        "true false \"unconfirmed\"");
    (void)private(STR("{\"subject\":{\"id\":\"bare\"},\"preferences\":{\"statistics\":true}}"));
    assert_string_equal(shown("bare", "statistics"),
                        "\"granted\" \"2026-03-01T00:00:00.000Z\" \"2027-03-01T00:00:00.000Z\" 2 "
                        "true false \"no_proof\"");
    (void)private(STR("{\"subject\":{\"id\":\"old\"},\"preferences\":{\"letters\":true}}"));
    const char *granted = "\"granted\" \"2026-03-01T00:00:00.000Z\" \"2027-03-01T00:00:00.000Z\" 1 "
                          "true";
    w.now += 365 * DAY - 1;
    assert_string_equal(shown("old", "letters"), text("%s true \"permitted\"", granted).p);
    w.now++;
    assert_string_equal(shown("old", "letters"), text("%s false \"expired\"", granted).p);
}

static int open_letters(void **state)
{
    (void)state;
    w.letters = true;
    world_open(&w, false);
    return 0;
}

static int close_letters(void **state)
{
    int failed = close_world(state);
    w.letters = false;
    return failed;
}

static void an_address_that_is_not_verified_is_the_reason(void **state)
{
    (void)state;
    (void)private(STR("{\"subject\":{\"id\":\"u\",\"email\":\"u@x.example\"},\"preferences\":"
                      "{\"newsletter\":true}," PROOF "}"));
    assert_string_equal(shown("u", "newsletter"),
                        "\"granted\" \"2026-03-01T00:00:00.000Z\" \"2027-03-01T00:00:00.000Z\" 1 "
                        "true false \"not_verified\"");
}

static void nothing_of_a_subject_but_her_consents_is_told(void **state)
{
    (void)state;
    (void)private(STR("{\"subject\":{\"id\":\"secret-id\",\"email\":\"ann@x.example\","
                      "\"full_name\":\"Ann Lee\"},\"ip_address\":\"198.51.100.7\",\"preferences\":"
                      "{\"statistics\":true,\"other\":\"word\"}," PROOF "}"));
    struct str json = state_json("secret-id");
    static const char *const hidden[] = { "secret-id", "ann@", "Lee", "198.51", "<form>", "other" };
    for (size_t i = 0; i < COUNT(hidden); i++)
        assert_null(memmem(json.p, json.n, hidden[i], strlen(hidden[i])));
}

static void who_is_restricted_looks_like_somebody_unknown(void **state)
{
    (void)state;
    int64_t seq;
    (void)private(
        STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true}," PROOF "}"));
    struct str unknown = state_json("nobody");
    assert_false(str_eq(state_json("u"), unknown));
    world_begin(&w);
    assert_int_equal(store_add_restriction(w.store, STR("u"), true, STR("{}"), w.now, &seq), OK);
    assert_int_equal(ledger_changed(w.ledger, STR("u")), OK);
    world_commit(&w);
    assert_true(str_eq(state_json("u"), unknown));
    assert_string_equal(shown("u", "statistics"), NEVER);
}

static void who_is_erased_looks_like_somebody_unknown(void **state)
{
    (void)state;
    (void)private(
        STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true}," PROOF "}"));
    struct str unknown = state_json("nobody");
    const struct snapshot *s;
    assert_int_equal(ledger_snapshot(w.ledger, w.reader, STR("u"), &s), OK);
    ((struct snapshot *)(uintptr_t)s)->flags |= SUBJECT_ERASED; /* no verb erases yet */
    assert_true(str_eq(state_json("u"), unknown));
    ledger_snapshot_unref(w.ledger, &s);
}

static void an_id_that_is_nobodys_is_refused(void **state)
{
    (void)state;
    struct str json;
    assert_int_equal(
        ledger_state(w.ledger, w.reader, w.policy, STR("null"), w.now, &w.arena, &json), ERR_VALUE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        T(every_purpose_is_told_with_what_stands),
        T(a_grant_that_does_not_count_says_why),
        cmocka_unit_test_setup_teardown(an_address_that_is_not_verified_is_the_reason, open_letters,
                                        close_letters),
        T(nothing_of_a_subject_but_her_consents_is_told),
        T(who_is_restricted_looks_like_somebody_unknown),
        T(who_is_erased_looks_like_somebody_unknown),
        T(an_id_that_is_nobodys_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
