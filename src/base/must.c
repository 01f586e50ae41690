#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void must_failed(const char *cond, const char *file, int line)
{
    (void)fprintf(stderr, "licet: bug: %s is false at %s:%d\n", cond, file, line);
    abort();
}

void *must_alloc(unsigned long n)
{
    void *p = malloc(n ? n : 1);
    must(p != NULL);
    return p;
}

void *must_alloc_zero(unsigned long n)
{
    void *p = calloc(1, n ? n : 1);
    must(p != NULL);
    return p;
}

void *must_realloc(void *old, unsigned long n)
{
    void *p = realloc(old, n ? n : 1);
    must(p != NULL);
    return p;
}

void free_ptr(void *pointer_to_pointer)
{
    void **p = pointer_to_pointer;
    free(*p);
    *p = NULL;
}

void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* nothing could be done about a failure here */
    *fd = -1;
}
