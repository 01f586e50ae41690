#include "consent/asking.h"

#include "base/limits.h"

/* ---- subjects ---- */

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

static void to_be_verified_no_more_lowers(void **state)
{
    (void)state;
    struct str json;
    static const struct {
        const char *body;
        bool lowers;
    } steps[] = {
        { "{}", false },
        { "{\"verified\":false}", false },
        { "{\"verified\":true}", false },
        { "{\"email\":\"a@example.org\"}", false },
        { "{\"verified\":true}", false },
        { "{\"verified\":false}", true },
        { "{\"verified\":false}", false },
    };
    for (size_t i = 0; i < COUNT(steps); i++) {
        assert_int_equal(put("u", steps[i].body, false, &json), OK);
        if (last_lowers != steps[i].lowers)
            fail_msg("%zu: %s", i, steps[i].body);
    }
}

/* The first answer to the same Idempotency-Key may not have come yet. */
static void a_consent_that_unverifies_lowers(void **state)
{
    (void)state;
    static const char *const body[] = {
        "{\"subject\":{\"id\":\"u\",\"verified\":true}}",
        "{\"subject\":{\"id\":\"u\",\"verified\":false}}",
    };
    assert_false(private(str_of(body[0])).lowers);
    assert_false(public(str_of(body[1])).lowers); /* who cannot say it changes nothing */
    for (int i = 0; i < 2; i++) {
        struct consent_request q = { .body = str_of(body[1]),
                                     .source = ACT_PRIVATE_KEY,
                                     .idempotency_key = STR("once") };
        assert_true(sent(&q).lowers);
    }
    assert_false(private(str_of(body[1])).lowers);
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
        { "u", "[]", "body", false, ERR_VALUE },
        { "u", "{", "body", false, ERR_SYNTAX },
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
        "\"timestamp\":\"2026-02-01T00:00:00Z\",\"content\":{\"en\":\"two\",\"de\":\"zwei\"},"
        "\"documents\":[]},{\"id\":\"1_terms\",\"owner_id\":\"1\",\"identifier\":\"terms\","
        "\"version\":1,"
        "\"timestamp\":\"2026-03-01T00:00:00Z\",\"content\":\"one\",\"documents\":[]}]");
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
        { "7", "body" },
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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        T(subjects_are_made_and_changed), T(a_change_of_a_subject_keeps_her_preferences),
        T(to_be_verified_no_more_lowers), T(a_consent_that_unverifies_lowers),
        T(faults_in_subjects_are_named),  T(unknown_keys_of_a_subject_have_a_maximum),
        T(notices_are_numbered_from_1),   T(of_several_notices_all_or_none_are_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
