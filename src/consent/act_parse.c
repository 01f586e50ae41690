#include "consent/act_parse.h"

#include "consent/document.h"
#include "consent/form.h"
#include "consent/ledger_priv.h"

#include "base/limits.h"
#include "codec/time.h"

enum err body_scan(struct str body, enum body_format format, bool array, struct arena *a,
                   struct json_doc *ret_doc, struct err_info *info)
{
    if (body.n > LIMIT_CONSENT_BODY)
        return err_set(info, ERR_LIMIT, "body", "the body is larger than %u bytes",
                       LIMIT_CONSENT_BODY);
    struct str json = body;
    if (format == BODY_FORM) {
        enum err e = form_to_json(body, a, &json, info);
        if (e != OK)
            return e;
    }
    struct json_fault fault = { 0 };
    struct json_doc doc;
    enum err e = json_scan(json, a, &doc, &fault);
    if (e != OK && format == BODY_FORM)
        return err_set(info, e, "body", "the form: %s", fault.why ? fault.why : err_text(e));
    if (e != OK)
        return err_set(info, e, "body", "not JSON: %s at byte %u",
                       fault.why ? fault.why : err_text(e), fault.at);
    enum json_type root = json_type(&doc, JSON_ROOT);
    if (root != JSON_OBJECT && !(array && root == JSON_ARRAY))
        return err_set(info, ERR_VALUE, "body", "the body must be an object%s",
                       array ? " or an array of objects" : "");
    *ret_doc = doc;
    return OK;
}

/* A positive number as 7 or "7", and as "7.0", which is how some answers have it; 0 for everything else. */
static uint32_t version_number(const struct json_doc *d, uint32_t i, struct arena *a)
{
    struct str text;
    unsigned long long n;
    if (!json_text(d, i, a, &text))
        return 0;
    if (text.n > 2 && str_eq((struct str){ text.p + text.n - 2, 2 }, STR(".0")))
        text.n -= 2;
    if (!str_to_u64(text, &n) || n > UINT32_MAX)
        return 0;
    return (uint32_t)n;
}

static bool grants(const struct json_doc *d, uint32_t i, struct arena *a)
{
    static const struct str yes[] = { STR_INIT("true"), STR_INIT("1"), STR_INIT("on"),
                                      STR_INIT("yes") };
    struct str s;
    switch (json_type(d, i)) {
    case JSON_TRUE: return true;
    case JSON_NUMBER: return str_eq(json_raw(d, i), STR("1"));
    case JSON_STRING: break;
    default: return false;
    }
    if (!json_string(d, i, a, &s))
        return false;
    for (size_t k = 0; k < COUNT(yes); k++) {
        if (str_eq(s, yes[k]))
            return true;
    }
    return false;
}

static bool is_object(const struct json_doc *d, uint32_t i)
{
    return json_type(d, i) == JSON_OBJECT;
}

static bool is_empty(const struct json_doc *d, uint32_t i)
{
    return json_type(d, i) <= JSON_NULL || (json_type(d, i) >= JSON_ARRAY && d->node[i].count == 0);
}

static enum err parse_time(const struct json_doc *d, struct arena *a, struct act_body *b,
                           struct err_info *info)
{
    uint32_t v = json_get(d, JSON_ROOT, STR("timestamp"));
    struct str text = { 0 };
    if (json_type(d, v) <= JSON_NULL)
        return OK;
    b->has_timestamp = json_string(d, v, a, &text) && time_parse(text, &b->timestamp_ms);
    return b->has_timestamp ? OK
                            : err_set(info, ERR_VALUE, "timestamp", "must be an ISO 8601 time");
}

