/* deliver/deliver_priv.h - what the files of this folder share.
 *
 * An outlet is one destination's state. A parcel is one request, from the decision
 * before it is built until its result is on disk:
 *
 *   gathered ─▶ packed ─▶ BEGIN (`sending` to disk) ─▶ FLYING ─▶ END (result to disk) ─▶ freed
 *                  ▲                                     │
 *                  └── the decision before the first byte differed
 *
 * Thread: everything but delivery_write_…() and what lock guards belongs to the delivery thread.
 */
#ifndef DELIVER_DELIVER_PRIV_H
#define DELIVER_DELIVER_PRIV_H

#include "deliver/backoff.h"
#include "deliver/deliver.h"
#include "deliver/destination.h"
#include "deliver/line.h"
#include "deliver/names.h"
#include "deliver/rate.h"
#include "deliver/shelf.h"
#include "deliver/window.h"
#include "deliver/wire.h"
#include "policy/gate.h"

#include <pthread.h>

/* An event as it was stored, and where. An empty body: it was deleted, or could not be read. */
struct loaded {
    struct stored_event e;
    struct delivery_cursor before; /* the cursor that has it as the next one */
    int64_t segment;
    uint32_t index;
    uint32_t earlier;    /* its set in the parcel's `earlier` */
    uint64_t subject[2]; /* hashes of device and person; 0: none */
};

/* What the decision before the first byte needs of an event in a parcel. */
struct parcel_event {
    struct str device, person;
    struct use use;
    bool device_fields, person_fields; /* as it was built */
    uint32_t claims;                   /* likewise */
    int64_t received_ms;
    uint32_t earlier; /* like loaded.earlier */
};

enum step_kind {
    STEP_LEFT,    /* what does not go: dropped, or dead before it went */
    STEP_ASIDE,   /* waits behind an earlier request, as one of its own */
    STEP_SENDING, /* before the first byte */
    STEP_RESULT,
    STEP_CURSOR, /* nothing was for this destination */
};

/* One verb of a write. */
struct step {
    struct step *next;
    enum step_kind kind;
    struct delivery_request q;
    struct delivery_cursor cursor;
    const struct id *event; /* like q.item; or NULL */
    const uint64_t *subject;
    uint32_t subject_count;
    struct outlet *outlet;
    struct parcel *parcel; /* NULL: the outlet's own */
};

enum parcel_state { PARCEL_BEGIN = 1, PARCEL_FLYING, PARCEL_END };

struct parcel {
    struct cargo cargo; /* first; this and d are filled when it goes */
    struct deliver *d;
    struct parcel *next; /* of the outlet's */
    struct outlet *outlet;
    enum parcel_state state;
    struct arena arena;
    struct deliver_policy policy; /* with a reference when .policy is set */
    uint32_t use;                 /* in that policy */
    const struct destination *driver;

    struct id id;
    uint32_t attempts; /* begun, this one included */
    uint32_t rebuilt;
    bool pending;        /* it stands in the store as a request already … */
    struct id stored_id; /* … with this id */
    bool
        maybe_arrived; /* an earlier attempt may have: what is denied now is uncertain, not dropped */
    struct parcel_event *event;
    struct line_event *in_line; /* like event */
    struct delivery_item *item; /* like event */
    struct id *event_id;        /* like event */
    uint32_t count;
    uint64_t *subject; /* hashes */
    uint32_t subject_count;
    struct outgoing_request request;
    struct str fields, error;
    uint32_t fields_cut, fields_omitted; /* to fit the receiver's limits */
    struct str earlier; /* with maybe_arrived: the sets of names that may have left; else empty */

    struct delivery_item *left; /* what does not go with it */
    struct id *left_event_id;
    uint32_t left_count;
    struct id left_id;
    struct str left_error;
    uint64_t *left_subject;
    uint32_t left_subject_count;
    bool rest; /* a part of what is left goes on as a request of its own, which the store makes */

    struct line_request *line;  /* its own, or NULL: found `sending` at start */
    struct line_request *aside; /* what was put aside beside it; until that is committed */

    struct step step[3];
    uint32_t steps_out;
    bool has_ticket;
};

struct outlet {
    uint32_t slot;
    uint32_t use;                        /* in the turn's policy; UINT32_MAX: nothing is begun */
    const struct conf_destination *conf; /* of the turn's policy; NULL without a use */
    uint32_t generation;                 /* of the configuration that was looked at last */
    uint64_t endpoint;                   /* a hash of it */
    int64_t start_segment, start_ms;     /* struct delivery_standing */
    bool started, paused;
    struct backoff backoff;
    struct window window;
    struct rate requests, events;
    struct parcel *parcel;

    /* pending.c */
    struct line line;
    bool lined;         /* the line holds what the store says */
    int64_t look_ms;    /* when to compare them again; */
    int64_t looked_ms;  /* when that was done */
    int64_t due_ms;     /* when one of them is due by itself … */
    uint64_t due_since; /* … as of this version of the line; UINT64_MAX: look */

    struct delivery_cursor cursor; /* of the last step */
    int64_t cursor_ms;             /* when that was */
    struct step cursor_step;
    bool cursor_out;

    /* gather.c */
    struct delivery_cursor scan;
    struct segment_cursor at; /* within the segment with this stamp */
    uint64_t at_stamp;
    bool at_end;
    struct arena arena;
    struct loaded *gathered;
    uint32_t gathered_count;
    size_t gathered_bytes;
    uint64_t blocked_since; /* nothing of these may go, as of this version of the line … */
    uint32_t blocked_count; /* … when they were so many; 0: not so */

    int64_t last_sent_ms, last_error_ms;
};

