/* Purposes and who holds their versions, voidings, imports. */
#include "api/route.h"

#include "base/clock.h"
#include "pipeline/report.h"

enum err purpose_list(struct request *r, struct store_reader *reader, struct str *ret_json,
                      struct err_info *info)
{
    (void)info;
    return ledger_purposes(reader, r->generation->policy, clock_now_ms(), &r->arena, ret_json);
}

enum err purpose_coverage(struct request *r, struct store_reader *reader, struct str *ret_json,
                          struct err_info *info)
{
    (void)info;
    return ledger_coverage(reader, r->generation->policy, r->parameter, clock_now_ms(), &r->arena,
                           ret_json);
}

/* ---- voidings ---- */

void void_post(struct request *r)
{
    struct err_info info = { 0 };
    enum err e = pipeline_void(request_pipeline(r), buf_view(&r->body), &r->arena, &r->waiter,
                               &r->saved, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->then = answer_saved;
}

static bool number_of(struct request *r, const char *name, unsigned long long most,
                      unsigned long long *ret_n)
{
    struct str text = request_parameter(r, name);
    *ret_n = 0;
    return text.n == 0 || (str_to_u64(text, ret_n) && *ret_n <= most);
}

/* ?purpose=ID&version=N[&after=NUMBER]; without a purpose, which versions are void. */
enum err voided_report(struct request *r, struct store_reader *reader, struct str *ret_json,
                       struct err_info *info)
{
    const struct policy *p = r->generation->policy;
    struct str purpose = request_parameter(r, "purpose");
    unsigned long long version, after;
    if (purpose.n == 0)
        return report_voids(p, &r->arena, ret_json);
    if (!number_of(r, "version", UINT32_MAX, &version))
        return err_set(info, ERR_VALUE, "version", "must be a number from 1");
    if (!number_of(r, "after", INT64_MAX, &after))
        return err_set(info, ERR_VALUE, "after", "must be what the last page gave as next");
    return report_voided(reader, p, purpose, (uint32_t)version, (int64_t)after, &r->arena, ret_json,
                         info);
}

/* ---- imports ---- */

/* ?id=IMPORT&kind=consents|subjects|notices[&dry_run=1] */
void import_post(struct request *r)
{
    struct import_request q = { .id = request_parameter(r, "id"),
                                .kind = request_parameter(r, "kind"),
                                .dry_run = request_parameter(r, "dry_run").n != 0,
                                .body = buf_view(&r->body),
                                .received_ms = r->received_ms,
                                .until_mono_ms = clock_mono_ms() + LIMIT_IMPORT_MS };
    struct err_info info = { 0 };
    enum err e = pipeline_import(request_pipeline(r), &q, &r->arena, &r->waiter, &r->saved, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->then = answer_saved;
}

enum err import_get(struct request *r, struct store_reader *reader, struct str *ret_json,
                    struct err_info *info)
{
    (void)info;
    return ledger_get_import(reader, r->parameter, &r->arena, ret_json);
}

/* /v1/imports/ID/refused?after=LINE */
enum err import_refused(struct request *r, struct store_reader *reader, struct str *ret_json,
                        struct err_info *info)
{
    struct str rest = r->parameter, id;
    unsigned long long after;
    if (!str_next(&rest, '/', &id))
        return ERR_NOT_FOUND;
    if (!number_of(r, "after", INT64_MAX, &after))
        return err_set(info, ERR_VALUE, "after", "must be a line");
    return ledger_list_refused(reader, id, (int64_t)after, &r->arena, ret_json);
}
