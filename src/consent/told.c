#include "consent/told.h"

#include "consent/verification_priv.h"

#include "base/clock.h"
#include "codec/json.h"
#include "codec/text.h"
#include "codec/time.h"
#include "store/columns.h"
#include "store/finding.h"

#include <sodium.h>

/* ---- consents ---- */

static bool has_effect(const struct fact_found *f, bool grant)
{
    struct act_columns c;
    struct act_effect e;
    if (!columns_read_act(f->columns, &c))
        return false;
    while (columns_next_effect(&c.effects, &e))
        if (e.grant == grant)
            return true;
    return false;
}

static bool act_lowers(struct store_reader *r, const struct fact_found *f)
{
    (void)r;
    return has_effect(f, false);
}

/* What lowers one purpose and grants another is told to both. */
static uint32_t act_also(const struct fact_found *f)
{
    return has_effect(f, true) ? CONF_HOOK_CONSENT : 0;
}

static bool act_at(const struct fact_found *f, int64_t *ret_ms)
{
    struct act_columns c;
    if (!columns_read_act(f->columns, &c))
        return false;
    *ret_ms = c.received_ms;
    return true;
}

static void write_lowered(const struct json_doc *d, struct buf *to)
{
    uint32_t effects = json_get(d, JSON_ROOT, STR("effects"));
    write_name(to, STR("lowered"));
    buf_byte(to, '[');
    for (uint32_t e = json_first(d, effects); e; e = json_next(d, effects, e)) {
        if (json_type(d, json_get(d, e, STR("grant"))) != JSON_FALSE)
            continue;
        write_comma(to);
        buf_str(to, json_raw(d, json_get(d, e, STR("name"))));
    }
    buf_byte(to, ']');
}

static enum err write_act(struct store_reader *r, const struct conf *c, const struct fact_found *f,
                          struct arena *a, struct buf *to)
{
    (void)r, (void)c;
    struct act_columns k;
    struct json_doc d;
    char id[ID_TEXT + 1];
    if (!columns_read_act(f->columns, &k) || json_scan(f->payload, a, &d, NULL) != OK)
        return ERR_CORRUPT;
    id_format(&k.id, id);
    write_text(to, "consent_id", str_of(id));
    write_text(to, "subject_id", k.subject);
    write_time_seconds(to, "timestamp", k.claimed_ms);
    write_time(to, "received", k.received_ms);
    write_text(to, "source", str_of(act_source_name[k.source]));
    static const char *const shown[] = { "consent_type", "preferences", "legal_notices",
                                         "effects" };
    for (size_t i = 0; i < COUNT(shown); i++)
        write_raw(to, shown[i], json_raw(&d, json_get(&d, JSON_ROOT, str_of(shown[i]))));
    write_lowered(&d, to);
    return OK;
}

/* ---- subjects ---- */

static bool subject_is_new(struct store_reader *r, const struct fact_found *f)
{
    return store_is_first_fact(r, f);
}

static bool subject_at(const struct fact_found *f, int64_t *ret_ms)
{
    struct subject_row row;
    if (!columns_read_subject(f->columns, &row))
        return false;
    *ret_ms = row.changed_ms;
    return true;
}

/* Names of our own fields; what else was said of her is "other". */
static void write_changed(const struct json_doc *d, struct arena *a, struct buf *to)
{
    static const struct str known[] = { STR_INIT("email"), STR_INIT("first_name"),
                                        STR_INIT("last_name"), STR_INIT("full_name"),
                                        STR_INIT("verified") };
    uint32_t set = json_get(d, JSON_ROOT, STR("set"));
    bool other = false;
    write_name(to, STR("changed"));
    buf_byte(to, '[');
    for (uint32_t k = json_first(d, set); k; k = json_next(d, set, k + 1)) {
        struct str name, found = { 0 };
        (void)json_string(d, k, a, &name); /* a key is a string */
        for (size_t i = 0; i < COUNT(known); i++)
            found = str_eq(name, known[i]) ? known[i] : found;
        if (found.n == 0) {
            other = true;
            continue;
        }
        write_comma(to);
        json_write_string(to, found);
    }
    if (other) {
        write_comma(to);
        buf_lit(to, "\"other\"");
    }
    buf_byte(to, ']');
}

static enum err write_subject(struct store_reader *r, const struct conf *c,
                              const struct fact_found *f, struct arena *a, struct buf *to)
{
    (void)r, (void)c;
    struct subject_row row;
    struct json_doc d;
    if (!columns_read_subject(f->columns, &row) || json_scan(f->payload, a, &d, NULL) != OK)
        return ERR_CORRUPT;
    write_text(to, "subject_id", row.id);
    write_time_seconds(to, "timestamp", row.changed_ms);
    write_time_seconds(to, "created_at", row.created_ms);
    write_bool(to, "verified", row.verified);
    write_raw(to, "source", json_raw(&d, json_get(&d, JSON_ROOT, STR("source"))));
    write_raw(to, "consent_id", json_raw(&d, json_get(&d, JSON_ROOT, STR("consent_id"))));
    write_changed(&d, a, to);
    return OK;
}

