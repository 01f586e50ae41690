#include "policy/policy.h"

uint32_t policy_purpose_index(const struct policy *p, struct str id)
{
    for (uint32_t i = 0; i < p->purpose_count; i++) {
        if (str_eq(p->purpose[i].conf->id, id))
            return i;
    }
    return UINT32_MAX;
}

uint32_t policy_use_index(const struct policy *p, struct str id)
{
    for (uint32_t i = 0; i < p->use_count; i++) {
        if (str_eq(p->use[i].conf->id, id))
            return i;
    }
    return UINT32_MAX;
}

const struct policy_purpose *policy_purpose_numbered(const struct policy *p, uint32_t number)
{
    for (uint32_t i = 0; i < p->purpose_count; i++) {
        if (p->purpose[i].number == number)
            return &p->purpose[i];
    }
    return NULL;
}

const struct policy_version *policy_version_at(const struct policy_purpose *p, int64_t at_ms)
{
    const struct policy_version *found = NULL;
    for (uint32_t i = 0; i < p->version_count && p->version[i].since_ms <= at_ms; i++)
        found = &p->version[i];
    return found;
}

const struct policy_version *policy_version_numbered(const struct policy_purpose *p,
                                                     uint32_t version)
{
    /* almost always they are numbered 1, 2, 3 …; 0 wraps round and is found nowhere */
    uint32_t guess = version - 1;
    if (guess < p->version_count && p->version[guess].version == version)
        return &p->version[guess];
    for (uint32_t i = 0; version && i < p->version_count; i++) {
        if (p->version[i].version == version)
            return &p->version[i];
    }
    return NULL;
}

bool policy_version_is_recent(const struct policy_version *v, int64_t at_ms)
{
    return v->until_ms > at_ms || at_ms - v->until_ms <= LIMIT_PUBLIC_VERSION_GRACE_MS;
}
