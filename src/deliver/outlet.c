#include "base/clock.h"
#include "base/log.h"
#include "deliver/deliver_priv.h"

enum {
    CURSOR_MS = 5000,     /* a cursor that moved over nothing is written so often … */
    CURSOR_SEGMENTS = 64, /* … or when it moved so far */
    SUBJECTS_AT_ONCE =
        16, /* requests about one subject are small: where all is well, more than the window go */
};

void outlet_init(struct outlet *o, uint32_t slot)
{
    *o = (struct outlet){ .slot = slot, .use = UINT32_MAX };
    arena_init(&o->arena);
}

void outlet_fini(struct deliver *d, struct outlet *o)
{
    while (o->parcel != NULL) {
        struct parcel *p = o->parcel;
        if (p->has_ticket)
            tickets_give_back(d->setup.tickets, &p->id);
        p->has_ticket = false;
        p->steps_out = 0;
        parcel_free(d, &p);
    }
    arena_fini(&o->arena);
}

/* Takes what the turn's policy says of this slot. */
void outlet_configure(struct deliver *d, struct outlet *o)
{
    const struct policy *p = d->policy.policy;
    int16_t use = p->use_of_slot[o->slot];
    o->use = UINT32_MAX;
    o->conf = NULL;
    if (use < 0 || destination_find(p->use[use].conf->type) == NULL)
        return;
    if (!o->started) {
        if (store_get_cursor(d->setup.reader, o->slot, &o->cursor) != OK)
            return; /* a later turn */
        o->scan = o->cursor;
        o->cursor_ms = d->now_ms;
        o->started = true;
    }
    o->use = (uint32_t)use;
    o->conf = p->use[use].conf;
}

bool outlet_may_begin(const struct deliver *d, const struct outlet *o)
{
    return o->use != UINT32_MAX && !d->stopping && !d->recovering &&
           o->backoff.until_ms <= d->now_ms && window_has_room(&o->window);
}

static int64_t batch_due_ms(const struct outlet *o)
{
    return o->gathered[0].e.received_ms + o->conf->batch_ms;
}

void outlet_build_failed(struct deliver *d, struct outlet *o, enum err err)
{
    struct str text = str_of(err_text(err));
    log_write(LOG_ERROR, "delivery.build",
              LOG_S("destination", o->conf != NULL ? o->conf->id : STR("")), LOG_S("error", text));
    deliver_note_error(d, o->slot, text);
    backoff_failed(&o->backoff, d->setup.backoff_ms, d->now_ms, 1, false);
    window_failed(&o->window);
}

/* Packs requests from the first `count` gathered: one, or where each is about one subject as many as it takes. */
static enum err pack_fresh(struct deliver *d, struct outlet *o, uint32_t count, bool one,
                           struct parcel **list, uint32_t *ret_parcels, uint32_t *ret_taken)
{
    bool placed[LIMIT_SEND_EVENTS] = { false };
    uint32_t taken = 0, more;
    do {
        struct parcel *p = list[(*ret_parcels)++] = parcel_new(o);
        p->attempts = 1;
        enum err err = parcel_pack(d, p, o->gathered, count, placed, &more);
        if (err != OK)
            return err;
        taken += more;
    } while (!one && taken < count);
    *ret_taken = taken;
    return OK;
}

static bool begin_fresh(struct deliver *d, struct outlet *o)
{
    struct parcel *list[LIMIT_SEND_EVENTS];
    uint32_t parcels = 0, taken = 0, count = o->gathered_count;
    bool one = destination_find(o->conf->type)->fit == NULL;
    uint32_t room = window_room(&o->window);
    if (room < SUBJECTS_AT_ONCE && o->backoff.failures == 0)
        room = SUBJECTS_AT_ONCE;
    if (!one)
        count = gather_fitting(o, room);
    enum err err = pack_fresh(d, o, count, one, list, &parcels, &taken);
    if (err != OK) { /* nothing was taken; the same events later */
        for (uint32_t i = 0; i < parcels; i++)
            parcel_free(d, &list[i]);
        if (err != ERR_STALE)
            outlet_build_failed(d, o, err);
        return false;
    }
    gather_taken(o, taken);
    o->cursor = gather_position(o);
    for (uint32_t i = 0; i < parcels; i++) /* with one cursor, in one round */
        write_begin(d, list[i]);
    return true;
}

static void begin_all(struct deliver *d, struct outlet *o)
{
    while (outlet_may_begin(d, o)) {
        bool full = gather(d, o);
        if (o->gathered_count == 0 || (!full && d->now_ms < batch_due_ms(o)))
            return;
        if (!begin_fresh(d, o))
            return;
    }
}

static void keep_cursor(struct deliver *d, struct outlet *o)
{
    if (!o->started || o->cursor_out || d->recovering)
        return;
    struct delivery_cursor at = gather_position(o);
    int64_t segments = at.segment - o->cursor.segment;
    if (segments <= 0)
        return;
    if (d->stopping || segments >= CURSOR_SEGMENTS || d->now_ms - o->cursor_ms >= CURSOR_MS)
        write_cursor(d, o, at);
}

