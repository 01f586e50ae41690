/* Facts as hooks read them; their cursors, and the messages that wait. */
#include "store/hook.h"
#include "store/store_priv.h"

/* ---- facts ---- */

int64_t store_newest_seq(const struct store *s)
{
    return s->seq;
}

int64_t store_newest_fact(struct store_reader *r)
{
    int64_t seq;
    return NUMBER(r->c, "SELECT max(seq) FROM fact", 0, &seq) == OK ? seq : 0;
}

static bool read_fact(struct sqlite3_stmt *q, struct arena *a, struct fact_found *ret_fact)
{
    struct str leaf = col_bytes(q, 3);
    struct fact_found f = { .seq = col_int(q, 0),
                            .kind = (enum fact_kind)col_int(q, 1),
                            .subject = col_int(q, 2) };
    if (leaf.n != sizeof f.leaf)
        return false;
    memcpy(f.leaf, leaf.p, leaf.n);
    f.columns = col_copy(q, 4, a);
    *ret_fact = f;
    return true;
}

enum err store_list_facts(struct store_reader *r, int64_t after, int64_t last, uint32_t kinds,
                          uint32_t limit, struct arena *a, struct fact_found **ret_facts,
                          uint32_t *ret_count)
{
    struct fact_found *f = arena_array(a, struct fact_found, limit);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e =
        QUERY(r->c,
              "SELECT seq, kind, subject, leaf, columns FROM fact WHERE seq > ? AND seq <= ?"
              " AND ((1 << kind) & ?) <> 0 ORDER BY seq LIMIT ?",
              &q, INT(after), INT(last), INT(kinds), INT(limit));
    uint32_t n = 0;
    while (e == OK && n < limit && (e = conn_next(q)) == OK)
        e = read_fact(q, a, &f[n++]) ? OK : ERR_CORRUPT;
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_facts = f;
    *ret_count = n;
    return OK;
}

enum err store_read_fact(struct store_reader *r, int64_t seq, struct arena *a,
                         struct fact_found *ret_fact)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e =
        FIRST(r->c, "SELECT seq, kind, subject, leaf, columns, payload FROM fact WHERE seq = ?", &q,
              INT(seq));
    struct fact_found f;
    if (e != OK)
        return e;
    if (!read_fact(q, a, &f))
        return ERR_CORRUPT;
    f.payload = col_copy(q, 5, a);
    *ret_fact = f;
    return OK;
}

bool store_is_first_fact(struct store_reader *r, const struct fact_found *f)
{
    int64_t first;
    return NUMBER(r->c, "SELECT min(seq) FROM fact WHERE subject = ?", 0, &first,
                  INT(f->subject)) == OK &&
           first == f->seq;
}

/* ---- hooks ---- */

#define HOOK_COLUMNS "no, id, cursor, start_seq, start_ms, paused_ms, why, absent_ms"

static struct hook_row read_hook(struct sqlite3_stmt *q, struct arena *a)
{
    return (struct hook_row){ .number = col_int(q, 0),
                              .id = col_copy(q, 1, a),
                              .cursor = col_int(q, 2),
                              .start_seq = col_int(q, 3),
                              .start_ms = col_int(q, 4),
                              .paused_ms = col_int(q, 5),
                              .why = col_copy(q, 6, a),
                              .absent_ms = col_int(q, 7) };
}

enum err store_get_hook(struct store_reader *r, struct str id, struct arena *a,
                        struct hook_row *ret_row)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c, "SELECT " HOOK_COLUMNS " FROM hook WHERE id = ?", &q, TEXT(id));
    if (e == OK)
        *ret_row = read_hook(q, a);
    return e;
}

enum err store_list_hooks(struct store_reader *r, struct arena *a, struct hook_row **ret_rows,
                          uint32_t *ret_count)
{
    int64_t count;
    enum err e = NUMBER(r->c, "SELECT count(*) FROM hook", 0, &count);
    if (e != OK)
        return e;
    struct hook_row *rows = arena_array(a, struct hook_row, (size_t)count);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    e = QUERY(r->c, "SELECT " HOOK_COLUMNS " FROM hook ORDER BY no", &q);
    uint32_t n = 0;
    while (e == OK && n < count && (e = conn_next(q)) == OK)
        rows[n++] = read_hook(q, a);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_rows = rows;
    *ret_count = n;
    return OK;
}

enum err store_put_hook(struct store *s, const struct hook_row *row)
{
    must(s->group.open);
    return RUN(&s->c,
               "INSERT INTO hook (id, cursor, start_seq, start_ms, paused_ms, why, absent_ms)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET cursor = ?2,"
               " start_seq = ?3, start_ms = ?4, paused_ms = ?5, why = ?6, absent_ms = ?7",
               TEXT(row->id), INT(row->cursor), INT(row->start_seq), INT(row->start_ms),
               INT(row->paused_ms), TEXT(row->why), INT(row->absent_ms));
}

