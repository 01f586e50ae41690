/* One event as a whole request of its own; ga4.c puts several together. */
#include "deliver/destinations/ga4_priv.h"

#include "transform/fields.h"

#include <stdlib.h>

void ga4_note(struct ga4_fitting *f, struct str above, struct str key, enum ga4_note note)
{
    static const char *const behind[] = { "", ":cut", ":omitted" };
    f->cut += note == GA4_CUT;
    f->omitted += note == GA4_OMITTED;
    if (f->name_count == f->name_room) {
        f->name_room = f->name_room ? 2 * f->name_room : 32;
        struct str *more = arena_array(f->a, struct str, f->name_room);
        if (f->name_count)
            memcpy(more, f->name, f->name_count * sizeof *more);
        f->name = more;
    }
    if (above.n)
        key = fields_plain_name(key);
    f->name[f->name_count++] = arena_printf(f->a, "%.*s%s%.*s%s", STR_ARG(above),
                                            above.n ? "." : "", STR_ARG(key), behind[note]);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static struct str join_names(struct ga4_fitting *f)
{
    size_t n = 0;
    for (uint32_t i = 0; i < f->name_count; i++)
        n += f->name[i].n + 1;
    AUTO(buf_fini) struct buf to = BUF_INIT(n);
    if (f->name_count)
        qsort(f->name, f->name_count, sizeof *f->name, by_name);
    for (uint32_t i = 0; i < f->name_count; i++) {
        if (i && str_eq(f->name[i], f->name[i - 1]))
            continue;
        if (i)
            buf_byte(&to, ',');
        buf_str(&to, f->name[i]);
    }
    return arena_str(f->a, buf_view(&to));
}

/* ---- values ---- */

static bool is_currency(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char low = (char)(s.p[i] | 0x20);
        if (low < 'a' || low > 'z')
            return false;
    }
    return s.n == 3;
}

/* A number that is cut is another one. */
static bool write_number(struct ga4_fitting *f, struct str text, uint32_t most, struct buf *to)
{
    struct json_doc number;
    text = str_trim(text);
    if (text.n == 0 || text.n > most || text.n > GA4_VALUE ||
        json_scan(text, f->a, &number, NULL) != OK || json_type(&number, JSON_ROOT) != JSON_NUMBER)
        return false;
    buf_str(to, text);
    return true;
}

static bool write_text(struct str text, uint32_t most, struct buf *to, bool *ret_changed)
{
    struct str cut = ga4_cut(text, most);
    if (cut.n == 0)
        return false; /* it says nothing */
    *ret_changed = cut.n < text.n;
    json_write_string(to, cut);
    return true;
}

bool ga4_value(struct ga4_fitting *f, uint32_t value, enum ga4_type type, uint32_t most,
               struct buf *to, bool *ret_changed)
{
    struct str text;
    *ret_changed = false;
    switch (json_type(f->doc, value)) {
    case JSON_TRUE:
    case JSON_FALSE: /* Google knows texts and numbers; its own tag writes them so */
        return type <= GA4_TEXT && write_text(json_raw(f->doc, value), most, to, ret_changed);
    case JSON_NUMBER:
        if (type == GA4_CURRENCY)
            return false;
        text = json_raw(f->doc, value);
        return type == GA4_TEXT ? write_text(text, most, to, ret_changed)
                                : write_number(f, text, most, to);
    case JSON_STRING:
        must(json_string(f->doc, value, f->a, &text));
        if (type == GA4_NUMBER)
            return write_number(f, text, most, to);
        if (type != GA4_CURRENCY)
            return write_text(text, most, to, ret_changed);
        if (!is_currency(text))
            return false;
        buf_printf(to, "\"%c%c%c\"", text.p[0] & ~0x20, text.p[1] & ~0x20, text.p[2] & ~0x20);
        return true;
    default: return false;
    }
}

/* ---- whose it is ---- */

