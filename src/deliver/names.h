/* deliver/names.h - which fields left with which event of one request.
 *
 * Events of one kind have the same names, so each set of names that differs from the others is
 * kept once, as struct delivery_request has them. At most LIMIT_FIELD_SETS - 1 sets, of
 * LIMIT_FIELD_SETS_BYTES together and LIMIT_FIELD_SET each, stand for themselves. An event whose
 * set finds no place there shares the last set with others like it: the union of their names (never
 * fewer than left), of LIMIT_FIELD_SET as well; "*" in it stands for names that found no place.
 *
 * Owner:  what is added is copied to the arena.
 */
#ifndef DELIVER_NAMES_H
#define DELIVER_NAMES_H

#include "store/store.h"

struct names {
    struct arena *arena;
    struct str set[LIMIT_FIELD_SETS];
    uint32_t count, last;
    size_t bytes;
    struct str *shared; /* the names of the last set, sorted */
    uint32_t shared_count;
    size_t shared_bytes;
    struct str last_shared;
};

void names_start(struct names *n, struct arena *a);
/* One event's names, as fields_apply() writes them; `cut`: there were more. Returns the
 * number for its item, which names_join() makes final. */
uint32_t names_add(struct names *n, struct str names, bool cut);
/* The sets as one text, when all were added. */
struct str names_join(const struct names *n, struct delivery_item *item, uint32_t count,
                      struct arena *a);

#endif
