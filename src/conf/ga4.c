/* The keys of a destination of type ga4. */
#include "conf/read_priv.h"

const struct word ga4_regions[] = { { "global", 0 }, { "eu", 1 }, { NULL, 0 } };

void ga4_read_region(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct conf_destination *d = base;
    int region;
    if (scalar_word(r, n, rule->words, &region))
        d->endpoint = region ? STR("https://region1.google-analytics.com")
                             : STR("https://www.google-analytics.com");
}

void ga4_read_measurement_id(struct reader *r, const struct rule *rule, const struct yaml *n,
                             void *base)
{
    struct str s;
    (void)rule;
    if (!scalar(r, n, &s))
        return;
    bool ok = s.n >= 4 && s.n <= 22 && str_starts(s, STR("G-"));
    for (size_t i = 2; i < s.n && ok; i++)
        ok = (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9');
    if (ok)
        ((struct conf_destination *)base)->measurement_id = arena_str(r->arena, s);
    else
        fault(r, n, "'%s' is not a measurement id, like G-ABC123", shown_node(r, n));
}

#define CLAIM(kind)                                                                                \
    .at = offsetof(struct conf_destination, claim[kind].purpose),                                  \
    .count_at = offsetof(struct conf_destination, claim[kind].purpose_count), .least = 1,          \
    .most = LIMIT_PURPOSES_PER_USE
static const struct rule consent_rules[] = {
    { "ad_user_data", read_purposes,
      "ids of purposes; `GRANTED` when all are permitted, else, and by default, `DENIED`",
      CLAIM(CONF_AD_USER_DATA) },
    { "ad_personalization", read_purposes, "likewise", CLAIM(CONF_AD_PERSONALIZATION) },
};
const struct table table_consent = {
    "destinations[].consent",
    "What Google is told that she agreed to, for advertising. It is told with every request.",
    consent_rules,
    COUNT(consent_rules),
    0,
    NULL,
    NULL,
    NULL
};

void ga4_check(struct reader *r, const struct yaml *n, struct conf_destination *d)
{
    const struct yaml *region = yaml_get(n, STR("region")), *batch = yaml_get(n, STR("batch"));
    const struct yaml *at = yaml_get(n, STR("endpoint"));
    if (region != NULL && at != NULL)
        fault(r, region, "give 'region' or 'endpoint', not both");
    if (d->endpoint.n == 0)
        d->endpoint = STR("https://www.google-analytics.com");
    if (at != NULL && memchr(d->endpoint.p, '?', d->endpoint.n) != NULL)
        fault(r, at, "the endpoint of ga4 has no query: '/mp/collect?…' is put behind it");
    if (batch != NULL && d->batch_events > GA4_BATCH)
        fault(r, batch, "a request to ga4 has at most %d events", GA4_BATCH);
}
