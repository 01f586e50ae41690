/* A receipt for people: made of any JSON, a page is built of our tags alone, and a text steers no terminal. */
#include "audit/receipt.h"
#include "codec/utf8.h"

#include "target.h"

static bool is_ours(struct str at)
{
    static const char *const tag[] = { "!doctype html>",
                                       "html ",
                                       "/html>",
                                       "head>",
                                       "/head>",
                                       "meta ",
                                       "title>",
                                       "/title>",
                                       "style>",
                                       "/style>",
                                       "body>",
                                       "/body>",
                                       "main>",
                                       "/main>",
                                       "section>",
                                       "/section>",
                                       "h1 ",
                                       "/h1>",
                                       "h2 ",
                                       "/h2>",
                                       "h3 ",
                                       "/h3>",
                                       "p ",
                                       "/p>",
                                       "dl>",
                                       "/dl>",
                                       "dt ",
                                       "/dt>",
                                       "dd ",
                                       "dd>",
                                       "/dd>",
                                       "code ",
                                       "/code>",
                                       "pre ",
                                       "/pre>",
                                       "table ",
                                       "/table>",
                                       "caption ",
                                       "/caption>",
                                       "thead ",
                                       "/thead>",
                                       "tbody ",
                                       "/tbody>",
                                       "tr ",
                                       "/tr>",
                                       "th ",
                                       "/th>",
                                       "td ",
                                       "/td>",
                                       "ul>",
                                       "/ul>",
                                       "li ",
                                       "/li>" };
    for (size_t i = 0; i < COUNT(tag); i++) {
        if (str_starts(at, str_of(tag[i])))
            return true;
    }
    return false;
}

static void check_page(struct str page)
{
    must(utf8_valid(page));
    for (size_t i = 0; i < page.n; i++)
        must(page.p[i] != '<' || is_ours((struct str){ page.p + i + 1, page.n - i - 1 }));
}

static void check_text(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        must((unsigned char)text.p[i] >= 0x20 || text.p[i] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(buf_fini) struct buf page = BUF_INIT(4 << 20), text = BUF_INIT(4 << 20);
    struct str json = { (const char *)data, n };
    if (receipt_page(json, &a, &page))
        check_page(buf_view(&page));
    if (receipt_text(json, &a, &text))
        check_text(buf_view(&text));
    (void)receipt_language(json);
    return 0;
}
