/* Findings: their rows, and the versions that they became. */
#include "store/verify_priv.h"

#include "codec/json.h"
#include "store/finding.h"

enum err verify_finding(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct finding n;
    int64_t there;
    *ret_ok = columns_read_finding(f->columns, &n);
    if (!*ret_ok)
        return OK;
    v->findings++;
    enum err e =
        NUMBER(v->c, "SELECT count(*) FROM finding WHERE seq = ? AND identifier = ? AND hash = ?",
               0, &there, INT(f->seq), TEXT(n.identifier), BYTES(n.hash, sizeof n.hash));
    if (e == OK && there == 0)
        verify_fault(v, "fact %lld: its finding does not agree with it", (long long)f->seq);
    return e;
}

/* A notice whose payload says which finding it was is what that finding became. */
enum err verify_confirmed(struct verify *v, const struct fact_read *f, uint32_t version)
{
    static const struct str member = STR_INIT("\"finding\"");
    struct json_doc d;
    int64_t finding, there;
    if (f->payload.n == 0 || memmem(f->payload.p, f->payload.n, member.p, member.n) == NULL ||
        json_scan(f->payload, &v->a, &d, NULL) != OK ||
        !verify_number(json_raw(&d, json_get(&d, JSON_ROOT, STR("finding"))), &finding))
        return OK;
    v->confirmed++;
    enum err e = NUMBER(v->c, "SELECT count(*) FROM finding WHERE seq = ? AND version = ?", 0,
                        &there, INT(finding), INT(version));
    if (e == OK && there == 0)
        verify_fault(v, "fact %lld: the finding that it confirms does not say so",
                     (long long)f->seq);
    return e;
}
