/* Questions about deliveries: of one event, of one subject. A subject is looked
 * for by hash in the segments' briefs; the few that match are then read. */
#include "store/store_priv.h"

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
    if (d->count == d->cap) {
        struct event_delivery *old = d->at;
        d->cap = d->cap ? d->cap * 2 : 8;
        d->at = arena_array(a, struct event_delivery, d->cap);
        if (d->count)
            memcpy(d->at, old, d->count * sizeof *old);
    }
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
        if (state < 0 || state > PENDING_DEAD)
            return ERR_CORRUPT;
        struct event_delivery one = { .slot = (uint32_t)col_int(q, 1),
                                      .result = state ? result_of_state[state] : item.result,
                                      .reason = item.reason,
                                      .at_ms = col_int(q, 2),
                                      .attempts = (uint32_t)col_int(q, 3),
                                      .fields = col_copy(q, 4, a),
                                      .error = col_copy(q, 5, a) };
        add_delivery(&d, a, &one);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *ret_d = d.at;
    *ret_count = d.count;
    return OK;
}

/* ---- looking into segments ---- */

struct look {
    struct conn *c;
    struct str subject;
    uint64_t hash;
    int64_t brief_of, bytes_of; /* which segment is in the buffers; 0: none */
    struct buf brief, bytes;
};

static void look_fini(struct look *l)
{
    buf_fini(&l->brief);
    buf_fini(&l->bytes);
}

static struct look look_at(struct store_reader *r, struct str subject)
{
    return (struct look){ .c = r->c,
                          .subject = subject,
                          .hash = store_subject_hash(r, subject),
                          .brief = BUF_INIT(LIMIT_GROUP_BYTES),
                          .bytes = BUF_INIT(LIMIT_GROUP_BYTES) };
}

/* A segment that is gone is an empty one. */
static enum err fetch(struct conn *c, const char *sql, int64_t number, int64_t *is, struct buf *to)
{
    if (*is == number)
        return OK;
    *is = 0;
    buf_clear(to);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = conn_first(c, sql, ARGS(INT(number)), &q);
    if (e == OK)
        buf_str(to, col_bytes(q, 0));
    if (to->over)
        return ERR_CORRUPT;
    *is = number;
    return e == ERR_NOT_FOUND ? OK : e;
}

static bool brief_is(const struct look *l, const struct brief *b)
{
    return b->device == l->hash || b->person == l->hash;
}

static enum err is_hers(struct look *l, int64_t segment, uint32_t index, bool *ret_is)
{
    enum err e =
        fetch(l->c, "SELECT brief FROM segment WHERE number = ?", segment, &l->brief_of, &l->brief);
    struct brief b;
    if (e == OK)
        *ret_is = brief_at(buf_view(&l->brief), index, &b) && brief_is(l, &b);
    return e;
}

