#include "base/address.h"
#include "base/must.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct range {
    uint8_t byte[12]; /* none of the listed prefixes is longer than 96 bits */
    uint8_t bits;
};

/* IANA special-purpose registry, IPv4 */
static const struct range closed4[] = {
    { { 0 }, 8 },                 /* this network */
    { { 10 }, 8 },                /* private */
    { { 100, 64 }, 10 },          /* shared by carriers */
    { { 127 }, 8 },               /* loopback */
    { { 168, 63, 129, 16 }, 32 }, /* Azure's own services, from inside a machine there */
    { { 169, 254 }, 16 },         /* link-local: cloud metadata too */
    { { 172, 16 }, 12 },          /* private */
    { { 192, 0, 0 }, 24 },        /* protocol assignments */
    { { 192, 0, 2 }, 24 },        /* documentation */
    { { 192, 88, 99 }, 24 },      /* 6to4 relays */
    { { 192, 168 }, 16 },         /* private */
    { { 198, 18 }, 15 },          /* benchmarks */
    { { 198, 51, 100 }, 24 },
    { { 203, 0, 113 }, 24 },
    { { 224 }, 4 }, /* multicast */
    { { 240 }, 4 }, /* reserved, broadcast */
};

/* IPv6 within 2000::/3, the only part that is public at all */
static const struct range closed6[] = {
    { { 0x20, 0x01, 0x00 }, 23 },       /* protocol assignments, Teredo */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
    { { 0x3f, 0xff, 0x00 }, 20 },       /* documentation */
};

/* where an IPv4 address stands within an IPv6 one */
static const struct {
    struct range prefix;
    uint8_t at;
} embedded[] = {
    { { { [10] = 0xff, [11] = 0xff }, 96 }, 12 }, /* ::ffff:a.b.c.d */
    { { { 0x00, 0x64, 0xff, 0x9b }, 96 }, 12 },   /* 64:ff9b::a.b.c.d, NAT64 */
    { { { 0x20, 0x02 }, 16 }, 2 },                /* 2002:aabb:ccdd::, 6to4 */
};

static bool in_range(const uint8_t *byte, const struct range *r)
{
    uint32_t whole = r->bits / 8, rest = r->bits % 8;
    if (memcmp(byte, r->byte, whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));
    return rest == 0 || (byte[whole] & mask) == (r->byte[whole] & mask);
}

static bool public4(const uint8_t byte[4])
{
    for (size_t i = 0; i < COUNT(closed4); i++)
        if (in_range(byte, &closed4[i]))
            return false;
    return true;
}

static bool public6(const uint8_t byte[16])
{
    for (size_t i = 0; i < COUNT(embedded); i++)
        if (in_range(byte, &embedded[i].prefix))
            return public4(byte + embedded[i].at);
    if ((byte[0] & 0xe0) != 0x20)
        return false;
    for (size_t i = 0; i < COUNT(closed6); i++)
        if (in_range(byte, &closed6[i]))
            return false;
    return true;
}

bool address_is_public(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, a, sizeof in);
        return public4((const uint8_t *)&in.sin_addr);
    }
    if (a->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, a, sizeof in);
        return public6((const uint8_t *)&in.sin6_addr);
    }
    return false;
}

bool address_text_is_public(const char *text)
{
    uint8_t byte[16];
    if (inet_pton(AF_INET, text, byte) == 1)
        return public4(byte);
    return inet_pton(AF_INET6, text, byte) == 1 && public6(byte);
}
