/* collect/segment_priv.h - what the files of the Segment adapter share. */
#ifndef COLLECT_SEGMENT_PRIV_H
#define COLLECT_SEGMENT_PRIV_H

#include "collect/segment.h"

/* The text itself when it is UTF-8 without NUL; else a copy with '?' for each bad
 * byte. Headers and query strings may hold anything. */
struct str segment_clean(struct str s, struct arena *a);

/* What `integrations` says of the uses; bits are indexes into policy->use. */
struct segment_uses {
    uint64_t on, off;
    bool all_off;
};

/* Reads one `integrations` over what an outer one said: its names win. Node 0, or no
 * object: nothing changes. */
void segment_read_integrations(const struct policy *p, const struct json_doc *doc, uint32_t node,
                               struct arena *a, struct segment_uses *uses);
uint64_t segment_uses_lowered(const struct policy *p, const struct segment_uses *uses);

/* Purposes that context.consent or RudderStack's context.consentManagement denies.
 * What is there but cannot be read denies everything. */
uint64_t segment_lowered(const struct policy *p, const struct json_doc *doc, uint32_t consent,
                         uint32_t management, struct arena *a);

/* "track" for "/v1/track", "/v1/t", "/pixel/v1/track"; empty for batches and what is
 * no type's path. And the same constant for a body's type; empty: unknown. */
struct str segment_type_of_path(struct str path);
struct str segment_type_named(struct str name);

#endif
