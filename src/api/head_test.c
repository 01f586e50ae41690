#include "api/server_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

/* A head as the library leaves it in its memory: the ends of lines, colons and what parts the first line have become
 * zero bytes, here '|'. */
struct laid {
    char text[256];
    size_t n;
};

static struct laid lay(const char *text)
{
    struct laid l = { .n = strlen(text) };
    assert_true(l.n < sizeof l.text);
    for (size_t i = 0; i < l.n; i++)
        l.text[i] = text[i] == '|' ? '\0' : text[i];
    return l;
}

struct field_at {
    size_t name, value;
};

static bool whole_from(const struct laid *l, size_t target, size_t version, size_t fields,
                       const struct field_at *at)
{
    struct headers h = { .next = l->text + version + 10 };
    for (size_t i = 0; i < fields; i++)
        head_put_line(&h, l->text + at[i].name, l->text + at[i].value);
    return head_is_whole(&h, str_of(l->text), str_of(l->text + target), l->text + version, l->n);
}

static bool whole(const char *text, size_t fields, const struct field_at *at)
{
    struct laid l = lay(text);
    return whole_from(&l, 4, 6, fields, at);
}

static void a_head_of_whole_lines_is_whole(void **state)
{
    (void)state;
    assert_true(whole("GET|/|HTTP/1.1||||", 0, NULL));
    assert_true(whole("GET|/|HTTP/1.1||A|b||||", 1, (struct field_at[]){ { 16, 18 } }));
    assert_true(whole("GET|/|HTTP/1.1||A|b||Cd| e f||||", 2,
                      (struct field_at[]){ { 16, 18 }, { 21, 25 } }));
    assert_true(whole("GET|/|HTTP/1.1||A|||B|||||", 2,
                      (struct field_at[]){ { 16, 18 }, { 20, 22 } })); /* empty values */
}

static void lines_that_are_none_are_seen_by_where_they_lie(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t fields;
        struct field_at at[2];
    } bad[] = {
        { "GET|/|HTTP/1.1||A|b|C|d||||", 2, { { 16, 18 }, { 20, 22 } } }, /* a bare LF */
        { "GET|/|HTTP/1.1||A|b|| c||||", 1, { { 16, 18 } } },             /* a folded line */
        { "GET|/|HTTP/1.1||A|b|| c||||", 1, { { 22, 18 } } },             /* its name elsewhere */
        { "GET|/|HTTP/1.1||A|b|c||||", 1, { { 16, 18 } } },               /* a zero byte */
        { "GET|/|HTTP/1.1||A|b\rc||||", 1, { { 16, 18 } } },              /* a bare CR */
        { "GET|/|HTTP/1.1||A|b|||", 1, { { 16, 18 } } },                  /* a bare LF at the end */
        { "GET|/|HTTP/1.1|A|b||||", 1, { { 15, 17 } } }, /* … of the first line */
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(whole(bad[i].text, bad[i].fields, bad[i].at));
    struct laid two_spaces = lay("GET| /|HTTP/1.1||||"), cut = lay("GET|/||HTTP/1.1||||");
    assert_false(whole_from(&two_spaces, 5, 7, 0, NULL));
    assert_false(whole_from(&cut, 4, 7, 0, NULL));
}

static const char *fault_of(const char *raw, const char *host, bool old)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct headers h = { 0 };
    struct target t;
    if (host != NULL)
        head_put(&h, STR("Host"), str_of(host));
    head_target(str_of(raw), &a, &t);
    return head_fault(&h, &t, old);
}

static void targets_are_taken_in_their_forms(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *path, *query, *authority;
    } good[] = {
        { "/", "/", "", "" },
        { "/a//b/?x=1?y", "/a/b", "x=1?y", "" },
        { "/beta/consent", "/consent", "", "" },
        { "*", "*", "", "" },
        { "http://h/a?b", "/a", "b", "h" },
        { "HTTPS://H:1", "/", "", "H:1" },
        { "http://h?b", "/", "b", "h" },
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct target t;
        head_target(str_of(good[i].raw), &a, &t);
        assert_true(str_eq(t.path, str_of(good[i].path)));
        assert_true(str_eq(t.query, str_of(good[i].query)));
        assert_true(str_eq(t.authority, str_of(good[i].authority)));
    }
    static const char *const bad[] = { "",      "a",       "http://", "http:///a", "http:/h/a",
                                       "h:443", "/a b",    "/a\x01",  "/a#b",      "/a\x7f",
                                       "**",    "ftp://h", "?a",      "http",      "//\n" };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_non_null(fault_of(bad[i], "h", false));
}

static void a_host_is_one_and_the_same(void **state)
{
    (void)state;
    static const char *const good[] = { "", "x", "shop.example:8080", "[::1]:1", "a_b-c.d", "%41" };
    static const char *const bad[] = { "a,b", "a b", "a/b", "a@b", "a?b", "a\tb", "<a>", "a\\b" };
    for (size_t i = 0; i < COUNT(good); i++)
        assert_null(fault_of("/", good[i], false));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_non_null(fault_of("/", bad[i], false));
    assert_null(fault_of("/", NULL, true));
    assert_null(fault_of("http://SHOP/", "shop", false));
    assert_non_null(fault_of("http://a/", "b", false));
    assert_non_null(fault_of("http://a/", "", false));
}

struct pair {
    const char *name, *value;
};

static const char *fault_of_fields(bool old, const struct pair *field)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct headers h = { 0 };
    struct target t;
    for (; field->name != NULL; field++)
        head_put(&h, str_of(field->name), str_of(field->value));
    head_target(STR("/"), &a, &t);
    return head_fault(&h, &t, old);
}
#define FAULT(old, ...) fault_of_fields((old), (const struct pair[]){ __VA_ARGS__, { NULL, NULL } })

static void a_length_is_said_once(void **state)
{
    (void)state;
    assert_null(FAULT(false, { "Content-Length", "2" }));
    assert_null(FAULT(false, { "transfer-encoding", "Chunked" }));
    assert_non_null(FAULT(true, { "Transfer-Encoding", "chunked" }));
    assert_non_null(FAULT(false, { "Content-Length", "2" }, { "content-length", "2" }));
    assert_non_null(FAULT(false, { "Content-Length", "2" }, { "Transfer-Encoding", "chunked" }));
    assert_non_null(FAULT(false, { "Content-Length", "2, 2" }));
    assert_non_null(FAULT(false, { "Content-Length", "" }));
    assert_non_null(FAULT(false, { "Content-Length", "99999999999999999999" }));
    assert_non_null(FAULT(false, { "Transfer-Encoding", "gzip, chunked" }));
    assert_non_null(FAULT(false, { "Transfer-Encoding", "" }));
    assert_non_null(FAULT(false, { "Host", "a" }, { "Host", "a" }));
}

static void names_are_tokens(void **state)
{
    (void)state;
    static const char *const bad[] = { "",      " A",   "A ",  "A\t", "A B", "A\x0b",
                                       "A\xff", "A(B)", "A\"", "A/B", "A@",  "A\x7f" };
    assert_null(FAULT(false, { "X-One_2!#$%&'*+.^`|~", "" }));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_non_null(FAULT(false, { bad[i], "x" }));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_of_whole_lines_is_whole),
        cmocka_unit_test(lines_that_are_none_are_seen_by_where_they_lie),
        cmocka_unit_test(targets_are_taken_in_their_forms),
        cmocka_unit_test(a_host_is_one_and_the_same),
        cmocka_unit_test(a_length_is_said_once),
        cmocka_unit_test(names_are_tokens),
    };
    return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
