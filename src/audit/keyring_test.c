#include "audit/keyring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct place {
    char dir[64];
    struct str file;
    struct arena a;
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/licet-keys-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    p->file = arena_printf(&p->a, "%s/signing.key", p->dir);
    *state = p;
    return 0;
}

static int free_place(void **state)
{
    struct place *p = *state;
    (void)unlink(p->file.p);
    int left = rmdir(p->dir); /* nothing else was left there */
    arena_fini(&p->a);
    free(p);
    return left;
}

static struct keyring load(struct place *p)
{
    struct keyring k = { 0 };
    struct err_info info = { 0 };
    if (keyring_load(p->file, &p->a, &k, &info) != OK)
        fail_msg("%s", info.text);
    return k;
}

static void the_first_key_is_made_once_and_for_its_owner_alone(void **state)
{
    struct place *p = *state;
    struct stat st;
    struct keyring k;
    assert_int_equal(keyring_load(p->file, &p->a, &k, NULL), ERR_NOT_FOUND);
    assert_int_equal(keyring_make(p->file, 1000, &p->a, NULL), OK);
    assert_int_equal(keyring_make(p->file, 2000, &p->a, NULL), ERR_CONFLICT);
    assert_int_equal(stat(p->file.p, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    k = load(p);
    assert_int_equal(k.count, 1);
    assert_int_equal(k.known[0].key.at_ms, 1000);
    assert_false(k.known[0].key.has_previous || key_is_handed_over(&k.known[0]));
    assert_true(key_agrees(&k.known[0]));
    uint8_t public[SIGN_KEY];
    sign_public(k.seed, public);
    assert_memory_equal(public, k.key, SIGN_KEY);
}

static void a_new_key_is_handed_over_to_and_the_old_secret_is_gone(void **state)
{
    struct place *p = *state;
    assert_int_equal(keyring_make(p->file, 1000, &p->a, NULL), OK);
    struct keyring first = load(p);
    assert_int_equal(keyring_turn(p->file, 2000, &p->a, NULL), OK);
    assert_int_equal(keyring_turn(p->file, 3000, &p->a, NULL), OK);
    struct keyring k = load(p);
    assert_int_equal(k.count, 3);
    assert_memory_equal(k.known[0].key.public, first.key, SIGN_KEY);
    for (uint32_t i = 1; i < 3; i++) {
        assert_true(key_agrees(&k.known[i]) && key_is_handed_over(&k.known[i]));
        assert_memory_equal(k.known[i].key.previous, k.known[i - 1].key.public, SIGN_KEY);
    }
    assert_memory_equal(k.known[2].key.public, k.key, SIGN_KEY);
    assert_memory_not_equal(k.seed, first.seed, SIGN_SEED);
}

static void no_more_keys_than_can_be_read_again(void **state)
{
    struct place *p = *state;
    assert_int_equal(keyring_make(p->file, 1, &p->a, NULL), OK);
    for (int i = 1; i < LIMIT_SIGNING_KEYS; i++)
        assert_int_equal(keyring_turn(p->file, i, &p->a, NULL), OK);
    assert_int_equal(keyring_turn(p->file, 1, &p->a, NULL), ERR_LIMIT);
    assert_int_equal(load(p).count, LIMIT_SIGNING_KEYS);
}

static void a_file_that_others_can_read_is_refused(void **state)
{
    struct place *p = *state;
    struct keyring k;
    assert_int_equal(keyring_make(p->file, 1, &p->a, NULL), OK);
    static const mode_t open_to[] = { 0640, 0604, 0610, 0602 };
    for (size_t i = 0; i < COUNT(open_to); i++) {
        assert_int_equal(chmod(p->file.p, open_to[i]), 0);
        assert_int_equal(keyring_load(p->file, &p->a, &k, NULL), ERR_FORBIDDEN);
        assert_int_equal(keyring_turn(p->file, 2, &p->a, NULL), ERR_FORBIDDEN);
    }
}

/* Any character changed: a statement, a signature or the seed does not agree any more. White space may. */
static void a_damaged_file_is_refused(void **state)
{
    struct place *p = *state;
    char text[8192];
    struct keyring k;
    assert_int_equal(keyring_make(p->file, 1, &p->a, NULL), OK);
    assert_int_equal(keyring_turn(p->file, 2, &p->a, NULL), OK);
    FILE *f = fopen(p->file.p, "r+");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    const char *keys = memmem(text, n, "\"seed\"", 6);
    assert_non_null(keys);
    for (size_t i = (size_t)(keys - text); i < n; i++) {
        if (text[i] == '\n')
            continue;
        assert_int_equal(fseek(f, (long)i, SEEK_SET), 0);
        assert_int_equal(fputc(text[i] ^ 1, f), (unsigned char)(text[i] ^ 1));
        assert_int_equal(fflush(f), 0);
        if (keyring_load(p->file, &p->a, &k, NULL) != ERR_CORRUPT)
            fail_msg("byte %zu ('%c') was changed, and nobody noticed", i, text[i]);
        assert_int_equal(fseek(f, (long)i, SEEK_SET), 0);
        assert_int_equal(fputc(text[i], f), (unsigned char)text[i]);
        arena_clear(&p->a);
        p->file = arena_printf(&p->a, "%s/signing.key", p->dir);
    }
    assert_int_equal(fclose(f), 0);
    assert_int_equal(load(p).count, 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_place, free_place)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_first_key_is_made_once_and_for_its_owner_alone),
        T(a_new_key_is_handed_over_to_and_the_old_secret_is_gone),
        T(no_more_keys_than_can_be_read_again),
        T(a_file_that_others_can_read_is_refused),
        T(a_damaged_file_is_refused),
    };
    return cmocka_run_group_tests_name("keyring", tests, NULL, NULL);
}
