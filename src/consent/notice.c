#include "consent/ledger_priv.h"

#include "consent/act_parse.h"
#include "consent/document.h"

#include "base/limits.h"
#include "codec/time.h"

enum { CONTENT_MAX = 2 * LIMIT_CONSENT_BODY };

struct notice_said {
    struct str identifier, content, document_ids;
    struct str *document; /* their ids as said */
    uint32_t document_count;
    int64_t *document_seq;
    int64_t timestamp_ms;
};

static bool content_ok(const struct json_doc *d, uint32_t v)
{
    if (json_type(d, v) == JSON_STRING)
        return true;
    if (json_type(d, v) != JSON_OBJECT)
        return false;
    for (uint32_t k = json_first(d, v); k; k = json_next(d, v, k + 1)) {
        if (json_type(d, k + 1) != JSON_STRING)
            return false;
    }
    return true;
}

/* An identifier stands in paths: /legal_notices/IDENTIFIER/VERSION. */
static bool identifier_ok(struct str id)
{
    for (size_t i = 0; i < id.n; i++) {
        if ((unsigned char)id.p[i] < 0x20 || id.p[i] == 0x7f || id.p[i] == '/')
            return false;
    }
    return id.n > 0;
}

static enum err parse(const struct json_doc *d, uint32_t object, int64_t received_ms,
                      struct arena *a, struct notice_said *ret_said, struct err_info *info)
{
    struct notice_said n = { .timestamp_ms = received_ms };
    struct str text;
    if (json_type(d, object) != JSON_OBJECT)
        return err_set(info, ERR_VALUE, "", "each notice must be an object");
    if (!json_string(d, json_get(d, object, STR("identifier")), a, &n.identifier) ||
        !identifier_ok(n.identifier))
        return err_set(info, ERR_VALUE, "identifier", "must be a name without a slash");
    if (n.identifier.n > LIMIT_ID)
        return err_set(info, ERR_LIMIT, "identifier", "longer than %d bytes", LIMIT_ID);
    uint32_t content = json_get(d, object, STR("content"));
    if (json_type(d, content) > JSON_NULL) {
        if (!content_ok(d, content))
            return err_set(info, ERR_VALUE, "content",
                           "must be a text, or an object of language: text");
        n.content = json_raw(d, content);
    }
    uint32_t at = json_get(d, object, STR("timestamp"));
    if (json_type(d, at) > JSON_NULL &&
        !(json_string(d, at, a, &text) && time_parse(text, &n.timestamp_ms)))
        return err_set(info, ERR_VALUE, "timestamp", "must be an ISO 8601 time");
    uint32_t ids = json_get(d, object, STR("document_ids"));
    enum err e =
        document_ids_parse(d, ids, "document_ids", a, &n.document, &n.document_count, info);
    if (e != OK)
        return e;
    n.document_ids = json_raw(d, ids);
    if (n.content.n + n.document_ids.n > CONTENT_MAX)
        return err_set(info, ERR_LIMIT, "content", "larger than %d bytes", CONTENT_MAX);
    *ret_said = n;
    return OK;
}

static struct str payload(const struct notice_said *n, uint32_t version, int64_t received_ms,
                          struct arena *a)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(CONTENT_MAX + (16 << 10));
    buf_byte(&to, '{');
    write_text(&to, "identifier", n->identifier);
    write_number(&to, "version", version);
    write_time(&to, "timestamp", n->timestamp_ms);
    write_time(&to, "received", received_ms);
    write_raw(&to, "content", n->content);
    if (n->document_ids.n > 0)
        write_raw(&to, "document_ids", n->document_ids);
    buf_byte(&to, '}');
    struct str bytes;
    must(write_done(&to, a, &bytes) == OK); /* parse() saw to that */
    return bytes;
}

static enum err add(struct ledger *l, const struct notice_said *n, int64_t received_ms,
                    struct arena *a, struct buf *answer)
{
    struct notice_row row = { .identifier = n->identifier,
                              .version = store_next_notice(l->store, n->identifier),
                              .timestamp_ms = n->timestamp_ms,
                              .received_ms = received_ms,
                              .content = n->content };
    int64_t seq;
    enum err e = store_add_notice(l->store, &row, payload(n, row.version, received_ms, a), &seq);
    if (e == OK)
        e = store_attach_documents(l->store, seq, n->document_seq, n->document_count);
    if (e != OK)
        return write_failed(e);
    write_comma(answer);
    buf_byte(answer, '{');
    write_text(answer, "identifier", row.identifier);
    write_time_seconds(answer, "timestamp", row.timestamp_ms);
    write_number(answer, "version", row.version);
    buf_byte(answer, '}');
    return OK;
}

static enum err add_all(struct ledger *l, const struct notice_said *n, uint32_t count,
                        int64_t received_ms, bool array, struct arena *a, struct str *ret_json)
{
    AUTO(buf_fini) struct buf answer = BUF_INIT(LIMIT_CONSENT_BODY);
    if (array)
        buf_byte(&answer, '[');
    for (uint32_t i = 0; i < count; i++) {
        enum err e = add(l, &n[i], received_ms, a, &answer);
        if (e != OK)
            return e;
    }
    if (array)
        buf_byte(&answer, ']');
    return write_done(&answer, a, ret_json);
}

enum err ledger_add_notices(struct ledger *l, struct str body, enum body_format format,
                            int64_t received_ms, struct arena *a, struct str *ret_json,
                            struct err_info *info)
{
    struct json_doc d;
    enum err e = body_scan(body, format, true, a, &d, info);
    if (e != OK)
        return e;
    bool array = json_type(&d, JSON_ROOT) == JSON_ARRAY;
    uint32_t count = array ? d.node[JSON_ROOT].count : 1;
    if (count > LIMIT_LIST)
        return err_set(info, ERR_LIMIT, "", "more than %d notices", LIMIT_LIST);
    struct notice_said *n = arena_array(a, struct notice_said, count);
    uint32_t at = array ? json_first(&d, JSON_ROOT) : JSON_ROOT;
    for (uint32_t i = 0; i < count; i++) { /* all are looked at before one is written */
        e = parse(&d, at, received_ms, a, &n[i], info);
        if (e == OK)
            e = documents_find(l->own, n[i].document, n[i].document_count, "document_ids", a,
                               &n[i].document_seq, info);
        if (e != OK)
            return e;
        at = array ? json_next(&d, JSON_ROOT, at) : 0;
    }
    return add_all(l, n, count, received_ms, array, a, ret_json);
}
