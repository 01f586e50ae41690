#include "pipeline/pipeline_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/hook.h"

#include <stdlib.h>
#include <time.h>

enum { PUBLISH_EVERY_MS = 50, PUBLISH_AGAIN_MS = 1000 };

void waiter_list_init(struct waiter *head)
{
    head->next = head->prev = head;
}

static void unlink_waiter(struct waiter *w)
{
    w->prev->next = w->next;
    w->next->prev = w->prev;
    w->next = w->prev = NULL;
    w->joined = false;
}

static void link_waiter(struct waiter *head, struct waiter *w)
{
    w->prev = head->prev;
    w->next = head;
    head->prev->next = w;
    head->prev = w;
    w->joined = true;
}

enum err group_open(struct pipeline *p, struct err_info *info)
{
    if (p->open)
        return OK;
    enum err e = store_begin(p->store);
    if (e != OK) {
        atomic_store(&p->numbers.failed_ms, clock_mono_ms());
        return err_set(info, e, NULL, "the database cannot be written: %s", err_text(e));
    }
    p->open = true;
    p->failed = false;
    p->document_bytes = 0;
    p->dedupe_mark = dedupe_mark(p->dedupe);
    return OK;
}

void group_join(struct pipeline *p, struct waiter *w)
{
    must(p->open);
    if (!w->joined)
        link_waiter(&p->joined, w);
}

void group_fail(struct pipeline *p, enum err err, const struct err_info *info)
{
    p->failed = true;
    p->failure = info != NULL && info->err != OK ? *info : (struct err_info){ .err = err };
    p->failure.err = err;
}

void pipeline_leave(struct pipeline *p, struct waiter *w)
{
    (void)p;
    if (w->joined)
        unlink_waiter(w);
    barrier_close(&w->barrier);
}

static void finish(struct waiter *w, enum err result)
{
    w->result = result;
    w->done = true;
    if (w->finished != NULL)
        w->finished(w);
}

/* A withdrawal that could not be written is in force all the same, as long as
 * this process lives. */
static void finish_failed(struct pipeline *p, struct waiter *w, enum err result)
{
    if (w->lowers.n != 0)
        ledger_block(p->ledger, w->lowers);
    finish(w, result);
}

void waiter_await_all(struct pipeline *p, struct waiter *w)
{
    int64_t now = clock_mono_ms();
    numbers_add(&p->numbers.barriers, 1);
    w->barrier = barrier_open(p->tickets, true, 0, now);
    if (!barrier_passed(w->barrier, now)) {
        numbers_add(&p->numbers.barrier_waits, 1);
        link_waiter(&p->barriers, w);
        return;
    }
    barrier_close(&w->barrier);
    finish(w, OK);
}

static void finish_committed(struct pipeline *p, struct waiter *w)
{
    if (w->lowers_all) {
        waiter_await_all(p, w);
        return;
    }
    if (w->lowers.n != 0) {
        uint64_t hash = store_subject_hash(store_own_reader(p->store), w->lowers);
        int64_t now = clock_mono_ms();
        numbers_add(&p->numbers.barriers, 1);
        w->barrier = barrier_open(p->tickets, false, hash, now);
        if (!barrier_passed(w->barrier, now)) {
            numbers_add(&p->numbers.barrier_waits, 1);
            link_waiter(&p->barriers, w);
            return;
        }
        barrier_close(&w->barrier);
    }
    finish(w, OK);
}

static enum err write_group(struct pipeline *p, struct err_info *info)
{
    if (p->failed) {
        *info = p->failure;
        return p->failure.err;
    }
    if (p->segment.count > 0) {
        enum err e = store_add_segment(p->store, &p->segment);
        if (e != OK)
            return err_set(info, e, NULL, "the segment could not be written: %s", err_text(e));
    }
    struct chain_head head;
    enum err e = store_commit(p->store, clock_now_ms(), &head, info);
    if (e == OK && head.group != p->head) { /* an empty group shows nothing */
        p->head = head.group;
        atomic_store(&p->numbers.failed_ms, 0);
    }
    return e;
}

static int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Many groups a second become visible together, which costs less than one by one. */
void group_publish(struct pipeline *p, bool now)
{
    int64_t at = clock_mono_ms();
    bool due = store_unpublished(p->store) > 0 && (now || at >= p->publish_due_ms);
    struct err_info info = { 0 };
    enum err e = due ? store_publish(p->store, &info) : OK;
    if (due)
        p->publish_due_ms = at + (e == OK ? PUBLISH_EVERY_MS : PUBLISH_AGAIN_MS);
    if (e != OK)
        log_write(LOG_ERROR, "publish.failed", LOG_C("error", err_text(e)),
                  LOG_C("text", info.text));
    if (p->unseen && store_unpublished(p->store) == 0) {
        p->unseen = false;
        deliver_wake(p->deliver);
    }
}

