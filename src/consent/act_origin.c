/* `effects` of an exported act: what the licet that it comes from had made of it. */
#include "consent/act_bind.h"

#include "base/limits.h"
#include "codec/json.h"

static bool read_number(const struct json_doc *d, uint32_t i, unsigned long long *ret_n)
{
    return json_type(d, i) == JSON_NUMBER && str_to_u64(json_raw(d, i), ret_n);
}

static bool read_one(const struct json_doc *d, uint32_t i, struct arena *a,
                     struct act_origin *ret_o)
{
    unsigned long long version, effect;
    struct str evidence;
    if (json_type(d, i) != JSON_OBJECT ||
        !json_string(d, json_get(d, i, STR("name")), a, &ret_o->name) ||
        !json_string(d, json_get(d, i, STR("evidence")), a, &evidence) ||
        !read_number(d, json_get(d, i, STR("version")), &version) || version > UINT32_MAX ||
        !read_number(d, json_get(d, i, STR("effect")), &effect))
        return false;
    ret_o->grant = json_type(d, json_get(d, i, STR("grant"))) == JSON_TRUE;
    ret_o->confirmed = json_type(d, json_get(d, i, STR("confirmed"))) == JSON_TRUE;
    ret_o->bare = str_eq(evidence, STR("bare")) || str_eq(evidence, STR("import"));
    ret_o->version = (uint32_t)version;
    ret_o->effect_ms = (int64_t)effect;
    return true;
}

enum err act_origin_parse(const struct act_body *body, struct arena *a, struct act_saying *s,
                          struct err_info *info)
{
    const struct json_doc *d = &body->doc;
    uint32_t list = json_get(d, JSON_ROOT, STR("effects"));
    if (json_type(d, list) <= JSON_NULL)
        return OK;
    if (json_type(d, list) != JSON_ARRAY || d->node[list].count > LIMIT_PREFERENCES)
        return err_set(info, ERR_VALUE, "effects", "must be an array of at most %d",
                       LIMIT_PREFERENCES);
    struct act_origin *o = arena_array(a, struct act_origin, d->node[list].count);
    uint32_t n = 0;
    for (uint32_t i = json_first(d, list); i; i = json_next(d, list, i)) {
        if (!read_one(d, i, a, &o[n++]))
            return err_set(info, ERR_VALUE, "effects",
                           "each needs name, grant, confirmed, evidence, version, effect");
    }
    s->origin = o;
    s->origin_count = n;
    return OK;
}
