#include "pipeline/dedupe.h"
#include "base/must.h"

#include <stdlib.h>

/* A ring in order of arrival, and an open-addressing table of places in it.
 * Positions count from 0 for ever; a position's place in the ring is its rest
 * modulo the ring's size. */
struct slot {
    uint64_t hash;
    int64_t at_ms;
};

struct dedupe {
    struct slot *ring;
    uint32_t ring_size, ring_max; /* powers of two, but for ring_max */
    uint32_t *table;              /* entry_of(); 0: free */
    uint32_t table_size;
    uint64_t first, end; /* positions held: first … end - 1 */
    int64_t window_ms;
};

/* An entry of the table: the place in the ring + 1, and above it as much of the hash as there is
 * room for, since looking into the ring costs a cache miss. */
enum { START = 1024, PLACE_BITS = 21 };

struct dedupe *dedupe_new(uint32_t ids, int64_t window_ms)
{
    must(ids > 0 && ids < 1u << (PLACE_BITS - 1));
    struct dedupe *d = must_alloc_zero(sizeof *d);
    *d = (struct dedupe){
        .ring_size = START, .ring_max = ids, .table_size = START * 2, .window_ms = window_ms
    };
    d->ring = must_alloc(sizeof *d->ring * d->ring_size);
    d->table = must_alloc_zero(sizeof *d->table * d->table_size);
    return d;
}

void dedupe_free(struct dedupe **d)
{
    if (*d == NULL)
        return;
    free((*d)->ring);
    free((*d)->table);
    free(*d);
    *d = NULL;
}

static uint32_t place_of(const struct dedupe *d, uint64_t position)
{
    return (uint32_t)position & (d->ring_size - 1);
}

static struct slot *slot_at(const struct dedupe *d, uint64_t position)
{
    return &d->ring[place_of(d, position)];
}

/* The hash is keyed (SipHash), so its low bits spread by themselves. */
static uint32_t home_of(const struct dedupe *d, uint64_t hash)
{
    return (uint32_t)hash & (d->table_size - 1);
}

static uint32_t entry_of(uint32_t place, uint64_t hash)
{
    return (uint32_t)(hash >> 32) << PLACE_BITS | (place + 1);
}

static struct slot *slot_of(const struct dedupe *d, uint32_t entry)
{
    return &d->ring[(entry & ((1u << PLACE_BITS) - 1)) - 1];
}

static bool is_of(const struct dedupe *d, uint32_t entry, uint64_t hash)
{
    return (entry ^ entry_of(0, hash)) >> PLACE_BITS == 0 && slot_of(d, entry)->hash == hash;
}

/* The table index that holds the hash, or the free one where it belongs. */
static uint32_t find(const struct dedupe *d, uint64_t hash)
{
    uint32_t i = home_of(d, hash);
    while (d->table[i] != 0 && !is_of(d, d->table[i], hash))
        i = (i + 1) & (d->table_size - 1);
    return i;
}

/* Linear probing without tombstones: closes the gap behind a removed entry. */
static void remove_hash(struct dedupe *d, uint64_t hash)
{
    uint32_t hole = find(d, hash);
    must(d->table[hole] != 0);
    uint32_t mask = d->table_size - 1;
    for (uint32_t i = (hole + 1) & mask; d->table[i] != 0; i = (i + 1) & mask) {
        uint32_t home = home_of(d, slot_of(d, d->table[i])->hash);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            d->table[hole] = d->table[i];
            hole = i;
        }
    }
    d->table[hole] = 0;
}

/* The table is larger than the processor's cache. */
void dedupe_expect(const struct dedupe *d, uint64_t hash)
{
    __builtin_prefetch(&d->table[home_of(d, hash)], 1);
}

static void drop_first(struct dedupe *d)
{
    remove_hash(d, slot_at(d, d->first)->hash);
    d->first++;
}

static void grow(struct dedupe *d)
{
    struct slot *ring = must_alloc(sizeof *ring * d->ring_size * 2);
    for (uint64_t p = d->first; p < d->end; p++)
        ring[p & (d->ring_size * 2 - 1)] = *slot_at(d, p);
    free(d->ring);
    free(d->table);
    d->ring = ring;
    d->ring_size *= 2;
    d->table_size *= 2;
    d->table = must_alloc_zero(sizeof *d->table * d->table_size);
    for (uint64_t p = d->first; p < d->end; p++)
        d->table[find(d, slot_at(d, p)->hash)] = entry_of(place_of(d, p), slot_at(d, p)->hash);
}

bool dedupe_seen(struct dedupe *d, uint64_t hash, int64_t at_ms)
{
    while (d->first < d->end && slot_at(d, d->first)->at_ms <= at_ms - d->window_ms)
        drop_first(d);
    uint32_t i = find(d, hash);
    if (d->table[i] != 0)
        return true;
    if (d->end - d->first == d->ring_max) {
        drop_first(d);
        i = find(d, hash);
    } else if (d->end - d->first == d->ring_size) {
        grow(d);
        i = find(d, hash);
    }
    *slot_at(d, d->end) = (struct slot){ .hash = hash, .at_ms = at_ms };
    d->table[i] = entry_of(place_of(d, d->end), hash);
    d->end++;
    if (d->end - d->first == d->ring_max) /* the next one drops it */
        dedupe_expect(d, slot_at(d, d->first)->hash);
    return false;
}

uint64_t dedupe_mark(const struct dedupe *d)
{
    return d->end;
}

void dedupe_rollback(struct dedupe *d, uint64_t mark)
{
    while (d->end > mark && d->end > d->first) {
        remove_hash(d, slot_at(d, d->end - 1)->hash);
        d->end--;
    }
}
