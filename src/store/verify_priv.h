/* store/verify_priv.h - the parts of store_verify().
 *
 * verify.c          the walk along the chain, and what is counted
 * verify_fact.c     one fact: its leaf, its columns, the rows derived from them
 * verify_act.c      one act: that its payload says what its columns say
 * verify_document.c uploaded documents, their bytes, what they are attached to
 * verify_finding.c  watched notices
 * verify_seal.c     seals, signing keys, time stamps
 * verify_verification.c letters that ask for a confirmation, and how they ended
 * verify_segment.c  one segment and its events
 * verify_subject.c  subjects: state and standings, from their facts
 *
 * A function returns an error only when the database cannot be read; what does
 * not agree goes to verify_fault().
 */
#ifndef STORE_VERIFY_PRIV_H
#define STORE_VERIFY_PRIV_H

#include "store/store_priv.h"

struct verify {
    struct store_reader *r;
    struct conn *c;
    void (*fault)(void *ctx, const char *what);
    void *ctx;
    struct verify_result result;
    struct arena a;       /* cleared after each fact */
    struct buf retention; /* columns of the retention fact looked at last */
    int64_t retention_seq;
    /* rows that the facts account for */
    int64_t acts, act_preferences, notices, names, versions, generations, standings, words, voids,
        documents, attachments, findings, confirmed, verifications, verifications_ended;
    struct counted { /* where subjects stand, from their facts; sorted */
        struct coverage_key key;
        int64_t n;
    } * counted;
    uint32_t counted_count, counted_cap;
};

void verify_fault(struct verify *v, const char *fmt, ...) PRINTF_LIKE(2, 3);

struct fact_read {
    int64_t seq, kind, subject; /* as stored; 0: none */
    bool emptied;
    struct str key, leaf, columns, payload;
};
enum err verify_fact(struct verify *v, const struct fact_read *f) MUST_CHECK;
enum err verify_act(struct verify *v, const struct fact_read *f) MUST_CHECK;
/* False in *ret_ok: the columns or the statement cannot be read. */
enum err verify_seal(struct verify *v, const struct fact_read *f, bool *ret_ok) MUST_CHECK;
enum err verify_signing_key(struct verify *v, const struct fact_read *f, bool *ret_ok) MUST_CHECK;
enum err verify_stamp(struct verify *v, const struct fact_read *f, bool *ret_ok) MUST_CHECK;
bool verify_number(struct str json, int64_t *ret_n); /* a whole number as JSON has it */

enum err verify_document(struct verify *v, const struct fact_read *f, bool *ret_ok) MUST_CHECK;
/* `member` of the fact's payload: the ids of documents that must be attached to it. */
enum err verify_attached(struct verify *v, const struct fact_read *f, struct str member) MUST_CHECK;
enum err verify_finding(struct verify *v, const struct fact_read *f, bool *ret_ok) MUST_CHECK;
enum err verify_confirmed(struct verify *v, const struct fact_read *f, uint32_t version) MUST_CHECK;
enum err verify_verification(struct verify *v, const struct fact_read *f, bool *ret_ok) MUST_CHECK;
enum err verify_verification_end(struct verify *v, const struct fact_read *f,
                                 bool *ret_ok) MUST_CHECK;
enum err verify_contents(struct verify *v) MUST_CHECK;

enum err verify_segment(struct verify *v, const struct segment_row *s) MUST_CHECK;

enum err verify_subjects(struct verify *v) MUST_CHECK;
enum err verify_coverage(struct verify *v) MUST_CHECK; /* after the subjects */

#endif
