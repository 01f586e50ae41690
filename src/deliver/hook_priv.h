/* deliver/hook_priv.h - what the hook_*.c files share.
 *
 * hook.c         the thread, and who calls it
 * hook_line.c    one hook's messages in memory: which may go
 * hook_read.c    facts and rows from the store into the line
 * hook_send.c    one attempt, and what its end says of the hook
 * hook_write.c   what must be durable
 *
 * A message is in memory from when its fact was read until it is finished and the store knows:
 *
 *   READY ─▶ FLYING ─▶ OVER (no row must be left)
 *     ▲         │ └──▶ DEAD (its row must say so)
 *     └─────────┘
 *
 * Thread: all of it the hooks' thread, but for what `lock` guards and the two functions of a write.
 */
#ifndef DELIVER_HOOK_PRIV_H
#define DELIVER_HOOK_PRIV_H

#include "deliver/backoff.h"
#include "deliver/hook.h"
#include "deliver/rate.h"
#include "deliver/window.h"
#include "deliver/wire.h"
#include "store/hook.h"

#include <pthread.h>

enum { HOOK_ID = LIMIT_ID + 1, HOOK_ERROR = 96 };

enum message_state { MESSAGE_READY = 1, MESSAGE_FLYING, MESSAGE_OVER, MESSAGE_DEAD };

struct hook;
struct message {
    struct cargo cargo; /* first; of the attempt */
    struct message *next, *prev;
    struct hook *hook;
    enum message_state state;
    struct hook_message row; /* as it is now; .error points to the text below */
    char error[HOOK_ERROR];
    int64_t order;                /* messages with the same one go one after the other */
    bool stored;                  /* a row of it is committed */
    bool dirty;                   /* and must be written, or taken away */
    bool out;                     /* that is under way */
    int64_t gone_ms;              /* FLYING since (monotonic) */
    struct deliver_policy policy; /* FLYING: with a reference */
    struct arena arena;
    struct outgoing_request request;
};

struct hook {
    struct hooks *hooks;
    char id[HOOK_ID]; /* "": this place is free */
    int64_t number, start_seq, start_ms;
    uint32_t generation;          /* of the configuration that was looked at last */
    const struct conf_hook *conf; /* of the turn's configuration; NULL: it is in none */
    uint64_t endpoint;            /* a hash of it */
    bool paused, look;            /* look: the store's rows are to be read again */
    bool gone, pause_out;         /* its receiver says so: to be paused; that is under way */
    int64_t read_again_ms;        /* monotonic: not before, after a failure */
    bool more;                    /* more rows wait in the store than are in memory */
    struct backoff backoff;
    struct window window;
    struct rate rate;

    struct message *first, *last; /* in the order of their facts */
    uint32_t count;
    int64_t scanned;   /* facts up to this one were read */
    int64_t finished;  /* the newest fact whose message is finished */
    int64_t cursor;    /* as committed */
    int64_t cursor_ms; /* when it was written last (monotonic) */
    bool cursor_out;

    struct hook_numbers n; /* copied under the lock */
};

enum change_kind { CHANGE_PUT = 1, CHANGE_REMOVE, CHANGE_CURSOR, CHANGE_PAUSE };
struct change {
    enum change_kind kind;
    struct hook *hook;
    struct message *message; /* of PUT and REMOVE */
    struct hook_message row; /* as it is to be written; the text in the round's arena */
    int64_t cursor;
};

struct hook_round {
    struct delivery_write write; /* first: what is posted */
    struct hooks *hooks;
    struct arena arena;
    struct change *change;
    uint32_t count, capacity;
};

struct hooks {
    struct hook_setup setup;
    pthread_t thread;
    bool has_thread;
    struct wire *wire;

    pthread_mutex_t lock; /* of these */
    bool wake, look, stop, abandon, stopped;
    bool round_done;
    enum err round_result;
    struct {
        char id[HOOK_ID];
        struct hook_numbers n;
    } numbers[LIMIT_HOOKS];

    /* the thread's own */
    int64_t now_ms, mono_ms;
    bool stopping, refused;
    int64_t stop_at_ms;           /* monotonic: what is on its way then is cut */
    int64_t newest;               /* fact */
    struct deliver_policy policy; /* the turn's */
    struct hook hook[LIMIT_HOOKS];
    struct hook_round round;
    bool posted;
    int64_t post_ms; /* monotonic: not before */
    struct arena scratch;
};

/* hook_line.c */
struct message *hook_put(struct hook *k, const struct hook_message *row, int64_t order,
                         bool stored); /* NULL: it is there already */
void message_free(struct message **m); /* takes it out */
/* It is finished, one way or the other; it may be gone after that. */
void message_end(struct message *m, enum message_state state);
/* The first that may be begun now; NULL: none, *ret_due_ms is when one will be, INT64_MAX: not by itself. */
struct message *hook_next(struct hook *k, int64_t now_ms, int64_t *ret_due_ms);
/* Every fact up to this one is finished. */
int64_t hook_mark(const struct hook *k);
int64_t hook_oldest_ms(const struct hook *k); /* 0: nothing waits */
bool hook_is_idle(const struct hook *k);      /* nothing of it is on its way, or being written */

/* hook_read.c */
void hook_configure(struct hooks *h);     /* which hooks there are, by the turn's configuration */
void hook_read(struct hook *k);           /* fills the line */
bool hook_has_more(const struct hook *k); /* there is something to read, and room for it */
void hook_forget(struct hook *k);         /* as if it had never been looked at; it is idle */

/* hook_send.c */
void hook_send(struct hook *k);      /* begins what may be begun */
int64_t hook_due_ms(struct hook *k); /* when something is to be done here without anybody calling */
void hook_note(const struct hook *k, struct hook_numbers *n); /* how it stands */

/* hook_write.c */
void hook_write_turn(struct hooks *h);      /* posts, and takes what was committed */
bool hook_has_writes(struct hooks *h);      /* or waits for one */
int64_t hook_write_due_ms(struct hooks *h); /* monotonic; INT64_MAX: nothing is to be written */

#endif
