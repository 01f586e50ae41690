#include "deliver/probe.h"

#include "base/clock.h"
#include "deliver/destination.h"
#include "deliver/wire_probe.h"

/* What a stranger's server says goes to a terminal. */
static void add_harmless(struct buf *to, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool control = (c < ' ' && c != '\n') || c == 0x7f ||
                       (c == 0xc2 && i + 1 < text.n && (unsigned char)text.p[i + 1] < 0xa0);
        buf_byte(to, control ? '?' : (char)c);
        i += control && c == 0xc2;
    }
}

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
    add_harmless(says, buf_view(&found));
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
