#include "conf/read_priv.h"

enum { KEYS_OF_A_MAPPING = 256 }; /* far more than any table has */

void fault_limit(struct reader *r, const struct yaml *n, const char *what, long long most)
{
    r->faults->limit = true;
    fault(r, n, "more than %lld %s", most, what);
}

struct conf_place place_of(const struct reader *r, const struct yaml *n)
{
    return faults_place(r->faults, n->at.start);
}

const char *shown_node(struct reader *r, const struct yaml *n)
{
    return shown(r->scratch, n->text);
}

bool is_map(struct reader *r, const struct yaml *n)
{
    if (n->type == YAML_MAP)
        return true;
    if (!n->reported)
        fault(r, n, "this must be a mapping: key: value");
    return false;
}

bool is_list(struct reader *r, const struct yaml *n)
{
    if (n->type == YAML_LIST)
        return true;
    if (!n->reported)
        fault(r, n, "this must be a list: [one, two]");
    return false;
}

static const struct rule *rule_of(const struct table *t, struct str key)
{
    for (uint32_t i = 0; i < t->rule_count; i++) {
        if (str_eq(key, str_of(t->rule[i].key)))
            return &t->rule[i];
    }
    return NULL;
}

static void unknown_key(struct reader *r, const struct table *t, const struct yaml *k)
{
    struct guess g;
    guess_init(&g, k->text);
    for (uint32_t i = 0; i < t->rule_count; i++)
        guess_offer(&g, str_of(t->rule[i].key));
    if (g.best.n) {
        fault(r, k, "unknown key '%s'%s", shown_node(r, k), guess_text(&g, r->scratch));
        return;
    }
    AUTO(buf_fini) struct buf all = BUF_INIT(1024);
    for (uint32_t i = 0; i < t->rule_count; i++)
        buf_printf(&all, "%s%s", i ? ", " : "", t->rule[i].key);
    fault(r, k, "unknown key '%s'; known here: %.*s", shown_node(r, k), STR_ARG(buf_view(&all)));
}

bool stood_before(const struct yaml *map, const struct yaml *key)
{
    for (const struct yaml *k = map->first; k != key; k = k->next) {
        if (str_eq(k->text, key->text))
            return true;
    }
    return false;
}

void language_check(struct reader *r, const struct yaml *map, const struct yaml *key)
{
    if (!language_ok(key->text))
        fault(r, key, "'%s' is not a language, like en or pt-BR", shown_node(r, key));
    else if (stood_before(map, key))
        fault(r, key, "'%s' stands twice", shown_node(r, key));
}

static void read_pair(struct reader *r, const struct table *t, unsigned kind, const struct yaml *k,
                      void *base)
{
    const struct rule *rule = rule_of(t, k->text);
    if (rule == NULL)
        unknown_key(r, t, k);
    else if (kind && rule->only && !(rule->only & kind))
        fault(r, k, "'%s' does not go with this type", rule->key);
    else if (yaml_empty(k->value) && !k->value->reported)
        fault(r, k, "'%s' has no value", rule->key);
    else
        rule->read(r, rule, k->value, base);
}

/* Each missing key, in the order of the table, at the start of the mapping. */
static void report_missing(struct reader *r, const struct table *t, unsigned kind,
                           const struct yaml *n)
{
    for (uint32_t i = 0; i < t->rule_count; i++) {
        const struct rule *rule = &t->rule[i];
        bool needed = rule->needed == (unsigned)KIND_ANY || (rule->needed & kind) != 0;
        if (needed && yaml_get(n, str_of(rule->key)) == NULL)
            fault(r, n, "'%s' is missing", rule->key);
    }
}

void table_read(struct reader *r, const struct table *t, const struct yaml *n, void *base)
{
    if (t->init != NULL)
        t->init(r, n, base);
    if (!is_map(r, n))
        return;
    if (n->count > KEYS_OF_A_MAPPING)
        return fault_limit(r, n, "keys", KEYS_OF_A_MAPPING);
    unsigned kind = t->kind != NULL ? t->kind(r, n) : 0;
    for (const struct yaml *k = n->first; k != NULL; k = k->next) {
        if (k->reported)
            continue;
        if (stood_before(n, k))
            fault(r, k, "'%s' stands twice", shown_node(r, k));
        else
            read_pair(r, t, kind, k, base);
    }
    report_missing(r, t, kind, n);
    if (t->check != NULL)
        t->check(r, n, base);
}

void read_inner(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    table_read(r, rule->table, n, base);
}

void read_tables(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    if (!is_list(r, n))
        return;
    if (n->count > rule->most)
        return fault_limit(r, n, "entries here", rule->most);
    char *list = arena_alloc(r->arena, rule->table->size * n->count);
    uint32_t count = 0;
    for (const struct yaml *item = n->first; item != NULL; item = item->next)
        table_read(r, rule->table, item, list + rule->table->size * count++);
    memcpy((char *)base + rule->at, &list, sizeof list);
    memcpy((char *)base + rule->count_at, &count, sizeof count);
}

static void reference_row(const struct rule *rule, struct buf *to)
{
    static const char *const kind[] = { "own", "webhook", "ga4" };
    const char *between = "";
    buf_printf(to, "| `%s` | ", rule->key);
    if (rule->needed == (unsigned)KIND_ANY)
        buf_lit(to, "yes");
    for (size_t i = 0; rule->needed != (unsigned)KIND_ANY && i < COUNT(kind); i++) {
        if (!(rule->needed >> i & 1))
            continue;
        buf_printf(to, "%s`%s`", between, kind[i]);
        between = ", ";
    }
    buf_printf(to, " | %s |\n", rule->meaning);
}

const struct table *const tables[] = {
    &table_top,
    &table_tls,
    &table_timeouts,
    &table_seals,
    &table_authority,
    &table_controller,
    &table_keys,
    &table_key,
    &table_limits,
    &table_documents,
    &table_double_opt_in,
    &table_mail,
    &table_letter,
    &table_notice,
    &table_purpose,
    &table_version,
    &table_void,
    &table_text,
    &table_destination,
    &table_recipient,
    &table_transfer,
    &table_fallback,
    &table_batch,
    &table_consent,
    &table_destination_tls,
    &table_destination_limits,
    &table_proxy,
    &table_hook,
    &table_hook_limits,
    &table_link,
    &table_banner,
    &table_banner_words,
    &table_banner_google,
    &table_banner_clarity,
    &table_banner_hubspot,
    &table_banner_cookie,
    &table_cmp,
    &table_cmp_entry,
};
const size_t table_count = COUNT(tables);

void conf_reference(struct buf *to)
{
    for (size_t i = 0; i < COUNT(tables); i++) {
        buf_printf(to, "### %s\n\n%s\n\n| key | needed | meaning |\n|---|---|---|\n",
                   tables[i]->name, tables[i]->about);
        for (uint32_t j = 0; j < tables[i]->rule_count; j++)
            reference_row(&tables[i]->rule[j], to);
        buf_byte(to, '\n');
    }
}
