/* codec/utf8.h - is it UTF-8? (Unicode table 3-7: no overlongs, no surrogates)
 *
 * Whatever goes into JSON must pass here once: percent-decoded and
 * base64-decoded text comes from strangers and may be any bytes.
 */
#ifndef CODEC_UTF8_H
#define CODEC_UTF8_H

#include "base/str.h"

/* Bytes (2 to 4) of the sequence at p, whose first byte is 0x80 or above; 0
 * when it is damaged or cut. */
static inline size_t utf8_sequence(const char *p, const char *end)
{
    unsigned char b = (unsigned char)*p;
    size_t n = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : 2;
    if (b < 0xc2 || b > 0xf4 || (size_t)(end - p) < n)
        return 0;
    unsigned char second = (unsigned char)p[1];
    unsigned char low = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
    unsigned char high = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if (((unsigned char)p[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

bool utf8_valid(struct str s);

#endif
