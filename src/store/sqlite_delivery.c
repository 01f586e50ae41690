/* A request is a row from `sending` on. While it is pending (state > 0) its id
 * is unique; when only a part of it is finished, that part stays in the row and
 * the rest becomes a request of its own, since a receiver that has seen an id
 * with some events must not see it with others. */
#include "store/store_priv.h"

const char *const delivery_result_name[6] = { "", "sent", "dropped", "retry", "dead", "uncertain" };

/* ---- cursors ---- */

enum err store_get_cursor(struct store_reader *r, uint32_t slot, struct delivery_cursor *ret_c)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(r->c, "SELECT segment, idx FROM cursor WHERE slot = ?", &q, INT(slot));
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_c = (struct delivery_cursor){ 0 };
    if (e == OK)
        *ret_c =
            (struct delivery_cursor){ .segment = col_int(q, 0), .index = (uint32_t)col_int(q, 1) };
    return OK;
}

enum err store_set_cursor(struct store *s, uint32_t slot, const struct delivery_cursor *c)
{
    must(s->group.open && slot < LIMIT_DESTINATIONS);
    return RUN(&s->c, "INSERT OR REPLACE INTO cursor (slot, segment, idx) VALUES (?, ?, ?)",
               INT(slot), INT(c->segment), INT(c->index));
}

/* ---- which fields ---- */

bool delivery_fields(struct str sets, uint32_t number, struct str *ret_names)
{
    struct str rest = { sets.p ? sets.p : "", sets.n }, names;
    for (uint32_t i = 0; str_next(&rest, '\n', &names); i++) {
        if (i == number) {
            *ret_names = names;
            return true;
        }
    }
    return false;
}

static uint32_t count_sets(struct str sets)
{
    uint32_t n = 1;
    for (size_t i = 0; i < sets.n; i++)
        n += sets.p[i] == '\n';
    return n;
}

/* An item without its set could not be read any more. */
static bool has_sets(const struct delivery_request *q)
{
    uint32_t sets = count_sets(q->fields);
    for (uint32_t i = 0; i < q->item_count; i++)
        if (q->item[i].fields >= sets)
            return false;
    return sets <= LIMIT_FIELD_SETS;
}

/* ---- rows ---- */

enum { FINISHED = 0 }; /* request.state, beside enum pending_state */

struct part {   /* of a request, to become a row */
    int64_t no; /* of the row to take; 0: a new one */
    struct id id;
    int state;
    struct str items;
};

static enum err map_segments(struct conn *c, int64_t no, struct str items)
{
    struct delivery_item item;
    int64_t last = -1;
    enum err e = OK;
    while (e == OK && items_next(&items, &item)) {
        if (item.segment != last) /* events of a segment mostly stand together */
            e = RUN(c, "INSERT OR IGNORE INTO request_segment VALUES (?, ?)", INT(item.segment),
                    INT(no));
        last = item.segment;
    }
    return e;
}

static enum err write_part(struct conn *c, const struct delivery_request *q, struct part *p)
{
    struct arg id = BYTES(p->id.b, sizeof p->id.b);
    if (p->no)
        return RUN(
            c,
            "UPDATE request SET id = ?2, state = ?3, attempts = ?4, at_ms = ?5, next_ms = ?6,"
            " error = ?7, fields = ?8, items = ?9 WHERE no = ?1",
            INT(p->no), id, INT(p->state), INT(q->attempts), INT(q->at_ms), INT(q->next_ms),
            TEXT(q->error), TEXT(q->fields), BLOB(p->items));
    enum err e =
        RUN(c,
            "INSERT INTO request (slot, id, state, attempts, at_ms, next_ms, error, fields,"
            " items) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            INT(q->slot), id, INT(p->state), INT(q->attempts), INT(q->at_ms), INT(q->next_ms),
            TEXT(q->error), TEXT(q->fields), BLOB(p->items));
    if (e != OK)
        return e;
    p->no = conn_new_row(c);
    return map_segments(c, p->no, p->items);
}

/* The pending row with that id: 0 when there is none. It must have as many
 * items as the request, or some would be forgotten. */
static enum err find_pending(struct conn *c, const struct delivery_request *q, int64_t *ret_no)
{
    AUTO(query_done) struct sqlite3_stmt *row = NULL;
    enum err e = FIRST(c, "SELECT no, length(items) FROM request WHERE id = ? AND state > 0", &row,
                       BYTES(q->id.b, sizeof q->id.b));
    *ret_no = 0;
    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : e;
    if (col_int(row, 1) != (int64_t)q->item_count * ITEM)
        return c->failed = ERR_VALUE;
    *ret_no = col_int(row, 0);
    return OK;
}

enum err store_mark_sending(struct store *s, const struct delivery_request *q,
                            const struct delivery_cursor *c)
{
    must(s->group.open && q->slot < LIMIT_DESTINATIONS && has_sets(q));
    struct part p = { .id = q->id, .state = PENDING_SENDING };
    enum err e = find_pending(&s->c, q, &p.no);
    if (e != OK)
        return e;
    buf_clear(&s->scratch);
    for (uint32_t i = 0; i < q->item_count; i++)
        items_add(&s->scratch, &q->item[i]);
    if (s->scratch.over)
        return s->c.failed = ERR_LIMIT;
    p.items = buf_view(&s->scratch);
    e = write_part(&s->c, q, &p);
    return e == OK && c != NULL ? store_set_cursor(s, q->slot, c) : e;
}

/* ---- the end of an attempt ---- */

static int state_after(enum delivery_result result)
{
    switch (result) {
    case DELIVERY_RETRY: return PENDING_RETRY;
    case DELIVERY_DEAD: return PENDING_DEAD;
    default: return FINISHED;
    }
}

