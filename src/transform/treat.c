#include "transform/treat.h"

#include "codec/text.h"
#include "codec/time.h"

#include <arpa/inet.h>
#include <sodium.h>

static void put_le(uint8_t *to, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

struct treat_key treat_key_of(const uint8_t secret[32], uint32_t slot, uint32_t epoch_days,
                              int64_t at_ms)
{
    /* many events for one destination come one after the other */
    static _Thread_local struct {
        bool made;
        uint8_t secret[32], name[32];
        struct treat_key key;
    } last;
    /* the length of an epoch is part of its name: epochs of different lengths never meet */
    uint8_t name[16 + 4 + 4 + 8] = "licet pseudonym";
    put_le(name + 16, slot, 4);
    put_le(name + 20, epoch_days, 4);
    put_le(name + 24, epoch_days && at_ms > 0 ? (uint64_t)(at_ms / DAY_MS) / epoch_days : 0, 8);
    if (last.made && memcmp(name, last.name, sizeof name) == 0 &&
        sodium_memcmp(secret, last.secret, sizeof last.secret) == 0)
        return last.key;
    _Static_assert(sizeof last.key.b == crypto_auth_hmacsha256_BYTES, "a key is one HMAC");
    crypto_auth_hmacsha256(last.key.b, name, sizeof name, secret);
    memcpy(last.name, name, sizeof name);
    memcpy(last.secret, secret, sizeof last.secret);
    last.made = true;
    return last.key;
}

struct str treat_pseudonymise_with(struct str value, const struct treat_key *key, struct arena *a)
{
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256(mac, (const uint8_t *)value.p, value.n, key->b);
    return hex_encode((struct str){ (const char *)mac, 16 }, a);
}

struct str treat_pseudonymise(struct str value, const uint8_t secret[32], uint32_t slot,
                              uint32_t epoch_days, int64_t at_ms, struct arena *a)
{
    struct treat_key key = treat_key_of(secret, slot, epoch_days, at_ms);
    struct str pseudonym = treat_pseudonymise_with(value, &key, a);
    sodium_memzero(&key, sizeof key);
    return pseudonym;
}

struct str treat_truncate_ip(struct str value, struct arena *a)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    char text[INET6_ADDRSTRLEN];
    uint8_t ip[16];
    if (value.n == 0 || value.n >= sizeof text || memchr(value.p, 0, value.n) != NULL)
        return (struct str){ 0 };
    memcpy(text, value.p, value.n);
    text[value.n] = 0;
    int family = AF_INET;
    if (inet_pton(AF_INET6, text, ip) == 1) {
        family = AF_INET6;
        if (memcmp(ip, mapped, sizeof mapped) == 0) {
            family = AF_INET;
            memcpy(ip, ip + 12, 4);
        }
    } else if (inet_pton(AF_INET, text, ip) != 1) {
        return (struct str){ 0 };
    }
    if (family == AF_INET)
        ip[3] = 0;
    else
        memset(ip + 6, 0, 10);
    if (inet_ntop(family, ip, text, sizeof text) == NULL)
        return (struct str){ 0 };
    return arena_str(a, str_of(text));
}

struct str treat_hash(struct str value, struct arena *a)
{
    value = str_trim(value);
    char *lower = arena_alloc(a, value.n);
    for (size_t i = 0; i < value.n; i++)
        lower[i] = value.p[i] >= 'A' && value.p[i] <= 'Z' ? (char)(value.p[i] | 0x20) : value.p[i];
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const uint8_t *)lower, value.n);
    return hex_encode((struct str){ (const char *)hash, sizeof hash }, a);
}

/* ---- URLs ---- */

static size_t find(struct str s, size_t from, const char *any)
{
    while (from < s.n && strchr(any, s.p[from]) == NULL)
        from++;
    return from;
}

static bool is_scheme(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = (char)(s.p[i] | 0x20);
        bool letter = c >= 'a' && c <= 'z';
        if (!letter && (i == 0 || strchr("0123456789+-.", s.p[i]) == NULL))
            return false;
    }
    return s.n > 0;
}

/* Where the authority stands in a URL without query and fragment. False when it has a
 * scheme but no authority; begin == end when it is relative. Browsers read '\' as '/'. */
static bool find_authority(struct str url, size_t *ret_begin, size_t *ret_end)
{
    size_t at = find(url, 0, ":/\\");
    bool scheme = at < url.n && url.p[at] == ':' && is_scheme((struct str){ url.p, at });
    size_t slashes = scheme ? at + 1 : 0;
    bool two = url.n >= slashes + 2 && strchr("/\\", url.p[slashes]) != NULL &&
               strchr("/\\", url.p[slashes + 1]) != NULL;
    if (!two) {
        *ret_begin = *ret_end = 0;
        return !scheme;
    }
    *ret_begin = slashes + 2;
    *ret_end = find(url, slashes + 2, "/\\");
    return true;
}

static bool is_kept(struct str name, const struct str *parameter, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct str p = parameter[i];
        if (p.n && p.p[p.n - 1] == '*' ? str_starts(name, (struct str){ p.p, p.n - 1 })
                                       : str_eq(name, p))
            return true;
    }
    return false;
}

static void append(char *to, size_t *n, struct str s)
{
    if (s.n)
        memcpy(to + *n, s.p, s.n);
    *n += s.n;
}

struct str treat_query(struct str url, const struct str *parameter, uint32_t count, struct arena *a)
{
    url = str_trim(url);
    url.n = find(url, 0, "#");
    struct str base = { url.p, find(url, 0, "?") };
    size_t begin, end;
    if (!find_authority(base, &begin, &end))
        return (struct str){ 0 };

    char *to = arena_alloc(a, url.n);
    size_t n = 0, host = begin;
    for (size_t i = begin; i < end; i++) {
        if (base.p[i] == '@')
            host = i + 1;
    }
    append(to, &n, (struct str){ base.p, begin });
    append(to, &n, (struct str){ base.p + host, base.n - host });
    if (base.n == url.n)
        return (struct str){ to, n };

    char mark = '?';
    struct str part, rest = { url.p + base.n + 1, url.n - base.n - 1 };
    while (str_next(&rest, '&', &part)) {
        struct str name, pair = part;
        if (!str_next(&pair, '=', &name) || !is_kept(url_decode(name, true, a), parameter, count))
            continue;
        append(to, &n, (struct str){ &mark, 1 });
        append(to, &n, part);
        mark = '&';
    }
    return (struct str){ to, n };
}
