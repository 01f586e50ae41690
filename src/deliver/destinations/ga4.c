/* Google Analytics 4 by the Measurement Protocol: docs/ga4.md. */
#include "deliver/destinations/ga4_priv.h"

#include "codec/text.h"

/* The secret must not end the query early, or be read as something else in it. */
static struct str encode(struct str s, struct arena *a)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    static const char hex[] = "0123456789ABCDEF";
    char *to = arena_alloc(a, 3 * s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (memchr(plain, c, sizeof plain - 1) != NULL) {
            to[n++] = (char)c;
            continue;
        }
        to[n++] = '%';
        to[n++] = hex[c >> 4];
        to[n++] = hex[c & 15];
    }
    return (struct str){ to, n };
}

/* `path` behind the endpoint, which may be written with or without it. */
static struct str address(const struct conf_destination *conf, const char *path, struct arena *a)
{
    static const struct str collect = STR_INIT("/mp/collect");
    struct str base = conf->endpoint;
    if (base.n >= collect.n &&
        str_eq((struct str){ base.p + base.n - collect.n, collect.n }, collect))
        base.n -= collect.n;
    while (base.n > 0 && base.p[base.n - 1] == '/')
        base.n--;
    return arena_printf(a, "%.*s%s?measurement_id=%.*s&api_secret=%.*s", STR_ARG(base), path,
                        STR_ARG(conf->measurement_id), STR_ARG(encode(conf->secret, a)));
}

static void put_member(const struct json_doc *d, const char *name, struct buf *to)
{
    uint32_t value = json_get(d, JSON_ROOT, str_of(name));
    if (value == 0)
        return;
    buf_printf(to, ",\"%s\":", name);
    buf_str(to, json_raw(d, value));
}

/* Each event came as a request of its own (ga4_fit.c). What they say of the person is the newest; what they say
 * of consent is the least. */
static enum err write_body(const struct outgoing_event *event, uint32_t count, struct arena *a,
                           struct buf *to)
{
    struct json_doc *doc = arena_array(a, struct json_doc, count);
    uint32_t claims = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (json_scan(event[i].body, a, &doc[i], NULL) != OK)
            return ERR_CORRUPT;
        claims &= event[i].claims;
    }
    const struct json_doc *newest = &doc[count - 1];
    buf_lit(to, "{\"client_id\":");
    buf_str(to, json_raw(newest, json_get(newest, JSON_ROOT, STR("client_id"))));
    put_member(newest, "user_id", to);
    buf_byte(to, ',');
    ga4_write_consent(claims, to);
    put_member(newest, "user_properties", to);
    put_member(newest, "user_agent", to);
    put_member(newest, "ip_override", to);
    buf_lit(to, ",\"events\":[");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t events = json_get(&doc[i], JSON_ROOT, STR("events"));
        buf_str(to, i ? STR(",") : STR(""));
        buf_str(to, json_raw(&doc[i], json_first(&doc[i], events)));
    }
    buf_lit(to, "]}");
    return OK;
}

static enum err build(const struct conf_destination *conf, const struct outgoing_event *event,
                      uint32_t count, const struct id *request, int64_t at_ms, struct arena *a,
                      struct outgoing_request *ret_q)
{
    (void)request, (void)at_ms;
    struct outgoing_request q = { .method = "POST", .url = address(conf, "/mp/collect", a) };
    q.body = (struct buf)BUF_INIT(GA4_BYTES);
    enum err err = write_body(event, count, a, &q.body);
    if (err == OK && q.body.over)
        err = ERR_LIMIT;
    if (err != OK) {
        buf_fini(&q.body);
        return err;
    }
    q.header[q.header_count++] = STR("Content-Type: application/json");
    *ret_q = q;
    return OK;
}

/* Google says 2xx to all that arrived whole. What a server in between could not pass on may have arrived. */
static const struct {
    int from, to;
    enum answer answer;
} answers[] = {
    { 200, 299, ANSWER_SENT },    { 300, 399, ANSWER_RETRY }, /* never followed: the secret is in the address */
    { 408, 408, ANSWER_RETRY },   { 425, 425, ANSWER_RETRY }, { 429, 429, ANSWER_RETRY },
    { 400, 499, ANSWER_REFUSED }, { 503, 503, ANSWER_RETRY }, { 500, 599, ANSWER_UNCERTAIN },
};

static enum answer judge(int status, struct str body)
{
    (void)body;
    for (size_t i = 0; i < COUNT(answers); i++) {
        if (status >= answers[i].from && status <= answers[i].to)
            return answers[i].answer;
    }
    return ANSWER_UNCERTAIN;
}

/* ---- licet check --live ---- */

static enum err ask(const struct conf_destination *conf, int64_t at_ms, struct arena *a,
                    struct outgoing_request *ret_q)
{
    struct outgoing_request q = { .method = "POST", .url = address(conf, "/debug/mp/collect", a) };
    q.body = (struct buf)BUF_INIT(GA4_BYTES);
    buf_lit(&q.body, "{\"client_id\":\"1.1\",");
    ga4_write_consent(0, &q.body);
    buf_printf(&q.body,
               ",\"validation_behavior\":\"ENFORCE_RECOMMENDATIONS\",\"events\":[{\"name\":"
               "\"licet_check\",\"params\":{\"session_id\":\"1\",\"engagement_time_msec\":1},"
               "\"timestamp_micros\":%lld}]}",
               (long long)at_ms * 1000);
    q.header[q.header_count++] = STR("Content-Type: application/json");
    *ret_q = q;
    return OK;
}

static struct str text_of(const struct json_doc *d, uint32_t object, const char *name,
                          struct arena *a)
{
    struct str text = { 0 };
    (void)json_string(d, json_get(d, object, str_of(name)), a, &text); /* or nothing */
    return text;
}

static void complaints(int status, struct str body, struct arena *a, struct buf *to)
{
    struct json_doc d;
    if (status < 200 || status > 299) {
        buf_printf(to, "status %d\n", status);
        return;
    }
    uint32_t list = 0;
    if (json_scan(body, a, &d, NULL) == OK)
        list = json_get(&d, JSON_ROOT, STR("validationMessages"));
    else
        d = (struct json_doc){ 0 };
    if (list == 0 || json_type(&d, list) != JSON_ARRAY) {
        buf_lit(to, "the answer is not that of Google's validation\n");
        return;
    }
    for (uint32_t v = json_first(&d, list); v; v = json_next(&d, list, v))
        buf_printf(to, "%.*s: %.*s: %.*s\n", STR_ARG(text_of(&d, v, "validationCode", a)),
                   STR_ARG(text_of(&d, v, "fieldPath", a)),
                   STR_ARG(text_of(&d, v, "description", a)));
}

const struct destination destination_ga4 = {
    .type = "ga4",
    .fit = ga4_fit,
    .most_events = GA4_EVENTS,
    .most_bytes = GA4_BYTES,
    .build = build,
    .judge = judge,
    .ask = ask,
    .complaints = complaints,
};
