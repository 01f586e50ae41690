/* store/finding.h - what was found where a legal notice is published.
 *
 * A finding is a fact: this text stood there then. It is pending until somebody confirms it as the
 * notice's next version (or what is published goes back to the version in use), and permits nothing before.
 *
 * Owner, thread, errors: as in store/store.h.
 */
#ifndef STORE_FINDING_H
#define STORE_FINDING_H

#include "store/store.h"

struct finding {
    struct str identifier;
    int64_t received_ms;
    struct str content; /* JSON, as a notice has it */
    uint8_t hash[32];   /* SHA-256 of its words */
    int64_t seq;        /* given out by the store */
    uint32_t version;   /* confirmed as this; 0: not */
};
enum err store_add_finding(struct store *s, const struct finding *f, struct str payload,
                           int64_t *ret_seq) MUST_CHECK;
/* The newest of an identifier, confirmed or not. ERR_NOT_FOUND. */
enum err store_newest_finding(struct store_reader *r, struct str identifier, struct arena *a,
                              struct finding *ret_f) MUST_CHECK;
/* The newest, when it waits for somebody's word. ERR_NOT_FOUND: nothing does. */
enum err store_pending_finding(struct store_reader *r, struct str identifier, struct arena *a,
                               struct finding *ret_f) MUST_CHECK;
/* It became this version, whose notice is of the open group and says "finding": its seq. */
enum err store_confirm_finding(struct store *s, int64_t finding, uint32_t version) MUST_CHECK;

/* The version of a notice that is in force at a moment: of those with a timestamp up to then, that
 * with the latest, and of several the highest. 0: none is. */
uint32_t store_notice_at(struct store_reader *r, struct str identifier, int64_t at_ms);

#endif
