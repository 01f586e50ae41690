/* Hooks: who is told what the ledger recorded. */
#include "conf/read_priv.h"

enum { DEFAULT_AT_ONCE = 4, MOST_PER_SECOND = 1000000 };

static const struct word facts[] = {
    { "consent", CONF_HOOK_CONSENT },         { "withdrawal", CONF_HOOK_WITHDRAWAL },
    { "subject", CONF_HOOK_SUBJECT },         { "notice", CONF_HOOK_NOTICE },
    { "text_voided", CONF_HOOK_TEXT_VOIDED }, { NULL, 0 }
};

static void hook_init(struct reader *r, const struct yaml *n, void *base)
{
    struct conf_hook *h = base;
    h->remote.place = place_of(r, n);
    h->remote.type = STR("webhook");
    h->remote.limits.at_once = DEFAULT_AT_ONCE;
}

static void hook_check(struct reader *r, const struct yaml *n, void *base)
{
    struct conf_hook *h = base;
    const struct yaml *on = yaml_get(n, STR("on"));
    endpoint_check(r, n, &h->remote);
    if (on == NULL)
        h->on = CONF_HOOK_ALL;
    else if (h->on == 0 && !on->reported && on->type == YAML_LIST && on->count == 0)
        fault(r, on, "'on' names nothing: leave it out for everything");
}

#define HOOK(member) .at = offsetof(struct conf_hook, member)
static const struct rule limit_rules[] = {
    { "requests_per_second", read_number, "requests begun, repetitions included; default: no limit",
      HOOK(remote.limits.requests_per_second), .least = 1, .most = MOST_PER_SECOND },
    { "at_once", read_number, "most requests on their way, default 4, at most 64",
      HOOK(remote.limits.at_once), .least = 1, .most = LIMIT_AT_ONCE },
};
const struct table table_hook_limits = { "hooks[].limits",
                                         "What a receiver is asked to bear.",
                                         limit_rules,
                                         COUNT(limit_rules),
                                         0,
                                         NULL,
                                         NULL,
                                         NULL };

static const struct rule hook_rules[] = {
    { "id", read_id, "a to z, 0 to 9, `_`", .needed = KIND_ANY, HOOK(remote.id) },
    { "endpoint", read_line, "where it is sent, https", .needed = KIND_ANY, HOOK(remote.endpoint) },
    { "secret", read_secret,
      "signs requests; at least 16 bytes, or `whsec_…` of Standard Webhooks, or `{file: PATH}`",
      .needed = KIND_ANY, HOOK(remote.secret) },
    { "on", read_word_bits,
      "`[consent, withdrawal, subject, notice, text_voided]`: what is told; default all", HOOK(on),
      .words = facts },
    { "allow_private_addresses", read_bool,
      "`true`: loopback and private networks may be called, also without https; default `false`",
      HOOK(remote.allow_private_addresses) },
    { "tls", read_inner, "as of destinations", .table = &table_destination_tls },
    { "proxy", read_inner, "as of destinations", .table = &table_proxy },
    { "limits", read_inner, "see below", .table = &table_hook_limits },
};
const struct table table_hook = { "hooks[]",
                                  "Systems of your own that are told what the consent database "
                                  "recorded: [hooks.md](hooks.md). At most 16.",
                                  hook_rules,
                                  COUNT(hook_rules),
                                  sizeof(struct conf_hook),
                                  hook_init,
                                  hook_check,
                                  NULL };
