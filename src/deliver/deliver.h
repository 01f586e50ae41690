/* deliver/deliver.h - the way out: cursors, requests, retries, the second decision.
 *
 * One thread runs libcurl's multi interface, a handle for each destination. It reads segments with a reader of its
 * own; whatever must become durable (sending, results) it hands to the loop's thread through `post`, and goes on
 * when that says it is committed. Per round of transfers one group commit.
 *
 * Order. For one destination and one subject (a device's id, or a person's) events go in the order of their
 * segments and their places there. Two requests that carry the same subject are never on their way at once, and one is
 * begun only when every earlier event of each of its subjects has ended there: sent, dropped, dead, or
 * uncertain and held. So a repetition is never overtaken, over a restart neither. Nothing is promised between subjects; a dead
 * letter that is revived has lost its place; and a receiver that was cut off in the middle (a timeout) may be
 * at work on a request while its repetition comes. An event that cannot go for its subject's sake does not hold up
 * strangers: it is put aside as a request of its own (line.h). At most LIMIT_WAITING requests of a destination are
 * unfinished; with so many, nothing new is begun there.
 *
 * The second decision and the send tickets are taken in CURLOPT_PREREQFUNCTION: after connect and TLS,
 * before the first byte, and again when libcurl re-sends on a dead connection (ARCHITECTURE,
 * "Sending and withdrawal").
 */
#ifndef DELIVER_DELIVER_H
#define DELIVER_DELIVER_H

#include "consent/ledger.h"
#include "deliver/ticket.h"
#include "store/store.h"
#include "transform/fields.h"

/* What must be committed. The loop's thread calls delivery_write_apply() within its group (again, when the
 * group was rolled back and is made anew), and delivery_write_done() once, after the commit or its failure.
 * It belongs to whoever it was posted to until then; at most one is out at a time. The first member is that one's
 * to queue it by. */
struct delivery_write {
    struct delivery_write *next;
    enum err (*apply)(struct delivery_write *w, struct store *s);
    void (*done)(struct delivery_write *w, enum err result);
};
enum err delivery_write_apply(struct delivery_write *w, struct store *s) MUST_CHECK;
void delivery_write_done(struct delivery_write *w, enum err result);

/* A policy in use, with its configuration and what was compiled from it. Counted: a reload replaces it while requests made
 * under the old one are still on their way. */
struct deliver_policy {
    const struct conf *conf;
    const struct policy *policy;
    const struct fields_plan *plan;
};

/* What became of one event, for people who watch (`licet tail`). */
struct delivery_sight {
    struct id event;
    int64_t at_ms;
    struct str destination;
    enum delivery_result result; /* DROPPED: by the second decision, with its reason */
    enum reason reason;          /* REASON_PERMITTED for the others */
    struct str fields;           /* names that left of it, comma-separated */
};

struct deliver_setup {
    struct store_reader *reader; /* for this thread alone, until deliver_close() */
    struct ledger *ledger;
    struct tickets *tickets;
    uint8_t pseudonym_secret[32];
    /* Gives the current policy with a reference, and takes one back. Any thread. Also called within
     * tickets_locked(): who holds a lock of its own there must not wait for the tickets with it. */
    struct deliver_policy (*policy_ref)(void *ctx);
    void (*policy_unref)(void *ctx, struct deliver_policy p);
    /* Hands a write to the loop's thread. Any thread; false when the daemon is stopping. */
    bool (*post)(void *ctx, struct delivery_write *w);
    /* Called for each event's outcome once it is committed, while `watched` says so. Any thread; both may be NULL. */
    bool (*watched)(void *ctx);
    void (*observe)(void *ctx, const struct delivery_sight *sight);
    void *ctx;
    /* 0: LIMIT_SEND_S, a first step of 1 s, a day for a receiver that is not there. Shorter ones are for tests. */
    int64_t send_ms, backoff_ms, patience_ms;
};

struct deliver;
/* Starts the thread (signals blocked in it). Requests found `sending` become uncertain: repeated or held as their destination says. */
enum err deliver_open(const struct deliver_setup *setup, struct deliver **ret_d,
                      struct err_info *info) MUST_CHECK;
/* There is a new segment or a new policy: look again. Any thread, cheap. */
void deliver_wake(struct deliver *d);
/* Dead letters were revived, a destination was paused or goes on, as is committed: takes effect in the thread's next
 * turn. Without it, a second later. Any thread. */
void deliver_look(struct deliver *d);
/* No new requests from now; those on their way are waited for (LIMIT_SEND_S at most), their results posted.
 * Then, when deliver_stopped(), deliver_close(). */
void deliver_stop(struct deliver *d);
bool deliver_stopped(struct deliver *d);
/* Ends the thread. Before deliver_stopped() this resets what is on its way, whose results are then unknown: found
 * `sending` at the next start. Every write that was posted must have been done before. */
void deliver_close(struct deliver **d);

/* A destination's circuit, as of the thread's last turn. */
enum deliver_state {
    DELIVER_UNKNOWN = 0, /* not configured, or the thread has not yet looked */
    DELIVER_CLOSED,      /* requests flow */
    DELIVER_PROBING,     /* after a failure: one request at a time, to see whether it works again */
    DELIVER_OPEN,        /* nothing is begun before open_until_ms */
    DELIVER_PAUSED,      /* nothing is begun until somebody says so */
};
extern const char *const deliver_state_name[5]; /* for people: "closed" */

/* For /metrics and `licet deliveries`; counts since start, by slot. */
struct deliver_numbers {
    uint64_t sent, dropped, retried, dead, uncertain, requests, cut;
    uint64_t fields_cut, fields_omitted; /* of events sent: to fit the receiver's limits */
    enum deliver_state state;
    int64_t start_segment, start_ms; /* it began behind this segment, then; 0: by an older licet */
    struct delivery_cursor cursor;
    int64_t lag_segments; /* newest segment less the cursor's */
    int64_t oldest_ms; /* the oldest event that waits or is on its way was received then; 0: none */
    int64_t open_until_ms;      /* back-off: nothing is begun before; 0: none */
    uint32_t in_flight, window; /* requests on their way, and how many may be */
    uint32_t waiting; /* requests not finished, those on their way included (LIMIT_WAITING) */
    int64_t last_sent_ms, last_error_ms; /* 0: not since start */
    char last_error[96];
};
void deliver_get_numbers(struct deliver *d, uint32_t slot, struct deliver_numbers *ret_n);

#endif
