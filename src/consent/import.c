/* Records of other systems, and of another licet, line by line. */
#include "consent/ledger_priv.h"

#include "consent/act_parse.h"
#include "consent/subject_fields.h"

#include "base/clock.h"
#include "base/limits.h"
#include "codec/time.h"

enum import_end { ACCEPTED, REPEATED };

struct importing {
    struct ledger *l;
    const struct policy *p;
    const struct import_request *q;
    struct import_row row;
    uint64_t accepted, repeated, refused; /* of this request */
    bool lowers;
    struct arena one; /* for the record at hand */
    struct err_info info;
    struct buf refusals;
};

typedef enum err (*record_fn)(struct importing *x, struct str json, enum import_end *ret_end);

/* ---- consents ---- */

static enum err import_consent(struct importing *x, struct str json, enum import_end *ret_end)
{
    struct consent_request q = { .body = json,
                                 .source = ACT_IMPORT,
                                 .dry_run = x->q->dry_run,
                                 .received_ms = x->q->received_ms };
    struct consent_answer ans;
    enum err e = ledger_add_consent(x->l, x->p, &q, &x->one, &ans, &x->info);
    if (e != OK)
        return e;
    x->lowers = x->lowers || ans.lowers;
    *ret_end = ACCEPTED;
    return OK;
}

/* ---- subjects ---- */

static enum err restrict_her(struct importing *x, struct str id)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(4096);
    struct str payload;
    int64_t seq;
    buf_byte(&to, '{');
    write_text(&to, "subject", id);
    write_text(&to, "source", str_of(act_source_name[ACT_IMPORT]));
    write_bool(&to, "restricted", true);
    write_time(&to, "received", x->q->received_ms);
    buf_byte(&to, '}');
    enum err e = write_done(&to, &x->one, &payload);
    if (e == OK)
        e = store_add_restriction(x->l->store, id, true, payload, x->q->received_ms, &seq);
    x->lowers = true;
    return e;
}

static enum err put_subject(struct importing *x, const struct subject_row *row, bool write,
                            bool restricted, struct str changed)
{
    struct str payload;
    int64_t seq;
    enum err e = OK;
    if (write) {
        e = subject_payload(row->id, act_source_name[ACT_IMPORT], (struct str){ 0 },
                            x->q->received_ms, changed, &x->one, &payload, &x->info);
        if (e != OK || x->q->dry_run)
            return e;
        e = store_put_subject(x->l->store, row, payload, x->q->received_ms, &seq);
    }
    if (e == OK && restricted && !x->q->dry_run)
        e = restrict_her(x, row->id);
    if (e == OK && (write || restricted) && !x->q->dry_run)
        e = ledger_changed(x->l, row->id);
    return write_failed(e);
}

/* Fills what is empty: what is known here is newer than what an export says. */
static enum err import_subject(struct importing *x, struct str json, enum import_end *ret_end)
{
    static const struct subject_rules rules = { .verified = true };
    struct json_doc d;
    struct subject_said said;
    struct subject_row row;
    struct str changed;
    enum err e = body_scan(json, BODY_JSON, false, &x->one, &d, &x->info);
    if (e == OK)
        e = subject_parse(&d, JSON_ROOT, "", &x->one, &said, &x->info);
    if (e != OK)
        return e;
    if (!said.has_id)
        return err_set(&x->info, ERR_VALUE, "id", "is needed");
    e = store_get_subject(x->l->own, said.id, &x->one, &row);
    bool is_new = e == ERR_NOT_FOUND;
    if (is_new)
        row = (struct subject_row){ .id = said.id, .created_ms = x->q->received_ms };
    if (e != OK && !is_new)
        return e;
    bool was_verified = row.verified;
    bool restricted = read_flag(&d, json_get(&d, JSON_ROOT, STR("restricted")), &x->one) == 1 &&
                      !(row.flags & SUBJECT_RESTRICTED);
    e = subject_apply(&said, &rules, &x->one, &row, &changed, &x->info);
    if (e != OK)
        return e;
    x->lowers = x->lowers || (was_verified && !row.verified);
    row.changed_ms = x->q->received_ms;
    bool write = is_new || changed.n > 0;
    *ret_end = write || restricted ? ACCEPTED : REPEATED;
    return put_subject(x, &row, write, restricted, changed);
}

/* ---- notices ---- */

