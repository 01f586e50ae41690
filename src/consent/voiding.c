#include "consent/ledger_priv.h"

#include "consent/act_parse.h"

#include "base/limits.h"
#include "codec/time.h"

struct voiding {
    const struct policy_purpose *purpose;
    const struct policy_version *version;
    struct str reason;
    int64_t from_ms, at_ms;
};

static enum err parse_version(const struct json_doc *d, struct arena *a, const struct policy *p,
                              struct voiding *v, struct err_info *info)
{
    struct str text;
    unsigned long long n = 0;
    uint32_t index = UINT32_MAX;
    if (json_string(d, json_get(d, JSON_ROOT, STR("purpose")), a, &text))
        index = policy_purpose_index(p, text);
    if (index == UINT32_MAX)
        return err_set(info, ERR_VALUE, "purpose", "is not in the configuration");
    v->purpose = &p->purpose[index];
    if (json_text(d, json_get(d, JSON_ROOT, STR("version")), a, &text) && str_to_u64(text, &n) &&
        n <= UINT32_MAX)
        v->version = policy_version_numbered(v->purpose, (uint32_t)n);
    return v->version ? OK : err_set(info, ERR_VALUE, "version", "the purpose has none like this");
}

static enum err parse(const struct json_doc *d, struct arena *a, const struct policy *p,
                      struct voiding *v, struct err_info *info)
{
    struct str text;
    enum err e = parse_version(d, a, p, v, info);
    if (e != OK)
        return e;
    if (!json_string(d, json_get(d, JSON_ROOT, STR("reason")), a, &v->reason) ||
        str_trim(v->reason).n == 0)
        return err_set(info, ERR_VALUE, "reason", "is needed: a text");
    if (v->reason.n > LIMIT_VOID_REASON)
        return err_set(info, ERR_LIMIT, "reason", "longer than %d bytes", LIMIT_VOID_REASON);
    uint32_t from = json_get(d, JSON_ROOT, STR("from"));
    if (json_type(d, from) > JSON_NULL &&
        !(json_string(d, from, a, &text) && time_parse(text, &v->from_ms)))
        return err_set(info, ERR_VALUE, "from", "must be an ISO 8601 date or time");
    if (v->version->voided_ms != 0 && v->version->voided_ms <= v->from_ms) {
        char since[TIME_TEXT + 1];
        time_format_seconds(v->version->voided_ms, since);
        return err_set(info, ERR_CONFLICT, "version", "is void since %s", since);
    }
    return OK;
}

static void write_members(const struct voiding *v, struct buf *to)
{
    write_text(to, "purpose", v->purpose->conf->id);
    write_number(to, "version", v->version->version);
    write_time(to, "from", v->from_ms);
    write_time(to, "declared", v->at_ms);
    write_text(to, "reason", v->reason);
}

enum err ledger_void(struct ledger *l, const struct policy *p, struct str body, int64_t received_ms,
                     struct arena *a, struct void_answer *ret_answer, struct err_info *info)
{
    struct json_doc d;
    struct voiding v = { .from_ms = received_ms, .at_ms = received_ms };
    enum err e = body_scan(body, BODY_JSON, false, a, &d, info);
    if (e == OK)
        e = parse(&d, a, p, &v, info);
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(64 << 10);
    struct void_answer ans = { .purpose = v.purpose->conf->id, .version = v.version->version };
    struct void_row row = { .purpose = v.purpose->number,
                            .version = v.version->version,
                            .from_ms = v.from_ms,
                            .at_ms = v.at_ms };
    int64_t seq;
    buf_byte(&to, '{');
    write_members(&v, &to);
    buf_byte(&to, '}');
    e = write_done(&to, a, &ans.json);
    if (e == OK)
        e = write_failed(store_add_void(l->store, &row, ans.json, &seq));
    if (e == OK)
        *ret_answer = ans;
    return e;
}
