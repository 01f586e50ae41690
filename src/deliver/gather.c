#include "base/log.h"
#include "deliver/deliver_priv.h"

enum {
    GATHER_EVENTS_A_TURN =
        20000, /* looked at, so that one destination's past does not hold up the rest */
};

static bool is_wanted(const struct stored_event *e, uint32_t slot)
{
    return (e->verdict[slot] & STORED_REASON) == REASON_PERMITTED && !(e->flags & STORED_TEST);
}

static uint64_t hash(const struct deliver *d, struct str subject)
{
    return subject.n > 0 ? store_subject_hash(d->setup.reader, subject) : 0;
}

static void load(const struct deliver *d, const struct stored_event *e, struct arena *a,
                 struct loaded *to)
{
    to->e = *e;
    to->subject[0] = hash(d, e->device);
    to->subject[1] = hash(d, e->person);
    to->e.device = arena_str(a, e->device);
    to->e.person = arena_str(a, e->person);
    to->e.lowered = arena_str(a, e->lowered);
    to->e.body = arena_str(a, e->body);
}

uint32_t gather_most_events(const struct outlet *o)
{
    uint32_t n = o->conf->batch_events, per_second = o->conf->limits.events_per_second;
    if (per_second > 0 && n > per_second) /* more would wait for longer than it needs to */
        n = per_second;
    return n == 0 ? 1 : n > LIMIT_SEND_EVENTS ? LIMIT_SEND_EVENTS : n;
}

size_t gather_most_bytes(const struct outlet *o)
{
    size_t n = o->conf->batch_bytes;
    return n == 0 || n > LIMIT_SEND_BYTES ? LIMIT_SEND_BYTES : n;
}

/* Where each request is about one subject, several are filled from what is gathered. */
static uint32_t gather_events(const struct outlet *o)
{
    uint32_t n = gather_most_events(o), per_second = o->conf->limits.events_per_second;
    if (destination_find(o->conf->type)->fit == NULL)
        return n;
    n *= WINDOW_FIRST;
    if (per_second > 0 && n > per_second)
        n = per_second;
    return n > LIMIT_SEND_EVENTS ? LIMIT_SEND_EVENTS : n;
}

/* Of stored bytes; the form that leaves is about as large. */
bool gather_is_full(const struct outlet *o)
{
    return o->gathered_count >= gather_events(o) ||
           o->gathered_bytes >= gather_most_bytes(o) / 4 * 3;
}

/* Stands at scan.index of the next segment. */
static enum err find_place(struct deliver *d, struct outlet *o, const struct shelf_segment **ret_g)
{
    if (o->scan.segment >= d->newest)
        return ERR_NOT_FOUND;
    const struct shelf_segment *g;
    enum err err = shelf_next(&d->shelf, d->setup.reader, d->slots, o->scan.segment, &g);
    if (err == ERR_NOT_FOUND) /* nobody was permitted anything up to the newest */
        o->scan = (struct delivery_cursor){ .segment = d->newest };
    if (err != OK)
        return err;
    /* An index counts in the segment right behind its cursor, whichever others are passed over. */
    if (g->number != o->scan.segment + 1)
        o->scan = (struct delivery_cursor){ .segment = g->number - 1 };
    if (o->at_stamp != g->stamp || o->at.index != o->scan.index) {
        struct stored_event e;
        struct str entry;
        segment_start(g->bytes, &o->at);
        while (o->at.index < o->scan.index && segment_next(&o->at, &e, &entry) == OK) {
        }
        o->at_stamp = g->stamp;
    }
    *ret_g = g;
    return OK;
}

static void gather_one(const struct deliver *d, struct outlet *o, const struct stored_event *e,
                       int64_t segment)
{
    if (o->gathered == NULL)
        o->gathered = arena_array(&o->arena, struct loaded, LIMIT_SEND_EVENTS);
    struct loaded *l = &o->gathered[o->gathered_count++];
    load(d, e, &o->arena, l);
    l->before = o->scan;
    l->segment = segment;
    l->index = o->scan.index;
    o->gathered_bytes += e->body.n;
}

