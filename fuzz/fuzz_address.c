/* An address says the same in each of its forms, and one that carries another is as open as that one. */
#include "base/address.h"

#include "target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool open4(const uint8_t byte[4])
{
    char text[INET_ADDRSTRLEN];
    struct sockaddr_in in = { .sin_family = AF_INET };
    memcpy(&in.sin_addr, byte, 4);
    must(inet_ntop(AF_INET, byte, text, sizeof text) != NULL);
    bool open = address_is_public((struct sockaddr *)&in);
    must(open == address_text_is_public(text));
    return open;
}

static bool open6(const uint8_t byte[16])
{
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_in6 in = { .sin6_family = AF_INET6 };
    memcpy(&in.sin6_addr, byte, 16);
    must(inet_ntop(AF_INET6, byte, text, sizeof text) != NULL);
    bool open = address_is_public((struct sockaddr *)&in);
    must(open == address_text_is_public(text));
    return open;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t byte[17] = { 0 };
    memcpy(byte, data, n < 16 ? n : 16);
    struct in6_addr six;
    memcpy(&six, byte, 16);
    bool four = open4(byte);
    uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff }, nat[16] = { 0, 0x64, 0xff, 0x9b },
            six4[16] = { 0x20, 0x02 };
    memcpy(mapped + 12, byte, 4);
    memcpy(nat + 12, byte, 4);
    memcpy(six4 + 2, byte, 4);
    must(open6(mapped) == four && open6(nat) == four && open6(six4) == four);
    bool open = open6(byte);
    /* the C library's names for what is never public */
    if (IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_LINKLOCAL(&six) || IN6_IS_ADDR_MULTICAST(&six) ||
        IN6_IS_ADDR_SITELOCAL(&six) || IN6_IS_ADDR_UNSPECIFIED(&six) || (byte[0] & 0xfe) == 0xfc)
        must(!open);
    if (byte[0] == 10 || byte[0] == 127 || byte[0] == 0 || byte[0] >= 224)
        must(!four);
    (void)address_text_is_public((const char *)byte); /* any text */
    return 0;
}
