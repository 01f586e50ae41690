/* Answers that are the same for everybody: browsers keep them, and ask whether they are still so. */
#include "api/embedded.h"
#include "api/request.h"

/* Of RFC 9110, 13.1.2: a list of tags, of which the weak ones do as well, or *. */
static bool is_known(struct str if_none_match, struct str tag)
{
    struct str one;
    while (str_next(&if_none_match, ',', &one)) {
        one = str_trim(one);
        if (str_starts(one, STR("W/")))
            one = (struct str){ one.p + 2, one.n - 2 };
        if (str_eq(one, tag) || str_eq(one, STR("*")))
            return true;
    }
    return false;
}

static bool takes_gzip(struct str accept)
{
    struct str one, coding;
    while (str_next(&accept, ',', &one)) {
        (void)str_next(&one, ';', &coding);
        if (str_eq_nocase(str_trim(coding), STR("gzip")))
            return !str_starts(str_trim(one), STR("q=0")) || one.n > 4;
    }
    return false;
}

void answer_kept(struct request *r, const char *type, struct str body, struct str tag,
                 uint32_t seconds)
{
    r->answer.keep.seconds = seconds;
    r->answer.keep.tag = tag;
    /* of a 304 the library sends the length and not the bytes (RFC 9110, 15.4.5) */
    answer_text(r, is_known(r->header.if_none_match, tag) ? 304 : 200, type, body);
}

void answer_file(struct request *r, const struct embedded *file)
{
    bool gzip = takes_gzip(r->header.accept_encoding);
    r->answer.keep.gzip = gzip;
    r->answer.keep.constant = true;
    if (file->policy != NULL)
        r->answer.page_policy = str_of(file->policy);
    /* the answers of one address differ by coding, and so must their tags */
    answer_kept(r, file->type, gzip ? file->gzip : file->bytes,
                arena_printf(&r->arena, "\"%s%s\"", file->tag, gzip ? "-gz" : ""), file->keep_s);
}
