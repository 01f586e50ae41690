/* How a destination stands: rows of the table mark, four for each slot. */
#include "store/store_priv.h"

enum { FIRST_MARK = 1000, PER_SLOT = 4 };
enum { PAUSED, ABSENT, START_SEGMENT, START_MS };

static int64_t number(uint32_t slot, int what)
{
    return FIRST_MARK + (int64_t)slot * PER_SLOT + what;
}

enum err store_get_standing(struct store_reader *r, uint32_t slot, struct delivery_standing *ret_s)
{
    int64_t value[PER_SLOT] = { 0 };
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(r->c, "SELECT which, value FROM mark WHERE which BETWEEN ? AND ?", &q,
                       INT(number(slot, 0)), INT(number(slot, PER_SLOT - 1)));
    while (e == OK && (e = conn_next(q)) == OK) {
        int64_t what = col_int(q, 0) - number(slot, 0);
        if (what < 0 || what >= PER_SLOT) /* a damaged table is in no order */
            return ERR_CORRUPT;
        value[what] = col_int(q, 1);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    *ret_s = (struct delivery_standing){ .paused_ms = value[PAUSED],
                                         .absent_ms = value[ABSENT],
                                         .start_segment = value[START_SEGMENT],
                                         .start_ms = value[START_MS] };
    return OK;
}

enum err store_set_standing(struct store *s, uint32_t slot,
                            const struct delivery_standing *standing)
{
    must(s->group.open && slot < LIMIT_DESTINATIONS);
    const int64_t value[PER_SLOT] = { [PAUSED] = standing->paused_ms,
                                      [ABSENT] = standing->absent_ms,
                                      [START_SEGMENT] = standing->start_segment,
                                      [START_MS] = standing->start_ms };
    enum err e = OK;
    for (int what = 0; e == OK && what < PER_SLOT; what++)
        e = value[what] == 0
                ? RUN(&s->c, "DELETE FROM mark WHERE which = ?", INT(number(slot, what)))
                : RUN(&s->c, "INSERT OR REPLACE INTO mark (which, value) VALUES (?, ?)",
                      INT(number(slot, what)), INT(value[what]));
    return e;
}

enum err store_bury_retries(struct store *s, uint32_t slot, struct str error, int64_t at_ms,
                            uint32_t *ret_count)
{
    must(s->group.open && slot < LIMIT_DESTINATIONS);
    enum err e = RUN(&s->c,
                     "UPDATE request SET state = 3, next_ms = 0, at_ms = ?2,"
                     " error = CASE WHEN error = '' THEN ?3 ELSE error || '; ' || ?3 END"
                     " WHERE state > 0 AND state = 2 AND slot = ?1",
                     INT(slot), INT(at_ms), TEXT(error));
    if (e == OK)
        *ret_count = conn_changes(&s->c);
    return e;
}
