/* The event itself may deny a purpose or a destination. It can never grant one, so
 * everything doubtful denies. */
#include "collect/segment_priv.h"

static uint64_t lowest(uint32_t count)
{
    return count >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
}

static uint64_t use_named(const struct policy *p, struct str name)
{
    for (uint32_t i = 0; i < p->use_count; i++) {
        if (str_eq_nocase(p->use[i].conf->id, name))
            return (uint64_t)1 << i;
    }
    return 0;
}

void segment_read_integrations(const struct policy *p, const struct json_doc *doc, uint32_t node,
                               struct arena *a, struct segment_uses *uses)
{
    if (json_type(doc, node) != JSON_OBJECT)
        return;
    for (uint32_t k = json_first(doc, node); k; k = json_next(doc, node, k + 1)) {
        struct str name;
        if (!json_string(doc, k, a, &name))
            continue;
        enum json_type type = json_type(doc, k + 1);
        bool on = type == JSON_TRUE || type == JSON_OBJECT;
        if (str_eq_nocase(name, STR("All"))) {
            uses->all_off = !on;
            continue;
        }
        uint64_t use = use_named(p, name);
        uses->on = on ? uses->on | use : uses->on & ~use;
        uses->off = on ? uses->off & ~use : uses->off | use;
    }
}

uint64_t segment_uses_lowered(const struct policy *p, const struct segment_uses *uses)
{
    return uses->off | (uses->all_off ? lowest(p->use_count) & ~uses->on : 0);
}

static uint64_t purposes_named(const struct policy *p, struct str name)
{
    uint64_t found = 0;
    for (uint32_t i = 0; i < p->purpose_count && i < 64; i++) {
        const struct conf_purpose *c = p->purpose[i].conf;
        bool is = str_eq_nocase(c->id, name);
        for (uint32_t j = 0; j < c->consent_category_count && !is; j++)
            is = str_eq_nocase(c->consent_category[j], name);
        if (is)
            found |= (uint64_t)1 << i;
    }
    return found;
}

/* The values that grant in a consent record (ARCHITECTURE, "Acts"). */
static bool grants(const struct json_doc *doc, uint32_t node, struct arena *a)
{
    static const struct str yes[] = { STR_INIT("true"), STR_INIT("1"), STR_INIT("on"),
                                      STR_INIT("yes") };
    if (json_type(doc, node) == JSON_TRUE)
        return true;
    struct str text;
    if (!json_text(doc, node, a, &text))
        return false;
    for (size_t i = 0; i < COUNT(yes); i++) {
        if (str_eq(text, yes[i]))
            return true;
    }
    return false;
}

static uint64_t denied_by_map(const struct policy *p, const struct json_doc *doc, uint32_t map,
                              struct arena *a)
{
    uint32_t k = json_first(doc, map);
    if (json_type(doc, map) != JSON_OBJECT || k == 0)
        return lowest(p->purpose_count);
    uint64_t denied = 0;
    for (; k; k = json_next(doc, map, k + 1)) {
        struct str name;
        if (!grants(doc, k + 1, a) && json_string(doc, k, a, &name))
            denied |= purposes_named(p, name);
    }
    return denied;
}

static uint64_t denied_by_list(const struct policy *p, const struct json_doc *doc, uint32_t list,
                               struct arena *a)
{
    if (json_type(doc, list) != JSON_ARRAY)
        return lowest(p->purpose_count);
    uint64_t denied = 0;
    for (uint32_t v = json_first(doc, list); v; v = json_next(doc, list, v)) {
        struct str name;
        if (json_text(doc, v, a, &name))
            denied |= purposes_named(p, name);
    }
    return denied;
}

uint64_t segment_lowered(const struct policy *p, const struct json_doc *doc, uint32_t consent,
                         uint32_t management, struct arena *a)
{
    uint64_t denied = 0;
    uint32_t said[] = { consent, management };
    for (size_t i = 0; i < COUNT(said); i++) {
        if (said[i] == 0)
            continue;
        if (json_type(doc, said[i]) != JSON_OBJECT)
            return lowest(p->purpose_count);
        uint32_t map = json_get(doc, said[i], STR("categoryPreferences"));
        uint32_t list = json_get(doc, said[i], STR("deniedConsentIds"));
        if (map)
            denied |= denied_by_map(p, doc, map, a);
        if (list)
            denied |= denied_by_list(p, doc, list, a);
    }
    return denied;
}
