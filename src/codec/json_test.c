#include "codec/json.h"

#include "base/limits.h"
#include "codec/utf8.h"

/* Both name these; theirs get another name here. */
#define json_type jansson_type
#define json_string jansson_string
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef json_type
#undef json_string
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

/* Scans a copy of exactly that length, so that a step too far is seen. */
static enum err scan_copy(struct str text, struct arena *a, struct json_doc *ret_doc,
                          struct json_fault *ret_fault)
{
    char *p = text.n ? must_alloc(text.n) : NULL;
    if (p)
        memcpy(p, text.p, text.n);
    enum err err = json_scan((struct str){ p, text.n }, a, ret_doc, ret_fault);
    if (err == OK)
        ret_doc->text = text;
    free(p);
    return err;
}

/* A zero byte is no JSON anywhere, but jansson overlooks one behind a number. */
static bool jansson_takes(struct str text)
{
    if (text.n && memchr(text.p, 0, text.n))
        return false;
    json_t *tree =
        json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    bool takes = tree != NULL;
    json_decref(tree);
    return takes;
}

static struct json_doc scanned(struct str text, struct arena *a)
{
    struct json_doc d;
    struct json_fault f = { 0 };
    if (json_scan(text, a, &d, &f) != OK)
        fail_msg("%.*s: %s at %u", STR_ARG(text), f.why, f.at);
    return d;
}

#define TEN(s) s s s s s s s s s s
#define HUNDRED(s) TEN(TEN(s))
/* 2^1024 - 2^970: the least whole number that rounds to infinity, but for its last digit, 2 */
#define BORDER                                                                                     \
    "17976931348623158079372897140530341507993413271003782693617377898044496829276475094664901797" \
    "75872070963302864166928879109465555478519404026306574886715058206819089020007083836762738548" \
    "45817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711" \
    "55969950809304288017790417449779"

static const struct str accepted[] = {
    /* values of every type, alone */
    STR_INIT("null"), STR_INIT("true"), STR_INIT("false"), STR_INIT("0"), STR_INIT("\"\""),
    STR_INIT("[]"), STR_INIT("{}"),
    /* white space */
    STR_INIT(" \t\r\n1"), STR_INIT("1 \t\r\n"), STR_INIT(" [ ] "), STR_INIT("{\n}\n"),
    STR_INIT("\t[ 1 ,\r2 ]"), STR_INIT("{ \"a\" : 1 , \"b\" :\n2 }"),
    /* numbers */
    STR_INIT("-0"), STR_INIT("-1"), STR_INIT("10"), STR_INIT("0.5"), STR_INIT("-0.0"),
    STR_INIT("1e5"), STR_INIT("1E5"), STR_INIT("1e+5"), STR_INIT("1e-5"), STR_INIT("0e0"),
    STR_INIT("0E+00"), STR_INIT("1.50e007"), STR_INIT("123456789012345678"),
    STR_INIT("9223372036854775807"), STR_INIT("-9223372036854775808"),
    STR_INIT("1000000000000000000"), STR_INIT("9223372036854775808.0"),
    STR_INIT("9223372036854775808e0"), STR_INIT("1.7976931348623157e308"),
    STR_INIT("-1.7976931348623157e308"), STR_INIT("1e308"), STR_INIT("0.001e311"),
    STR_INIT("17976931348623157e292"), STR_INIT("1e-400"), STR_INIT("4.9e-324"),
    STR_INIT("1e-99999999999999999999"), STR_INIT("0e99999999999999999999"),
    STR_INIT("-0.000e99999999999999999999"), STR_INIT(BORDER "1.0"),
    STR_INIT(BORDER "1.99999999999999999999"), STR_INIT("-" BORDER "1e0"),
    STR_INIT("0." HUNDRED("0") HUNDRED("0") HUNDRED("0") HUNDRED("0") "1e400"),
    STR_INIT("0." HUNDRED("0") HUNDRED("0") HUNDRED("0") HUNDRED("0") BORDER "1e709"),
    STR_INIT("1" HUNDRED("0") HUNDRED("0") HUNDRED("0") HUNDRED("0") "e-200"),
    /* strings */
    STR_INIT("\" \""), STR_INIT("\"\x7f\""), STR_INIT("\"/\""), STR_INIT("\"a\\/b\""),
    STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), STR_INIT("\"\\u0001\""),
    STR_INIT("\"\\u00e9\\u00E9\""), STR_INIT("\"\\uD834\\udd1e\""), STR_INIT("\"\\uFFFF\""),
    STR_INIT("\"\\uDBFF\\uDFFF\""), STR_INIT("\"\\ud7ff\\ue000\""), STR_INIT("\"\\\\u0000\""),
    STR_INIT("\"\xc2\x80\""), STR_INIT("\"\xdf\xbf\""), STR_INIT("\"\xe0\xa0\x80\""),
    STR_INIT("\"\xed\x9f\xbf\""), STR_INIT("\"\xee\x80\x80\""), STR_INIT("\"\xef\xbf\xbf\""),
    STR_INIT("\"\xf0\x90\x80\x80\""), STR_INIT("\"\xf4\x8f\xbf\xbf\""),
    STR_INIT("\"\xe2\x80\xa8\""), STR_INIT("\"plain, then \xc3\xa9 and plain again, long\""),
    /* containers */
    STR_INIT("[1,null,\"2\",[],{}]"), STR_INIT("[[[[[]]]]]"), STR_INIT("{\"\":0}"),
    STR_INIT("{\"a\":{\"a\":{\"a\":1}}}"), STR_INIT("[{\"a\":1},{\"a\":1}]"),
    STR_INIT("{\"a\":1,\"A\":2}"), STR_INIT("{\"a\":1,\"\\\\u0061\":2}"),
    STR_INIT("{\"a\":1,\"\":2,\"aa\":3,\"aaa\":4}"), STR_INIT("{\"\\n\":1,\"n\":2}"),
    STR_INIT("{\"\\n\":1,\"\\t\":2,\"\\r\":3,\"t\":4}"),
    STR_INIT("{\"\xc3\xa9\":1,\"e\\u0301\":2}"), /* alike, but different text */
};

