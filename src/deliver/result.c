/* What became of a parcel, and what that says of the destination. */
#include "base/clock.h"
#include "base/log.h"
#include "deliver/deliver_priv.h"

static struct str destination_id(const struct parcel *p)
{
    return p->policy.policy != NULL ? p->policy.policy->use[p->use].conf->id : STR("");
}

/* ---- on disk ---- */

static void give_ticket_back(struct deliver *d, struct parcel *p)
{
    if (p->has_ticket)
        tickets_give_back(d->setup.tickets, &p->id);
    p->has_ticket = false;
}

void parcel_put_back(struct deliver *d, struct parcel *p, int64_t next_ms)
{
    p->attempts--;
    parcel_take_back_fields(p);
    write_result(d, p, DELIVERY_RETRY, next_ms);
}

static void end_written(struct deliver *d, struct parcel *p, bool ok)
{
    give_ticket_back(d, p); /* only now: what a withdrawal's answer lists is complete */
    if (!ok)
        return;
    if (p->line != NULL) /* others have left the line */
        line_set_state(&p->outlet->line, p->line, LINE_WAITING);
    parcel_free(d, &p);
}

/* ---- the end of an attempt ---- */

static void log_result(const struct parcel *p, const char *event, const struct ended *e)
{
    log_write(LOG_WARNING, event, LOG_S("destination", destination_id(p)),
              LOG_N("status", e->status), LOG_N("attempts", p->attempts), LOG_N("events", p->count),
              LOG_S("error", p->error));
}

/* "may have arrived" stays in front once it is true (pending.c reads it back). */
static void set_error(struct deliver *d, struct parcel *p, const struct ended *e)
{
    const char *front = p->maybe_arrived ? "may have arrived: " : "";
    p->error = e->status > 0 ? arena_printf(&p->arena, "%sstatus %d", front, e->status)
                             : arena_printf(&p->arena, "%s%s", front, e->error);
    deliver_note_error(d, p->outlet, p->error);
}

static void finish(struct deliver *d, struct parcel *p, enum delivery_result result,
                   const struct ended *e, int64_t next_ms)
{
    static const char *const event[] = { [DELIVERY_RETRY] = "delivery.retry",
                                         [DELIVERY_DEAD] = "delivery.dead",
                                         [DELIVERY_UNCERTAIN] = "delivery.uncertain" };
    if (result != DELIVERY_SENT)
        log_result(p, event[result], e);
    write_result(d, p, result, next_ms);
}

static uint32_t at_once(const struct outlet *o)
{
    return o->conf != NULL ? outlet_at_once(o) : 1;
}

/* One failure halves what may be on its way; when there is nothing to halve, or the receiver asks for time, nothing is
 * begun for a while. */
static void failed(struct deliver *d, struct outlet *o, int64_t asked_s, bool outage, bool now)
{
    bool none_left = window_failed(&o->window, at_once(o));
    if (none_left || now || o->backoff.failures > 0)
        outlet_open_circuit(d, o, asked_s, outage);
}

static void finish_later(struct deliver *d, struct parcel *p, const struct ended *e, bool outage)
{
    int64_t asked = e->status == 429 || e->status == 503 ? e->retry_after_s : 0;
    failed(d, p->outlet, asked, outage, e->status == 429 || asked > 0);
    int64_t next = d->now_ms + backoff_delay(d->setup.backoff_ms, p->attempts, asked);
    /* while nobody is there, a dozen attempts are over in a quarter of an hour: they get their day */
    bool patient = outage && d->now_ms - id_ms(&p->id) < d->setup.patience_ms;
    bool dead = p->attempts >= LIMIT_ATTEMPTS && !patient;
    finish(d, p, dead ? DELIVERY_DEAD : DELIVERY_RETRY, e, dead ? 0 : next);
}

static void finish_uncertain(struct deliver *d, struct parcel *p, const struct ended *e)
{
    const struct conf_destination *conf = p->policy.policy->use[p->use].conf;
    p->maybe_arrived = true;
    set_error(d, p, e);
    if (conf->uncertain == CONF_RETRY) {
        finish_later(d, p, e, true);
        return;
    }
    failed(d, p->outlet, 0, true, false);
    finish(d, p, DELIVERY_UNCERTAIN, e, 0);
}

