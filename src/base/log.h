/* base/log.h - one JSON line on standard error per thing worth knowing.
 *
 * Only the function that handles an error logs it, once. Fields never hold
 * personal data: no subject, address, URL or payload; docs/operations.md lists
 * the names that occur. Thread: any; a line is written in one call.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log_field {
    const char *name;
    struct str text; /* used when .is_number is false */
    int64_t number;
    bool is_number;
};

#define LOG_S(key, value) ((struct log_field){ .name = (key), .text = (value) })
#define LOG_C(key, value) ((struct log_field){ .name = (key), .text = str_of(value) })
#define LOG_N(key, value)                                                                          \
    ((struct log_field){ .name = (key), .number = (int64_t)(value), .is_number = true })

/* log_write(LOG_WARNING, "delivery.retry", LOG_S("destination", id), LOG_N("status", 503)); */
#define log_write(level, event, ...)                                                               \
    log_fields((level), (event), (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })
void log_fields(enum log_level level, const char *event, const struct log_field *fields);

/* Lines below this are not written. Default LOG_INFO. */
void log_set_level(enum log_level least);

#endif
