/* Device tokens: what we made is taken, and nothing that differs in a single bit of what it says.
 * The first byte says what the rest is: a token, or changes to a good one. */
#include "codec/text.h"
#include "consent/ledger.h"

#include "target.h"

static const uint8_t secret[32] = { 3, 1, 4 };
static struct arena arena;

static void a_token(struct str token)
{
    struct str subject;
    if (!device_token_check(secret, token, &arena, &subject))
        return;
    must(subject_id_ok(subject));
    struct str said, made, again = device_token_make(secret, subject, &arena);
    must(base64_decode(token, &arena, &said) && base64_decode(again, &arena, &made));
    must(str_eq(said, made));
}

static void changed(const uint8_t *change, size_t n)
{
    struct str subject, good, bytes, token = device_token_make(secret, STR("device-1"), &arena);
    must(device_token_check(secret, token, &arena, &subject) && str_eq(subject, STR("device-1")));
    must(base64_decode(token, &arena, &good));
    bytes = arena_str(&arena, good);
    char *at = (char *)bytes.p;
    for (size_t i = 0; i + 1 < n; i += 2)
        at[change[i] % bytes.n] ^= (char)change[i + 1];
    bool same = str_eq(bytes, good);
    must(device_token_check(secret, base64url_encode(bytes, &arena), &arena, &subject) == same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    if (data[0] & 1)
        changed(data + 1, n - 1);
    else
        a_token((struct str){ (const char *)data + 1, n - 1 });
    arena_clear(&arena);
    return 0;
}
