/* Legal notices that are watched: what is pending, and somebody's word. */
#include "api/route.h"

#include "base/clock.h"

static const char *looked(void *ctx, struct str identifier, int64_t *ret_at_ms)
{
    return watch_outcome(ctx, identifier, ret_at_ms);
}

enum err notice_watched(struct request *r, struct store_reader *reader, struct str *ret_json,
                        struct err_info *info)
{
    (void)info;
    return ledger_watched_notices(reader, r->generation->conf, clock_now_ms(), looked,
                                  pipeline_watch(request_pipeline(r)), &r->arena, ret_json);
}

enum err notice_pending(struct request *r, struct store_reader *reader, struct str *ret_json,
                        struct err_info *info)
{
    (void)info;
    struct str rest = r->parameter, identifier; /* "IDENTIFIER/pending" */
    return str_next(&rest, '/', &identifier)
               ? ledger_pending_notice(reader, identifier, &r->arena, ret_json)
               : ERR_NOT_FOUND;
}

void notice_confirm(struct request *r)
{
    struct err_info info = { 0 };
    enum err e = pipeline_confirm_notice(request_pipeline(r), request_parameter(r, "identifier"),
                                         request_parameter(r, "sha256"), &r->arena, &r->waiter,
                                         &r->saved, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->then = answer_saved;
}
