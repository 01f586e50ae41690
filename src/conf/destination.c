#include "conf/read_priv.h"

enum {
    DEFAULT_BATCH = 100,
    DEFAULT_WAIT_MS = 1000,
    DEFAULT_AT_ONCE = 8,
    GA4_AT_ONCE = 16, /* its requests are small, each about one device */
    LEAST_BYTES = 1024,
    MOST_WAIT_MS = 600000,
    MOST_EPOCH = 36500,
    MOST_PER_SECOND = 1000000,
};

/* ---- transfers out of the EEA ---- */

static const struct word bases[] = { { "adequacy", CONF_ADEQUACY },
                                     { "scc", CONF_SCC },
                                     { "bcr", CONF_BCR },
                                     { "derogation", CONF_DEROGATION },
                                     { NULL, 0 } };

static void read_fallback(struct reader *r, const struct rule *rule, const struct yaml *n,
                          void *base)
{
    struct conf_transfer *f = arena_new(r->arena, struct conf_transfer);
    table_read(r, rule->table, n, f);
    ((struct conf_transfer *)base)->fallback = f;
}

static void transfer_init(struct reader *r, const struct yaml *n, void *base)
{
    ((struct conf_transfer *)base)->place = place_of(r, n);
}

static void one_transfer_check(struct reader *r, const struct yaml *n, void *base)
{
    const struct conf_transfer *t = base;
    const struct yaml *basis = yaml_get(n, STR("basis")), *until = yaml_get(n, STR("until"));
    if (t->basis == CONF_SCC && t->module == 0 && yaml_get(n, STR("module")) == NULL)
        fault(r, basis, "standard contractual clauses need 'module', 1 to 4");
    if (t->basis == CONF_ADEQUACY && str_eq(str_of(t->country), STR("US")) &&
        t->certified_until_ms == 0 && yaml_get(n, STR("certified_until")) == NULL)
        warning(r, basis != NULL ? basis : n,
                "adequacy of the United States covers certified importers only: give "
                "'certified_until'");
    if (until != NULL && t->until_ms && t->until_ms <= t->since_ms)
        fault(r, until, "'until' must be later than 'since'");
}

/* What a fallback does not say is as in the transfer that it stands in for. */
static void transfer_check(struct reader *r, const struct yaml *n, void *base)
{
    one_transfer_check(r, n, base);
    for (struct conf_transfer *t = base; t->fallback != NULL;) {
        struct conf_transfer *f = (struct conf_transfer *)t->fallback; /* made by read_fallback */
        f->importer = t->importer;
        if (f->country[0] == 0)
            memcpy(f->country, t->country, sizeof f->country);
        t = f;
    }
}

#define TRANSFER(member) .at = offsetof(struct conf_transfer, member)
#define TRANSFER_ROWS                                                                              \
    { "basis",                                                                                     \
      read_word,                                                                                   \
      "`adequacy`, `scc`, `bcr` or `derogation`",                                                  \
      .needed = KIND_ANY,                                                                          \
      TRANSFER(basis),                                                                             \
      .words = bases },                                                                            \
        { "instrument", read_line, "its name, for reports: `EU-US DPF`", TRANSFER(instrument) },   \
        { "since", read_date, "valid from this day; default: always", TRANSFER(since_ms) },        \
        { "until", read_date, "no longer valid from this day on; default: open",                   \
          TRANSFER(until_ms) },                                                                    \
        { "certified_until", read_date, "the importer's certification ends on this day",           \
          TRANSFER(certified_until_ms) },                                                          \
        { "checked_on", read_date, "the day somebody looked it up", TRANSFER(checked_ms) },        \
        { "assessed", read_date, "the day of the transfer impact assessment",                      \
          TRANSFER(assessed_ms) },                                                                 \
        { "module",                                                                                \
          read_number,                                                                             \
          "of the standard contractual clauses, 1 to 4; needed with `scc`",                        \
          TRANSFER(module),                                                                        \
          .least = 1,                                                                              \
          .most = 4 },                                                                             \
    {                                                                                              \
        "fallback", read_fallback, "holds when the one above does not", .table = &table_fallback   \
    }

