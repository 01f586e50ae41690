#include "api/address.h"
#include "api/route.h"
#include "api/server_priv.h"

#include "base/clock.h"
#include "base/log.h"

#include <gnutls/abstract.h>
#include <microhttpd.h>

#include <sys/resource.h>
#include <time.h>

enum {
    SWEEP_MS = 250,
    SWEEP_AGAIN_MS = 5,
    WATCH_MS = 2000,
    SPARE_CONNECTIONS = 64, /* those that come while others are being closed */
    OWN_FILES = 512,        /* the database, the log, what is sent */
    LATE_US = 10000,
    RETRY_S = 2,
};

static int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint64_t commit_us(struct server *s)
{
    return numbers_get(&pipeline_numbers(s->pipeline)->group_us);
}

static const struct conf *conf_of(struct server *s)
{
    return pipeline_generation(s->pipeline)->conf;
}

/* ---- start ---- */

/* A connection is a file: as many as are to be open must be allowed. */
static void raise_files(uint32_t connections)
{
    struct rlimit r;
    rlim_t wanted = connections + SPARE_CONNECTIONS + OWN_FILES;
    must(getrlimit(RLIMIT_NOFILE, &r) == 0);
    if (r.rlim_cur < wanted) {
        r.rlim_cur = r.rlim_max < wanted ? r.rlim_max : wanted;
        must(setrlimit(RLIMIT_NOFILE, &r) == 0);
    }
    if (r.rlim_cur < wanted)
        log_write(LOG_WARNING, "connections.files",
                  LOG_C("text", "fewer files may be open than limits.connections needs"),
                  LOG_N("allowed", r.rlim_cur), LOG_N("needed", wanted));
}

enum err guard_open(struct server *s, const struct conf *c, struct buf *reports,
                    struct err_info *info)
{
    s->connections = connections_new(s);
    s->kept_end = &s->kept;
    s->library_connections = c->limits.connections + SPARE_CONNECTIONS;
    s->library_reads_in_place = str_starts(str_of(MHD_get_version()), STR("0.9."));
    s->now_ms = clock_mono_ms();
    raise_files(c->limits.connections);
    if (!c->tls.on)
        return OK;
    if (MHD_is_feature_supported(MHD_FEATURE_HTTPS_CERT_CALLBACK2) != MHD_YES)
        return err_set(info, ERR_IO, "tls", "the HTTP library was built without TLS");
    certificate_loaded(&s->watch, c); /* before: what changes meanwhile is seen */
    enum err e = certificate_load(c, &s->certificate, reports);
    return e == OK ? OK : err_set(info, e, "tls", "the certificate cannot be used");
}

void guard_close(struct server *s)
{
    connections_free(&s->connections);
    certificate_unref(&s->certificate);
}

/* ---- the certificate ---- */

static void renew(struct server *s)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(LIMIT_CONF);
    struct certificate *fresh = NULL;
    certificate_loaded(&s->watch, conf_of(s));
    enum err e = certificate_load(conf_of(s), &fresh, &reports);
    log_reports(&reports);
    if (e != OK) {
        log_write(LOG_ERROR, "certificate.refused",
                  LOG_C("text", "it cannot be used; the old one stays in use"));
        return;
    }
    certificate_unref(&s->certificate); /* who was shown it keeps it */
    s->certificate = fresh;
    log_write(LOG_INFO, "certificate.loaded", LOG_N("expires_s", certificate_expires_s(fresh)));
}

void guard_configure(struct server *s)
{
    connections_configure(s->connections, conf_of(s));
}

void guard_reloaded(struct server *s)
{
    guard_configure(s);
    bool on = s->certificate != NULL;
    if (on != conf_of(s)->tls.on)
        log_write(LOG_WARNING, "reload.restart",
                  LOG_C("text", "a change of tls is in use after a restart"));
    else if (on)
        renew(s);
}

