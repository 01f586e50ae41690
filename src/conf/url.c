#include "base/address.h"
#include "conf/read_priv.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { URL_MOST = 2048, HOST_MOST = 253 };

static bool digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return s.n > 0;
}

static bool ends(struct str s, const char *tail)
{
    struct str t = str_of(tail);
    return s.n >= t.n && str_eq_nocase((struct str){ s.p + s.n - t.n, t.n }, t);
}

/* One label has no dot: names of that kind belong to the machine or its network. */
static bool near_name(struct str host)
{
    return memchr(host.p, '.', host.n) == NULL || ends(host, ".localhost") ||
           ends(host, ".local") || ends(host, ".internal") || ends(host, ".home.arpa");
}

static bool label_ok(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || (c == '-' && i > 0 && i + 1 < s.n)))
            return false;
    }
    return s.n > 0 && s.n <= 63;
}

/* A host name, or an IPv4 address in its usual form. Hosts that end in a number
 * are addresses to every resolver, so other spellings of one are refused. */
static bool host_ok(struct str host, struct web *w)
{
    char text[HOST_MOST + 1];
    struct in_addr four;
    struct str rest = host, label = { 0 };
    if (host.n == 0 || host.n > HOST_MOST)
        return false;
    while (str_next(&rest, '.', &label)) {
        if (!label_ok(label))
            return false;
    }
    bool number = digits(label) ||
                  (label.n > 1 && label.p[0] == '0' && (label.p[1] == 'x' || label.p[1] == 'X'));
    memcpy(text, host.p, host.n);
    text[host.n] = 0;
    w->address = inet_pton(AF_INET, text, &four) == 1;
    w->near = w->address ? !address_text_is_public(text) : near_name(host);
    w->host = host;
    return w->address || !number;
}

static bool host6_ok(struct str host, struct web *w)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr six;
    if (host.n == 0 || host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = 0;
    if (inet_pton(AF_INET6, text, &six) != 1)
        return false;
    w->address = true;
    w->near = !address_text_is_public(text);
    w->host = host;
    return true;
}

static bool port_ok(struct str s, struct web *w) /* "" or ":1" to ":65535" */
{
    unsigned long long port;
    if (s.n == 0)
        return true;
    if (s.p[0] != ':' || s.n > 6 || !str_to_u64((struct str){ s.p + 1, s.n - 1 }, &port) ||
        port < 1 || port > 65535)
        return false;
    w->port = (uint16_t)port;
    return true;
}

static struct str behind(struct str s, size_t n)
{
    return (struct str){ s.p + n, s.n - n };
}

bool web_parse(struct str url, struct web *ret_w)
{
    struct web w = { .secure = str_starts(url, STR("https://")) };
    if (url.n > URL_MOST || !(w.secure || str_starts(url, STR("http://"))))
        return false;
    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] <= ' ' || url.p[i] > '~' || strchr("\"<>\\^`{|}", url.p[i]) != NULL)
            return false;
    }
    struct str rest = behind(url, w.secure ? 8 : 7);
    size_t n = 0;
    while (n < rest.n && strchr("/?#", rest.p[n]) == NULL)
        n++;
    struct str name = { rest.p, n };
    w.rest = behind(rest, n);
    bool six = name.n && name.p[0] == '[';
    const char *end = name.n ? memchr(name.p, six ? ']' : ':', name.n) : NULL;
    if (six && end == NULL)
        return false;
    size_t host = end ? (size_t)(end - name.p) : name.n;
    bool ok = six ? host6_ok((struct str){ name.p + 1, host - 1 }, &w) &&
                        port_ok(behind(name, host + 1), &w)
                  : host_ok((struct str){ name.p, host }, &w) && port_ok(behind(name, host), &w);
    if (ok)
        *ret_w = w;
    return ok;
}

bool network_ok(struct str s)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    struct str host = s, bits = s;
    (void)str_next(&bits, '/', &host);
    if (host.n == 0 || host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = 0;
    bool four = inet_pton(AF_INET, text, address) == 1;
    if (!four && inet_pton(AF_INET6, text, address) != 1)
        return false;
    unsigned long long n;
    if (host.n == s.n)
        return true;
    return bits.n <= 3 && str_to_u64(bits, &n) && n <= (four ? 32u : 128u);
}
