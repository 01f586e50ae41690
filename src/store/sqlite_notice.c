#include "store/store_priv.h"

#include "codec/json.h"

static enum err newest(struct conn *c, struct str identifier, int64_t *ret_version)
{
    return NUMBER(c, "SELECT max(version) FROM notice WHERE identifier = ?", 0, ret_version,
                  TEXT(identifier));
}

uint32_t store_newest_notice(struct store_reader *r, struct str identifier)
{
    int64_t version;
    return newest(r->c, identifier, &version) == OK ? (uint32_t)version : 0;
}

uint32_t store_next_notice(struct store *s, struct str identifier)
{
    return store_newest_notice(&s->reader, identifier) + 1;
}

enum err store_add_notice(struct store *s, const struct notice_row *row, struct str payload,
                          int64_t *ret_seq)
{
    int64_t version, seq;
    enum err e = newest(&s->c, row->identifier, &version);
    if (e != OK)
        return e;
    if (row->version != version + 1)
        return ERR_STALE;
    buf_clear(&s->scratch);
    columns_notice(&s->scratch, row);
    if (s->scratch.over)
        return s->c.failed = ERR_LIMIT;
    e = fact_add(
        s,
        &(struct fact){ .kind = FACT_NOTICE, .columns = buf_view(&s->scratch), .payload = payload },
        &seq);
    if (e == OK)
        e = RUN(&s->c,
                "INSERT INTO notice (identifier, version, seq, timestamp_ms) VALUES (?, ?, ?, ?)",
                TEXT(row->identifier), INT(row->version), INT(seq), INT(row->timestamp_ms));
    if (e == OK)
        *ret_seq = seq;
    return e;
}

/* ---- lists ---- */

/* The fact to start before; INT64_MAX without a cursor. */
static enum err place_cursor(struct conn *c, const struct notice_filter *f, int64_t *ret_before)
{
    /* a version to start after belongs to the identifier to start after, or else to the one wanted */
    struct str after = f->starting_after_identifier.n ? f->starting_after_identifier
                       : f->starting_after_version    ? f->identifier
                                                      : (struct str){ 0 };
    if (after.n == 0 && f->starting_after_version == 0) {
        *ret_before = INT64_MAX;
        return OK;
    }
    enum err e =
        NUMBER(c, "SELECT seq FROM notice WHERE identifier = ? AND version = ?", 0, ret_before,
               TEXT(after), INT(f->starting_after_version ? f->starting_after_version : 1));
    return e == OK && *ret_before == 0 ? ERR_NOT_FOUND : e;
}

static enum err start(struct conn *c, const struct notice_filter *f, int64_t before,
                      struct sqlite3_stmt **ret_q)
{
    if (f->identifier.n && f->version)
        return QUERY(c,
                     "SELECT f.seq, f.columns FROM notice n CROSS JOIN fact f ON f.seq = n.seq"
                     " WHERE n.identifier = ? AND n.version = ? AND n.seq < ?",
                     ret_q, TEXT(f->identifier), INT(f->version), INT(before));
    if (f->identifier.n)
        return QUERY(c,
                     "SELECT f.seq, f.columns FROM notice n CROSS JOIN fact f ON f.seq = n.seq"
                     " WHERE n.identifier = ? AND n.seq < ? ORDER BY n.version DESC",
                     ret_q, TEXT(f->identifier), INT(before));
    return QUERY(c,
                 "SELECT seq, columns FROM fact INDEXED BY fact_kind WHERE kind = 3 AND kind > 2"
                 " AND seq < ? ORDER BY seq DESC",
                 ret_q, INT(before));
}

static bool has_language(struct str content, struct str language, struct arena *a)
{
    struct json_doc d;
    return content.n > 0 && json_scan(content, a, &d, NULL) == OK &&
           json_get(&d, JSON_ROOT, language) != 0;
}

static bool matches(const struct notice_filter *f, const struct notice_row *n)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    return (!f->version || n->version == f->version) &&
           (!f->from_ms || n->timestamp_ms >= f->from_ms) &&
           (!f->to_ms || n->timestamp_ms <= f->to_ms) &&
           (!f->language.n || has_language(n->content, f->language, &a));
}

enum err store_list_notices(struct store_reader *r, const struct notice_filter *f, struct arena *a,
                            struct notice_row **ret_rows, uint32_t *ret_count)
{
    must(f->limit >= 1 && f->limit <= LIMIT_LIST);
    struct notice_row *rows = arena_array(a, struct notice_row, f->limit), n;
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    int64_t before;
    enum err e = place_cursor(r->c, f, &before);
    if (e == OK)
        e = start(r->c, f, before, &q);
    if (e != OK)
        return e;
    uint32_t count = 0, examined = 0;
    while (count < f->limit && (e = conn_next(q)) == OK) {
        if (examined++ == LIMIT_EXAMINED)
            return ERR_LIMIT;
        if (!columns_read_notice(col_bytes(q, 1), &n))
            return ERR_CORRUPT;
        if (!matches(f, &n))
            continue;
        if (!columns_read_notice(col_copy(q, 1, a), &rows[count]))
            return ERR_CORRUPT;
        rows[count++].seq = col_int(q, 0);
    }
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_rows = rows;
    *ret_count = count;
    return OK;
}