/* Versions are given out by the store: one that is there already is passed over, when it says the same. */
static enum err import_notice(struct importing *x, struct str json, enum import_end *ret_end)
{
    struct json_doc d;
    struct str identifier, text, answer;
    unsigned long long version = 0;
    enum err e = body_scan(json, BODY_JSON, false, &x->one, &d, &x->info);
    if (e != OK)
        return e;
    uint32_t v = json_get(&d, JSON_ROOT, STR("version"));
    if (!json_string(&d, json_get(&d, JSON_ROOT, STR("identifier")), &x->one, &identifier))
        return err_set(&x->info, ERR_VALUE, "identifier", "must be a name without a slash");
    if (json_type(&d, v) > JSON_NULL &&
        (!json_text(&d, v, &x->one, &text) || !str_to_u64(text, &version) || version == 0))
        return err_set(&x->info, ERR_VALUE, "version", "must be a number from 1");
    uint32_t next = store_newest_notice(x->l->own, identifier) + 1;
    if (version != 0 && version < next) {
        struct notice_filter f = { .identifier = identifier,
                                   .version = (uint32_t)version,
                                   .limit = 1 };
        struct notice_row *row;
        uint32_t count;
        e = store_list_notices(x->l->own, &f, &x->one, &row, &count);
        if (e != OK || count == 0)
            return e != OK ? e : ERR_CORRUPT;
        if (!str_eq(row->content, json_raw(&d, json_get(&d, JSON_ROOT, STR("content")))))
            return err_set(&x->info, ERR_VALUE, "version", "is stored with another content");
        *ret_end = REPEATED;
        return OK;
    }
    *ret_end = ACCEPTED;
    if (x->q->dry_run) /* those before it are not written */
        return OK;
    if (version > next)
        return err_set(&x->info, ERR_VALUE, "version", "the versions before it are missing");
    return ledger_add_notices(x->l, json, BODY_JSON, x->q->received_ms, &x->one, &answer, &x->info);
}

/* ---- lines ---- */

static bool spoils_group(enum err e)
{
    return e == ERR_IO || e == ERR_FULL || e == ERR_CORRUPT || e == ERR_BUSY;
}

static void tell_refused(struct importing *x, int64_t line)
{
    buf_byte(&x->refusals, x->refused ? ',' : '[');
    buf_lit(&x->refusals, "{");
    write_number(&x->refusals, "line", line);
    write_text(&x->refusals, "field", str_of(x->info.field));
    write_text(&x->refusals, "error", str_of(x->info.text));
    buf_lit(&x->refusals, "}");
}

static enum err refuse(struct importing *x, int64_t line)
{
    enum err e = OK;
    tell_refused(x, line);
    struct refused_line row = { .line = line,
                                .field = str_of(x->info.field),
                                .error = str_of(x->info.text) };
    if (!x->q->dry_run && x->row.refused + x->refused < LIMIT_IMPORT_REFUSED)
        e = store_refuse_line(x->l->store, x->q->id, &row);
    x->refused++;
    return e;
}

static enum err import_line(struct importing *x, record_fn import, int64_t line, struct str json)
{
    enum import_end end = ACCEPTED;
    x->info = (struct err_info){ 0 };
    enum err e = import(x, json, &end);
    if (e == OK && end == ACCEPTED)
        x->accepted++;
    else if (e == OK)
        x->repeated++;
    else if (!spoils_group(e)) {
        if (x->info.text[0] == 0)
            (void)err_set(&x->info, e, NULL, "%s", err_text(e));
        e = refuse(x, line);
    }
    arena_clear(&x->one);
    return e;
}

/* "NUMBER JSON"; a number below 1 or without a record is none. */
static bool split(struct str line, int64_t *ret_number, struct str *ret_json)
{
    struct str number;
    unsigned long long n;
    if (!str_next(&line, ' ', &number) || !str_to_u64(number, &n) || n == 0 || line.n == 0)
        return false;
    *ret_number = (int64_t)n;
    *ret_json = line;
    return true;
}

static enum err import_lines(struct importing *x, record_fn import, struct err_info *info)
{
    struct str rest = x->q->body, line;
    bool any = false;
    while (str_next(&rest, '\n', &line)) {
        int64_t number;
        struct str json;
        if (line.n == 0)
            continue;
        if (!split(line, &number, &json))
            return err_set(info, ERR_VALUE, "body", "each line must be a number and a record");
        if (number < x->row.next)
            continue;
        if (any && clock_mono_ms() >= x->q->until_mono_ms)
            return OK;
        any = true;
        enum err e = import_line(x, import, number, json);
        if (e != OK)
            return e;
        x->row.next = number + 1;
    }
    return OK;
}

/* All numbers are looked at before anything is written. */
static enum err check_numbers(const struct import_request *q, struct err_info *info)
{
    struct str rest = q->body, line, json;
    int64_t last = 0, number;
    while (str_next(&rest, '\n', &line)) {
        if (line.n == 0)
            continue;
        if (!split(line, &number, &json) || number <= last)
            return err_set(info, ERR_VALUE, "body",
                           "each line must be a number, greater than the one before, a space and a "
                           "record");
        last = number;
    }
    return OK;
}

