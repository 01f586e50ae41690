#include "conf/read_priv.h"

static bool in_list(const struct str *list, uint32_t count, struct str s)
{
    for (uint32_t i = 0; i < count; i++) {
        if (str_eq(list[i], s))
            return true;
    }
    return false;
}

void read_list(struct reader *r, const struct rule *rule, const struct yaml *n, void *base,
               scalar_reader *one)
{
    if (!is_list(r, n))
        return;
    if (n->count > rule->most)
        return fault_limit(r, n, "entries here", rule->most);
    if (n->count < rule->least)
        return fault(r, n, "'%s' must name at least one", rule->key);
    struct str *list = arena_array(r->arena, struct str, n->count), s;
    uint32_t count = 0;
    for (const struct yaml *item = n->first; item != NULL; item = item->next) {
        if (!one(r, item, &s))
            continue;
        if (in_list(list, count, s))
            fault(r, item, "'%s' stands twice", shown_node(r, item));
        else
            list[count++] = s;
    }
    memcpy((char *)base + rule->at, &list, sizeof list);
    memcpy((char *)base + rule->count_at, &count, sizeof count);
}

static bool purpose_name(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    if (!scalar(r, n, ret_s))
        return false;
    add_ref(r, REF_PURPOSE, n, *ret_s);
    return true;
}

static bool destination_name(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    if (!scalar(r, n, ret_s))
        return false;
    add_ref(r, REF_DESTINATION, n, *ret_s);
    return true;
}

void read_lines(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    read_list(r, rule, n, base, scalar);
}

void read_purposes(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    read_list(r, rule, n, base, purpose_name);
}

void read_destinations(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    read_list(r, rule, n, base, destination_name);
}
