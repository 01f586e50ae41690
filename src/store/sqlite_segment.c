#include "store/store_priv.h"

/* ---- briefs ---- */

void brief_add(struct buf *to, const struct store_reader *r, const struct stored_event *e,
               int64_t first_ms)
{
    int64_t after = e->received_ms - first_ms;
    buf_u64(to, e->device.n ? store_subject_hash(r, e->device) : 0);
    buf_u64(to, e->person.n ? store_subject_hash(r, e->person) : 0);
    buf_u64(to, e->message_hash);
    buf_u32(to, after > UINT32_MAX ? UINT32_MAX : (uint32_t)after);
}

bool brief_next(struct str *briefs, struct brief *ret_b)
{
    return take_u64(briefs, &ret_b->device) && take_u64(briefs, &ret_b->person) &&
           take_u64(briefs, &ret_b->message) && take_u32(briefs, &ret_b->after_ms);
}

bool brief_at(struct str briefs, uint32_t index, struct brief *ret_b)
{
    struct str skipped;
    return take_bytes(&briefs, (size_t)index * BRIEF, &skipped) && brief_next(&briefs, ret_b);
}

/* ---- writing ---- */

uint32_t permitted_slots(const struct stored_event *e)
{
    uint32_t slots = 0;
    for (uint32_t slot = 0; slot < LIMIT_DESTINATIONS; slot++)
        slots |= (uint32_t)((e->verdict[slot] & STORED_REASON) == REASON_PERMITTED) << slot;
    return slots;
}

/* What stands in columns of its own: times, and for whom there is something in it. */
static enum err find_columns(struct str bytes, int64_t *ret_first, int64_t *ret_last,
                             uint32_t *ret_permitted)
{
    struct segment_cursor c;
    struct stored_event e;
    struct str entry;
    int64_t first = INT64_MAX, last = INT64_MIN;
    uint32_t permitted = 0;
    enum err err;
    segment_start(bytes, &c);
    while ((err = segment_next(&c, &e, &entry)) == OK) {
        first = e.received_ms < first ? e.received_ms : first;
        last = e.received_ms > last ? e.received_ms : last;
        permitted |= permitted_slots(&e);
    }
    *ret_permitted = permitted;
    *ret_first = first;
    *ret_last = last;
    return err == ERR_NOT_FOUND ? OK : err;
}

/* Leaves, keys and briefs of all events, into the group. */
static void add_leaves(struct store *s, int64_t number, struct str bytes, int64_t first_ms)
{
    struct group *g = &s->group;
    struct segment_cursor c;
    struct stored_event e;
    struct str entry;
    segment_start(bytes, &c);
    while (segment_next(&c, &e, &entry) == OK) {
        uint8_t *key = (uint8_t *)buf_room(&g->keys, CHAIN_KEY);
        uint8_t *leaf = (uint8_t *)buf_room(&g->event_leaves, CHAIN_HASH);
        if (key == NULL || leaf == NULL)
            return;
        random_bytes(key, CHAIN_KEY);
        chain_event_leaf(key, number, c.index - 1, entry, leaf);
        g->keys.n += CHAIN_KEY;
        g->event_leaves.n += CHAIN_HASH;
        brief_add(&g->brief, &s->reader, &e, first_ms);
    }
}

enum err store_add_segment(struct store *s, const struct segment_builder *b)
{
    struct group *g = &s->group;
    must(g->open && !g->has_segment);
    if (b->count == 0)
        return OK;
    int64_t number = s->head.group + 1, first, last;
    struct str bytes = buf_view(&b->entries);
    uint32_t permitted;
    enum err e = find_columns(bytes, &first, &last, &permitted);
    must(e == OK); /* the builder made them */
    add_leaves(s, number, bytes, first);
    if (g->keys.over || g->event_leaves.over || g->brief.over)
        return s->c.failed = ERR_LIMIT;
    g->has_segment = true;
    return RUN(&s->c,
               "INSERT INTO segment (number, first_ms, last_ms, count, permitted, retention_seq,"
               " brief, keys, leaves, bytes) VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?)",
               INT(number), INT(first), INT(last), INT(b->count), INT(permitted),
               BLOB(buf_view(&g->brief)), BLOB(buf_view(&g->keys)),
               BLOB(buf_view(&g->event_leaves)), BLOB(bytes));
}

/* ---- reading ---- */

static enum err read_segment(struct sqlite3_stmt *q, struct arena *a,
                             struct segment_found *ret_segment)
{
    *ret_segment = (struct segment_found){ .number = col_int(q, 0),
                                           .at_ms = col_int(q, 1),
                                           .bytes = col_copy(q, 2, a) };
    return OK;
}

