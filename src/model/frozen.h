/* model/frozen.h - what may not change any more.
 *
 * Frozen is what the store has seen before: numbers of purposes and
 * destinations, and every version's content at the time it was first stored.
 */
#ifndef MODEL_FROZEN_H
#define MODEL_FROZEN_H

#include "base/str.h"

#include <stdint.h>

struct frozen_version {
    struct str purpose;
    uint32_t version;
    struct str content; /* policy_version_content() of the day it was stored */
};

/* A text that was declared void while the daemon ran, beside what the file says. */
struct frozen_void {
    uint32_t purpose; /* number */
    uint32_t version;
    int64_t from_ms; /* the earliest that was declared */
};

struct frozen {
    struct str *purpose; /* purpose[i] has number i + 1 */
    uint32_t purpose_count;
    struct str *destination; /* destination[i] has slot i */
    uint32_t destination_count;
    struct frozen_version *version; /* of several with one number the last is the newest */
    uint32_t version_count;
    const struct frozen_void *voided;
    uint32_t void_count;
};

/* What the store must add to that before this configuration may be compiled. */
struct policy_news {
    struct str *purpose, *destination; /* new names, in order */
    uint32_t purpose_count, destination_count;
    struct frozen_version *version; /* new versions (or a further language), with content */
    uint32_t version_count;
};

#endif
