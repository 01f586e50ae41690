/* pipeline/pipeline_priv.h - the pipeline's own state, for this folder. */
#ifndef PIPELINE_PRIV_H
#define PIPELINE_PRIV_H

#include "pipeline/dedupe.h"
#include "pipeline/pipeline.h"
#include "pipeline/post.h"
#include "pipeline/sealer.h"
#include "pipeline/watch.h"

#include <pthread.h>

/* A voiding makes a new generation of the same file. */
struct shared_conf {
    struct conf *conf;
    _Atomic uint32_t users;
};

struct live_generation {
    struct generation public; /* first: what others hold a pointer to */
    struct live_generation *older;
    struct shared_conf *shared;
    struct arena arena;  /* frozen, policy, plan */
    uint32_t references; /* under generations_lock */
    uint64_t delivering; /* uses that something is sent to: bits */
    uint32_t
        own_whole; /* the own store's slot, when it keeps fields just as they came; else 0: bits */
};

/* What other threads want committed. */
struct mailbox {
    pthread_mutex_t lock;
    struct delivery_write **write; /* grows */
    uint32_t count, capacity;
    bool closed;
};

struct janitor;

struct pipeline {
    void (*wake)(void *ctx);
    void *wake_ctx;

    struct store *store;
    struct ledger *ledger;
    struct tickets *tickets;
    struct deliver *deliver;
    struct hooks *hooks;
    struct store_reader *deliver_reader, *hooks_reader; /* lent to them */
    struct reader *reader;
    struct janitor *janitor;
    struct sealer *sealer;
    struct tail *tail;
    struct watch *watch;
    struct post *post;
    struct numbers numbers;
    struct dedupe *dedupe;
    uint8_t dedupe_secret[32];

    pthread_mutex_t generations_lock;
    struct live_generation *newest; /* the one in use; older ones until nobody holds them */

    struct mailbox mailbox;

    /* the open group */
    bool open;
    int64_t head; /* newest link of the chain that was written */
    bool failed;  /* something in it could not be written: it will be rolled back */
    struct err_info failure;
    struct segment_builder segment;
    struct buf body;      /* of the event at hand */
    uint64_t deliverable; /* uses that something in it is for: bits */
    uint64_t dedupe_mark;
    size_t document_bytes;           /* uploaded */
    struct waiter joined;            /* list head: for the commit */
    bool early;                      /* some were done outside the turn: they are to be answered */
    struct waiter barriers;          /* list head: committed, waiting for tickets */
    struct delivery_write **applied; /* of this group */
    uint32_t applied_count, applied_capacity;

    uint64_t denied[LIMIT_DESTINATIONS][REASON_COUNT]; /* not yet in the hourly counters */
    bool any_denied;
    int64_t counters_due_ms;        /* monotonic */
    _Atomic bool strip_due;         /* set by the janitor */
    struct barrier *reload_barrier; /* a narrower policy is in force when it has passed; or NULL */
    bool stopping;

    int64_t fact;           /* newest one that hooks were called for */
    int64_t publish_due_ms; /* monotonic */
    bool unseen;            /* something deliverable is not published yet */
    bool tidy_due;
    int64_t strip_again_ms; /* monotonic: more is to be deleted; 0: no */

    int64_t clock_offset_ms; /* clock_offset_ms() a second ago */
    int64_t
        keep_until_ms; /* monotonic: the clock jumped ahead, retention ends nothing; 0: it does */
};

/* Opens the group when it is not. */
enum err group_open(struct pipeline *p, struct err_info *info) MUST_CHECK;
/* Makes a waiter wait for the open group. */
void group_join(struct pipeline *p, struct waiter *w);
void waiter_list_init(struct waiter *head);
/* The group cannot be committed any more: everybody in it gets this error. */
void group_fail(struct pipeline *p, enum err err, const struct err_info *info);
/* What a verb of the consent database gave: its waiter waits, or a fault of the store spoils the group. */
enum err group_settle(struct pipeline *p, enum err e, struct waiter *w,
                      const struct err_info *info) MUST_CHECK;
/* Commits (or rolls back) now; used by the turn, and by intake when a segment is full. */
void group_commit(struct pipeline *p);
/* Shows readers what was committed: when that is due, or `now`. */
void group_publish(struct pipeline *p, bool now);
bool mailbox_post(struct pipeline *p, struct delivery_write *w);

/* Writes something into the group of a new generation, before its policy is made. */
typedef enum err (*generation_fn)(struct pipeline *p, void *ctx, struct err_info *info);
/* A new generation with the configuration in use; replaces the one in use when it is committed. */
enum err generation_renew(struct pipeline *p, generation_fn write, void *ctx,
                          struct err_info *info) MUST_CHECK;
/* Done when no request of before is on its way any more; at once if there is none. */
void waiter_await_all(struct pipeline *p, struct waiter *w);

/* upkeep.c: what is written for its own sake, in the open group; and files. */
void upkeep_write(struct pipeline *p);
void upkeep_tidy(struct pipeline *p);
/* Which watched notices wait for somebody, and which recipients the privacy policy does not name: into the numbers. */
void upkeep_look_at_notices(struct pipeline *p);
bool upkeep_may_end_retention(const struct pipeline *p);
/* Adds what was denied and not stored to the hourly counters (in the open group). */
enum err counters_flush(struct pipeline *p) MUST_CHECK;

/* Where each destination starts (place.c): in the open group, before its configuration is used. `known`: how many of
 * the frozen ones had been there before. */
enum err place_destinations(struct pipeline *p, const struct conf *c, const struct frozen *f,
                            uint32_t known) MUST_CHECK;

/* Likewise each hook (place_hooks.c). */
enum err place_hooks(struct pipeline *p, const struct conf *c) MUST_CHECK;

struct janitor *janitor_new(struct pipeline *p, struct store_reader *r);
void janitor_free(struct janitor **j);
/* Deletes bodies that no delivery needs any more; on the loop's thread, in the open group.
 * ret_more: that was not all. */
enum err strip_delivered(struct pipeline *p, bool *ret_more) MUST_CHECK;

#endif
