#include "audit/report.h"

#include "audit/paper.h"
#include "audit/reading.h"
#include "audit/receipt_words.h"
#include "audit/said.h"
#include "codec/json_write.h"
#include "policy/compile.h"
#include "policy/gate.h"

enum { REPORT = 64 << 20, SHOWN = 400 };

struct report {
    struct store_reader *r;
    const struct report_question *q;
    struct arena *a;
    struct buf to;
    const struct snapshot *snapshot;
    struct said *act; /* newest first */
    uint32_t act_count;
    bool more_acts;
};

/* ---- acts ---- */

static enum err load_acts(struct report *x)
{
    struct act_filter f = { .subject = x->q->subject, .source = -1, .limit = LIMIT_LIST };
    x->act = arena_array(x->a, struct said, REPORT_ACTS);
    for (;;) {
        struct act_found *page;
        uint32_t n;
        enum err e = store_list_acts(x->r, &f, x->a, &page, &n);
        if (e != OK)
            return e;
        for (uint32_t i = 0; i < n && x->act_count < REPORT_ACTS; i++) {
            e = said_read(&page[i], x->a, &x->act[x->act_count]);
            if (e == OK)
                x->act_count++;
            else if (e != ERR_NOT_FOUND) /* of what was erased there is nothing to tell */
                return e;
        }
        x->more_acts = n == LIMIT_LIST && x->act_count == REPORT_ACTS;
        if (n < LIMIT_LIST || x->act_count == REPORT_ACTS)
            return OK;
        f.has_starting_after = true;
        f.starting_after = page[n - 1].id;
    }
}

static const char *const told[] = { "id",         "received", "timestamp",
                                    "source",     "proofs",   "legal_notices",
                                    "ip_address", "shown",    "proof_document_ids",
                                    "cmp" };

/* What the act says, as it says it. */
static void write_act(struct report *x, uint32_t i, uint32_t effect)
{
    const struct json_doc *d = &x->act[i].doc;
    static const char *const of_effect[] = { "grant", "version", "evidence", "confirmed" };
    write_comma(&x->to);
    buf_byte(&x->to, '{');
    for (size_t m = 0; m < COUNT(told); m++)
        write_raw(&x->to, told[m], json_raw(d, json_get(d, JSON_ROOT, str_of(told[m]))));
    for (size_t m = 0; effect && m < COUNT(of_effect); m++)
        write_raw(&x->to, of_effect[m], json_raw(d, json_get(d, effect, str_of(of_effect[m]))));
    write_number(&x->to, "record", x->act[i].act.seq);
    buf_byte(&x->to, '}');
}

static void write_acts(struct report *x, uint32_t purpose)
{
    write_name(&x->to, STR("acts"));
    buf_byte(&x->to, '[');
    for (uint32_t i = 0; i < x->act_count; i++) {
        uint32_t effect = said_effect_on(&x->act[i].doc, purpose);
        if (effect)
            write_act(x, i, effect);
    }
    buf_byte(&x->to, ']');
}

/* ---- purposes ---- */

/* The version that the newest grant on this purpose was bound to. */
static uint32_t version_agreed(const struct report *x, uint32_t purpose)
{
    for (uint32_t i = 0; i < x->act_count; i++) {
        unsigned long long n;
        uint32_t effect = said_effect_on(&x->act[i].doc, purpose);
        const struct json_doc *d = &x->act[i].doc;
        if (effect && json_type(d, json_get(d, effect, STR("grant"))) == JSON_TRUE &&
            str_to_u64(json_raw(d, json_get(d, effect, STR("version"))), &n) && n > 0)
            return (uint32_t)n;
    }
    return 0;
}

/* As it was frozen: text, recipients, notices. */
static void write_wording(struct report *x, const struct policy_purpose *p, uint32_t version)
{
    struct str content = { 0 };
    for (uint32_t i = 0; i < x->q->frozen->version_count; i++) {
        const struct frozen_version *v = &x->q->frozen->version[i];
        if (v->version == version && str_eq(v->purpose, p->conf->id))
            content = v->content;
    }
    write_raw(&x->to, "wording", content);
}

static bool deciding_act(const struct report *x, int64_t seq, uint32_t *ret_i)
{
    for (uint32_t i = 0; i < x->act_count; i++) {
        if (x->act[i].act.seq == seq) {
            *ret_i = i;
            return true;
        }
    }
    return false;
}

