#include "deliver/hook_priv.h"

#include "base/clock.h"
#include "base/log.h"

#include <signal.h>
#include <stdlib.h>

enum { IDLE_MS = 60000, WRITE_MS = 100, STOP_MS = 2000, STOP_LOOK_MS = 50 };

static void lock(struct hooks *h)
{
    must(pthread_mutex_lock(&h->lock) == 0);
}

static void unlock(struct hooks *h)
{
    must(pthread_mutex_unlock(&h->lock) == 0);
}

/* ---- numbers ---- */

static void note_all(struct hooks *h)
{
    struct hook_numbers n[LIMIT_HOOKS];
    for (uint32_t i = 0; i < LIMIT_HOOKS; i++)
        if (h->hook[i].id[0] != 0)
            hook_note(&h->hook[i], &n[i]);
    lock(h);
    for (uint32_t i = 0; i < LIMIT_HOOKS; i++) {
        memcpy(h->numbers[i].id, h->hook[i].id, HOOK_ID);
        if (h->hook[i].id[0] != 0)
            h->numbers[i].n = n[i];
    }
    unlock(h);
}

bool hooks_get_numbers(struct hooks *h, struct str id, struct hook_numbers *ret_n)
{
    bool found = false;
    lock(h);
    for (uint32_t i = 0; i < LIMIT_HOOKS && !found; i++) {
        found = id.n > 0 && str_eq(str_of(h->numbers[i].id), id);
        if (found)
            *ret_n = h->numbers[i].n;
    }
    unlock(h);
    return found;
}

/* ---- the thread ---- */

/* False when the thread is to end. */
static bool take_calls(struct hooks *h)
{
    lock(h);
    bool wake = h->wake, look = h->look, go_on = !h->abandon, stop = h->stop;
    h->wake = h->look = false;
    unlock(h);
    h->mono_ms = clock_mono_ms();
    if (stop && !h->stopping) {
        h->stopping = true;
        h->stop_at_ms = h->mono_ms + h->setup.stop_ms;
    }
    if (go_on && (wake || look))
        h->newest = store_newest_fact(h->setup.reader);
    for (uint32_t i = 0; go_on && look && i < LIMIT_HOOKS; i++)
        h->hook[i].look = h->hook[i].id[0] != 0;
    return go_on;
}

static void take_turn(struct hooks *h)
{
    h->policy = h->setup.policy_ref(h->setup.ctx);
    h->now_ms = clock_now_ms();
    hook_write_turn(h);
    h->stopping |= h->refused;
    hook_configure(h);
    for (uint32_t i = 0; i < LIMIT_HOOKS && !h->stopping; i++) {
        struct hook *k = &h->hook[i];
        if (k->conf == NULL)
            continue;
        hook_read(k);
        hook_send(k);
    }
    wire_turn(h->wire);
    hook_write_turn(h);
}

/* What ended made room for the next. */
static bool has_more(struct hooks *h, int64_t *ret_wait_ms)
{
    int64_t wait = IDLE_MS;
    for (uint32_t i = 0; i < LIMIT_HOOKS; i++) {
        int64_t due = h->hook[i].id[0] != 0 ? hook_due_ms(&h->hook[i]) : INT64_MAX;
        if (due != INT64_MAX && due - h->now_ms < wait)
            wait = due - h->now_ms;
    }
    int64_t due = hook_write_due_ms(h);
    if (due != INT64_MAX && due - h->mono_ms < wait)
        wait = due - h->mono_ms;
    if (h->stopping && wait > STOP_LOOK_MS)
        wait = STOP_LOOK_MS;
    *ret_wait_ms = wait < 0 ? 0 : wait;
    return wait <= 0;
}

/* The hooks look into its configuration: they look again when there is the next one. */
static void give_policy_back(struct hooks *h)
{
    for (uint32_t i = 0; i < LIMIT_HOOKS; i++)
        h->hook[i].conf = NULL;
    h->setup.policy_unref(h->setup.ctx, h->policy);
    h->policy = (struct deliver_policy){ 0 };
}

