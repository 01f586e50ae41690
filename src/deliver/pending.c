#include "base/log.h"
#include "deliver/deliver_priv.h"

enum { LOOK = 16, REBUILDS = 5, SECOND_MS = 1000 };

/* Begins every error text of a request that a receiver may have taken already; it stands in the store between attempts. */
static const struct str doubt = STR_INIT("may have arrived");

static struct parcel *parcel_of(struct outlet *o, const struct delivery_request *q,
                                bool maybe_arrived)
{
    struct parcel *p = parcel_new(o);
    p->id = p->stored_id = q->id;
    p->pending = true;
    p->attempts = q->attempts + 1;
    p->error = arena_str(&p->arena, q->error);
    p->maybe_arrived = maybe_arrived;
    if (maybe_arrived)
        p->earlier = arena_str(&p->arena, q->fields);
    return p;
}

static const char no_room[] = "it does not fit into its request any more: send it again";

static struct str error_of_left(struct parcel *p, bool all_fit)
{
    if (p->maybe_arrived && all_fit)
        return str_starts(p->error, doubt) ? p->error : doubt;
    if (p->maybe_arrived)
        return arena_printf(&p->arena, "%.*s; %s", STR_ARG(doubt), no_room);
    return all_fit ? p->left_error : str_of(no_room);
}

/* A receiver that has seen an id with some events must not see it with others: those that are left end here, the
 * rest becomes, in the store, a request of its own that is due now. What does not fit (another policy makes larger
 * events) is a dead letter: else the rest would be as large again, for ever. */
static void split(struct parcel *p, const struct loaded *loaded, const bool *placed, uint32_t count)
{
    bool all_fit = true;
    for (uint32_t i = 0; i < p->count; i++) {
        p->left_event_id[p->left_count] = p->event_id[i];
        p->left[p->left_count] = p->item[i];
        p->left[p->left_count].fields = p->event[i].earlier;
        p->left[p->left_count++].result = DELIVERY_RETRY;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (placed[i])
            continue;
        p->left_event_id[p->left_count] = loaded[i].e.id;
        p->left[p->left_count++] = (struct delivery_item){ .segment = loaded[i].segment,
                                                           .index = loaded[i].index,
                                                           .result = DELIVERY_DEAD,
                                                           .fields = loaded[i].earlier };
        all_fit = false;
    }
    p->count = 0;
    p->rest = true;
    p->left_error = error_of_left(p, all_fit);
}

/* Decides, builds and begins a request that the store knows. Takes the parcel unless it fails. */
static enum err begin_again(struct deliver *d, struct parcel *p, const struct delivery_item *item,
                            uint32_t count)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct outlet *o = p->outlet;
    struct loaded *loaded;
    enum err err = gather_items(d, item, count, &a, &loaded);
    if (err != OK)
        return err;
    for (uint32_t i = 0; i < count; i++)
        loaded[i].earlier = p->maybe_arrived ? item[i].fields : 0;
    uint32_t taken;
    bool *placed = arena_array(&a, bool, count);
    err = parcel_pack(d, p, loaded, count, placed, &taken);
    if (err != OK)
        return err;
    if (p->left_count > 0 || taken < count)
        split(p, loaded, placed, count);
    if (p->line != NULL) /* what does not go as it is stays in the line until the store says so */
        line_set_state(&o->line, p->line, p->count > 0 ? LINE_ON_ITS_WAY : LINE_WRITING);
    write_begin(d, p);
    return OK;
}

/* ---- the line ---- */

void pending_look(struct deliver *d, struct outlet *o)
{
    o->lined = false;
    o->look_ms = d->now_ms;
}

static enum err line_up_one(struct deliver *d, struct outlet *o, const struct delivery_request *q)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct loaded *l;
    enum err err = gather_items(d, q->item, q->item_count, &a, &l);
    if (err != OK)
        return err;
    struct line_event *event = arena_array(&a, struct line_event, q->item_count);
    for (uint32_t i = 0; i < q->item_count; i++)
        event[i] = (struct line_event){ .subject = { l[i].subject[0], l[i].subject[1] },
                                        .received_ms =
                                            l[i].e.received_ms ? l[i].e.received_ms : q->at_ms };
    (void)line_add(&o->line, LINE_WAITING, q, event);
    return OK;
}

static bool is_flying(const struct outlet *o, const struct id *id)
{
    const struct parcel *p = o->parcel;
    while (p != NULL && memcmp(&p->id, id, sizeof *id) != 0)
        p = p->next;
    return p != NULL;
}

static enum err line_up(struct deliver *d, struct outlet *o)
{
    enum { MOST = LIMIT_WAITING + 2 * LIMIT_AT_ONCE };
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct delivery_request *q;
    uint32_t count;
    enum err err = store_list_pending(d->setup.reader, (int)o->slot, PENDING_RETRY, INT64_MAX, MOST,
                                      &a, &q, &count);
    for (uint32_t i = 0; err == OK && i < count; i++)
        if (line_find(&o->line, &q[i].id) == NULL && !is_flying(o, &q[i].id) &&
            o->line.count < MOST)
            err = line_up_one(d, o, &q[i]);
    if (err != OK)
        return err;
    o->look_ms = count < MOST ? INT64_MAX : d->now_ms + SECOND_MS; /* many dead letters revived */
    return OK;
}

