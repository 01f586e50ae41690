/* Uploaded documents: their rows, their bytes, and to what they are attached. */
#include "store/verify_priv.h"

#include "codec/json.h"
#include "store/document.h"

#include <sodium.h>

enum err verify_document(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct document d;
    char id[ID_TEXT + 1];
    int64_t n;
    *ret_ok = columns_read_document(f->columns, &d);
    if (!*ret_ok)
        return OK;
    v->documents++;
    id_format(&d.id, id);
    enum err e = NUMBER(v->c,
                        "SELECT count(*) FROM document d JOIN content c ON c.no = d.content"
                        " WHERE d.seq = ? AND d.id = ? AND c.hash = ? AND length(c.bytes) = ?",
                        0, &n, INT(f->seq), BYTES(d.id.b, sizeof d.id.b),
                        BYTES(d.hash, sizeof d.hash), INT(d.size));
    if (e == OK && n == 0)
        verify_fault(v, "fact %lld (document %s): its rows do not agree with it", (long long)f->seq,
                     id);
    return e;
}

/* ---- attachments ---- */

struct named {
    int64_t seq[2 * LIMIT_PROOFS_PER_ACT];
    uint32_t count;
};

/* An id that names no document, or one that came later, was kept as it was said and ties nothing. */
static enum err name_one(struct verify *v, const struct fact_read *f, struct str text,
                         struct named *names)
{
    struct id id;
    int64_t seq;
    if (!id_parse(str_trim(text), &id))
        return OK;
    enum err e =
        NUMBER(v->c, "SELECT seq FROM document WHERE id = ?", 0, &seq, BYTES(id.b, sizeof id.b));
    if (e != OK || seq == 0 || seq > f->seq)
        return e;
    for (uint32_t i = 0; i < names->count; i++) {
        if (names->seq[i] == seq)
            return OK;
    }
    if (names->count < COUNT(names->seq))
        names->seq[names->count++] = seq;
    return OK;
}

static enum err name_all(struct verify *v, const struct fact_read *f, struct str member,
                         struct named *names)
{
    struct json_doc d;
    struct str text;
    enum err e = OK;
    if (f->payload.n == 0 || memmem(f->payload.p, f->payload.n, member.p, member.n) == NULL ||
        json_scan(f->payload, &v->a, &d, NULL) != OK)
        return OK;
    uint32_t list = json_get(&d, JSON_ROOT, member);
    if (json_type(&d, list) != JSON_ARRAY)
        return OK;
    for (uint32_t i = json_first(&d, list); e == OK && i; i = json_next(&d, list, i)) {
        if (json_string(&d, i, &v->a, &text))
            e = name_one(v, f, text, names);
    }
    return e;
}

enum err verify_attached(struct verify *v, const struct fact_read *f, struct str member)
{
    struct named names = { 0 };
    int64_t n;
    enum err e = name_all(v, f, member, &names);
    for (uint32_t i = 0; e == OK && i < names.count; i++) {
        v->attachments++;
        e = NUMBER(v->c, "SELECT count(*) FROM attachment WHERE fact = ? AND document = ?", 0, &n,
                   INT(f->seq), INT(names.seq[i]));
        if (e == OK && n == 0)
            verify_fault(v, "fact %lld: a document that it names is not attached to it",
                         (long long)f->seq);
    }
    return e;
}

/* ---- the bytes ---- */

static enum err tell(struct verify *v, int64_t content)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    struct id id;
    char text[ID_TEXT + 1];
    bool any = false;
    enum err e = QUERY(v->c, "SELECT seq, id FROM document WHERE content = ? ORDER BY seq", &q,
                       INT(content));
    while (e == OK && (e = conn_next(q)) == OK) {
        any = true;
        text[0] = 0;
        if (col_id(q, 1, &id))
            id_format(&id, text);
        verify_fault(v, "document %s (fact %lld): its bytes are not those that were uploaded", text,
                     (long long)col_int(q, 0));
    }
    if (!any)
        verify_fault(v, "content %lld: its bytes do not agree with its hash", (long long)content);
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err verify_contents(struct verify *v)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    uint8_t hash[DOCUMENT_HASH];
    int64_t unused = 0;
    enum err e = QUERY(v->c, "SELECT no, hash, bytes FROM content ORDER BY no", &q);
    while (e == OK && (e = conn_next(q)) == OK) {
        struct str stored = col_bytes(q, 1), bytes = col_bytes(q, 2);
        (void)crypto_hash_sha256(hash, (const uint8_t *)bytes.p, bytes.n); /* cannot fail */
        if (stored.n != sizeof hash || memcmp(stored.p, hash, sizeof hash) != 0)
            e = tell(v, col_int(q, 0));
    }
    if (e != ERR_NOT_FOUND)
        return e;
    e = NUMBER(v->c, "SELECT count(*) FROM content WHERE no NOT IN (SELECT content FROM document)",
               0, &unused);
    if (e == OK && unused > 0)
        verify_fault(v, "content: %lld rows of no document", (long long)unused);
    return e;
}