static enum err parse_citation(const struct json_doc *d, uint32_t i, struct arena *a,
                               struct act_citation *c, struct err_info *info)
{
    struct str id;
    if (!is_object(d, i) || !json_text(d, json_get(d, i, STR("identifier")), a, &id) || id.n == 0)
        return err_set(info, ERR_VALUE, "legal_notices", "each needs an identifier");
    if (id.n > LIMIT_ID)
        return err_set(info, ERR_LIMIT, "legal_notices.identifier", "longer than 255 bytes");
    uint32_t v = json_get(d, i, STR("version"));
    struct str text;
    c->identifier = id;
    c->has_version = json_type(d, v) > JSON_NULL && !(json_string(d, v, a, &text) && text.n == 0);
    c->version = c->has_version ? version_number(d, v, a) : 0;
    if (c->has_version && c->version == 0)
        return err_set(info, ERR_VALUE, "legal_notices.version", "must be a number from 1");
    return OK;
}

static enum err parse_citations(const struct json_doc *d, struct arena *a, struct act_body *b,
                                struct err_info *info)
{
    uint32_t list = json_get(d, JSON_ROOT, STR("legal_notices"));
    if (is_empty(d, list))
        return OK;
    if (json_type(d, list) != JSON_ARRAY)
        return err_set(info, ERR_VALUE, "legal_notices", "must be an array");
    if (d->node[list].count > LIMIT_NOTICES_PER_ACT)
        return err_set(info, ERR_LIMIT, "legal_notices", "more than %d", LIMIT_NOTICES_PER_ACT);
    b->citation = arena_array(a, struct act_citation, d->node[list].count);
    for (uint32_t i = json_first(d, list); i; i = json_next(d, list, i)) {
        enum err e = parse_citation(d, i, a, &b->citation[b->citation_count], info);
        if (e != OK)
            return e;
        b->citation_count++;
    }
    return OK;
}

static bool has_text(const struct json_doc *d, uint32_t object, struct str name, struct arena *a)
{
    uint32_t v = json_get(d, object, name);
    struct str text;
    if (json_string(d, v, a, &text))
        return str_trim(text).n > 0;
    return json_type(d, v) >= JSON_ARRAY && !is_empty(d, v); /* a form's fields as an object */
}

static enum err parse_proofs(const struct json_doc *d, struct arena *a, struct act_body *b,
                             struct err_info *info)
{
    uint32_t list = json_get(d, JSON_ROOT, STR("proofs"));
    if (json_type(d, list) > JSON_NULL && json_type(d, list) != JSON_ARRAY)
        return err_set(info, ERR_VALUE, "proofs", "must be an array");
    if (list && d->node[list].count > LIMIT_PROOFS_PER_ACT)
        return err_set(info, ERR_LIMIT, "proofs", "more than %d", LIMIT_PROOFS_PER_ACT);
    for (uint32_t i = json_first(d, list); i; i = json_next(d, list, i)) {
        if (!is_object(d, i))
            return err_set(info, ERR_VALUE, "proofs", "each must be an object");
        b->proof = b->proof || has_text(d, i, STR("form"), a) || has_text(d, i, STR("content"), a);
    }
    b->proofs = json_raw(d, list);
    uint32_t ids = json_get(d, JSON_ROOT, STR("proof_document_ids"));
    b->proof_document_ids = json_raw(d, ids);
    enum err e =
        document_ids_parse(d, ids, "proof_document_ids", a, &b->document, &b->document_count, info);
    b->proof = b->proof || b->document_count > 0;
    return e;
}

static enum err parse_preferences(const struct json_doc *d, struct arena *a, struct act_body *b,
                                  struct err_info *info)
{
    uint32_t v = json_get(d, JSON_ROOT, STR("preferences"));
    if (json_type(d, v) <= JSON_NULL)
        return OK;
    if (json_type(d, v) < JSON_ARRAY)
        return err_set(info, ERR_VALUE, "preferences", "must be an object or an array");
    if (d->node[v].count > LIMIT_PREFERENCES)
        return err_set(info, ERR_LIMIT, "preferences", "more than %d", LIMIT_PREFERENCES);
    b->preferences = json_raw(d, v);
    if (json_type(d, v) == JSON_ARRAY)
        return OK;
    b->preference = arena_array(a, struct act_preference, d->node[v].count);
    for (uint32_t k = json_first(d, v); k; k = json_next(d, v, k + 1)) {
        struct act_preference *p = &b->preference[b->preference_count++];
        (void)json_string(d, k, a, &p->name); /* a key is a string */
        if (p->name.n > LIMIT_PREFERENCE_NAME)
            return err_set(info, ERR_LIMIT, "preferences", "a name is longer than %d bytes",
                           LIMIT_PREFERENCE_NAME);
        p->raw = json_raw(d, k + 1);
        p->grants = grants(d, k + 1, a);
    }
    return OK;
}

