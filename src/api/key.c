#include "api/address.h"
#include "api/server_priv.h"

#include "base/clock.h"
#include "codec/text.h"

#include <sodium.h>

static const struct conf_key *find_key(const struct conf_key *key, uint32_t count,
                                       const uint8_t hash[32])
{
    const struct conf_key *found = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (sodium_memcmp(key[i].hash, hash, 32) == 0)
            found = &key[i]; /* looks at all of them, whichever it is */
    }
    return found;
}

void request_use_key(struct request *r, struct str key)
{
    if (r->control) {
        r->access = ACCESS_CONTROL;
        return;
    }
    r->access = ACCESS_NONE;
    if (key.n == 0)
        return;
    uint8_t hash[32];
    must(crypto_generichash(hash, sizeof hash, (const unsigned char *)key.p, key.n, NULL, 0) == 0);
    const struct conf *c = request_conf(r);
    r->key = find_key(c->private_key, c->private_key_count, hash);
    r->access = r->key ? ACCESS_PRIVATE : ACCESS_NONE;
    if (r->key == NULL) {
        r->key = find_key(c->public_key, c->public_key_count, hash);
        r->access = r->key ? ACCESS_PUBLIC : ACCESS_NONE;
    }
    memcpy(&r->source, hash, sizeof r->source);
}

/* Two headers with one tag cannot be found without tag_key, which nobody sees. */
static uint64_t tag_of(const struct server *s, struct str header)
{
    uint64_t tag;
    _Static_assert(sizeof tag == crypto_shorthash_BYTES, "one tag, one word");
    (void)crypto_shorthash((uint8_t *)&tag, (const uint8_t *)header.p, header.n, s->tag_key);
    return tag;
}

bool request_use_seen_key(struct request *r)
{
    struct seen_key *seen = &r->server->seen;
    struct str h = r->header.authorization;
    if (r->control || h.n == 0 || h.n != seen->n || tag_of(r->server, h) != seen->tag ||
        seen->generation != pipeline_generation(r->server->pipeline)->policy->generation)
        return false;
    r->access = seen->access;
    r->key = seen->key;
    r->source = seen->source;
    return true;
}

void request_remember_key(struct request *r)
{
    struct str h = r->header.authorization;
    if (r->control || r->access == ACCESS_NONE || h.n == 0)
        return;
    r->server->seen =
        (struct seen_key){ .tag = tag_of(r->server, h),
                           .n = h.n,
                           .access = r->access,
                           .key = r->key,
                           .source = r->source,
                           .generation =
                               pipeline_generation(r->server->pipeline)->policy->generation };
}

/* The consent database's keys stand in a header of their own; Bearer does as well. */
void request_use_database_key(struct request *r)
{
    struct str key = r->header.api_key;
    if (key.n == 0 && str_starts(r->header.authorization, STR("Bearer ")))
        key =
            str_trim((struct str){ r->header.authorization.p + 7, r->header.authorization.n - 7 });
    request_use_key(r, key);
}

struct str request_device(struct request *r)
{
    uint8_t secret[32];
    struct str token = r->header.device_token, subject = { 0 };
    if (token.n == 0 && !cookie_get(r->header.cookie, STR("licet_device"), &token))
        return subject;
    pipeline_secret(request_pipeline(r), SECRET_DEVICE_TOKEN, secret);
    (void)device_token_check(secret, token, &r->arena, &subject); /* a bad one is none */
    return subject;
}

/* A page of another origin asks, and no key says that it may. Then what the browser sends along by
 * itself counts for nothing: not she has asked. */
static bool from_elsewhere(struct request *r)
{
    struct str origin = r->header.origin, scheme;
    if (origin.n == 0)
        return false;
    struct str rest = origin;
    (void)str_next(&rest, '/', &scheme); /* "https:", "", host */
    bool own = str_eq(
        origin, arena_printf(&r->arena, "%.*s//%.*s", STR_ARG(scheme), STR_ARG(r->header.host)));
    if (own)
        return false;
    request_use_database_key(r);
    return r->access < ACCESS_PUBLIC || !request_origin_allowed(r);
}

struct str request_herself(struct request *r, bool *ret_vouched)
{
    struct str id = request_body_text(r, "subject.id", "subject[id]"),
               token = request_body_text(r, "subject_token", "subject_token");
    *ret_vouched = token.n > 0;
    if (token.n > 0)
        return subject_id_ok(id) && subject_token_check(request_conf(r)->subject_token_secret, id,
                                                        token, &r->arena)
                   ? id
                   : (struct str){ 0 };
    if (r->header.device_token.n == 0 && from_elsewhere(r))
        return (struct str){ 0 };
    return request_device(r);
}

bool request_take(struct request *r, enum limit_kind kind, struct str who, uint32_t per,
                  int64_t period_ms)
{
    uint32_t wait = 0;
    if (limiter_take(request_limiter(r), kind, who, per, period_ms, 1, clock_mono_ms(), &wait))
        return true;
    r->answer.retry_after_s = wait;
    answer_message(r, 429, "API rate limit exceeded");
    return false;
}

bool request_take_address(struct request *r, enum limit_kind kind)
{
    uint64_t group = address_group(r->ip);
    struct str address = { (const char *)&group, sizeof group };
    return request_take(r, kind, address, request_conf(r)->limits.address_per_minute, 60000);
}

bool request_take_subject(struct request *r, enum limit_kind kind, struct str subject)
{
    return request_take(r, kind, arena_printf(&r->arena, "subject %.*s", STR_ARG(subject)),
                        request_conf(r)->limits.subject_per_hour, 3600000);
}

bool request_within_key_rate(struct request *r)
{
    uint32_t per = request_conf(r)->limits.key_requests_per_second, wait = 0;
    struct str who = { (const char *)&r->source, sizeof r->source };
    if (r->control || per == 0 ||
        limiter_take(request_limiter(r), LIMIT_KEY_REQUESTS, who, per, 1000, 1, r->server->now_ms,
                     &wait))
        return true;
    r->answer.retry_after_s = wait;
    answer_message(r, 429, "too many requests with this key");
    return false;
}

bool request_within_api_rate(struct request *r)
{
    const struct conf *c = request_conf(r);
    struct limiter *l = request_limiter(r);
    struct str who = { (const char *)&r->source, sizeof r->source };
    uint32_t wait = 0;
    if (r->access != ACCESS_PRIVATE ||
        (limiter_take(l, LIMIT_API_SECOND, who, c->limits.api_requests_per_second, 1000, 1,
                      r->server->now_ms, &wait) &&
         limiter_take(l, LIMIT_API_HOUR, who, c->limits.api_requests_per_hour, 3600000, 1,
                      r->server->now_ms, &wait)))
        return true;
    r->answer.retry_after_s = wait;
    answer_message(r, 429, "API rate limit exceeded");
    return false;
}

bool request_is_https(const struct request *r)
{
    return r->secure || str_eq_nocase(r->header.forwarded_proto, STR("https"));
}

bool request_origin_allowed(const struct request *r)
{
    if (r->key == NULL || r->key->origin_count == 0 || r->header.origin.n == 0)
        return true;
    for (uint32_t i = 0; i < r->key->origin_count; i++) {
        if (str_eq(r->key->origin[i], r->header.origin))
            return true;
    }
    return false;
}
