/* Segments are cut down in the order of their numbers, so two marks say how far
 * this has come: once all that deliveries needed is gone, and once everything. */
#include "store/store_priv.h"

struct strip {
    struct store *s;
    store_keep_fn keep; /* NULL: keep nothing */
    uint32_t whole;
    void *ctx;
    struct segment_builder cut;
    struct buf keys, body;
    struct buf named; /* number and hash of each rewritten segment */
    uint32_t named_count;
};

static void strip_fini(struct strip *t)
{
    segment_builder_fini(&t->cut);
    buf_fini(&t->keys);
    buf_fini(&t->body);
    buf_fini(&t->named);
}

/* Whether the event changed; its body is then in t->body. */
static bool cut_body(struct strip *t, struct stored_event *e)
{
    if (e->body.n == 0)
        return false;
    buf_clear(&t->body);
    if (t->keep)
        t->keep(t->ctx, e, &t->body);
    if (str_eq(buf_view(&t->body), e->body))
        return false;
    e->body = buf_view(&t->body);
    return true;
}

/* The segment rewritten, in t->cut and t->keys. */
static enum err rewrite(struct strip *t, struct str keys, struct str bytes, bool *ret_changed)
{
    static const char no_key[CHAIN_KEY];
    struct segment_cursor c;
    struct stored_event e;
    struct str entry, key;
    enum err err;
    *ret_changed = false;
    segment_builder_clear(&t->cut);
    buf_clear(&t->keys);
    segment_start(bytes, &c);
    while ((err = segment_next(&c, &e, &entry)) == OK) {
        if (!take_bytes(&keys, CHAIN_KEY, &key))
            return ERR_CORRUPT;
        bool changed = cut_body(t, &e);
        if (!segment_add(&t->cut, &e))
            return ERR_LIMIT; /* `keep` made it larger */
        buf_str(&t->keys, changed ? (struct str){ no_key, sizeof no_key } : key);
        *ret_changed = *ret_changed || changed;
    }
    return err == ERR_NOT_FOUND ? OK : err;
}

/* From the log into its row; its place there becomes a hole. */
static enum err take_out_of_log(struct conn *c, const struct segment_row *row)
{
    enum err e = RUN(c, "INSERT INTO log_hole (file, start, size) VALUES (?, ?, ?)",
                     INT(row->place.file), INT(row->place.start), INT(row->place.size));
    if (e != OK)
        return e;
    return RUN(c,
               "UPDATE segment SET file = NULL, start = NULL, size = NULL, brief = ?, leaves = ?,"
               " bytes = x'' WHERE number = ?",
               BLOB(row->brief), BLOB(row->leaves), INT(row->number));
}

static enum err write_back(struct strip *t, const struct segment_row *row, int64_t seq)
{
    uint8_t hash[CHAIN_HASH];
    chain_hash(buf_view(&t->cut.entries), hash);
    buf_u64(&t->named, (uint64_t)row->number);
    buf_add(&t->named, hash, sizeof hash);
    t->named_count++;
    enum err e = row->place.file ? take_out_of_log(&t->s->c, row) : OK;
    if (e != OK)
        return e;
    return RUN(
        &t->s->c, "UPDATE segment SET retention_seq = ?, keys = ?, bytes = ? WHERE number = ?",
        INT(seq), BLOB(buf_view(&t->keys)), BLOB(buf_view(&t->cut.entries)), INT(row->number));
}

/* ERR_NOT_FOUND behind the last one. */
static enum err strip_next(struct strip *t, int64_t after, int64_t last, int64_t seq,
                           int64_t *ret_number)
{
    int64_t number;
    bool changed = false;
    enum err e = NUMBER(&t->s->c,
                        "SELECT number FROM segment WHERE number > ?1 AND number <= ?2"
                        " AND (?3 = 0 OR permitted & ~?3) ORDER BY number LIMIT 1",
                        0, &number, INT(after), INT(last), INT(t->whole));
    if (e != OK || number == 0)
        return e == OK ? ERR_NOT_FOUND : e;
    struct segment_row row;
    e = segment_fetch(&t->s->reader, number, LOG_WHOLE, &row);
    if (e == OK)
        e = rewrite(t, row.keys, row.bytes, &changed);
    if (e == OK && changed)
        e = write_back(t, &row, seq);
    if (e == OK)
        *ret_number = number;
    return e;
}

/* ---- the fact ---- */

/* The same for people. */
static void write_payload(struct buf *to, int64_t at_ms, struct str named)
{
    int64_t number;
    struct str hash;
    buf_printf(to, "{\"at\":%lld,\"bodies_deleted_in\":[", (long long)at_ms);
    for (bool first = true; columns_next_named(&named, &number, &hash); first = false) {
        buf_printf(to, "%s{\"segment\":%lld,\"hash\":\"", first ? "" : ",", (long long)number);
        for (size_t i = 0; i < hash.n; i++)
            buf_printf(to, "%02x", (unsigned char)hash.p[i]);
        buf_lit(to, "\"}");
    }
    buf_lit(to, "]}");
}

