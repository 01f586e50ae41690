#include "conf/read_priv.h"

enum { DEFAULT_LIFETIME = 12, MOST_LIFETIME = 24, DEFAULT_ASK_AGAIN = 6 }; /* months */

const char *const conf_text_part[CONF_TEXT_PARTS] = { "title",        "aim",       "data",
                                                      "transfer",     "storage",   "automation",
                                                      "consequences", "withdrawal" };

/* ---- the text, in one language ---- */

#define TEXT(number, name, what)                                                                   \
    {                                                                                              \
        name, read_text, what,                                                                     \
            .needed = KIND_ANY,                                                                    \
            .at = offsetof(struct conf_text, part) + (number) * sizeof(struct str)                 \
    }

static const struct rule text_rules[] = {
    TEXT(0, "title", "a few words, as the banner shows them"),
    TEXT(1, "aim",
         "what it is for; not \"profiling\", not \"a better experience\": the aim itself"),
    TEXT(2, "data", "which data"),
    TEXT(3, "transfer", "to whom and into which country, and what safeguards it there"),
    TEXT(4, "storage", "where it is kept, and how long"),
    TEXT(5, "automation", "whether something is decided automatically, and how"),
    TEXT(6, "consequences", "what follows for the person"),
    TEXT(7, "withdrawal", "how to take it back, and what happens then"),
};
static void text_check(struct reader *r, const struct yaml *n, void *base)
{
    const struct conf_text *t = base;
    struct str empty = vague_find(t->part[1]);
    if (empty.n > 0)
        warning(r, yaml_get(n, STR("aim")),
                "'%s' tells nobody what happens: say what is done, and what for (docs/texts.md)",
                shown(r->scratch, empty));
}

const struct table table_text = {
    "purposes[].versions[].text.LANGUAGE",
    "Languages are written `en`, `de`, `pt-BR`. Every language needs every part; one may be "
    "added to a stored version, nothing else in it may change.",
    text_rules,
    COUNT(text_rules),
    sizeof(struct conf_text),
    NULL,
    text_check,
    NULL
};

static void read_languages(struct reader *r, const struct rule *rule, const struct yaml *n,
                           void *base)
{
    struct conf_version *v = base;
    if (!is_map(r, n))
        return;
    if (n->count > rule->most)
        return fault_limit(r, n, "languages", rule->most);
    if (n->count == 0)
        return fault(r, n, "a text is needed in at least one language");
    v->text = arena_array(r->arena, struct conf_text, n->count);
    for (const struct yaml *k = n->first; k != NULL; k = k->next) {
        struct conf_text *t = &v->text[v->text_count];
        if (k->reported)
            continue;
        language_check(r, n, k);
        t->language = arena_str(r->arena, k->text);
        table_read(r, &table_text, k->value, t);
        v->text_count++;
    }
}

/* ---- a version ---- */

static void read_notices(struct reader *r, const struct rule *rule, const struct yaml *n,
                         void *base)
{
    struct conf_version *v = base;
    if (!is_map(r, n))
        return;
    if (n->count > rule->most)
        return fault_limit(r, n, "notices", rule->most);
    v->notice = arena_array(r->arena, struct conf_notice_ref, n->count);
    for (const struct yaml *k = n->first; k != NULL; k = k->next) {
        long long number;
        if (k->reported || !scalar_number(r, k->value, 1, 1000000000, &number))
            continue;
        if (stood_before(n, k))
            fault(r, k, "'%s' stands twice", shown_node(r, k));
        else if (k->text.n == 0 || k->text.n > LIMIT_PREFERENCE_NAME)
            fault(r, k, "a notice is named in 1 to %d bytes", LIMIT_PREFERENCE_NAME);
        v->notice[v->notice_count++] =
            (struct conf_notice_ref){ arena_str(r->arena, k->text), (uint32_t)number };
    }
}

static const struct rule void_rules[] = {
    { "since", read_date, "from this day (00:00 UTC) no consent to this version counts",
      .needed = KIND_ANY, .at = offsetof(struct conf_version, voided_ms) },
    { "reason", read_text, "why", .needed = KIND_ANY,
      .at = offsetof(struct conf_version, void_reason) },
};
const struct table table_void = { "purposes[].versions[].void",
                                  "Takes a version out of force for good.",
                                  void_rules,
                                  COUNT(void_rules),
                                  0,
                                  NULL,
                                  NULL,
                                  NULL };

static void version_init(struct reader *r, const struct yaml *n, void *base)
{
    ((struct conf_version *)base)->place = place_of(r, n);
}

