#include "codec/reader_text.h"

#include "base/buf.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static struct arena a = ARENA_INIT;

static struct str read_html(const char *html)
{
    struct str text = { 0 };
    enum err e = reader_text(str_of(html), true, &a, &text);
    if (e != OK)
        fail_msg("%s: %d", html, e);
    return text;
}

static void markup_is_no_part_of_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *html, *text;
    } rows[] = {
        { "<h1>Privacy</h1><p>We   ask\n <b>fir</b>st.</p>", "Privacy\nWe ask first." },
        { "<p>a<br>b<td>c", "a\nb\nc" },
        { "<!-- <p>x</p> --><p hidden>x</p><p>y<!--z--></p>", "y" },
        { "<head><title>T</title><style>p{}</style></head><body><script nonce=1>x()</script>Y",
          "Y" },
        { "<template>x</template><noscript>x</noscript>y<svg><text>x</text></svg>", "y" },
        { "&lt;b&gt; &amp;&nbsp;&uuml;&#252;&#x20ac;", "<b> & \xc3\xbc\xc3\xbc\xe2\x82\xac" },
        { "wo\xc2\xadrd zero\xe2\x80\x8bwidth thin\xe2\x80\x89space", "word zerowidth thin space" },
        { "plain words", "plain words" },
        { "<p></p><div>  </div>", "" },
        { "<ul><li>one<li>two</ul>three", "one\ntwo\nthree" },
        { "<p>unclosed <b>bold <i>both</p> after", "unclosed bold both\nafter" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str got = read_html(rows[i].html);
        if (!str_eq(got, str_of(rows[i].text)))
            fail_msg("row %zu: '%.*s'", i, STR_ARG(got));
    }
}

static bool same(const char *one, const char *two)
{
    uint8_t x[32], y[32];
    reader_text_hash(read_html(one), x);
    reader_text_hash(read_html(two), y);
    return memcmp(x, y, sizeof x) == 0;
}

static void what_a_reader_does_not_see_is_no_change(void **state)
{
    (void)state;
    static const char page[] =
        "<html><body class=a><p id=1>We use <a href=/x>Google</a>.</p><p>Two</p></body></html>";
    static const char *const equal[] = {
        "<html nonce=77><body class=b data-build=9><p>We use <a href=/y>Google</a>.</p><p>Two</p>",
        "\n\n<p>We\tuse\r\n   Google.</p>\n\n<p>Two</p>\n<script>now(99)</script>",
        "<div><section>We use <em>Google</em>.</section></div><article>Two</article>",
        "<!-- built 12:00 --><p>We use Google.<br>Two",
    };
    static const char *const other[] = {
        "<p>We use Goggle.</p><p>Two</p>",
        "<p>We use Google</p><p>Two</p>",
        "<p>We use Google.</p><p>Two</p><p>Three</p>",
        "<p>We useGoogle.</p><p>Two</p>",
        "<p>Two</p><p>We use Google.</p>",
        "<p>We use Google.</p><p hidden>Two</p>",
    };
    for (size_t i = 0; i < COUNT(equal); i++) {
        if (!same(page, equal[i]))
            fail_msg("%s: '%.*s'", equal[i], STR_ARG(read_html(equal[i])));
    }
    for (size_t i = 0; i < COUNT(other); i++)
        assert_false(same(page, other[i]));
}

static void plain_text_keeps_its_lines(void **state)
{
    (void)state;
    struct str text;
    assert_int_equal(reader_text(STR("\xef\xbb\xbf"
                                     "a  <b>\r\n\r\n\tb "),
                                 false, &a, &text),
                     OK);
    assert_true(str_eq(text, STR("a <b>\nb")));
}

static void what_is_no_text_is_refused(void **state)
{
    (void)state;
    static const struct str rows[] = { STR_INIT("a\0b"), STR_INIT("\xff\xfe<\0p\0"),
                                       STR_INIT("caf\xe9"), STR_INIT("\x1b[2J"),
                                       STR_INIT("%PDF-1.7\n\x80\x81") };
    struct str text = STR("before");
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(reader_text(rows[i], true, &a, &text), ERR_SYNTAX);
        assert_int_equal(reader_text(rows[i], false, &a, &text), ERR_SYNTAX);
    }
    AUTO(buf_fini) struct buf large = BUF_INIT(LIMIT_NOTICE + 1);
    while (large.n < LIMIT_NOTICE)
        buf_byte(&large, 'x');
    assert_int_equal(reader_text(buf_view(&large), true, &a, &text), OK);
    buf_byte(&large, 'x');
    assert_int_equal(reader_text(buf_view(&large), false, &a, &text), ERR_LIMIT);
}

/* Whatever it is, it ends, and soon. */
static void a_deep_document_is_refused_or_read(void **state)
{
    (void)state;
    static const char *const tags[] = { "<div>",    "<b>", "<table><tr><td>",
                                        "<ul><li>", "<a>", "<!--",
                                        "&",        "<",   "<p a='" };
    for (size_t i = 0; i < COUNT(tags); i++) {
        AUTO(buf_fini) struct buf deep = BUF_INIT(LIMIT_NOTICE);
        while (deep.n < 200000)
            buf_str(&deep, str_of(tags[i]));
        struct str text;
        enum err e = reader_text(buf_view(&deep), true, &a, &text);
        assert_true(e == OK || e == ERR_LIMIT);
    }
}

static int all_gone(void **state)
{
    (void)state;
    arena_fini(&a);
    return 0;
}

#define T(name) cmocka_unit_test(name)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(markup_is_no_part_of_the_text),      T(what_a_reader_does_not_see_is_no_change),
        T(plain_text_keeps_its_lines),         T(what_is_no_text_is_refused),
        T(a_deep_document_is_refused_or_read),
    };
    return cmocka_run_group_tests_name("reader_text", tests, NULL, all_gone);
}
