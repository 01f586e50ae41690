/* api/server_priv.h - the server's own state, and what its files ask of each other.
 *
 *   server.c   start, the loop, stop
 *   serve.c    one request from its first byte to its answer, as the HTTP library calls us
 *   head.c     the request's head: headers, path, what makes it ambiguous
 *   key.c      whose key it brings
 *   answer.c   answers
 *   listen.c   sockets
 */
#ifndef API_SERVER_PRIV_H
#define API_SERVER_PRIV_H

#include "api/limit.h"
#include "api/request.h"
#include "api/server.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

struct server {
    struct pipeline *pipeline;
    struct limiter *limiter;
    struct MHD_Daemon *tcp, *local; /* local: the control socket */
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

/* head.c */
void head_put(struct headers *h, struct str name, struct str value);
/* A request that two servers could read in two ways is not read at all (RFC 9112, 6.3 and 11.2). */
bool head_is_ambiguous(const struct headers *h);
/* One slash between segments, none at the end; /beta/consent is /consent. */
struct str head_path(struct str raw, struct arena *a);

/* answer.c: makes the library's response of r->answer; the caller destroys it. */
struct MHD_Response *answer_response(struct request *r);
bool answer_send(struct request *r);

/* serve.c: the library's daemon on a listening socket; NULL when it cannot be started. */
struct MHD_Daemon *serve_start(struct server *s, int fd);
void serve_free_requests(struct server *s);

#endif
