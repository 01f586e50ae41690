/* deliver/rate.h - so many per second, and not more.
 *
 * Holds one second's worth at most, and is full at start: within any n seconds, n + 1 seconds' worth pass at
 * most. What is more than a second's worth by itself passes when the rate is full, and the debt is
 * waited for. Pure: the caller brings the time (ms); a clock that is set back costs nothing.
 */
#ifndef DELIVER_RATE_H
#define DELIVER_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
    int64_t level; /* thousandths; negative: a debt */
    int64_t at_ms; /* 0: never asked, full */
};

/* When n may pass: at_ms or earlier is now. per_second 0: no limit. */
int64_t rate_ready_ms(struct rate *r, uint32_t per_second, uint32_t n, int64_t at_ms);
/* How many may pass now; UINT32_MAX without a limit. */
uint32_t rate_room(struct rate *r, uint32_t per_second, int64_t at_ms);
void rate_take(struct rate *r, uint32_t per_second, uint32_t n, int64_t at_ms);

#endif
