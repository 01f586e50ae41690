#include "audit/receipt.h"

#include "audit/receipt_words.h"
#include "audit/said.h"
#include "codec/json_write.h"
#include "codec/text.h"
#include "codec/time.h"
#include "consent/document.h"
#include "policy/compile.h"
#include "policy/gate.h"

#include <sodium.h>

#define SCHEMA "licet-receipt-1"

struct receipt {
    struct store_reader *r;
    const struct receipt_question *q;
    struct arena *a;
    struct buf to;
    enum tongue tongue;
    struct str subject;
    const struct snapshot *now;  /* all that is known of her */
    const struct snapshot *then; /* likewise when the one act was new; NULL: of no single act */
    struct said record[LIMIT_PREFERENCES > LIMIT_PURPOSES ? LIMIT_PREFERENCES : LIMIT_PURPOSES];
    uint32_t record_count;
};

/* One purpose on a receipt. */
struct item {
    const struct policy_purpose *purpose; /* NULL: it is not in the configuration any more */
    struct said_effect said;
    const struct said *record;
    struct decision_purpose now;
    const struct policy_version *version; /* the text that is shown; NULL: none */
    const char *relation;                 /* how she stands to that text */
};

/* ---- records ---- */

static enum err record_by_seq(struct receipt *x, int64_t seq, const struct said **ret_record)
{
    struct act_found act;
    for (uint32_t i = 0; i < x->record_count; i++) {
        if (x->record[i].act.seq == seq) {
            *ret_record = &x->record[i];
            return OK;
        }
    }
    must(x->record_count < COUNT(x->record));
    enum err e = store_get_act_by_seq(x->r, seq, x->a, &act);
    if (e == OK)
        e = said_read(&act, x->a, &x->record[x->record_count]);
    if (e == OK)
        *ret_record = &x->record[x->record_count++];
    return e;
}

static struct str act_id(const struct act_found *act, struct arena *a)
{
    char id[ID_TEXT + 1];
    id_format(&act->id, id);
    return arena_str(a, str_of(id));
}

/* The text of a value, whatever it is: of a string what it holds. */
static struct str value_of(const struct json_doc *d, uint32_t node, struct arena *a)
{
    struct str s = json_raw(d, node);
    (void)json_string(d, node, a, &s); /* else as it stood */
    return s;
}

static void write_hash(struct buf *to, const char *name, struct str bytes, struct arena *a)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(hash, (const uint8_t *)bytes.p, bytes.n);
    write_text(to, name, hex_encode((struct str){ (const char *)hash, sizeof hash }, a));
}

/* By its hash she can tell what she has in her own hands; whole only where one act alone is asked for. */
static void write_proofs(struct receipt *x, const struct json_doc *d)
{
    static const char *const part[] = { "form", "content" };
    static const char *const hash[] = { "form_sha256", "content_sha256" };
    uint32_t list = json_get(d, JSON_ROOT, STR("proofs"));
    write_name(&x->to, STR("proofs"));
    buf_byte(&x->to, '[');
    for (uint32_t v = json_first(d, list); v; v = json_next(d, list, v)) {
        write_comma(&x->to);
        buf_byte(&x->to, '{');
        for (size_t i = 0; i < COUNT(part); i++) {
            uint32_t node = json_get(d, v, str_of(part[i]));
            if (json_type(d, node) <= JSON_NULL)
                continue;
            if (x->then)
                write_raw(&x->to, part[i], json_raw(d, node));
            write_hash(&x->to, hash[i], value_of(d, node, x->a), x->a);
        }
        buf_byte(&x->to, '}');
    }
    buf_byte(&x->to, ']');
}

static void write_member(struct receipt *x, const struct json_doc *d, const char *name,
                         struct str absent)
{
    struct str raw = json_raw(d, json_get(d, JSON_ROOT, str_of(name)));
    write_raw(&x->to, name, raw.n ? raw : absent);
}

