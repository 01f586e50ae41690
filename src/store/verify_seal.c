/* Seals: that they are signed by a key that is known, follow one another, and say of the
 * chain what is in it. */
#include "store/verify_priv.h"
#include "store/merkle.h"
#include "store/proof.h"

static void wrong(struct verify *v, const struct fact_read *f, const char *what)
{
    verify_fault(v, "fact %lld (seal): %s", (long long)f->seq, what);
}

static void add_head(void *ctx, const uint8_t head[CHAIN_HASH])
{
    merkle_add(ctx, head);
}

static enum err check_heads(struct verify *v, const struct fact_read *f, const struct seal *s)
{
    struct merkle tree = { 0 };
    uint8_t root[CHAIN_HASH];
    struct chain_head head;
    enum err e = store_get_head(v->r, s->to, &head);
    if (e == OK && memcmp(head.hash, s->head, CHAIN_HASH) != 0)
        wrong(v, f, "group has another head than was sealed");
    if (e == OK)
        e = store_each_head(v->r, s->from, s->to, add_head, &tree);
    if (e == OK) {
        merkle_root(&tree, root);
        if (memcmp(root, s->root, CHAIN_HASH) != 0)
            wrong(v, f, "the groups that it covers have other heads than were sealed");
    }
    if (e == ERR_NOT_FOUND || e == ERR_CORRUPT)
        wrong(v, f, "groups that it covers are missing");
    return e == ERR_NOT_FOUND || e == ERR_CORRUPT ? OK : e;
}

static enum err check_previous(struct verify *v, const struct fact_read *f, const struct seal *s)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    uint8_t hash[CHAIN_HASH];
    enum err e = FIRST(v->c,
                       "SELECT payload, columns FROM fact WHERE kind = 20 AND seq < ?"
                       " ORDER BY seq DESC LIMIT 1",
                       &q, INT(f->seq));
    if (e == ERR_NOT_FOUND) {
        if (s->has_previous || s->from != 1)
            wrong(v, f, "the seal before it is missing");
        return OK;
    }
    if (e != OK)
        return e;
    struct seal_columns before = { 0 };
    chain_hash(col_bytes(q, 0), hash);
    bool read = columns_read_seal(col_bytes(q, 1), &before);
    if (!s->has_previous || memcmp(hash, s->previous, CHAIN_HASH) != 0 ||
        (read && s->from != before.to + 1))
        wrong(v, f, "it does not follow the seal before it");
    return OK;
}

/* Among those that came before it. */
static enum err check_key(struct verify *v, const struct fact_read *f, const struct seal *s)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    struct key_statement k;
    enum err e =
        QUERY(v->c, "SELECT payload FROM fact WHERE kind = 21 AND seq < ?", &q, INT(f->seq));
    while (e == OK && (e = conn_next(q)) == OK)
        if (key_statement_read(col_bytes(q, 0), &v->a, &k) &&
            memcmp(k.public, s->key, SIGN_KEY) == 0)
            return OK;
    if (e == ERR_NOT_FOUND)
        wrong(v, f, "its key is not known");
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err verify_seal(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct seal_columns c;
    struct seal s;
    *ret_ok = columns_read_seal(f->columns, &c) && seal_read(f->payload, &v->a, &s);
    if (!*ret_ok)
        return OK;
    if (c.from != s.from || c.to != s.to)
        wrong(v, f, "its columns say something else than its statement");
    if (!sign_agrees(s.key, f->payload, c.signature))
        wrong(v, f, "its signature is not of its key");
    enum err e = check_key(v, f, &s);
    if (e == OK)
        e = check_previous(v, f, &s);
    return e == OK ? check_heads(v, f, &s) : e;
}

enum err verify_signing_key(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct key_columns c;
    struct key_statement k;
    *ret_ok = columns_read_key(f->columns, &c) && key_statement_read(f->payload, &v->a, &k);
    if (!*ret_ok)
        return OK;
    if (!sign_agrees(k.public, f->payload, c.by_itself) ||
        (c.by_previous.n &&
         !(k.has_previous && sign_agrees(k.previous, f->payload, c.by_previous))))
        verify_fault(v, "fact %lld (signing key): its signatures do not agree with it",
                     (long long)f->seq);
    return OK;
}

/* What the token says is looked at where it is shown (audit/stamp.h). */
enum err verify_stamp(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct stamp_columns c;
    int64_t kind;
    *ret_ok = columns_read_stamp(f->columns, &c);
    if (!*ret_ok)
        return OK;
    enum err e = NUMBER(v->c, "SELECT kind FROM fact WHERE seq = ? AND seq < ?", 0, &kind,
                        INT(c.seal_seq), INT(f->seq));
    if (e == OK && kind != FACT_SEAL)
        verify_fault(v, "fact %lld (time stamp): its seal is missing", (long long)f->seq);
    return e;
}
