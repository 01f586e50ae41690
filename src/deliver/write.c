#include "base/clock.h"
#include "base/log.h"
#include "deliver/deliver_priv.h"

enum { AGAIN_MS = 1000 }; /* after a commit that failed */

static enum err apply_step(const struct step *s, struct store *store)
{
    switch (s->kind) {
    case STEP_SENDING: return store_mark_sending(store, &s->q, &s->cursor);
    case STEP_LEFT:
    case STEP_ASIDE:
    case STEP_RESULT: return store_finish_sending(store, &s->q, s->subject, s->subject_count);
    case STEP_CURSOR: return store_set_cursor(store, s->outlet->slot, &s->cursor);
    }
    return ERR_VALUE;
}

static enum err apply(struct delivery_write *w, struct store *store)
{
    const struct round *r = (const struct round *)w;
    for (const struct step *s = r->first; s != NULL; s = s->next) {
        enum err err = apply_step(s, store);
        if (err != OK)
            return err;
    }
    return OK;
}

static void done(struct delivery_write *w, enum err result)
{
    struct deliver *d = ((struct round *)w)->d;
    must(pthread_mutex_lock(&d->lock) == 0);
    d->round_done = true;
    d->round_result = result;
    /* within the lock: the thread cannot see it, end and be closed before this has woken it */
    wire_wake(d->wire);
    must(pthread_mutex_unlock(&d->lock) == 0);
}

enum err delivery_write_apply(struct delivery_write *w, struct store *store)
{
    return w->apply(w, store);
}

void delivery_write_done(struct delivery_write *w, enum err result)
{
    w->done(w, result);
}

static void queue(struct deliver *d, struct step *s, struct parcel *p)
{
    s->next = NULL;
    s->parcel = p;
    if (p != NULL)
        p->steps_out++;
    *d->queue_end = s;
    d->queue_end = &s->next;
}

static void queue_left(struct deliver *d, struct parcel *p, struct step *s)
{
    s->kind = STEP_LEFT;
    s->outlet = p->outlet;
    s->q = (struct delivery_request){
        .id = p->left_id,
        .slot = p->outlet->slot,
        .attempts = p->attempts - 1,
        .at_ms = d->now_ms,
        .next_ms = d->now_ms,
        .error = p->left_error,
        .fields = p->earlier,
        .item = p->left,
        .item_count = p->left_count,
    };
    s->event = p->left_event_id;
    s->subject = p->left_subject;
    s->subject_count = p->left_subject_count;
    queue(d, s, p);
}

void write_begin(struct deliver *d, struct parcel *p)
{
    uint32_t n = 0;
    p->state = PARCEL_BEGIN;
    if (p->left_count > 0)
        queue_left(d, p, &p->step[n++]);
    if (p->aside != NULL) {
        struct step *s = &p->step[n++];
        *s = (struct step){ .kind = STEP_ASIDE, .outlet = p->outlet, .q = p->aside->q };
        queue(d, s, p);
    }
    if (p->count == 0 && p->pending)
        return;
    struct step *s = &p->step[n];
    *s = (struct step){
        .kind = p->count > 0 ? STEP_SENDING : STEP_CURSOR,
        .outlet = p->outlet,
        .cursor = p->outlet->cursor,
        .q = {
            .id = p->id,
            .slot = p->outlet->slot,
            .attempts = p->attempts,
            .at_ms = d->now_ms,
            .error = p->error,
            .fields = p->fields,
            .item = p->item,
            .item_count = p->count,
        },
    };
    queue(d, s, p);
    struct outlet *o = p->outlet;
    o->cursor_ms = d->now_ms;
    if (p->count > 0) {
        rate_take(&o->requests, o->conf->limits.requests_per_second, 1, d->now_ms);
        rate_take(&o->events, o->conf->limits.events_per_second, p->count, d->now_ms);
    }
}

void write_result(struct deliver *d, struct parcel *p, enum delivery_result result, int64_t next_ms)
{
    p->state = PARCEL_END;
    for (uint32_t i = 0; i < p->count; i++)
        p->item[i].result = result;
    struct step *s = &p->step[0];
    *s = (struct step){
        .kind = STEP_RESULT,
        .outlet = p->outlet,
        .q = {
            .id = p->id,
            .slot = p->outlet->slot,
            .attempts = p->attempts,
            .at_ms = d->now_ms,
            .next_ms = next_ms,
            .error = p->error,
            .fields = p->fields,
            .item = p->item,
            .item_count = p->count,
        },
        .event = p->event_id,
        .subject = p->subject,
        .subject_count = p->subject_count,
    };
    if (result == DELIVERY_RETRY && p->line != NULL)
        line_update(&p->outlet->line, p->line, LINE_WRITING, &s->q);
    else /* who stands behind it may be begun now: both are committed in this order */
        line_remove(&p->outlet->line, &p->line);
    queue(d, s, p);
}

