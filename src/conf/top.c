#include "conf/read_priv.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { MOST_RATE = 1000000, FORMAT = 1 };

#define CONF(member) .at = offsetof(struct conf, member)

static bool listen_host(struct str s, struct str *ret_host)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    bool six = s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']';
    struct str host = six ? (struct str){ s.p + 1, s.n - 2 } : s;
    if (s.n == 0)
        host = STR("0.0.0.0");
    else if (str_eq(s, STR("localhost")))
        host = STR("127.0.0.1");
    if (host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = 0;
    if (inet_pton(six ? AF_INET6 : AF_INET, text, address) != 1)
        return false;
    *ret_host = host;
    return true;
}

/* 127.0.0.1:8080, [::1]:8080, :8080 */
static void read_listen(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct conf *c = base;
    struct str s, host;
    unsigned long long port;
    (void)rule;
    if (!scalar(r, n, &s))
        return;
    const char *colon = memrchr(s.p, ':', s.n);
    size_t before = colon ? (size_t)(colon - s.p) : 0;
    if (colon == NULL || s.n - before > 6 ||
        !str_to_u64((struct str){ colon + 1, s.n - before - 1 }, &port) || port > 65535 ||
        !listen_host((struct str){ s.p, before }, &host))
        return fault(r, n, "'%s' is not an address and port, like 127.0.0.1:8080 or [::1]:8080",
                     shown_node(r, n));
    c->listen_host = arena_str(r->arena, host);
    c->listen_port = (uint16_t)port;
}

static void read_store(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct conf *c = base;
    struct str s;
    (void)rule;
    if (!scalar(r, n, &s))
        return;
    if (str_starts(s, STR("postgres://")) || str_starts(s, STR("postgresql://")))
        return fault(r, n, "a store in PostgreSQL is not supported yet: use sqlite:DIR");
    struct str dir = { s.p + 7, s.n - 7 };
    if (!str_starts(s, STR("sqlite:")) || dir.n == 0 || dir.p[0] == ':')
        return fault(r, n, "a store is sqlite:DIR");
    while (str_starts(dir, STR("./")) && dir.n > 2)
        dir = (struct str){ dir.p + 2, dir.n - 2 };
    struct str folder = dir.p[0] == '/' ? STR("") : r->folder;
    c->data_dir = arena_printf(r->arena, "%.*s%.*s", STR_ARG(folder), STR_ARG(dir));
}

void read_public_url(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct str s;
    struct web w;
    if (!scalar(r, n, &s))
        return;
    if (!web_parse(s, &w) || memchr(w.rest.p, '?', w.rest.n) || memchr(w.rest.p, '#', w.rest.n))
        return fault(r, n, "'%s' is not like https://licet.shop.example", shown_node(r, n));
    if (!w.secure && !w.near)
        warning(r, n, "without https anybody on the way reads and changes what is sent");
    while (s.n && s.p[s.n - 1] == '/')
        s.n--;
    *(struct str *)((char *)base + rule->at) = arena_str(r->arena, s);
}

static bool scalar_network(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    struct str s;
    if (!scalar(r, n, &s))
        return false;
    if (!network_ok(s)) {
        fault(r, n, "'%s' is not an address or network, like 10.0.0.0/8", shown_node(r, n));
        return false;
    }
    if (s.n > 2 && str_eq((struct str){ s.p + s.n - 2, 2 }, STR("/0")))
        warning(r, n, "with '%s' anybody can claim any address", shown_node(r, n));
    *ret_s = s;
    return true;
}

static void read_networks(struct reader *r, const struct rule *rule, const struct yaml *n,
                          void *base)
{
    read_list(r, rule, n, base, scalar_network);
}

static void read_format(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    long long v;
    (void)rule;
    if (!scalar_number(r, n, 1, 1000000, &v))
        return;
    if (v != FORMAT)
        fault(r, n, "this licet reads format %d of the configuration, not %lld", FORMAT, v);
    else
        ((struct conf *)base)->format = (uint32_t)v;
}

static const struct rule controller_rules[] = {
    { "name", read_line, "the company that answers for the site", .needed = KIND_ANY,
      CONF(controller_name) },
    { "country", read_country, "two capitals, ISO 3166-1", .needed = KIND_ANY,
      CONF(controller_country) },
    { "contact", read_line, "where people reach it about their data", .needed = KIND_ANY,
      CONF(controller_contact) },
};
const struct table table_controller = { "controller",
                                        "One for each installation: another controller is another "
                                        "daemon.",
                                        controller_rules,
                                        COUNT(controller_rules),
                                        0,
                                        NULL,
                                        NULL,
                                        NULL };

