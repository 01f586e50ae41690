#include "deliver/hook_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "consent/told.h"
#include "deliver/sign.h"

enum { BODY = 2 * LIMIT_CONSENT_BODY, AGAIN_MS = 1000 };

static uint32_t at_once(const struct hook *k)
{
    uint32_t n = k->conf != NULL ? k->conf->remote.limits.at_once : 1;
    return n == 0 ? 1 : n > LIMIT_AT_ONCE ? LIMIT_AT_ONCE : n;
}

/* ---- the end of an attempt ---- */

static void note_error(struct message *m, const char *text)
{
    struct hook *k = m->hook;
    (void)snprintf(m->error, sizeof m->error, "%s", text);
    m->row.error = str_of(m->error);
    memcpy(k->n.last_error, m->error, sizeof k->n.last_error);
    k->n.last_error_ms = k->hooks->now_ms;
}

static void note_status(struct message *m, int status)
{
    char text[HOOK_ERROR];
    (void)snprintf(text, sizeof text, "status %d", status);
    note_error(m, text);
}

static void unref_policy(struct message *m)
{
    struct hooks *h = m->hook->hooks;
    h->setup.policy_unref(h->setup.ctx, m->policy);
    m->policy = (struct deliver_policy){ 0 };
}

static void land(struct message *m)
{
    unref_policy(m);
    buf_fini(&m->request.body);
    arena_fini(&m->arena);
    arena_init(&m->arena);
    m->hook->window.used--;
    m->state = MESSAGE_READY;
}

static void log_end(const struct message *m, const char *event, int status)
{
    log_write(LOG_WARNING, event, LOG_C("hook", m->hook->id), LOG_N("status", status),
              LOG_N("attempts", m->row.attempts), LOG_C("error", m->error));
}

static void give_up(struct message *m, int status)
{
    m->hook->n.dead++;
    log_end(m, "hook.dead", status);
    message_end(m, MESSAGE_DEAD);
}

/* One failure halves what may be on its way; when there is nothing to halve, or the receiver asks for time, nothing is
 * begun for a while. */
static void open_circuit(struct hook *k, int64_t asked_s, bool outage, bool now)
{
    struct hooks *h = k->hooks;
    bool none_left = window_failed(&k->window, at_once(k));
    bool closed = k->backoff.failures == 0;
    if (!none_left && !now && closed)
        return;
    window_close(&k->window);
    /* requests that were on their way together fail together: that is one failure */
    if (k->backoff.until_ms > h->now_ms && asked_s <= 0)
        return;
    backoff_failed(&k->backoff, h->setup.backoff_ms, h->now_ms, asked_s, outage);
    if (closed)
        log_write(LOG_WARNING, "hook.open", LOG_C("hook", k->id),
                  LOG_N("wait_ms", k->backoff.until_ms - h->now_ms));
}

static void finish_failed(struct message *m, const struct ended *e)
{
    struct hook *k = m->hook;
    struct hooks *h = k->hooks;
    int64_t asked = e->status == 429 || e->status == 503 ? e->retry_after_s : 0;
    bool outage = e->status == 0 || e->status == 429 || (e->status >= 502 && e->status <= 504);
    if (e->status > 0)
        note_status(m, e->status);
    else
        note_error(m, e->error);
    k->n.failed++;
    m->dirty = true;
    open_circuit(k, asked, outage, e->status == 429 || asked > 0);
    m->row.next_ms = h->now_ms + backoff_delay(h->setup.backoff_ms, m->row.attempts, asked);
    if (h->now_ms - m->row.first_ms >= h->setup.patience_ms)
        give_up(m, e->status);
    else
        log_end(m, "hook.retry", e->status);
}

static void finish_told(struct message *m)
{
    struct hook *k = m->hook;
    k->n.told++;
    k->n.last_told_ms = k->hooks->now_ms;
    if (backoff_succeeded(&k->backoff, k->hooks->now_ms))
        log_write(LOG_INFO, "hook.closed", LOG_C("hook", k->id));
    message_end(m, MESSAGE_OVER);
}

/* The receiver wants nothing more: somebody must look into it. The message keeps its place. */
static void finish_gone(struct message *m)
{
    struct hook *k = m->hook;
    note_status(m, 410);
    k->n.failed++;
    m->dirty = true;
    m->row.next_ms = 0;
    if (!k->gone)
        log_end(m, "hook.gone", 410);
    k->gone = true;
}

static void ended(struct cargo *c, const struct ended *e)
{
    struct message *m = (struct message *)c;
    struct hook *k = m->hook;
    struct ended kept = *e;
    char error[HOOK_ERROR]; /* its text may be in what goes with the landing */
    (void)snprintf(error, sizeof error, "%s", e->error != NULL ? e->error : "");
    kept.error = error;
    kept.status = e->how == ENDED_ANSWERED ? e->status : 0;
    k->hooks->now_ms = clock_now_ms();
    bool told = kept.status / 100 == 2;
    if (told)
        window_succeeded(&k->window, at_once(k));
    land(m);
    if (told)
        finish_told(m);
    else if (kept.status == 410)
        finish_gone(m);
    else if (e->how == ENDED_CUT || e->how == ENDED_DENIED) /* we are stopping */
        m->dirty = true;
    else
        finish_failed(m, &kept);
}

/* ---- an attempt ---- */

static bool may_begin(struct cargo *c, bool again)
{
    (void)again; /* the receiver tells repetitions by their id */
    const struct message *m = (const struct message *)c;
    return !m->hook->hooks->stopping;
}

static bool must_cut(struct cargo *c)
{
    const struct hooks *h = ((const struct message *)c)->hook->hooks;
    return h->stopping && h->mono_ms >= h->stop_at_ms;
}

