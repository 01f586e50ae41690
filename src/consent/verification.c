#include "consent/verification_priv.h"

#include "consent/act_parse.h"

#include "base/limits.h"
#include "codec/letter.h"
#include "codec/text.h"
#include "codec/time.h"

#include <sodium.h>

enum { TOKEN_BYTES = 24 }; /* 192 bits */

/* ---- the link ---- */

/* Keys of their own, so that one secret is not used for two things. */
static void derive(const uint8_t secret[32], const char *name, uint8_t ret_key[32])
{
    (void)crypto_generichash(ret_key, 32, (const uint8_t *)name, strlen(name), secret,
                             32); /* fails for wrong sizes only */
}

static struct str token_of(const uint8_t secret[32], const struct id *id, struct arena *a)
{
    uint8_t key[32], token[TOKEN_BYTES];
    derive(secret, "licet confirmation token 1", key);
    (void)crypto_generichash(token, sizeof token, id->b, sizeof id->b, key, sizeof key);
    sodium_memzero(key, sizeof key);
    return base64url_encode((struct str){ (const char *)token, sizeof token }, a);
}

struct str verification_link(const struct conf *c, const uint8_t device_token_secret[32],
                             const struct id *id, struct arena *a)
{
    return arena_printf(a, "%.*s/confirm/%.*s", STR_ARG(c->double_opt_in.public_url),
                        STR_ARG(token_of(device_token_secret, id, a)));
}

void verification_token_hash(struct str token, uint8_t ret_hash[VERIFICATION_TOKEN])
{
    (void)crypto_generichash(ret_hash, VERIFICATION_TOKEN, (const uint8_t *)token.p, token.n, NULL,
                             0);
}

void verification_address_hash(const struct ledger *l, struct str address, struct arena *a,
                               uint8_t ret_hash[VERIFICATION_ADDRESS])
{
    uint8_t secret[32], key[32];
    struct str mailbox = mailbox_key(address, a);
    store_secret(l->store, SECRET_DEVICE_TOKEN, secret);
    derive(secret, "licet letter address 1", key);
    (void)crypto_generichash(ret_hash, VERIFICATION_ADDRESS, (const uint8_t *)mailbox.p, mailbox.n,
                             key, sizeof key);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(key, sizeof key);
}

/* ---- what waits ---- */

static bool is_later(int64_t effect, int64_t seq, int64_t than_effect, int64_t than_seq)
{
    return effect != than_effect ? effect > than_effect : seq > than_seq;
}

static bool lowered_since(const struct snapshot *s, const struct asked *k)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct standing *t = &s->standing[i];
        if (t->purpose == k->purpose->number && !t->grant &&
            is_later(t->last_effect, t->last_seq, k->effect_ms, k->seq))
            return true;
    }
    return false;
}

/* The same text, or a later one, is granted already, and nothing is in its way. */
static bool permitted_already(const struct snapshot *s, const struct asked *k)
{
    const struct conf_purpose *c = k->purpose->conf;
    if (c->double_opt_in && !(s->flags & SUBJECT_VERIFIED))
        return false;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct standing *t = &s->standing[i];
        struct asked granted = { .purpose = k->purpose,
                                 .effect_ms = t->last_effect,
                                 .seq = t->last_seq };
        if (t->purpose == k->purpose->number && t->grant && t->confirmed &&
            t->version >= k->version && (!t->bare || c->proof_optional) &&
            !lowered_since(s, &granted))
            return true;
    }
    return false;
}

static bool waits(const struct snapshot *s, const struct asked *k)
{
    return k->purpose->conf->basis == CONF_CONSENT &&
           policy_version_numbered(k->purpose, k->version) != NULL && !lowered_since(s, k) &&
           !permitted_already(s, k);
}

bool verification_is_permitted(const struct snapshot *s, const struct verification_read *v)
{
    for (uint32_t i = 0; i < v->asked_count; i++) {
        if (!permitted_already(s, &v->asked[i]))
            return false;
    }
    return v->asked_count > 0;
}

void verification_still_waits(const struct snapshot *s, struct verification_read *v)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->asked_count; i++) {
        if (waits(s, &v->asked[i]))
            v->asked[n++] = v->asked[i];
    }
    v->asked_count = n;
}

bool verification_is_hers(const struct subject_row *row, struct str address)
{
    return row->email.n == 0 || str_eq_nocase(row->email, address);
}