/* The event itself. ERR_NOT_FOUND when it is not about this subject after all. */
static enum err read_event(struct look *l, int64_t segment, uint32_t index,
                           struct stored_event *ret_e)
{
    enum err e =
        fetch(l->c, "SELECT bytes FROM segment WHERE number = ?", segment, &l->bytes_of, &l->bytes);
    if (e != OK)
        return e;
    struct segment_cursor c;
    struct str entry;
    segment_start(buf_view(&l->bytes), &c);
    while ((e = segment_next(&c, ret_e, &entry)) == OK) {
        if (c.index - 1 == index)
            return str_eq(ret_e->device, l->subject) || str_eq(ret_e->person, l->subject)
                       ? OK
                       : ERR_NOT_FOUND;
    }
    return e;
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
    enum err e = is_hers(l, item->segment, item->index, &is);
    if (e != OK || !is)
        return e;
    list->total++;
    if (list->count == list->limit)
        return OK;
    struct stored_event event;
    e = read_event(l, item->segment, item->index, &event);
    if (e == OK)
        list->at[list->count++] = (struct sent_found){ .event = event.id,
                                                       .slot = (uint32_t)col_int(q, 0),
                                                       .at_ms = col_int(q, 1),
                                                       .result = item->result,
                                                       .fields = col_copy(q, 2, a) };
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

/* ---- what waits of a subject ---- */

struct ends { /* by slot: what has been taken */
    uint32_t count;
    struct {
        uint32_t slot;
        struct delivery_cursor cursor;
        int64_t next; /* the segment that cursor.index counts in */
    } at[LIMIT_DESTINATIONS];
    int64_t least;
};

static enum err add_end(struct conn *c, uint32_t slot, struct delivery_cursor cursor,
                        struct ends *ends)
{
    int64_t next;
    enum err e = NUMBER(c, "SELECT min(number) FROM segment WHERE number > ?", INT64_MAX, &next,
                        INT(cursor.segment));
    if (e != OK)
        return e;
    must(ends->count < LIMIT_DESTINATIONS);
    ends->at[ends->count].slot = slot;
    ends->at[ends->count].cursor = cursor;
    ends->at[ends->count++].next = next;
    if (cursor.segment < ends->least)
        ends->least = cursor.segment;
    return OK;
}

static enum err read_ends(struct store_reader *r, int slot, struct ends *ret_ends)
{
    struct ends ends = { .least = INT64_MAX };
    struct delivery_cursor c;
    enum err e = OK;
    if (slot >= 0) {
        e = store_get_cursor(r, (uint32_t)slot, &c);
        if (e == OK)
            e = add_end(r->c, (uint32_t)slot, c, &ends);
        *ret_ends = ends;
        return e;
    }
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    e = QUERY(r->c, "SELECT slot, segment, idx FROM cursor", &q);
    while (e == OK && (e = conn_next(q)) == OK) {
        c = (struct delivery_cursor){ .segment = col_int(q, 1), .index = (uint32_t)col_int(q, 2) };
        e = add_end(r->c, (uint32_t)col_int(q, 0), c, &ends);
    }
    *ret_ends = ends;
    return e == ERR_NOT_FOUND ? OK : e;
}

static bool waits(const struct ends *ends, const struct stored_event *e, int64_t segment,
                  uint32_t index)
{
    for (uint32_t i = 0; i < ends->count; i++) {
        if (segment < ends->at[i].next ||
            (segment == ends->at[i].next && index < ends->at[i].cursor.index))
            continue;
        if ((e->verdict[ends->at[i].slot] & STORED_REASON) == REASON_PERMITTED)
            return true;
    }
    return false;
}

static enum err count_behind(struct look *l, const struct ends *ends, uint64_t *count)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(l->c, "SELECT number, brief FROM segment WHERE number > ? ORDER BY number",
                       &q, INT(ends->least));
    while (e == OK && (e = conn_next(q)) == OK) {
        int64_t number = col_int(q, 0);
        struct str briefs = col_bytes(q, 1);
        struct brief b;
        for (uint32_t i = 0; e == OK && brief_next(&briefs, &b); i++) {
            if (!brief_is(l, &b))
                continue;
            struct stored_event event;
            e = read_event(l, number, i, &event);
            *count += e == OK && waits(ends, &event, number, i);
            if (e == ERR_NOT_FOUND)
                e = OK;
        }
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

/* What is to be tried again waits as well. */
static enum err count_retries(struct look *l, int slot, uint64_t *count)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(l->c,
                       "SELECT items FROM request INDEXED BY request_state WHERE state > 0"
                       " AND state = 2 AND slot BETWEEN ? AND ?",
                       &q, INT(slot < 0 ? 0 : slot), INT(slot < 0 ? LIMIT_DESTINATIONS : slot));
    while (e == OK && (e = conn_next(q)) == OK) {
        struct str items = col_bytes(q, 0);
        struct delivery_item item;
        while (e == OK && items_next(&items, &item)) {
            bool is = false;
            e = is_hers(l, item.segment, item.index, &is);
            *count += is;
        }
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err store_count_waiting(struct store_reader *r, struct str subject, int slot,
                             uint64_t *ret_count)
{
    AUTO(look_fini) struct look l = look_at(r, subject);
    struct ends ends;
    uint64_t count = 0;
    enum err e = read_ends(r, slot, &ends);
    if (e == OK)
        e = count_behind(&l, &ends, &count);
    if (e == OK)
        e = count_retries(&l, slot, &count);
    if (e == OK)
        *ret_count = count;
    return e;
}
