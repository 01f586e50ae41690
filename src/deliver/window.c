#include "deliver/window.h"

static uint32_t size_of(const struct window *w)
{
    return w->size == 0 ? WINDOW_MOST : w->size;
}

bool window_has_room(const struct window *w)
{
    return w->used < size_of(w);
}

uint32_t window_room(const struct window *w)
{
    return window_has_room(w) ? size_of(w) - w->used : 0;
}

void window_failed(struct window *w)
{
    w->size = 1;
}

void window_succeeded(struct window *w)
{
    if (size_of(w) < WINDOW_MOST)
        w->size++;
}
