#include "consent/row.h"

#include "base/limits.h"
#include "codec/json.h"
#include "codec/utf8.h"
#include "consent/ledger_priv.h"

enum place {
    PLACE_NONE = 0, /* left out */
    PLACE_TEXT,     /* a member */
    PLACE_PART,     /* of an object */
    PLACE_NOTICE,
    PLACE_PROOF,
    PLACE_JSON,
    PLACE_CONTENT, /* JSON, or else a text */
};

struct column {
    enum place place;
    struct str path, head, tail; /* head: the member at the top */
};

struct row_map {
    struct column *column;
    uint32_t count;
};

static bool is_one_of(struct str name, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(name, list[i]))
            return true;
    }
    return false;
}
#define IS_ONE_OF(name, list) is_one_of((name), (list), COUNT(list))

static const struct str whole[] = { STR_INIT("preferences"), STR_INIT("legal_notices"),
                                    STR_INIT("proofs"),      STR_INIT("proof_document_ids"),
                                    STR_INIT("versions"),    STR_INIT("shown"),
                                    STR_INIT("offline"),     STR_INIT("cmp"),
                                    STR_INIT("effects"),     STR_INIT("other"),
                                    STR_INIT("subject") };
static const struct str objects[] = { STR_INIT("subject"),  STR_INIT("preferences"),
                                      STR_INIT("versions"), STR_INIT("offline"),
                                      STR_INIT("cmp"),      STR_INIT("shown") };
static const struct str consent_texts[] = { STR_INIT("id"),       STR_INIT("timestamp"),
                                            STR_INIT("received"), STR_INIT("source"),
                                            STR_INIT("checksum"), STR_INIT("owner"),
                                            STR_INIT("owner_id"), STR_INIT("ip_address") };
static const struct str subject_texts[] = { STR_INIT("id"),         STR_INIT("email"),
                                            STR_INIT("first_name"), STR_INIT("last_name"),
                                            STR_INIT("full_name"),  STR_INIT("verified"),
                                            STR_INIT("owner_id"),   STR_INIT("timestamp"),
                                            STR_INIT("created_at"), STR_INIT("restricted") };
static const struct str notice_texts[] = { STR_INIT("id"), STR_INIT("identifier"),
                                           STR_INIT("version"), STR_INIT("timestamp"),
                                           STR_INIT("owner_id") };

static void split(struct str path, struct column *c)
{
    const char *dot = path.n ? memchr(path.p, '.', path.n) : NULL;
    size_t n = dot ? (size_t)(dot - path.p) : path.n;
    c->path = path;
    c->head = (struct str){ path.p, n };
    c->tail = dot ? (struct str){ dot + 1, path.n - n - 1 } : (struct str){ 0 };
}

static enum place consent_place(const struct column *c)
{
    bool part = c->tail.n > 0;
    if (!part)
        return IS_ONE_OF(c->head, whole)           ? PLACE_JSON
               : IS_ONE_OF(c->head, consent_texts) ? PLACE_TEXT
                                                   : PLACE_NONE;
    if (IS_ONE_OF(c->head, objects))
        return PLACE_PART;
    if (str_eq(c->head, STR("legal_notices")))
        return PLACE_NOTICE;
    if (str_eq(c->head, STR("proofs")) &&
        (str_eq(c->tail, STR("form")) || str_eq(c->tail, STR("content"))))
        return PLACE_PROOF;
    return PLACE_NONE;
}

static enum place place_of(struct str kind, const struct column *c)
{
    if (c->path.n == 0 || (c->tail.n == 0 && c->head.n != c->path.n))
        return PLACE_NONE;
    if (str_eq(kind, STR("consents")))
        return consent_place(c);
    if (str_eq(kind, STR("notices"))) {
        if (str_eq(c->head, STR("content")))
            return c->tail.n ? PLACE_PART : PLACE_CONTENT;
        return c->tail.n == 0 && IS_ONE_OF(c->head, notice_texts) ? PLACE_TEXT : PLACE_NONE;
    }
    if (c->tail.n == 0 && str_eq(c->head, STR("preferences")))
        return PLACE_JSON;
    return c->tail.n == 0 && IS_ONE_OF(c->head, subject_texts) ? PLACE_TEXT : PLACE_NONE;
}

static enum err check_pairs(const struct row_map *m, struct err_info *info)
{
    for (uint32_t i = 0; i < m->count; i++) {
        const struct column *c = &m->column[i];
        for (uint32_t k = 0; c->place != PLACE_NONE && k < i; k++) {
            const struct column *other = &m->column[k];
            bool both = other->place != PLACE_NONE && str_eq(c->head, other->head) &&
                        (c->tail.n == 0 || other->tail.n == 0);
            if (other->place != PLACE_NONE && (both || str_eq(c->path, other->path)))
                return err_set(info, ERR_VALUE, "header",
                               "column '%.*s' and column '%.*s' say the same",
                               (int)(other->path.n < 64 ? other->path.n : 64), other->path.p,
                               (int)(c->path.n < 64 ? c->path.n : 64), c->path.p);
        }
    }
    return OK;
}