static const struct {
    struct str text;
    uint32_t at;
} refused[] = {
    /* nothing, or more than one value */
    { STR_INIT(""), 0 },
    { STR_INIT("  "), 2 },
    { STR_INIT("1 2"), 2 },
    { STR_INIT("{}}"), 2 },
    { STR_INIT("[] []"), 3 },
    { STR_INIT("\"\"\"\""), 2 },
    { STR_INIT("1\0"), 1 },
    { STR_INIT("\xef\xbb\xbf{}"), 0 },
    { STR_INIT("\v1"), 0 },
    { STR_INIT("\f1"), 0 },
    { STR_INIT("\xc2\xa0"
               "1"),
      0 },
    { STR_INIT("\0"), 0 },
    { STR_INIT("#\n1"), 0 },
    { STR_INIT("/**/1"), 0 },
    { STR_INIT("[1/**/]"), 2 },
    { STR_INIT("\xff"), 0 },
    /* words */
    { STR_INIT("nul"), 3 },
    { STR_INIT("nulL"), 0 },
    { STR_INIT("NULL"), 0 },
    { STR_INIT("True"), 0 },
    { STR_INIT("truee"), 4 },
    { STR_INIT("tru"), 3 },
    { STR_INIT("undefined"), 0 },
    { STR_INIT("NaN"), 0 },
    { STR_INIT("Infinity"), 0 },
    { STR_INIT("-Infinity"), 1 },
    { STR_INIT("[true1]"), 5 },
    { STR_INIT("'a'"), 0 },
    { STR_INIT("a"), 0 },
    /* numbers */
    { STR_INIT("-"), 1 },
    { STR_INIT("+1"), 0 },
    { STR_INIT("01"), 0 },
    { STR_INIT("-01"), 1 },
    { STR_INIT("00"), 0 },
    { STR_INIT("1."), 2 },
    { STR_INIT("[1.]"), 3 },
    { STR_INIT(".5"), 0 },
    { STR_INIT("-.5"), 1 },
    { STR_INIT("1.e5"), 2 },
    { STR_INIT("1e"), 2 },
    { STR_INIT("1e+"), 3 },
    { STR_INIT("[1e-]"), 4 },
    { STR_INIT("1e5.5"), 3 },
    { STR_INIT("1e+-5"), 3 },
    { STR_INIT("0x10"), 1 },
    { STR_INIT("1_000"), 1 },
    { STR_INIT("--1"), 1 },
    { STR_INIT("1.2.3"), 3 },
    { STR_INIT("1a"), 1 },
    { STR_INIT("0e"), 2 },
    { STR_INIT("9223372036854775808"), 0 },
    { STR_INIT("-9223372036854775809"), 0 },
    { STR_INIT("10000000000000000000"), 0 },
    { STR_INIT("[18446744073709551616]"), 1 },
    { STR_INIT("1e309"), 0 },
    { STR_INIT("-1e309"), 0 },
    { STR_INIT("1.8e308"), 0 },
    { STR_INIT("1.7976931348623159e308"), 0 },
    { STR_INIT("0.01e311"), 0 },
    { STR_INIT("18e307"), 0 },
    { STR_INIT("1e18446744073709551616"), 0 },
    { STR_INIT("1e99999999999999999999"), 0 },
    { STR_INIT(BORDER "2.0"), 0 },
    { STR_INIT("-" BORDER "2e0"), 0 },
    { STR_INIT("0." HUNDRED("0") BORDER "2e409"), 0 },
    { STR_INIT("1" HUNDRED("0") HUNDRED("0") HUNDRED("0") HUNDRED("0") ".5"), 0 },
    /* strings */
    { STR_INIT("\""), 1 },
    { STR_INIT("\"abc"), 4 },
    { STR_INIT("\"a\nb\""), 2 },
    { STR_INIT("\"\t\""), 1 },
    { STR_INIT("\"\0\""), 1 },
    { STR_INIT("\"\x1f\""), 1 },
    { STR_INIT("\"12345678\x01\""), 9 },
    { STR_INIT("\"\\"), 1 },
    { STR_INIT("\"\\\""), 3 },
    { STR_INIT("\"\\a\""), 1 },
    { STR_INIT("\"\\'\""), 1 },
    { STR_INIT("\"\\\0\""), 1 },
    { STR_INIT("\"\\x41\""), 1 },
    { STR_INIT("\"\\U0041\""), 1 },
    { STR_INIT("\"\\u\""), 1 },
    { STR_INIT("\"\\u00\""), 1 },
    { STR_INIT("\"\\u00g0\""), 1 },
    { STR_INIT("\"\\u 041\""), 1 },
    { STR_INIT("\"\\u-041\""), 1 },
    { STR_INIT("\"\\u0000\""), 1 },
    { STR_INIT("\"ab\\u0000\""), 3 },
    { STR_INIT("\"\\ud800\""), 1 },
    { STR_INIT("\"\\udc00\""), 1 },
    { STR_INIT("\"\\ud800x\""), 1 },
    { STR_INIT("\"\\ud800\\n\""), 1 },
    { STR_INIT("\"\\ud800\\ud800\""), 1 },
    { STR_INIT("\"\\ud800\\u0041\""), 1 },
    { STR_INIT("\"\\ud800\\ue000\""), 1 },
    { STR_INIT("\"\\udfff\""), 1 },
    { STR_INIT("\"\\ud800\\udbff\""), 1 },
    { STR_INIT("\"\\udc00\\udc00\""), 1 },
    { STR_INIT("\"\\udbff\\ue000\""), 1 },
    { STR_INIT("\"\\udc00\\ud800\""), 1 },
    { STR_INIT("\"\\ud800\\u"), 1 },
    { STR_INIT("\"\\ud800\\udcg0\""), 1 },
    /* UTF-8 */
    { STR_INIT("\"\x80\""), 1 },
    { STR_INIT("\"\xbf\""), 1 },
    { STR_INIT("\"\xc0\x80\""), 1 },
    { STR_INIT("\"\xc1\xbf\""), 1 },
    { STR_INIT("\"\xc3\""), 1 },
    { STR_INIT("\"\xc3("), 1 },
    { STR_INIT("\"\xe0\x80\x80\""), 1 },
    { STR_INIT("\"\xe0\x9f\xbf\""), 1 },
    { STR_INIT("\"\xed\xa0\x80\""), 1 },
    { STR_INIT("\"\xed\xbf\xbf\""), 1 },
    { STR_INIT("\"\xe2\x82\""), 1 },
    { STR_INIT("\"\xe2\x82"), 1 },
    { STR_INIT("\"\xe2(\xa1\""), 1 },
    { STR_INIT("\"\xf0\x80\x80\x80\""), 1 },
    { STR_INIT("\"\xf0\x8f\xbf\xbf\""), 1 },
    { STR_INIT("\"\xf4\x90\x80\x80\""), 1 },
    { STR_INIT("\"\xf5\x80\x80\x80\""), 1 },
    { STR_INIT("\"\xf0\x90\x80\""), 1 },
    { STR_INIT("\"\xff\""), 1 },
    { STR_INIT("\"\xfe\xff\""), 1 },
    { STR_INIT("\"\xc3\xa9\xff\""), 3 },
    { STR_INIT("\"1234567\x80\""), 8 },
    { STR_INIT("{\"\xff\":1}"), 2 },
    /* arrays */
    { STR_INIT("["), 1 },
    { STR_INIT("]"), 0 },
    { STR_INIT("[1"), 2 },
    { STR_INIT("[1,"), 3 },
    { STR_INIT("[1,]"), 3 },
    { STR_INIT("[,1]"), 1 },
    { STR_INIT("[,]"), 1 },
    { STR_INIT("[1,,2]"), 3 },
    { STR_INIT("[1 2]"), 3 },
    { STR_INIT("[1:2]"), 2 },
    { STR_INIT("[1}"), 2 },
    { STR_INIT("[[1]"), 4 },
    { STR_INIT("[1]]"), 3 },
    { STR_INIT("[\"a\":1]"), 4 },
    /* objects */
    { STR_INIT("{"), 1 },
    { STR_INIT("}"), 0 },
    { STR_INIT("{\"a\""), 4 },
    { STR_INIT("{\"a\":"), 5 },
    { STR_INIT("{\"a\":1"), 6 },
    { STR_INIT("{\"a\":1,"), 7 },
    { STR_INIT("{\"a\":1,}"), 7 },
    { STR_INIT("{,}"), 1 },
    { STR_INIT("{\"a\"}"), 4 },
    { STR_INIT("{\"a\" 1}"), 5 },
    { STR_INIT("{\"a\",1}"), 4 },
    { STR_INIT("{\"a\"::1}"), 5 },
    { STR_INIT("{a:1}"), 1 },
    { STR_INIT("{'a':1}"), 1 },
    { STR_INIT("{1:1}"), 1 },
    { STR_INIT("{null:1}"), 1 },
    { STR_INIT("{[]:1}"), 1 },
    { STR_INIT("{\"a\":1]"), 6 },
    { STR_INIT("{\"a\":1 \"b\":2}"), 7 },
    { STR_INIT("{\"a\":}"), 5 },
    { STR_INIT("{\"a\":1;}"), 6 },
    /* one key twice */
    { STR_INIT("{\"a\":1,\"a\":1}"), 7 },
    { STR_INIT("{\"\":1,\"\":1}"), 6 },
    { STR_INIT("{\"a\":1,\"b\":[{},{}],\"a\":2}"), 19 },
    { STR_INIT("[{\"x\":{\"a\":1,\"a\":1}}]"), 13 },
    { STR_INIT("{\"a\":1,\"\\u0061\":2}"), 7 },
    { STR_INIT("{\"\\u0061\":1,\"a\":2}"), 12 },
    { STR_INIT("{\"\\u0061b\":1,\"a\\u0062\":2}"), 13 },
    { STR_INIT("{\"\\/\":1,\"/\":2}"), 8 },
    { STR_INIT("{\"\xc3\xa9\":1,\"\\u00E9\":2}"), 8 },
    { STR_INIT("{\"\\uD834\\uDD1E\":1,\"\xf0\x9d\x84\x9e\":2}"), 18 },
    { STR_INIT("{\"\\n\":1,\"x\":0,\"\\u000a\":2}"), 14 },
    { STR_INIT("{\"\\n\":1,\"\\t\":2,\"\\u0062\":3,\"b\":4}"), 26 },
    { STR_INIT("{\"a\":1,\"\\n\":1,\"\\t\":2,\"\\u0062\":3,\"a\":4}"), 32 },
    { STR_INIT("{\"\\n\":1,\"\\t\":2,\"\\n\":3,\"\\r\":4}"), 15 },
    { STR_INIT("{\"\\n\":1,\"\\t\":2,\"\\r\":3,\"\\u000A\":4}"), 22 },
};

