#include "store/merkle.h"
#include "base/must.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

enum { MOST = 300 };

static uint8_t entry[MOST][CHAIN_HASH];

static int fill(void **state)
{
    (void)state;
    for (int i = 0; i < MOST; i++)
        memset(entry[i], i, CHAIN_HASH);
    return 0;
}

static struct str first(uint64_t n)
{
    return (struct str){ (const char *)entry, n * CHAIN_HASH };
}

static void root_of(uint64_t n, uint8_t ret_root[CHAIN_HASH])
{
    struct merkle m = { 0 };
    for (uint64_t i = 0; i < n; i++)
        merkle_add(&m, entry[i]);
    merkle_root(&m, ret_root);
}

/* The expected values are from a few lines of Python that say what RFC 6962 says. */
static void roots_are_those_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        uint64_t n;
        const char *root;
    } rows[] = { { 1, "d8908c165dee785924e7421a0fd0418a19d5daeec395fd505a92a0fd3117e428" },
                 { 2, "fa58e34ac53c9bb7b87b36ac8f863e802bb942a0924532cabfd8a351507c6bef" },
                 { 3, "cdcce76799ccfa20cdc9d4fb0b058f2ba3507fe82f5785e55cda3ed23f4626f2" },
                 { 7, "c09bbb150d42b6d3060703eeba98a9081a84083187606af6de6bf8bfe0fe3a0f" },
                 { 200, "801c3100376fd28edb1dccbc68237e3720d873a2389f74503d886b364f9d9e13" } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t root[CHAIN_HASH];
        char text[2 * CHAIN_HASH + 1];
        root_of(rows[i].n, root);
        for (int b = 0; b < CHAIN_HASH; b++)
            (void)snprintf(text + 2 * b, 3, "%02x", root[b]);
        assert_string_equal(text, rows[i].root);
    }
}

static void every_entry_has_a_path_to_the_root(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= MOST; n += n < 40 ? 1 : 37) {
        struct merkle_tree t;
        uint8_t root[CHAIN_HASH], path[MERKLE_DEPTH * CHAIN_HASH];
        size_t bytes;
        root_of(n, root);
        merkle_tree_init(&t, first(n));
        for (uint64_t i = 0; i < n; i++) {
            merkle_tree_path(&t, i, path, &bytes);
            assert_true(bytes <= 9 * CHAIN_HASH);
            assert_true(merkle_holds(entry[i], i, n, (struct str){ (char *)path, bytes }, root));
        }
        merkle_tree_fini(&t);
    }
}

static void nothing_else_has_one(void **state)
{
    (void)state;
    enum { N = 21 };
    struct merkle_tree t;
    uint8_t root[CHAIN_HASH], path[MERKLE_DEPTH * CHAIN_HASH];
    size_t bytes;
    root_of(N, root);
    merkle_tree_init(&t, first(N));
    for (uint64_t i = 0; i < N; i++) {
        merkle_tree_path(&t, i, path, &bytes);
        struct str p = { (char *)path, bytes };
        assert_false(merkle_holds(entry[N], i, N, p, root));
        for (uint64_t other = 0; other < N + 3; other++)
            assert_true(merkle_holds(entry[i], other, N, p, root) == (other == i));
        assert_false(merkle_holds(entry[i], i, N, (struct str){ p.p, p.n - CHAIN_HASH }, root));
        assert_false(merkle_holds(entry[i], i, N, (struct str){ p.p, p.n - 1 }, root));
        assert_false(merkle_holds(entry[i], i, N, (struct str){ p.p, p.n + CHAIN_HASH }, root));
        path[bytes / 2] ^= 4;
        assert_false(merkle_holds(entry[i], i, N, p, root));
    }
    assert_false(merkle_holds(entry[0], 0, 0, (struct str){ 0 }, root));
    assert_false(merkle_holds(entry[0], 0, UINT64_MAX, (struct str){ 0 }, root));
    merkle_tree_fini(&t);
}

/* An inner node passed off as an entry: the marks in front keep them apart. */
static void a_node_is_no_entry(void **state)
{
    (void)state;
    struct merkle_tree t;
    uint8_t root[CHAIN_HASH];
    root_of(4, root);
    merkle_tree_init(&t, first(4));
    assert_false(merkle_holds(t.level[1], 0, 2,
                              (struct str){ (char *)t.level[1] + CHAIN_HASH, CHAIN_HASH }, root));
    merkle_tree_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_the_standard),
        cmocka_unit_test(every_entry_has_a_path_to_the_root),
        cmocka_unit_test(nothing_else_has_one),
        cmocka_unit_test(a_node_is_no_entry),
    };
    return cmocka_run_group_tests_name("merkle", tests, fill, NULL);
}