enum err store_next_segment(struct store_reader *r, int64_t after, struct arena *a,
                            struct segment_found *ret_segment)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c,
                       "SELECT number, (SELECT at_ms FROM chain c WHERE c.number = s.number), bytes"
                       " FROM segment s WHERE number > ? ORDER BY number LIMIT 1",
                       &q, INT(after));
    return e == OK ? read_segment(q, a, ret_segment) : e;
}

enum err store_next_permitted(struct store_reader *r, int64_t after, uint32_t slots,
                              struct arena *a, struct segment_found *ret_segment)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c,
                       "SELECT number, (SELECT at_ms FROM chain c WHERE c.number = s.number), bytes"
                       " FROM segment s WHERE number > ? AND permitted & ? ORDER BY number LIMIT 1",
                       &q, INT(after), INT(slots));
    return e == OK ? read_segment(q, a, ret_segment) : e;
}

int64_t store_newest_segment_before(struct store_reader *r, int64_t at_ms)
{
    int64_t number;
    return NUMBER(r->c,
                  "SELECT number FROM segment WHERE last_ms < ? ORDER BY last_ms DESC, number DESC"
                  " LIMIT 1",
                  0, &number, INT(at_ms)) == OK
               ? number
               : 0;
}

enum err store_get_segment(struct store_reader *r, int64_t number, struct arena *a,
                           struct segment_found *ret_segment)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c,
                       "SELECT number, (SELECT at_ms FROM chain c WHERE c.number = s.number), bytes"
                       " FROM segment s WHERE number = ?",
                       &q, INT(number));
    return e == OK ? read_segment(q, a, ret_segment) : e;
}

int64_t store_newest_segment(struct store_reader *r)
{
    int64_t number;
    return NUMBER(r->c, "SELECT max(number) FROM segment", 0, &number) == OK ? number : 0;
}

/* ERR_NOT_FOUND when the segment at the query's row does not have it. */
static enum err look_in(struct conn *c, int64_t number, const struct id *event, uint32_t *ret_index)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(c, "SELECT bytes FROM segment WHERE number = ?", &q, INT(number));
    if (e != OK)
        return e;
    struct segment_cursor cursor;
    struct stored_event found;
    struct str entry;
    segment_start(col_bytes(q, 0), &cursor);
    while ((e = segment_next(&cursor, &found, &entry)) == OK) {
        if (memcmp(found.id.b, event->b, sizeof event->b) == 0) {
            *ret_index = cursor.index - 1;
            return OK;
        }
    }
    return e;
}

static enum err find_until(struct conn *c, const struct id *event, int64_t until_ms,
                           int64_t *ret_segment, uint32_t *ret_index)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    int64_t at_ms = id_ms(event);
    enum err e = QUERY(c,
                       "SELECT number FROM segment INDEXED BY segment_time"
                       " WHERE last_ms BETWEEN ?1 AND ?2 AND first_ms <= ?1 ORDER BY last_ms",
                       &q, INT(at_ms), INT(until_ms));
    while (e == OK && (e = conn_next(q)) == OK) {
        int64_t number = col_int(q, 0);
        e = look_in(c, number, event, ret_index);
        if (e == OK) {
            *ret_segment = number;
            return OK;
        }
        if (e == ERR_NOT_FOUND)
            e = OK;
    }
    return e;
}

enum err store_find_event(struct store_reader *r, const struct id *event, int64_t *ret_segment,
                          uint32_t *ret_index)
{
    /* a group spans a moment, so the near segments first: behind them the index only has misses */
    int64_t near_ms = id_ms(event) + 60000;
    enum err e = find_until(r->c, event, near_ms, ret_segment, ret_index);
    return e == ERR_NOT_FOUND ? find_until(r->c, event, INT64_MAX, ret_segment, ret_index) : e;
}

enum err store_each_message(struct store_reader *r, int64_t since_ms,
                            void (*fn)(void *ctx, uint64_t hash, int64_t received_ms), void *ctx)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c,
                       "SELECT first_ms, brief FROM segment INDEXED BY segment_time"
                       " WHERE last_ms >= ? ORDER BY last_ms, first_ms",
                       &q, INT(since_ms));
    while (e == OK && (e = conn_next(q)) == OK) {
        int64_t first = col_int(q, 0);
        struct str briefs = col_bytes(q, 1);
        struct brief b;
        while (brief_next(&briefs, &b))
            if (first + b.after_ms >= since_ms)
                fn(ctx, b.message, first + b.after_ms);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}
