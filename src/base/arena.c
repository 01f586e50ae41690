#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK = 16 * 1024, ALIGN = 16 };

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* of data */
    _Alignas(ALIGN) char data[];
};

void arena_init(struct arena *a)
{
    *a = (struct arena)ARENA_INIT;
}

static void free_chunks(struct arena_chunk *c)
{
    while (c != NULL) {
        struct arena_chunk *older = c->older;
        free(c);
        c = older;
    }
}

void arena_fini(struct arena *a)
{
    free_chunks(a->chunk);
    arena_init(a);
}

void arena_clear(struct arena *a)
{
    struct arena_chunk *keep = a->chunk;
    if (keep == NULL)
        return;
    while (keep->older != NULL && keep->size != CHUNK) {
        struct arena_chunk *older = keep->older;
        free(keep);
        keep = older;
    }
    free_chunks(keep->older);
    keep->older = NULL;
    if (keep->size > CHUNK) { /* one large request must not hold its memory for ever */
        free(keep);
        arena_init(a);
        return;
    }
    a->chunk = keep;
    a->at = keep->data;
    a->end = keep->data + keep->size;
}

static void grow(struct arena *a, size_t n)
{
    size_t size = n > CHUNK ? n : CHUNK;
    struct arena_chunk *c = must_alloc(sizeof *c + size);
    c->older = a->chunk;
    c->size = size;
    a->chunk = c;
    a->at = c->data;
    a->end = c->data + size;
}

void *arena_room(struct arena *a, size_t n)
{
    must(n <= SIZE_MAX / 2);
    size_t rounded = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (rounded == 0)
        rounded = ALIGN;
    if (a->chunk == NULL || (size_t)(a->end - a->at) < rounded)
        grow(a, rounded);
    void *p = a->at;
    a->at += rounded;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    return memset(arena_room(a, n), 0, n);
}

void *arena_grown(struct arena *a, void *array, size_t size, uint32_t count, uint32_t *cap)
{
    if (count < *cap)
        return array;
    must(*cap <= UINT32_MAX / 2);
    *cap = *cap ? *cap * 2 : 8;
    void *larger = arena_alloc(a, size * *cap);
    if (count)
        memcpy(larger, array, size * count);
    return larger;
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_room(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (struct str){ p, s.n };
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    char none[1];
    int n = vsnprintf(none, sizeof none, fmt, args); /* only asks for the length */
    va_end(args);
    must(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    (void)vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct str){ p, (size_t)n };
}

size_t arena_size(const struct arena *a)
{
    size_t n = 0;
    for (const struct arena_chunk *c = a->chunk; c != NULL; c = c->older)
        n += c->size;
    return n;
}
