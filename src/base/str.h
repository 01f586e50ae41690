/* base/str.h - a slice of somebody else's bytes.
 *
 * Not zero-terminated, never owned. An empty slice has n == 0; p may then be
 * NULL. Valid as long as the bytes that it points to.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    } /* for static tables */
/* printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).n, (s).n ? (s).p : ""

static inline struct str str_of(const char *c_string)
{
    return (struct str){ c_string, c_string ? strlen(c_string) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* As str_eq, with ASCII letters of either case equal. */
bool str_eq_nocase(struct str a, struct str b);

/* Orders bytewise, shorter first on a tie: for qsort and sorted tables. */
int str_cmp(struct str a, struct str b);

/* Cuts white space (space, tab, CR, LF) from both ends. */
struct str str_trim(struct str s);

/* Takes the part before the first `sep` off *rest. False when *rest is at its
 * end; a string without `sep` is one part. */
bool str_next(struct str *rest, char sep, struct str *ret_part);

/* Decimal digits only, at most 18 of them. */
bool str_to_u64(struct str s, unsigned long long *ret_value);

#endif