struct round {
    struct delivery_write write; /* first: what is posted */
    struct deliver *d;
    struct step *first;
};

struct deliver {
    struct deliver_setup setup;
    pthread_t thread;
    bool has_thread;
    struct wire *wire;

    pthread_mutex_t lock; /* of these */
    bool wake, look, stop, abandon, stopped;
    bool round_done;
    enum err round_result;
    struct deliver_numbers numbers[LIMIT_DESTINATIONS];

    /* the thread's own */
    int64_t now_ms;
    bool stopping, refused, recovering;
    int64_t newest; /* segment */
    uint32_t
        slots; /* of all outlets in use: segments with nothing for any of them are passed over */
    struct deliver_policy policy;
    struct outlet outlet[LIMIT_DESTINATIONS];
    struct shelf shelf;
    struct round round;
    bool posted;
    struct step *queue, **queue_end;
    int64_t post_again_ms;
    struct arena scratch, sorting;
    struct buf bodies, names;
};

/* deliver.c */
void deliver_count(struct deliver *d, uint32_t slot, enum delivery_result result, uint32_t n);
void deliver_count_request(struct deliver *d, uint32_t slot, bool cut);
void deliver_count_fields(struct deliver *d, uint32_t slot, uint32_t cut, uint32_t omitted);
void deliver_note_error(struct deliver *d, struct outlet *o, struct str error);

/* gather.c: reads on from the outlet's scan. True when there is enough for a request; else nothing is left, or
 * enough was looked at for one turn. */
bool gather(struct deliver *d, struct outlet *o);
/* How many of the gathered, from the first on, fit into so many requests where each is about one device and person, and
 * nobody stands in two that differ in the other. */
uint32_t gather_fitting(const struct outlet *o, uint32_t requests);
uint32_t gather_most_events(const struct outlet *o); /* in one request, as the configuration says */
size_t gather_most_bytes(const struct outlet *o);
bool gather_is_full(const struct outlet *o);
/* The first `count` gathered are taken. */
void gather_taken(struct outlet *o, uint32_t count);
/* Up to where nothing waits for a request. */
struct delivery_cursor gather_position(const struct outlet *o);
/* Reads a request's events again. ERR_IO and such: not now. */
enum err gather_items(struct deliver *d, const struct delivery_item *item, uint32_t count,
                      struct arena *a, struct loaded **ret_loaded) MUST_CHECK;

/* pack.c */
struct parcel *parcel_new(struct outlet *o);
void parcel_free(struct deliver *d, struct parcel **p);
/* Decides, transforms and builds. Of the loaded that have no place yet, ret_taken have one then, in the parcel or
 * among what is left, and are marked; without a `fit` these are the first of them. A parcel that stands in the store keeps its id only when all of it goes. ERR_VALUE: the configuration cannot be sent to. */
enum err parcel_pack(struct deliver *d, struct parcel *p, const struct loaded *loaded,
                     uint32_t count, bool *placed, uint32_t *ret_taken) MUST_CHECK;
/* Its fields count as left, whatever comes of it … */
void parcel_may_have_arrived(struct parcel *p);
/* … or it was not begun: what left is what may have left before. */
void parcel_take_back_fields(struct parcel *p);
/* The decision before the first byte; true when it is as it was when the parcel was built. Under the tickets' lock. */
bool parcel_still_permitted(struct deliver *d, struct parcel *p);

/* write.c */
void write_begin(struct deliver *d, struct parcel *p);
void write_result(struct deliver *d, struct parcel *p, enum delivery_result result,
                  int64_t next_ms);
void write_cursor(struct deliver *d, struct outlet *o, struct delivery_cursor c);
void write_turn(struct deliver *d); /* posts, and takes what was committed */

/* fresh.c: new events; those whose subjects no unfinished request holds go, the others are put aside. */
void fresh_turn(struct deliver *d, struct outlet *o);
int64_t fresh_due_ms(const struct deliver *d, struct outlet *o);

/* pending.c */
void pending_recover(struct deliver *d);
/* Brings the line up to what the store says, when that is due. */
void pending_line_up(struct deliver *d, struct outlet *o);
void pending_look(struct deliver *d, struct outlet *o); /* soon, again */
void pending_retry(struct deliver *d, struct outlet *o);
int64_t pending_due_ms(const struct deliver *d, const struct outlet *o);
/* The decision before the first byte said no: again, without those whom it denies. Takes the parcel. */
void pending_rebuild(struct deliver *d, struct parcel *p);

/* outlet.c */
void outlet_init(struct outlet *o, uint32_t slot);
void outlet_fini(struct deliver *d, struct outlet *o);
void outlet_configure(struct deliver *d, struct outlet *o);
void outlet_turn(struct deliver *d, struct outlet *o);
int64_t outlet_due_ms(const struct deliver *d, struct outlet *o);
uint32_t outlet_at_once(const struct outlet *o); /* most requests on their way */
bool outlet_may_begin(const struct deliver *d, const struct outlet *o);
/* When a request with so many events may be begun, by the limits of the configuration. */
int64_t outlet_rate_ms(const struct deliver *d, struct outlet *o, uint32_t events);
void outlet_note_state(const struct deliver *d, const struct outlet *o, struct deliver_numbers *n);
/* It does not go on as it did: nothing is begun before the back-off says so. */
void outlet_open_circuit(struct deliver *d, struct outlet *o, int64_t asked_s, bool outage);
void outlet_build_failed(struct deliver *d, struct outlet *o, enum err err);

/* result.c: what became of a parcel */
void parcel_written(struct deliver *d, struct parcel *p, bool ok);
/* Back among the retries without an attempt having been made. */
void parcel_put_back(struct deliver *d, struct parcel *p, int64_t next_ms);

#endif
