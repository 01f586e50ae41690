/* deliver/hook.h - telling the operator's own systems what the ledger recorded (docs/hooks.md).
 *
 * One thread with a wire and a reader of its own, so that no hook costs destinations or the loop anything. The
 * ledger's facts are the outbox: for each hook a cursor over them and a few rows of messages that wait
 * (store/hook.h), written through `post` like everything that must become durable.
 *
 * At least once: a message is finished when its receiver said so and that is committed; what a crash left between the two
 * is sent again, with the same id. Order: messages about one subject go in the order of their facts, and
 * so do those about notices and those about texts; one that fails is not overtaken by a later one. Between subjects there is no
 * order. A dead message that is revived has lost its place.
 *
 * Limit: LIMIT_WAITING messages of a hook in memory, one a request; what is behind them stays in the ledger.
 */
#ifndef DELIVER_HOOK_H
#define DELIVER_HOOK_H

#include "deliver/deliver.h"

struct hook_setup {
    struct store_reader *reader; /* for this thread alone, until hooks_close() */
    /* As in struct deliver_setup. */
    struct deliver_policy (*policy_ref)(void *ctx);
    void (*policy_unref)(void *ctx, struct deliver_policy p);
    bool (*post)(void *ctx, struct delivery_write *w);
    void *ctx;
    /* 0: LIMIT_SEND_S, a first step of 1 s, LIMIT_HOOK_PATIENCE_MS, rounds of writes at least 100 ms apart, 2 s
     * for what is on its way at the stop. Others are for tests. */
    int64_t send_ms, backoff_ms, patience_ms, write_ms, stop_ms;
};

struct hooks;
enum err hooks_open(const struct hook_setup *setup, struct hooks **ret_h,
                    struct err_info *info) MUST_CHECK;
/* There are new facts, or a new configuration. Any thread, cheap. */
void hooks_wake(struct hooks *h);
/* Hooks were paused or go on, dead messages were revived, as is committed. Any thread. */
void hooks_look(struct hooks *h);
/* As deliver_stop(), deliver_stopped(), deliver_close(). */
void hooks_stop(struct hooks *h);
bool hooks_stopped(struct hooks *h);
void hooks_close(struct hooks **h);

/* For /metrics and `licet hooks`; counts since start. */
struct hook_numbers {
    uint64_t told, failed, dead; /* messages; attempts that failed; messages given up */
    enum deliver_state state;
    int64_t cursor, newest;      /* every fact up to the first is finished; the newest one */
    int64_t start_seq, start_ms; /* it began behind this fact, then */
    int64_t oldest_ms;           /* the oldest message not finished was recorded then; 0: none */
    int64_t open_until_ms;       /* back-off: nothing is begun before; 0: none */
    uint32_t in_flight, window;  /* requests on their way, and how many may be */
    uint32_t waiting;            /* messages in memory: to be tried, again or for the first time */
    int64_t last_told_ms, last_error_ms; /* 0: not since start */
    char last_error[96];
    char why[96]; /* why it paused itself; or empty */
};
/* False: no hook of that id has been looked at yet. Any thread. */
bool hooks_get_numbers(struct hooks *h, struct str id, struct hook_numbers *ret_n);

#endif