static const struct rule transfer_rules[] = {
    { "importer", read_line, "who receives it there", .needed = KIND_ANY, TRANSFER(importer) },
    { "country", read_country, "two capitals, ISO 3166-1", .needed = KIND_ANY, TRANSFER(country) },
    TRANSFER_ROWS,
};
const struct table table_transfer = {
    "destinations[].transfers[]",
    "One for each importer outside the EEA. When none holds on the day, nothing is sent. At most "
    "8.",
    transfer_rules,
    COUNT(transfer_rules),
    sizeof(struct conf_transfer),
    transfer_init,
    transfer_check,
    NULL
};

static const struct rule fallback_rules[] = {
    { "country", read_country, "default: as above", TRANSFER(country) },
    TRANSFER_ROWS,
};
const struct table table_fallback = { "destinations[].transfers[].fallback",
                                      "The same importer, on another basis.",
                                      fallback_rules,
                                      COUNT(fallback_rules),
                                      sizeof(struct conf_transfer),
                                      transfer_init,
                                      one_transfer_check,
                                      NULL };

/* ---- the recipient ---- */

static const struct word roles[] = { { "processor", CONF_PROCESSOR },
                                     { "controller", CONF_CONTROLLER },
                                     { "joint_controller", CONF_JOINT_CONTROLLER },
                                     { NULL, 0 } };

#define DESTINATION(member) .at = offsetof(struct conf_destination, member)
static const struct rule recipient_rules[] = {
    { "name", read_line, "of the company", .needed = KIND_ANY, DESTINATION(recipient_name) },
    { "country", read_country, "two capitals, ISO 3166-1", .needed = KIND_ANY,
      DESTINATION(recipient_country) },
    { "role", read_word, "`processor`, `controller` or `joint_controller`", .needed = KIND_ANY,
      DESTINATION(role), .words = roles },
    { "purposes", read_purposes,
      "ids of the recipient's own purposes, needed unless it is a processor; all are required, too",
      DESTINATION(recipient_purpose),
      .count_at = offsetof(struct conf_destination, recipient_purpose_count),
      .most = LIMIT_PURPOSES_PER_USE },
};
const struct table table_recipient = { "destinations[].recipient",
                                       "Who receives it. Without one it is the controller itself.",
                                       recipient_rules,
                                       COUNT(recipient_rules),
                                       0,
                                       NULL,
                                       NULL,
                                       NULL };

static void read_recipient(struct reader *r, const struct rule *rule, const struct yaml *n,
                           void *base)
{
    ((struct conf_destination *)base)->has_recipient = true;
    read_inner(r, rule, n, base);
}

/* ---- a destination ---- */

static void read_wait(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct duration d;
    if (!scalar_duration(r, n, &d))
        return;
    if (d.months != 0 || d.ms < 0 || d.ms > rule->most)
        fault(r, n, "'%s' is not between 0s and %llds", shown_node(r, n), rule->most / 1000);
    else
        ((struct conf_destination *)base)->batch_ms = (uint32_t)d.ms;
}

static const struct rule batch_rules[] = {
    { "events", read_number,
      "most events in one request, default 100, at most 500; of `ga4` 25, at most 25",
      DESTINATION(batch_events), .least = 1, .most = LIMIT_SEND_EVENTS },
    { "bytes", read_number,
      "most bytes in one request, default and at most 1048576, at least 1024; a larger event goes "
      "alone",
      DESTINATION(batch_bytes), .least = LEAST_BYTES, .most = LIMIT_SEND_BYTES },
    { "wait", read_wait, "longest wait for a fuller request, default 1s, at most 600s",
      .most = MOST_WAIT_MS },
};
const struct table table_batch = { "destinations[].batch",
                                   "How events are put together.",
                                   batch_rules,
                                   COUNT(batch_rules),
                                   0,
                                   NULL,
                                   NULL,
                                   NULL };

static const struct rule limit_rules[] = {
    { "requests_per_second", read_number, "requests begun, repetitions included; default: no limit",
      DESTINATION(limits.requests_per_second), .least = 1, .most = MOST_PER_SECOND },
    { "events_per_second", read_number,
      "events in them, repetitions included; a batch then has no more than that; default: no limit",
      DESTINATION(limits.events_per_second), .least = 1, .most = MOST_PER_SECOND },
    { "at_once", read_number, "most requests on their way, default 8, of `ga4` 16, at most 64",
      DESTINATION(limits.at_once), .least = 1, .most = LIMIT_AT_ONCE },
};
const struct table table_destination_limits = {
    "destinations[].limits",
    "What a receiver is asked to bear. Within any n seconds at most n + 1 seconds' worth is begun.",
    limit_rules,
    COUNT(limit_rules),
    0,
    NULL,
    NULL,
    NULL
};

