/* The operator's own consent management platform: which of its choices is which of our purposes. */
#include "conf/read_priv.h"

const char *const conf_cmp_name[CONF_CMPS] = { [CONF_CMP_NONE] = "",
                                               [CONF_CMP_ONETRUST] = "onetrust",
                                               [CONF_CMP_USERCENTRICS] = "usercentrics",
                                               [CONF_CMP_COOKIEBOT] = "cookiebot",
                                               [CONF_CMP_TCF] = "tcf" };

/* ---- purpose@version ---- */

static bool number(struct str s, unsigned long long most, uint32_t *ret_n)
{
    unsigned long long n;
    if (!str_to_u64(s, &n) || n == 0 || n > most)
        return false;
    *ret_n = (uint32_t)n;
    return true;
}

static void read_bound(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct conf_cmp_entry *e = base;
    struct str s, id, rest;
    (void)rule;
    if (!scalar(r, n, &s))
        return;
    rest = s;
    if (!str_next(&rest, '@', &id) || !id_ok(id) || !number(rest, 1000000000, &e->version))
        return fault(r, n, "'%s' is not a purpose and its version, like statistics@3",
                     shown_node(r, n));
    e->purpose = id;
    add_ref(r, REF_PURPOSE, n, id);
}

static const struct rule entry_rules[] = {
    { "purpose", read_bound, "a purpose and its version, `recording@1`", .needed = KIND_ANY },
    { "wording", read_text,
      "the CMP's very text that names this purpose; needed for one that is `separate`, as linking "
      "and recording are",
      .at = offsetof(struct conf_cmp_entry, wording) },
};
const struct table table_cmp_entry = { "cmp.map.KEY",
                                       "The long form of an entry, instead of `statistics@3`.",
                                       entry_rules,
                                       COUNT(entry_rules),
                                       sizeof(struct conf_cmp_entry),
                                       NULL,
                                       NULL,
                                       NULL };

/* ---- the map ---- */

static void read_entry(struct reader *r, const struct yaml *key, const struct yaml *n,
                       struct conf_cmp *c)
{
    struct conf_cmp_entry *e = &c->entry[c->entry_count];
    r->cmp_key[c->entry_count] = key;
    r->cmp_node[c->entry_count++] = n;
    e->place = place_of(r, n);
    e->key = arena_str(r->arena, key->text);
    if (n->type == YAML_MAP)
        table_read(r, &table_cmp_entry, n, e);
    else
        read_bound(r, NULL, n, e);
}

static uint32_t entries_of(const struct yaml *map)
{
    uint32_t count = 0;
    for (const struct yaml *k = map->first; k != NULL; k = k->next)
        count += k->value->type == YAML_LIST ? k->value->count : 1;
    return count;
}

static void read_map(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct conf_cmp *c = &((struct conf *)base)->cmp;
    if (!is_map(r, n))
        return;
    uint32_t count = entries_of(n);
    if (count > rule->most)
        return fault_limit(r, n, "entries", rule->most);
    c->entry = arena_array(r->arena, struct conf_cmp_entry, count);
    r->cmp_node = arena_array(r->scratch, const struct yaml *, count);
    r->cmp_key = arena_array(r->scratch, const struct yaml *, count);
    for (const struct yaml *k = n->first; k != NULL; k = k->next) {
        if (k->reported || k->value->reported)
            continue;
        if (stood_before(n, k)) {
            fault(r, k, "'%s' stands twice", shown_node(r, k));
        } else if (k->text.n == 0 || k->text.n > LIMIT_CMP_KEY) {
            fault(r, k, "must have 1 to %d bytes", LIMIT_CMP_KEY);
        } else if (k->value->type == YAML_LIST) {
            for (const struct yaml *i = k->value->first; i != NULL; i = i->next)
                read_entry(r, k, i, c);
        } else {
            read_entry(r, k, k->value, c);
        }
    }
}

static const struct word providers[] = { { "onetrust", CONF_CMP_ONETRUST },
                                         { "usercentrics", CONF_CMP_USERCENTRICS },
                                         { "cookiebot", CONF_CMP_COOKIEBOT },
                                         { "tcf", CONF_CMP_TCF },
                                         { NULL, 0 } };

static const struct rule cmp_rules[] = {
    { "provider", read_word, "`onetrust`, `usercentrics`, `cookiebot` or `tcf`", .needed = KIND_ANY,
      .at = offsetof(struct conf, cmp.provider), .words = providers },
    { "map", read_map,
      "what the CMP asks for → `purpose@version`, its long form (see below), or a list of either; "
      "at most 256",
      .needed = KIND_ANY, .most = LIMIT_CMP_ENTRIES },
};
const struct table table_cmp = {
    "cmp",
    "A consent management platform that asks instead of licet's banner: see [cmp.md](cmp.md).",
    cmp_rules,
    COUNT(cmp_rules),
    0,
    NULL,
    NULL,
    NULL
};

