#include "codec/text.h"

#define ZLIB_CONST
#include <zlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void assert_str(struct str got, const char *want)
{
    if (!str_eq(got, str_of(want)))
        fail_msg("'%.*s' instead of '%s'", STR_ARG(got), want);
}

/* --- base64 and hexadecimal --- */

static void base64_of_both_alphabets_is_read(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    static const struct {
        const char *text;
        struct str bytes;
    } rows[] = {
        { "", STR_INIT("") },
        { "Zg==", STR_INIT("f") },
        { "Zg", STR_INIT("f") },
        { "Zm8=", STR_INIT("fo") },
        { "Zm8", STR_INIT("fo") },
        { "Zm9v", STR_INIT("foo") },
        { "V0tfVEVTVDo=", STR_INIT("WK_TEST:") },
        { "AAAA", STR_INIT("\0\0\0") },
        { "+/+/", STR_INIT("\xfb\xff\xbf") },
        { "-_-_", STR_INIT("\xfb\xff\xbf") },
        { "-_8=", STR_INIT("\xfb\xff") },
        { "-_8", STR_INIT("\xfb\xff") },
        { "+/8", STR_INIT("\xfb\xff") },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str got;
        if (!base64_decode(str_of(rows[i].text), &a, &got))
            fail_msg("refused: %s", rows[i].text);
        assert_true(str_eq(got, rows[i].bytes));
    }
    static const struct str refused[] = {
        STR_INIT("Z"),        STR_INIT("Zg="),      STR_INIT("Zg==="),   STR_INIT("Zm9v="),
        STR_INIT("Zm9v===="), STR_INIT("="),        STR_INIT("===="),    STR_INIT("Zm9vZ"),
        STR_INIT("Zh"),       STR_INIT("Zm9="),     STR_INIT("Z g="),    STR_INIT("Zg==\n"),
        STR_INIT(" Zg=="),    STR_INIT("Zg==Zg=="), STR_INIT("+_+_"),    STR_INIT("-/-/"),
        STR_INIT("Zm9!"),     STR_INIT("Zm9\0"),    STR_INIT("Zm\x80v"), STR_INIT("\xff"),
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct str got = STR("before");
        if (base64_decode(refused[i], &a, &got))
            fail_msg("taken: %.*s", STR_ARG(refused[i]));
        assert_str(got, "before");
    }
}

static void bytes_of_no_alphabet_are_refused(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
    for (int c = 1; c < 256; c++) {
        for (size_t at = 0; at < 8; at++) {
            char text[] = "00000000";
            text[at] = (char)c;
            struct str got;
            bool good = strchr(letters, c) || (c == '=' && at == 7);
            assert_int_equal(base64_decode(STR(text), &a, &got), good);
            good = strchr("0123456789abcdefABCDEF", c) != NULL;
            assert_int_equal(hex_decode(STR(text), &a, &got), good);
        }
    }
}

static void encoded_bytes_come_back(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    char bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        struct str in = { n ? bytes : NULL, n }, out;
        struct str standard = base64_encode(in, &a), url = base64url_encode(in, &a);
        assert_int_equal(standard.n, (n + 2) / 3 * 4);
        assert_int_equal(url.n, (n * 4 + 2) / 3);
        assert_true(base64_decode(standard, &a, &out) && str_eq(in, out));
        assert_true(base64_decode(url, &a, &out) && str_eq(in, out));
        struct str hex = hex_encode(in, &a);
        assert_int_equal(hex.n, n * 2);
        assert_true(hex_decode(hex, &a, &out) && str_eq(in, out));
        arena_clear(&a);
    }
    assert_str(base64_encode(STR("\xfb\xff"), &a), "+/8=");
    assert_str(base64url_encode(STR("\xfb\xff"), &a), "-_8");
    assert_str(hex_encode(STR("\x00\xab\xff"), &a), "00abff");
}

