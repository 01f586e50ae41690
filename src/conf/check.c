#include "conf/read_priv.h"

/* The n-th entry of a list at the top, in step with the structs read from it. */
static const struct yaml *list_of(const struct reader *r, const char *key)
{
    const struct yaml *list = yaml_get(r->root, str_of(key));
    return list != NULL ? list->first : NULL;
}

static const struct yaml *key_or(const struct yaml *n, const char *key)
{
    const struct yaml *v = yaml_get(n, str_of(key));
    return v != NULL ? v : n;
}

struct conf_purpose *purpose_of(const struct reader *r, struct str id)
{
    for (uint32_t i = 0; i < r->conf->purpose_count; i++) {
        if (str_eq(r->conf->purpose[i].id, id))
            return &r->conf->purpose[i];
    }
    return NULL;
}

static const struct conf_destination *destination_of(const struct reader *r, struct str id)
{
    for (uint32_t i = 0; i < r->conf->destination_count; i++) {
        if (str_eq(r->conf->destination[i].id, id))
            return &r->conf->destination[i];
    }
    return NULL;
}

static void check_ref(struct reader *r, const struct ref *ref)
{
    const struct conf *c = r->conf;
    bool purpose = ref->kind == REF_PURPOSE;
    if (purpose ? purpose_of(r, ref->id) != NULL : destination_of(r, ref->id) != NULL)
        return;
    struct guess g;
    guess_init(&g, ref->id);
    for (uint32_t i = 0; i < (purpose ? c->purpose_count : c->destination_count); i++)
        guess_offer(&g, purpose ? c->purpose[i].id : c->destination[i].id);
    const char *kind = purpose ? "purpose" : "destination", *name = shown_node(r, ref->node);
    if (g.best.n)
        return fault(r, ref->node, "unknown %s '%s'%s", kind, name, guess_text(&g, r->scratch));
    AUTO(buf_fini) struct buf all = BUF_INIT(512);
    for (uint32_t i = 0; i < (purpose ? c->purpose_count : c->destination_count); i++)
        buf_printf(&all, "%s%.*s", i ? ", " : "",
                   STR_ARG(purpose ? c->purpose[i].id : c->destination[i].id));
    fault(r, ref->node, "unknown %s '%s'; known: %.*s", kind, name,
          STR_ARG(all.n ? buf_view(&all) : STR("none")));
}

static void check_twice(struct reader *r)
{
    const struct conf *c = r->conf;
    const struct yaml *n = list_of(r, "purposes");
    for (uint32_t i = 0; i < c->purpose_count; i++, n = n->next) {
        struct str id = c->purpose[i].id;
        if (id.n && purpose_of(r, id) != &c->purpose[i])
            fault(r, key_or(n, "id"), "the purpose '%.*s' stands twice", STR_ARG(id));
    }
    n = list_of(r, "destinations");
    for (uint32_t i = 0; i < c->destination_count; i++, n = n->next) {
        struct str id = c->destination[i].id;
        if (id.n && destination_of(r, id) != &c->destination[i])
            fault(r, key_or(n, "id"), "the destination '%.*s' stands twice", STR_ARG(id));
    }
}

static void check_hooks(struct reader *r)
{
    const struct conf *c = r->conf;
    const struct yaml *n = list_of(r, "hooks");
    for (uint32_t i = 0; i < c->hook_count; i++, n = n->next) {
        struct str id = c->hook[i].remote.id;
        for (uint32_t k = 0; k < i; k++) {
            if (id.n > 0 && str_eq(c->hook[k].remote.id, id))
                fault(r, key_or(n, "id"), "the hook '%.*s' stands twice", STR_ARG(id));
        }
    }
}

static const struct yaml *purpose_node(const struct reader *r, const struct conf_purpose *p)
{
    const struct yaml *n = list_of(r, "purposes");
    for (ptrdiff_t i = p - r->conf->purpose; i > 0; i--)
        n = n->next;
    return n;
}

static void linking(struct reader *r, struct conf_purpose *p)
{
    const struct yaml *n = purpose_node(r, p);
    const struct yaml *separate = yaml_get(n, STR("separate"));
    if (separate == NULL)
        p->separate = true;
    else if (!p->separate && !separate->reported)
        warning(r, separate, "linking and recording should be asked for separately");
}