static void well_formed_json_is_accepted(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    for (size_t i = 0; i < COUNT(accepted); i++) {
        struct json_doc d;
        struct json_fault f = { 0 };
        if (scan_copy(accepted[i], &a, &d, &f) != OK)
            fail_msg("%.*s: %s at %u", STR_ARG(accepted[i]), f.why, f.at);
        struct str raw = json_raw(&d, JSON_ROOT);
        assert_true(str_eq(raw, str_trim(accepted[i])));
        assert_int_equal(d.node[JSON_ROOT].next, d.count);
        if (!jansson_takes(accepted[i]))
            fail_msg("jansson refuses %.*s", STR_ARG(accepted[i]));
    }
}

static void malformed_json_is_refused_where_it_is_wrong(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct json_doc d = { .count = 77 };
        struct json_fault f = { 0 };
        enum err err = scan_copy(refused[i].text, &a, &d, &f);
        if (err != ERR_SYNTAX || f.at != refused[i].at || f.why == NULL)
            fail_msg("%.*s: %d, %s at %u", STR_ARG(refused[i].text), err, f.why, f.at);
        assert_int_equal(d.count, 77); /* untouched */
        assert_int_equal(scan_copy(refused[i].text, &a, &d, NULL), ERR_SYNTAX);
        if (jansson_takes(refused[i].text))
            fail_msg("jansson takes %.*s", STR_ARG(refused[i].text));
    }
}