void group_commit(struct pipeline *p)
{
    if (!p->open)
        return;
    int64_t begun = now_us();
    struct err_info info = { 0 };
    bool deliverable = p->deliverable != 0;
    p->deliverable = 0;
    enum err e = write_group(p, &info);
    p->open = false;
    segment_builder_clear(&p->segment);
    numbers_add(&p->numbers.groups, 1);
    numbers_add(&p->numbers.group_us, (uint64_t)(now_us() - begun));
    if (e == OK) {
        ledger_committed(p->ledger);
    } else {
        store_rollback(p->store);
        ledger_rolled_back(p->ledger);
        dedupe_rollback(p->dedupe, p->dedupe_mark);
        numbers_add(&p->numbers.groups_failed, 1);
        atomic_store(&p->numbers.failed_ms, clock_mono_ms());
        log_write(LOG_ERROR, "group.failed", LOG_C("error", err_text(e)), LOG_C("text", info.text));
    }
    for (uint32_t i = 0; i < p->applied_count; i++)
        delivery_write_done(p->applied[i], e);
    p->applied_count = 0;
    p->early = p->early || p->joined.next != &p->joined;
    while (p->joined.next != &p->joined) {
        struct waiter *w = p->joined.next;
        unlink_waiter(w);
        if (e == OK)
            finish_committed(p, w);
        else
            finish_failed(p, w, e);
    }
    p->unseen = p->unseen || (e == OK && deliverable);
}

/* ---- what other threads want written ---- */

bool mailbox_post(struct pipeline *p, struct delivery_write *w)
{
    struct mailbox *m = &p->mailbox;
    must(pthread_mutex_lock(&m->lock) == 0);
    bool taken = !m->closed;
    if (taken) {
        if (m->count == m->capacity) {
            m->capacity = m->capacity ? m->capacity * 2 : 64;
            m->write = must_realloc(m->write, sizeof *m->write * m->capacity);
        }
        m->write[m->count++] = w;
    }
    must(pthread_mutex_unlock(&m->lock) == 0);
    if (taken)
        p->wake(p->wake_ctx);
    return taken;
}

/* The arrays are exchanged, so that the lock is held for a moment only. */
static uint32_t take_mail(struct pipeline *p)
{
    struct mailbox *m = &p->mailbox;
    must(p->applied_count == 0);
    must(pthread_mutex_lock(&m->lock) == 0);
    struct delivery_write **taken = m->write;
    uint32_t count = m->count, capacity = m->capacity;
    m->write = p->applied;
    m->capacity = p->applied_capacity;
    m->count = 0;
    must(pthread_mutex_unlock(&m->lock) == 0);
    p->applied = taken;
    p->applied_capacity = capacity;
    return count;
}

static void apply_mail(struct pipeline *p)
{
    uint32_t count = take_mail(p);
    if (count == 0)
        return;
    struct err_info info = { 0 };
    enum err e = group_open(p, &info);
    for (uint32_t i = 0; i < count && e == OK && !p->failed; i++) {
        enum err applied = delivery_write_apply(p->applied[i], p->store);
        if (applied != OK)
            group_fail(p, applied, NULL);
    }
    if (e != OK) {
        for (uint32_t i = 0; i < count; i++)
            delivery_write_done(p->applied[i], e);
        return;
    }
    p->applied_count = count;
}

/* ---- the turn ---- */

static bool look_at_barriers(struct pipeline *p)
{
    bool any = false;
    int64_t now = clock_mono_ms();
    for (struct waiter *w = p->barriers.next, *next; w != &p->barriers; w = next) {
        next = w->next;
        if (!barrier_passed(w->barrier, now))
            continue;
        unlink_waiter(w);
        barrier_close(&w->barrier);
        finish(w, OK);
        any = true;
    }
    if (p->reload_barrier != NULL && barrier_passed(p->reload_barrier, now)) {
        barrier_close(&p->reload_barrier);
        log_write(LOG_INFO, "reload.in_force",
                  LOG_N("generation", p->newest->public.policy->generation));
    }
    return any;
}

static void call_hooks(struct pipeline *p)
{
    int64_t newest = store_newest_seq(p->store);
    if (newest != p->fact && p->newest->public.conf->hook_count > 0)
        hooks_wake(p->hooks);
    p->fact = newest;
}

bool pipeline_turn(struct pipeline *p)
{
    apply_mail(p);
    upkeep_write(p);
    group_commit(p);
    call_hooks(p);
    bool any = p->early;
    p->early = false;
    group_publish(p, false);
    upkeep_tidy(p);
    post_hand_over(p->post);
    any |= look_at_barriers(p);
    any |= reader_collect(p->reader) > 0;
    return any;
}

int pipeline_timeout(struct pipeline *p)
{
    int64_t ms = p->barriers.next != &p->barriers || p->reload_barrier != NULL ? 20 : 1000;
    if (store_unpublished(p->store) > 0) {
        int64_t left = p->publish_due_ms - clock_mono_ms();
        ms = left < ms ? left : ms;
    }
    if (p->strip_again_ms != 0) {
        int64_t left = p->strip_again_ms - clock_mono_ms();
        ms = left < ms ? left : ms;
    }
    return ms > 0 ? (int)ms : 0;
}