static void keys_check(struct reader *r, const struct yaml *n, void *base)
{
    const struct conf *c = base;
    if (c->private_key_count + c->public_key_count > LIMIT_KEYS)
        fault_limit(r, n, "keys", LIMIT_KEYS);
}

static const struct rule keys_rules[] = {
    { "private", read_private_keys, "list of keys that may read and write", .needed = KIND_ANY,
      CONF(private_key), .count_at = offsetof(struct conf, private_key_count), .least = 1,
      .most = LIMIT_KEYS },
    { "public", read_public_keys,
      "list of keys for browsers, which may only write; also the SDKs' write key", CONF(public_key),
      .count_at = offsetof(struct conf, public_key_count), .most = LIMIT_KEYS },
};
const struct table table_keys = { "keys",     "Together at most 64. No key may stand twice.",
                                  keys_rules, COUNT(keys_rules),
                                  0,          NULL,
                                  keys_check, NULL };

/* What stands in the file is looked at by whoever uses it: api/tls.h. */
static void read_tls_file(struct reader *r, const struct rule *rule, const struct yaml *n,
                          void *base)
{
    struct conf *c = base;
    struct str s;
    if (!scalar(r, n, &s))
        return;
    struct str folder = s.p[0] == '/' ? STR("") : r->folder;
    bool key = rule->at == offsetof(struct conf, tls.key);
    *(struct str *)((char *)base + rule->at) =
        arena_printf(r->arena, "%.*s%.*s", STR_ARG(folder), STR_ARG(s));
    *(key ? &c->tls.key_place : &c->tls.certificate_place) = place_of(r, n);
    c->tls.on = true;
}

static const struct rule tls_rules[] = {
    { "certificate", read_tls_file,
      "file in PEM: the certificate, then those between it and the authority", .needed = KIND_ANY,
      CONF(tls.certificate) },
    { "key", read_tls_file, "file in PEM: its private key, without a password", .needed = KIND_ANY,
      CONF(tls.key) },
};
const struct table table_tls = { "tls",
                                 "TLS 1.2 and 1.3 on `listen`. Paths are relative to this file. A "
                                 "renewed certificate comes into use by itself.",
                                 tls_rules,
                                 COUNT(tls_rules),
                                 0,
                                 NULL,
                                 NULL,
                                 NULL };

static void read_seconds(struct reader *r, const struct rule *rule, const struct yaml *n,
                         void *base)
{
    struct duration d;
    if (!scalar_duration(r, n, &d))
        return;
    if (d.months != 0 || d.ms < rule->least * 1000 || d.ms > rule->most * 1000)
        return fault(r, n, "must be between %llds and %llds", rule->least, rule->most);
    *(uint32_t *)(void *)((char *)base + rule->at) = (uint32_t)d.ms;
}

static const struct rule timeouts_rules[] = {
    { "head", read_seconds, "for the whole head of a request, default 15s", .least = 1, .most = 600,
      CONF(timeouts.head_ms) },
    { "body", read_seconds,
      "for the whole body, default 30s; beyond it only while 4 KB a second arrive", .least = 1,
      .most = 600, CONF(timeouts.body_ms) },
    { "idle", read_seconds, "between two requests, default 75s", .least = 1, .most = 3600,
      CONF(timeouts.idle_ms) },
};
const struct table table_timeouts = { "timeouts",
                                      "What takes longer is closed.",
                                      timeouts_rules,
                                      COUNT(timeouts_rules),
                                      0,
                                      NULL,
                                      NULL,
                                      NULL };

