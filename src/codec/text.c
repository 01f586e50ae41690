#include "codec/text.h"

#include <sodium.h>

/* As much as `text` could decode to, and room for libsodium's zero byte. */
static unsigned char *bytes_for(size_t text_n, struct arena *a)
{
    return arena_alloc(a, text_n + 1);
}

bool base64_decode(struct str text, struct arena *a, struct str *ret_bytes)
{
    if (text.n == 0) {
        *ret_bytes = STR("");
        return true;
    }
    bool url = false;
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] >= 0x80)
            return false; /* libsodium 1.0.18 takes some of these for letters */
        url = url || text.p[i] == '-' || text.p[i] == '_';
    }
    bool padded = text.p[text.n - 1] == '=';
    int variant =
        url ? (padded ? sodium_base64_VARIANT_URLSAFE : sodium_base64_VARIANT_URLSAFE_NO_PADDING)
            : (padded ? sodium_base64_VARIANT_ORIGINAL : sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    unsigned char *to = bytes_for(text.n, a);
    size_t n;
    if (sodium_base642bin(to, text.n, text.p, text.n, NULL, &n, NULL, variant) != 0)
        return false;
    *ret_bytes = (struct str){ (const char *)to, n };
    return true;
}

static struct str encode(struct str bytes, struct arena *a, int variant)
{
    size_t room = sodium_base64_encoded_len(bytes.n, variant);
    char *to = arena_alloc(a, room);
    if (bytes.n)
        sodium_bin2base64(to, room, (const unsigned char *)bytes.p, bytes.n, variant);
    return str_of(to);
}

struct str base64_encode(struct str bytes, struct arena *a)
{
    return encode(bytes, a, sodium_base64_VARIANT_ORIGINAL);
}

struct str base64url_encode(struct str bytes, struct arena *a)
{
    return encode(bytes, a, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

struct str hex_encode(struct str bytes, struct arena *a)
{
    char *to = arena_alloc(a, bytes.n * 2 + 1);
    if (bytes.n)
        sodium_bin2hex(to, bytes.n * 2 + 1, (const unsigned char *)bytes.p, bytes.n);
    return (struct str){ to, bytes.n * 2 };
}

bool hex_decode(struct str text, struct arena *a, struct str *ret_bytes)
{
    unsigned char *to = bytes_for(text.n / 2, a);
    size_t n = 0;
    if (text.n && sodium_hex2bin(to, text.n / 2 + 1, text.p, text.n, NULL, &n, NULL) != 0)
        return false;
    *ret_bytes = (struct str){ (const char *)to, n };
    return true;
}

/* Bytes of what must not reach a terminal at the beginning of `s`; 0: nothing. */
static size_t harm(struct str s, bool lines)
{
    unsigned char c = (unsigned char)s.p[0], second = s.n > 1 ? (unsigned char)s.p[1] : 0,
                  third = s.n > 2 ? (unsigned char)s.p[2] : 0;
    if ((c < ' ' && !(lines && c == '\n')) || c == 0x7f)
        return 1;
    if (c == 0xc2 && second >= 0x80 && second < 0xa0) /* U+0080 … U+009F */
        return 2;
    if (c == 0xe2 &&
        ((second == 0x80 && (third == 0x8e || third == 0x8f || (third >= 0xa8 && third <= 0xae))) ||
         (second == 0x81 && third >= 0xa6 && third <= 0xa9)))
        return 3; /* marks, separators, embeddings and isolates of direction */
    return 0;
}

void text_harmless(struct buf *to, struct str text, bool lines)
{
    while (text.n) {
        size_t n = harm(text, lines);
        buf_byte(to, n ? '?' : text.p[0]);
        n = n ? n : 1;
        text = (struct str){ text.p + n, text.n - n };
    }
}
