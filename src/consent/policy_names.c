#include "consent/policy_names.h"

#include "base/limits.h"
#include "codec/json.h"
#include "codec/reader_text.h"
#include "store/finding.h"

/* One text, or of each language. */
static void add_words(struct str content, struct arena *a, struct buf *to)
{
    struct json_doc d;
    struct str text, words;
    if (json_scan(content, a, &d, NULL) != OK)
        return;
    bool many = json_type(&d, JSON_ROOT) == JSON_OBJECT;
    uint32_t i = many ? json_first(&d, JSON_ROOT) : JSON_ROOT;
    for (; i; i = many ? json_next(&d, JSON_ROOT, i + 1) : 0) {
        if (!json_string(&d, many ? i + 1 : i, a, &text))
            continue;
        bool html = text.n > 0 && memchr(text.p, '<', text.n) != NULL;
        if (reader_text(text, html, a, &words) != OK)
            words = text;
        buf_str(to, words);
        buf_byte(to, '\n');
    }
}

static enum err read_policy(struct store_reader *r, int64_t now_ms, struct arena *a, struct buf *to)
{
    static const struct str identifier = STR_INIT("privacy_policy");
    struct notice_filter f = { .identifier = identifier,
                               .version = store_notice_at(r, identifier, now_ms),
                               .limit = 1 };
    struct notice_row *row;
    uint32_t count;
    if (f.version == 0)
        return ERR_NOT_FOUND;
    enum err e = store_list_notices(r, &f, a, &row, &count);
    if (e == OK && count == 0)
        e = ERR_NOT_FOUND;
    if (e == OK)
        add_words(row->content, a, to);
    return e;
}

static bool is_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* As a whole word: "Meta" is not in "metadata". */
static bool names(struct str text, struct str name)
{
    for (size_t at = 0; name.n > 0 && at + name.n <= text.n; at++) {
        size_t n = 0;
        while (n < name.n && (lower(text.p[at + n]) == lower(name.p[n]) ||
                              (is_blank(text.p[at + n]) && is_blank(name.p[n]))))
            n++;
        bool begins = at == 0 || !is_letter(text.p[at - 1]) || !is_letter(name.p[0]);
        bool ends = at + n == text.n || !is_letter(text.p[at + n]) || !is_letter(name.p[n - 1]);
        if (n == name.n && begins && ends)
            return true;
    }
    return false;
}

static struct str recipient_of(const struct conf *c, struct str destination)
{
    for (uint32_t i = 0; i < c->destination_count; i++) {
        const struct conf_destination *d = &c->destination[i];
        if (str_eq(d->id, destination))
            return d->has_recipient ? d->recipient_name : c->controller_name;
    }
    return c->controller_name;
}

enum err policy_names_recipients(struct store_reader *r, const struct conf *c, int64_t now_ms,
                                 void (*missing)(void *ctx, struct str recipient,
                                                 struct str purpose),
                                 void *ctx)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(buf_fini) struct buf text = BUF_INIT(LIMIT_CONSENT_BODY * 4);
    struct str told[LIMIT_DESTINATIONS];
    uint32_t count = 0;
    enum err e = read_policy(r, now_ms, &a, &text);
    for (uint32_t i = 0; e == OK && i < c->purpose_count; i++) {
        const struct conf_purpose *p = &c->purpose[i];
        const struct conf_version *v = p->version_count ? &p->version[p->version_count - 1] : NULL;
        for (uint32_t k = 0; v != NULL && k < v->recipient_count; k++) {
            struct str name = recipient_of(c, v->recipient[k]);
            bool known = false;
            for (uint32_t t = 0; t < count; t++)
                known = known || str_eq(told[t], name);
            if (known || names(buf_view(&text), name) || count == LIMIT_DESTINATIONS)
                continue;
            told[count++] = name;
            missing(ctx, name, p->id);
        }
    }
    return e;
}
