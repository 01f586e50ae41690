#include "conf/mark.h"

static bool name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (!first && ((c >= '0' && c <= '9') || c == '_'));
}

struct str mark_first(struct str text)
{
    size_t n = 2;
    if (!str_starts(text, STR("[[")))
        return (struct str){ 0 };
    while (n < text.n && name_char(text.p[n], n == 2))
        n++;
    bool closed = n > 2 && str_starts((struct str){ text.p + n, text.n - n }, STR("]]"));
    return closed ? (struct str){ text.p, n + 2 } : (struct str){ 0 };
}

struct str mark_find(struct str text)
{
    struct str mark = { 0 };
    while (text.n > 0 && mark.n == 0) {
        const char *at = memchr(text.p, '[', text.n);
        if (at == NULL)
            break;
        text = (struct str){ at, (size_t)(text.p + text.n - at) };
        mark = mark_first(text);
        text = (struct str){ at + 1, text.n - 1 };
    }
    return mark;
}