static void write_purpose(struct report *x, uint32_t index)
{
    const struct policy_purpose *p = &x->q->policy->purpose[index];
    struct decision_purpose d;
    uint32_t i;
    gate_purpose(x->q->policy, x->snapshot, index, x->q->now_ms, &d);
    uint32_t version = version_agreed(x, p->number);
    if (d.version) /* what decides may be older than the newest */
        version = d.version;
    write_comma(&x->to);
    buf_byte(&x->to, '{');
    write_text(&x->to, "id", p->conf->id);
    write_bool(&x->to, "holds", d.reason == REASON_PERMITTED);
    write_text(&x->to, "reason", str_of(reason_name(d.reason)));
    write_text(&x->to, "reason_text", str_of(reason_text(d.reason)));
    if (version)
        write_number(&x->to, "version", version);
    else
        write_raw(&x->to, "version", STR("null"));
    if (version)
        write_wording(x, p, version);
    write_name(&x->to, STR("decided_by"));
    if (d.act_seq && deciding_act(x, d.act_seq, &i))
        write_act(x, i, said_effect_on(&x->act[i].doc, p->number));
    else
        buf_lit(&x->to, "null");
    write_acts(x, p->number);
    buf_byte(&x->to, '}');
}

/* ---- what left ---- */

static const struct conf_destination *destination_of(const struct report *x, uint32_t slot)
{
    int16_t use = slot < LIMIT_DESTINATIONS ? x->q->policy->use_of_slot[slot] : -1;
    return use < 0 ? NULL : x->q->policy->use[use].conf;
}

static void write_sent(struct report *x, const struct sent_found *s)
{
    char id[ID_TEXT + 1];
    const struct conf_destination *d = destination_of(x, s->slot);
    const struct conf *c = x->q->policy->conf;
    id_format(&s->event, id);
    write_comma(&x->to);
    buf_byte(&x->to, '{');
    write_text(&x->to, "event", str_of(id));
    write_time_or_null(&x->to, "at", s->at_ms);
    write_text(&x->to, "result", str_of(delivery_result_name[s->result]));
    write_text(&x->to, "destination",
               s->slot < x->q->frozen->destination_count ? x->q->frozen->destination[s->slot]
                                                         : STR(""));
    if (d != NULL) {
        write_text(&x->to, "recipient", d->has_recipient ? d->recipient_name : c->controller_name);
        write_text(&x->to, "country",
                   str_of(d->has_recipient ? d->recipient_country : c->controller_country));
        write_name(&x->to, STR("purposes"));
        buf_byte(&x->to, '[');
        for (uint32_t i = 0; i < d->require_count; i++) {
            write_comma(&x->to);
            json_write_string(&x->to, d->requires[i]);
        }
        buf_byte(&x->to, ']');
    }
    write_text(&x->to, "fields", s->fields);
    buf_byte(&x->to, '}');
}

static enum err write_all_sent(struct report *x)
{
    struct sent_found *sent;
    uint32_t n;
    uint64_t total;
    enum err e =
        store_list_sent(x->r, x->q->subject, LIMIT_WITHDRAWAL_SHOWN, x->a, &sent, &n, &total);
    if (e != OK)
        return e;
    write_number(&x->to, "sent_total", (int64_t)total);
    write_name(&x->to, STR("sent"));
    buf_byte(&x->to, '[');
    for (uint32_t i = 0; i < n; i++)
        write_sent(x, &sent[i]);
    buf_byte(&x->to, ']');
    return OK;
}

/* ---- the whole ---- */

