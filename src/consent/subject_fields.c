#include "consent/subject_fields.h"

#include "consent/ledger_priv.h"

#include "base/limits.h"

const struct str subject_field_name[FIELDS] = {
    STR_INIT("email"),
    STR_INIT("first_name"),
    STR_INIT("last_name"),
    STR_INIT("full_name"),
};

static struct str *column(struct subject_row *row, int field)
{
    switch ((enum subject_field)field) {
    case FIELD_EMAIL: return &row->email;
    case FIELD_FIRST_NAME: return &row->first_name;
    case FIELD_LAST_NAME: return &row->last_name;
    case FIELD_FULL_NAME: return &row->full_name;
    case FIELDS: break;
    }
    must(!"a subject's field");
    return NULL;
}

int read_flag(const struct json_doc *d, uint32_t i, struct arena *a)
{
    static const struct str yes[] = { STR_INIT("true"), STR_INIT("1"), STR_INIT("on"),
                                      STR_INIT("yes") };
    static const struct str no[] = { STR_INIT("false"), STR_INIT("0"), STR_INIT("off"),
                                     STR_INIT("no"), STR_INIT("") };
    struct str text;
    if (json_type(d, i) == JSON_TRUE || json_type(d, i) == JSON_FALSE)
        return json_type(d, i) == JSON_TRUE;
    if (!json_text(d, i, a, &text))
        return -1;
    for (size_t k = 0; k < COUNT(yes); k++) {
        if (str_eq(text, yes[k]))
            return 1;
    }
    for (size_t k = 0; k < COUNT(no); k++) {
        if (str_eq(text, no[k]))
            return 0;
    }
    return -1;
}

static enum err fault(struct err_info *info, enum err e, const char *prefix, const char *name,
                      const char *text)
{
    char field[64];
    (void)snprintf(field, sizeof field, "%s%s", prefix, name);
    return err_set(info, e, field, "%s", text);
}

/* A number is an id by its decimal text; 1.0, -1 and 1e3 would be several texts for one. */
static bool id_text(const struct json_doc *d, uint32_t i, struct arena *a, struct str *ret_id)
{
    struct str id;
    if (!json_text(d, i, a, &id))
        return false;
    for (size_t k = 0; json_type(d, i) == JSON_NUMBER && k < id.n; k++) {
        if (id.p[k] < '0' || id.p[k] > '9')
            return false;
    }
    *ret_id = id;
    return subject_id_ok(id);
}

static enum err parse_id(const struct json_doc *d, uint32_t object, const char *prefix,
                         struct arena *a, struct subject_said *s, struct err_info *info)
{
    uint32_t id = json_get(d, object, STR("id"));
    if (json_type(d, id) <= JSON_NULL)
        return OK;
    if (!id_text(d, id, a, &s->id))
        return fault(
            info, ERR_VALUE, prefix, "id",
            "must be a text that names one subject, not a placeholder, of at most 255 bytes");
    s->has_id = true;
    return OK;
}

static enum err parse_field(const struct json_doc *d, uint32_t object, int field,
                            const char *prefix, struct arena *a, struct subject_said *s,
                            struct err_info *info)
{
    uint32_t v = json_get(d, object, subject_field_name[field]);
    if (v == 0)
        return OK;
    s->said[field] = true;
    if (json_type(d, v) == JSON_NULL)
        return OK;
    const char *name = subject_field_name[field].p;
    if (!json_string(d, v, a, &s->field[field]))
        return fault(info, ERR_VALUE, prefix, name, "must be a string");
    if (s->field[field].n > LIMIT_SUBJECT_FIELD)
        return fault(info, ERR_LIMIT, prefix, name, "longer than 1024 bytes");
    return OK;
}

enum err subject_parse(const struct json_doc *d, uint32_t object, const char *prefix,
                       struct arena *a, struct subject_said *ret_said, struct err_info *info)
{
    struct subject_said s = { .verified = -1, .doc = d };
    if (json_type(d, object) <= JSON_FALSE || /* PHP writes an empty object as [], or false */
        (json_type(d, object) == JSON_ARRAY && d->node[object].count == 0)) {
        *ret_said = s;
        return OK;
    }
    if (json_type(d, object) != JSON_OBJECT)
        return err_set(info, ERR_VALUE, "subject", "must be an object");
    s.object = object;
    enum err e = parse_id(d, object, prefix, a, &s, info);
    for (int i = 0; e == OK && i < FIELDS; i++)
        e = parse_field(d, object, i, prefix, a, &s, info);
    if (e != OK)
        return e;
    uint32_t verified = json_get(d, object, STR("verified"));
    if (json_type(d, verified) > JSON_NULL) {
        s.verified = read_flag(d, verified, a);
        if (s.verified < 0)
            return fault(info, ERR_VALUE, prefix, "verified", "must be true or false");
    }
    (void)json_string(d, json_get(d, object, STR("subject_token")), a, &s.token); /* or none */
    *ret_said = s;
    return OK;
}

/* Names that are not kept as unknown keys. */
static bool is_own_name(struct str key)
{
    static const struct str own[] = { STR_INIT("id"),          STR_INIT("owner_id"),
                                      STR_INIT("verified"),    STR_INIT("subject_token"),
                                      STR_INIT("preferences"), STR_INIT("timestamp"),
                                      STR_INIT("created_at") };
    for (size_t i = 0; i < COUNT(own); i++) {
        if (str_eq(key, own[i]))
            return true;
    }
    for (int i = 0; i < FIELDS; i++) {
        if (str_eq(key, subject_field_name[i]))
            return true;
    }
    return false;
}

