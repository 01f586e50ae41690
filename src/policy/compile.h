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
 * there: purpose, version, since, texts, recipients with name and country, notices. */
struct str policy_version_content(const struct conf *c, const struct conf_purpose *p,
                                  const struct conf_version *v, struct arena *a);

/* Compares a configuration with what is frozen. ERR_CONFLICT with every
 * difference in *reports when something frozen was changed (a further language
 * is no change; neither is a destination's present recipient: the gate compares
 * that with the frozen one; voided is kept apart and may be added, never taken
 * back); ERR_LIMIT when names run out. */
enum err policy_compare(const struct conf *c, const struct frozen *f, struct arena *a,
                        struct policy_news *ret_news, struct buf *reports) MUST_CHECK;

/* Compiles; every purpose, destination and version of c must be in f. The
 * policy lives in the arena and points into c and f. */
enum err policy_compile(const struct conf *c, const struct frozen *f, uint32_t generation,
                        struct arena *a, const struct policy **ret_policy,
                        struct buf *reports) MUST_CHECK;

/* Whether moving from one policy to the next may turn a permit into a denial
 * (then the reload passes the barrier of DESIGN 4). True when in doubt. */
bool policy_narrows(const struct policy *from, const struct policy *to);

#endif
