/* deliver/window.h - how many requests one destination may have on their way.
 *
 * Grows and shrinks with what comes back, as a mail queue's window does: a whole window of
 * successes opens it by one; a failure halves it. Beyond the width it starts with, only while it is
 * full: what is not used need not grow. Up to there always, or a quiet destination that fails now
 * and then would be taken for one that is down. Closed (an outage, a receiver that asks for time) it is one: the probe. From there it
 * opens again slowly, by one for each window of successes, so that a receiver that has just come
 * back is not run over by what has waited for it.
 */
#ifndef DELIVER_WINDOW_H
#define DELIVER_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum { WINDOW_FIRST = 4 }; /* where it starts, if `most` allows */

struct window {
    uint32_t size;   /* 0: WINDOW_FIRST, as at start */
    uint32_t credit; /* successes since it changed */
    uint32_t used;   /* on their way, by the owner */
};

/* `most` from 1, as the configuration says. */
uint32_t window_size(const struct window *w, uint32_t most);
bool window_has_room(const struct window *w, uint32_t most);
uint32_t window_room(const struct window *w, uint32_t most); /* requests */
/* True when it cannot shrink any more: nothing goes through, and the circuit is to be opened. */
bool window_failed(struct window *w, uint32_t most);
void window_close(struct window *w);
void window_succeeded(struct window *w, uint32_t most);

#endif
