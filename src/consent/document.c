#include "consent/ledger_priv.h"

#include "consent/document.h"
#include "consent/query.h"

#include "base/limits.h"
#include "codec/filetype.h"
#include "codec/text.h"
#include "codec/utf8.h"

/* ---- ids in acts and notices ---- */

enum err document_ids_parse(const struct json_doc *d, uint32_t list, const char *field,
                            struct arena *a, struct str **ret_id, uint32_t *ret_count,
                            struct err_info *info)
{
    if (json_type(d, list) <= JSON_NULL) {
        *ret_count = 0;
        return OK;
    }
    if (json_type(d, list) != JSON_ARRAY)
        return err_set(info, ERR_VALUE, field, "must be an array");
    if (d->node[list].count > LIMIT_PROOFS_PER_ACT)
        return err_set(info, ERR_LIMIT, field, "more than %d", LIMIT_PROOFS_PER_ACT);
    struct str *ids = arena_array(a, struct str, d->node[list].count), id;
    uint32_t n = 0;
    for (uint32_t i = json_first(d, list); i; i = json_next(d, list, i)) {
        if (!json_text(d, i, a, &id) || id.n > LIMIT_ID)
            return err_set(info, ERR_VALUE, field, "each must be an id");
        id = str_trim(id);
        if (id.n > 0)
            ids[n++] = id;
    }
    *ret_id = ids;
    *ret_count = n;
    return OK;
}

enum err documents_find(struct store_reader *r, const struct str *id, uint32_t count,
                        const char *field, struct arena *a, int64_t **ret_seq,
                        struct err_info *info)
{
    int64_t *seq = arena_array(a, int64_t, count);
    for (uint32_t i = 0; i < count; i++) {
        struct id wanted;
        struct document d;
        enum err e =
            id_parse(id[i], &wanted) ? store_get_document(r, &wanted, a, &d) : ERR_NOT_FOUND;
        if (e == ERR_NOT_FOUND)
            return err_set(info, ERR_VALUE, field, "number %u is no document's id", i + 1);
        if (e != OK)
            return e;
        seq[i] = d.seq;
    }
    *ret_seq = seq;
    return OK;
}

/* ---- writing one ---- */

/* Of "C:\scan\a.pdf" or "../a.pdf" the last part; nothing when it could not be shown as it is. */
static struct str plain_name(struct str filename)
{
    size_t from = filename.n;
    while (from > 0 && filename.p[from - 1] != '/' && filename.p[from - 1] != '\\')
        from--;
    struct str name = str_trim((struct str){ filename.p + from, filename.n - from });
    if (!utf8_valid(name))
        return (struct str){ 0 };
    for (size_t i = 0; i < name.n; i++) {
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return (struct str){ 0 };
    }
    if (name.n > LIMIT_DOCUMENT_NAME) {
        name.n = LIMIT_DOCUMENT_NAME;
        while (name.n > 0 && !utf8_valid(name)) /* not in the midst of a character */
            name.n--;
    }
    return name;
}

static void write_document(const struct document *d, struct arena *a, struct buf *to)
{
    char id[ID_TEXT + 1];
    id_format(&d->id, id);
    write_comma(to);
    buf_byte(to, '{');
    write_text(to, "id", str_of(id));
    write_text(to, "identifier", str_of(id));
    write_time_seconds(to, "timestamp", d->received_ms);
    write_text_or_null(to, "name", d->name);
    write_text(to, "content_type", d->type);
    write_number(to, "size", (int64_t)d->size);
    write_text(to, "sha256", hex_encode((struct str){ (const char *)d->hash, DOCUMENT_HASH }, a));
    buf_byte(to, '}');
}

static struct str payload(const struct document *d, struct arena *a)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(8 << 10);
    struct str bytes;
    write_document(d, a, &to);
    must(write_done(&to, a, &bytes) == OK); /* a name is short */
    return bytes;
}