static const struct str sample = STR_INIT("{\"type\":\"track\",\"userId\":42.50,\"properties\":{"
                                          "\"a.b\":[1,-2e3,\"\\u00e9\\ud834\\udd1e\"],"
                                          "\"none\":null,\"yes\":true,\"no\":false,\"\":{}},"
                                          "\"caf\xc3\xa9\":\"\xe2\x82\xac \xf0\x9f\x98\x80\","
                                          "\"\\u0065scaped\":\"line\\n\"}");

static void text_cut_anywhere_is_refused(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d;
    struct json_fault f;
    for (size_t n = 0; n < sample.n; n++) {
        assert_int_equal(scan_copy((struct str){ sample.p, n }, &a, &d, &f), ERR_SYNTAX);
        assert_true(f.at <= n);
    }
    assert_int_equal(scan_copy(sample, &a, &d, &f), OK);
}

/* Every byte of the sample replaced by every other: we agree with jansson. */
static void damaged_text_is_judged_as_jansson_does(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(free_ptr) char *p = must_alloc(sample.n);
    size_t taken = 0;
    for (size_t at = 0; at < sample.n; at++) {
        memcpy(p, sample.p, sample.n);
        for (int c = 0; c < 256; c++) {
            p[at] = (char)c;
            struct str text = { p, sample.n };
            struct json_doc d;
            bool ours = json_scan(text, &a, &d, NULL) == OK;
            if (ours != jansson_takes(text))
                fail_msg("we say %d: %.*s", ours, STR_ARG(text));
            taken += ours;
            arena_clear(&a);
        }
    }
    assert_true(taken > 1000); /* letters in strings and the like */
}

