#include "conf/read_priv.h"

#include <sodium.h>

enum { PINS = 8, PIN_BYTES = crypto_hash_sha256_BYTES };

static const struct str pin_mark = STR_INIT("sha256//");

static bool has(struct str text, const char *what)
{
    return memmem(text.p, text.n, what, strlen(what)) != NULL;
}

void read_certificates(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct str s;
    if (!scalar_file(r, n, LIMIT_PEM, false, &s))
        return;
    if (!has(s, "-----BEGIN CERTIFICATE-----"))
        return fault(r, n, "'%s' holds no certificate (PEM)", shown_node(r, n));
    *(struct str *)((char *)base + rule->at) = s;
}

static void read_private_key(struct reader *r, const struct rule *rule, const struct yaml *n,
                             void *base)
{
    struct str s;
    if (!scalar_file(r, n, LIMIT_PEM, true, &s))
        return;
    /* the library would ask whoever sits at the terminal for the password */
    bool locked = has(s, "ENCRYPTED");
    if (!locked && has(s, "PRIVATE KEY-----")) {
        *(struct str *)((char *)base + rule->at) = s;
        return;
    }
    sodium_memzero((char *)s.p, s.n);
    if (locked)
        fault(r, n, "'%s' is encrypted: the key must be readable without a password",
              shown_node(r, n));
    else
        fault(r, n, "'%s' holds no private key (PEM)", shown_node(r, n));
}

