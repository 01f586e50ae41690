/* The banner of GET /sdk/licet.js: its words, and what it tells other scripts. */
#include "conf/words.h"

#include "conf/read_priv.h"

enum {
    LIMIT_COOKIE_NAME = 64,
    LIMIT_COOKIE_DAYS = 400, /* browsers keep none for longer (draft-ietf-httpbis-rfc6265bis) */
    COOKIE_MONTHS = 6,
};

const char *const conf_word_language[CONF_WORD_LANGUAGES] = { "en", "de", "nl" };
const struct conf_word_text conf_word_text[CONF_WORDS] = {
#define WORD_TEXT(name, meaning, en, de, nl) { #name, { en, de, nl } },
    CONF_WORDS_EACH(WORD_TEXT)
#undef WORD_TEXT
};

const char *const conf_signal_name[CONF_SIGNALS] = {
    [CONF_GOOGLE_AD_STORAGE] = "ad_storage",
    [CONF_GOOGLE_AD_USER_DATA] = "ad_user_data",
    [CONF_GOOGLE_AD_PERSONALIZATION] = "ad_personalization",
    [CONF_GOOGLE_ANALYTICS_STORAGE] = "analytics_storage",
    [CONF_GOOGLE_FUNCTIONALITY_STORAGE] = "functionality_storage",
    [CONF_GOOGLE_PERSONALIZATION_STORAGE] = "personalization_storage",
    [CONF_GOOGLE_SECURITY_STORAGE] = "security_storage",
    [CONF_CLARITY_AD_STORAGE] = "ad_Storage",
    [CONF_CLARITY_ANALYTICS_STORAGE] = "analytics_Storage",
    [CONF_HUBSPOT_ANALYTICS] = "analytics",
    [CONF_HUBSPOT_ADVERTISEMENT] = "advertisement",
    [CONF_HUBSPOT_FUNCTIONALITY] = "functionality",
};

/* ---- what other scripts are told ---- */

#define SIGNAL(key, n)                                                                             \
    {                                                                                              \
        key, read_purposes, "ids of purposes",                                                     \
            .least = 1, .most = LIMIT_PURPOSES_PER_USE,                                            \
            .at = offsetof(struct conf, banner.signal) + (n) * sizeof(struct conf_names) +         \
                  offsetof(struct conf_names, name),                                               \
            .count_at = offsetof(struct conf, banner.signal) + (n) * sizeof(struct conf_names) +   \
                        offsetof(struct conf_names, count)                                         \
    }

static const struct rule google_rules[] = {
    SIGNAL("ad_storage", CONF_GOOGLE_AD_STORAGE),
    SIGNAL("ad_user_data", CONF_GOOGLE_AD_USER_DATA),
    SIGNAL("ad_personalization", CONF_GOOGLE_AD_PERSONALIZATION),
    SIGNAL("analytics_storage", CONF_GOOGLE_ANALYTICS_STORAGE),
    SIGNAL("functionality_storage", CONF_GOOGLE_FUNCTIONALITY_STORAGE),
    SIGNAL("personalization_storage", CONF_GOOGLE_PERSONALIZATION_STORAGE),
    SIGNAL("security_storage", CONF_GOOGLE_SECURITY_STORAGE),
};
const struct table table_banner_google = { "banner.google",
                                           "Google's Consent Mode. `granted` when every purpose "
                                           "named is granted in this browser; else, and "
                                           "where none is named, `denied`.",
                                           google_rules,
                                           COUNT(google_rules),
                                           0,
                                           NULL,
                                           NULL,
                                           NULL };

static const struct rule clarity_rules[] = {
    SIGNAL("ad_storage", CONF_CLARITY_AD_STORAGE),
    SIGNAL("analytics_storage", CONF_CLARITY_ANALYTICS_STORAGE),
};
const struct table table_banner_clarity = { "banner.clarity",
                                            "Microsoft Clarity's `consentv2`, likewise.",
                                            clarity_rules,
                                            COUNT(clarity_rules),
                                            0,
                                            NULL,
                                            NULL,
                                            NULL };