#define VERSION(member) .at = offsetof(struct conf_version, member)
static const struct rule version_rules[] = {
    { "version", read_number, "1, then 2, and so on", .needed = KIND_ANY, VERSION(version),
      .least = 1, .most = LIMIT_VERSIONS },
    { "since", read_date,
      "in force from this day, 00:00 UTC; each version's is later than the "
      "one before",
      .needed = KIND_ANY, VERSION(since_ms) },
    { "recipients", read_destinations,
      "ids of the destinations that the text names; their recipient's name and country are "
      "frozen with the version",
      VERSION(recipient), .count_at = offsetof(struct conf_version, recipient_count),
      .most = LIMIT_DESTINATIONS },
    { "notice", read_notices,
      "the legal notices that carry this text, with their version: `{privacy_policy: 7}`",
      .most = LIMIT_NOTICES_PER_ACT },
    { "text", read_languages, "what the person is told, per language", .needed = KIND_ANY,
      .most = LIMIT_LANGUAGES },
    { "void", read_inner, "see below", .table = &table_void },
};
const struct table table_version = {
    "purposes[].versions[]",
    "A stored version never changes: what differs needs a new one. At most 256.",
    version_rules,
    COUNT(version_rules),
    sizeof(struct conf_version),
    version_init,
    NULL,
    NULL
};

/* ---- a purpose ---- */

/* ---- what is taken off the device ---- */

static bool scalar_pattern(struct reader *r, const struct yaml *n, struct str *ret_s)
{
    if (!scalar(r, n, ret_s))
        return false;
    const char *star = memchr(ret_s->p, '*', ret_s->n);
    if (ret_s->n > 1 && (star == NULL || star == ret_s->p + ret_s->n - 1) &&
        memchr(ret_s->p, ';', ret_s->n) == NULL && memchr(ret_s->p, '=', ret_s->n) == NULL)
        return true;
    fault(r, n, "'%s' is not a cookie's name, like hubspotutk or _ga*", shown_node(r, n));
    return false;
}

static void read_patterns(struct reader *r, const struct rule *rule, const struct yaml *n,
                          void *base)
{
    read_list(r, rule, n, base, scalar_pattern);
}

static const struct word bases[] = { { "consent", CONF_CONSENT },
                                     { "contract", CONF_CONTRACT },
                                     { "legal_obligation", CONF_LEGAL_OBLIGATION },
                                     { "legitimate_interests", CONF_LEGITIMATE_INTERESTS },
                                     { NULL, 0 } };
static const struct word terminals[] = { { "consent", CONF_TERMINAL_CONSENT },
                                         { "strictly_necessary", CONF_TERMINAL_NECESSARY },
                                         { "exempt", CONF_TERMINAL_EXEMPT },
                                         { "none", CONF_TERMINAL_NONE },
                                         { NULL, 0 } };
static const struct word scopes[] = { { "device", CONF_DEVICE },
                                      { "person", CONF_PERSON },
                                      { NULL, 0 } };
static const struct word signals[] = { { "gpc", CONF_GPC }, { "dnt", CONF_DNT }, { NULL, 0 } };
static const struct word proofs[] = { { "required", false }, { "optional", true }, { NULL, 0 } };

static void read_proof(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    int v;
    if (scalar_word(r, n, rule->words, &v))
        ((struct conf_purpose *)base)->proof_optional = v != 0;
}

static void purpose_init(struct reader *r, const struct yaml *n, void *base)
{
    struct conf_purpose *p = base;
    p->place = place_of(r, n);
    p->lifetime = (struct duration){ .months = DEFAULT_LIFETIME };
    p->ask_again_after_refusal = (struct duration){ .months = DEFAULT_ASK_AGAIN };
}

static const struct yaml *key_or(const struct yaml *n, const char *key)
{
    const struct yaml *v = yaml_get(n, str_of(key));
    return v != NULL ? v : n;
}

static void check_reasons(struct reader *r, const struct yaml *n, const struct conf_purpose *p)
{
    static const char *const needed[] = { "reason", "assessment", "date" };
    bool other = p->basis != CONF_CONSENT, unasked = p->terminal_access != CONF_TERMINAL_CONSENT;
    for (size_t i = 0; i < COUNT(needed); i++) {
        if (yaml_get(n, str_of(needed[i])) != NULL)
            continue;
        if (other)
            fault(r, key_or(n, "basis"), "a basis other than consent needs '%s'", needed[i]);
        else if (unasked && i == 0)
            fault(r, key_or(n, "terminal_access"),
                  "terminal access other than by consent needs '%s'", needed[i]);
    }
}

static void check_lifetime(struct reader *r, const struct yaml *n, const struct conf_purpose *p)
{
    const struct yaml *at = yaml_get(n, STR("lifetime"));
    if (at == NULL)
        return;
    int64_t start = 1704067200000; /* 2024-01-01: a leap year, so that 731 days are two years */
    int64_t end = time_add(start, p->lifetime);
    if (end <= start)
        fault(r, at, "a lifetime must be longer than zero");
    else if (end > time_add(start, (struct duration){ .months = MOST_LIFETIME }))
        fault(r, at, "a lifetime is at most %d months", MOST_LIFETIME);
    else if (end > time_add(start, (struct duration){ .months = DEFAULT_LIFETIME }))
        warning(r, at, "more than %d months is longer than authorities advise", DEFAULT_LIFETIME);
}

