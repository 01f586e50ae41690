/* How many subjects stand where with each purpose: kept up to date with every act, so
 * that nobody has to look at all of them. */
#include "store/store_priv.h"

#include "codec/time.h"

static bool counts(const struct standing *s, bool bare)
{
    return !s->grant || (s->confirmed && s->version != 0 && (bare || !s->bare));
}

static bool is_later(const struct standing *s, const struct standing *than)
{
    if (than == NULL || s->last_effect != than->last_effect)
        return than == NULL || s->last_effect > than->last_effect;
    return s->last_seq > than->last_seq;
}

/* The gate's order: of what counts, the greatest (effect, seq) decides. */
bool coverage_of(const struct standings *s, uint32_t purpose, bool bare, struct coverage_key *ret_k)
{
    const struct standing *newest = NULL, *granted = NULL;
    bool any = false;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct standing *one = &s->at[i];
        if (one->purpose != purpose)
            continue;
        any = true;
        if (!counts(one, bare))
            continue;
        if (is_later(one, newest))
            newest = one;
        if (one->grant && is_later(one, granted))
            granted = one;
    }
    struct coverage_key k = { .purpose = purpose, .bare = bare, .state = COVERAGE_IDLE };
    if (newest && newest->grant) {
        k.state = COVERAGE_GRANTED;
        k.day = newest->last_effect / DAY_MS;
        k.version = newest->version;
    } else if (newest) {
        k.state = granted ? COVERAGE_WITHDRAWN : COVERAGE_REFUSED;
        k.version = granted ? granted->version : 0;
    }
    if (any)
        *ret_k = k;
    return any;
}

static bool same(const struct coverage_key *a, const struct coverage_key *b)
{
    return a->purpose == b->purpose && a->bare == b->bare && a->state == b->state &&
           a->version == b->version && a->day == b->day;
}

static enum err add(struct conn *c, const struct coverage_key *k)
{
    return RUN(c,
               "INSERT INTO coverage (purpose, bare, state, version, day, n)"
               " VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1",
               INT(k->purpose), INT(k->bare), INT(k->state), INT(k->version), INT(k->day));
}

static enum err take_away(struct conn *c, const struct coverage_key *k)
{
    return RUN(c,
               "UPDATE coverage SET n = n - 1 WHERE purpose = ? AND bare = ? AND state = ?"
               " AND version = ? AND day = ?",
               INT(k->purpose), INT(k->bare), INT(k->state), INT(k->version), INT(k->day));
}

enum err coverage_move(struct conn *c, uint32_t purpose, const struct standings *from,
                       const struct standings *to)
{
    enum err e = OK;
    for (int bare = 0; e == OK && bare < 2; bare++) {
        struct coverage_key was, is;
        bool had = coverage_of(from, purpose, bare, &was),
             has = coverage_of(to, purpose, bare, &is);
        if (had && has && same(&was, &is))
            continue;
        if (had)
            e = take_away(c, &was);
        if (e == OK && has)
            e = add(c, &is);
    }
    return e;
}

enum err standings_load(struct conn *c, int64_t subject, uint32_t purpose, struct standings *s)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(c,
                       "SELECT NULL, NULL, purpose, class, version, first_effect, first_seq,"
                       " last_effect, last_seq FROM standing WHERE subject = ? AND purpose = ?",
                       &q, INT(subject), INT(purpose));
    while (e == OK && (e = conn_next(q)) == OK) {
        struct standing one = standing_read(q);
        standings_add(s, &one);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

/* Everything about one subject and purpose stands together in the table. */
enum err coverage_fill(struct conn *c)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    struct standings none = { 0 };
    int64_t subject = 0, purpose = 0;
    enum err e = QUERY(c,
                       "SELECT subject, NULL, purpose, class, version, first_effect, first_seq,"
                       " last_effect, last_seq FROM standing ORDER BY subject, purpose",
                       &q);
    AUTO(standings_fini) struct standings s = { 0 };
    while (e == OK && (e = conn_next(q)) == OK) {
        struct standing one = standing_read(q);
        if (s.count && (col_int(q, 0) != subject || one.purpose != purpose)) {
            e = coverage_move(c, (uint32_t)purpose, &none, &s);
            s.count = 0;
        }
        subject = col_int(q, 0);
        purpose = one.purpose;
        standings_add(&s, &one);
    }
    if (e == ERR_NOT_FOUND)
        e = s.count ? coverage_move(c, (uint32_t)purpose, &none, &s) : OK;
    return e;
}

/* ---- reading ---- */

enum err store_list_coverage(struct store_reader *r, uint32_t purpose, bool bare, struct arena *a,
                             struct coverage_row **ret_rows, uint32_t *ret_count)
{
    int64_t count;
    enum err e = NUMBER(r->c, "SELECT count(*) FROM coverage WHERE purpose = ? AND bare = ?", 0,
                        &count, INT(purpose), INT(bare));
    if (e != OK)
        return e;
    struct coverage_row *rows = arena_array(a, struct coverage_row, (size_t)count);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    e = QUERY(r->c,
              "SELECT state, version, day, n FROM coverage WHERE purpose = ? AND bare = ?"
              " ORDER BY state, version, day",
              &q, INT(purpose), INT(bare));
    uint32_t n = 0;
    while (e == OK && n < count && (e = conn_next(q)) == OK)
        if (col_int(q, 3) > 0)
            rows[n++] = (struct coverage_row){ .state = (enum coverage_state)col_int(q, 0),
                                               .version = (uint32_t)col_int(q, 1),
                                               .day_ms = col_int(q, 2) * DAY_MS,
                                               .n = (uint64_t)col_int(q, 3) };
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_rows = rows;
    *ret_count = n;
    return OK;
}

/* ---- people who are not known ---- */

enum err store_count_unknown(struct store *s, uint32_t purpose, uint32_t version, int64_t at_ms)
{
    must(s->group.open);
    return RUN(&s->c,
               "INSERT INTO unknown (purpose, day, version, n) VALUES (?, ?, ?, 1)"
               " ON CONFLICT DO UPDATE SET n = n + 1",
               INT(purpose), INT(at_ms / DAY_MS), INT(version));
}

enum err store_list_unknown(struct store_reader *r, uint32_t purpose, int64_t from_ms,
                            struct arena *a, struct unknown_row **ret_rows, uint32_t *ret_count)
{
    int64_t count;
    enum err e = NUMBER(r->c, "SELECT count(*) FROM unknown WHERE purpose = ? AND day >= ?", 0,
                        &count, INT(purpose), INT(from_ms / DAY_MS));
    if (e != OK)
        return e;
    struct unknown_row *rows = arena_array(a, struct unknown_row, (size_t)count);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    e = QUERY(r->c,
              "SELECT day, version, n FROM unknown WHERE purpose = ? AND day >= ?"
              " ORDER BY day, version",
              &q, INT(purpose), INT(from_ms / DAY_MS));
    uint32_t n = 0;
    while (e == OK && n < count && (e = conn_next(q)) == OK)
        rows[n++] = (struct unknown_row){ .day_ms = col_int(q, 0) * DAY_MS,
                                          .version = (uint32_t)col_int(q, 1),
                                          .n = (uint64_t)col_int(q, 2) };
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_rows = rows;
    *ret_count = n;
    return OK;
}
