#include "policy/gate_house.h"

static void house_versions(struct conf_purpose *p, struct arena *a)
{
    p->version_count = V_COUNT - 1;
    p->version = arena_array(a, struct conf_version, p->version_count);
    for (uint32_t i = 0; i < p->version_count; i++) {
        struct conf_version *v = &p->version[i];
        v->version = i + 1;
        v->since_ms = NOW - 1000 * DAY + i * DAY;
        if (v->version == V_GOOD || v->version == V_VOIDED)
            v->recipient = fixture_names(a, &v->recipient_count, "out", "lost", "idle", NULL);
        if (v->version == V_VOIDED || v->version == V_BOTH)
            v->voided_ms = NOW - DAY;
    }
}

static struct conf_destination house_destination(const struct house *h, const char *id,
                                                 const char *requires, struct arena *a)
{
    struct conf_destination d = {
        .id = str_of(id),
        .has_recipient = true,
        .recipient_name = STR("Out Inc"),
        .role = h->no_role ? CONF_CONTROLLER : CONF_PROCESSOR,
    };
    memcpy(d.recipient_country, h->no_transfer ? "US" : "IE", 3);
    d.requires = fixture_names(a, &d.require_count, requires, NULL);
    d.claim[CONF_AD_USER_DATA] = (struct conf_claim){ d.requires, d.require_count };
    return d;
}

const struct policy *house_policy(const struct house *h, struct arena *a)
{
    struct frozen frozen;
    struct conf *c = arena_new(a, struct conf);
    c->purpose_count = 1;
    c->purpose = arena_new(a, struct conf_purpose);
    c->purpose[0] = (struct conf_purpose){
        .id = STR("statistics"),
        .basis = h->basis,
        .terminal_access = h->terminal,
        .scope = h->scope,
        .double_opt_in = h->double_opt_in,
        .proof_optional = h->proof_optional,
        .honours = CONF_GPC,
        .lifetime = { .months = 12 },
    };
    house_versions(&c->purpose[0], a);
    c->destination_count = 3;
    c->destination = arena_array(a, struct conf_destination, 3);
    c->destination[OUT] = house_destination(h, "out", "statistics", a);
    c->destination[LOST] = house_destination(h, "lost", "ghost", a);
    c->destination[IDLE] = house_destination(h, "idle", NULL, a);
    return fixture_compile(c, NULL, a, &frozen);
}

struct history history_numbered(uint32_t i)
{
    return (struct history){
        .order = (enum order)(i % ORDERS),
        .bare = i / ORDERS & 1,
        .confirmed = i / ORDERS & 2,
        .imported = i / ORDERS & 4,
        .old = i / ORDERS & 8,
        .version = i / ORDERS / 16,
    };
}

const struct history good_grant = { .confirmed = true, .version = V_GOOD };

struct standing at_once(struct standing s, int64_t effect, int64_t seq)
{
    s.purpose = 1;
    s.first_effect = s.last_effect = effect;
    s.first_seq = s.last_seq = seq;
    return s;
}

struct snapshot *said(const struct history *h, uint32_t flags, struct arena *a)
{
    int64_t when = h->old ? NOW - 400 * DAY : NOW - 100 * DAY;
    struct standing grant = at_once((struct standing){ .grant = true,
                                                       .confirmed = h->confirmed,
                                                       .bare = h->bare,
                                                       .imported = h->imported,
                                                       .version = h->version },
                                    when, 50);
    /* what was before has the greater seq: it arrived later, and must not matter */
    struct standing before = at_once((struct standing){ 0 }, when - DAY, 90);
    struct standing after = at_once((struct standing){ 0 }, when + DAY, 20);
    switch (h->order) {
    case NEVER_LOWERED: return fixture_snapshot(a, flags, 1, &grant);
    case LOWERED_BEFORE: return fixture_snapshot(a, flags, 2, (struct standing[]){ before, grant });
    case LOWERED_AFTER: return fixture_snapshot(a, flags, 2, (struct standing[]){ after, grant });
    case ONLY_LOWERED: return fixture_snapshot(a, flags, 1, &before);
    default: return fixture_snapshot(a, flags, 0, NULL);
    }
}
