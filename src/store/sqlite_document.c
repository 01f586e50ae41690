#include "store/store_priv.h"

#include "store/document.h"

#include <sodium.h>

#include <sys/statvfs.h>

_Static_assert(DOCUMENT_HASH == crypto_hash_sha256_BYTES, "SHA-256");

enum { ROOM = 1 << 20 }; /* what an upload must leave: as much as the reserve has */

bool store_has_room(const struct store *s, size_t bytes)
{
    struct statvfs v;
    if (s->memory || statvfs(s->dir, &v) != 0) /* then the commit will find out */
        return true;
    /* once in the WAL, once in the database */
    uint64_t needed = 2 * ((uint64_t)bytes + s->group.bytes) + ROOM;
    return (uint64_t)v.f_bavail * v.f_frsize >= needed;
}

/* ---- writing ---- */

void store_measure_document(struct str bytes, struct document *d)
{
    d->size = bytes.n;
    (void)crypto_hash_sha256(d->hash, (const uint8_t *)bytes.p, bytes.n); /* cannot fail */
}

/* The number of this content, which is written when it is new. */
static enum err put_content(struct store *s, const uint8_t hash[DOCUMENT_HASH], struct str bytes,
                            int64_t *ret_no)
{
    int64_t no;
    enum err e =
        NUMBER(&s->c, "SELECT no FROM content WHERE hash = ?", 0, &no, BYTES(hash, DOCUMENT_HASH));
    if (e == OK && no == 0) {
        e = RUN(&s->c, "INSERT INTO content (hash, bytes) VALUES (?, ?)",
                BYTES(hash, DOCUMENT_HASH), BLOB(bytes));
        no = conn_new_row(&s->c);
        s->group.bytes += bytes.n;
    }
    if (e == OK)
        *ret_no = no;
    return e;
}

enum err store_add_document(struct store *s, const struct document *d, struct str bytes,
                            struct str payload, int64_t *ret_seq)
{
    int64_t content, seq;
    if (d->size != bytes.n)
        return ERR_VALUE;
    enum err e = put_content(s, d->hash, bytes, &content);
    if (e != OK)
        return e;
    buf_clear(&s->scratch);
    columns_document(&s->scratch, d);
    if (s->scratch.over)
        return s->c.failed = ERR_LIMIT;
    e = fact_add(s,
                 &(struct fact){
                     .kind = FACT_DOCUMENT, .columns = buf_view(&s->scratch), .payload = payload },
                 &seq);
    if (e == OK)
        e = RUN(&s->c, "INSERT INTO document (seq, id, content) VALUES (?, ?, ?)", INT(seq),
                BYTES(d->id.b, sizeof d->id.b), INT(content));
    if (e == OK)
        *ret_seq = seq;
    return e;
}

enum err store_attach_documents(struct store *s, int64_t fact, const int64_t *document,
                                uint32_t count)
{
    enum err e = OK;
    for (uint32_t i = 0; e == OK && i < count; i++)
        e = RUN(&s->c, "INSERT OR IGNORE INTO attachment (fact, document) VALUES (?, ?)", INT(fact),
                INT(document[i]));
    return e;
}

/* ---- reading ---- */

/* A row of (seq, columns). */
static bool read_row(struct sqlite3_stmt *q, struct arena *a, struct document *ret_d)
{
    if (!columns_read_document(col_copy(q, 1, a), ret_d))
        return false;
    ret_d->seq = col_int(q, 0);
    return true;
}

static enum err read_rows(struct sqlite3_stmt *q, uint32_t most, struct arena *a,
                          struct document **ret_d, uint32_t *ret_count)
{
    struct document *d = arena_array(a, struct document, most);
    uint32_t n = 0;
    enum err e = OK;
    while (n < most && (e = conn_next(q)) == OK) {
        if (!read_row(q, a, &d[n++]))
            return ERR_CORRUPT;
    }
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_d = d;
    *ret_count = n;
    return OK;
}

enum err store_get_document(struct store_reader *r, const struct id *id, struct arena *a,
                            struct document *ret_d)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c,
                       "SELECT d.seq, f.columns FROM document d JOIN fact f ON f.seq = d.seq"
                       " WHERE d.id = ?",
                       &q, BYTES(id->b, sizeof id->b));
    if (e != OK)
        return e;
    return read_row(q, a, ret_d) ? OK : ERR_CORRUPT;
}

enum err store_read_document(struct store_reader *r, const struct document *d, struct arena *a,
                             struct str *ret_bytes)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    uint8_t hash[DOCUMENT_HASH];
    enum err e = FIRST(r->c,
                       "SELECT c.bytes FROM document d JOIN content c ON c.no = d.content"
                       " WHERE d.seq = ?",
                       &q, INT(d->seq));
    if (e != OK)
        return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    struct str bytes = col_bytes(q, 0);
    (void)crypto_hash_sha256(hash, (const uint8_t *)bytes.p, bytes.n); /* cannot fail */
    if (bytes.n != d->size || memcmp(hash, d->hash, sizeof hash) != 0)
        return ERR_CORRUPT;
    *ret_bytes = arena_str(a, bytes);
    return OK;
}

enum err store_list_documents(struct store_reader *r, const struct id *after, uint32_t limit,
                              struct arena *a, struct document **ret_d, uint32_t *ret_count)
{
    must(limit >= 1 && limit <= LIMIT_LIST);
    int64_t before = INT64_MAX;
    if (after != NULL) {
        enum err e = NUMBER(r->c, "SELECT seq FROM document WHERE id = ?", 0, &before,
                            BYTES(after->b, sizeof after->b));
        if (e != OK || before == 0)
            return e != OK ? e : ERR_NOT_FOUND;
    }
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c,
                       "SELECT d.seq, f.columns FROM document d JOIN fact f ON f.seq = d.seq"
                       " WHERE d.seq < ? ORDER BY d.seq DESC LIMIT ?",
                       &q, INT(before), INT(limit));
    return e == OK ? read_rows(q, limit, a, ret_d, ret_count) : e;
}

enum err store_list_attached(struct store_reader *r, int64_t fact, struct arena *a,
                             struct document **ret_d, uint32_t *ret_count)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c,
                       "SELECT f.seq, f.columns FROM attachment t JOIN fact f ON f.seq = t.document"
                       " WHERE t.fact = ? ORDER BY t.document",
                       &q, INT(fact));
    return e == OK ? read_rows(q, LIMIT_PROOFS_PER_ACT, a, ret_d, ret_count) : e;
}
