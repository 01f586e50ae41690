/* deliver/window.h - how many requests one destination may have on their way.
 *
 * One while it is in back-off: a probe. Each success then opens it by one, up to
 * WINDOW_MOST. A window that grows with the receiver's latency belongs here.
 */
#ifndef DELIVER_WINDOW_H
#define DELIVER_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum { WINDOW_MOST = 4 };

struct window {
    uint32_t size; /* 0: WINDOW_MOST, as at start */
    uint32_t used;
};

bool window_has_room(const struct window *w);
uint32_t window_room(const struct window *w); /* requests */
void window_failed(struct window *w);
void window_succeeded(struct window *w);

#endif
