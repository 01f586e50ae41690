#include "api/server_priv.h"

/* RFC 9110, 5.6.2 */
static bool is_token(struct str s)
{
    static const char other[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], lower = (char)(c | 0x20);
        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') &&
            memchr(other, c, sizeof other - 1) == NULL)
            return false;
    }
    return s.n != 0;
}

static void put_length(struct headers *h, struct str value)
{
    unsigned long long n = 0;
    h->lengths++;
    h->malformed |= !str_to_u64(value, &n);
    h->content_length = (long long)n;
}

static void put_encoding(struct headers *h, struct str value)
{
    h->encodings++;
    h->malformed |= !str_eq_nocase(value, STR("chunked"));
}

static void put_host(struct headers *h, struct str value)
{
    h->hosts++;
    h->host = value;
}

static void put_gpc(struct headers *h, struct str value)
{
    h->signals |= str_eq(value, STR("1")) ? SIGNAL_GPC : 0;
}

static void put_dnt(struct headers *h, struct str value)
{
    h->signals |= str_eq(value, STR("1")) ? SIGNAL_DNT : 0;
}

/* Either a place for the value or what is to be done with it. */
static const struct known_header {
    struct str name;
    size_t at;
    void (*put)(struct headers *h, struct str value);
} known_headers[] = {
#define HEADER(text, member)                                                                       \
    {                                                                                              \
        .name = STR_INIT(text), .at = offsetof(struct headers, member)                             \
    }
#define SPECIAL(text, fn)                                                                          \
    {                                                                                              \
        .name = STR_INIT(text), .put = (fn)                                                        \
    }
    SPECIAL("Host", put_host),
    HEADER("Origin", origin),
    HEADER("Cookie", cookie),
    HEADER("Content-Type", content_type),
    HEADER("Authorization", authorization),
    HEADER("ApiKey", api_key),
    HEADER("Idempotency-Key", idempotency_key),
    HEADER("Licet-Device-Token", device_token),
    HEADER("Licet-Read-Token", read_token),
    HEADER("AnonymousId", anonymous_id),
    HEADER("User-Agent", user_agent),
    HEADER("Accept-Language", accept_language),
    HEADER("X-Forwarded-For", forwarded_for),
    HEADER("X-Forwarded-Proto", forwarded_proto),
    HEADER("Accept", accept),
    HEADER("Accept-Encoding", accept_encoding),
    HEADER("Accept-Language", accept_language),
    HEADER("If-None-Match", if_none_match),
    SPECIAL("Content-Length", put_length),
    SPECIAL("Transfer-Encoding", put_encoding),
    SPECIAL("Sec-GPC", put_gpc),
    SPECIAL("DNT", put_dnt),
#undef HEADER
#undef SPECIAL
};

void head_put(struct headers *h, struct str name, struct str value)
{
    for (size_t i = 0; i < COUNT(known_headers); i++) {
        const struct known_header *k = &known_headers[i];
        /* the first letter decides nearly always; case is one bit of it */
        if (k->name.n != name.n || ((k->name.p[0] ^ name.p[0]) & ~0x20) != 0 ||
            !str_eq_nocase(name, k->name))
            continue;
        if (k->put != NULL)
            k->put(h, value);
        else
            *(struct str *)(void *)((char *)h + k->at) = value;
        return;
    }
    h->malformed |= !is_token(name); /* "Content-Length :" */
}

/* The library takes a bare LF for the end of a line, cuts at a zero byte, and hangs a folded line on the name
 * of the field before it. None of it can be seen in what it hands out, but in where that lies: it reads in place, so
 * in a head of whole lines each field begins two bytes behind the one before. */
void head_put_line(struct headers *h, const char *name, const char *value)
{
    struct str n = str_of(name), v = str_of(value);
    h->broken |= name != h->next;
    h->next = v.p + v.n + 2;
    head_put(h, n, v);
}

bool head_is_whole(const struct headers *h, struct str method, struct str target,
                   const char *version, size_t size)
{
    const char *first = version + strlen(version) + 2, *end = method.p + size;
    return !h->broken && target.p == method.p + method.n + 1 &&
           version == target.p + target.n + 1 && h->next + 2 == end && first + 2 <= end &&
           memchr(first, '\r', (size_t)(end - first)) == NULL;
}

static bool host_ok(struct str host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
            (c == 0 || strchr("-._~%:[]", c) == NULL))
            return false;
    }
    return true;
}

const char *head_fault(const struct headers *h, const struct target *t, bool old)
{
    if (h->lengths > 1 || h->encodings > 1 || (h->lengths && h->encodings) || (h->encodings && old))
        return "ambiguous length of the request";
    if (h->malformed || h->broken)
        return "malformed head of the request";
    if (t->path.n == 0)
        return "malformed target of the request";
    if (h->hosts > 1 || !host_ok(h->host) ||
        (t->authority.n != 0 && h->hosts && !str_eq_nocase(t->authority, h->host)))
        return "ambiguous host of the request";
    return NULL;
}

static bool target_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == 0x7f || c == '#')
            return false;
    }
    return true;
}

/* http://host/path, as a proxy is asked; a server has to take it as well (RFC 9112, 3.2.2). */
static bool cut_authority(struct str *rest, struct str *ret_authority)
{
    size_t scheme =
        str_eq_nocase((struct str){ rest->p, rest->n < 7 ? rest->n : 7 }, STR("http://"))    ? 7
        : str_eq_nocase((struct str){ rest->p, rest->n < 8 ? rest->n : 8 }, STR("https://")) ? 8
                                                                                             : 0;
    size_t end = scheme;
    while (end < rest->n && rest->p[end] != '/' && rest->p[end] != '?')
        end++;
    *ret_authority = (struct str){ rest->p + scheme, end - scheme };
    *rest = (struct str){ rest->p + end, rest->n - end };
    return ret_authority->n != 0;
}

void head_target(struct str raw, struct arena *a, struct target *ret_t)
{
    *ret_t = (struct target){ .raw = raw };
    struct str rest = raw, path;
    if (rest.n == 0 || !target_ok(raw))
        return;
    if (rest.p[0] != '/' && !str_eq(raw, STR("*")) && !cut_authority(&rest, &ret_t->authority))
        return;
    ret_t->authority = ret_t->authority.n ? arena_str(a, ret_t->authority) : ret_t->authority;
    (void)str_next(&rest, '?', &path); /* there is always a first part */
    ret_t->path = head_path(path.n ? path : STR("/"), a);
    ret_t->query = rest.n ? arena_str(a, rest) : (struct str){ 0 };
}

struct str head_path(struct str raw, struct arena *a)
{
    char *p = arena_alloc(a, raw.n + 2);
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] == '/' && n > 0 && p[n - 1] == '/')
            continue;
        p[n++] = raw.p[i];
    }
    while (n > 1 && p[n - 1] == '/')
        n--;
    struct str path = { p, n };
    if (str_starts(path, STR("/beta/"))) {
        path.p += 5;
        path.n -= 5;
    }
    return path;
}
