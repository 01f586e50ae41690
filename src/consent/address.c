#include "consent/ledger_priv.h"

#include <arpa/inet.h>

/* Four or sixteen bytes; an IPv4 address within IPv6 is IPv4. 0 when it is none. */
static int parse(struct str ip, uint8_t ret_bytes[16])
{
    char text[INET6_ADDRSTRLEN];
    if (ip.n == 0 || ip.n >= sizeof text || memchr(ip.p, 0, ip.n))
        return 0;
    memcpy(text, ip.p, ip.n);
    text[ip.n] = 0;
    if (inet_pton(AF_INET, text, ret_bytes) == 1)
        return 4;
    if (inet_pton(AF_INET6, text, ret_bytes) != 1)
        return 0;
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    if (memcmp(ret_bytes, mapped, sizeof mapped) != 0)
        return 16;
    memmove(ret_bytes, ret_bytes + 12, 4);
    return 4;
}

static struct str format(const uint8_t *bytes, int n, struct arena *a)
{
    char text[INET6_ADDRSTRLEN];
    must(inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text) != NULL);
    return arena_str(a, str_of(text));
}

struct str address_canonical(struct str ip, struct arena *a)
{
    uint8_t bytes[16];
    int n = parse(ip, bytes);
    return n ? format(bytes, n, a) : (struct str){ 0 };
}

struct str address_truncated(struct str ip, struct arena *a)
{
    uint8_t bytes[16];
    int n = parse(ip, bytes);
    if (n == 0)
        return (struct str){ 0 };
    int keep = n == 4 ? 3 : 6;
    memset(bytes + keep, 0, (size_t)(n - keep));
    return format(bytes, n, a);
}
