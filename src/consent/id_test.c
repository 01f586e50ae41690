#include "consent/ledger.h"

#include "base/limits.h"
#include "codec/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void ids_that_collect_strangers_are_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",
        "null",
        "NULL",
        "Null",
        "undefined",
        "nil",
        "none",
        "NaN",
        "0",
        "00",
        "0.0",
        "-0",
        "-1",
        "anonymous",
        "Anonymous",
        "unknown",
        "guest",
        "true",
        "false",
        "{}",
        "[]",
        "(not set)",
        "[object Object]",
        "00000000-0000-0000-0000-000000000000",
        "00000000000000000000000000000000",
        "{00000000-0000-0000-0000-000000000000}",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        " ",
        "   null ",
        "\tanonymous",
        "a\nb",
        "a\x7f"
        "b",
        "a\tb",
        "a\xc2\x85"
        "b",
        "\xff",
        "a\xc3",
        "\xed\xa0\x80",
        "\xc0\x80",
        "-",
        "0-0",
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        if (subject_id_ok(str_of(refused[i])))
            fail_msg("accepted: \"%s\"", refused[i]);
    }
    assert_false(subject_id_ok((struct str){ "a\0b", 3 }));
    assert_false(subject_id_ok((struct str){ "\0", 1 }));
}

static void ids_of_one_subject_are_accepted(void **state)
{
    (void)state;
    static const char *const accepted[] = {
        "1",
        "42",
        "007",
        "a",
        "anonymous-7",
        "null1",
        "user@example.org",
        "M\xc3\xbcller",
        "00000000-0000-0000-0000-000000000001",
        "5f2b6c1e-8a61-4c3e-9d36-0d4a3a8f1b11",
        "\xf0\x9f\x99\x82",
        "a b",
        "x/y?z",
        "0x1",
        "-2",
        "'; drop table act; --",
        "no",
    };
    for (size_t i = 0; i < COUNT(accepted); i++) {
        if (!subject_id_ok(str_of(accepted[i])))
            fail_msg("refused: \"%s\"", accepted[i]);
    }
}

static void ids_have_a_maximum(void **state)
{
    (void)state;
    char id[LIMIT_ID + 1];
    memset(id, 'x', sizeof id);
    assert_true(subject_id_ok((struct str){ id, LIMIT_ID }));
    assert_false(subject_id_ok((struct str){ id, LIMIT_ID + 1 }));
}

static const uint8_t secret[32] = { 1, 2, 3 };

static void a_device_token_gives_back_its_subject(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    char longest[LIMIT_ID];
    memset(longest, 'x', sizeof longest);
    const struct str ids[] = { STR("a"),
                               STR("5f2b6c1e-8a61-4c3e-9d36-0d4a3a8f1b11"),
                               STR("M\xc3\xbcller"),
                               { longest, sizeof longest } };
    for (size_t i = 0; i < COUNT(ids); i++) {
        struct str token = device_token_make(secret, ids[i], &a), subject = { 0 };
        assert_true(device_token_check(secret, token, &a, &subject));
        assert_true(str_eq(subject, ids[i]));
    }
}

static void a_changed_device_token_is_refused(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str token = device_token_make(secret, STR("device-1"), &a);
    struct str bytes, subject = STR("untouched");
    assert_true(base64_decode(token, &a, &bytes));
    for (size_t i = 0; i < bytes.n * 8; i++) { /* any one bit */
        struct str forged = arena_str(&a, bytes);
        ((char *)(uintptr_t)forged.p)[i / 8] ^= (char)(1 << i % 8);
        assert_false(device_token_check(secret, base64url_encode(forged, &a), &a, &subject));
    }
    for (size_t n = 0; n < token.n; n++) /* cut anywhere */
        assert_false(device_token_check(secret, (struct str){ token.p, n }, &a, &subject));
    assert_true(str_eq(subject, STR("untouched")));
}

static void a_device_token_of_another_secret_is_refused(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    static const uint8_t other[32] = { 1, 2, 4 };
    struct str subject, token = device_token_make(other, STR("device-1"), &a);
    assert_false(device_token_check(secret, token, &a, &subject));
    assert_true(device_token_check(other, token, &a, &subject));
}

static void rubbish_is_no_device_token(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    char longest[4096];
    memset(longest, 'A', sizeof longest);
    const struct str rubbish[] = { { 0 },
                                   STR(""),
                                   STR("."),
                                   STR("device-1"),
                                   STR("="),
                                   STR("AQ=="),
                                   STR("\xff\xff\xff\xff"),
                                   { longest, sizeof longest },
                                   { longest, 44 },
                                   { longest, 48 } };
    struct str subject;
    for (size_t i = 0; i < COUNT(rubbish); i++)
        assert_false(device_token_check(secret, rubbish[i], &a, &subject));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_that_collect_strangers_are_refused),
        cmocka_unit_test(ids_of_one_subject_are_accepted),
        cmocka_unit_test(ids_have_a_maximum),
        cmocka_unit_test(a_device_token_gives_back_its_subject),
        cmocka_unit_test(a_changed_device_token_is_refused),
        cmocka_unit_test(a_device_token_of_another_secret_is_refused),
        cmocka_unit_test(rubbish_is_no_device_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