static enum err write_record(struct receipt *x, const struct said *s)
{
    const struct act_found *act = &s->act;
    struct str source = str_of(act_source_name[act->source]);
    write_comma(&x->to);
    buf_byte(&x->to, '{');
    write_text(&x->to, "record_id", act_id(act, x->a));
    write_text(&x->to, "checksum",
               hex_encode((struct str){ (const char *)act->leaf, sizeof act->leaf }, x->a));
    write_number(&x->to, "record", act->seq);
    write_time(&x->to, "timestamp", act->claimed_ms);
    write_time(&x->to, "received", act->received_ms);
    write_text(&x->to, "source", source);
    write_text(&x->to, "collection_method", word_for(x->tongue, NAME_SOURCE, source));
    write_member(x, &s->doc, "legal_notices", STR("[]"));
    write_member(x, &s->doc, "shown", STR("null"));
    write_member(x, &s->doc, "offline", STR("null"));
    write_member(x, &s->doc, "cmp", STR("null"));
    write_proofs(x, &s->doc);
    enum err e = write_attached(x->r, act->seq, "proof_documents", x->a, &x->to);
    if (x->then) {
        write_member(x, &s->doc, "preferences", STR("{}"));
        write_text_or_null(&x->to, "ip_address", act->ip);
    }
    buf_byte(&x->to, '}');
    return e;
}

static enum err write_records(struct receipt *x)
{
    enum err e = OK;
    write_name(&x->to, STR("records"));
    buf_byte(&x->to, '[');
    for (uint32_t i = 0; e == OK && i < x->record_count; i++)
        e = write_record(x, &x->record[i]);
    buf_byte(&x->to, ']');
    return e;
}

/* ---- the text ---- */

static bool same_primary(struct str a, struct str b)
{
    struct str ra = a, rb = b;
    return str_next(&ra, '-', &a) && str_next(&rb, '-', &b) && str_eq_nocase(a, b);
}

static const struct conf_text *text_in(const struct conf_version *v, struct str language,
                                       bool primary)
{
    for (uint32_t i = 0; language.n && i < v->text_count; i++) {
        if (primary ? same_primary(v->text[i].language, language)
                    : str_eq_nocase(v->text[i].language, language))
            return &v->text[i];
    }
    return NULL;
}

/* In the language that was asked for; else in the one that she was shown, in English, in any. */
static const struct conf_text *text_of(const struct receipt *x, const struct item *m)
{
    const struct conf_version *v = NULL;
    for (uint32_t i = 0; i < m->purpose->conf->version_count; i++) {
        if (m->purpose->conf->version[i].version == m->version->version)
            v = &m->purpose->conf->version[i];
    }
    must(v != NULL && v->text_count > 0);
    struct str shown = { 0 };
    const struct json_doc *d = &m->record->doc;
    (void)json_string(d, json_find(d, JSON_ROOT, STR("shown.language")), x->a,
                      &shown); /* else empty */
    const struct str wanted[] = { x->q->language, shown, STR("en") };
    for (size_t i = 0; i < COUNT(wanted); i++) {
        const struct conf_text *t = text_in(v, wanted[i], false);
        if (t == NULL)
            t = text_in(v, wanted[i], true);
        if (t != NULL)
            return t;
    }
    return &v->text[0];
}

/* What was known when this act was made, or is known now where it is the last word. */
static const struct snapshot *known(const struct receipt *x)
{
    return x->then ? x->then : x->now;
}

/* The version that the newest grant before this act was bound to. */
static const struct policy_version *agreed_before(const struct receipt *x, const struct item *m)
{
    const struct snapshot *all = known(x);
    const struct policy_version *found = NULL;
    int64_t effect = 0, seq = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct standing *s = &all->standing[i];
        bool later = s->last_effect > effect || (s->last_effect == effect && s->last_seq > seq);
        const struct policy_version *v = policy_version_numbered(m->purpose, s->version);
        if (s->purpose != m->purpose->number || !s->grant || !s->confirmed || v == NULL ||
            (s->bare && !m->purpose->conf->proof_optional) || (found && !later))
            continue;
        found = v;
        effect = s->last_effect;
        seq = s->last_seq;
    }
    return found;
}

