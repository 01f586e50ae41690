#include "deliver/mail.h"

#include "base/limits.h"
#include "deliver/wire_setup.h"

#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct mailer {
    const struct conf_mail *c;
    const _Atomic bool *stop;
    CURL *easy;
    struct arena arena;
    struct str left; /* of the letter at hand */
    struct wire_guard guard;
    char why[64];
};

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct mailer *m = ctx;
    (void)purpose;
    if (!wire_guard_admits(&m->guard, &a->addr))
        return CURL_SOCKET_BAD;
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t give(char *to, size_t size, size_t count, void *ctx)
{
    struct mailer *m = ctx;
    size_t n = size * count < m->left.n ? size * count : m->left.n;
    if (n > 0)
        memcpy(to, m->left.p, n);
    m->left = (struct str){ m->left.p + n, m->left.n - n };
    return n;
}

/* What a server says is not looked at beyond its codes. */
static size_t pass_over(char *bytes, size_t size, size_t count, void *ctx)
{
    (void)bytes, (void)ctx;
    return size * count;
}

static int go_on(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct mailer *m = ctx;
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(m->stop) ? 1 : 0;
}

static void set_server(CURL *e, const struct conf_mail *c, struct str name, struct arena *a)
{
    struct str url =
        arena_printf(a, "%s://%.*s:%u/%.*s", c->kind == CONF_SMTP_TLS ? "smtps" : "smtp",
                     STR_ARG(c->host), c->port, STR_ARG(name));
    must(curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_URL, url.p) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_NOPROXY, "") == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK);
    /* ALL: it is not sent where STARTTLS is not offered, or was taken out on the way */
    must(curl_easy_setopt(e, CURLOPT_USE_SSL,
                          c->kind == CONF_SMTP_PLAIN ? (long)CURLUSESSL_NONE
                                                     : (long)CURLUSESSL_ALL) == CURLE_OK);
    wire_set_tls(e, &c->remote.tls, a);
    if (c->user.n > 0) {
        must(curl_easy_setopt(e, CURLOPT_USERNAME, arena_str(a, c->user).p) == CURLE_OK);
        must(curl_easy_setopt(e, CURLOPT_PASSWORD, arena_str(a, c->password).p) == CURLE_OK);
    }
}

static void set_up(CURL *e, struct mailer *m)
{
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, LIMIT_CONNECT_S * 1000L);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, LIMIT_SMTP_S * 1000L);
    curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, m);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(e, CURLOPT_READDATA, m);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, pass_over);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, pass_over);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, go_on);
    curl_easy_setopt(e, CURLOPT_XFERINFODATA, m);
}

struct mailer *mailer_new(const struct conf_mail *c, struct str name, const _Atomic bool *stop)
{
    struct mailer *m = must_alloc_zero(sizeof *m);
    m->c = c;
    m->stop = stop;
    arena_init(&m->arena);
    m->easy = curl_easy_init();
    if (m->easy != NULL) {
        set_server(m->easy, c, name, &m->arena);
        set_up(m->easy, m);
    }
    return m;
}

void mailer_free(struct mailer **mm)
{
    struct mailer *m = *mm;
    if (m == NULL)
        return;
    if (m->easy != NULL)
        curl_easy_cleanup(m->easy);
    arena_fini(&m->arena);
    free(m);
    *mm = NULL;
}

static const char *why(struct mailer *m, CURLcode code, long status)
{
    if (code == CURLE_LOGIN_DENIED)
        return "the mail server does not take the name and password";
    if (code == CURLE_USE_SSL_FAILED)
        return "the mail server offers no TLS";
    if (code == CURLE_OPERATION_TIMEDOUT)
        return "it took too long";
    if (status >= 400) {
        (void)snprintf(m->why, sizeof m->why, "status %ld", status);
        return m->why;
    }
    if (code == CURLE_WEIRD_SERVER_REPLY)
        return "the answer is not SMTP";
    return wire_error(m->easy, &m->guard, code);
}

/* The letter or its address was refused for good; of the rest (a login, a greeting) another day may say otherwise. */
static bool refused(CURLcode code, long status)
{
    return status / 100 == 5 && status / 10 != 53 &&
           (code == CURLE_SEND_ERROR || code == CURLE_WEIRD_SERVER_REPLY);
}

/* What was said is about this letter, and the server goes on talking. */
static bool about_letter(CURLcode code, long status)
{
    return status >= 400 && (code == CURLE_SEND_ERROR || code == CURLE_WEIRD_SERVER_REPLY) &&
           status != 421;
}

enum mail_result mailer_send(struct mailer *m, const struct mail *mail, bool *ret_gone,
                             const char **ret_why)
{
    CURL *e = m->easy;
    *ret_gone = true;
    *ret_why = "cannot set up libcurl";
    if (e == NULL)
        return MAIL_LATER;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct curl_slist *to =
        curl_slist_append(NULL, arena_printf(&a, "<%.*s>", STR_ARG(mail->to)).p);
    must(to != NULL);
    m->left = mail->bytes;
    m->guard = (struct wire_guard){ .conf = &m->c->remote };
    must(curl_easy_setopt(e, CURLOPT_MAIL_FROM,
                          arena_printf(&a, "<%.*s>", STR_ARG(mail->from)).p) == CURLE_OK);
    must(curl_easy_setopt(e, CURLOPT_MAIL_RCPT, to) == CURLE_OK);
    curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->bytes.n);
    CURLcode code = curl_easy_perform(e);
    long status = 0;
    (void)curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(e, CURLOPT_MAIL_RCPT, NULL);
    curl_slist_free_all(to);
    *ret_gone = code != CURLE_OK && !about_letter(code, status);
    *ret_why = code == CURLE_OK ? "" : why(m, code, status);
    return code == CURLE_OK ? MAIL_TAKEN : refused(code, status) ? MAIL_REFUSED : MAIL_LATER;
}
