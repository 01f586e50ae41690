#include "store/verify_priv.h"
#include "codec/json.h"
#include "codec/time.h"

/* The payload is what was written once and is shown as the proof; the columns are
 * what the gate's standings are made of. They must say the same. */
struct reading {
    struct arena *a;
    struct json_doc d;
};

static bool is_text(struct reading *x, uint32_t node, struct str expected)
{
    struct str s;
    return json_string(&x->d, node, x->a, &s) && str_eq(s, expected);
}

bool verify_number(struct str json, int64_t *ret_n)
{
    unsigned long long n;
    bool negative = str_starts(json, STR("-"));
    if (negative)
        json = (struct str){ json.p + 1, json.n - 1 };
    if (!str_to_u64(json, &n))
        return false;
    *ret_n = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

static bool is_number(struct reading *x, uint32_t node, int64_t expected)
{
    int64_t n;
    return verify_number(json_raw(&x->d, node), &n) && n == expected;
}

static bool is_time(struct reading *x, uint32_t node, int64_t expected)
{
    struct str s;
    int64_t ms;
    if (!json_string(&x->d, node, x->a, &s))
        return is_number(x, node, expected);
    char text[TIME_TEXT + 1];
    time_format(expected, text); /* a time that text cannot hold was written as the nearest one */
    return str_eq(s, str_of(text)) || (time_parse(s, &ms) && ms == expected);
}

static bool is_bool(struct reading *x, uint32_t node, bool expected)
{
    return json_type(&x->d, node) == (expected ? JSON_TRUE : JSON_FALSE);
}

static bool is_effect(struct reading *x, uint32_t node, const struct act_effect *e)
{
    uint32_t effect = json_get(&x->d, node, STR("effect"));
    return is_number(x, json_get(&x->d, node, STR("purpose")), e->purpose) &&
           is_bool(x, json_get(&x->d, node, STR("grant")), e->grant) &&
           is_bool(x, json_get(&x->d, node, STR("confirmed")), e->confirmed) &&
           e->evidence <= EVIDENCE_CONFIRMATION &&
           is_text(x, json_get(&x->d, node, STR("evidence")),
                   str_of(act_evidence_name[e->evidence])) &&
           is_number(x, json_get(&x->d, node, STR("version")), e->version) &&
           (effect == 0 || is_number(x, effect, e->effect_ms));
}

static bool are_effects(struct reading *x, uint32_t array, const struct act_columns *c)
{
    struct str rest = c->effects;
    struct act_effect e;
    uint32_t node = json_first(&x->d, array);
    for (; columns_next_effect(&rest, &e); node = json_next(&x->d, array, node))
        if (node == 0 || !is_effect(x, node, &e))
            return false;
    return node == 0;
}

static bool is_ip(struct reading *x, uint32_t node, struct str ip)
{
    return json_type(&x->d, node) == JSON_STRING ? is_text(x, node, ip) : node == 0 || ip.n == 0;
}

/* What lists find it by stands in the payload alone. Acts that were there before its type had a
 * name of its own have it among what was not known. */
static enum err check_type(struct verify *v, struct reading *x, int64_t seq)
{
    struct str type = { 0 };
    uint32_t node = json_get(&x->d, JSON_ROOT, STR("consent_type"));
    if (node == 0)
        node = json_find(&x->d, JSON_ROOT, STR("other.consent_type"));
    (void)json_string(&x->d, node, x->a, &type); /* or none */
    int64_t n;
    enum err e =
        NUMBER(v->c, "SELECT 1 FROM act WHERE seq = ? AND type = ?", 0, &n, INT(seq), TEXT(type));
    if (e == OK && n == 0)
        verify_fault(v, "fact %lld: its type does not agree with it", (long long)seq);
    return e;
}

enum err verify_act(struct verify *v, const struct fact_read *f)
{
    struct reading x = { .a = &v->a };
    struct act_columns c;
    char id[ID_TEXT + 1];
    const char *what = NULL;
    if (!columns_read_act(f->columns, &c) || json_scan(f->payload, x.a, &x.d, NULL) != OK) {
        verify_fault(v, "fact %lld: its payload cannot be read", (long long)f->seq);
        return OK;
    }
    id_format(&c.id, id);
    if (!is_text(&x, json_get(&x.d, JSON_ROOT, STR("id")), str_of(id)))
        what = "another id";
    else if (!is_text(&x, json_find(&x.d, JSON_ROOT, STR("subject.id")), c.subject))
        what = "another subject";
    else if (!is_time(&x, json_get(&x.d, JSON_ROOT, STR("timestamp")), c.claimed_ms))
        what = "another timestamp";
    else if (!is_time(&x, json_get(&x.d, JSON_ROOT, STR("received")), c.received_ms))
        what = "another time received";
    else if (c.source > ACT_CONFIRMATION || !is_text(&x, json_get(&x.d, JSON_ROOT, STR("source")),
                                                     str_of(act_source_name[c.source])))
        what = "another source";
    else if (!are_effects(&x, json_get(&x.d, JSON_ROOT, STR("effects")), &c))
        what = "other effects";
    else if (!is_ip(&x, json_get(&x.d, JSON_ROOT, STR("ip_address")), c.ip))
        what = "another ip_address";
    if (what)
        verify_fault(v, "fact %lld (act %s): its payload has %s", (long long)f->seq, id, what);
    return check_type(v, &x, f->seq);
}
