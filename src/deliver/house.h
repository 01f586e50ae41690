/* deliver/house.h - a store, a ledger, a policy and the delivery thread, with the test as the loop; for tests only.
 *
 * Purposes: `mail` (device) and `post` (person), both proof: optional.
 * Destinations: own; `hook` and `second` require mail; `third` requires post. All
 * are webhooks of the same receiver, paths /hook, /second, /third. Slots in the order of the file.
 */
#ifndef DELIVER_HOUSE_H
#define DELIVER_HOUSE_H

#include "deliver/deliver.h"
#include "deliver/hook.h"
#include "deliver/receiver.h"

#include <pthread.h>

enum { SLOT_OWN, SLOT_HOOK, SLOT_SECOND, SLOT_THIRD };

struct house_options {
    bool hold;                                /* what is uncertain */
    uint32_t events, wait_ms;                 /* of a batch; 0: 100 events, no wait */
    int64_t send_ms, backoff_ms, patience_ms; /* 0: 5 s, 1 ms, a day */
    uint32_t at_once, bytes, requests_per_second,
        events_per_second; /* of `hook` and the others; 0: as a file without them */
    bool dead_second;      /* `second` is where nobody listens */
    bool refuse_private;
    bool ga4;  /* `hook` is of that type, and claims ad_user_data of `mail` */
    bool hook; /* there is a hook, "told", path /told; it is told everything */
};

struct house {
    struct house_options o;
    struct arena arena;
    char dir[64];
    struct conf *conf;
    struct store *store;
    struct store_reader *reader; /* the delivery thread's */
    struct ledger *ledger;
    struct tickets *tickets;
    struct receiver *receiver;
    struct deliver *d;
    struct hooks *hooks;
    struct store_reader *hooks_reader;

    pthread_mutex_t lock; /* of these */
    struct delivery_write *posted;
    bool refuse;
    struct deliver_policy policy;
    int policy_refs;
    uint32_t sights[6]; /* by result */
    char seen[16][96];  /* the names of the last ones, the newest at (their number - 1) % 16 */
    uint32_t seen_count;
    bool watched;

    int fail;                             /* so many commits fail */
    int64_t barriers_older_ms;            /* barriers are this old when they are opened */
    void (*before_done)(struct house *h); /* between a commit and what it lets go; once */
    uint32_t commits;
};

/* On the heap: a test that fails leaves its threads behind. */
struct house *house_new(struct house_options o);
struct house *house_with_anna(struct house_options o); /* who agrees to `mail` */
void house_free(struct house **h);
/* Guests agree to `mail`, too; names live for ever. */
enum { HOUSE_GUESTS = 100 };
const char *house_guest(uint32_t i);
void house_invite(struct house *h, uint32_t count);

/* The delivery thread: starts, stops as the daemon does, or goes down with what it has on its way. */
void house_start(struct house *h);
void house_stop(struct house *h);
void house_crash(struct house *h);

/* The same of the hooks' thread. */
void house_start_hooks(struct house *h);
void house_stop_hooks(struct house *h);
void house_crash_hooks(struct house *h);
struct hook_numbers house_hook(struct house *h);

/* One group: what was posted. Waits up to ms for it. */
void house_turn(struct house *h, int ms);
#define house_until(h, condition)                                                                  \
    do {                                                                                           \
        int64_t house_end = clock_mono_ms() + 20000;                                               \
        while (!(condition)) {                                                                     \
            if (clock_mono_ms() > house_end)                                                       \
                fail_msg("never: %s", #condition);                                                 \
            house_turn((h), 1);                                                                    \
        }                                                                                          \
    } while (0)
/* Turns for a while, to see that nothing happens. */
void house_idle(struct house *h, int64_t ms);

/* Acts, by private key. */
void house_say(struct house *h, const char *subject, const char *purpose, bool grant);
/* The same, then waits at the barrier; returns receiver_tick() right after it passed. */
uint64_t house_withdraw(struct house *h, const char *subject, const char *purpose);
/* A barrier alone. False when it had not passed after ms. */
bool house_barrier(struct house *h, const char *subject, int64_t ms);
/* The same configuration anew: another policy. */
void house_reload(struct house *h);

struct house_event {
    const char *device, *person;
    uint32_t denied; /* bits: slots that were not permitted at capture */
    uint32_t flags;
    size_t size;      /* of a text property; 0: none */
    const char *name; /* of another property, when there is no text; or NULL */
};
/* One group with one segment; returns its number. */
int64_t house_add(struct house *h, const struct house_event *event, uint32_t count);
/* n events of one device; returns the segment. */
int64_t house_add_n(struct house *h, const char *device, uint32_t n);
/* n events, each of another guest, for `hook` alone; returns the segment. */
int64_t house_add_guests(struct house *h, uint32_t n);
/* As committed and told; when the thread has heard it. */
void house_pause(struct house *h, uint32_t slot, bool paused);

/* What the store says became of one event, newest; .result 0 when nothing yet. */
struct event_delivery house_fate(struct house *h, uint32_t slot, int64_t segment, uint32_t index,
                                 struct arena *a);
enum delivery_result house_result(struct house *h, uint32_t slot, int64_t segment, uint32_t index);
/* The error of a segment's first event; prints another one. */
bool house_error_is(struct house *h, uint32_t slot, int64_t segment, const char *text);
uint32_t house_pending(struct house *h, uint32_t slot, enum pending_state state);
struct delivery_cursor house_cursor(struct house *h, uint32_t slot);
struct deliver_numbers house_numbers(struct house *h, uint32_t slot);

/* How often the event (segment, index) stands in what the receiver got whole, or in any. */
uint32_t house_arrived(struct house *h, int64_t segment, uint32_t index);

#endif
