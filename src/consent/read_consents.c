#include "consent/ledger_priv.h"

#include "consent/document.h"
#include "consent/query.h"

#include "base/limits.h"
#include "codec/json.h"
#include "codec/text.h"

enum { PAGE_MAX = LIMIT_LIST * 2 * LIMIT_CONSENT_BODY };

/* ---- one consent ---- */

static void write_subject(const struct json_doc *d, struct arena *a, struct buf *to)
{
    uint32_t subject = json_get(d, JSON_ROOT, STR("subject"));
    static const struct str expected[] = { STR_INIT("email"), STR_INIT("first_name"),
                                           STR_INIT("last_name"), STR_INIT("full_name"),
                                           STR_INIT("verified") };
    write_name(to, STR("subject"));
    buf_byte(to, '{');
    for (uint32_t k = json_first(d, subject); k; k = json_next(d, subject, k + 1)) {
        struct str name;
        (void)json_string(d, k, a, &name); /* a key is a string */
        write_name(to, name);
        buf_str(to, json_raw(d, k + 1));
    }
    write_text(to, "owner_id", STR(OWNER));
    for (size_t i = 0; i < COUNT(expected); i++) { /* of what was not said then, null */
        if (json_get(d, subject, expected[i]) == 0)
            write_raw(to, expected[i].p, STR(""));
    }
    buf_byte(to, '}');
}

static void write_member(const struct json_doc *d, const char *name, struct str absent,
                         struct buf *to)
{
    struct str raw = json_raw(d, json_get(d, JSON_ROOT, str_of(name)));
    write_raw(to, name, raw.n ? raw : absent);
}

/* Acts that were there before its type had a name of its own have it among what was not known. */
static void write_type(const struct json_doc *d, struct buf *to)
{
    uint32_t type = json_get(d, JSON_ROOT, STR("consent_type"));
    if (type == 0)
        type = json_find(d, JSON_ROOT, STR("other.consent_type"));
    write_raw(to, "consent_type", json_type(d, type) == JSON_STRING ? json_raw(d, type) : STR(""));
}

/* With `r` whole, with what a list leaves out. */
static enum err write_consent(const struct act_found *act, struct store_reader *r, struct arena *a,
                              struct buf *to)
{
    struct json_doc d;
    char id[ID_TEXT + 1];
    if (act->payload.n > 0 && json_scan(act->payload, a, &d, NULL) != OK)
        return ERR_CORRUPT;
    if (act->payload.n == 0) /* erased: what is left is that there was an act */
        d = (struct json_doc){ 0 };
    if (act->payload.n == 0 && json_scan(STR("{}"), a, &d, NULL) != OK)
        return ERR_CORRUPT;
    id_format(&act->id, id);
    write_comma(to);
    buf_byte(to, '{');
    write_text(to, "id", str_of(id));
    write_time_seconds(to, "timestamp", act->claimed_ms);
    write_time(to, "received", act->received_ms);
    write_text(to, "checksum",
               hex_encode((struct str){ (const char *)act->leaf, sizeof act->leaf }, a));
    write_text(to, "owner", STR(OWNER));
    write_text(to, "owner_id", STR(OWNER));
    write_text(to, "source", str_of(act_source_name[act->source]));
    write_subject(&d, a, to);
    write_member(&d, "preferences", STR("{}"), to);
    write_type(&d, to);
    write_text_or_null(to, "ip_address", act->ip);
    write_member(&d, "effects", STR("[]"), to);
    enum err e = OK;
    if (r != NULL) {
        write_member(&d, "legal_notices", STR("[]"), to);
        write_member(&d, "proofs", STR("[]"), to);
        e = write_attached(r, act->seq, "proof_documents", a, to);
        write_member(&d, "proof_document_ids", STR("[]"), to);
        write_member(&d, "versions", STR("{}"), to);
        write_member(&d, "shown", STR("null"), to);
        write_member(&d, "offline", STR("null"), to);
        write_member(&d, "cmp", STR("null"), to);
        write_member(&d, "other", STR("{}"), to);
    }
    buf_byte(to, '}');
    return e;
}

enum err ledger_get_consent(struct store_reader *r, struct str id, struct arena *a,
                            struct str *ret_json)
{
    struct id act_id;
    struct act_found act;
    if (!id_parse(id, &act_id))
        return ERR_NOT_FOUND;
    enum err e = store_get_act(r, &act_id, a, &act);
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(PAGE_MAX);
    e = write_consent(&act, r, a, &to);
    return e == OK ? write_done(&to, a, ret_json) : e;
}

