#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

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
    (void)clock_gettime(id, &t); /* cannot fail for these two clocks */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
    clock_not_before(read_ms(CLOCK_REALTIME));
    return atomic_load(&newest);
}

int64_t clock_mono_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}