static void accessors_answer_by_type_and_path(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d = scanned(sample, &a);
    struct str s;
    assert_int_equal(json_type(&d, 0), JSON_ABSENT);
    assert_int_equal(json_type(&d, JSON_ROOT), JSON_OBJECT);
    assert_int_equal(d.node[JSON_ROOT].count, 5);
    assert_true(json_string(&d, json_get(&d, JSON_ROOT, STR("type")), &a, &s));
    assert_true(str_eq(s, STR("track")));
    assert_ptr_equal(s.p, sample.p + 9); /* not copied */

    uint32_t number = json_get(&d, JSON_ROOT, STR("userId"));
    assert_int_equal(json_type(&d, number), JSON_NUMBER);
    s = STR("before");
    assert_false(json_string(&d, number, &a, &s));
    assert_true(str_eq(s, STR("before")));
    assert_true(json_text(&d, number, &a, &s) && str_eq(s, STR("42.50")));

    uint32_t properties = json_get(&d, JSON_ROOT, STR("properties"));
    assert_int_equal(json_type(&d, json_find(&d, JSON_ROOT, STR("properties.none"))), JSON_NULL);
    assert_int_equal(json_type(&d, json_find(&d, JSON_ROOT, STR("properties.yes"))), JSON_TRUE);
    assert_int_equal(json_type(&d, json_find(&d, JSON_ROOT, STR("properties.no"))), JSON_FALSE);
    assert_int_equal(json_type(&d, json_find(&d, JSON_ROOT, STR("properties."))), JSON_OBJECT);
    assert_int_equal(json_type(&d, json_get(&d, properties, STR(""))), JSON_OBJECT);
    assert_int_equal(json_get(&d, properties, STR("")), json_find(&d, properties, STR("")));
    assert_int_equal(json_get(&d, properties, STR("")),
                     json_find(&d, properties, (struct str){ 0 }));
    assert_int_equal(json_find(&d, JSON_ROOT, STR("properties.a.b")), 0); /* a path has no quotes */
    assert_int_equal(json_find(&d, JSON_ROOT, STR("type.x")), 0);
    assert_int_equal(json_find(&d, 0, STR("type")), 0);
    assert_int_equal(json_get(&d, 0, STR("type")), 0);
    assert_int_equal(json_get(&d, JSON_ROOT, STR("typ")), 0);
    assert_int_equal(json_get(&d, JSON_ROOT, STR("a.b")), 0); /* only of its own */
    assert_int_equal(json_get(&d, number, STR("type")), 0);

    uint32_t list = json_get(&d, properties, STR("a.b"));
    assert_int_equal(json_type(&d, list), JSON_ARRAY);
    assert_true(str_eq(json_raw(&d, list), STR("[1,-2e3,\"\\u00e9\\ud834\\udd1e\"]")));
    assert_int_equal(json_get(&d, list, STR("1")), 0);
    struct json_doc pair = scanned(STR("[\"a\",7]"), &a);
    assert_int_equal(json_get(&pair, JSON_ROOT, STR("a")), 0);
    assert_int_equal(json_raw(&d, 0).n, 0);
    assert_false(json_text(&d, list, &a, &s) || json_text(&d, 0, &a, &s) ||
                 json_text(&d, json_get(&d, properties, STR("none")), &a, &s) ||
                 json_text(&d, json_get(&d, properties, STR("yes")), &a, &s));
}

