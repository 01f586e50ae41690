/* store/merkle.h - one hash for many, and a short proof that one is among them.
 *
 * The tree of RFC 6962, section 2.1, with BLAKE2b-256: an entry's node is
 * H(0x00, entry), an inner one H(0x01, left, right); the left half is the largest
 * power of two that is less than the whole. An entry is CHAIN_HASH bytes.
 *
 * Pure; any thread. Limit: 2^MERKLE_DEPTH entries.
 */
#ifndef STORE_MERKLE_H
#define STORE_MERKLE_H

#include "store/chain.h"

enum { MERKLE_DEPTH = 32 };

/* Entry by entry, without keeping them. Zero is empty. */
struct merkle {
    uint64_t count;
    uint8_t node[MERKLE_DEPTH + 1][CHAIN_HASH]; /* of the full subtrees, by height */
};
void merkle_add(struct merkle *m, const uint8_t entry[CHAIN_HASH]);
/* Of at least one entry. */
void merkle_root(const struct merkle *m, uint8_t ret_root[CHAIN_HASH]);

/* All levels of a tree, for many paths out of it. */
struct merkle_tree {
    uint64_t count;
    uint8_t *level[MERKLE_DEPTH + 1]; /* level[0]: the entries' nodes; must_alloc memory */
};
/* `entries` laid end to end, at least one. */
void merkle_tree_init(struct merkle_tree *t, struct str entries);
void merkle_tree_fini(struct merkle_tree *t);
/* The nodes beside the way up from an entry, lowest first, laid end to end. */
void merkle_tree_path(const struct merkle_tree *t, uint64_t index,
                      uint8_t ret_path[MERKLE_DEPTH * CHAIN_HASH], size_t *ret_bytes);

/* That `entry` is number `index` of `count` under this root. The path may be anybody's bytes. */
bool merkle_holds(const uint8_t entry[CHAIN_HASH], uint64_t index, uint64_t count, struct str path,
                  const uint8_t root[CHAIN_HASH]);

#endif
