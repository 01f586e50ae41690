/* base/clock.h - what time it is.
 *
 * Milliseconds since 1970-01-01 UTC wherever a name ends in _ms and nothing
 * else is said. Thread: any.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Wall time that never runs backwards within this process: when the system's
 * clock is set back by a second or more, it goes on at half the pace until that has caught up. */
int64_t clock_now_ms(void);

/* How far the system's clock is behind what clock_now_ms() says; 0: it is not. */
int64_t clock_behind_ms(void);

/* What the system's clock says less the time since the machine was started: it changes when
 * the clock is set, and hardly otherwise. */
int64_t clock_offset_ms(void);

/* Makes clock_now_ms() return at least this from now on: called at start with
 * the newest stored time, so that it does not run backwards over a restart. */
void clock_not_before(int64_t at_ms);

/* Time for measuring distances; starts anywhere, never jumps. */
int64_t clock_mono_ms(void);

/* The slow pace: `seen_ms` is what was told last, by whatever clock, `even_ms` a clock that never jumps. */
struct clock_creep {
    int64_t from_ms, even_ms, told_ms;
};
int64_t clock_creep(struct clock_creep *c, int64_t seen_ms, int64_t even_ms);

#endif
