/* policy/compile.h - configuration plus what is frozen → policy.
 *
 * What is frozen: model/frozen.h.
 */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include "base/buf.h"
#include "model/frozen.h"
#include "policy/policy.h"

/* What freezes with a version, as JSON, written once to the store and hashed
 * there: purpose, version, since, texts, recipients with name and country, notices;
 * and, from the day it is voided, since when it is. The same bytes for the same
 * content, in whatever order the file has it. */
struct str policy_version_content(const struct conf *c, const struct conf_purpose *p,
                                  const struct conf_version *v, struct arena *a);

/* Compares a configuration with what is frozen. ERR_CONFLICT with every
 * difference in *reports when something frozen was changed or is gone, or when a
 * new version is older than a frozen one. A further language is no change, and
 * voiding may be added, never taken back: both come as news, the version with
 * its content completed (recipients as they were frozen). Neither is a
 * destination's present recipient a change: the gate compares that with the
 * frozen one. ERR_LIMIT when names run out; ERR_CORRUPT when stored content
 * cannot be read. */
enum err policy_compare(const struct conf *c, const struct frozen *f, struct arena *a,
                        struct policy_news *ret_news, struct buf *reports) MUST_CHECK;

/* What is frozen once the news are stored, without a store: for commands that
 * only look, and for tests. The result shares the bytes of both. */
void policy_freeze(const struct frozen *f, const struct policy_news *news, struct arena *a,
                   struct frozen *ret_frozen);

/* Compiles; every purpose, destination and version of c must be in f, else
 * ERR_NOT_FOUND. ERR_LIMIT when a destination needs more than
 * LIMIT_PURPOSES_PER_USE purposes, ERR_CORRUPT as above. The policy lives in the
 * arena and points into c and f. */
enum err policy_compile(const struct conf *c, const struct frozen *f, uint32_t generation,
                        struct arena *a, const struct policy **ret_policy,
                        struct buf *reports) MUST_CHECK;

/* When one instrument holds, whatever its fallbacks say; false when it never does. */
bool policy_transfer_span(const struct conf_transfer *t, struct policy_span *ret_span);

/* Whether moving from one policy to the next may turn a permit into a denial
 * (then the reload passes the barrier: ARCHITECTURE, "Sending and withdrawal"). True when in doubt. */
bool policy_narrows(const struct policy *from, const struct policy *to);

#endif
