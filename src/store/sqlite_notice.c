#include "store/store_priv.h"

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

static enum err start(struct conn *c, const struct notice_filter *f, struct sqlite3_stmt **ret_q)
{
    /* a version to start after belongs to the identifier to start after, or else to the one wanted */
    struct str after = f->starting_after_identifier.n ? f->starting_after_identifier
                       : f->starting_after_version    ? f->identifier
                                                      : (struct str){ 0 };
    return QUERY(c,
                 "SELECT n.seq, f.columns FROM notice n JOIN fact f ON f.seq = n.seq"
                 " WHERE (n.identifier > ?1 OR (n.identifier = ?1 AND n.version < ?2))"
                 " AND (?3 = '' OR n.identifier = ?3) AND (?4 = 0 OR n.version = ?4)"
                 " AND (?5 = 0 OR n.timestamp_ms >= ?5) AND (?6 = 0 OR n.timestamp_ms <= ?6)"
                 " ORDER BY n.identifier, n.version DESC LIMIT ?7",
                 ret_q, TEXT(after), INT(f->starting_after_version), TEXT(f->identifier),
                 INT(f->version), INT(f->from_ms), INT(f->to_ms), INT(f->limit));
}

enum err store_list_notices(struct store_reader *r, const struct notice_filter *f, struct arena *a,
                            struct notice_row **ret_rows, uint32_t *ret_count)
{
    must(f->limit >= 1 && f->limit <= LIMIT_LIST);
    struct notice_row *rows = arena_array(a, struct notice_row, f->limit);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = start(r->c, f, &q);
    uint32_t n = 0;
    while (e == OK && (e = conn_next(q)) == OK) {
        if (!columns_read_notice(col_copy(q, 1, a), &rows[n]))
            return ERR_CORRUPT;
        rows[n++].seq = col_int(q, 0);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *ret_rows = rows;
    *ret_count = n;
    return OK;
}