/* This thread knows its own requests; dead letters are revived, and destinations paused, by others. */
void pending_line_up(struct deliver *d, struct outlet *o)
{
    if (d->recovering || (o->lined && d->now_ms < o->look_ms))
        return;
    struct delivery_standing standing;
    o->lined = false;
    o->looked_ms = d->now_ms;
    enum err err = store_get_standing(d->setup.reader, o->slot, &standing);
    if (err == OK)
        err = line_up(d, o);
    if (err != OK) {
        o->look_ms = d->now_ms + SECOND_MS;
        deliver_note_error(d, o, str_of(err_text(err)));
        return;
    }
    o->paused = standing.paused_ms > 0;
    o->lined = true;
}

/* ---- retries ---- */

int64_t pending_due_ms(const struct deliver *d, const struct outlet *o)
{
    return o->due_since == o->line.version ? o->due_ms : d->now_ms;
}

static void due_later(struct outlet *o, int64_t due_ms)
{
    o->due_ms = due_ms;
    o->due_since = o->line.version;
}

void pending_retry(struct deliver *d, struct outlet *o)
{
    while (outlet_may_begin(d, o) && pending_due_ms(d, o) <= d->now_ms) {
        int64_t due;
        /* nobody was there: what waits longest is the probe; and it was no fault of those that failed before that */
        struct line_request *r =
            line_next(&o->line, d->now_ms, o->backoff.outage, o->backoff.reopened_ms, &due);
        if (r == NULL) {
            due_later(o, due);
            return;
        }
        int64_t rate = outlet_rate_ms(d, o, r->q.item_count);
        if (rate > d->now_ms) {
            due_later(o, rate);
            return;
        }
        struct parcel *p = parcel_of(o, &r->q, str_starts(r->q.error, doubt));
        p->line = r;
        enum err err = begin_again(d, p, r->q.item, r->q.item_count);
        if (err != OK) {
            parcel_free(d, &p);
            outlet_build_failed(d, o, err);
            return;
        }
    }
}

/* ---- the decision before the first byte differed ---- */

void pending_rebuild(struct deliver *d, struct parcel *p)
{
    struct outlet *o = p->outlet;
    if (p->rebuilt >= REBUILDS || d->stopping || o->use == UINT32_MAX) {
        parcel_put_back(d, p, d->now_ms + (p->rebuilt >= REBUILDS ? SECOND_MS : 0));
        return;
    }
    parcel_take_back_fields(p);
    struct delivery_request q = {
        .id = p->id, .attempts = p->attempts - 1, .error = p->error, .fields = p->fields
    };
    struct parcel *again = parcel_of(o, &q, p->maybe_arrived);
    again->rebuilt = p->rebuilt + 1;
    again->line = p->line;
    enum err err = begin_again(d, again, p->item, p->count);
    if (err != OK) {
        parcel_free(d, &again);
        parcel_put_back(d, p, d->now_ms + SECOND_MS);
        return;
    }
    parcel_free(d, &p);
}

/* ---- at start: what was `sending` ---- */

/* Whose events these are, as far as they can still be read. */
static void note_events(struct deliver *d, struct parcel *p)
{
    struct loaded *l;
    if (gather_items(d, p->item, p->count, &p->arena, &l) != OK)
        return;
    p->event_id = arena_array(&p->arena, struct id, p->count);
    p->subject = arena_array(&p->arena, uint64_t, 2 * p->count);
    for (uint32_t i = 0; i < p->count; i++) {
        p->event_id[i] = l[i].e.id;
        const struct str subject[] = { l[i].e.device, l[i].e.person };
        for (size_t k = 0; k < COUNT(subject); k++)
            if (subject[k].n > 0)
                p->subject[p->subject_count++] = store_subject_hash(d->setup.reader, subject[k]);
    }
}

static void recover_one(struct deliver *d, const struct delivery_request *q)
{
    struct outlet *o = &d->outlet[q->slot];
    int16_t use = d->policy.policy->use_of_slot[q->slot];
    /* a destination that is not there any more cannot say that it takes repetitions */
    bool hold = use < 0 || d->policy.policy->use[use].conf->uncertain == CONF_HOLD;
    struct parcel *p = parcel_of(o, q, str_starts(q->error, doubt));
    p->attempts = q->attempts;
    p->fields = arena_str(&p->arena, q->fields);
    p->error =
        arena_printf(&p->arena, "%.*s: it was being sent when the daemon ended", STR_ARG(doubt));
    p->count = q->item_count;
    p->item = arena_array(&p->arena, struct delivery_item, q->item_count);
    memcpy(p->item, q->item, q->item_count * sizeof *q->item);
    note_events(d, p);
    bool dead = !hold && q->attempts >= LIMIT_ATTEMPTS;
    enum delivery_result result = hold ? DELIVERY_UNCERTAIN : dead ? DELIVERY_DEAD : DELIVERY_RETRY;
    log_write(LOG_WARNING, "delivery.uncertain",
              LOG_S("destination", use < 0 ? STR("") : d->policy.policy->use[use].conf->id),
              LOG_N("slot", q->slot), LOG_N("attempts", q->attempts),
              LOG_N("events", q->item_count), LOG_S("error", p->error));
    write_result(d, p, result, d->now_ms);
}

void pending_recover(struct deliver *d)
{
    if (d->posted || d->queue != NULL)
        return;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct delivery_request *q;
    uint32_t count;
    enum err err =
        store_list_pending(d->setup.reader, -1, PENDING_SENDING, INT64_MAX, LOOK, &a, &q, &count);
    if (err != OK) { /* tried again within a second */
        log_write(LOG_ERROR, "delivery.recover", LOG_C("error", err_text(err)));
        return;
    }
    d->recovering = count > 0;
    for (uint32_t i = 0; i < count; i++)
        recover_one(d, &q[i]);
}
