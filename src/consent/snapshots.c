#include "consent/snapshots.h"

#include "base/limits.h"
#include "base/must.h"

#include <sodium.h>

#include <pthread.h>
#include <stdatomic.h>

/* A counted snapshot. The snapshot's bytes follow the header, so that a pointer
 * to it leads back here. */
struct held {
    atomic_uint refs;
    bool flagged;       /* SUBJECT_RESTRICTED was added by a block, the store does not say it */
    struct held *after; /* in the list of what the loop may still look at */
    _Alignas(16) char bytes[];
};

struct link { /* in the ring of entries by use */
    struct link *newer, *older;
};

struct snapshot_entry { /* an entry of a table; also a registered load, if loads > 0 */
    struct link use;    /* first; NULL while it cannot go */
    struct snapshot_entry *chain;
    struct snapshot_entry *next_dirty;
    struct held *held; /* NULL while only loads are registered, and in the table of blocks */
    uint64_t hash;
    uint32_t loads;
    bool dirty;
    uint16_t id_len;
    char id[];
};

struct table {
    struct snapshot_entry **bucket;
    uint32_t mask, count;
    struct link used; /* the ring's head: .older is the newest, .newer the oldest */
};

struct snapshots {
    uint32_t capacity;
    uint8_t key[crypto_shorthash_KEYBYTES];
    struct table loop;
    struct snapshot_entry *dirty;
    struct held *dead; /* replaced or evicted, but the loop may still look at it */

    pthread_mutex_t lock; /* over what follows */
    struct table shared;
    struct table blocked;
    bool all_blocked;
};

/* ---- counted snapshots ---- */

static const struct snapshot *view(const struct held *h)
{
    return (const struct snapshot *)(const void *)h->bytes;
}

static struct held *held_of(const struct snapshot *s)
{
    return (struct held *)(void *)((char *)(uintptr_t)s - offsetof(struct held, bytes));
}

static struct held *held_new(const struct snapshot *from, bool blocked)
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

/* A copy that says the same but for the block. */
static struct held *held_copy(const struct held *from, bool blocked)
{
    struct held *h = held_new(view(from), false);
    struct snapshot *s = (struct snapshot *)(void *)h->bytes;
    if (from->flagged)
        s->flags &= ~(uint32_t)SUBJECT_RESTRICTED;
    h->flagged = blocked && !(s->flags & SUBJECT_RESTRICTED);
    if (h->flagged)
        s->flags |= SUBJECT_RESTRICTED;
    return h;
}

static struct held *held_ref(struct held *h)
{
    atomic_fetch_add_explicit(&h->refs, 1, memory_order_relaxed);
    return h;
}

static void held_unref(struct held *h)
{
    if (h != NULL && atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) == 1)
        free(h);
}

/* ---- tables ---- */

static void table_init(struct table *t, uint32_t capacity)
{
    uint32_t buckets = 16;
    while (buckets < capacity * 2)
        buckets *= 2;
    t->bucket = must_alloc_zero(buckets * sizeof(struct snapshot_entry *));
    t->mask = buckets - 1;
    t->count = 0;
    t->used.newer = t->used.older = &t->used;
}

static void table_fini(struct table *t)
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

static uint64_t hash_of(const struct snapshots *s, struct str id)
{
    uint64_t hash;
    _Static_assert(sizeof hash == crypto_shorthash_BYTES, "one hash, one word");
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)(id.n ? id.p : ""), id.n, s->key);
    return hash;
}

static struct snapshot_entry *find(const struct table *t, uint64_t hash, struct str id)
{
    struct snapshot_entry *e = t->bucket[hash & t->mask];
    while (e != NULL &&
           (e->hash != hash || e->id_len != id.n || memcmp(e->id, id.n ? id.p : "", id.n) != 0))
        e = e->chain;
    return e;
}

static struct snapshot_entry *add(struct table *t, uint64_t hash, struct str id)
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

/* Out of the order of use: it cannot be evicted. */
static void pin(struct snapshot_entry *e)
{
    struct link *l = &e->use;
    if (l->newer == NULL)
        return;
    l->newer->older = l->older;
    l->older->newer = l->newer;
    l->newer = l->older = NULL;
}

static void used_now(struct table *t, struct snapshot_entry *e)
{
    struct link *l = &e->use;
    if (t->used.older == l)
        return;
    pin(e);
    l->newer = &t->used;
    l->older = t->used.older;
    l->older->newer = l;
    t->used.older = l;
}

