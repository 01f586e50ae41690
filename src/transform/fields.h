/* transform/fields.h - which fields may leave, and in which form.
 *
 * A plan is the allow-lists of all uses of one policy, as one tree of paths: an
 * event is walked once. What is not named does not leave. Fields belong to the
 * device (anonymousId, ids.*, integrations.*, context.ip, context.userAgent, context.userAgentData,
 * context.device, context.network, context.sessionId, context.externalId and
 * externalIds), to the person (userId, traits, context.traits, ids.hubspot.*), to
 * somebody else (previousId, mergeProperties, groupId, context.groupId, context.previousId,
 * writeKey: these never leave), or to nobody; owned ones leave only when their owner
 * passes (ARCHITECTURE, "Whose consent").
 *
 * Which rule counts for a value: its own path's; else that of the nearest path
 * above, where `prefix.*` goes before `prefix`. keep, pseudonymise and hash of an
 * object go for everything in it; query and truncate_ip are for strings. Items of a
 * list stand at the list's path. Keys count as they read, not as they are escaped; a
 * dot within a key is no step. Of two rules for one path the first stands.
 *
 * Owner:  the plan lives in the arena and points into the policy.
 * Thread: read-only after compiling, any thread.
 */
#ifndef TRANSFORM_FIELDS_H
#define TRANSFORM_FIELDS_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/event.h"
#include "policy/policy.h"

struct fields_plan;

const struct fields_plan *fields_compile(const struct policy *p, struct arena *a);

/* At intake: writes the union of what the permitted uses may have, raw values as
 * they stood, as one JSON object. Bits are indexes into policy->use. type, messageId,
 * timestamp (corrected), anonymousId and userId are the event's own; context is the message's,
 * then what the batch says beside it, with the request's ip and userAgent where they were left to us. */
struct fields_mask {
    uint64_t permitted, device,
        person; /* uses that permit; of these, those whose device / person fields pass */
};
void fields_reduce(const struct fields_plan *plan, const struct event *e,
                   const struct fields_mask *m, struct arena *a, struct buf *to);

/* At departure, and for what `own` keeps: from a stored body (what fields_reduce() wrote) to one
 * use's form, treatments applied; "{}" when nothing is left. Of numbers and truth values the text
 * is pseudonymised or hashed, empty texts are dropped. `names` (may be NULL) receives the dotted
 * names that were written, sorted, comma-separated, each once, the first six parts of each; a key
 * that is no plain word (letters, digits, _ - $) stands there as "*", since it may be somebody's
 * data. ERR_CORRUPT when the body cannot be read; nothing was written then. */
struct fields_keys {
    const uint8_t *
        secret; /* 32 bytes: SECRET_PSEUDONYM; each destination's and epoch's key is derived from it */
    int64_t at_ms; /* decides the epoch: the event's received time */
};
enum err fields_apply(const struct fields_plan *plan, uint32_t use, bool device_fields,
                      bool person_fields, struct str body, const struct fields_keys *keys,
                      struct arena *a, struct buf *to, struct buf *names) MUST_CHECK;

/* A name as it may be kept and shown: itself when it is a plain word, else "*". */
struct str fields_plain_name(struct str name);

#endif
