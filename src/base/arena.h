/* base/arena.h - memory that goes all at once.
 *
 * A request allocates from the arena it is handed and frees nothing; clearing
 * the arena frees everything. Memory is zeroed (but for arena_room), aligned for any type. Not for
 * use by two threads at a time. Out of memory ends the process (base/must.h).
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/must.h"
#include "base/str.h"

#include <stdint.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* newest first */
    char *at, *end;
};

#define ARENA_INIT                                                                                 \
    {                                                                                              \
        0                                                                                          \
    }

void arena_init(struct arena *a);
void arena_fini(struct arena *a);  /* AUTO(arena_fini) struct arena a = ARENA_INIT; */
void arena_clear(struct arena *a); /* reusable after; keeps one chunk */

void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull, alloc_size(2)));
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_alloc((a), sizeof(type) * (count)))

/* The same without zeroing, for what is written in full at once. */
void *arena_room(struct arena *a, size_t n) __attribute__((returns_nonnull, alloc_size(2)));

/* An array of `count` elements that is to take one more: where it is, or a larger copy. *cap, 0 at
 * first, is its room. */
void *arena_grown(struct arena *a, void *array, size_t size, uint32_t count, uint32_t *cap)
    __attribute__((returns_nonnull));

/* A copy with a zero byte behind it, so that .p also serves as a C string. */
struct str arena_str(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Bytes held, for memory accounting. */
size_t arena_size(const struct arena *a);

#endif
