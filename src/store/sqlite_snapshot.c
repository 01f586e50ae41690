#include "store/store_priv.h"

#include <stdlib.h>

static struct snapshot *make(int64_t seq, uint32_t flags, const struct standings *s)
{
    struct snapshot *n = must_alloc(sizeof *n + s->count * sizeof s->at[0]);
    *n = (struct snapshot){ .seq = seq, .flags = flags, .count = s->count };
    if (s->count)
        memcpy(n->standing, s->at, s->count * sizeof s->at[0]);
    return n;
}

struct standing standing_read(struct sqlite3_stmt *q)
{
    uint32_t class = (uint32_t)col_int(q, 3);
    return (struct standing){ .purpose = (uint32_t)col_int(q, 2),
                              .grant = class & CLASS_GRANT,
                              .confirmed = class & CLASS_CONFIRMED,
                              .bare = class & CLASS_BARE,
                              .imported = class & CLASS_IMPORTED,
                              .version = (uint32_t)col_int(q, 4),
                              .first_effect = col_int(q, 5),
                              .first_seq = col_int(q, 6),
                              .last_effect = col_int(q, 7),
                              .last_seq = col_int(q, 8) };
}

static enum err load_now(struct conn *c, struct str subject, struct snapshot **ret_snapshot)
{
    AUTO(standings_fini) struct standings s = { 0 };
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    /* one statement is one read transaction: this is asked for each unknown subject of an event */
    enum err e = QUERY(c,
                       "SELECT s.seq, s.flags, t.purpose, t.class, t.version, t.first_effect,"
                       " t.first_seq, t.last_effect, t.last_seq"
                       " FROM subject s LEFT JOIN standing t ON t.subject = s.no WHERE s.id = ?",
                       &q, TEXT(subject));
    if (e != OK)
        return e;
    int64_t seq = 0;
    uint32_t flags = 0;
    while ((e = conn_next(q)) == OK) {
        seq = col_int(q, 0);
        flags = (uint32_t)col_int(q, 1);
        if (col_is_null(q, 2))
            continue;
        struct standing one = standing_read(q);
        standings_add(&s, &one);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *ret_snapshot = make(seq, flags, &s);
    return OK;
}

static void set_flag(uint32_t *flags, uint32_t flag, bool on)
{
    *flags = on ? *flags | flag : *flags & ~flag;
}

static bool join_fact(enum fact_kind kind, struct str columns, int64_t seq, struct standings *s,
                      uint32_t *flags)
{
    struct subject_row row;
    struct restriction_columns r;
    switch (kind) {
    case FACT_ACT: return standings_add_act(s, columns, seq);
    case FACT_SUBJECT:
        if (!columns_read_subject(columns, &row))
            return false;
        set_flag(flags, SUBJECT_VERIFIED, row.verified);
        return true;
    case FACT_RESTRICTION:
        if (!columns_read_restriction(columns, &r))
            return false;
        set_flag(flags, SUBJECT_RESTRICTED, r.restricted);
        return true;
    default: return true;
    }
}

static enum err load_past(struct conn *c, struct str subject, int64_t up_to_seq,
                          struct snapshot **ret_snapshot)
{
    AUTO(standings_fini) struct standings s = { 0 };
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(c,
                       "SELECT seq, kind, columns FROM fact"
                       " WHERE subject = (SELECT no FROM subject WHERE id = ?) AND seq <= ?"
                       " ORDER BY seq",
                       &q, TEXT(subject), INT(up_to_seq));
    if (e != OK)
        return e;
    int64_t seq = 0;
    uint32_t flags = 0;
    while ((e = conn_next(q)) == OK) {
        seq = col_int(q, 0);
        if (!join_fact((enum fact_kind)col_int(q, 1), col_bytes(q, 2), seq, &s, &flags))
            return ERR_CORRUPT;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *ret_snapshot = make(seq, flags, &s);
    return OK;
}

enum err store_load_snapshot(struct store_reader *r, struct str subject, int64_t up_to_seq,
                             struct snapshot **ret_snapshot)
{
    if (up_to_seq == INT64_MAX)
        return load_now(r->c, subject, ret_snapshot);
    return load_past(r->c, subject, up_to_seq, ret_snapshot);
}
