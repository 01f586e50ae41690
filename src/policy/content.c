#include "policy/content_priv.h"
#include "codec/json.h"
#include "codec/time.h"
#include "policy/compile.h"

static int recipient_order(const void *a, const void *b)
{
    return str_cmp(((const struct content_recipient *)a)->id,
                   ((const struct content_recipient *)b)->id);
}

static int notice_order(const void *a, const void *b)
{
    return str_cmp(((const struct conf_notice_ref *)a)->identifier,
                   ((const struct conf_notice_ref *)b)->identifier);
}

static int text_order(const void *a, const void *b)
{
    return str_cmp(((const struct conf_text *)a)->language,
                   ((const struct conf_text *)b)->language);
}

static void content_sort(struct content *n)
{
    if (n->recipient_count)
        qsort(n->recipient, n->recipient_count, sizeof(*n->recipient), recipient_order);
    if (n->notice_count)
        qsort(n->notice, n->notice_count, sizeof(*n->notice), notice_order);
    if (n->text_count)
        qsort(n->text, n->text_count, sizeof(*n->text), text_order);
}

static struct str time_text(int64_t ms, struct arena *a)
{
    char text[TIME_TEXT + 1];
    time_format_seconds(ms, text);
    return arena_str(a, str_of(text));
}

/* Who receives at that destination today; without a recipient it is the controller. */
static struct content_recipient present_recipient(const struct conf *c, struct str id)
{
    struct content_recipient r = { .id = id };
    for (uint32_t i = 0; i < c->destination_count; i++) {
        const struct conf_destination *d = &c->destination[i];
        if (!str_eq(d->id, id))
            continue;
        r.name = d->has_recipient ? d->recipient_name : c->controller_name;
        r.country = str_of(d->has_recipient ? d->recipient_country : c->controller_country);
    }
    return r;
}

static bool has_recipient(const struct content *n, struct str id)
{
    for (uint32_t i = 0; i < n->recipient_count; i++) {
        if (str_eq(n->recipient[i].id, id))
            return true;
    }
    return false;
}

struct content content_make(const struct conf *c, const struct conf_purpose *p,
                            const struct conf_version *v, struct arena *a)
{
    struct content n = {
        .purpose = p->id,
        .version = v->version,
        .since = time_text(v->since_ms, a),
        .voided = v->voided_ms ? time_text(v->voided_ms, a) : (struct str){ 0 },
        .recipient = arena_array(a, struct content_recipient, v->recipient_count),
        .notice = arena_array(a, struct conf_notice_ref, v->notice_count),
        .notice_count = v->notice_count,
        .text = arena_array(a, struct conf_text, v->text_count),
        .text_count = v->text_count,
    };
    for (uint32_t i = 0; i < v->recipient_count; i++) {
        if (!has_recipient(&n, v->recipient[i]))
            n.recipient[n.recipient_count++] = present_recipient(c, v->recipient[i]);
    }
    for (uint32_t i = 0; i < v->notice_count; i++)
        n.notice[i] = v->notice[i];
    for (uint32_t i = 0; i < v->text_count; i++)
        n.text[i] = v->text[i];
    content_sort(&n);
    return n;
}

static void write_member(struct buf *b, const char *name, struct str value)
{
    buf_printf(b, "\"%s\":", name);
    json_write_string(b, value);
}

static void write_recipients(struct buf *b, const struct content *n)
{
    buf_lit(b, ",\"recipients\":[");
    for (uint32_t i = 0; i < n->recipient_count; i++) {
        buf_str(b, i ? STR(",{") : STR("{"));
        write_member(b, "id", n->recipient[i].id);
        buf_byte(b, ',');
        write_member(b, "name", n->recipient[i].name);
        buf_byte(b, ',');
        write_member(b, "country", n->recipient[i].country);
        buf_byte(b, '}');
    }
    buf_byte(b, ']');
}

static void write_text(struct buf *b, const struct content *n)
{
    buf_lit(b, ",\"text\":{");
    for (uint32_t i = 0; i < n->text_count; i++) {
        buf_str(b, i ? STR(",") : STR(""));
        json_write_string(b, n->text[i].language);
        buf_lit(b, ":{");
        for (int part = 0; part < CONF_TEXT_PARTS; part++) {
            buf_str(b, part ? STR(",") : STR(""));
            write_member(b, conf_text_part[part], n->text[i].part[part]);
        }
        buf_byte(b, '}');
    }
    buf_byte(b, '}');
}

struct str content_write(const struct content *n, struct arena *a)
{
    /* every byte comes from a file of LIMIT_CONF bytes; escaped it is at most six times as long */
    AUTO(buf_fini) struct buf b = BUF_INIT(16 * LIMIT_CONF);
    buf_byte(&b, '{');
    write_member(&b, "purpose", n->purpose);
    buf_printf(&b, ",\"version\":%u,", n->version);
    write_member(&b, "since", n->since);
    write_recipients(&b, n);
    buf_lit(&b, ",\"notices\":{");
    for (uint32_t i = 0; i < n->notice_count; i++) {
        buf_str(&b, i ? STR(",") : STR(""));
        json_write_string(&b, n->notice[i].identifier);
        buf_printf(&b, ":%u", n->notice[i].version);
    }
    buf_byte(&b, '}');
    write_text(&b, n);
    if (n->voided.n) {
        buf_byte(&b, ',');
        write_member(&b, "voided", n->voided);
    }
    buf_byte(&b, '}');
    must(!b.over);
    return arena_str(a, buf_view(&b));
}