static bool may_have_left(const struct delivery_request *q)
{
    for (uint32_t i = 0; i < q->item_count; i++)
        if (q->item[i].result == DELIVERY_SENT || q->item[i].result == DELIVERY_UNCERTAIN)
            return true;
    return false;
}

static enum err map_subjects(struct conn *c, int64_t no, const uint64_t *hash, uint32_t count)
{
    enum err e = OK;
    for (uint32_t i = 0; e == OK && i < count; i++)
        e = RUN(c, "INSERT OR IGNORE INTO request_subject VALUES (?, ?)", INT(hash[i]), INT(no));
    return e;
}

/* Items in that state, into the scratch buffer; *ret_all when there are no others. */
static struct str collect(struct store *s, const struct delivery_request *q, int state,
                          bool *ret_all)
{
    uint32_t n = 0;
    buf_clear(&s->scratch);
    for (uint32_t i = 0; i < q->item_count; i++) {
        if (state_after(q->item[i].result) == state) {
            items_add(&s->scratch, &q->item[i]);
            n++;
        }
    }
    *ret_all = n == q->item_count;
    return buf_view(&s->scratch);
}

enum err store_finish_sending(struct store *s, const struct delivery_request *q,
                              const uint64_t *subject_hash, uint32_t subject_count)
{
    must(s->group.open && q->slot < LIMIT_DESTINATIONS && q->item_count > 0 && has_sets(q));
    int64_t row;
    enum err e = find_pending(&s->c, q, &row);
    for (int state = FINISHED; e == OK && state <= PENDING_DEAD; state++) {
        if (state == PENDING_SENDING)
            continue;
        bool all;
        struct part p = { .no = row, .id = q->id, .state = state };
        p.items = collect(s, q, state, &all);
        if (s->scratch.over)
            return s->c.failed = ERR_LIMIT;
        if (p.items.n == 0)
            continue;
        if (!all && state != FINISHED)
            p.id = id_new(q->at_ms);
        e = write_part(&s->c, q, &p);
        if (e == OK && state == FINISHED && may_have_left(q))
            e = map_subjects(&s->c, p.no, subject_hash, subject_count);
        row = 0; /* the first part takes the row, the others get new ones */
    }
    return e;
}

/* ---- what is pending ---- */

static enum err read_request(struct sqlite3_stmt *q, enum pending_state state, struct arena *a,
                             struct delivery_request *ret_r)
{
    static const enum delivery_result result[] = { [PENDING_SENDING] = DELIVERY_UNCERTAIN,
                                                   [PENDING_RETRY] = DELIVERY_RETRY,
                                                   [PENDING_DEAD] = DELIVERY_DEAD };
    struct str items = col_bytes(q, 7);
    struct delivery_item *item = arena_array(a, struct delivery_item, items.n / ITEM);
    struct delivery_request r = { .slot = (uint32_t)col_int(q, 1),
                                  .attempts = (uint32_t)col_int(q, 2),
                                  .at_ms = col_int(q, 3),
                                  .next_ms = col_int(q, 4),
                                  .item = item };
    for (; items.n; r.item_count++) {
        if (!items_next(&items, &item[r.item_count]))
            return ERR_CORRUPT;
        item[r.item_count].result = result[state];
    }
    if (!col_id(q, 0, &r.id) || r.slot >= LIMIT_DESTINATIONS)
        return ERR_CORRUPT;
    r.error = col_copy(q, 5, a);
    r.fields = col_copy(q, 6, a);
    if (!has_sets(&r))
        return ERR_CORRUPT;
    *ret_r = r;
    return OK;
}

enum err store_list_pending(struct store_reader *r, int slot, enum pending_state state,
                            int64_t due_ms, uint32_t limit, struct arena *a,
                            struct delivery_request **ret_q, uint32_t *ret_count)
{
    must(state >= PENDING_SENDING && state <= PENDING_DEAD);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    /* twice the slot, so that the index serves one as well as all */
    enum err e =
        QUERY(r->c,
              "SELECT id, slot, attempts, at_ms, next_ms, error, fields, items FROM request"
              " INDEXED BY request_state WHERE state > 0 AND state = ?1"
              " AND slot BETWEEN ?2 AND ?3 AND next_ms <= ?4 ORDER BY no LIMIT ?5",
              &q, INT(state), INT(slot < 0 ? 0 : slot), INT(slot < 0 ? LIMIT_DESTINATIONS : slot),
              INT(state == PENDING_RETRY ? due_ms : INT64_MAX), INT(limit));
    struct delivery_request *list = arena_array(a, struct delivery_request, limit);
    uint32_t n = 0;
    while (e == OK && n < limit && (e = conn_next(q)) == OK)
        e = read_request(q, state, a, &list[n++]);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_q = list;
    *ret_count = n;
    return OK;
}

enum err store_revive_dead(struct store *s, int slot, const struct id *id, int64_t at_ms,
                           uint32_t *ret_count)
{
    must(s->group.open);
    enum err e;
    if (id != NULL)
        e = RUN(&s->c,
                "UPDATE request SET state = 2, next_ms = ?1, attempts = 0"
                " WHERE state > 0 AND state = 3 AND id = ?2 AND (?3 < 0 OR slot = ?3)",
                INT(at_ms), BYTES(id->b, sizeof id->b), INT(slot));
    else
        e = RUN(&s->c,
                "UPDATE request SET state = 2, next_ms = ?1, attempts = 0"
                " WHERE state > 0 AND state = 3 AND (?2 < 0 OR slot = ?2)",
                INT(at_ms), INT(slot));
    if (e == OK)
        *ret_count = conn_changes(&s->c);
    return e;
}
