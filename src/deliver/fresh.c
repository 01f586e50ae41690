/* New events. Those whose subjects are in no unfinished request go at once. The others become, in the store, a
 * request of their own that waits behind it: so the cursor moves on, and nobody waits for a stranger. */
#include "deliver/deliver_priv.h"

enum { MARKS = 2048 }; /* twice the subjects of a request: half of them stay free */
_Static_assert(MARKS >= 4 * LIMIT_SEND_EVENTS, "every subject of a request finds a place");

struct sorted {
    struct loaded *free, *held;
    uint32_t free_count, held_count;
    uint64_t *mark; /* subjects of the held ones, 0: free place; or NULL */
};

static uint64_t *place_of(uint64_t *mark, uint64_t subject)
{
    uint64_t i = subject % MARKS;
    while (mark[i] != 0 && mark[i] != subject)
        i = (i + 1) % MARKS;
    return &mark[i];
}

static bool must_wait(const struct outlet *o, const struct sorted *s, const struct loaded *l)
{
    for (size_t k = 0; k < COUNT(l->subject); k++) {
        uint64_t subject = l->subject[k];
        if (subject != 0 && (line_holds(&o->line, subject) ||
                             (s->mark != NULL && *place_of(s->mark, subject) != 0)))
            return true;
    }
    return false;
}

/* Who stands behind one that waits, waits too. */
static void hold(struct deliver *d, const struct outlet *o, struct sorted *s,
                 const struct loaded *l)
{
    if (s->mark == NULL) {
        s->mark = arena_array(&d->sorting, uint64_t, MARKS);
        s->held = arena_array(&d->sorting, struct loaded, o->gathered_count);
    }
    for (size_t k = 0; k < COUNT(l->subject); k++)
        if (l->subject[k] != 0)
            *place_of(s->mark, l->subject[k]) = l->subject[k];
    s->held[s->held_count++] = *l;
}

/* Until the next one: they may be looked at a thousand times before they are taken. */
static struct sorted sort(struct deliver *d, const struct outlet *o)
{
    struct sorted s = { 0 };
    arena_clear(&d->sorting);
    for (uint32_t i = 0; i < o->gathered_count; i++) {
        if (must_wait(o, &s, &o->gathered[i])) {
            if (s.held_count == 0) { /* the first ones stay where they are */
                s.free = arena_array(&d->sorting, struct loaded, o->gathered_count);
                memcpy(s.free, o->gathered, i * sizeof *s.free);
            }
            hold(d, o, &s, &o->gathered[i]);
        } else if (s.held_count > 0) {
            s.free[s.free_count++] = o->gathered[i];
        } else {
            s.free_count++;
        }
    }
    if (s.held_count == 0)
        s.free = o->gathered;
    return s;
}

/* How many of the gathered stand before this one. */
static uint32_t count_before(const struct outlet *o, const struct loaded *l)
{
    uint32_t n = 0;
    while (o->gathered[n].segment != l->segment || o->gathered[n].index != l->index)
        n++;
    return n;
}

static struct line_request *put_aside(struct deliver *d, struct outlet *o,
                                      const struct delivery_item *item,
                                      const struct line_event *event, uint32_t count)
{
    struct delivery_request q = { .id = id_new(d->now_ms),
                                  .slot = o->slot,
                                  .at_ms = d->now_ms,
                                  .next_ms = d->now_ms,
                                  .item = item,
                                  .item_count = count };
    return line_add(&o->line, LINE_WRITING, &q, event);
}

static struct line_request *put_loaded_aside(struct deliver *d, struct outlet *o, struct parcel *p,
                                             const struct loaded *held, uint32_t count)
{
    struct delivery_item *item = arena_array(&p->arena, struct delivery_item, count);
    struct line_event *event = arena_array(&p->arena, struct line_event, count);
    for (uint32_t i = 0; i < count; i++) {
        item[i] = (struct delivery_item){ .segment = held[i].segment,
                                          .index = held[i].index,
                                          .result = DELIVERY_RETRY };
        event[i] = (struct line_event){ .subject = { held[i].subject[0], held[i].subject[1] },
                                        .received_ms = held[i].e.received_ms };
    }
    return put_aside(d, o, item, event, count);
}

static struct line_request *line_up(struct deliver *d, struct outlet *o, const struct parcel *p)
{
    return line_add(&o->line, LINE_ON_ITS_WAY,
                    &(struct delivery_request){ .id = p->id,
                                                .slot = o->slot,
                                                .at_ms = d->now_ms,
                                                .item = p->item,
                                                .item_count = p->count },
                    p->in_line);
}

/* Not all is taken: the same events later, at the latest when something ends that they wait for. */
static bool stay(struct outlet *o)
{
    o->blocked_count = o->gathered_count;
    o->blocked_since = o->line.version;
    return false;
}

static bool give_up(struct deliver *d, struct outlet *o, struct parcel **list, uint32_t count,
                    enum err err)
{
    for (uint32_t i = 0; i < count; i++)
        parcel_free(d, &list[i]);
    if (err != ERR_STALE)
        outlet_build_failed(d, o, err);
    return false;
}

/* While something is on its way, nobody need be put aside who waits for it: it ends soon. */
static bool all_must_wait(const struct outlet *o, uint32_t free_count)
{
    return free_count == 0 && !(gather_is_full(o) && o->window.used == 0);
}

