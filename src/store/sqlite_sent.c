/* What became of one event, and what was sent of one subject. */
#include "store/look.h"

/* ---- one event ---- */

static const enum delivery_result result_of_state[] = { 0, DELIVERY_UNCERTAIN, DELIVERY_RETRY,
                                                        DELIVERY_DEAD };

/* The request's item for that event, if it has one. */
static bool has_item(struct str items, int64_t segment, uint32_t index, struct delivery_item *ret_i)
{
    while (items_next(&items, ret_i))
        if (ret_i->segment == segment && ret_i->index == index)
            return true;
    return false;
}

struct deliveries { /* a growing array in an arena */
    struct event_delivery *at;
    uint32_t count, cap;
};

static void add_delivery(struct deliveries *d, struct arena *a, const struct event_delivery *one)
{
    d->at = arena_grown(a, d->at, sizeof *d->at, d->count, &d->cap);
    d->at[d->count++] = *one;
}

enum err store_event_deliveries(struct store_reader *r, int64_t segment, uint32_t index,
                                struct arena *a, struct event_delivery **ret_d, uint32_t *ret_count)
{
    struct deliveries d = { 0 };
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c,
                       "SELECT r.state, r.slot, r.at_ms, r.attempts, r.fields, r.error, r.items"
                       " FROM request_segment s JOIN request r ON r.no = s.request"
                       " WHERE s.segment = ? ORDER BY r.no",
                       &q, INT(segment));
    while (e == OK && (e = conn_next(q)) == OK) {
        struct delivery_item item;
        int64_t state = col_int(q, 0);
        if (!has_item(col_bytes(q, 6), segment, index, &item))
            continue;
        struct str fields;
        if (state < 0 || state > PENDING_DEAD ||
            !delivery_fields(col_bytes(q, 4), item.fields, &fields))
            return ERR_CORRUPT;
        struct event_delivery one = { .slot = (uint32_t)col_int(q, 1),
                                      .result = state ? result_of_state[state] : item.result,
                                      .reason = item.reason,
                                      .at_ms = col_int(q, 2),
                                      .attempts = (uint32_t)col_int(q, 3),
                                      .fields = arena_str(a, fields),
                                      .error = col_copy(q, 5, a) };
        add_delivery(&d, a, &one);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *ret_d = d.at;
    *ret_count = d.count;
    return OK;
}

/* ---- what was sent of a subject ---- */

struct sent_list {
    struct sent_found *at;
    uint32_t count, limit;
    uint64_t total;
};

static enum err add_sent(struct look *l, struct sqlite3_stmt *q, const struct delivery_item *item,
                         struct arena *a, struct sent_list *list)
{
    bool is;
    enum err e = look_asks(l, item->segment, item->index, &is);
    if (e != OK || !is)
        return e;
    list->total++;
    if (list->count == list->limit)
        return OK;
    struct stored_event event;
    struct str fields;
    if (!delivery_fields(col_bytes(q, 2), item->fields, &fields))
        return ERR_CORRUPT;
    e = look_read(l, item->segment, item->index, &event);
    if (e == OK)
        list->at[list->count++] =
            (struct sent_found){ .event = event.id,
                                 .slot = (uint32_t)col_int(q, 0),
                                 .at_ms = col_int(q, 1),
                                 .result = item->result,
                                 .fields = arena_str(a, fields),
                                 .received_ms = event.received_ms,
                                 .act_seq = event.act_seq,
                                 .as_person = str_eq(event.person, l->subject) };
    if (e == ERR_NOT_FOUND)
        list->total--; /* two subjects with one hash */
    return e == ERR_NOT_FOUND ? OK : e;
}

/* The last item first. */
static enum err add_request(struct look *l, struct sqlite3_stmt *q, struct str items,
                            struct arena *a, struct sent_list *list)
{
    enum err e = OK;
    for (size_t i = items.n / ITEM; e == OK && i-- > 0;) {
        struct str one = { items.p + i * ITEM, ITEM };
        struct delivery_item item;
        if (!items_next(&one, &item))
            return ERR_CORRUPT;
        if (item.result == DELIVERY_SENT || item.result == DELIVERY_UNCERTAIN)
            e = add_sent(l, q, &item, a, list);
    }
    return e;
}

enum err store_list_sent(struct store_reader *r, struct str subject, uint32_t limit,
                         struct arena *a, struct sent_found **ret_sent, uint32_t *ret_count,
                         uint64_t *ret_total)
{
    AUTO(look_fini) struct look l = look_at(r, subject);
    struct sent_list list = { .at = arena_array(a, struct sent_found, limit), .limit = limit };
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c,
                       "SELECT r.slot, r.at_ms, r.fields, r.items FROM request_subject s"
                       " JOIN request r ON r.no = s.request WHERE s.subject = ? AND r.state = 0"
                       " ORDER BY s.request DESC",
                       &q, INT(l.hash));
    while (e == OK && (e = conn_next(q)) == OK)
        e = add_request(&l, q, col_bytes(q, 3), a, &list);
    if (e != ERR_NOT_FOUND)
        return e;
    *ret_sent = list.at;
    *ret_count = list.count;
    *ret_total = list.total;
    return OK;
}