/* Takes it out of the table; the caller disposes of ->held and frees it. */
static void take_out(struct table *t, struct snapshot_entry *e)
{
    struct snapshot_entry **link = &t->bucket[e->hash & t->mask];
    while (*link != e)
        link = &(*link)->chain;
    *link = e->chain;
    pin(e);
    t->count--;
}

static struct snapshot_entry *oldest(struct table *t)
{
    _Static_assert(offsetof(struct snapshot_entry, use) == 0, "a link leads to its entry");
    return t->used.newer == &t->used ? NULL : (struct snapshot_entry *)t->used.newer;
}

/* ---- the loop's table ---- */

static void bury(struct snapshots *s, struct held *h)
{
    if (h == NULL)
        return;
    h->after = s->dead; /* ->after is the loop's alone: shared holders never touch it */
    s->dead = h;
}

static void forget_dead(struct snapshots *s)
{
    while (s->dead != NULL) {
        struct held *h = s->dead;
        s->dead = h->after;
        held_unref(h);
    }
}

static void drop_loop(struct snapshots *s, struct snapshot_entry *e)
{
    take_out(&s->loop, e);
    bury(s, e->held);
    free(e);
}

static bool is_blocked(struct snapshots *s, uint64_t hash, struct str subject)
{
    return s->all_blocked || (s->blocked.count && find(&s->blocked, hash, subject) != NULL);
}

static struct held *held_for(struct snapshots *s, uint64_t hash, struct str subject,
                             const struct snapshot *loaded)
{
    pthread_mutex_lock(&s->lock);
    bool blocked = is_blocked(s, hash, subject);
    pthread_mutex_unlock(&s->lock);
    return held_new(loaded, blocked);
}

const struct snapshot *snapshots_now(struct snapshots *s, struct str subject)
{
    struct snapshot_entry *e = find(&s->loop, hash_of(s, subject), subject);
    if (e == NULL)
        return NULL;
    if (!e->dirty)
        used_now(&s->loop, e);
    return view(e->held);
}

static struct snapshot_entry *loop_entry(struct snapshots *s, uint64_t hash, struct str subject)
{
    struct snapshot_entry *e = find(&s->loop, hash, subject);
    if (e != NULL)
        return e;
    struct snapshot_entry *old = s->loop.count >= s->capacity ? oldest(&s->loop) : NULL;
    if (old != NULL)
        drop_loop(s, old);
    return add(&s->loop, hash, subject);
}

const struct snapshot *snapshots_keep(struct snapshots *s, struct str subject,
                                      const struct snapshot *loaded)
{
    uint64_t hash = hash_of(s, subject);
    struct snapshot_entry *e = loop_entry(s, hash, subject);
    must(!e->dirty);
    bury(s, e->held);
    e->held = held_for(s, hash, subject, loaded);
    used_now(&s->loop, e);
    return view(e->held);
}

void snapshots_change(struct snapshots *s, struct str subject, const struct snapshot *loaded)
{
    forget_dead(s);
    uint64_t hash = hash_of(s, subject);
    struct snapshot_entry *e = loop_entry(s, hash, subject);
    held_unref(e->held);
    e->held = held_for(s, hash, subject, loaded);
    pin(e);
    if (!e->dirty) {
        e->dirty = true;
        e->next_dirty = s->dirty;
        s->dirty = e;
    }
}

/* ---- after the group ---- */

static void unblock(struct snapshots *s, struct snapshot_entry *e, struct str id)
{
    struct snapshot_entry *b = find(&s->blocked, e->hash, id);
    if (b != NULL) {
        take_out(&s->blocked, b);
        free(b);
    }
    if (e->held->flagged && !s->all_blocked) {
        struct held *h = held_copy(e->held, false);
        held_unref(e->held);
        e->held = h;
    }
}

/* Under the lock: what everybody sees of this subject from now on. */
static void publish(struct snapshots *s, struct snapshot_entry *e)
{
    struct str id = { e->id, e->id_len };
    unblock(s, e, id);
    struct snapshot_entry *shared = find(&s->shared, e->hash, id);
    if (shared == NULL)
        return;
    held_unref(shared->held);
    shared->held = held_ref(e->held);
}