static void find_version(const struct receipt *x, struct item *m)
{
    const struct act_effect *e = &m->said.effect;
    m->relation = "agreed";
    if (e->grant) {
        m->version = policy_version_numbered(m->purpose, e->version);
        return;
    }
    m->relation = "withdrawn";
    m->version = agreed_before(x, m);
    if (m->version != NULL)
        return;
    m->relation = "in_force";
    m->version = policy_version_at(m->purpose, e->effect_ms);
}

static void write_notice(struct receipt *x, const struct item *m, const struct conf_text *t)
{
    write_name(&x->to, STR("privacy_notice"));
    buf_byte(&x->to, '{');
    write_text(&x->to, "relation", str_of(m->relation));
    write_number(&x->to, "version", m->version->version);
    write_day(&x->to, "since", m->version->since_ms);
    write_text(&x->to, "language", t->language);
    write_name(&x->to, STR("legal_notices"));
    buf_byte(&x->to, '[');
    for (uint32_t i = 0; i < m->version->notice_count; i++) {
        write_comma(&x->to);
        buf_byte(&x->to, '{');
        write_text(&x->to, "identifier", m->version->notice[i].identifier);
        write_number(&x->to, "version", m->version->notice[i].version);
        buf_byte(&x->to, '}');
    }
    buf_lit(&x->to, "]}");
}

/* ---- who receives it ---- */

static void write_address(struct buf *to, const char *country)
{
    write_name(to, STR("party_address"));
    buf_byte(to, '{');
    write_text(to, "addressCountry", str_of(country));
    buf_byte(to, '}');
}

static void write_transfer(struct receipt *x, const struct conf_transfer *t)
{
    static const char *const basis[] = { "adequacy", "scc", "bcr", "derogation" };
    struct policy_span span;
    if (!policy_transfer_span(t, &span))
        return;
    write_comma(&x->to);
    buf_byte(&x->to, '{');
    write_text(&x->to, "importer", t->importer);
    write_text(&x->to, "country", str_of(t->country));
    write_text(&x->to, "basis", str_of(basis[t->basis]));
    write_text_or_null(&x->to, "instrument", t->instrument);
    if (span.from_ms > 0)
        write_day(&x->to, "from", span.from_ms);
    else
        write_raw(&x->to, "from", STR("null"));
    if (span.to_ms < INT64_MAX)
        write_day(&x->to, "until", span.to_ms - 1);
    else
        write_raw(&x->to, "until", STR("null"));
    buf_byte(&x->to, '}');
}

/* Who receives at that destination today, if it is whom the text names. */
static const struct conf_destination *present(const struct receipt *x, const struct item *m,
                                              uint32_t slot)
{
    int16_t use = x->q->policy->use_of_slot[slot];
    bool named = m->version->named_slots >> slot & 1;
    return use >= 0 && (named || x->q->policy->use[use].is_own) ? x->q->policy->use[use].conf
                                                                : NULL;
}

static void write_recipient(struct receipt *x, const struct item *m,
                            const struct policy_recipient *r)
{
    static const char *const role[] = { "processor", "controller", "joint_controller" };
    int16_t use = x->q->policy->use_of_slot[r->slot];
    const struct conf_destination *d = present(x, m, r->slot);
    write_comma(&x->to);
    buf_byte(&x->to, '{');
    write_text_or_null(&x->to, "party_id",
                       use >= 0 ? x->q->policy->use[use].conf->id : (struct str){ 0 });
    write_text(&x->to, "party_name", r->name);
    write_address(&x->to, r->country);
    write_text_or_null(&x->to, "party_role",
                       d ? str_of(role[d->has_recipient ? d->role : CONF_CONTROLLER])
                         : (struct str){ 0 });
    write_name(&x->to, STR("transfers"));
    buf_byte(&x->to, '[');
    for (uint32_t i = 0; d && i < d->transfer_count; i++) {
        for (const struct conf_transfer *t = &d->transfer[i]; t; t = t->fallback)
            write_transfer(x, t);
    }
    buf_lit(&x->to, "]}");
}

