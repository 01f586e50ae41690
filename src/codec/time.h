/* codec/time.h - dates and times as text.
 *
 * All UTC, milliseconds since 1970. Years 1970 to 9999: times outside are
 * written, and sums are taken, as the nearer end of these.
 */
#ifndef CODEC_TIME_H
#define CODEC_TIME_H

#include "base/str.h"

#include <stdint.h>

#define DAY_MS INT64_C(86400000)
enum { TIME_TEXT = 24 }; /* 2026-01-02T03:04:05.678Z */

/* ISO 8601 as JavaScript and Ruby write it: date, 'T' or a space, time with
 * optional seconds and fraction (beyond ms cut), 'Z', ' UTC' or an offset ("+02:00",
 * "+0200", "+02", also behind a space); also a bare date (00:00 UTC). False for
 * everything else: no zone, lower case, a leap second, 24:00, another calendar. */
bool time_parse(struct str text, int64_t *ret_ms);

/* With milliseconds: 24 characters and a zero byte. */
void time_format(int64_t ms, char ret_text[TIME_TEXT + 1]);

/* Without: "2018-05-04T14:52:26Z", as the consent interface answers. */
void time_format_seconds(int64_t ms, char ret_text[TIME_TEXT + 1]);

/* A calendar distance. Months are calendar months: 31 January + 1 month is the
 * last day of February. */
struct duration {
    int32_t months;
    int64_t ms;
};

/* "12 months", "6mo", "90d", "90 days", "24h", "2 years", "30s": a whole number
 * and a unit: s, min, h, d, w, mo, y or second, minute, hour, day, week, month,
 * year with or without an s; white space around and between. "5m" could be either
 * and is refused. */
bool duration_parse(struct str text, struct duration *ret_d);
int64_t time_add(int64_t ms, struct duration d);

#endif