static bool scalar_pin(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    struct str s;
    unsigned char bytes[PIN_BYTES];
    size_t length = 0;
    if (!scalar(r, n, &s))
        return false;
    if (!str_starts(s, pin_mark) ||
        sodium_base642bin(bytes, sizeof bytes, s.p + pin_mark.n, s.n - pin_mark.n, NULL, &length,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        length != PIN_BYTES) {
        fault(r, n, "a pin is 'sha256//' and the base64 of 32 bytes");
        return false;
    }
    *ret_s = s;
    return true;
}

static void read_pins(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    read_list(r, rule, n, base, scalar_pin);
}

static void tls_check(struct reader *r, const struct yaml *n, void *base)
{
    const struct yaml *certificate = yaml_get(n, STR("certificate")),
                      *key = yaml_get(n, STR("key"));
    (void)base;
    if ((certificate == NULL) != (key == NULL))
        fault(r, certificate != NULL ? certificate : key, "'certificate' and 'key' go together");
}

#define TLS(member) .at = offsetof(struct conf_destination, tls.member)
static const struct rule tls_rules[] = {
    { "ca", read_certificates,
      "file with the certificates (PEM) that the receiver's must come from; default: the system's",
      TLS(ca) },
    { "pins", read_pins, "`sha256//…`: the receiver's public key is one of these, too; at most 8",
      TLS(pin), .count_at = offsetof(struct conf_destination, tls.pin_count), .least = 1,
      .most = PINS },
    { "certificate", read_certificates,
      "file with our certificate (PEM, the ones above it behind it) for receivers that ask for one",
      TLS(certificate) },
    { "key", read_private_key, "file with its private key (PEM, not encrypted)", TLS(key) },
};
const struct table table_destination_tls = {
    "destinations[].tls",
    "Paths are relative to the configuration. Files are read at start and at a reload. Receivers "
    "are verified always; TLS 1.2 is the least.",
    tls_rules,
    COUNT(tls_rules),
    0,
    NULL,
    tls_check,
    NULL
};

/* ---- the proxy ---- */

static const struct {
    struct str scheme;
    enum conf_proxy_kind kind;
} schemes[] = {
    { STR_INIT("http://"), CONF_PROXY_HTTP },
    { STR_INIT("https://"), CONF_PROXY_HTTPS },
    { STR_INIT("socks5://"), CONF_PROXY_SOCKS5 },
};

/* scheme://host:port, nothing behind it */
static bool proxy_parse(struct reader *r, struct str url, struct conf_proxy *p, struct web *ret_w)
{
    for (size_t i = 0; i < COUNT(schemes); i++) {
        struct str scheme = schemes[i].scheme;
        if (!str_starts(url, scheme))
            continue;
        struct str as_web =
            arena_printf(r->scratch, "http://%.*s", (int)(url.n - scheme.n), url.p + scheme.n);
        p->kind = schemes[i].kind;
        return web_parse(as_web, ret_w) && ret_w->port != 0 && ret_w->rest.n == 0;
    }
    return false;
}

static void read_proxy_url(struct reader *r, const struct rule *rule, const struct yaml *n,
                           void *base)
{
    struct conf_proxy *p = &((struct conf_destination *)base)->proxy;
    struct str url;
    struct web w;
    (void)rule;
    if (!scalar(r, n, &url))
        return;
    if (memchr(url.p, '@', url.n) != NULL) {
        secret_mask(r, n);
        return fault(r, n, "name and password stand in 'user' and 'password'");
    }
    if (!proxy_parse(r, url, p, &w))
        return fault(r, n,
                     "a proxy is like http://proxy.example:3128, https or socks5, without path");
    p->url = url;
    p->near = w.near;
    p->address = w.address;
}

/* no limit from below */
void read_credential(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct str s;
    if (!scalar_secret(r, n, &s))
        return;
    if (s.n == 0 || s.n > LIMIT_CREDENTIAL)
        return fault(r, n, "this must be 1 to %d bytes long", LIMIT_CREDENTIAL);
    *(struct str *)((char *)base + rule->at) = s;
}

static void proxy_check(struct reader *r, const struct yaml *n, void *base)
{
    const struct conf_proxy *p = &((struct conf_destination *)base)->proxy;
    const struct yaml *url = yaml_get(n, STR("url")), *user = yaml_get(n, STR("user")),
                      *password = yaml_get(n, STR("password")), *ca = yaml_get(n, STR("ca"));
    if ((user == NULL) != (password == NULL))
        fault(r, user != NULL ? user : password, "'user' and 'password' go together");
    else if (user != NULL && memchr(p->user.p ? p->user.p : "", ':', p->user.n) != NULL)
        fault(r, user, "a user name holds no ':'");
    if (p->url.n == 0)
        return;
    if (p->near && p->address && !p->allow_private_addresses)
        fault(r, url,
              "a proxy at a private address is used only with its own 'allow_private_addresses: "
              "true'");
    if (ca != NULL && p->kind != CONF_PROXY_HTTPS)
        fault(r, ca, "'ca' is for a proxy that is called by https");
    if (password != NULL && p->kind != CONF_PROXY_HTTPS && !p->near)
        warning(r, url, "the proxy's password goes there unencrypted");
}

#define PROXY(member) .at = offsetof(struct conf_destination, proxy.member)
static const struct rule proxy_rules[] = {
    { "url", read_proxy_url, "`http://host:port`, `https://host:port` or `socks5://host:port`",
      .needed = KIND_ANY },
    { "user", read_credential, "name for the proxy, as `${PROXY_USER}` or `{file: PATH}`",
      PROXY(user) },
    { "password", read_credential, "the same for its password", PROXY(password) },
    { "ca", read_certificates,
      "file with the certificates (PEM) that an `https` proxy's must come from; default: the "
      "system's",
      PROXY(ca) },
    { "allow_private_addresses", read_bool,
      "`true`: the proxy may stand in a private network; default `false`",
      PROXY(allow_private_addresses) },
};
const struct table table_proxy = {
    "destinations[].proxy",
    "Only what stands here is used, never `http_proxy` and such of the environment. The proxy "
    "resolves the endpoint's name: what is checked to be no private address is the proxy's own.",
    proxy_rules,
    COUNT(proxy_rules),
    0,
    NULL,
    proxy_check,
    NULL
};
