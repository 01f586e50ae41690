/* audit/reading.h - a document of ours, read member by member to be shown to people.
 *
 * What is not there reads as nothing: whoever shows it shows less, and never fails for it.
 */
#ifndef AUDIT_READING_H
#define AUDIT_READING_H

#include "codec/json.h"

struct reading {
    struct json_doc d;
    struct arena *a;
};

static inline uint32_t reading_get(const struct reading *g, uint32_t object, const char *member)
{
    return json_get(&g->d, object, str_of(member));
}

/* What a value says: of a string its content, of anything else its JSON; of null nothing. */
static inline struct str reading_value(const struct reading *g, uint32_t node)
{
    struct str s = { 0 };
    if (!json_text(&g->d, node, g->a, &s) && json_type(&g->d, node) > JSON_NULL)
        s = json_raw(&g->d, node);
    return s;
}

static inline struct str reading_text(const struct reading *g, uint32_t object, const char *member)
{
    return reading_value(g, reading_get(g, object, member));
}

static inline bool reading_is(const struct reading *g, uint32_t object, const char *member)
{
    return json_type(&g->d, reading_get(g, object, member)) == JSON_TRUE;
}

/* The beginning of what is too long to be shown, not in the midst of a character. */
static inline struct str reading_cut(struct str s, size_t most)
{
    size_t n = s.n < most ? s.n : most;
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return (struct str){ s.p, n };
}

#endif
