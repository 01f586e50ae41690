/* deliver/wire_priv.h - what the wire's files share. Handles of libcurl are `void *` here.
 *
 * A lane is one destination as it is called at present: libcurl's multi handle with its connections, its TLS
 * sessions and the names it resolved. Nothing of it is shared with another destination, nor with the same one called
 * otherwise (another proxy, certificate, pin …): what one may open or is known by serves no other.
 *
 * Thread: the delivery thread's, but for wire_wake().
 */
#ifndef DELIVER_WIRE_PRIV_H
#define DELIVER_WIRE_PRIV_H

#include "base/limits.h"
#include "deliver/wire.h"
#include "deliver/wire_setup.h"

/* A connection's socket is ours, not libcurl's: removing a request there is no abort, the kernel goes on
 * sending what it holds. Only a reset (SO_LINGER 0) stops that. */
struct wire_socket {
    struct wire_socket *next;
    int fd;
    bool used;
    /* until it is connected: libcurl closes one that never was without telling us */
    struct flight *opener;
    /* whose bytes may be in it; a kept connection passes from one to the next before we
     * hear that the first has ended */
    struct flight *flight;
};

enum { LANE_SETTINGS = 32 };

struct lane {
    struct lane *next;
    struct wire *w;
    uint32_t number, of; /* the number from 1, never given again; of a receiver */
    uint8_t settings[LANE_SETTINGS];
    void *multi;
    int64_t due_ms; /* clock_mono_ms(); INT64_MAX: libcurl waits for its sockets alone */
    uint32_t flights;
    struct wire_socket *socket;
};

struct flight {
    struct flight *next;
    struct wire *w;
    struct lane *lane;
    struct cargo *cargo;
    void *easy, *header;
    struct buf answer;
    struct wire_guard guard;
    bool begun, denied, resent, long_answer;
};

struct wire {
    int64_t send_ms;
    struct lane *lane;
    uint32_t newest_lane;
    struct flight *flight;
    uint32_t in_flight;
    int poll, wake;
};

/* wire_socket.c */
/* -1 when there is none to be had. */
int wire_socket_open(struct flight *f, int family, int type, int protocol);
int wire_socket_close(struct lane *l, int fd);
/* libcurl does not say which socket a request on a kept connection uses; its two ends do. */
struct wire_socket *wire_socket_find(const struct lane *l, const char *peer, int peer_port,
                                     const char *local, int local_port);
bool wire_socket_has_unsent(const struct wire_socket *s);
/* The connection is dead from here on, what the kernel held is gone. libcurl finds out and closes it. */
void wire_socket_reset(struct wire_socket *s);
/* Resets what the flight has on its way. */
void wire_socket_cut(struct flight *f);
/* The flight is over: nothing of it can leave the kernel any more. */
void wire_socket_leave(struct flight *f);

/* wire_lane.c */
/* The receiver's, as the cargo has it; NULL when there is none to be had. */
struct lane *lane_of(struct wire *w, const struct cargo *c);
/* Moves what can be moved. */
void lanes_turn(struct wire *w);
/* Waits until something can be moved, `timeout_ms` at most, or for wire_wake(). */
void lanes_wait(struct wire *w, int timeout_ms);
void lanes_free(struct wire *w); /* without flights */

#endif
