#include "codec/letter.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static struct arena arena;

static int clean(void **state)
{
    (void)state;
    arena_fini(&arena);
    arena_init(&arena);
    return 0;
}

/* ---- addresses ---- */

static void addresses_that_letters_are_written_to(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a@b.example",    "jane.doe+news@shop.example",          "o'brien@x.example",
        "root@localhost", "x_y-z!#$%&*/=?^`{|}~@a-b.c1.example", "1@2.example"
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        if (!mailbox_ok(str_of(good[i])))
            fail_msg("%s", good[i]);
    }
}

static void what_could_be_read_as_anything_else_is_no_address(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "@",
                                       "a",
                                       "a@",
                                       "@b.example",
                                       "a@b.example\r\nBcc: c@d.example",
                                       "a@b.example\n",
                                       "a b@c.example",
                                       "a@b .example",
                                       "\"a b\"@c.example",
                                       "<a@b.example>",
                                       "a@b.example>",
                                       "a@b.example,c@d.example",
                                       "a@b.example;c@d.example",
                                       "a(c)@b.example",
                                       "a@[127.0.0.1]",
                                       "a@b..example",
                                       "a@.b",
                                       "a@b.",
                                       ".a@b.example",
                                       "a.@b.example",
                                       "a..b@c.example",
                                       "a@b@c.example",
                                       "-a@b.example",
                                       "a@-b.example",
                                       "a@b-.example",
                                       "m\xc3\xbcller@b.example",
                                       "a@m\xc3\xbcller.example",
                                       "a\\@b.example",
                                       "a:b@c.example",
                                       "a@b_c.example" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (mailbox_ok(str_of(bad[i])))
            fail_msg("%s", bad[i]);
    }
    assert_false(mailbox_ok((struct str){ "a\0b@c.example", 13 }));
    char local[80];
    memset(local, 'a', sizeof local);
    memcpy(local + 64, "@b.example", 10);
    assert_true(mailbox_ok((struct str){ local, 74 }));
    memcpy(local + 65, "@b.example", 10);
    local[64] = 'a';
    assert_false(mailbox_ok((struct str){ local, 75 }));
    char whole[LIMIT_MAILBOX + 2] = "a@";
    for (size_t i = 2; i < sizeof whole; i++)
        whole[i] = i % 50 == 1 ? '.' : 'b';
    assert_true(mailbox_ok((struct str){ whole, LIMIT_MAILBOX - 1 }));
    assert_false(mailbox_ok((struct str){ whole, LIMIT_MAILBOX + 1 }));
}

static void one_mailbox_has_one_key(void **state)
{
    (void)state;
    static const char *const cases[][2] = { { "Jane@Shop.Example", "jane@shop.example" },
                                            { "jane+a@shop.example", "jane@shop.example" },
                                            { "JANE+a+b@shop.example", "jane@shop.example" },
                                            { "+a@shop.example", "+a@shop.example" },
                                            { "+a+b@shop.example", "+a@shop.example" },
                                            { "ja.ne@shop.example", "ja.ne@shop.example" } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str key = mailbox_key(str_of(cases[i][0]), &arena);
        assert_true(str_eq(key, str_of(cases[i][1])));
    }
}

/* ---- letters ---- */

static const struct letter usual = { .from_name = STR_INIT("Muster GmbH"),
                                     .from_address = STR_INIT("letters@muster.example"),
                                     .to = STR_INIT("jane@shop.example"),
                                     .subject = STR_INIT("Please confirm"),
                                     .text = STR_INIT("Hello\n\nYes?\n"),
                                     .language = STR_INIT("en"),
                                     .at_ms = 1767323045000 }; /* 2026-01-02 03:04:05 */

static const char *written(const struct letter *l)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(1 << 20);
    assert_true(letter_write(l, &to));
    return arena_str(&arena, buf_view(&to)).p;
}

static void a_letter_is_written_to_the_byte(void **state)
{
    (void)state;
    assert_string_equal(written(&usual),
                        "Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n"
                        "From: \"Muster GmbH\"\r\n <letters@muster.example>\r\n"
                        "To: <jane@shop.example>\r\n"
                        "Subject: Please confirm\r\n"
                        "Message-ID: <00000000-0000-0000-0000-000000000000@muster.example>\r\n"
                        "Auto-Submitted: auto-generated\r\n"
                        "MIME-Version: 1.0\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: quoted-printable\r\n"
                        "Content-Language: en\r\n"
                        "\r\n"
                        "Hello\r\n\r\nYes?\r\n");
}

/* Every line, its end included, is ASCII and of at most 78 bytes; every CR has its LF. */
static void assert_lines(const char *text)
{
    size_t column = 0;
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p > '~' || (*p < ' ' && *p != '\r' && *p != '\n' && *p != '\t'))
            fail_msg("byte %02x in %s", (unsigned char)*p, text);
        assert_int_equal(*p == '\r', p[1] == '\n');
        column = *p == '\n' ? 0 : column + 1;
        assert_true(column <= 77);
    }
    assert_string_equal(text + strlen(text) - 2, "\r\n");
}

