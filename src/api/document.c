#include "api/route.h"

#include "codec/multipart.h"
#include "codec/text.h"

/* The one part called "file"; other parts are passed over. False: it was answered. */
static bool find_file(struct request *r, struct part *ret_file)
{
    struct str boundary;
    struct part *part;
    uint32_t count, found = 0;
    const char *why = NULL;
    struct err_info info = { 0 };
    enum err e = OK;
    if (!multipart_boundary(r->header.content_type, &boundary))
        e = err_set(&info, ERR_VALUE, "Content-Type",
                    "must be multipart/form-data with a boundary, the file in the field \"file\"");
    else if ((e = multipart_read(buf_view(&r->body), boundary, &r->arena, &part, &count, &why)) !=
             OK)
        e = err_set(&info, ERR_SYNTAX, "body", "%s", why);
    for (uint32_t i = 0; e == OK && i < count; i++) {
        if (!str_eq(part[i].name, STR("file")))
            continue;
        *ret_file = part[i];
        found++;
    }
    if (e == OK && found != 1)
        e = err_set(&info, ERR_VALUE, "file", found ? "is there more than once" : "is missing");
    if (e != OK)
        answer_error(r, e, &info);
    return e == OK;
}

void document_post(struct request *r)
{
    struct part file;
    struct err_info info = { 0 };
    if (!find_file(r, &file))
        return;
    struct document_request q = { .bytes = file.content,
                                  .filename = file.filename,
                                  .most = request_conf(r)->documents.max_kilobytes << 10,
                                  .received_ms = r->received_ms };
    enum err e =
        pipeline_document(request_pipeline(r), &q, &r->arena, &r->waiter, &r->saved, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->then = answer_saved;
}

enum err document_list(struct request *r, struct store_reader *reader, struct str *ret_json,
                       struct err_info *info)
{
    return ledger_list_documents(reader, r->target.query, &r->arena, ret_json, info);
}

enum err document_get(struct request *r, struct store_reader *reader, struct str *ret_json,
                      struct err_info *info)
{
    (void)info;
    return ledger_get_document(reader, r->parameter, &r->arena, ret_json);
}

/* ---- the bytes ---- */

static enum err look_for_content(struct request *r, struct store_reader *reader,
                                 struct str *ret_bytes, struct err_info *info)
{
    struct document_content *c = arena_new(&r->arena, struct document_content);
    struct str rest = r->parameter, id;
    if (!str_next(&rest, '/', &id)) /* "ID/content" */
        return ERR_NOT_FOUND;
    enum err e = ledger_read_document(reader, id, &r->arena, c);
    if (e == ERR_CORRUPT)
        return err_set(info, e, "", "the stored bytes are not those that were uploaded");
    if (e != OK)
        return e;
    r->content = c;
    *ret_bytes = c->bytes;
    return OK;
}

static void answer_content(struct request *r)
{
    r->answer.attachment = r->content->filename;
    answer_text(r, 200, r->content->type.p, r->looked);
}

void document_content(struct request *r)
{
    r->look = look_for_content;
    r->then = answer_content;
    request_look(r);
}
