#include "collect/segment_priv.h"

#include "codec/utf8.h"

struct str segment_clean(struct str s, struct arena *a)
{
    char *copy = NULL;
    for (size_t i = 0; i < s.n;) {
        bool ascii = (unsigned char)s.p[i] < 0x80;
        size_t len = ascii ? s.p[i] != 0 : utf8_sequence(s.p + i, s.p + s.n);
        if (len == 0) {
            if (copy == NULL) {
                copy = arena_alloc(a, s.n);
                memcpy(copy, s.p, s.n);
            }
            copy[i] = '?';
            len = 1;
        }
        i += len;
    }
    return copy ? (struct str){ copy, s.n } : s;
}

static const struct {
    struct str name;
    struct str letter;
} types[] = {
    { STR_INIT("track"), STR_INIT("t") },    { STR_INIT("page"), STR_INIT("p") },
    { STR_INIT("identify"), STR_INIT("i") }, { STR_INIT("screen"), STR_INIT("s") },
    { STR_INIT("group"), STR_INIT("g") },    { STR_INIT("alias"), STR_INIT("a") },
    { STR_INIT("merge"), { NULL, 0 } },
};

struct str segment_type_named(struct str name)
{
    for (size_t i = 0; i < COUNT(types); i++) {
        if (str_eq(types[i].name, name))
            return types[i].name;
    }
    return (struct str){ 0 };
}

struct str segment_type_of_path(struct str path)
{
    struct str rest = path, part, last = { 0 };
    while (str_next(&rest, '/', &part)) {
        if (part.n)
            last = part;
    }
    for (size_t i = 0; i < COUNT(types) && last.n; i++) {
        if (str_eq(types[i].name, last) || str_eq(types[i].letter, last))
            return types[i].name;
    }
    return (struct str){ 0 };
}
