/* How far each import has come, written with what it brought; and rows for exports. */
#include "store/store_priv.h"

enum err store_get_import(struct store_reader *r, struct str id, struct arena *a,
                          struct import_row *ret_row)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c,
                       "SELECT kind, next, accepted, repeated, refused, begun_ms, changed_ms"
                       " FROM import WHERE id = ?",
                       &q, TEXT(id));
    if (e == OK)
        *ret_row = (struct import_row){ .id = arena_str(a, id),
                                        .kind = col_copy(q, 0, a),
                                        .next = col_int(q, 1),
                                        .accepted = (uint64_t)col_int(q, 2),
                                        .repeated = (uint64_t)col_int(q, 3),
                                        .refused = (uint64_t)col_int(q, 4),
                                        .begun_ms = col_int(q, 5),
                                        .changed_ms = col_int(q, 6) };
    return e;
}

enum err store_put_import(struct store *s, const struct import_row *row)
{
    must(s->group.open);
    return RUN(&s->c,
               "INSERT OR REPLACE INTO import (id, kind, next, accepted, repeated, refused,"
               " begun_ms, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
               TEXT(row->id), TEXT(row->kind), INT(row->next), INT(row->accepted),
               INT(row->repeated), INT(row->refused), INT(row->begun_ms), INT(row->changed_ms));
}

enum err store_refuse_line(struct store *s, struct str import, const struct refused_line *line)
{
    must(s->group.open);
    return RUN(&s->c,
               "INSERT OR REPLACE INTO import_refused (import, line, field, error)"
               " VALUES (?, ?, ?, ?)",
               TEXT(import), INT(line->line), TEXT(line->field), TEXT(line->error));
}

enum err store_list_refused(struct store_reader *r, struct str import, int64_t after,
                            uint32_t limit, struct arena *a, struct refused_line **ret_lines,
                            uint32_t *ret_count)
{
    struct refused_line *lines = arena_array(a, struct refused_line, limit);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c,
                       "SELECT line, field, error FROM import_refused WHERE import = ? AND line > ?"
                       " ORDER BY line LIMIT ?",
                       &q, TEXT(import), INT(after), INT(limit));
    uint32_t n = 0;
    while (e == OK && n < limit && (e = conn_next(q)) == OK)
        lines[n++] = (struct refused_line){ .line = col_int(q, 0),
                                            .field = col_copy(q, 1, a),
                                            .error = col_copy(q, 2, a) };
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_lines = lines;
    *ret_count = n;
    return OK;
}

/* ---- everything, one by one: each walk is one statement, and so one snapshot ---- */

static int64_t end_of(int64_t to_ms)
{
    return to_ms ? to_ms : INT64_MAX;
}

enum err store_each_act(struct store_reader *r, int64_t from_ms, int64_t to_ms,
                        enum err (*fn)(void *ctx, const struct act_found *act), void *ctx)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c,
                       "SELECT a.seq, a.claimed_ms, f.leaf, f.columns, f.payload FROM act a"
                       " JOIN fact f ON f.seq = a.seq ORDER BY a.seq",
                       &q);
    while (e == OK && (e = conn_next(q)) == OK) {
        struct act_columns c;
        struct act_found f = { .seq = col_int(q, 0), .claimed_ms = col_int(q, 1) };
        if (f.claimed_ms < from_ms || f.claimed_ms > end_of(to_ms))
            continue;
        struct str leaf = col_bytes(q, 2);
        if (leaf.n != sizeof f.leaf || !columns_read_act(col_bytes(q, 3), &c))
            return ERR_CORRUPT;
        memcpy(f.leaf, leaf.p, leaf.n);
        f.id = c.id;
        f.received_ms = c.received_ms;
        f.source = c.source;
        f.subject = c.subject;
        f.ip = c.ip;
        f.payload = col_bytes(q, 4);
        e = fn(ctx, &f);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err store_each_subject(struct store_reader *r, int64_t from_ms, int64_t to_ms,
                            enum err (*fn)(void *ctx, const struct subject_row *row), void *ctx)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c,
                       "SELECT id, flags, seq, created_ms, changed_ms, email, first_name,"
                       " last_name, full_name, extra, preferences FROM subject"
                       " WHERE changed_ms BETWEEN ? AND ? ORDER BY +no",
                       &q, INT(from_ms), INT(end_of(to_ms)));
    while (e == OK && (e = conn_next(q)) == OK) {
        uint32_t flags = (uint32_t)col_int(q, 1);
        struct subject_row row = { .id = col_bytes(q, 0),
                                   .flags = flags,
                                   .verified = flags & SUBJECT_VERIFIED,
                                   .seq = col_int(q, 2),
                                   .created_ms = col_int(q, 3),
                                   .changed_ms = col_int(q, 4),
                                   .email = col_bytes(q, 5),
                                   .first_name = col_bytes(q, 6),
                                   .last_name = col_bytes(q, 7),
                                   .full_name = col_bytes(q, 8),
                                   .extra = col_bytes(q, 9),
                                   .preferences = col_bytes(q, 10) };
        e = fn(ctx, &row);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err store_each_notice(struct store_reader *r, int64_t from_ms, int64_t to_ms,
                           enum err (*fn)(void *ctx, const struct notice_row *row), void *ctx)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c,
                       "SELECT n.seq, f.columns FROM notice n JOIN fact f ON f.seq = n.seq"
                       " WHERE n.timestamp_ms BETWEEN ? AND ? ORDER BY n.seq",
                       &q, INT(from_ms), INT(end_of(to_ms)));
    while (e == OK && (e = conn_next(q)) == OK) {
        struct notice_row row;
        if (!columns_read_notice(col_bytes(q, 1), &row))
            return ERR_CORRUPT;
        row.seq = col_int(q, 0);
        e = fn(ctx, &row);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}
