/* pipeline/explain.h - why, for people and programs.
 *
 * Any thread, with a reader of its own. JSON results live in the arena.
 */
#ifndef PIPELINE_EXPLAIN_H
#define PIPELINE_EXPLAIN_H

#include "policy/policy.h"
#include "store/store.h"

/* One decision as JSON: {"destination","verdict","reason","text","purposes":[…]}. */
void explain_decision(const struct policy *p, uint32_t use, const struct decision *d,
                      struct buf *to);

/* A stored event, by its id: what was decided at collection per destination, what became of it, what left, on
 * which acts. ERR_NOT_FOUND: not stored (then the hour's counters say what was stopped). */
enum err explain_event(struct store_reader *r, const struct id *event, struct arena *a,
                       struct str *ret_json) MUST_CHECK;

/* The anonymous counters of what was not stored, of one hour or (0) of the newest. */
enum err explain_counters(struct store_reader *r, int64_t from_ms, int64_t to_ms, struct arena *a,
                          struct str *ret_json) MUST_CHECK;

/* {"sent":[… at most LIMIT_WITHDRAWAL_SHOWN],"uncertain":[…],"dropped":n,"total":n}: what had left
 * when she withdrew, and how many sendings will not happen any more. */
enum err explain_withdrawal(struct store_reader *r, const struct policy *p, struct str subject,
                            struct arena *a, struct str *ret_json) MUST_CHECK;

#endif