/* ERR_NOT_FOUND when the segment has no more; OK when enough was gathered or looked at. */
static enum err gather_segment(const struct deliver *d, struct outlet *o,
                               const struct shelf_segment *g, uint32_t *looked)
{
    while (!gather_is_full(o) && *looked < GATHER_EVENTS_A_TURN) {
        struct stored_event e;
        struct str entry;
        enum err err = segment_next(&o->at, &e, &entry);
        if (err != OK)
            return err;
        if (is_wanted(&e, o->slot))
            gather_one(d, o, &e, g->number);
        o->scan.index++;
        (*looked)++;
    }
    return OK;
}

bool gather(struct deliver *d, struct outlet *o)
{
    uint32_t looked = 0;
    while (!gather_is_full(o) && !o->at_end) {
        const struct shelf_segment *g = NULL;
        enum err err = find_place(d, o, &g);
        if (err == ERR_NOT_FOUND) {
            o->at_end = true;
            break;
        }
        if (err != OK) {
            outlet_build_failed(d, o, err);
            break;
        }
        err = gather_segment(d, o, g, &looked);
        if (err == OK)
            break;
        if (err != ERR_NOT_FOUND)
            log_write(LOG_ERROR, "delivery.corrupt", LOG_S("destination", o->conf->id),
                      LOG_N("segment", g->number), LOG_N("index", o->scan.index));
        o->scan = (struct delivery_cursor){ .segment = g->number };
        o->at_stamp = 0;
    }
    return gather_is_full(o);
}

uint32_t gather_fitting(const struct outlet *o, uint32_t requests)
{
    uint32_t most = gather_most_events(o), used = 0;
    uint32_t like[LIMIT_SEND_EVENTS]; /* so many of the same two came before it, itself included */
    for (uint32_t i = 0; i < o->gathered_count; i++) {
        const uint64_t *mine = o->gathered[i].subject;
        uint32_t before = UINT32_MAX;
        for (uint32_t k = 0; k < i; k++) {
            const uint64_t *other = o->gathered[k].subject;
            bool device = mine[0] == other[0], person = mine[1] == other[1];
            if (device && person)
                before = k;
            else if ((device && mine[0] != 0) || (person && mine[1] != 0))
                return i; /* with somebody else now: the order would be lost between the two requests */
        }
        like[i] = before == UINT32_MAX ? 1 : like[before] + 1;
        used += like[i] % most == 1 || most == 1;
        if (used > requests)
            return i;
    }
    return o->gathered_count;
}

void gather_taken(struct outlet *o, uint32_t count)
{
    if (count < o->gathered_count) { /* the rest is read again, from its place on */
        o->scan = o->gathered[count].before;
        o->at_stamp = 0;
        o->at_end = false;
    }
    o->gathered = NULL;
    o->gathered_count = 0;
    o->gathered_bytes = 0;
    o->blocked_count = 0;
    arena_clear(&o->arena);
}

struct delivery_cursor gather_position(const struct outlet *o)
{
    return o->gathered_count > 0 ? o->gathered[0].before : o->scan;
}

enum err gather_items(struct deliver *d, const struct delivery_item *item, uint32_t count,
                      struct arena *a, struct loaded **ret_loaded)
{
    struct loaded *l = arena_array(a, struct loaded, count);
    const struct shelf_segment *g = NULL;
    struct segment_cursor at = { 0 };
    for (uint32_t i = 0; i < count; i++) {
        l[i].segment = item[i].segment;
        l[i].index = item[i].index;
        if (g == NULL || g->number != item[i].segment) {
            g = NULL;
            enum err err = shelf_get(&d->shelf, d->setup.reader, item[i].segment, &g);
            if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
                continue; /* it is gone: without a body it can only be given up */
            if (err != OK)
                return err;
            segment_start(g->bytes, &at);
        }
        if (at.index > item[i].index)
            segment_start(g->bytes, &at);
        struct stored_event e;
        struct str entry;
        enum err err = OK;
        while (at.index <= item[i].index && (err = segment_next(&at, &e, &entry)) == OK) {
        }
        if (err == OK)
            load(d, &e, a, &l[i]);
        else
            g = NULL;
    }
    *ret_loaded = l;
    return OK;
}
