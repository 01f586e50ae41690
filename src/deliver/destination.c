#include "deliver/destination.h"
#include "deliver/destination_priv.h"

static const struct destination *const destinations[] = {
    &destination_ga4,
    &destination_webhook,
};

const struct destination *destination_find(struct str type)
{
    for (size_t i = 0; i < COUNT(destinations); i++)
        if (str_eq(type, str_of(destinations[i]->type)))
            return destinations[i];
    return NULL;
}
