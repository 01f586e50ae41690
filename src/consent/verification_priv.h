/* consent/verification_priv.h - what the files of double opt-in share.
 *
 * verification.c    what waits for a confirmation, asking, how far it is
 * confirm.c         the link's answer
 * confirm_page.c    the page, in three languages
 * letter_text.c     the letter, in three languages and those of the configuration
 */
#ifndef CONSENT_VERIFICATION_PRIV_H
#define CONSENT_VERIFICATION_PRIV_H

#include "consent/ledger_priv.h"
#include "consent/subject_fields.h"
#include "consent/verification.h"

#include "codec/json.h"

/* One purpose that she is asked about. */
struct asked {
    const struct policy_purpose *purpose;
    uint32_t version;
    int64_t effect_ms, seq; /* of the grant that waits */
};

/* A stored verification, read. */
struct verification_read {
    struct verification v;
    struct json_doc d;
    struct str address, language;           /* language empty: not known */
    struct str letter_subject, letter_text; /* without the link */
    struct asked asked[LIMIT_PURPOSES];     /* of purposes and versions that there are */
    uint32_t asked_count;
};
/* ERR_CORRUPT when it cannot be read. */
enum err verification_read(const struct policy *p, const struct verification *v, struct arena *a,
                           struct verification_read *ret_v) MUST_CHECK;
/* Leaves of `asked` what still waits: nothing lowered it since, and it permits nothing yet. */
void verification_still_waits(const struct snapshot *s, struct verification_read *v);
/* Whether all of it is permitted, on another way. */
bool verification_is_permitted(const struct snapshot *s, const struct verification_read *v);
/* Whether the letter may (still) count for this subject: its address is hers, or she has none. */
bool verification_is_hers(const struct subject_row *row, struct str address);

void verification_token_hash(struct str token, uint8_t ret_hash[VERIFICATION_TOKEN]);
void verification_address_hash(const struct ledger *l, struct str address, struct arena *a,
                               uint8_t ret_hash[VERIFICATION_ADDRESS]);

/* act_add.c: one act on its way in, as far as a letter needs to know. */
struct letter_cause {
    const struct act_row *row;
    int64_t seq;
    const struct subject_row *subject;
    bool by_public_key, confirmed; /* said.confirmed */
    bool allowed;                  /* by the limits of who sends requests */
    struct str email;              /* that the act says, or empty */
    struct str shown_language, accept_language;
};
/* Asks for a letter if something of the act waits for a confirmation, and one may be written; else does
 * nothing. */
enum err verification_after_act(struct ledger *l, const struct policy *p,
                                const struct letter_cause *c, struct arena *a,
                                bool *ret_asked) MUST_CHECK;
/* ledger_add_consent() for the act that a confirmation is: `q` of ACT_CONFIRMATION. */
enum err act_add_confirmation(struct ledger *l, const struct policy *p,
                              const struct consent_request *q, struct arena *a,
                              struct consent_answer *ret_answer, struct err_info *info) MUST_CHECK;

/* letter_text.c */
/* Of the languages that letters have, what was said, else what Accept-Language likes; else empty. */
struct str letter_language(const struct conf *c, struct str said, struct str accept,
                           struct arena *a);
/* Subject and text, all filled in but the link. */
void letter_fill(const struct policy *p, const struct verification_read *v, struct arena *a,
                 struct str *ret_subject, struct str *ret_text);
struct str letter_with_link(struct str text, struct str link, struct arena *a);
/* "24 November 2026, 22:40 UTC", in a language of ours or in English. */
struct str letter_date(struct str language, int64_t ms, struct arena *a);
/* The text of a purpose's version in this language, or in one that is not too far. */
const struct conf_text *purpose_text(const struct policy_purpose *purpose, uint32_t version,
                                     struct str language, struct str otherwise);

/* confirm_page.c */
enum page_kind { PAGE_ASK, PAGE_DONE, PAGE_USED, PAGE_EXPIRED, PAGE_UNKNOWN, PAGE_NOTED };
/* The language that the page will have: of ours, the first that is one of these. */
struct str page_language(struct str said, struct str otherwise, struct str accept);
/* `v` is needed for PAGE_ASK alone; *ret_main is what the person reads, without what is around it. ERR_LIMIT: it
 * would not be whole. */
enum err page_write(enum page_kind kind, struct str language, const struct policy *p,
                    const struct verification_read *v, struct arena *a, struct str *ret_html,
                    struct str *ret_main) MUST_CHECK;

#endif
