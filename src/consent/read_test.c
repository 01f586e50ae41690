#include "consent/asking.h"

#include "base/limits.h"

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
    (void)public(STR("{\"subject\":{\"id\":\"c\"},\"consent_type\":\"cookie_policy\"}"));
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
        { "subject_first_name=Ann%20Lee", 2, 2 },
        { "subject_first_name=lee", 0, -1 },
        { "subject_email=%40example.org", 3, 2 },
        { "subject_email=nobody.org", 2, 2 },
        { "subject_email=bob%40example", 1, 1 },
        { "subject_email=ann%40example.net", 2, 2 },
        { "subject_email=bob%40org", 0, -1 },
        { "subject_email=%40.%20", 0, -1 },
        { "ip_address=::ffff:198.51.100.7", 1, 0 },
        { "consent_type=cookie_policy", 1, -1 },
        { "consent_type=cookie_policy&source=private", 0, -1 },
        { "consent_type=other", 0, -1 },
        { "consent_type=null", 3, 2 },
        { "consent_type=null&limit=1&subject_email=bob", 1, 1 },
        { "subject_verified=true", 2, 2 },
        { "subject_verified=false&source=private", 1, 1 },
        { "subject_email=example&limit=1", 1, 2 },
        { "fulltext=anything&consent_type=&unknown=%ff&limit=", 4, -1 },
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
        { "ip_address=nowhere", "ip_address", false },
        { "subject_email=%ff", "subject_email", false },
        { "preference_key=%ed%a0%80", "preference_key", false },
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
    w.now += DAY; /* said again: what holds rests on the newer act */
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"timestamp\":\"2026-02-03T00:00:00Z\","
                      "\"preferences\":{\"statistics\":true}," PROOF "}"));
    assert_string_equal(at(item(str_of(at(permissions("u"), "purposes")), 0), "since"),
                        "\"2026-02-03T00:00:00.000Z\"");
    (void)private(
        STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"marketing\":true}," PROOF "}"));
    assert_string_equal(at(item(str_of(at(permissions("u"), "destinations")), 1), "permitted"),
                        "true");
    struct str json;
    assert_int_equal(
        ledger_permissions(w.ledger, w.reader, w.policy, STR("null"), w.now, &w.arena, &json),
        ERR_VALUE);
}

static void a_filter_that_would_look_at_too_much_is_refused(void **state)
{
    (void)state;
    world_begin(&w);
    for (int i = 0; i < LIMIT_EXAMINED + LIMIT_LIST; i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct consent_answer ans;
        /* "even" and "odd" are said by turns: they never meet */
        struct consent_request q = { .body = i % 2 ? STR("{\"subject\":{\"id\":\"u\"},"
                                                         "\"preferences\":{\"odd\":1}}")
                                                   : STR("{\"subject\":{\"id\":\"u\"},"
                                                         "\"preferences\":{\"even\":1},"
                                                         "\"consent_type\":\"even\"}"),
                                     .source = ACT_PRIVATE_KEY,
                                     .received_ms = w.now + i };
        assert_int_equal(ledger_add_consent(w.ledger, w.policy, &q, &a, &ans, &w.info), OK);
    }
    world_commit(&w);
    struct str json;
    static const struct {
        const char *query;
        enum err err;
    } cases[] = {
        { "preference_key=odd&consent_type=even", ERR_LIMIT },
        { "preference_key=odd&consent_type=even&from_time=2026-03-01T00:00:09.500Z", OK },
        { "subject_email=nobody", OK }, /* an index knows */
        { "source=public", OK },
        { "ip_address=198.51.100.7", OK },
        { "subject_verified=false", OK }, /* the first page is enough */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum err e =
            ledger_list_consents(w.reader, str_of(cases[i].query), &w.arena, &json, &w.info);
        if (e != cases[i].err)
            fail_msg("%s: %d", cases[i].query, e);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        T(consents_are_listed_newest_first_and_filtered),
        T(a_filter_that_would_look_at_too_much_is_refused),
        T(bad_parameters_are_named),
        T(what_is_not_there_is_not_found),
        T(subjects_are_listed_newest_first_and_filtered),
        T(permissions_say_what_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