/* Of an act: its grants. */
static void asked_by_act(const struct policy *p, const struct act_row *row, int64_t seq,
                         const struct snapshot *s, struct verification_read *v)
{
    for (uint32_t i = 0; i < row->effect_count && v->asked_count < LIMIT_PURPOSES; i++) {
        const struct act_effect *e = &row->effect[i];
        struct asked k = { .purpose = policy_purpose_numbered(p, e->purpose),
                           .version = e->version,
                           .effect_ms = e->effect_ms,
                           .seq = seq };
        bool needed = k.purpose != NULL && (!e->confirmed || k.purpose->conf->double_opt_in);
        if (e->grant && needed && waits(s, &k))
            v->asked[v->asked_count++] = k;
    }
}

/* Of a subject: the newest of her own grants that wait for a verified address. What a stranger said is not
 * brought up again. */
static void asked_by_standings(const struct policy *p, const struct snapshot *s,
                               struct verification_read *v)
{
    for (uint32_t i = 0; i < p->purpose_count; i++) {
        struct asked newest = { .purpose = &p->purpose[i] };
        for (uint32_t n = 0; n < s->count; n++) {
            const struct standing *t = &s->standing[n];
            if (t->purpose == newest.purpose->number && t->grant && t->confirmed &&
                newest.purpose->conf->double_opt_in &&
                is_later(t->last_effect, t->last_seq, newest.effect_ms, newest.seq)) {
                newest.version = t->version;
                newest.effect_ms = t->last_effect;
                newest.seq = t->last_seq;
            }
        }
        if (newest.seq > 0 && waits(s, &newest) && v->asked_count < LIMIT_PURPOSES)
            v->asked[v->asked_count++] = newest;
    }
}

/* ---- asking ---- */

static void write_asked(const struct verification_read *v, struct buf *to)
{
    write_name(to, STR("purposes"));
    buf_byte(to, '[');
    for (uint32_t i = 0; i < v->asked_count; i++) {
        const struct asked *k = &v->asked[i];
        write_comma(to);
        buf_byte(to, '{');
        write_number(to, "purpose", k->purpose->number);
        write_text(to, "name", k->purpose->conf->id);
        write_number(to, "version", k->version);
        write_number(to, "effect", k->effect_ms);
        write_number(to, "seq", k->seq);
        buf_byte(to, '}');
    }
    buf_byte(to, ']');
}

static enum err write_payload(const struct policy *p, const struct verification_read *v,
                              struct str consent_id, struct arena *a, struct str *ret_payload)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(4 * LIMIT_LETTER_FILLED);
    struct str subject, text;
    char id[ID_TEXT + 1];
    id_format(&v->v.id, id);
    letter_fill(p, v, a, &subject, &text);
    buf_byte(&to, '{');
    write_text(&to, "id", str_of(id));
    write_text(&to, "subject", v->v.subject);
    write_text(&to, "address", v->address);
    write_text_or_null(&to, "consent_id", consent_id);
    write_text_or_null(&to, "language", v->language);
    write_time(&to, "requested", v->v.at_ms);
    write_time(&to, "until", v->v.until_ms);
    write_asked(v, &to);
    write_name(&to, STR("letter"));
    buf_byte(&to, '{');
    write_text(&to, "subject", subject);
    write_text(&to, "text", text);
    buf_lit(&to, "}}");
    return write_done(&to, a, ret_payload);
}

/* Address, language, subject and what is asked are there. */
static enum err ask(struct ledger *l, const struct policy *p, struct verification_read *v,
                    struct str consent_id, int64_t now, struct arena *a)
{
    uint8_t secret[32];
    struct str payload;
    int64_t seq;
    v->v.id = id_new(now);
    v->v.at_ms = now;
    v->v.until_ms = now + p->conf->double_opt_in.lifetime_ms;
    bool by_hook = p->conf->double_opt_in.hook.n > 0; /* the fact itself is what it is told */
    v->v.letter.next_ms = by_hook ? 0 : now;
    store_secret(l->store, SECRET_DEVICE_TOKEN, secret);
    verification_token_hash(token_of(secret, &v->v.id, a), v->v.token);
    sodium_memzero(secret, sizeof secret);
    verification_address_hash(l, v->address, a, v->v.address);
    enum err e = write_payload(p, v, consent_id, a, &payload);
    if (e != OK)
        return e;
    e = store_add_verification(l->store, &v->v, payload, &seq);
    if (e == OK && by_hook)
        e = store_note_letter(l->store, seq, &(struct verification_letter){ .sent_ms = now });
    if (e == OK)
        e = ledger_changed(l, v->v.subject);
    return write_failed(e);
}

