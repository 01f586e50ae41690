/* conf/fault_priv.h - faults and warnings, each with its place in the file.
 *
 * They are collected in any order and printed once, sorted by place, the way a
 * compiler prints them. Memory is that of the arena given to faults_init().
 */
#ifndef CONF_FAULT_PRIV_H
#define CONF_FAULT_PRIV_H

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"

enum { FAULTS_SHOWN = 1000, SHOWN_VALUE = 60 };

/* Bytes [start, end) of the file. */
struct span {
    uint32_t start, end;
};

struct fault {
    struct fault *older;
    struct span at;
    bool error;
    struct str what;
};

struct faults {
    struct arena *arena;
    struct str name, text;
    uint32_t *line; /* offset of each line's first byte */
    uint32_t lines;
    uint32_t seen_at, seen_column; /* the last place asked for */
    struct fault *newest;
    uint32_t count, errors;
    bool limit; /* one of the errors is a limit of base/limits.h */
};

/* `text` must stay; it may still be masked until faults_print(). */
void faults_init(struct faults *f, struct str name, struct str text, struct arena *a);
void faults_add(struct faults *f, struct span at, bool error, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void faults_print(struct faults *f, struct buf *to);

struct conf_place faults_place(struct faults *f, uint32_t at);

/* A value as it may stand in a message: cut, without control characters. */
const char *shown(struct arena *a, struct str s);

/* The nearest of several words, if one is near enough to be what was meant. */
struct guess {
    struct str word, best;
    uint32_t distance;
};
void guess_init(struct guess *g, struct str word);
void guess_offer(struct guess *g, struct str candidate);
/* ", did you mean 'x'?" or "". */
const char *guess_text(const struct guess *g, struct arena *a);

#endif
