/* What waits of a subject: behind the cursors, and to be tried again. */
#include "store/look.h"

struct ends { /* by slot: what has been taken */
    uint32_t count;
    struct {
        uint32_t slot;
        struct delivery_cursor cursor;
        int64_t next; /* the segment that cursor.index counts in */
    } at[LIMIT_DESTINATIONS];
    int64_t least;
};

static enum err add_end(struct store_reader *r, uint32_t slot, struct delivery_cursor cursor,
                        struct ends *ends)
{
    int64_t next;
    enum err e = segment_next_number(r, cursor.segment, &next);
    if (e != OK)
        return e;
    must(ends->count < LIMIT_DESTINATIONS);
    ends->at[ends->count].slot = slot;
    ends->at[ends->count].cursor = cursor;
    ends->at[ends->count++].next = next ? next : INT64_MAX;
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
            e = add_end(r, (uint32_t)slot, c, &ends);
        *ret_ends = ends;
        return e;
    }
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    e = QUERY(r->c, "SELECT slot, segment, idx FROM cursor", &q);
    while (e == OK && (e = conn_next(q)) == OK) {
        c = (struct delivery_cursor){ .segment = col_int(q, 1), .index = (uint32_t)col_int(q, 2) };
        e = add_end(r, (uint32_t)col_int(q, 0), c, &ends);
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

static enum err count_in(struct look *l, const struct ends *ends, int64_t number, struct str briefs,
                         uint64_t *count)
{
    struct brief b;
    enum err e = OK;
    for (uint32_t i = 0; e == OK && brief_next(&briefs, &b); i++) {
        if (!look_is_hers(l, &b))
            continue;
        struct stored_event event;
        e = look_read(l, number, i, &event);
        *count += e == OK && waits(ends, &event, number, i);
        if (e == ERR_NOT_FOUND)
            e = OK;
    }
    return e;
}

static enum err count_behind(struct look *l, const struct ends *ends, uint64_t *count)
{
    AUTO(buf_fini) struct buf briefs = BUF_INIT(LIMIT_GROUP_BYTES);
    int64_t number = ends->least;
    enum err e = OK;
    while (e == OK && number < INT64_MAX) {
        e = segment_next_number(l->r, number, &number);
        if (e != OK || number == 0)
            return e;
        struct segment_row row;
        e = segment_fetch(l->r, number, LOG_BRIEF, &row);
        buf_clear(&briefs); /* reading an event takes the reader's */
        if (e == OK)
            buf_str(&briefs, row.brief);
        if (e == OK)
            e = count_in(l, ends, number, buf_view(&briefs), count);
    }
    return e;
}

/* What is to be tried again waits as well. */
static enum err count_retries(struct look *l, int slot, uint64_t *count)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(l->r->c,
                       "SELECT items FROM request INDEXED BY request_state WHERE state > 0"
                       " AND state = 2 AND slot BETWEEN ? AND ?",
                       &q, INT(slot < 0 ? 0 : slot), INT(slot < 0 ? LIMIT_DESTINATIONS : slot));
    while (e == OK && (e = conn_next(q)) == OK) {
        struct str items = col_bytes(q, 0);
        struct delivery_item item;
        while (e == OK && items_next(&items, &item)) {
            bool is = false;
            e = look_asks(l, item.segment, item.index, &is);
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
