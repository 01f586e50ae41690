#include "store/sets.h"
#include "store/verify_priv.h"
#include "codec/json.h"

#include <stdlib.h>

static void wrong(struct verify *v, int64_t no, const char *what)
{
    /* not its id, which is personal data and would end in logs: its number in the database */
    verify_fault(v, "subject %lld: %s", (long long)no, what);
}

/* More than one of its texts can have; what has more is damaged, and then the number of them is wrong. */
enum { WORDS = 10000 };

/* ---- state ---- */

static enum err check_state(struct verify *v, int64_t no, const struct subject_row *row)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = FIRST(v->c,
                       "SELECT columns FROM fact WHERE subject = ? AND kind = 2"
                       " ORDER BY seq DESC LIMIT 1",
                       &q, INT(no));
    if (e == ERR_NOT_FOUND)
        wrong(v, no, "no fact made it");
    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : e;
    AUTO(buf_fini) struct buf state = BUF_INIT(2 * LIMIT_GROUP_BYTES);
    columns_subject(&state, row);
    if (!str_eq(buf_view(&state), col_bytes(q, 0)))
        wrong(v, no, "its fields do not agree with its newest fact");
    return OK;
}

/* ---- words ---- */

struct reading_words {
    struct verify *v;
    int64_t no;
    struct str seen[WORDS]; /* words of this field so far */
    uint32_t count;
    enum word_field field;
};

static enum err find_word(void *ctx, enum word_field field, struct str word)
{
    struct reading_words *w = ctx;
    int64_t n;
    if (field != w->field)
        w->count = 0;
    w->field = field;
    for (uint32_t i = 0; i < w->count; i++)
        if (str_eq(w->seen[i], word))
            return OK;
    if (w->count == WORDS)
        return OK;
    w->seen[w->count++] = word;
    w->v->words++;
    enum err e =
        NUMBER(w->v->c, "SELECT 1 FROM subject_word WHERE field = ? AND word = ? AND subject = ?",
               0, &n, INT(field), TEXT(word), INT(w->no));
    if (e == OK && n == 0)
        wrong(w->v, w->no, "is not found by its words");
    return e;
}

static enum err check_words(struct verify *v, int64_t no, const struct subject_row *row,
                            struct reading_words *w)
{
    w->v = v;
    w->no = no;
    w->count = 0;
    w->field = 0;
    return words_of_subject(row, &v->a, find_word, w);
}

/* ---- standings ---- */

/* Compared as they are stored: what the gate reads is narrower. */
static enum err has_standing(struct verify *v, int64_t no, const struct standing *t, bool *ret_is)
{
    int64_t n;
    enum err e =
        NUMBER(v->c,
               "SELECT 1 FROM standing WHERE subject = ? AND purpose = ? AND class = ?"
               " AND version = ? AND first_effect = ? AND first_seq = ? AND last_effect = ?"
               " AND last_seq = ?",
               0, &n, INT(no), INT(t->purpose), INT(standing_class(t)), INT(t->version),
               INT(t->first_effect), INT(t->first_seq), INT(t->last_effect), INT(t->last_seq));
    *ret_is = n != 0;
    return e;
}

static enum err check_standings(struct verify *v, int64_t no, const struct snapshot *again)
{
    int64_t n;
    enum err e = NUMBER(v->c, "SELECT count(*) FROM standing WHERE subject = ?", 0, &n, INT(no));
    bool same = n == again->count;
    for (uint32_t i = 0; e == OK && same && i < again->count; i++)
        e = has_standing(v, no, &again->standing[i], &same);
    if (e == OK && !same)
        wrong(v, no, "its standings do not agree with its acts");
    v->standings += again->count;
    return e;
}

/* ---- who is counted where ---- */

static int key_order(const struct coverage_key *a, const struct coverage_key *b)
{
    if (a->purpose != b->purpose)
        return a->purpose < b->purpose ? -1 : 1;
    if (a->bare != b->bare)
        return a->bare < b->bare ? -1 : 1;
    if (a->state != b->state)
        return a->state < b->state ? -1 : 1;
    if (a->version != b->version)
        return a->version < b->version ? -1 : 1;
    return (a->day > b->day) - (a->day < b->day);
}

