#include "codec/time.h"

#include "base/must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define LAST_MS INT64_C(253402300799999)

static int64_t parsed(const char *text)
{
    int64_t ms;
    if (!time_parse(str_of(text), &ms))
        fail_msg("refused: %s", text);
    return ms;
}

static void times_are_read_in_every_accepted_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *same_as;
    } rows[] = {
        { "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z" },
        { "2018-05-04 14:52:26 UTC", "2018-05-04T14:52:26.000Z" },
        { "2018-05-04T14:52:26 UTC", "2018-05-04T14:52:26.000Z" },
        { "2018-05-04 14:52:26 +0000", "2018-05-04T14:52:26.000Z" },
        { "2018-05-04 14:52:26.5 -0330", "2018-05-04T18:22:26.500Z" },
        { "2018-05-04 14:52:26Z", "2018-05-04T14:52:26.000Z" },
        { "2018-05-04T14:52Z", "2018-05-04T14:52:00.000Z" },
        { "2018-05-04T14:52+02", "2018-05-04T12:52:00.000Z" },
        { "2018-05-04", "2018-05-04T00:00:00.000Z" },
        { "2018-05-04T14:52:26+02:00", "2018-05-04T12:52:26.000Z" },
        { "2018-05-04T14:52:26-0200", "2018-05-04T16:52:26.000Z" },
        { "2018-05-04T14:52:26-00:00", "2018-05-04T14:52:26.000Z" },
        { "2018-12-31T23:59:59-14:00", "2019-01-01T13:59:59.000Z" },
        { "2020-03-01T00:30:00+01:00", "2020-02-29T23:30:00.000Z" },
        { "2019-03-01T00:30:00+01:00", "2019-02-28T23:30:00.000Z" },
        { "2018-05-04T14:52:26.1Z", "2018-05-04T14:52:26.100Z" },
        { "2018-05-04T14:52:26.12Z", "2018-05-04T14:52:26.120Z" },
        { "2018-05-04T14:52:26.1239Z", "2018-05-04T14:52:26.123Z" },
        { "2018-05-04T14:52:26.999999999Z", "2018-05-04T14:52:26.999Z" },
        { "2018-05-04T14:52:26.00099999999999999999999Z", "2018-05-04T14:52:26.000Z" },
        { "1969-12-31T23:30:00-01:00", "1970-01-01T00:30:00.000Z" },
        { "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z" },
        { "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z" },
        { "2000-02-29", "2000-02-29T00:00:00.000Z" },
        { "2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000Z" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[TIME_TEXT + 1];
        time_format(parsed(rows[i].text), text);
        assert_string_equal(text, rows[i].same_as);
    }
    assert_int_equal(parsed("1970-01-01T00:00:00.001Z"), 1);
    assert_int_equal(parsed("2026-11-22T01:24:11.242Z"), 1795310651242);
    assert_int_equal(parsed("9999-12-31T23:59:59.999Z"), LAST_MS);
}

static void everything_else_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " ",
        "2018",
        "2018-05",
        "2018-5-4",
        "20180504",
        "18-05-04",
        "+2018-05-04",
        "02018-05-04",
        "-2018-05-04",
        "2018/05/04",
        "2018-05-04 ",
        " 2018-05-04",
        "2018-05-04T",
        "2018-05-04Z",
        "2018-05-04 UTC",
        "2018-05-04T14",
        "2018-05-04T14Z",
        "2018-05-04T14:52",
        "2018-05-04T14:52:26",
        "2018-05-04 14:52:26",
        "2018-05-04t14:52:26Z",
        "2018-05-04T14:52:26z",
        "2018-05-04T14:52:26 utc",
        "2018-05-04T14:52:26UTC",
        "2018-05-04T14:52:26 GMT",
        "2018-05-04T14:52:26 UTC ",
        "2018-05-04T14:52:26 UTCX",
        "2018-05-04T14:52:26  UTC",
        "2018-05-04T14:52:26ZZ",
        "2018-05-04T14:52:26Z ",
        "2018-05-04T14:52:26 Z",
        "2018-05-04T14:52:26.Z",
        "2018-05-04T14:52:26,5Z",
        "2018-05-04T14:52:26.5",
        "2018-05-04T14:52:26.-5Z",
        "2018-05-04T14:52:Z",
        "2018-05-04T14:52.5Z",
        "2018-05-04T1:52:26Z",
        "2018-05-04T14:5:26Z",
        "2018-05-04T14:52:6Z",
        "2018-05-04T24:00:00Z",
        "2018-05-04T25:00:00Z",
        "2018-05-04T14:60:00Z",
        "2018-05-04T23:59:60Z",
        "2018-05-04T14:52:26+",
        "2018-05-04T14:52:26+2",
        "2018-05-04T14:52:26+02:",
        "2018-05-04T14:52:26+02:0",
        "2018-05-04T14:52:26+02:000",
        "2018-05-04T14:52:26+020",
        "2018-05-04T14:52:26+24:00",
        "2018-05-04T14:52:26+02:60",
        "2018-05-04T14:52:26+-02:00",
        "2018-05-04T14:52:26+02:00Z",
        "2018-05-04T14:52:26Z+02:00",
        "2018-05-04T14:52:26 +0000 UTC",
        "2018-05-04TT14:52:26Z",
        "2018-00-04",
        "2018-13-04",
        "2018-05-00",
        "2018-05-32",
        "2018-04-31",
        "2018-06-31",
        "2018-09-31",
        "2018-11-31",
        "2018-02-29",
        "2019-02-29",
        "2100-02-29",
        "2200-02-29",
        "2000-02-30",
        "2018-02-30",
        "1969-12-31",
        "1969-12-31T23:59:59.999Z",
        "1968-12-31T23:59:59-23:59",
        "0000-01-01",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:00-00:01",
        "10000-01-01",
        "2018-05-\xd9\xa4\xd9\xa4",
        "now",
        "1795310651242",
        "2018-W18-5",
        "2018-124",
        "Fri, 04 May 2018 14:52:26 GMT",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ms = 77;
        if (time_parse(str_of(rows[i]), &ms))
            fail_msg("taken: %s", rows[i]);
        assert_int_equal(ms, 77);
    }
    int64_t ms;
    assert_false(time_parse((struct str){ 0 }, &ms));
    assert_false(time_parse(STR("2018-05-04\0"), &ms));
}

