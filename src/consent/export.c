#include "consent/ledger_priv.h"

#include "base/limits.h"

struct exporting {
    struct store_reader *r;
    struct buf line;
    struct arena a;
    enum err (*each)(void *ctx, struct str json);
    void *ctx;
};

/* One line is one record: what was sent with line ends between its values has spaces there. */
static enum err give(struct exporting *x)
{
    if (x->line.over)
        return ERR_LIMIT;
    for (size_t i = 0; i < x->line.n; i++) {
        if (x->line.p[i] == '\n' || x->line.p[i] == '\r') /* never within a string */
            x->line.p[i] = ' ';
    }
    enum err e = x->each(x->ctx, buf_view(&x->line));
    buf_clear(&x->line);
    arena_clear(&x->a);
    return e;
}

/* The fact's own bytes: all that was said, and (`effects`) what was made of it. */
static enum err one_act(void *ctx, const struct act_found *act)
{
    struct exporting *x = ctx;
    if (act->payload.n == 0) /* erased */
        return OK;
    buf_str(&x->line, act->payload);
    return give(x);
}

static enum err one_subject(void *ctx, const struct subject_row *row)
{
    struct exporting *x = ctx;
    subject_write_line(row, &x->a, &x->line);
    return give(x);
}

static enum err one_notice(void *ctx, const struct notice_row *row)
{
    struct exporting *x = ctx;
    enum err e = notice_write_line(x->r, row, &x->a, &x->line);
    return e == OK ? give(x) : e;
}

enum err ledger_export(struct store_reader *r, struct str kind, int64_t from_ms, int64_t to_ms,
                       enum err (*line)(void *ctx, struct str json), void *ctx)
{
    struct exporting x = {
        .r = r, .line = BUF_INIT(4 * LIMIT_CONSENT_BODY), .each = line, .ctx = ctx
    };
    enum err e = ERR_VALUE;
    if (str_eq(kind, STR("consents")))
        e = store_each_act(r, from_ms, to_ms, one_act, &x);
    else if (str_eq(kind, STR("subjects")))
        e = store_each_subject(r, from_ms, to_ms, one_subject, &x);
    else if (str_eq(kind, STR("notices")))
        e = store_each_notice(r, from_ms, to_ms, one_notice, &x);
    buf_fini(&x.line);
    arena_fini(&x.a);
    return e;
}