enum err ledger_add_document(struct ledger *l, const struct document_request *q, struct arena *a,
                             struct str *ret_json, struct err_info *info)
{
    enum file_type type = file_type_of(q->bytes);
    int64_t seq;
    if (q->bytes.n == 0)
        return err_set(info, ERR_VALUE, "file", "is empty");
    if (q->bytes.n > q->most)
        return err_set(info, ERR_LIMIT, "file", "is larger than %u bytes", q->most);
    if (type == FILE_UNKNOWN)
        return err_set(info, ERR_VALUE, "file",
                       "must be a PDF, PNG, JPEG or WebP, and by its content it is none of these");
    struct document d = { .id = id_new(q->received_ms),
                          .received_ms = q->received_ms,
                          .name = plain_name(q->filename),
                          .type = file_kind[type].media };
    store_measure_document(q->bytes, &d);
    struct str json = payload(&d, a);
    enum err e = store_add_document(l->store, &d, q->bytes, json, &seq);
    if (e == OK)
        *ret_json = json;
    return write_failed(e);
}

/* ---- reading ---- */

enum err write_attached(struct store_reader *r, int64_t fact, const char *name, struct arena *a,
                        struct buf *to)
{
    struct document *d;
    uint32_t count;
    enum err e = store_list_attached(r, fact, a, &d, &count);
    if (e != OK)
        return e;
    write_name(to, str_of(name));
    buf_byte(to, '[');
    for (uint32_t i = 0; i < count; i++)
        write_document(&d[i], a, to);
    buf_byte(to, ']');
    return OK;
}

static enum err get(struct store_reader *r, struct str text, struct arena *a,
                    struct document *ret_d)
{
    struct id id;
    return id_parse(text, &id) ? store_get_document(r, &id, a, ret_d) : ERR_NOT_FOUND;
}

enum err ledger_get_document(struct store_reader *r, struct str id, struct arena *a,
                             struct str *ret_json)
{
    struct document d;
    enum err e = get(r, id, a, &d);
    if (e == OK)
        *ret_json = payload(&d, a);
    return e;
}

enum err ledger_read_document(struct store_reader *r, struct str id, struct arena *a,
                              struct document_content *ret_c)
{
    struct document d;
    struct document_content c = { 0 };
    enum err e = get(r, id, a, &d);
    if (e == OK)
        e = store_read_document(r, &d, a, &c.bytes);
    if (e != OK)
        return e;
    enum file_type type = file_type_named(d.type);
    char text[ID_TEXT + 1];
    id_format(&d.id, text);
    c.type = type == FILE_UNKNOWN ? STR("application/octet-stream") : file_kind[type].media;
    c.filename =
        arena_printf(a, "%s.%s", text, type == FILE_UNKNOWN ? "bin" : file_kind[type].suffix.p);
    *ret_c = c;
    return OK;
}

enum err ledger_list_documents(struct store_reader *r, struct str query, struct arena *a,
                               struct str *ret_json, struct err_info *info)
{
    struct query q = { .text = query, .a = a, .info = info };
    struct str after = { 0 };
    struct document *d;
    struct id id;
    uint32_t limit, count;
    enum err e = query_limit(&q, &limit);
    if (e == OK)
        e = query_text(&q, "starting_after_identifier", LIMIT_ID, &after);
    if (e == OK && after.n == 0)
        e = query_text(&q, "starting_after", LIMIT_ID, &after);
    if (e != OK)
        return e;
    e = after.n > 0 && !id_parse(after, &id)
            ? ERR_NOT_FOUND
            : store_list_documents(r, after.n > 0 ? &id : NULL, limit, a, &d, &count);
    if (e == ERR_NOT_FOUND)
        return err_set(info, ERR_VALUE, "starting_after_identifier", "is not known");
    if (e != OK)
        return e;
    AUTO(buf_fini) struct buf to = BUF_INIT(LIMIT_LIST * (8 << 10));
    buf_byte(&to, '[');
    for (uint32_t i = 0; i < count; i++)
        write_document(&d[i], a, &to);
    buf_byte(&to, ']');
    return write_done(&to, a, ret_json);
}