enum refusal { ASK_MAY = 0, ASK_TOO_OFTEN, ASK_DISOWNED };

static enum err refusal_of(struct ledger *l, const struct policy *p, struct str subject,
                           struct str address, int64_t now, struct arena *a,
                           enum refusal *ret_refusal)
{
    const struct conf_limits *limits = &p->conf->limits;
    uint8_t hash[VERIFICATION_ADDRESS];
    struct verification_count n;
    verification_address_hash(l, address, a, hash);
    enum err e =
        store_count_verifications(l->own, hash, subject, now - DAY_MS, now - LIMIT_DISOWNED_MS, &n);
    if (e != OK)
        return write_failed(e);
    *ret_refusal = n.disowned ? ASK_DISOWNED
                   : n.address >= limits->letters_per_email_per_day ||
                           n.subject >= limits->letters_per_subject_per_day
                       ? ASK_TOO_OFTEN
                       : ASK_MAY;
    return OK;
}

/* ---- after an act ---- */

static struct str address_for(const struct letter_cause *c)
{
    struct str known = c->subject->email, none = { 0 };
    if (known.n > 0)
        return c->email.n == 0 || str_eq_nocase(c->email, known) ? known : none;
    bool hers = c->confirmed || str_eq_nocase(c->row->subject, c->email);
    return c->by_public_key && hers ? c->email : none;
}

enum err verification_after_act(struct ledger *l, const struct policy *p,
                                const struct letter_cause *c, struct arena *a, bool *ret_asked)
{
    struct verification_read *v = arena_new(a, struct verification_read);
    const struct snapshot *s;
    enum refusal refusal;
    char id[ID_TEXT + 1];
    *ret_asked = false;
    v->address = address_for(c);
    if (!p->conf->double_opt_in.on || !c->allowed || c->subject->verified ||
        !mailbox_ok(v->address))
        return OK;
    enum err e = ledger_snapshot_now(l, c->row->subject, &s);
    if (e != OK)
        return write_failed(e);
    if (s->flags & (SUBJECT_RESTRICTED | SUBJECT_ERASED))
        return OK;
    asked_by_act(p, c->row, c->seq, s, v);
    if (v->asked_count == 0)
        return OK;
    e = refusal_of(l, p, c->row->subject, v->address, c->row->received_ms, a, &refusal);
    if (e != OK || refusal != ASK_MAY)
        return e;
    v->v.subject = c->row->subject;
    v->language = letter_language(p->conf, c->shown_language, c->accept_language, a);
    id_format(&c->row->id, id);
    e = ask(l, p, v, str_of(id), c->row->received_ms, a);
    *ret_asked = e == OK;
    return e;
}

/* ---- reading it again ---- */

static enum err read_asked(const struct policy *p, struct verification_read *v)
{
    uint32_t list = json_get(&v->d, JSON_ROOT, STR("purposes"));
    for (uint32_t i = json_first(&v->d, list); i; i = json_next(&v->d, list, i)) {
        unsigned long long number, version, effect, seq;
        if (!str_to_u64(json_raw(&v->d, json_get(&v->d, i, STR("purpose"))), &number) ||
            !str_to_u64(json_raw(&v->d, json_get(&v->d, i, STR("version"))), &version) ||
            !str_to_u64(json_raw(&v->d, json_get(&v->d, i, STR("effect"))), &effect) ||
            !str_to_u64(json_raw(&v->d, json_get(&v->d, i, STR("seq"))), &seq) ||
            number > UINT32_MAX || version > UINT32_MAX)
            return ERR_CORRUPT;
        struct asked k = { .purpose = policy_purpose_numbered(p, (uint32_t)number),
                           .version = (uint32_t)version,
                           .effect_ms = (int64_t)effect,
                           .seq = (int64_t)seq };
        if (k.purpose != NULL && policy_version_numbered(k.purpose, k.version) != NULL &&
            v->asked_count < LIMIT_PURPOSES)
            v->asked[v->asked_count++] = k;
    }
    return OK;
}

