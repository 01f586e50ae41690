#include "consent/ledger_priv.h"

#include "consent/act_bind.h"
#include "consent/act_parse.h"
#include "consent/act_write.h"
#include "consent/document.h"
#include "consent/preferences.h"
#include "consent/subject_fields.h"
#include "consent/verification_priv.h"

#include "base/limits.h"
#include "codec/time.h"
#include "store/finding.h"

#include <sodium.h>

struct adding { /* one act on its way into the store */
    struct ledger *l;
    const struct policy *p;
    const struct consent_request *q;
    struct arena *a;
    struct err_info *info;
    struct act_body body;
    struct act_saying said;
    struct act_row row;
    struct act_effect *effect;
    int64_t *document; /* their facts, as many as the body names */
    struct subject_row subject;
    struct str subject_payload; /* empty: nothing to write */
    struct str view;
    bool view_changed;
    bool confirmation; /* it comes from our own page */
    bool letter;       /* one was asked for */
    bool is_new;       /* nothing was known of the subject */
    bool unverifies;   /* she was verified and is not any more */
    bool made_up;      /* the subject's id */
    struct str ip;
    char id[ID_TEXT + 1];
};

/* ---- who ---- */

static void find_subject(struct adding *x)
{
    const struct consent_request *q = x->q;
    char made[ID_TEXT + 1];
    if (x->body.subject.has_id) {
        x->row.subject = x->body.subject.id;
    } else if (q->device.n > 0) {
        x->row.subject = q->device;
    } else {
        struct id id = id_new(q->received_ms);
        id_format(&id, made);
        x->row.subject = arena_str(x->a, str_of(made));
        x->made_up = true;
    }
    x->said.confirmed =
        q->source != ACT_PUBLIC_KEY || x->made_up ||
        (q->device.n > 0 && str_eq(x->row.subject, q->device)) ||
        subject_token_check(q->subject_token_secret, x->row.subject, x->body.subject_token, x->a);
}

/* ---- what ---- */

/* By public key nobody learns whether there is such a document, or takes the operator's proof for her own. */
static enum err find_documents(struct adding *x)
{
    if (x->body.document_count == 0)
        return OK;
    if (x->q->source == ACT_PUBLIC_KEY)
        return err_set(x->info, ERR_VALUE, "proof_document_ids",
                       "documents are attached by private key");
    return documents_find(x->l->own, x->body.document, x->body.document_count, "proof_document_ids",
                          x->a, &x->document, x->info);
}

static enum err check(struct adding *x)
{
    const struct consent_request *q = x->q;
    if (q->source != ACT_PUBLIC_KEY && q->source != ACT_PRIVATE_KEY && q->source != ACT_IMPORT &&
        !(q->source == ACT_CONFIRMATION && x->confirmation))
        return err_set(x->info, ERR_FORBIDDEN, "", "this source cannot add a consent here");
    if (q->idempotency_key.n > LIMIT_IDEMPOTENCY_KEY)
        return err_set(x->info, ERR_LIMIT, "Idempotency-Key", "longer than %d bytes",
                       LIMIT_IDEMPOTENCY_KEY);
    x->said = (struct act_saying){ .source = q->source,
                                   .received_ms = q->received_ms,
                                   .claimed_ms = x->body.has_timestamp ? x->body.timestamp_ms
                                                                       : q->received_ms };
    if (q->source == ACT_PUBLIC_KEY && x->body.offline.n > 0)
        return err_set(x->info, ERR_VALUE, "offline", "is for a private key");
    if (x->said.claimed_ms > q->received_ms + LIMIT_CLAIM_AHEAD_MS)
        return err_set(x->info, ERR_VALUE, "timestamp", "lies in the future");
    if (q->source == ACT_PUBLIC_KEY) {
        if (x->body.autodetect_ip_address)
            x->ip = q->whole_ip ? address_canonical(q->ip, x->a) : address_truncated(q->ip, x->a);
    } else if (x->body.ip_address.n > 0) {
        x->ip = address_canonical(x->body.ip_address, x->a);
        if (x->ip.n == 0)
            return err_set(x->info, ERR_VALUE, "ip_address", "is no IP address");
    }
    enum err e = find_documents(x);
    if (e == OK && q->source == ACT_IMPORT)
        e = act_origin_parse(&x->body, x->a, &x->said, x->info);
    return e;
}

