/* deliver/wire.h - requests on their way, whoever sends them: parcels to destinations, messages to hooks.
 *
 * libcurl's multi interface, HTTP/1.1. Every receiver has connections of its own (wire_priv.h). Only wire*.c
 * know libcurl.
 *
 * Thread: one, but for wire_wake().
 * Limit:  LIMIT_CONNECT_S, LIMIT_ANSWER, LIMIT_ANSWER_HEAD, and send_ms in all.
 */
#ifndef DELIVER_WIRE_H
#define DELIVER_WIRE_H

#include "deliver/destination.h"

enum ended_how {
    ENDED_ANSWERED = 1,
    ENDED_UNBEGUN, /* nothing on the wire */
    ENDED_BROKEN,  /* bytes went out, no whole answer came */
    ENDED_DENIED,  /* may_begin() said no */
    ENDED_CUT,     /* reset by us: must_cut() said so */
};
struct ended {
    enum ended_how how;
    int status;
    int64_t retry_after_s;
    const char *error;
    struct str body; /* in the cargo's arena */
};

struct cargo;
struct cargo_verbs {
    /* Asked right before the first byte, and again when libcurl re-sends on a dead connection. */
    bool (*may_begin)(struct cargo *c, bool again);
    bool (*must_cut)(struct cargo *c); /* asked each turn; NULL: never */
    /* The last call; the cargo may be gone when it returns. */
    void (*ended)(struct cargo *c, const struct ended *e);
};

/* One request, as the sender has it; it stays as it is until ended(). */
struct cargo {
    const struct cargo_verbs *verbs;
    const struct conf_destination *conf; /* how to connect; held by the sender */
    uint32_t lane;                       /* one number for each receiver of this wire */
    struct arena *arena;
    struct outgoing_request *request;
};

struct wire;
struct wire *wire_new(int64_t send_ms); /* or NULL */
void wire_free(struct wire **w);        /* resets what is on its way, without ended() */
bool wire_start(struct wire *w, struct cargo *c);
void wire_turn(struct wire *w);
uint32_t wire_in_flight(const struct wire *w);
void wire_wait(struct wire *w, int timeout_ms);
void wire_wake(struct wire *w); /* any thread */

#endif