/* Numbered 1, 2, 3 … with later and later days. */
static void check_versions(struct reader *r, const struct yaml *n, const struct conf_purpose *p)
{
    const struct yaml *item = yaml_get(n, STR("versions"));
    item = item != NULL ? item->first : NULL;
    for (uint32_t i = 0; i < p->version_count && item != NULL; i++, item = item->next) {
        const struct conf_version *v = &p->version[i];
        if (v->version != 0 && v->version != i + 1)
            fault(r, key_or(item, "version"), "version %u must be %u: they are numbered from 1",
                  v->version, i + 1);
        if (i > 0 && v->since_ms != 0 && v->since_ms <= v[-1].since_ms)
            fault(r, key_or(item, "since"), "version %u must begin later than version %u", i + 1,
                  i);
    }
}

static void purpose_check(struct reader *r, const struct yaml *n, void *base)
{
    const struct conf_purpose *p = base;
    check_reasons(r, n, p);
    check_lifetime(r, n, p);
    check_versions(r, n, p);
    const struct yaml *versions = yaml_get(n, STR("versions"));
    if (versions != NULL && versions->type == YAML_LIST && versions->count == 0)
        fault(r, versions, "'versions' must name at least one");
    if (p->double_opt_in && p->scope == CONF_DEVICE)
        warning(r, key_or(n, "double_opt_in"),
                "a device cannot confirm an address: with scope device nothing is permitted");
    if (p->basis != CONF_CONSENT && p->id.n &&
        (str_eq(p->id, STR("linking")) || str_eq(p->id, STR("recording"))))
        fault(r, key_or(n, "basis"), "'%.*s' accepts consent only", STR_ARG(p->id));
}

#define PURPOSE(member) .at = offsetof(struct conf_purpose, member)
static const struct rule purpose_rules[] = {
    { "id", read_id, "a to z, 0 to 9, `_`; used in the consent interface as the preference's name",
      .needed = KIND_ANY, PURPOSE(id) },
    { "basis", read_word,
      "`consent` (default), `contract`, `legal_obligation`, `legitimate_interests`; anything but "
      "consent needs `reason`, `assessment` and `date`",
      PURPOSE(basis), .words = bases },
    { "terminal_access", read_word,
      "may the device be read or written: by `consent` (default), because `strictly_necessary` or "
      "`exempt`, or `none`; anything but consent needs `reason`",
      PURPOSE(terminal_access), .words = terminals },
    { "scope", read_word, "`device` (default) or `person`: whose consent it is", PURPOSE(scope),
      .words = scopes },
    { "separate", read_bool,
      "`true`: never granted by \"accept all\"; default `false`, for linking and recording `true`",
      PURPOSE(separate) },
    { "lifetime", read_duration, "a grant's, default 12 months, at most 24", PURPOSE(lifetime) },
    { "double_opt_in", read_bool,
      "`true`: permits nothing before the address is verified; "
      "default `false`",
      PURPOSE(double_opt_in) },
    { "honours", read_word_bits, "`[gpc, dnt]`: signals that count as a refusal; default none",
      PURPOSE(honours), .words = signals },
    { "ask_again_after_refusal", read_duration, "default 6 months",
      PURPOSE(ask_again_after_refusal) },
    { "proof", read_proof,
      "`required` (default) or `optional`: whether a bare grant permits "
      "anything",
      .words = proofs },
    { "reason", read_text, "why this basis, or why without asking", PURPOSE(reason) },
    { "assessment", read_text, "where the assessment is found, or its result",
      PURPOSE(assessment) },
    { "date", read_date, "the day of the assessment", PURPOSE(assessed_ms) },
    { "consent_category", read_lines,
      "names in an event's `context.consent` that also stand for this purpose, at most 16",
      PURPOSE(consent_category), .count_at = offsetof(struct conf_purpose, consent_category_count),
      .most = LIMIT_CATEGORIES },
    { "forget", read_patterns,
      "cookies, and entries of the page's storage, that scripts of this purpose leave: "
      "`hubspotutk`, `_ga*`; "
      "`/sdk/licet.js` deletes them when it is declined or withdrawn; at most 64",
      PURPOSE(forget.name), .count_at = offsetof(struct conf_purpose, forget.count),
      .most = LIMIT_FORGET },
    { "versions", read_tables, "at least one", .needed = KIND_ANY, PURPOSE(version),
      .count_at = offsetof(struct conf_purpose, version_count), .table = &table_version,
      .most = LIMIT_VERSIONS },
};
const struct table table_purpose = { "purposes[]",
                                     "What people are asked for. At most 64.",
                                     purpose_rules,
                                     COUNT(purpose_rules),
                                     sizeof(struct conf_purpose),
                                     purpose_init,
                                     purpose_check,
                                     NULL };
