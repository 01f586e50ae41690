#include "deliver/window.h"

uint32_t window_size(const struct window *w, uint32_t most)
{
    uint32_t size = w->size == 0 ? WINDOW_FIRST : w->size;
    return size < most ? size : most;
}

bool window_has_room(const struct window *w, uint32_t most)
{
    return w->used < window_size(w, most);
}

uint32_t window_room(const struct window *w, uint32_t most)
{
    return window_has_room(w, most) ? window_size(w, most) - w->used : 0;
}

bool window_failed(struct window *w, uint32_t most)
{
    uint32_t size = window_size(w, most);
    w->credit = 0;
    w->size = size > 1 ? size / 2 : 1;
    return size == 1;
}

void window_close(struct window *w)
{
    w->credit = 0;
    w->size = 1;
}

void window_succeeded(struct window *w, uint32_t most)
{
    uint32_t size = window_size(w, most);
    bool full = w->used >= size; /* the one that succeeded still counts as used */
    if (size >= most || (!full && size >= WINDOW_FIRST))
        return;
    if (++w->credit < size)
        return;
    w->credit = 0;
    w->size = size + 1;
}