enum err verification_read(const struct policy *p, const struct verification *stored,
                           struct arena *a, struct verification_read *ret_v)
{
    struct verification_read *v = ret_v;
    *v = (struct verification_read){ .v = *stored };
    if (json_scan(stored->payload, a, &v->d, NULL) != OK ||
        !json_string(&v->d, json_get(&v->d, JSON_ROOT, STR("address")), a, &v->address) ||
        !json_string(&v->d, json_find(&v->d, JSON_ROOT, STR("letter.subject")), a,
                     &v->letter_subject) ||
        !json_string(&v->d, json_find(&v->d, JSON_ROOT, STR("letter.text")), a, &v->letter_text))
        return ERR_CORRUPT;
    (void)json_string(&v->d, json_get(&v->d, JSON_ROOT, STR("language")), a,
                      &v->language); /* or null */
    return read_asked(p, v);
}

/* ---- on demand ---- */

/* What is asked, and where: as the newest letter did, or what waits. */
static enum err gather(struct ledger *l, const struct policy *p, const struct subject_row *row,
                       struct arena *a, struct verification_read *v, struct err_info *info)
{
    struct verification newest;
    const struct snapshot *s;
    enum err e = ledger_snapshot_now(l, row->id, &s);
    if (e != OK)
        return write_failed(e);
    if (s->flags & (SUBJECT_RESTRICTED | SUBJECT_ERASED))
        return err_set(info, ERR_CONFLICT, "", "the subject is restricted");
    e = store_newest_verification(l->own, row->id, a, &newest);
    if (e == OK)
        e = verification_read(p, &newest, a, v);
    if (e != OK && e != ERR_NOT_FOUND)
        return write_failed(e);
    verification_still_waits(s, v);
    if (v->asked_count == 0)
        asked_by_standings(p, s, v);
    if (row->email.n > 0)
        v->address = row->email;
    if (!mailbox_ok(v->address))
        return err_set(info, ERR_VALUE, "email", "there is none that a letter can be written to");
    return v->asked_count > 0 ? OK
                              : err_set(info, ERR_CONFLICT, "", "nothing waits for a confirmation");
}

static enum err read_language(const struct policy *p, struct str body, struct arena *a,
                              struct str *language, struct err_info *info)
{
    struct json_doc d;
    struct str said;
    if (str_trim(body).n == 0)
        return OK;
    enum err e = body_scan(body, BODY_JSON, false, a, &d, info);
    uint32_t at = e == OK ? json_get(&d, JSON_ROOT, STR("language")) : 0;
    if (e != OK || json_type(&d, at) <= JSON_NULL)
        return e;
    struct str found = { 0 };
    if (json_string(&d, at, a, &said))
        found = letter_language(p->conf, said, (struct str){ 0 }, a);
    if (found.n == 0)
        return err_set(info, ERR_VALUE, "language", "there is no letter in it");
    *language = found;
    return OK;
}

enum err ledger_ask_verification(struct ledger *l, const struct policy *p,
                                 const struct verification_request *q, struct arena *a,
                                 struct str *ret_json, struct err_info *info)
{
    struct verification_read *v = arena_new(a, struct verification_read);
    struct subject_row row;
    enum refusal refusal;
    if (!p->conf->double_opt_in.on)
        return err_set(info, ERR_VALUE, "double_opt_in", "is not configured");
    enum err e = store_get_subject(l->own, q->subject, a, &row);
    if (e == OK)
        e = gather(l, p, &row, a, v, info);
    if (e == OK)
        e = read_language(p, q->body, a, &v->language, info);
    if (e == OK)
        e = refusal_of(l, p, row.id, v->address, q->received_ms, a, &refusal);
    if (e != OK)
        return e;
    if (refusal == ASK_DISOWNED)
        return err_set(info, ERR_CONFLICT, "email",
                       "its owner said that it was not her: no letter for 90 days");
    if (refusal == ASK_TOO_OFTEN)
        return err_set(info, ERR_BUSY, "", "as many letters as a day allows were asked for");
    v->v.subject = row.id;
    e = ask(l, p, v, (struct str){ 0 }, q->received_ms, a);
    return e == OK ? ledger_get_verification(l->own, row.id, q->received_ms, a, ret_json) : e;
}

/* ---- how far it is ---- */

