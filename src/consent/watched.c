/* Notices that are watched where they are published: what is found there waits for somebody's word. */
#include "consent/ledger_priv.h"

#include "base/limits.h"
#include "codec/json.h"
#include "codec/reader_text.h"
#include "codec/text.h"
#include "store/finding.h"

enum { TEXT_MAX = 8 * LIMIT_NOTICE }; /* as JSON */

static struct str hex_of(const uint8_t hash[32], struct arena *a)
{
    return hex_encode((struct str){ (const char *)hash, 32 }, a);
}

/* ---- what was found ---- */

/* Whether somebody has stored these very words as the newest version himself. */
static bool is_newest(struct store_reader *r, struct str identifier, const uint8_t hash[32],
                      struct arena *a)
{
    struct notice_filter f = { .identifier = identifier, .limit = 1 };
    struct notice_row *row;
    uint32_t count;
    struct json_doc d;
    struct str text, words;
    uint8_t stored[32];
    if (store_list_notices(r, &f, a, &row, &count) != OK || count == 0 ||
        json_scan(row->content, a, &d, NULL) != OK || !json_string(&d, JSON_ROOT, a, &text) ||
        reader_text(text, false, a, &words) != OK)
        return false;
    reader_text_hash(words, stored);
    return memcmp(stored, hash, sizeof stored) == 0;
}

static enum err add_finding(struct ledger *l, struct finding *f, struct str text, struct arena *a)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(TEXT_MAX);
    int64_t seq;
    json_write_string(&to, text);
    enum err e = write_done(&to, a, &f->content);
    if (e != OK)
        return e;
    buf_clear(&to);
    buf_byte(&to, '{');
    write_text(&to, "identifier", f->identifier);
    write_time(&to, "received", f->received_ms);
    write_text(&to, "sha256", hex_of(f->hash, a));
    write_raw(&to, "content", f->content);
    buf_byte(&to, '}');
    struct str payload;
    e = write_done(&to, a, &payload);
    return e == OK ? write_failed(store_add_finding(l->store, f, payload, &seq)) : e;
}

enum err ledger_found_notice(struct ledger *l, struct str identifier, struct str text,
                             int64_t received_ms, struct arena *a, bool *ret_pending)
{
    struct finding before, f = { .identifier = identifier, .received_ms = received_ms };
    reader_text_hash(text, f.hash);
    enum err e = store_newest_finding(l->own, identifier, a, &before);
    bool known = e == OK ? memcmp(before.hash, f.hash, sizeof f.hash) == 0
                         : e == ERR_NOT_FOUND && is_newest(l->own, identifier, f.hash, a);
    if (e != OK && e != ERR_NOT_FOUND)
        return write_failed(e);
    *ret_pending = false;
    if (known)
        return OK;
    e = add_finding(l, &f, text, a);
    if (e == OK)
        *ret_pending = store_pending_finding(l->own, identifier, a, &before) == OK;
    return e;
}

/* ---- somebody's word ---- */

static struct str notice_payload(const struct notice_row *n, const struct finding *f,
                                 struct arena *a)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(TEXT_MAX + (16 << 10));
    buf_byte(&to, '{');
    write_text(&to, "identifier", n->identifier);
    write_number(&to, "version", n->version);
    write_time(&to, "timestamp", n->timestamp_ms);
    write_time(&to, "received", n->received_ms);
    write_raw(&to, "content", n->content);
    write_number(&to, "finding", f->seq);
    write_text(&to, "sha256", hex_of(f->hash, a));
    buf_byte(&to, '}');
    struct str bytes;
    must(write_done(&to, a, &bytes) == OK); /* it was written before, as a finding */
    return bytes;
}

/* The hash, or eight and more digits of its beginning: what was read is what is confirmed. */
static bool names(struct str given, const uint8_t hash[32], struct arena *a)
{
    struct str whole = hex_of(hash, a);
    return given.n >= 8 && given.n <= whole.n &&
           str_eq_nocase(given, (struct str){ whole.p, given.n });
}

