/* deliver/post.h - one request that is no delivery: nobody's data, answered at once or not at all.
 *
 * The same rules as for deliveries: no private address unless allowed, TLS verified, no redirect, LIMIT_ANSWER. Blocks
 * for LIMIT_SEND_S at most; any thread but the loop's.
 */
#ifndef DELIVER_POST_H
#define DELIVER_POST_H

#include "base/arena.h"
#include "base/err.h"
#include "conf/conf.h"

#include <stdatomic.h>

struct post {
    struct str url;
    const char *type; /* Content-Type */
    struct str body;
    const atomic_bool *stop; /* true: give up; or NULL */
};
/* ERR_IO: no whole answer came; *ret_why says why, a constant. */
enum err post(const struct conf_destination *to, const struct post *q, struct arena *a,
              int *ret_status, struct str *ret_answer, const char **ret_why) MUST_CHECK;

#endif
