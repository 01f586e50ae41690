/* api/limit.h - how often somebody may write, as token buckets.
 *
 * A table of fixed size: a bucket that was not used for longest makes room.
 * Thread: the loop's.
 */
#ifndef API_LIMIT_H
#define API_LIMIT_H

#include "base/str.h"

#include <stdint.h>

enum limit_kind {
    LIMIT_KEY = 0,
    LIMIT_ADDRESS,
    LIMIT_SUBJECT,
    LIMIT_KEY_EVENTS,
    LIMIT_KEY_REQUESTS,
    LIMIT_ADDRESS_REQUESTS,
    LIMIT_API_SECOND,
    LIMIT_API_HOUR,
    LIMIT_KEY_HOUR,
    LIMIT_RECEIPTS,
    LIMIT_STATES,         /* read tokens, and what they open */
    LIMIT_LETTERS,        /* of double opt-in, by public key: per address … */
    LIMIT_LETTERS_OF_ALL, /* … and together */
    LIMIT_KINDS
};

struct limiter;
struct limiter *limiter_new(void);
void limiter_free(struct limiter **l);

/* Takes `n` from the bucket of (kind, who), which holds at most `per` and fills up within `period_ms`. True when
 * there was enough; else nothing is taken and *ret_wait_s says when to come back. per 0: no limit. */
bool limiter_take(struct limiter *l, enum limit_kind kind, struct str who, uint32_t per,
                  int64_t period_ms, uint32_t n, int64_t now_mono_ms, uint32_t *ret_wait_s);

/* Whether limiter_take() of one would find it; takes nothing. */
bool limiter_has(struct limiter *l, enum limit_kind kind, struct str who, uint32_t per,
                 int64_t period_ms, int64_t now_mono_ms);

/* The same for who comes often: its (kind, who) hashed once. */
uint64_t limiter_who(const struct limiter *l, enum limit_kind kind, struct str who);
bool limiter_take_from(struct limiter *l, enum limit_kind kind, uint64_t who, uint32_t per,
                       int64_t period_ms, uint32_t n, int64_t now_mono_ms, uint32_t *ret_wait_s);

uint64_t limiter_refused(const struct limiter *l, enum limit_kind kind);

#endif
