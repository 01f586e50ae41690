#include "consent/act_cmp.h"

#include "base/limits.h"
#include "codec/time.h"

/* ---- reading ---- */

static enum err text_member(const struct json_doc *d, uint32_t object, const char *name,
                            const char *field, struct arena *a, struct str *ret_text,
                            struct err_info *info)
{
    uint32_t v = json_get(d, object, str_of(name));
    if (json_type(d, v) > JSON_NULL && !json_string(d, v, a, ret_text))
        return err_set(info, ERR_VALUE, field, "must be a text");
    return OK;
}

static enum err read_granted(const struct json_doc *d, uint32_t object, struct arena *a,
                             struct act_cmp *c, struct err_info *info)
{
    uint32_t list = json_get(d, object, STR("granted"));
    if (json_type(d, list) <= JSON_NULL)
        return OK;
    if (json_type(d, list) != JSON_ARRAY)
        return err_set(info, ERR_VALUE, "cmp.granted", "must be an array of texts");
    if (d->node[list].count > LIMIT_CMP_GRANTED)
        return err_set(info, ERR_LIMIT, "cmp.granted", "more than %d", LIMIT_CMP_GRANTED);
    c->granted = arena_array(a, struct str, d->node[list].count);
    for (uint32_t i = json_first(d, list); i; i = json_next(d, list, i)) {
        if (!json_string(d, i, a, &c->granted[c->granted_count++]))
            return err_set(info, ERR_VALUE, "cmp.granted", "must be an array of texts");
    }
    return OK;
}

static enum err read_tc_string(const struct json_doc *d, uint32_t object, struct arena *a,
                               struct act_cmp *c, struct err_info *info)
{
    struct str text = { 0 };
    enum err e = text_member(d, object, "tc_string", "cmp.tc_string", a, &text, info);
    if (e != OK || text.n == 0)
        return e;
    c->has_tcf = true;
    e = tcf_parse(text, a, &c->tcf);
    if (e == ERR_LIMIT)
        return err_set(info, ERR_LIMIT, "cmp.tc_string", "longer than %d bytes", LIMIT_TC_STRING);
    c->tcf_good = e == OK;
    return OK;
}

enum err act_cmp_parse(const struct json_doc *d, uint32_t object, struct arena *a,
                       struct act_cmp *ret_cmp, struct err_info *info)
{
    uint32_t v = json_get(d, object, STR("cmp"));
    struct act_cmp c = { .raw = json_raw(d, v) };
    struct str at = { 0 };
    if (json_type(d, v) <= JSON_NULL)
        return OK;
    if (json_type(d, v) != JSON_OBJECT)
        return err_set(info, ERR_VALUE, "cmp", "must be an object");
    if (c.raw.n > LIMIT_CMP_MEMBER)
        return err_set(info, ERR_LIMIT, "cmp", "longer than %d bytes", LIMIT_CMP_MEMBER);
    enum err e = text_member(d, v, "provider", "cmp.provider", a, &c.provider, info);
    if (e == OK && c.provider.n == 0)
        return err_set(info, ERR_VALUE, "cmp.provider", "is needed: which platform it was");
    if (e == OK)
        e = text_member(d, v, "consent_id", "cmp.consent_id", a, &c.consent_id, info);
    if (e == OK)
        e = text_member(d, v, "at", "cmp.at", a, &at, info);
    if (e == OK && at.n > 0) {
        c.has_at = time_parse(at, &c.at_ms);
        if (!c.has_at)
            return err_set(info, ERR_VALUE, "cmp.at", "must be an ISO 8601 time");
    }
    if (e == OK)
        e = read_granted(d, v, a, &c, info);
    if (e == OK)
        e = read_tc_string(d, v, a, &c, info);
    if (e == OK)
        *ret_cmp = c;
    return e;
}

/* ---- what it shows ---- */

static bool is_granted(const struct act_cmp *c, struct str key)
{
    for (uint32_t i = 0; i < c->granted_count; i++) {
        if (str_eq(c->granted[i], key))
            return true;
    }
    return false;
}

static bool part_granted(const struct tcf *t, const struct conf_tcf_part *part)
{
    switch (part->kind) {
    case CONF_TCF_PURPOSE: return tcf_purpose(t, part->number);
    case CONF_TCF_SPECIAL_FEATURE: return tcf_special_feature(t, part->number);
    case CONF_TCF_VENDOR: return tcf_vendor(t, part->number);
    }
    return false;
}

/* Each by itself, and each vendor for each purpose. */
static bool tcf_granted(const struct tcf *t, const struct conf_cmp_entry *e)
{
    for (uint32_t i = 0; i < e->part_count; i++) {
        if (!part_granted(t, &e->part[i]))
            return false;
        for (uint32_t k = 0; k < e->part_count; k++) {
            if (e->part[i].kind == CONF_TCF_PURPOSE && e->part[k].kind == CONF_TCF_VENDOR &&
                !tcf_allows(t, e->part[i].number, e->part[k].number))
                return false;
        }
    }
    return e->part_count > 0;
}

/* A TC string tells the day alone: any moment of it. */
static bool said_in_time(const struct act_cmp *c, const struct policy_version *v)
{
    if (c->has_at && c->at_ms < v->since_ms)
        return false;
    return !c->has_tcf || c->tcf.updated_ms + DAY_MS > v->since_ms;
}

bool act_cmp_is_ours(const struct policy *p, const struct act_cmp *cmp)
{
    enum conf_cmp_provider ours = p->conf->cmp.provider;
    return ours != CONF_CMP_NONE && str_eq(cmp->provider, str_of(conf_cmp_name[ours]));
}

bool act_cmp_bears_out(const struct policy *p, const struct policy_version *v, struct str purpose,
                       const struct act_cmp *cmp)
{
    const struct conf_cmp *conf = &p->conf->cmp;
    bool tcf = conf->provider == CONF_CMP_TCF, found = false;
    if (!act_cmp_is_ours(p, cmp) || (cmp->has_tcf && !cmp->tcf_good))
        return false;
    if (!(tcf ? cmp->has_tcf : cmp->consent_id.n > 0) || !said_in_time(cmp, v))
        return false;
    for (uint32_t i = 0; i < conf->entry_count; i++) {
        const struct conf_cmp_entry *e = &conf->entry[i];
        if (!str_eq(e->purpose, purpose))
            continue;
        if (e->version != v->version ||
            !(tcf ? tcf_granted(&cmp->tcf, e) : is_granted(cmp, e->key)))
            return false;
        found = true;
    }
    return found;
}
