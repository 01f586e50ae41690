/* audit/keyring.h - the signing key and those before it, in a file of their own.
 *
 * Not in the database: whoever can change that must not be able to sign what she changed.
 * The file (0600, JSON) holds the seed of the key in use and the statement of every key that there
 * was (store/seal.h); secrets of earlier ones are gone. It is replaced as a whole, never changed.
 *
 * Owner:  statements live in the arena; keyring_fini() wipes the seed.
 * Errors: ERR_NOT_FOUND: no file. ERR_FORBIDDEN: others can read it. ERR_CORRUPT: it does not
 *         agree with itself. ERR_CONFLICT: there is one already. ERR_IO.
 */
#ifndef AUDIT_KEYRING_H
#define AUDIT_KEYRING_H

#include "conf/conf.h"
#include "store/proof.h"

struct keyring {
    uint8_t seed[SIGN_SEED], key[SIGN_KEY];
    struct key_found *known; /* oldest first; the last is the key in use */
    uint32_t count;
};
/* Where the configuration has it. */
struct str keyring_file(const struct conf *c, struct arena *a);
enum err keyring_load(struct str file, struct arena *a, struct keyring *ret_k,
                      struct err_info *info) MUST_CHECK;
/* The first key of an installation. */
enum err keyring_make(struct str file, int64_t at_ms, struct arena *a,
                      struct err_info *info) MUST_CHECK;
/* A new key instead of the one in use, which hands over to it. */
enum err keyring_turn(struct str file, int64_t at_ms, struct arena *a,
                      struct err_info *info) MUST_CHECK;
void keyring_fini(struct keyring *k);

/* Whose signatures agree with the statement; a first key has none of a previous one. */
bool key_agrees(const struct key_found *k);
bool key_is_handed_over(const struct key_found *k);

#endif