static void bind(struct adding *x)
{
    int64_t at_ms = act_counts_from(&x->said, true);
    for (uint32_t i = 0; i < x->body.citation_count; i++) {
        struct act_citation *c = &x->body.citation[i];
        if (!c->has_version)
            c->version = store_notice_at(x->l->own, c->identifier, at_ms);
    }
    x->effect = arena_array(x->a, struct act_effect, x->body.preference_count);
    x->row.effect_count = act_bind(x->p, &x->body, &x->said, x->effect);
    x->row.effect = x->effect;
}

/* ---- the fact ---- */

static enum err write_payload(struct adding *x)
{
    struct json_doc again; /* never write for good what could not be read: it nests one deeper */
    if (act_write(x->p, &x->body, &x->said, &x->row, x->a, &x->row.payload) != OK ||
        json_scan(x->row.payload, x->a, &again, NULL) != OK)
        return err_set(x->info, ERR_LIMIT, "", "the body is too large or nested too deeply");
    return OK;
}

static void fill_row(struct adding *x)
{
    x->row.id = id_new(x->q->received_ms);
    id_format(&x->row.id, x->id);
    x->row.claimed_ms = x->said.claimed_ms;
    x->row.received_ms = x->said.received_ms;
    x->row.source = x->said.source;
    x->row.ip = x->ip;
    x->row.type = x->body.consent_type;
    struct str *names = arena_array(x->a, struct str, x->body.preference_count);
    for (uint32_t i = 0; i < x->body.preference_count; i++)
        names[i] = x->body.preference[i].name;
    x->row.preference = names;
    x->row.preference_count = x->body.preference_count;
}

/* ---- the subject ---- */

static enum err change_subject(struct adding *x)
{
    struct str changed = { 0 };
    enum err e = store_get_subject(x->l->own, x->row.subject, x->a, &x->subject);
    bool is_new = e == ERR_NOT_FOUND;
    if (e != OK && !is_new)
        return e;
    if (is_new)
        x->subject =
            (struct subject_row){ .id = x->row.subject, .created_ms = x->said.received_ms };
    x->is_new = is_new;
    bool was_verified = x->subject.verified;
    if (x->said.confirmed) {
        bool trusted = x->said.source != ACT_PUBLIC_KEY;
        bool import = x->said.source == ACT_IMPORT; /* what is known is newer than what it brings */
        struct subject_rules rules = {
            .overwrite = trusted && !import,
            .verified = trusted && (is_new || !import),
            /* where letters ask, an address stands once it was confirmed */
            .no_email = !trusted && x->p->conf->double_opt_in.on
        };
        e = subject_apply(&x->body.subject, &rules, x->a, &x->subject, &changed, x->info);
        if (e != OK)
            return e;
    }
    x->unverifies = was_verified && !x->subject.verified;
    e = preferences_merge(x->p, x->subject.preferences, &x->body, &x->said, &x->row.id, x->a,
                          &x->view, x->info);
    if (e != OK)
        return e;
    x->view_changed = !str_eq(x->view, x->subject.preferences);
    if (!is_new && changed.n == 0)
        return OK;
    x->subject.changed_ms = x->said.received_ms;
    return subject_payload(x->row.subject, act_source_name[x->said.source], str_of(x->id),
                           x->said.received_ms, changed, x->a, &x->subject_payload, x->info);
}

/* ---- the answer ---- */

static void write_warnings(const struct adding *x, struct buf *to)
{
    bool any = false;
    for (uint32_t i = 0; i < x->row.effect_count; i++) {
        const char *fault = act_effect_fault(x->p, &x->effect[i]);
        if (fault == NULL)
            continue;
        if (!any) {
            write_name(to, STR("warnings"));
            buf_byte(to, '[');
        }
        any = true;
        struct str purpose = policy_purpose_numbered(x->p, x->effect[i].purpose)->conf->id;
        write_comma(to);
        json_write_string(to, arena_printf(x->a,
                                           "The grant of \"%.*s\" is recorded but permits nothing: "
                                           "it %s.",
                                           STR_ARG(purpose), fault));
    }
    if (any)
        buf_byte(to, ']');
}

static void fill_answer(struct adding *x, struct consent_answer *ans)
{
    ans->subject = x->row.subject;
    ans->act = x->row.id;
    ans->lowers = x->unverifies;
    for (uint32_t i = 0; i < x->row.effect_count; i++) {
        const struct act_effect *e = &x->effect[i];
        ans->lowers = ans->lowers || (!e->grant && !(x->is_new && x->said.source == ACT_IMPORT));
        ans->new_device = ans->new_device || (x->made_up && x->said.source == ACT_PUBLIC_KEY &&
                                              e->grant && act_effect_fault(x->p, e) == NULL);
    }
}