static void read_epoch(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct duration d;
    (void)rule;
    if (!scalar_duration(r, n, &d))
        return;
    if (d.months != 0 || d.ms < DAY_MS || d.ms % DAY_MS != 0 || d.ms / DAY_MS > MOST_EPOCH)
        fault(r, n, "'%s' is not a number of whole days, like 90d", shown_node(r, n));
    else
        ((struct conf_destination *)base)->epoch_days = (uint32_t)(d.ms / DAY_MS);
}

static const struct word uncertain[] = { { "retry", CONF_RETRY },
                                         { "hold", CONF_HOLD },
                                         { NULL, 0 } };

/* The type, or the id where none is given. */
static struct str type_text(const struct yaml *n)
{
    const struct yaml *t = yaml_get(n, STR("type"));
    if (t == NULL)
        t = yaml_get(n, STR("id"));
    return t != NULL ? t->text : STR("");
}

static unsigned destination_kind(struct reader *r, const struct yaml *n)
{
    (void)r;
    struct str type = type_text(n);
    static const struct {
        const char *type;
        unsigned kind;
    } kinds[] = { { "own", KIND_OWN }, { "webhook", KIND_WEBHOOK }, { "ga4", KIND_GA4 } };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (str_eq(type, str_of(kinds[i].type)))
            return kinds[i].kind;
    }
    return 0;
}

static void destination_init(struct reader *r, const struct yaml *n, void *base)
{
    struct conf_destination *d = base;
    d->place = place_of(r, n);
    d->batch_ms = DEFAULT_WAIT_MS;
    d->batch_bytes = LIMIT_SEND_BYTES;
    d->limits.at_once = DEFAULT_AT_ONCE;
    if (destination_kind(r, n) == KIND_GA4) { /* it cannot drop what came twice */
        d->batch_events = GA4_BATCH;
        d->limits.at_once = GA4_AT_ONCE;
        d->uncertain = CONF_HOLD;
    } else {
        d->batch_events = DEFAULT_BATCH;
    }
}

static void check_type(struct reader *r, const struct yaml *n, const struct conf_destination *d)
{
    static const char *const later[] = { "hubspot", "meta", "clarity", "file", "kafka" };
    const struct yaml *at = yaml_get(n, STR("type"));
    at = at != NULL ? at : yaml_get(n, STR("id"));
    bool own = str_eq(d->type, STR("own"));
    if (d->type.n == 0 || at == NULL)
        return;
    for (size_t i = 0; i < COUNT(later); i++) {
        if (str_eq(d->type, str_of(later[i])))
            return fault(r, at, "type '%s' is not supported yet", later[i]);
    }
    if (destination_kind(r, n) == 0)
        fault(r, at, "unknown type '%s'; known: own, webhook, ga4", shown_node(r, at));
    else if (d->id.n && own != str_eq(d->id, STR("own")))
        fault(r, at, "the destination 'own' is of type own, and no other is");
}

void endpoint_check(struct reader *r, const struct yaml *n, const struct conf_destination *d)
{
    struct web w;
    const struct yaml *at = yaml_get(n, STR("endpoint"));
    if (d->endpoint.n == 0)
        return;
    if (!web_parse(d->endpoint, &w) || memchr(w.rest.p, '#', w.rest.n) != NULL)
        fault(r, at, "an endpoint is like https://host.example/path, without user name or '#'");
    else if (!w.secure && !w.near)
        fault(r, at, "an endpoint must be https");
    else if (w.near && !d->allow_private_addresses && (!w.secure || w.address))
        fault(r, at, "a private address is called only with 'allow_private_addresses: true'");
    else if (!w.secure && yaml_get(n, STR("tls")) != NULL)
        fault(r, yaml_get(n, STR("tls")), "'tls' is for an endpoint that is https");
}

