/* consent/query.h - parameters of a list, as existing clients write them.
 *
 * Parameters that are not asked for are ignored; an empty one counts as absent.
 */
#ifndef CONSENT_QUERY_H
#define CONSENT_QUERY_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

struct query {
    struct str text; /* undecoded */
    struct arena *a;
    struct err_info *info; /* every fault is ERR_VALUE and names its parameter */
};

/* Decoded and trimmed; empty when absent. ERR_VALUE past `max` bytes. */
enum err query_text(const struct query *q, const char *name, size_t max,
                    struct str *ret_value) MUST_CHECK;
/* 1 … LIMIT_LIST, default 10. */
enum err query_limit(const struct query *q, uint32_t *ret_limit) MUST_CHECK;
/* ISO 8601, "YYYY-MM-DD HH:MM:SS UTC", or seconds since 1970; 0 when absent.
 * `end`: a whole second is meant to its last millisecond. */
enum err query_time(const struct query *q, const char *name, bool end, int64_t *ret_ms) MUST_CHECK;
/* -1 when absent, else 0 or 1. */
enum err query_flag(const struct query *q, const char *name, int *ret_flag) MUST_CHECK;
/* 0 when absent. */
enum err query_number(const struct query *q, const char *name, uint32_t *ret_number) MUST_CHECK;

#endif
