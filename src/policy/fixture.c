#include "policy/fixture.h"

#include <stdarg.h>

const struct policy *fixture_compile(const struct conf *c, const struct frozen *before,
                                     struct arena *a, struct frozen *ret_frozen)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(1u << 16);
    const struct frozen empty = { 0 };
    struct policy_news news;
    const struct policy *p;
    before = before ? before : &empty;
    must(policy_compare(c, before, a, &news, &reports) == OK);
    policy_freeze(before, &news, a, ret_frozen);
    must(policy_compile(c, ret_frozen, 1, a, &p, &reports) == OK);
    must(reports.n == 0);
    return p;
}

struct str *fixture_names(struct arena *a, uint32_t *ret_count, ...)
{
    struct str *names = arena_array(a, struct str, LIMIT_PURPOSES);
    va_list args;
    va_start(args, ret_count);
    *ret_count = 0;
    for (const char *s; (s = va_arg(args, const char *)) != NULL;)
        names[(*ret_count)++] = str_of(s);
    va_end(args);
    return names;
}

struct conf_text fixture_text(const char *language, const char *says)
{
    struct conf_text t = { .language = str_of(language) };
    for (int i = 0; i < CONF_TEXT_PARTS; i++)
        t.part[i] = str_of(says);
    return t;
}

struct snapshot *fixture_snapshot(struct arena *a, uint32_t flags, uint32_t count,
                                  const struct standing *standing)
{
    struct snapshot *s = arena_alloc(a, sizeof(*s) + count * sizeof(*standing));
    s->flags = flags;
    s->count = count;
    for (uint32_t i = 0; i < count; i++) {
        s->standing[i] = standing[i];
        if (standing[i].last_seq > s->seq)
            s->seq = standing[i].last_seq;
    }
    return s;
}
