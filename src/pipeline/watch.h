/* pipeline/watch.h - looks at notices where they are published, each at its interval.
 *
 * A thread of its own fetches and reads, one after the other; the loop takes what was read and writes it.
 * A configuration is held only while one of its notices is being fetched.
 *
 * Thread: watch_take() the loop's; watch_write() any.
 */
#ifndef PIPELINE_WATCH_H
#define PIPELINE_WATCH_H

#include "base/buf.h"

struct pipeline;
struct watch;

struct watch *watch_new(struct pipeline *p);
void watch_free(struct watch **w); /* an open connection is given up */
/* There is a new configuration: everything is looked at anew. */
void watch_wake(struct watch *w);

/* What was read and not taken yet, one at a time; the caller frees both. False: nothing. */
struct watch_text {
    char *identifier;
    char *text;
    size_t n;
};
bool watch_take(struct watch *w, struct watch_text *ret_t);

/* How the last look at a notice went: "" well, NULL never, else what was wrong. A constant. */
const char *watch_outcome(struct watch *w, struct str identifier, int64_t *ret_at_ms);

#endif
