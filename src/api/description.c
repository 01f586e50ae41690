/* The description of all routes, and the page made of it. */
#include "api/embedded.h"
#include "api/route.h"

void description_get(struct request *r)
{
    answer_file(r, &embedded_description);
}

void docs_get(struct request *r)
{
    answer_file(r, &embedded_docs);
}