/* ---- once everything is read ---- */

/* purpose 9, vendor 755: all of them. */
static bool tcf_parts(struct str key, struct arena *a, struct conf_cmp_entry *e)
{
    static const struct {
        struct str name;
        enum conf_tcf_kind kind;
        uint32_t most;
    } kinds[] = { { STR_INIT("purpose "), CONF_TCF_PURPOSE, 24 },
                  { STR_INIT("special feature "), CONF_TCF_SPECIAL_FEATURE, 12 },
                  { STR_INIT("vendor "), CONF_TCF_VENDOR, 65535 } };
    struct str part;
    e->part = arena_array(a, struct conf_tcf_part, LIMIT_CMP_KEY / 8);
    while (str_next(&key, ',', &part)) {
        struct conf_tcf_part *p = &e->part[e->part_count];
        part = str_trim(part);
        for (size_t i = 0; i < COUNT(kinds); i++) {
            struct str rest = { part.p + kinds[i].name.n, part.n - kinds[i].name.n };
            if (str_starts(part, kinds[i].name) && number(rest, kinds[i].most, &p->number)) {
                p->kind = kinds[i].kind;
                e->part_count++;
            }
        }
        if (p->number == 0)
            return false;
    }
    return e->part_count > 0;
}

static void check_key(struct reader *r, const struct yaml *n, struct conf_cmp_entry *e)
{
    enum conf_cmp_provider provider = r->conf->cmp.provider;
    if (provider == CONF_CMP_TCF && !tcf_parts(e->key, r->arena, e))
        fault(r, n,
              "'%.*s' is not like 'purpose 9', 'special feature 1', 'vendor 755', or several with "
              "commas between",
              STR_ARG(e->key));
    if (provider == CONF_CMP_COOKIEBOT && !str_eq(e->key, STR("preferences")) &&
        !str_eq(e->key, STR("statistics")) && !str_eq(e->key, STR("marketing")))
        fault(r, n, "Cookiebot asks for preferences, statistics and marketing, not for '%.*s'",
              STR_ARG(e->key));
}

static void check_version(struct reader *r, const struct yaml *n, const struct conf_purpose *p,
                          uint32_t version)
{
    uint32_t newest = 0;
    bool found = false;
    for (uint32_t i = 0; i < p->version_count; i++) {
        newest = p->version[i].version;
        found = found || newest == version;
    }
    if (!found && newest > 0)
        return fault(r, n, "'%.*s' has no version %u; its newest is %u", STR_ARG(p->id), version,
                     newest);
    if (found && version < newest)
        warning(r, n,
                "'%.*s' has a version %u: seven days after its day the CMP's grants count no more",
                STR_ARG(p->id), newest);
}

/* Also where a configuration says otherwise of linking and recording. */
static bool apart(const struct conf *c, const struct conf_purpose *p)
{
    bool is = p->separate || str_eq(p->id, STR("linking")) || str_eq(p->id, STR("recording"));
    for (uint32_t i = 0; i < c->link_count; i++) {
        for (uint32_t k = 0; k < c->link[i].require_count; k++)
            is = is || str_eq(c->link[i].requires[k], p -> id);
    }
    return is;
}

static void check_entry(struct reader *r, uint32_t i)
{
    const struct yaml *n = r->cmp_node[i];
    struct conf_cmp_entry *e = &r->conf->cmp.entry[i];
    const struct conf_purpose *p = purpose_of(r, e->purpose);
    check_key(r, r->cmp_key[i], e);
    if (p == NULL)
        return; /* said before */
    check_version(r, n, p, e->version);
    if (p->basis != CONF_CONSENT)
        fault(r, n, "'%.*s' does not rest on consent: a CMP's choice says nothing about it",
              STR_ARG(p->id));
    if (apart(r->conf, p) && str_trim(e->wording).n == 0)
        fault(r, n,
              "'%.*s' is asked for separately: it needs the CMP's text that names it, {purpose: "
              "%.*s@%u, wording: \"…\"}",
              STR_ARG(p->id), STR_ARG(p->id), e->version);
    for (uint32_t k = 0; k < i; k++) {
        const struct conf_cmp_entry *other = &r->conf->cmp.entry[k];
        if (str_eq(other->purpose, e->purpose) && other->version != e->version)
            fault(r, n, "'%.*s' stands here at two versions", STR_ARG(p->id));
    }
}

void cmp_check(struct reader *r)
{
    for (uint32_t i = 0; i < r->conf->cmp.entry_count; i++)
        check_entry(r, i);
}