void write_cursor(struct deliver *d, struct outlet *o, struct delivery_cursor c)
{
    must(!o->cursor_out);
    o->cursor = c;
    o->cursor_ms = d->now_ms;
    o->cursor_out = true;
    o->cursor_step = (struct step){ .kind = STEP_CURSOR, .outlet = o, .cursor = c };
    queue(d, &o->cursor_step, NULL);
}

/* The same steps again, before those that were queued meanwhile. */
static void post_again(struct deliver *d, struct step *first)
{
    struct step **end = &first;
    while (*end != NULL)
        end = &(*end)->next;
    *end = d->queue;
    if (d->queue == NULL)
        d->queue_end = end;
    d->queue = first;
    d->post_again_ms = clock_mono_ms() + AGAIN_MS;
}

static void post(struct deliver *d)
{
    d->round.write = (struct delivery_write){ .apply = apply, .done = done };
    d->round.first = d->queue;
    d->queue = NULL;
    d->queue_end = &d->queue;
    d->posted = true;
    if (d->setup.post(d->setup.ctx, &d->round.write))
        return;
    d->posted = false; /* the daemon is going down: nothing can become durable any more */
    d->refused = true;
    post_again(d, d->round.first);
    d->round.first = NULL;
}

/* For people who watch. */
static void show(struct deliver *d, const struct step *s, const struct delivery_item *item,
                 const struct id *event)
{
    const struct policy *policy = d->policy.policy;
    int16_t use = policy->use_of_slot[s->q.slot];
    bool dropped = item->result == DELIVERY_DROPPED;
    struct str fields = { 0 };
    if (!dropped)
        must(delivery_fields(s->q.fields, item->fields, &fields));
    d->setup.observe(d->setup.ctx, &(struct delivery_sight){
                                       .event = *event,
                                       .at_ms = s->q.at_ms,
                                       .destination = use < 0 ? STR("") : policy->use[use].conf->id,
                                       .result = item->result,
                                       .reason = dropped ? item->reason : REASON_PERMITTED,
                                       .fields = fields,
                                   });
}

static void count_results(struct deliver *d, const struct step *s)
{
    if (s->kind != STEP_LEFT && s->kind != STEP_RESULT)
        return;
    bool watched = s->event != NULL && d->setup.watched != NULL && d->setup.watched(d->setup.ctx);
    uint32_t count[DELIVERY_UNCERTAIN + 1] = { 0 };
    for (uint32_t i = 0; i < s->q.item_count; i++) {
        const struct delivery_item *item = &s->q.item[i];
        if (s->kind == STEP_LEFT && item->result == DELIVERY_RETRY)
            continue; /* goes on at once */
        count[item->result]++;
        if (watched)
            show(d, s, item, &s->event[i]);
    }
    for (int result = DELIVERY_SENT; result <= DELIVERY_UNCERTAIN; result++)
        if (count[result] > 0)
            deliver_count(d, s->q.slot, (enum delivery_result)result, count[result]);
}

static void step_committed(struct deliver *d, struct step *s)
{
    const struct parcel *p = s->parcel;
    if (s->kind == STEP_RESULT && p->count > 0 && p->item[0].result == DELIVERY_SENT)
        deliver_count_fields(d, s->q.slot, p->fields_cut, p->fields_omitted);
    if (s->parcel == NULL)
        s->outlet->cursor_out = false;
    else if (--s->parcel->steps_out == 0)
        parcel_written(d, s->parcel, true);
}

static void take_result(struct deliver *d, enum err result)
{
    struct step *first = d->round.first, *next;
    d->round.first = NULL;
    d->posted = false;
    if (result == OK) {
        for (struct step *s = first; s != NULL; s = next) {
            next = s->next; /* the parcel goes with its last step */
            count_results(d, s);
            step_committed(d, s);
        }
        return;
    }
    log_write(LOG_ERROR, "delivery.write", LOG_C("error", err_text(result)));
    for (struct step *s = first; s != NULL; s = s->next)
        if (s->kind == STEP_RESULT)
            parcel_written(d, s->parcel, false);
    post_again(d, first);
}

/* Nothing is committed any more: what has ended holds nobody up. */
static void let_go(struct deliver *d)
{
    for (struct step *s = d->queue; s != NULL; s = s->next)
        if (s->kind == STEP_RESULT)
            parcel_written(d, s->parcel, false);
}

void write_turn(struct deliver *d)
{
    must(pthread_mutex_lock(&d->lock) == 0);
    bool done = d->round_done;
    enum err result = d->round_result;
    d->round_done = false;
    d->stopping |= d->stop; /* nothing is begun that was committed after the stop */
    must(pthread_mutex_unlock(&d->lock) == 0);
    if (done)
        take_result(d, result);
    if (!d->posted && !d->refused && d->queue != NULL && clock_mono_ms() >= d->post_again_ms)
        post(d);
    if (d->refused)
        let_go(d);
}
