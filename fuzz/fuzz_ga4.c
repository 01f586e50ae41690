/* What may leave of a message, put into Google's form: what comes out is JSON within Google's limits, alone and
 * together with itself. */
#include "deliver/destination.h"

#include "codec/json.h"
#include "codec/utf8.h"

#include "target.h"

static struct arena arena;

static uint32_t characters(struct str s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static void check_name(struct str name, uint32_t most)
{
    must(name.n > 0 && name.n <= most);
    must((name.p[0] | 0x20) >= 'a' && (name.p[0] | 0x20) <= 'z');
    must(!str_starts(name, STR("ga_")) && !str_starts(name, STR("google_")) &&
         !str_starts(name, STR("firebase_")));
    for (size_t i = 0; i < name.n; i++) {
        char low = (char)(name.p[i] | 0x20);
        must((low >= 'a' && low <= 'z') || (name.p[i] >= '0' && name.p[i] <= '9') ||
             name.p[i] == '_');
    }
}

static void check_value(const struct json_doc *d, uint32_t value, uint32_t most)
{
    struct str text;
    must(json_type(d, value) == JSON_STRING || json_type(d, value) == JSON_NUMBER);
    must(json_text(d, value, &arena, &text) && text.n > 0 && characters(text) <= most);
    must(utf8_valid(text));
}

static void check_items(const struct json_doc *d, uint32_t items)
{
    must(json_type(d, items) == JSON_ARRAY && d->node[items].count >= 1 &&
         d->node[items].count <= 200);
    for (uint32_t v = json_first(d, items); v; v = json_next(d, items, v)) {
        must(json_get(d, v, STR("item_id")) != 0 || json_get(d, v, STR("item_name")) != 0);
        for (uint32_t k = json_first(d, v); k; k = json_next(d, v, k + 1))
            check_value(d, k + 1, 100);
    }
}

static void check_event(const struct json_doc *d, uint32_t event)
{
    struct str name;
    must(json_string(d, json_get(d, event, STR("name")), &arena, &name));
    check_name(name, 40);
    uint32_t params = json_get(d, event, STR("params"));
    must(json_get(d, params, STR("engagement_time_msec")) != 0);
    must(d->node[params].count <= 25);
    for (uint32_t k = json_first(d, params); k; k = json_next(d, params, k + 1)) {
        must(json_string(d, k, &arena, &name));
        check_name(name, 40);
        if (str_eq(name, STR("items")))
            check_items(d, k + 1);
        else
            check_value(d, k + 1, str_starts(name, STR("page_")) ? 1000 : 100);
    }
}

static void check_properties(const struct json_doc *d)
{
    uint32_t properties = json_get(d, JSON_ROOT, STR("user_properties"));
    must(properties == 0 || d->node[properties].count <= 25);
    for (uint32_t k = json_first(d, properties); k; k = json_next(d, properties, k + 1)) {
        struct str name;
        must(json_string(d, k, &arena, &name));
        check_name(name, 24);
        check_value(d, json_get(d, k + 1, STR("value")), 36);
    }
}

static void check(struct str request, uint32_t count)
{
    struct json_doc d;
    must(json_scan(request, &arena, &d, NULL) == OK);
    must(json_type(&d, json_get(&d, JSON_ROOT, STR("client_id"))) == JSON_STRING);
    must(json_find(&d, JSON_ROOT, STR("consent.ad_user_data")) != 0);
    must(json_find(&d, JSON_ROOT, STR("consent.ad_personalization")) != 0);
    check_properties(&d);
    uint32_t events = json_get(&d, JSON_ROOT, STR("events"));
    must(d.node[events].count == count);
    for (uint32_t v = json_first(&d, events); v; v = json_next(&d, events, v))
        check_event(&d, v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct conf_destination conf = { .endpoint = STR("https://ga.example"),
                                           .measurement_id = STR("G-ABC123"),
                                           .secret = STR("0123456789abcdef") };
    const struct destination *t = destination_find(STR("ga4"));
    if (n < 1)
        return 0;
    arena_clear(&arena);
    struct outgoing_event e[2] = { { .received_ms = 1795310651000,
                                     .body = { (const char *)data + 1, n - 1 },
                                     .has_device = data[0] & 1,
                                     .device_fields = data[0] & 2,
                                     .claims = data[0] >> 2 & 3 } };
    struct fitted f = { 0 };
    enum reason r = t->fit(&conf, &e[0], 1795310651000, &arena, &f);
    must(r == REASON_PERMITTED || !reason_of_gate(r));
    must(!e[0].has_device || e[0].device_fields || r != REASON_PERMITTED);
    if (r != REASON_PERMITTED)
        return 0;
    check(f.body, 1);
    e[0].body = f.body;
    e[1] = e[0];
    struct outgoing_request q;
    struct id id = { { 0 } };
    if (t->build(&conf, e, 2, &id, 1795310651000, &arena, &q) != OK)
        return 0;
    must(q.body.n < t->most_bytes);
    check(buf_view(&q.body), 2);
    buf_fini(&q.body);
    return 0;
}
