/* The SDKs' side: events in. */
#include "api/limit.h"
#include "api/route.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/text.h"
#include "collect/segment.h"

static struct collect_request collect_of(struct request *r)
{
    return (struct collect_request){ .path = r->target.path,
                                     .query = r->target.query,
                                     .body = buf_view(&r->body),
                                     .authorization = r->header.authorization,
                                     .anonymous_id = r->header.anonymous_id,
                                     .ip = r->ip,
                                     .user_agent = r->header.user_agent,
                                     .signals = r->header.signals,
                                     .received_ms = r->received_ms };
}

/* Fills what the key says; false when it was answered. */
static bool admit_known(struct request *r, struct collect_request *q)
{
    if (!request_origin_allowed(r)) {
        answer_message(r, 403, "this write key is not for this origin");
        return false;
    }
    q->from_browser = r->access == ACCESS_PUBLIC;
    q->test = r->key != NULL && r->key->mode == CONF_TEST;
    return true;
}

static bool admit(struct request *r, struct collect_request *q, struct str key)
{
    request_use_key(r, key);
    if (r->access == ACCESS_NONE && r->header.api_key.n != 0)
        request_use_key(r, r->header.api_key);
    else
        request_remember_key(r);
    if (r->access != ACCESS_NONE)
        return admit_known(r, q);
    answer_message(r, 401, key.n ? "unknown write key" : "no write key");
    return false;
}

static bool within_rate(struct request *r, uint32_t events)
{
    uint32_t per = request_conf(r)->limits.events_per_second, wait = 0;
    if (r->access != ACCESS_PUBLIC || per == 0)
        return true;
    struct str who = { (const char *)&r->source, sizeof r->source };
    if (limiter_take(request_limiter(r), LIMIT_KEY_EVENTS, who, per, 1000, events, clock_mono_ms(),
                     &wait))
        return true;
    r->answer.retry_after_s = wait;
    answer_message(r, 429, "too many events with this key");
    return false;
}

/* Nothing is said of decisions, but to a private key that asks. */
static struct str answer_of(struct request *r, const struct collect_result *events,
                            const struct ingest_answer *a)
{
    bool explain = a->explain.n != 0;
    if (!explain && events->rejected_count == 0)
        return (struct str){ 0 };
    AUTO(buf_fini) struct buf b = BUF_INIT(LIMIT_BODY * 8);
    buf_lit(&b, "{\"success\":true");
    if (events->rejected_count != 0) {
        buf_lit(&b, ",\"rejected\":[");
        for (uint32_t i = 0; i < events->rejected_count; i++) {
            buf_printf(&b, "%s{\"index\":%u,\"error\":", i ? "," : "", events->rejected[i].index);
            json_write_string(&b, str_of(events->rejected[i].why));
            buf_byte(&b, '}');
        }
        buf_byte(&b, ']');
    }
    if (explain) {
        buf_lit(&b, ",\"explain\":");
        buf_str(&b, a->explain);
    }
    buf_byte(&b, '}');
    return arena_str(&r->arena, buf_view(&b));
}

static void stored_pixel(struct request *r)
{
    static const char gif[] =
        "GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;";
    answer_text(r, 200, "image/gif", (struct str){ gif, sizeof gif - 1 });
}

static void ingest(struct request *r, const struct collect_result *events)
{
    if (!request_within_key_rate(r) || !within_rate(r, events->event_count))
        return;
    struct err_info info = { 0 };
    struct ingest_answer answer;
    bool explain = r->access >= ACCESS_PRIVATE && str_eq(request_parameter(r, "explain"), STR("1"));
    enum err e = pipeline_ingest(request_pipeline(r), events, r->source, explain, &r->arena,
                                 &r->waiter, &answer, &info);
    if (e != OK) {
        pipeline_leave(request_pipeline(r), &r->waiter);
        r->answer.retry_after_s = 1;
        answer_error(r, e, &info);
        if (e != ERR_LIMIT)
            r->answer.status = 503;
        return;
    }
    r->saved = answer_of(r, events, &answer);
}

void ingest_post(struct request *r)
{
    struct collect_request q = collect_of(r);
    struct json_doc *doc = NULL;
    struct err_info info = { 0 };
    bool known = request_use_seen_key(r);
    struct str key = known ? (struct str){ 0 } : collect_segment_key(&q, NULL, &r->arena);
    if (known ? !admit_known(r, &q) : key.n != 0 && !admit(r, &q, key))
        return; /* a bad key costs no parsing */
    enum err e = collect_segment_scan(&q, &r->arena, &doc, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    if (!known && key.n == 0 && !admit(r, &q, collect_segment_key(&q, doc, &r->arena)))
        return;
    struct collect_result events;
    e = collect_segment_events(&q, doc, pipeline_generation(request_pipeline(r))->policy, &r->arena,
                               &events, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->then = answer_saved;
    ingest(r, &events);
}

void ingest_pixel(struct request *r)
{
    struct collect_request q = collect_of(r);
    struct err_info info = { 0 };
    if (!admit(r, &q, collect_segment_key(&q, NULL, &r->arena)))
        return;
    struct collect_result events;
    enum err e = collect_segment_pixel(&q, pipeline_generation(request_pipeline(r))->policy,
                                       &r->arena, &events, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->then = stored_pixel;
    ingest(r, &events);
}

/* How the browser reaches us: as configured, else as it just did. */
static struct str own_host(struct request *r, bool *ret_https)
{
    struct url u = url_split(request_conf(r)->public_url);
    if (u.host.n != 0) {
        *ret_https = str_eq_nocase(u.scheme, STR("https"));
        return u.port.n ? arena_printf(&r->arena, "%.*s:%.*s", STR_ARG(u.host), STR_ARG(u.port))
                        : u.host;
    }
    *ret_https = request_is_https(r);
    return r->header.host;
}

void ingest_settings(struct request *r)
{
    struct str rest = r->parameter, key;
    if (!str_next(&rest, '/', &key))
        return;
    request_use_key(r, key);
    if (r->access != ACCESS_PUBLIC) {
        answer_message(r, 404, "unknown write key");
        return;
    }
    bool https;
    struct str host = own_host(r, &https);
    answer_json(r, 200, collect_segment_settings(key, host, https, &r->arena));
}

void ingest_source_config(struct request *r)
{
    struct collect_request q = collect_of(r);
    struct str key = collect_segment_key(&q, NULL, &r->arena);
    request_use_key(r, key);
    if (r->access != ACCESS_PUBLIC) {
        answer_message(r, 401, "unknown write key");
        return;
    }
    answer_json(r, 200, collect_segment_source_config(key, &r->arena));
}
