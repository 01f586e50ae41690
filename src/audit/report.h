/* audit/report.h - what an authority asks about one person's consents, on a page.
 *
 * Which purpose, in which words, by which act, on what evidence, when, whether it holds now, and what
 * left on it, to whom. Made from facts alone; it judges nothing.
 *
 * Limit: REPORT_ACTS newest acts, LIMIT_WITHDRAWAL_SHOWN newest sendings; beyond them it says how many there are.
 */
#ifndef AUDIT_REPORT_H
#define AUDIT_REPORT_H

#include "policy/policy.h"
#include "store/store.h"

enum { REPORT_ACTS = 1000 };

struct report_question {
    struct str subject;
    const struct policy *policy;
    const struct frozen *frozen;
    int64_t now_ms;
};
/* One JSON document. ERR_NOT_FOUND: nothing is known of this subject. */
enum err report_consent(struct store_reader *r, const struct report_question *q, struct arena *a,
                        struct str *ret_json) MUST_CHECK;
/* The same document as text for people. False when it is none. */
bool report_text(struct str json, struct arena *a, struct buf *to) MUST_CHECK;

#endif
