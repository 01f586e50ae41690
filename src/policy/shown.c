#include "policy/shown.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/json.h"
#include "codec/json_write.h"
#include "codec/locale.h"

struct showing {
    const struct policy *p;
    int64_t at_ms;
    struct str language; /* of the words */
    struct buf *to;
    struct arena *a;
};

static void put_item(struct buf *to, struct str value)
{
    write_comma(to);
    json_write_string(to, value);
}

static void put_names(struct buf *to, const char *n, const struct conf_names *list)
{
    write_name(to, str_of(n));
    buf_byte(to, '[');
    for (uint32_t i = 0; i < list->count; i++)
        put_item(to, list->name[i]);
    buf_byte(to, ']');
}

/* ---- which language ---- */

static struct str primary(struct str language)
{
    struct str first, rest = language;
    (void)str_next(&rest, '-', &first);
    return first;
}

/* 3: the very language, 2: it without its region, 1: the same with another region; 0: another. */
static int nearness(struct str wanted, struct str has)
{
    if (wanted.n == 0)
        return 0;
    if (str_eq_nocase(wanted, has))
        return 3;
    if (str_eq_nocase(primary(wanted), has))
        return 2;
    return str_eq_nocase(primary(wanted), primary(has));
}

static const struct conf_text *text_in(const struct conf_version *v, struct str language)
{
    const struct conf_text *best = NULL;
    int near = 0;
    for (uint32_t i = 0; i < v->text_count; i++) {
        int n = nearness(language, v->text[i].language);
        if (n > near) {
            near = n;
            best = &v->text[i];
        }
    }
    return best;
}

static bool is_void(const struct policy_version *v, int64_t at_ms)
{
    return v->voided_ms != 0 && v->voided_ms <= at_ms;
}

static const struct policy_version *shown_version(const struct policy_purpose *p, int64_t at_ms)
{
    const struct policy_version *v = policy_version_at(p, at_ms);
    return v != NULL && !is_void(v, at_ms) ? v : NULL;
}

static const struct conf_version *conf_of(const struct policy_purpose *p,
                                          const struct policy_version *v)
{
    return &p->conf->version[v - p->version];
}

/* As the text calls it that is nearest; empty when no purpose is told in it. */
static struct str told_in(const struct showing *x, struct str language)
{
    struct str found = { 0 };
    int near = 0;
    for (uint32_t i = 0; i < x->p->purpose_count; i++) {
        const struct policy_purpose *p = &x->p->purpose[i];
        const struct policy_version *v = shown_version(p, x->at_ms);
        const struct conf_text *t = v != NULL ? text_in(conf_of(p, v), language) : NULL;
        int n = t != NULL ? nearness(language, t->language) : 0;
        if (n > near) {
            near = n;
            found = t->language;
        }
    }
    return found;
}

static struct str own_language(const struct showing *x)
{
    const struct conf *c = x->p->conf;
    if (c->banner.language.n != 0)
        return c->banner.language;
    if (c->purpose_count != 0 && c->purpose[0].version[0].text_count != 0)
        return c->purpose[0].version[0].text[0].language;
    return STR("en");
}

static struct str choose_language(const struct showing *x, struct str wanted)
{
    struct str one;
    for (int i = 0; i < LIMIT_SHOWN_LANGUAGES && str_next(&wanted, ',', &one); i++) {
        struct str found = told_in(x, str_trim(one));
        if (found.n != 0)
            return found;
    }
    return own_language(x);
}

/* ---- words ---- */

static const struct conf_words *words_in(const struct conf *c, struct str language)
{
    const struct conf_words *best = NULL;
    int near = 0;
    for (uint32_t i = 0; i < c->banner.words_count; i++) {
        int n = nearness(language, c->banner.words[i].language);
        if (n > near) {
            near = n;
            best = &c->banner.words[i];
        }
    }
    return best;
}

static int built_in(struct str language)
{
    for (int i = 0; i < CONF_WORD_LANGUAGES; i++) {
        if (nearness(language, str_of(conf_word_language[i])) > 0)
            return i;
    }
    return 0; /* English */
}

