#include "store/chain.h"

#include <sodium.h>

static size_t put_le(uint8_t *to, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(v >> (8 * i));
    return bytes;
}

static void add(crypto_generichash_state *h, struct str s)
{
    if (s.n)
        (void)crypto_generichash_update(h, (const uint8_t *)s.p, s.n);
}

/* The key goes in front of what is hashed: BLAKE2b needs no more to be a MAC, and a key block
 * of its own would cost as much as a quarter of a usual event. */
static void start(crypto_generichash_state *h, const uint8_t key[CHAIN_KEY], const uint8_t *place,
                  size_t n)
{
    (void)crypto_generichash_init(h, NULL, 0, CHAIN_HASH);
    (void)crypto_generichash_update(h, key, CHAIN_KEY);
    (void)crypto_generichash_update(h, place, n);
}

void chain_fact_leaf(const uint8_t key[CHAIN_KEY], unsigned kind, int64_t seq, struct str payload,
                     struct str columns, uint8_t ret_leaf[CHAIN_HASH])
{
    uint8_t place[17];
    size_t n = put_le(place, kind, 1);
    n += put_le(place + n, (uint64_t)seq, 8);
    n += put_le(place + n, payload.n, 8);
    crypto_generichash_state h;
    start(&h, key, place, n);
    add(&h, payload);
    add(&h, columns);
    (void)crypto_generichash_final(&h, ret_leaf, CHAIN_HASH);
}

void chain_event_leaf(const uint8_t key[CHAIN_KEY], int64_t group, uint32_t index, struct str entry,
                      uint8_t ret_leaf[CHAIN_HASH])
{
    uint8_t place[13] = { 0 };
    size_t n = 1 + put_le(place + 1, (uint64_t)group, 8);
    n += put_le(place + n, index, 4);
    crypto_generichash_state h;
    start(&h, key, place, n);
    add(&h, entry);
    (void)crypto_generichash_final(&h, ret_leaf, CHAIN_HASH);
}

void chain_group_head(int64_t number, int64_t at_ms, const uint8_t previous[CHAIN_HASH],
                      struct str facts, struct str events, uint8_t ret_head[CHAIN_HASH])
{
    uint8_t place[16];
    size_t n = put_le(place, (uint64_t)number, 8);
    n += put_le(place + n, (uint64_t)at_ms, 8);
    crypto_generichash_state h;
    (void)crypto_generichash_init(&h, NULL, 0, CHAIN_HASH);
    add(&h, STR("licet group"));
    (void)crypto_generichash_update(&h, place, n);
    (void)crypto_generichash_update(&h, previous, CHAIN_HASH);
    add(&h, facts);
    add(&h, events);
    (void)crypto_generichash_final(&h, ret_head, CHAIN_HASH);
}

void chain_hash(struct str bytes, uint8_t ret_hash[CHAIN_HASH])
{
    (void)crypto_generichash(ret_hash, CHAIN_HASH, (const uint8_t *)bytes.p, bytes.n, NULL, 0);
}
