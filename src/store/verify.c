#include "store/verify_priv.h"

#include <sqlite3.h>

#include <stdarg.h>

void verify_fault(struct verify *v, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    v->result.faults++;
    if (v->fault)
        v->fault(v->ctx, text);
}

/* ---- the chain: groups, facts and segments, each read once, side by side ---- */

struct walk {
    struct verify *v;
    struct sqlite3_stmt *facts, *segments;
    bool fact_there, segment_there; /* the statements stand on a row */
    int64_t last_seq;
    uint8_t previous[CHAIN_HASH];
    struct buf leaves, event_leaves;
    bool in_log; /* the group at hand is in the event log, which has its head as well */
    uint8_t log_head[CHAIN_HASH];
};

static void walk_fini(struct walk *w)
{
    query_done(&w->facts);
    query_done(&w->segments);
    buf_fini(&w->leaves);
    buf_fini(&w->event_leaves);
}

static enum err step(struct sqlite3_stmt *q, bool *ret_there)
{
    enum err e = conn_next(q);
    *ret_there = e == OK;
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err walk_start(struct walk *w)
{
    enum err e = QUERY(
        w->v->c, "SELECT seq, kind, subject, key, leaf, columns, payload FROM fact ORDER BY seq",
        &w->facts);
    if (e == OK)
        e = step(w->facts, &w->fact_there);
    if (e == OK)
        e = QUERY(w->v->c, "SELECT " SEGMENT_COLUMNS " FROM segment s ORDER BY number",
                  &w->segments);
    return e == OK ? step(w->segments, &w->segment_there) : e;
}

static enum err take_fact(struct walk *w)
{
    struct sqlite3_stmt *q = w->facts;
    struct fact_read f = { .seq = col_int(q, 0),
                           .kind = col_int(q, 1),
                           .subject = col_int(q, 2),
                           .emptied = col_is_null(q, 3),
                           .key = col_bytes(q, 3),
                           .leaf = col_bytes(q, 4),
                           .columns = col_bytes(q, 5),
                           .payload = col_bytes(q, 6) };
    if (f.seq != w->last_seq + 1)
        verify_fault(w->v, "fact %lld: missing", (long long)w->last_seq + 1);
    w->last_seq = f.seq;
    w->v->result.facts++;
    buf_str(&w->leaves, f.leaf);
    enum err e = verify_fact(w->v, &f);
    arena_clear(&w->v->a);
    return e == OK ? step(q, &w->fact_there) : e;
}

static enum err take_segment(struct walk *w)
{
    struct segment_row s;
    enum err e = segment_at(w->v->r, w->segments, LOG_WHOLE, &s);
    if (e == ERR_NOT_FOUND || e == ERR_CORRUPT) {
        verify_fault(w->v, "segment %lld: is not where the event log should have it",
                     (long long)col_int(w->segments, 0));
        return step(w->segments, &w->segment_there);
    }
    if (e != OK)
        return e;
    buf_str(&w->event_leaves, s.leaves);
    w->in_log = s.place.file != 0;
    memcpy(w->log_head, s.log_head, CHAIN_HASH);
    e = verify_segment(w->v, &s);
    return e == OK ? step(w->segments, &w->segment_there) : e;
}

static void check_head(struct walk *w, const struct chain_head *h, struct str stored)
{
    uint8_t hash[CHAIN_HASH];
    chain_group_head(h->group, h->at_ms, w->previous, buf_view(&w->leaves),
                     buf_view(&w->event_leaves), hash);
    if (stored.n != CHAIN_HASH || memcmp(stored.p, hash, CHAIN_HASH) != 0)
        verify_fault(w->v, "group %lld: its head does not agree with what is in it",
                     (long long)h->group);
    if (w->in_log && stored.n == CHAIN_HASH && memcmp(stored.p, w->log_head, CHAIN_HASH) != 0)
        verify_fault(w->v, "group %lld: the event log has another head", (long long)h->group);
    /* go on from what is stored, so that one fault is not told once for each later group */
    if (stored.n == CHAIN_HASH)
        memcpy(w->previous, stored.p, CHAIN_HASH);
}

static enum err take_group(struct walk *w, struct sqlite3_stmt *q)
{
    struct chain_head h = { .group = col_int(q, 0), .at_ms = col_int(q, 1) };
    int64_t last_seq = col_int(q, 2);
    enum err e = OK;
    for (int64_t n = w->v->result.head.group + 1; n < h.group; n = h.group)
        verify_fault(w->v, "group %lld: missing", (long long)n);
    buf_clear(&w->leaves);
    buf_clear(&w->event_leaves);
    w->in_log = false;
    while (e == OK && w->fact_there && col_int(w->facts, 0) <= last_seq)
        e = take_fact(w);
    if (e == OK && w->last_seq != last_seq)
        verify_fault(w->v, "group %lld: its newest fact is %lld, not %lld", (long long)h.group,
                     (long long)w->last_seq, (long long)last_seq);
    while (e == OK && w->segment_there && col_int(w->segments, 0) <= h.group) {
        if (col_int(w->segments, 0) < h.group)
            verify_fault(w->v, "segment %lld: in no group", (long long)col_int(w->segments, 0));
        e = take_segment(w);
    }
    check_head(w, &h, col_bytes(q, 3));
    memcpy(h.hash, w->previous, CHAIN_HASH);
    w->v->result.head = h;
    w->v->result.groups++;
    return e;
}

static enum err walk_chain(struct verify *v)
{
    AUTO(walk_fini)
    struct walk w = { .v = v,
                      .leaves = BUF_INIT(LIMIT_GROUP_BYTES),
                      .event_leaves = BUF_INIT(LIMIT_GROUP_BYTES) };
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = walk_start(&w);
    if (e == OK)
        e = QUERY(v->c, "SELECT number, at_ms, last_seq, hash FROM chain ORDER BY number", &q);
    while (e == OK && (e = conn_next(q)) == OK)
        e = take_group(&w, q);
    if (e == ERR_NOT_FOUND)
        e = OK;
    while (e == OK && w.fact_there) {
        verify_fault(v, "fact %lld: in no group", (long long)col_int(w.facts, 0));
        e = take_fact(&w);
    }
    while (e == OK && w.segment_there) {
        verify_fault(v, "segment %lld: in no group", (long long)col_int(w.segments, 0));
        e = take_segment(&w);
    }
    return e;
}

/* ---- what the log has behind that ---- */

static enum err walk_tail(struct verify *v, struct log_tail t)
{
    struct unpublished u;
    struct log_record record;
    enum err e;
    while ((e = tail_next_live(v->r, &t, &u, &record)) == OK) {
        v->result.groups++;
        v->result.events += u.count;
        v->result.head = t.head;
    }
    if (e == ERR_CORRUPT) {
        verify_fault(v, "event log: file %u does not go on where the database ends, at %u",
                     t.at.file, t.at.start);
        e = OK;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- the whole ---- */

static enum err check_file(struct verify *v)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(v->c, "PRAGMA integrity_check(20)", &q);
    while (e == OK && (e = conn_next(q)) == OK) {
        struct str line = col_bytes(q, 0);
        if (!str_eq(line, STR("ok")))
            verify_fault(v, "database: %.*s", STR_ARG(line));
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err check_count(struct verify *v, const char *sql, const char *what, int64_t expected)
{
    int64_t n;
    enum err e = conn_number(v->c, sql, ARGS(), 0, &n);
    if (e == OK && n != expected)
        verify_fault(v, "%s: %lld rows, and facts for %lld", what, (long long)n,
                     (long long)expected);
    return e;
}

/* Each fact found its rows; are there rows without a fact? */
static enum err check_counts(struct verify *v)
{
    const struct {
        const char *sql, *what;
        int64_t expected;
    } row[] = {
        { "SELECT count(*) FROM act", "acts", v->acts },
        { "SELECT count(*) FROM act_preference", "preferences of acts", v->act_preferences },
        { "SELECT count(*) FROM notice", "notices", v->notices },
        { "SELECT count(*) FROM subject_word", "words of subjects", v->words },
        { "SELECT count(*) FROM name", "names", v->names },
        { "SELECT count(*) FROM version", "versions", v->versions },
        { "SELECT count(*) FROM generation", "generations", v->generations },
        { "SELECT count(*) FROM standing", "standings", v->standings },
        { "SELECT count(*) FROM voided", "voidings", v->voids },
        { "SELECT count(*) FROM document", "documents", v->documents },
        { "SELECT count(*) FROM attachment", "attached documents", v->attachments },
        { "SELECT count(*) FROM finding", "findings", v->findings },
        { "SELECT count(version) FROM finding", "findings confirmed", v->confirmed },
        { "SELECT count(*) FROM hook WHERE cursor > (SELECT ifnull(max(seq), 0) FROM fact)",
          "hooks ahead of the facts", 0 },
        { "SELECT count(*) FROM hook_message WHERE seq NOT IN (SELECT seq FROM fact)",
          "messages of hooks", 0 },
        { "SELECT count(*) FROM verification", "verifications", v->verifications },
        { "SELECT count(*) FROM verification WHERE ended IS NOT NULL OR outcome <> 0"
          " OR ended_ms <> 0",
          "verifications ended", v->verifications_ended },
    };
    enum err e = OK;
    for (size_t i = 0; e == OK && i < COUNT(row); i++)
        e = check_count(v, row[i].sql, row[i].what, row[i].expected);
    return e;
}

static enum err run(struct verify *v)
{
    enum err e = check_file(v);
    if (e == OK)
        e = walk_chain(v);
    if (e == OK)
        e = verify_subjects(v);
    if (e == OK)
        e = verify_coverage(v);
    if (e == OK)
        e = verify_contents(v);
    return e == OK ? check_counts(v) : e;
}

static void verify_fini(struct verify *v)
{
    free(v->counted);
    arena_fini(&v->a);
    buf_fini(&v->retention);
}

enum err store_verify(struct store_reader *r, void (*fault)(void *ctx, const char *what), void *ctx,
                      struct verify_result *ret_result, struct err_info *info)
{
    AUTO(verify_fini)
    struct verify v = { .r = r,
                        .c = r->c,
                        .fault = fault,
                        .ctx = ctx,
                        .a = ARENA_INIT,
                        .retention = BUF_INIT(LIMIT_GROUP_BYTES) };
    /* one read transaction, so that a group committed meanwhile is seen whole or not at all */
    bool own = sqlite3_get_autocommit(r->c->db) != 0;
    eventlog_hold(&r->log);
    struct log_tail tail;
    enum err e = own ? conn_exec(r->c, "BEGIN") : OK;
    if (e == OK)
        e = run(&v);
    if (e == OK)
        e = tail_start(r->c, &tail);
    if (e != OK)
        e = conn_set_err(r->c, e, info);
    if (own)
        conn_rollback(r->c);
    if (e == OK && (e = walk_tail(&v, tail)) != OK)
        e = conn_set_err(r->c, e, info);
    eventlog_release(&r->log);
    if (e == OK)
        *ret_result = v.result;
    return e;
}