static enum err write_answer(struct adding *x, struct consent_answer *ans)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(256 << 10);
    buf_byte(&to, '{');
    write_text(&to, "id", str_of(x->id));
    write_time_seconds(&to, "timestamp", x->said.claimed_ms);
    write_text(&to, "subject_id", x->row.subject);
    if (x->said.source != ACT_PUBLIC_KEY)
        write_warnings(x, &to);
    buf_byte(&to, '}');
    return write_done(&to, x->a, &ans->json);
}

/* ---- once per Idempotency-Key ---- */

struct once {
    struct str scope, key, hash;
};

/* By public key anybody may guess a key: a browser that proved to be a device
 * gets its own answers alone. */
static struct once once_of(struct adding *x)
{
    char *hash = arena_alloc(x->a, crypto_generichash_BYTES);
    crypto_generichash_state state;
    uint8_t format = (uint8_t)x->q->format;
    crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES);
    crypto_generichash_update(&state, &format, 1);
    crypto_generichash_update(&state, (const uint8_t *)x->q->body.p, x->q->body.n);
    crypto_generichash_final(&state, (uint8_t *)hash, crypto_generichash_BYTES);
    struct str scope = x->q->source == ACT_PUBLIC_KEY && x->q->device.n > 0
                           ? arena_printf(x->a, "public:%.*s", STR_ARG(x->q->device))
                           : str_of(act_source_name[x->q->source]);
    return (struct once){ .scope = scope,
                          .key = x->q->idempotency_key,
                          .hash = { hash, crypto_generichash_BYTES } };
}

static bool read_answer(struct adding *x, struct str json, struct consent_answer *ans)
{
    struct json_doc d;
    struct str id;
    if (json_scan(json, x->a, &d, NULL) != OK)
        return false;
    return json_string(&d, json_get(&d, JSON_ROOT, STR("id")), x->a, &id) &&
           id_parse(id, &ans->act) &&
           json_string(&d, json_get(&d, JSON_ROOT, STR("subject_id")), x->a, &ans->subject);
}

/* ERR_NOT_FOUND when this key is new. The barrier is passed again, since the
 * first answer may not have come yet; a device token is handed out only once. */
static enum err replay(struct adding *x, const struct once *once, struct consent_answer *ret_answer)
{
    struct str hash, json;
    enum err e =
        store_get_answer(x->l->own, once->scope, once->key, x->q->received_ms, x->a, &hash, &json);
    if (e != OK)
        return e;
    if (!str_eq(hash, once->hash))
        return err_set(x->info, ERR_CONFLICT, "Idempotency-Key", "came before with another body");
    struct consent_answer ans = { .json = json, .replayed = true };
    if (!read_answer(x, json, &ans))
        return ERR_CORRUPT;
    ans.lowers = x->q->source != ACT_PUBLIC_KEY && x->body.subject.verified == 0;
    for (uint32_t i = 0; i < x->body.preference_count; i++) {
        const struct act_preference *said = &x->body.preference[i];
        if (!said->grants && policy_purpose_index(x->p, said->name) != UINT32_MAX)
            ans.lowers = true;
    }
    *ret_answer = ans;
    return OK;
}

/* ---- the store ---- */

static enum err ask_for_letter(struct adding *x, int64_t seq)
{
    const struct consent_request *q = x->q;
    if (q->source != ACT_PUBLIC_KEY && q->source != ACT_PRIVATE_KEY)
        return OK;
    struct letter_cause cause = { .row = &x->row,
                                  .seq = seq,
                                  .subject = &x->subject,
                                  .by_public_key = q->source == ACT_PUBLIC_KEY,
                                  .confirmed = x->said.confirmed,
                                  .allowed = q->source != ACT_PUBLIC_KEY || q->letter,
                                  .email = x->body.subject.field[FIELD_EMAIL],
                                  .shown_language = x->body.shown_language,
                                  .accept_language = q->accept_language };
    return verification_after_act(x->l, x->p, &cause, x->a, &x->letter);
}

