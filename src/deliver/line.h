/* deliver/line.h - the requests of one destination that are not finished, and who is in them.
 *
 * This is what keeps the order. A request waits (for another attempt, or because it was put aside behind an
 * earlier one), or is on its way. It holds its subjects, a device and a person each:
 *
 *   - no event that is new may go while another request holds one of its subjects;
 *   - a request that waits may go when nobody who is on her way in another stands in it, and no other request
 *     has an earlier event of one of its subjects.
 *
 * So of one subject two requests are never on their way at once, and none overtakes an earlier one. Positions
 * (segment, index) only grow for a subject from one request to the next, hence no two requests wait for each other.
 * Two subjects whose hashes agree count as one: they wait without need.
 *
 * Thread: the delivery thread's. Limit: who adds looks at line_count() first (LIMIT_WAITING).
 */
#ifndef DELIVER_LINE_H
#define DELIVER_LINE_H

#include "store/store.h"

/* One event of a request. */
struct line_event {
    uint64_t subject[2]; /* device, person: store_subject_hash(); 0: none */
    int64_t received_ms;
};

enum line_state {
    LINE_WRITING = 1, /* its row is not yet committed: it waits, and cannot be begun */
    LINE_WAITING,
    LINE_ON_ITS_WAY,
};

struct line_request {
    struct line_request *next, *prev; /* in the order of their first events */
    enum line_state state;
    struct delivery_request q; /* as it stands in the store; owned */
    int64_t oldest_ms;         /* its first event was received then */
    struct arena arena;
    struct hold *hold;
    uint32_t hold_count;
    const struct line_request *blocker; /* found last; NULL: look */
};

struct line {
    struct line_request *first, *last;
    uint32_t count;
    uint64_t version; /* grows whenever something may have become free */
    struct hold **bucket;
    uint32_t bucket_count, hold_count;
};

void line_fini(struct line *l);
/* event[i] is of q->item[i]; copies what it keeps. The ids of a line's requests differ. */
struct line_request *line_add(struct line *l, enum line_state state,
                              const struct delivery_request *q, const struct line_event *event);
/* What stands in the store of it now: attempts, times, error, fields; of the same items. */
void line_update(struct line *l, struct line_request *r, enum line_state state,
                 const struct delivery_request *q);
void line_set_state(struct line *l, struct line_request *r, enum line_state state);
void line_remove(struct line *l, struct line_request **r);                 /* NULL is fine */
struct line_request *line_find(const struct line *l, const struct id *id); /* or NULL */

bool line_holds(const struct line *l, uint64_t subject);
bool line_may_go(const struct line *l, struct line_request *r);
/* The first of those that wait, may go and are due: not before q.next_ms, but for all (`eager`), or
 * those whose last attempt was before since_ms. NULL: none; *ret_due_ms is then when one will be, INT64_MAX: not by itself. */
struct line_request *line_next(const struct line *l, int64_t now_ms, bool eager, int64_t since_ms,
                               int64_t *ret_due_ms);
int64_t line_oldest_ms(const struct line *l); /* INT64_MAX: none */

#endif