static enum err add_fact(struct strip *t, int64_t at_ms)
{
    struct store *s = t->s;
    struct str named = buf_view(&t->named);
    int64_t seq;
    buf_clear(&s->scratch);
    columns_retention(&s->scratch, at_ms, named, t->named_count);
    AUTO(buf_fini) struct buf payload = BUF_INIT(LIMIT_GROUP_BYTES);
    write_payload(&payload, at_ms, named);
    if (payload.over || s->scratch.over || t->named.over)
        return s->c.failed = ERR_LIMIT;
    return fact_add(s,
                    &(struct fact){ .kind = FACT_RETENTION,
                                    .columns = buf_view(&s->scratch),
                                    .payload = buf_view(&payload) },
                    &seq);
}

/* ---- */

enum err store_strip_segments(struct store *s, int64_t last, uint32_t most, int64_t at_ms,
                              uint32_t whole, store_keep_fn keep, void *ctx, uint32_t *ret_done)
{
    must(s->group.open);
    AUTO(strip_fini)
    struct strip t = { .s = s,
                       .keep = keep,
                       .whole = keep ? whole : 0,
                       .ctx = ctx,
                       .keys = BUF_INIT(LIMIT_GROUP_BYTES),
                       .body = BUF_INIT(LIMIT_GROUP_BYTES),
                       .named = BUF_INIT(LIMIT_GROUP_BYTES) };
    segment_builder_init(&t.cut);
    int64_t done_to, before, seq = s->group.seq + 1; /* of the fact to come */
    int64_t newest = s->unpublished_count ? s->unpublished[0].head.group - 1 : s->head.group;
    if (last > newest)
        last = newest; /* the open group's own is not in the chain yet */
    enum err e = mark_get(&s->c, keep ? MARK_STRIPPED : MARK_EMPTIED, &before);
    uint32_t done = 0;
    done_to = before;
    while (e == OK && done < most && (e = strip_next(&t, done_to, last, seq, &done_to)) == OK)
        done++;
    if (e == ERR_NOT_FOUND) {
        done_to = last > done_to ? last : done_to; /* what was passed over is done as well */
        e = OK;
    }
    if (e == OK && t.named_count)
        e = add_fact(&t, at_ms);
    if (e == OK && done_to > before)
        e = mark_set(&s->c, MARK_STRIPPED, done_to);
    if (e == OK && done_to > before && !keep)
        e = mark_set(&s->c, MARK_EMPTIED, done_to);
    if (e != OK)
        return s->c.failed = s->c.failed ? s->c.failed : e;
    *ret_done = done;
    return OK;
}

/* ---- holes in the log ---- */

/* They are forgotten when they are there to stay. */
static enum err punch_holes(struct store *s)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    uint32_t file = 0;
    enum err e = QUERY(&s->c, "SELECT file, start, size FROM log_hole ORDER BY file, start", &q);
    while (e == OK && (e = conn_next(q)) == OK) {
        struct log_place place = { .file = (uint32_t)col_int(q, 0),
                                   .start = (uint32_t)col_int(q, 1),
                                   .size = (uint32_t)col_int(q, 2) };
        if (file != 0 && place.file != file)
            e = eventlog_sync_holes(&s->log, file);
        if (e == OK)
            e = eventlog_punch(&s->log, &place);
        file = place.file;
    }
    if (e != ERR_NOT_FOUND || file == 0)
        return e == ERR_NOT_FOUND ? OK : e;
    query_done(&q);
    e = eventlog_sync_holes(&s->log, file);
    return e == OK ? RUN(&s->c, "DELETE FROM log_hole") : e;
}

static enum err remove_files(struct store *s)
{
    int64_t file;
    enum err e =
        NUMBER(&s->c, "SELECT min(file) FROM segment WHERE file IS NOT NULL", s->log.file, &file);
    return e == OK ? eventlog_remove_below(&s->log, (uint32_t)file) : e;
}

enum err store_tidy(struct store *s, struct err_info *info)
{
    int64_t holes;
    must(!s->group.open);
    enum err e = s->has_log ? NUMBER(&s->c, "SELECT count(*) FROM log_hole", 0, &holes) : OK;
    if (e != OK || !s->has_log || (holes == 0 && s->log.oldest == s->log.file))
        return e == OK ? OK : conn_set_err(&s->c, e, info);
    e = eventlog_lock_holes(&s->log);
    if (e != OK)
        return e == ERR_BUSY ? OK : err_set(info, e, NULL, "event log: it cannot be locked");
    e = s->unpublished_count ? OK : punch_holes(s);
    s->c.failed = OK;
    if (e == OK && s->unpublished_count == 0)
        e = remove_files(s);
    eventlog_unlock_holes(&s->log);
    return e == OK ? OK : err_set(info, e, NULL, "event log: old events cannot be deleted");
}
