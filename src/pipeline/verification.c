/* Double opt-in: asking again, and the link's answer. */
#include "pipeline/pipeline_priv.h"

enum err pipeline_ask_verification(struct pipeline *p, const struct verification_request *q,
                                   struct arena *a, struct waiter *w, struct str *ret_json,
                                   struct err_info *info)
{
    enum err e = group_open(p, info);
    if (e != OK)
        return e;
    e = ledger_ask_verification(p->ledger, p->newest->public.policy, q, a, ret_json, info);
    if (e == ERR_BUSY) /* its limit, not the store's */
        return e;
    e = group_settle(p, e, w, info);
    if (e == OK) {
        numbers_add(&p->numbers.letters_asked, 1);
        post_wake(p->post);
    }
    return e;
}

enum err pipeline_confirm(struct pipeline *p, const struct confirmation_request *q, struct arena *a,
                          struct waiter *w, struct confirmation_page *ret_page,
                          struct err_info *info)
{
    enum err e = group_open(p, info);
    if (e != OK)
        return e;
    e = group_settle(p, ledger_confirm(p->ledger, p->newest->public.policy, q, a, ret_page, info),
                     w, info);
    if (e != OK)
        return e;
    numbers_add(&p->numbers.confirmed, ret_page->confirmed);
    numbers_add(&p->numbers.acts, ret_page->confirmed);
    numbers_add(&p->numbers.disowned, ret_page->disowned);
    return OK;
}
