/* store/sets.h - sets of rows that indexes give, and where they meet.
 *
 * A filter of a list is a set of row numbers (acts by seq, subjects by no), each
 * of which one index can be asked for: "your greatest row up to this one". Where
 * several filters meet is found by asking them in turn, each from where the one
 * before stopped: the work is that of the smallest set, whatever the others hold,
 * and the rows come newest first. Every question is one seek and is counted.
 *
 * Owner:  sets live in the arena; the texts of keys must outlive them.
 * Thread: that of the connection.
 */
#ifndef STORE_SETS_H
#define STORE_SETS_H

#include "store/store_priv.h"

struct set {
    enum { SET_INDEX, SET_ALL, SET_ANY } kind;
    const char *sql;   /* SET_INDEX: a literal; its parameters are the key, then the row */
    struct arg key[2]; /* ARG_END: there is none */
    const struct set **of;
    uint32_t count, room;
};

struct sets {
    struct conn *c;
    struct arena *a;
    uint32_t left; /* seeks that may still be made */
};

struct set *set_index(struct sets *s, const char *sql, struct arg first, struct arg second);
#define ROWS(s, sql, first, second) set_index((s), "" sql, (first), (second))
#define NO_KEY ((struct arg){ 0 })
/* What is in all of the sets that are added, or in any of them (in none: nothing is). */
struct set *set_all(struct sets *s, uint32_t room);
struct set *set_any(struct sets *s, uint32_t room);
void set_add(struct set *to, const struct set *one);

/* The greatest row of the set that is not above `upto`. ERR_NOT_FOUND: there is none;
 * ERR_LIMIT: it would take more seeks than are left. */
enum err set_last(struct sets *s, const struct set *t, int64_t upto, int64_t *ret_row) MUST_CHECK;
enum err set_has(struct sets *s, const struct set *t, int64_t row, bool *ret_has) MUST_CHECK;

/* ---- a page: the greatest rows by (key, row) ---- */

struct page_row {
    int64_t key, row;
};
struct page {
    uint32_t limit, count;
    struct page_row before; /* only what is smaller comes in */
    struct page_row at[LIMIT_LIST];
};
void page_take(struct page *p, int64_t key, int64_t row);
/* Whether nothing up to this can come in any more. */
bool page_is_full(const struct page *p, int64_t key, int64_t row);

/* ---- words (store/words.c) ---- */

enum word_field { WORD_EMAIL = 1, WORD_FULL_NAME, WORD_PHONE };
/* Calls fn with each word by which a subject is found; the same may come twice. Words are of
 * letters, digits and bytes beyond ASCII, in lower case; a phone's are its digits alone. */
typedef enum err (*word_fn)(void *ctx, enum word_field field, struct str word);
enum err words_of_subject(const struct subject_row *row, struct arena *a, word_fn fn,
                          void *ctx) MUST_CHECK;
bool words_next(struct str *rest, struct arena *a, struct str *ret_word);
struct str phone_digits(struct str number, struct arena *a); /* empty: it has none */
/* Changes what is found from `before` (NULL: nothing) to `after`. */
enum err words_change(struct conn *c, int64_t no, const struct subject_row *before,
                      const struct subject_row *after) MUST_CHECK;
/* For a database from before there were words. */
enum err words_fill(struct conn *c) MUST_CHECK;

/* The subjects that a filter names; `count` of it says by how many of its fields. */
enum err subject_set(struct sets *s, const struct subject_filter *f, struct set **ret_set,
                     uint32_t *ret_fields) MUST_CHECK;

#endif
