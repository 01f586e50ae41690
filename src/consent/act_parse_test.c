#include "consent/act_parse.h"

#include "consent/form.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static struct arena arena;
static struct err_info info;

static int clear(void **state)
{
    (void)state;
    arena_fini(&arena);
    info = (struct err_info){ 0 };
    return 0;
}

static void assert_str(struct str s, const char *expected)
{
    if (!str_eq(s, str_of(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(s), expected);
}

static enum err parse(const char *json, struct act_body *ret_body)
{
    return act_parse(str_of(json), BODY_JSON, &arena, ret_body, &info);
}

/* ---- forms ---- */

static void forms_become_the_same_json(void **state)
{
    (void)state;
    static const struct {
        const char *form, *json;
    } cases[] = {
        { "", "{}" },
        { "a=1", "{\"a\":\"1\"}" },
        { "a=1&a=2", "{\"a\":\"2\"}" },
        { "a", "{\"a\":\"\"}" },
        { "a=b=c", "{\"a\":\"b=c\"}" },
        { "&&a=1&", "{\"a\":\"1\"}" },
        { "subject[email]=a%40b.c&subject[first_name]=A+B",
          "{\"subject\":{\"email\":\"a@b.c\",\"first_name\":\"A B\"}}" },
        { "subject%5Bemail%5D=x", "{\"subject\":{\"email\":\"x\"}}" },
        { "preferences[newsletter]=true&preferences[a%20b]=0",
          "{\"preferences\":{\"newsletter\":\"true\",\"a b\":\"0\"}}" },
        { "n[0][identifier]=t&n[0][version]=1&n[1][identifier]=u",
          "{\"n\":[{\"identifier\":\"t\",\"version\":\"1\"},{\"identifier\":\"u\"}]}" },
        { "n[][identifier]=t&n[][version]=1&n[][identifier]=u",
          "{\"n\":[{\"identifier\":\"t\",\"version\":\"1\"},{\"identifier\":\"u\"}]}" },
        { "ids[]=1&ids[]=2", "{\"ids\":[\"1\",\"2\"]}" },
        { "a[b][c][d]=1", "{\"a\":{\"b\":{\"c\":{\"d\":\"1\"}}}}" },
        { "q=%22%5C", "{\"q\":\"\\\"\\\\\"}" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str json;
        assert_int_equal(form_to_json(str_of(cases[i].form), &arena, &json, &info), OK);
        assert_str(json, cases[i].json);
    }
}

static void malformed_forms_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = { "=1",         "a[=1",       "a]b[=1",
                                         "a[b=1",      "[a]=1",      "a[b]c=1",
                                         "a=1&a[b]=2", "a[b]=2&a=1", "a[b]=1&a[b][c]=1" };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct act_body b;
        /* "a]b[=1" has a head with a bracket that never closes */
        if (act_parse(str_of(cases[i]), BODY_FORM, &arena, &b, &info) == OK)
            fail_msg("accepted: %s", cases[i]);
    }
}

static void forms_have_limits(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf form = BUF_INIT(1 << 20);
    struct str json;
    for (int i = 0; i < FORM_FIELDS; i++)
        buf_printf(&form, "a%d=1&", i);
    assert_int_equal(form_to_json(buf_view(&form), &arena, &json, &info), OK);
    buf_lit(&form, "b=1");
    assert_int_equal(form_to_json(buf_view(&form), &arena, &json, &info), ERR_LIMIT);
    buf_clear(&form);
    buf_lit(&form, "a");
    for (int i = 0; i < FORM_DEPTH; i++)
        buf_lit(&form, "[b]");
    assert_int_equal(form_to_json(buf_view(&form), &arena, &json, &info), OK);
    buf_lit(&form, "[b]");
    assert_int_equal(form_to_json(buf_view(&form), &arena, &json, &info), ERR_LIMIT);
}

static void a_form_of_bad_text_is_refused(void **state)
{
    (void)state;
    struct act_body b;
    assert_int_equal(act_parse(STR("subject[id]=%ff"), BODY_FORM, &arena, &b, &info), ERR_SYNTAX);
    assert_int_equal(act_parse(STR("subject[id]=a%00b"), BODY_FORM, &arena, &b, &info), ERR_SYNTAX);
}

static void a_form_says_what_json_says(void **state)
{
    (void)state;
    struct act_body b;
    const struct str form =
        STR("timestamp=2026-01-02T03:04:05Z&subject[id]=u1&subject[verified]=true&"
            "preferences[newsletter]=true&preferences[profiling]=false&"
            "legal_notices[0][identifier]=terms&legal_notices[0][version]=3&"
            "proofs[][form]=<form>&versions[newsletter]=2&autodetect_ip_address=false");
    assert_int_equal(act_parse(form, BODY_FORM, &arena, &b, &info), OK);
    assert_true(b.has_timestamp);
    assert_str(b.subject.id, "u1");
    assert_int_equal(b.subject.verified, 1);
    assert_int_equal(b.preference_count, 2);
    assert_true(b.preference[0].grants);
    assert_false(b.preference[1].grants);
    assert_int_equal(b.citation_count, 1);
    assert_int_equal(b.citation[0].version, 3);
    assert_true(b.proof);
    assert_int_equal(b.stated[0].version, 2);
    assert_false(b.autodetect_ip_address);
}

/* ---- values ---- */

static void only_six_values_grant(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool grants;
    } cases[] = {
        { "true", true },
        { "1", true },
        { "\"true\"", true },
        { "\"1\"", true },
        { "\"on\"", true },
        { "\"yes\"", true },
        { "false", false },
        { "0", false },
        { "null", false },
        { "2", false },
        { "1.0", false },
        { "-1", false },
        { "1e0", false },
        { "\"\"", false },
        { "\"True\"", false },
        { "\"TRUE\"", false },
        { "\"YES\"", false },
        { "\" yes\"", false },
        { "\"granted\"", false },
        { "\"no\"", false },
        { "[true]", false },
        { "{}", false },
        { "{\"value\":true}", false },
        { "[]", false },
        { "\"\\u0079es\"", true },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct act_body b;
        struct str json =
            arena_printf(&arena, "{\"preferences\":{\"statistics\":%s}}", cases[i].value);
        assert_int_equal(act_parse(json, BODY_JSON, &arena, &b, &info), OK);
        if (b.preference[0].grants != cases[i].grants)
            fail_msg("%s", cases[i].value);
        assert_str(b.preference[0].raw, cases[i].value);
    }
}

