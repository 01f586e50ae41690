/* policy/fixture.h - configurations and subjects by hand, for tests only.
 *
 * Owner: everything lives in the arena passed in. What cannot be is a must().
 */
#ifndef POLICY_FIXTURE_H
#define POLICY_FIXTURE_H

#include "policy/compile.h"
#include "policy/gate.h"

#define FIXTURE_DAY (24LL * 3600 * 1000)
#define FIXTURE_NOW 1767225600000LL /* 2026-01-01T00:00:00Z */

/* Compares with `before` (NULL: a new database), freezes and compiles. */
const struct policy *fixture_compile(const struct conf *c, const struct frozen *before,
                                     struct arena *a, struct frozen *ret_frozen);

/* A copy of some strings, ended by NULL, as a list of the configuration. */
struct str *fixture_names(struct arena *a, uint32_t *ret_count, ...) __attribute__((sentinel));

/* A text in one language with every part filled. */
struct conf_text fixture_text(const char *language, const char *says);

struct snapshot *fixture_snapshot(struct arena *a, uint32_t flags, uint32_t count,
                                  const struct standing *standing);

#endif
