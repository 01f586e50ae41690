/* store/look.h - looking into segments for one subject.
 *
 * A subject is found by hash in the segments' briefs, which is cheap; the few
 * events that match are then read. The segment looked at last stays in memory,
 * so ask in the order of segments. A segment that is gone is an empty one. Until
 * look_fini() nothing is deleted from the event log.
 */
#ifndef STORE_LOOK_H
#define STORE_LOOK_H

#include "store/store_priv.h"

struct look {
    struct store_reader *r;
    struct str subject;
    uint64_t hash;
    int64_t brief_of, bytes_of; /* which segment is in the buffers; 0: none */
    struct buf brief, bytes;
};
struct look look_at(struct store_reader *r, struct str subject);
void look_fini(struct look *l);

/* Whether the event seems to be about her: by hash. */
bool look_is_hers(const struct look *l, const struct brief *b);
enum err look_asks(struct look *l, int64_t segment, uint32_t index, bool *ret_is) MUST_CHECK;
/* The event itself, until the next call. ERR_NOT_FOUND when it is not about her after all. */
enum err look_read(struct look *l, int64_t segment, uint32_t index,
                   struct stored_event *ret_e) MUST_CHECK;

#endif
