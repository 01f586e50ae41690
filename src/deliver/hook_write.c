#include "deliver/hook_priv.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>

enum {
    AGAIN_MS = 1000,        /* after a commit that failed */
    LONG_MS = 1000,         /* what is on its way for longer does not hold the cursor up */
    CURSOR_MS = 5000,       /* a cursor that moved over nothing is written so often … */
    CURSOR_FACTS = 1 << 14, /* … or when it moved so far */
};

static const struct str gone = STR_INIT("the receiver says that it is gone (status 410)");

/* ---- the loop's side ---- */

static enum err apply_change(const struct change *c, struct store *s)
{
    int64_t number = c->hook->number;
    switch (c->kind) {
    case CHANGE_PUT: return store_put_hook_message(s, &c->row);
    case CHANGE_REMOVE: return store_remove_hook_message(s, number, c->row.seq);
    case CHANGE_CURSOR: return store_set_hook_cursor(s, number, c->cursor);
    case CHANGE_PAUSE: return store_set_hook_paused(s, number, c->row.at_ms, gone);
    }
    return ERR_VALUE;
}

static enum err apply(struct delivery_write *w, struct store *s)
{
    const struct hook_round *r = (const struct hook_round *)w;
    enum err err = OK;
    for (uint32_t i = 0; err == OK && i < r->count; i++) {
        const struct change *c = &r->change[i];
        /* what was taken out meanwhile and came back is another one */
        if (store_hook_began(s, c->hook->number, c->hook->start_ms))
            err = apply_change(c, s);
    }
    return err;
}

static void done(struct delivery_write *w, enum err result)
{
    struct hooks *h = ((struct hook_round *)w)->hooks;
    must(pthread_mutex_lock(&h->lock) == 0);
    h->round_done = true;
    h->round_result = result;
    /* within the lock: the thread cannot see it, end and be closed before this has woken it */
    wire_wake(h->wire);
    must(pthread_mutex_unlock(&h->lock) == 0);
}

/* ---- a round ---- */

static struct change *add(struct hooks *h, enum change_kind kind, struct hook *k)
{
    struct hook_round *r = &h->round;
    if (r->count == r->capacity) {
        r->capacity = r->capacity ? r->capacity * 2 : 64;
        r->change = must_realloc(r->change, r->capacity * sizeof *r->change);
    }
    struct change *c = &r->change[r->count++];
    *c = (struct change){ .kind = kind, .hook = k };
    return c;
}

static void add_message(struct hooks *h, struct message *m)
{
    struct change *c = add(h, m->state == MESSAGE_OVER ? CHANGE_REMOVE : CHANGE_PUT, m->hook);
    c->message = m;
    c->row = m->row;
    c->row.error = arena_str(&h->round.arena, m->row.error);
    m->dirty = false;
    m->out = true;
}

/* Where a later one is finished already, the cursor must not wait for this one. */
static bool goes_aside(const struct hook *k, const struct message *m)
{
    bool stays = m->state == MESSAGE_READY || k->hooks->mono_ms - m->gone_ms >= LONG_MS ||
                 k->hooks->stopping;
    return m->state <= MESSAGE_FLYING && !m->stored && !m->out && stays && m->row.seq < k->finished;
}

static void add_hook(struct hooks *h, struct hook *k)
{
    int64_t cursor = k->scanned;
    bool held = false;
    for (struct message *m = k->first; m != NULL; m = m->next) {
        bool put = !m->out && (m->dirty || goes_aside(k, m));
        if (put)
            add_message(h, m);
        held = held || (m->state <= MESSAGE_FLYING && !m->stored && !m->out);
        if (held && cursor >= m->row.seq)
            cursor = m->row.seq - 1;
    }
    if (k->gone && !k->paused && !k->pause_out) {
        add(h, CHANGE_PAUSE, k)->row.at_ms = h->now_ms;
        k->pause_out = true;
    }
    if (cursor > k->cursor && !k->cursor_out) {
        add(h, CHANGE_CURSOR, k)->cursor = cursor;
        k->cursor_out = true;
    }
}

