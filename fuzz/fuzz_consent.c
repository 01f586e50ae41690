/* Any bytes as the body of a consent, a subject or notices: refused in words, or
 * written, and then what was written can be read again. The first byte says which
 * verb, key and format; whose grant is whose is looked at, too. */
#include "codec/json.h"
#include "consent/world.h"

#include "target.h"

static struct world w;

static void check_answer(struct str json, struct arena *a)
{
    struct json_doc d;
    must(json_scan(json, a, &d, NULL) == OK);
}

static void check_refusal(enum err e)
{
    must(e == ERR_SYNTAX || e == ERR_VALUE || e == ERR_LIMIT || e == ERR_NOT_FOUND);
    must(e == ERR_NOT_FOUND || w.info.text[0] != 0);
}

static void a_consent(struct str body, unsigned how, struct arena *a)
{
    struct consent_request q = { .body = body,
                                 .format = how & 1 ? BODY_FORM : BODY_JSON,
                                 .source = how & 2 ? ACT_PRIVATE_KEY : ACT_PUBLIC_KEY,
                                 .device = how & 4 ? STR("device") : (struct str){ 0 },
                                 .subject_token_secret =
                                     how & 8 ? STR("0123456789abcdef") : (struct str){ 0 },
                                 .ip = STR("203.0.113.9"),
                                 .received_ms = w.now };
    struct consent_answer ans;
    enum err e = ledger_add_consent(w.ledger, w.policy, &q, a, &ans, &w.info);
    if (e != OK) {
        check_refusal(e);
        return;
    }
    char id[ID_TEXT + 1];
    struct str json;
    const struct snapshot *s;
    struct store_reader *own = store_own_reader(w.store);
    id_format(&ans.act, id);
    check_answer(ans.json, a);
    must(subject_id_ok(ans.subject));
    if (ans.counted) { /* of somebody who is not known: nothing was recorded */
        must(!(how & 6) && !ans.lowers && !ans.new_device);
        must(ledger_get_consent(own, str_of(id), a, &json) == ERR_NOT_FOUND);
        must(ledger_get_subject(own, ans.subject, a, &json) == ERR_NOT_FOUND);
        return;
    }
    must(ledger_get_consent(own, str_of(id), a, &json) == OK);
    check_answer(json, a);
    must(ledger_get_subject(own, ans.subject, a, &json) == OK);
    check_answer(json, a);
    must(ledger_snapshot_now(w.ledger, ans.subject, &s) == OK && s->seq > 0);
    bool hers = !(how & 4) || str_eq(ans.subject, STR("device"));
    for (uint32_t i = 0; i < s->count; i++) {
        must(ans.lowers || s->standing[i].grant);
        must(s->standing[i].grant || s->standing[i].version == 0);
        must(hers || (how & 2) || !s->standing[i].grant || !s->standing[i].confirmed);
    }
}

static void a_subject(struct str body, unsigned how, struct arena *a)
{
    struct subject_request q = { .body = body,
                                 .format = how & 1 ? BODY_FORM : BODY_JSON,
                                 .id = how & 2 ? STR("u") : (struct str){ 0 },
                                 .must_exist = how & 4,
                                 .received_ms = w.now };
    struct subject_answer answer;
    enum err e = ledger_put_subject(w.ledger, &q, a, &answer, &w.info);
    if (e != OK)
        check_refusal(e);
    else
        check_answer(answer.json, a);
}

static void some_notices(struct str body, unsigned how, struct arena *a)
{
    struct str json;
    enum err e = ledger_add_notices(w.ledger, body, how & 1 ? BODY_FORM : BODY_JSON, w.now, a,
                                    &json, &w.info);
    if (e != OK) {
        check_refusal(e);
        return;
    }
    check_answer(json, a);
    must(ledger_list_notices(store_own_reader(w.store), STR(""), STR(""), a, &json, &w.info) == OK);
    check_answer(json, a);
}

/* A query never breaks a list, whatever it says. */
static void a_query(struct str query, struct arena *a)
{
    struct str json;
    struct store_reader *own = store_own_reader(w.store);
    enum err e = ledger_list_consents(own, query, a, &json, &w.info);
    must(e == OK || e == ERR_VALUE);
    e = ledger_list_subjects(own, query, a, &json, &w.info);
    must(e == OK || e == ERR_VALUE);
    e = ledger_list_notices(own, STR(""), query, a, &json, &w.info);
    must(e == OK || e == ERR_VALUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (w.store == NULL)
        world_open(&w, false);
    if (n == 0)
        return 0;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str body = { (const char *)data + 1, n - 1 };
    unsigned verb = data[0] >> 4 & 3, how = data[0] & 15;
    w.info = (struct err_info){ 0 };
    world_begin(&w);
    switch (verb) {
    case 1: a_subject(body, how, &a); break;
    case 2: some_notices(body, how, &a); break;
    case 3: a_query(body, &a); break;
    default: a_consent(body, how, &a); break;
    }
    store_rollback(w.store);
    ledger_rolled_back(w.ledger);
    return 0;
}