static void a_time_cut_anywhere_is_refused_or_a_date(void **state)
{
    (void)state;
    const struct str whole = STR("2018-05-04T14:52:26.678+02:00");
    for (size_t n = 0; n < whole.n; n++) {
        char *p = n ? must_alloc(n) : NULL; /* exactly that long: reading on shows */
        if (p)
            memcpy(p, whole.p, n);
        int64_t ms;
        bool good = n == 10 || n == whole.n - 3; /* the date; "+02" */
        assert_int_equal(time_parse((struct str){ p, n }, &ms), good);
        free(p);
    }
}

/* The C library is the judge: every day that there is. */
static void every_day_of_eight_thousand_years_is_right(void **state)
{
    (void)state;
    int64_t step = 86400000, ms = 0;
    for (int64_t day = 0; ms <= LAST_MS; day++, ms = day * step + day * 7919 % step) {
        time_t seconds = ms / 1000;
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        char text[TIME_TEXT + 1];
        time_format(ms, text);
        struct str s = { text, TIME_TEXT };
        int64_t back;
        if (!time_parse(s, &back) || back != ms)
            fail_msg("%s is not read back", text);
        int v[] = {
            tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec
        };
        static const int at[] = { 0, 5, 8, 11, 14, 17 };
        for (size_t i = 0; i < COUNT(at); i++) {
            int digits = i == 0 ? 4 : 2, got = 0;
            for (int k = 0; k < digits; k++)
                got = got * 10 + text[at[i] + k] - '0';
            if (got != v[i])
                fail_msg("%s: %d instead of %d", text, got, v[i]);
        }
    }
}

static void times_are_written_with_and_without_milliseconds(void **state)
{
    (void)state;
    char text[TIME_TEXT + 1];
    time_format(1795310651242, text);
    assert_string_equal(text, "2026-11-22T01:24:11.242Z");
    time_format_seconds(1795310651999, text);
    assert_string_equal(text, "2026-11-22T01:24:11Z");
    time_format(-1, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    time_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    time_format_seconds(INT64_MIN, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
}

static void durations_have_a_number_and_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct duration want;
    } rows[] = {
        { "12 months", { .months = 12 } },
        { "6mo", { .months = 6 } },
        { "1 month", { .months = 1 } },
        { "2 years", { .months = 24 } },
        { "1y", { .months = 12 } },
        { "1 year", { .months = 12 } },
        { "90d", { .ms = 7776000000 } },
        { "90 days", { .ms = 7776000000 } },
        { "1 day", { .ms = 86400000 } },
        { "24h", { .ms = 86400000 } },
        { "1 hour", { .ms = 3600000 } },
        { "36 hours", { .ms = 129600000 } },
        { "30s", { .ms = 30000 } },
        { "30 seconds", { .ms = 30000 } },
        { "1 second", { .ms = 1000 } },
        { "15min", { .ms = 900000 } },
        { "15 minutes", { .ms = 900000 } },
        { "2w", { .ms = 1209600000 } },
        { "2 weeks", { .ms = 1209600000 } },
        { " 7\td ", { .ms = 604800000 } },
        { "007d", { .ms = 604800000 } },
        { "0d", { 0 } },
        { "8030 years", { .months = 96360 } },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct duration d = { -1, -1 };
        if (!duration_parse(str_of(rows[i].text), &d))
            fail_msg("refused: %s", rows[i].text);
        assert_int_equal(d.months, rows[i].want.months);
        assert_int_equal(d.ms, rows[i].want.ms);
    }
    static const char *const refused[] = {
        "",
        " ",
        "d",
        "12",
        "-1d",
        "+1d",
        "1.5d",
        "1,5d",
        "5m",
        "5M",
        "5ms",
        "5 D",
        "5 Days",
        "5 dayss",
        "5 ss",
        "5 ds",
        "5 hs",
        "5 s s",
        "5 days ago",
        "1 year 2 months",
        "P1Y",
        "1e3d",
        "0x5d",
        "forever",
        "5 fortnights",
        "8031 years",
        "96361 months",
        "99999999999999999d",
        "18446744073709551617d",
        "99999999999999999999999 s",
        "2932897 days",
        "5\xc2\xa0weeks",
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct duration d = { .months = 5, .ms = 7 };
        if (duration_parse(str_of(refused[i]), &d))
            fail_msg("taken: %s", refused[i]);
        assert_true(d.months == 5 && d.ms == 7);
    }
    struct duration d;
    assert_false(duration_parse((struct str){ 0 }, &d));
}

