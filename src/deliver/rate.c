#include "deliver/rate.h"

enum { WHOLE = 1000 };

static void refill(struct rate *r, uint32_t per_second, int64_t at_ms)
{
    int64_t full = (int64_t)per_second * WHOLE;
    int64_t passed = at_ms - r->at_ms;
    if (r->at_ms == 0)
        r->level = full;
    else if (passed > 0)
        r->level += passed > (full - r->level) / per_second ? full - r->level : passed * per_second;
    if (r->level > full) /* the limit was lowered */
        r->level = full;
    r->at_ms = at_ms;
}

int64_t rate_ready_ms(struct rate *r, uint32_t per_second, uint32_t n, int64_t at_ms)
{
    if (per_second == 0)
        return at_ms;
    refill(r, per_second, at_ms);
    int64_t need = (int64_t)(n < per_second ? n : per_second) * WHOLE - r->level;
    return need <= 0 ? at_ms : at_ms + (need + per_second - 1) / per_second;
}

uint32_t rate_room(struct rate *r, uint32_t per_second, int64_t at_ms)
{
    if (per_second == 0)
        return UINT32_MAX;
    refill(r, per_second, at_ms);
    return r->level > 0 ? (uint32_t)(r->level / WHOLE) : 0;
}

void rate_take(struct rate *r, uint32_t per_second, uint32_t n, int64_t at_ms)
{
    if (per_second == 0)
        return;
    refill(r, per_second, at_ms);
    r->level -= (int64_t)n * WHOLE;
}
