#include "api/address.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

static void networks_hold_their_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *address, *network;
        bool in;
    } rows[] = {
        { "10.1.2.3", "10.0.0.0/8", true },       { "11.1.2.3", "10.0.0.0/8", false },
        { "10.1.2.3", "10.1.2.3", true },         { "10.1.2.3", "10.1.2.2/31", true },
        { "10.1.2.4", "10.1.2.2/31", false },     { "10.1.2.3", "0.0.0.0/0", true },
        { "2001:db8::1", "2001:db8::/32", true }, { "2001:db9::1", "2001:db8::/32", false },
        { "2001:db8::1", "0.0.0.0/0", false },    { "garbage", "0.0.0.0/0", false },
        { "10.1.2.3", "10.0.0.0/33", false },     { "10.1.2.3", "", false },
        { "10.1.2.3", "10.0.0.0/x", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(address_in(str_of(rows[i].address), str_of(rows[i].network)), rows[i].in);
}

static void only_trusted_proxies_speak_for_others(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str proxies[] = { STR("10.0.0.0/8") };
    struct conf c = { .trusted_proxy = proxies, .trusted_proxy_count = 1 };
    static const struct {
        const char *peer, *header, *client;
    } rows[] = {
        { "203.0.113.7", "198.51.100.1", "203.0.113.7" },
        { "10.0.0.1", "198.51.100.1", "198.51.100.1" },
        { "10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1" },
        { "10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1" },
        { "10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1" },
        { "10.0.0.1", "", "10.0.0.1" },
        { "10.0.0.1", ",", "10.0.0.1" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str client = address_client(&c, str_of(rows[i].peer), str_of(rows[i].header), &a);
        assert_true(str_eq(client, str_of(rows[i].client)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_hold_their_addresses),
        cmocka_unit_test(only_trusted_proxies_speak_for_others),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
