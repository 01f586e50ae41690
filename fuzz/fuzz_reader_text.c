/* Any bytes as a page: refused, or words with one space or line's end between them, which as plain
 * text are read as the same. The first byte says whether it is HTML. */
#include "base/limits.h"
#include "codec/reader_text.h"
#include "codec/utf8.h"

#include "target.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\n';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    if (n == 0)
        return 0;
    struct str text, again;
    enum err e = reader_text((struct str){ (const char *)data + 1, n - 1 }, data[0] & 1, &a, &text);
    must(e == OK || e == ERR_SYNTAX || e == ERR_LIMIT);
    if (e != OK)
        return 0;
    must(utf8_valid(text) && text.n <= LIMIT_NOTICE);
    for (size_t i = 0; i < text.n; i++)
        must(!is_blank(text.p[i]) || (i > 0 && i + 1 < text.n && !is_blank(text.p[i - 1])));
    if (reader_text(text, false, &a, &again) ==
        OK) { /* a reference may have named a control character */
        uint8_t one[32], two[32];
        reader_text_hash(text, one);
        reader_text_hash(again, two);
        must(memcmp(one, two, sizeof one) == 0);
    }
    return 0;
}