/* The connection keeps what it was shown: GnuTLS uses it until the handshake is done. */
int guard_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                      gnutls_pcert_st **ret_chain, unsigned *ret_count,
                      gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_ocsp_count,
                      gnutls_privkey_t *ret_key, unsigned *ret_flags)
{
    (void)info;
    const union MHD_ConnectionInfo *i = MHD_get_connection_info(gnutls_session_get_ptr(session),
                                                                MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *c = i ? i->socket_context : NULL;
    if (c == NULL)
        return -1;
    struct server *s = c->owner;
    if (c->certificate == NULL) {
        certificate_ref(s->certificate);
        c->certificate = s->certificate;
    }
    *ret_chain = certificate_chain(c->certificate, ret_count);
    *ret_key = certificate_key(c->certificate);
    *ret_ocsp = NULL;
    *ret_ocsp_count = 0;
    *ret_flags = 0; /* ours to free */
    return 0;
}

/* ---- turns ---- */

void guard_release(struct server *s, uint32_t n)
{
    for (; n > 0 && s->kept != NULL; n--) {
        struct request *r = s->kept;
        s->kept = r->next_kept;
        s->kept_count--;
        request_resume(r);
    }
    if (s->kept == NULL)
        s->kept_end = &s->kept;
}

static void keep(struct request *r)
{
    struct server *s = r->server;
    r->next_kept = NULL;
    *s->kept_end = r;
    s->kept_end = &r->next_kept;
    s->kept_count++;
    r->kept = true;
    request_suspend(r);
}

void guard_turn_begin(struct server *s)
{
    int64_t now = now_us();
    s->now_ms = now / 1000;
    shed_turn_begin(&s->shed, now, commit_us(s));
    if (s->kept_count > 0)
        guard_release(s, s->stopping ? s->kept_count : shed_release(&s->shed, s->kept_count));
    if (s->now_ms >= s->sweep_ms)
        s->sweep_ms =
            s->now_ms + (connections_sweep(s->connections, s->now_ms) ? SWEEP_AGAIN_MS : SWEEP_MS);
    if (s->certificate != NULL && s->now_ms - s->watched_ms >= WATCH_MS) {
        s->watched_ms = s->now_ms;
        if (conf_of(s)->tls.on && certificate_changed(&s->watch, conf_of(s)))
            renew(s);
    }
}

void guard_turn_end(struct server *s)
{
    shed_turn_end(&s->shed, now_us(), commit_us(s));
}

bool guard_is_late(const struct server *s)
{
    return s->shed.busy && now_us() - s->shed.turn_us >= LATE_US;
}

/* ---- one request ---- */

static void refuse_later(struct request *r, int status, const char *message, uint32_t retry_s)
{
    r->refused.status = status;
    r->refused.message = message;
    r->refused.retry_after_s = retry_s;
}

static uint64_t who_of(struct request *r)
{
    struct peer *peer = r->ip.p == r->peer.p ? r->from->peer : NULL; /* not behind a proxy */
    if (peer != NULL && peer->who != 0)
        return peer->who;
    uint64_t group = peer ? peer->group : address_group(r->ip);
    struct str text = { (const char *)&group, sizeof group };
    uint64_t who = limiter_who(request_limiter(r), LIMIT_ADDRESS_REQUESTS, text);
    if (peer != NULL)
        peer->who = who;
    return who;
}

void guard_head(struct request *r)
{
    uint32_t per = request_conf(r)->limits.address_requests_per_second, wait = 0;
    if (shed_expect(&r->server->shed, r->route->worth, r->header.content_length, &r->promised) !=
        SHED_NOT) {
        refuse_later(r, 503, "too busy, try again later", RETRY_S);
        if (r->header.content_length > 0)
            keep(r);
    }
    if (r->control || per == 0 || r->route->worth == WORTH_ALWAYS)
        return;
    if (!limiter_take_from(request_limiter(r), LIMIT_ADDRESS_REQUESTS, who_of(r), per, 1000, 1,
                           r->server->now_ms, &wait))
        refuse_later(r, 429, "too many requests from this address", wait);
}

bool guard_takes(struct request *r, size_t n)
{
    struct shed *s = &r->server->shed;
    if (shed_body(s, r->route->worth, n))
        return true;
    shed_body_gone(s, r->body.n);
    buf_fini(&r->body);
    refuse_later(r, 503, "too busy, try again later", RETRY_S);
    return false;
}

bool guard_admits(struct request *r)
{
    struct shed *s = &r->server->shed;
    int64_t now = shed_watches(s) ? now_us() : 0;
    bool waits = r->route->look != NULL && !shed_look(s, r->route->worth);
    if (!waits && shed_admit(s, r->route->worth, r->body.n, r->promised, now) == SHED_NOT) {
        r->server->handling_us = now;
        return true;
    }
    r->answer.retry_after_s = RETRY_S;
    answer_message(r, 503, "too busy, try again later");
    return false;
}

void guard_worked(struct request *r)
{
    if (r->server->handling_us != 0)
        shed_worked(&r->server->shed, r->body.n, now_us() - r->server->handling_us);
}
