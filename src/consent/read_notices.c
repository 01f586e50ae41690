#include "consent/ledger_priv.h"

#include "consent/document.h"
#include "consent/query.h"

#include "base/limits.h"
#include "codec/json.h"
#include "store/finding.h"

enum { PAGE_MAX = LIMIT_LIST * 2 * LIMIT_CONSENT_BODY };

/* The text of one language where there are several; the whole otherwise. */
static struct str content_in(struct str content, struct str language, struct arena *a)
{
    struct json_doc d;
    if (language.n == 0 || content.n == 0 || json_scan(content, a, &d, NULL) != OK)
        return content;
    uint32_t text = json_get(&d, JSON_ROOT, language);
    return text ? json_raw(&d, text) : content;
}

static enum err write_notice(struct store_reader *r, const struct notice_row *n,
                             struct str language, struct arena *a, struct buf *to)
{
    write_comma(to);
    buf_byte(to, '{');
    write_text(to, "id", arena_printf(a, OWNER "_%.*s", STR_ARG(n->identifier)));
    write_text(to, "owner_id", STR(OWNER));
    write_text(to, "identifier", n->identifier);
    write_number(to, "version", n->version);
    write_time_seconds(to, "timestamp", n->timestamp_ms);
    write_raw(to, "content", content_in(n->content, language, a));
    enum err e = write_attached(r, n->seq, "documents", a, to);
    buf_byte(to, '}');
    return e;
}

enum err notice_write_line(struct store_reader *r, const struct notice_row *n, struct arena *a,
                           struct buf *to)
{
    return write_notice(r, n, (struct str){ 0 }, a, to);
}

/* "terms/3" is one version of "terms". */
static bool split_version(struct str *identifier, uint32_t *ret_version)
{
    size_t n = identifier->n;
    unsigned long long version;
    while (n > 0 && identifier->p[n - 1] != '/')
        n--;
    if (n == 0 || !str_to_u64((struct str){ identifier->p + n, identifier->n - n }, &version) ||
        version == 0 || version > UINT32_MAX)
        return false;
    identifier->n = n - 1;
    *ret_version = (uint32_t)version;
    return true;
}

/* "1_terms" is the notice "terms" of owner 1. ERR_NOT_FOUND: no notice can have this id, and what else is
 * asked for. */
static enum err narrow(struct str id, struct notice_filter *f)
{
    if (!str_starts(id, STR(OWNER "_")))
        return ERR_NOT_FOUND;
    id = (struct str){ id.p + sizeof OWNER, id.n - sizeof OWNER };
    if (id.n == 0 || (f->identifier.n > 0 && !str_eq(f->identifier, id)))
        return ERR_NOT_FOUND;
    f->identifier = id;
    return OK;
}

/* "at": the version in force then, as one notice. 0 in *ret_at: not asked for. */
static enum err parse_at(const struct query *q, struct str identifier, int64_t *ret_at)
{
    int64_t at = 0;
    enum err e = identifier.n > 0 ? query_time(q, "at", true, &at) : OK;
    if (e == OK)
        *ret_at = at;
    return e;
}

/* ERR_NOT_FOUND: there can be none. */
static enum err parse_filter(const struct query *q, struct str identifier, struct notice_filter *f,
                             struct str *language)
{
    struct str id = { 0 };
    enum err e = query_limit(q, &f->limit);
    if (e == OK)
        e = query_text(q, "identifier", LIMIT_ID, &f->identifier);
    if (e == OK)
        e = query_text(q, "id", LIMIT_ID, &id);
    if (e == OK)
        e = query_number(q, "version", &f->version);
    if (e == OK)
        e = query_text(q, "language", 32, language);
    if (e == OK)
        e = query_time(q, "from_time", false, &f->from_ms);
    if (e == OK)
        e = query_time(q, "to_time", true, &f->to_ms);
    if (e == OK)
        e = query_text(q, "starting_after_identifier", LIMIT_ID, &f->starting_after_identifier);
    if (e == OK)
        e = query_number(q, "starting_after_version", &f->starting_after_version);
    if (e == OK && identifier.n > 0 && f->starting_after_version == 0)
        e = query_number(q, "starting_after", &f->starting_after_version);
    if (identifier.n > 0)
        f->identifier = identifier;
    else
        f->language = *language;
    if (e == OK && id.n > 0)
        e = narrow(id, f);
    return e;
}

enum err ledger_list_notices(struct store_reader *r, struct str identifier, struct str query,
                             struct arena *a, struct str *ret_json, struct err_info *info)
{
    struct query q = { .text = query, .a = a, .info = info };
    struct notice_filter f = { 0 };
    struct str language = { 0 };
    uint32_t version = 0, count = 0;
    struct notice_row *rows = NULL;
    bool one = split_version(&identifier, &version);
    int64_t at = 0;
    enum err e = parse_filter(&q, identifier, &f, &language);
    if (e == ERR_NOT_FOUND && !one) {
        *ret_json = STR("[]");
        return OK;
    }
    if (e == OK && !one)
        e = parse_at(&q, identifier, &at);
    if (e != OK)
        return e;
    if (at != 0) {
        version = store_notice_at(r, identifier, at);
        one = true;
        if (version == 0)
            return ERR_NOT_FOUND;
    }
    if (one)
        f = (struct notice_filter){ .identifier = identifier, .version = version, .limit = 1 };
    if (f.starting_after_version > 0 && f.starting_after_identifier.n == 0)
        f.starting_after_identifier = f.identifier;
    e = store_list_notices(r, &f, a, &rows, &count);
    if (e == ERR_NOT_FOUND)
        return err_set(info, ERR_VALUE, "starting_after", "is not known");
    if (e == ERR_LIMIT)
        return err_set(info, e, "", "too much to look at: ask for one identifier");
    if (e == OK && identifier.n > 0 && count == 0 &&
        (one || store_newest_notice(r, identifier) == 0))
        return ERR_NOT_FOUND;
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(PAGE_MAX);
    if (!one)
        buf_byte(&to, '[');
    for (uint32_t i = 0; e == OK && i < count; i++)
        e = write_notice(r, &rows[i], f.language.n ? (struct str){ 0 } : language, a, &to);
    if (!one)
        buf_byte(&to, ']');
    return e == OK ? write_done(&to, a, ret_json) : e;
}
