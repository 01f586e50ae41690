#include "store/store_priv.h"

#include "store/finding.h"

enum err store_add_finding(struct store *s, const struct finding *f, struct str payload,
                           int64_t *ret_seq)
{
    int64_t seq;
    buf_clear(&s->scratch);
    columns_finding(&s->scratch, f);
    if (s->scratch.over)
        return s->c.failed = ERR_LIMIT;
    enum err e =
        fact_add(s,
                 &(struct fact){
                     .kind = FACT_FINDING, .columns = buf_view(&s->scratch), .payload = payload },
                 &seq);
    if (e == OK)
        e = RUN(&s->c, "INSERT INTO finding (seq, identifier, hash) VALUES (?, ?, ?)", INT(seq),
                TEXT(f->identifier), BYTES(f->hash, sizeof f->hash));
    if (e == OK)
        *ret_seq = seq;
    return e;
}

enum err store_newest_finding(struct store_reader *r, struct str identifier, struct arena *a,
                              struct finding *ret_f)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    struct finding f;
    enum err e = FIRST(r->c,
                       "SELECT n.seq, n.version, f.columns FROM finding n JOIN fact f"
                       " ON f.seq = n.seq WHERE n.identifier = ? ORDER BY n.seq DESC LIMIT 1",
                       &q, TEXT(identifier));
    if (e != OK)
        return e;
    if (!columns_read_finding(col_copy(q, 2, a), &f))
        return ERR_CORRUPT;
    f.seq = col_int(q, 0);
    f.version = (uint32_t)col_int(q, 1);
    *ret_f = f;
    return OK;
}

enum err store_pending_finding(struct store_reader *r, struct str identifier, struct arena *a,
                               struct finding *ret_f)
{
    struct finding f;
    int64_t same;
    enum err e = store_newest_finding(r, identifier, a, &f);
    if (e != OK || f.version > 0)
        return e != OK ? e : ERR_NOT_FOUND;
    /* it went back to what the newest version was made of */
    e = NUMBER(r->c,
               "SELECT count(*) FROM finding WHERE identifier = ?1 AND hash = ?2 AND version ="
               " (SELECT max(version) FROM notice WHERE identifier = ?1)",
               0, &same, TEXT(identifier), BYTES(f.hash, sizeof f.hash));
    if (e == OK && same > 0)
        return ERR_NOT_FOUND;
    if (e == OK)
        *ret_f = f;
    return e;
}

enum err store_confirm_finding(struct store *s, int64_t finding, uint32_t version)
{
    return RUN(&s->c, "UPDATE finding SET version = ? WHERE seq = ?", INT(version), INT(finding));
}

uint32_t store_notice_at(struct store_reader *r, struct str identifier, int64_t at_ms)
{
    int64_t version;
    enum err e = NUMBER(r->c,
                        "SELECT version FROM notice WHERE identifier = ? AND timestamp_ms <= ?"
                        " ORDER BY timestamp_ms DESC, version DESC LIMIT 1",
                        0, &version, TEXT(identifier), INT(at_ms));
    return e == OK ? (uint32_t)version : 0;
}
