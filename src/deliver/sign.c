#include "deliver/sign.h"

#include "codec/text.h"

#include <sodium.h>

static enum err signing_key(struct str secret, struct arena *a, struct str *ret_key)
{
    static const struct str prefix = STR_INIT("whsec_");
    if (!str_starts(secret, prefix)) {
        *ret_key = secret;
        return OK;
    }
    struct str text = { secret.p + prefix.n, secret.n - prefix.n };
    return base64_decode(text, a, ret_key) && ret_key->n > 0 ? OK : ERR_VALUE;
}

/* base64(HMAC-SHA256(key, id "." timestamp "." body)) */
static struct str sign(struct str key, struct str id, struct str timestamp, struct str body,
                       struct arena *a)
{
    crypto_auth_hmacsha256_state state;
    (void)crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.p, key.n);
    const struct str part[] = { id, STR("."), timestamp, STR("."), body };
    for (size_t i = 0; i < COUNT(part); i++)
        (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)part[i].p, part[i].n);
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    (void)crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof state);
    return base64_encode((struct str){ (const char *)mac, sizeof mac }, a);
}

static void add(struct outgoing_request *q, struct str line)
{
    must(q->header_count < COUNT(q->header));
    q->header[q->header_count++] = line;
}

enum err sign_request(struct str secret, const struct id *id, int64_t at_ms, struct arena *a,
                      struct outgoing_request *q)
{
    struct str key = { 0 };
    if (secret.n > 0 && signing_key(secret, a, &key) != OK)
        return ERR_VALUE;
    char text[ID_TEXT + 1];
    id_format(id, text);
    struct str timestamp = arena_printf(a, "%lld", (long long)(at_ms / 1000));
    add(q, STR("Content-Type: application/json"));
    add(q, arena_printf(a, "webhook-id: %s", text));
    add(q, arena_printf(a, "webhook-timestamp: %.*s", STR_ARG(timestamp)));
    if (key.n == 0)
        return OK;
    struct str signature = sign(key, str_of(text), timestamp, buf_view(&q->body), a);
    add(q, arena_printf(a, "webhook-signature: v1,%.*s", STR_ARG(signature)));
    return OK;
}