static void write_location(struct buf *to, const char *country, size_t from)
{
    char quoted[8];
    (void)snprintf(quoted, sizeof quoted, "\"%.3s\"", country);
    if (memmem(to->p + from, to->n - from, quoted, strlen(quoted)) != NULL)
        return;
    write_comma(to);
    json_write_string(to, str_of(country));
}

/* The countries of the controller, of whom the text names, and of those who import for them. */
static void write_locations(struct receipt *x, const struct item *m)
{
    write_name(&x->to, STR("processing_locations"));
    buf_byte(&x->to, '[');
    size_t from = x->to.n;
    write_location(&x->to, x->q->policy->conf->controller_country, from);
    for (uint32_t i = 0; i < m->version->recipient_count; i++) {
        const struct policy_recipient *r = &m->version->recipient[i];
        const struct conf_destination *d = present(x, m, r->slot);
        write_location(&x->to, r->country, from);
        for (uint32_t k = 0; d && k < d->transfer_count; k++)
            write_location(&x->to, d->transfer[k].country, from);
    }
    buf_byte(&x->to, ']');
}

/* ---- a purpose ---- */

/* Part `i` of conf_text_part, under the standard's name where it has one. */
static void write_parts(struct receipt *x, const struct conf_text *t)
{
    enum { TITLE, AIM, DATA, TRANSFER, STORAGE, AUTOMATION, CONSEQUENCES, WITHDRAWAL };
    write_text(&x->to, "title", t->part[TITLE]);
    write_text(&x->to, "description", t->part[AIM]);
    write_name(&x->to, STR("pii_information"));
    buf_lit(&x->to, "[{");
    write_text(&x->to, "pii_type", t->part[DATA]);
    buf_lit(&x->to, "}]");
    write_text(&x->to, "transfer", t->part[TRANSFER]);
    write_text(&x->to, "storage_locations", t->part[STORAGE]);
    write_text(&x->to, "retention_period", t->part[STORAGE]);
    write_text(&x->to, "processing_method", t->part[AUTOMATION]);
    write_text(&x->to, "consequences", t->part[CONSEQUENCES]);
    write_text(&x->to, "withdrawal_method", t->part[WITHDRAWAL]);
}

static void write_wording(struct receipt *x, const struct item *m)
{
    const struct conf_text *t = text_of(x, m);
    write_notice(x, m, t);
    write_parts(x, t);
    write_name(&x->to, STR("recipient_third_parties"));
    buf_byte(&x->to, '[');
    for (uint32_t i = 0; i < m->version->recipient_count; i++)
        write_recipient(x, m, &m->version->recipient[i]);
    buf_byte(&x->to, ']');
    write_locations(x, m);
}

/* As it stands now: the gate's reason, but for what is permitted. */
static const char *state_of(const struct item *m)
{
    if (m->purpose == NULL)
        return reason_name(REASON_UNKNOWN_PURPOSE);
    if (m->now.reason != REASON_PERMITTED)
        return reason_name(m->now.reason);
    return m->purpose->conf->basis == CONF_CONSENT ? "granted" : "noted";
}

static bool grants(const struct item *m)
{
    const struct act_effect *e = &m->said.effect;
    return e->grant && e->confirmed && e->version != 0 &&
           (!evidence_is_bare(e->evidence) ||
            (m->purpose != NULL && m->purpose->conf->proof_optional));
}

/* What the act itself was, in DPV's words. Of what does not rest on consent there are none. */
static const char *event_state(const struct receipt *x, const struct item *m)
{
    if (m->purpose == NULL || m->purpose->conf->basis != CONF_CONSENT)
        return NULL;
    if (m->said.effect.grant && !grants(m))
        return "ConsentUnknown";
    bool decides = m->now.act_seq == m->record->act.seq;
    if (m->said.effect.grant && decides && m->now.reason == REASON_EXPIRED)
        return "ConsentExpired";
    if (m->said.effect.grant && decides && m->now.reason == REASON_TEXT_VOIDED)
        return "ConsentInvalidated";
    if (m->said.effect.grant)
        return "ConsentGiven";
    struct decision_purpose d;
    gate_purpose(x->q->policy, known(x), (uint32_t)(m->purpose - x->q->policy->purpose),
                 m->said.effect.effect_ms, &d);
    return d.reason == REASON_WITHDRAWN ? "ConsentWithdrawn" : "ConsentRefused";
}

