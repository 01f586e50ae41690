/* consent/snapshots_priv.h - counted snapshots, and tables of them by subject.
 *
 * No locks here: snapshots.c says who may touch what.
 */
#ifndef CONSENT_SNAPSHOTS_PRIV_H
#define CONSENT_SNAPSHOTS_PRIV_H

#include "consent/snapshots.h"

#include <stdatomic.h>

/* A counted snapshot. The snapshot's bytes follow the header, so that a pointer
 * to it leads back here. */
struct held {
    atomic_uint refs;
    bool flagged;       /* SUBJECT_RESTRICTED was added by a block, the store does not say it */
    struct held *after; /* in the list of what the loop may still look at */
    _Alignas(16) char bytes[];
};

struct link { /* in the ring of entries by use */
    struct link *newer, *older;
};

struct snapshot_entry { /* an entry of a table; also a registered load, if loads > 0 */
    struct link use;    /* first; NULL while it cannot go */
    struct snapshot_entry *chain;
    struct snapshot_entry *next_dirty;
    struct held *held; /* NULL while only loads are registered, and in the table of blocks */
    uint64_t hash;
    uint32_t loads;
    bool dirty;
    uint16_t id_len;
    char id[];
};

struct table {
    struct snapshot_entry **bucket;
    uint32_t mask, count;
    struct link used; /* the ring's head: .older is the newest, .newer the oldest */
};

const struct snapshot *held_view(const struct held *h);
struct held *held_of(const struct snapshot *s);
struct held *held_new(const struct snapshot *from, bool blocked);
/* A copy that says the same but for the block. */
struct held *held_copy(const struct held *from, bool blocked);
struct held *held_ref(struct held *h);
void held_unref(struct held *h); /* accepts NULL */

void table_init(struct table *t, uint32_t capacity);
void table_fini(struct table *t);
struct snapshot_entry *table_find(const struct table *t, uint64_t hash, struct str id);
struct snapshot_entry *table_add(struct table *t, uint64_t hash, struct str id);
/* Out of the table; the caller disposes of ->held and frees it. */
void table_take_out(struct table *t, struct snapshot_entry *e);
/* Out of the order of use: it cannot be evicted. */
void table_pin(struct snapshot_entry *e);
void table_used_now(struct table *t, struct snapshot_entry *e);
/* The least recently used; NULL when all are pinned. */
struct snapshot_entry *table_oldest(struct table *t);

#endif
