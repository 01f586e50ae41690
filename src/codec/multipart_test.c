#include "codec/multipart.h"

#include "base/buf.h"
#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define HEAD(more) "Content-Disposition: form-data; name=\"file\"" more "\r\n"
#define FORM(head, content) "--b\r\n" head "\r\n" content "\r\n--b--\r\n"

struct read {
    enum err e;
    struct part *part;
    uint32_t count;
    const char *why;
};

static struct arena a = ARENA_INIT;

static struct read read_form(struct str body)
{
    struct read r = { 0 };
    char *copy = malloc(body.n ? body.n : 1); /* so that a sanitizer sees a byte read behind it */
    if (body.n)
        memcpy(copy, body.p, body.n);
    r.e = multipart_read((struct str){ copy, body.n }, STR("b"), &a, &r.part, &r.count, &r.why);
    for (uint32_t i = 0; r.e == OK && i < r.count; i++) {
        r.part[i].name = arena_str(&a, r.part[i].name);
        r.part[i].filename = arena_str(&a, r.part[i].filename);
        r.part[i].content = arena_str(&a, r.part[i].content);
    }
    free(copy);
    return r;
}

static void assert_str(struct str got, struct str want)
{
    if (!str_eq(got, want))
        fail_msg("'%.*s' instead of '%.*s'", STR_ARG(got), STR_ARG(want));
}

static void parts_are_read_as_they_were_sent(void **state)
{
    (void)state;
    struct read r =
        read_form(STR("--b\r\n"
                      "Content-Disposition: form-data; name=\"note\"\r\n\r\n"
                      "two\r\nlines\r\n"
                      "--b\r\n"
                      "content-disposition:form-data;name=file ; filename=\"a b.pdf\"\r\n"
                      "Content-Type: application/pdf\r\n\r\n"
                      "\0\r\n--B\r\n--bb\r\n-\r\n"
                      "\r\n--b  \r\n"
                      "Content-Disposition: form-data; name=\"\"\r\n\r\n"
                      "\r\n--b--"));
    assert_int_equal(r.e, OK);
    assert_int_equal(r.count, 3);
    assert_str(r.part[0].name, STR("note"));
    assert_false(r.part[0].has_filename);
    assert_str(r.part[0].content, STR("two\r\nlines"));
    assert_str(r.part[1].name, STR("file"));
    assert_true(r.part[1].has_filename);
    assert_str(r.part[1].filename, STR("a b.pdf"));
    assert_str(r.part[1].content, STR("\0\r\n--B\r\n--bb\r\n-\r\n"));
    assert_str(r.part[2].name, STR(""));
    assert_int_equal(r.part[2].content.n, 0);
}

static void names_come_in_every_clients_way(void **state)
{
    (void)state;
    static const struct {
        struct str body, name;
    } rows[] = {
        { STR_INIT(FORM(HEAD("; filename=\"a\\\"b\\\\c.pdf\""), "x")), STR_INIT("a\"b\\c.pdf") },
        { STR_INIT(FORM(HEAD("; filename=\"a%22b.pdf\""), "x")), STR_INIT("a%22b.pdf") },
        { STR_INIT(FORM(HEAD("; filename=\"C:\\scan\\a.pdf\""), "x")),
          STR_INIT("C:\\scan\\a.pdf") },
        { STR_INIT(FORM(HEAD("; filename=a.pdf;"), "x")), STR_INIT("a.pdf") },
        { STR_INIT(FORM(HEAD("; filename=\"na\xc3\xafve.pdf\""), "x")),
          STR_INIT("na\xc3\xafve.pdf") },
        { STR_INIT(FORM(HEAD("; filename*=UTF-8''na%C3%AFve.pdf"), "x")),
          STR_INIT("na\xc3\xafve.pdf") },
        { STR_INIT(FORM(HEAD("; filename*=utf-8'de'x.pdf; filename=\"y.pdf\""), "x")),
          STR_INIT("y.pdf") },
        { STR_INIT(FORM(HEAD("; filename*=latin1''x"), "x")), STR_INIT("") },
        { STR_INIT(FORM(HEAD("; filename=\"\""), "x")), STR_INIT("") },
        { STR_INIT(FORM(HEAD("; size=1; filename=\"a;b=c\""), "x")), STR_INIT("a;b=c") },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct read r = read_form(rows[i].body);
        if (r.e != OK)
            fail_msg("row %zu: %s", i, r.why);
        assert_true(r.part[0].has_filename);
        assert_str(r.part[0].filename, rows[i].name);
    }
}

