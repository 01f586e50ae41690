/* consent/act_write.h - the bytes of an act's fact, written once and hashed as they are.
 *
 * {"id","subject":{…},"timestamp","received","source","effects":[{"purpose","name",
 * "grant","confirmed","evidence","version","effect"}],"preferences","legal_notices",
 * "proofs","proof_document_ids","versions","shown","offline","cmp","other","ip_address"}; what was not
 * sent is left out. What was sent stands there as it was sent; unknown keys of the
 * body are under "other". The subject token is never written.
 */
#ifndef CONSENT_ACT_WRITE_H
#define CONSENT_ACT_WRITE_H

#include "consent/act_bind.h"

/* `row` is complete but for its payload. ERR_LIMIT when it would be too large. */
enum err act_write(const struct policy *p, const struct act_body *b, const struct act_saying *s,
                   const struct act_row *row, struct arena *a, struct str *ret_payload) MUST_CHECK;

#endif
