#include "api/limit.h"
#include "base/must.h"

#include <sodium.h>
#include <stdlib.h>

enum { BUCKETS = 1 << 14, WAYS = 8 };

struct bucket {
    uint64_t who; /* 0: free */
    int64_t at_ms;
    double left;
};

struct limiter {
    unsigned char key[crypto_shorthash_KEYBYTES];
    uint64_t refused[LIMIT_KINDS];
    struct bucket bucket[BUCKETS];
};

struct limiter *limiter_new(void)
{
    struct limiter *l = must_alloc_zero(sizeof *l);
    crypto_shorthash_keygen(l->key);
    return l;
}

void limiter_free(struct limiter **l)
{
    free(*l);
    *l = NULL;
}

uint64_t limiter_who(const struct limiter *l, enum limit_kind kind, struct str who)
{
    unsigned char text[256], out[crypto_shorthash_BYTES];
    size_t n = who.n < sizeof text - 1 ? who.n : sizeof text - 1;
    text[0] = (unsigned char)kind;
    if (n)
        memcpy(text + 1, who.p, n);
    (void)crypto_shorthash(out, text, n + 1, l->key); /* cannot fail */
    uint64_t hash;
    memcpy(&hash, out, sizeof hash);
    return hash ? hash : 1;
}

/* Its bucket, or the one of its set that was idle for longest, emptied of the other. */
static struct bucket *bucket_of(struct limiter *l, uint64_t who, uint32_t per, int64_t now)
{
    struct bucket *set = &l->bucket[who % (BUCKETS / WAYS) * WAYS], *oldest = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].who == who)
            return &set[i];
        if (set[i].who == 0 || (oldest->who != 0 && set[i].at_ms < oldest->at_ms))
            oldest = &set[i];
    }
    *oldest = (struct bucket){ .who = who, .at_ms = now, .left = per };
    return oldest;
}

bool limiter_take(struct limiter *l, enum limit_kind kind, struct str who, uint32_t per,
                  int64_t period_ms, uint32_t n, int64_t now, uint32_t *ret_wait_s)
{
    return per == 0 || limiter_take_from(l, kind, limiter_who(l, kind, who), per, period_ms, n, now,
                                         ret_wait_s);
}

bool limiter_take_from(struct limiter *l, enum limit_kind kind, uint64_t who, uint32_t per,
                       int64_t period_ms, uint32_t n, int64_t now, uint32_t *ret_wait_s)
{
    struct bucket *b = bucket_of(l, who, per, now);
    b->left += (double)(now - b->at_ms) * per / (double)period_ms;
    if (b->left > per)
        b->left = per;
    b->at_ms = now;
    double wanted = n < per ? n : per; /* a batch larger than the bucket waits for a full one */
    if (b->left >= wanted) {
        b->left -= wanted;
        return true;
    }
    l->refused[kind]++;
    *ret_wait_s = (uint32_t)((wanted - b->left) * (double)period_ms / per / 1000) + 1;
    return false;
}

bool limiter_has(struct limiter *l, enum limit_kind kind, struct str who, uint32_t per,
                 int64_t period_ms, int64_t now)
{
    uint32_t wait;
    if (per == 0)
        return true;
    uint64_t hash = limiter_who(l, kind, who);
    (void)limiter_take_from(l, kind, hash, per, period_ms, 0, now,
                            &wait); /* fills it up; takes nothing */
    return bucket_of(l, hash, per, now)->left >= 1;
}

uint64_t limiter_refused(const struct limiter *l, enum limit_kind kind)
{
    return l->refused[kind];
}