enum err row_map_make(struct str kind, const struct str *header, uint32_t count,
                      const struct row_name *name, uint32_t name_count, struct arena *a,
                      const struct row_map **ret_map, struct err_info *info)
{
    struct row_map *m = arena_new(a, struct row_map);
    m->column = arena_array(a, struct column, count);
    m->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct str column = str_trim(header[i]), path = column;
        bool named = false;
        for (uint32_t k = 0; k < name_count; k++) {
            if (str_eq(name[k].column, column)) {
                path = name[k].path;
                named = true;
            }
        }
        split(arena_str(a, path), &m->column[i]);
        m->column[i].place = place_of(kind, &m->column[i]);
        if (m->column[i].place == PLACE_NONE && !(named && path.n == 0))
            return err_set(info, ERR_VALUE, "header",
                           "column '%.*s' is no field: give it one, or none",
                           (int)(column.n < 64 ? column.n : 64), column.n ? column.p : "");
    }
    enum err e = check_pairs(m, info);
    if (e == OK)
        *ret_map = m;
    return e;
}

/* ---- writing a record ---- */

static enum err fault(const struct column *c, const char *what, struct err_info *info)
{
    char path[65] = { 0 };
    memcpy(path, c->path.p, c->path.n < 64 ? c->path.n : 64);
    return err_set(info, ERR_VALUE, path, "%s", what);
}

static bool is_json(struct str s, struct arena *a)
{
    struct json_doc d;
    return json_scan(s, a, &d, NULL) == OK;
}

static void write_json(struct str json, struct buf *to)
{
    size_t from = to->n;
    buf_str(to, json);
    for (size_t i = from; i < to->n; i++) {
        if (to->p[i] == '\n' || to->p[i] == '\r')
            to->p[i] = ' ';
    }
}

static void write_notice_ref(const struct column *c, struct str value, struct buf *to)
{
    write_comma(to);
    buf_byte(to, '{');
    write_text(to, "identifier", c->tail);
    write_text(to, "version", value);
    buf_byte(to, '}');
}

/* All columns with this head, at the first of them that says something. */
static void write_container(const struct row_map *m, const struct str *field, uint32_t count,
                            uint32_t first, struct buf *to)
{
    enum place place = m->column[first].place;
    write_name(to, m->column[first].head);
    buf_str(to, place == PLACE_PROOF ? STR("[{") : place == PLACE_NOTICE ? STR("[") : STR("{"));
    for (uint32_t i = first; i < count; i++) {
        const struct column *c = &m->column[i];
        if (c->place != place || field[i].n == 0 || !str_eq(c->head, m->column[first].head))
            continue;
        if (place == PLACE_NOTICE) {
            write_notice_ref(c, field[i], to);
            continue;
        }
        write_name(to, c->tail);
        json_write_string(to, field[i]);
    }
    buf_str(to, place == PLACE_PROOF ? STR("}]") : place == PLACE_NOTICE ? STR("]") : STR("}"));
}

static bool is_first(const struct row_map *m, const struct str *field, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++) {
        if (m->column[k].place == m->column[i].place && field[k].n > 0 &&
            str_eq(m->column[k].head, m->column[i].head))
            return false;
    }
    return true;
}

static enum err write_field(const struct row_map *m, const struct str *field, uint32_t count,
                            uint32_t i, struct arena *a, struct buf *to, struct err_info *info)
{
    const struct column *c = &m->column[i];
    if (c->place != PLACE_NONE && !utf8_valid(field[i]))
        return fault(c, "is not UTF-8", info);
    switch (c->place) {
    case PLACE_NONE: break;
    case PLACE_JSON:
        if (!is_json(field[i], a))
            return fault(c, "must be JSON", info);
        write_name(to, c->head);
        write_json(field[i], to);
        break;
    case PLACE_CONTENT:
        write_name(to, c->head);
        if ((field[i].p[0] == '{' || field[i].p[0] == '"') && is_json(field[i], a))
            write_json(field[i], to);
        else
            json_write_string(to, field[i]);
        break;
    case PLACE_TEXT:
        write_name(to, c->head);
        json_write_string(to, field[i]);
        break;
    case PLACE_PART:
    case PLACE_NOTICE:
    case PLACE_PROOF:
        if (is_first(m, field, i))
            write_container(m, field, count, i, to);
        break;
    }
    return OK;
}

enum err row_write(const struct row_map *m, const struct str *field, uint32_t count,
                   struct arena *a, struct buf *to, struct err_info *info)
{
    if (count > m->count)
        return err_set(info, ERR_VALUE, "", "%u fields, and %u in the header", count, m->count);
    /* all are looked at before a container is written with its later columns */
    for (uint32_t i = 0; i < count; i++) {
        if (m->column[i].place != PLACE_NONE && !utf8_valid(field[i]))
            return fault(&m->column[i], "is not UTF-8", info);
    }
    buf_byte(to, '{');
    for (uint32_t i = 0; i < count; i++) {
        enum err e = field[i].n ? write_field(m, field, count, i, a, to, info) : OK;
        if (e != OK)
            return e;
    }
    buf_byte(to, '}');
    return to->over ? err_set(info, ERR_LIMIT, "", "the record is too large") : OK;
}

