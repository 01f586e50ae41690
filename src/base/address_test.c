#include "base/address.h"
#include "base/must.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
    const char *text;
    bool is_public;
} rows[] = {
    { "0.0.0.0", false },
    { "0.255.255.255", false },
    { "1.1.1.1", true },
    { "9.255.255.255", true },
    { "10.0.0.0", false },
    { "10.255.255.255", false },
    { "11.0.0.0", true },
    { "100.63.255.255", true },
    { "100.64.0.0", false },
    { "100.127.255.255", false },
    { "100.128.0.0", true },
    { "126.255.255.255", true },
    { "127.0.0.1", false },
    { "127.255.255.254", false },
    { "128.0.0.1", true },
    { "168.63.129.15", true },
    { "168.63.129.16", false },
    { "168.63.129.17", true },
    { "169.253.255.255", true },
    { "169.254.169.254", false },
    { "172.15.255.255", true },
    { "172.16.0.0", false },
    { "172.31.255.255", false },
    { "172.32.0.0", true },
    { "192.0.0.8", false },
    { "192.0.2.1", false },
    { "192.88.99.1", false },
    { "192.167.255.255", true },
    { "192.168.0.1", false },
    { "192.169.0.0", true },
    { "198.17.255.255", true },
    { "198.18.0.0", false },
    { "198.19.255.255", false },
    { "198.20.0.0", true },
    { "198.51.100.9", false },
    { "203.0.113.7", false },
    { "223.255.255.255", true },
    { "224.0.0.1", false },
    { "239.255.255.255", false },
    { "240.0.0.1", false },
    { "255.255.255.255", false },
    { "::", false },
    { "::1", false },
    { "::7f00:1", false }, /* IPv4-compatible, long deprecated */
    { "::ffff:127.0.0.1", false },
    { "::ffff:10.1.2.3", false },
    { "::ffff:8.8.8.8", true },
    { "::ffff:169.254.169.254", false },
    { "64:ff9b::a9fe:a9fe", false },
    { "::ffff:0:8.8.8.8", false }, /* IPv4-translated */
    { "fd00:ec2::254", false },    /* metadata by IPv6 */
    { "64:ff9b::7f00:1", false },  /* NAT64 of 127.0.0.1 */
    { "64:ff9b::808:808", true },
    { "64:ff9b:1::1", false }, /* local NAT64 */
    { "100::1", false },       /* discard */
    { "2001::1", false },      /* Teredo */
    { "2001:1ff::1", false },
    { "2001:200::1", true },
    { "2001:db8::1", false },
    { "2001:db9::1", true },
    { "2002:7f00:1::", false }, /* 6to4 of 127.0.0.1 */
    { "2002:c0a8:101::1", false },
    { "2002:808:808::1", true },
    { "2606:4700::1111", true },
    { "3fff:fff::1", false },
    { "3fff:1000::1", true },
    { "4000::1", false },
    { "5f00::1", false },
    { "fc00::1", false },
    { "fdff::1", false },
    { "fe80::1", false },
    { "fec0::1", false },
    { "ff02::1", false },
};

static bool by_sockaddr(const char *text)
{
    struct sockaddr_in in4 = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    if (inet_pton(AF_INET, text, &in4.sin_addr) == 1)
        return address_is_public((struct sockaddr *)&in4);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return address_is_public((struct sockaddr *)&in6);
}

static void only_public_addresses_are_called(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (address_text_is_public(rows[i].text) != rows[i].is_public ||
            by_sockaddr(rows[i].text) != rows[i].is_public)
            fail_msg("%s should be %s", rows[i].text, rows[i].is_public ? "public" : "refused");
    }
}

static void what_is_no_address_is_not_public(void **state)
{
    (void)state;
    static const char *const text[] = {
        "",          "example.org",          "8.8.8",    "8.8.8.8 ", "08.8.8.8", "2606:",
        "0x8.8.8.8", "2606:4700::1111%eth0", "134744072"
    };
    for (size_t i = 0; i < COUNT(text); i++)
        assert_false(address_text_is_public(text[i]));
    assert_false(address_is_public(&(struct sockaddr){ .sa_family = AF_UNIX }));
    assert_false(address_is_public(&(struct sockaddr){ .sa_family = AF_UNSPEC }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_public_addresses_are_called),
        cmocka_unit_test(what_is_no_address_is_not_public),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