bool store_hook_began(struct store *s, int64_t number, int64_t start_ms)
{
    int64_t there;
    return NUMBER(&s->c, "SELECT start_ms FROM hook WHERE no = ?", 0, &there, INT(number)) == OK &&
           there == start_ms;
}

enum err store_set_hook_cursor(struct store *s, int64_t number, int64_t cursor)
{
    must(s->group.open);
    return RUN(&s->c, "UPDATE hook SET cursor = ? WHERE no = ?", INT(cursor), INT(number));
}

enum err store_set_hook_paused(struct store *s, int64_t number, int64_t paused_ms, struct str why)
{
    must(s->group.open);
    return RUN(&s->c, "UPDATE hook SET paused_ms = ?, why = ? WHERE no = ?", INT(paused_ms),
               TEXT(why), INT(number));
}

/* ---- messages ---- */

enum err store_put_hook_message(struct store *s, const struct hook_message *m)
{
    must(s->group.open);
    return RUN(&s->c,
               "INSERT OR REPLACE INTO hook_message (hook, seq, state, id, attempts, first_ms,"
               " at_ms, next_ms, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
               INT(m->hook), INT(m->seq), INT(m->state), BYTES(m->id.b, sizeof m->id.b),
               INT(m->attempts), INT(m->first_ms), INT(m->at_ms), INT(m->next_ms), TEXT(m->error));
}

enum err store_remove_hook_message(struct store *s, int64_t hook, int64_t seq)
{
    must(s->group.open);
    return RUN(&s->c, "DELETE FROM hook_message WHERE hook = ? AND seq = ?", INT(hook), INT(seq));
}

static bool read_message(struct sqlite3_stmt *q, struct arena *a, struct hook_message *ret_m)
{
    struct hook_message m = { .hook = col_int(q, 0),
                              .seq = col_int(q, 1),
                              .state = (enum hook_state)col_int(q, 2),
                              .attempts = (uint32_t)col_int(q, 4),
                              .first_ms = col_int(q, 5),
                              .at_ms = col_int(q, 6),
                              .next_ms = col_int(q, 7),
                              .error = col_copy(q, 8, a) };
    if (!col_id(q, 3, &m.id) || m.seq <= 0)
        return false;
    *ret_m = m;
    return true;
}

enum err store_list_hook_messages(struct store_reader *r, int64_t hook, enum hook_state state,
                                  int64_t after, uint32_t limit, struct arena *a,
                                  struct hook_message **ret_messages, uint32_t *ret_count)
{
    struct hook_message *m = arena_array(a, struct hook_message, limit);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e =
        QUERY(r->c,
              "SELECT hook, seq, state, id, attempts, first_ms, at_ms, next_ms, error"
              " FROM hook_message WHERE state = ?1 AND (hook, seq) > (?2, ?3)"
              " AND hook <= ?4 ORDER BY hook, seq LIMIT ?5",
              &q, INT(state), INT(hook), INT(after), INT(hook ? hook : INT64_MAX), INT(limit));
    uint32_t n = 0;
    while (e == OK && n < limit && (e = conn_next(q)) == OK)
        e = read_message(q, a, &m[n++]) ? OK : ERR_CORRUPT;
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_messages = m;
    *ret_count = n;
    return OK;
}

enum err store_count_hook_messages(struct store_reader *r, int64_t hook, enum hook_state state,
                                   uint64_t *ret_count)
{
    int64_t n;
    enum err e = NUMBER(r->c, "SELECT count(*) FROM hook_message WHERE state = ? AND hook = ?", 0,
                        &n, INT(state), INT(hook));
    if (e == OK)
        *ret_count = (uint64_t)n;
    return e;
}

enum err store_revive_hook_messages(struct store *s, int64_t hook, const struct id *id,
                                    uint32_t *ret_count)
{
    must(s->group.open);
    struct arg which = id ? BYTES(id->b, sizeof id->b) : (struct arg){ .type = ARG_NULL };
    enum err e = RUN(&s->c,
                     "UPDATE hook_message SET state = ?1, attempts = 0, first_ms = 0, next_ms = 0"
                     " WHERE state = ?2 AND (?3 = 0 OR hook = ?3) AND (?4 IS NULL OR id = ?4)",
                     INT(HOOK_WAITING), INT(HOOK_DEAD), INT(hook), which);
    if (e == OK)
        *ret_count = conn_changes(&s->c);
    return e;
}

enum err store_bury_hook_messages(struct store *s, int64_t hook, struct str error, int64_t at_ms,
                                  uint32_t *ret_count)
{
    must(s->group.open);
    enum err e = RUN(&s->c,
                     "UPDATE hook_message SET state = ?, at_ms = ?, error = ?"
                     " WHERE state = ? AND hook = ?",
                     INT(HOOK_DEAD), INT(at_ms), TEXT(error), INT(HOOK_WAITING), INT(hook));
    if (e == OK)
        *ret_count = conn_changes(&s->c);
    return e;
}
