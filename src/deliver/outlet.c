#include "base/log.h"
#include "deliver/deliver_priv.h"

enum {
    CURSOR_MS = 5000,     /* a cursor that moved over nothing is written so often … */
    CURSOR_SEGMENTS = 64, /* … or when it moved so far */
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
    line_fini(&o->line);
    arena_fini(&o->arena);
}

/* ---- configuration ---- */

/* As if the daemon had just started. Nothing of it is on its way. */
static void forget(struct outlet *o)
{
    must(o->parcel == NULL && !o->cursor_out);
    struct outlet fresh = { .slot = o->slot, .use = UINT32_MAX };
    arena_init(&fresh.arena);
    line_fini(&o->line);
    arena_fini(&o->arena);
    fresh.line = o->line;
    *o = fresh;
}

static void take_endpoint(struct deliver *d, struct outlet *o)
{
    uint64_t endpoint = store_subject_hash(d->setup.reader, o->conf->endpoint);
    if (endpoint == o->endpoint)
        return;
    if (o->endpoint != 0) { /* what the old one did says nothing about the new one */
        o->backoff = (struct backoff){ .outage = true };
        o->window = (struct window){ .used = o->window.used };
        log_write(LOG_INFO, "delivery.endpoint", LOG_S("destination", o->conf->id),
                  LOG_N("segment", o->cursor.segment), LOG_N("index", o->cursor.index));
    }
    o->endpoint = endpoint;
}

/* False: not in this turn. */
static bool start(struct deliver *d, struct outlet *o, uint32_t generation)
{
    struct delivery_cursor c;
    struct delivery_standing standing;
    if (store_get_standing(d->setup.reader, o->slot, &standing) != OK ||
        store_get_cursor(d->setup.reader, o->slot, &c) != OK)
        return false;
    if (o->started &&
        standing.start_ms != o->start_ms) { /* taken out meanwhile, and back: it is new */
        if (o->parcel != NULL || o->cursor_out)
            return false;
        forget(o);
    }
    if (!o->started) {
        o->cursor = o->scan = c;
        o->cursor_ms = d->now_ms;
        o->start_ms = standing.start_ms;
        o->start_segment = standing.start_segment;
        o->paused = standing.paused_ms > 0;
        o->backoff.outage = true; /* whether it is there now is not known */
        o->started = true;
    }
    o->generation = generation;
    return true;
}

/* Takes what the turn's policy says of this slot. */
void outlet_configure(struct deliver *d, struct outlet *o)
{
    const struct policy *p = d->policy.policy;
    int16_t use = p->use_of_slot[o->slot];
    o->use = UINT32_MAX;
    o->conf = NULL;
    if (use < 0 || destination_find(p->use[use].conf->type) == NULL) {
        if (o->started && o->parcel == NULL && !o->cursor_out)
            forget(o);
        return;
    }
    if ((!o->started || o->generation != p->generation) && !start(d, o, p->generation))
        return;
    o->use = (uint32_t)use;
    o->conf = p->use[use].conf;
    take_endpoint(d, o);
}

uint32_t outlet_at_once(const struct outlet *o)
{
    uint32_t n = o->conf->limits.at_once;
    return n == 0 ? 1 : n > LIMIT_AT_ONCE ? LIMIT_AT_ONCE : n;
}

/* ---- when ---- */

bool outlet_may_begin(const struct deliver *d, const struct outlet *o)
{
    return o->use != UINT32_MAX && o->lined && !o->paused && !d->stopping && !d->recovering &&
           o->backoff.until_ms <= d->now_ms && window_has_room(&o->window, outlet_at_once(o));
}

int64_t outlet_rate_ms(const struct deliver *d, struct outlet *o, uint32_t events)
{
    int64_t a = rate_ready_ms(&o->requests, o->conf->limits.requests_per_second, 1, d->now_ms);
    int64_t b = rate_ready_ms(&o->events, o->conf->limits.events_per_second, events, d->now_ms);
    return a > b ? a : b;
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
    pending_line_up(d, o);
    pending_retry(d, o);
    fresh_turn(d, o);
    keep_cursor(d, o);
}

/* When something is to be done here without anybody calling (wall clock). */
int64_t outlet_due_ms(const struct deliver *d, struct outlet *o)
{
    int64_t due = INT64_MAX;
    if (o->use == UINT32_MAX || d->recovering || d->stopping)
        return due;
    if (gather_position(o).segment > o->cursor.segment && !o->cursor_out)
        due = o->cursor_ms + CURSOR_MS;
    if (o->look_ms < due)
        due = o->look_ms;
    if (!o->lined || o->paused || !window_has_room(&o->window, outlet_at_once(o)))
        return due;
    int64_t begin = pending_due_ms(d, o), fresh = fresh_due_ms(d, o);
    if (fresh < begin)
        begin = fresh;
    if (begin < o->backoff.until_ms)
        begin = o->backoff.until_ms;
    return begin < due ? begin : due;
}

/* ---- the circuit ---- */

void outlet_open_circuit(struct deliver *d, struct outlet *o, int64_t asked_s, bool outage)
{
    bool closed = o->backoff.failures == 0;
    window_close(&o->window);
    /* requests that were on their way together fail together: that is one failure */
    if (o->backoff.until_ms > d->now_ms && asked_s <= 0)
        return;
    backoff_failed(&o->backoff, d->setup.backoff_ms, d->now_ms, asked_s, outage);
    if (closed)
        log_write(LOG_WARNING, "delivery.open",
                  LOG_S("destination", o->conf != NULL ? o->conf->id : STR("")),
                  LOG_N("wait_ms", o->backoff.until_ms - d->now_ms));
}

void outlet_build_failed(struct deliver *d, struct outlet *o, enum err err)
{
    struct str text = str_of(err_text(err));
    log_write(LOG_ERROR, "delivery.build",
              LOG_S("destination", o->conf != NULL ? o->conf->id : STR("")), LOG_S("error", text));
    deliver_note_error(d, o, text);
    outlet_open_circuit(d, o, 0, false);
}

static enum deliver_state state_of(const struct deliver *d, const struct outlet *o)
{
    if (o->paused)
        return DELIVER_PAUSED;
    if (o->backoff.failures == 0)
        return DELIVER_CLOSED;
    return o->backoff.until_ms > d->now_ms ? DELIVER_OPEN : DELIVER_PROBING;
}

void outlet_note_state(const struct deliver *d, const struct outlet *o, struct deliver_numbers *n)
{
    bool sends = o->started && o->use != UINT32_MAX;
    n->state = sends ? state_of(d, o) : DELIVER_UNKNOWN;
    n->lag_segments = sends ? d->newest - o->cursor.segment : 0;
    n->open_until_ms = o->backoff.until_ms > d->now_ms ? o->backoff.until_ms : 0;
    n->in_flight = o->window.used;
    n->window = sends ? window_size(&o->window, outlet_at_once(o)) : 0;
    n->waiting = o->line.count;
    n->cursor = o->cursor;
    n->start_segment = o->start_segment;
    n->start_ms = o->start_ms;
    n->last_sent_ms = o->last_sent_ms;
    n->last_error_ms = o->last_error_ms;
    int64_t oldest = line_oldest_ms(&o->line);
    if (o->gathered_count > 0 && o->gathered[0].e.received_ms < oldest)
        oldest = o->gathered[0].e.received_ms;
    n->oldest_ms = oldest == INT64_MAX ? 0 : oldest;
}