static void hexadecimal_of_either_case_is_read(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str got;
    assert_true(hex_decode(STR("00aBFf"), &a, &got) && str_eq(got, STR("\x00\xab\xff")));
    assert_true(hex_decode(STR(""), &a, &got) && got.n == 0);
    static const struct str refused[] = { STR_INIT("0"),   STR_INIT("abc"),  STR_INIT("0g"),
                                          STR_INIT("0 0"), STR_INIT("00 "),  STR_INIT("0x00"),
                                          STR_INIT("0\0"), STR_INIT("00:00") };
    got = STR("before");
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_false(hex_decode(refused[i], &a, &got));
    assert_str(got, "before");
}

/* --- URLs and what is like them --- */

static void percent_signs_are_decoded_or_stay(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    static const struct {
        const char *text, *path, *form; /* without and with `plus` */
    } rows[] = {
        { "", "", "" },
        { "plain", "plain", "plain" },
        { "a+b", "a+b", "a b" },
        { "a%20b%2Bc", "a b+c", "a b+c" },
        { "%41%4a%4A", "AJJ", "AJJ" },
        { "%2541", "%41", "%41" },
        { "%", "%", "%" },
        { "%4", "%4", "%4" },
        { "a%", "a%", "a%" },
        { "%zz%4g%g4", "%zz%4g%g4", "%zz%4g%g4" },
        { "%%41", "%A", "%A" },
        { "%+1", "%+1", "% 1" },
        { "%C3%A9", "\xc3\xa9", "\xc3\xa9" },
        { "\xff%ff", "\xff\xff", "\xff\xff" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_str(url_decode(str_of(rows[i].text), false, &a), rows[i].path);
        assert_str(url_decode(str_of(rows[i].text), true, &a), rows[i].form);
    }
    assert_true(str_eq(url_decode(STR("a%00b"), false, &a), STR("a\0b")));
    struct str plain = STR("nothing to do");
    assert_ptr_equal(url_decode(plain, true, &a).p, plain.p);
    assert_int_equal(url_decode((struct str){ 0 }, true, &a).n, 0);
}

static void urls_fall_into_their_parts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *scheme, *host, *port, *path, *query, *fragment;
    } rows[] = {
        { "https://ex.test/a/b?c=d&e=f#g", "https", "ex.test", "", "/a/b", "c=d&e=f", "g" },
        { "https://ex.test:8443/", "https", "ex.test", "8443", "/", "", "" },
        { "https://ex.test", "https", "ex.test", "", "", "", "" },
        { "https://ex.test?q", "https", "ex.test", "", "", "q", "" },
        { "https://ex.test#f", "https", "ex.test", "", "", "", "f" },
        { "HTTP://EX.test:80/A", "HTTP", "EX.test", "80", "/A", "", "" },
        { "https://user:pass@ex.test/", "https", "ex.test", "", "/", "", "" },
        { "https://u@v@ex.test:1/", "https", "ex.test", "1", "/", "", "" },
        { "https://[2001:db8::1]:8080/a", "https", "[2001:db8::1]", "8080", "/a", "", "" },
        { "https://[::ffff:1.2.3.4]", "https", "[::ffff:1.2.3.4]", "", "", "", "" },
        { "https://b\xc3\xbc"
          "cher.test/",
          "https",
          "b\xc3\xbc"
          "cher.test",
          "", "/", "", "" },
        { "https://ex.test:/", "https", "ex.test", "", "/", "", "" },
        { "//ex.test/a", "", "ex.test", "", "/a", "", "" },
        { "/a/b?c#d", "", "", "", "/a/b", "c", "d" },
        { "a/b", "", "", "", "a/b", "", "" },
        { "?q=1", "", "", "", "", "q=1", "" },
        { "#f?g", "", "", "", "", "", "f?g" },
        { "/a?b?c#d#e", "", "", "", "/a", "b?c", "d#e" },
        { "/a//b", "", "", "", "/a//b", "", "" },
        { "/a:b", "", "", "", "/a:b", "", "" },
        { "./a:b", "", "", "", "./a:b", "", "" },
        { "/r?u=https://x.test/#y", "", "", "", "/r", "u=https://x.test/", "y" },
        { "https:///a", "https", "", "", "/a", "", "" },
        { "file:///etc/x", "file", "", "", "/etc/x", "", "" },
        { "mailto:a@b.test", "mailto", "", "", "a@b.test", "", "" },
        { "javascript:alert(1)", "javascript", "", "", "alert(1)", "", "" },
        { "android-app://com.ex/a", "android-app", "com.ex", "", "/a", "", "" },
        { "", "", "", "", "", "", "" },
        { ":", "", "", "", ":", "", "" },
        { "://x", "", "", "", "://x", "", "" },
        { "1http://x", "", "", "", "1http://x", "", "" },
        { "ht tp://x", "", "", "", "ht tp://x", "", "" },
        /* nobody can say whose these are */
        { "https://a\\@b/c?d#e", "", "", "", "https://a\\@b/c?d#e", "", "" },
        { "https://a\\b/c", "", "", "", "https://a\\b/c", "", "" },
        { "https://a b/", "", "", "", "https://a b/", "", "" },
        { "https://a\tb/", "", "", "", "https://a\tb/", "", "" },
        { "https://a\x7f/", "", "", "", "https://a\x7f/", "", "" },
        { "https://a<b>/", "", "", "", "https://a<b>/", "", "" },
        { "https://a[b/", "", "", "", "https://a[b/", "", "" },
        { "https://[::1/", "", "", "", "https://[::1/", "", "" },
        { "https://[::1]x/", "", "", "", "https://[::1]x/", "", "" },
        { "https://[::1%25eth0]/", "", "", "", "https://[::1%25eth0]/", "", "" },
        { "https://[", "", "", "", "https://[", "", "" },
        { "https://a:b/", "", "", "", "https://a:b/", "", "" },
        { "https://a:80:80/", "", "", "", "https://a:80:80/", "", "" },
        { "https://a:65536/", "", "", "", "https://a:65536/", "", "" },
        { "https://a:-1/", "", "", "", "https://a:-1/", "", "" },
        { "https://a:99999999999999999999/", "", "", "", "https://a:99999999999999999999/", "",
          "" },
        { "https://[u]@b/", "", "", "", "https://[u]@b/", "", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct url u = url_split(str_of(rows[i].text));
        const char *const want[] = { rows[i].scheme, rows[i].host,  rows[i].port,
                                     rows[i].path,   rows[i].query, rows[i].fragment };
        const struct str got[] = { u.scheme, u.host, u.port, u.path, u.query, u.fragment };
        for (size_t k = 0; k < COUNT(got); k++) {
            if (!str_eq(got[k], str_of(want[k])))
                fail_msg("%s: part %zu is '%.*s'", rows[i].text, k, STR_ARG(got[k]));
        }
    }
    assert_int_equal(url_split((struct str){ 0 }).path.n, 0);
    struct str nul = STR("https://a\0b/");
    assert_true(str_eq(url_split(nul).path, nul));
}

