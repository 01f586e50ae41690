#include "conf/read_priv.h"

/* A name that stands alone, and one with fields below it (Segment's common
 * fields; `ids` is ours, for what the other adapters bring). */
static const char *const alone[] = {
    "type",     "event",       "messageId", "timestamp",         "sentAt",    "channel", "name",
    "category", "anonymousId", "userId",    "originalTimestamp", "receivedAt"
};
static const char *const above[] = { "context", "properties", "traits", "ids", "integrations" };

/* They tie one person to another, so they leave on nobody's consent. */
static const char *const never[] = { "previousId", "mergeProperties", "groupId", "context.groupId",
                                     "context.previousId" };

static const struct word treatments[] = { { "keep", CONF_KEEP },
                                          { "drop", CONF_DROP },
                                          { "pseudonymise", CONF_PSEUDONYMISE },
                                          { "truncate_ip", CONF_TRUNCATE_IP },
                                          { "hash", CONF_HASH },
                                          { NULL, 0 } };

static bool among(const char *const *list, size_t count, struct str s)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(s, str_of(list[i])))
            return true;
    }
    return false;
}

static bool is_never(struct str path)
{
    for (size_t i = 0; i < COUNT(never); i++) {
        struct str n = str_of(never[i]);
        if (str_starts(path, n) && (path.n == n.n || path.p[n.n] == '.'))
            return true;
    }
    return false;
}

static bool segments_ok(struct str path)
{
    struct str part;
    while (str_next(&path, '.', &part)) {
        if (part.n == 0 || memchr(part.p, '*', part.n) != NULL)
            return false;
    }
    return true;
}

static void unknown_root(struct reader *r, const struct yaml *k, struct str root)
{
    struct guess g;
    guess_init(&g, root);
    for (size_t i = 0; i < COUNT(alone); i++)
        guess_offer(&g, str_of(alone[i]));
    for (size_t i = 0; i < COUNT(above); i++)
        guess_offer(&g, str_of(above[i]));
    fault(r, k, "no event has a field '%s'%s", shown(r->scratch, root), guess_text(&g, r->scratch));
}

/* The dotted path of a rule, without the ".*" behind it. */
static bool field_path(struct reader *r, const struct yaml *k, struct conf_field *f)
{
    struct str path = k->text, rest, root;
    f->below = path.n > 2 && str_eq((struct str){ path.p + path.n - 2, 2 }, STR(".*"));
    path.n -= f->below ? 2 : 0;
    if (path.n > LIMIT_FIELD_PATH) {
        fault_limit(r, k, "bytes in the name of a field", LIMIT_FIELD_PATH);
        return false;
    }
    if (!segments_ok(path)) {
        fault(r, k, "'%s' is not the name of a field, like context.page.url or properties.*",
              shown_node(r, k));
        return false;
    }
    if (is_never(path)) {
        fault(r, k, "'%s' never leaves: it names somebody else", shown_node(r, k));
        return false;
    }
    rest = path;
    (void)str_next(&rest, '.', &root);
    bool deep = f->below || root.n < path.n;
    if (!among(above, COUNT(above), root) && !among(alone, COUNT(alone), root)) {
        unknown_root(r, k, root);
        return false;
    }
    if (deep != among(above, COUNT(above), root)) {
        fault(r, k,
              deep ? "'%s' has no fields below it"
                   : "'%s' is a group of fields: name one below it, or '%s.*'",
              shown(r->scratch, root), shown(r->scratch, root));
        return false;
    }
    f->path = arena_str(r->arena, path);
    return true;
}

static bool scalar_parameter(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    struct str s;
    if (!scalar(r, n, &s))
        return false;
    const char *star = memchr(s.p, '*', s.n);
    if (star != NULL && star != s.p + s.n - 1) {
        fault(r, n, "in '%s' the '*' must stand at the end", shown_node(r, n));
        return false;
    }
    if (s.n == 1 && star != NULL)
        warning(r, n, "'*' keeps every parameter");
    *ret_s = s;
    return true;
}

static bool field_query(struct reader *r, const struct yaml *n, struct conf_field *f)
{
    static const struct rule names = { .key = "query",
                                       .at = offsetof(struct conf_field, parameter),
                                       .count_at = offsetof(struct conf_field, parameter_count),
                                       .most = LIMIT_PARAMETERS };
    const struct yaml *list = yaml_get(n, STR("query"));
    if (list == NULL || n->count != 1) {
        fault(r, n, "a treatment is one word, or {query: [names]}");
        return false;
    }
    f->treatment = CONF_QUERY;
    read_list(r, &names, list, f, scalar_parameter);
    return true;
}

static bool field_treatment(struct reader *r, const struct yaml *n, struct conf_field *f)
{
    int v;
    if (n->type == YAML_MAP)
        return field_query(r, n, f);
    if (!scalar_word(r, n, treatments, &v))
        return false;
    f->treatment = (enum conf_treatment)v;
    return true;
}

static void read_field(struct reader *r, const struct yaml *k, struct conf_destination *d)
{
    struct conf_field f = { .place = place_of(r, k) };
    bool ok = field_path(r, k, &f);
    if (!field_treatment(r, k->value, &f) || !ok)
        return;
    if (f.below && (f.treatment == CONF_QUERY || f.treatment == CONF_TRUNCATE_IP))
        fault(r, k, "'%s' names many fields: this treatment is for one", shown_node(r, k));
    else if (f.below && f.treatment != CONF_DROP)
        warning(r, k, "'%s' lets through whatever a page puts there", shown_node(r, k));
    d->field[d->field_count++] = f;
}

void read_fields(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct conf_destination *d = base;
    if (!is_map(r, n))
        return;
    if (n->count > rule->most)
        return fault_limit(r, n, "field rules", rule->most);
    d->field = arena_array(r->arena, struct conf_field, n->count);
    for (const struct yaml *k = n->first; k != NULL; k = k->next) {
        bool twice = false;
        for (const struct yaml *b = n->first; b != k && !twice; b = b->next)
            twice = str_eq(b->text, k->text);
        if (twice)
            fault(r, k, "'%s' stands twice", shown_node(r, k));
        else if (!k->reported)
            read_field(r, k, d);
    }
}
