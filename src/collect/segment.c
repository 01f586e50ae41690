#include "collect/segment_priv.h"

#include "base/limits.h"
#include "codec/text.h"

/* The credentials behind a scheme's name, or empty. */
static struct str credentials(struct str header, struct str scheme)
{
    header = str_trim(header);
    if (header.n <= scheme.n || header.p[scheme.n] != ' ' ||
        !str_eq_nocase((struct str){ header.p, scheme.n }, scheme))
        return (struct str){ 0 };
    return str_trim((struct str){ header.p + scheme.n, header.n - scheme.n });
}

static struct str header_key(struct str header, struct arena *a)
{
    struct str key = credentials(header, STR("Bearer"));
    if (key.n)
        return key;
    struct str pair, basic = credentials(header, STR("Basic"));
    if (basic.n == 0 || !base64_decode(basic, a, &pair) || !str_next(&pair, ':', &key))
        return (struct str){ 0 };
    return key; /* the SDKs send "KEY:"; a password is not looked at */
}

struct str collect_segment_key(const struct collect_request *q, const struct json_doc *doc,
                               struct arena *a)
{
    struct str key = header_key(q->authorization, a);
    if (key.n)
        return key;
    if (query_get(q->query, STR("writeKey"), a, &key) && key.n)
        return key;
    key = (struct str){ 0 };
    if (doc != NULL)
        (void)json_string(doc, json_get(doc, JSON_ROOT, STR("writeKey")), a, &key);
    return key;
}

enum err collect_segment_scan(const struct collect_request *q, struct arena *a,
                              struct json_doc **ret_doc, struct err_info *info)
{
    struct str text = q->body;
    if (text.n > LIMIT_BODY)
        return err_set(info, ERR_LIMIT, "body", "is larger than %u bytes", LIMIT_BODY);
    if (gzip_is(text)) {
        enum err err = gzip_inflate(q->body, LIMIT_BODY_INFLATED, a, &text);
        if (err == ERR_LIMIT)
            return err_set(info, err, "body", "inflates to more than %u bytes",
                           LIMIT_BODY_INFLATED);
        if (err != OK)
            return err_set(info, ERR_SYNTAX, "body", "is damaged gzip");
    }
    struct json_doc *doc = arena_new(a, struct json_doc);
    struct json_fault fault = { 0 };
    enum err err = json_scan(text, a, doc, &fault);
    if (err != OK)
        return err_set(info, err, "body", "not JSON: %s at byte %u",
                       fault.why ? fault.why : "fault", fault.at);
    *ret_doc = doc;
    return OK;
}

struct str collect_segment_settings(struct str key, struct str host, bool https, struct arena *a)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(64u << 10);
    buf_lit(&b, "{\"integrations\":{\"Segment.io\":{\"apiKey\":");
    json_write_string(&b, segment_clean(key, a));
    buf_lit(&b, ",\"apiHost\":");
    json_write_string(&b, segment_clean(arena_printf(a, "%.*s/v1", STR_ARG(host)), a));
    buf_lit(&b, ",\"protocol\":");
    json_write_string(&b, https ? STR("https") : STR("http"));
    buf_lit(&b, "}},\"plan\":{},\"legacyVideoPluginsEnabled\":false}");
    return b.over ? STR("{}") : arena_str(a, buf_view(&b));
}

struct str collect_segment_source_config(struct str key, struct arena *a)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(64u << 10);
    buf_lit(&b, "{\"source\":{\"id\":\"licet\",\"name\":\"licet\",\"writeKey\":");
    json_write_string(&b, segment_clean(key, a));
    buf_lit(&b,
            ",\"enabled\":true,\"connections\":[],\"destinations\":[],\"workspaceId\":\"licet\","
            "\"config\":{\"statsCollection\":{\"errors\":{\"enabled\":false},"
            "\"metrics\":{\"enabled\":false}}}},\"updatedAt\":\"2026-01-01T00:00:00.000Z\"}");
    return b.over ? STR("{}") : arena_str(a, buf_view(&b));
}