static void preferences_may_be_a_list_or_nested(void **state)
{
    (void)state;
    struct act_body b;
    assert_int_equal(parse("{\"preferences\":[\"a\",{\"statistics\":true}]}", &b), OK);
    assert_int_equal(b.preference_count, 0);
    assert_str(b.preferences, "[\"a\",{\"statistics\":true}]");
    assert_int_equal(parse("{\"preferences\":{\"banner\":{\"statistics\":true}}}", &b), OK);
    assert_int_equal(b.preference_count, 1);
    assert_str(b.preference[0].name, "banner");
    assert_false(b.preference[0].grants);
}

static void proofs_need_a_form_a_content_or_a_document(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool proof;
    } cases[] = {
        { "{\"proofs\":[{\"form\":\"<f>\"}]}", true },
        { "{\"proofs\":[{\"content\":\"c\"}]}", true },
        { "{\"proofs\":[{\"content\":{\"email\":\"x\"}}]}", true },
        { "{\"proofs\":[{},{\"content\":\"c\",\"form\":null}]}", true },
        { "{\"proof_document_ids\":[\"7\"]}", true },
        { "{\"proof_document_ids\":[7]}", true },
        { "{\"proofs\":[]}", false },
        { "{\"proofs\":[{}]}", false },
        { "{\"proofs\":null}", false },
        { "{\"proofs\":[{\"form\":\"\",\"content\":\"  \"}]}", false },
        { "{\"proofs\":[{\"form\":{},\"content\":[]}]}", false },
        { "{\"proofs\":[{\"form\":true}]}", false },
        { "{\"proof_document_ids\":[]}", false },
        { "{\"proof_document_ids\":[\"\"]}", false },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct act_body b;
        assert_int_equal(parse(cases[i].json, &b), OK);
        if (b.proof != cases[i].proof)
            fail_msg("%s", cases[i].json);
    }
}

static void versions_are_numbers_or_their_text(void **state)
{
    (void)state;
    struct act_body b;
    assert_int_equal(parse("{\"legal_notices\":[{\"identifier\":\"a\",\"version\":7},"
                           "{\"identifier\":\"b\",\"version\":\"8\"},{\"identifier\":\"c\"},"
                           "{\"identifier\":\"d\",\"version\":null},"
                           "{\"identifier\":\"e\",\"version\":\"\"}]}",
                           &b),
                     OK);
    assert_int_equal(b.citation_count, 5);
    assert_int_equal(b.citation[0].version, 7);
    assert_int_equal(b.citation[1].version, 8);
    for (int i = 2; i < 5; i++)
        assert_false(b.citation[i].has_version);
    assert_int_equal(parse("{\"versions\":{\"a\":1,\"b\":\"2\",\"c\":null,\"d\":1.5}}", &b), OK);
    assert_int_equal(b.stated[1].version, 2);
    assert_int_equal(b.stated[2].version, 0);
    assert_int_equal(b.stated[3].version, 0);
}

