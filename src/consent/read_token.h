/* consent/read_token.h - a short-lived token that opens the state of one subject's consents, and nothing else.
 *
 * It is licet's own to make, and nothing of it is stored: whom it is for and when it ends stand in it, under a MAC
 * with a name of its own, so that a device token, the token of a letter or anything else that the same secret signs is
 * no read token, nor the other way round.
 *
 * Thread: any.
 */
#ifndef CONSENT_READ_TOKEN_H
#define CONSENT_READ_TOKEN_H

#include "base/arena.h"

/* Base64url text. `subject`: an id that subject_id_ok() takes. `expires_ms`: ms since 1970, UTC, 0 or later. */
struct str read_token_make(const uint8_t secret[32], struct str subject, int64_t expires_ms,
                           struct arena *a);

/* Whose it is, and its end. False when it is not as read_token_make() writes it to the last bit, when it is over (at
 * `expires_ms` it is), and when it would last longer than LIMIT_READ_TOKEN_MS from now: the clock was set back. The
 * outputs are then untouched. */
bool read_token_check(const uint8_t secret[32], struct str token, int64_t now_ms, struct arena *a,
                      struct str *ret_subject, int64_t *ret_expires_ms);

#endif