/* How many are counted under that key: a few thousand keys, however many subjects. */
static int64_t *place_of(struct verify *v, const struct coverage_key *k, bool add)
{
    uint32_t from = 0, to = v->counted_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        int order = key_order(&v->counted[middle].key, k);
        if (order == 0)
            return &v->counted[middle].n;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    if (!add)
        return NULL;
    if (v->counted_count == v->counted_cap) {
        v->counted_cap = v->counted_cap ? v->counted_cap * 2 : 64;
        v->counted = must_realloc(v->counted, v->counted_cap * sizeof *v->counted);
    }
    memmove(&v->counted[from + 1], &v->counted[from],
            (v->counted_count - from) * sizeof *v->counted);
    v->counted_count++;
    v->counted[from] = (struct counted){ .key = *k };
    return &v->counted[from].n;
}

static void count_her(struct verify *v, const struct snapshot *again)
{
    AUTO(standings_fini) struct standings s = { 0 };
    for (uint32_t i = 0; i < again->count; i++)
        standings_add(&s, &again->standing[i]);
    for (uint32_t i = 0; i < s.count; i++) {
        struct coverage_key k;
        bool seen = false;
        for (uint32_t before = 0; before < i; before++)
            seen = seen || s.at[before].purpose == s.at[i].purpose;
        for (int bare = 0; !seen && bare < 2; bare++)
            if (coverage_of(&s, s.at[i].purpose, bare, &k))
                ++*place_of(v, &k, true);
    }
}

