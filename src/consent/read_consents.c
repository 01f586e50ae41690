#include "consent/ledger_priv.h"

#include "consent/document.h"
#include "consent/query.h"

#include "base/limits.h"
#include "codec/json.h"
#include "codec/text.h"

enum { PAGE_MAX = LIMIT_LIST * 2 * LIMIT_CONSENT_BODY };

/* ---- one consent ---- */

static void write_subject(const struct json_doc *d, struct arena *a, struct buf *to)
{
    uint32_t subject = json_get(d, JSON_ROOT, STR("subject"));
    write_name(to, STR("subject"));
    buf_byte(to, '{');
    for (uint32_t k = json_first(d, subject); k; k = json_next(d, subject, k + 1)) {
        struct str name;
        (void)json_string(d, k, a, &name); /* a key is a string */
        write_name(to, name);
        buf_str(to, json_raw(d, k + 1));
    }
    write_text(to, "owner_id", STR(OWNER));
    buf_byte(to, '}');
}

static void write_member(const struct json_doc *d, const char *name, struct str absent,
                         struct buf *to)
{
    struct str raw = json_raw(d, json_get(d, JSON_ROOT, str_of(name)));
    write_raw(to, name, raw.n ? raw : absent);
}

/* With `r` whole, with what a list leaves out. */
static enum err write_consent(const struct act_found *act, struct store_reader *r, struct arena *a,
                              struct buf *to)
{
    struct json_doc d;
    char id[ID_TEXT + 1];
    if (act->payload.n > 0 && json_scan(act->payload, a, &d, NULL) != OK)
        return ERR_CORRUPT;
    if (act->payload.n == 0) /* erased: what is left is that there was an act */
        d = (struct json_doc){ 0 };
    if (act->payload.n == 0 && json_scan(STR("{}"), a, &d, NULL) != OK)
        return ERR_CORRUPT;
    id_format(&act->id, id);
    write_comma(to);
    buf_byte(to, '{');
    write_text(to, "id", str_of(id));
    write_time_seconds(to, "timestamp", act->claimed_ms);
    write_time(to, "received", act->received_ms);
    write_text(to, "checksum",
               hex_encode((struct str){ (const char *)act->leaf, sizeof act->leaf }, a));
    write_text(to, "owner", STR(OWNER));
    write_text(to, "owner_id", STR(OWNER));
    write_text(to, "source", str_of(act_source_name[act->source]));
    write_subject(&d, a, to);
    write_member(&d, "preferences", STR("{}"), to);
    write_text_or_null(to, "ip_address", act->ip);
    write_member(&d, "effects", STR("[]"), to);
    enum err e = OK;
    if (r != NULL) {
        write_member(&d, "legal_notices", STR("[]"), to);
        write_member(&d, "proofs", STR("[]"), to);
        e = write_attached(r, act->seq, "proof_documents", a, to);
        write_member(&d, "proof_document_ids", STR("[]"), to);
        write_member(&d, "versions", STR("{}"), to);
        write_member(&d, "shown", STR("null"), to);
        write_member(&d, "other", STR("{}"), to);
    }
    buf_byte(to, '}');
    return e;
}

enum err ledger_get_consent(struct store_reader *r, struct str id, struct arena *a,
                            struct str *ret_json)
{
    struct id act_id;
    struct act_found act;
    if (!id_parse(id, &act_id))
        return ERR_NOT_FOUND;
    enum err e = store_get_act(r, &act_id, a, &act);
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(PAGE_MAX);
    e = write_consent(&act, r, a, &to);
    return e == OK ? write_done(&to, a, ret_json) : e;
}

/* ---- lists ---- */

/* What the store does not look for by itself: the subject as she is now. */
struct sieve {
    struct str email_exact, email, first_name, last_name, full_name;
    int verified;
    bool any;
};

static enum err parse_sieve(const struct query *q, struct sieve *s)
{
    struct {
        const char *name;
        struct str *to;
    } texts[] = { { "subject_email_exact", &s->email_exact },
                  { "subject_email", &s->email },
                  { "subject_first_name", &s->first_name },
                  { "subject_last_name", &s->last_name },
                  { "subject_full_name", &s->full_name } };
    for (size_t i = 0; i < COUNT(texts); i++) {
        enum err e = query_text(q, texts[i].name, LIMIT_SUBJECT_FIELD, texts[i].to);
        if (e != OK)
            return e;
        s->any = s->any || texts[i].to->n > 0;
    }
    enum err e = query_flag(q, "subject_verified", &s->verified);
    s->any = s->any || s->verified >= 0;
    return e;
}