/* One request with whoever may go, and one put aside with the others. */
static bool begin(struct deliver *d, struct outlet *o)
{
    struct sorted s = sort(d, o);
    if (all_must_wait(o, s.free_count))
        return stay(o);
    struct parcel *p = parcel_new(o);
    p->attempts = 1;
    bool placed[LIMIT_SEND_EVENTS] = { false };
    uint32_t taken, all = o->gathered_count, held = s.held_count;
    enum err err = parcel_pack(d, p, s.free, s.free_count, placed, &taken);
    if (err != OK)
        return give_up(d, o, &p, 1, err);
    if (taken < s.free_count) {
        all = count_before(o, &s.free[taken]);
        while (held > 0 && count_before(o, &s.held[held - 1]) > all)
            held--;
    }
    if (p->count > 0)
        p->line = line_up(d, o, p);
    if (held > 0)
        p->aside = put_loaded_aside(d, o, p, s.held, held);
    gather_taken(o, all);
    o->cursor = gather_position(o);
    write_begin(d, p);
    return true;
}

/* ---- where each request is about one subject ---- */

static bool is_held(const struct outlet *o, const struct line_event *event, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (size_t k = 0; k < COUNT(event[i].subject); k++)
            if (line_holds(&o->line, event[i].subject[k]))
                return true;
    return false;
}

/* What was packed for somebody whom another request holds waits behind that, as it was put together. */
static void set_out(struct deliver *d, struct outlet *o, struct parcel *p)
{
    if (p->count == 0)
        return;
    if (!is_held(o, p->in_line, p->count)) {
        p->line = line_up(d, o, p);
        return;
    }
    for (uint32_t i = 0; i < p->count; i++) {
        p->item[i].result = DELIVERY_RETRY;
        p->item[i].fields = 0;
    }
    p->aside = put_aside(d, o, p->item, p->in_line, p->count);
    p->count = 0;
}

static uint32_t requests_room(struct deliver *d, struct outlet *o)
{
    uint32_t most = outlet_at_once(o), room = window_room(&o->window, most);
    if (o->backoff.failures == 0 && o->window.used < most)
        room = most - o->window.used; /* they are small: where all is well, all go */
    uint32_t rate = rate_room(&o->requests, o->conf->limits.requests_per_second, d->now_ms);
    return room < rate ? room : rate > 0 ? rate : 1;
}

static uint32_t count_free(const struct outlet *o, uint32_t count)
{
    struct sorted none = { 0 };
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        n += !must_wait(o, &none, &o->gathered[i]);
    return n;
}

/* As many requests as there is room for. */
static bool begin_by_subject(struct deliver *d, struct outlet *o)
{
    struct parcel *list[LIMIT_SEND_EVENTS];
    bool placed[LIMIT_SEND_EVENTS] = { false };
    uint32_t parcels = 0, taken = 0, count = gather_fitting(o, requests_room(d, o));
    if (all_must_wait(o, count_free(o, count)))
        return stay(o);
    while (taken < count) {
        struct parcel *p = list[parcels++] = parcel_new(o);
        uint32_t more;
        p->attempts = 1;
        enum err err = parcel_pack(d, p, o->gathered, count, placed, &more);
        if (err != OK)
            return give_up(d, o, list, parcels, err);
        taken += more;
    }
    gather_taken(o, taken);
    o->cursor = gather_position(o);
    for (uint32_t i = 0; i < parcels; i++) { /* with one cursor, in one round */
        set_out(d, o, list[i]);
        write_begin(d, list[i]);
    }
    return true;
}

/* ---- the turn ---- */

static bool is_blocked(const struct outlet *o)
{
    return o->blocked_count > 0 && o->blocked_count == o->gathered_count &&
           o->blocked_since == o->line.version;
}

static int64_t batch_due_ms(const struct outlet *o)
{
    return o->gathered[0].e.received_ms + o->conf->batch_ms;
}

void fresh_turn(struct deliver *d, struct outlet *o)
{
    if (o->gathered_count == 0) /* also while nothing may go: how long it waits is shown */
        (void)gather(d, o);
    /* a begin makes two requests, or as many as there is room for */
    while (outlet_may_begin(d, o) && o->line.count + 2 <= LIMIT_WAITING) {
        bool full = gather(d, o);
        if (o->gathered_count == 0 || (!full && d->now_ms < batch_due_ms(o)) || is_blocked(o))
            return;
        if (outlet_rate_ms(d, o, o->gathered_count) > d->now_ms)
            return;
        bool by_subject = destination_find(o->conf->type)->fit != NULL;
        if (!(by_subject ? begin_by_subject(d, o) : begin(d, o)))
            return;
    }
}

int64_t fresh_due_ms(const struct deliver *d, struct outlet *o)
{
    if (o->line.count + 2 > LIMIT_WAITING)
        return INT64_MAX;
    if (o->gathered_count == 0)
        return o->at_end ? INT64_MAX : d->now_ms;
    bool full = gather_is_full(o);
    if (is_blocked(o) && (full || o->at_end))
        return INT64_MAX;
    int64_t due = full || !o->at_end ? d->now_ms : batch_due_ms(o);
    int64_t rate = outlet_rate_ms(d, o, o->gathered_count);
    return rate > due ? rate : due;
}
