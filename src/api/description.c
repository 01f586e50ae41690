/* The description of all routes, and the page made of it. */
#include "api/embedded.h"
#include "api/route.h"

/* Of RFC 9110, 13.1.2: a list of tags, of which the weak ones do as well, or *. */
static bool is_same(struct str wanted, const char *etag)
{
    struct str one;
    while (str_next(&wanted, ',', &one)) {
        one = str_trim(one);
        if (str_starts(one, STR("W/")))
            one = (struct str){ one.p + 2, one.n - 2 };
        if (str_eq(one, str_of(etag)) || str_eq(one, STR("*")))
            return true;
    }
    return false;
}

static void answer_file(struct request *r, const struct embedded *file)
{
    bool same = is_same(r->header.if_none_match, file->etag);
    r->answer.file = file;
    /* of a 304 the library sends the length and not the bytes (RFC 9110, 15.4.5) */
    answer_text(r, same ? 304 : 200, file->type, file->bytes);
}

void description_get(struct request *r)
{
    answer_file(r, &embedded_description);
}

void docs_get(struct request *r)
{
    answer_file(r, &embedded_docs);
}
