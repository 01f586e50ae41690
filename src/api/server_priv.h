/* api/server_priv.h - the server's own state, and what its files ask of each other.
 *
 *   server.c   start, the loop, stop
 *   serve.c    one request from its first byte to its answer, as the HTTP library calls us
 *   head.c     the request's head: headers, path, what makes it ambiguous
 *   key.c      whose key it brings
 *   answer.c   answers
 *   listen.c   sockets
 *   guard.c    what keeps it standing: deadlines, overload, the certificate (connection.h, shed.h, tls.h)
 */
#ifndef API_SERVER_PRIV_H
#define API_SERVER_PRIV_H

#include "api/connection.h"
#include "api/limit.h"
#include "api/request.h"
#include "api/server.h"
#include "api/shed.h"
#include "api/tls.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

struct server {
    struct pipeline *pipeline;
    struct limiter *limiter;
    struct connections *connections;
    struct certificate *certificate; /* NULL: without TLS */
    struct certificate_watch watch;
    struct shed shed;
    uint32_t parts;      /* connections, and parts of bodies but the last, that came since start */
    int64_t handling_us; /* when the request at hand began to be; 0: nobody asks */
    struct request *kept, **kept_end; /* refused by time, not yet read past: the first came first */
    uint32_t kept_count;
    int64_t now_ms, sweep_ms, watched_ms; /* monotonic, of this turn */
    struct MHD_Daemon *tcp, *local;       /* local: the control socket */
    int wake_fd, signal_fd;
    struct str socket_path;
    struct arena arena;
    struct request *free;
    uint32_t free_count, active;
    struct spare_memory { /* of requests that need none any more; the last is the warmest */
        struct arena arena;
        struct buf body;
    } spare[64];
    uint32_t spare_count;
    uint32_t library_connections; /* its own limit, a little above ours */
    bool library_reads_in_place;  /* head_is_whole() can be asked */
    uint16_t port;
    bool stopping;
    struct MHD_Response *success; /* the answer to nearly every event */
    char date[32];
    int64_t date_s, success_s; /* the second that they say */
    uint32_t lately;           /* how many joined a group, the larger ones of late */
    uint32_t waiting;          /* requests left waiting for a commit since the last turn */
    uint8_t tag_key[16];
    struct seen_key { /* the last write key, so that an SDK's is not decoded and hashed each time */
        uint64_t tag; /* keyed hash of the header */
        size_t n;     /* its length; 0: none */
        enum access access;
        const struct conf_key *key;
        uint64_t source;
        uint32_t generation;
    } seen;
};

/* listen.c: a bound, listening socket, or -1 with *info filled. */
int listen_tcp(const struct conf *c, uint16_t *ret_port, struct err_info *info);
int listen_local(struct str path, struct err_info *info);

/* server.c: the reports of a configuration, a line each, without the source that they show. */
void log_reports(const struct buf *reports);

/* head.c */
void head_put(struct headers *h, struct str name, struct str value);
/* The same for a field as the library hands it out, in the order of the head; h->next is where it should be. */
void head_put_line(struct headers *h, const char *name, const char *value);
/* Whether the whole head, `size` bytes from the method on, is lines that end in CRLF, and nothing else. */
bool head_is_whole(const struct headers *h, struct str method, struct str target,
                   const char *version, size_t size);

void head_target(struct str raw, struct arena *a, struct target *ret_t);

/* A request that two servers could read in two ways is not read at all (RFC 9112, 3.2, 5.1, 5.2, 6.3 and 11.2): why,
 * or NULL. `old`: it is of HTTP/1.0. */
const char *head_fault(const struct headers *h, const struct target *t, bool old);
/* One slash between segments, none at the end; /beta/consent is /consent. */
struct str head_path(struct str raw, struct arena *a);

/* answer.c: makes the library's response of r->answer; the caller destroys it. */
struct MHD_Response *answer_response(struct request *r);
bool answer_send(struct request *r);

/* guard.c */
/* Before anything is opened; guard_configure() once the pipeline is. */
enum err guard_open(struct server *s, const struct conf *c, struct buf *reports,
                    struct err_info *info) MUST_CHECK;
void guard_close(struct server *s);
void guard_configure(struct server *s);
void guard_reloaded(struct server *s);
/* Around all that a turn does. */
void guard_turn_begin(struct server *s);
void guard_turn_end(struct server *s);
/* Lets go n of those that are kept waiting; all, before the library's daemon is stopped. */
void guard_release(struct server *s, uint32_t n);
bool guard_is_late(const struct server *s); /* whether the turn should come to its end */
/* The head is there: beyond the limit of its address, or with too much to do, r->refused is set. */
void guard_head(struct request *r);
/* Whether n more bytes of the body may be held; else r->refused is set, and what was held is let go. */
bool guard_takes(struct request *r, size_t n);
/* Whether the request may be handled now; else it was answered. guard_worked() after it was. */
bool guard_admits(struct request *r);
void guard_worked(struct request *r);
/* gnutls_certificate_retrieve_function3 */
struct gnutls_session_int;
struct gnutls_cert_retr_st;
struct gnutls_ocsp_data_st;
int guard_certificate(struct gnutls_session_int *session, const struct gnutls_cert_retr_st *info,
                      struct gnutls_pcert_st **ret_chain, unsigned *ret_count,
                      struct gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_ocsp_count,
                      struct gnutls_privkey_st **ret_key, unsigned *ret_flags);

/* serve.c: the library's daemon on a listening socket, with TLS if there is a certificate and it is `public`; NULL
 * when it cannot be started. */
struct MHD_Daemon *serve_start(struct server *s, int fd, bool public);
/* Within the library's call of the handler only: it is not called again, nor anything read, until it is resumed. */
void request_suspend(struct request *r);
void request_resume(struct request *r);
void serve_free_requests(struct server *s);

#endif
