/* Lists of acts: in the order in which they came, newest first; by their own time where a time is asked
 * for. What is asked of the subject is asked of the subject as she is now. */
#include "store/sets.h"

struct listing {
    struct sets s;
    const struct act_filter *f;
    struct set *acts;     /* what is asked of the act itself */
    struct set *subjects; /* what is asked of its subject; NULL: nothing */
    uint32_t fields;      /* in `acts` */
    struct page page;
    int64_t upto;
    bool timed;
};

/* ---- which acts ---- */

#define UP_TO " <= ? ORDER BY seq DESC LIMIT 1"

static struct set *acts_of(struct sets *s, int64_t subject)
{
    return ROWS(s, "SELECT seq FROM fact INDEXED BY fact_subject WHERE subject = ? AND seq" UP_TO,
                INT(subject), NO_KEY);
}

/* Names to numbers; ERR_NOT_FOUND when nothing can match. */
static enum err number_of(struct conn *c, const char *sql, struct str name, int64_t *ret_number)
{
    enum err e = conn_number(c, sql, ARGS(TEXT(name)), 0, ret_number);
    return e == OK && *ret_number == 0 ? ERR_NOT_FOUND : e;
}

static enum err add_names(struct listing *l)
{
    const struct act_filter *f = l->f;
    int64_t number;
    enum err e = OK;
    if (f->subject.n) {
        e = number_of(l->s.c, "SELECT no FROM subject WHERE id = ?", f->subject, &number);
        if (e == OK)
            set_add(l->acts, acts_of(&l->s, number));
    }
    if (e == OK && f->preference_key.n) {
        e = number_of(l->s.c, "SELECT no FROM preference WHERE name = ?", f->preference_key,
                      &number);
        if (e == OK)
            set_add(l->acts, ROWS(&l->s,
                                  "SELECT seq FROM act_preference WHERE preference = ?"
                                  " AND seq" UP_TO,
                                  INT(number), NO_KEY));
    }
    return e;
}

static enum err choose_acts(struct listing *l)
{
    const struct act_filter *f = l->f;
    l->acts = set_all(&l->s, 6);
    enum err e = add_names(l);
    if (f->ip.n)
        set_add(l->acts,
                ROWS(&l->s, "SELECT seq FROM act INDEXED BY act_ip WHERE ip = ? AND seq" UP_TO,
                     TEXT(str_eq(f->ip, STR("none")) ? (struct str){ 0 } : f->ip), NO_KEY));
    if (f->source >= 0)
        set_add(l->acts, ROWS(&l->s,
                              "SELECT seq FROM act INDEXED BY act_source WHERE source = ?"
                              " AND seq" UP_TO,
                              INT(f->source), NO_KEY));
    if (f->type.n)
        set_add(l->acts,
                ROWS(&l->s, "SELECT seq FROM act INDEXED BY act_type WHERE type = ? AND seq" UP_TO,
                     TEXT(str_eq(f->type, STR("null")) ? (struct str){ 0 } : f->type), NO_KEY));
    l->fields = l->acts->count;
    /* last, so that it is asked least: a subject has facts that are no acts */
    set_add(l->acts, ROWS(&l->s, "SELECT seq FROM act WHERE seq" UP_TO, NO_KEY, NO_KEY));
    return e;
}

/* ---- walking ---- */

static enum err key_of(struct listing *l, int64_t seq, int64_t *ret_ms)
{
    if (!l->timed) {
        *ret_ms = 0;
        return OK;
    }
    return NUMBER(l->s.c, "SELECT claimed_ms FROM act WHERE seq = ?", 0, ret_ms, INT(seq));
}

static enum err subject_fits(struct listing *l, int64_t seq, bool *ret_fits)
{
    *ret_fits = l->subjects == NULL;
    if (*ret_fits)
        return OK;
    int64_t no;
    enum err e = NUMBER(l->s.c, "SELECT subject FROM fact WHERE seq = ?", 0, &no, INT(seq));
    return e == OK ? set_has(&l->s, l->subjects, no, ret_fits) : e;
}

