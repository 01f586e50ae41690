#include "codec/records.h"

#include "base/buf.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

/* Reads everything in windows that grow by `step` bytes; "line:number:text|" or
 * "line:number:field;field|" for each, and how it ended. */
static const char *read_all(enum records_form form, struct str text, size_t step, struct arena *a)
{
    struct buf out = BUF_INIT(1 << 20);
    struct records r = records_init(form);
    size_t there = step < text.n ? step : text.n, taken = 0;
    struct err_info info = { 0 };
    for (;;) {
        struct record found;
        struct str window = { text.p + taken, there - taken };
        enum err e = records_next(&r, &window, there == text.n, a, &found, &info);
        taken = there - window.n;
        if (e == ERR_STALE) {
            assert_true(there < text.n); /* more was there to be had */
            there = there + step < text.n ? there + step : text.n;
            continue;
        }
        if (e == ERR_NOT_FOUND)
            break;
        if (e != OK) {
            buf_printf(&out, "%s", e == ERR_SYNTAX ? "SYNTAX" : "LIMIT");
            assert_true(info.text[0] != 0);
            if (e == ERR_LIMIT && form == RECORDS_LINES) {
                buf_byte(&out, '|');
                continue;
            }
            break;
        }
        buf_printf(&out, "%d:%d:", (int)found.line, (int)found.number);
        for (uint32_t i = 0; form == RECORDS_CSV && i < found.field_count; i++) {
            buf_str(&out, i ? STR(";") : STR(""));
            buf_str(&out, found.field[i]);
        }
        if (form != RECORDS_CSV)
            buf_str(&out, found.text);
        buf_byte(&out, '|');
    }
    struct str all = arena_str(a, buf_view(&out));
    buf_fini(&out);
    return all.p;
}

struct reading {
    enum records_form form;
    const char *text, *expected;
};

/* However the text comes in, the records are the same. */
static void check(const struct reading *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str text = str_of(rows[i].text);
        for (size_t step = 1; step <= text.n + 1; step++) {
            AUTO(arena_fini) struct arena a = ARENA_INIT;
            const char *found = read_all(rows[i].form, text, step, &a);
            if (strcmp(found, rows[i].expected) != 0)
                fail_msg("row %zu, by %zu bytes: %s, not %s", i, step, found, rows[i].expected);
        }
    }
}

static void lines_are_records_and_blank_ones_are_none(void **state)
{
    (void)state;
    static const struct reading rows[] = {
        { RECORDS_LINES, "", "" },
        { RECORDS_LINES, "\n\n \r\n", "" },
        { RECORDS_LINES, "{}", "1:1:{}|" },
        { RECORDS_LINES, "{\"a\":1}\r\n\n  {\"b\":2}  \n", "1:1:{\"a\":1}|3:2:{\"b\":2}|" },
        { RECORDS_LINES, "\xef\xbb\xbf{}\n{}", "1:1:{}|2:2:{}|" },
        { RECORDS_LINES, "nonsense\n{", "1:1:nonsense|2:2:{|" },
    };
    check(rows, COUNT(rows));
}

static void items_of_an_array_are_cut_where_they_end(void **state)
{
    (void)state;
    static const struct reading rows[] = {
        { RECORDS_ARRAY, "[]", "" },
        { RECORDS_ARRAY, " [ ] \n", "" },
        { RECORDS_ARRAY, "[{}]", "1:1:{}|" },
        { RECORDS_ARRAY, "[{\"a\":\"],}\\\"\"},\n [1,[2]] ,3\n]",
          "1:1:{\"a\":\"],}\\\"\"}|2:2:[1,[2]]|2:3:3|" },
        { RECORDS_ARRAY, "[{}", "SYNTAX" },
        { RECORDS_ARRAY, "[{},", "1:1:{}|SYNTAX" },
        { RECORDS_ARRAY, "[{},]", "1:1:{}|SYNTAX" },
        { RECORDS_ARRAY, "[,{}]", "SYNTAX" },
        { RECORDS_ARRAY, "[{}]x", "1:1:{}|SYNTAX" },
        { RECORDS_ARRAY, "{}", "SYNTAX" },
        { RECORDS_ARRAY, "[\"a", "SYNTAX" },
    };
    check(rows, COUNT(rows));
}