static void write_duration(struct buf *to, const char *name, struct duration d)
{
    char text[64];
    int n = snprintf(text, sizeof text, "P");
    if (d.months)
        n += snprintf(text + n, sizeof text - (size_t)n, "%dM", d.months);
    if (d.ms && d.ms % DAY_MS == 0)
        (void)snprintf(text + n, sizeof text - (size_t)n, "%lldD", (long long)(d.ms / DAY_MS));
    else if (d.ms)
        (void)snprintf(text + n, sizeof text - (size_t)n, "T%lldS", (long long)(d.ms / 1000));
    write_text(to, name, str_of(text));
}

static void write_event(struct receipt *x, const struct item *m)
{
    const struct act_effect *e = &m->said.effect;
    bool runs = e->grant && m->purpose != NULL && m->purpose->conf->basis == CONF_CONSENT;
    const char *state = event_state(x, m);
    write_name(&x->to, STR("event"));
    buf_byte(&x->to, '{');
    write_text(&x->to, "record_id", act_id(&m->record->act, x->a));
    write_text(&x->to, "said", e->grant ? STR("grant") : STR("lower"));
    write_time(&x->to, "event_time", m->record->act.claimed_ms);
    write_time(&x->to, "effect_time", e->effect_ms);
    write_text(&x->to, "entity_id", x->subject);
    write_text_or_null(&x->to, "event_type",
                       runs && grants(m) ? STR("ExpressedConsent") : (struct str){ 0 });
    write_text_or_null(&x->to, "event_state", state ? str_of(state) : (struct str){ 0 });
    write_bool(&x->to, "confirmed", e->confirmed);
    write_text(&x->to, "evidence", str_of(act_evidence_name[e->evidence]));
    if (runs) {
        write_duration(&x->to, "validity_duration", m->purpose->conf->lifetime);
        write_time(&x->to, "valid_until", time_add(e->effect_ms, m->purpose->conf->lifetime));
    } else {
        write_raw(&x->to, "validity_duration", STR("null"));
        write_raw(&x->to, "valid_until", STR("null"));
    }
    buf_byte(&x->to, '}');
}

static enum err write_decided(struct receipt *x, const struct item *m)
{
    struct act_found act;
    enum err e = m->now.act_seq == 0 ? ERR_NOT_FOUND
                                     : store_get_act_by_seq(x->r, m->now.act_seq, x->a, &act);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    write_text_or_null(&x->to, "decided_by", e == OK ? act_id(&act, x->a) : (struct str){ 0 });
    return OK;
}

static enum err write_item(struct receipt *x, struct item *m)
{
    static const char *const basis[] = { "consent", "contract", "legal_obligation",
                                         "legitimate_interests" };
    const struct conf_purpose *c = m->purpose ? m->purpose->conf : NULL;
    if (m->purpose)
        find_version(x, m);
    write_comma(&x->to);
    buf_byte(&x->to, '{');
    write_text(&x->to, "purpose", m->said.name);
    write_bool(&x->to, "holds", m->purpose && m->now.reason == REASON_PERMITTED);
    write_text(&x->to, "state", str_of(state_of(m)));
    enum err e = write_decided(x, m);
    write_event(x, m);
    write_text_or_null(&x->to, "lawful_basis", c ? str_of(basis[c->basis]) : (struct str){ 0 });
    write_text_or_null(&x->to, "scope",
                       c == NULL                 ? (struct str){ 0 }
                       : c->scope == CONF_DEVICE ? STR("device")
                                                 : STR("person"));
    if (m->version)
        write_wording(x, m);
    else
        write_raw(&x->to, "privacy_notice", STR("null"));
    buf_byte(&x->to, '}');
    return e;
}