static void put_words(const struct showing *x)
{
    const struct conf_words *own = words_in(x->p->conf, x->language);
    int number = built_in(x->language);
    write_name(x->to, STR("words"));
    buf_byte(x->to, '{');
    for (int i = 0; i < CONF_WORDS; i++) {
        bool said = own != NULL && own->word[i].n != 0;
        write_text(x->to, conf_word_text[i].name,
                   said ? own->word[i] : str_of(conf_word_text[i].text[number]));
    }
    buf_byte(x->to, '}');
    write_text_or_null(x->to, "privacy_policy", own ? own->privacy_policy : STR(""));
    write_text_or_null(x->to, "imprint", own ? own->imprint_page : STR(""));
}

/* ---- a purpose ---- */

static bool has_recipient(const struct policy_version *v, const struct policy_recipient *r)
{
    for (uint32_t i = 0; i < v->recipient_count; i++) {
        if (str_eq(v->recipient[i].name, r->name) &&
            strcmp(v->recipient[i].country, r->country) == 0)
            return true;
    }
    return false;
}

static bool recipient_is_new(const struct policy_version *from, const struct policy_version *to)
{
    for (uint32_t i = 0; i < to->recipient_count; i++) {
        if (!has_recipient(from, &to->recipient[i]))
            return true;
    }
    return false;
}

/* What the text after `from` says otherwise: parts by name, "recipients" when one is named that was not. */
static void put_change(const struct showing *x, const struct policy_purpose *p, uint32_t from,
                       struct str language)
{
    const struct conf_version *a = &p->conf->version[from], *b = a + 1;
    const struct conf_text *old = text_in(a, language), *new = text_in(b, language);
    write_comma(x->to);
    buf_printf(x->to, "{\"version\":%u,\"parts\":[", b->version);
    for (int i = 0; i < CONF_TEXT_PARTS; i++) {
        if (old == NULL || new == NULL || !str_eq(old->part[i], new->part[i]))
            put_item(x->to, str_of(conf_text_part[i]));
    }
    if (recipient_is_new(&p->version[from], &p->version[from + 1]))
        put_item(x->to, STR("recipients"));
    buf_lit(x->to, "]}");
}

static void put_text(const struct showing *x, const struct policy_purpose *p,
                     const struct policy_version *v)
{
    const struct conf_version *c = conf_of(p, v);
    const struct conf_text *t = text_in(c, x->language);
    if (t == NULL)
        t = &c->text[0];
    write_text(x->to, "language", t->language);
    write_name(x->to, STR("text"));
    buf_byte(x->to, '{');
    for (int i = 0; i < CONF_TEXT_PARTS; i++)
        write_text(x->to, conf_text_part[i], t->part[i]);
    buf_byte(x->to, '}');
    write_name(x->to, STR("void"));
    buf_byte(x->to, '[');
    for (uint32_t i = 0; i < p->version_count; i++) {
        if (is_void(&p->version[i], x->at_ms)) {
            write_comma(x->to);
            buf_printf(x->to, "%u", p->version[i].version);
        }
    }
    buf_byte(x->to, ']');
    write_name(x->to, STR("changes"));
    buf_byte(x->to, '[');
    for (uint32_t i = 0; &p->version[i] < v; i++)
        put_change(x, p, i, t->language);
    buf_byte(x->to, ']');
}

/* With its name: a browser takes long to load those of all countries. */
static void put_country(const struct showing *x, const char *code)
{
    write_text(x->to, "country", str_of(code));
    write_text(x->to, "country_name", locale_country(x->language, code, x->a));
}

static void put_dates(const struct showing *x)
{
    struct locale_dates d;
    locale_dates(x->language, x->a, &d);
    write_name(x->to, STR("dates"));
    buf_byte(x->to, '[');
    for (int m = 0; m < 12; m++)
        put_item(x->to, d.month[m]);
    buf_byte(x->to, ']');
}

