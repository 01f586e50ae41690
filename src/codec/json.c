#include "codec/json.h"

#include "codec/json_priv.h"

int32_t json_hex4(const char *p)
{
    int32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

static size_t put_utf8(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)((0xf00u >> n) | c);
    return n;
}

/* One escape of checked content at *p, as 1 to 4 bytes. Moves *p behind it. */
static size_t put_escape(const char **p, char *to)
{
    static const char plain[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    char c = (*p)[1];
    if (c != 'u') {
        to[0] = means[strchr(plain, c) - plain];
        *p += 2;
        return 1;
    }
    uint32_t unit = (uint32_t)json_hex4(*p + 2);
    *p += 6;
    if (unit >= 0xd800 && unit < 0xdc00) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + ((uint32_t)json_hex4(*p + 2) - 0xdc00);
        *p += 6;
    }
    return put_utf8(unit, to);
}

size_t json_unescape(struct str s, char *to)
{
    const char *p = s.p, *end = s.p + s.n;
    char *begin = to;
    while (p != end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((escape ? escape : end) - p);
        memcpy(to, p, plain);
        to += plain;
        p += plain;
        if (escape)
            to += put_escape(&p, to);
    }
    return (size_t)(to - begin);
}

struct bytes {
    struct str rest;
    bool escaped;
    size_t used, have; /* of what the last escape stands for */
    char out[4];
};

/* The next byte of the text that is meant, or -1. */
static int next_byte(struct bytes *b)
{
    if (b->used < b->have)
        return (unsigned char)b->out[b->used++];
    if (b->rest.n == 0)
        return -1;
    if (!b->escaped || *b->rest.p != '\\') {
        b->rest.n--;
        return (unsigned char)*b->rest.p++;
    }
    const char *p = b->rest.p;
    b->have = put_escape(&p, b->out);
    b->used = 1;
    b->rest = (struct str){ p, b->rest.n - (size_t)(p - b->rest.p) };
    return (unsigned char)b->out[0];
}

bool json_same(struct str a, bool a_escaped, struct str b, bool b_escaped)
{
    if (!a_escaped && !b_escaped)
        return str_eq(a, b);
    struct bytes x = { .rest = a, .escaped = a_escaped }, y = { .rest = b, .escaped = b_escaped };
    for (;;) {
        int left = next_byte(&x);
        if (left != next_byte(&y))
            return false;
        if (left < 0)
            return true;
    }
}

uint32_t json_get(const struct json_doc *d, uint32_t object, struct str key)
{
    if (json_type(d, object) != JSON_OBJECT)
        return 0;
    uint32_t k = object + 1;
    for (uint32_t left = d->node[object].count; left > 0; left--, k = d->node[k + 1].next) {
        const struct json_node *n = &d->node[k];
        if (n->escaped ? json_same(json_content(d->text, n), true, key, false)
                       : str_eq(json_content(d->text, n), key))
            return k + 1;
    }
    return 0;
}

uint32_t json_find(const struct json_doc *d, uint32_t object, struct str path)
{
    struct str part;
    uint32_t at = object;
    if (path.n == 0)
        return json_get(d, object, path);
    while (at != 0 && str_next(&path, '.', &part))
        at = json_get(d, at, part);
    return at;
}

bool json_string(const struct json_doc *d, uint32_t i, struct arena *a, struct str *ret_s)
{
    if (json_type(d, i) != JSON_STRING)
        return false;
    struct str s = json_content(d->text, &d->node[i]);
    if (d->node[i].escaped) {
        char *to = arena_alloc(a, s.n);
        s = (struct str){ to, json_unescape(s, to) };
    }
    *ret_s = s;
    return true;
}

bool json_text(const struct json_doc *d, uint32_t i, struct arena *a, struct str *ret_s)
{
    if (json_type(d, i) != JSON_NUMBER)
        return json_string(d, i, a, ret_s);
    *ret_s = json_raw(d, i);
    return true;
}

uint32_t json_first(const struct json_doc *d, uint32_t container)
{
    /* only arrays and objects count anything */
    return container != 0 && d->node[container].count > 0 ? container + 1 : 0;
}

uint32_t json_next(const struct json_doc *d, uint32_t container, uint32_t member)
{
    if (container == 0 || member == 0)
        return 0;
    uint32_t next = d->node[member].next;
    return next < d->node[container].next ? next : 0;
}

static void write_escape(struct buf *to, unsigned char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt",
                      hex[] = "0123456789abcdef";
    const char *hit = c ? strchr(plain, c) : NULL;
    if (hit)
        buf_add(to, (const char[]){ '\\', letter[hit - plain] }, 2);
    else
        buf_add(to, (const char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
}

void json_write_string(struct buf *to, struct str s)
{
    const char *p = s.n ? s.p : "", *end = p + s.n, *from = p;
    buf_byte(to, '"');
    while (p != end) {
        p = json_plain_end(p, end);
        while (p != end && (unsigned char)*p >= 0x80)
            p++;
        if (p == end || ((unsigned char)*p >= 0x20 && *p != '"' && *p != '\\'))
            continue;
        buf_add(to, from, (size_t)(p - from));
        write_escape(to, (unsigned char)*p);
        from = ++p;
    }
    buf_add(to, from, (size_t)(end - from));
    buf_byte(to, '"');
}
