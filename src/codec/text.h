/* codec/text.h - base64, hexadecimal, URLs, cookies, forms, gzip.
 *
 * Thin helpers: libsodium does base64 and hex, zlib the inflating.
 * Results live in the arena. False or an error leaves the outputs untouched.
 */
#ifndef CODEC_TEXT_H
#define CODEC_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Standard or URL alphabet, with or without padding; nothing else, no white space. */
bool base64_decode(struct str text, struct arena *a, struct str *ret_bytes);
struct str base64_encode(struct str bytes, struct arena *a);    /* standard, padded */
struct str base64url_encode(struct str bytes, struct arena *a); /* URL alphabet, unpadded */
struct str hex_encode(struct str bytes, struct arena *a);       /* lower case */
bool hex_decode(struct str text, struct arena *a, struct str *ret_bytes);

/* Percent-decoding; `plus` also turns '+' into a space. A malformed escape
 * stays as it is. */
struct str url_decode(struct str text, bool plus, struct arena *a);

/* Strangers' text for a terminal: control characters, and those that turn the direction of
 * writing, become '?'; with `lines`, '\n' stays. */
void text_harmless(struct buf *to, struct str text, bool lines);

/* The parts of an absolute or relative URL; absent parts are empty. User and
 * password are left out, an IPv6 host keeps its brackets. Never fails: what
 * cannot be split is all path, and so is a URL whose host one program could
 * take for another than the next ("http://a\\@b"). */
struct url {
    struct str scheme, host, port, path, query, fragment; /* without ':', '//', '?', '#' */
};
struct url url_split(struct str text);

/* One "a=b" of "a=b&c=d", undecoded; false at the end. For queries and forms.
 * Empty parts are passed over; a part without '=' has an empty value. */
bool query_next(struct str *rest, struct str *ret_name, struct str *ret_value);
/* The decoded value of a query or form parameter, the first when there are
 * more; false if there is none. May be any bytes: see codec/utf8.h. */
bool query_get(struct str query, struct str name, struct arena *a, struct str *ret_value);

/* One value of a Cookie header (RFC 6265), undecoded, without quotes around it;
 * the first when there are more. False if there is none. */
bool cookie_get(struct str header, struct str name, struct str *ret_value);

/* True when the bytes begin as gzip does (RFC 1952). */
bool gzip_is(struct str bytes);
/* Inflates one gzip member and refuses anything behind it. ERR_LIMIT beyond `max`
 * bytes of output (checked while inflating; below 4 GB), ERR_SYNTAX when damaged
 * or cut. */
enum err gzip_inflate(struct str bytes, size_t max, struct arena *a,
                      struct str *ret_bytes) MUST_CHECK;

#endif
