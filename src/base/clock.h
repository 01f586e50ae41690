/* base/clock.h - what time it is.
 *
 * Milliseconds since 1970-01-01 UTC wherever a name ends in _ms and nothing
 * else is said. Thread: any.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Wall time that never runs backwards within this process: when the system's
 * clock is set back, it stands still until that has caught up. */
int64_t clock_now_ms(void);

/* Makes clock_now_ms() return at least this from now on: called at start with
 * the newest stored time, so that it does not run backwards over a restart. */
void clock_not_before(int64_t at_ms);

/* Time for measuring distances; starts anywhere, never jumps. */
int64_t clock_mono_ms(void);

#endif
