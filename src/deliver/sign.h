/* deliver/sign.h - signatures by the Standard Webhooks specification 1.0.
 *
 * webhook-signature: "v1," and base64(HMAC-SHA256(key, id "." timestamp "." body)). The key is the secret's bytes, or
 * what its base64 behind "whsec_" says.
 *
 * Owner: headers live in the arena. Thread: any.
 */
#ifndef DELIVER_SIGN_H
#define DELIVER_SIGN_H

#include "deliver/destination.h"

/* Adds Content-Type (JSON), webhook-id, webhook-timestamp and, with a secret, webhook-signature to a request whose
 * body is whole. ERR_VALUE: the secret is no base64. */
enum err sign_request(struct str secret, const struct id *id, int64_t at_ms, struct arena *a,
                      struct outgoing_request *q) MUST_CHECK;

#endif
