/* Every case of reports.txt: a file, the outcome, and the exact report. */
#include "base/limits.h"
#include "conf/conf.h"
#include "conf/test_paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define TEXT                                                                                       \
    "text: {en: {title: t, aim: a, data: d, transfer: r, storage: s, automation: n, "              \
    "consequences: c, withdrawal: w}}"

static const struct {
    struct str name, text;
} macros[] = {
    { STR_INIT("%TOP"), STR_INIT("controller: {name: M, country: DE, contact: c@m.example}\n"
                                 "keys: {private: [0123456789abcdef]}") },
    { STR_INIT("%TEXT"), STR_INIT(TEXT) },
    { STR_INIT("%V1"), STR_INIT("{version: 1, since: 2026-01-01, " TEXT "}") },
    { STR_INIT("%VW"), STR_INIT("{version: 1, since: 2026-01-01, recipients: [hook], " TEXT "}") },
    { STR_INIT("%HOOK"), STR_INIT("destinations:\n"
                                  "  - id: hook\n"
                                  "    type: webhook\n"
                                  "    endpoint: https://h.example/\n"
                                  "    secret: 0123456789abcdef\n"
                                  "    requires: [stats]") },
};

static void expand(struct str s, struct buf *to)
{
    while (s.n > 0) {
        size_t used = 1;
        struct str put = { s.p, 1 };
        for (size_t i = 0; i < COUNT(macros); i++) {
            if (str_starts(s, macros[i].name)) {
                used = macros[i].name.n;
                put = macros[i].text;
            }
        }
        buf_str(to, put);
        s = (struct str){ s.p + used, s.n - used };
    }
}

static struct str take_until(struct str *rest, const char *mark)
{
    const char *hit = memmem(rest->p, rest->n, mark, strlen(mark));
    struct str part = { rest->p, hit ? (size_t)(hit - rest->p) : rest->n };
    size_t used = hit ? part.n + strlen(mark) : rest->n;
    *rest = (struct str){ rest->p + used, rest->n - used };
    return part;
}

/* A copy of exactly that length, so that a step too far is seen. */
static enum err parse_copy(struct buf *text, struct conf **ret_conf, struct buf *reports)
{
    AUTO(free_ptr) char *copy = must_alloc(text->n + 1);
    AUTO(free_ptr) char *exact = must_realloc(copy, text->n);
    copy = NULL;
    memcpy(exact, text->p, text->n);
    return conf_parse((struct str){ exact, text->n }, "t.yaml", ret_conf, reports);
}

static bool run_case(struct str name, struct str text, struct str outcome, struct str report)
{
    AUTO(buf_fini) struct buf full = BUF_INIT(LIMIT_CONF), got = BUF_INIT(LIMIT_CONF);
    AUTO(conf_free) struct conf *c = NULL;
    expand(text, &full);
    enum err e = parse_copy(&full, &c, &got);
    assert_true((e == OK) == (c != NULL));
    if (str_eq(outcome, str_of(err_text(e))) && str_eq(str_trim(report), str_trim(buf_view(&got))))
        return true;
    print_error("%.*s: expected %.*s\n%.*s\ngot %s\n%.*s\n", STR_ARG(name), STR_ARG(outcome),
                STR_ARG(report), err_text(e), STR_ARG(buf_view(&got)));
    return false;
}

static void each_fault_is_shown_where_it_stands(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf file = BUF_INIT(1u << 20);
    FILE *f = fopen(SOURCE_ROOT "/src/conf/reports.txt", "r");
    assert_non_null(f);
    char *room = buf_room(&file, 512 * 1024);
    file.n = fread(room, 1, 512 * 1024, f);
    assert_int_equal(fclose(f), 0);
    struct str rest = buf_view(&file);
    (void)take_until(&rest, "\n=== ");
    unsigned cases = 0, bad = 0;
    while (rest.n > 0) {
        struct str one = take_until(&rest, "\n=== ");
        struct str name = take_until(&one, "\n");
        struct str text = take_until(&one, ">>> ");
        struct str outcome = take_until(&one, "\n");
        cases++;
        bad += !run_case(name, text, outcome, one);
    }
    assert_int_equal(bad, 0);
    assert_true(cases > 100); /* the file was really read */
}

static void check_bytes(struct str text, enum err outcome, const char *report)
{
    AUTO(buf_fini) struct buf got = BUF_INIT(LIMIT_CONF);
    AUTO(conf_free) struct conf *c = NULL;
    enum err e = conf_parse(text, "t.yaml", &c, &got);
    buf_byte(&got, 0);
    assert_false(got.over);
    assert_string_equal(got.p, report);
    assert_int_equal(e, outcome);
}

