#include "store/sets.h"

struct set *set_index(struct sets *s, const char *sql, struct arg first, struct arg second)
{
    struct set *t = arena_new(s->a, struct set);
    *t = (struct set){ .kind = SET_INDEX, .sql = sql, .key = { first, second } };
    return t;
}

static struct set *set_new(struct sets *s, int kind, uint32_t room)
{
    struct set *t = arena_new(s->a, struct set);
    *t = (struct set){ .kind = kind, .of = arena_array(s->a, const struct set *, room) };
    t->room = room;
    return t;
}

struct set *set_all(struct sets *s, uint32_t room)
{
    return set_new(s, SET_ALL, room);
}

struct set *set_any(struct sets *s, uint32_t room)
{
    return set_new(s, SET_ANY, room);
}

void set_add(struct set *to, const struct set *one)
{
    must(to->count < to->room);
    to->of[to->count++] = one;
}

static enum err seek(struct sets *s, const struct set *t, int64_t upto, int64_t *ret_row)
{
    struct arg args[COUNT(t->key) + 2] = { 0 };
    int n = 0;
    if (s->left == 0)
        return ERR_LIMIT;
    s->left--;
    while (n < (int)COUNT(t->key) && t->key[n].type != ARG_END) {
        args[n] = t->key[n];
        n++;
    }
    args[n] = INT(upto);
    int64_t row;
    enum err e = conn_number(s->c, t->sql, args, -1, &row);
    if (e != OK || row < 0)
        return e != OK ? e : ERR_NOT_FOUND;
    *ret_row = row;
    return OK;
}

static enum err greatest_of_any(struct sets *s, const struct set *t, int64_t upto, int64_t *ret_row)
{
    int64_t greatest = -1, row;
    for (uint32_t i = 0; i < t->count; i++) {
        enum err e = set_last(s, t->of[i], upto, &row);
        if (e != OK && e != ERR_NOT_FOUND)
            return e;
        if (e == OK && row > greatest)
            greatest = row;
    }
    if (greatest < 0)
        return ERR_NOT_FOUND;
    *ret_row = greatest;
    return OK;
}

/* Each is asked from where the one before stopped, until a whole round agrees. */
static enum err where_all_meet(struct sets *s, const struct set *t, int64_t upto, int64_t *ret_row)
{
    uint32_t agreed = 0;
    for (uint32_t i = 0; agreed < t->count; i = (i + 1) % t->count) {
        int64_t row;
        enum err e = set_last(s, t->of[i], upto, &row);
        if (e != OK)
            return e;
        agreed = row == upto ? agreed + 1 : 1;
        upto = row;
    }
    *ret_row = upto;
    return t->count ? OK : ERR_NOT_FOUND;
}

enum err set_last(struct sets *s, const struct set *t, int64_t upto, int64_t *ret_row)
{
    switch (t->kind) {
    case SET_INDEX: return seek(s, t, upto, ret_row);
    case SET_ANY: return greatest_of_any(s, t, upto, ret_row);
    case SET_ALL: break;
    }
    return where_all_meet(s, t, upto, ret_row);
}

enum err set_has(struct sets *s, const struct set *t, int64_t row, bool *ret_has)
{
    bool has = t->kind == SET_ALL && t->count > 0;
    int64_t last;
    enum err e = OK;
    if (t->kind == SET_INDEX) {
        e = seek(s, t, row, &last);
        has = e == OK && last == row;
    }
    /* the first that has it not, or has it, decides */
    for (uint32_t i = 0; i < t->count && e == OK && has == (t->kind == SET_ALL); i++)
        e = set_has(s, t->of[i], row, &has);
    if (e == OK || e == ERR_NOT_FOUND)
        *ret_has = has;
    return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- a page ---- */

static bool smaller(struct page_row a, struct page_row b)
{
    return a.key < b.key || (a.key == b.key && a.row < b.row);
}

bool page_is_full(const struct page *p, int64_t key, int64_t row)
{
    return p->count == p->limit && !smaller(p->at[p->count - 1], (struct page_row){ key, row });
}

void page_take(struct page *p, int64_t key, int64_t row)
{
    struct page_row r = { key, row };
    if (!smaller(r, p->before) || page_is_full(p, key, row))
        return;
    uint32_t i = p->count < p->limit ? p->count++ : p->count - 1;
    for (; i > 0 && smaller(p->at[i - 1], r); i--)
        p->at[i] = p->at[i - 1];
    p->at[i] = r;
}
