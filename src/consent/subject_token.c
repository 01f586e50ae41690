#include "consent/ledger.h"

#include "codec/text.h"

#include <sodium.h>

bool subject_token_check(struct str secret, struct str subject, struct str token, struct arena *a)
{
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    struct str given;
    if (secret.n == 0 || token.n == 0 || token.n > 2 * sizeof mac)
        return false;
    bool decoded =
        token.n == 2 * sizeof mac ? hex_decode(token, a, &given) : base64_decode(token, a, &given);
    if (!decoded || given.n != sizeof mac)
        return false;
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const uint8_t *)secret.p, secret.n);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)subject.p, subject.n);
    crypto_auth_hmacsha256_final(&state, mac);
    return sodium_memcmp(mac, given.p, sizeof mac) == 0;
}
