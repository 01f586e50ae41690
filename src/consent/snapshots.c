#include "consent/snapshots.h"

#include "consent/snapshots_priv.h"

#include "base/must.h"

#include <sodium.h>

#include <pthread.h>

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

static uint64_t hash_of(const struct snapshots *s, struct str id)
{
    uint64_t hash;
    _Static_assert(sizeof hash == crypto_shorthash_BYTES, "one hash, one word");
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)(id.n ? id.p : ""), id.n, s->key);
    return hash;
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
    table_take_out(&s->loop, e);
    bury(s, e->held);
    free(e);
}

static bool is_blocked(struct snapshots *s, uint64_t hash, struct str subject)
{
    return s->all_blocked || (s->blocked.count && table_find(&s->blocked, hash, subject) != NULL);
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
    struct snapshot_entry *e = table_find(&s->loop, hash_of(s, subject), subject);
    if (e == NULL)
        return NULL;
    if (!e->dirty)
        table_used_now(&s->loop, e);
    return held_view(e->held);
}

static struct snapshot_entry *loop_entry(struct snapshots *s, uint64_t hash, struct str subject)
{
    struct snapshot_entry *e = table_find(&s->loop, hash, subject);
    if (e != NULL)
        return e;
    struct snapshot_entry *old = s->loop.count >= s->capacity ? table_oldest(&s->loop) : NULL;
    if (old != NULL)
        drop_loop(s, old);
    return table_add(&s->loop, hash, subject);
}

const struct snapshot *snapshots_keep(struct snapshots *s, struct str subject,
                                      const struct snapshot *loaded)
{
    uint64_t hash = hash_of(s, subject);
    struct snapshot_entry *e = loop_entry(s, hash, subject);
    must(!e->dirty);
    bury(s, e->held);
    e->held = held_for(s, hash, subject, loaded);
    table_used_now(&s->loop, e);
    return held_view(e->held);
}

void snapshots_change(struct snapshots *s, struct str subject, const struct snapshot *loaded)
{
    forget_dead(s);
    uint64_t hash = hash_of(s, subject);
    struct snapshot_entry *e = loop_entry(s, hash, subject);
    held_unref(e->held);
    e->held = held_for(s, hash, subject, loaded);
    table_pin(e);
    if (!e->dirty) {
        e->dirty = true;
        e->next_dirty = s->dirty;
        s->dirty = e;
    }
}

/* ---- after the group ---- */

static void unblock(struct snapshots *s, struct snapshot_entry *e, struct str id)
{
    struct snapshot_entry *b = table_find(&s->blocked, e->hash, id);
    if (b != NULL) {
        table_take_out(&s->blocked, b);
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
    struct snapshot_entry *shared = table_find(&s->shared, e->hash, id);
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
        table_used_now(&s->loop, e);
    }
    pthread_mutex_unlock(&s->lock);
    while (s->loop.count > s->capacity) /* a group may change more subjects than the table holds */
        drop_loop(s, table_oldest(&s->loop));
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
    if (table_find(&s->blocked, hash, subject) == NULL && !s->all_blocked) {
        if (s->blocked.count < s->capacity) {
            (void)table_add(&s->blocked, hash, subject); /* found again by its name */
            flag(s, table_find(&s->loop, hash, subject), true);
            flag(s, table_find(&s->shared, hash, subject), false);
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
    struct snapshot_entry *e = table_find(&s->shared, hash, subject);
    if (e != NULL)
        return e;
    struct snapshot_entry *old = s->shared.count >= s->capacity ? table_oldest(&s->shared) : NULL;
    if (old != NULL) {
        table_take_out(&s->shared, old);
        held_unref(old->held);
        free(old);
    }
    return table_add(&s->shared, hash, subject);
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
        table_used_now(&s->shared, e);
    }
    pthread_mutex_unlock(&s->lock);
    return h ? held_view(h) : NULL;
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
            table_used_now(&s->shared, e);
        } else {
            table_take_out(&s->shared, e);
            free(e);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return h ? held_view(h) : NULL;
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
