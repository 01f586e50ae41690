/* pipeline/tail.h - decisions as they are made, for people who watch.
 *
 * A ring of the newest lines in memory, written only while somebody watches
 * (asked within the last 10 s), so that it costs nothing otherwise and nothing
 * is kept. Lines hold no subject and no payload. Thread: any.
 */
#ifndef PIPELINE_TAIL_H
#define PIPELINE_TAIL_H

#include "base/arena.h"
#include "base/str.h"

#include <stdint.h>

struct tail;
struct tail *tail_new(void);
void tail_free(struct tail **t);

bool tail_watched(struct tail *t);

struct tail_line {
    int64_t at_ms;
    struct str event_id, message_id, type, name; /* empty: not known at this stage */
    struct str destination;
    const char *stage;   /* "capture", "departure", "delivery" */
    const char *verdict; /* "permit", "deny", "sent", "retry", "dead", "uncertain" */
    const char *reason;
    struct str fields;
};
void tail_add(struct tail *t, const struct tail_line *line);

/* Lines with a number > after, as NDJSON; *ret_last is the number to ask after
 * next time. `after` UINT64_MAX: none, only where it stands. */
struct str tail_read(struct tail *t, uint64_t after, struct arena *a, uint64_t *ret_last);

#endif
