#include "store/chain.h"
#include "base/must.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

static void assert_hex(const uint8_t hash[CHAIN_HASH], const char *expected)
{
    char text[2 * CHAIN_HASH + 1];
    for (int i = 0; i < CHAIN_HASH; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", hash[i]);
    assert_string_equal(text, expected);
}

static const uint8_t key[CHAIN_KEY] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

/* The expected values are from Python's hashlib.blake2b, put together as chain.h says. */
static void hashes_are_those_of_another_blake2b(void **state)
{
    (void)state;
    uint8_t fact[CHAIN_HASH], event[CHAIN_HASH], head[CHAIN_HASH], previous[CHAIN_HASH];
    chain_fact_leaf(key, 1, 258, STR("{\"id\":\"x\"}"), STR("columns"), fact);
    assert_hex(fact, "9d63144dee7550296a4ef1546dbd4dd4d98b44f3a012bfa811c823fda69bddb2");
    chain_event_leaf(key, 7, 3, STR("entry"), event);
    assert_hex(event, "01c4e9e58ca60659f2b439c224ac8868e3a571aa54668b1942bd9132e0da62e7");
    memset(previous, 0xaa, sizeof previous);
    chain_group_head(7, 1767225600000, previous, (struct str){ (const char *)fact, CHAIN_HASH },
                     (struct str){ (const char *)event, CHAIN_HASH }, head);
    assert_hex(head, "e925b328d4dc024e5831909a5ad278c62b6425a20a57d13f46500f65d5365c47");
    chain_hash(STR("abc"), head);
    assert_hex(head, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

static void a_leaf_depends_on_each_of_its_parts(void **state)
{
    (void)state;
    uint8_t leaf[7][CHAIN_HASH], other[CHAIN_KEY] = { 1 };
    chain_fact_leaf(key, 1, 2, STR("ab"), STR("c"), leaf[0]);
    chain_fact_leaf(other, 1, 2, STR("ab"), STR("c"), leaf[1]);
    chain_fact_leaf(key, 2, 2, STR("ab"), STR("c"), leaf[2]);
    chain_fact_leaf(key, 1, 3, STR("ab"), STR("c"), leaf[3]);
    chain_fact_leaf(key, 1, 2, STR("a"), STR("bc"), leaf[4]); /* no byte may change sides */
    chain_fact_leaf(key, 1, 2, STR("abc"), STR(""), leaf[5]);
    chain_fact_leaf(key, 1, 2, (struct str){ 0 }, (struct str){ 0 }, leaf[6]);
    for (size_t i = 0; i < COUNT(leaf); i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(leaf[i], leaf[k], CHAIN_HASH);
}

static void a_head_depends_on_each_of_its_parts(void **state)
{
    (void)state;
    static const char leaves[64] =
        "0123456789abcdef0123456789ABCDEFxxxxxxxxxxxxxxxxyyyyyyyyyyyyyyyy";
    uint8_t head[6][CHAIN_HASH], none[CHAIN_HASH] = { 0 }, one[CHAIN_HASH] = { 1 };
    struct str a = { leaves, 32 }, b = { leaves + 32, 32 }, empty = { 0 };
    chain_group_head(1, 5, none, a, b, head[0]);
    chain_group_head(2, 5, none, a, b, head[1]);
    chain_group_head(1, 6, none, a, b, head[2]);
    chain_group_head(1, 5, one, a, b, head[3]);
    chain_group_head(1, 5, none, b, a, head[4]);
    chain_group_head(1, 5, none, a, empty, head[5]);
    for (size_t i = 0; i < COUNT(head); i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(head[i], head[k], CHAIN_HASH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_another_blake2b),
        cmocka_unit_test(a_leaf_depends_on_each_of_its_parts),
        cmocka_unit_test(a_head_depends_on_each_of_its_parts),
    };
    return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
