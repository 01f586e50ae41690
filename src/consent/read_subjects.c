#include "consent/ledger_priv.h"

#include "consent/preferences.h"
#include "consent/query.h"

#include "base/limits.h"
#include "codec/json.h"

enum { PAGE_MAX = LIMIT_LIST * LIMIT_CONSENT_BODY };

static void write_extra(struct str extra, struct arena *a, struct buf *to)
{
    struct json_doc d;
    if (extra.n == 0 || json_scan(extra, a, &d, NULL) != OK)
        return;
    for (uint32_t k = json_first(&d, JSON_ROOT); k; k = json_next(&d, JSON_ROOT, k + 1)) {
        struct str name;
        (void)json_string(&d, k, a, &name); /* a key is a string */
        if (str_eq(name, STR("restricted")) || str_eq(name, STR("erased")))
            continue; /* said below, by us */
        write_name(to, name);
        buf_str(to, json_raw(&d, k + 1));
    }
}

static void write_subject(const struct subject_row *row, struct arena *a, struct buf *to)
{
    write_comma(to);
    buf_byte(to, '{');
    write_text(to, "id", row->id);
    write_text(to, "owner_id", STR(OWNER));
    write_text_or_null(to, "email", row->email);
    write_text_or_null(to, "first_name", row->first_name);
    write_text_or_null(to, "last_name", row->last_name);
    write_text_or_null(to, "full_name", row->full_name);
    write_bool(to, "verified", row->verified);
    write_extra(row->extra, a, to);
    if (row->flags & SUBJECT_RESTRICTED)
        write_bool(to, "restricted", true);
    if (row->flags & SUBJECT_ERASED)
        write_bool(to, "erased", true);
    write_name(to, STR("preferences"));
    preferences_write(row->preferences, a, to);
    write_time_seconds(to, "timestamp", row->changed_ms);
    write_time_seconds(to, "created_at", row->created_ms);
    buf_byte(to, '}');
}

void subject_write_line(const struct subject_row *row, struct arena *a, struct buf *to)
{
    write_subject(row, a, to);
}

enum err ledger_get_subject(struct store_reader *r, struct str id, struct arena *a,
                            struct str *ret_json)
{
    struct subject_row row;
    enum err e = store_get_subject(r, id, a, &row);
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(LIMIT_CONSENT_BODY);
    write_subject(&row, a, &to);
    return write_done(&to, a, ret_json);
}

static enum err parse_filter(const struct query *q, struct subject_filter *f)
{
    struct {
        const char *name;
        struct str *to;
    } texts[] = { { "id", &f->id },
                  { "email_exact", &f->email_exact },
                  { "email", &f->email },
                  { "first_name", &f->first_name },
                  { "last_name", &f->last_name },
                  { "full_name", &f->full_name },
                  { "phone", &f->phone },
                  { "starting_after", &f->starting_after } };
    enum err e = query_limit(q, &f->limit);
    for (size_t i = 0; e == OK && i < COUNT(texts); i++)
        e = query_text(q, texts[i].name, LIMIT_SUBJECT_FIELD, texts[i].to);
    if (e == OK)
        e = query_flag(q, "verified", &f->verified);
    if (e == OK)
        e = query_time(q, "from_time", false, &f->from_ms);
    if (e == OK)
        e = query_time(q, "to_time", true, &f->to_ms);
    return e;
}

enum err ledger_list_subjects(struct store_reader *r, struct str query, struct arena *a,
                              struct str *ret_json, struct err_info *info)
{
    struct query q = { .text = query, .a = a, .info = info };
    struct subject_filter f = { .verified = -1 };
    struct subject_row *rows = NULL;
    uint32_t count = 0;
    struct str owner = { 0 };
    enum err e = parse_filter(&q, &f);
    if (e == OK)
        e = query_text(&q, "owner_id", LIMIT_ID, &owner);
    if (e != OK)
        return e;
    if (owner.n == 0 || str_eq(owner, STR(OWNER))) /* else there is nobody */
        e = store_list_subjects(r, &f, a, &rows, &count);
    if (e == ERR_NOT_FOUND)
        return err_set(info, ERR_VALUE, "starting_after", "is not known");
    if (e == ERR_LIMIT)
        return err_set(info, e, "", "too much to look at: narrow the time range");
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(PAGE_MAX);
    buf_byte(&to, '[');
    for (uint32_t i = 0; i < count; i++)
        write_subject(&rows[i], a, &to);
    buf_byte(&to, ']');
    return write_done(&to, a, ret_json);
}
