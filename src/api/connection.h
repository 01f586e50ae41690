/* api/connection.h - who is connected, how many, and how long.
 *
 * The HTTP library's own timeout begins anew with each byte, so one byte a
 * second keeps a connection for ever. Here every stage of a connection has an
 * end of its own, counted from its beginning:
 *
 *   new       connected, no whole request line yet    timeouts.head
 *   head      request line there, headers not         timeouts.head
 *   body      headers there, body not                 timeouts.body, longer while LIMIT_FLOOR_RATE is kept
 *   work      ours to do                              none
 *   answer    theirs to read                          LIMIT_ANSWER_S, likewise
 *   idle      answered, no next request line          timeouts.idle
 *
 * Who misses it is closed. When more are open than configured, whoever has
 * waited longest without a request makes room, else the newcomer is closed.
 *
 * Owner:  the server. Thread: the loop's.
 * Cost:   a request moves its connection between two lists; nothing is allocated.
 */
#ifndef API_CONNECTION_H
#define API_CONNECTION_H

#include "base/arena.h"
#include "conf/conf.h"

#include <stdint.h>

struct sockaddr;

enum connection_stage {
    STAGE_NEW = 0,
    STAGE_IDLE,
    STAGE_HEAD,
    STAGE_BODY,
    STAGE_WORK,
    STAGE_ANSWER,
    STAGES
};

/* Why we closed one: for the metrics. */
enum connection_end {
    END_HEAD = 0,
    END_BODY,
    END_ANSWER,
    END_IDLE,
    END_CROWDED, /* waited longest when too many were open */
    END_REFUSED, /* too many were open, and none waited */
    END_ADDRESS, /* too many of this address */
    CONNECTION_ENDS
};
extern const char *const connection_end_name[CONNECTION_ENDS];

/* What counts as one address: of IPv4 the whole, of IPv6 the /64. */
struct peer {
    struct peer *next;
    uint64_t group; /* address.h */
    uint64_t who;   /* the limiter's name for it; 0: not asked yet */
    uint32_t connections;
};

struct connection {
    struct connection *next, *prev; /* in the list of its kind, the oldest first */
    struct peer *peer;              /* NULL: it has none */
    void *owner;                    /* connections_new()'s */
    void *certificate;              /* tls.c's */
    int64_t begun_ms;               /* when the request's first line was there, monotonic */
    int64_t since_ms;               /* when the stage began */
    size_t bytes;                   /* of the body so far, or of the answer */
    int fd;
    enum connection_stage stage;
    bool closing;  /* we have shut it down */
    char text[46]; /* the address it comes from; "" : none */
};

struct connections;
struct connections *connections_new(void *owner);
void connections_free(struct connections **c); /* when all are closed */

/* How long and how many; after a reload, too. */
void connections_configure(struct connections *c, const struct conf *conf);

/* A new one on `fd`, which the HTTP library owns. `from` NULL, or no Internet address: without limits. The result is
 * already shut down when it is one too many: the library will find out. */
struct connection *connection_open(struct connections *c, const struct sockaddr *from, int fd,
                                   int64_t now_mono_ms);
void connection_close(struct connections *c, struct connection **connection);

/* To another stage. STAGE_HEAD begins a request, STAGE_IDLE ends it. */
void connection_enter(struct connections *c, struct connection *connection,
                      enum connection_stage stage, int64_t now_mono_ms);

/* Closes those whose time is over; looks at those only. True: there may be more; so many at a time that
 * nobody else waits for it. */
bool connections_sweep(struct connections *c, int64_t now_mono_ms);

uint32_t connections_open(const struct connections *c);
uint32_t connections_addresses(const struct connections *c);
uint64_t connections_ended(const struct connections *c, enum connection_end why);

#endif
