/* What changes the rules or the records of many people at once: voidings and imports. */
#include "pipeline/pipeline_priv.h"

#include "base/clock.h"
#include "base/log.h"

struct voiding {
    struct str body;
    struct arena *a;
    struct void_answer answer;
};

static enum err write_void(struct pipeline *p, void *ctx, struct err_info *info)
{
    struct voiding *v = ctx;
    return ledger_void(p->ledger, p->newest->public.policy, v->body, clock_now_ms(), v->a,
                       &v->answer, info);
}

enum err pipeline_void(struct pipeline *p, struct str body, struct arena *a, struct waiter *w,
                       struct str *ret_json, struct err_info *info)
{
    struct voiding v = { .body = body, .a = a };
    enum err e = generation_renew(p, write_void, &v, info);
    if (e != OK)
        return e;
    log_write(LOG_WARNING, "text.voided", LOG_S("purpose", v.answer.purpose),
              LOG_N("version", v.answer.version),
              LOG_N("generation", p->newest->public.policy->generation));
    waiter_await_all(p, w);
    deliver_wake(p->deliver); /* what waits is dropped */
    *ret_json = v.answer.json;
    return OK;
}

enum err pipeline_import(struct pipeline *p, const struct import_request *q, struct arena *a,
                         struct waiter *w, struct str *ret_json, struct err_info *info)
{
    struct import_answer ans;
    enum err e = q->dry_run ? OK : group_open(p, info);
    if (e == OK)
        e = ledger_import(p->ledger, p->newest->public.policy, q, a, &ans, info);
    if (e != OK) {
        if (!q->dry_run && (e == ERR_IO || e == ERR_FULL || e == ERR_CORRUPT || e == ERR_BUSY))
            group_fail(p, e, info);
        return e;
    }
    numbers_add(&p->numbers.imported, ans.accepted);
    w->lowers_all = ans.lowers;
    if (p->open)
        group_join(p, w);
    else
        w->done = true;
    *ret_json = ans.json;
    return OK;
}
