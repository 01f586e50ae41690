/* store/seal.h - statements that are signed: seals, and signing keys.
 *
 * A *seal* says which head the chain had at a moment, and commits to the heads
 * of all groups since the seal before it (their Merkle root: store/merkle.h). So that a
 * record stood in the chain is shown by its group, a path of a few hashes and one
 * seal, without the groups between. Each names the hash of the one before.
 *
 * A *key statement* brings in a public key. The new key signs it and, when one was in
 * use before, that one too: a hand-over, by which each vouches for the other.
 *
 * A statement is a line of JSON with its members in this order; what is signed is
 * its bytes as they stand, Ed25519 (RFC 8032):
 *
 *   {"licet":"seal","from":1,"to":812,"at":"2026-03-01T00:00:00.000Z","head":"…",
 *    "root":"…","previous":"…","key":"…"}
 *   {"licet":"key","public":"…","previous":"…","at":"…"}
 *
 * Hashes (BLAKE2b-256) and keys in hexadecimal; `previous` is empty in the first one.
 * Pure; any thread. Errors: a statement that is anything else is false.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/chain.h"

enum { SIGN_KEY = 32, SIGN_SEED = 32, SIGNATURE = 64 };
enum { STATEMENT = 1024 }; /* no longer than this */

struct seal {
    int64_t from, to; /* numbers of groups, both included */
    int64_t at_ms;
    uint8_t head[CHAIN_HASH]; /* of group `to` */
    uint8_t root[CHAIN_HASH]; /* over the heads of from … to */
    bool has_previous;
    uint8_t previous[CHAIN_HASH]; /* chain_hash() of the statement of the seal before */
    uint8_t key[SIGN_KEY];
};
struct str seal_write(const struct seal *s, struct arena *a);
bool seal_read(struct str statement, struct arena *a, struct seal *ret_seal);

struct key_statement {
    uint8_t public[SIGN_KEY];
    bool has_previous;
    uint8_t previous[SIGN_KEY];
    int64_t at_ms;
};
struct str key_statement_write(const struct key_statement *k, struct arena *a);
bool key_statement_read(struct str statement, struct arena *a, struct key_statement *ret_k);

void sign_public(const uint8_t seed[SIGN_SEED], uint8_t ret_key[SIGN_KEY]);
void sign(const uint8_t seed[SIGN_SEED], struct str statement, uint8_t ret_signature[SIGNATURE]);
/* False for a signature of another length, too. */
bool sign_agrees(const uint8_t key[SIGN_KEY], struct str statement, struct str signature);

#endif