/* ---- lists ---- */

static enum err parse_subject(const struct query *q, struct subject_filter *who, bool *ret_any)
{
    struct {
        const char *name;
        struct str *to;
    } texts[] = { { "subject_email_exact", &who->email_exact },
                  { "subject_email", &who->email },
                  { "subject_first_name", &who->first_name },
                  { "subject_last_name", &who->last_name },
                  { "subject_full_name", &who->full_name } };
    *ret_any = false;
    for (size_t i = 0; i < COUNT(texts); i++) {
        enum err e = query_text(q, texts[i].name, LIMIT_SUBJECT_FIELD, texts[i].to);
        if (e != OK)
            return e;
        *ret_any = *ret_any || texts[i].to->n > 0;
    }
    enum err e = query_flag(q, "subject_verified", &who->verified);
    *ret_any = *ret_any || who->verified >= 0;
    return e;
}

static enum err parse_source(const struct query *q, int *ret_source)
{
    struct str source = { 0 };
    enum err e = query_text(q, "source", 32, &source);
    if (e != OK)
        return e;
    *ret_source = -1;
    for (int i = 0; i < (int)COUNT(act_source_name); i++) {
        if (str_eq(source, str_of(act_source_name[i])))
            *ret_source = i;
    }
    if (source.n > 0 && *ret_source < 0)
        return err_set(q->info, ERR_VALUE, "source", "must be public or private");
    return OK;
}

/* As it is stored, however it was written. */
static enum err parse_address(const struct query *q, struct str *ret_ip)
{
    struct str text = { 0 };
    enum err e = query_text(q, "ip_address", 64, &text);
    if (e != OK || text.n == 0)
        return e;
    *ret_ip = str_eq(text, STR("none")) ? text : address_canonical(text, q->a);
    return ret_ip->n ? OK : err_set(q->info, ERR_VALUE, "ip_address", "is no IP address");
}

static enum err parse_cursor(const struct query *q, struct act_filter *f)
{
    struct str after = { 0 };
    enum err e = query_text(q, "starting_after", LIMIT_ID, &after);
    f->has_starting_after = after.n > 0;
    if (e == OK && after.n > 0 && !id_parse(after, &f->starting_after))
        return err_set(q->info, ERR_VALUE, "starting_after", "is no consent's id");
    return e;
}

static enum err parse_filter(const struct query *q, struct act_filter *f,
                             struct subject_filter *who)
{
    bool any;
    enum err e = query_limit(q, &f->limit);
    if (e == OK)
        e = query_time(q, "from_time", false, &f->from_ms);
    if (e == OK)
        e = query_time(q, "to_time", true, &f->to_ms);
    if (e == OK)
        e = parse_source(q, &f->source);
    if (e == OK)
        e = query_text(q, "subject_id", LIMIT_ID, &f->subject);
    if (e == OK)
        e = query_text(q, "preference_key", LIMIT_PREFERENCE_NAME, &f->preference_key);
    if (e == OK)
        e = query_text(q, "consent_type", LIMIT_CONSENT_TYPE, &f->type);
    if (e == OK)
        e = parse_address(q, &f->ip);
    if (e == OK)
        e = parse_cursor(q, f);
    if (e == OK)
        e = parse_subject(q, who, &any);
    if (e == OK && any)
        f->who = who;
    return e;
}

enum err ledger_list_consents(struct store_reader *r, struct str query, struct arena *a,
                              struct str *ret_json, struct err_info *info)
{
    struct query q = { .text = query, .a = a, .info = info };
    struct act_filter f = { .source = -1 };
    struct subject_filter who = { .verified = -1 };
    struct act_found *acts;
    uint32_t count;
    enum err e = parse_filter(&q, &f, &who);
    if (e != OK)
        return e;
    e = store_list_acts(r, &f, a, &acts, &count);
    if (e == ERR_NOT_FOUND)
        return err_set(info, ERR_VALUE, "starting_after", "is not known");
    if (e == ERR_LIMIT)
        return err_set(info, e, "", "too much to look at: narrow the time range");
    AUTO(buf_fini) struct buf to = BUF_INIT(PAGE_MAX);
    buf_byte(&to, '[');
    for (uint32_t i = 0; e == OK && i < count; i++)
        e = write_consent(&acts[i], false, a, &to);
    buf_byte(&to, ']');
    return e == OK ? write_done(&to, a, ret_json) : e;
}