static void nothing_that_is_put_in_begins_a_header(void **state)
{
    (void)state;
    struct letter l = usual;
    l.from_name = STR("Evil\r\nBcc: a@b.example\r\n");
    l.subject = STR("Hi\r\nX-Evil: 1\r\n\r\nbody");
    l.language = STR("en\r\nX-Evil: 2");
    const char *text = written(&l);
    assert_lines(text);
    assert_null(strstr(text, "\r\nBcc"));
    assert_null(strstr(text, "\r\nX-Evil"));
    assert_null(strstr(text, "Content-Language"));
    assert_non_null(strstr(text, "Subject: Hi  X-Evil: 1    body\r\n"));
    l = usual;
    l.from_name = STR("A \"B\" \\ C");
    assert_non_null(strstr(written(&l), "From: \"A \\\"B\\\" \\\\ C\"\r\n <"));
    AUTO(buf_fini) struct buf to = BUF_INIT(1 << 20);
    l = usual;
    l.to = STR("a@b.example>\r\nBcc: <c@d.example");
    assert_false(letter_write(&l, &to));
    l = usual;
    l.from_address = STR("a@b.example\nX: y");
    assert_false(letter_write(&l, &to));
    assert_int_equal(to.n, 0);
}

static void words_that_are_not_ascii_are_encoded_in_whole_characters(void **state)
{
    (void)state;
    struct letter l = usual;
    l.from_name = STR("M\xc3\xbcller");
    l.subject = STR("Bitte best\xc3\xa4tigen");
    const char *text = written(&l);
    assert_lines(text);
    assert_non_null(strstr(text, "From: =?UTF-8?B?TcO8bGxlcg==?=\r\n <letters@muster.example>"));
    assert_non_null(strstr(text, "Subject: =?UTF-8?B?Qml0dGUgYmVzdMOkdGlnZW4=?=\r\n"));
    char many[300 + 1];
    for (size_t i = 0; i < 100; i++)
        memcpy(many + 3 * i, "\xe2\x82\xac", 3); /* 39 bytes are 13 whole ones */
    many[300] = 0;
    l.subject = str_of(many + 0);
    assert_lines(written(&l));
    l.subject = (struct str){ many, 46 }; /* cut within a character */
    assert_lines(written(&l));
    l.subject = STR("=?UTF-8?B?c3Bvb2Y=?="); /* looks encoded: it is shown as it is */
    assert_null(strstr(written(&l), "=?UTF-8?B?c3Bvb2Y=?="));
}

static void bodies_are_quoted_printable(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *body;
    } cases[] = {
        { STR_INIT("a=b"), "a=3Db\r\n" },
        { STR_INIT("\xc3\xa4"), "=C3=A4\r\n" },
        { STR_INIT("end \nof\tline\t\n"), "end=20\r\nof\tline=09\r\n" },
        { STR_INIT("a\r\nb\rc\nd"), "a\r\nb\r\nc\r\nd\r\n" },
        { STR_INIT(".\n..x\nFrom here"), "=2E\r\n=2E.x\r\nFrom here\r\n" },
        { STR_INIT(""), "" },
        { STR_INIT("0123456789012345678901234567890123456789012345678901234567890123456789012345"
                   "6789"),
          "012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n"
          "56789\r\n" },
        { STR_INIT("01234567890123456789012345678901234567890123456789012345678901234567890123"
                   "\xc3\xa4"),
          "01234567890123456789012345678901234567890123456789012345678901234567890123=\r\n"
          "=C3=A4\r\n" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct letter l = usual;
        l.text = cases[i].text;
        const char *text = written(&l), *body = strstr(text, "\r\n\r\n") + 4;
        assert_string_equal(body, cases[i].body);
        assert_lines(text);
    }
}

static void a_letter_that_does_not_fit_is_none(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf to = BUF_INIT(300);
    assert_false(letter_write(&usual, &to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(addresses_that_letters_are_written_to, clean),
        cmocka_unit_test_setup(what_could_be_read_as_anything_else_is_no_address, clean),
        cmocka_unit_test_setup(one_mailbox_has_one_key, clean),
        cmocka_unit_test_setup(a_letter_is_written_to_the_byte, clean),
        cmocka_unit_test_setup(nothing_that_is_put_in_begins_a_header, clean),
        cmocka_unit_test_setup(words_that_are_not_ascii_are_encoded_in_whole_characters, clean),
        cmocka_unit_test_setup(bodies_are_quoted_printable, clean),
        cmocka_unit_test_setup(a_letter_that_does_not_fit_is_none, clean),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&arena);
    return failed;
}
