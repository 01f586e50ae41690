/* deliver/receiver.h - a real HTTP receiver on a real socket that can misbehave, for tests only.
 *
 * Thread: its own, one per connection; the functions below may be called by any.
 */
#ifndef DELIVER_RECEIVER_H
#define DELIVER_RECEIVER_H

#include "base/id.h"

#include <stdint.h>

enum receive {
    RECEIVE_200 = 0,
    RECEIVE_200_SLOWLY, /* after a few ms */
    RECEIVE_200_AND_CLOSE,
    RECEIVE_200_LONG,  /* with more answer than anybody wants */
    RECEIVE_200_EARLY, /* before the body was read, which never is */
    RECEIVE_301,
    RECEIVE_400,
    RECEIVE_429,      /* Retry-After: 1 */
    RECEIVE_429_DATE, /* Retry-After: two seconds from now, as a date */
    RECEIVE_500,
    RECEIVE_503,
    RECEIVE_NEVER, /* reads all, then waits for receiver_release() */
    RECEIVE_GARBAGE,
    RECEIVE_HALF,  /* less of a body than promised, then closes */
    RECEIVE_CLOSE, /* after the whole request, without an answer */
    RECEIVE_RESET, /* the same, rudely */
    RECEIVE_RAW,   /* what receiver_say() said */
    RECEIVE_DEAF,  /* reads nothing behind the header until receiver_release(), then all there is */
};

struct received {
    struct received *next;
    char id[ID_TEXT + 1];
    char signature[64];
    struct str body; /* owned */
    enum receive how;
    uint32_t connection;   /* from 1 */
    uint64_t begun, whole; /* receiver_tick() at the first byte and when all was read */
    uint64_t
        answered; /* likewise, right before the answer; by receiver_answered(): it comes later */
    int64_t at_mono_ms;
    size_t promised; /* Content-Length */
    bool complete;
};

/* Bytes for an answer, as they are. */
struct raw_answer {
    struct str head, more; /* both static */
    uint32_t times;        /* that `more` is said; the connection may end before */
    uint32_t pause_us;     /* before each */
    bool stays;            /* open, until receiver_release(); else it is closed */
};

struct receiver;
struct receiver *receiver_new(void);
void receiver_free(struct receiver **r);
uint16_t receiver_port(const struct receiver *r);

void receiver_set(struct receiver *r, enum receive how); /* from now on */
void receiver_next(struct receiver *r, enum receive how,
                   int n); /* for the next n requests, first */
void receiver_say(struct receiver *r, const struct raw_answer *raw); /* before it is asked for */
void receiver_release(struct receiver *r);                           /* all that wait now */

uint64_t receiver_tick(struct receiver *r);  /* grows with every call: what came before what */
uint32_t receiver_count(struct receiver *r); /* requests that were read as far as they came */
/* The n-th from 0; stays until receiver_free(). */
const struct received *receiver_get(struct receiver *r, uint32_t n);
uint32_t receiver_connections(struct receiver *r);                        /* accepted so far */
uint32_t receiver_most_at_once(struct receiver *r);                       /* not yet answered */
uint64_t receiver_answered(struct receiver *r, const struct received *q); /* 0: not yet */
uint32_t receiver_waiting(struct receiver *r); /* NEVER and DEAF that wait */
uint32_t receiver_resets(struct receiver *r);  /* connections that the other side reset */

#endif
