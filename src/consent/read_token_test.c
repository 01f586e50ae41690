#include "consent/read_token.h"

#include "base/limits.h"
#include "codec/text.h"
#include "consent/ledger.h"

#include <sodium.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define NOW 1767225600000LL /* 2026-01-01 */
#define MINUTE 60000LL

static const uint8_t secret[32] = { 1, 2, 3 };
static struct arena a;

static struct str token_of(const char *subject, int64_t expires_ms)
{
    return read_token_make(secret, str_of(subject), expires_ms, &a);
}

static bool good(struct str token, int64_t now)
{
    struct str subject = STR("untouched");
    int64_t expires = -1;
    bool ok = read_token_check(secret, token, now, &a, &subject, &expires);
    if (!ok) {
        assert_true(str_eq(subject, STR("untouched")));
        assert_int_equal(expires, -1);
    }
    return ok;
}

static void a_token_gives_back_its_subject_and_its_end(void **state)
{
    (void)state;
    char longest[LIMIT_ID];
    memset(longest, 'x', sizeof longest);
    const struct str ids[] = { STR("a"),
                               STR("5f2b6c1e-8a61-4c3e-9d36-0d4a3a8f1b11"),
                               STR("M\xc3\xbcller"),
                               { longest, sizeof longest } };
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct str subject, token = read_token_make(secret, ids[i], NOW + MINUTE, &a);
        int64_t expires;
        assert_true(read_token_check(secret, token, NOW, &a, &subject, &expires));
        assert_true(str_eq(subject, ids[i]));
        assert_int_equal(expires, NOW + MINUTE);
    }
}

static void a_token_is_over_at_its_end_and_stays_so(void **state)
{
    (void)state;
    struct str token = token_of("u", NOW + MINUTE);
    assert_true(good(token, NOW));
    assert_true(good(token, NOW + MINUTE - 1));
    assert_false(good(token, NOW + MINUTE));
    assert_false(good(token, NOW + 100 * 365 * 24 * 60 * MINUTE));
    assert_false(good(token, INT64_MAX));
}

static void a_clock_that_was_set_back_lengthens_no_life_beyond_the_most(void **state)
{
    (void)state;
    struct str token = token_of("u", NOW + MINUTE);
    assert_true(good(token, NOW + MINUTE - LIMIT_READ_TOKEN_MS));
    assert_false(good(token, NOW + MINUTE - LIMIT_READ_TOKEN_MS - 1));
    assert_false(good(token, 0));
    assert_false(good(token_of("u", INT64_MAX), NOW));
}

static void a_token_with_any_bit_changed_is_refused(void **state)
{
    (void)state;
    struct str bytes, token = token_of("device-1", NOW + MINUTE);
    assert_true(base64_decode(token, &a, &bytes));
    for (size_t i = 0; i < bytes.n * 8; i++) {
        struct str forged = arena_str(&a, bytes);
        ((char *)(uintptr_t)forged.p)[i / 8] ^= (char)(1 << i % 8);
        assert_false(good(base64url_encode(forged, &a), NOW));
    }
}

static void a_token_with_any_character_changed_cut_or_added_is_refused(void **state)
{
    (void)state;
    static const char *const subject[] = { "u1", "u12", "u123" }; /* each with other odd bits */
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n";
    for (size_t k = 0; k < COUNT(subject); k++) {
        struct str token = token_of(subject[k], NOW + MINUTE);
        for (size_t i = 0; i < token.n; i++) {
            for (const char *c = alphabet; *c; c++) {
                struct str forged = arena_str(&a, token);
                ((char *)(uintptr_t)forged.p)[i] = *c;
                assert_int_equal(good(forged, NOW), *c == token.p[i]);
            }
            assert_false(good((struct str){ token.p, i }, NOW));
        }
        for (const char *c = alphabet; *c; c++)
            assert_false(good(arena_printf(&a, "%.*s%c", STR_ARG(token), *c), NOW));
        assert_false(good(arena_printf(&a, "%.*s==", STR_ARG(token)), NOW));
    }
}