static bool restricts(struct store_reader *r, const struct fact_found *f)
{
    (void)r;
    struct restriction_columns c;
    return columns_read_restriction(f->columns, &c) && c.restricted;
}

static bool restriction_at(const struct fact_found *f, int64_t *ret_ms)
{
    struct restriction_columns c;
    if (!columns_read_restriction(f->columns, &c))
        return false;
    *ret_ms = c.received_ms;
    return true;
}

static enum err write_restriction(struct store_reader *r, const struct conf *conf,
                                  const struct fact_found *f, struct arena *a, struct buf *to)
{
    (void)r, (void)conf, (void)a;
    struct restriction_columns c;
    if (!columns_read_restriction(f->columns, &c))
        return ERR_CORRUPT;
    write_text(to, "subject_id", c.subject);
    write_bool(to, "restricted", c.restricted);
    return OK;
}

/* ---- notices, texts ---- */

static bool notice_at(const struct fact_found *f, int64_t *ret_ms)
{
    struct notice_row row;
    if (!columns_read_notice(f->columns, &row))
        return false;
    *ret_ms = row.received_ms;
    return true;
}

static enum err write_notice(struct store_reader *r, const struct conf *c,
                             const struct fact_found *f, struct arena *a, struct buf *to)
{
    (void)r, (void)c, (void)a;
    struct notice_row row;
    if (!columns_read_notice(f->columns, &row))
        return ERR_CORRUPT;
    write_text(to, "identifier", row.identifier);
    write_number(to, "version", row.version);
    write_time_seconds(to, "timestamp", row.timestamp_ms);
    return OK;
}

static bool finding_at(const struct fact_found *f, int64_t *ret_ms)
{
    struct finding n;
    if (!columns_read_finding(f->columns, &n))
        return false;
    *ret_ms = n.received_ms;
    return true;
}

/* What was confirmed, or replaced by a later finding, waits for nobody any more. */
static enum err write_finding(struct store_reader *r, const struct conf *c,
                              const struct fact_found *f, struct arena *a, struct buf *to)
{
    (void)c;
    struct finding n, pending;
    if (!columns_read_finding(f->columns, &n))
        return ERR_CORRUPT;
    enum err e = store_pending_finding(r, n.identifier, a, &pending);
    if (e == OK && pending.seq != f->seq)
        e = ERR_NOT_FOUND;
    if (e != OK)
        return e;
    write_text(to, "identifier", n.identifier);
    write_text(to, "sha256", hex_encode((struct str){ (const char *)n.hash, sizeof n.hash }, a));
    write_time(to, "found", n.received_ms);
    return OK;
}

static bool void_at(const struct fact_found *f, int64_t *ret_ms)
{
    struct void_columns c;
    if (!columns_read_void(f->columns, &c))
        return false;
    *ret_ms = c.at_ms;
    return true;
}

/* The payload is what POST /v1/void answers. */
static enum err write_void(struct store_reader *r, const struct conf *c, const struct fact_found *f,
                           struct arena *a, struct buf *to)
{
    (void)r, (void)c;
    static const char *const shown[] = { "purpose", "version", "from", "declared", "reason" };
    struct json_doc d;
    if (json_scan(f->payload, a, &d, NULL) != OK)
        return ERR_CORRUPT;
    for (size_t i = 0; i < COUNT(shown); i++)
        write_raw(to, shown[i], json_raw(&d, json_get(&d, JSON_ROOT, str_of(shown[i]))));
    return OK;
}

/* ---- double opt-in ---- */

static bool verification_at(const struct fact_found *f, int64_t *ret_ms)
{
    struct verification v;
    if (!columns_read_verification(f->columns, &v))
        return false;
    *ret_ms = v.at_ms;
    return true;
}

static enum err write_link(struct store_reader *r, const struct conf *c, const struct id *id,
                           struct str text, struct arena *a, struct buf *to)
{
    uint8_t secret[32];
    enum err e = store_read_secret(r, SECRET_DEVICE_TOKEN, secret);
    if (e != OK)
        return e;
    struct str link = verification_link(c, secret, id, a);
    sodium_memzero(secret, sizeof secret);
    write_text(to, "link", link);
    write_text(to, "text", letter_with_link(text, link, a));
    return OK;
}

