#include "deliver/probe.h"

#include "base/clock.h"
#include "codec/text.h"
#include "deliver/destination.h"
#include "deliver/wire_probe.h"

static enum err ask(const struct destination *t, const struct conf_destination *d, struct arena *a,
                    struct buf *says)
{
    struct outgoing_request q;
    struct wire_answer answer;
    enum err err = t->ask(d, clock_now_ms(), a, &q);
    if (err != OK)
        return err;
    err = wire_probe(d, q.url, &q, a, &answer);
    buf_fini(&q.body);
    AUTO(buf_fini) struct buf found = BUF_INIT(LIMIT_ANSWER);
    if (err != OK)
        buf_printf(&found, "%s\n", answer.why);
    else
        t->complaints(answer.status, answer.body, a, &found);
    text_harmless(says, buf_view(&found), true); /* a stranger's, for a terminal */
    return err != OK ? err : found.n > 0 || found.over ? ERR_VALUE : OK;
}

enum err probe(const struct conf_destination *d, struct buf *says)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    const struct destination *t = destination_find(d->type);
    if (t == NULL)
        return ERR_NOT_FOUND;
    if (t->ask != NULL)
        return ask(t, d, &a, says);
    struct wire_answer answer;
    enum err err = wire_probe(d, d->endpoint, NULL, &a, &answer);
    if (err != OK)
        buf_printf(says, "%s\n", answer.why);
    return err;
}
