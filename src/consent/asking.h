/* consent/asking.h - one world, what is asked of its ledger, and what it answers:
 * for tests only. Every test opens a world and has its store verified at the end.
 */
#ifndef CONSENT_ASKING_H
#define CONSENT_ASKING_H

#include "consent/world.h"

#include "codec/json.h"
#include "policy/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static struct world w;

static inline int open_world(void **state)
{
    (void)state;
    world_open(&w, false);
    return 0;
}

static inline void fault(void *context, const char *what)
{
    (void)context;
    fprintf(stderr, "verify: %s\n", what);
}

/* Whatever a test did: the store agrees with its chain afterwards. */
static inline int close_world(void **state)
{
    (void)state;
    struct verify_result result = { 0 };
    enum err e = store_verify(w.reader, fault, NULL, &result, NULL);
    world_close(&w);
    return e == OK && result.faults == 0 && result.facts > 0 ? 0 : -1;
}

/* ---- asking and reading ---- */

#define PROOF "\"proofs\":[{\"form\":\"<form>\"}]"

static inline struct str text(const char *format, ...) PRINTF_LIKE(1, 2);
static inline struct str text(const char *format, ...)
{
    char to[8192];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(to, sizeof to, format, args);
    va_end(args);
    assert_in_range(n, 0, sizeof to - 1);
    return arena_str(&w.arena, (struct str){ to, (size_t)n });
}

static inline enum err send(const struct consent_request *q, struct consent_answer *ret_answer)
{
    struct consent_request full = *q;
    if (full.received_ms == 0)
        full.received_ms = w.now;
    w.info = (struct err_info){ 0 };
    world_begin(&w);
    enum err e = ledger_add_consent(w.ledger, w.policy, &full, &w.arena, ret_answer, &w.info);
    world_commit(&w); /* a refused body leaves a group that can be committed */
    return e;
}

static inline struct consent_answer sent(const struct consent_request *q)
{
    struct consent_answer ans = { 0 };
    if (send(q, &ans) != OK)
        fail_msg("%.*s: %s: %s", STR_ARG(q->body), w.info.field, w.info.text);
    return ans;
}

static inline struct consent_answer private(struct str json)
{
    return sent(&(struct consent_request){ .body = json, .source = ACT_PRIVATE_KEY });
}

static inline struct consent_answer public(struct str json)
{
    return sent(&(struct consent_request){ .body = json, .source = ACT_PUBLIC_KEY });
}

static inline struct consent_answer from_device(struct str json, struct str device)
{
    return sent(
        &(struct consent_request){ .body = json, .source = ACT_PUBLIC_KEY, .device = device });
}

static bool last_lowers; /* what put() was told last */

static inline enum err put(const char *id, const char *body, bool must_exist, struct str *ret_json)
{
    struct subject_request q = {
        .body = str_of(body), .id = str_of(id), .must_exist = must_exist, .received_ms = w.now
    };
    w.info = (struct err_info){ 0 };
    struct subject_answer ans = { 0 };
    world_begin(&w);
    enum err e = ledger_put_subject(w.ledger, &q, &w.arena, &ans, &w.info);
    world_commit(&w);
    if (e == OK)
        *ret_json = ans.json;
    last_lowers = e == OK && ans.lowers;
    return e;
}

/* The JSON text at a dotted path; "" when there is nothing. */
static inline const char *at(struct str json, const char *path)
{
    struct json_doc d;
    if (json_scan(json, &w.arena, &d, NULL) != OK)
        fail_msg("no JSON: %.*s", STR_ARG(json));
    return arena_str(&w.arena, json_raw(&d, json_find(&d, JSON_ROOT, str_of(path)))).p;
}

/* The same of the item of an array. */
static inline struct str item(struct str json, uint32_t index)
{
    struct json_doc d;
    assert_int_equal(json_scan(json, &w.arena, &d, NULL), OK);
    uint32_t i = json_first(&d, JSON_ROOT);
    while (i && index--)
        i = json_next(&d, JSON_ROOT, i);
    return json_raw(&d, i);
}

static inline uint32_t items(struct str json)
{
    struct json_doc d;
    assert_int_equal(json_scan(json, &w.arena, &d, NULL), OK);
    assert_int_equal(json_type(&d, JSON_ROOT), JSON_ARRAY);
    return d.node[JSON_ROOT].count;
}

static inline struct str consent(struct consent_answer ans)
{
    char id[ID_TEXT + 1];
    struct str json;
    id_format(&ans.act, id);
    assert_int_equal(ledger_get_consent(w.reader, str_of(id), &w.arena, &json), OK);
    return json;
}

static inline struct str effect_in(struct consent_answer ans, uint32_t index)
{
    return item(str_of(at(consent(ans), "effects")), index);
}

static inline struct str subject(const char *id)
{
    struct str json;
    assert_int_equal(ledger_get_subject(w.reader, str_of(id), &w.arena, &json), OK);
    return json;
}

static inline enum reason reason_of(struct str id, const char *purpose)
{
    const struct snapshot *s;
    struct decision_purpose d;
    assert_int_equal(ledger_snapshot_now(w.ledger, id, &s), OK);
    gate_purpose(w.policy, s, policy_purpose_index(w.policy, str_of(purpose)), w.now, &d);
    return d.reason;
}

static inline void assert_reason(const char *id, const char *purpose, enum reason expected)
{
    enum reason r = reason_of(str_of(id), purpose);
    if (r != expected)
        fail_msg("%s/%s: %s, not %s", id, purpose, reason_name(r), reason_name(expected));
}

static inline struct str list_consents(const char *query)
{
    struct str json;
    enum err e = ledger_list_consents(w.reader, str_of(query), &w.arena, &json, &w.info);
    if (e != OK)
        fail_msg("%s: %s", query, w.info.text);
    return json;
}

static inline struct str list_subjects(const char *query)
{
    struct str json;
    enum err e = ledger_list_subjects(w.reader, str_of(query), &w.arena, &json, &w.info);
    if (e != OK)
        fail_msg("%s: %s", query, w.info.text);
    return json;
}

#endif
