#include "deliver/shelf.h"

static struct shelf_segment *least_used(struct shelf *s)
{
    struct shelf_segment *least = &s->segment[0];
    for (size_t i = 1; i < SHELF_SEGMENTS; i++)
        if (s->segment[i].used < least->used)
            least = &s->segment[i];
    return least;
}

static void forget(struct shelf_segment *g)
{
    arena_fini(&g->arena);
    *g = (struct shelf_segment){ .arena = ARENA_INIT };
}

static enum err keep(struct shelf *s, struct shelf_segment *g, int64_t after, enum err result,
                     const struct segment_found *found, const struct shelf_segment **ret_g)
{
    if (result != OK) {
        forget(g);
        return result;
    }
    g->number = found->number;
    g->after = after;
    g->bytes = found->bytes;
    g->stamp = g->used = ++s->clock;
    *ret_g = g;
    return OK;
}

enum err shelf_next(struct shelf *s, struct store_reader *r, uint32_t slots, int64_t after,
                    const struct shelf_segment **ret_g)
{
    if (s->slots != slots)
        shelf_clear(s);
    s->slots = slots;
    for (size_t i = 0; i < SHELF_SEGMENTS; i++) {
        struct shelf_segment *g = &s->segment[i];
        if (g->number > after && g->after <= after) {
            g->used = ++s->clock;
            *ret_g = g;
            return OK;
        }
    }
    struct shelf_segment *g = least_used(s);
    struct segment_found found;
    forget(g);
    return keep(s, g, after, store_next_permitted(r, after, slots, &g->arena, &found), &found,
                ret_g);
}

enum err shelf_get(struct shelf *s, struct store_reader *r, int64_t number,
                   const struct shelf_segment **ret_g)
{
    for (size_t i = 0; i < SHELF_SEGMENTS; i++) {
        struct shelf_segment *g = &s->segment[i];
        if (number > 0 && g->number == number) {
            g->used = ++s->clock;
            *ret_g = g;
            return OK;
        }
    }
    struct shelf_segment *g = least_used(s);
    struct segment_found found;
    forget(g);
    return keep(s, g, number - 1, store_get_segment(r, number, &g->arena, &found), &found, ret_g);
}

void shelf_clear(struct shelf *s)
{
    for (size_t i = 0; i < SHELF_SEGMENTS; i++)
        forget(&s->segment[i]);
}
