#include "audit/said.h"

enum err said_read(const struct act_found *act, struct arena *a, struct said *ret_said)
{
    if (act->payload.n == 0)
        return ERR_NOT_FOUND;
    if (json_scan(act->payload, a, &ret_said->doc, NULL) != OK)
        return ERR_CORRUPT;
    ret_said->act = *act;
    return OK;
}

static bool number(const struct json_doc *d, uint32_t object, struct str name,
                   unsigned long long *ret_n)
{
    return str_to_u64(json_raw(d, json_get(d, object, name)), ret_n);
}

uint32_t said_effect_on(const struct json_doc *said, uint32_t purpose)
{
    uint32_t list = json_get(said, JSON_ROOT, STR("effects"));
    for (uint32_t v = json_first(said, list); v; v = json_next(said, list, v)) {
        unsigned long long n;
        if (number(said, v, STR("purpose"), &n) && n == purpose)
            return v;
    }
    return 0;
}

static bool evidence_of(struct str name, enum act_evidence *ret_evidence)
{
    for (size_t i = 0; i < COUNT(act_evidence_name); i++) {
        if (str_eq(name, str_of(act_evidence_name[i]))) {
            *ret_evidence = (enum act_evidence)i;
            return true;
        }
    }
    return false;
}

bool said_effect(const struct json_doc *said, uint32_t node, struct arena *a,
                 struct said_effect *ret_effect)
{
    unsigned long long purpose, version, effect;
    struct str evidence;
    struct said_effect e = { 0 };
    if (!number(said, node, STR("purpose"), &purpose) || purpose > UINT32_MAX ||
        !number(said, node, STR("version"), &version) || version > UINT32_MAX ||
        !number(said, node, STR("effect"), &effect) ||
        !json_string(said, json_get(said, node, STR("name")), a, &e.name) ||
        !json_string(said, json_get(said, node, STR("evidence")), a, &evidence) ||
        !evidence_of(evidence, &e.effect.evidence))
        return false;
    e.effect.purpose = (uint32_t)purpose;
    e.effect.version = (uint32_t)version;
    e.effect.effect_ms = (int64_t)effect;
    e.effect.grant = json_type(said, json_get(said, node, STR("grant"))) == JSON_TRUE;
    e.effect.confirmed = json_type(said, json_get(said, node, STR("confirmed"))) == JSON_TRUE;
    *ret_effect = e;
    return true;
}
