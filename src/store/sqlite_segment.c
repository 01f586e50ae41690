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

bool brief_agrees(struct str briefs, uint32_t index, const struct store_reader *r,
                  const struct stored_event *e, int64_t first_ms)
{
    char bytes[BRIEF];
    struct buf expected = { .p = bytes, .cap = sizeof bytes, .max = sizeof bytes };
    brief_add(&expected, r, e, first_ms);
    return memcmp(bytes, briefs.p + (size_t)index * BRIEF, BRIEF) == 0;
}

bool entry_agrees(struct str leaves, struct str keys, int64_t segment, uint32_t index,
                  struct str entry)
{
    uint8_t leaf[CHAIN_HASH];
    chain_event_leaf((const uint8_t *)keys.p + (size_t)index * CHAIN_KEY, segment, index, entry,
                     leaf);
    return memcmp(leaf, leaves.p + (size_t)index * CHAIN_HASH, CHAIN_HASH) == 0;
}

enum err segment_sum(struct str entries, int64_t most, struct segment_sums *ret_sums)
{
    struct segment_sums s = { .first_ms = INT64_MAX, .last_ms = INT64_MIN };
    struct segment_cursor c;
    struct stored_event e;
    struct str entry;
    enum err err;
    segment_start(entries, &c);
    while ((err = segment_next(&c, &e, &entry)) == OK && s.count < most) {
        s.count++;
        s.first_ms = e.received_ms < s.first_ms ? e.received_ms : s.first_ms;
        s.last_ms = e.received_ms > s.last_ms ? e.received_ms : s.last_ms;
        for (uint32_t slot = 0; slot < LIMIT_DESTINATIONS; slot++)
            s.permitted |= (uint32_t)((e.verdict[slot] & STORED_REASON) == REASON_PERMITTED)
                           << slot;
    }
    *ret_sums = s;
    return err == ERR_NOT_FOUND ? OK : ERR_CORRUPT;
}

/* ---- writing ---- */

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
    must(g->open && g->entries.n == 0);
    if (b->count == 0)
        return OK;
    struct segment_sums sums;
    enum err e = segment_sum(buf_view(&b->entries), b->count, &sums);
    must(e == OK && sums.count == b->count); /* the builder made them */
    add_leaves(s, s->head.group + 1, buf_view(&b->entries), sums.first_ms);
    if (g->keys.over || g->event_leaves.over || g->brief.over)
        return s->c.failed = ERR_LIMIT;
    g->entries = buf_view(&b->entries);
    g->segment = (struct unpublished){ .first_ms = sums.first_ms,
                                       .last_ms = sums.last_ms,
                                       .count = sums.count,
                                       .permitted = sums.permitted };
    return OK;
}

static struct arg number_or_null(const struct log_place *p, uint32_t v)
{
    return p->file ? INT(v) : (struct arg){ .type = ARG_NULL };
}

static struct arg bytes_or_null(bool is, struct str s)
{
    return is ? BLOB(s) : (struct arg){ .type = ARG_NULL };
}

enum err segment_insert(struct conn *c, const struct unpublished *u, const struct log_record *in)
{
    struct log_place place = in ? (struct log_place){ 0 } : u->place;
    struct log_record none = { 0 };
    const struct log_record *r = in ? in : &none;
    return RUN(c,
               "INSERT INTO segment (number, first_ms, last_ms, count, permitted, retention_seq,"
               " file, start, size, brief, keys, leaves, bytes)"
               " VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?)",
               INT(u->head.group), INT(u->first_ms), INT(u->last_ms), INT(u->count),
               INT(u->permitted), number_or_null(&place, place.file),
               number_or_null(&place, place.start), number_or_null(&place, place.size),
               bytes_or_null(in, r->brief), bytes_or_null(in, r->keys),
               bytes_or_null(in, r->leaves), bytes_or_null(in, r->entries));
}

/* ---- reading ---- */

enum err segment_at(struct store_reader *r, struct sqlite3_stmt *q, enum log_part part,
                    struct segment_row *ret_row)
{
    struct segment_row row = { .number = col_int(q, 0),
                               .at_ms = col_int(q, 1),
                               .first_ms = col_int(q, 2),
                               .last_ms = col_int(q, 3),
                               .count = col_int(q, 4),
                               .permitted = col_int(q, 5),
                               .retention_seq = col_int(q, 6) };
    if (col_is_null(q, 7)) {
        row.brief = col_bytes(q, 10);
        if (part == LOG_WHOLE) {
            row.keys = col_bytes(q, 11);
            row.leaves = col_bytes(q, 12);
            row.bytes = col_bytes(q, 13);
        }
        *ret_row = row;
        return OK;
    }
    row.place = (struct log_place){ .file = (uint32_t)col_int(q, 7),
                                    .start = (uint32_t)col_int(q, 8),
                                    .size = (uint32_t)col_int(q, 9) };
    if (row.place.file != col_int(q, 7) || row.place.start != col_int(q, 8) ||
        row.place.size != col_int(q, 9))
        return ERR_CORRUPT;
    struct log_record record = { 0 };
    enum err e = eventlog_read(&r->log, &row.place, part, &r->record, &record);
    if (e == OK && (record.number != row.number || record.at_ms != row.at_ms))
        e = ERR_NOT_FOUND;
    memcpy(row.log_head, record.head, CHAIN_HASH);
    row.brief = record.brief;
    row.keys = record.keys;
    row.leaves = record.leaves;
    row.bytes = record.entries;
    if (e == OK || e == ERR_NOT_FOUND)
        *ret_row = row;
    return e;
}

