/* What a proof is made of: facts as they stand, and the group around one. */
#include "store/proof.h"
#include "store/store_priv.h"

#include <sqlite3.h>

enum err store_hold(struct store_reader *r, struct err_info *info)
{
    eventlog_hold(&r->log);
    r->began = sqlite3_get_autocommit(r->c->db) != 0; /* in memory it may be the writer's own */
    enum err e = r->began ? conn_exec(r->c, "BEGIN") : OK;
    if (e == OK)
        return OK;
    e = conn_set_err(r->c, e, info);
    store_release(r);
    return e;
}

void store_release(struct store_reader *r)
{
    if (r->began)
        conn_rollback(r->c);
    r->began = false;
    eventlog_release(&r->log);
}

enum err store_get_fact(struct store_reader *r, int64_t seq, struct arena *a,
                        struct proof_fact *ret_f)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c, "SELECT kind, key, leaf, columns, payload FROM fact WHERE seq = ?", &q,
                       INT(seq));
    if (e != OK)
        return e;
    struct proof_fact f = { .seq = seq,
                            .kind = (unsigned)col_int(q, 0),
                            .emptied = col_is_null(q, 1),
                            .key = col_copy(q, 1, a),
                            .leaf = col_copy(q, 2, a),
                            .columns = col_copy(q, 3, a),
                            .payload = col_copy(q, 4, a) };
    if (f.leaf.n != CHAIN_HASH || (!f.emptied && f.key.n != CHAIN_KEY))
        return ERR_CORRUPT;
    *ret_f = f;
    return OK;
}

/* ---- lists ---- */

static enum err take_list(struct conn *c, struct sqlite3_stmt *q, uint32_t most, struct arena *a,
                          struct fact_list *ret_l)
{
    AUTO(buf_fini) struct buf seqs = BUF_INIT((size_t)most * sizeof(int64_t));
    enum err e;
    (void)c;
    while ((e = conn_next(q)) == OK) {
        int64_t seq = col_int(q, 0);
        buf_add(&seqs, &seq, sizeof seq);
        if (seqs.over)
            return ERR_LIMIT;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *ret_l = (struct fact_list){ .seq = arena_array(a, int64_t, seqs.n / sizeof(int64_t) + 1),
                                 .count = (uint32_t)(seqs.n / sizeof(int64_t)) };
    if (seqs.n)
        memcpy(ret_l->seq, seqs.p, seqs.n);
    return OK;
}

enum err store_facts_of(struct store_reader *r, struct str subject, uint32_t most, struct arena *a,
                        struct fact_list *ret_l)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    int64_t no;
    enum err e = subject_number(r->c, subject, &no);
    if (e == OK)
        e = QUERY(r->c, "SELECT seq FROM fact WHERE subject = ? ORDER BY seq", &q, INT(no));
    return e == OK ? take_list(r->c, q, most, a, ret_l) : e;
}

enum err store_facts_of_kind(struct store_reader *r, enum fact_kind kind, uint32_t most,
                             struct arena *a, struct fact_list *ret_l)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    must(kind > FACT_SUBJECT); /* the index has no others */
    enum err e =
        QUERY(r->c, "SELECT seq FROM fact WHERE kind = ? AND kind > 2 ORDER BY seq", &q, INT(kind));
    return e == OK ? take_list(r->c, q, most, a, ret_l) : e;
}

enum err store_notice_fact(struct store_reader *r, struct str identifier, uint32_t version,
                           int64_t *ret_seq)
{
    int64_t seq;
    enum err e = NUMBER(r->c, "SELECT seq FROM notice WHERE identifier = ? AND version = ?", 0,
                        &seq, TEXT(identifier), INT(version));
    if (e == OK && seq == 0)
        return ERR_NOT_FOUND;
    if (e == OK)
        *ret_seq = seq;
    return e;
}

/* ---- groups ---- */

struct link {
    int64_t number, at_ms, last_seq;
    uint8_t hash[CHAIN_HASH];
};

static enum err read_link(struct conn *c, int64_t number, struct link *ret_l)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    if (number == 0) { /* before the first */
        *ret_l = (struct link){ 0 };
        return OK;
    }
    enum err e =
        FIRST(c, "SELECT at_ms, last_seq, hash FROM chain WHERE number = ?", &q, INT(number));
    if (e != OK)
        return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    struct str hash = col_bytes(q, 2);
    if (hash.n != CHAIN_HASH)
        return ERR_CORRUPT;
    *ret_l = (struct link){ .number = number, .at_ms = col_int(q, 0), .last_seq = col_int(q, 1) };
    memcpy(ret_l->hash, hash.p, CHAIN_HASH);
    return OK;
}

static enum err newest_number(struct conn *c, int64_t *ret_number)
{
    return NUMBER(c, "SELECT max(number) FROM chain", 0, ret_number);
}