static void escapes_are_undone_in_values_and_keys(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d = scanned(sample, &a);
    struct str s;
    assert_true(json_string(&d, json_get(&d, JSON_ROOT, STR("escaped")), &a, &s));
    assert_true(str_eq(s, STR("line\n")));
    assert_int_equal(json_get(&d, JSON_ROOT, STR("\\u0065scaped")), 0);
    assert_true(json_string(&d, json_get(&d, JSON_ROOT, STR("caf\xc3\xa9")), &a, &s));
    assert_true(str_eq(s, STR("\xe2\x82\xac \xf0\x9f\x98\x80")));

    d = scanned(STR("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u007f\\u0080\\u07ff\\u0800\\uffff\","
                    "\"x\\uD800\\uDC00y\\udbff\\udfffz\",\"\\\\u0041\"]"),
                &a);
    static const struct str want[] = { STR_INIT("\"\\/\b\f\n\r\t"),
                                       STR_INIT("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"),
                                       STR_INIT("x\xf0\x90\x80\x80y\xf4\x8f\xbf\xbfz"),
                                       STR_INIT("\\u0041") };
    size_t i = 0;
    for (uint32_t v = json_first(&d, JSON_ROOT); v; v = json_next(&d, JSON_ROOT, v), i++) {
        assert_true(i < COUNT(want) && d.node[v].escaped);
        assert_true(json_string(&d, v, &a, &s) && str_eq(s, want[i]));
        assert_true(utf8_valid(s));
    }
    assert_int_equal(i, COUNT(want));
}

static void containers_are_walked_member_by_member(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d = scanned(STR("[[],{\"k\":[1,[2]],\"l\":{\"m\":3}},4,[[5]]]"), &a);
    char seen[64] = "";
    for (uint32_t v = json_first(&d, JSON_ROOT); v; v = json_next(&d, JSON_ROOT, v))
        (void)snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%.*s;",
                       STR_ARG(json_raw(&d, v)));
    assert_string_equal(seen, "[];{\"k\":[1,[2]],\"l\":{\"m\":3}};4;[[5]];");

    uint32_t object = json_next(&d, JSON_ROOT, json_first(&d, JSON_ROOT));
    seen[0] = 0;
    for (uint32_t k = json_first(&d, object); k; k = json_next(&d, object, k + 1))
        (void)snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%.*s=%.*s;",
                       STR_ARG(json_raw(&d, k)), STR_ARG(json_raw(&d, k + 1)));
    assert_string_equal(seen, "\"k\"=[1,[2]];\"l\"={\"m\":3};");

    assert_int_equal(json_first(&d, json_first(&d, JSON_ROOT)), 0); /* empty */
    assert_int_equal(json_first(&d, 0), 0);
    assert_int_equal(json_next(&d, 0, 0), 0);
    d = scanned(STR("7"), &a);
    assert_int_equal(json_first(&d, JSON_ROOT), 0);
}

static struct str repeat(struct arena *a, struct str head, struct str part, size_t n,
                         struct str tail)
{
    char *p = arena_alloc(a, head.n + part.n * n + tail.n), *to = p;
    to = (char *)mempcpy(to, head.p, head.n);
    for (size_t i = 0; i < n; i++)
        to = (char *)mempcpy(to, part.p, part.n);
    to = (char *)mempcpy(to, tail.p, tail.n);
    return (struct str){ p, (size_t)(to - p) };
}

static enum err scan_repeated(const char *head, const char *part, size_t n, const char *tail)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d;
    struct json_fault f;
    return scan_copy(repeat(&a, str_of(head), str_of(part), n, str_of(tail)), &a, &d, &f);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d;
    struct json_fault f;
    char text[4 * LIMIT_JSON_DEPTH + 16];
    for (int depth = LIMIT_JSON_DEPTH - 1; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        enum err want = depth <= LIMIT_JSON_DEPTH ? OK : ERR_LIMIT;
        assert_int_equal(scan_copy((struct str){ text, (size_t)depth * 2 }, &a, &d, &f), want);
    }
    assert_int_equal(f.at, LIMIT_JSON_DEPTH);
    assert_int_equal(scan_repeated("", "{\"a\":", LIMIT_JSON_DEPTH, "1"), ERR_SYNTAX); /* open */
    assert_int_equal(scan_repeated("", "{\"a\":", LIMIT_JSON_DEPTH + 1, ""), ERR_LIMIT);
    assert_int_equal(scan_repeated("", "[", 1000000, ""), ERR_LIMIT);
    assert_int_equal(scan_repeated("[", "[],", 100000, "0]"), OK); /* wide is not deep */
}

static void strings_and_keys_have_a_limit(void **state)
{
    (void)state;
    static const struct {
        const char *head, *tail;
    } around[] = { { "\"", "\"" }, { "[1,\"", "\"]" }, { "{\"", "\":1}" } };
    for (size_t i = 0; i < COUNT(around); i++) {
        const char *head = around[i].head, *tail = around[i].tail;
        assert_int_equal(scan_repeated(head, "x", LIMIT_JSON_STRING, tail), OK);
        assert_int_equal(scan_repeated(head, "x", LIMIT_JSON_STRING + 1, tail), ERR_LIMIT);
    }
}