static const struct rule limits_rules[] = {
    { "api_requests_per_second", read_number,
      "requests per private key that are not events, default 50; 0: no limit",
      CONF(limits.api_requests_per_second), .least = 0, .most = MOST_RATE },
    { "api_requests_per_hour", read_number, "the same per hour, default 108000; 0: no limit",
      CONF(limits.api_requests_per_hour), .least = 0, .most = MOST_RATE },
    { "public_per_second", read_number, "consent writes per public key, default 50",
      CONF(limits.public_per_second), .least = 1, .most = MOST_RATE },
    { "public_per_hour", read_number, "the same per hour, default 108000; 0: no limit",
      CONF(limits.public_per_hour), .least = 0, .most = MOST_RATE },
    { "address_per_minute", read_number,
      "public consent writes per address, default 60; as many receipts and as many looks at what "
      "is recorded of oneself, each counted apart",
      CONF(limits.address_per_minute), .least = 1, .most = MOST_RATE },
    { "subject_per_hour", read_number,
      "public consent writes per subject, default 60; as many receipts and as many looks at what "
      "is recorded of oneself, each counted apart",
      CONF(limits.subject_per_hour), .least = 1, .most = MOST_RATE },
    { "events_per_second", read_number, "events per public key, default 0: no limit",
      CONF(limits.events_per_second), .least = 0, .most = MOST_RATE },
    { "key_requests_per_second", read_number, "requests per key, default 0: no limit",
      CONF(limits.key_requests_per_second), .least = 0, .most = MOST_RATE },
    { "address_requests_per_second", read_number, "requests per address, default 1000; 0: no limit",
      CONF(limits.address_requests_per_second), .least = 0, .most = MOST_RATE },
    { "connections", read_number, "open at once, default 10000; needs a restart",
      CONF(limits.connections), .least = 16, .most = LIMIT_CONNECTIONS },
    { "connections_per_address", read_number,
      "open at once from one address, but for `trusted_proxies`; default 1000",
      CONF(limits.connections_per_address), .least = 1, .most = LIMIT_CONNECTIONS },
    { "letters_per_email_per_day", read_number,
      "letters of `double_opt_in` to one e-mail address, whoever causes them, default 3",
      CONF(limits.letters_per_email_per_day), .least = 1, .most = 1000 },
    { "letters_per_subject_per_day", read_number, "about one subject, default 3",
      CONF(limits.letters_per_subject_per_day), .least = 1, .most = 1000 },
    { "letters_per_address_per_hour", read_number,
      "caused by public key from one address, default 10",
      CONF(limits.letters_per_address_per_hour), .least = 1, .most = MOST_RATE },
    { "letters_per_hour", read_number,
      "caused by public key, all together, default 1000; 0: no limit",
      CONF(limits.letters_per_hour), .least = 0, .most = MOST_RATE },
};
const struct table table_limits = {
    "limits",
    "Beyond them the answer is 429; a connection beyond its limit is closed, or one that is idle. "
    "An address is that of the client behind `trusted_proxies`; of IPv6 the /64 counts.",
    limits_rules,
    COUNT(limits_rules),
    0,
    NULL,
    NULL,
    NULL
};

static const struct rule documents_rules[] = {
    { "max_kilobytes", read_number,
      "of one file, of 1024 bytes; default 1024, at most 4096: what is larger is refused with 413",
      CONF(documents.max_kilobytes), .least = 1, .most = LIMIT_DOCUMENT >> 10 },
};
const struct table table_documents = { "documents",
                                       "Files that are uploaded as proofs: PDF, PNG, JPEG, WebP.",
                                       documents_rules,
                                       COUNT(documents_rules),
                                       0,
                                       NULL,
                                       NULL,
                                       NULL };

static void link_init(struct reader *r, const struct yaml *n, void *base)
{
    ((struct conf_link *)base)->place = place_of(r, n);
}

/* system.thing: ga4.client_id */
static bool end_ok(struct str s)
{
    struct str system, rest = s;
    return str_next(&rest, '.', &system) && id_ok(system) && id_ok(rest);
}

static void read_end(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct str s;
    if (!scalar(r, n, &s))
        return;
    if (!end_ok(s))
        fault(r, n, "'%s' is not like ga4.client_id", shown_node(r, n));
    else
        *(struct str *)((char *)base + rule->at) = s;
}

static void link_check(struct reader *r, const struct yaml *n, void *base)
{
    const struct conf_link *l = base;
    if (l->from.n && str_eq(l->from, l->to))
        fault(r, n, "a link must lead from one thing to another");
}

static const struct rule link_rules[] = {
    { "from", read_end, "`system.thing`, as `ga4.client_id`", .needed = KIND_ANY,
      .at = offsetof(struct conf_link, from) },
    { "to", read_end, "likewise, as `hubspot.contact`", .needed = KIND_ANY,
      .at = offsetof(struct conf_link, to) },
    { "requires", read_purposes,
      "ids of purposes, 1 to 16; they accept consent only, and are separate by default",
      .needed = KIND_ANY, .at = offsetof(struct conf_link, requires),
      .count_at = offsetof(struct conf_link, require_count), .least = 1,
      .most = LIMIT_PURPOSES_PER_USE },
};
const struct table table_link = { "links[]",
                                  "Which identifiers may be tied together, and on which purposes. "
                                  "At most 64.",
                                  link_rules,
                                  COUNT(link_rules),
                                  sizeof(struct conf_link),
                                  link_init,
                                  link_check,
                                  NULL };

static const struct word addresses[] = { { "truncated", CONF_ADDRESS_TRUNCATED },
                                         { "full", CONF_ADDRESS_FULL },
                                         { "none", CONF_ADDRESS_NONE },
                                         { NULL, 0 } };