void outlet_turn(struct deliver *d, struct outlet *o)
{
    pending_retry(d, o);
    begin_all(d, o);
    keep_cursor(d, o);
}

/* When something is to be done here without anybody calling (wall clock). */
int64_t outlet_due_ms(const struct deliver *d, const struct outlet *o)
{
    int64_t due = INT64_MAX;
    if (o->use == UINT32_MAX || d->recovering || d->stopping)
        return due;
    if (gather_position(o).segment > o->cursor.segment && !o->cursor_out)
        due = o->cursor_ms + CURSOR_MS;
    if (!window_has_room(&o->window))
        return due;
    int64_t begin = o->retry_ms;
    if (o->gathered_count > 0 && batch_due_ms(o) < begin)
        begin = batch_due_ms(o);
    if (!o->at_end)
        begin = d->now_ms;
    if (begin < o->backoff.until_ms)
        begin = o->backoff.until_ms;
    return begin < due ? begin : due;
}

/* ---- what became of a parcel ---- */

static struct str destination_id(const struct parcel *p)
{
    return p->policy.policy != NULL ? p->policy.policy->use[p->use].conf->id : STR("");
}

static void give_ticket_back(struct deliver *d, struct parcel *p)
{
    if (p->has_ticket)
        tickets_give_back(d->setup.tickets, &p->id);
    p->has_ticket = false;
}

/* Once a retry is in the store: before that, looking for it finds nothing. */
static void retry_at(struct outlet *o, int64_t next_ms)
{
    if (o->backoff.outage)
        next_ms = 0; /* the back-off says when; one of those that wait is the probe */
    if (next_ms < o->retry_ms)
        o->retry_ms = next_ms;
}

void parcel_put_back(struct deliver *d, struct parcel *p, int64_t next_ms)
{
    p->attempts--;
    parcel_take_back_fields(p);
    write_result(d, p, DELIVERY_RETRY, next_ms);
}

void parcel_written(struct deliver *d, struct parcel *p, bool ok)
{
    if (p->state == PARCEL_END) {
        give_ticket_back(d, p); /* only now: what a withdrawal's answer lists is complete */
        if (!ok)
            return;
        if (p->count > 0 && p->item[0].result == DELIVERY_RETRY)
            retry_at(p->outlet, p->step[0].q.next_ms);
        parcel_free(d, &p);
        return;
    }
    if (p->left_count > 0 && p->left[p->left_count - 1].result == DELIVERY_RETRY)
        retry_at(p->outlet, d->now_ms);
    if (p->count == 0) {
        parcel_free(d, &p);
    } else if (d->stopping) {
        parcel_put_back(d, p, d->now_ms);
    } else {
        p->state = PARCEL_FLYING;
        deliver_count_request(d, p->outlet->slot, false);
        if (!wire_start(d->wire, p))
            parcel_put_back(d, p, d->now_ms + 1000);
    }
}

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
    deliver_note_error(d, p->outlet->slot, p->error);
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

static void finish_later(struct deliver *d, struct parcel *p, const struct ended *e, bool outage)
{
    struct outlet *o = p->outlet;
    int64_t asked = e->status == 429 || e->status == 503 ? e->retry_after_s : 0;
    backoff_failed(&o->backoff, d->setup.backoff_ms, d->now_ms, asked, outage);
    window_failed(&o->window);
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
    backoff_failed(&p->outlet->backoff, d->setup.backoff_ms, d->now_ms, 0, true);
    window_failed(&p->outlet->window);
    finish(d, p, DELIVERY_UNCERTAIN, e, 0);
}

static void finish_answered(struct deliver *d, struct parcel *p, const struct ended *e)
{
    struct outlet *o = p->outlet;
    enum answer answer = p->driver->judge(e->status, e->body);
    if (answer == ANSWER_UNCERTAIN) {
        finish_uncertain(d, p, e);
        return;
    }
    if (answer == ANSWER_SENT) {
        if (backoff_succeeded(&o->backoff, d->now_ms))
            o->retry_ms = d->now_ms;
        window_succeeded(&o->window);
        p->error = (struct str){ 0 };
        finish(d, p, DELIVERY_SENT, e, 0);
        return;
    }
    set_error(d, p, e);
    bool busy = e->status == 429 || (e->status >= 502 && e->status <= 504);
    if (answer == ANSWER_RETRY) {
        finish_later(d, p, e, busy);
        return;
    }
    /* a receiver that refuses everything must not turn the queue into dead letters at full speed */
    backoff_failed(&o->backoff, d->setup.backoff_ms, d->now_ms, 0, false);
    window_failed(&o->window);
    finish(d, p, DELIVERY_DEAD, e, 0);
}

void parcel_ended(struct deliver *d, struct parcel *p, const struct ended *e)
{
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
        set_error(d, p, e);
        deliver_count_request(d, p->outlet->slot, true);
        finish(d, p, DELIVERY_UNCERTAIN, e, 0);
        return;
    }
}