/* The first link for which `is` holds, which holds for all behind it: the chain has no gaps.
 * One behind the newest: there is none. */
static enum err search(struct conn *c, bool (*is)(const struct link *l, int64_t wanted),
                       int64_t wanted, int64_t *ret_number)
{
    int64_t low = 1, high;
    enum err e = newest_number(c, &high);
    high++;
    while (e == OK && low < high) {
        struct link l;
        int64_t middle = low + (high - low) / 2;
        e = read_link(c, middle, &l);
        if (e == OK && is(&l, wanted))
            high = middle;
        else if (e == OK)
            low = middle + 1;
    }
    if (e == OK)
        *ret_number = low;
    return e;
}

static bool has_fact(const struct link *l, int64_t seq)
{
    return l->last_seq >= seq;
}

static bool is_not_before(const struct link *l, int64_t at_ms)
{
    return l->at_ms >= at_ms;
}

static bool is_after(const struct link *l, int64_t at_ms)
{
    return l->at_ms > at_ms;
}

enum err store_group_number(struct store_reader *r, int64_t seq, int64_t *ret_number)
{
    int64_t number, newest;
    enum err e = newest_number(r->c, &newest);
    if (e == OK)
        e = search(r->c, has_fact, seq, &number);
    if (e == OK && number > newest)
        return ERR_NOT_FOUND;
    if (e == OK)
        *ret_number = number;
    return e;
}

static enum err add_leaves(struct store_reader *r, const struct proof_group *g, struct buf *to)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c, "SELECT leaf FROM fact WHERE seq BETWEEN ? AND ? ORDER BY seq", &q,
                       INT(g->first_seq), INT(g->last_seq));
    while (e == OK && (e = conn_next(q)) == OK) {
        struct str leaf = col_bytes(q, 0);
        if (leaf.n != CHAIN_HASH)
            return ERR_CORRUPT;
        buf_str(to, leaf);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    struct segment_row row;
    e = segment_fetch(r, g->number, LOG_WHOLE, &row);
    if (e == OK)
        buf_str(to, row.leaves);
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err store_group_of(struct store_reader *r, int64_t seq, struct arena *a,
                        struct proof_group *ret_g)
{
    struct link before, is;
    int64_t number;
    enum err e = store_group_number(r, seq, &number);
    if (e == OK)
        e = read_link(r->c, number - 1, &before);
    if (e == OK)
        e = read_link(r->c, number, &is);
    if (e != OK)
        return e;
    struct proof_group g = { .number = number,
                             .at_ms = is.at_ms,
                             .first_seq = before.last_seq + 1,
                             .last_seq = is.last_seq };
    memcpy(g.previous, before.hash, CHAIN_HASH);
    memcpy(g.head, is.hash, CHAIN_HASH);
    AUTO(buf_fini) struct buf leaves = BUF_INIT(2 * LIMIT_GROUP_BYTES);
    e = add_leaves(r, &g, &leaves);
    if (e == OK && leaves.over)
        e = ERR_CORRUPT;
    if (e != OK)
        return e;
    g.leaves = arena_str(a, buf_view(&leaves));
    *ret_g = g;
    return OK;
}

enum err store_facts_between(struct store_reader *r, int64_t from_ms, int64_t to_ms, uint32_t most,
                             struct arena *a, struct fact_list *ret_l)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    struct link before, last;
    int64_t first, behind;
    enum err e = search(r->c, is_not_before, from_ms, &first);
    if (e == OK)
        e = search(r->c, is_after, to_ms, &behind);
    if (e == OK)
        e = read_link(r->c, first - 1, &before);
    if (e == OK)
        e = read_link(r->c, behind - 1, &last);
    if (e == OK)
        e = QUERY(r->c,
                  "SELECT seq FROM fact WHERE seq > ? AND seq <= ? AND subject IS NOT NULL"
                  " ORDER BY seq",
                  &q, INT(before.last_seq), INT(last.last_seq));
    return e == OK ? take_list(r->c, q, most, a, ret_l) : e;
}

enum err store_each_head(struct store_reader *r, int64_t from, int64_t to,
                         void (*fn)(void *ctx, const uint8_t head[CHAIN_HASH]), void *ctx)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    int64_t next = from;
    enum err e = QUERY(r->c,
                       "SELECT number, hash FROM chain WHERE number BETWEEN ? AND ?"
                       " ORDER BY number",
                       &q, INT(from), INT(to));
    while (e == OK && (e = conn_next(q)) == OK) {
        struct str hash = col_bytes(q, 1);
        if (col_int(q, 0) != next || hash.n != CHAIN_HASH)
            return ERR_CORRUPT;
        fn(ctx, (const uint8_t *)hash.p);
        next++;
    }
    if (e == ERR_NOT_FOUND)
        e = next == to + 1 ? OK : ERR_CORRUPT;
    return e;
}