static void queries_are_taken_pair_by_pair(void **state)
{
    (void)state;
    struct str rest = STR("a=b&&c&=d&e=f=g&"), n, v;
    static const char *const want[] = { "a", "b", "c", "", "", "d", "e", "f=g" };
    for (size_t i = 0; i < COUNT(want); i += 2) {
        assert_true(query_next(&rest, &n, &v));
        assert_str(n, want[i]);
        assert_str(v, want[i + 1]);
    }
    n = v = STR("before");
    assert_false(query_next(&rest, &n, &v));
    assert_false(query_next(&rest, &n, &v));
    rest = STR("&&&");
    assert_false(query_next(&rest, &n, &v));
    rest = STR("");
    assert_false(query_next(&rest, &n, &v));
    rest = (struct str){ 0 };
    assert_false(query_next(&rest, &n, &v));
    assert_str(n, "before");
    assert_str(v, "before");
}

static void a_query_parameter_is_found_and_decoded(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str query =
                   STR("x=1&writeKey=WK%5FTEST&x=2&em%61il=a%2Bb%40c.test&q=a+b&empty=&bare&%zz=7&"
                       "a%20b=8"),
               v;
    static const struct {
        const char *name, *value;
    } rows[] = { { "x", "1" },
                 { "writeKey", "WK_TEST" },
                 { "email", "a+b@c.test" },
                 { "q", "a b" },
                 { "empty", "" },
                 { "bare", "" },
                 { "%zz", "7" },
                 { "a b", "8" } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(query_get(query, str_of(rows[i].name), &a, &v));
        assert_str(v, rows[i].value);
    }
    v = STR("before");
    static const char *const absent[] = { "writekey", "writeKe", "writeKey2", "", "1", "em%61il" };
    for (size_t i = 0; i < COUNT(absent); i++)
        assert_false(query_get(query, str_of(absent[i]), &a, &v));
    assert_str(v, "before");
}

