#include "codec/text.h"

#define ZLIB_CONST
#include <zlib.h>

#include <stdint.h>

bool gzip_is(struct str bytes)
{
    return str_starts(bytes, STR("\x1f\x8b"));
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The last four bytes say how long the content is; when they are honest, one
 * piece of memory does. What they can make us take is bounded by `max` and by
 * what deflate can reach (1032 to 1). */
static size_t first_size(struct str bytes, size_t max)
{
    uint32_t says = 0;
    if (bytes.n >= sizeof says) {
        struct str tail = { bytes.p + bytes.n - sizeof says, sizeof says };
        (void)take_u32(&tail, &says); /* there are four */
    }
    return least(says, least(max, bytes.n * 1032)) + 1;
}

static void inflate_fini(z_stream *z)
{
    (void)inflateEnd(z); /* only tells whether the end was reached */
}

/* One byte more than `max` fits the output, so that the limit shows. */
static enum err inflate_all(z_stream *z, size_t max, struct arena *a, size_t room, char **ret_p)
{
    char *p = arena_alloc(a, room);
    for (;;) {
        z->next_out = (Bytef *)p + z->total_out;
        z->avail_out = (uInt)(room - z->total_out);
        int result = inflate(z, Z_FINISH);
        must(result != Z_MEM_ERROR && result != Z_STREAM_ERROR);
        if (z->total_out > max)
            return ERR_LIMIT;
        if (result == Z_STREAM_END) {
            *ret_p = p;
            return z->avail_in == 0 ? OK : ERR_SYNTAX;
        }
        if (result != Z_BUF_ERROR || z->avail_out > 0)
            return ERR_SYNTAX;
        size_t more = least(room * 2, max + 1);
        char *larger = arena_alloc(a, more);
        memcpy(larger, p, z->total_out);
        p = larger;
        room = more;
    }
}

enum err gzip_inflate(struct str bytes, size_t max, struct arena *a, struct str *ret_bytes)
{
    must(max < UINT32_MAX);
    if (bytes.n > UINT32_MAX)
        return ERR_LIMIT;
    if (!gzip_is(bytes))
        return ERR_SYNTAX;
    AUTO(inflate_fini)
    z_stream z = { .next_in = (const Bytef *)bytes.p, .avail_in = (uInt)bytes.n };
    enum { ONLY_GZIP = 16 }; /* zlib's way to say so */
    must(inflateInit2(&z, MAX_WBITS + ONLY_GZIP) == Z_OK);
    char *p;
    enum err err = inflate_all(&z, max, a, first_size(bytes, max), &p);
    if (err == OK)
        *ret_bytes = (struct str){ p, z.total_out };
    return err;
}