/* The first of these paths that holds a text or a number. */
static bool find_text(struct ga4_fitting *f, const char *const *path, size_t count,
                      struct str *ret_text)
{
    for (size_t i = 0; i < count; i++) {
        struct str text;
        if (!json_text(f->doc, json_find(f->doc, JSON_ROOT, str_of(path[i])), f->a, &text) ||
            text.n == 0)
            continue;
        ga4_note(f, STR(""), str_of(path[i]), GA4_TAKEN);
        *ret_text = text;
        return true;
    }
    return false;
}

/* RudderStack's list of ids: [{"id":"1.2","type":"ga4ClientId"}] */
static bool find_external(struct ga4_fitting *f, struct str list_path, struct str *ret_text)
{
    uint32_t list = json_find(f->doc, JSON_ROOT, list_path);
    if (json_type(f->doc, list) != JSON_ARRAY)
        return false;
    for (uint32_t v = json_first(f->doc, list); v; v = json_next(f->doc, list, v)) {
        struct str type;
        if (json_string(f->doc, json_get(f->doc, v, STR("type")), f->a, &type) &&
            str_eq(type, STR("ga4ClientId")) &&
            json_text(f->doc, json_get(f->doc, v, STR("id")), f->a, ret_text) && ret_text->n > 0) {
            ga4_note(f, STR(""), list_path, GA4_TAKEN);
            return true;
        }
    }
    return false;
}

/* The device's id, in the form that its treatment left. A person's is taken only where no device was there:
 * it must not stand in for one whose own may not leave. */
static bool find_client_id(struct ga4_fitting *f, const struct outgoing_event *event,
                           struct str *ret_id)
{
    static const char *const given[] = {
        "ids.ga4.client_id",
        "integrations.Google Analytics 4.clientId",
        "integrations.Google Analytics 4 Web.clientId",
        "integrations.Google Analytics 4 Cloud.clientId",
        "integrations.Actions Google Analytics 4.clientId",
        "integrations.Actions Google Analytic 4.clientId",
        "integrations.GA4.clientId",
        "properties.client_id",
        "properties.clientId",
        "anonymousId",
    };
    static const char *const person[] = { "userId" };
    struct str text;
    if (event->has_device) {
        if (!event->device_fields)
            return false;
        if (!find_external(f, STR("context.externalId"), &text) &&
            !find_external(f, STR("context.externalIds"), &text) &&
            !find_text(f, given, COUNT(given), &text))
            return false;
    } else if (!find_text(f, person, COUNT(person), &text)) {
        return false;
    }
    *ret_id = ga4_client_id(text, f->a);
    return true;
}

static void write_user_id(struct ga4_fitting *f, struct buf *to)
{
    struct str id;
    if (!json_text(f->doc, json_get(f->doc, JSON_ROOT, STR("userId")), f->a, &id) || id.n == 0)
        return;
    struct str cut = ga4_cut(id, GA4_USER_ID);
    if (cut.n < id.n) { /* the beginning of an id may be somebody else's */
        ga4_note(f, STR(""), STR("userId"), GA4_OMITTED);
        return;
    }
    buf_lit(to, ",\"user_id\":");
    json_write_string(to, id);
    ga4_note(f, STR(""), STR("userId"), GA4_TAKEN);
}

void ga4_write_consent(uint32_t claims, struct buf *to)
{
    static const char *const word[] = { "DENIED", "GRANTED" };
    buf_printf(to, "\"consent\":{\"ad_user_data\":\"%s\",\"ad_personalization\":\"%s\"}",
               word[claims >> CONF_AD_USER_DATA & 1], word[claims >> CONF_AD_PERSONALIZATION & 1]);
}

/* ---- the person's properties ---- */

struct properties {
    struct ga4_fitting *f;
    struct buf to;
    struct str written[GA4_USER_PROPERTIES];
    uint32_t count;
};

static bool is_written(const struct properties *p, struct str name)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (str_eq(p->written[i], name))
            return true;
    }
    return false;
}