static void cookies_are_found_by_their_exact_name(void **state)
{
    (void)state;
    struct str header = STR("ajs_anonymous_id=%22an1%22; _ga=GA1.2.3;q=\"quoted value\"; "
                            "b=x=y==;  spaced  =  v w  ;;novalue; empty=; half=\"h; _ga=second; "
                            "one=\"; two=\"\""),
               v;
    static const struct {
        const char *name, *value;
    } rows[] = { { "ajs_anonymous_id", "%22an1%22" },
                 { "_ga", "GA1.2.3" },
                 { "q", "quoted value" },
                 { "b", "x=y==" },
                 { "spaced", "v w" },
                 { "empty", "" },
                 { "half", "\"h" },
                 { "one", "\"" },
                 { "two", "" } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(cookie_get(header, str_of(rows[i].name), &v));
        assert_str(v, rows[i].value);
    }
    v = STR("before");
    static const char *const absent[] = { "ga", "_g", "_GA", "novalue", "x", "" };
    for (size_t i = 0; i < COUNT(absent); i++)
        assert_false(cookie_get(header, str_of(absent[i]), &v));
    assert_false(cookie_get(STR(""), STR("a"), &v));
    assert_false(cookie_get((struct str){ 0 }, STR("a"), &v));
    assert_str(v, "before");
}

/* --- gzip --- */

static struct str gzipped(struct str bytes, int level, struct arena *a)
{
    z_stream z = { .next_in = (const Bytef *)bytes.p, .avail_in = (uInt)bytes.n };
    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY),
                     Z_OK);
    size_t room = bytes.n + bytes.n / 8 + 1000;
    char *p = arena_alloc(a, room);
    z.next_out = (Bytef *)p;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    struct str out = { p, z.total_out };
    deflateEnd(&z);
    return out;
}

static struct str noise(size_t n, struct arena *a)
{
    char *p = arena_alloc(a, n);
    uint32_t x = 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        p[i] = (char)(x >> 24);
    }
    return (struct str){ p, n };
}

static void gzip_comes_out_as_it_went_in(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    static const size_t sizes[] = { 0, 1, 2, 100, 1000, 65535, 65536, 1000000 };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        const struct str zeroes = { arena_alloc(&a, sizes[i]), sizes[i] };
        const struct str ins[] = { noise(sizes[i], &a), zeroes };
        for (size_t k = 0; k < COUNT(ins); k++) {
            for (int level = 0; level <= 9; level += 3) {
                struct str z = gzipped(ins[k], level, &a), out;
                assert_true(gzip_is(z));
                assert_int_equal(gzip_inflate(z, 1000000, &a, &out), OK);
                assert_true(str_eq(out, ins[k]));
                assert_int_equal(gzip_inflate(z, sizes[i], &a, &out), OK);
                assert_true(str_eq(out, ins[k]));
                if (sizes[i] > 0)
                    assert_int_equal(gzip_inflate(z, sizes[i] - 1, &a, &out), ERR_LIMIT);
            }
        }
        arena_clear(&a);
    }
    assert_false(gzip_is(STR("\x1f")) || gzip_is(STR("{}")) || gzip_is((struct str){ 0 }));
}

