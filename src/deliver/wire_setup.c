#include "deliver/wire_setup.h"

#include "base/address.h"
#include "base/limits.h"
#include "base/must.h"

#include <curl/curl.h>

#include <sys/socket.h>

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

static void set_connection(CURL *e, const struct conf_destination *c, struct arena *a)
{
    must(curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFE_S) == CURLE_OK);
    wire_set_tls(e, &c->tls, a);
    set_proxy(e, &c->proxy, a);
}

/* ---- the guard ---- */

bool wire_guard_admits(struct wire_guard *g, const struct sockaddr *to)
{
    bool closed = !wire_may_call_private(g->conf) && !address_is_public(to);
    g->closed_address = g->closed_address || closed;
    return !closed;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)purpose;
    if (!wire_guard_admits(ctx, &a->addr))
        return CURL_SOCKET_BAD;
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* Interim answers and what comes behind a body count, too. */
static size_t take_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct wire_guard *g = ctx;
    (void)bytes;
    g->head_bytes += size * count;
    g->long_head = g->head_bytes > LIMIT_ANSWER_HEAD;
    return g->long_head ? 0 : size * count;
}

static int look_at_stop(void *ctx, curl_off_t to_get, curl_off_t got, curl_off_t to_send,
                        curl_off_t sent)
{
    const struct wire_guard *g = ctx;
    (void)to_get, (void)got, (void)to_send, (void)sent;
    return atomic_load(g->stop);
}

void wire_set_guard(void *easy, struct wire_guard *g, int64_t whole_ms, struct arena *a)
{
    CURL *e = easy;
    int64_t connect_ms = whole_ms < LIMIT_CONNECT_S * 1000 ? whole_ms : LIMIT_CONNECT_S * 1000;
    set_connection(e, g->conf, a);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "licet/" LICET_VERSION);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)whole_ms);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, g);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, g);
    if (g->stop == NULL)
        return;
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, look_at_stop);
    curl_easy_setopt(e, CURLOPT_XFERINFODATA, g);
}

/* ---- a request ---- */

static bool is_one_line(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return true;
}

static struct curl_slist *with(struct curl_slist *list, struct wire_guard *g, struct str line,
                               struct arena *a)
{
    g->bad_header = g->bad_header || !is_one_line(line);
    struct curl_slist *longer = curl_slist_append(list, arena_str(a, line).p);
    must(longer != NULL);
    return longer;
}

void *wire_set_request(void *easy, struct wire_guard *g, const struct outgoing_request *q,
                       struct arena *a)
{
    CURL *e = easy;
    struct curl_slist *header = with(NULL, g, STR("Expect:"), a);
    for (uint32_t i = 0; i < q->header_count; i++)
        header = with(header, g, q->header[i], a);
    curl_easy_setopt(e, CURLOPT_URL, arena_str(a, q->url).p);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, header);
    curl_easy_setopt(e, CURLOPT_POST, 1L);
    if (strcmp(q->method, "POST") != 0)
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method);
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body.n > 0 ? q->body.p : "");
    return header;
}

/* ---- what became of it ---- */

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

const char *wire_error(void *easy, const struct wire_guard *g, int code)
{
    long status = 0;
    const struct conf_destination *c = g->conf;
    if (g->bad_header)
        return "a header is not one line";
    if (g->long_head)
        return "the answer's header does not end";
    if (g->closed_address)
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
