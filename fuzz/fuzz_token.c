/* Device tokens and read tokens: what we made is taken, and nothing that differs in a single bit of what it says. The
 * first byte says what the rest is: bit 0, changes to a good token instead of a token; bit 1, of a read token. */
#include "base/limits.h"
#include "codec/text.h"
#include "consent/ledger.h"
#include "consent/read_token.h"

#include "target.h"

#define NOW 1767225600000LL

static const uint8_t secret[32] = { 3, 1, 4 };
static struct arena arena;

/* ---- of a device ---- */

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

/* A good token with bytes of it changed; *ret_same: they came out as they were. */
static struct str changed(struct str token, const uint8_t *change, size_t n, bool *ret_same)
{
    struct str good, bytes;
    must(base64_decode(token, &arena, &good));
    bytes = arena_str(&arena, good);
    char *at = (char *)bytes.p;
    for (size_t i = 0; i + 1 < n; i += 2)
        at[change[i] % bytes.n] ^= (char)change[i + 1];
    *ret_same = str_eq(bytes, good);
    return base64url_encode(bytes, &arena);
}

static void a_changed_token(const uint8_t *change, size_t n)
{
    bool same;
    struct str subject, token = device_token_make(secret, STR("device-1"), &arena);
    must(device_token_check(secret, token, &arena, &subject) && str_eq(subject, STR("device-1")));
    token = changed(token, change, n, &same);
    must(device_token_check(secret, token, &arena, &subject) == same);
}

/* ---- for reading ---- */

static void a_read_token(struct str token)
{
    struct str subject;
    int64_t expires;
    if (!read_token_check(secret, token, NOW, &arena, &subject, &expires))
        return;
    must(subject_id_ok(subject) && expires > NOW && expires <= NOW + LIMIT_READ_TOKEN_MS);
    must(str_eq(token, read_token_make(secret, subject, expires, &arena)));
}

static void a_changed_read_token(const uint8_t *change, size_t n)
{
    bool same;
    int64_t expires;
    struct str subject, token = read_token_make(secret, STR("user-1"), NOW + 1000, &arena);
    must(read_token_check(secret, token, NOW, &arena, &subject, &expires));
    must(str_eq(subject, STR("user-1")) && expires == NOW + 1000);
    must(!device_token_check(secret, token, &arena, &subject));
    token = changed(token, change, n, &same);
    must(read_token_check(secret, token, NOW, &arena, &subject, &expires) == same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct str rest = { (const char *)data + 1, n - 1 };
    switch (data[0] & 3) {
    case 0: a_token(rest); break;
    case 1: a_changed_token(data + 1, n - 1); break;
    case 2: a_read_token(rest); break;
    default: a_changed_read_token(data + 1, n - 1);
    }
    arena_clear(&arena);
    return 0;
}
