#include "store/seal.h"

#include "codec/json.h"
#include "codec/text.h"
#include "codec/time.h"

#include <sodium.h>

_Static_assert(SIGN_KEY == crypto_sign_PUBLICKEYBYTES && SIGN_SEED == crypto_sign_SEEDBYTES &&
                   SIGNATURE == crypto_sign_BYTES,
               "Ed25519");

/* ---- writing ---- */

static struct str hex(const uint8_t *bytes, struct arena *a)
{
    return hex_encode((struct str){ (const char *)bytes, 32 }, a);
}

static struct str hex_if(bool is, const uint8_t *bytes, struct arena *a)
{
    return is ? hex(bytes, a) : STR("");
}

struct str seal_write(const struct seal *s, struct arena *a)
{
    char at[TIME_TEXT + 1];
    time_format(s->at_ms, at);
    return arena_printf(a,
                        "{\"licet\":\"seal\",\"from\":%lld,\"to\":%lld,\"at\":\"%s\",\"head\":"
                        "\"%.*s\",\"root\":\"%.*s\",\"previous\":\"%.*s\",\"key\":\"%.*s\"}",
                        (long long)s->from, (long long)s->to, at, STR_ARG(hex(s->head, a)),
                        STR_ARG(hex(s->root, a)), STR_ARG(hex_if(s->has_previous, s->previous, a)),
                        STR_ARG(hex(s->key, a)));
}

struct str key_statement_write(const struct key_statement *k, struct arena *a)
{
    char at[TIME_TEXT + 1];
    time_format(k->at_ms, at);
    return arena_printf(
        a, "{\"licet\":\"key\",\"public\":\"%.*s\",\"previous\":\"%.*s\",\"at\":\"%s\"}",
        STR_ARG(hex(k->public, a)), STR_ARG(hex_if(k->has_previous, k->previous, a)), at);
}

/* ---- reading: whatever would not be written so again is none ---- */

struct reading {
    struct json_doc d;
    struct arena *a;
};

static bool start(struct str statement, struct arena *a, struct reading *ret_x)
{
    ret_x->a = a;
    return statement.n <= STATEMENT && json_scan(statement, a, &ret_x->d, NULL) == OK &&
           json_type(&ret_x->d, JSON_ROOT) == JSON_OBJECT;
}

static struct str text_of(const struct reading *x, const char *name)
{
    struct str s = { 0 };
    (void)json_string(&x->d, json_get(&x->d, JSON_ROOT, str_of(name)), x->a, &s);
    return s;
}

static bool take_hash(const struct reading *x, const char *name, uint8_t to[32])
{
    struct str bytes;
    if (!hex_decode(text_of(x, name), x->a, &bytes) || bytes.n != 32)
        return false;
    memcpy(to, bytes.p, 32);
    return true;
}

static bool take_hash_if(const struct reading *x, const char *name, bool *ret_is, uint8_t to[32])
{
    *ret_is = text_of(x, name).n > 0;
    return !*ret_is || take_hash(x, name, to);
}

static bool take_count(const struct reading *x, const char *name, int64_t *ret_n)
{
    unsigned long long n;
    if (!str_to_u64(json_raw(&x->d, json_get(&x->d, JSON_ROOT, str_of(name))), &n))
        return false;
    *ret_n = (int64_t)n;
    return true;
}

bool seal_read(struct str statement, struct arena *a, struct seal *ret_seal)
{
    struct reading x;
    struct seal s = { 0 };
    if (!start(statement, a, &x) || !take_count(&x, "from", &s.from) ||
        !take_count(&x, "to", &s.to) || !time_parse(text_of(&x, "at"), &s.at_ms) ||
        !take_hash(&x, "head", s.head) || !take_hash(&x, "root", s.root) ||
        !take_hash_if(&x, "previous", &s.has_previous, s.previous) ||
        !take_hash(&x, "key", s.key) || s.from < 1 || s.to < s.from ||
        !str_eq(seal_write(&s, a), statement))
        return false;
    *ret_seal = s;
    return true;
}

bool key_statement_read(struct str statement, struct arena *a, struct key_statement *ret_k)
{
    struct reading x;
    struct key_statement k = { 0 };
    if (!start(statement, a, &x) || !take_hash(&x, "public", k.public) ||
        !take_hash_if(&x, "previous", &k.has_previous, k.previous) ||
        !time_parse(text_of(&x, "at"), &k.at_ms) || !str_eq(key_statement_write(&k, a), statement))
        return false;
    *ret_k = k;
    return true;
}

/* ---- signatures ---- */

static void expand(const uint8_t seed[SIGN_SEED], uint8_t ret_public[SIGN_KEY],
                   uint8_t ret_secret[crypto_sign_SECRETKEYBYTES])
{
    (void)crypto_sign_seed_keypair(ret_public, ret_secret, seed); /* cannot fail */
}

void sign_public(const uint8_t seed[SIGN_SEED], uint8_t ret_key[SIGN_KEY])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    expand(seed, ret_key, secret);
    sodium_memzero(secret, sizeof secret);
}

void sign(const uint8_t seed[SIGN_SEED], struct str statement, uint8_t ret_signature[SIGNATURE])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES], key[SIGN_KEY];
    expand(seed, key, secret);
    (void)crypto_sign_detached(ret_signature, NULL, (const uint8_t *)statement.p, statement.n,
                               secret);
    sodium_memzero(secret, sizeof secret);
}

bool sign_agrees(const uint8_t key[SIGN_KEY], struct str statement, struct str signature)
{
    return signature.n == SIGNATURE &&
           crypto_sign_verify_detached((const uint8_t *)signature.p, (const uint8_t *)statement.p,
                                       statement.n, key) == 0;
}
