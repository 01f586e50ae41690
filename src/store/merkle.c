#include "store/merkle.h"

#include "base/must.h"

#include <sodium.h>

#include <stdlib.h>

static void hash(uint8_t mark, const uint8_t *a, const uint8_t *b, uint8_t to[CHAIN_HASH])
{
    crypto_generichash_state h;
    (void)crypto_generichash_init(&h, NULL, 0, CHAIN_HASH);
    (void)crypto_generichash_update(&h, &mark, 1);
    (void)crypto_generichash_update(&h, a, CHAIN_HASH);
    if (b != NULL)
        (void)crypto_generichash_update(&h, b, CHAIN_HASH);
    (void)crypto_generichash_final(&h, to, CHAIN_HASH);
}

static void leaf(const uint8_t *entry, uint8_t to[CHAIN_HASH])
{
    hash(0, entry, NULL, to);
}

static void join(const uint8_t *left, const uint8_t *right, uint8_t to[CHAIN_HASH])
{
    hash(1, left, right, to);
}

/* ---- entry by entry ---- */

void merkle_add(struct merkle *m, const uint8_t entry[CHAIN_HASH])
{
    uint8_t node[CHAIN_HASH];
    unsigned height = 0;
    leaf(entry, node);
    for (uint64_t n = m->count; n & 1; n >>= 1, height++)
        join(m->node[height], node, node);
    must(height <= MERKLE_DEPTH);
    memcpy(m->node[height], node, CHAIN_HASH);
    m->count++;
}

void merkle_root(const struct merkle *m, uint8_t ret_root[CHAIN_HASH])
{
    bool any = false;
    must(m->count > 0);
    for (unsigned height = 0; height <= MERKLE_DEPTH; height++) {
        if (!(m->count >> height & 1))
            continue;
        if (any)
            join(m->node[height], ret_root, ret_root);
        else
            memcpy(ret_root, m->node[height], CHAIN_HASH);
        any = true;
    }
}

/* ---- all of it ---- */

void merkle_tree_init(struct merkle_tree *t, struct str entries)
{
    *t = (struct merkle_tree){ .count = entries.n / CHAIN_HASH };
    must(t->count > 0);
    t->level[0] = must_alloc(t->count * CHAIN_HASH);
    for (uint64_t i = 0; i < t->count; i++)
        leaf((const uint8_t *)entries.p + i * CHAIN_HASH, t->level[0] + i * CHAIN_HASH);
    uint64_t n = t->count;
    for (unsigned l = 0; n > 1; l++, n = (n + 1) / 2) {
        const uint8_t *below = t->level[l];
        uint8_t *to = t->level[l + 1] = must_alloc((n + 1) / 2 * CHAIN_HASH);
        for (uint64_t i = 0; i < n; i += 2, to += CHAIN_HASH) {
            if (i + 1 < n)
                join(below + i * CHAIN_HASH, below + (i + 1) * CHAIN_HASH, to);
            else /* the odd one goes up as it is */
                memcpy(to, below + i * CHAIN_HASH, CHAIN_HASH);
        }
    }
}

void merkle_tree_fini(struct merkle_tree *t)
{
    for (unsigned l = 0; l <= MERKLE_DEPTH; l++)
        free(t->level[l]);
    *t = (struct merkle_tree){ 0 };
}

void merkle_tree_path(const struct merkle_tree *t, uint64_t index,
                      uint8_t ret_path[MERKLE_DEPTH * CHAIN_HASH], size_t *ret_bytes)
{
    size_t bytes = 0;
    must(index < t->count);
    uint64_t n = t->count;
    for (unsigned l = 0; n > 1; l++, n = (n + 1) / 2, index /= 2) {
        uint64_t beside = index ^ 1;
        if (beside >= n)
            continue;
        memcpy(ret_path + bytes, t->level[l] + beside * CHAIN_HASH, CHAIN_HASH);
        bytes += CHAIN_HASH;
    }
    *ret_bytes = bytes;
}

/* ---- */

bool merkle_holds(const uint8_t entry[CHAIN_HASH], uint64_t index, uint64_t count, struct str path,
                  const uint8_t root[CHAIN_HASH])
{
    uint8_t node[CHAIN_HASH];
    if (index >= count || path.n % CHAIN_HASH != 0)
        return false;
    leaf(entry, node);
    for (; count > 1; count = (count + 1) / 2, index /= 2) {
        if ((index ^ 1) >= count)
            continue;
        if (path.n == 0)
            return false;
        const uint8_t *beside = (const uint8_t *)path.p;
        if (index & 1)
            join(beside, node, node);
        else
            join(node, beside, node);
        path = (struct str){ path.p + CHAIN_HASH, path.n - CHAIN_HASH };
    }
    return path.n == 0 && memcmp(node, root, CHAIN_HASH) == 0;
}