static enum err parse_versions(const struct json_doc *d, struct arena *a, struct act_body *b,
                               struct err_info *info)
{
    uint32_t v = json_get(d, JSON_ROOT, STR("versions"));
    if (is_empty(d, v))
        return OK;
    if (!is_object(d, v))
        return err_set(info, ERR_VALUE, "versions", "must be an object of purpose: number");
    if (d->node[v].count > LIMIT_PREFERENCES)
        return err_set(info, ERR_LIMIT, "versions", "more than %d", LIMIT_PREFERENCES);
    b->versions = json_raw(d, v);
    b->stated = arena_array(a, struct act_stated, d->node[v].count);
    for (uint32_t k = json_first(d, v); k; k = json_next(d, v, k + 1)) {
        struct act_stated *s = &b->stated[b->stated_count++];
        (void)json_string(d, k, a, &s->purpose);
        s->version = version_number(d, k + 1, a);
    }
    return OK;
}

static enum err parse_shown(const struct json_doc *d, struct arena *a, struct act_body *b,
                            struct err_info *info)
{
    uint32_t v = json_get(d, JSON_ROOT, STR("shown"));
    if (is_empty(d, v))
        return OK;
    if (!is_object(d, v))
        return err_set(info, ERR_VALUE, "shown", "must be an object");
    if (d->node[v].len > LIMIT_SUBJECT_FIELD)
        return err_set(info, ERR_LIMIT, "shown", "longer than %d bytes", LIMIT_SUBJECT_FIELD);
    b->shown = json_raw(d, v);
    (void)json_string(d, json_get(d, v, STR("language")), a, &b->shown_language); /* or none */
    return OK;
}

/* On paper, or by word: who took it, and where it is kept. When is the timestamp's matter. */
static enum err parse_offline(const struct json_doc *d, struct arena *a, struct act_body *b,
                              struct err_info *info)
{
    static const struct {
        const char *name, *field;
    } parts[] = { { "taken_by", "offline.taken_by" }, { "kept_at", "offline.kept_at" } };
    uint32_t v = json_get(d, JSON_ROOT, STR("offline"));
    if (is_empty(d, v))
        return OK;
    if (!is_object(d, v))
        return err_set(info, ERR_VALUE, "offline", "must be an object");
    if (d->node[v].len > 4 * LIMIT_SUBJECT_FIELD)
        return err_set(info, ERR_LIMIT, "offline", "longer than %d bytes", 4 * LIMIT_SUBJECT_FIELD);
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct str text;
        if (!json_string(d, json_get(d, v, str_of(parts[i].name)), a, &text) ||
            str_trim(text).n == 0)
            return err_set(info, ERR_VALUE, parts[i].field, "is needed: a text");
    }
    if (!b->has_timestamp)
        return err_set(info, ERR_VALUE, "timestamp", "is needed: when it was given");
    b->offline = json_raw(d, v);
    return OK;
}

static enum err parse_address(const struct json_doc *d, struct arena *a, struct act_body *b,
                              struct err_info *info)
{
    uint32_t ip = json_get(d, JSON_ROOT, STR("ip_address"));
    if (json_type(d, ip) > JSON_NULL && !json_string(d, ip, a, &b->ip_address))
        return err_set(info, ERR_VALUE, "ip_address", "must be a string");
    uint32_t v = json_get(d, JSON_ROOT, STR("autodetect_ip_address"));
    int flag = json_type(d, v) > JSON_NULL ? read_flag(d, v, a) : 1;
    if (flag < 0)
        return err_set(info, ERR_VALUE, "autodetect_ip_address", "must be true or false");
    b->autodetect_ip_address = flag;
    return OK;
}

