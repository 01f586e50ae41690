/* What a person sees of her own consents: short-lived read tokens, and the state that they open. */
#include "api/route.h"

#include "base/clock.h"
#include "codec/json.h"
#include "codec/json_write.h"
#include "consent/read_token.h"

enum { LIFE_S = 600, MOST_S = LIMIT_READ_TOKEN_MS / 1000 };

/* ---- issuing ---- */

/* The seconds that were asked for, or else LIFE_S. ERR_VALUE when they are none. */
static enum err read_life(struct request *r, uint32_t *ret_life_s, struct err_info *info)
{
    struct json_doc d;
    struct str said = request_body_text(r, "expires_in", "expires_in");
    unsigned long long seconds = LIFE_S;
    bool is_said = said.n > 0;
    if (r->body.n > 0 && request_format(r) == BODY_JSON) { /* then it may be anything */
        enum err e = json_scan(buf_view(&r->body), &r->arena, &d, NULL);
        if (e != OK)
            return err_set(info, e, "body", "is no JSON");
        is_said = json_get(&d, JSON_ROOT, STR("expires_in")) != 0;
    }
    if (is_said && (!str_to_u64(said, &seconds) || seconds < 1 || seconds > MOST_S))
        return err_set(info, ERR_VALUE, "expires_in", "must be a number of seconds, 1 to %d",
                       MOST_S);
    *ret_life_s = (uint32_t)seconds;
    return OK;
}

/* False: it was answered. */
static bool life_of(struct request *r, uint32_t *ret_life_s)
{
    struct err_info info = { 0 };
    enum err e = read_life(r, ret_life_s, &info);
    if (e != OK)
        answer_error(r, e, &info);
    return e == OK;
}

/* Whether anything is known of the subject is not even looked at. */
static void issue(struct request *r, struct str subject, uint32_t life_s)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(4096);
    uint8_t secret[32];
    int64_t expires_ms = clock_now_ms() + 1000LL * life_s;
    struct str json;
    pipeline_secret(request_pipeline(r), SECRET_DEVICE_TOKEN, secret);
    buf_byte(&b, '{');
    write_text(&b, "read_token", read_token_make(secret, subject, expires_ms, &r->arena));
    write_number(&b, "expires_in", life_s);
    write_time(&b, "expires", expires_ms);
    buf_byte(&b, '}');
    enum err e = write_done(&b, &r->arena, &json);
    if (e == OK)
        answer_json(r, 200, json);
    else
        answer_error(r, e, NULL);
}

/* POST /public/read_token */
void read_token_public(struct request *r)
{
    uint32_t life_s;
    bool vouched;
    if (!request_take_address(r, LIMIT_STATES) || !life_of(r, &life_s))
        return;
    struct str subject = request_herself(r, &vouched);
    if (subject.n == 0)
        answer_message(r, 401, "no valid device token and no valid subject token came along");
    else if (request_take_subject(r, LIMIT_STATES, subject))
        issue(r, subject, life_s);
}

/* POST /subjects/ID/read_token: the operator's server vouches for whom it likes. */
void read_token_of_subject(struct request *r)
{
    uint32_t life_s;
    struct err_info info = { 0 };
    if (!subject_id_ok(r->parameter)) {
        (void)err_set(&info, ERR_VALUE, "id", "is no id of one subject");
        answer_error(r, ERR_VALUE, &info);
    } else if (life_of(r, &life_s)) {
        issue(r, r->parameter, life_s);
    }
}

/* ---- reading ---- */

static enum err look_at_state(struct request *r, struct store_reader *reader, struct str *ret_json,
                              struct err_info *info)
{
    (void)info;
    return ledger_state(pipeline_ledger(request_pipeline(r)), reader, r->generation->policy,
                        r->saved, clock_now_ms(), &r->arena, ret_json);
}

/* GET /public/state */
void state_public(struct request *r)
{
    uint8_t secret[32];
    struct str subject;
    int64_t expires_ms;
    if (!request_take_address(r, LIMIT_STATES))
        return;
    pipeline_secret(request_pipeline(r), SECRET_DEVICE_TOKEN, secret);
    if (!read_token_check(secret, r->header.read_token, clock_now_ms(), &r->arena, &subject,
                          &expires_ms)) {
        answer_message(r, 401, "the read token is missing, over or not valid: ask for a new one");
        return;
    }
    if (!request_take_subject(r, LIMIT_STATES, subject))
        return;
    r->saved = subject;
    r->look = look_at_state;
    request_look(r);
}