static void add_property(struct properties *p, struct str above, uint32_t key)
{
    struct ga4_fitting *f = p->f;
    struct str trait;
    must(json_string(f->doc, key, f->a, &trait));
    if (json_type(f->doc, key + 1) == JSON_NULL)
        return;
    struct str name = ga4_cut(ga4_name(trait, f->a), GA4_PROPERTY_NAME);
    bool takes = name.n > 0 && (name.p[0] | 0x20) >= 'a' && (name.p[0] | 0x20) <= 'z' &&
                 !ga4_reserved_property(name) && p->count < GA4_USER_PROPERTIES;
    if (is_written(p, name))
        return; /* the same trait in the context */
    bool changed = false;
    size_t before = p->to.n;
    if (before > 0)
        buf_byte(&p->to, ',');
    json_write_string(&p->to, name);
    buf_lit(&p->to, ":{\"value\":");
    if (!takes || !ga4_value(f, key + 1, GA4_ANY, GA4_PROPERTY_VALUE, &p->to, &changed)) {
        p->to.n = before;
        ga4_note(f, above, trait, GA4_OMITTED);
        return;
    }
    buf_byte(&p->to, '}');
    p->written[p->count++] = name;
    ga4_note(f, above, trait, changed || !str_eq(name, trait) ? GA4_CUT : GA4_TAKEN);
}

static void write_properties(struct ga4_fitting *f, struct buf *to)
{
    static const struct str above[] = { STR_INIT("traits"), STR_INIT("context.traits") };
    struct properties p = { .f = f, .to = BUF_INIT(LIMIT_SEND_BYTES) };
    for (size_t i = 0; i < COUNT(above); i++) {
        uint32_t traits = json_find(f->doc, JSON_ROOT, above[i]);
        if (json_type(f->doc, traits) != JSON_OBJECT)
            continue;
        for (uint32_t k = json_first(f->doc, traits); k; k = json_next(f->doc, traits, k + 1))
            add_property(&p, above[i], k);
    }
    if (p.count > 0) {
        buf_lit(to, ",\"user_properties\":{");
        buf_str(to, buf_view(&p.to));
        buf_byte(to, '}');
    }
    buf_fini(&p.to);
}

/* ---- the request ---- */

static void write_text_member(struct ga4_fitting *f, const char *path, const char *name,
                              struct buf *to)
{
    struct str text;
    if (!find_text(f, &path, 1, &text))
        return;
    buf_printf(to, ",\"%s\":", name);
    json_write_string(to, text);
}

enum reason ga4_fit(const struct conf_destination *conf, const struct outgoing_event *event,
                    int64_t at_ms, struct arena *a, struct fitted *ret_fitted)
{
    (void)conf;
    struct json_doc doc;
    struct str client_id;
    AUTO(buf_fini) struct buf to = BUF_INIT(LIMIT_SEND_BYTES);
    if (json_scan(event->body, a, &doc, NULL) != OK)
        return REASON_UNSUITABLE;
    struct ga4_fitting f = { .a = a, .doc = &doc };
    if (!find_client_id(&f, event, &client_id))
        return REASON_NO_ID;
    buf_lit(&to, "{\"client_id\":");
    json_write_string(&to, client_id);
    write_user_id(&f, &to);
    size_t whom = to.n;
    buf_byte(&to, ',');
    ga4_write_consent(event->claims, &to);
    write_properties(&f, &to);
    write_text_member(&f, "context.userAgent", "user_agent", &to);
    write_text_member(&f, "context.ip", "ip_override", &to);
    size_t beside = to.n;
    buf_lit(&to, ",\"events\":[");
    enum reason reason = ga4_event(&f, event->device_fields, event->received_ms, at_ms, &to);
    buf_lit(&to, "]}");
    if (reason != REASON_PERMITTED || to.over)
        return reason != REASON_PERMITTED ? reason : REASON_UNSUITABLE;
    struct str body = arena_str(a, buf_view(&to));
    *ret_fitted = (struct fitted){ .body = body,
                                   .whom = { body.p, whom },
                                   .beside = { body.p, beside },
                                   .names = join_names(&f),
                                   .cut = f.cut,
                                   .omitted = f.omitted };
    return REASON_PERMITTED;
}