static void months_are_calendar_months(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        struct duration d;
        const char *to;
    } rows[] = {
        { "2026-01-31T10:00:00.005Z", { .months = 1 }, "2026-02-28T10:00:00.005Z" },
        { "2024-01-31T10:00:00.005Z", { .months = 1 }, "2024-02-29T10:00:00.005Z" },
        { "2024-01-31T00:00:00.000Z", { .months = 13 }, "2025-02-28T00:00:00.000Z" },
        { "2024-02-29T00:00:00.000Z", { .months = 12 }, "2025-02-28T00:00:00.000Z" },
        { "2024-02-29T00:00:00.000Z", { .months = 48 }, "2028-02-29T00:00:00.000Z" },
        { "2096-02-29T00:00:00.000Z", { .months = 48 }, "2100-02-28T00:00:00.000Z" },
        { "2026-03-31T00:00:00.000Z", { .months = 1 }, "2026-04-30T00:00:00.000Z" },
        { "2026-12-15T23:59:59.999Z", { .months = 1 }, "2027-01-15T23:59:59.999Z" },
        { "2026-11-30T00:00:00.000Z", { .months = 3 }, "2027-02-28T00:00:00.000Z" },
        { "2026-03-31T00:00:00.000Z", { .months = -1 }, "2026-02-28T00:00:00.000Z" },
        { "2026-01-01T00:00:00.000Z", { .months = -1 }, "2025-12-01T00:00:00.000Z" },
        { "2026-02-28T12:00:00.000Z", { .ms = 86400000 }, "2026-03-01T12:00:00.000Z" },
        { "2026-01-31T00:00:00.000Z", { 1, 86400000 }, "2026-03-01T00:00:00.000Z" },
        { "2026-01-31T00:00:00.000Z", { 0, 0 }, "2026-01-31T00:00:00.000Z" },
        /* the ends hold */
        { "9999-06-01T00:00:00.000Z", { .months = 12 }, "9999-12-31T23:59:59.999Z" },
        { "2026-01-01T00:00:00.000Z", { .months = INT32_MAX }, "9999-12-31T23:59:59.999Z" },
        { "2026-01-01T00:00:00.000Z", { .months = INT32_MIN }, "1970-01-01T00:00:00.000Z" },
        { "2026-01-01T00:00:00.000Z", { .ms = INT64_MAX }, "9999-12-31T23:59:59.999Z" },
        { "2026-01-01T00:00:00.000Z", { .ms = INT64_MIN }, "1970-01-01T00:00:00.000Z" },
        { "1970-01-01T00:00:00.000Z", { .ms = -1 }, "1970-01-01T00:00:00.000Z" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[TIME_TEXT + 1];
        time_format(time_add(parsed(rows[i].from), rows[i].d), text);
        assert_string_equal(text, rows[i].to);
    }
    assert_int_equal(time_add(INT64_MAX, (struct duration){ .months = 1 }), LAST_MS);
    assert_int_equal(time_add(INT64_MIN, (struct duration){ .ms = 5 }), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_in_every_accepted_form),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(a_time_cut_anywhere_is_refused_or_a_date),
        cmocka_unit_test(every_day_of_eight_thousand_years_is_right),
        cmocka_unit_test(times_are_written_with_and_without_milliseconds),
        cmocka_unit_test(durations_have_a_number_and_a_unit),
        cmocka_unit_test(months_are_calendar_months),
    };
    return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
