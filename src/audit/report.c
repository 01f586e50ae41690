#include "audit/report.h"

#include "codec/json.h"
#include "codec/text.h"
#include "codec/time.h"
#include "policy/compile.h"
#include "policy/gate.h"

enum { REPORT = 64 << 20, SHOWN = 400, WIDTH = 88 };

struct report {
    struct store_reader *r;
    const struct report_question *q;
    struct arena *a;
    struct buf to;
    const struct snapshot *snapshot;
    struct act_found *act; /* newest first */
    struct json_doc *said; /* their payloads */
    uint32_t act_count;
    bool more_acts;
};

/* ---- JSON ---- */

static void comma(struct buf *to)
{
    char before = to->n ? to->p[to->n - 1] : '{';
    if (before != '{' && before != '[' && before != ':')
        buf_byte(to, ',');
}

static void name(struct report *x, const char *member)
{
    comma(&x->to);
    buf_printf(&x->to, "\"%s\":", member);
}

static void text(struct report *x, const char *member, struct str value)
{
    name(x, member);
    json_write_string(&x->to, value);
}

static void raw(struct report *x, const char *member, struct str value)
{
    name(x, member);
    buf_str(&x->to, value.n ? value : STR("null"));
}

static void number(struct report *x, const char *member, uint64_t value)
{
    name(x, member);
    buf_printf(&x->to, "%llu", (unsigned long long)value);
}

static void moment(struct report *x, const char *member, int64_t ms)
{
    char t[TIME_TEXT + 1];
    time_format(ms, t);
    if (ms)
        text(x, member, str_of(t));
    else
        raw(x, member, STR("null"));
}

static void truth(struct report *x, const char *member, bool is)
{
    raw(x, member, is ? STR("true") : STR("false"));
}

/* ---- acts ---- */

static enum err load_acts(struct report *x)
{
    struct act_filter f = { .subject = x->q->subject, .source = -1, .limit = LIMIT_LIST };
    x->act = arena_array(x->a, struct act_found, REPORT_ACTS);
    x->said = arena_array(x->a, struct json_doc, REPORT_ACTS);
    for (;;) {
        struct act_found *page;
        uint32_t n;
        enum err e = store_list_acts(x->r, &f, x->a, &page, &n);
        if (e != OK)
            return e;
        for (uint32_t i = 0; i < n && x->act_count < REPORT_ACTS; i++) {
            x->act[x->act_count] = page[i];
            if (json_scan(page[i].payload, x->a, &x->said[x->act_count++], NULL) != OK)
                return ERR_CORRUPT;
        }
        x->more_acts = n == LIMIT_LIST && x->act_count == REPORT_ACTS;
        if (n < LIMIT_LIST || x->act_count == REPORT_ACTS)
            return OK;
        f.has_starting_after = true;
        f.starting_after = page[n - 1].id;
    }
}

/* What an act did to a purpose; 0: nothing. */
static uint32_t effect_on(const struct json_doc *d, uint32_t purpose)
{
    uint32_t list = json_get(d, JSON_ROOT, STR("effects"));
    for (uint32_t v = json_first(d, list); v; v = json_next(d, list, v)) {
        unsigned long long n;
        if (str_to_u64(json_raw(d, json_get(d, v, STR("purpose"))), &n) && n == purpose)
            return v;
    }
    return 0;
}

static const char *const told[] = { "id",         "received", "timestamp",
                                    "source",     "proofs",   "legal_notices",
                                    "ip_address", "shown",    "proof_document_ids" };

/* What the act says, as it says it. */
static void write_act(struct report *x, uint32_t i, uint32_t effect)
{
    const struct json_doc *d = &x->said[i];
    static const char *const of_effect[] = { "grant", "version", "evidence", "confirmed" };
    comma(&x->to);
    buf_byte(&x->to, '{');
    for (size_t m = 0; m < COUNT(told); m++)
        raw(x, told[m], json_raw(d, json_get(d, JSON_ROOT, str_of(told[m]))));
    for (size_t m = 0; effect && m < COUNT(of_effect); m++)
        raw(x, of_effect[m], json_raw(d, json_get(d, effect, str_of(of_effect[m]))));
    number(x, "record", (uint64_t)x->act[i].seq);
    buf_byte(&x->to, '}');
}

