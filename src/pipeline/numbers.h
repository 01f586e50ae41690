/* pipeline/numbers.h - what is counted, for /metrics.
 *
 * Counts since start; each is written by one thread and may be read by any.
 */
#ifndef PIPELINE_NUMBERS_H
#define PIPELINE_NUMBERS_H

#include "model/decision.h"

#include <stdatomic.h>
#include <stdint.h>

struct numbers {
    _Atomic uint64_t events_stored, events_denied, events_duplicate, events_rejected;
    _Atomic uint64_t decisions[LIMIT_DESTINATIONS][REASON_COUNT]; /* at collection, by slot */
    _Atomic uint64_t acts, acts_unconfirmed, acts_lowering;
    _Atomic uint64_t imported;                             /* records */
    _Atomic uint64_t unknown_refusals[LIMIT_PURPOSES + 1]; /* by the purpose's number; 0: beyond */
    _Atomic uint64_t groups, groups_failed, group_us;      /* time in commits, microseconds */
    _Atomic uint64_t barriers, barrier_waits;
    _Atomic uint64_t reloads, reloads_refused;
    _Atomic uint64_t clock_jumps; /* the system's clock was set by more than 5 s */
    _Atomic uint64_t notice_looks, notice_looks_failed, notices_pending, recipients_unnamed;
    _Atomic uint64_t letters_asked, letters_sent, letters_retried, letters_failed;
    _Atomic uint64_t confirmed, disowned; /* by a link */
    _Atomic int64_t failed_ms; /* when a group last failed (monotonic); 0: one was written since */
};

/* Relaxed: counters order nothing. One writer each, so no locked addition is needed. */
#define numbers_add(counter, n)                                                                    \
    atomic_store_explicit((counter), numbers_get(counter) + (n), memory_order_relaxed)
#define numbers_get(counter) atomic_load_explicit((counter), memory_order_relaxed)

#endif
