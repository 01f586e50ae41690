/* consent/verification.h - double opt-in: who gave an address is asked there whether it was her.
 *
 * An act that grants what waits for a confirmation asks for a letter, as a fact of the same group. The letter's
 * link leads to a page that shows what she would confirm; only its button confirms, with an act of its own that
 * is bound to the very versions that were asked about.
 *
 * What waits: a grant that is not confirmed (it came by public key, nobody vouched), or of a purpose with
 * `double_opt_in` while the subject's address is not verified. A later refusal ends the waiting.
 *
 * To whom: to the address that the subject has. By public key to another one only if she has none, and licet
 * itself made up her id, or it is vouched for, or the id is that address: else a stranger could confirm with his
 * own mailbox what somebody else shall have said.
 *
 * Thread: the loop's for what writes, within an open group; any, with its own reader, for the rest.
 */
#ifndef CONSENT_VERIFICATION_H
#define CONSENT_VERIFICATION_H

#include "consent/ledger.h"
#include "store/verification.h"

/* ---- the link ---- */

/* PUBLIC_URL/confirm/TOKEN. The token is derived from the id under the secret of that name and says nothing
 * about anybody; stored is only its hash. For whoever sends the letter: our mailer, or the operator's. */
struct str verification_link(const struct conf *c, const uint8_t device_token_secret[32],
                             const struct id *id, struct arena *a);

/* ---- the private key ---- */

/* POST /subjects/ID/verification: the newest letter again, or the first one. ERR_NOT_FOUND; ERR_VALUE: it cannot be
 * (no address, not configured); ERR_CONFLICT: it may not be (nothing waits, "this was not me"); ERR_BUSY: the
 * limits of base/limits.h. `language` may be empty. */
struct verification_request {
    struct str body; /* {"language": "de"}, or empty */
    struct str subject;
    int64_t received_ms;
};
enum err ledger_ask_verification(struct ledger *l, const struct policy *p,
                                 const struct verification_request *q, struct arena *a,
                                 struct str *ret_json, struct err_info *info) MUST_CHECK;
/* The newest one of a subject: how far it is. ERR_NOT_FOUND. */
enum err ledger_get_verification(struct store_reader *r, struct str subject, int64_t now,
                                 struct arena *a, struct str *ret_json) MUST_CHECK;

/* ---- the page ---- */

enum confirmation_answer { CONFIRMATION_NONE = 0, CONFIRMATION_YES, CONFIRMATION_NOT_ME };
struct confirmation_request {
    struct str token;           /* of the path: any bytes */
    struct str accept_language; /* of the request, or empty */
    struct str language;        /* that the page had which was answered, or empty */
    enum confirmation_answer answer;
    int64_t received_ms;
};
struct confirmation_page {
    int status;      /* of HTTP */
    struct str html; /* whole, with confirmation_css in it */
    bool confirmed, disowned;
};
extern const char confirmation_css[];

/* Shows; writes nothing. A token that is forged is one that nobody knows. */
enum err ledger_show_confirmation(struct store_reader *r, const struct policy *p,
                                  const struct confirmation_request *q, struct arena *a,
                                  struct confirmation_page *ret_page) MUST_CHECK;
/* Takes the answer, once. What was refused or withdrawn since is left out; when nothing remains, nothing is
 * confirmed. */
enum err ledger_confirm(struct ledger *l, const struct policy *p,
                        const struct confirmation_request *q, struct arena *a,
                        struct confirmation_page *ret_page, struct err_info *info) MUST_CHECK;

/* ---- letters ---- */

struct due_letter {
    int64_t seq;
    struct id id;
    struct str to, subject, text; /* with the link in it */
    struct str language;
    uint32_t attempts; /* so far */
    int64_t until_ms;
    const char *dropped; /* why it is not sent any more; NULL: send it */
};
/* Those that are due, committed ones alone. */
enum err ledger_due_letters(struct ledger *l, const struct policy *p, int64_t now, uint32_t limit,
                            struct arena *a, struct due_letter **ret_due,
                            uint32_t *ret_count) MUST_CHECK;

#endif