static enum err write_report(struct report *x)
{
    struct subject_row row;
    enum err e = store_get_subject(x->r, x->q->subject, x->a, &row);
    if (e == OK)
        e = load_acts(x);
    if (e != OK)
        return e;
    const struct conf *c = x->q->policy->conf;
    buf_byte(&x->to, '{');
    write_text(&x->to, "report", STR("consent"));
    write_text(&x->to, "subject", x->q->subject);
    write_time_or_null(&x->to, "at", x->q->now_ms);
    write_text(&x->to, "controller", c->controller_name);
    write_text(&x->to, "contact", c->controller_contact);
    write_time_or_null(&x->to, "known_since", row.created_ms);
    write_bool(&x->to, "verified", row.verified);
    write_bool(&x->to, "restricted", (row.flags & SUBJECT_RESTRICTED) != 0);
    write_number(&x->to, "acts_shown", x->act_count);
    write_bool(&x->to, "more_acts", x->more_acts);
    write_name(&x->to, STR("purposes"));
    buf_byte(&x->to, '[');
    for (uint32_t i = 0; i < x->q->policy->purpose_count; i++)
        write_purpose(x, i);
    buf_byte(&x->to, ']');
    e = write_all_sent(x);
    buf_byte(&x->to, '}');
    return e;
}

enum err report_consent(struct store_reader *r, const struct report_question *q, struct arena *a,
                        struct str *ret_json)
{
    AUTO(free_ptr) struct snapshot *s = NULL;
    struct report x = { .r = r, .q = q, .a = a, .to = BUF_INIT(REPORT) };
    enum err e = store_load_snapshot(r, q->subject, INT64_MAX, &s);
    x.snapshot = s;
    if (e == OK)
        e = write_report(&x);
    if (e == OK && x.to.over)
        e = ERR_LIMIT;
    if (e == OK)
        *ret_json = arena_str(a, buf_view(&x.to));
    buf_fini(&x.to);
    return e;
}

/* ---- for people ---- */

struct page {
    struct reading r;
    struct buf *to;
};

static struct str value(const struct page *g, uint32_t object, const char *member)
{
    return reading_text(&g->r, object, member);
}

static struct str cut(struct str s)
{
    return reading_cut(s, SHOWN);
}

#define LINE(g, indent, ...) paper_wrap((g)->to, (indent), arena_printf((g)->r.a, __VA_ARGS__))

static void page_proofs(struct page *g, uint32_t act)
{
    uint32_t list = reading_get(&g->r, act, "proofs");
    for (uint32_t v = json_first(&g->r.d, list); v; v = json_next(&g->r.d, list, v)) {
        struct str form = value(g, v, "form"), content = value(g, v, "content");
        if (form.n)
            LINE(g, 4, "Form: %.*s%s", STR_ARG(cut(form)), form.n > SHOWN ? " …" : "");
        if (content.n)
            LINE(g, 4, "Content: %.*s%s", STR_ARG(cut(content)), content.n > SHOWN ? " …" : "");
    }
    list = reading_get(&g->r, act, "legal_notices");
    for (uint32_t v = json_first(&g->r.d, list); v; v = json_next(&g->r.d, list, v))
        LINE(g, 4, "Notice cited: %.*s, version %.*s", STR_ARG(value(g, v, "identifier")),
             STR_ARG(value(g, v, "version")));
}

static void page_act(struct page *g, uint32_t act)
{
    LINE(g, 2, "%.*s  %s%s  (consent %.*s, record %.*s, said by: %.*s)",
         STR_ARG(value(g, act, "received")),
         reading_is(&g->r, act, "grant") ? "agreed" : "refused or withdrew",
         reading_is(&g->r, act, "confirmed") ? "" : ", not confirmed", STR_ARG(value(g, act, "id")),
         STR_ARG(value(g, act, "record")), STR_ARG(value(g, act, "source")));
    if (reading_is(&g->r, act, "grant"))
        LINE(g, 4, "Text version %.*s; evidence: %.*s", STR_ARG(value(g, act, "version")),
             STR_ARG(word_for(TONGUE_EN, NAME_EVIDENCE, value(g, act, "evidence"))));
    page_proofs(g, act);
}

/* In English, or else in the first language that there is. */
static void page_wording(struct page *g, uint32_t purpose)
{
    uint32_t wording = reading_get(&g->r, purpose, "wording"),
             texts = reading_get(&g->r, wording, "text");
    uint32_t parts = reading_get(&g->r, texts, "en"), first = json_first(&g->r.d, texts);
    struct str language = STR("en");
    if (parts == 0 && first != 0) {
        parts = first + 1;
        (void)json_string(&g->r.d, first, g->r.a, &language);
    }
    LINE(g, 2, "The text of version %.*s, in force since %.*s (%.*s):",
         STR_ARG(value(g, purpose, "version")), STR_ARG(value(g, wording, "since")),
         STR_ARG(language));
    for (int i = 0; i < CONF_TEXT_PARTS; i++)
        LINE(g, 4, "%s: %.*s", conf_text_part[i], STR_ARG(value(g, parts, conf_text_part[i])));
    uint32_t list = reading_get(&g->r, wording, "recipients");
    for (uint32_t v = json_first(&g->r.d, list); v; v = json_next(&g->r.d, list, v))
        LINE(g, 4, "recipient named: %.*s, %.*s (%.*s)", STR_ARG(value(g, v, "name")),
             STR_ARG(value(g, v, "country")), STR_ARG(value(g, v, "id")));
}