struct str policy_version_content(const struct conf *c, const struct conf_purpose *p,
                                  const struct conf_version *v, struct arena *a)
{
    struct content n = content_make(c, p, v, a);
    return content_write(&n, a);
}

/* ---- reading ---- */

struct reader {
    struct json_doc doc;
    struct arena *arena;
};

static bool read_string(const struct reader *r, uint32_t object, struct str name, struct str *ret_s)
{
    return json_string(&r->doc, json_get(&r->doc, object, name), r->arena, ret_s);
}

static bool read_number(const struct reader *r, uint32_t value, uint32_t *ret_n)
{
    struct str s = json_raw(&r->doc, value);
    uint64_t n = 0;
    if (s.n == 0 || s.n > 10)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(s.p[i] - '0');
    }
    if (n > UINT32_MAX)
        return false;
    *ret_n = (uint32_t)n;
    return true;
}

static bool read_recipients(const struct reader *r, struct content *n)
{
    uint32_t list = json_get(&r->doc, JSON_ROOT, STR("recipients"));
    if (json_type(&r->doc, list) != JSON_ARRAY)
        return false;
    n->recipient = arena_array(r->arena, struct content_recipient, r->doc.node[list].count);
    for (uint32_t v = json_first(&r->doc, list); v; v = json_next(&r->doc, list, v)) {
        struct content_recipient *to = &n->recipient[n->recipient_count++];
        if (!read_string(r, v, STR("id"), &to->id) || !read_string(r, v, STR("name"), &to->name) ||
            !read_string(r, v, STR("country"), &to->country))
            return false;
    }
    return true;
}

static bool read_notices(const struct reader *r, struct content *n)
{
    uint32_t map = json_get(&r->doc, JSON_ROOT, STR("notices"));
    if (json_type(&r->doc, map) != JSON_OBJECT)
        return false;
    n->notice = arena_array(r->arena, struct conf_notice_ref, r->doc.node[map].count);
    for (uint32_t k = json_first(&r->doc, map); k; k = json_next(&r->doc, map, k + 1)) {
        struct conf_notice_ref *to = &n->notice[n->notice_count++];
        if (!json_string(&r->doc, k, r->arena, &to->identifier) ||
            !read_number(r, k + 1, &to->version))
            return false;
    }
    return true;
}

static bool read_text(const struct reader *r, struct content *n)
{
    uint32_t map = json_get(&r->doc, JSON_ROOT, STR("text"));
    if (json_type(&r->doc, map) != JSON_OBJECT)
        return false;
    n->text = arena_array(r->arena, struct conf_text, r->doc.node[map].count);
    for (uint32_t k = json_first(&r->doc, map); k; k = json_next(&r->doc, map, k + 1)) {
        struct conf_text *to = &n->text[n->text_count++];
        if (!json_string(&r->doc, k, r->arena, &to->language))
            return false;
        for (int i = 0; i < CONF_TEXT_PARTS; i++) {
            if (!read_string(r, k + 1, str_of(conf_text_part[i]), &to->part[i]))
                return false;
        }
    }
    return true;
}

enum err content_read(struct str json, struct arena *a, struct content *ret_content)
{
    struct reader r = { .arena = a };
    struct content n = { 0 };
    if (json_scan(json, a, &r.doc, NULL) != OK || json_type(&r.doc, JSON_ROOT) != JSON_OBJECT ||
        !read_string(&r, JSON_ROOT, STR("purpose"), &n.purpose) ||
        !read_number(&r, json_get(&r.doc, JSON_ROOT, STR("version")), &n.version) ||
        !read_string(&r, JSON_ROOT, STR("since"), &n.since) || !read_recipients(&r, &n) ||
        !read_notices(&r, &n) || !read_text(&r, &n))
        return ERR_CORRUPT;
    uint32_t voided = json_get(&r.doc, JSON_ROOT, STR("voided"));
    if (voided && !json_string(&r.doc, voided, a, &n.voided))
        return ERR_CORRUPT;
    content_sort(&n);
    *ret_content = n;
    return OK;
}

const struct conf_text *content_text(const struct content *n, struct str language)
{
    for (uint32_t i = 0; i < n->text_count; i++) {
        if (str_eq(n->text[i].language, language))
            return &n->text[i];
    }
    return NULL;
}

const struct frozen_version *frozen_find(const struct frozen *f, struct str purpose,
                                         uint32_t version)
{
    const struct frozen_version *found = NULL;
    for (uint32_t i = 0; i < f->version_count; i++) {
        if (f->version[i].version == version && str_eq(f->version[i].purpose, purpose))
            found = &f->version[i];
    }
    return found;
}

uint32_t frozen_index(const struct str *names, uint32_t count, struct str name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (str_eq(names[i], name))
            return i;
    }
    return UINT32_MAX;
}
