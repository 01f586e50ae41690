#include "conf/read_priv.h"

#define CONF(member) .at = offsetof(struct conf, seals.member)

static void read_every(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct duration d;
    if (!scalar_duration(r, n, &d))
        return;
    if (d.months != 0 || d.ms < rule->least || d.ms > rule->most)
        return fault(r, n, "must be between 1s and 31d");
    ((struct conf *)base)->seals.every_ms = d.ms;
}

static void read_key_file(struct reader *r, const struct rule *rule, const struct yaml *n,
                          void *base)
{
    struct str s;
    (void)rule;
    if (!scalar(r, n, &s))
        return;
    struct str folder = s.p[0] == '/' ? STR("") : r->folder;
    ((struct conf *)base)->seals.key_file =
        arena_printf(r->arena, "%.*s%.*s", STR_ARG(folder), STR_ARG(s));
}

/* Plain http will do: what is sent is a hash, what comes back is signed. */
static void authority_check(struct reader *r, const struct yaml *n, void *base)
{
    struct web w;
    struct conf_destination *d = &((struct conf *)base)->seals.authority;
    const struct yaml *at = yaml_get(n, STR("url"));
    d->id = STR("authority");
    if (d->endpoint.n == 0)
        return;
    if (!web_parse(d->endpoint, &w) || memchr(w.rest.p, '#', w.rest.n) != NULL)
        fault(r, at, "an authority is like https://host.example/path, without user name or '#'");
    else if (w.near && !d->allow_private_addresses && (!w.secure || w.address))
        fault(r, at, "a private address is called only with 'allow_private_addresses: true'");
}

static const struct rule authority_rules[] = {
    { "url", read_line, "where it is asked, `https://…` or `http://…`", .needed = KIND_ANY,
      CONF(authority.endpoint) },
    { "certificates", read_certificates,
      "file with the certificates (PEM) that its time stamps must come from; default: any",
      CONF(certificates) },
    { "allow_private_addresses", read_bool,
      "`true`: it may stand in a private network; default `false`",
      CONF(authority.allow_private_addresses) },
};
const struct table table_authority = { "seals.authority",
                                       "Gives time stamps by RFC 3161. It gets a hash and nothing "
                                       "else. While it cannot be reached it is asked again.",
                                       authority_rules,
                                       COUNT(authority_rules),
                                       0,
                                       NULL,
                                       authority_check,
                                       NULL };

static const struct rule seals_rules[] = {
    { "every", read_every, "between two of them, `1s` to `31d`; default `24h`", .least = 1000,
      .most = 31 * DAY_MS },
    { "key", read_key_file,
      "file of the signing key, made at the first start; default `signing.key` in the data "
      "directory" },
    { "authority", read_inner, "who dates them, see below; default nobody",
      .table = &table_authority },
};
const struct table table_seals = { "seals",     "Signed heads of the hash chain: docs/proof.md.",
                                   seals_rules, COUNT(seals_rules),
                                   0,           NULL,
                                   NULL,        NULL };