static void values_have_a_limit(void **state)
{
    (void)state;
    /* the array and its items, the last of which stands in the tail */
    assert_int_equal(scan_repeated("[", "1,", LIMIT_JSON_NODES - 2, "1]"), OK);
    assert_int_equal(scan_repeated("[", "1,", LIMIT_JSON_NODES - 1, "1]"), ERR_LIMIT);
}

static void the_tape_grows_with_its_content_intact(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str text = repeat(&a, STR("["), STR("[7],"), 5000, STR("[8]]"));
    struct json_doc d = scanned(text, &a);
    assert_int_equal(d.count, 2 + 2 * 5001);
    assert_int_equal(d.node[JSON_ROOT].count, 5001);
    size_t seen = 0;
    for (uint32_t v = json_first(&d, JSON_ROOT); v; v = json_next(&d, JSON_ROOT, v), seen++) {
        struct str want = seen < 5000 ? STR("7") : STR("8");
        assert_true(str_eq(json_raw(&d, json_first(&d, v)), want));
    }
    assert_int_equal(seen, 5001);
}

static void an_ordinary_event_needs_one_piece_of_memory(void **state)
{
    (void)state;
    static const struct str event = STR_INIT(
        "{\"type\":\"page\",\"messageId\":\"ajs-next-1795310651243-7336276c\",\"anonymousId\":"
        "\"an1\","
        "\"context\":{\"page\":{\"path\":\"/"
        "a\",\"title\":\"\"},\"ip\":\"203.0.113.7\",\"locale\":\"de\"},"
        "\"properties\":{\"n\":1},\"timestamp\":\"2026-11-22T01:24:11.243Z\",\"integrations\":{}}");
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d = scanned(event, &a);
    size_t capacity = event.n / 8 + 16;
    assert_true(d.count <= capacity);
    assert_ptr_equal((const char *)d.node + (capacity * sizeof *d.node + 15) / 16 * 16, a.at);
}

/* Writes an object of n different keys, and then one more. */
static void write_keys(struct buf *b, size_t n, const char *last)
{
    buf_byte(b, '{');
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "\"key%zu\":[{\"key1\":%zu}],", i, i);
    buf_printf(b, "\"%s\":0}", last);
}

static void duplicate_keys_are_found_in_objects_of_any_size(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf b = BUF_INIT(32u << 20);
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    static const size_t sizes[] = { 2, 30, 31, 32, 33, 34, 63, 64, 65, 1000 };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char plain[32], escaped[32];
        for (size_t of = 0; of<sizes[i]; of += sizes[i]> 100 ? 333 : 1) {
            (void)snprintf(plain, sizeof plain, "key%zu", of);
            (void)snprintf(escaped, sizeof escaped, "k\\u0065y%zu", of);
            const char *const last[] = { plain, escaped, "key", "" };
            for (size_t k = 0; k < COUNT(last); k++) {
                buf_clear(&b);
                write_keys(&b, sizes[i], last[k]);
                struct json_doc d;
                struct json_fault f;
                enum err err = scan_copy(buf_view(&b), &a, &d, &f);
                assert_int_equal(err, k < 2 ? ERR_SYNTAX : OK);
                if (k < 2) {
                    assert_string_equal(f.why, "duplicate key");
                    assert_int_equal(f.at, b.n - strlen(last[k]) - 5);
                } else {
                    assert_true(json_get(&d, JSON_ROOT, str_of(last[k])) != 0);
                    assert_true(json_get(&d, JSON_ROOT, str_of(plain)) != 0);
                }
                arena_clear(&a);
            }
        }
    }
}

static void escaped_keys_in_large_objects_are_compared_by_meaning(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf b = BUF_INIT(1u << 20);
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d;
    buf_byte(&b, '{');
    for (unsigned i = 0; i < 500; i++)
        buf_printf(&b, "\"\\u%04x\":%u,", 0x4e00 + i, i);
    size_t keep = b.n;
    buf_printf(&b, "\"\xe4\xb8\x7f\":0}"); /* U+4E3F */
    assert_int_equal(json_scan(buf_view(&b), &a, &d, NULL), ERR_SYNTAX);
    b.n = keep;
    buf_printf(&b, "\"\xe4\xb7\xbf\":0}"); /* U+4DFF */
    assert_int_equal(json_scan(buf_view(&b), &a, &d, NULL), OK);
    assert_true(str_eq(json_raw(&d, json_get(&d, JSON_ROOT, STR("\xe4\xb8\x80"))), STR("0")));
}

/* Compared in pairs these would take a minute. */
static void a_hundred_thousand_keys_are_no_burden(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf b = BUF_INIT(32u << 20);
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    write_keys(&b, 100000, "key99999");
    struct json_doc d;
    struct json_fault f;
    clock_t begun = clock();
    assert_int_equal(json_scan(buf_view(&b), &a, &d, &f), ERR_SYNTAX);
    assert_int_equal(f.at, b.n - 13);
    buf_clear(&b);
    write_keys(&b, 100000, "key100000");
    assert_int_equal(json_scan(buf_view(&b), &a, &d, &f), OK);
    assert_int_equal(d.node[JSON_ROOT].count, 100001);
    assert_true(clock() - begun < 5 * CLOCKS_PER_SEC);
}

