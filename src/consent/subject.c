#include "consent/ledger_priv.h"

#include "consent/act_parse.h"
#include "consent/subject_fields.h"

#include "base/limits.h"

/* The id of the path, or of the body, or a new one. */
static enum err which(const struct subject_request *q, const struct subject_said *said,
                      struct arena *a, struct str *ret_id, struct err_info *info)
{
    if (q->id.n > 0 && !subject_id_ok(q->id))
        return err_set(info, ERR_VALUE, "id", "is no id of a subject");
    if (q->id.n > 0 && said->has_id && !str_eq(q->id, said->id))
        return err_set(info, ERR_VALUE, "id", "differs from the one in the path");
    if (q->id.n > 0 || said->has_id) {
        *ret_id = q->id.n > 0 ? q->id : said->id;
        return OK;
    }
    char text[ID_TEXT + 1];
    struct id id = id_new(q->received_ms);
    id_format(&id, text);
    *ret_id = arena_str(a, str_of(text));
    return OK;
}

static enum err write_answer(const struct subject_row *row, struct arena *a, struct str *ret_json)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(8 << 10);
    buf_byte(&to, '{');
    write_text(&to, "id", row->id);
    write_time_seconds(&to, "timestamp", row->changed_ms);
    write_time_seconds(&to, "created_at", row->created_ms);
    buf_byte(&to, '}');
    return write_done(&to, a, ret_json);
}

static enum err load(struct ledger *l, const struct subject_request *q, struct str id,
                     struct arena *a, struct subject_row *ret_row, bool *ret_new)
{
    enum err e = store_get_subject(l->own, id, a, ret_row);
    if (e == ERR_NOT_FOUND && !q->must_exist) {
        *ret_row = (struct subject_row){ .id = id,
                                         .created_ms = q->received_ms,
                                         .changed_ms = q->received_ms };
        *ret_new = true;
        return OK;
    }
    return e;
}

enum err ledger_put_subject(struct ledger *l, const struct subject_request *q, struct arena *a,
                            struct subject_answer *ret_answer, struct err_info *info)
{
    static const struct subject_rules rules = { .overwrite = true,
                                                .clear = true,
                                                .verified = true };
    struct json_doc doc;
    struct subject_said said;
    struct subject_row row;
    struct str id, changed, payload;
    bool is_new = false;
    enum err e = body_scan(q->body, q->format, false, a, &doc, info);
    if (e == OK)
        e = subject_parse(&doc, JSON_ROOT, "", a, &said, info);
    if (e == OK)
        e = which(q, &said, a, &id, info);
    if (e == OK)
        e = load(l, q, id, a, &row, &is_new);
    bool was_verified = e == OK && row.verified;
    if (e == OK)
        e = subject_apply(&said, &rules, a, &row, &changed, info);
    if (e != OK)
        return e;
    if (is_new || changed.n > 0) { /* what changes nothing leaves no fact */
        int64_t seq;
        row.changed_ms = q->received_ms;
        e = subject_payload(id, act_source_name[ACT_PRIVATE_KEY], (struct str){ 0 }, q->received_ms,
                            changed, a, &payload, info);
        if (e != OK)
            return e;
        e = store_put_subject(l->store, &row, payload, q->received_ms, &seq);
        if (e == OK)
            e = ledger_changed(l, id);
        if (e != OK)
            return write_failed(e);
    }
    struct subject_answer ans = { .subject = id, .lowers = was_verified && !row.verified };
    e = write_answer(&row, a, &ans.json);
    if (e == OK)
        *ret_answer = ans;
    return e;
}