static void a_bomb_takes_no_more_than_the_limit(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(arena_fini) struct arena out_arena = ARENA_INIT;
    size_t size = 64u << 20, max = 1u << 20;
    struct str bomb = gzipped((struct str){ arena_alloc(&a, size), size }, 9, &a),
               out = STR("before");
    assert_true(bomb.n < 100000);
    assert_int_equal(gzip_inflate(bomb, max, &out_arena, &out), ERR_LIMIT);
    assert_str(out, "before");
    assert_true(arena_size(&out_arena) < 4 * max);

    /* one that lies about its size */
    char *liar = arena_alloc(&a, bomb.n);
    memcpy(liar, bomb.p, bomb.n);
    memset(liar + bomb.n - 4, 0, 4);
    arena_clear(&out_arena);
    assert_int_equal(gzip_inflate((struct str){ liar, bomb.n }, max, &out_arena, &out), ERR_LIMIT);
    assert_true(arena_size(&out_arena) < 4 * max);
    liar[bomb.n - 4] = 1;
    arena_clear(&out_arena);
    assert_int_equal(gzip_inflate((struct str){ liar, bomb.n }, max, &out_arena, &out), ERR_LIMIT);

    /* little that claims to be much */
    struct str small = gzipped(STR("x"), 9, &a);
    memcpy(liar, small.p, small.n);
    memcpy(liar + small.n - 4, "\xff\xff\x0f\x00", 4);
    arena_clear(&out_arena);
    assert_int_equal(gzip_inflate((struct str){ liar, small.n }, max, &out_arena, &out),
                     ERR_SYNTAX);
    assert_true(arena_size(&out_arena) < 64 * 1024);
    assert_str(out, "before");
}

static void damaged_gzip_is_refused(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str text =
        STR("{\"batch\":[{\"userId\":\"u1\"},{\"userId\":\"u1\"},{\"userId\":\"u1\"}]}");
    struct str z = gzipped(text, 9, &a), out = STR("before");
    for (size_t n = 0; n < z.n; n++) { /* cut */
        char *p = n ? must_alloc(n) : NULL;
        if (p)
            memcpy(p, z.p, n);
        assert_int_equal(gzip_inflate((struct str){ p, n }, 100000, &a, &out), ERR_SYNTAX);
        free(p);
    }
    char *p = arena_alloc(&a, z.n * 2);
    for (size_t at = 0; at < z.n; at++) { /* one byte changed */
        if (at == 8 || at == 9 || (at >= 4 && at < 8))
            continue; /* time and system, which say nothing about the content */
        memcpy(p, z.p, z.n);
        p[at] ^= 0x20;
        enum err err = gzip_inflate((struct str){ p, z.n }, 100000, &a, &out);
        if (err == OK && at == z.n - 9 && str_eq(out, text))
            out = STR("before"); /* bits behind the last block mean nothing */
        else
            assert_int_equal(err, ERR_SYNTAX);
    }
    memcpy(p, z.p, z.n); /* something behind */
    assert_int_equal(gzip_inflate((struct str){ p, z.n + 1 }, 100000, &a, &out), ERR_SYNTAX);
    memcpy(p + z.n, z.p, z.n); /* a second member */
    assert_int_equal(gzip_inflate((struct str){ p, z.n * 2 }, 100000, &a, &out), ERR_SYNTAX);
    assert_int_equal(gzip_inflate(STR("\x78\x9c\x03\x00\x00\x00\x00\x01"), 9, &a, &out),
                     ERR_SYNTAX);
    assert_int_equal(gzip_inflate(text, 9, &a, &out), ERR_SYNTAX);
    assert_int_equal(gzip_inflate((struct str){ 0 }, 9, &a, &out), ERR_SYNTAX);
    assert_str(out, "before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_of_both_alphabets_is_read),
        cmocka_unit_test(bytes_of_no_alphabet_are_refused),
        cmocka_unit_test(encoded_bytes_come_back),
        cmocka_unit_test(hexadecimal_of_either_case_is_read),
        cmocka_unit_test(percent_signs_are_decoded_or_stay),
        cmocka_unit_test(urls_fall_into_their_parts),
        cmocka_unit_test(queries_are_taken_pair_by_pair),
        cmocka_unit_test(a_query_parameter_is_found_and_decoded),
        cmocka_unit_test(cookies_are_found_by_their_exact_name),
        cmocka_unit_test(gzip_comes_out_as_it_went_in),
        cmocka_unit_test(a_bomb_takes_no_more_than_the_limit),
        cmocka_unit_test(damaged_gzip_is_refused),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