static void a_token_of_one_is_not_good_for_another(void **state)
{
    (void)state;
    struct str mine, hers, mixed;
    assert_true(base64_decode(token_of("user-1", NOW + MINUTE), &a, &mine));
    assert_true(base64_decode(token_of("user-2", NOW + MINUTE), &a, &hers));
    mixed = arena_str(&a, mine); /* the MAC of the one over the name of the other */
    memcpy((char *)(uintptr_t)mixed.p + mixed.n - 6, hers.p + hers.n - 6, 6);
    assert_false(good(base64url_encode(mixed, &a), NOW));
    struct str later; /* and of the same one, over a later end */
    assert_true(base64_decode(token_of("user-1", NOW + 2 * MINUTE), &a, &later));
    mixed = arena_str(&a, mine);
    memcpy((char *)(uintptr_t)mixed.p + 1, later.p + 1, 8);
    assert_false(good(base64url_encode(mixed, &a), NOW));
}

static void what_the_same_secret_signs_for_other_ends_is_no_read_token(void **state)
{
    (void)state;
    struct str subject = STR("u1"), found = STR("untouched");
    struct str device = device_token_make(secret, subject, &a);
    assert_false(good(device, NOW));
    assert_false(device_token_check(secret, token_of("u1", NOW + MINUTE), &a, &found));
    /* nor with the other's first byte put in front */
    struct str bytes;
    assert_true(base64_decode(device, &a, &bytes));
    ((char *)(uintptr_t)bytes.p)[0] = 2;
    assert_false(good(base64url_encode(bytes, &a), NOW));
    assert_true(base64_decode(token_of("u1", NOW + MINUTE), &a, &bytes));
    ((char *)(uintptr_t)bytes.p)[0] = 1;
    assert_false(device_token_check(secret, base64url_encode(bytes, &a), &a, &found));
    assert_true(str_eq(found, STR("untouched")));
    /* nor is it a subject token, whose secret is another's: HMAC of the id alone */
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    (void)crypto_auth_hmacsha256(mac, (const uint8_t *)subject.p, subject.n, secret);
    struct str of_subject = base64url_encode((struct str){ (const char *)mac, sizeof mac }, &a);
    assert_false(good(of_subject, NOW));
    assert_true(subject_token_check((struct str){ (const char *)secret, sizeof secret }, subject,
                                    of_subject, &a));
    assert_false(subject_token_check((struct str){ (const char *)secret, sizeof secret }, subject,
                                     token_of("u1", NOW + MINUTE), &a));
}

static void a_token_of_another_installation_is_refused(void **state)
{
    (void)state;
    static const uint8_t other[32] = { 1, 2, 4 };
    struct str subject, token = read_token_make(other, STR("u1"), NOW + MINUTE, &a);
    int64_t expires;
    assert_false(good(token, NOW));
    assert_true(read_token_check(other, token, NOW, &a, &subject, &expires));
}

static void rubbish_is_no_read_token(void **state)
{
    (void)state;
    char longest[4096];
    memset(longest, 'A', sizeof longest);
    const struct str rubbish[] = {
        { 0 },
        STR(""),
        STR("."),
        STR("u1"),
        STR("="),
        STR("Ag=="),
        STR("\xff"),
        STR("AgAAAAA"),
        { longest, sizeof longest },
        { longest, 54 },
        { longest, 55 },
        { longest, 56 },
        { longest, 395 },
        { longest, 396 },
    };
    for (size_t i = 0; i < COUNT(rubbish); i++)
        assert_false(good(rubbish[i], NOW));
    assert_false(good(token_of("anonymous", NOW + MINUTE), NOW)); /* signed, and yet nobody's */
}

static int clear(void **state)
{
    (void)state;
    arena_clear(&a);
    return 0;
}

#define T(f) cmocka_unit_test_teardown(f, clear)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_token_gives_back_its_subject_and_its_end),
        T(a_token_is_over_at_its_end_and_stays_so),
        T(a_clock_that_was_set_back_lengthens_no_life_beyond_the_most),
        T(a_token_with_any_bit_changed_is_refused),
        T(a_token_with_any_character_changed_cut_or_added_is_refused),
        T(a_token_of_one_is_not_good_for_another),
        T(what_the_same_secret_signs_for_other_ends_is_no_read_token),
        T(a_token_of_another_installation_is_refused),
        T(rubbish_is_no_read_token),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_fini(&a);
    return failed;
}