/* ERR_NOT_FOUND: there is nothing to tell any more. */
static enum err build(struct message *m)
{
    struct hooks *h = m->hook->hooks;
    struct fact_found f;
    enum err err = store_read_fact(h->setup.reader, m->row.seq, &m->arena, &f);
    const struct told_type *t =
        err == OK ? told_type(h->setup.reader, &f, m->hook->conf->on | CONF_HOOK_ALL) : NULL;
    if (err == OK && t == NULL)
        err = ERR_NOT_FOUND;
    if (err != OK)
        return err;
    m->request = (struct outgoing_request){ .method = "POST",
                                            .url = m->hook->conf->remote.endpoint,
                                            .body = BUF_INIT(BODY) };
    err = told_write(t, h->setup.reader, h->policy.conf, &f, &m->arena, &m->request.body);
    if (err == OK)
        err = sign_request(m->hook->conf->remote.secret, &m->row.id, h->now_ms, &m->arena,
                           &m->request);
    return err;
}

static bool is_about_the_fact(enum err err)
{
    return err == ERR_LIMIT || err == ERR_CORRUPT || err == ERR_VALUE;
}

/* False: nothing more in this turn. */
static bool not_built(struct message *m, enum err err)
{
    struct hook *k = m->hook;
    buf_fini(&m->request.body);
    arena_clear(&m->arena);
    if (err == ERR_NOT_FOUND) {
        message_end(m, MESSAGE_OVER);
        return true;
    }
    note_error(m, err_text(err));
    log_write(LOG_ERROR, "hook.build", LOG_C("hook", k->id), LOG_C("error", m->error));
    if (is_about_the_fact(err)) {
        give_up(m, 0);
        return true;
    }
    open_circuit(k, 0, false, true); /* the database cannot be read */
    return false;
}

static bool begin(struct message *m)
{
    static const struct cargo_verbs verbs = { may_begin, must_cut, ended };
    struct hook *k = m->hook;
    struct hooks *h = k->hooks;
    m->policy = h->setup.policy_ref(h->setup.ctx);
    if (m->policy.policy != h->policy.policy) { /* there is a new one since this turn began */
        unref_policy(m);
        return false;
    }
    enum err err = build(m);
    if (err != OK) {
        unref_policy(m);
        return not_built(m, err);
    }
    m->cargo = (struct cargo){ .verbs = &verbs,
                               .conf = &k->conf->remote,
                               .lane = (uint32_t)(k - h->hook),
                               .arena = &m->arena,
                               .request = &m->request };
    m->state = MESSAGE_FLYING;
    m->gone_ms = h->mono_ms;
    k->window.used++;
    rate_take(&k->rate, k->conf->remote.limits.requests_per_second, 1, h->now_ms);
    if (!wire_start(h->wire, &m->cargo)) {
        land(m);
        open_circuit(k, 0, false, true);
        return false;
    }
    m->row.attempts++;
    m->row.at_ms = h->now_ms;
    if (m->row.first_ms == 0)
        m->row.first_ms = h->now_ms;
    m->row.next_ms = 0;
    return true;
}

static bool may_send(const struct hook *k)
{
    return k->conf != NULL && !k->paused && !k->gone && !k->look && !k->hooks->stopping &&
           k->backoff.until_ms <= k->hooks->now_ms && window_has_room(&k->window, at_once(k));
}

void hook_send(struct hook *k)
{
    int64_t due_ms;
    uint32_t per_second = k->conf->remote.limits.requests_per_second;
    while (may_send(k) &&
           rate_ready_ms(&k->rate, per_second, 1, k->hooks->now_ms) <= k->hooks->now_ms) {
        struct message *m = hook_next(k, k->hooks->now_ms, &due_ms);
        if (m == NULL || !begin(m))
            break;
    }
}

/* ---- how it stands ---- */

int64_t hook_due_ms(struct hook *k)
{
    struct hooks *h = k->hooks;
    int64_t due_ms = INT64_MAX;
    if (k->conf == NULL || h->stopping)
        return due_ms;
    if (hook_has_more(k))
        return h->now_ms;
    if (h->mono_ms < k->read_again_ms)
        return h->now_ms + AGAIN_MS;
    if (k->paused || k->gone || !window_has_room(&k->window, at_once(k)))
        return due_ms;
    if (hook_next(k, h->now_ms, &due_ms) != NULL)
        due_ms = rate_ready_ms(&k->rate, k->conf->remote.limits.requests_per_second, 1, h->now_ms);
    return due_ms < k->backoff.until_ms ? k->backoff.until_ms : due_ms;
}

static enum deliver_state state_of(const struct hook *k)
{
    if (k->conf == NULL)
        return DELIVER_UNKNOWN;
    if (k->paused || k->gone)
        return DELIVER_PAUSED;
    if (k->backoff.failures == 0)
        return DELIVER_CLOSED;
    return k->backoff.until_ms > k->hooks->now_ms ? DELIVER_OPEN : DELIVER_PROBING;
}

void hook_note(const struct hook *k, struct hook_numbers *n)
{
    *n = k->n;
    n->state = state_of(k);
    n->cursor = hook_mark(k);
    n->newest = k->hooks->newest;
    n->start_seq = k->start_seq;
    n->start_ms = k->start_ms;
    n->oldest_ms = hook_oldest_ms(k);
    n->open_until_ms = k->backoff.until_ms > k->hooks->now_ms ? k->backoff.until_ms : 0;
    n->in_flight = k->window.used;
    n->window = k->conf != NULL ? window_size(&k->window, at_once(k)) : 0;
    n->waiting = k->count;
}
