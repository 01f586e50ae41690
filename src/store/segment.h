/* store/segment.h - the events of one group commit, as bytes.
 *
 * A segment is what the store keeps as one row: for each event a compact entry
 * (who, when, what the gate said) and the body, which is the union of the
 * fields that its permitted uses may have, as JSON. Pure: no I/O.
 *
 * Format 1, little-endian, no padding; docs in segment.c. Limit:
 * LIMIT_GROUP_BYTES for a segment; a damaged one gives ERR_CORRUPT.
 */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/decision.h"
#include "base/id.h"

enum {
    STORED_DEVICE_FIELDS = 0x80, /* bits of stored_event.verdict beside the reason */
    STORED_PERSON_FIELDS = 0x40,
    STORED_REASON = 0x3f,
};
enum { STORED_TEST = 1, STORED_GPC = 2, STORED_DNT = 4 }; /* stored_event.flags */

struct stored_event {
    struct id id;
    int64_t received_ms, timestamp_ms;
    uint64_t message_hash;     /* keyed hash of source and message id: deduplication */
    int64_t act_seq;           /* newest act that the verdicts rest on; 0: none */
    uint64_t lowered_uses;     /* by slot: the event itself denied it */
    uint32_t flags;            /* STORED_… */
    uint32_t generation;       /* of the configuration that judged it */
    struct str device, person; /* subject ids; empty: none */
    struct str lowered;        /* purposes the event denied: u32 purpose numbers, little-endian */
    uint8_t verdict[LIMIT_DESTINATIONS]; /* by slot: reason | STORED_…_FIELDS */
    struct str body;                     /* JSON object; empty once it was deleted */
};

/* Building: append events, then take the bytes. */
struct segment_builder {
    struct buf entries; /* LIMIT_GROUP_BYTES */
    uint32_t count;
};
void segment_builder_init(struct segment_builder *b);
void segment_builder_fini(struct segment_builder *b);
void segment_builder_clear(struct segment_builder *b);
/* False when the segment is full; nothing was added then. */
bool segment_add(struct segment_builder *b, const struct stored_event *e);

/* Reading. */
struct segment_cursor {
    struct str rest;
    uint32_t index; /* of the event that segment_next() gives next */
};
void segment_start(struct str bytes, struct segment_cursor *ret_c);
/* The next event, slices pointing into the bytes, and its entry's own bytes
 * (what the leaf is a hash of). ERR_NOT_FOUND at the end. */
enum err segment_next(struct segment_cursor *c, struct stored_event *ret_e,
                      struct str *ret_entry) MUST_CHECK;
/* Why it was permitted or denied for a slot; REASON_UNKNOWN_USE for what is no reason (a damaged byte). */
enum reason stored_reason(const struct stored_event *e, uint32_t slot);

#endif
