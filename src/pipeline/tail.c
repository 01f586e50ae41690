#include "pipeline/tail.h"
#include "base/buf.h"
#include "base/clock.h"
#include "codec/json.h"
#include "codec/time.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LINES = 4096, LINE = 4096, WATCHED_MS = 10000 };

struct tail {
    pthread_mutex_t lock;
    _Atomic int64_t asked_ms; /* monotonic */
    uint64_t end;             /* number of the newest line */
    struct buf line[LINES];
};

struct tail *tail_new(void)
{
    struct tail *t = must_alloc_zero(sizeof *t);
    must(pthread_mutex_init(&t->lock, NULL) == 0);
    atomic_store(&t->asked_ms, INT64_MIN / 2);
    for (int i = 0; i < LINES; i++)
        t->line[i].max = LINE;
    return t;
}

void tail_free(struct tail **t)
{
    if (*t == NULL)
        return;
    for (int i = 0; i < LINES; i++)
        buf_fini(&(*t)->line[i]);
    (void)pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

bool tail_watched(struct tail *t)
{
    return clock_mono_ms() - atomic_load(&t->asked_ms) < WATCHED_MS;
}

static void member(struct buf *b, const char *name, struct str value)
{
    if (value.n == 0)
        return;
    buf_printf(b, ",\"%s\":", name);
    json_write_string(b, value);
}

void tail_add(struct tail *t, const struct tail_line *line)
{
    char at[TIME_TEXT + 1];
    time_format(line->at_ms, at);
    must(pthread_mutex_lock(&t->lock) == 0);
    struct buf *b = &t->line[++t->end % LINES];
    buf_clear(b);
    buf_printf(b, "{\"at\":\"%s\"", at);
    member(b, "event_id", line->event_id);
    member(b, "message_id", line->message_id);
    member(b, "type", line->type);
    member(b, "name", line->name);
    member(b, "destination", line->destination);
    member(b, "stage", str_of(line->stage));
    member(b, "verdict", str_of(line->verdict));
    member(b, "reason", str_of(line->reason));
    member(b, "fields", line->fields);
    buf_lit(b, "}\n");
    if (b->over)
        buf_clear(b); /* a line that does not fit is no line */
    must(pthread_mutex_unlock(&t->lock) == 0);
}

struct str tail_read(struct tail *t, uint64_t after, struct arena *a, uint64_t *ret_last)
{
    atomic_store(&t->asked_ms, clock_mono_ms());
    AUTO(buf_fini) struct buf all = BUF_INIT((size_t)LINES * LINE);
    must(pthread_mutex_lock(&t->lock) == 0);
    uint64_t oldest = t->end > LINES ? t->end - LINES + 1 : 1;
    for (uint64_t i = after >= oldest - 1 ? after + 1 : oldest; after != UINT64_MAX && i <= t->end;
         i++)
        buf_str(&all, buf_view(&t->line[i % LINES]));
    *ret_last = t->end;
    must(pthread_mutex_unlock(&t->lock) == 0);
    return arena_str(a, buf_view(&all));
}
