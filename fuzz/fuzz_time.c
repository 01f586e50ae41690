/* A time that is read is one that the C library knows too; a duration that is
 * read leads forward. */
#include "codec/time.h"

#include "target.h"

#include <stdlib.h>
#include <time.h>

static const int64_t last_ms = 253402300799999;

static int number_at(struct str s, size_t at, size_t n)
{
    int v = 0;
    for (size_t i = at; i < at + n && i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
        v = v * 10 + s.p[i] - '0';
    return v;
}

static void a_time(struct str s)
{
    int64_t ms, again;
    if (!time_parse(s, &ms))
        return;
    must(ms >= 0 && ms <= last_ms && s.n >= 10);
    bool has_seconds = s.n > 16 && s.p[16] == ':';
    struct tm tm = { .tm_year = number_at(s, 0, 4) - 1900,
                     .tm_mon = number_at(s, 5, 2) - 1,
                     .tm_mday = number_at(s, 8, 2),
                     .tm_hour = number_at(s, 11, 2),
                     .tm_min = number_at(s, 14, 2),
                     .tm_sec = has_seconds ? number_at(s, 17, 2) : 0 };
    int64_t zone = timegm(&tm) - ms / 1000;
    must(zone > -86400 && zone < 86400 && zone % 60 == 0);
    if (s.n == 10 || s.p[s.n - 1] == 'Z' || s.p[s.n - 1] == 'C')
        must(zone == 0);

    char text[TIME_TEXT + 1];
    time_format(ms, text);
    must(strlen(text) == TIME_TEXT && time_parse(str_of(text), &again) && again == ms);
    time_format_seconds(ms, text);
    must(time_parse(str_of(text), &again) && again == ms - ms % 1000);
}

static void a_duration(struct str s)
{
    struct duration d;
    if (!duration_parse(s, &d))
        return;
    must(d.months >= 0 && d.ms >= 0 && (d.months == 0 || d.ms == 0));
    static const int64_t from[] = { 0, 1709164799999, 1769817600000, 253402300799999 };
    for (size_t i = 0; i < COUNT(from); i++) {
        int64_t to = time_add(from[i], d);
        must(to >= from[i] && to <= last_ms);
        if (d.ms > 0)
            must(to == (d.ms < last_ms - from[i] ? from[i] + d.ms : last_ms));
        if (d.months > 0 && to < last_ms) /* by 28 to 31 days each */
            must((to - from[i]) / 86400000 >= d.months * INT64_C(28) &&
                 (to - from[i]) / 86400000 <= d.months * INT64_C(31));
    }
}

static void any_sum(const uint8_t *data, size_t n)
{
    int64_t from;
    struct duration d;
    if (n < sizeof from + sizeof d)
        return;
    memcpy(&from, data, sizeof from);
    memcpy(&d, data + sizeof from, sizeof d);
    int64_t to = time_add(from, d);
    must(to >= 0 && to <= last_ms);
    char text[TIME_TEXT + 1];
    time_format(from, text);
    must(strlen(text) == TIME_TEXT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str s = { (const char *)data, n };
    a_time(s);
    a_duration(s);
    any_sum(data, n);
    return 0;
}
