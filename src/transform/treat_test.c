#include "transform/treat.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const uint8_t secret[32] = "thirty-two bytes of some secret";
static const uint8_t other_secret[32] = "thirty-two bytes of more secrets";
static const int64_t DAY = 24LL * 3600 * 1000;

#define assert_str(s, text) assert_true(str_eq((s), str_of(text)))

static void a_pseudonym_belongs_to_one_destination_and_epoch(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str v = STR("u1");
    int64_t at = 30 * 100 * DAY;
    struct str p = treat_pseudonymise(v, secret, 3, 30, at, &a);
    assert_int_equal(p.n, 32);
    assert_int_equal(strspn(p.p, "0123456789abcdef"), 32);
    /* the same within the epoch, from its first to its last moment */
    assert_true(str_eq(p, treat_pseudonymise(v, secret, 3, 30, at + 30 * DAY - 1, &a)));
    /* and different everywhere else */
    struct str others[] = {
        treat_pseudonymise(STR("u2"), secret, 3, 30, at, &a),
        treat_pseudonymise(STR(""), secret, 3, 30, at, &a),
        treat_pseudonymise(v, other_secret, 3, 30, at, &a),
        treat_pseudonymise(v, secret, 4, 30, at, &a),
        treat_pseudonymise(v, secret, 3, 30, at + 30 * DAY, &a),
        treat_pseudonymise(v, secret, 3, 30, at - 1, &a),
        treat_pseudonymise(v, secret, 3, 15, at, &a),
        treat_pseudonymise(v, secret, 3, 0, at, &a),
        p,
    };
    for (size_t i = 0; i < COUNT(others); i++) {
        for (size_t j = 0; j < i; j++)
            assert_false(str_eq(others[i], others[j]));
    }
    struct str ever = treat_pseudonymise(v, secret, 3, 0, 0, &a);
    assert_true(str_eq(ever, treat_pseudonymise(v, secret, 3, 0, 9999 * 365 * DAY, &a)));
    struct treat_key key = treat_key_of(secret, 3, 30, at);
    assert_true(str_eq(p, treat_pseudonymise_with(v, &key, &a)));
}

static void pseudonyms_do_not_change_between_releases(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    /* key = HMAC(secret, "licet pseudonym\0" 3u32 30u32 100u64), then HMAC(key, "u1"), first half;
     * computed with Python's hmac module */
    assert_str(treat_pseudonymise(STR("u1"), secret, 3, 30, 30 * 100 * DAY, &a),
               "b09358fce5209e19897f6ce728924eca");
}

static void addresses_lose_their_ends(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } rows[] = {
        { "203.0.113.7", "203.0.113.0" },
        { "255.255.255.255", "255.255.255.0" },
        { "0.0.0.0", "0.0.0.0" },
        { "2001:db8:1:2::3", "2001:db8:1::" },
        { "2001:db8:1:ffff:ffff:ffff:ffff:ffff", "2001:db8:1::" },
        { "2001:DB8::1", "2001:db8::" },
        { "::1", "::" },
        { "::ffff:203.0.113.7", "203.0.113.0" },
        { "::ffff:cb00:7107", "203.0.113.0" },
        { "fe80::1%eth0", "" },
        { "[2001:db8::1]", "" },
        { "203.0.113.7:80", "" },
        { " 203.0.113.7", "" },
        { "203.0.113", "" },
        { "203.0.113.256", "" },
        { "localhost", "" },
        { "", "" },
        { "2001:db8:1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20", "" },
    };
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_str(treat_truncate_ip(str_of(rows[i].from), &a), rows[i].to);
    assert_int_equal(treat_truncate_ip(STR("203.0.113.7\0x"), &a).n, 0);
}

static void urls_keep_only_named_parameters(void **state)
{
    (void)state;
    static const struct str keep[] = { STR_INIT("utm_*"), STR_INIT("q") };
    static const struct {
        const char *from, *to;
    } rows[] = {
        { "https://ex.test/a?utm_source=x&email=a@b.test&q=1#frag",
          "https://ex.test/a?utm_source=x&q=1" },
        { "https://ex.test/a?email=a", "https://ex.test/a" },
        { "https://ex.test/a?", "https://ex.test/a" },
        { "https://ex.test/a#t?utm_source=x", "https://ex.test/a" },
        { "https://ex.test?q=1", "https://ex.test?q=1" },
        { "https://ex.test", "https://ex.test" },
        { "https://user:pw@ex.test:8443/a", "https://ex.test:8443/a" },
        { "https://a@b@ex.test/", "https://ex.test/" },
        { "https://ex.test/@name?q=a@b", "https://ex.test/@name?q=a@b" },
        { "//user@ex.test/a?q=1", "//ex.test/a?q=1" },
        { "https:\\\\user:pw@ex.test\\a", "https:\\\\ex.test\\a" },
        { "/a/b?q=1&x=2", "/a/b?q=1" },
        { "?utm_medium=m&x", "?utm_medium=m" },
        { "a/b:c?q", "a/b:c?q" },
        { "$direct", "$direct" },
        { "/a?utm%5Fsource=x&%71=2", "/a?utm%5Fsource=x&%71=2" },
        { "/a?utm_source=x%26email%3Da", "/a?utm_source=x%26email%3Da" },
        { "/a?Q=1&utmx=2&utm=3&qq=4", "/a" },
        { "/a?&&q=1&&", "/a?q=1" },
        { "/a?x=1?q=1", "/a" },
        { "  https://ex.test/a?q=1 \n", "https://ex.test/a?q=1" },
        { "mailto:a@b.test?q=1", "" },
        { "data:text/html,hello", "" },
        { "tel:+491234", "" },
        { "https:/user@ex.test/", "" },
        { "android-app://com.example/a?x=1", "android-app://com.example/a" },
        { "", "" },
        { "#a", "" },
    };
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str got = treat_query(str_of(rows[i].from), keep, COUNT(keep), &a);
        if (!str_eq(got, str_of(rows[i].to)))
            print_message("%s: %.*s\n", rows[i].from, STR_ARG(got));
        assert_str(got, rows[i].to);
    }
    assert_str(treat_query(STR("/a?q=1"), NULL, 0, &a), "/a");
    static const struct str all[] = { STR_INIT("*") };
    assert_str(treat_query(STR("/a?q=1&x=2#f"), all, 1, &a), "/a?q=1&x=2");
}

static void hashes_are_those_that_ad_platforms_compute(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    /* printf %s test@example.com | sha256sum */
    const char *want = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b";
    assert_str(treat_hash(STR("test@example.com"), &a), want);
    assert_str(treat_hash(STR(" \tTest@Example.COM\r\n"), &a), want);
    /* printf '\xc3\x9c' | sha256sum: other letters stay as they are */
    assert_str(treat_hash(STR("\xc3\x9c"), &a),
               "913d7314efae6e928bc40f303f3860e56c842124ee6430b1e9d84bec8397e146");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pseudonym_belongs_to_one_destination_and_epoch),
        cmocka_unit_test(pseudonyms_do_not_change_between_releases),
        cmocka_unit_test(addresses_lose_their_ends),
        cmocka_unit_test(urls_keep_only_named_parameters),
        cmocka_unit_test(hashes_are_those_that_ad_platforms_compute),
    };
    return cmocka_run_group_tests_name("treat", tests, NULL, NULL);
}
