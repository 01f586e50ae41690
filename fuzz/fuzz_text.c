/* The first byte says which helper gets the rest. */
#include "codec/text.h"

#include "target.h"

#include <zlib.h>

#include <stdlib.h>

static struct arena arena;

static bool lies_in(struct str part, struct str whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void base64(struct str s)
{
    struct str bytes, again;
    if (base64_decode(s, &arena, &bytes)) {
        must(bytes.n <= s.n);
        /* one text, at most two alphabets and a padding: nothing is lost or doubled */
        struct str standard = base64_encode(bytes, &arena), url = base64url_encode(bytes, &arena);
        must(str_starts(standard, s) || str_starts(s, url) || str_starts(url, s));
        must(s.n == standard.n || s.n == url.n);
    }
    must(base64_decode(base64_encode(s, &arena), &arena, &again) && str_eq(s, again));
    must(base64_decode(base64url_encode(s, &arena), &arena, &again) && str_eq(s, again));
    must(hex_decode(hex_encode(s, &arena), &arena, &again) && str_eq(s, again));
    if (hex_decode(s, &arena, &bytes))
        must(str_eq_nocase(hex_encode(bytes, &arena), s));
}

static void url(struct str s)
{
    struct url u = url_split(s);
    const struct str parts[] = { u.scheme, u.host, u.port, u.path, u.query, u.fragment };
    const char *at = s.p;
    size_t n = 0;
    for (size_t i = 0; i < COUNT(parts); i++) {
        must(lies_in(parts[i], s));
        n += parts[i].n;
        if (parts[i].n) {
            must(parts[i].p >= at); /* in their order, none over another */
            at = parts[i].p + parts[i].n;
        }
    }
    must(n <= s.n);
    if (u.host.n)
        must(memchr(u.host.p, '@', u.host.n) == NULL && memchr(u.host.p, '\\', u.host.n) == NULL &&
             memchr(u.host.p, '/', u.host.n) == NULL);
    must(url_decode(s, false, &arena).n <= s.n);
}

/* The text up to the first zero byte is a name to look for. */
static struct str take_name(struct str *s)
{
    struct str name = *s;
    (void)str_next(s, 0, &name);
    return name;
}

static void query(struct str s)
{
    struct str name = take_name(&s), rest = s, n, v, got;
    bool is_there = false;
    while (query_next(&rest, &n, &v)) {
        must(lies_in(n, s) && lies_in(v, s) && n.n + v.n <= s.n);
        is_there = is_there || str_eq(url_decode(n, true, &arena), name);
    }
    must(query_get(s, name, &arena, &got) == is_there);
}

static void cookie(struct str s)
{
    struct str name = take_name(&s), got;
    if (cookie_get(s, name, &got))
        must(lies_in(got, s) && (got.n == 0 || memchr(got.p, ';', got.n) == NULL));
}

static void ungzip(struct str s)
{
    enum { MAX = 100000 };
    struct str out, again;
    if (gzip_inflate(s, MAX, &arena, &out) == OK) {
        must(gzip_is(s) && out.n <= MAX);
        must(gzip_inflate(s, out.n, &arena, &again) == OK && str_eq(out, again));
        must(out.n == 0 || gzip_inflate(s, out.n - 1, &arena, &again) == ERR_LIMIT);
    }
    must(arena_size(&arena) < 64 * MAX);
}

static void gzip(struct str s)
{
    z_stream z = { .next_in = (Bytef *)s.p, .avail_in = (uInt)s.n };
    must(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t room = s.n + s.n / 8 + 1000;
    z.next_out = arena_alloc(&arena, room);
    z.avail_out = (uInt)room;
    struct str packed = { (const char *)z.next_out, 0 }, out;
    must(deflate(&z, Z_FINISH) == Z_STREAM_END);
    packed.n = z.total_out;
    must(deflateEnd(&z) == Z_OK);
    must(gzip_inflate(packed, s.n, &arena, &out) == OK && str_eq(out, s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static void (*const helpers[])(struct str) = { base64, url, query, cookie, ungzip, gzip };
    if (n == 0)
        return 0;
    helpers[data[0] % COUNT(helpers)]((struct str){ (const char *)data + 1, n - 1 });
    arena_clear(&arena);
    return 0;
}