static void put_recipients(const struct showing *x, const struct policy_version *v)
{
    write_name(x->to, STR("recipients"));
    buf_byte(x->to, '[');
    for (uint32_t i = 0; i < v->recipient_count; i++) {
        bool twice = false;
        for (uint32_t k = 0; k < i; k++)
            twice |= str_eq(v->recipient[k].name, v->recipient[i].name) &&
                     strcmp(v->recipient[k].country, v->recipient[i].country) == 0;
        if (twice)
            continue;
        write_comma(x->to);
        buf_byte(x->to, '{');
        write_text(x->to, "name", v->recipient[i].name);
        put_country(x, v->recipient[i].country);
        buf_byte(x->to, '}');
    }
    buf_byte(x->to, ']');
    write_name(x->to, STR("notices"));
    buf_byte(x->to, '[');
    for (uint32_t i = 0; i < v->notice_count; i++) {
        write_comma(x->to);
        buf_byte(x->to, '{');
        write_text(x->to, "identifier", v->notice[i].identifier);
        write_number(x->to, "version", v->notice[i].version);
        buf_byte(x->to, '}');
    }
    buf_byte(x->to, ']');
}

/* A browser counts in days; the gate counts in calendar months. */
static unsigned days_of(struct duration d)
{
    return (unsigned)(d.months * 365LL / 12 + d.ms / DAY_MS);
}

static void put_rules(const struct showing *x, const struct conf_purpose *c)
{
    static const char *const basis[] = { "consent", "contract", "legal_obligation",
                                         "legitimate_interests" };
    static const char *const terminal[] = { "consent", "strictly_necessary", "exempt", "none" };
    write_text(x->to, "basis", str_of(basis[c->basis]));
    write_text(x->to, "terminal_access", str_of(terminal[c->terminal_access]));
    write_text(x->to, "scope", c->scope == CONF_DEVICE ? STR("device") : STR("person"));
    write_bool(x->to, "separate", c->separate);
    write_name(x->to, STR("honours"));
    buf_byte(x->to, '[');
    if (c->honours & CONF_GPC)
        put_item(x->to, STR("gpc"));
    if (c->honours & CONF_DNT)
        put_item(x->to, STR("dnt"));
    buf_byte(x->to, ']');
    put_names(x->to, "forget", &c->forget);
    write_number(x->to, "lifetime_days", days_of(c->lifetime));
    write_number(x->to, "ask_again_days", days_of(c->ask_again_after_refusal));
}

static void put_purposes(const struct showing *x)
{
    write_name(x->to, STR("purposes"));
    buf_byte(x->to, '[');
    for (uint32_t i = 0; i < x->p->purpose_count; i++) {
        const struct policy_purpose *p = &x->p->purpose[i];
        const struct policy_version *v = shown_version(p, x->at_ms);
        if (v == NULL)
            continue;
        write_comma(x->to);
        buf_byte(x->to, '{');
        write_text(x->to, "id", p->conf->id);
        write_number(x->to, "version", v->version);
        write_day(x->to, "since", v->since_ms);
        put_rules(x, p->conf);
        put_recipients(x, v);
        put_text(x, p, v);
        buf_byte(x->to, '}');
    }
    buf_byte(x->to, ']');
}

/* ---- what the script does ---- */

/* Purposes of the device that some destination requires. */
static void put_needed_events(const struct showing *x)
{
    write_name(x->to, STR("events"));
    buf_byte(x->to, '[');
    for (uint32_t i = 0; i < x->p->purpose_count; i++) {
        bool required = false;
        for (uint32_t u = 0; u < x->p->use_count; u++) {
            for (uint32_t k = 0; k < x->p->use[u].require_count; k++)
                required |= x->p->use[u].require[k] == i;
        }
        if (required && x->p->purpose[i].conf->scope == CONF_DEVICE)
            put_item(x->to, x->p->purpose[i].conf->id);
    }
    buf_byte(x->to, ']');
}

static void put_signals(const struct showing *x, const char *system, int first, int end)
{
    const struct conf_names *s = x->p->conf->banner.signal;
    bool any = false;
    for (int i = first; i < end; i++)
        any |= s[i].count != 0;
    if (!any)
        return; /* of a system that nobody named nothing is said */
    write_name(x->to, str_of(system));
    buf_byte(x->to, '{');
    for (int i = first; i < end; i++)
        put_names(x->to, conf_signal_name[i], &s[i]);
    buf_byte(x->to, '}');
}