/* ---- kinds ---- */

struct str row_kind_of_header(const struct str *path, uint32_t count)
{
    struct str kind = STR("subjects");
    for (uint32_t i = 0; i < count; i++) {
        struct column c;
        split(path[i], &c);
        if (str_eq(path[i], STR("identifier")))
            return STR("notices");
        if (c.tail.n || (!str_eq(c.head, STR("preferences")) && IS_ONE_OF(c.head, whole)))
            kind = STR("consents");
    }
    return kind;
}

struct str row_kind_of_record(struct str json, struct arena *a)
{
    struct json_doc d;
    if (json_scan(json, a, &d, NULL) != OK)
        return STR("consents");
    if (json_get(&d, JSON_ROOT, STR("identifier")))
        return STR("notices");
    bool consent = json_get(&d, JSON_ROOT, STR("subject")) ||
                   json_get(&d, JSON_ROOT, STR("proofs")) ||
                   json_get(&d, JSON_ROOT, STR("checksum")) || !json_get(&d, JSON_ROOT, STR("id"));
    return consent ? STR("consents") : STR("subjects");
}

/* ---- the other way ---- */

static const struct str consent_header[] = {
    STR_INIT("id"),
    STR_INIT("timestamp"),
    STR_INIT("received"),
    STR_INIT("source"),
    STR_INIT("subject.id"),
    STR_INIT("subject.email"),
    STR_INIT("subject.first_name"),
    STR_INIT("subject.last_name"),
    STR_INIT("subject.full_name"),
    STR_INIT("subject.verified"),
    STR_INIT("preferences"),
    STR_INIT("versions"),
    STR_INIT("legal_notices"),
    STR_INIT("proofs"),
    STR_INIT("proof_document_ids"),
    STR_INIT("shown"),
    STR_INIT("offline"),
    STR_INIT("cmp"),
    STR_INIT("effects"),
    STR_INIT("ip_address"),
    STR_INIT("other"),
};
static const struct str subject_header[] = { STR_INIT("id"),         STR_INIT("email"),
                                             STR_INIT("first_name"), STR_INIT("last_name"),
                                             STR_INIT("full_name"),  STR_INIT("verified"),
                                             STR_INIT("timestamp"),  STR_INIT("created_at"),
                                             STR_INIT("restricted"), STR_INIT("preferences") };
static const struct str notice_header[] = { STR_INIT("identifier"), STR_INIT("version"),
                                            STR_INIT("timestamp"), STR_INIT("content") };

static const struct str *header_of(struct str kind, size_t *ret_n)
{
    if (str_eq(kind, STR("subjects"))) {
        *ret_n = COUNT(subject_header);
        return subject_header;
    }
    if (str_eq(kind, STR("notices"))) {
        *ret_n = COUNT(notice_header);
        return notice_header;
    }
    *ret_n = COUNT(consent_header);
    return consent_header;
}

void row_header(struct str kind, struct buf *to)
{
    size_t n;
    const struct str *h = header_of(kind, &n);
    for (size_t i = 0; i < n; i++) {
        buf_str(to, i ? STR(",") : STR(""));
        buf_str(to, h[i]);
    }
    buf_lit(to, "\r\n");
}

static void write_csv(struct str value, struct buf *to)
{
    bool quotes = false;
    for (size_t i = 0; i < value.n && !quotes; i++)
        quotes = value.p[i] == '"' || value.p[i] == ',' || value.p[i] == '\n' || value.p[i] == '\r';
    if (!quotes) {
        buf_str(to, value);
        return;
    }
    buf_byte(to, '"');
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"')
            buf_byte(to, '"');
        buf_byte(to, value.p[i]);
    }
    buf_byte(to, '"');
}

enum err row_from_json(struct str kind, struct str json, struct arena *a, struct buf *to)
{
    struct json_doc d;
    size_t n;
    const struct str *h = header_of(kind, &n);
    enum err e = json_scan(json, a, &d, NULL);
    for (size_t i = 0; e == OK && i < n; i++) {
        uint32_t v = json_find(&d, JSON_ROOT, h[i]);
        struct str text = { 0 };
        /* a whole is JSON as it stands; a text that looks like JSON must not be taken for it */
        bool raw = json_type(&d, v) != JSON_STRING || str_eq(h[i], STR("content"));
        if (json_type(&d, v) > JSON_NULL && raw)
            text = json_raw(&d, v);
        else if (json_type(&d, v) == JSON_STRING)
            (void)json_string(&d, v, a, &text);
        buf_str(to, i ? STR(",") : STR(""));
        write_csv(text, to);
    }
    buf_lit(to, "\r\n");
    return e != OK ? e : to->over ? ERR_LIMIT : OK;
}