static enum err write_all(struct adding *x, const struct once *once, struct str answer)
{
    struct store *s = x->l->store;
    int64_t seq = 0, act = 0;
    enum err e = OK;
    if (x->subject_payload.n > 0)
        e = store_put_subject(s, &x->subject, x->subject_payload, x->said.received_ms, &seq);
    if (e == OK)
        e = store_add_act(s, &x->row, &act);
    if (e == OK)
        e = store_attach_documents(s, act, x->document, x->body.document_count);
    if (e == OK && x->view_changed)
        e = store_set_preferences(s, x->row.subject, x->view);
    if (e == OK && once->key.n > 0)
        e = store_put_answer(s, once->scope, once->key, x->said.received_ms, once->hash, answer);
    if (e == OK)
        e = ledger_changed(x->l, x->row.subject);
    if (e == OK)
        e = ask_for_letter(x, act);
    return write_failed(e);
}

static enum err prepare(struct adding *x)
{
    find_subject(x);
    fill_row(x);
    bind(x);
    enum err e = change_subject(x);
    return e == OK ? write_payload(x) : e;
}

/* ---- people who are not known ---- */

/* A no of a browser that nobody knows and that says nothing of anybody: there is nothing to hold
 * it against later, so it is counted and makes nobody a data subject. */
static bool is_nobodys_no(const struct adding *x)
{
    const struct act_body *b = &x->body;
    const struct subject_said *s = &b->subject;
    if (x->q->source != ACT_PUBLIC_KEY || x->q->device.n > 0 || s->has_id || b->proof ||
        b->other.n > 0 || b->cmp.raw.n > 0 || b->preference_count == 0 || b->subject_token.n > 0 ||
        (s->object && b->doc.node[s->object].count > 0))
        return false;
    for (uint32_t i = 0; i < b->preference_count; i++) {
        if (b->preference[i].grants ||
            policy_purpose_index(x->p, b->preference[i].name) == UINT32_MAX)
            return false;
    }
    return true;
}

static enum err count_no(struct adding *x, const struct once *once,
                         struct consent_answer *ret_answer)
{
    struct consent_answer ans = { 0 };
    find_subject(x);
    x->row.id = id_new(x->q->received_ms);
    id_format(&x->row.id, x->id);
    ans.subject = x->row.subject;
    ans.act = x->row.id;
    enum err e = write_answer(x, &ans);
    for (uint32_t i = 0; e == OK && i < x->body.preference_count; i++) {
        uint32_t index = policy_purpose_index(x->p, x->body.preference[i].name);
        const struct policy_purpose *p = &x->p->purpose[index];
        ans.counted |= 1ull << index;
        e = store_count_unknown(x->l->store, p->number, act_refused_version(p, &x->body, &x->said),
                                x->said.received_ms);
    }
    if (e == OK && once->key.n > 0)
        e = store_put_answer(x->l->store, once->scope, once->key, x->said.received_ms, once->hash,
                             ans.json);
    if (e == OK)
        *ret_answer = ans;
    return write_failed(e);
}

static enum err add(struct adding *x, struct consent_answer *ret_answer)
{
    const struct consent_request *q = x->q;
    struct once once = { 0 };
    enum err e = act_parse(q->body, q->format, x->a, &x->body, x->info);
    if (e == OK)
        e = check(x);
    if (e == OK && q->idempotency_key.n > 0) {
        once = once_of(x);
        e = replay(x, &once, ret_answer);
        if (e != ERR_NOT_FOUND)
            return e;
        e = OK;
    }
    if (e == OK && is_nobodys_no(x))
        return count_no(x, &once, ret_answer);
    if (e == OK)
        e = prepare(x);
    if (e != OK)
        return e;
    struct consent_answer ans = { 0 };
    fill_answer(x, &ans);
    e = write_answer(x, &ans);
    if (e == OK && !q->dry_run)
        e = write_all(x, &once, ans.json);
    ans.letter = x->letter;
    if (e == OK)
        *ret_answer = ans;
    return e;
}

enum err ledger_add_consent(struct ledger *l, const struct policy *p,
                            const struct consent_request *q, struct arena *a,
                            struct consent_answer *ret_answer, struct err_info *info)
{
    struct adding x = { .l = l, .p = p, .q = q, .a = a, .info = info };
    return add(&x, ret_answer);
}

enum err act_add_confirmation(struct ledger *l, const struct policy *p,
                              const struct consent_request *q, struct arena *a,
                              struct consent_answer *ret_answer, struct err_info *info)
{
    struct adding x = { .l = l, .p = p, .q = q, .a = a, .info = info, .confirmation = true };
    return add(&x, ret_answer);
}