/* ---- which purposes ---- */

/* Of what decides nothing, the newest that was said. */
static int64_t newest_on(const struct snapshot *s, uint32_t purpose)
{
    int64_t effect = 0, seq = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct standing *st = &s->standing[i];
        if (st->purpose != purpose || st->last_effect < effect ||
            (st->last_effect == effect && st->last_seq < seq))
            continue;
        effect = st->last_effect;
        seq = st->last_seq;
    }
    return seq;
}

/* One purpose as it stands. Nothing is written where she said nothing. */
static enum err write_standing(struct receipt *x, uint32_t index)
{
    struct item m = { .purpose = &x->q->policy->purpose[index] };
    gate_purpose(x->q->policy, x->now, index, x->q->now_ms, &m.now);
    int64_t seq = m.now.act_seq ? m.now.act_seq : newest_on(x->now, m.purpose->number);
    if (seq == 0)
        return OK;
    enum err e = record_by_seq(x, seq, &m.record);
    if (e == ERR_NOT_FOUND)
        return OK;
    if (e != OK)
        return e;
    const struct json_doc *d = &m.record->doc;
    if (!said_effect(d, said_effect_on(d, m.purpose->number), x->a, &m.said))
        return ERR_CORRUPT;
    return write_item(x, &m);
}

/* Every purpose that the one act spoke of. */
static enum err write_all_of_act(struct receipt *x)
{
    const struct json_doc *d = &x->record[0].doc;
    const struct policy *p = x->q->policy;
    uint32_t list = json_get(d, JSON_ROOT, STR("effects"));
    enum err e = OK;
    for (uint32_t v = json_first(d, list); e == OK && v; v = json_next(d, list, v)) {
        struct item m = { .record = &x->record[0] };
        if (!said_effect(d, v, x->a, &m.said))
            return ERR_CORRUPT;
        m.purpose = policy_purpose_numbered(p, m.said.effect.purpose);
        if (m.purpose)
            gate_purpose(p, x->now, (uint32_t)(m.purpose - p->purpose), x->q->now_ms, &m.now);
        e = write_item(x, &m);
    }
    return e;
}

static enum err write_purposes(struct receipt *x)
{
    enum err e = OK;
    write_name(&x->to, STR("purposes"));
    buf_byte(&x->to, '[');
    if (x->then)
        e = write_all_of_act(x);
    for (uint32_t i = 0; e == OK && !x->then && i < x->q->policy->purpose_count; i++)
        e = write_standing(x, i);
    buf_byte(&x->to, ']');
    return e;
}

/* ---- the whole ---- */

static enum err write_principal(struct receipt *x)
{
    struct subject_row row = { 0 };
    enum err e = store_get_subject(x->r, x->subject, x->a, &row);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    struct str name = row.full_name;
    if (name.n == 0 && (row.first_name.n || row.last_name.n))
        name = arena_printf(x->a, "%.*s%s%.*s", STR_ARG(row.first_name),
                            row.first_name.n && row.last_name.n ? " " : "", STR_ARG(row.last_name));
    write_text(&x->to, "pii_principal_id", x->subject);
    if (x->q->named) {
        write_text_or_null(&x->to, "name", name);
        write_text_or_null(&x->to, "email", row.email);
        write_bool(&x->to, "verified", row.verified);
    }
    write_bool(&x->to, "restricted", (x->now->flags & SUBJECT_RESTRICTED) != 0);
    return OK;
}

static void write_controller(struct receipt *x)
{
    const struct conf *c = x->q->policy->conf;
    write_text(&x->to, "jurisdiction", str_of(c->controller_country));
    write_name(&x->to, STR("pii_controllers"));
    buf_lit(&x->to, "[{");
    write_text(&x->to, "party_id", STR("controller"));
    write_text(&x->to, "party_name", c->controller_name);
    write_address(&x->to, c->controller_country);
    write_text(&x->to, "party_contact", c->controller_contact);
    write_text(&x->to, "party_role", STR("controller"));
    buf_lit(&x->to, "}]");
}

