/* store/chain.h - the hash chain's mathematics, and nothing else.
 *
 * A leaf is BLAKE2b-256 over one fact or one event, behind a key of 16 random bytes
 * that are stored beside the payload: when payload and key are erased, the leaf
 * says nothing about what was there, and the chain still verifies. A group's
 * head is BLAKE2b-256 over its number, time, the previous head and its leaves.
 *
 * All integers little-endian. Anybody can recompute both with a BLAKE2b:
 *
 *   fact leaf   key; u8 kind, u64 seq, u64 payload length, payload, columns
 *   event leaf  key; u8 0, u64 group, u32 index, entry (store/segment.h)
 *   head        "licet group", u64 number, u64 at_ms, previous head, leaves:
 *               the facts' by seq, then the segment's by index
 *
 * Before group 1 the head is 32 zero bytes. Pure; any thread.
 */
#ifndef STORE_CHAIN_H
#define STORE_CHAIN_H

#include "base/str.h"

#include <stdint.h>

enum { CHAIN_HASH = 32, CHAIN_KEY = 16 };

void chain_fact_leaf(const uint8_t key[CHAIN_KEY], unsigned kind, int64_t seq, struct str payload,
                     struct str columns, uint8_t ret_leaf[CHAIN_HASH]);
void chain_event_leaf(const uint8_t key[CHAIN_KEY], int64_t group, uint32_t index, struct str entry,
                      uint8_t ret_leaf[CHAIN_HASH]);

/* `facts` and `events` are leaves laid end to end. */
void chain_group_head(int64_t number, int64_t at_ms, const uint8_t previous[CHAIN_HASH],
                      struct str facts, struct str events, uint8_t ret_head[CHAIN_HASH]);

/* BLAKE2b-256 without a key: of a rewritten segment. */
void chain_hash(struct str bytes, uint8_t ret_hash[CHAIN_HASH]);

#endif