static const struct rule top_rules[] = {
    { "format", read_format, "of this file; default 1, the only one" },
    { "listen", read_listen,
      "address and port, default `127.0.0.1:8080`; `[::1]:8080`; `:8080` is "
      "every IPv4 address" },
    { "tls", read_inner, "see below; without it a proxy in front speaks TLS", .table = &table_tls },
    { "timeouts", read_inner, "see below", .table = &table_timeouts },
    { "store", read_store, "`sqlite:DIR`, relative to this file; default `sqlite:./data`" },
    { "seals", read_inner, "see below: signed heads of the chain", .table = &table_seals },
    { "public_url", read_public_url, "how browsers reach it; default none", CONF(public_url) },
    { "trusted_proxies", read_networks,
      "addresses or networks (`10.0.0.0/8`) whose `X-Forwarded-For` is believed; default none",
      CONF(trusted_proxy), .count_at = offsetof(struct conf, trusted_proxy_count),
      .most = LIMIT_PROXIES },
    { "controller", read_inner, "who answers for it", .needed = KIND_ANY,
      .table = &table_controller },
    { "keys", read_inner, "who may call the interface", .needed = KIND_ANY, .table = &table_keys },
    { "subject_token_secret", read_secret,
      "with it the operator's server vouches for a signed-in person; at least 16 bytes, or "
      "`{file: PATH}`; default none",
      CONF(subject_token_secret) },
    { "consent_addresses", read_word,
      "of what a browser says, the address that is kept with it: `truncated` (default) to /24 or "
      "/48, `full` or `none`",
      CONF(consent_addresses), .words = addresses },
    { "limits", read_inner, "see below", .table = &table_limits },
    { "documents", read_inner, "see below", .table = &table_documents },
    { "double_opt_in", read_inner, "see below; default: no letter is written",
      .table = &table_double_opt_in },
    { "notices", read_tables, "see below; default none", CONF(notice),
      .count_at = offsetof(struct conf, notice_count), .table = &table_notice,
      .most = LIMIT_WATCHED },
    { "purposes", read_tables, "see below; without one nothing is permitted", CONF(purpose),
      .count_at = offsetof(struct conf, purpose_count), .table = &table_purpose,
      .most = LIMIT_PURPOSES },
    { "destinations", read_tables, "see below; without one nothing is kept or sent",
      CONF(destination), .count_at = offsetof(struct conf, destination_count),
      .table = &table_destination, .most = LIMIT_DESTINATIONS },
    { "hooks", read_tables, "see below; default none", CONF(hook),
      .count_at = offsetof(struct conf, hook_count), .table = &table_hook, .most = LIMIT_HOOKS },
    { "links", read_tables, "see below; default none", CONF(link),
      .count_at = offsetof(struct conf, link_count), .table = &table_link, .most = LIMIT_LINKS },
    { "banner", read_inner, "see below; default: the words built in", .table = &table_banner },
    { "cmp", read_inner, "see below; default: no consent management platform but licet",
      .table = &table_cmp },
};

static void top_init(struct reader *r, const struct yaml *n, void *base)
{
    struct conf *c = base;
    (void)n;
    c->format = FORMAT;
    c->listen_host = STR("127.0.0.1");
    c->listen_port = 8080;
    c->data_dir = arena_printf(r->arena, "%.*sdata", STR_ARG(r->folder));
    c->limits = (struct conf_limits){ .api_requests_per_second = 50,
                                      .api_requests_per_hour = 108000,
                                      .public_per_second = 50,
                                      .public_per_hour = 108000,
                                      .address_per_minute = 60,
                                      .subject_per_hour = 60,
                                      .address_requests_per_second = 1000,
                                      .connections = 10000,
                                      .connections_per_address = 1000,
                                      .letters_per_email_per_day = 3,
                                      .letters_per_subject_per_day = 3,
                                      .letters_per_address_per_hour = 10,
                                      .letters_per_hour = 1000 };
    c->documents.max_kilobytes = 1024;
    c->seals.every_ms = DAY_MS;
    c->timeouts = (struct conf_timeouts){ .head_ms = 15000, .body_ms = 30000, .idle_ms = 75000 };
}

static void top_check(struct reader *r, const struct yaml *n, void *base)
{
    struct conf *c = base;
    double_opt_in_check(r, n, c);
    for (uint32_t i = 0; i < c->notice_count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (c->notice[i].identifier.n > 0 &&
                str_eq(c->notice[i].identifier, c->notice[k].identifier))
                fault(r, yaml_get(n, STR("notices")), "a notice is watched in one place only");
        }
    }
}

const struct table table_top = { "The file",          "One mapping, in YAML 1.2, at most 1 MB.",
                                 top_rules,           COUNT(top_rules),
                                 sizeof(struct conf), top_init,
                                 top_check,           NULL };
