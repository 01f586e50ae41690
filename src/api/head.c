#include "api/server_priv.h"

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
    HEADER("Host", host),
    HEADER("Origin", origin),
    HEADER("Cookie", cookie),
    HEADER("Content-Type", content_type),
    HEADER("Authorization", authorization),
    HEADER("ApiKey", api_key),
    HEADER("Idempotency-Key", idempotency_key),
    HEADER("Licet-Device-Token", device_token),
    HEADER("AnonymousId", anonymous_id),
    HEADER("User-Agent", user_agent),
    HEADER("X-Forwarded-For", forwarded_for),
    HEADER("X-Forwarded-Proto", forwarded_proto),
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
    if (name.n == 0 || name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t')
        h->malformed = true; /* "Content-Length :" */
}

bool head_is_ambiguous(const struct headers *h)
{
    return h->malformed || h->lengths > 1 || h->encodings > 1 || (h->lengths && h->encodings);
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
