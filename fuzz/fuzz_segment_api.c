/* The input is a body, a query and every header at once. What comes out as an event
 * keeps the promises of collect/segment.h, whatever came in. */
#include "collect/segment.h"

#include "base/limits.h"
#include "codec/utf8.h"
#include "consent/ledger.h"

#include "target.h"

static struct arena arena;

static const struct conf_destination destination[] = { { .id = STR_INIT("own") },
                                                       { .id = STR_INIT("ga4") } };
static struct str category[] = { STR_INIT("Advertising") };
static const struct conf_purpose purpose[] = {
    { .id = STR_INIT("statistics") },
    { .id = STR_INIT("marketing"), .consent_category = category, .consent_category_count = 1 },
};
static const struct policy_use use[] = { { .conf = &destination[0] }, { .conf = &destination[1] } };
static const struct policy_purpose policy_purpose[] = { { .conf = &purpose[0] },
                                                        { .conf = &purpose[1] } };
static const struct policy policy = {
    .purpose = policy_purpose, .purpose_count = 2, .use = use, .use_count = 2
};

static bool id_holds(struct str id)
{
    return id.n == 0 || subject_id_ok(id);
}

static void check_event(const struct event *e, const struct collect_request *q)
{
    must(e->type.n > 0 && (e->device.n > 0 || e->person.n > 0));
    must(id_holds(e->device) && id_holds(e->person));
    must(e->message_id.n > 0 && e->message_id.n <= LIMIT_ID && utf8_valid(e->message_id));
    must(utf8_valid(e->request_ip) && utf8_valid(e->request_user_agent));
    must(memchr(e->request_user_agent.p ? e->request_user_agent.p : "", 0,
                e->request_user_agent.n) == NULL);
    must(e->timestamp_ms <= q->received_ms && e->timestamp_ms > 0);
    must(e->received_ms == q->received_ms && id_ms(&e->id) >= q->received_ms);
    must(json_type(e->doc, e->root) == JSON_OBJECT && json_raw(e->doc, e->root).n <= LIMIT_EVENT);
    must((e->lowered & ~3ull) == 0 && (e->lowered_uses & ~3ull) == 0);
    must(q->from_browser || (e->request_ip.n == 0 && e->request_user_agent.n == 0));
}

static void check_result(const struct collect_result *r, const struct collect_request *q)
{
    must(r->event_count + r->rejected_count <= LIMIT_BATCH);
    for (uint32_t i = 0; i < r->event_count; i++)
        check_event(&r->event[i], q);
    for (uint32_t i = 0; i < r->rejected_count; i++)
        must(r->rejected[i].why != NULL &&
             (i == 0 || r->rejected[i].index > r->rejected[i - 1].index));
}

static void check_answer(struct str json)
{
    struct json_doc doc;
    must(json_scan(json, &arena, &doc, NULL) == OK && json_type(&doc, JSON_ROOT) == JSON_OBJECT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str input = { (const char *)data, n };
    struct collect_request q = { .path = STR("/v1/t"),
                                 .query = input,
                                 .body = input,
                                 .authorization = input,
                                 .anonymous_id = input,
                                 .ip = STR("192.0.2.1"),
                                 .user_agent = input,
                                 .from_browser = n % 2 == 0,
                                 .received_ms = 1795310659999 };
    arena_clear(&arena);
    struct json_doc *doc = NULL;
    struct err_info info;
    struct collect_result r;
    if (collect_segment_scan(&q, &arena, &doc, &info) == OK &&
        collect_segment_events(&q, doc, &policy, &arena, &r, &info) == OK)
        check_result(&r, &q);
    struct str key = collect_segment_key(&q, doc, &arena);
    q.path = STR("/pixel/v1/page");
    if (collect_segment_pixel(&q, &policy, &arena, &r, &info) == OK)
        check_result(&r, &q);
    if (n < 1000) {
        check_answer(collect_segment_settings(key.n ? key : input, input, true, &arena));
        check_answer(collect_segment_source_config(key.n ? key : input, &arena));
    }
    return 0;
}
