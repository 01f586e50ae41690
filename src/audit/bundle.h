/* audit/bundle.h - a proof in one file, which anybody can check who has nothing else.
 *
 * JSON Lines, UTF-8, described in docs/proof.md: what it is about, key statements, seals with
 * their time stamps, then group by group the leaves, the path to the seal and the records
 * with their bytes as they were hashed; at the end a signature over all of it. A line at a time is
 * written and read, so a file may be larger than memory; people can read it, and so can any
 * JSON tool. Of other people's records it has leaves, which are hashes.
 */
#ifndef AUDIT_BUNDLE_H
#define AUDIT_BUNDLE_H

#include "audit/keyring.h"

/* ---- writing ---- */

struct bundle_question {
    struct str subject;     /* all about her, or when empty … */
    int64_t from_ms, to_ms; /* … all that was committed in that time, both included */
    struct str controller;  /* whose records these are, as the file says */
    int64_t now_ms;
};
struct bundle_numbers {
    uint64_t records, erased, named; /* named: notices and texts that records rest on */
};
/* Calls `line` for each, without its '\n'. Groups behind the newest seal are sealed in the file alone.
 * ERR_NOT_FOUND: no such subject. ERR_LIMIT: more than LIMIT_PROOF_FACTS; info says what to do.
 * The reader must not be held. */
enum err bundle_write(struct store_reader *r, const struct keyring *k,
                      const struct bundle_question *q, enum err (*line)(void *ctx, struct str text),
                      void *ctx, struct bundle_numbers *ret_numbers,
                      struct err_info *info) MUST_CHECK;

/* ---- checking ---- */

struct bundle_trust {
    uint8_t (*key)[SIGN_KEY]; /* any of these, and whom they handed over to; none: any key */
    uint32_t key_count;
    struct str authorities; /* PEM: of time stamps; empty: any certificate */
};

struct bundle_check;
/* `say` is told in plain words what is proven, line by line, printable text; may be NULL. The trust must
 * stay as it is. */
struct bundle_check *bundle_check_new(const struct bundle_trust *t,
                                      void (*say)(void *ctx, struct str line), void *ctx);
/* One line without its '\n', at most LIMIT_PROOF_LINE. On an error the file proves nothing, and info->text names the
 * first line and record that failed. */
enum err bundle_check_line(struct bundle_check *c, struct str line,
                           struct err_info *info) MUST_CHECK;
/* The end of the file. */
enum err bundle_check_end(struct bundle_check *c, struct err_info *info) MUST_CHECK;
void bundle_check_free(struct bundle_check **c);

#endif