/* 2: soon, 1: when it is worth it, 0: nothing is to be written. */
static int need(struct hooks *h, const struct hook *k)
{
    bool soon =
        (k->gone && !k->paused && !k->pause_out) || (k->finished > k->cursor && !k->cursor_out);
    for (const struct message *m = k->first; m != NULL && !soon; m = m->next)
        soon = m->dirty && !m->out;
    if (soon)
        return 2;
    int64_t mark = hook_mark(k);
    if (mark <= k->cursor || k->cursor_out)
        return 0;
    return h->stopping || mark - k->cursor >= CURSOR_FACTS ? 2 : 1;
}

static int64_t due_ms(struct hooks *h)
{
    int64_t due = INT64_MAX;
    for (uint32_t i = 0; i < LIMIT_HOOKS; i++) {
        const struct hook *k = &h->hook[i];
        int n = k->id[0] != 0 ? need(h, k) : 0;
        int64_t at = n == 2 ? h->post_ms : n == 1 ? k->cursor_ms + CURSOR_MS : INT64_MAX;
        due = at < due ? at : due;
    }
    return due;
}

static void post(struct hooks *h)
{
    struct hook_round *r = &h->round;
    arena_clear(&r->arena);
    r->count = 0;
    for (uint32_t i = 0; i < LIMIT_HOOKS; i++)
        if (h->hook[i].id[0] != 0 && need(h, &h->hook[i]) > 0)
            add_hook(h, &h->hook[i]);
    h->post_ms = h->mono_ms + h->setup.write_ms;
    if (r->count == 0)
        return;
    r->write = (struct delivery_write){ .apply = apply, .done = done };
    h->posted = true;
    if (h->setup.post(h->setup.ctx, &r->write))
        return;
    h->posted = false; /* the daemon is going down: nothing can become durable any more */
    h->refused = true;
}

/* ---- what was committed ---- */

static void written(struct message *m, const struct change *c)
{
    m->out = false;
    m->stored = c->kind == CHANGE_PUT;
    if (c->kind == CHANGE_REMOVE || (m->state == MESSAGE_DEAD && c->row.state == HOOK_DEAD))
        message_free(&m);
    else if (m->state >= MESSAGE_OVER)
        m->dirty = true; /* it ended meanwhile */
}

static void not_written(struct message *m)
{
    m->out = false;
    m->dirty = true;
}

static void take_change(struct hooks *h, const struct change *c, bool ok)
{
    struct hook *k = c->hook;
    switch (c->kind) {
    case CHANGE_PUT:
    case CHANGE_REMOVE:
        if (ok)
            written(c->message, c);
        else
            not_written(c->message);
        return;
    case CHANGE_CURSOR:
        k->cursor_out = false;
        k->cursor_ms = h->mono_ms;
        if (ok)
            k->cursor = c->cursor;
        return;
    case CHANGE_PAUSE:
        k->pause_out = false;
        if (ok) {
            k->gone = false;
            k->look = true; /* unless somebody said otherwise since */
        }
        return;
    }
}

static void take_result(struct hooks *h, enum err result)
{
    h->posted = false;
    for (uint32_t i = 0; i < h->round.count; i++)
        take_change(h, &h->round.change[i], result == OK);
    h->round.count = 0;
    if (result == OK)
        return;
    log_write(LOG_ERROR, "hook.write", LOG_C("error", err_text(result)));
    h->post_ms = h->mono_ms + AGAIN_MS;
    h->refused = h->stopping; /* nobody waits for a disk: at the next start it is told again */
}

void hook_write_turn(struct hooks *h)
{
    must(pthread_mutex_lock(&h->lock) == 0);
    bool done_now = h->round_done;
    enum err result = h->round_result;
    h->round_done = false;
    must(pthread_mutex_unlock(&h->lock) == 0);
    if (done_now)
        take_result(h, result);
    if (!h->posted && !h->refused && due_ms(h) <= h->mono_ms)
        post(h);
}

bool hook_has_writes(struct hooks *h)
{
    return h->posted || due_ms(h) != INT64_MAX;
}

int64_t hook_write_due_ms(struct hooks *h)
{
    return h->posted || h->refused ? INT64_MAX : due_ms(h);
}