static enum err parse_source(const struct query *q, int *ret_source)
{
    struct str source = { 0 };
    enum err e = query_text(q, "source", 32, &source);
    if (e != OK)
        return e;
    *ret_source = -1;
    for (int i = 0; i < (int)COUNT(act_source_name); i++) {
        if (str_eq(source, str_of(act_source_name[i])))
            *ret_source = i;
    }
    if (source.n > 0 && *ret_source < 0)
        return err_set(q->info, ERR_VALUE, "source", "must be public or private");
    return OK;
}

static enum err parse_filter(const struct query *q, struct act_filter *f, struct sieve *s)
{
    struct str after = { 0 };
    enum err e = query_limit(q, &f->limit);
    if (e == OK)
        e = query_time(q, "from_time", false, &f->from_ms);
    if (e == OK)
        e = query_time(q, "to_time", true, &f->to_ms);
    if (e == OK)
        e = parse_source(q, &f->source);
    if (e == OK)
        e = query_text(q, "subject_id", LIMIT_ID, &f->subject);
    if (e == OK)
        e = query_text(q, "preference_key", LIMIT_PREFERENCE_NAME, &f->preference_key);
    if (e == OK)
        e = query_text(q, "ip_address", 64, &f->ip);
    if (e == OK)
        e = query_text(q, "starting_after", LIMIT_ID, &after);
    if (e != OK)
        return e;
    f->has_starting_after = after.n > 0;
    if (after.n > 0 && !id_parse(after, &f->starting_after))
        return err_set(q->info, ERR_VALUE, "starting_after", "is no consent's id");
    return parse_sieve(q, s);
}

static bool passes(const struct sieve *s, const struct subject_row *subject)
{
    if (s->email_exact.n > 0 && !str_eq(s->email_exact, subject->email))
        return false;
    if (s->verified >= 0 && s->verified != subject->verified)
        return false;
    return words_match(subject->email, s->email) &&
           words_match(subject->first_name, s->first_name) &&
           words_match(subject->last_name, s->last_name) &&
           words_match(subject->full_name, s->full_name);
}

static enum err sieved(struct store_reader *r, const struct sieve *s, const struct act_found *act,
                       bool *ret_passes)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct subject_row subject = { 0 };
    enum err e = s->any ? store_get_subject(r, act->subject, &a, &subject) : OK;
    if (e == OK || e == ERR_NOT_FOUND)
        *ret_passes = passes(s, &subject);
    return e == ERR_NOT_FOUND ? OK : e;
}

/* Pages through what the store finds until enough of it passes the sieve. */
static enum err write_list(struct store_reader *r, struct act_filter f, const struct sieve *s,
                           struct arena *result, struct buf *to)
{
    uint32_t wanted = f.limit, written = 0, examined = 0, count;
    f.limit = s->any ? LIMIT_LIST : wanted;
    do {
        AUTO(arena_fini) struct arena page = ARENA_INIT;
        struct arena *a = s->any ? &page : result;
        struct act_found *acts;
        enum err e = store_list_acts(r, &f, a, &acts, &count);
        for (uint32_t i = 0; e == OK && i < count && written < wanted; i++) {
            bool passes_sieve = false;
            e = sieved(r, s, &acts[i], &passes_sieve);
            if (e == OK && passes_sieve) {
                e = write_consent(&acts[i], NULL, a, to);
                written++;
            }
        }
        if (e != OK)
            return e;
        if (count > 0) {
            f.starting_after = acts[count - 1].id;
            f.has_starting_after = true;
        }
        examined += count;
        if (written < wanted && count == f.limit && s->any && examined >= LIMIT_EXAMINED)
            return ERR_LIMIT;
    } while (s->any && written < wanted && count == f.limit);
    return OK;
}

enum err ledger_list_consents(struct store_reader *r, struct str query, struct arena *a,
                              struct str *ret_json, struct err_info *info)
{
    struct query q = { .text = query, .a = a, .info = info };
    struct act_filter f = { .source = -1 };
    struct sieve s = { .verified = -1 };
    enum err e = parse_filter(&q, &f, &s);
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(PAGE_MAX);
    buf_byte(&to, '[');
    e = write_list(r, f, &s, a, &to);
    buf_byte(&to, ']');
    if (e == ERR_NOT_FOUND)
        return err_set(info, ERR_VALUE, "starting_after", "is not known");
    if (e == ERR_LIMIT)
        return err_set(info, e, "", "too much to look at: narrow the time range");
    return e == OK ? write_done(&to, a, ret_json) : e;
}