static void what_is_no_form_is_refused_in_words(void **state)
{
    (void)state;
    static const struct str rows[] = {
        STR_INIT(""),
        STR_INIT("--"),
        STR_INIT("--b"),
        STR_INIT("--c\r\n" HEAD("") "\r\nx\r\n--c--\r\n"),
        STR_INIT("before\r\n" FORM(HEAD(""), "x")),
        STR_INIT(FORM(HEAD(""), "x") "behind"),
        STR_INIT("--b\n" HEAD("") "\r\nx\r\n--b--\r\n"),
        STR_INIT("--b\r\n" HEAD("") "\r\nx\n--b--\r\n"),
        STR_INIT("--b\r\n" HEAD("") "\r\nx\r\n--b"),
        STR_INIT("--b\r\n" HEAD("") "\r\nx\r\n--b-"),
        STR_INIT("--b\r\n" HEAD("") "\r\nx\r\n--b\r\n"),
        STR_INIT("--b\r\n" HEAD("") "\r\nx"),
        STR_INIT("--b\r\n" HEAD("")),
        STR_INIT("--b\r\n\r\nx\r\n--b--\r\n"),
        STR_INIT(FORM("Content-Type: text/plain\r\n", "x")),
        STR_INIT(FORM(HEAD("") HEAD(""), "x")),
        STR_INIT(FORM(HEAD("; name=\"other\""), "x")),
        STR_INIT(FORM(HEAD("; filename=a; filename=b"), "x")),
        STR_INIT(FORM(HEAD("; filename=\"a"), "x")),
        STR_INIT(FORM(HEAD("; filename=\"a\\\""), "x")),
        STR_INIT(FORM(HEAD("; filename"), "x")),
        STR_INIT(FORM(HEAD(" filename=a"), "x")),
        STR_INIT(FORM("Content-Disposition: attachment; name=\"file\"\r\n", "x")),
        STR_INIT(FORM("Content-Disposition: form-data; filename=\"a\"\r\n", "x")),
        STR_INIT(FORM("Content-Disposition : form-data; name=\"file\"\r\n", "x")),
        STR_INIT(FORM("Content-Disposition: form-data;\r\n name=\"file\"\r\n", "x")),
        STR_INIT(FORM(HEAD("") "no header\r\n", "x")),
        STR_INIT(FORM(HEAD("") "X: a\0b\r\n", "x")),
        STR_INIT(FORM(HEAD("") "X: a\nb\r\n", "x")),
        STR_INIT(FORM(HEAD("") "Content-Transfer-Encoding: base64\r\n", "x")),
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct read r = read_form(rows[i]);
        if (r.e != ERR_SYNTAX)
            fail_msg("row %zu: %d", i, r.e);
        assert_non_null(r.why);
        assert_null(r.part);
    }
    assert_int_equal(read_form(STR(FORM(HEAD("") "Content-Transfer-Encoding: Binary\r\n", "x"))).e,
                     OK);
    assert_int_equal(read_form(STR("--b--")).e, OK); /* an empty form is one */
}

static void a_form_cut_anywhere_is_none(void **state)
{
    (void)state;
    static const struct str whole = STR_INIT(
        "\r\n--b\r\n" HEAD("; filename=\"a.pdf\"") "\r\nabc\r\n--b\r\n" HEAD("") "\r\n\r\n--b--");
    assert_int_equal(read_form(whole).e, OK);
    for (size_t n = 0; n < whole.n; n++)
        assert_int_equal(read_form((struct str){ whole.p, n }).e, ERR_SYNTAX);
}

