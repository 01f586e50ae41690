#include "deliver/window.h"

static uint32_t size_of(const struct window *w)
{
    return w->size == 0 ? WINDOW_MOST : w->size;
}

bool window_has_room(const struct window *w)
{
    return w->used < size_of(w);
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
