#include "deliver/names.h"

#include "base/buf.h"

enum { SHARED = UINT16_MAX, SHARED_NAMES = 1024 };

void names_start(struct names *n, struct arena *a)
{
    n->arena = a;
    n->count = n->last = n->shared_count = 0;
    n->bytes = n->shared_bytes = 0;
    n->shared = NULL;
    n->last_shared = (struct str){ 0 };
}

/* ---- the shared set ---- */

/* Where it stands, or belongs. */
static uint32_t place_of(const struct names *n, struct str name)
{
    uint32_t low = 0, high = n->shared_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (str_cmp(n->shared[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void share_one(struct names *n, struct str name)
{
    static const struct str more = STR_INIT("*");
    uint32_t at = place_of(n, name);
    if (at < n->shared_count && str_eq(n->shared[at], name))
        return;
    /* room for the star, and the comma before it, is always left */
    if (!str_eq(name, more) && (n->shared_count + 1 >= SHARED_NAMES ||
                                n->shared_bytes + name.n + 1 + more.n > LIMIT_FIELD_SET)) {
        share_one(n, more);
        return;
    }
    memmove(&n->shared[at + 1], &n->shared[at], (n->shared_count - at) * sizeof *n->shared);
    n->shared[at] = arena_str(n->arena, name);
    n->shared_count++;
    n->shared_bytes += name.n + 1;
}

static uint32_t share(struct names *n, struct str names, bool cut)
{
    if (n->shared == NULL)
        n->shared = arena_array(n->arena, struct str, SHARED_NAMES);
    if (cut)
        share_one(n, STR("*"));
    if (str_eq(names, n->last_shared))
        return SHARED;
    n->last_shared = arena_str(n->arena, names);
    struct str rest = names, name;
    while (str_next(&rest, ',', &name))
        if (name.n > 0)
            share_one(n, name);
    return SHARED;
}

/* ---- */

static bool has_place(const struct names *n, struct str names)
{
    return n->count < LIMIT_FIELD_SETS - 1 && names.n <= LIMIT_FIELD_SET &&
           n->bytes + names.n + 1 <= LIMIT_FIELD_SETS_BYTES;
}

uint32_t names_add(struct names *n, struct str names, bool cut)
{
    if (cut)
        return share(n, names, true);
    if (n->count > 0 && str_eq(n->set[n->last], names))
        return n->last; /* events of one kind follow each other */
    for (uint32_t i = 0; i < n->count; i++)
        if (str_eq(n->set[i], names))
            return n->last = i;
    if (!has_place(n, names))
        return share(n, names, false);
    n->bytes += names.n + 1;
    n->set[n->count] = arena_str(n->arena, names);
    return n->last = n->count++;
}

struct str names_join(const struct names *n, struct delivery_item *item, uint32_t count,
                      struct arena *a)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(LIMIT_FIELD_SETS_BYTES + LIMIT_FIELD_SET + 2);
    for (uint32_t i = 0; i < n->count; i++) {
        if (i > 0)
            buf_byte(&b, '\n');
        buf_str(&b, n->set[i]);
    }
    if (n->shared != NULL && n->count > 0)
        buf_byte(&b, '\n');
    for (uint32_t i = 0; i < n->shared_count; i++) {
        if (i > 0)
            buf_byte(&b, ',');
        buf_str(&b, n->shared[i]);
    }
    must(!b.over);
    for (uint32_t i = 0; i < count; i++)
        if (item[i].fields == SHARED)
            item[i].fields = n->count;
    return arena_str(a, buf_view(&b));
}