static void unknown_keys_are_kept_and_the_token_is_not(void **state)
{
    (void)state;
    struct act_body b;
    assert_int_equal(parse("{\"campaign\":{\"a\":[1]},\"subject_token\":\"s\",\"effects\":1,"
                           "\"unescape_json\":true,\"sub\\u006aect\":{\"telephone\":\"1\"}}",
                           &b),
                     OK);
    assert_str(b.other, "{\"campaign\":{\"a\":[1]},\"effects\":1}");
    assert_str(b.subject_token, "s");
    AUTO(buf_fini) struct buf to = BUF_INIT(1000);
    buf_byte(&to, '{');
    subject_write_said(&b.subject, true, &arena, &to);
    assert_str(buf_view(&to), "{\"telephone\":\"1\"");
}

static void faults_name_their_field(void **state)
{
    (void)state;
    static const struct {
        const char *json, *field;
        enum err err;
    } cases[] = {
        { "", "body", ERR_SYNTAX },
        { "{", "body", ERR_SYNTAX },
        { "{\"a\":1,\"a\":2}", "body", ERR_SYNTAX },
        { "[]", "body", ERR_VALUE },
        { "7", "body", ERR_VALUE },
        { "{\"subject\":7}", "subject", ERR_VALUE },
        { "{\"subject\":[1]}", "subject", ERR_VALUE },
        { "{\"subject\":{\"id\":\"\"}}", "subject.id", ERR_VALUE },
        { "{\"subject\":{\"id\":\"null\"}}", "subject.id", ERR_VALUE },
        { "{\"subject\":{\"id\":0}}", "subject.id", ERR_VALUE },
        { "{\"subject\":{\"id\":1.0}}", "subject.id", ERR_VALUE },
        { "{\"subject\":{\"id\":1e3}}", "subject.id", ERR_VALUE },
        { "{\"subject\":{\"id\":-5}}", "subject.id", ERR_VALUE },
        { "{\"subject\":{\"id\":true}}", "subject.id", ERR_VALUE },
        { "{\"subject\":{\"id\":[]}}", "subject.id", ERR_VALUE },
        { "{\"subject\":{\"email\":7}}", "subject.email", ERR_VALUE },
        { "{\"subject\":{\"verified\":\"maybe\"}}", "subject.verified", ERR_VALUE },
        { "{\"timestamp\":7}", "timestamp", ERR_VALUE },
        { "{\"timestamp\":\"yesterday\"}", "timestamp", ERR_VALUE },
        { "{\"timestamp\":\"\"}", "timestamp", ERR_VALUE },
        { "{\"preferences\":true}", "preferences", ERR_VALUE },
        { "{\"preferences\":\"all\"}", "preferences", ERR_VALUE },
        { "{\"legal_notices\":\"terms\"}", "legal_notices", ERR_VALUE },
        { "{\"legal_notices\":[\"terms\"]}", "legal_notices", ERR_VALUE },
        { "{\"legal_notices\":[{\"version\":1}]}", "legal_notices", ERR_VALUE },
        { "{\"legal_notices\":[{\"identifier\":\"t\",\"version\":0}]}", "legal_notices.version",
          ERR_VALUE },
        { "{\"legal_notices\":[{\"identifier\":\"t\",\"version\":\"x\"}]}", "legal_notices.version",
          ERR_VALUE },
        { "{\"proofs\":{\"form\":\"x\"}}", "proofs", ERR_VALUE },
        { "{\"proofs\":[\"x\"]}", "proofs", ERR_VALUE },
        { "{\"proof_document_ids\":\"7\"}", "proof_document_ids", ERR_VALUE },
        { "{\"versions\":[1]}", "versions", ERR_VALUE },
        { "{\"shown\":\"en\"}", "shown", ERR_VALUE },
        { "{\"ip_address\":7}", "ip_address", ERR_VALUE },
        { "{\"autodetect_ip_address\":\"perhaps\"}", "autodetect_ip_address", ERR_VALUE },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct act_body b;
        info = (struct err_info){ 0 };
        if (parse(cases[i].json, &b) != cases[i].err || strcmp(info.field, cases[i].field) != 0)
            fail_msg("%s: %d at \"%s\"", cases[i].json, info.err, info.field);
        assert_int_equal(info.err, cases[i].err);
        assert_true(info.text[0] != 0);
    }
}

static void empty_things_say_nothing(void **state)
{
    (void)state;
    struct act_body b;
    assert_int_equal(parse("{\"subject\":null,\"timestamp\":null,\"preferences\":null,"
                           "\"legal_notices\":null,\"versions\":[],\"shown\":null}",
                           &b),
                     OK);
    assert_false(b.subject.has_id || b.has_timestamp || b.citation_count || b.stated_count);
    assert_true(b.autodetect_ip_address);
    assert_int_equal(parse("{\"subject\":[]}", &b), OK); /* PHP's empty array */
    assert_int_equal(parse("{\"subject\":{\"id\":null,\"email\":null}}", &b), OK);
    assert_false(b.subject.has_id);
    assert_int_equal(parse("{\"subject\":{\"id\":42}}", &b), OK);
    assert_str(b.subject.id, "42");
}

