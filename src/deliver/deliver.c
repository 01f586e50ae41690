#include "base/clock.h"
#include "base/log.h"
#include "deliver/deliver_priv.h"

#include <signal.h>
#include <stdlib.h>

const char *const deliver_state_name[5] = { "starting", "closed", "probing", "open", "paused" };

enum {
    IDLE_MS = 60000,
    CUT_LOOK_MS = 50, /* how late a marked ticket may be seen while something is on its way */
    LOOK_MS = 1000,   /* between looks for what others did: revived letters, pauses */
};

static void lock(struct deliver *d)
{
    must(pthread_mutex_lock(&d->lock) == 0);
}

static void unlock(struct deliver *d)
{
    must(pthread_mutex_unlock(&d->lock) == 0);
}

/* ---- numbers ---- */

void deliver_count(struct deliver *d, uint32_t slot, enum delivery_result result, uint32_t n)
{
    struct deliver_numbers *c = &d->numbers[slot];
    lock(d);
    switch (result) {
    case DELIVERY_SENT: c->sent += n; break;
    case DELIVERY_DROPPED: c->dropped += n; break;
    case DELIVERY_RETRY: c->retried += n; break;
    case DELIVERY_DEAD: c->dead += n; break;
    case DELIVERY_UNCERTAIN: c->uncertain += n; break;
    }
    unlock(d);
}

void deliver_count_request(struct deliver *d, uint32_t slot, bool cut)
{
    lock(d);
    if (cut)
        d->numbers[slot].cut++;
    else
        d->numbers[slot].requests++;
    unlock(d);
}

void deliver_count_fields(struct deliver *d, uint32_t slot, uint32_t cut, uint32_t omitted)
{
    lock(d);
    d->numbers[slot].fields_cut += cut;
    d->numbers[slot].fields_omitted += omitted;
    unlock(d);
}

void deliver_note_error(struct deliver *d, struct outlet *o, struct str error)
{
    char *to = d->numbers[o->slot].last_error;
    size_t room = sizeof d->numbers[o->slot].last_error - 1, n = error.n < room ? error.n : room;
    o->last_error_ms = d->now_ms;
    lock(d);
    memcpy(to, error.p, n);
    to[n] = 0;
    unlock(d);
}

static void note_state(struct deliver *d)
{
    lock(d);
    for (uint32_t slot = 0; slot < LIMIT_DESTINATIONS; slot++) {
        const struct outlet *o = &d->outlet[slot];
        if (o->started || d->numbers[slot].state != DELIVER_UNKNOWN)
            outlet_note_state(d, o, &d->numbers[slot]);
    }
    unlock(d);
}

void deliver_get_numbers(struct deliver *d, uint32_t slot, struct deliver_numbers *ret_n)
{
    must(slot < LIMIT_DESTINATIONS);
    lock(d);
    *ret_n = d->numbers[slot];
    unlock(d);
}

/* ---- the thread ---- */

static void look_again(struct deliver *d, bool at_once)
{
    d->newest = store_newest_segment(d->setup.reader);
    for (uint32_t i = 0; i < LIMIT_DESTINATIONS; i++) {
        struct outlet *o = &d->outlet[i];
        o->at_end = false;
        int64_t look_ms = at_once ? 0 : o->looked_ms + LOOK_MS;
        if (o->look_ms > look_ms)
            o->look_ms = look_ms;
    }
}

/* False when the thread is to end. */
static bool take_calls(struct deliver *d)
{
    lock(d);
    bool wake = d->wake, look = d->look, go_on = !d->abandon;
    d->wake = d->look = false;
    d->stopping |= d->stop;
    unlock(d);
    if ((wake || look) && go_on)
        look_again(d, look);
    return go_on;
}

static bool has_parcels(const struct deliver *d)
{
    for (uint32_t i = 0; i < LIMIT_DESTINATIONS; i++)
        if (d->outlet[i].parcel != NULL)
            return true;
    return false;
}

static bool is_finished(const struct deliver *d)
{
    if (d->refused) /* results cannot be kept: at the next start they are uncertain */
        return !d->posted && wire_in_flight(d->wire) == 0;
    return d->stopping && !d->posted && d->queue == NULL && !has_parcels(d);
}

static void take_turn(struct deliver *d)
{
    d->policy = d->setup.policy_ref(d->setup.ctx);
    d->now_ms = clock_now_ms();
    write_turn(d);
    d->stopping |= d->refused;
    if (d->recovering && !d->stopping)
        pending_recover(d);
    d->slots = 0;
    for (uint32_t i = 0; i < LIMIT_DESTINATIONS; i++) {
        outlet_configure(d, &d->outlet[i]);
        d->slots |= (uint32_t)(d->outlet[i].use != UINT32_MAX) << i;
    }
    for (uint32_t i = 0; i < LIMIT_DESTINATIONS; i++)
        if (d->outlet[i].use != UINT32_MAX)
            outlet_turn(d, &d->outlet[i]);
    write_turn(d);
    wire_turn(d->wire);
    write_turn(d); /* results of this turn, if nothing else is out */
}

