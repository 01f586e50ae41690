/* deliver/backoff.h - when to try again. Pure but for the dice.
 *
 * One per destination, so that a dead one costs the others nothing; requests that wait
 * for a further attempt use the same steps by their own count.
 */
#ifndef DELIVER_BACKOFF_H
#define DELIVER_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

enum { BACKOFF_BASE_MS = 1000, BACKOFF_MOST_MS = 15 * 60 * 1000 };

/* Full jitter: evenly between 0 and base_ms doubled with each attempt after the first, BACKOFF_MOST_MS at most; and
 * not less than what the receiver asked for (seconds; 0 or less: nothing), which is bounded by
 * LIMIT_RETRY_AFTER_S. attempts from 1. */
int64_t backoff_delay(int64_t base_ms, uint32_t attempts, int64_t retry_after_s);

struct backoff {
    uint32_t failures;   /* in a row; 0: open */
    bool outage;         /* the last was no answer about this request: nobody there, or busy; or
                            nothing was tried yet, as after a start: then what waits is tried at once */
    int64_t until_ms;    /* nothing is begun before */
    int64_t reopened_ms; /* the last success after an outage */
};

void backoff_failed(struct backoff *b, int64_t base_ms, int64_t now_ms, int64_t retry_after_s,
                    bool outage);
/* True when this ended a back-off (failures, not a start). */
bool backoff_succeeded(struct backoff *b, int64_t now_ms);

#endif
