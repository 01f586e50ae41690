#include "deliver/wire_setup.h"

#include "base/must.h"

#include <curl/curl.h>

/* Longer, and a receiver that moves to another address would never be followed there. */
enum { CONNECTION_LIFE_S = 600 };

static bool has_proxy(const struct conf_destination *c)
{
    return c->proxy.url.n > 0;
}

bool wire_may_call_private(const struct conf_destination *c)
{
    return has_proxy(c) ? c->proxy.allow_private_addresses : c->allow_private_addresses;
}

/* The configuration outlives the handle. */
static void set_blob(CURL *e, CURLoption option, struct str s)
{
    struct curl_blob b = { .data = (void *)s.p, .len = s.n, .flags = CURL_BLOB_NOCOPY };
    if (s.n > 0)
        must(curl_easy_setopt(e, option, &b) == CURLE_OK);
}

static void set_pins(CURL *e, const struct conf_destination_tls *t, struct arena *a)
{
    struct str all = { 0 };
    for (uint32_t i = 0; i < t->pin_count; i++)
        all = arena_printf(a, "%.*s%s%.*s", STR_ARG(all), i > 0 ? ";" : "", STR_ARG(t->pin[i]));
    if (all.n > 0) /* without it nothing would be pinned */
        must(curl_easy_setopt(e, CURLOPT_PINNEDPUBLICKEY, all.p) == CURLE_OK);
}

void wire_set_tls(void *easy, const struct conf_destination_tls *t, struct arena *a)
{
    CURL *e = easy;
    must(curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK);
    if (t->ca.n > 0) { /* instead of the system's, not beside them */
        must(curl_easy_setopt(e, CURLOPT_CAINFO, NULL) == CURLE_OK);
        must(curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK);
        set_blob(e, CURLOPT_CAINFO_BLOB, t->ca);
    }
    set_blob(e, CURLOPT_SSLCERT_BLOB, t->certificate);
    set_blob(e, CURLOPT_SSLKEY_BLOB, t->key);
    set_pins(e, t, a);
}

static char *escaped(CURL *e, struct str s)
{
    char *text = curl_easy_escape(e, s.p, (int)s.n);
    must(text != NULL);
    return text;
}

/* Name and password within the URL: what the options for them do with '%' differs from version to version. */
static struct str proxy_url(CURL *e, const struct conf_proxy *p, struct arena *a)
{
    static const char *const scheme[] = { [CONF_PROXY_HTTP] = "http",
                                          [CONF_PROXY_HTTPS] = "https",
                                          /* with h the name is the proxy's to resolve */
                                          [CONF_PROXY_SOCKS5] = "socks5h" };
    const char *behind = memmem(p->url.p, p->url.n, "://", 3);
    must(behind != NULL);
    behind += 3;
    struct str host = { behind, (size_t)(p->url.p + p->url.n - behind) };
    if (p->user.n == 0)
        return arena_printf(a, "%s://%.*s", scheme[p->kind], STR_ARG(host));
    char *user = escaped(e, p->user), *password = escaped(e, p->password);
    struct str url =
        arena_printf(a, "%s://%s:%s@%.*s", scheme[p->kind], user, password, STR_ARG(host));
    curl_free(user);
    curl_free(password);
    return url;
}

/* Never what the environment says. Always a tunnel: no header for the receiver is read by the proxy. */
static void set_proxy(CURL *e, const struct conf_proxy *p, struct arena *a)
{
    must(curl_easy_setopt(e, CURLOPT_NOPROXY, "") == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK);
    if (p->url.n == 0)
        return;
    must(curl_easy_setopt(e, CURLOPT_PROXY, proxy_url(e, p, a).p) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_HTTPPROXYTUNNEL, 1L) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_PROXY_SSL_VERIFYPEER, 1L) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_PROXY_SSL_VERIFYHOST, 2L) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK);
    if (p->ca.n > 0) {
        must(curl_easy_setopt(e, CURLOPT_PROXY_CAINFO, NULL) == CURLE_OK);
        must(curl_easy_setopt(e, CURLOPT_PROXY_CAPATH, NULL) == CURLE_OK);
        set_blob(e, CURLOPT_PROXY_CAINFO_BLOB, p->ca);
    }
}

void wire_set_connection(void *easy, const struct conf_destination *c, struct arena *a)
{
    CURL *e = easy;
    must(curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFE_S) == CURLE_OK);
    wire_set_tls(e, &c->tls, a);
    set_proxy(e, &c->proxy, a);
}

/* What libcurl says in a word too few. */
static const struct {
    CURLcode code;
    const char *text;
} texts[] = {
    { CURLE_OK, "no answer" },
    { CURLE_COULDNT_RESOLVE_PROXY, "the proxy's name is not known" },
    { CURLE_SSL_CONNECT_ERROR, "no TLS connection could be agreed on (1.2 is the least)" },
    { CURLE_PEER_FAILED_VERIFICATION, "the certificate is not trusted, or not for this name" },
    { CURLE_SSL_PINNEDPUBKEYNOTMATCH, "the public key is none of the pins" },
    { CURLE_SSL_CERTPROBLEM, "our own certificate or its key cannot be used" },
    { CURLE_SSL_CACERT_BADFILE, "the file of authorities cannot be used" },
    { CURLE_UNSUPPORTED_PROTOCOL, "the answer is not HTTP/1" },
    { CURLE_WEIRD_SERVER_REPLY, "the answer is not HTTP" },
};

const char *wire_error(void *easy, const struct conf_destination *c, bool closed_address, int code)
{
    long status = 0;
    if (closed_address)
        return has_proxy(c) ? "the proxy's address is not a public one"
                            : "the address is not a public one";
    (void)curl_easy_getinfo((CURL *)easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (has_proxy(c) && status == 407)
        return "the proxy wants another name or password";
    if (has_proxy(c) && (code == CURLE_PROXY || (status != 0 && status / 100 != 2)))
        return "the proxy did not connect";
    for (size_t i = 0; i < COUNT(texts); i++)
        if ((int)texts[i].code == code)
            return texts[i].text;
    return curl_easy_strerror((CURLcode)code);
}
