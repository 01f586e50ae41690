/* deliver/fetch.h - a page, fetched for its text: of notices that are watched.
 *
 * GET by the rules for destinations: TLS is verified, no redirect is followed, no private address is called
 * unless the configuration says so, no header but our name is sent. Blocks.
 *
 * Limit:  LIMIT_NOTICE bytes, LIMIT_SEND_S in all.
 */
#ifndef DELIVER_FETCH_H
#define DELIVER_FETCH_H

#include "base/arena.h"
#include "base/err.h"
#include "conf/conf.h"

#include <stdatomic.h>

struct fetched {
    struct str bytes;
    bool html; /* else plain text */
};
/* ERR_IO, ERR_LIMIT or ERR_VALUE (a status but 200, another type than text); *ret_why then says why, in words
 * without addresses. Ends soon (ERR_STOPPED) once *stop is true. */
enum err fetch(const struct conf_destination *from, const _Atomic bool *stop, struct arena *a,
               struct fetched *ret_f, const char **ret_why) MUST_CHECK;

#endif
