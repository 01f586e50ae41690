/* codec/locale.h - how a language calls countries and writes dates.
 *
 * Languages are BCP 47 tags ("de", "pt-BR"); one that nobody knows is answered in English.
 *
 * Source: Unicode CLDR, as ICU carries it.
 * Owner:  what is returned lives in the arena, or as long as the process.
 * Thread: any.
 */
#ifndef CODEC_LOCALE_H
#define CODEC_LOCALE_H

#include "base/arena.h"

/* "DE" in "nl": "Duitsland". The code itself when it is no country. */
struct str locale_country(struct str language, const char *code, struct arena *a);

/* A day of each month, written out in the Gregorian calendar with the digits 0 to 9: "22. Januar 3333". The day is 22 and the year 3333, each
 * of which stands there once: who puts others in their place has written that date. */
struct locale_dates {
    struct str month[12];
};
void locale_dates(struct str language, struct arena *a, struct locale_dates *ret_dates);

#endif
