/* What a body says before anybody takes it in. */
#include "api/request.h"

#include "codec/json.h"
#include "codec/text.h"

/* Many a client sends JSON and says that it is a form. */
enum body_format request_format(const struct request *r)
{
    struct str body = str_trim(buf_view(&r->body));
    bool json = body.n != 0 && (body.p[0] == '{' || body.p[0] == '[');
    bool form = str_starts(r->header.content_type, STR("application/x-www-form-urlencoded"));
    return form && !json ? BODY_FORM : BODY_JSON;
}

struct str request_body_text(struct request *r, const char *path, const char *field)
{
    struct str s = { 0 };
    struct json_doc d;
    if (request_format(r) == BODY_FORM)
        (void)query_get(buf_view(&r->body), str_of(field), &r->arena, &s); /* else empty */
    else if (json_scan(buf_view(&r->body), &r->arena, &d, NULL) == OK)
        (void)json_text(&d, json_find(&d, JSON_ROOT, str_of(path)), &r->arena, &s); /* likewise */
    return s;
}
