#include "deliver/ticket.h"
#include "base/limits.h"

#include <pthread.h>
#include <stdlib.h>

struct ticket {
    struct ticket *next;
    struct id request;
    uint64_t serial; /* grows with every ticket: which barriers it is older than */
    bool cut;
    uint32_t count;
    uint64_t subject[]; /* sorted, each once */
};

struct barrier {
    struct barrier *next;
    struct tickets *t;
    bool all;
    uint64_t subject;
    uint64_t serial; /* of the newest ticket when it was opened */
    int64_t opened_ms;
    uint32_t waiting; /* tickets that are still out; so asking costs nothing */
};

struct tickets {
    pthread_mutex_t lock;
    struct ticket *ticket;
    struct barrier *barrier;
    uint64_t serial;
    void (*returned)(void *ctx);
    void *returned_ctx;
};

struct tickets *tickets_new(void)
{
    struct tickets *t = must_alloc_zero(sizeof *t);
    must(pthread_mutex_init(&t->lock, NULL) == 0);
    return t;
}

void tickets_free(struct tickets **t)
{
    if (*t == NULL)
        return;
    must((*t)->ticket == NULL && (*t)->barrier == NULL);
    (void)pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

static void lock(struct tickets *t)
{
    must(pthread_mutex_lock(&t->lock) == 0);
}

static void unlock(struct tickets *t)
{
    must(pthread_mutex_unlock(&t->lock) == 0);
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static struct ticket *ticket_new(const struct id *request, const uint64_t *subject, uint32_t count)
{
    struct ticket *k = must_alloc(sizeof *k + count * sizeof *subject);
    *k = (struct ticket){ .request = *request };
    if (count > 0)
        memcpy(k->subject, subject, count * sizeof *subject);
    qsort(k->subject, count, sizeof *subject, compare_hashes);
    for (uint32_t i = 0; i < count; i++)
        if (k->count == 0 || k->subject[k->count - 1] != k->subject[i])
            k->subject[k->count++] = k->subject[i];
    return k;
}

static bool ticket_carries(const struct ticket *k, uint64_t subject)
{
    return bsearch(&subject, k->subject, k->count, sizeof subject, compare_hashes) != NULL;
}

static bool ticket_holds_up(const struct ticket *k, const struct barrier *b)
{
    return k->serial <= b->serial && (b->all || ticket_carries(k, b->subject));
}

/* Where the request's ticket hangs; points to NULL when it has none. */
static struct ticket **ticket_of(struct tickets *t, const struct id *request)
{
    struct ticket **k = &t->ticket;
    while (*k != NULL && memcmp(&(*k)->request, request, sizeof *request) != 0)
        k = &(*k)->next;
    return k;
}

static void remove_ticket(struct tickets *t, struct ticket **at)
{
    struct ticket *k = *at;
    *at = k->next;
    for (struct barrier *b = t->barrier; b != NULL; b = b->next)
        if (ticket_holds_up(k, b))
            b->waiting--;
    free(k);
}

bool tickets_take(struct tickets *t, const struct id *request, const uint64_t *subject,
                  uint32_t count, bool (*decide)(void *ctx), void *ctx)
{
    struct ticket *k = ticket_new(request, subject, count); /* sorted before the lock is held */
    void (*returned)(void *) = NULL;
    void *returned_ctx = NULL;
    lock(t);
    bool yes = decide(ctx);
    struct ticket **had = ticket_of(t, request);
    if (yes && *had == NULL) {
        k->serial = ++t->serial;
        k->next = t->ticket;
        t->ticket = k;
        k = NULL;
    } else if (!yes && *had != NULL) {
        remove_ticket(t, had);
        returned = t->returned;
        returned_ctx = t->returned_ctx;
    }
    unlock(t);
    free(k);
    if (returned != NULL)
        returned(returned_ctx);
    return yes;
}

void tickets_give_back(struct tickets *t, const struct id *request)
{
    lock(t);
    struct ticket **at = ticket_of(t, request);
    bool had = *at != NULL;
    if (had)
        remove_ticket(t, at);
    void (*returned)(void *) = t->returned;
    void *ctx = t->returned_ctx;
    unlock(t);
    if (had && returned != NULL)
        returned(ctx);
}

void tickets_locked(struct tickets *t, void (*fn)(void *ctx), void *ctx)
{
    lock(t);
    fn(ctx);
    unlock(t);
}

struct barrier *barrier_open(struct tickets *t, bool all, uint64_t subject, int64_t now_mono_ms)
{
    struct barrier *b = must_alloc(sizeof *b);
    *b = (struct barrier){ .t = t, .all = all, .subject = subject, .opened_ms = now_mono_ms };
    lock(t);
    b->serial = t->serial;
    for (const struct ticket *k = t->ticket; k != NULL; k = k->next)
        b->waiting += ticket_holds_up(k, b);
    b->next = t->barrier;
    t->barrier = b;
    unlock(t);
    return b;
}

bool barrier_passed(struct barrier *b, int64_t now_mono_ms)
{
    lock(b->t);
    bool passed = b->waiting == 0;
    bool late = !passed && !b->all && now_mono_ms - b->opened_ms >= LIMIT_BARRIER_MS;
    for (struct ticket *k = late ? b->t->ticket : NULL; k != NULL; k = k->next)
        if (k->count == 1 && ticket_holds_up(k, b)) /* nobody else's data is lost with it */
            k->cut = true;
    unlock(b->t);
    return passed;
}

void barrier_close(struct barrier **b)
{
    if (*b == NULL)
        return;
    struct tickets *t = (*b)->t;
    lock(t);
    struct barrier **at = &t->barrier;
    while (*at != *b)
        at = &(*at)->next;
    *at = (*b)->next;
    unlock(t);
    free(*b);
    *b = NULL;
}

void tickets_on_return(struct tickets *t, void (*fn)(void *ctx), void *ctx)
{
    lock(t);
    t->returned = fn;
    t->returned_ctx = ctx;
    unlock(t);
}

bool tickets_must_cut(struct tickets *t, const struct id *request)
{
    lock(t);
    struct ticket *k = *ticket_of(t, request);
    bool cut = k != NULL && k->cut;
    unlock(t);
    return cut;
}
