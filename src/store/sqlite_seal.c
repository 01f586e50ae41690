/* Seals, signing keys and time stamps are facts; nothing is derived from them. */
#include "store/proof.h"
#include "store/store_priv.h"

#include "codec/json.h"

_Static_assert(FACT_SEAL == 20 && FACT_SIGNING_KEY == 21 && FACT_STAMP == 22,
               "these numbers stand in statements");

/* ---- seals ---- */

static enum err take_seal(struct sqlite3_stmt *q, struct arena *a, struct seal_found *ret_s)
{
    struct seal_columns c;
    struct seal_found s = { .seq = col_int(q, 0), .statement = col_copy(q, 2, a) };
    if (!columns_read_seal(col_copy(q, 1, a), &c) || !seal_read(s.statement, a, &s.seal))
        return ERR_CORRUPT;
    s.signature = c.signature;
    *ret_s = s;
    return OK;
}

enum err store_newest_seal(struct store_reader *r, struct arena *a, struct seal_found *ret_s)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c,
                       "SELECT seq, columns, payload FROM fact WHERE kind = 20"
                       " ORDER BY seq DESC LIMIT 1",
                       &q);
    return e == OK ? take_seal(q, a, ret_s) : e;
}

enum err store_seal_after(struct store_reader *r, int64_t seq, struct arena *a,
                          struct seal_found *ret_s)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c,
                       "SELECT seq, columns, payload FROM fact WHERE kind = 20 AND seq > ?"
                       " ORDER BY seq LIMIT 1",
                       &q, INT(seq));
    return e == OK ? take_seal(q, a, ret_s) : e;
}

enum err store_seal_over(struct store_reader *r, int64_t group, struct arena *a,
                         struct seal_found *ret_s)
{
    /* it was written after the group, so almost always it is the first one behind it */
    int64_t seq;
    enum err e = NUMBER(r->c, "SELECT last_seq FROM chain WHERE number = ?", -1, &seq, INT(group));
    if (e == OK && seq < 0)
        return ERR_NOT_FOUND;
    struct seal_found s;
    while (e == OK && (e = store_seal_after(r, seq, a, &s)) == OK && s.seal.to < group)
        seq = s.seq;
    if (e == OK)
        *ret_s = s;
    return e;
}

static enum err add(struct store *s, enum fact_kind kind, struct str payload)
{
    int64_t seq;
    must(s->group.open);
    if (s->scratch.over)
        return s->c.failed = ERR_LIMIT;
    return fact_add(
        s, &(struct fact){ .kind = kind, .columns = buf_view(&s->scratch), .payload = payload },
        &seq);
}

enum err store_add_seal(struct store *s, struct str statement, struct str signature)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct seal_found newest;
    struct seal seal;
    if (!seal_read(statement, &a, &seal))
        return ERR_VALUE;
    enum err e = store_newest_seal(&s->reader, &a, &newest);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    if (seal.from != (e == OK ? newest.seal.to + 1 : 1))
        return ERR_STALE;
    buf_clear(&s->scratch);
    columns_seal(&s->scratch, &(struct seal_columns){ seal.from, seal.to, signature });
    return add(s, FACT_SEAL, statement);
}

/* ---- stamps ---- */

enum err store_stamp_over(struct store_reader *r, int64_t seal_seq, struct arena *a,
                          struct stamp_found *ret_s)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c, "SELECT columns FROM fact WHERE kind = 22 AND seq > ? ORDER BY seq",
                       &q, INT(seal_seq));
    while (e == OK && (e = conn_next(q)) == OK) {
        struct stamp_columns c;
        if (!columns_read_stamp(col_bytes(q, 0), &c))
            return ERR_CORRUPT;
        if (c.seal_seq < seal_seq)
            continue;
        *ret_s = (struct stamp_found){ .seal_seq = c.seal_seq,
                                       .authority = arena_str(a, c.authority),
                                       .token = arena_str(a, c.token) };
        return OK;
    }
    return e;
}

enum err store_add_stamp(struct store *s, const struct stamp_found *stamp, int64_t at_ms)
{
    AUTO(buf_fini) struct buf payload = BUF_INIT(LIMIT_GROUP_BYTES);
    buf_printf(&payload, "{\"seal\":%lld,\"at\":%lld,\"authority\":", (long long)stamp->seal_seq,
               (long long)at_ms);
    json_write_string(&payload, stamp->authority);
    buf_byte(&payload, '}');
    buf_clear(&s->scratch);
    columns_stamp(&s->scratch, &(struct stamp_columns){ stamp->seal_seq, at_ms, stamp->authority,
                                                        stamp->token });
    return payload.over ? ERR_LIMIT : add(s, FACT_STAMP, buf_view(&payload));
}

/* ---- keys ---- */

enum err store_list_signing_keys(struct store_reader *r, struct arena *a, struct key_found **ret_k,
                                 uint32_t *ret_count)
{
    struct key_found *keys = arena_array(a, struct key_found, LIMIT_SIGNING_KEYS);
    uint32_t n = 0;
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c, "SELECT columns, payload FROM fact WHERE kind = 21 ORDER BY seq", &q);
    while (e == OK && (e = conn_next(q)) == OK) {
        struct key_columns c;
        struct key_found k = { .statement = col_copy(q, 1, a) };
        if (n == LIMIT_SIGNING_KEYS || !columns_read_key(col_copy(q, 0, a), &c) ||
            !key_statement_read(k.statement, a, &k.key))
            return ERR_CORRUPT;
        k.by_itself = c.by_itself;
        k.by_previous = c.by_previous;
        keys[n++] = k;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *ret_k = keys;
    *ret_count = n;
    return OK;
}

enum err store_add_signing_key(struct store *s, const struct key_found *k)
{
    buf_clear(&s->scratch);
    columns_key(&s->scratch, &(struct key_columns){ k->by_itself, k->by_previous });
    return add(s, FACT_SIGNING_KEY, k->statement);
}
