/* A list walks one index, newest first, and looks at each row's small columns;
 * what it shows is read only then. Past LIMIT_EXAMINED rows it tries the index
 * of times instead, and if that has too many as well, gives up. */
#include "store/store_priv.h"

#include <stdlib.h>

struct walk {
    struct conn *c;
    const struct act_filter *f;
    int64_t subject, preference; /* numbers; 0: any */
    int64_t before;              /* seq */
    uint32_t count;              /* of seq[] */
    int64_t seq[LIMIT_LIST];
};

static struct str wanted_ip(const struct act_filter *f)
{
    return str_eq(f->ip, STR("none")) ? (struct str){ 0 } : f->ip;
}

/* SQL for the most selective index; all give seq, claimed_ms, source, ip. */
static enum err start(const struct walk *w, struct sqlite3_stmt **ret_q)
{
    if (w->subject)
        return QUERY(w->c,
                     "SELECT a.seq, a.claimed_ms, a.source, a.ip FROM fact f CROSS JOIN act a"
                     " ON a.seq = f.seq WHERE f.subject = ? AND f.seq < ? ORDER BY f.seq DESC",
                     ret_q, INT(w->subject), INT(w->before));
    if (w->preference)
        return QUERY(
            w->c,
            "SELECT a.seq, a.claimed_ms, a.source, a.ip FROM act_preference p CROSS JOIN act a"
            " ON a.seq = p.seq WHERE p.preference = ? AND p.seq < ? ORDER BY p.seq DESC",
            ret_q, INT(w->preference), INT(w->before));
    if (w->f->ip.n)
        return QUERY(w->c,
                     "SELECT seq, claimed_ms, source, ip FROM act INDEXED BY act_ip"
                     " WHERE ip = ? AND seq < ? ORDER BY seq DESC",
                     ret_q, TEXT(wanted_ip(w->f)), INT(w->before));
    return QUERY(w->c,
                 "SELECT seq, claimed_ms, source, ip FROM act WHERE seq < ? ORDER BY seq DESC",
                 ret_q, INT(w->before));
}

static enum err is_there(struct conn *c, const char *sql, int64_t number, int64_t seq, bool *ret_is)
{
    if (number == 0) {
        *ret_is = true;
        return OK;
    }
    int64_t n;
    enum err e = conn_number(c, sql, ARGS(INT(number), INT(seq)), 0, &n);
    *ret_is = n != 0;
    return e;
}

static enum err matches(const struct walk *w, struct sqlite3_stmt *q, bool *ret_is)
{
    const struct act_filter *f = w->f;
    int64_t seq = col_int(q, 0), claimed = col_int(q, 1);
    *ret_is = false;
    if (seq >= w->before || (f->from_ms && claimed < f->from_ms) ||
        (f->to_ms && claimed > f->to_ms) || (f->source >= 0 && col_int(q, 2) != f->source) ||
        (f->ip.n && !str_eq(col_bytes(q, 3), wanted_ip(f))))
        return OK;
    bool subject, preference = false;
    enum err e = is_there(w->c, "SELECT 1 FROM fact WHERE subject = ? AND seq = ?", w->subject, seq,
                          &subject);
    if (e == OK)
        e = is_there(w->c, "SELECT 1 FROM act_preference WHERE preference = ? AND seq = ?",
                     w->preference, seq, &preference);
    *ret_is = e == OK && subject && preference;
    return e;
}

static enum err walk_index(struct walk *w)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = start(w, &q);
    for (uint32_t examined = 0; e == OK && w->count < w->f->limit; examined++) {
        e = conn_next(q);
        if (e == ERR_NOT_FOUND)
            return OK;
        if (e == OK && examined == LIMIT_EXAMINED)
            return ERR_LIMIT;
        bool is = false;
        if (e == OK)
            e = matches(w, q, &is);
        if (is)
            w->seq[w->count++] = col_int(q, 0);
    }
    return e;
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

static enum err walk_times(struct walk *w)
{
    AUTO(free_ptr) int64_t *seq = must_alloc(LIMIT_EXAMINED * sizeof *seq);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(w->c,
                       "SELECT seq, claimed_ms, source, ip FROM act INDEXED BY act_claimed"
                       " WHERE claimed_ms BETWEEN ? AND ?",
                       &q, INT(w->f->from_ms), INT(w->f->to_ms ? w->f->to_ms : INT64_MAX));
    uint32_t n = 0;
    for (uint32_t examined = 0; e == OK; examined++) {
        e = conn_next(q);
        if (e == OK && examined == LIMIT_EXAMINED)
            return ERR_LIMIT;
        bool is = false;
        if (e == OK)
            e = matches(w, q, &is);
        if (is)
            seq[n++] = col_int(q, 0);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    qsort(seq, n, sizeof *seq, newest_first);
    w->count = n < w->f->limit ? n : w->f->limit;
    memcpy(w->seq, seq, w->count * sizeof *seq);
    return OK;
}

/* Names to numbers; false in *ret_any when nothing can match. */
static enum err prepare(struct walk *w, bool *ret_any)
{
    const struct act_filter *f = w->f;
    enum err e = OK;
    *ret_any = true;
    if (f->subject.n)
        e = NUMBER(w->c, "SELECT no FROM subject WHERE id = ?", -1, &w->subject, TEXT(f->subject));
    if (e == OK && f->preference_key.n)
        e = NUMBER(w->c, "SELECT no FROM preference WHERE name = ?", -1, &w->preference,
                   TEXT(f->preference_key));
    if (w->subject < 0 || w->preference < 0)
        *ret_any = false;
    if (e == OK && f->has_starting_after) {
        e = NUMBER(w->c, "SELECT seq FROM act WHERE id = ?", 0, &w->before,
                   BYTES(f->starting_after.b, sizeof f->starting_after.b));
        if (e == OK && w->before == 0)
            e = ERR_NOT_FOUND;
    }
    return e;
}

enum err store_list_acts(struct store_reader *r, const struct act_filter *f, struct arena *a,
                         struct act_found **ret_acts, uint32_t *ret_count)
{
    must(f->limit >= 1 && f->limit <= LIMIT_LIST);
    struct walk w = { .c = r->c, .f = f, .before = INT64_MAX };
    bool any;
    enum err e = prepare(&w, &any);
    if (e == OK && any)
        e = walk_index(&w);
    if (e == ERR_LIMIT && (f->from_ms || f->to_ms)) {
        w.count = 0;
        e = walk_times(&w);
    }
    if (e != OK)
        return e;
    struct act_found *found = arena_array(a, struct act_found, w.count);
    for (uint32_t i = 0; i < w.count; i++) {
        e = store_get_act_by_seq(r, w.seq[i], a, &found[i]);
        if (e != OK)
            return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    }
    *ret_acts = found;
    *ret_count = w.count;
    return OK;
}