static int wait_ms(struct deliver *d)
{
    int64_t wait = wire_in_flight(d->wire) > 0 ? CUT_LOOK_MS : IDLE_MS;
    if (d->queue != NULL && !d->posted) {
        int64_t again = d->post_again_ms - clock_mono_ms();
        wait = again < wait ? again : wait;
    }
    if (d->recovering && !d->posted && wait > LOOK_MS)
        wait = LOOK_MS;
    for (uint32_t i = 0; i < LIMIT_DESTINATIONS; i++) {
        int64_t due = outlet_due_ms(d, &d->outlet[i]);
        if (due != INT64_MAX && due - d->now_ms < wait)
            wait = due - d->now_ms;
    }
    return wait < 0 ? 0 : (int)wait;
}

/* The outlets look into its configuration: they look again when there is the next one. */
static void give_policy_back(struct deliver *d)
{
    for (uint32_t i = 0; i < LIMIT_DESTINATIONS; i++) {
        d->outlet[i].use = UINT32_MAX;
        d->outlet[i].conf = NULL;
    }
    d->setup.policy_unref(d->setup.ctx, d->policy);
    d->policy = (struct deliver_policy){ 0 };
}

static void *run(void *ctx)
{
    struct deliver *d = ctx;
    while (take_calls(d)) {
        take_turn(d);
        int wait = wait_ms(d);
        if (wait > LOOK_MS)
            shelf_clear(&d->shelf); /* of people's data no more is kept than is being read */
        note_state(d);
        give_policy_back(d);
        if (is_finished(d))
            break;
        wire_wait(d->wire, wait);
    }
    lock(d);
    d->stopped = true;
    unlock(d);
    return NULL;
}

/* ---- the other threads' side ---- */

static void call(struct deliver *d, bool *what)
{
    lock(d);
    bool was = *what;
    *what = true;
    unlock(d);
    if (!was)
        wire_wake(d->wire);
}

void deliver_wake(struct deliver *d)
{
    call(d, &d->wake);
}

void deliver_look(struct deliver *d)
{
    call(d, &d->look);
}

void deliver_stop(struct deliver *d)
{
    call(d, &d->stop);
}

bool deliver_stopped(struct deliver *d)
{
    lock(d);
    bool stopped = d->stopped;
    unlock(d);
    return stopped;
}

static enum err start_thread(struct deliver *d, struct err_info *info)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int failed = pthread_create(&d->thread, NULL, run, d);
    must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    d->has_thread = failed == 0;
    return d->has_thread ? OK : err_set(info, ERR_IO, NULL, "cannot start the delivery thread");
}

enum err deliver_open(const struct deliver_setup *setup, struct deliver **ret_d,
                      struct err_info *info)
{
    AUTO(deliver_close) struct deliver *d = must_alloc_zero(sizeof *d);
    d->setup = *setup;
    if (d->setup.send_ms <= 0)
        d->setup.send_ms = LIMIT_SEND_S * 1000;
    if (d->setup.backoff_ms <= 0)
        d->setup.backoff_ms = BACKOFF_BASE_MS;
    if (d->setup.patience_ms <= 0)
        d->setup.patience_ms = LIMIT_RETRY_AFTER_S * 1000LL;
    must(pthread_mutex_init(&d->lock, NULL) == 0);
    d->round.d = d;
    d->queue_end = &d->queue;
    d->wake = d->recovering = true;
    d->bodies = (struct buf)BUF_INIT(2 * LIMIT_SEND_BYTES);
    d->names = (struct buf)BUF_INIT(LIMIT_FIELD_SETS_BYTES);
    for (uint32_t i = 0; i < LIMIT_DESTINATIONS; i++)
        outlet_init(&d->outlet[i], i);
    d->wire = wire_new(d->setup.send_ms);
    if (d->wire == NULL)
        return err_set(info, ERR_IO, NULL, "cannot set up libcurl");
    enum err err = start_thread(d, info);
    if (err != OK)
        return err;
    *ret_d = d;
    d = NULL;
    return OK;
}

void deliver_close(struct deliver **dd)
{
    struct deliver *d = *dd;
    if (d == NULL)
        return;
    if (d->has_thread) {
        call(d, &d->abandon);
        must(pthread_join(d->thread, NULL) == 0);
    }
    wire_free(&d->wire);
    for (uint32_t i = 0; i < LIMIT_DESTINATIONS; i++)
        outlet_fini(d, &d->outlet[i]);
    shelf_clear(&d->shelf);
    arena_fini(&d->scratch);
    arena_fini(&d->sorting);
    buf_fini(&d->bodies);
    buf_fini(&d->names);
    (void)pthread_mutex_destroy(&d->lock);
    free(d);
    *dd = NULL;
}
