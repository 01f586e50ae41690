/* consent/preferences.h - a subject's newest value of each preference, and the
 * act that proves it. Derived: kept with the subject, never a fact of its own.
 *
 * Kept as {"name":{"value":…,"consent_id":"…","effect":ms}}: the effect decides
 * what is newer, since an old grant may arrive late.
 *
 * Limit: 4 * LIMIT_PREFERENCES names, PREFERENCES_MAX bytes. An act that lowers a
 * registered purpose is never refused for that: names without a purpose that do
 * not fit are then left out of the view (they stand in the act).
 */
#ifndef CONSENT_PREFERENCES_H
#define CONSENT_PREFERENCES_H

#include "consent/act_bind.h"

enum { PREFERENCES_MAX = 256 << 10 };

/* *ret_view is the stored view with this act in it: the same text when the act
 * changes nothing. What an unconfirmed act grants, or says of a name that is no
 * purpose, is not taken up. ERR_LIMIT names "preferences"; ERR_CORRUPT when the
 * stored view cannot be read. */
enum err preferences_merge(const struct policy *p, struct str view, const struct act_body *body,
                           const struct act_saying *s, const struct id *act, struct arena *a,
                           struct str *ret_view, struct err_info *info) MUST_CHECK;

/* As the interface shows it: {"name":{"value":…,"consent_id":"…"}}, or null. */
void preferences_write(struct str view, struct arena *a, struct buf *to);

#endif