static void bytes_that_are_no_text_are_named(void **state)
{
    (void)state;
    check_bytes(STR(""), ERR_SYNTAX, "t.yaml:1:1: error: the file is empty\n    1 | \n      | ^\n");
    check_bytes((struct str){ NULL, 0 }, ERR_SYNTAX,
                "t.yaml:1:1: error: the file is empty\n    1 | \n      | ^\n");
    check_bytes(STR("a\0b: c"), ERR_SYNTAX,
                "t.yaml:1:2: error: byte 0x00 is not text in UTF-8\n    1 | a?b: c\n      |  ^\n");
    check_bytes(STR("a: \xc0\xaf"), ERR_SYNTAX,
                "t.yaml:1:4: error: byte 0xc0 is not text in UTF-8\n"
                "    1 | a: \xc0\xaf\n      |    ^\n");
    check_bytes(STR("a: \xc2\x9b"), ERR_SYNTAX,
                "t.yaml:1:4: error: byte 0xc2 is not text in UTF-8\n"
                "    1 | a: \xc2\x9b\n      |    ^\n");
    check_bytes(STR("a:\n\t- b\n"), ERR_SYNTAX,
                "t.yaml:2:1: error: tab character may not be used as indentation\n"
                "    2 | \t- b\n      | ^\n");
}

static void byte_order_mark_and_crlf_do_not_move_columns(void **state)
{
    (void)state;
    check_bytes(STR("\xef\xbb\xbflimits: 1\r\ncontroller: 2\r\nkeys: 3\r\n"), ERR_VALUE,
                "t.yaml:1:9: error: this must be a mapping: key: value\n"
                "    1 | limits: 1\n      |         ^\n"
                "t.yaml:2:13: error: this must be a mapping: key: value\n"
                "    2 | controller: 2\n      |             ^\n"
                "t.yaml:3:7: error: this must be a mapping: key: value\n"
                "    3 | keys: 3\n      |       ^\n");
}

static void columns_count_characters_not_bytes(void **state)
{
    (void)state;
    check_bytes(STR("{controller: \"\xc3\xa4\xc3\xb6\xc3\xbc\", keys: \xe2\x82\xac}"), ERR_VALUE,
                "t.yaml:1:15: error: this must be a mapping: key: value\n"
                "    1 | {controller: \"\xc3\xa4\xc3\xb6\xc3\xbc\", keys: \xe2\x82\xac}\n"
                "      |               ^~~\n"
                "t.yaml:1:27: error: this must be a mapping: key: value\n"
                "    1 | {controller: \"\xc3\xa4\xc3\xb6\xc3\xbc\", keys: \xe2\x82\xac}\n"
                "      |                           ^\n");
}

static void a_long_line_is_shown_around_its_fault(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf text = BUF_INIT(LIMIT_CONF), got = BUF_INIT(LIMIT_CONF);
    AUTO(conf_free) struct conf *c = NULL;
    buf_lit(&text, "{listen: \"127.0.0.1:80\", store: \"");
    for (int i = 0; i < 500; i++)
        buf_lit(&text, "\xc3\xa4");
    buf_lit(&text, "\", format: 7}");
    assert_int_equal(conf_parse(buf_view(&text), "t.yaml", &c, &got), ERR_VALUE);
    struct str rest = buf_view(&got), line;
    while (str_next(&rest, '\n', &line))
        assert_true(line.n < 400);
    buf_byte(&got, 0);
    assert_non_null(strstr(got.p, "t.yaml:1:545: error: this licet reads format 1"));
    assert_non_null(strstr(got.p, "format: 7}\n"));
}

static void more_faults_than_anybody_reads_are_counted(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf text = BUF_INIT(LIMIT_CONF), got = BUF_INIT(LIMIT_CONF);
    AUTO(conf_free) struct conf *c = NULL;
    buf_lit(&text, "links:\n");
    for (int i = 0; i < 64; i++) {
        buf_lit(&text, "  - {");
        for (int k = 0; k < 20; k++)
            buf_printf(&text, "unknown%d: 1, ", k);
        buf_lit(&text, "from: a.b, to: c.d}\n");
    }
    assert_int_equal(conf_parse(buf_view(&text), "t.yaml", &c, &got), ERR_VALUE);
    buf_byte(&got, 0);
    assert_false(got.over);
    assert_non_null(strstr(got.p, "t.yaml: error: and 346 more\n")); /* 64 * 21 + 2 - 1000 */
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(each_fault_is_shown_where_it_stands),
        cmocka_unit_test(bytes_that_are_no_text_are_named),
        cmocka_unit_test(byte_order_mark_and_crlf_do_not_move_columns),
        cmocka_unit_test(columns_count_characters_not_bytes),
        cmocka_unit_test(a_long_line_is_shown_around_its_fault),
        cmocka_unit_test(more_faults_than_anybody_reads_are_counted),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
