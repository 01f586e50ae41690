/* Event groups go to the log first. This brings them into the database: in the daemon's
 * course, after a crash, and into a copy. */
#include "store/store_priv.h"

#include <stdlib.h>

static int64_t packed(uint32_t file, uint32_t end)
{
    return (int64_t)((uint64_t)file << 32 | end);
}

enum err mark_get(struct conn *c, enum mark which, int64_t *ret_value)
{
    return NUMBER(c, "SELECT value FROM mark WHERE which = ?", 0, ret_value, INT(which));
}

enum err mark_set(struct conn *c, enum mark which, int64_t value)
{
    return RUN(c,
               "INSERT INTO mark (which, value) VALUES (?, ?)"
               " ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
               INT(which), INT(value));
}

/* ---- rows ---- */

enum err chain_insert(struct conn *c, const struct chain_head *h, int64_t last_seq)
{
    return RUN(c, "INSERT INTO chain (number, at_ms, last_seq, hash) VALUES (?, ?, ?, ?)",
               INT(h->group), INT(h->at_ms), INT(last_seq), BYTES(h->hash, sizeof h->hash));
}

enum err publish_rows(struct store *s)
{
    enum err e = OK;
    for (uint32_t i = 0; e == OK && i < s->unpublished_count; i++) {
        e = chain_insert(&s->c, &s->unpublished[i].head, s->seq);
        if (e == OK)
            e = segment_insert(&s->c, &s->unpublished[i], NULL);
    }
    if (e == OK && (s->unpublished_count > 0 || s->log_waits))
        e = mark_set(&s->c, MARK_LOG, packed(s->log.file, s->log.end));
    return e;
}

void published(struct store *s, bool synced)
{
    s->unsynced = synced ? 0 : s->unsynced + s->unpublished_count;
    s->unpublished_count = 0;
    s->log_waits = false;
}

uint32_t store_unpublished(const struct store *s)
{
    return s->unpublished_count;
}

bool store_has_written(const struct store *s)
{
    return s->group.open && !s->c.begin_due;
}

enum err store_publish(struct store *s, struct err_info *info)
{
    must(!s->group.open || s->c.begin_due);
    if (s->unpublished_count == 0 && !s->log_waits)
        return OK;
    bool was_due = s->c.begin_due, sync = s->log_waits || s->unsynced >= UNSYNCED_MOST;
    s->c.begin_due = false;
    /* the log has been synced: should these rows be lost, they are made anew from it */
    enum err e = sync ? OK : conn_exec(&s->c, "PRAGMA synchronous=NORMAL");
    if (e == OK)
        e = RUN(&s->c, "BEGIN IMMEDIATE");
    if (e == OK)
        e = publish_rows(s);
    if (e == OK)
        e = RUN(&s->c, "COMMIT");
    if (e == OK)
        published(s, sync);
    else
        (void)conn_set_err(&s->c, e, info);
    conn_rollback(&s->c);
    enum err back = conn_exec(&s->c, "PRAGMA synchronous=FULL");
    must(back == OK); /* acknowledging without a sync is no way to go on */
    s->c.begin_due = was_due;
    return e;
}

/* ---- what the database does not know yet ---- */

enum err tail_start(struct conn *c, struct log_tail *ret_t)
{
    struct log_tail t = { 0 };
    int64_t mark, seq;
    enum err e = mark_get(c, MARK_LOG, &mark);
    if (e == OK)
        e = head_read(c, &t.head, &seq);
    t.at = (struct log_place){ .file = (uint32_t)(mark >> 32), .start = (uint32_t)mark };
    if (e == OK)
        *ret_t = t;
    return e;
}

/* Briefs and leaves, from the entries. */
static bool events_agree(const struct store_reader *r, const struct log_record *record,
                         const struct segment_sums *sums)
{
    struct segment_cursor c;
    struct stored_event e;
    struct str entry;
    segment_start(record->entries, &c);
    while (segment_next(&c, &e, &entry) == OK)
        if (!brief_agrees(record->brief, c.index - 1, r, &e, sums->first_ms) ||
            !entry_agrees(record->leaves, record->keys, record->number, c.index - 1, entry))
            return false;
    return true;
}