static enum err parse_type(const struct json_doc *d, struct arena *a, struct act_body *b,
                           struct err_info *info)
{
    uint32_t v = json_get(d, JSON_ROOT, STR("consent_type"));
    if (json_type(d, v) > JSON_NULL && !json_string(d, v, a, &b->consent_type))
        return err_set(info, ERR_VALUE, "consent_type", "must be a string");
    if (b->consent_type.n > LIMIT_CONSENT_TYPE)
        return err_set(info, ERR_LIMIT, "consent_type", "longer than %d bytes", LIMIT_CONSENT_TYPE);
    return OK;
}

static enum err parse_cmp(const struct json_doc *d, struct arena *a, struct act_body *b,
                          struct err_info *info)
{
    return act_cmp_parse(d, JSON_ROOT, a, &b->cmp, info);
}

static bool is_known(struct str key)
{
    static const struct str known[] = {
        STR_INIT("timestamp"),     STR_INIT("subject"),       STR_INIT("subject_token"),
        STR_INIT("legal_notices"), STR_INIT("proofs"),        STR_INIT("proof_document_ids"),
        STR_INIT("preferences"),   STR_INIT("versions"),      STR_INIT("shown"),
        STR_INIT("ip_address"),    STR_INIT("unescape_json"), STR_INIT("autodetect_ip_address"),
        STR_INIT("consent_type"),  STR_INIT("offline"),       STR_INIT("cmp"),
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        if (str_eq(key, known[i]))
            return true;
    }
    return false;
}

static enum err keep_other(const struct json_doc *d, struct arena *a, struct act_body *b,
                           struct err_info *info)
{
    AUTO(buf_fini) struct buf other = BUF_INIT(8 * LIMIT_CONSENT_BODY);
    buf_byte(&other, '{');
    for (uint32_t k = json_first(d, JSON_ROOT); k; k = json_next(d, JSON_ROOT, k + 1)) {
        struct str name;
        (void)json_string(d, k, a, &name);
        if (!is_known(name)) {
            write_name(&other, name);
            buf_str(&other, json_raw(d, k + 1));
        }
    }
    buf_byte(&other, '}');
    if (other.over)
        return err_set(info, ERR_LIMIT, "body", "the body is too large");
    if (other.n > 2)
        b->other = arena_str(a, buf_view(&other));
    return OK;
}

enum err act_parse(struct str body, enum body_format format, struct arena *a,
                   struct act_body *ret_body, struct err_info *info)
{
    typedef enum err part(const struct json_doc *, struct arena *, struct act_body *,
                          struct err_info *);
    static part *const parts[] = { parse_time,        parse_citations, parse_proofs,
                                   parse_preferences, parse_versions,  parse_shown,
                                   parse_offline,     parse_cmp,       parse_address,
                                   parse_type,        keep_other };
    struct act_body b = { 0 };
    enum err e = body_scan(body, format, false, a, &b.doc, info);
    if (e != OK)
        return e;
    uint32_t subject = json_get(&b.doc, JSON_ROOT, STR("subject"));
    e = subject_parse(&b.doc, subject, "subject.", a, &b.subject, info);
    for (size_t i = 0; e == OK && i < COUNT(parts); i++)
        e = parts[i](&b.doc, a, &b, info);
    if (e != OK)
        return e;
    b.subject_token = b.subject.token;
    (void)json_string(&b.doc, json_get(&b.doc, JSON_ROOT, STR("subject_token")), a,
                      &b.subject_token); /* or the one within the subject */
    *ret_body = b;
    ret_body->subject.doc = &ret_body->doc;
    return OK;
}