void snapshots_committed(struct snapshots *s)
{
    forget_dead(s);
    if (s->dirty == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    while (s->dirty != NULL) {
        struct snapshot_entry *e = s->dirty;
        s->dirty = e->next_dirty;
        e->dirty = false;
        publish(s, e);
        used_now(&s->loop, e);
    }
    pthread_mutex_unlock(&s->lock);
    while (s->loop.count > s->capacity) /* a group may change more subjects than the table holds */
        drop_loop(s, oldest(&s->loop));
    forget_dead(s);
}

void snapshots_rolled_back(struct snapshots *s)
{
    while (s->dirty != NULL) {
        struct snapshot_entry *e = s->dirty;
        s->dirty = e->next_dirty;
        drop_loop(s, e);
    }
    forget_dead(s);
}

/* ---- blocks ---- */

static void flag(struct snapshots *s, struct snapshot_entry *e, bool loop)
{
    if (e == NULL || e->held == NULL || e->held->flagged)
        return;
    struct held *h = held_copy(e->held, true);
    if (loop)
        bury(s, e->held);
    else
        held_unref(e->held);
    e->held = h;
}

static void flag_all(struct snapshots *s, struct table *t, bool loop)
{
    for (uint32_t i = 0; i <= t->mask; i++) {
        for (struct snapshot_entry *e = t->bucket[i]; e != NULL; e = e->chain)
            flag(s, e, loop);
    }
}

void snapshots_block(struct snapshots *s, struct str subject)
{
    uint64_t hash = hash_of(s, subject);
    pthread_mutex_lock(&s->lock);
    if (find(&s->blocked, hash, subject) == NULL && !s->all_blocked) {
        if (s->blocked.count < s->capacity) {
            (void)add(&s->blocked, hash, subject); /* found again by its name */
            flag(s, find(&s->loop, hash, subject), true);
            flag(s, find(&s->shared, hash, subject), false);
        } else {
            s->all_blocked = true;
            flag_all(s, &s->loop, true);
            flag_all(s, &s->shared, false);
        }
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- readers ---- */

static struct snapshot_entry *shared_entry(struct snapshots *s, uint64_t hash, struct str subject)
{
    struct snapshot_entry *e = find(&s->shared, hash, subject);
    if (e != NULL)
        return e;
    struct snapshot_entry *old = s->shared.count >= s->capacity ? oldest(&s->shared) : NULL;
    if (old != NULL) {
        take_out(&s->shared, old);
        held_unref(old->held);
        free(old);
    }
    return add(&s->shared, hash, subject);
}

const struct snapshot *snapshots_take(struct snapshots *s, struct str subject,
                                      struct snapshot_entry **ret_load)
{
    uint64_t hash = hash_of(s, subject);
    pthread_mutex_lock(&s->lock);
    struct snapshot_entry *e = shared_entry(s, hash, subject);
    struct held *h = e->held ? held_ref(e->held) : NULL;
    if (h == NULL) {
        e->loads++; /* and it stays out of the ring: a load cannot be evicted */
        *ret_load = e;
    } else if (e->loads == 0) {
        used_now(&s->shared, e);
    }
    pthread_mutex_unlock(&s->lock);
    return h ? view(h) : NULL;
}

const struct snapshot *snapshots_loaded(struct snapshots *s, struct snapshot_entry *e,
                                        const struct snapshot *loaded)
{
    pthread_mutex_lock(&s->lock);
    if (e->held == NULL && loaded != NULL)
        e->held = held_new(loaded, is_blocked(s, e->hash, (struct str){ e->id, e->id_len }));
    struct held *h = e->held != NULL && loaded != NULL ? held_ref(e->held) : NULL;
    if (--e->loads == 0) {
        if (e->held != NULL) {
            used_now(&s->shared, e);
        } else {
            take_out(&s->shared, e);
            free(e);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return h ? view(h) : NULL;
}

void snapshots_unref(const struct snapshot **snapshot)
{
    if (*snapshot != NULL)
        held_unref(held_of(*snapshot));
    *snapshot = NULL;
}

/* ---- life ---- */

struct snapshots *snapshots_new(uint32_t capacity)
{
    must(capacity > 0 && capacity <= 1u << 30);
    struct snapshots *s = must_alloc_zero(sizeof *s);
    s->capacity = capacity;
    crypto_shorthash_keygen(s->key);
    table_init(&s->loop, capacity);
    table_init(&s->shared, capacity);
    table_init(&s->blocked, capacity / 16);
    must(pthread_mutex_init(&s->lock, NULL) == 0);
    return s;
}

void snapshots_free(struct snapshots **s)
{
    if (*s == NULL)
        return;
    forget_dead(*s);
    table_fini(&(*s)->loop);
    table_fini(&(*s)->shared);
    table_fini(&(*s)->blocked);
    pthread_mutex_destroy(&(*s)->lock);
    free(*s);
    *s = NULL;
}
