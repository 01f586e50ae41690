/* What became of a whole segment's events, for an export. */
#include "store/store_priv.h"

struct outcomes { /* a growing array in an arena */
    struct outcome *at;
    uint32_t count, cap;
};

static void add(struct outcomes *o, struct arena *a, const struct outcome *one)
{
    o->at = arena_grown(a, o->at, sizeof *o->at, o->count, &o->cap);
    o->at[o->count++] = *one;
}

static enum err add_request(struct outcomes *o, struct sqlite3_stmt *q, int64_t segment,
                            struct arena *a)
{
    static const enum delivery_result result[] = {
        [PENDING_RETRY] = DELIVERY_RETRY, [PENDING_DEAD] = DELIVERY_DEAD
    };
    int64_t state = col_int(q, 0);
    struct str items = col_bytes(q, 4);
    if (state < 0 || state > PENDING_DEAD)
        return ERR_CORRUPT;
    while (items.n) {
        struct delivery_item item;
        if (!items_next(&items, &item))
            return ERR_CORRUPT;
        if (item.segment != segment)
            continue;
        add(o, a,
            &(struct outcome){ .index = item.index,
                               .slot = (uint32_t)col_int(q, 1),
                               .sending = state == PENDING_SENDING,
                               .result = state ? result[state] : item.result,
                               .reason = item.reason,
                               .at_ms = col_int(q, 2),
                               .attempts = (uint32_t)col_int(q, 3) });
    }
    return OK;
}

static int by_index(const void *a, const void *b)
{
    const struct outcome *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

enum err store_segment_outcomes(struct store_reader *r, int64_t segment, struct arena *a,
                                struct outcome **ret_outcomes, uint32_t *ret_count)
{
    struct outcomes o = { 0 };
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c,
                       "SELECT r.state, r.slot, r.at_ms, r.attempts, r.items"
                       " FROM request_segment s JOIN request r ON r.no = s.request"
                       " WHERE s.segment = ? ORDER BY r.no",
                       &q, INT(segment));
    while (e == OK && (e = conn_next(q)) == OK)
        e = add_request(&o, q, segment, a);
    if (e != ERR_NOT_FOUND)
        return e;
    if (o.count)
        qsort(o.at, o.count, sizeof *o.at, by_index);
    *ret_outcomes = o.at;
    *ret_count = o.count;
    return OK;
}
