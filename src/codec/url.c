#include "codec/text.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Takes one decoded byte off s, which is not empty. */
static char take_decoded(struct str *s, bool plus)
{
    char c = *s->p;
    size_t n = 1;
    if (c == '+' && plus) {
        c = ' ';
    } else if (c == '%' && s->n >= 3 && hex_digit(s->p[1]) >= 0 && hex_digit(s->p[2]) >= 0) {
        c = (char)(hex_digit(s->p[1]) << 4 | hex_digit(s->p[2]));
        n = 3;
    }
    *s = (struct str){ s->p + n, s->n - n };
    return c;
}

struct str url_decode(struct str text, bool plus, struct arena *a)
{
    if (text.n == 0 || (!memchr(text.p, '%', text.n) && !(plus && memchr(text.p, '+', text.n))))
        return text;
    char *to = arena_alloc(a, text.n);
    size_t n = 0;
    while (text.n)
        to[n++] = take_decoded(&text, plus);
    return (struct str){ to, n };
}

/* Takes the part before the first byte that is one of `stops`. */
static struct str take_until(struct str *s, const char *stops)
{
    if (s->n == 0)
        return *s;
    size_t n = 0;
    while (n < s->n && (s->p[n] == 0 || strchr(stops, s->p[n]) == NULL))
        n++;
    struct str part = { s->p, n };
    *s = (struct str){ s->p + n, s->n - n };
    return part;
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "https:" */
static bool take_scheme(struct str *s, struct str *ret_scheme)
{
    size_t n = 0;
    while (n < s->n && (is_letter(s->p[n]) || (n > 0 && (is_digit(s->p[n]) || s->p[n] == '+' ||
                                                         s->p[n] == '-' || s->p[n] == '.'))))
        n++;
    if (n == 0 || n == s->n || s->p[n] != ':')
        return false;
    *ret_scheme = (struct str){ s->p, n };
    *s = (struct str){ s->p + n + 1, s->n - n - 1 };
    return true;
}

/* Bytes that programs read differently, or that end a host for some of them:
 * where they stand, nobody can say which host is meant. */
static bool is_clear(struct str s, const char *nor_these)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c == 0x7f || strchr("\\\"<>^`{|}[]", c) || strchr(nor_these, c))
            return false;
    }
    return true;
}

/* "[::1]" */
static bool take_address(struct str *s, struct str *ret_host)
{
    size_t n = 1;
    while (n < s->n && (hex_digit(s->p[n]) >= 0 || s->p[n] == ':' || s->p[n] == '.'))
        n++;
    if (n == s->n || s->p[n] != ']')
        return false;
    *ret_host = (struct str){ s->p, n + 1 };
    *s = (struct str){ s->p + n + 1, s->n - n - 1 };
    return true;
}

/* ":8080", or nothing */
static bool take_port(struct str *s, struct str *ret_port)
{
    if (s->n == 0)
        return true;
    struct str port = { s->p + 1, s->n - 1 };
    unsigned long long number;
    if (*s->p != ':' || (port.n && (!str_to_u64(port, &number) || number > 65535)))
        return false;
    *ret_port = port;
    return true;
}

/* "user:password@host:8080" */
static bool split_authority(struct str s, struct str *ret_host, struct str *ret_port)
{
    const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL;
    if (at != NULL) {
        struct str user = { s.p, (size_t)(at - s.p) };
        if (!is_clear(user, ""))
            return false;
        s = (struct str){ at + 1, s.n - user.n - 1 };
    }
    struct str host = { 0 };
    if (s.n && *s.p == '[') {
        if (!take_address(&s, &host))
            return false;
    } else {
        host = take_until(&s, ":");
        if (!is_clear(host, "@"))
            return false;
    }
    if (!take_port(&s, ret_port))
        return false;
    *ret_host = host;
    return true;
}

struct url url_split(struct str text)
{
    struct url u = { 0 };
    struct str rest = text;
    (void)take_scheme(&rest, &u.scheme);
    if (str_starts(rest, STR("//"))) {
        rest = (struct str){ rest.p + 2, rest.n - 2 };
        if (!split_authority(take_until(&rest, "/?#"), &u.host, &u.port))
            return (struct url){ .path = text };
    }
    u.path = take_until(&rest, "?#");
    if (rest.n && *rest.p == '?') {
        rest = (struct str){ rest.p + 1, rest.n - 1 };
        u.query = take_until(&rest, "#");
    }
    if (rest.n)
        u.fragment = (struct str){ rest.p + 1, rest.n - 1 };
    return u;
}

static bool decodes_to(struct str text, struct str want)
{
    size_t i = 0;
    while (text.n && i < want.n) {
        if (take_decoded(&text, true) != want.p[i++])
            return false;
    }
    return text.n == 0 && i == want.n;
}

bool query_next(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    struct str part;
    do {
        if (!str_next(rest, '&', &part))
            return false;
    } while (part.n == 0);
    const char *is = memchr(part.p, '=', part.n);
    size_t n = is ? (size_t)(is - part.p) : part.n;
    *ret_name = (struct str){ part.p, n };
    *ret_value = is ? (struct str){ is + 1, part.n - n - 1 } : STR("");
    return true;
}

bool query_get(struct str query, struct str name, struct arena *a, struct str *ret_value)
{
    struct str n, v;
    while (query_next(&query, &n, &v)) {
        if (decodes_to(n, name)) {
            *ret_value = url_decode(v, true, a);
            return true;
        }
    }
    return false;
}

bool cookie_get(struct str header, struct str name, struct str *ret_value)
{
    struct str part;
    while (str_next(&header, ';', &part)) {
        const char *is = part.n ? memchr(part.p, '=', part.n) : NULL;
        if (is == NULL)
            continue;
        size_t n = (size_t)(is - part.p);
        if (!str_eq(str_trim((struct str){ part.p, n }), name))
            continue;
        struct str v = str_trim((struct str){ is + 1, part.n - n - 1 });
        if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
            v = (struct str){ v.p + 1, v.n - 2 };
        *ret_value = v;
        return true;
    }
    return false;
}
