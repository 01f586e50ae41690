#include "api/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

struct str address_text(const struct sockaddr *a, struct arena *arena)
{
    char text[INET6_ADDRSTRLEN];
    if (a != NULL && a->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)a;
        if (inet_ntop(AF_INET, &in->sin_addr, text, sizeof text) != NULL)
            return arena_str(arena, str_of(text));
    }
    if (a != NULL && a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)a;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in->sin6_addr);
        const char *ok = mapped ? inet_ntop(AF_INET, in->sin6_addr.s6_addr + 12, text, sizeof text)
                                : inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
        if (ok != NULL)
            return arena_str(arena, str_of(text));
    }
    return (struct str){ 0 };
}

/* 4 or 16 bytes; 0 when the text is no address. */
static int parse(struct str text, unsigned char ret_bytes[16])
{
    char c[INET6_ADDRSTRLEN];
    if (text.n == 0 || text.n >= sizeof c)
        return 0;
    memcpy(c, text.p, text.n);
    c[text.n] = 0;
    if (inet_pton(AF_INET, c, ret_bytes) == 1)
        return 4;
    return inet_pton(AF_INET6, c, ret_bytes) == 1 ? 16 : 0;
}

bool address_in(struct str address, struct str network)
{
    struct str base, bits_text = network;
    if (!str_next(&bits_text, '/', &base))
        return false;
    unsigned char a[16], n[16];
    int size = parse(address, a);
    if (size == 0 || parse(base, n) != size)
        return false;
    unsigned long long bits = (unsigned long long)size * 8;
    if (bits_text.p != NULL &&
        (!str_to_u64(bits_text, &bits) || bits > (unsigned long long)size * 8))
        return false;
    size_t whole = (size_t)bits / 8;
    if (memcmp(a, n, whole) != 0)
        return false;
    unsigned rest = (unsigned)bits % 8;
    return rest == 0 || (a[whole] ^ n[whole]) >> (8 - rest) == 0;
}

bool address_is_loopback(struct str address)
{
    return address_in(address, STR("127.0.0.0/8")) || str_eq(address, STR("::1"));
}

uint64_t address_group(struct str address)
{
    unsigned char a[16];
    uint64_t group = 0;
    int size = parse(address, a);
    for (int i = 0; i < (size == 16 ? 8 : size); i++)
        group = group << 8 | a[i];
    return size == 4 ? group | 1ULL << 32 : group; /* ::/64 is no neighbour of IPv4 */
}

bool address_is_proxy(const struct conf *c, struct str address)
{
    for (uint32_t i = 0; i < c->trusted_proxy_count; i++) {
        if (address_in(address, c->trusted_proxy[i]))
            return true;
    }
    return false;
}

struct str address_client(const struct conf *c, struct str peer, struct str forwarded_for,
                          struct arena *a)
{
    struct str client = peer;
    while (forwarded_for.n != 0 && address_is_proxy(c, client)) {
        size_t at = forwarded_for.n;
        while (at > 0 && forwarded_for.p[at - 1] != ',')
            at--;
        struct str last = str_trim((struct str){ forwarded_for.p + at, forwarded_for.n - at });
        unsigned char bytes[16];
        if (parse(last, bytes) == 0)
            break; /* what cannot be read is not believed */
        client = arena_str(a, last);
        forwarded_for.n = at ? at - 1 : 0;
    }
    return client;
}
