#include "codec/time.h"

static const int64_t LAST_MS = 253402300799999; /* 9999-12-31T23:59:59.999Z */

enum { FIRST_YEAR = 1970, LAST_YEAR = 9999 };

struct date {
    int year, month, day; /* month and day from 1 */
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days of the year before the month begins; [12] is the whole year. */
static int days_before_month(int year, int month)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };
    return before[month - 1] + (month > 2 && is_leap(year));
}

static int days_in_month(int year, int month)
{
    return days_before_month(year, month + 1) - days_before_month(year, month);
}

/* Days since 1970 when the year begins. */
static int days_before_year(int year)
{
    int y = year - 1; /* 477 leap days passed up to the end of 1969 */
    return 365 * (year - FIRST_YEAR) + y / 4 - y / 100 + y / 400 - 477;
}

static int64_t date_days(struct date d)
{
    return days_before_year(d.year) + days_before_month(d.year, d.month) + d.day - 1;
}

static struct date days_date(int days)
{
    int year = FIRST_YEAR + days / 366; /* never too late, by 22 years too early at most */
    year += (days - days_before_year(year)) / 366;
    while (days >= days_before_year(year + 1))
        year++;
    int rest = days - days_before_year(year);
    int month = rest / 31 + 1; /* likewise */
    while (rest >= days_before_month(year, month + 1))
        month++;
    return (struct date){ year, month, rest - days_before_month(year, month) + 1 };
}

/* Takes exactly n digits. */
static bool take_digits(struct str *s, size_t n, int *ret_v)
{
    if (s->n < n)
        return false;
    int v = 0;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = (struct str){ s->p + n, s->n - n };
    *ret_v = v;
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (s->n == 0 || *s->p != c)
        return false;
    *s = (struct str){ s->p + 1, s->n - 1 };
    return true;
}

static bool take_date(struct str *s, struct date *ret_d)
{
    struct date d;
    if (!take_digits(s, 4, &d.year) || !take_char(s, '-') || !take_digits(s, 2, &d.month) ||
        !take_char(s, '-') || !take_digits(s, 2, &d.day))
        return false;
    /* one year early: an offset may lead into 1970 */
    if (d.year < FIRST_YEAR - 1 || d.month < 1 || d.month > 12 || d.day < 1 ||
        d.day > days_in_month(d.year, d.month))
        return false;
    *ret_d = d;
    return true;
}

/* ".5" is 500 ms; what is finer than a millisecond is cut. */
static bool take_fraction(struct str *s, int *ret_ms)
{
    int ms = 0, digit, count = 0;
    for (; take_digits(s, 1, &digit); count++) {
        if (count < 3)
            ms = ms * 10 + digit;
    }
    for (int i = count; i < 3; i++)
        ms *= 10;
    *ret_ms = ms;
    return count > 0;
}

/* HH:MM, HH:MM:SS or HH:MM:SS.fraction. */
static bool take_time(struct str *s, int64_t *ret_ms)
{
    int hour, minute, second = 0, ms = 0;
    if (!take_digits(s, 2, &hour) || !take_char(s, ':') || !take_digits(s, 2, &minute))
        return false;
    if (take_char(s, ':')) {
        if (!take_digits(s, 2, &second) || (take_char(s, '.') && !take_fraction(s, &ms)))
            return false;
    }
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *ret_ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + ms;
    return true;
}

/* "Z", " UTC", "+02:00", "+0200", "+02", and the latter behind a space, as Ruby
 * writes them. */
static bool take_zone(struct str *s, int64_t *ret_ms)
{
    if (take_char(s, 'Z')) {
        *ret_ms = 0;
        return true;
    }
    if (str_eq(*s, STR(" UTC"))) {
        *s = (struct str){ s->p + s->n, 0 };
        *ret_ms = 0;
        return true;
    }
    (void)take_char(s, ' ');
    bool west = take_char(s, '-');
    int hour, minute = 0;
    if ((!west && !take_char(s, '+')) || !take_digits(s, 2, &hour))
        return false;
    if ((take_char(s, ':') || s->n) && !take_digits(s, 2, &minute))
        return false;
    if (hour > 23 || minute > 59)
        return false;
    *ret_ms = (hour * 60 + minute) * INT64_C(60000) * (west ? -1 : 1);
    return true;
}

