/* policy/shown.h - what a visitor is shown: the policy as the banner needs it.
 *
 * JSON, the same for everybody who asks in the same language: purposes whose text is in force and not void, each with its
 * number, text, the recipients frozen with it and what changed from one text to the next; the words of the banner; what it tells other
 * scripts. Nothing of destinations but which purposes they require (see "events"), no key, no person.
 * docs/api.md describes the members.
 *
 * Pure. Owner: the result lives in the arena. Thread: any.
 * Limit: LIMIT_SHOWN_LANGUAGES of the wanted languages are looked at.
 */
#ifndef POLICY_SHOWN_H
#define POLICY_SHOWN_H

#include "policy/policy.h"

enum { LIMIT_SHOWN_LANGUAGES = 16, LIMIT_SHOWN = 16 << 20 };

/* `wanted`: languages, the best first, with commas between ("de-AT,en"); empty or unknown ones are passed over. All is said
 * in the first one that some purpose is told in, or the configuration's own. A purpose that lacks that one is told
 * in the first it has, which then stands with it. `at_ms`: which texts are in force. ERR_LIMIT beyond
 * LIMIT_SHOWN bytes. */
enum err policy_shown(const struct policy *p, struct str wanted, int64_t at_ms, struct arena *a,
                      struct str *ret_json) MUST_CHECK;

#endif
