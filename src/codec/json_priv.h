/* codec/json_priv.h - what the scanner and the reader of the tape share. */
#ifndef CODEC_JSON_PRIV_H
#define CODEC_JSON_PRIV_H

#include "codec/json.h"

#include <endian.h>
#include <stdint.h>

/* The first byte from p on that a string literal cannot take as it stands, or
 * that is not ASCII: a quote, a backslash, a control character, 0x80 and above.
 *
 * Eight bytes at once. In each of the three differences the top bit of a byte
 * is set when the byte is what it looks for; a borrow only reaches bytes behind
 * a hit, and the first hit is all that counts. */
static inline const char *json_plain_end(const char *p, const char *end)
{
    const uint64_t ones = 0x0101010101010101u;
    while (end - p >= 8) {
        uint64_t x;
        memcpy(&x, p, sizeof x);
        x = le64toh(x);
        uint64_t control = x - ones * 0x20;
        uint64_t quote = (x ^ ones * '"') - ones;
        uint64_t backslash = (x ^ ones * '\\') - ones;
        uint64_t hit = (control | quote | backslash | x) & ones * 0x80;
        if (hit)
            return p + (__builtin_ctzll(hit) >> 3);
        p += 8;
    }
    while (p != end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
           *p != '\\')
        p++;
    return p;
}

/* The content of a string or key node, without its quotes, still escaped. */
static inline struct str json_content(struct str text, const struct json_node *n)
{
    return (struct str){ text.p + n->at + 1, n->len - 2 };
}

/* Four hexadecimal digits; -1 when they are not. */
int32_t json_hex4(const char *p);

/* Unescapes checked content; `to` has room for s.n bytes. Returns the length. */
size_t json_unescape(struct str s, char *to);

/* Do two checked contents mean the same text? */
bool json_same(struct str a, bool a_escaped, struct str b, bool b_escaped);

/* Moves *p, which is at a '-' or a digit, behind the number and returns NULL; or
 * to the fault and returns what it is. */
const char *json_number_end(const char **p, const char *end);

#endif
