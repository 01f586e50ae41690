/* Legal notices that are watched where they are published. */
#include "conf/read_priv.h"

enum { HOUR_MS = 3600000, LEAST_S = 1, MOST_S = 30 * 86400 };

static bool is_identifier(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.'))
            return false;
    }
    return s.n > 0 && s.n <= LIMIT_ID;
}

static void read_identifier(struct reader *r, const struct rule *rule, const struct yaml *n,
                            void *base)
{
    struct str s;
    (void)rule;
    if (!scalar(r, n, &s))
        return;
    if (!is_identifier(s))
        return fault(r, n, "'%s' is no identifier of a notice: letters, digits, '_', '-', '.'",
                     shown_node(r, n));
    ((struct conf_notice *)base)->identifier = s;
}

static void read_file(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct str s;
    (void)rule;
    if (!scalar(r, n, &s))
        return;
    struct str folder = s.p[0] == '/' ? STR("") : r->folder;
    ((struct conf_notice *)base)->file =
        arena_printf(r->arena, "%.*s%.*s", STR_ARG(folder), STR_ARG(s));
}

static void read_every(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct duration d;
    (void)rule;
    if (!scalar_duration(r, n, &d))
        return;
    if (d.months != 0 || d.ms < LEAST_S * 1000LL || d.ms > MOST_S * 1000LL)
        return fault(r, n, "must be between 1s and 30d");
    ((struct conf_notice *)base)->every_ms = d.ms;
}

static void notice_init(struct reader *r, const struct yaml *n, void *base)
{
    struct conf_notice *c = base;
    c->remote.place = place_of(r, n);
    c->every_ms = HOUR_MS;
}

static void notice_check(struct reader *r, const struct yaml *n, void *base)
{
    const struct conf_notice *c = base;
    const struct yaml *url = yaml_get(n, STR("url")), *file = yaml_get(n, STR("file"));
    struct web w;
    if ((url == NULL) == (file == NULL))
        fault(r, n, "a watched notice has a 'url' or a 'file'");
    else if (c->remote.endpoint.n == 0)
        return;
    else if (!web_parse(c->remote.endpoint, &w) || memchr(w.rest.p, '#', w.rest.n) != NULL)
        fault(r, url, "a url is like https://host.example/path, without user name or '#'");
    else if (!w.secure)
        fault(r, url, "a url must be https");
    else if (w.near && w.address && !c->remote.allow_private_addresses)
        fault(r, url, "a private address is called only with 'allow_private_addresses: true'");
}

#define NOTICE(member) .at = offsetof(struct conf_notice, member)
static const struct rule notice_rules[] = {
    { "identifier", read_identifier, "as in `legal_notices`: `privacy_policy`, `terms`, …",
      .needed = KIND_ANY },
    { "url", read_line, "where it is published, https: HTML or plain text in UTF-8, at most 1 MB",
      NOTICE(remote.endpoint) },
    { "file", read_file, "or a file, relative to this one: `.html`, or plain text" },
    { "every", read_every, "how often it is looked at, 1s to 30d; default 1h" },
    { "allow_private_addresses", read_bool,
      "`true`: loopback and private networks may be called; default `false`",
      NOTICE(remote.allow_private_addresses) },
    { "tls", read_inner, "as of destinations", .table = &table_destination_tls },
};
const struct table table_notice = { "notices[]",
                                    "Legal notices that are watched where they are published. A "
                                    "changed text is pending until somebody "
                                    "confirms it (`licet notices`). At most 32.",
                                    notice_rules,
                                    COUNT(notice_rules),
                                    sizeof(struct conf_notice),
                                    notice_init,
                                    notice_check,
                                    NULL };
