/* Lists of subjects: by number, newest first; by the time of the last change where a time is
 * asked for. */
#include "store/sets.h"

/* ---- which subjects a filter names ---- */

#define UP_TO " <= ? ORDER BY no DESC LIMIT 1"

static struct set *by_word(struct sets *s, enum word_field field, struct str word)
{
    return ROWS(s,
                "SELECT subject FROM subject_word WHERE field = ? AND word = ? AND subject"
                " <= ? ORDER BY subject DESC LIMIT 1",
                INT(field), TEXT(word));
}

/* "@test.com" is what holds "test" or "com"; "mario@test" is one part of two words, which must both be there. */
static struct set *by_words(struct sets *s, enum word_field field, struct str wanted)
{
    struct set *any = set_any(s, (uint32_t)(wanted.n / 2 + 1));
    for (size_t i = 0; i < wanted.n; i++) {
        size_t n = 0;
        while (i + n < wanted.n && wanted.p[i + n] != '.' && wanted.p[i + n] != ' ')
            n++;
        struct str part = { wanted.p + i, n }, word;
        struct set *all = set_all(s, (uint32_t)(n / 2 + 1));
        while (words_next(&part, s->a, &word))
            set_add(all, by_word(s, field, word));
        if (all->count > 0)
            set_add(any, all);
        i += n;
    }
    return any;
}

static void add_text(struct sets *s, struct set *all, struct str wanted, const char *sql)
{
    if (wanted.n)
        set_add(all, set_index(s, sql, TEXT(wanted), NO_KEY));
}

enum err subject_set(struct sets *s, const struct subject_filter *f, struct set **ret_set,
                     uint32_t *ret_fields)
{
    struct set *all = set_all(s, 10);
    struct str phone = f->phone.n ? phone_digits(f->phone, s->a) : (struct str){ 0 };
    add_text(s, all, f->id, "SELECT no FROM subject WHERE id = ? AND no <= ?");
    add_text(s, all, f->email_exact,
             "SELECT no FROM subject INDEXED BY subject_email WHERE email = ? AND no" UP_TO);
    add_text(s, all, f->first_name,
             "SELECT no FROM subject INDEXED BY subject_first_name WHERE first_name = ?"
             " AND first_name <> '' AND no" UP_TO);
    add_text(s, all, f->last_name,
             "SELECT no FROM subject INDEXED BY subject_last_name WHERE last_name = ?"
             " AND last_name <> '' AND no" UP_TO);
    if (f->email.n)
        set_add(all, by_words(s, WORD_EMAIL, f->email));
    if (f->full_name.n)
        set_add(all, by_words(s, WORD_FULL_NAME, f->full_name));
    if (f->phone.n)
        set_add(all, by_word(s, WORD_PHONE, phone));
    if (f->verified >= 0)
        set_add(all, ROWS(s,
                          "SELECT no FROM subject INDEXED BY subject_verified WHERE"
                          " (flags & 1) = ? AND no" UP_TO,
                          INT(f->verified != 0), NO_KEY));
    *ret_fields = all->count;
    if (all->count == 0)
        set_add(all, ROWS(s, "SELECT no FROM subject WHERE no" UP_TO, NO_KEY, NO_KEY));
    *ret_set = all;
    return OK;
}

/* ---- a page of them ---- */

struct listing {
    struct sets s;
    const struct subject_filter *f;
    struct set *wanted;
    uint32_t fields;
    struct page page;
    int64_t upto;
    bool timed;
};

static enum err key_of(struct listing *l, int64_t no, int64_t *ret_ms)
{
    return NUMBER(l->s.c, "SELECT changed_ms FROM subject WHERE no = ?", 0, ret_ms, INT(no));
}

/* All that the indexes name, in the order of numbers. */
static enum err gather(struct listing *l, uint32_t seeks)
{
    l->s.left = seeks;
    l->page.count = 0;
    int64_t no = l->timed ? INT64_MAX : l->upto, key = 0;
    enum err e;
    while ((e = set_last(&l->s, l->wanted, no, &no)) == OK) {
        if (l->timed)
            e = key_of(l, no, &key);
        if (e != OK)
            return e;
        if ((!l->f->from_ms || key >= l->f->from_ms) && (!l->f->to_ms || key <= l->f->to_ms))
            page_take(&l->page, key, no);
        if (!l->timed && l->page.count == l->page.limit)
            return OK;
        no--;
    }
    return e == ERR_NOT_FOUND ? OK : e;
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
                       "SELECT no, changed_ms FROM subject INDEXED BY subject_changed"
                       " WHERE changed_ms BETWEEN ? AND ? ORDER BY changed_ms DESC, no DESC",
                       &q, INT(l->f->from_ms), INT(to));
    while (e == OK && l->page.count < l->page.limit && (e = conn_next(q)) == OK) {
        bool has = false;
        if (l->fields)
            e = set_has(&l->s, l->wanted, col_int(q, 0), &has);
        else if (l->s.left-- == 0)
            e = ERR_LIMIT; /* of one millisecond, or the cursor is at its end */
        if (e == OK && (has || !l->fields))
            page_take(&l->page, col_int(q, 1), col_int(q, 0));
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err fill(struct listing *l)
{
    enum err e = ERR_LIMIT;
    if (!l->timed)
        return gather(l, LIMIT_EXAMINED);
    if (l->fields) /* few, mostly */
        e = gather(l, LIMIT_EXAMINED / 10);
    if (e == ERR_LIMIT)
        e = walk_times(l);
    return e == ERR_LIMIT && l->fields ? gather(l, LIMIT_EXAMINED) : e;
}

static enum err place_cursor(struct listing *l)
{
    l->page.before = (struct page_row){ INT64_MAX, INT64_MAX };
    l->upto = INT64_MAX;
    if (l->f->starting_after.n == 0)
        return OK;
    int64_t no, key = 0;
    enum err e = subject_number(l->s.c, l->f->starting_after, &no);
    if (e == OK && l->timed)
        e = key_of(l, no, &key);
    if (e == OK) {
        l->page.before = (struct page_row){ key, no };
        l->upto = no - 1;
    }
    return e;
}

enum err store_list_subjects(struct store_reader *r, const struct subject_filter *f,
                             struct arena *a, struct subject_row **ret_rows, uint32_t *ret_count)
{
    must(f->limit >= 1 && f->limit <= LIMIT_LIST);
    struct listing l = { .s = { .c = r->c, .a = a }, .f = f, .timed = f->from_ms || f->to_ms };
    l.page.limit = f->limit;
    enum err e = subject_set(&l.s, f, &l.wanted, &l.fields);
    if (e == OK)
        e = place_cursor(&l);
    if (e == OK)
        e = fill(&l);
    if (e != OK)
        return e;
    struct subject_row *rows = arena_array(a, struct subject_row, l.page.count);
    for (uint32_t i = 0; i < l.page.count; i++) {
        e = subject_by_number(r->c, l.page.at[i].row, a, &rows[i]);
        if (e != OK)
            return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    }
    *ret_rows = rows;
    *ret_count = l.page.count;
    return OK;
}
