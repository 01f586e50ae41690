#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { SET_BACK_MS = 1000 }; /* less is a thread that read the clock a little earlier */

static _Atomic int64_t newest;

void clock_not_before(int64_t at_ms)
{
    int64_t seen = atomic_load(&newest);
    while (at_ms > seen && !atomic_compare_exchange_weak(&newest, &seen, at_ms)) {
    }
}

static int64_t read_ms(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t); /* cannot fail for these clocks */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_creep(struct clock_creep *c, int64_t seen_ms, int64_t even_ms)
{
    if (c->told_ms != seen_ms) { /* it went on by the system's clock meanwhile */
        c->from_ms = seen_ms;
        c->even_ms = even_ms;
    }
    c->told_ms = c->from_ms + (even_ms - c->even_ms) / 2;
    return c->told_ms;
}

/* Waits and retries must go on, however far the clock was set back. */
static int64_t creep_on(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct clock_creep creep;
    (void)pthread_mutex_lock(&lock);
    clock_not_before(clock_creep(&creep, atomic_load(&newest), read_ms(CLOCK_BOOTTIME)));
    (void)pthread_mutex_unlock(&lock);
    return atomic_load(&newest);
}

int64_t clock_now_ms(void)
{
    int64_t now = read_ms(CLOCK_REALTIME);
    if (atomic_load(&newest) - now >= SET_BACK_MS)
        return creep_on();
    clock_not_before(now);
    return atomic_load(&newest);
}

int64_t clock_mono_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_behind_ms(void)
{
    int64_t behind = atomic_load(&newest) - read_ms(CLOCK_REALTIME);
    return behind > SET_BACK_MS ? behind : 0;
}

int64_t clock_offset_ms(void)
{
    return read_ms(CLOCK_REALTIME) - read_ms(CLOCK_BOOTTIME);
}