/* From the row into the reader's buffer, where log records are as well. */
static void hold(struct buf *to, struct segment_row *row)
{
    struct str *part[] = { &row->brief, &row->keys, &row->leaves, &row->bytes };
    size_t n = 0;
    for (size_t i = 0; i < COUNT(part); i++)
        n += part[i]->n;
    buf_clear(to);
    (void)buf_room(to, n); /* it does not move from here on; too much of it sets `over` */
    for (size_t i = 0; i < COUNT(part); i++) {
        struct str held = { to->p + to->n, part[i]->n };
        buf_str(to, *part[i]);
        *part[i] = held;
    }
}

static enum err fetch(struct store_reader *r, int64_t number, enum log_part part,
                      struct segment_row *ret_row)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e =
        FIRST(r->c, "SELECT " SEGMENT_COLUMNS " FROM segment s WHERE number = ?", &q, INT(number));
    if (e != OK)
        return e;
    struct segment_row row;
    e = segment_at(r, q, part, &row);
    if (e != OK)
        return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    if (row.place.file == 0)
        hold(&r->record, &row);
    if (r->record.over)
        return ERR_CORRUPT;
    *ret_row = row;
    return OK;
}

enum err segment_fetch(struct store_reader *r, int64_t number, enum log_part part,
                       struct segment_row *ret_row)
{
    eventlog_hold(&r->log); /* what is cut down stands in the row before it goes from the log */
    enum err e = fetch(r, number, part, ret_row);
    eventlog_release(&r->log);
    return e;
}

static enum err find_segment(struct store_reader *r, int64_t number, struct arena *a,
                             struct segment_found *ret_segment)
{
    struct segment_row row;
    enum err e = segment_fetch(r, number, LOG_WHOLE, &row);
    if (e == OK)
        *ret_segment = (struct segment_found){ .number = row.number,
                                               .at_ms = row.at_ms,
                                               .bytes = arena_str(a, row.bytes) };
    return e;
}

enum err segment_next_number(struct store_reader *r, int64_t after, int64_t *ret_number)
{
    return NUMBER(r->c, "SELECT min(number) FROM segment WHERE number > ?", 0, ret_number,
                  INT(after));
}

enum err store_next_permitted(struct store_reader *r, int64_t after, uint32_t slots,
                              struct arena *a, struct segment_found *ret_segment)
{
    int64_t number;
    enum err e = NUMBER(r->c,
                        "SELECT number FROM segment WHERE number > ? AND permitted & ?"
                        " ORDER BY number LIMIT 1",
                        0, &number, INT(after), INT(slots));
    if (e != OK || number == 0)
        return e == OK ? ERR_NOT_FOUND : e;
    return find_segment(r, number, a, ret_segment);
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
    return find_segment(r, number, a, ret_segment);
}

int64_t store_newest_segment(struct store_reader *r)
{
    int64_t number;
    return NUMBER(r->c, "SELECT max(number) FROM segment", 0, &number) == OK ? number : 0;
}

/* ERR_NOT_FOUND when the segment does not have it. */
static enum err look_in(struct store_reader *r, int64_t number, const struct id *event,
                        uint32_t *ret_index)
{
    struct segment_row row;
    enum err e = segment_fetch(r, number, LOG_WHOLE, &row);
    if (e != OK)
        return e;
    struct segment_cursor cursor;
    struct stored_event found;
    struct str entry;
    segment_start(row.bytes, &cursor);
    while ((e = segment_next(&cursor, &found, &entry)) == OK) {
        if (memcmp(found.id.b, event->b, sizeof event->b) == 0) {
            *ret_index = cursor.index - 1;
            return OK;
        }
    }
    return e;
}

static enum err find_until(struct store_reader *r, const struct id *event, int64_t until_ms,
                           int64_t *ret_segment, uint32_t *ret_index)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    int64_t at_ms = id_ms(event);
    enum err e = QUERY(r->c,
                       "SELECT number FROM segment INDEXED BY segment_time"
                       " WHERE last_ms BETWEEN ?1 AND ?2 AND first_ms <= ?1 ORDER BY last_ms",
                       &q, INT(at_ms), INT(until_ms));
    while (e == OK && (e = conn_next(q)) == OK) {
        int64_t number = col_int(q, 0);
        e = look_in(r, number, event, ret_index);
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
    eventlog_hold(&r->log);
    enum err e = find_until(r, event, near_ms, ret_segment, ret_index);
    if (e == ERR_NOT_FOUND)
        e = find_until(r, event, INT64_MAX, ret_segment, ret_index);
    eventlog_release(&r->log);
    return e;
}

static enum err each_message(struct store_reader *r, int64_t since_ms,
                             void (*fn)(void *ctx, uint64_t hash, int64_t received_ms), void *ctx)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c,
                       "SELECT number FROM segment INDEXED BY segment_time"
                       " WHERE last_ms >= ? ORDER BY last_ms, first_ms",
                       &q, INT(since_ms));
    while (e == OK && (e = conn_next(q)) == OK) {
        struct segment_row row;
        e = segment_fetch(r, col_int(q, 0), LOG_BRIEF, &row);
        struct brief b;
        while (e == OK && brief_next(&row.brief, &b))
            if (row.first_ms + b.after_ms >= since_ms)
                fn(ctx, b.message, row.first_ms + b.after_ms);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err store_each_message(struct store_reader *r, int64_t since_ms,
                            void (*fn)(void *ctx, uint64_t hash, int64_t received_ms), void *ctx)
{
    eventlog_hold(&r->log);
    enum err e = each_message(r, since_ms, fn, ctx);
    eventlog_release(&r->log);
    return e;
}