static record_fn record_of(struct str kind)
{
    return str_eq(kind, STR("consents"))   ? import_consent
           : str_eq(kind, STR("subjects")) ? import_subject
           : str_eq(kind, STR("notices"))  ? import_notice
                                           : NULL;
}

static bool id_ok(struct str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return false;
    }
    return id.n > 0 && id.n <= LIMIT_ID;
}

static enum err begin(struct importing *x, struct err_info *info)
{
    const struct import_request *q = x->q;
    if (!id_ok(q->id))
        return err_set(info, ERR_VALUE, "id", "must be 1 to %d letters, digits and ._-", LIMIT_ID);
    enum err e = store_get_import(x->l->own, q->id, &x->one, &x->row);
    if (e == OK) /* the arena is cleared after each record */
        x->row.id = q->id;
    if (e == ERR_NOT_FOUND) {
        x->row = (struct import_row){
            .id = q->id, .kind = q->kind, .next = 1, .begun_ms = q->received_ms
        };
        e = OK;
    }
    if (e == OK && !str_eq(x->row.kind, q->kind))
        return err_set(info, ERR_CONFLICT, "kind", "this import brings something else");
    x->row.kind = q->kind;
    if (q->dry_run)
        x->row.next = 1;
    return e == OK ? check_numbers(q, info) : e;
}

static enum err finish(struct importing *x)
{
    x->row.accepted += x->accepted;
    x->row.repeated += x->repeated;
    x->row.refused += x->refused;
    x->row.changed_ms = x->q->received_ms;
    return x->q->dry_run ? OK : write_failed(store_put_import(x->l->store, &x->row));
}

static enum err write_answer(struct importing *x, struct arena *a, struct import_answer *ans)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(4 * LIMIT_BODY);
    buf_byte(&to, '{');
    write_text(&to, "id", x->q->id);
    write_text(&to, "kind", x->q->kind);
    write_number(&to, "next", x->row.next);
    write_number(&to, "accepted", (int64_t)x->accepted);
    write_number(&to, "repeated", (int64_t)x->repeated);
    write_name(&to, STR("refused"));
    if (x->refused == 0)
        buf_byte(&to, '[');
    buf_str(&to, buf_view(&x->refusals));
    buf_lit(&to, "]}");
    return write_done(&to, a, &ans->json);
}

enum err ledger_import(struct ledger *l, const struct policy *p, const struct import_request *q,
                       struct arena *a, struct import_answer *ret_answer, struct err_info *info)
{
    struct importing x = {
        .l = l, .p = p, .q = q, .refusals = BUF_INIT(2 * LIMIT_BODY), .one = ARENA_INIT
    };
    record_fn import = record_of(q->kind);
    struct import_answer ans = { 0 };
    enum err e = import ? begin(&x, info)
                        : err_set(info, ERR_VALUE, "kind", "must be consents, subjects or notices");
    if (e == OK)
        e = import_lines(&x, import, info);
    if (e == OK)
        e = finish(&x);
    if (e == OK)
        e = write_answer(&x, a, &ans);
    ans.accepted = x.accepted;
    ans.lowers = x.lowers && !q->dry_run;
    buf_fini(&x.refusals);
    arena_fini(&x.one);
    if (e == OK)
        *ret_answer = ans;
    return e;
}

/* ---- looking ---- */

enum err ledger_get_import(struct store_reader *r, struct str id, struct arena *a,
                           struct str *ret_json)
{
    struct import_row row;
    enum err e = store_get_import(r, id, a, &row);
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(64 << 10);
    buf_byte(&to, '{');
    write_text(&to, "id", row.id);
    write_text(&to, "kind", row.kind);
    write_number(&to, "next", row.next);
    write_number(&to, "accepted", (int64_t)row.accepted);
    write_number(&to, "repeated", (int64_t)row.repeated);
    write_number(&to, "refused", (int64_t)row.refused);
    write_time(&to, "begun", row.begun_ms);
    write_time(&to, "changed", row.changed_ms);
    buf_byte(&to, '}');
    return write_done(&to, a, ret_json);
}

enum err ledger_list_refused(struct store_reader *r, struct str id, int64_t after, struct arena *a,
                             struct str *ret_json)
{
    struct refused_line *line;
    uint32_t count;
    struct import_row row;
    enum err e = store_get_import(r, id, a, &row);
    if (e == OK)
        e = store_list_refused(r, id, after, LIMIT_IMPORT_PAGE, a, &line, &count);
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(4 << 20);
    buf_byte(&to, '[');
    for (uint32_t i = 0; i < count; i++) {
        write_comma(&to);
        buf_byte(&to, '{');
        write_number(&to, "line", line[i].line);
        write_text(&to, "field", line[i].field);
        write_text(&to, "error", line[i].error);
        buf_byte(&to, '}');
    }
    buf_byte(&to, ']');
    return write_done(&to, a, ret_json);
}