static bool is_finished(struct hooks *h)
{
    if (wire_in_flight(h->wire) > 0)
        return false;
    return h->refused ? !h->posted : h->stopping && !hook_has_writes(h);
}

static void *run(void *ctx)
{
    struct hooks *h = ctx;
    while (take_calls(h)) {
        int64_t wait;
        take_turn(h);
        (void)has_more(h, &wait);
        note_all(h);
        give_policy_back(h);
        if (is_finished(h))
            break;
        wire_wait(h->wire, (int)wait);
    }
    lock(h);
    h->stopped = true;
    unlock(h);
    return NULL;
}

/* ---- the other threads' side ---- */

static void call(struct hooks *h, bool *what)
{
    lock(h);
    bool was = *what;
    *what = true;
    unlock(h);
    if (!was)
        wire_wake(h->wire);
}

void hooks_wake(struct hooks *h)
{
    call(h, &h->wake);
}

void hooks_look(struct hooks *h)
{
    call(h, &h->look);
}

void hooks_stop(struct hooks *h)
{
    call(h, &h->stop);
}

bool hooks_stopped(struct hooks *h)
{
    lock(h);
    bool stopped = h->stopped;
    unlock(h);
    return stopped;
}

static enum err start_thread(struct hooks *h, struct err_info *info)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int failed = pthread_create(&h->thread, NULL, run, h);
    must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    h->has_thread = failed == 0;
    return h->has_thread ? OK : err_set(info, ERR_IO, NULL, "cannot start the hooks' thread");
}

static int64_t or_else(int64_t ms, int64_t otherwise)
{
    return ms > 0 ? ms : otherwise;
}

enum err hooks_open(const struct hook_setup *setup, struct hooks **ret_h, struct err_info *info)
{
    AUTO(hooks_close) struct hooks *h = must_alloc_zero(sizeof *h);
    h->setup = *setup;
    h->setup.send_ms = or_else(setup->send_ms, LIMIT_SEND_S * 1000);
    h->setup.backoff_ms = or_else(setup->backoff_ms, BACKOFF_BASE_MS);
    h->setup.patience_ms = or_else(setup->patience_ms, LIMIT_HOOK_PATIENCE_MS);
    h->setup.write_ms = or_else(setup->write_ms, WRITE_MS);
    h->setup.stop_ms = or_else(setup->stop_ms, STOP_MS);
    must(pthread_mutex_init(&h->lock, NULL) == 0);
    h->round.hooks = h;
    h->wake = true;
    for (uint32_t i = 0; i < LIMIT_HOOKS; i++)
        h->hook[i].hooks = h;
    h->wire = wire_new(h->setup.send_ms);
    if (h->wire == NULL)
        return err_set(info, ERR_IO, NULL, "cannot set up libcurl");
    enum err err = start_thread(h, info);
    if (err != OK)
        return err;
    *ret_h = h;
    h = NULL;
    return OK;
}

static void free_messages(struct hooks *h, struct hook *k)
{
    while (k->first != NULL) {
        struct message *m = k->first;
        if (m->state == MESSAGE_FLYING)
            h->setup.policy_unref(h->setup.ctx, m->policy);
        message_free(&m);
    }
}

void hooks_close(struct hooks **hh)
{
    struct hooks *h = *hh;
    if (h == NULL)
        return;
    if (h->has_thread) {
        call(h, &h->abandon);
        must(pthread_join(h->thread, NULL) == 0);
    }
    wire_free(&h->wire);
    for (uint32_t i = 0; i < LIMIT_HOOKS; i++)
        free_messages(h, &h->hook[i]);
    free(h->round.change);
    arena_fini(&h->round.arena);
    arena_fini(&h->scratch);
    (void)pthread_mutex_destroy(&h->lock);
    free(h);
    *hh = NULL;
}
