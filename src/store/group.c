#include "store/store_priv.h"
#include "base/id.h"

#include <sqlite3.h>

#include <sys/statvfs.h>

enum {
    WAL_PAGES = (64 << 20) / PAGE_BYTES, /* nobody checkpoints: do it here … */
    WAL_AGAIN = (16 << 20) / PAGE_BYTES, /* … and if a reader held it back, not at each commit */
    ROOM_PER_FACT = 64 << 10, /* pages that one fact touches, beside its bytes, at most */
    ROOM_PER_ROW = 512,
    KEPT = 1 << 20, /* one large group must not hold its memory for ever */
};

static void empty(struct buf *b)
{
    if (b->cap > KEPT)
        buf_fini(b);
    else
        buf_clear(b);
}

static void clear(struct store *s)
{
    struct group *g = &s->group;
    g->open = false;
    g->bytes = 0;
    g->entries = (struct str){ 0 };
    empty(&g->fact_leaves);
    empty(&g->brief);
    empty(&g->keys);
    empty(&g->event_leaves);
    empty(&s->scratch);
    s->c.failed = OK;
    s->c.begin_due = false;
}

enum err store_begin(struct store *s)
{
    must(!s->group.open);
    if (s->only_looks)
        return ERR_FORBIDDEN;
    clear(s);
    s->group.seq = s->seq;
    s->group.open = true;
    s->c.begin_due = true; /* a group of events alone needs no transaction */
    return OK;
}

void store_rollback(struct store *s)
{
    conn_rollback(&s->c);
    clear(s);
}

enum err fact_add(struct store *s, const struct fact *f, int64_t *ret_seq)
{
    must(s->group.open);
    uint8_t key[CHAIN_KEY], leaf[CHAIN_HASH];
    int64_t seq = s->group.seq + 1;
    random_bytes(key, sizeof key);
    chain_fact_leaf(key, f->kind, seq, f->payload, f->columns, leaf);
    enum err e =
        RUN(&s->c,
            "INSERT INTO fact (seq, kind, subject, key, leaf, columns, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            INT(seq), INT(f->kind), f->subject ? INT(f->subject) : (struct arg){ .type = ARG_NULL },
            BYTES(key, sizeof key), BYTES(leaf, sizeof leaf), BLOB(f->columns), BLOB(f->payload));
    if (e != OK)
        return e;
    buf_add(&s->group.fact_leaves, leaf, sizeof leaf);
    s->group.bytes += f->payload.n + f->columns.n;
    if (s->group.fact_leaves.over)
        return s->c.failed = ERR_LIMIT;
    *ret_seq = s->group.seq = seq;
    return OK;
}

/* ---- commit ---- */

/* SQLite rolls back a commit that found the disk full, so the reserve must go
 * before it, not after. Only for facts: a withdrawal must get through, events
 * need not. */
static void make_room(struct store *s, size_t facts)
{
    struct statvfs v;
    if (s->memory || facts == 0 || statvfs(s->dir, &v) != 0)
        return;
    uint64_t rows = (uint64_t)s->unpublished_count * ROOM_PER_ROW;
    if ((uint64_t)v.f_bavail * v.f_frsize <
        (uint64_t)facts * ROOM_PER_FACT + 2 * s->group.bytes + rows)
        dir_give_up_reserve(s);
}

static struct chain_head next_link(const struct store *s, int64_t at_ms)
{
    const struct group *g = &s->group;
    struct chain_head h = { .group = s->head.group + 1, .at_ms = at_ms };
    chain_group_head(h.group, at_ms, s->head.hash, buf_view(&g->fact_leaves),
                     buf_view(&g->event_leaves), h.hash);
    return h;
}

static struct log_record group_record(const struct group *g)
{
    struct log_record r = { .number = g->segment.head.group,
                            .at_ms = g->segment.head.at_ms,
                            .count = g->segment.count,
                            .brief = buf_view(&g->brief),
                            .keys = buf_view(&g->keys),
                            .leaves = buf_view(&g->event_leaves),
                            .entries = g->entries };
    memcpy(r.head, g->segment.head.hash, CHAIN_HASH);
    return r;
}

/* Events alone: one write to the log, and the database hears of it later. */
static enum err commit_to_log(struct store *s, struct err_info *info)
{
    struct group *g = &s->group;
    struct log_record r = group_record(g);
    enum err e = eventlog_append(&s->log, &r, &g->segment.place, info);
    if (e != OK) {
        s->log_waits = true;
        store_rollback(s);
        return e;
    }
    s->unpublished[s->unpublished_count++] = g->segment;
    return OK;
}

static void keep_wal_small(struct store *s)
{
    if (s->wal_pages < s->wal_tried)
        s->wal_tried = 0;
    if (s->wal_pages < WAL_PAGES || s->wal_pages < s->wal_tried + WAL_AGAIN)
        return;
    s->wal_tried = s->wal_pages;
    (void)sqlite3_wal_checkpoint_v2(s->c.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

static enum err fail(struct store *s, enum err e, struct err_info *info)
{
    if (s->c.failed != e || sqlite3_errcode(s->c.db) == SQLITE_OK)
        (void)err_set(info, e, NULL, "%s", err_text(e));
    else
        (void)conn_set_err(&s->c, e, info);
    bool facts = s->group.fact_leaves.n > 0;
    store_rollback(s);
    if (e == ERR_FULL && facts && !s->memory)
        dir_give_up_reserve(s); /* too late for this group, not for its repetition */
    return e;
}

static enum err commit_to_database(struct store *s, const struct chain_head *head,
                                   struct err_info *info)
{
    struct group *g = &s->group;
    bool linked = head->group != s->head.group;
    if (!linked && s->c.begin_due) /* nothing in it at all */
        return OK;
    make_room(s, g->fact_leaves.n / CHAIN_HASH);
    enum err e = publish_rows(s);
    if (e == OK && linked)
        e = chain_insert(&s->c, head, g->seq);
    struct log_record r = group_record(g);
    if (e == OK && g->entries.n)
        e = segment_insert(&s->c, &g->segment, &r);
    if (e == OK) {
        e = RUN(&s->c, "COMMIT");
        /* where only the sync failed it may be found after a crash: the next one takes its place */
        s->log_waits = s->log_waits || (e != OK && s->has_log);
    }
    if (e != OK)
        return fail(s, e, info);
    published(s, true);
    keep_wal_small(s);
    return OK;
}

static bool goes_to_log(const struct store *s)
{
    return s->has_log && !s->log_waits && s->c.begin_due && s->group.entries.n > 0 &&
           s->unpublished_count < UNPUBLISHED_MOST;
}

enum err store_commit(struct store *s, int64_t at_ms, struct chain_head *ret_head,
                      struct err_info *info)
{
    struct group *g = &s->group;
    must(g->open);
    if (s->c.failed != OK)
        return fail(s, s->c.failed, info);
    struct chain_head head = s->head;
    if (g->fact_leaves.n + g->event_leaves.n > 0)
        head = next_link(s, at_ms);
    g->segment.head = head;
    enum err e = goes_to_log(s) ? commit_to_log(s, info) : commit_to_database(s, &head, info);
    if (e != OK)
        return e;
    s->head = head;
    s->seq = g->seq;
    clear(s);
    *ret_head = head;
    return OK;
}