/* ---- a platform that asks instead ---- */

static void put_key(const struct showing *x, const struct conf_cmp_entry *e)
{
    static const char *const kind[] = { [CONF_TCF_PURPOSE] = "purpose",
                                        [CONF_TCF_SPECIAL_FEATURE] = "special feature",
                                        [CONF_TCF_VENDOR] = "vendor" };
    write_name(x->to, STR("keys"));
    buf_byte(x->to, '[');
    if (e->part_count == 0)
        put_item(x->to, e->key);
    for (uint32_t i = 0; i < e->part_count; i++) {
        write_comma(x->to);
        buf_printf(x->to, "\"%s %u\"", kind[e->part[i].kind], e->part[i].number);
    }
    buf_byte(x->to, ']');
}

static void put_cmp(const struct showing *x)
{
    const struct conf_cmp *c = &x->p->conf->cmp;
    if (c->provider == CONF_CMP_NONE)
        return;
    write_name(x->to, STR("cmp"));
    buf_byte(x->to, '{');
    write_text(x->to, "provider", str_of(conf_cmp_name[c->provider]));
    write_name(x->to, STR("map"));
    buf_byte(x->to, '[');
    for (uint32_t i = 0; i < c->entry_count; i++) {
        const struct conf_cmp_entry *e = &c->entry[i];
        uint32_t index = policy_purpose_index(x->p, e->purpose);
        const struct policy_version *v =
            index == UINT32_MAX ? NULL : policy_version_numbered(&x->p->purpose[index], e->version);
        /* what may not be bound is not mapped: the page must not hold for granted what the gate denies */
        if (v == NULL || v->since_ms > x->at_ms || is_void(v, x->at_ms) ||
            !policy_version_is_recent(v, x->at_ms))
            continue;
        write_comma(x->to);
        buf_byte(x->to, '{');
        put_key(x, e);
        write_text(x->to, "purpose", e->purpose);
        write_number(x->to, "version", v->version);
        write_day(x->to, "since", v->since_ms);
        buf_byte(x->to, '}');
    }
    buf_lit(x->to, "]}");
}

static void put_cookie(const struct showing *x)
{
    const struct conf_cookie *c = &x->p->conf->banner.cookie;
    if (c->name.n == 0)
        return;
    write_name(x->to, STR("cookie"));
    buf_byte(x->to, '{');
    write_text(x->to, "name", c->name);
    write_text_or_null(x->to, "domain", c->domain);
    write_number(x->to, "days", days_of(c->lifetime));
    buf_byte(x->to, '}');
}

enum err policy_shown(const struct policy *p, struct str wanted, int64_t at_ms, struct arena *a,
                      struct str *ret_json)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(LIMIT_SHOWN);
    const struct conf *c = p->conf;
    struct showing x = { .p = p, .at_ms = at_ms, .to = &to, .a = a };
    x.language = choose_language(&x, wanted);
    buf_byte(&to, '{');
    write_text(&to, "language", x.language);
    write_name(&to, STR("controller"));
    buf_byte(&to, '{');
    write_text(&to, "name", c->controller_name);
    put_country(&x, c->controller_country);
    write_text(&to, "contact", c->controller_contact);
    buf_byte(&to, '}');
    put_purposes(&x);
    put_words(&x);
    put_dates(&x);
    if (c->banner.events.count != 0)
        put_names(&to, "events", &c->banner.events);
    else
        put_needed_events(&x);
    put_signals(&x, "google", CONF_GOOGLE_AD_STORAGE, CONF_CLARITY_AD_STORAGE);
    put_signals(&x, "clarity", CONF_CLARITY_AD_STORAGE, CONF_HUBSPOT_ANALYTICS);
    put_signals(&x, "hubspot", CONF_HUBSPOT_ANALYTICS, CONF_SIGNALS);
    put_cookie(&x);
    put_cmp(&x);
    buf_byte(&to, '}');
    if (to.over)
        return ERR_LIMIT;
    *ret_json = arena_str(a, buf_view(&to));
    return OK;
}
