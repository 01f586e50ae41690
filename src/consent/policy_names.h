/* consent/policy_names.h - does the privacy policy name those who receive something?
 *
 * Looked for in the notice "privacy_policy" that is in force: each recipient of each purpose's newest
 * version by its name, letters of either case, white space and markup aside. That a name stands there
 * does not say that the policy is right; that it does not, says that it is not.
 *
 * Thread: any, with its own reader.
 */
#ifndef CONSENT_POLICY_NAMES_H
#define CONSENT_POLICY_NAMES_H

#include "conf/conf.h"
#include "store/store.h"

/* Calls `missing` once for each recipient that is not named, with the first purpose that has it. ERR_NOT_FOUND:
 * no privacy policy is in force. */
enum err policy_names_recipients(struct store_reader *r, const struct conf *c, int64_t now_ms,
                                 void (*missing)(void *ctx, struct str recipient,
                                                 struct str purpose),
                                 void *ctx) MUST_CHECK;

#endif