/* All acts of a set, from the newest; until the page cannot change any more. */
static enum err take_all(struct listing *l, const struct set *from, bool look_at_subject)
{
    int64_t seq = l->timed ? INT64_MAX : l->upto, key;
    enum err e;
    while ((e = set_last(&l->s, from, seq, &seq)) == OK) {
        if (!l->timed && page_is_full(&l->page, 0, seq))
            return OK;
        bool fits = true;
        if (look_at_subject)
            e = subject_fits(l, seq, &fits);
        if (e == OK)
            e = key_of(l, seq, &key);
        if (e != OK)
            return e;
        if (fits && (!l->f->from_ms || key >= l->f->from_ms) &&
            (!l->f->to_ms || key <= l->f->to_ms))
            page_take(&l->page, key, seq);
        seq--;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

/* Subject by subject. */
static enum err gather(struct listing *l, uint32_t seeks)
{
    l->s.left = seeks;
    l->page.count = 0;
    if (l->subjects == NULL)
        return take_all(l, l->acts, false);
    int64_t no = INT64_MAX;
    enum err e;
    while ((e = set_last(&l->s, l->subjects, no, &no)) == OK) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct sets s = { .c = l->s.c, .a = &a };
        struct set *hers = set_all(&s, 2);
        set_add(hers, acts_of(&s, no));
        set_add(hers, l->acts);
        e = take_all(l, hers, false);
        if (e != OK)
            return e;
        no--;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err walk_acts(struct listing *l)
{
    l->s.left = LIMIT_EXAMINED;
    l->page.count = 0;
    return take_all(l, l->acts, true);
}

static enum err walk_times(struct listing *l)
{
    l->s.left = LIMIT_EXAMINED;
    l->page.count = 0;
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    int64_t to = l->f->to_ms ? l->f->to_ms : INT64_MAX;
    if (to > l->page.before.key)
        to = l->page.before.key;
    enum err e = QUERY(l->s.c,
                       "SELECT seq, claimed_ms FROM act INDEXED BY act_claimed"
                       " WHERE claimed_ms BETWEEN ? AND ? ORDER BY claimed_ms DESC, seq DESC",
                       &q, INT(l->f->from_ms), INT(to));
    while (e == OK && l->page.count < l->page.limit && (e = conn_next(q)) == OK) {
        bool has = false, fits = false;
        e = set_has(&l->s, l->acts, col_int(q, 0), &has);
        if (e == OK && has)
            e = subject_fits(l, col_int(q, 0), &fits);
        if (e == OK && fits)
            page_take(&l->page, col_int(q, 1), col_int(q, 0));
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

/* What names few is gathered; what names many is met soon on the way. */
static enum err fill(struct listing *l)
{
    bool can_gather = l->subjects != NULL || (l->timed && l->fields > 0);
    enum err e = can_gather ? gather(l, LIMIT_EXAMINED / 10) : ERR_LIMIT;
    if (e == ERR_LIMIT)
        e = l->timed ? walk_times(l) : walk_acts(l);
    return e == ERR_LIMIT && can_gather ? gather(l, LIMIT_EXAMINED) : e;
}

static enum err place_cursor(struct listing *l)
{
    const struct act_filter *f = l->f;
    l->page.before = (struct page_row){ INT64_MAX, INT64_MAX };
    l->upto = INT64_MAX;
    if (!f->has_starting_after)
        return OK;
    int64_t seq, key;
    enum err e = NUMBER(l->s.c, "SELECT seq FROM act WHERE id = ?", 0, &seq,
                        BYTES(f->starting_after.b, sizeof f->starting_after.b));
    if (e == OK && seq == 0)
        return ERR_NOT_FOUND;
    if (e == OK)
        e = key_of(l, seq, &key);
    if (e == OK) {
        l->page.before = (struct page_row){ key, seq };
        l->upto = seq - 1;
    }
    return e;
}

enum err store_list_acts(struct store_reader *r, const struct act_filter *f, struct arena *a,
                         struct act_found **ret_acts, uint32_t *ret_count)
{
    must(f->limit >= 1 && f->limit <= LIMIT_LIST);
    struct listing l = { .s = { .c = r->c, .a = a }, .f = f, .timed = f->from_ms || f->to_ms };
    uint32_t fields;
    l.page.limit = f->limit;
    enum err e = place_cursor(&l);
    if (e != OK)
        return e;
    e = choose_acts(&l);
    if (e == OK && f->who)
        e = subject_set(&l.s, f->who, &l.subjects, &fields);
    if (e == OK)
        e = fill(&l);
    if (e != OK && e != ERR_NOT_FOUND) /* of a name that nobody has said, there is nothing */
        return e;
    struct act_found *found = arena_array(a, struct act_found, l.page.count);
    for (uint32_t i = 0; i < l.page.count; i++) {
        e = store_get_act_by_seq(r, l.page.at[i].row, a, &found[i]);
        if (e != OK)
            return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    }
    *ret_acts = found;
    *ret_count = l.page.count;
    return OK;
}