static void too_many_parts_and_too_long_heads_are_refused(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf b = BUF_INIT(1u << 20);
    for (int i = 0; i < LIMIT_PARTS; i++)
        buf_lit(&b, "--b\r\n" HEAD("") "\r\nx\r\n");
    size_t most = b.n;
    buf_lit(&b, "--b--");
    assert_int_equal(read_form(buf_view(&b)).count, LIMIT_PARTS);
    b.n = most;
    buf_lit(&b, FORM(HEAD(""), "x"));
    assert_int_equal(read_form(buf_view(&b)).e, ERR_LIMIT);
    for (size_t more = LIMIT_PART_HEAD - 100; more < LIMIT_PART_HEAD + 3; more++) {
        buf_clear(&b);
        buf_lit(&b, "--b\r\n" HEAD("") "X: ");
        for (size_t i = 0; i < more; i++)
            buf_byte(&b, 'x');
        buf_lit(&b, "\r\n\r\nx\r\n--b--");
        size_t head = sizeof HEAD("") - 1 + sizeof "X: " - 1 + more + sizeof "\r\n\r\n" - 1;
        enum err e = read_form(buf_view(&b)).e;
        if (e != (head <= LIMIT_PART_HEAD ? OK : ERR_LIMIT))
            fail_msg("a head of %zu bytes: %d", head, e);
    }
}

static void the_boundary_is_found_in_the_content_type(void **state)
{
    (void)state;
    static const struct {
        struct str type, boundary; /* "": refused */
    } rows[] = {
        { STR_INIT("multipart/form-data; boundary=----WebKitFormBoundaryAbC"),
          STR_INIT("----WebKitFormBoundaryAbC") },
        { STR_INIT("Multipart/Form-Data ;BOUNDARY=\"a b:c\" "), STR_INIT("a b:c") },
        { STR_INIT("multipart/form-data; charset=utf-8; boundary=b"), STR_INIT("b") },
        { STR_INIT("multipart/form-data; boundary="
                   "0123456789012345678901234567890123456789012345678901234567890123456789"),
          STR_INIT("0123456789012345678901234567890123456789012345678901234567890123456789") },
        { STR_INIT("multipart/form-data; boundary="
                   "01234567890123456789012345678901234567890123456789012345678901234567890"),
          STR_INIT("") },
        { STR_INIT("multipart/form-data"), STR_INIT("") },
        { STR_INIT("multipart/form-data; boundary="), STR_INIT("") },
        { STR_INIT("multipart/form-data; boundary=\"\""), STR_INIT("") },
        { STR_INIT("multipart/form-data; boundary=\"b "), STR_INIT("") },
        { STR_INIT("multipart/form-data; boundary=\"b \""), STR_INIT("") },
        { STR_INIT("multipart/form-data; boundary=\"b\\\"c\""), STR_INIT("") },
        { STR_INIT("multipart/form-data; boundary=b; boundary=c"), STR_INIT("") },
        { STR_INIT("multipart/form-data; boundary=b,c"), STR_INIT("") },
        { STR_INIT("multipart/form-data; boundary=\"b\xc3\xa4\""), STR_INIT("") },
        { STR_INIT("multipart/form-dataX; boundary=b"), STR_INIT("") },
        { STR_INIT("multipart/mixed; boundary=b"), STR_INIT("") },
        { STR_INIT("application/json"), STR_INIT("") },
        { STR_INIT(""), STR_INIT("") },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str got = { 0 };
        bool found = multipart_boundary(rows[i].type, &got);
        if (found != (rows[i].boundary.n > 0) || !str_eq(got, rows[i].boundary))
            fail_msg("row %zu: '%.*s'", i, STR_ARG(got));
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
        T(parts_are_read_as_they_were_sent),
        T(names_come_in_every_clients_way),
        T(what_is_no_form_is_refused_in_words),
        T(a_form_cut_anywhere_is_none),
        T(too_many_parts_and_too_long_heads_are_refused),
        T(the_boundary_is_found_in_the_content_type),
    };
    return cmocka_run_group_tests_name("multipart", tests, NULL, all_gone);
}