static const char *state_of(const struct verification *v, int64_t now)
{
    if (v->outcome != VERIFICATION_OPEN)
        return v->outcome == VERIFICATION_CONFIRMED ? "confirmed" : "disowned";
    bool sent = v->letter.sent_ms > 0;
    if (now >= v->until_ms)
        return sent ? "expired" : "failed";
    return sent ? "sent" : v->letter.next_ms > 0 ? "requested" : "failed";
}

enum err ledger_get_verification(struct store_reader *r, struct str subject, int64_t now,
                                 struct arena *a, struct str *ret_json)
{
    static const char *const from_payload[] = { "address", "language", "consent_id" };
    AUTO(buf_fini) struct buf to = BUF_INIT(64 << 10);
    struct verification v;
    struct json_doc d = { 0 };
    char id[ID_TEXT + 1];
    enum err e = store_newest_verification(r, subject, a, &v);
    if (e != OK)
        return e;
    if (json_scan(v.payload.n ? v.payload : STR("{}"), a, &d, NULL) != OK)
        return ERR_CORRUPT;
    id_format(&v.id, id);
    buf_byte(&to, '{');
    write_text(&to, "id", str_of(id));
    write_text(&to, "subject_id", v.subject);
    write_text(&to, "state", str_of(state_of(&v, now)));
    for (size_t i = 0; i < COUNT(from_payload); i++)
        write_raw(&to, from_payload[i],
                  json_raw(&d, json_get(&d, JSON_ROOT, str_of(from_payload[i]))));
    write_time(&to, "requested", v.at_ms);
    write_time(&to, "until", v.until_ms);
    write_time_or_null(&to, "sent", v.letter.sent_ms);
    write_time_or_null(&to, "ended", v.ended_ms);
    write_number(&to, "attempts", v.letter.attempts);
    write_text_or_null(&to, "error", v.letter.error);
    buf_byte(&to, '}');
    return write_done(&to, a, ret_json);
}

/* ---- letters ---- */

static const char *why_not(struct ledger *l, struct verification_read *v, int64_t now,
                           struct arena *a, enum err *ret_err)
{
    struct subject_row row;
    struct verification_count n;
    const struct snapshot *s;
    *ret_err = store_get_subject(l->own, v->v.subject, a, &row);
    if (*ret_err == OK)
        *ret_err = ledger_snapshot_now(l, v->v.subject, &s);
    if (*ret_err == OK)
        *ret_err = store_count_verifications(l->own, v->v.address, v->v.subject, now,
                                             now - LIMIT_DISOWNED_MS, &n);
    if (*ret_err != OK)
        return NULL;
    verification_still_waits(s, v);
    if (now >= v->v.until_ms)
        return "its time was over";
    if (s->flags & (SUBJECT_RESTRICTED | SUBJECT_ERASED))
        return "the subject is restricted";
    if (n.disowned)
        return "the address's owner said that it was not her";
    if (!verification_is_hers(&row, v->address))
        return "the subject has another address now";
    return v->asked_count == 0 ? "nothing waits for a confirmation any more" : NULL;
}

enum err ledger_due_letters(struct ledger *l, const struct policy *p, int64_t now, uint32_t limit,
                            struct arena *a, struct due_letter **ret_due, uint32_t *ret_count)
{
    struct verification *found;
    uint32_t count;
    uint8_t secret[32];
    enum err e = store_due_verifications(l->own, now, limit, a, &found, &count);
    if (e != OK)
        return e;
    struct due_letter *due = arena_array(a, struct due_letter, count);
    struct verification_read *v = arena_new(a, struct verification_read);
    store_secret(l->store, SECRET_DEVICE_TOKEN, secret);
    for (uint32_t i = 0; e == OK && i < count; i++) {
        struct due_letter *d = &due[i];
        *d = (struct due_letter){ .seq = found[i].seq,
                                  .id = found[i].id,
                                  .attempts = found[i].letter.attempts,
                                  .until_ms = found[i].until_ms };
        if (verification_read(p, &found[i], a, v) != OK) {
            d->dropped = "it cannot be read";
            continue;
        }
        d->dropped = why_not(l, v, now, a, &e);
        d->to = v->address;
        d->language = v->language.n ? v->language : STR("en");
        d->subject = v->letter_subject;
        d->text =
            letter_with_link(v->letter_text, verification_link(p->conf, secret, &d->id, a), a);
    }
    sodium_memzero(secret, sizeof secret);
    *ret_due = due;
    *ret_count = count;
    return e;
}