static void write_unknown(const struct subject_said *s, struct arena *a, struct buf *to)
{
    const struct json_doc *d = s->doc;
    for (uint32_t k = json_first(d, s->object); k; k = json_next(d, s->object, k + 1)) {
        struct str name;
        if (json_string(d, k, a, &name) && !is_own_name(name)) {
            write_name(to, name);
            buf_str(to, json_raw(d, k + 1));
        }
    }
}

void subject_write_said(const struct subject_said *s, bool verified, struct arena *a,
                        struct buf *to)
{
    for (int i = 0; i < FIELDS; i++) {
        if (s->said[i])
            write_text_or_null(to, subject_field_name[i].p, s->field[i]);
    }
    if (verified && s->verified >= 0)
        write_bool(to, "verified", s->verified);
    if (s->object)
        write_unknown(s, a, to);
}

/* The stored unknown keys with those of this body: a new value replaces, or only
 * fills. Writes what changed, too. */
static enum err merge_extra(const struct subject_said *s, const struct subject_rules *rules,
                            struct arena *a, struct str *extra, struct buf *changed,
                            struct err_info *info)
{
    AUTO(buf_fini) struct buf sent = BUF_INIT(LIMIT_CONSENT_BODY * 2);
    buf_byte(&sent, '{');
    if (s->object)
        write_unknown(s, a, &sent);
    buf_byte(&sent, '}');
    struct json_doc now, old = { 0 };
    if (sent.n == 2)
        return OK;
    if (sent.over || json_scan(arena_str(a, buf_view(&sent)), a, &now, NULL) != OK ||
        (extra->n && json_scan(*extra, a, &old, NULL) != OK))
        return err_set(info, ERR_LIMIT, "subject", "more unknown keys than can be kept");
    AUTO(buf_fini) struct buf both = BUF_INIT(SUBJECT_EXTRA_MAX);
    buf_byte(&both, '{');
    uint32_t stored = extra->n ? JSON_ROOT : 0;
    for (uint32_t k = json_first(&old, stored); k; k = json_next(&old, stored, k + 1)) {
        struct str name;
        (void)json_string(&old, k, a, &name); /* a key is a string */
        uint32_t newer = rules->overwrite ? json_get(&now, JSON_ROOT, name) : 0;
        write_name(&both, name);
        buf_str(&both, newer ? json_raw(&now, newer) : json_raw(&old, k + 1));
        if (newer && !str_eq(json_raw(&now, newer), json_raw(&old, k + 1))) {
            write_name(changed, name);
            buf_str(changed, json_raw(&now, newer));
        }
    }
    for (uint32_t k = json_first(&now, JSON_ROOT); k; k = json_next(&now, JSON_ROOT, k + 1)) {
        struct str name;
        (void)json_string(&now, k, a, &name);
        if (stored && json_get(&old, stored, name))
            continue;
        write_name(&both, name);
        buf_str(&both, json_raw(&now, k + 1));
        write_name(changed, name);
        buf_str(changed, json_raw(&now, k + 1));
    }
    buf_byte(&both, '}');
    if (both.over)
        return err_set(info, ERR_LIMIT, "subject", "more unknown keys than can be kept");
    *extra = arena_str(a, buf_view(&both));
    return OK;
}

static void apply_field(const struct subject_said *s, const struct subject_rules *rules, int i,
                        struct subject_row *row, struct buf *changed)
{
    struct str *to = column(row, i), value = s->field[i];
    bool wanted =
        s->said[i] && (value.n > 0 || rules->clear) && !(i == FIELD_EMAIL && rules->no_email);
    if (!wanted || str_eq(*to, value) || (to->n > 0 && !rules->overwrite))
        return;
    *to = value;
    write_text_or_null(changed, subject_field_name[i].p, value);
}

enum err subject_apply(const struct subject_said *s, const struct subject_rules *rules,
                       struct arena *a, struct subject_row *row, struct str *ret_changed,
                       struct err_info *info)
{
    AUTO(buf_fini) struct buf changed = BUF_INIT(LIMIT_CONSENT_BODY * 2);
    buf_byte(&changed, '{'); /* so that the first member gets no comma */
    struct subject_row after = *row;
    for (int i = 0; i < FIELDS; i++)
        apply_field(s, rules, i, &after, &changed);
    if (rules->verified && s->verified >= 0 && after.verified != s->verified) {
        after.verified = s->verified;
        write_bool(&changed, "verified", after.verified);
    }
    enum err e = merge_extra(s, rules, a, &after.extra, &changed, info);
    if (e != OK)
        return e;
    if (changed.over)
        return err_set(info, ERR_LIMIT, "subject", "too large");
    *row = after;
    *ret_changed = arena_str(a, (struct str){ changed.p + 1, changed.n - 1 });
    return OK;
}

enum err subject_payload(struct str id, const char *by, struct str act, int64_t received_ms,
                         struct str changed, struct arena *a, struct str *ret_payload,
                         struct err_info *info)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(LIMIT_CONSENT_BODY * 2);
    buf_byte(&to, '{');
    write_text(&to, "subject", id);
    write_text(&to, "source", str_of(by));
    if (act.n > 0)
        write_text(&to, "consent_id", act);
    write_time(&to, "received", received_ms);
    write_name(&to, STR("set"));
    buf_byte(&to, '{');
    buf_str(&to, changed);
    buf_lit(&to, "}}");
    if (write_done(&to, a, ret_payload) != OK)
        return err_set(info, ERR_LIMIT, "subject", "too large");
    return OK;
}
