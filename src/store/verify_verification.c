/* Letters that ask for a confirmation, and how they ended. */
#include "store/verify_priv.h"

#include "codec/json.h"
#include "codec/time.h"

/* What is shown as the proof says the same as what the link is found by. */
static bool payload_agrees(struct verify *v, const struct fact_read *f,
                           const struct verification *n)
{
    struct json_doc d;
    struct str id, subject, until;
    char id_text[ID_TEXT + 1], until_text[TIME_TEXT + 1];
    if (json_scan(f->payload, &v->a, &d, NULL) != OK)
        return false;
    id_format(&n->id, id_text);
    time_format(n->until_ms, until_text);
    return json_string(&d, json_get(&d, JSON_ROOT, STR("id")), &v->a, &id) &&
           str_eq(id, str_of(id_text)) &&
           json_string(&d, json_get(&d, JSON_ROOT, STR("subject")), &v->a, &subject) &&
           str_eq(subject, n->subject) &&
           json_string(&d, json_get(&d, JSON_ROOT, STR("until")), &v->a, &until) &&
           str_eq(until, str_of(until_text));
}

enum err verify_verification(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct verification n;
    int64_t there;
    *ret_ok = columns_read_verification(f->columns, &n);
    if (!*ret_ok)
        return OK;
    v->verifications++;
    enum err e = NUMBER(v->c,
                        "SELECT count(*) FROM verification v JOIN subject s ON s.no = v.subject"
                        " WHERE v.seq = ? AND v.id = ? AND v.token = ? AND v.address = ?"
                        " AND v.subject = ? AND s.id = ? AND v.at_ms = ? AND v.until_ms = ?",
                        0, &there, INT(f->seq), BYTES(n.id.b, sizeof n.id.b),
                        BYTES(n.token, sizeof n.token), BYTES(n.address, sizeof n.address),
                        INT(f->subject), TEXT(n.subject), INT(n.at_ms), INT(n.until_ms));
    if (e == OK && there == 0)
        verify_fault(v, "fact %lld: its verification does not agree with it", (long long)f->seq);
    if (e == OK && !payload_agrees(v, f, &n))
        verify_fault(v, "fact %lld: its payload has another verification", (long long)f->seq);
    return e;
}

enum err verify_verification_end(struct verify *v, const struct fact_read *f, bool *ret_ok)
{
    struct verification_end n;
    int64_t there;
    *ret_ok = columns_read_verification_end(f->columns, &n);
    if (!*ret_ok)
        return OK;
    v->verifications_ended++;
    enum err e = NUMBER(v->c,
                        "SELECT count(*) FROM verification v JOIN subject s ON s.no = v.subject"
                        " WHERE v.ended = ? AND v.id = ?"
                        " AND v.subject = ? AND s.id = ? AND v.outcome = ? AND v.ended_ms = ?"
                        " AND v.seq < ?1",
                        0, &there, INT(f->seq), BYTES(n.id.b, sizeof n.id.b), INT(f->subject),
                        TEXT(n.subject), INT(n.outcome), INT(n.at_ms));
    if (e == OK && there == 0)
        verify_fault(v, "fact %lld: the verification that it ends does not say so",
                     (long long)f->seq);
    return e;
}
