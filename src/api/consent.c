/* The consent database: docs/api.md. */
#include "api/address.h"
#include "api/limit.h"
#include "api/route.h"

#include "base/clock.h"
#include "codec/text.h"
#include "pipeline/explain.h"

enum { DEVICE_COOKIE_S = 400 * 24 * 3600 }; /* browsers keep no cookie longer */

static struct consent_request request_of(struct request *r, enum act_source source)
{
    return (struct consent_request){ .body = buf_view(&r->body),
                                     .format = request_format(r),
                                     .source = source,
                                     .ip = r->ip,
                                     .idempotency_key = r->header.idempotency_key,
                                     .received_ms = r->received_ms };
}

/* The private key learns what had left when a consent was withdrawn. */
static void withdrawal_known(struct request *r)
{
    must(r->saved.n > 1 && r->saved.p[r->saved.n - 1] == '}');
    answer_json(r, 200,
                arena_printf(&r->arena, "%.*s,\"withdrawal\":%.*s}", (int)r->saved.n - 1,
                             r->saved.p, STR_ARG(r->looked)));
}

static enum err look_withdrawal(struct request *r, struct store_reader *reader,
                                struct str *ret_json, struct err_info *info)
{
    (void)info;
    return explain_withdrawal(reader, r->generation->policy, r->waiter.lowers, &r->arena, ret_json);
}

static void withdrawn(struct request *r)
{
    r->look = look_withdrawal;
    r->then = withdrawal_known;
    request_look(r);
}