static const struct rule hubspot_rules[] = {
    SIGNAL("analytics", CONF_HUBSPOT_ANALYTICS),
    SIGNAL("advertisement", CONF_HUBSPOT_ADVERTISEMENT),
    SIGNAL("functionality", CONF_HUBSPOT_FUNCTIONALITY),
};
const struct table table_banner_hubspot = { "banner.hubspot",
                                            "HubSpot's `setHubSpotConsent`, likewise.",
                                            hubspot_rules,
                                            COUNT(hubspot_rules),
                                            0,
                                            NULL,
                                            NULL,
                                            NULL };

/* ---- the cookie ---- */

/* RFC 6265 has more; these need no quoting, neither here nor in whatever reads them. */
static bool cookie_name_ok(struct str s)
{
    bool ok = s.n > 0 && s.n <= LIMIT_COOKIE_NAME;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        ok = ok && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-');
    }
    return ok;
}

static void read_cookie_name(struct reader *r, const struct rule *rule, const struct yaml *n,
                             void *base)
{
    struct str s;
    if (!scalar(r, n, &s))
        return;
    if (!cookie_name_ok(s))
        return fault(r, n, "'%s' is not like licet_id: letters, digits, - and _, at most %d",
                     shown_node(r, n), LIMIT_COOKIE_NAME);
    if (str_eq(s, STR("licet_device")))
        return fault(r, n, "'licet_device' is the cookie that licet's own server sets");
    *(struct str *)((char *)base + rule->at) = s;
}

static void read_cookie_domain(struct reader *r, const struct rule *rule, const struct yaml *n,
                               void *base)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str s;
    struct web w;
    if (!scalar(r, n, &s))
        return;
    bool ok = memchr(s.p, '/', s.n) == NULL && memchr(s.p, ':', s.n) == NULL &&
              memchr(s.p, '.', s.n) != NULL && s.p[0] != '.' &&
              web_parse(arena_printf(&a, "https://%.*s", STR_ARG(s)), &w) && !w.address;
    if (!ok)
        return fault(r, n, "'%s' is not a domain, like shop.example", shown_node(r, n));
    *(struct str *)((char *)base + rule->at) = s;
}

static void read_cookie_life(struct reader *r, const struct rule *rule, const struct yaml *n,
                             void *base)
{
    struct duration d;
    if (!scalar_duration(r, n, &d))
        return;
    int64_t ms = time_add(0, d);
    if (ms < DAY_MS || ms > LIMIT_COOKIE_DAYS * DAY_MS)
        return fault(r, n, "must be between 1d and %dd", LIMIT_COOKIE_DAYS);
    *(struct duration *)((char *)base + rule->at) = d;
}

#define COOKIE(member) offsetof(struct conf, banner.cookie.member)
static const struct rule cookie_rules[] = {
    { "name", read_cookie_name, "letters, digits, `-` and `_`", .needed = KIND_ANY,
      .at = COOKIE(name) },
    { "domain", read_cookie_domain,
      "like `shop.example`, whose subdomains get it as well; default: the page's host alone",
      .at = COOKIE(domain) },
    { "lifetime", read_cookie_life,
      "from the grant on, 1 to 400 days; default 6 months; it ends with the grant at the latest",
      .at = COOKIE(lifetime) },
};
static void cookie_init(struct reader *r, const struct yaml *n, void *base)
{
    (void)r, (void)n;
    ((struct conf *)base)->banner.cookie.lifetime.months = COOKIE_MONTHS;
}
const struct table table_banner_cookie = {
    "banner.cookie",
    "A cookie with this browser's id, which the site's own server can read. It is there while one "
    "of "
    "`events` is granted, and at no other time.",
    cookie_rules,
    COUNT(cookie_rules),
    0,
    cookie_init,
    NULL,
    NULL
};

