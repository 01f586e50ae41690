/* store/verification.h - letters that ask somebody to confirm what was said in her name.
 *
 * Two facts: that a confirmation was asked for, and how that ended. Neither holds the token of the
 * link: the first has its hash, and of the address a keyed hash beside the payload, which has the
 * address as it was given. How far the letter has come is no fact and stands with the row.
 *
 * Owner, thread, errors: as in store/store.h.
 */
#ifndef STORE_VERIFICATION_H
#define STORE_VERIFICATION_H

#include "store/store.h"

enum { VERIFICATION_TOKEN = 32, VERIFICATION_ADDRESS = 16 }; /* bytes of their hashes */

enum verification_outcome { /* stored: append only */
                            VERIFICATION_OPEN = 0,
                            VERIFICATION_CONFIRMED,
                            VERIFICATION_DISOWNED, /* "this was not me" */
};

struct verification {
    struct id id;
    struct str subject; /* external id; must exist */
    uint8_t token[VERIFICATION_TOKEN];
    uint8_t address[VERIFICATION_ADDRESS];
    int64_t at_ms, until_ms; /* asked for; the link works before */
    /* given back by the store */
    int64_t seq;
    struct str payload;
    enum verification_outcome outcome;
    int64_t ended_ms;
    struct verification_letter {
        int64_t sent_ms;   /* handed to the mail server; 0: not */
        int64_t next_ms;   /* to be sent, not before; 0: no more */
        uint32_t attempts; /* so far */
        struct str error;  /* of the last one; empty: none */
    } letter;
};

/* `letter.next_ms` of `v` says when its letter is due; the rest of the letter, and what the store gives
 * back, does not count. */
enum err store_add_verification(struct store *s, const struct verification *v, struct str payload,
                                int64_t *ret_seq) MUST_CHECK;
/* Its end, once: ERR_CONFLICT when it has one. No letter is due any more. */
enum err store_end_verification(struct store *s, int64_t seq, enum verification_outcome outcome,
                                int64_t at_ms, struct str payload) MUST_CHECK;
/* How far its letter has come; no fact. One that has ended gets none any more. */
enum err store_note_letter(struct store *s, int64_t seq,
                           const struct verification_letter *letter) MUST_CHECK;

/* By the hash of its token; by its number; a subject's newest. ERR_NOT_FOUND. */
enum err store_find_verification(struct store_reader *r, const uint8_t token[VERIFICATION_TOKEN],
                                 struct arena *a, struct verification *ret_v) MUST_CHECK;
enum err store_get_verification(struct store_reader *r, int64_t seq, struct arena *a,
                                struct verification *ret_v) MUST_CHECK;
enum err store_newest_verification(struct store_reader *r, struct str subject, struct arena *a,
                                   struct verification *ret_v) MUST_CHECK;
/* Whose letters are due, the one that is due for longest first. */
enum err store_due_verifications(struct store_reader *r, int64_t now_ms, uint32_t limit,
                                 struct arena *a, struct verification **ret_v,
                                 uint32_t *ret_count) MUST_CHECK;

/* What was asked of an address, and of a subject, since a moment; and whether the address's owner said
 * since another one that it was not her. */
struct verification_count {
    uint64_t address, subject;
    bool disowned;
};
enum err store_count_verifications(struct store_reader *r,
                                   const uint8_t address[VERIFICATION_ADDRESS], struct str subject,
                                   int64_t since_ms, int64_t disowned_since_ms,
                                   struct verification_count *ret_count) MUST_CHECK;

#endif
