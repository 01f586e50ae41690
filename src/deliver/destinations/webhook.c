/* Requests by the Standard Webhooks specification 1.0: docs/webhook.md. */
#include "codec/text.h"
#include "codec/time.h"
#include "deliver/destination_priv.h"

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

/* Nothing of the attempt stands in the body: a repetition is the same bytes. */
static void write_body(const struct outgoing_event *event, uint32_t count, struct buf *to)
{
    buf_lit(to, "{\"batch\":[");
    for (uint32_t i = 0; i < count; i++) {
        char id[ID_TEXT + 1], received[TIME_TEXT + 1];
        id_format(&event[i].id, id);
        time_format(event[i].received_ms, received);
        if (i > 0)
            buf_byte(to, ',');
        buf_lit(to, "{\"id\":\"");
        buf_add(to, id, ID_TEXT);
        buf_lit(to, "\",\"received\":\"");
        buf_add(to, received, TIME_TEXT);
        buf_lit(to, "\",\"event\":");
        buf_str(to, event[i].body);
        buf_byte(to, '}');
    }
    buf_lit(to, "]}");
}

static enum err build(const struct conf_destination *conf, const struct outgoing_event *event,
                      uint32_t count, const struct id *request, int64_t at_ms, struct arena *a,
                      struct outgoing_request *ret_q)
{
    struct str key = { 0 };
    if (conf->secret.n > 0 && signing_key(conf->secret, a, &key) != OK)
        return ERR_VALUE;
    struct outgoing_request q = { .method = "POST", .url = conf->endpoint };
    q.body = (struct buf)BUF_INIT(LIMIT_SEND_BYTES);
    write_body(event, count, &q.body);
    if (q.body.over) {
        buf_fini(&q.body);
        return ERR_LIMIT;
    }
    char text[ID_TEXT + 1];
    id_format(request, text);
    struct str id = str_of(text);
    struct str timestamp = arena_printf(a, "%lld", (long long)(at_ms / 1000));
    q.header[q.header_count++] = STR("Content-Type: application/json");
    q.header[q.header_count++] = arena_printf(a, "webhook-id: %s", text);
    q.header[q.header_count++] = arena_printf(a, "webhook-timestamp: %.*s", STR_ARG(timestamp));
    if (key.n > 0) {
        struct str signature = sign(key, id, timestamp, buf_view(&q.body), a);
        q.header[q.header_count++] =
            arena_printf(a, "webhook-signature: v1,%.*s", STR_ARG(signature));
    }
    *ret_q = q;
    return OK;
}

static const struct {
    int from, to;
    enum answer answer;
} answers[] = {
    { 200, 299, ANSWER_SENT },    { 300, 399, ANSWER_RETRY }, /* never followed; until the configuration has the new endpoint */
    { 408, 408, ANSWER_RETRY },   { 425, 425, ANSWER_RETRY }, { 429, 429, ANSWER_RETRY },
    { 400, 499, ANSWER_REFUSED }, { 500, 599, ANSWER_RETRY },
};

static enum answer judge(int status, struct str body)
{
    (void)body;
    for (size_t i = 0; i < COUNT(answers); i++)
        if (status >= answers[i].from && status <= answers[i].to)
            return answers[i].answer;
    return ANSWER_UNCERTAIN; /* not a status of HTTP: who knows what it took */
}

const struct destination destination_webhook = { .type = "webhook",
                                                 .build = build,
                                                 .judge = judge };