/* ---- words ---- */

static void read_link(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct str s;
    struct web w;
    if (!scalar(r, n, &s))
        return;
    bool path = s.n > 0 && s.p[0] == '/' && !(s.n > 1 && s.p[1] == '/');
    if (!path && !web_parse(s, &w))
        return fault(r, n, "'%s' is not like https://shop.example/privacy or /privacy",
                     shown_node(r, n));
    *(struct str *)((char *)base + rule->at) = s;
}

static const struct rule words_rules[] = {
    { "privacy_policy", read_link, "where it is found, `https://…` or `/…`; default: no link",
      .at = offsetof(struct conf_words, privacy_policy) },
    { "imprint_page", read_link, "likewise", .at = offsetof(struct conf_words, imprint_page) },
#define WORD_RULE(name, meaning, en, de, nl)                                                       \
    { #name, read_line, meaning,                                                                   \
      .at = offsetof(struct conf_words, word) + WORD_##name * sizeof(struct str) },
    CONF_WORDS_EACH(WORD_RULE)
#undef WORD_RULE
};
const struct table table_banner_words = {
    "banner.texts.LANGUAGE",
    "Words of the banner itself. Those of `en`, `de` and `nl` are built in and may be said "
    "otherwise "
    "here; what another language lacks is said in English. At most 64 languages.",
    words_rules,
    COUNT(words_rules),
    sizeof(struct conf_words),
    NULL,
    NULL,
    NULL
};

static void read_texts(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct conf_banner *b = &((struct conf *)base)->banner;
    if (!is_map(r, n))
        return;
    if (n->count > rule->most)
        return fault_limit(r, n, "languages", rule->most);
    b->words = arena_array(r->arena, struct conf_words, n->count);
    for (const struct yaml *k = n->first; k != NULL; k = k->next) {
        if (k->reported)
            continue;
        language_check(r, n, k);
        struct conf_words *w = &b->words[b->words_count++];
        w->language = arena_str(r->arena, k->text);
        table_read(r, &table_banner_words, k->value, w);
    }
}

static void read_language(struct reader *r, const struct rule *rule, const struct yaml *n,
                          void *base)
{
    struct str s;
    if (!scalar(r, n, &s))
        return;
    if (!language_ok(s))
        return fault(r, n, "'%s' is not a language, like en or pt-BR", shown_node(r, n));
    *(struct str *)((char *)base + rule->at) = s;
}

#define BANNER(member) offsetof(struct conf, banner.member)
static const struct rule banner_rules[] = {
    { "language", read_language,
      "when none of the visitor's is there; default: that of the first text of the first purpose",
      .at = BANNER(language) },
    { "texts", read_texts, "see below; default: the words built in", .most = LIMIT_LANGUAGES },
    { "events", read_purposes,
      "ids of purposes: the script sends page views and events once one of these is granted; "
      "default: those of scope "
      "`device` that a destination requires",
      .at = BANNER(events.name), .count_at = BANNER(events.count), .least = 1,
      .most = LIMIT_PURPOSES },
    { "google", read_inner, "see below; without it Google's Consent Mode hears `denied`",
      .table = &table_banner_google },
    { "clarity", read_inner, "see below; without it Clarity is told nothing",
      .table = &table_banner_clarity },
    { "hubspot", read_inner, "see below; without it HubSpot is told nothing",
      .table = &table_banner_hubspot },
    { "cookie", read_inner, "see below; default: no cookie, the id is in the page's storage alone",
      .table = &table_banner_cookie },
};
const struct table table_banner = { "banner",
                                    "What `/sdk/licet.js` shows and does beside what the purposes "
                                    "say: see [sdk.md](sdk.md).",
                                    banner_rules,
                                    COUNT(banner_rules),
                                    0,
                                    NULL,
                                    NULL,
                                    NULL };
