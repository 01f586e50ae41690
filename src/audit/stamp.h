/* audit/stamp.h - time stamps, RFC 3161, by OpenSSL's libcrypto.
 *
 * An authority signs that it saw a hash (SHA-256) at a time. Any byte of what it sends, or of a
 * token that lies in a file, is untrusted. Pure but for the system's certificates; any thread.
 * Limit: LIMIT_STAMP.
 */
#ifndef AUDIT_STAMP_H
#define AUDIT_STAMP_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

/* What is posted to the authority (application/timestamp-query); it asks for the certificate. */
enum err stamp_request(struct str statement, struct arena *a, struct str *ret_request) MUST_CHECK;
/* The token out of the answer to a request: granted, with its nonce, and as stamp_check() says. */
enum err stamp_answer(struct str request, struct str answer, struct str statement,
                      struct str trusted, struct arena *a, struct str *ret_token,
                      struct err_info *info) MUST_CHECK;

struct stamp {
    int64_t at_ms;          /* when the authority says it saw it */
    struct str signer;      /* the name in its certificate: printable ASCII */
    struct str fingerprint; /* of the certificate: SHA-256, hexadecimal */
    bool trusted;           /* the certificate comes from one of `trusted`, as of that time */
};
/* That the token is of this statement, and signed with the certificate in it, which is for time stamps.
 * `trusted` (PEM, certificates of authorities; empty: none) must then vouch for it: else ERR_KEY. */
enum err stamp_check(struct str token, struct str statement, struct str trusted, struct arena *a,
                     struct stamp *ret_stamp, struct err_info *info) MUST_CHECK;

#endif