static void destination_check(struct reader *r, const struct yaml *n, void *base)
{
    struct conf_destination *d = base;
    if (d->type.n == 0 && yaml_get(n, STR("type")) == NULL)
        d->type = d->id;
    check_type(r, n, d);
    endpoint_check(r, n, d);
    if (destination_kind(r, n) == KIND_GA4)
        ga4_check(r, n, d);
    if (d->require_count + d->recipient_purpose_count > LIMIT_PURPOSES_PER_USE)
        fault_limit(r, n, "purposes, the recipient's included", LIMIT_PURPOSES_PER_USE);
}

static const struct rule destination_rules[] = {
    { "id", read_id, "a to z, 0 to 9, `_`", .needed = KIND_ANY, DESTINATION(id) },
    { "type", read_line,
      "`own` (kept here), `webhook` or `ga4` (Google Analytics 4); default: the id",
      DESTINATION(type) },
    { "endpoint", read_line,
      "where it is sent, https; of `ga4` what stands before `/mp/collect`, default as `region` "
      "says",
      .needed = KIND_WEBHOOK, .only = KIND_OUT, DESTINATION(endpoint) },
    { "region", ga4_read_region,
      "`global` (default: `https://www.google-analytics.com`) or `eu` "
      "(`https://region1.google-analytics.com`)",
      .only = KIND_GA4, .words = ga4_regions },
    { "measurement_id", ga4_read_measurement_id, "of the data stream: `G-ABC123`",
      .needed = KIND_GA4, .only = KIND_GA4 },
    { "api_secret", read_secret, "of the data stream; at least 16 bytes, or `{file: PATH}`",
      .needed = KIND_GA4, .only = KIND_GA4, DESTINATION(secret) },
    { "consent", read_inner, "see below; default: `DENIED`", .only = KIND_GA4,
      .table = &table_consent },
    { "secret", read_secret,
      "signs requests; at least 16 bytes, or `whsec_…` of Standard Webhooks, or `{file: PATH}`",
      .needed = KIND_WEBHOOK, .only = KIND_WEBHOOK, DESTINATION(secret) },
    { "allow_private_addresses", read_bool,
      "`true`: loopback and private networks may be called, also without https; default `false`",
      .only = KIND_OUT, DESTINATION(allow_private_addresses) },
    { "tls", read_inner, "see below", .only = KIND_OUT, .table = &table_destination_tls },
    { "proxy", read_inner, "see below", .only = KIND_OUT, .table = &table_proxy },
    { "requires", read_purposes, "ids of purposes; every one must be permitted; 1 to 16",
      .needed = KIND_ANY, DESTINATION(requires),
      .count_at = offsetof(struct conf_destination, require_count), .least = 1,
      .most = LIMIT_PURPOSES_PER_USE },
    { "recipient", read_recipient, "see below", .only = KIND_OUT, .table = &table_recipient },
    { "transfers", read_tables, "see below", .only = KIND_OUT, DESTINATION(transfer),
      .count_at = offsetof(struct conf_destination, transfer_count), .table = &table_transfer,
      .most = LIMIT_TRANSFERS },
    { "fields", read_fields,
      "what may leave, and in which form: see [Fields](#fields); without it only the minimum is "
      "sent; at most 256",
      .most = LIMIT_FIELD_RULES },
    { "retention", read_duration, "how long it is kept; `0d`: until delivered", .needed = KIND_OWN,
      .only = KIND_OWN, DESTINATION(retention) },
    { "uncertain", read_word,
      "when a request went out and no answer came: `retry` (default) with the same event ids, or "
      "`hold` (default of `ga4`)",
      .only = KIND_OUT, DESTINATION(uncertain), .words = uncertain },
    { "epoch", read_epoch, "pseudonyms change after so many days, `90d`; default: never" },
    { "batch", read_inner, "see below", .only = KIND_OUT, .table = &table_batch },
    { "limits", read_inner, "see below", .only = KIND_OUT, .table = &table_destination_limits },
};
const struct table table_destination = {
    "destinations[]",
    "Where events go. `own` is what is kept here; without it nothing is kept beyond delivery. At "
    "most 32.",
    destination_rules,
    COUNT(destination_rules),
    sizeof(struct conf_destination),
    destination_init,
    destination_check,
    destination_kind
};
