/* Any bytes as a form with files: "CONTENT-TYPE\nBODY". Refused in words, or parts that lie within the
 * body one behind the other, and that, written again, are read as the same. What is in them is looked
 * at as a file. */
#include "base/limits.h"
#include "codec/filetype.h"
#include "codec/multipart.h"

#include "base/buf.h"

#include "target.h"

static bool within(struct str part, struct str whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

/* As the strictest of clients would. */
static void write_again(const struct part *part, uint32_t count, struct str boundary,
                        struct buf *to)
{
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(to, "--%.*s\r\nContent-Disposition: form-data; name=\"", STR_ARG(boundary));
        for (size_t k = 0; k < part[i].name.n; k++) {
            if (part[i].name.p[k] == '"' || part[i].name.p[k] == '\\')
                buf_byte(to, '\\');
            buf_byte(to, part[i].name.p[k]);
        }
        buf_lit(to, "\"\r\n\r\n");
        buf_str(to, part[i].content);
        buf_lit(to, "\r\n");
    }
    buf_printf(to, "--%.*s--\r\n", STR_ARG(boundary));
}

static void check_again(const struct part *part, uint32_t count, struct str boundary,
                        struct arena *a)
{
    AUTO(buf_fini) struct buf again = BUF_INIT(8u << 20);
    struct part *second;
    uint32_t seconds;
    const char *why;
    write_again(part, count, boundary, &again);
    must(multipart_read(buf_view(&again), boundary, a, &second, &seconds, &why) == OK);
    must(seconds == count);
    for (uint32_t i = 0; i < count; i++) {
        must(str_eq(second[i].name, part[i].name));
        must(str_eq(second[i].content, part[i].content));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str body = { (const char *)data, n }, type, boundary = { 0 };
    struct part *part = NULL;
    uint32_t count = 0;
    const char *why = NULL;
    (void)file_type_of(body);
    if (!str_next(&body, '\n', &type) || !multipart_boundary(type, &boundary))
        return 0;
    must(boundary.n > 0 && within(boundary, type));
    enum err e = multipart_read(body, boundary, &a, &part, &count, &why);
    if (e != OK) {
        must((e == ERR_SYNTAX || e == ERR_LIMIT) && why != NULL && part == NULL);
        return 0;
    }
    must(count <= LIMIT_PARTS);
    for (uint32_t i = 0; i < count; i++) {
        must(within(part[i].content, body));
        must(i == 0 || part[i].content.p > part[i - 1].content.p + part[i - 1].content.n);
        (void)file_type_of(part[i].content);
    }
    bool short_lines = true;
    for (uint32_t i = 0; i < count; i++)
        short_lines = short_lines && part[i].name.n < LIMIT_PART_HEAD / 4;
    if (short_lines)
        check_again(part, count, boundary, &a);
    return 0;
}
