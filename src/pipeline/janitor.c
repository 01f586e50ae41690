/* What nobody waits for: checkpoints, and deleting what was only kept until it
 * was delivered. The janitor's thread only looks at the time and checkpoints;
 * whatever is written is written by the loop. */
#include "pipeline/pipeline_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "deliver/destination.h"
#include "transform/fields.h"

#include <stdlib.h>
#include <time.h>

enum { EVERY_MS = 1000, STRIP_SEGMENTS = 64 };

struct janitor {
    struct pipeline *p;
    struct store_reader *reader;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop;
};

static bool sleep_ms(struct janitor *j, int ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until); /* cannot fail */
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    must(pthread_mutex_lock(&j->lock) == 0);
    if (!j->stop)
        (void)pthread_cond_timedwait(&j->stopped, &j->lock,
                                     &until); /* early or late does not matter */
    bool go_on = !j->stop;
    must(pthread_mutex_unlock(&j->lock) == 0);
    return go_on;
}

static void *run(void *arg)
{
    struct janitor *j = arg;
    while (sleep_ms(j, EVERY_MS)) {
        enum err e = store_checkpoint(j->reader);
        if (e != OK && e != ERR_BUSY)
            log_write(LOG_ERROR, "checkpoint.failed", LOG_C("error", err_text(e)));
        atomic_store(&j->p->strip_due, true);
        j->p->wake(j->p->wake_ctx);
    }
    return NULL;
}

struct janitor *janitor_new(struct pipeline *p, struct store_reader *r)
{
    struct janitor *j = must_alloc_zero(sizeof *j);
    j->p = p;
    j->reader = r;
    must(pthread_mutex_init(&j->lock, NULL) == 0);
    pthread_condattr_t attr; /* the wall clock may be set meanwhile */
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&j->stopped, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    must(pthread_create(&j->thread, NULL, run, j) == 0);
    return j;
}

void janitor_free(struct janitor **jj)
{
    struct janitor *j = *jj;
    if (j == NULL)
        return;
    must(pthread_mutex_lock(&j->lock) == 0);
    j->stop = true;
    must(pthread_cond_signal(&j->stopped) == 0);
    must(pthread_mutex_unlock(&j->lock) == 0);
    must(pthread_join(j->thread, NULL) == 0);
    store_reader_close(&j->reader);
    (void)pthread_cond_destroy(&j->stopped);
    (void)pthread_mutex_destroy(&j->lock);
    free(j);
    *jj = NULL;
}

/* ---- deleting what was delivered ---- */

static const struct policy_use *own_use(const struct policy *policy)
{
    for (uint32_t i = 0; i < policy->use_count; i++) {
        if (str_eq(policy->use[i].conf->type, STR("own")))
            return &policy->use[i];
    }
    return NULL;
}

static int64_t lowest_pending(const struct delivery_request *q, uint32_t count, int64_t last)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < q[i].item_count; k++) {
            if (q[i].item[k].segment <= last)
                last = q[i].item[k].segment - 1;
        }
    }
    return last;
}

/* The last segment that no destination needs any more. Dead letters keep theirs,
 * so that they can be sent again. */
static enum err last_unneeded(struct pipeline *p, struct arena *a, int64_t *ret_last)
{
    struct store_reader *own = store_own_reader(p->store);
    const struct policy *policy = p->newest->public.policy;
    int64_t last = store_newest_segment(own);
    for (uint32_t i = 0; i < policy->use_count; i++) {
        if (destination_find(policy->use[i].conf->type) == NULL)
            continue;
        struct delivery_cursor c;
        enum err e = store_get_cursor(own, policy->use[i].slot, &c);
        if (e != OK)
            return e;
        last = c.segment < last ? c.segment : last;
    }
    for (int state = PENDING_SENDING; state <= PENDING_DEAD; state++) {
        struct delivery_request *q;
        uint32_t count;
        enum err e = store_list_pending(own, -1, (enum pending_state)state, INT64_MAX,
                                        LIMIT_EXAMINED, a, &q, &count);
        if (e != OK)
            return e;
        last = count == LIMIT_EXAMINED ? 0 : lowest_pending(q, count, last);
    }
    *ret_last = last;
    return OK;
}

struct keep {
    struct pipeline *p;
    const struct policy_use *own;
    uint32_t index;
    struct arena a;
    uint8_t secret[32];
};

static void keep_own(void *ctx, const struct stored_event *e, struct buf *ret_body)
{
    struct keep *k = ctx;
    if ((e->verdict[k->own->slot] & STORED_REASON) != REASON_PERMITTED)
        return;
    struct fields_keys keys = { .secret = k->secret, .at_ms = e->received_ms };
    uint8_t v = e->verdict[k->own->slot];
    size_t before = ret_body->n;
    enum err err =
        fields_apply(k->p->newest->public.plan, k->index, (v & STORED_DEVICE_FIELDS) != 0,
                     (v & STORED_PERSON_FIELDS) != 0, e->body, &keys, &k->a, ret_body, NULL);
    if (err != OK) {
        ret_body->n =
            before; /* keeping nothing is the safe side; `licet verify` names such a body */
        log_write(LOG_ERROR, "strip.unreadable", LOG_C("error", err_text(err)));
    }
    arena_clear(&k->a);
}

static enum err delete_all(struct pipeline *p, int64_t last, bool *ret_more)
{
    uint32_t done = 0;
    enum err e =
        store_strip_segments(p->store, last, STRIP_SEGMENTS, clock_now_ms(), 0, NULL, NULL, &done);
    *ret_more = *ret_more || done == STRIP_SEGMENTS;
    return e;
}

/* What the own store has kept for its time goes, too. */
static enum err end_retention(struct pipeline *p, const struct duration *retention, int64_t last,
                              bool *ret_more)
{
    if (!upkeep_may_end_retention(p))
        return OK;
    struct duration back = { .months = -retention->months, .ms = -retention->ms };
    int64_t before =
        store_newest_segment_before(store_own_reader(p->store), time_add(clock_now_ms(), back));
    return before <= 0 ? OK : delete_all(p, before < last ? before : last, ret_more);
}

/* `retention: 0d`, or no own store at all: also of what an earlier configuration kept. */
static bool keeps_nothing(const struct policy_use *own)
{
    return own == NULL || (own->conf->retention.months == 0 && own->conf->retention.ms == 0);
}

enum err strip_delivered(struct pipeline *p, bool *ret_more)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    int64_t last = 0;
    enum err e = last_unneeded(p, &a, &last);
    if (e != OK || last <= 0)
        return e;
    struct keep keep = { .p = p, .own = own_use(p->newest->public.policy) };
    if (keeps_nothing(keep.own))
        return delete_all(p, last, ret_more);
    keep.index = (uint32_t)(keep.own - p->newest->public.policy->use);
    store_secret(p->store, SECRET_PSEUDONYM, keep.secret);
    uint32_t done = 0;
    e = store_strip_segments(p->store, last, STRIP_SEGMENTS, clock_now_ms(), p->newest->own_whole,
                             keep_own, &keep, &done);
    *ret_more = done == STRIP_SEGMENTS;
    if (e == OK)
        e = end_retention(p, &keep.own->conf->retention, last, ret_more);
    arena_fini(&keep.a);
    return e;
}
