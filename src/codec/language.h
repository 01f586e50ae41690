/* codec/language.h - which of several languages somebody reads. Pure; any thread. */
#ifndef CODEC_LANGUAGE_H
#define CODEC_LANGUAGE_H

#include "base/str.h"

#include <stdint.h>

/* "de" and "de-AT" are one language: what stands before the first '-', in either case. */
bool language_same(struct str a, struct str b);

/* Of `count` languages the one that an Accept-Language header (RFC 9110, 12.5.4) likes best, of those it likes
 * alike the one that it names first; UINT32_MAX when it names none of them. What cannot be read is passed over. */
uint32_t language_pick(struct str accept, const struct str *have, uint32_t count);

#endif