enum err ledger_confirm_notice(struct ledger *l, struct str identifier, struct str sha256,
                               int64_t received_ms, struct arena *a, struct str *ret_json,
                               struct err_info *info)
{
    struct finding f;
    int64_t seq;
    enum err e = store_pending_finding(l->own, identifier, a, &f);
    if (e == ERR_NOT_FOUND)
        return err_set(info, ERR_VALUE, "identifier", "nothing is pending");
    if (e != OK)
        return write_failed(e);
    if (!names(sha256, f.hash, a))
        return err_set(info, ERR_CONFLICT, "sha256",
                       "is not that of the pending text: read it before it is confirmed");
    struct notice_row row = { .identifier = identifier,
                              .version = store_next_notice(l->store, identifier),
                              .timestamp_ms = received_ms,
                              .received_ms = received_ms,
                              .content = f.content };
    e = store_add_notice(l->store, &row, notice_payload(&row, &f, a), &seq);
    if (e == OK)
        e = store_confirm_finding(l->store, f.seq, row.version);
    if (e != OK)
        return write_failed(e);
    AUTO(buf_fini) struct buf to = BUF_INIT(4096);
    buf_byte(&to, '{');
    write_text(&to, "identifier", identifier);
    write_time_seconds(&to, "timestamp", received_ms);
    write_number(&to, "version", row.version);
    buf_byte(&to, '}');
    return write_done(&to, a, ret_json);
}

/* ---- reading ---- */

static void write_pending(const struct finding *f, bool content, struct arena *a, struct buf *to)
{
    buf_byte(to, '{');
    write_text(to, "identifier", f->identifier);
    write_text(to, "sha256", hex_of(f->hash, a));
    write_time(to, "found", f->received_ms);
    if (content)
        write_raw(to, "content", f->content);
    buf_byte(to, '}');
}

enum err ledger_pending_notice(struct store_reader *r, struct str identifier, struct arena *a,
                               struct str *ret_json)
{
    struct finding f;
    enum err e = store_pending_finding(r, identifier, a, &f);
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(TEXT_MAX + 4096);
    write_pending(&f, true, a, &to);
    return write_done(&to, a, ret_json);
}

enum err ledger_watched_notices(struct store_reader *r, const struct conf *c, int64_t now,
                                ledger_looked_fn looked, void *ctx, struct arena *a,
                                struct str *ret_json)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(LIMIT_WATCHED * 8192);
    buf_byte(&to, '[');
    for (uint32_t i = 0; i < c->notice_count; i++) {
        const struct conf_notice *n = &c->notice[i];
        struct finding f;
        uint32_t version = store_notice_at(r, n->identifier, now);
        enum err e = store_pending_finding(r, n->identifier, a, &f);
        if (e != OK && e != ERR_NOT_FOUND)
            return e;
        write_comma(&to);
        buf_byte(&to, '{');
        write_text(&to, "identifier", n->identifier);
        write_text(&to, "source", n->file.n > 0 ? n->file : n->remote.endpoint);
        write_raw(&to, "in_force", version ? arena_printf(a, "%u", version) : (struct str){ 0 });
        write_name(&to, STR("pending"));
        if (e == OK)
            write_pending(&f, false, a, &to);
        else
            buf_lit(&to, "null");
        int64_t at_ms;
        const char *outcome = looked(ctx, n->identifier, &at_ms);
        if (at_ms != 0)
            write_time(&to, "looked", at_ms);
        write_text_or_null(&to, "error", str_of(outcome));
        buf_byte(&to, '}');
    }
    buf_byte(&to, ']');
    return write_done(&to, a, ret_json);
}

uint32_t ledger_count_pending(struct store_reader *r, const struct conf *c)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct finding f;
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->notice_count; i++) {
        n += store_pending_finding(r, c->notice[i].identifier, &a, &f) == OK;
        arena_clear(&a);
    }
    return n;
}