/* Linking and recording stand on consent alone, and on their own. */
static void check_links(struct reader *r)
{
    const struct conf *c = r->conf;
    bool linked[LIMIT_PURPOSES] = { false };
    for (uint32_t i = 0; i < c->link_count; i++) {
        for (uint32_t j = 0; j < c->link[i].require_count; j++) {
            const struct conf_purpose *p = purpose_of(r, c->link[i].requires[j]);
            if (p != NULL)
                linked[p - c->purpose] = true;
        }
    }
    for (uint32_t i = 0; i < c->purpose_count; i++) {
        struct conf_purpose *p = &c->purpose[i];
        bool named = str_eq(p->id, STR("linking")) || str_eq(p->id, STR("recording"));
        if (named || linked[i])
            linking(r, p);
        if (linked[i] && !named && p->basis != CONF_CONSENT)
            fault(r, key_or(purpose_node(r, p), "basis"),
                  "a link requires '%.*s': it accepts consent only", STR_ARG(p->id));
    }
}

static bool names(const struct conf_purpose *p, struct str destination)
{
    for (uint32_t i = 0; i < p->version_count; i++) {
        for (uint32_t j = 0; j < p->version[i].recipient_count; j++) {
            if (str_eq(p->version[i].recipient[j], destination))
                return true;
        }
    }
    return false;
}

static void check_named(struct reader *r, const struct yaml *n, const struct conf_destination *d,
                        const struct str *requires, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct conf_purpose *p = purpose_of(r, requires[i]);
        if (p != NULL && !names(p, d->id))
            warning(r, key_or(n, "id"),
                    "no version of '%.*s' names '%.*s' as a recipient: nothing will be sent",
                    STR_ARG(p->id), STR_ARG(d->id));
    }
}

static void check_recipient(struct reader *r, const struct yaml *n,
                            const struct conf_destination *d)
{
    const struct yaml *at = key_or(n, "recipient");
    if (d->role != CONF_PROCESSOR && d->recipient_purpose_count == 0)
        warning(r, key_or(at, "role"),
                "a recipient that is not a processor needs its own 'purposes': nothing will be "
                "sent");
    if (d->role == CONF_PROCESSOR && d->recipient_purpose_count > 0)
        warning(r, key_or(at, "purposes"), "a processor has no purposes of its own");
    if (d->recipient_country[0] == 0 || conf_in_eea(d->recipient_country))
        return;
    for (uint32_t i = 0; i < d->transfer_count; i++) {
        if (str_eq(d->transfer[i].importer, d->recipient_name))
            return;
    }
    warning(r, key_or(at, "country"),
            "'%s' is outside the EEA and 'transfers' has no entry for this recipient: nothing "
            "will be sent",
            d->recipient_country);
}

static bool lets_through(const struct conf_destination *d, const char *field)
{
    for (uint32_t i = 0; i < d->field_count; i++) {
        if (d->field[i].treatment != CONF_DROP && str_eq(d->field[i].path, str_of(field)))
            return true;
    }
    return false;
}

/* Without them no event can be put into Google's form. */
static void check_ga4_fields(struct reader *r, const struct yaml *n,
                             const struct conf_destination *d)
{
    static const char *const id[] = { "anonymousId", "userId", "ids.ga4.client_id" };
    const struct yaml *at = key_or(n, "fields");
    bool whose = lets_through(d, "ids") || lets_through(d, "ids.ga4");
    for (size_t i = 0; i < COUNT(id) && !whose; i++)
        whose = lets_through(d, id[i]);
    if (!whose)
        warning(r, at,
                "ga4 needs 'anonymousId' or 'ids.ga4.client_id' in 'fields': nothing will "
                "be sent");
    if (!lets_through(d, "event") && !lets_through(d, "type"))
        warning(r, at, "ga4 needs 'event' and 'type' in 'fields': nothing will be sent");
}

static void check_destination(struct reader *r, const struct yaml *n,
                              const struct conf_destination *d)
{
    bool own = str_eq(d->type, STR("own"));
    if (d->field_count == 0 && yaml_get(n, STR("fields")) == NULL)
        warning(r, key_or(n, "id"),
                own ? "without 'fields' only the minimum is kept"
                    : "without 'fields' only the minimum is sent");
    if (str_eq(d->type, STR("ga4")) && d->field_count > 0)
        check_ga4_fields(r, n, d);
    if (!d->has_recipient || own || d->id.n == 0)
        return;
    check_recipient(r, n, d);
    check_named(r, n, d, d->requires, d->require_count);
    check_named(r, n, d, d->recipient_purpose, d->recipient_purpose_count);
    for (uint32_t i = 0; i < CONF_CLAIMS; i++)
        check_named(r, n, d, d->claim[i].purpose, d->claim[i].purpose_count);
}

void check_all(struct reader *r)
{
    for (const struct ref *ref = r->newest_ref; ref != NULL; ref = ref->older)
        check_ref(r, ref);
    check_twice(r);
    check_hooks(r);
    check_links(r); /* what links is separate from there on */
    cmp_check(r);
    const struct yaml *n = list_of(r, "destinations");
    for (uint32_t i = 0; i < r->conf->destination_count; i++, n = n->next)
        check_destination(r, n, &r->conf->destination[i]);
}