static void finish_sent(struct deliver *d, struct parcel *p, const struct ended *e)
{
    struct outlet *o = p->outlet;
    o->last_sent_ms = d->now_ms;
    window_succeeded(&o->window, at_once(o));
    if (backoff_succeeded(&o->backoff, d->now_ms))
        log_write(LOG_INFO, "delivery.closed", LOG_S("destination", destination_id(p)));
    p->error = (struct str){ 0 };
    finish(d, p, DELIVERY_SENT, e, 0);
}

static void finish_answered(struct deliver *d, struct parcel *p, const struct ended *e)
{
    enum answer answer = p->driver->judge(e->status, e->body);
    if (answer == ANSWER_UNCERTAIN) {
        finish_uncertain(d, p, e);
        return;
    }
    if (answer == ANSWER_SENT) {
        finish_sent(d, p, e);
        return;
    }
    set_error(d, p, e);
    if (answer == ANSWER_RETRY) {
        bool busy = e->status == 429 || (e->status >= 502 && e->status <= 504);
        finish_later(d, p, e, busy);
        return;
    }
    /* a receiver that refuses everything must not turn the queue into dead letters at full speed */
    failed(d, p->outlet, 0, false, false);
    finish(d, p, DELIVERY_DEAD, e, 0);
}

static void ended(struct cargo *c, const struct ended *e)
{
    struct parcel *p = (struct parcel *)c;
    struct deliver *d = p->d;
    d->now_ms = clock_now_ms();
    switch (e->how) {
    case ENDED_ANSWERED: finish_answered(d, p, e); return;
    case ENDED_UNBEGUN:
        set_error(d, p, e);
        finish_later(d, p, e, true);
        return;
    case ENDED_BROKEN: finish_uncertain(d, p, e); return;
    case ENDED_DENIED: pending_rebuild(d, p); return;
    case ENDED_CUT: /* she withdrew: whatever the destination's rule, it is not repeated */
        p->maybe_arrived = true;
        set_error(d, p, &(struct ended){ .error = "reset for a withdrawal" });
        deliver_count_request(d, p->outlet->slot, true);
        finish(d, p, DELIVERY_UNCERTAIN, e, 0);
        return;
    }
}

/* ---- on its way ---- */

static bool decide(void *ctx)
{
    struct parcel *p = ctx;
    return parcel_still_permitted(p->d, p);
}

static bool may_begin(struct cargo *c, bool again)
{
    struct parcel *p = (struct parcel *)c;
    p->has_ticket =
        tickets_take(p->d->setup.tickets, &p->id, p->subject, p->subject_count, decide, p);
    if (!p->has_ticket && again)
        parcel_may_have_arrived(p);
    return p->has_ticket;
}

static bool must_cut(struct cargo *c)
{
    const struct parcel *p = (const struct parcel *)c;
    return p->has_ticket && tickets_must_cut(p->d->setup.tickets, &p->id);
}

static bool start(struct deliver *d, struct parcel *p)
{
    static const struct cargo_verbs verbs = { may_begin, must_cut, ended };
    p->d = d;
    p->cargo = (struct cargo){ .verbs = &verbs,
                               .conf = p->policy.policy->use[p->use].conf,
                               .lane = p->outlet->slot,
                               .arena = &p->arena,
                               .request = &p->request };
    return wire_start(d->wire, &p->cargo);
}

static void begin_written(struct deliver *d, struct parcel *p)
{
    struct outlet *o = p->outlet;
    if (p->aside != NULL)
        line_set_state(&o->line, p->aside, LINE_WAITING);
    p->aside = NULL;
    if (p->count == 0) {
        line_remove(&o->line, &p->line);
        if (p->rest)
            pending_look(d, o); /* nothing is begun before it stands in the line */
        parcel_free(d, &p);
    } else if (d->stopping || o->paused) {
        parcel_put_back(d, p, d->now_ms);
    } else {
        p->state = PARCEL_FLYING;
        deliver_count_request(d, o->slot, false);
        if (!start(d, p))
            parcel_put_back(d, p, d->now_ms + 1000);
    }
}

void parcel_written(struct deliver *d, struct parcel *p, bool ok)
{
    if (p->state == PARCEL_END)
        end_written(d, p, ok);
    else
        begin_written(d, p);
}