static struct str repeated(const char *before, const char *item, int count, const char *after)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(8 << 20);
    buf_str(&to, str_of(before));
    for (int i = 0; i < count; i++) {
        if (i)
            buf_byte(&to, ',');
        for (const char *p = item; *p; p++) { /* '#' is the number */
            if (*p == '#')
                buf_printf(&to, "%d", i);
            else
                buf_byte(&to, *p);
        }
    }
    buf_str(&to, str_of(after));
    return arena_str(&arena, buf_view(&to));
}

static void more_than_the_maximum_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *before, *item, *after, *field;
        int most;
    } cases[] = {
        { "{\"preferences\":{", "\"p#\":true", "}}", "preferences", LIMIT_PREFERENCES },
        { "{\"preferences\":[", "#", "]}", "preferences", LIMIT_PREFERENCES },
        { "{\"legal_notices\":[", "{\"identifier\":\"t#\"}", "]}", "legal_notices",
          LIMIT_NOTICES_PER_ACT },
        { "{\"proofs\":[", "{\"form\":\"#\"}", "]}", "proofs", LIMIT_PROOFS_PER_ACT },
        { "{\"proof_document_ids\":[", "\"#\"", "]}", "proof_document_ids", LIMIT_PROOFS_PER_ACT },
        { "{\"versions\":{", "\"p#\":1", "}}", "versions", LIMIT_PREFERENCES },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct act_body b;
        struct str fits = repeated(cases[i].before, cases[i].item, cases[i].most, cases[i].after);
        assert_int_equal(act_parse(fits, BODY_JSON, &arena, &b, &info), OK);
        struct str over =
            repeated(cases[i].before, cases[i].item, cases[i].most + 1, cases[i].after);
        assert_int_equal(act_parse(over, BODY_JSON, &arena, &b, &info), ERR_LIMIT);
        assert_string_equal(info.field, cases[i].field);
    }
}

static void longer_than_the_maximum_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *field;
        int most;
        enum err err;
    } cases[] = {
        { "{\"subject\":{\"email\":\"", "\"}}", "subject.email", LIMIT_SUBJECT_FIELD, ERR_LIMIT },
        { "{\"subject\":{\"id\":\"", "\"}}", "subject.id", LIMIT_ID, ERR_VALUE },
        { "{\"preferences\":{\"", "\":1}}", "preferences", LIMIT_PREFERENCE_NAME, ERR_LIMIT },
        { "{\"legal_notices\":[{\"identifier\":\"", "\"}]}", "legal_notices.identifier", LIMIT_ID,
          ERR_LIMIT },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[LIMIT_SUBJECT_FIELD + 2];
        struct act_body b;
        memset(text, 'x', sizeof text);
        for (int over = 0; over < 2; over++) {
            struct str json = arena_printf(&arena, "%s%.*s%s", cases[i].before,
                                           cases[i].most + over, text, cases[i].after);
            assert_int_equal(act_parse(json, BODY_JSON, &arena, &b, &info),
                             over ? cases[i].err : OK);
        }
        assert_string_equal(info.field, cases[i].field);
    }
    struct act_body b;
    char *huge = arena_alloc(&arena, LIMIT_CONSENT_BODY + 1);
    memset(huge, ' ', LIMIT_CONSENT_BODY + 1);
    memcpy(huge, "{}", 2);
    assert_int_equal(
        act_parse((struct str){ huge, LIMIT_CONSENT_BODY }, BODY_JSON, &arena, &b, &info), OK);
    assert_int_equal(
        act_parse((struct str){ huge, LIMIT_CONSENT_BODY + 1 }, BODY_JSON, &arena, &b, &info),
        ERR_LIMIT);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, clear, clear)
    const struct CMUnitTest tests[] = {
        T(forms_become_the_same_json),
        T(malformed_forms_are_refused),
        T(forms_have_limits),
        T(a_form_of_bad_text_is_refused),
        T(a_form_says_what_json_says),
        T(only_six_values_grant),
        T(preferences_may_be_a_list_or_nested),
        T(proofs_need_a_form_a_content_or_a_document),
        T(versions_are_numbers_or_their_text),
        T(unknown_keys_are_kept_and_the_token_is_not),
        T(faults_name_their_field),
        T(empty_things_say_nothing),
        T(more_than_the_maximum_is_refused),
        T(longer_than_the_maximum_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
