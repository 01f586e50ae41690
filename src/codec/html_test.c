#include "codec/html.h"
#include "base/arena.h"
#include "codec/utf8.h"

#include <libxml/HTMLparser.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct str escaped(struct str text, struct arena *a)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(1 << 20);
    html_write_text(&b, text);
    assert_false(b.over);
    return arena_str(a, buf_view(&b));
}

static void assert_escaped(struct str text, const char *want)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str got = escaped(text, &a);
    if (!str_eq(got, str_of(want)))
        fail_msg("'%.*s' instead of '%s'", STR_ARG(got), want);
}

static void what_means_something_in_html_becomes_a_reference(void **state)
{
    (void)state;
    assert_escaped(STR(""), "");
    assert_escaped(STR("plain"), "plain");
    assert_escaped(STR("<script>alert(1)</script>"), "&lt;script&gt;alert(1)&lt;/script&gt;");
    assert_escaped(STR("\" onload='x'"), "&quot; onload=&#39;x&#39;");
    assert_escaped(STR("&lt;"), "&amp;lt;");
    assert_escaped(STR("<!--"), "&lt;!--");
    assert_escaped(STR("Grüße, 東京 \xf0\x9f\x98\x80"), "Grüße, 東京 \xf0\x9f\x98\x80");
    assert_escaped(STR("a\tb\nc"), "a\tb\nc");
}

static void what_html_does_not_allow_is_replaced(void **state)
{
    (void)state;
    static const struct str bad[] = {
        STR_INIT("\0"),       STR_INIT("\r"),       STR_INIT("\x1b"),     STR_INIT("\x7f"),
        STR_INIT("\x80"),     STR_INIT("\xff"),     STR_INIT("\xc2\x85"), STR_INIT("\xed\xa0\x80"),
        STR_INIT("\xc0\xbc"), STR_INIT("\xe2\x82"),
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct str around = arena_printf(&a, "a%.*sb", (int)bad[i].n, bad[i].p);
        if (bad[i].p[0] == 0)
            around = STR("a\0b");
        struct str got = escaped(around, &a);
        assert_true(utf8_valid(got));
        assert_int_equal(got.p[0], 'a');
        assert_int_equal(got.p[got.n - 1], 'b');
        assert_non_null(memmem(got.p, got.n, "\xef\xbf\xbd", 3));
    }
}

/* Nothing that begins a tag, an attribute's end or a reference of somebody else's. */
static void assert_inert(struct str s)
{
    static const char *const ours[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
    for (size_t i = 0; i < s.n; i++) {
        assert_true(s.p[i] != '<' && s.p[i] != '>' && s.p[i] != '"' && s.p[i] != '\'');
        bool known = s.p[i] != '&';
        for (size_t k = 0; !known && k < COUNT(ours); k++)
            known = str_starts((struct str){ s.p + i, s.n - i }, str_of(ours[k]));
        assert_true(known);
    }
}

/* What another program's parser makes of it: one paragraph with one attribute. */
static void assert_read_back(struct str text, struct str html, struct arena *a)
{
    struct str page =
        arena_printf(a, "<!doctype html><html><body><p title=\"%.*s\">%.*s</p></body></html>",
                     STR_ARG(html), STR_ARG(html));
    htmlDocPtr doc = htmlReadMemory(page.p, (int)page.n, NULL, "UTF-8",
                                    HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    assert_non_null(doc);
    xmlNodePtr body = xmlDocGetRootElement(doc)->children;
    assert_string_equal((const char *)body->name, "body");
    xmlNodePtr p = body->children;
    assert_string_equal((const char *)p->name, "p");
    assert_null(p->next);
    for (xmlNodePtr c = p->children; c; c = c->next)
        assert_int_equal(c->type, XML_TEXT_NODE);
    assert_null(p->properties->next);
    xmlChar *inside = xmlNodeGetContent(p), *title = xmlGetProp(p, (const xmlChar *)"title");
    if (!str_eq(str_of((const char *)inside), text) || !str_eq(str_of((const char *)title), text))
        fail_msg("'%.*s' was read as '%s' and '%s'", STR_ARG(text), inside, title);
    xmlFree(inside);
    xmlFree(title);
    xmlFreeDoc(doc);
}

static void any_text_stays_text(void **state)
{
    (void)state;
    static const char *const pieces[] = { "<",        ">",   "&",      "\"",         "'",
                                          "/",        "a",   " ",      "=",          "-->",
                                          "<!--",     "]]>", "&lt",    "&#60;",      "&#x3c",
                                          "</p>",     "<p>", "script", "ü",          "\xe2\x80\xae",
                                          "`",        "\\",  "<style", "&amp;",      "\n",
                                          "</title>", "东",  "{{x}}",  "javascript:" };
    unsigned seed = 20260122;
    for (int round = 0; round < 5000; round++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        AUTO(buf_fini) struct buf b = BUF_INIT(4096);
        int n = 1 + rand_r(&seed) % 12;
        buf_byte(&b, 'x'); /* white space at its beginning does not count in HTML */
        for (int i = 0; i < n; i++)
            buf_str(&b, str_of(pieces[(unsigned)rand_r(&seed) % COUNT(pieces)]));
        struct str html = escaped(buf_view(&b), &a);
        assert_inert(html);
        assert_read_back(buf_view(&b), html, &a);
    }
}

static void any_bytes_give_inert_utf8(void **state)
{
    (void)state;
    unsigned seed = 4;
    for (int round = 0; round < 20000; round++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        char bytes[24];
        size_t n = (size_t)rand_r(&seed) % sizeof bytes;
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)rand_r(&seed);
        struct str html = escaped((struct str){ bytes, n }, &a);
        assert_inert(html);
        assert_true(utf8_valid(html));
        assert_null(memchr(html.n ? html.p : "", 0, html.n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_means_something_in_html_becomes_a_reference),
        cmocka_unit_test(what_html_does_not_allow_is_replaced),
        cmocka_unit_test(any_text_stays_text),
        cmocka_unit_test(any_bytes_give_inert_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
