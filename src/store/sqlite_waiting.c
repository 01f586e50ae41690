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

static enum err read_ends(struct store_reader *r, uint32_t slots, struct ends *ret_ends)
{
    struct ends ends = { .least = INT64_MAX };
    enum err e = OK;
    for (uint32_t slot = 0; e == OK && slot < LIMIT_DESTINATIONS; slot++) {
        struct delivery_cursor c;
        int64_t next = 0;
        if ((slots & 1u << slot) == 0)
            continue;
        e = store_get_cursor(r, slot, &c);
        if (e == OK)
            e = segment_next_number(r, c.segment, &next);
        if (e != OK)
            return e;
        ends.at[ends.count].slot = slot;
        ends.at[ends.count].cursor = c;
        ends.at[ends.count++].next = next ? next : INT64_MAX;
        if (c.segment < ends.least)
            ends.least = c.segment;
    }
    *ret_ends = ends;
    return OK;
}

static uint32_t waits_for(const struct ends *ends, const struct stored_event *e, int64_t segment,
                          uint32_t index)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < ends->count; i++) {
        bool taken = segment < ends->at[i].next ||
                     (segment == ends->at[i].next && index < ends->at[i].cursor.index);
        n += !taken && (e->verdict[ends->at[i].slot] & STORED_REASON) == REASON_PERMITTED;
    }
    return n;
}

static enum err count_in(struct look *l, const struct ends *ends, const struct segment_row *row,
                         struct buf *briefs, uint64_t *count)
{
    enum err e = OK;
    buf_clear(briefs); /* reading an event takes the row's */
    buf_str(briefs, row->brief);
    struct str left = buf_view(briefs);
    struct brief b;
    for (uint32_t i = 0; e == OK && brief_next(&left, &b); i++) {
        if (!look_is_hers(l, &b))
            continue;
        struct stored_event event;
        e = look_read(l, row->number, i, &event);
        if (e == OK)
            *count += waits_for(ends, &event, row->number, i);
        else if (e == ERR_NOT_FOUND)
            e = OK;
    }
    return e;
}

/* There may be millions of events in a hundred thousand segments: one query, and briefs alone. */
static enum err count_behind(struct look *l, const struct ends *ends, uint32_t slots,
                             uint64_t *count)
{
    AUTO(buf_fini) struct buf briefs = BUF_INIT(LIMIT_GROUP_BYTES);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(l->r->c,
                       "SELECT " SEGMENT_COLUMNS " FROM segment s WHERE s.number > ?"
                       " AND s.permitted & ? ORDER BY s.number",
                       &q, INT(ends->least), INT(slots));
    while (e == OK && (e = conn_next(q)) == OK) {
        struct segment_row row;
        e = segment_at(l->r, q, LOG_BRIEF, &row);
        if (e == OK)
            e = count_in(l, ends, &row, &briefs, count);
        else if (e == ERR_NOT_FOUND)
            e = ERR_CORRUPT; /* nothing goes from the log meanwhile */
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

/* What is to be tried again waits as well. */
static enum err count_retries(struct look *l, uint32_t slots, uint64_t *count)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(l->r->c,
                       "SELECT items FROM request INDEXED BY request_state WHERE state > 0"
                       " AND state = 2 AND 1 << slot & ?",
                       &q, INT(slots));
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

enum err store_count_waiting(struct store_reader *r, struct str subject, uint32_t slots,
                             uint64_t *ret_count)
{
    AUTO(look_fini) struct look l = look_at(r, subject);
    struct ends ends;
    uint64_t count = 0;
    enum err e = read_ends(r, slots, &ends);
    if (e == OK)
        e = count_behind(&l, &ends, slots, &count);
    if (e == OK)
        e = count_retries(&l, slots, &count);
    if (e == OK)
        *ret_count = count;
    return e;
}