static void rows_of_csv_are_as_rfc_4180_has_them(void **state)
{
    (void)state;
    static const struct reading rows[] = {
        { RECORDS_CSV, "a,b\r\nc,\n,d", "1:1:a;b|2:2:c;|3:3:;d|" },
        { RECORDS_CSV, "\xef\xbb\xbf\"a,b\",\"c \"\"d\"\"\r\ne\"\r\nf,\"\"\r\n",
          "1:1:a,b;c \"d\"\r\ne|3:2:f;|" },
        { RECORDS_CSV, "\xef\xbb\xbf\xef\xbb\xbf,b\n", "1:1:\xef\xbb\xbf;b|" }, /* one mark */
        { RECORDS_CSV, "a\n\n\nb\n", "1:1:a|4:2:b|" },
        { RECORDS_CSV, "a,\"b", "SYNTAX" },
        { RECORDS_CSV, "a\"b\n", "SYNTAX" },
        { RECORDS_CSV, "\"a\"b\n", "SYNTAX" },
        { RECORDS_CSV, "\"\"", "" },
        { RECORDS_CSV, ",", "1:1:;|" },
        { RECORDS_CSV, "a;b\tc", "1:1:a;b\tc|" },
    };
    check(rows, COUNT(rows));
}

static struct str filled(struct arena *a, const char *before, char c, size_t n, const char *after)
{
    struct buf b = BUF_INIT(4 * LIMIT_RECORD);
    buf_str(&b, str_of(before));
    for (size_t i = 0; i < n; i++)
        buf_byte(&b, c);
    buf_str(&b, str_of(after));
    struct str s = arena_str(a, buf_view(&b));
    buf_fini(&b);
    return s;
}

static void a_record_that_is_too_large_is_refused(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str line = filled(&a, "{\"a\":\"", 'x', LIMIT_RECORD, "\"}\n{}\n");
    assert_string_equal(read_all(RECORDS_LINES, line, line.n, &a), "LIMIT|2:2:{}|");
    struct str item = filled(&a, "[\"", 'x', LIMIT_RECORD, "\",1]");
    assert_string_equal(read_all(RECORDS_ARRAY, item, item.n, &a), "LIMIT");
    struct str row = filled(&a, "a\n\"", 'x', LIMIT_RECORD, "\"\nb\n");
    assert_string_equal(read_all(RECORDS_CSV, row, row.n, &a), "1:1:a|SYNTAX");
    struct str fields = filled(&a, "", ',', LIMIT_CSV_FIELDS, "\n");
    assert_string_equal(read_all(RECORDS_CSV, fields, fields.n, &a), "SYNTAX");
}

static void the_form_is_guessed_by_the_first_byte(void **state)
{
    (void)state;
    assert_int_equal(records_guess(STR(" \n[{}]")), RECORDS_ARRAY);
    assert_int_equal(records_guess(STR("{\"a\":1}")), RECORDS_LINES);
    assert_int_equal(records_guess(STR("id,email")), RECORDS_CSV);
    assert_int_equal(records_guess(STR("\xef\xbb\xbf[")), RECORDS_ARRAY);
    assert_int_equal(records_guess(STR("")), RECORDS_LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_records_and_blank_ones_are_none),
        cmocka_unit_test(items_of_an_array_are_cut_where_they_end),
        cmocka_unit_test(rows_of_csv_are_as_rfc_4180_has_them),
        cmocka_unit_test(a_record_that_is_too_large_is_refused),
        cmocka_unit_test(the_form_is_guessed_by_the_first_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
