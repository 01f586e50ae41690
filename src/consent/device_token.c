#include "consent/ledger.h"

#include "base/limits.h"
#include "codec/text.h"

#include <sodium.h>

/* A token is base64url of: one byte of format, 32 bytes HMAC-SHA256, the id.
 * The MAC covers a name of its own, so that no other use of the secret makes one. */
enum { FORMAT = 1, MAC = crypto_auth_hmacsha256_BYTES, HEAD = 1 + MAC };

static void sign(const uint8_t secret[32], struct str subject, uint8_t ret_mac[MAC])
{
    static const char purpose[] = "licet device token 1";
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, secret, 32);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)purpose, sizeof purpose);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)subject.p, subject.n);
    crypto_auth_hmacsha256_final(&state, ret_mac);
}

struct str device_token_make(const uint8_t secret[32], struct str subject, struct arena *a)
{
    must(subject.n > 0 && subject.n <= LIMIT_ID);
    char *bytes = arena_alloc(a, HEAD + subject.n);
    bytes[0] = FORMAT;
    sign(secret, subject, (uint8_t *)bytes + 1);
    memcpy(bytes + HEAD, subject.p, subject.n);
    return base64url_encode((struct str){ bytes, HEAD + subject.n }, a);
}

bool device_token_check(const uint8_t secret[32], struct str token, struct arena *a,
                        struct str *ret_subject)
{
    struct str bytes;
    if (token.n > 2 * (HEAD + LIMIT_ID) || !base64_decode(token, a, &bytes))
        return false;
    if (bytes.n <= HEAD || bytes.n > HEAD + LIMIT_ID || bytes.p[0] != FORMAT)
        return false;
    struct str subject = { bytes.p + HEAD, bytes.n - HEAD };
    uint8_t mac[MAC];
    sign(secret, subject, mac);
    if (sodium_memcmp(mac, bytes.p + 1, MAC) != 0 || !subject_id_ok(subject))
        return false;
    *ret_subject = subject;
    return true;
}
