#include "consent/snapshots_priv.h"

#include "base/must.h"

/* ---- counted snapshots ---- */

const struct snapshot *held_view(const struct held *h)
{
    return (const struct snapshot *)(const void *)h->bytes;
}

struct held *held_of(const struct snapshot *s)
{
    return (struct held *)(void *)((char *)(uintptr_t)s - offsetof(struct held, bytes));
}

struct held *held_new(const struct snapshot *from, bool blocked)
{
    size_t n = sizeof *from + from->count * sizeof from->standing[0];
    struct held *h = must_alloc(sizeof *h + n);
    atomic_init(&h->refs, 1);
    h->after = NULL;
    memcpy(h->bytes, from, n);
    h->flagged = blocked && !(from->flags & SUBJECT_RESTRICTED);
    if (h->flagged)
        ((struct snapshot *)(void *)h->bytes)->flags |= SUBJECT_RESTRICTED;
    return h;
}

struct held *held_copy(const struct held *from, bool blocked)
{
    struct held *h = held_new(held_view(from), false);
    struct snapshot *s = (struct snapshot *)(void *)h->bytes;
    if (from->flagged)
        s->flags &= ~(uint32_t)SUBJECT_RESTRICTED;
    h->flagged = blocked && !(s->flags & SUBJECT_RESTRICTED);
    if (h->flagged)
        s->flags |= SUBJECT_RESTRICTED;
    return h;
}

struct held *held_ref(struct held *h)
{
    atomic_fetch_add_explicit(&h->refs, 1, memory_order_relaxed);
    return h;
}

void held_unref(struct held *h)
{
    if (h != NULL && atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) == 1)
        free(h);
}

/* ---- tables ---- */

void table_init(struct table *t, uint32_t capacity)
{
    uint32_t buckets = 16;
    while (buckets < capacity * 2)
        buckets *= 2;
    t->bucket = must_alloc_zero(buckets * sizeof(struct snapshot_entry *));
    t->mask = buckets - 1;
    t->count = 0;
    t->used.newer = t->used.older = &t->used;
}

void table_fini(struct table *t)
{
    for (uint32_t i = 0; i <= t->mask; i++) {
        for (struct snapshot_entry *e = t->bucket[i], *chain; e != NULL; e = chain) {
            chain = e->chain;
            held_unref(e->held);
            free(e);
        }
    }
    free(t->bucket);
}

struct snapshot_entry *table_find(const struct table *t, uint64_t hash, struct str id)
{
    struct snapshot_entry *e = t->bucket[hash & t->mask];
    while (e != NULL &&
           (e->hash != hash || e->id_len != id.n || memcmp(e->id, id.n ? id.p : "", id.n) != 0))
        e = e->chain;
    return e;
}

struct snapshot_entry *table_add(struct table *t, uint64_t hash, struct str id)
{
    must(id.n <= UINT16_MAX);
    struct snapshot_entry *e = must_alloc_zero(sizeof *e + id.n);
    e->hash = hash;
    e->id_len = (uint16_t)id.n;
    if (id.n)
        memcpy(e->id, id.p, id.n);
    e->chain = t->bucket[hash & t->mask];
    t->bucket[hash & t->mask] = e;
    t->count++;
    return e;
}

void table_pin(struct snapshot_entry *e)
{
    struct link *l = &e->use;
    if (l->newer == NULL)
        return;
    l->newer->older = l->older;
    l->older->newer = l->newer;
    l->newer = l->older = NULL;
}

void table_used_now(struct table *t, struct snapshot_entry *e)
{
    struct link *l = &e->use;
    if (t->used.older == l)
        return;
    table_pin(e);
    l->newer = &t->used;
    l->older = t->used.older;
    l->older->newer = l;
    t->used.older = l;
}

void table_take_out(struct table *t, struct snapshot_entry *e)
{
    struct snapshot_entry **link = &t->bucket[e->hash & t->mask];
    while (*link != e)
        link = &(*link)->chain;
    *link = e->chain;
    table_pin(e);
    t->count--;
}

struct snapshot_entry *table_oldest(struct table *t)
{
    _Static_assert(offsetof(struct snapshot_entry, use) == 0, "a link leads to its entry");
    return t->used.newer == &t->used ? NULL : (struct snapshot_entry *)t->used.newer;
}
