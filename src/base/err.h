/* base/err.h - how functions fail.
 *
 * A fallible function returns enum err: OK is 0, everything else negative.
 * Where a person will read the cause, it also fills a struct err_info, which
 * the caller brings and may pass as NULL.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/must.h"

enum err {
    OK = 0,
    ERR_LIMIT = -1000, /* larger, deeper or more than base/limits.h allows */
    ERR_SYNTAX,        /* bytes that are not what they must be */
    ERR_VALUE,         /* well formed, but not allowed there */
    ERR_NOT_FOUND,
    ERR_CONFLICT,  /* differs from what is stored and frozen */
    ERR_KEY,       /* no key, or not one of ours */
    ERR_FORBIDDEN, /* a known key that may not do this */
    ERR_IO,        /* a file or socket failed */
    ERR_FULL,      /* no space left on the device */
    ERR_CORRUPT,   /* stored bytes do not agree with their hash or schema */
    ERR_BUSY,      /* somebody else holds it; try again */
    ERR_STALE,     /* what it rested on has changed meanwhile */
    ERR_STOPPED,   /* the daemon is going down */
};

struct err_info {
    enum err err;
    char field[128]; /* which input is at fault, dotted ("subject.id"), or "" */
    char text[384];  /* plain and short, without the field's value */
};

/* Fills *info when it is not NULL, and returns err: return err_set(...). The
 * field may be NULL. Texts are cut at their size, never overrun. */
enum err err_set(struct err_info *info, enum err err, const char *field, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* A few words for an error, for logs and as the last resort for people. */
const char *err_text(enum err err);

#endif
