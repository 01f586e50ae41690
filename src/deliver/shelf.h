/* deliver/shelf.h - the few segments that are being read.
 *
 * Destinations mostly read the same newest segments; each is fetched once. Thread: the delivery thread's.
 * Limit: SHELF_SEGMENTS of LIMIT_GROUP_BYTES.
 */
#ifndef DELIVER_SHELF_H
#define DELIVER_SHELF_H

#include "store/store.h"

enum { SHELF_SEGMENTS = 6 };

struct shelf_segment {
    int64_t number, after; /* it is the first one behind any number from `after` on */
    struct str bytes;
    uint64_t stamp; /* of its loading; the same stamp means the same memory */
    uint64_t used;
    struct arena arena;
};

struct shelf {
    struct shelf_segment segment[SHELF_SEGMENTS];
    uint64_t clock;
    uint32_t slots;
};

/* As store_next_permitted() and store_get_segment(); *ret_g is good until the next call. Other
 * slots than last time clear the shelf. */
enum err shelf_next(struct shelf *s, struct store_reader *r, uint32_t slots, int64_t after,
                    const struct shelf_segment **ret_g) MUST_CHECK;
enum err shelf_get(struct shelf *s, struct store_reader *r, int64_t number,
                   const struct shelf_segment **ret_g) MUST_CHECK;
/* Gives the memory back, when nothing is read for a while. */
void shelf_clear(struct shelf *s);

#endif
