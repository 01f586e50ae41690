#include "deliver/hook_priv.h"

#include <stdlib.h>

struct message *hook_put(struct hook *k, const struct hook_message *row, int64_t order, bool stored)
{
    struct message *before = k->last; /* mostly it is behind all others */
    while (before != NULL && before->row.seq > row->seq)
        before = before->prev;
    if (before != NULL && before->row.seq == row->seq)
        return NULL;
    struct message *m = must_alloc_zero(sizeof *m);
    m->hook = k;
    m->state = MESSAGE_READY;
    m->row = *row;
    m->order = order;
    m->stored = stored;
    size_t n = row->error.n < sizeof m->error ? row->error.n : sizeof m->error - 1;
    memcpy(m->error, row->error.n > 0 ? row->error.p : "", n);
    m->row.error = str_of(m->error);
    arena_init(&m->arena);
    m->prev = before;
    m->next = before != NULL ? before->next : k->first;
    *(m->prev != NULL ? &m->prev->next : &k->first) = m;
    *(m->next != NULL ? &m->next->prev : &k->last) = m;
    k->count++;
    return m;
}

void message_free(struct message **mm)
{
    struct message *m = *mm;
    if (m == NULL)
        return;
    struct hook *k = m->hook;
    *(m->prev != NULL ? &m->prev->next : &k->first) = m->next;
    *(m->next != NULL ? &m->next->prev : &k->last) = m->prev;
    k->count--;
    buf_fini(&m->request.body);
    arena_fini(&m->arena);
    free(m);
    *mm = NULL;
}

void message_end(struct message *m, enum message_state state)
{
    struct hook *k = m->hook;
    if (m->row.seq > k->finished)
        k->finished = m->row.seq;
    m->state = state;
    m->row.state = state == MESSAGE_DEAD ? HOOK_DEAD : HOOK_WAITING;
    m->dirty = state == MESSAGE_DEAD || m->stored || m->out;
    if (!m->dirty)
        message_free(&m);
}

static bool is_open(const struct message *m)
{
    return m->state == MESSAGE_READY || m->state == MESSAGE_FLYING;
}

/* ---- which may go ---- */

enum { ORDERS = 4 * LIMIT_WAITING }; /* a power of two; a quarter full at most */
struct orders {
    int64_t at[ORDERS]; /* 0: free; no order is 0 */
};

/* False when it was there. */
static bool add_order(struct orders *o, int64_t order)
{
    size_t i = ((uint64_t)order * 0x9E3779B97F4A7C15u) >> 32;
    for (;; i++) {
        int64_t *at = &o->at[i % ORDERS];
        if (*at == order)
            return false;
        if (*at == 0) {
            *at = order;
            return true;
        }
    }
}

/* After an outage what waits is tried at once. */
static bool is_due(const struct hook *k, const struct message *m, int64_t now_ms)
{
    return m->row.next_ms <= now_ms || m->row.at_ms <= k->backoff.reopened_ms;
}

struct message *hook_next(struct hook *k, int64_t now_ms, int64_t *ret_due_ms)
{
    struct orders seen = { 0 };
    struct message *untried = NULL;
    bool probes = k->backoff.failures > 0;
    int64_t due_ms = INT64_MAX;
    for (struct message *m = k->first; m != NULL; m = m->next) {
        if (!is_open(m) || !add_order(&seen, m->order) || m->state == MESSAGE_FLYING)
            continue;
        /* one and the same shows whether it works again: the others' time does not begin */
        if (probes && m->row.attempts == 0)
            untried = untried != NULL ? untried : m;
        else if (probes || is_due(k, m, now_ms))
            return m;
        else if (m->row.next_ms < due_ms)
            due_ms = m->row.next_ms;
    }
    *ret_due_ms = due_ms;
    return untried;
}

/* ---- how far it is ---- */

static const struct message *oldest(const struct hook *k)
{
    const struct message *m = k->first;
    while (m != NULL && !is_open(m))
        m = m->next;
    return m;
}

int64_t hook_mark(const struct hook *k)
{
    const struct message *m = oldest(k);
    return m != NULL ? m->row.seq - 1 : k->scanned;
}

int64_t hook_oldest_ms(const struct hook *k)
{
    const struct message *m = oldest(k);
    return m != NULL ? id_ms(&m->row.id) : 0;
}

bool hook_is_idle(const struct hook *k)
{
    bool idle = !k->cursor_out && !k->pause_out;
    for (const struct message *m = k->first; m != NULL && idle; m = m->next)
        idle = m->state != MESSAGE_FLYING && !m->out;
    return idle;
}