/* Whether it is the chain's next link, byte by byte. */
static bool agrees(const struct store_reader *r, const struct log_record *record,
                   const struct chain_head *previous, struct segment_sums *ret_sums)
{
    if (record->number != previous->group + 1 ||
        segment_sum(record->entries, record->count, ret_sums) != OK ||
        ret_sums->count != record->count || !events_agree(r, record, ret_sums))
        return false;
    uint8_t hash[CHAIN_HASH];
    chain_group_head(record->number, record->at_ms, previous->hash, (struct str){ 0 },
                     record->leaves, hash);
    return memcmp(hash, record->head, CHAIN_HASH) == 0;
}

enum err tail_next(struct store_reader *r, struct log_tail *t, struct unpublished *ret_u,
                   struct log_record *ret_record)
{
    struct log_place at = t->at;
    struct log_record record;
    struct segment_sums sums;
    enum err e = eventlog_next(&r->log, &at, &r->record, &record);
    if (e == OK && record.number > t->head.group + 1)
        return ERR_CORRUPT; /* what is half written is the next one */
    if (e == OK && !agrees(r, &record, &t->head, &sums))
        e = ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND)
        return eventlog_has_behind(&r->log, &t->at, t->head.at_ms) ? ERR_CORRUPT : ERR_NOT_FOUND;
    if (e != OK)
        return e;
    t->head = (struct chain_head){ .group = record.number, .at_ms = record.at_ms };
    memcpy(t->head.hash, record.head, CHAIN_HASH);
    t->at = (struct log_place){ .file = at.file, .start = at.start + at.size };
    *ret_record = record;
    *ret_u = (struct unpublished){ .head = t->head,
                                   .first_ms = sums.first_ms,
                                   .last_ms = sums.last_ms,
                                   .count = sums.count,
                                   .permitted = sums.permitted,
                                   .place = at };
    return OK;
}

enum err tail_next_live(struct store_reader *r, struct log_tail *t, struct unpublished *ret_u,
                        struct log_record *ret_record)
{
    struct chain_head now;
    int64_t seq;
    enum err e = tail_next(r, t, ret_u, ret_record);
    if (e == ERR_CORRUPT) /* what was half written a moment ago is whole before there is more */
        e = tail_next(r, t, ret_u, ret_record);
    if (e != ERR_CORRUPT)
        return e;
    e = head_read(r->c, &now, &seq);
    if (e != OK)
        return e;
    return now.group > t->head.group ? ERR_NOT_FOUND : ERR_CORRUPT;
}

/* To the end, since the log goes on behind it. A power loss may have taken all that was published
 * since the last sync, which is more than what waits at a time. */
static enum err collect(struct store *s, struct log_tail *t)
{
    enum err e = OK;
    for (size_t room = UNPUBLISHED_MOST; e == OK;) {
        struct log_record record;
        if (s->unpublished_count == room) {
            room *= 2;
            s->unpublished = must_realloc(s->unpublished, sizeof *s->unpublished * room);
        }
        e = tail_next(&s->reader, t, &s->unpublished[s->unpublished_count], &record);
        s->unpublished_count += e == OK;
    }
    return e;
}

enum err log_recover(struct store *s, struct err_info *info)
{
    struct log_tail t;
    enum err e = tail_start(&s->c, &t);
    if (e != OK)
        return conn_set_err(&s->c, e, info);
    s->log_waits = t.at.file == 0; /* from now on a record at its beginning may be half written */
    s->unpublished = must_alloc(sizeof *s->unpublished * UNPUBLISHED_MOST);
    eventlog_reader_open(&s->reader.log, s->dir);
    e = collect(s, &t);
    if (e == ERR_CORRUPT)
        return err_set(info, e, NULL,
                       "event log: file %u does not go on where the database ends, at %u; was an"
                       " older licet.db put back?",
                       t.at.file, t.at.start);
    if (e != ERR_NOT_FOUND)
        return err_set(info, e, NULL, "event log: it cannot be read");
    s->head = t.head;
    e = eventlog_open(s->dir, &t.at, &s->log, info);
    if (e != OK)
        return e;
    s->has_log = true;
    if (s->reader.log.dir < 0) /* it was made just now */
        eventlog_reader_open(&s->reader.log, s->dir);
    e = store_publish(s, info);
    if (e != ERR_FULL)
        return e;
    dir_give_up_reserve(s); /* not starting would keep withdrawals out as well */
    return store_publish(s, info);
}