static void page_purpose(struct page *g, uint32_t purpose)
{
    buf_byte(g->to, '\n');
    LINE(g, 0, "PURPOSE %.*s: %s. %.*s", STR_ARG(value(g, purpose, "id")),
         reading_is(&g->r, purpose, "holds") ? "holds now" : "does not hold now",
         STR_ARG(value(g, purpose, "reason_text")));
    uint32_t by = reading_get(&g->r, purpose, "decided_by"),
             acts = reading_get(&g->r, purpose, "acts");
    if (json_type(&g->r.d, by) == JSON_OBJECT)
        LINE(g, 2, "Decided by consent %.*s, received %.*s.", STR_ARG(value(g, by, "id")),
             STR_ARG(value(g, by, "received")));
    if (reading_get(&g->r, purpose, "wording"))
        page_wording(g, purpose);
    if (json_first(&g->r.d, acts) == 0)
        LINE(g, 2, "She never said anything about it.");
    for (uint32_t v = json_first(&g->r.d, acts); v; v = json_next(&g->r.d, acts, v))
        page_act(g, v);
}

static void page_sent(struct page *g)
{
    uint32_t list = reading_get(&g->r, JSON_ROOT, "sent");
    buf_byte(g->to, '\n');
    LINE(g, 0, "WHAT LEFT: %.*s times something was sent%s",
         STR_ARG(value(g, JSON_ROOT, "sent_total")),
         json_first(&g->r.d, list) ? ", the newest of them:" : ".");
    for (uint32_t v = json_first(&g->r.d, list); v; v = json_next(&g->r.d, list, v))
        LINE(g, 2, "%.*s  to %.*s, %.*s (%.*s), %.*s; fields: %.*s", STR_ARG(value(g, v, "at")),
             STR_ARG(value(g, v, "recipient")), STR_ARG(value(g, v, "country")),
             STR_ARG(value(g, v, "destination")), STR_ARG(value(g, v, "result")),
             STR_ARG(value(g, v, "fields")));
}

bool report_text(struct str json, struct arena *a, struct buf *to)
{
    struct page g = { .r = { .a = a }, .to = to };
    if (json_scan(json, a, &g.r.d, NULL) != OK)
        return false;
    LINE(&g, 0, "CONSENTS OF THE SUBJECT \"%.*s\"", STR_ARG(value(&g, JSON_ROOT, "subject")));
    LINE(&g, 0, "As of %.*s. Controller: %.*s, %.*s.", STR_ARG(value(&g, JSON_ROOT, "at")),
         STR_ARG(value(&g, JSON_ROOT, "controller")), STR_ARG(value(&g, JSON_ROOT, "contact")));
    LINE(&g, 0, "Known since %.*s%s%s.", STR_ARG(value(&g, JSON_ROOT, "known_since")),
         reading_is(&g.r, JSON_ROOT, "verified") ? "; address verified" : "",
         reading_is(&g.r, JSON_ROOT, "restricted") ? "; processing is restricted" : "");
    if (reading_is(&g.r, JSON_ROOT, "more_acts"))
        LINE(&g, 0, "Only the newest %d acts are shown.", REPORT_ACTS);
    uint32_t list = reading_get(&g.r, JSON_ROOT, "purposes");
    for (uint32_t v = json_first(&g.r.d, list); v; v = json_next(&g.r.d, list, v))
        page_purpose(&g, v);
    page_sent(&g);
    buf_byte(to, '\n');
    LINE(&g, 0,
         "This page is taken from licet's records. That these were not changed since, licet verify "
         "shows; for others, licet export-proof. It says nothing about whether the processing is "
         "lawful.");
    return !to->over;
}
