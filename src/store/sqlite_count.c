/* Small things beside facts and events: first answers to an Idempotency-Key, and
 * the anonymous hourly counters. Neither is in the chain. */
#include "store/store_priv.h"

enum { FORGET_AT_ONCE = 8 }; /* more than one a put, so that the table shrinks again */

enum err store_put_answer(struct store *s, struct str scope, struct str key, int64_t at_ms,
                          struct str body_hash, struct str answer)
{
    must(s->group.open);
    enum err e = RUN(&s->c,
                     "DELETE FROM answer WHERE (scope, key) IN"
                     " (SELECT scope, key FROM answer WHERE at_ms <= ? ORDER BY at_ms LIMIT ?)",
                     INT(at_ms - LIMIT_IDEMPOTENCY_MS), INT(FORGET_AT_ONCE));
    if (e == OK)
        e = RUN(&s->c,
                "INSERT OR REPLACE INTO answer (scope, key, at_ms, body_hash, answer)"
                " VALUES (?, ?, ?, ?, ?)",
                TEXT(scope), TEXT(key), INT(at_ms), BLOB(body_hash), BLOB(answer));
    return e;
}

enum err store_get_answer(struct store_reader *r, struct str scope, struct str key, int64_t now_ms,
                          struct arena *a, struct str *ret_body_hash, struct str *ret_answer)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(
        r->c, "SELECT body_hash, answer FROM answer WHERE scope = ? AND key = ? AND at_ms > ?", &q,
        TEXT(scope), TEXT(key), INT(now_ms - LIMIT_IDEMPOTENCY_MS));
    if (e != OK)
        return e;
    *ret_body_hash = col_copy(q, 0, a);
    *ret_answer = col_copy(q, 1, a);
    return OK;
}

enum err store_count(struct store *s, int64_t hour_ms, uint32_t slot, enum reason reason,
                     uint64_t n)
{
    must(s->group.open);
    return RUN(&s->c,
               "INSERT INTO counter (hour_ms, slot, reason, n) VALUES (?, ?, ?, ?)"
               " ON CONFLICT DO UPDATE SET n = n + excluded.n",
               INT(hour_ms), INT(slot), INT(reason), INT(n));
}

enum err store_list_counters(struct store_reader *r, int64_t from_ms, int64_t to_ms,
                             struct arena *a, struct counter_row **ret_rows, uint32_t *ret_count)
{
    int64_t count;
    enum err e = NUMBER(r->c, "SELECT count(*) FROM counter WHERE hour_ms BETWEEN ? AND ?", 0,
                        &count, INT(from_ms), INT(to_ms));
    if (e != OK)
        return e;
    struct counter_row *rows = arena_array(a, struct counter_row, (size_t)count);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    e = QUERY(r->c,
              "SELECT hour_ms, slot, reason, n FROM counter WHERE hour_ms BETWEEN ? AND ?"
              " ORDER BY hour_ms, slot, reason",
              &q, INT(from_ms), INT(to_ms));
    uint32_t n = 0;
    while (e == OK && n < count && (e = conn_next(q)) == OK) {
        if (col_int(q, 2) < 0 || col_int(q, 2) >= REASON_COUNT)
            return ERR_CORRUPT;
        rows[n++] = (struct counter_row){ .hour_ms = col_int(q, 0),
                                          .slot = (uint32_t)col_int(q, 1),
                                          .reason = (enum reason)col_int(q, 2),
                                          .n = (uint64_t)col_int(q, 3) };
    }
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_rows = rows;
    *ret_count = n;
    return OK;
}