static void write_rights(struct receipt *x)
{
    write_name(&x->to, STR("privacy_rights"));
    buf_byte(&x->to, '[');
    for (int w = WORD_RIGHT_WITHDRAW; w <= WORD_RIGHT_COMPLAINT; w++) {
        write_comma(&x->to);
        json_write_string(&x->to, str_of(word(x->tongue, (enum word)w)));
    }
    buf_byte(&x->to, ']');
}

static enum err write_body(struct receipt *x)
{
    write_text(&x->to, "covers", x->then ? STR("act") : STR("standing"));
    write_text(&x->to, "language", str_of(tongue_name[x->tongue]));
    enum err e = write_principal(x);
    write_controller(x);
    if (e == OK)
        e = write_purposes(x);
    if (e == OK)
        e = write_records(x);
    write_rights(x);
    return e;
}

/* Made of what the receipt says: the same words have the same number, whenever they are issued.
 * RFC 9562, 5.8: a UUID of one's own making. */
static struct id number_of(struct str body)
{
    struct id id;
    _Static_assert(sizeof id.b == crypto_generichash_BYTES_MIN, "one hash, one id");
    (void)crypto_generichash(id.b, sizeof id.b, (const uint8_t *)body.p, body.n, NULL, 0);
    id.b[6] = (uint8_t)(0x80 | (id.b[6] & 0x0f));
    id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
    return id;
}

static enum err issue(struct receipt *x, struct str *ret_json)
{
    AUTO(buf_fini) struct buf whole = BUF_INIT(RECEIPT_MAX);
    enum err e = write_body(x);
    if (e != OK)
        return e;
    if (x->to.over)
        return ERR_LIMIT;
    char id[ID_TEXT + 1];
    struct id number = number_of(buf_view(&x->to));
    id_format(&number, id);
    buf_byte(&whole, '{');
    write_text(&whole, "schema_version", STR(SCHEMA));
    write_text(&whole, "receipt_id", str_of(id));
    write_time(&whole, "issued", x->q->now_ms);
    buf_byte(&whole, ',');
    buf_str(&whole, buf_view(&x->to));
    buf_byte(&whole, '}');
    return write_done(&whole, x->a, ret_json);
}

static struct receipt receipt_new(struct store_reader *r, const struct receipt_question *q,
                                  struct arena *a)
{
    return (struct receipt){
        .r = r, .q = q, .a = a, .to = BUF_INIT(RECEIPT_MAX), .tongue = tongue_of(q->language)
    };
}

enum err receipt_of_act(struct store_reader *r, const struct receipt_question *q, struct str act_id,
                        struct arena *a, struct str *ret_json)
{
    struct receipt x = receipt_new(r, q, a);
    AUTO(free_ptr) struct snapshot *now = NULL, *then = NULL;
    struct act_found act;
    struct id id;
    if (!id_parse(act_id, &id))
        return ERR_NOT_FOUND;
    enum err e = store_get_act(r, &id, a, &act);
    if (e == OK)
        e = said_read(&act, a, &x.record[x.record_count++]);
    if (e == OK)
        e = store_load_snapshot(r, act.subject, INT64_MAX, &now);
    if (e == OK)
        e = store_load_snapshot(r, act.subject, act.seq, &then);
    if (e != OK)
        return e;
    x.subject = act.subject;
    x.now = now;
    x.then = then;
    e = issue(&x, ret_json);
    buf_fini(&x.to);
    return e;
}

enum err receipt_of_subject(struct store_reader *r, const struct receipt_question *q,
                            struct str subject, struct arena *a, struct str *ret_json)
{
    struct receipt x = receipt_new(r, q, a);
    AUTO(free_ptr) struct snapshot *now = NULL;
    enum err e = store_load_snapshot(r, subject, INT64_MAX, &now);
    if (e == OK && (now->seq == 0 || now->flags & SUBJECT_ERASED))
        e = ERR_NOT_FOUND;
    if (e != OK)
        return e;
    x.subject = subject;
    x.now = now;
    e = issue(&x, ret_json);
    buf_fini(&x.to);
    return e;
}
