#include "store/verify_priv.h"

static void wrong(struct verify *v, const struct segment_row *s, const char *what)
{
    verify_fault(v, "segment %lld: %s", (long long)s->number, what);
}

static void wrong_event(struct verify *v, const struct segment_row *s, uint32_t index,
                        const struct stored_event *e, const char *what)
{
    char id[ID_TEXT + 1];
    id_format(&e->id, id);
    verify_fault(v, "event %s (segment %lld, %u): %s", id, (long long)s->number, index, what);
}

/* ---- a segment that retention rewrote ---- */

static enum err load_retention(struct verify *v, int64_t seq)
{
    if (v->retention_seq == seq)
        return OK;
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    buf_clear(&v->retention);
    v->retention_seq = 0;
    enum err e = FIRST(v->c, "SELECT columns FROM fact WHERE seq = ? AND kind = ?", &q, INT(seq),
                       INT(FACT_RETENTION));
    if (e == OK) {
        buf_str(&v->retention, col_bytes(q, 0));
        v->retention_seq = seq;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err check_rewritten(struct verify *v, const struct segment_row *s)
{
    enum err e = load_retention(v, s->retention_seq);
    if (e != OK)
        return e;
    uint8_t hash[CHAIN_HASH];
    chain_hash(s->bytes, hash);
    struct str named, named_hash;
    int64_t number;
    if (columns_read_retention(buf_view(&v->retention), &named))
        while (columns_next_named(&named, &number, &named_hash))
            if (number == s->number && memcmp(named_hash.p, hash, CHAIN_HASH) == 0)
                return OK;
    wrong(v, s, "was rewritten, and no retention fact says so");
    return OK;
}

/* ---- events ---- */

static void check_leaf(struct verify *v, const struct segment_row *s, uint32_t index,
                       const struct stored_event *e, struct str entry)
{
    static const uint8_t no_key[CHAIN_KEY];
    if (memcmp(s->keys.p + (size_t)index * CHAIN_KEY, no_key, CHAIN_KEY) == 0) {
        v->result.emptied++; /* then the hash of the whole stands for it */
        if (s->retention_seq == 0)
            wrong_event(v, s, index, e, "its body was cut, and no retention fact says so");
    } else if (!entry_agrees(s->leaves, s->keys, s->number, index, entry)) {
        wrong_event(v, s, index, e, "its leaf does not agree with it");
    }
}

static void check_events(struct verify *v, const struct segment_row *s, uint32_t count)
{
    struct segment_cursor c;
    struct stored_event e;
    struct str entry;
    segment_start(s->bytes, &c);
    while (c.index < count && segment_next(&c, &e, &entry) == OK) {
        check_leaf(v, s, c.index - 1, &e, entry);
        if (!brief_agrees(s->brief, c.index - 1, v->r, &e, s->first_ms))
            wrong_event(v, s, c.index - 1, &e, "its brief does not agree with it");
    }
}

enum err verify_segment(struct verify *v, const struct segment_row *s)
{
    if (s->count < 1 || s->count > LIMIT_GROUP_BYTES || s->keys.n != (size_t)s->count * CHAIN_KEY ||
        s->leaves.n != (size_t)s->count * CHAIN_HASH || s->brief.n != (size_t)s->count * BRIEF) {
        wrong(v, s, "its columns are of another length than its events");
        return OK;
    }
    struct segment_sums sums;
    if (segment_sum(s->bytes, s->count, &sums) != OK)
        verify_fault(v, "segment %lld: cannot be read behind event %u", (long long)s->number,
                     sums.count);
    check_events(v, s, sums.count);
    v->result.events += sums.count;
    if (sums.count != s->count || sums.first_ms != s->first_ms || sums.last_ms != s->last_ms ||
        sums.permitted != s->permitted)
        wrong(v, s, "its number of events, times or destinations do not agree with them");
    return s->retention_seq ? check_rewritten(v, s) : OK;
}
