#include "store/seal.h"
#include "codec/text.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static struct arena a;

static int clear(void **state)
{
    (void)state;
    arena_fini(&a);
    return 0;
}

static struct str bytes_of(const char *hex)
{
    struct str s = { 0 };
    assert_true(hex_decode(str_of(hex), &a, &s));
    return s;
}

/* RFC 8032, section 7.1, tests 1 and 2. */
static void signatures_are_those_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        const char *seed, *key, *message, *signature;
    } rows[] = {
        { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
          "1cf9b4"
          "6bd25bf5f0595bbe24655141438e7a100b" },
        { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
          "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
          "d0f11d"
          "8c387b2eaeb4302aeeb00d291612bb0c00" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t key[SIGN_KEY], signature[SIGNATURE];
        const uint8_t *seed = (const uint8_t *)bytes_of(rows[i].seed).p;
        struct str message = rows[i].message[0] ? bytes_of(rows[i].message) : STR("");
        sign_public(seed, key);
        sign(seed, message, signature);
        assert_memory_equal(key, bytes_of(rows[i].key).p, SIGN_KEY);
        assert_memory_equal(signature, bytes_of(rows[i].signature).p, SIGNATURE);
        assert_true(sign_agrees(key, message, (struct str){ (char *)signature, SIGNATURE }));
        assert_false(sign_agrees(key, STR("other"), (struct str){ (char *)signature, SIGNATURE }));
        assert_false(sign_agrees(key, message, (struct str){ (char *)signature, SIGNATURE - 1 }));
        signature[63] ^= 1;
        assert_false(sign_agrees(key, message, (struct str){ (char *)signature, SIGNATURE }));
    }
}

static struct seal example(void)
{
    struct seal s = { .from = 8, .to = 12, .at_ms = 1772323200123, .has_previous = true };
    memset(s.head, 1, sizeof s.head);
    memset(s.root, 2, sizeof s.root);
    memset(s.previous, 3, sizeof s.previous);
    memset(s.key, 4, sizeof s.key);
    return s;
}

static void what_was_written_is_read_again(void **state)
{
    (void)state;
    struct seal s = example(), read;
    assert_true(seal_read(seal_write(&s, &a), &a, &read));
    assert_memory_equal(&read, &s, sizeof s);
    s.has_previous = false;
    assert_true(seal_read(seal_write(&s, &a), &a, &read));
    assert_false(read.has_previous);
    struct key_statement k = { .at_ms = 1772323200123, .has_previous = true }, again;
    memset(k.public, 5, sizeof k.public);
    memset(k.previous, 6, sizeof k.previous);
    assert_true(key_statement_read(key_statement_write(&k, &a), &a, &again));
    assert_memory_equal(&again, &k, sizeof k);
}

/* A statement has one form, so that two readers cannot see two things in it. */
static void a_statement_in_another_form_is_none(void **state)
{
    (void)state;
    struct seal s = example(), read;
    struct str good = seal_write(&s, &a);
    for (size_t cut = 0; cut < good.n; cut++)
        assert_false(seal_read((struct str){ good.p, cut }, &a, &read));
    for (size_t i = 0; i < good.n; i++) {
        struct str other = arena_str(&a, good);
        ((char *)other.p)[i] ^= 0x20; /* upper case, among others */
        if (seal_read(other, &a, &read))
            assert_memory_not_equal(&read, &s, sizeof s);
    }
    assert_false(seal_read(arena_printf(&a, "%.*s ", STR_ARG(good)), &a, &read));
    assert_false(seal_read(arena_printf(&a, " %.*s", STR_ARG(good)), &a, &read));
    assert_false(seal_read(arena_printf(&a, "%.*s,\"x\":1}", (int)good.n - 1, good.p), &a, &read));
    assert_false(seal_read(STR("[]"), &a, &read));
    s.from = 13; /* behind its end */
    assert_false(seal_read(seal_write(&s, &a), &a, &read));
    s.from = 0;
    assert_false(seal_read(seal_write(&s, &a), &a, &read));
    struct key_statement k;
    assert_false(key_statement_read(good, &a, &k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(signatures_are_those_of_the_standard, clear),
        cmocka_unit_test_teardown(what_was_written_is_read_again, clear),
        cmocka_unit_test_teardown(a_statement_in_another_form_is_none, clear),
    };
    return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
