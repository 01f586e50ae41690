/* The answer to a link. */
#include "consent/verification_priv.h"

#include "base/limits.h"
#include "codec/time.h"

enum { BODY_MAX = LIMIT_CONSENT_BODY };

struct answering {
    const struct policy *p;
    const struct confirmation_request *q;
    struct arena *a;
    struct verification_read v;
    struct subject_row row;
    enum page_kind kind; /* PAGE_ASK: the link is good */
};

/* Unknown and forged are the same. */
static enum err find(struct store_reader *r, struct answering *x)
{
    uint8_t hash[VERIFICATION_TOKEN];
    struct verification stored;
    AUTO(free_ptr) struct snapshot *s = NULL;
    struct str token = x->q->token;
    x->kind = PAGE_UNKNOWN;
    verification_token_hash(token.n <= LIMIT_LETTER_TOKEN ? token : (struct str){ 0 }, hash);
    enum err e = store_find_verification(r, hash, x->a, &stored);
    if (e == OK)
        e = verification_read(x->p, &stored, x->a, &x->v);
    if (e == OK)
        e = store_get_subject(r, stored.subject, x->a, &x->row);
    if (e == OK)
        e = store_load_snapshot(r, stored.subject, INT64_MAX, &s);
    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : e;
    if (stored.outcome == VERIFICATION_CONFIRMED) {
        x->kind = PAGE_USED;
        return OK;
    }
    bool all_there = verification_is_permitted(s, &x->v);
    verification_still_waits(s, &x->v);
    bool good = stored.outcome == VERIFICATION_OPEN && x->q->received_ms < stored.until_ms &&
                verification_is_hers(&x->row, x->v.address) && x->v.asked_count > 0 &&
                !(s->flags & SUBJECT_ERASED);
    x->kind = good ? PAGE_ASK : all_there ? PAGE_USED : PAGE_EXPIRED;
    return OK;
}

static struct str language_of(const struct answering *x)
{
    return page_language(x->q->language, x->v.language, x->q->accept_language);
}

static enum err show(struct answering *x, enum page_kind kind, struct confirmation_page *ret_page)
{
    static const int status[] = { [PAGE_ASK] = 200,     [PAGE_DONE] = 200,    [PAGE_USED] = 410,
                                  [PAGE_EXPIRED] = 410, [PAGE_UNKNOWN] = 404, [PAGE_NOTED] = 200 };
    struct confirmation_page page = { .status = status[kind] };
    struct str main;
    enum err e = page_write(kind, language_of(x), x->p, &x->v, x->a, &page.html, &main);
    if (e == OK)
        *ret_page = page;
    return e;
}

enum err ledger_show_confirmation(struct store_reader *r, const struct policy *p,
                                  const struct confirmation_request *q, struct arena *a,
                                  struct confirmation_page *ret_page)
{
    struct answering *x = arena_new(a, struct answering);
    *x = (struct answering){ .p = p, .q = q, .a = a };
    enum err e = find(r, x);
    return e == OK ? show(x, x->kind, ret_page) : e;
}

/* ---- writing ---- */

static void write_map(struct buf *to, const char *name, const struct verification_read *v,
                      bool versions)
{
    write_name(to, str_of(name));
    buf_byte(to, '{');
    for (uint32_t i = 0; i < v->asked_count; i++) {
        write_name(to, v->asked[i].purpose->conf->id);
        if (versions)
            buf_printf(to, "%u", v->asked[i].version);
        else
            buf_lit(to, "true");
    }
    buf_byte(to, '}');
}

/* What the letter said, and when it went: the other half of the proof. */
static struct str told(const struct answering *x)
{
    char asked[TIME_TEXT + 1], sent[TIME_TEXT + 1], answered[TIME_TEXT + 1];
    const struct verification *v = &x->v.v;
    time_format(v->at_ms, asked);
    time_format(v->letter.sent_ms, sent);
    time_format(x->q->received_ms, answered);
    return arena_printf(x->a, "asked %s, sent %s, confirmed %s\nto %.*s\n\n%.*s\n\n%.*s", asked,
                        v->letter.sent_ms ? sent : "-", answered, STR_ARG(x->v.address),
                        STR_ARG(x->v.letter_subject), STR_ARG(x->v.letter_text));
}

