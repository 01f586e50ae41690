/* audit/bundle_priv.h - what writing, checking and telling share. */
#ifndef AUDIT_BUNDLE_PRIV_H
#define AUDIT_BUNDLE_PRIV_H

#include "audit/bundle.h"
#include "codec/json.h"
#include "store/document.h"

#include <sodium.h>

/* What the last line's signature is of: this, then the hash of all bytes before that line. */
#define BUNDLE_MARK "licet proof\n"
enum { BUNDLE_FORMAT = 1 };

/* As records are called in the file, by their kind; NULL: not in a file. */
const char *bundle_kind_name(unsigned kind);
/* Records that are not of one subject: what others rest on. */
bool bundle_names_nobody(unsigned kind);

/* The last line. */
struct str bundle_end(uint64_t lines, const uint8_t key[SIGN_KEY], struct str signature,
                      struct arena *a);

struct known_seal {
    int64_t from, to, at_ms;
    uint8_t root[CHAIN_HASH], hash[CHAIN_HASH], key[SIGN_KEY];
    bool in_chain;
    bool follows;       /* the one before it in the file */
    int64_t stamped_ms; /* by the first time stamp on it or a seal that follows; 0: none */
};

struct bundle_check {
    const struct bundle_trust *trust;
    void (*say)(void *ctx, struct str line);
    void *ctx;

    struct arena a;                /* of the line at hand */
    struct arena keep;             /* of the file */
    crypto_generichash_state hash; /* of all lines so far */
    uint64_t lines;
    bool begun, ended, in_seals_done;
    struct str subject; /* empty: the file is about a time */

    struct key_found key[LIMIT_SIGNING_KEYS];
    bool key_trusted[LIMIT_SIGNING_KEYS];
    uint32_t key_count;

    struct known_seal *seal;
    uint32_t seal_count;
    struct str last_statement; /* of the newest seal */

    /* the group at hand */
    int64_t group, group_ms, first_seq, fact_count, last_seq;
    struct buf leaves;
    const struct known_seal *group_seal;

    /* the document whose content must stand on the next line; seq 0: none */
    struct {
        int64_t seq;
        uint64_t size;
        uint8_t hash[DOCUMENT_HASH];
    } due;

    uint64_t records, erased, by_kind[256];
    uint64_t unstamped; /* records */
    struct buf text;    /* of one line that is said */
};

/* bundle_say.c */
void say(struct bundle_check *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void say_header(struct bundle_check *c, const struct json_doc *d);
void say_record(struct bundle_check *c, unsigned kind, int64_t seq, struct str payload);
/* Of the record before it. */
void say_content(struct bundle_check *c);
void say_erased(struct bundle_check *c, unsigned kind, int64_t seq);
void say_stamp(struct bundle_check *c, const struct known_seal *s, struct str authority,
               struct str signer, struct str fingerprint, bool trusted);
void say_result(struct bundle_check *c, const uint8_t key[SIGN_KEY]);

#endif