bool time_parse(struct str text, int64_t *ret_ms)
{
    struct date d;
    int64_t of_day = 0, zone = 0;
    if (!take_date(&text, &d))
        return false;
    if (text.n) {
        if (!take_char(&text, 'T') && !take_char(&text, ' '))
            return false;
        if (!take_time(&text, &of_day) || !take_zone(&text, &zone) || text.n)
            return false;
    }
    int64_t ms = date_days(d) * DAY_MS + of_day - zone;
    if (ms < 0 || ms > LAST_MS)
        return false;
    *ret_ms = ms;
    return true;
}

static char *put_digits(char *to, int v, int n)
{
    for (int i = n - 1; i >= 0; i--, v /= 10)
        to[i] = (char)('0' + v % 10);
    return to + n;
}

static int64_t within(int64_t ms)
{
    return ms < 0 ? 0 : ms > LAST_MS ? LAST_MS : ms;
}

/* Writes "2026-01-02T03:04:05" and returns its end. */
static char *put_time(char *to, int64_t ms)
{
    struct date d = days_date((int)(ms / DAY_MS));
    int second = (int)(ms % DAY_MS / 1000);
    const struct {
        int v, digits;
        char before;
    } parts[] = {
        { d.year, 4, 0 },          { d.month, 2, '-' },          { d.day, 2, '-' },
        { second / 3600, 2, 'T' }, { second / 60 % 60, 2, ':' }, { second % 60, 2, ':' }
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].before)
            *to++ = parts[i].before;
        to = put_digits(to, parts[i].v, parts[i].digits);
    }
    return to;
}

void time_format(int64_t ms, char ret_text[TIME_TEXT + 1])
{
    ms = within(ms);
    char *to = put_time(ret_text, ms);
    *to++ = '.';
    to = put_digits(to, (int)(ms % 1000), 3);
    *to++ = 'Z';
    *to = 0;
}

void time_format_seconds(int64_t ms, char ret_text[TIME_TEXT + 1])
{
    char *to = put_time(ret_text, within(ms));
    *to++ = 'Z';
    *to = 0;
}

bool duration_parse(struct str text, struct duration *ret_d)
{
    static const struct {
        struct str name;
        struct duration one;
    } units[] = {
        { STR_INIT("s"), { .ms = 1000 } },      { STR_INIT("second"), { .ms = 1000 } },
        { STR_INIT("min"), { .ms = 60000 } },   { STR_INIT("minute"), { .ms = 60000 } },
        { STR_INIT("h"), { .ms = 3600000 } },   { STR_INIT("hour"), { .ms = 3600000 } },
        { STR_INIT("d"), { .ms = DAY_MS } },    { STR_INIT("day"), { .ms = DAY_MS } },
        { STR_INIT("w"), { .ms = 604800000 } }, { STR_INIT("week"), { .ms = 604800000 } },
        { STR_INIT("mo"), { .months = 1 } },    { STR_INIT("month"), { .months = 1 } },
        { STR_INIT("y"), { .months = 12 } },    { STR_INIT("year"), { .months = 12 } },
    };
    static const int64_t most_months = (LAST_YEAR - FIRST_YEAR + 1) * 12;
    text = str_trim(text);
    size_t digits = 0;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    unsigned long long n;
    if (!str_to_u64((struct str){ text.p, digits }, &n))
        return false;
    struct str unit = str_trim((struct str){ text.p + digits, text.n - digits });
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct str plural = { unit.p, unit.n - (unit.n > 3 && unit.p[unit.n - 1] == 's') };
        if (!str_eq(units[i].name, plural))
            continue;
        struct duration one = units[i].one;
        int64_t most = one.months ? most_months / one.months : LAST_MS / one.ms;
        if (n > (unsigned long long)most)
            return false;
        *ret_d = (struct duration){ .months = (int32_t)n * one.months, .ms = (int64_t)n * one.ms };
        return true;
    }
    return false;
}

int64_t time_add(int64_t ms, struct duration d)
{
    ms = within(ms);
    struct date date = days_date((int)(ms / DAY_MS));
    int64_t months = (int64_t)date.year * 12 + date.month - 1 + d.months;
    if (months < FIRST_YEAR * 12 || months >= (LAST_YEAR + 1) * 12)
        return months < FIRST_YEAR * 12 ? 0 : LAST_MS;
    date.year = (int)(months / 12);
    date.month = (int)(months % 12) + 1;
    int last = days_in_month(date.year, date.month);
    date.day = date.day < last ? date.day : last;
    int64_t sum;
    if (__builtin_add_overflow(date_days(date) * DAY_MS + ms % DAY_MS, d.ms, &sum))
        return d.ms < 0 ? 0 : LAST_MS;
    return within(sum);
}