/* Wherever in its eight bytes a special character stands, it is seen. */
static void every_byte_is_seen_at_every_place(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    for (size_t n = 1; n <= 24; n++) {
        for (size_t at = 0; at < n; at++) {
            for (int c = 0; c < 256; c++) {
                char text[32];
                memset(text, 'x', sizeof text);
                text[0] = text[n + 1] = '"';
                text[at + 1] = (char)c;
                struct json_doc d;
                enum err err = scan_copy((struct str){ text, n + 2 }, &a, &d, NULL);
                /* \x is no escape, and \" leaves the string open */
                bool good = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
                assert_int_equal(err, good ? OK : ERR_SYNTAX);
                arena_clear(&a);
            }
        }
    }
}

static void written_strings_read_back_as_they_were(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf b = BUF_INIT(4096);
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    json_write_string(&b, STR("a\"b\\c/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9\xf0\x9f\x98\x80"));
    assert_true(str_eq(buf_view(&b), STR("\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9"
                                         "\xf0\x9f\x98\x80\"")));
    buf_clear(&b);
    json_write_string(&b, (struct str){ 0 });
    assert_true(str_eq(buf_view(&b), STR("\"\"")));
    buf_clear(&b);
    json_write_string(&b, STR("a\0b"));
    assert_true(str_eq(buf_view(&b), STR("\"a\\u0000b\"")));

    for (size_t n = 0; n <= 20; n++) {
        for (size_t at = 0; at < n; at++) {
            for (int c = 1; c < 0x80; c++) {
                char text[20];
                memset(text, 'y', sizeof text);
                text[at] = (char)c;
                struct str in = { text, n }, out;
                buf_clear(&b);
                json_write_string(&b, in);
                struct json_doc d = scanned(buf_view(&b), &a);
                assert_true(json_string(&d, JSON_ROOT, &a, &out) && str_eq(in, out));
                arena_clear(&a);
            }
        }
    }
}

static void utf8_is_judged_alike_alone_and_in_strings(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    assert_true(utf8_valid((struct str){ 0 }));
    assert_true(utf8_valid(STR("a\0b")));
    static const unsigned char tails[] = {
        0x00, 'x', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0
    };
    size_t valid = 0;
    for (int first = 0x80; first < 0x100; first++) {
        for (size_t i = 0; i < COUNT(tails) * COUNT(tails) * COUNT(tails); i++) {
            char text[] = "12345678\"....\"";
            text[9] = (char)first;
            text[10] = (char)tails[i % 10];
            text[11] = (char)tails[i / 10 % 10];
            text[12] = (char)tails[i / 100];
            for (size_t n = 1; n <= 4; n++) {
                text[9 + n] = '"';
                bool ours = utf8_valid((struct str){ text, 9 + n });
                struct json_doc d;
                bool has_nul = memchr(text + 9, 0, n) != NULL;
                enum err err = scan_copy((struct str){ text + 8, n + 2 }, &a, &d, NULL);
                assert_int_equal(err == OK, ours && !has_nul);
                assert_int_equal(ours && !has_nul, jansson_takes((struct str){ text + 8, n + 2 }));
                valid += ours;
                text[9 + n] = (char)(n == 1   ? tails[i % 10]
                                     : n == 2 ? tails[i / 10 % 10]
                                              : tails[i / 100]);
                arena_clear(&a);
            }
        }
    }
    assert_true(valid > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_json_is_accepted),
        cmocka_unit_test(malformed_json_is_refused_where_it_is_wrong),
        cmocka_unit_test(text_cut_anywhere_is_refused),
        cmocka_unit_test(damaged_text_is_judged_as_jansson_does),
        cmocka_unit_test(accessors_answer_by_type_and_path),
        cmocka_unit_test(escapes_are_undone_in_values_and_keys),
        cmocka_unit_test(containers_are_walked_member_by_member),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(strings_and_keys_have_a_limit),
        cmocka_unit_test(values_have_a_limit),
        cmocka_unit_test(the_tape_grows_with_its_content_intact),
        cmocka_unit_test(an_ordinary_event_needs_one_piece_of_memory),
        cmocka_unit_test(duplicate_keys_are_found_in_objects_of_any_size),
        cmocka_unit_test(escaped_keys_in_large_objects_are_compared_by_meaning),
        cmocka_unit_test(a_hundred_thousand_keys_are_no_burden),
        cmocka_unit_test(every_byte_is_seen_at_every_place),
        cmocka_unit_test(written_strings_read_back_as_they_were),
        cmocka_unit_test(utf8_is_judged_alike_alone_and_in_strings),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