/* For the operator's mailer alone. What was answered, or has run out, needs no letter. */
static enum err write_verification(struct store_reader *r, const struct conf *c,
                                   const struct fact_found *f, struct arena *a, struct buf *to)
{
    struct verification v;
    struct json_doc d;
    struct str subject, text;
    enum err e = store_get_verification(r, f->seq, a, &v);
    if (e == OK && (v.outcome != VERIFICATION_OPEN || v.until_ms <= clock_now_ms()))
        e = ERR_NOT_FOUND;
    if (e != OK)
        return e;
    if (json_scan(f->payload, a, &d, NULL) != OK ||
        !json_string(&d, json_find(&d, JSON_ROOT, STR("letter.subject")), a, &subject) ||
        !json_string(&d, json_find(&d, JSON_ROOT, STR("letter.text")), a, &text))
        return ERR_CORRUPT;
    write_text(to, "subject_id", v.subject);
    write_raw(to, "consent_id", json_raw(&d, json_get(&d, JSON_ROOT, STR("consent_id"))));
    write_raw(to, "email", json_raw(&d, json_get(&d, JSON_ROOT, STR("address"))));
    write_raw(to, "language", json_raw(&d, json_get(&d, JSON_ROOT, STR("language"))));
    write_time(to, "until", v.until_ms);
    write_text(to, "subject", subject);
    return write_link(r, c, &v.id, text, a, to);
}

/* ---- the table: of one kind, the first that fits ---- */

static const struct told_type types[] = {
    { "consent.withdrawn", FACT_ACT, CONF_HOOK_WITHDRAWAL, act_lowers, act_also, act_at,
      write_act },
    { "consent.recorded", FACT_ACT, CONF_HOOK_CONSENT, NULL, NULL, act_at, write_act },
    { "subject.created", FACT_SUBJECT, CONF_HOOK_SUBJECT, subject_is_new, NULL, subject_at,
      write_subject },
    { "subject.changed", FACT_SUBJECT, CONF_HOOK_SUBJECT, NULL, NULL, subject_at, write_subject },
    { "subject.restricted", FACT_RESTRICTION, CONF_HOOK_SUBJECT, restricts, NULL, restriction_at,
      write_restriction },
    { "subject.released", FACT_RESTRICTION, CONF_HOOK_SUBJECT, NULL, NULL, restriction_at,
      write_restriction },
    { "notice.published", FACT_NOTICE, CONF_HOOK_NOTICE, NULL, NULL, notice_at, write_notice },
    { "notice.pending", FACT_FINDING, CONF_HOOK_NOTICE, NULL, NULL, finding_at, write_finding },
    { "text.voided", FACT_VOID, CONF_HOOK_TEXT_VOIDED, NULL, NULL, void_at, write_void },
    { "verification.requested", FACT_VERIFICATION, CONF_HOOK_VERIFICATION, NULL, NULL,
      verification_at, write_verification },
};

uint32_t told_kinds(uint32_t on)
{
    uint32_t kinds = 0;
    for (size_t i = 0; i < COUNT(types); i++) {
        if ((types[i].on & on) != 0) /* a row that others want, too, stands beside theirs */
            kinds |= 1u << types[i].kind;
    }
    return kinds;
}

const struct told_type *told_type(struct store_reader *r, const struct fact_found *f, uint32_t on)
{
    for (size_t i = 0; f->columns.n > 0 && i < COUNT(types); i++) {
        const struct told_type *t = &types[i];
        if (t->kind != f->kind || (t->is != NULL && !t->is(r, f)))
            continue;
        uint32_t wants = t->on | (t->also != NULL ? t->also(f) : 0);
        return (wants & on) != 0 ? t : NULL;
    }
    return NULL;
}

bool told_id(const struct told_type *t, const struct fact_found *f, struct id *ret_id)
{
    int64_t at_ms;
    if (!t->at(f, &at_ms) || at_ms < 0 || at_ms >= (int64_t)1 << 48)
        return false;
    *ret_id = id_made_of(at_ms, f->leaf); /* a leaf is unlike any other, and says nothing */
    return true;
}

enum err told_write(const struct told_type *t, struct store_reader *r, const struct conf *c,
                    const struct fact_found *f, struct arena *a, struct buf *to)
{
    struct id id;
    char text[ID_TEXT + 1];
    if (f->payload.n == 0)
        return ERR_NOT_FOUND;
    if (!told_id(t, f, &id))
        return ERR_CORRUPT;
    id_format(&id, text);
    buf_byte(to, '{');
    write_text(to, "id", str_of(text));
    write_text(to, "type", str_of(t->name));
    write_time(to, "time", id_ms(&id));
    write_name(to, STR("data"));
    buf_byte(to, '{');
    enum err e = t->write(r, c, f, a, to);
    buf_lit(to, "}}");
    return e != OK ? e : to->over ? ERR_LIMIT : OK;
}