enum err verify_coverage(struct verify *v)
{
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(v->c, "SELECT purpose, bare, state, version, day, n FROM coverage", &q);
    while (e == OK && (e = conn_next(q)) == OK) {
        struct coverage_key k = { .purpose = (uint32_t)col_int(q, 0),
                                  .bare = col_int(q, 1) != 0,
                                  .state = (enum coverage_state)col_int(q, 2),
                                  .version = (uint32_t)col_int(q, 3),
                                  .day = col_int(q, 4) };
        bool narrow = k.purpose == col_int(q, 0) && k.bare == col_int(q, 1) &&
                      (int64_t)k.state == col_int(q, 2) && k.version == col_int(q, 3);
        int64_t *n = narrow ? place_of(v, &k, false) : NULL;
        if ((n ? *n : 0) != col_int(q, 5))
            verify_fault(v, "coverage of purpose %lld: %lld counted, and standings of %lld",
                         (long long)col_int(q, 0), (long long)col_int(q, 5),
                         (long long)(n ? *n : 0));
        if (n != NULL)
            *n = 0;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    for (uint32_t i = 0; i < v->counted_count; i++)
        if (v->counted[i].n != 0)
            verify_fault(v, "coverage of purpose %u: %lld subjects are not counted",
                         v->counted[i].key.purpose, (long long)v->counted[i].n);
    return OK;
}

static enum err check_facts(struct verify *v, int64_t no, const struct subject_row *row,
                            int64_t flags)
{
    AUTO(free_ptr) struct snapshot *again = NULL;
    /* asked for a moment that is past, the store answers from the facts */
    enum err e = store_load_snapshot(v->r, row->id, INT64_MAX - 1, &again);
    if (e == ERR_CORRUPT)
        wrong(v, no, "its facts cannot be read");
    if (e != OK)
        return e == ERR_CORRUPT ? OK : e;
    if (row->seq != again->seq)
        wrong(v, no, "its newest fact is another one");
    if (flags != again->flags)
        wrong(v, no, "its flags do not agree with its facts");
    count_her(v, again);
    return check_standings(v, no, again);
}

enum { SHOWN_VALUE = 256 }; /* consent/preferences.c shows no longer ones for a purpose */

/* ---- preferences: {"name": {"value": …, "consent_id": "…", "effect": …}} ---- */

struct view {
    struct json_doc d, act; /* the subject's preferences; the payload of the act they cite */
    struct act_found found;
};

static enum err find_act(struct verify *v, struct view *x, uint32_t entry, bool *ret_is)
{
    struct str text;
    struct id id;
    char lower_case[ID_TEXT + 1];
    *ret_is = json_string(&x->d, json_get(&x->d, entry, STR("consent_id")), &v->a, &text) &&
              id_parse(text, &id);
    if (*ret_is) {
        id_format(&id, lower_case);
        *ret_is = str_eq(text, str_of(lower_case));
    }
    if (!*ret_is)
        return OK;
    enum err e = store_get_act(v->r, &id, &v->a, &x->found);
    *ret_is = e == OK && json_scan(x->found.payload, &v->a, &x->act, NULL) == OK;
    return e == ERR_NOT_FOUND || e == ERR_CORRUPT ? OK : e;
}

/* What the act says of that name, where it says it as an object does. A long value
 * that lowers may be shown as false. */
static bool says(const struct view *x, struct str name, struct str value)
{
    uint32_t said = json_get(&x->act, JSON_ROOT, STR("preferences"));
    if (json_type(&x->act, said) != JSON_OBJECT)
        return true;
    said = json_get(&x->act, said, name);
    struct str raw = json_raw(&x->act, said);
    return said != 0 &&
           (str_eq(raw, value) || (str_eq(value, STR("false")) && raw.n > SHOWN_VALUE));
}

/* The effect is optional, and then one of the act's times. */
static bool is_time_of(const struct view *x, uint32_t entry, struct str columns)
{
    uint32_t node = json_get(&x->d, entry, STR("effect"));
    int64_t ms;
    struct act_columns c;
    struct act_effect e;
    if (node == 0)
        return x->d.node[entry].count == 2;
    if (x->d.node[entry].count != 3 || !verify_number(json_raw(&x->d, node), &ms) ||
        !columns_read_act(columns, &c))
        return false;
    if (ms == c.claimed_ms || ms == c.received_ms)
        return true;
    while (columns_next_effect(&c.effects, &e))
        if (e.effect_ms == ms)
            return true;
    return false;
}

static enum err check_preference(struct verify *v, const struct subject_row *row, struct view *x,
                                 uint32_t key, bool *ret_is)
{
    struct str name;
    bool named = json_string(&x->d, key, &v->a, &name);
    enum err e = find_act(v, x, key + 1, ret_is);
    if (e != OK || !*ret_is)
        return e;
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    e = FIRST(v->c, "SELECT columns FROM fact WHERE seq = ? AND kind = 1", &q, INT(x->found.seq));
    if (e == OK)
        *ret_is = named && str_eq(x->found.subject, row->id) &&
                  says(x, name, json_raw(&x->d, json_get(&x->d, key + 1, STR("value")))) &&
                  is_time_of(x, key + 1, col_bytes(q, 0));
    return e;
}

static enum err check_preferences(struct verify *v, int64_t no, const struct subject_row *row)
{
    struct view x;
    if (row->preferences.n == 0)
        return OK;
    bool is = json_scan(row->preferences, &v->a, &x.d, NULL) == OK &&
              json_type(&x.d, JSON_ROOT) == JSON_OBJECT;
    enum err e = OK;
    if (is)
        for (uint32_t k = json_first(&x.d, JSON_ROOT); k && is && e == OK;
             k = json_next(&x.d, JSON_ROOT, k + 1))
            e = check_preference(v, row, &x, k, &is);
    if (e == OK && !is)
        wrong(v, no, "its preferences do not agree with its acts");
    return e;
}

/* ---- */

enum err verify_subjects(struct verify *v)
{
    AUTO(free_ptr) struct reading_words *words = must_alloc(sizeof *words);
    AUTO(query_done) struct sqlite3_stmt *q = NULL;
    enum err e = QUERY(v->c,
                       "SELECT no, flags, created_ms, changed_ms, id, email, first_name, last_name,"
                       " full_name, extra, preferences, seq FROM subject ORDER BY no",
                       &q);
    while (e == OK && (e = conn_next(q)) == OK) {
        int64_t no = col_int(q, 0);
        int64_t flags = col_int(q, 1);
        struct subject_row row = { .verified = flags & SUBJECT_VERIFIED,
                                   .created_ms = col_int(q, 2),
                                   .changed_ms = col_int(q, 3),
                                   .id = col_bytes(q, 4),
                                   .email = col_bytes(q, 5),
                                   .first_name = col_bytes(q, 6),
                                   .last_name = col_bytes(q, 7),
                                   .full_name = col_bytes(q, 8),
                                   .extra = col_bytes(q, 9),
                                   .preferences = col_bytes(q, 10),
                                   .seq = col_int(q, 11) };
        e = check_state(v, no, &row);
        if (e == OK)
            e = check_facts(v, no, &row, flags);
        if (e == OK)
            e = check_preferences(v, no, &row);
        if (e == OK)
            e = check_words(v, no, &row, words);
        arena_clear(&v->a);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}