static void write_acts(struct report *x, uint32_t purpose)
{
    name(x, "acts");
    buf_byte(&x->to, '[');
    for (uint32_t i = 0; i < x->act_count; i++) {
        uint32_t effect = effect_on(&x->said[i], purpose);
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
        uint32_t effect = effect_on(&x->said[i], purpose);
        const struct json_doc *d = &x->said[i];
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
    raw(x, "wording", content);
}

static bool deciding_act(const struct report *x, int64_t seq, uint32_t *ret_i)
{
    for (uint32_t i = 0; i < x->act_count; i++) {
        if (x->act[i].seq == seq) {
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
    comma(&x->to);
    buf_byte(&x->to, '{');
    text(x, "id", p->conf->id);
    truth(x, "holds", d.reason == REASON_PERMITTED);
    text(x, "reason", str_of(reason_name(d.reason)));
    text(x, "reason_text", str_of(reason_text(d.reason)));
    if (version)
        number(x, "version", version);
    else
        raw(x, "version", STR("null"));
    if (version)
        write_wording(x, p, version);
    name(x, "decided_by");
    if (d.act_seq && deciding_act(x, d.act_seq, &i))
        write_act(x, i, effect_on(&x->said[i], p->number));
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
    comma(&x->to);
    buf_byte(&x->to, '{');
    text(x, "event", str_of(id));
    moment(x, "at", s->at_ms);
    text(x, "result", str_of(delivery_result_name[s->result]));
    text(x, "destination",
         s->slot < x->q->frozen->destination_count ? x->q->frozen->destination[s->slot] : STR(""));
    if (d != NULL) {
        text(x, "recipient", d->has_recipient ? d->recipient_name : c->controller_name);
        text(x, "country", str_of(d->has_recipient ? d->recipient_country : c->controller_country));
        name(x, "purposes");
        buf_byte(&x->to, '[');
        for (uint32_t i = 0; i < d->require_count; i++) {
            comma(&x->to);
            json_write_string(&x->to, d->requires[i]);
        }
        buf_byte(&x->to, ']');
    }
    text(x, "fields", s->fields);
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
    number(x, "sent_total", total);
    name(x, "sent");
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
    text(x, "report", STR("consent"));
    text(x, "subject", x->q->subject);
    moment(x, "at", x->q->now_ms);
    text(x, "controller", c->controller_name);
    text(x, "contact", c->controller_contact);
    moment(x, "known_since", row.created_ms);
    truth(x, "verified", row.verified);
    truth(x, "restricted", (row.flags & SUBJECT_RESTRICTED) != 0);
    number(x, "acts_shown", x->act_count);
    truth(x, "more_acts", x->more_acts);
    name(x, "purposes");
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
    struct json_doc d;
    struct arena *a;
    struct buf *to;
};

static uint32_t get(const struct page *g, uint32_t object, const char *member)
{
    return json_get(&g->d, object, str_of(member));
}

static struct str value(const struct page *g, uint32_t object, const char *member)
{
    struct str s = { 0 };
    uint32_t node = get(g, object, member);
    if (!json_text(&g->d, node, g->a, &s) && json_type(&g->d, node) > JSON_NULL)
        s = json_raw(&g->d, node);
    return s;
}

static bool is_true(const struct page *g, uint32_t object, const char *member)
{
    return json_type(&g->d, get(g, object, member)) == JSON_TRUE;
}

static struct str cut(struct str s)
{
    size_t n = s.n < SHOWN ? s.n : SHOWN;
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return (struct str){ s.p, n };
}

/* Words on lines of WIDTH bytes, behind `indent` spaces. */
static void wrap(struct page *g, int indent, struct str words)
{
    size_t column = 0;
    struct str rest = words, word;
    AUTO(buf_fini) struct buf clean = BUF_INIT(REPORT);
    text_harmless(&clean, words, false);
    rest = buf_view(&clean);
    while (str_next(&rest, ' ', &word)) {
        if (column == 0 || column + 1 + word.n > WIDTH) {
            buf_printf(g->to, "%s%*s", column ? "\n" : "", indent, "");
            column = (size_t)indent;
        } else {
            buf_byte(g->to, ' ');
            column++;
        }
        buf_str(g->to, word);
        column += word.n;
    }
    buf_byte(g->to, '\n');
}

#define LINE(g, indent, ...) wrap((g), (indent), arena_printf((g)->a, __VA_ARGS__))

static void page_proofs(struct page *g, uint32_t act)
{
    uint32_t list = get(g, act, "proofs");
    for (uint32_t v = json_first(&g->d, list); v; v = json_next(&g->d, list, v)) {
        struct str form = value(g, v, "form"), content = value(g, v, "content");
        if (form.n)
            LINE(g, 4, "Form: %.*s%s", STR_ARG(cut(form)), form.n > SHOWN ? " …" : "");
        if (content.n)
            LINE(g, 4, "Content: %.*s%s", STR_ARG(cut(content)), content.n > SHOWN ? " …" : "");
    }
    list = get(g, act, "legal_notices");
    for (uint32_t v = json_first(&g->d, list); v; v = json_next(&g->d, list, v))
        LINE(g, 4, "Notice cited: %.*s, version %.*s", STR_ARG(value(g, v, "identifier")),
             STR_ARG(value(g, v, "version")));
}

static const char *evidence_words(struct str evidence)
{
    static const struct {
        struct str name;
        const char *words;
    } of[] = { { STR_INIT("shown"), "our banner showed her this version" },
               { STR_INIT("proof"), "a proof was attached: form or content" },
               { STR_INIT("cited"), "she cited a notice that carries this version" },
               { STR_INIT("cmp"), "the receipt of a consent platform" } };
    for (size_t i = 0; i < COUNT(of); i++)
        if (str_eq(evidence, of[i].name))
            return of[i].words;
    return "none was recorded";
}

static void page_act(struct page *g, uint32_t act)
{
    LINE(g, 2, "%.*s  %s%s  (consent %.*s, record %.*s, said by: %.*s)",
         STR_ARG(value(g, act, "received")),
         is_true(g, act, "grant") ? "agreed" : "refused or withdrew",
         is_true(g, act, "confirmed") ? "" : ", not confirmed", STR_ARG(value(g, act, "id")),
         STR_ARG(value(g, act, "record")), STR_ARG(value(g, act, "source")));
    if (is_true(g, act, "grant"))
        LINE(g, 4, "Text version %.*s; evidence: %s", STR_ARG(value(g, act, "version")),
             evidence_words(value(g, act, "evidence")));
    page_proofs(g, act);
}

/* In English, or else in the first language that there is. */
static void page_wording(struct page *g, uint32_t purpose)
{
    uint32_t wording = get(g, purpose, "wording"), texts = get(g, wording, "text");
    uint32_t parts = get(g, texts, "en"), first = json_first(&g->d, texts);
    struct str language = STR("en");
    if (parts == 0 && first != 0) {
        parts = first + 1;
        (void)json_string(&g->d, first, g->a, &language);
    }
    LINE(g, 2, "The text of version %.*s, in force since %.*s (%.*s):",
         STR_ARG(value(g, purpose, "version")), STR_ARG(value(g, wording, "since")),
         STR_ARG(language));
    for (int i = 0; i < CONF_TEXT_PARTS; i++)
        LINE(g, 4, "%s: %.*s", conf_text_part[i], STR_ARG(value(g, parts, conf_text_part[i])));
    uint32_t list = get(g, wording, "recipients");
    for (uint32_t v = json_first(&g->d, list); v; v = json_next(&g->d, list, v))
        LINE(g, 4, "recipient named: %.*s, %.*s (%.*s)", STR_ARG(value(g, v, "name")),
             STR_ARG(value(g, v, "country")), STR_ARG(value(g, v, "id")));
}

static void page_purpose(struct page *g, uint32_t purpose)
{
    buf_byte(g->to, '\n');
    LINE(g, 0, "PURPOSE %.*s: %s. %.*s", STR_ARG(value(g, purpose, "id")),
         is_true(g, purpose, "holds") ? "holds now" : "does not hold now",
         STR_ARG(value(g, purpose, "reason_text")));
    uint32_t by = get(g, purpose, "decided_by"), acts = get(g, purpose, "acts");
    if (json_type(&g->d, by) == JSON_OBJECT)
        LINE(g, 2, "Decided by consent %.*s, received %.*s.", STR_ARG(value(g, by, "id")),
             STR_ARG(value(g, by, "received")));
    if (get(g, purpose, "wording"))
        page_wording(g, purpose);
    if (json_first(&g->d, acts) == 0)
        LINE(g, 2, "She never said anything about it.");
    for (uint32_t v = json_first(&g->d, acts); v; v = json_next(&g->d, acts, v))
        page_act(g, v);
}

static void page_sent(struct page *g)
{
    uint32_t list = get(g, JSON_ROOT, "sent");
    buf_byte(g->to, '\n');
    LINE(g, 0, "WHAT LEFT: %.*s times something was sent%s",
         STR_ARG(value(g, JSON_ROOT, "sent_total")),
         json_first(&g->d, list) ? ", the newest of them:" : ".");
    for (uint32_t v = json_first(&g->d, list); v; v = json_next(&g->d, list, v))
        LINE(g, 2, "%.*s  to %.*s, %.*s (%.*s), %.*s; fields: %.*s", STR_ARG(value(g, v, "at")),
             STR_ARG(value(g, v, "recipient")), STR_ARG(value(g, v, "country")),
             STR_ARG(value(g, v, "destination")), STR_ARG(value(g, v, "result")),
             STR_ARG(value(g, v, "fields")));
}

bool report_text(struct str json, struct arena *a, struct buf *to)
{
    struct page g = { .a = a, .to = to };
    if (json_scan(json, a, &g.d, NULL) != OK)
        return false;
    LINE(&g, 0, "CONSENTS OF THE SUBJECT \"%.*s\"", STR_ARG(value(&g, JSON_ROOT, "subject")));
    LINE(&g, 0, "As of %.*s. Controller: %.*s, %.*s.", STR_ARG(value(&g, JSON_ROOT, "at")),
         STR_ARG(value(&g, JSON_ROOT, "controller")), STR_ARG(value(&g, JSON_ROOT, "contact")));
    LINE(&g, 0, "Known since %.*s%s%s.", STR_ARG(value(&g, JSON_ROOT, "known_since")),
         is_true(&g, JSON_ROOT, "verified") ? "; address verified" : "",
         is_true(&g, JSON_ROOT, "restricted") ? "; processing is restricted" : "");
    if (is_true(&g, JSON_ROOT, "more_acts"))
        LINE(&g, 0, "Only the newest %d acts are shown.", REPORT_ACTS);
    uint32_t list = get(&g, JSON_ROOT, "purposes");
    for (uint32_t v = json_first(&g.d, list); v; v = json_next(&g.d, list, v))
        page_purpose(&g, v);
    page_sent(&g);
    buf_byte(to, '\n');
    LINE(&g, 0,
         "This page is taken from licet's records. That these were not changed since, licet verify "
         "shows; for others, licet export-proof. It says nothing about whether the processing is "
         "lawful.");
    return !to->over;
}
