#include "consent/read_token.h"

#include "base/limits.h"
#include "codec/text.h"
#include "consent/ledger.h"

#include <sodium.h>

/* A token is base64url of: one byte of format, 8 bytes of its end (big endian), 32 bytes HMAC-SHA256,
 * the id. A device token's format is 1. */
enum { FORMAT = 2, END = 8, MAC = crypto_auth_hmacsha256_BYTES, HEAD = 1 + END + MAC };

/* Of n bytes, without padding. */
#define TEXT_OF(n) (((n)*4 + 2) / 3)

static void sign(const uint8_t secret[32], const uint8_t end[END], struct str subject,
                 uint8_t ret_mac[MAC])
{
    static const char purpose[] = "licet read token 1"; /* with its 0: no name begins another */
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, secret, 32);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)purpose, sizeof purpose);
    crypto_auth_hmacsha256_update(&state, end, END);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)subject.p, subject.n);
    crypto_auth_hmacsha256_final(&state, ret_mac);
}

struct str read_token_make(const uint8_t secret[32], struct str subject, int64_t expires_ms,
                           struct arena *a)
{
    must(subject.n > 0 && subject.n <= LIMIT_ID && expires_ms >= 0);
    uint8_t *bytes = arena_alloc(a, HEAD + subject.n);
    bytes[0] = FORMAT;
    for (int i = 0; i < END; i++)
        bytes[1 + i] = (uint8_t)((uint64_t)expires_ms >> (8 * (END - 1 - i)));
    sign(secret, bytes + 1, subject, bytes + 1 + END);
    memcpy(bytes + HEAD, subject.p, subject.n);
    return base64url_encode((struct str){ (const char *)bytes, HEAD + subject.n }, a);
}

/* Bytes can be written in more ways than one (padding, the other alphabet, bits that nobody reads):
 * one of them is ours. */
static bool read_bytes(struct str token, struct arena *a, struct str *ret_bytes)
{
    struct str bytes;
    if (token.n <= TEXT_OF(HEAD) || token.n > TEXT_OF(HEAD + LIMIT_ID) ||
        !base64_decode(token, a, &bytes) || !str_eq(base64url_encode(bytes, a), token))
        return false;
    if (bytes.n <= HEAD || bytes.n > HEAD + LIMIT_ID || bytes.p[0] != FORMAT)
        return false;
    *ret_bytes = bytes;
    return true;
}

bool read_token_check(const uint8_t secret[32], struct str token, int64_t now_ms, struct arena *a,
                      struct str *ret_subject, int64_t *ret_expires_ms)
{
    struct str bytes;
    if (!read_bytes(token, a, &bytes))
        return false;
    const uint8_t *head = (const uint8_t *)bytes.p;
    struct str subject = { bytes.p + HEAD, bytes.n - HEAD };
    uint8_t mac[MAC];
    sign(secret, head + 1, subject, mac);
    if (sodium_memcmp(mac, head + 1 + END, MAC) != 0 || !subject_id_ok(subject))
        return false;
    uint64_t end = 0;
    for (int i = 0; i < END; i++)
        end = end << 8 | head[1 + i];
    int64_t expires_ms = (int64_t)end;
    if (expires_ms <= now_ms || expires_ms - now_ms > LIMIT_READ_TOKEN_MS)
        return false;
    *ret_subject = subject;
    *ret_expires_ms = expires_ms;
    return true;
}