/* The act that she might have sent herself. */
static enum err write_body(struct answering *x, struct str *ret_body)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(BODY_MAX);
    struct str html, main, email = x->row.email.n ? x->row.email : x->v.address;
    char id[ID_TEXT + 1];
    enum err e = page_write(PAGE_ASK, language_of(x), x->p, &x->v, x->a, &html, &main);
    if (e != OK)
        return e;
    id_format(&x->v.v.id, id);
    buf_lit(&to, "{\"subject\":{");
    write_text(&to, "id", x->row.id);
    write_text(&to, "email", email);
    write_bool(&to, "verified", true);
    buf_byte(&to, '}');
    write_map(&to, "preferences", &x->v, false);
    write_map(&to, "versions", &x->v, true);
    write_name(&to, STR("shown"));
    buf_byte(&to, '{');
    write_text(&to, "language", language_of(x));
    buf_byte(&to, '}');
    write_name(&to, STR("proofs"));
    buf_lit(&to, "[{");
    write_text(&to, "form", main);
    write_text(&to, "content", told(x));
    buf_lit(&to, "}]");
    write_text(&to, "verification", str_of(id));
    buf_byte(&to, '}');
    return write_done(&to, x->a, ret_body);
}

static enum err end(struct ledger *l, struct answering *x, enum verification_outcome outcome,
                    struct str consent_id)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(4096);
    struct str payload;
    char id[ID_TEXT + 1];
    id_format(&x->v.v.id, id);
    buf_byte(&to, '{');
    write_text(&to, "verification", str_of(id));
    write_text(&to, "outcome",
               outcome == VERIFICATION_CONFIRMED ? STR("confirmed") : STR("disowned"));
    write_text_or_null(&to, "consent_id", consent_id);
    write_time(&to, "received", x->q->received_ms);
    buf_byte(&to, '}');
    enum err e = write_done(&to, x->a, &payload);
    if (e == OK)
        e = store_end_verification(l->store, x->v.v.seq, outcome, x->q->received_ms, payload);
    return e == OK ? ledger_changed(l, x->row.id) : e;
}

static enum err confirm(struct ledger *l, struct answering *x, struct err_info *info)
{
    struct consent_request q = { .source = ACT_CONFIRMATION, .received_ms = x->q->received_ms };
    struct consent_answer ans;
    char id[ID_TEXT + 1];
    enum err e = write_body(x, &q.body);
    if (e == OK)
        e = act_add_confirmation(l, x->p, &q, x->a, &ans, info);
    if (e != OK)
        return e;
    id_format(&ans.act, id);
    return write_failed(end(l, x, VERIFICATION_CONFIRMED, str_of(id)));
}

enum err ledger_confirm(struct ledger *l, const struct policy *p,
                        const struct confirmation_request *q, struct arena *a,
                        struct confirmation_page *ret_page, struct err_info *info)
{
    struct answering *x = arena_new(a, struct answering);
    *x = (struct answering){ .p = p, .q = q, .a = a };
    enum err e = find(l->own, x);
    if (e != OK)
        return write_failed(e);
    if (x->kind != PAGE_ASK || q->answer == CONFIRMATION_NONE)
        return show(x, x->kind, ret_page);
    bool yes = q->answer == CONFIRMATION_YES;
    e = yes ? confirm(l, x, info)
            : write_failed(end(l, x, VERIFICATION_DISOWNED, (struct str){ 0 }));
    if (e == OK)
        e = write_failed(show(x, yes ? PAGE_DONE : PAGE_NOTED, ret_page));
    if (e != OK)
        return e;
    ret_page->confirmed = yes;
    ret_page->disowned = !yes;
    return OK;
}