void consent_post(struct request *r)
{
    struct consent_request q = request_of(r, ACT_PRIVATE_KEY);
    struct consent_answer a;
    struct err_info info = { 0 };
    enum err e = pipeline_consent(request_pipeline(r), &q, &r->arena, &r->waiter, &a, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->saved = a.json;
    r->then = a.lowers ? withdrawn : answer_saved;
}

/* ---- from browsers ---- */

/* Who holds a device token does not stand in the queue with the strangers who share the public key, so
 * that a flood of theirs keeps nobody from withdrawing. */
static bool within_limits(struct request *r, struct str device)
{
    const struct conf *c = request_conf(r);
    struct str key = { (const char *)&r->source, sizeof r->source };
    if (!request_take_address(r, LIMIT_ADDRESS))
        return false;
    if (device.n != 0)
        return request_take(r, LIMIT_SUBJECT,
                            arena_printf(&r->arena, "device %.*s", STR_ARG(device)),
                            c->limits.subject_per_hour, 3600000);
    struct str subject = request_body_text(r, "subject.id", "subject[id]");
    return request_take(r, LIMIT_KEY, key, c->limits.public_per_second, 1000) &&
           request_take(r, LIMIT_KEY_HOUR, key, c->limits.public_per_hour, 3600000) &&
           (subject.n == 0 ||
            request_take(r, LIMIT_SUBJECT, subject, c->limits.subject_per_hour, 3600000));
}

/* How many letters strangers may cause: looked at before, taken once one was. */
struct letter_limit {
    enum limit_kind kind;
    struct str who;
    uint32_t per;
};
enum { HOUR_MS = 3600000, LETTER_LIMITS = 2 };

static void letter_limits(struct request *r, uint64_t *group,
                          struct letter_limit ret_l[LETTER_LIMITS])
{
    const struct conf_limits *c = &request_conf(r)->limits;
    *group = address_group(r->ip);
    ret_l[0] = (struct letter_limit){ LIMIT_LETTERS,
                                      { (const char *)group, sizeof *group },
                                      c->letters_per_address_per_hour };
    ret_l[1] = (struct letter_limit){ LIMIT_LETTERS_OF_ALL, STR("all"), c->letters_per_hour };
}

static bool may_cause_letter(struct request *r)
{
    struct letter_limit l[LETTER_LIMITS];
    uint64_t group;
    bool may = true;
    letter_limits(r, &group, l);
    for (int i = 0; i < LETTER_LIMITS; i++)
        may = may && limiter_has(request_limiter(r), l[i].kind, l[i].who, l[i].per, HOUR_MS,
                                 clock_mono_ms());
    return may;
}

static void caused_letter(struct request *r)
{
    struct letter_limit l[LETTER_LIMITS];
    uint64_t group;
    uint32_t wait;
    letter_limits(r, &group, l);
    for (int i = 0; i < LETTER_LIMITS; i++)
        (void)limiter_take(request_limiter(r), l[i].kind, l[i].who, l[i].per, HOUR_MS, 1,
                           clock_mono_ms(), &wait); /* it was there a moment ago */
}

static void hand_out_token(struct request *r, struct str subject)
{
    uint8_t secret[32];
    pipeline_secret(request_pipeline(r), SECRET_DEVICE_TOKEN, secret);
    struct str token = device_token_make(secret, subject, &r->arena);
    struct url u = url_split(request_conf(r)->public_url);
    bool https = str_eq_nocase(u.scheme, STR("https")) || request_is_https(r);
    r->answer.device_token = token;
    r->answer.cookie =
        arena_printf(&r->arena, "licet_device=%.*s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
                     STR_ARG(token), DEVICE_COOKIE_S, https ? "; Secure" : "");
}

void consent_post_public(struct request *r)
{
    struct str device = request_device(r);
    if (r->access == ACCESS_PUBLIC && !within_limits(r, device))
        return;
    struct consent_request q = request_of(r, ACT_PUBLIC_KEY);
    q.device = device;
    q.accept_language = r->header.accept_language;
    q.letter = may_cause_letter(r);
    switch (request_conf(r)->consent_addresses) {
    case CONF_ADDRESS_TRUNCATED: break;
    case CONF_ADDRESS_FULL: q.whole_ip = true; break;
    case CONF_ADDRESS_NONE: q.ip = (struct str){ 0 }; break;
    }
    struct consent_answer a;
    struct err_info info = { 0 };
    enum err e = pipeline_consent(request_pipeline(r), &q, &r->arena, &r->waiter, &a, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    if (a.letter)
        caused_letter(r);
    if (a.new_device)
        hand_out_token(r, a.subject);
    r->saved = a.json;
    r->then = answer_saved;
}

/* ---- reading ---- */

enum err consent_get(struct request *r, struct store_reader *reader, struct str *ret_json,
                     struct err_info *info)
{
    (void)info;
    return ledger_get_consent(reader, r->parameter, &r->arena, ret_json);
}

enum err consent_list(struct request *r, struct store_reader *reader, struct str *ret_json,
                      struct err_info *info)
{
    return ledger_list_consents(reader, r->target.query, &r->arena, ret_json, info);
}

enum err subject_get(struct request *r, struct store_reader *reader, struct str *ret_json,
                     struct err_info *info)
{
    (void)info;
    return ledger_get_subject(reader, r->parameter, &r->arena, ret_json);
}

/* /subjects/ID/consent/last: the newest act, whatever it said. */
enum err subject_last_consent(struct request *r, struct store_reader *reader, struct str *ret_json,
                              struct err_info *info)
{
    (void)info;
    struct str rest = r->parameter, id;
    if (!str_next(&rest, '/', &id))
        return ERR_NOT_FOUND;
    struct act_filter f = { .subject = id, .source = -1, .limit = 1 };
    struct act_found *act;
    uint32_t count;
    enum err e = store_list_acts(reader, &f, &r->arena, &act, &count);
    if (e != OK || count == 0)
        return e != OK ? e : ERR_NOT_FOUND;
    char text[ID_TEXT + 1];
    id_format(&act->id, text);
    return ledger_get_consent(reader, str_of(text), &r->arena, ret_json);
}

enum err subject_list(struct request *r, struct store_reader *reader, struct str *ret_json,
                      struct err_info *info)
{
    return ledger_list_subjects(reader, r->target.query, &r->arena, ret_json, info);
}

enum err notice_list(struct request *r, struct store_reader *reader, struct str *ret_json,
                     struct err_info *info)
{
    return ledger_list_notices(reader, (struct str){ 0 }, r->target.query, &r->arena, ret_json,
                               info);
}

enum err notice_get(struct request *r, struct store_reader *reader, struct str *ret_json,
                    struct err_info *info)
{
    return ledger_list_notices(reader, r->parameter, r->target.query, &r->arena, ret_json, info);
}

enum err permissions_get(struct request *r, struct store_reader *reader, struct str *ret_json,
                         struct err_info *info)
{
    (void)info;
    return ledger_permissions(pipeline_ledger(request_pipeline(r)), reader, r->generation->policy,
                              r->parameter, clock_now_ms(), &r->arena, ret_json);
}

/* ---- subjects and notices ---- */

static void put_subject(struct request *r, const struct subject_request *q)
{
    struct err_info info = { 0 };
    enum err e = pipeline_subject(request_pipeline(r), q, &r->arena, &r->waiter, &r->saved, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->then = answer_saved;
}

void subject_post(struct request *r)
{
    struct subject_request q = { .body = buf_view(&r->body),
                                 .format = request_format(r),
                                 .received_ms = r->received_ms };
    put_subject(r, &q);
}

void subject_change(struct request *r)
{
    struct subject_request q = { .body = buf_view(&r->body),
                                 .format = request_format(r),
                                 .id = r->parameter,
                                 .must_exist = true,
                                 .received_ms = r->received_ms };
    put_subject(r, &q);
}

void notice_post(struct request *r)
{
    struct err_info info = { 0 };
    enum err e = pipeline_notices(request_pipeline(r), buf_view(&r->body), request_format(r),
                                  &r->arena, &r->waiter, &r->saved, &info);
    if (e != OK) {
        answer_error(r, e, &info);
        return;
    }
    r->then = answer_saved;
}
