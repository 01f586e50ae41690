/* Letters that ask for a confirmation: by whom they go, and what they say. */
#include "conf/read_priv.h"

#include "codec/letter.h"

enum { DEFAULT_LIFE_MS = 2 * DAY_MS, LEAST_LIFE_MS = 60 * 1000 };

/* ---- the mail server ---- */

static const struct {
    struct str scheme;
    enum conf_smtp kind;
    uint16_t port;
} schemes[] = {
    { STR_INIT("smtps://"), CONF_SMTP_TLS, 465 },
    { STR_INIT("smtp+starttls://"), CONF_SMTP_STARTTLS, 587 },
    { STR_INIT("smtp://"), CONF_SMTP_PLAIN, 25 },
};

static void read_smtp(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct conf_mail *m = base;
    struct str s;
    struct web w;
    (void)rule;
    if (!scalar(r, n, &s))
        return;
    size_t i = 0;
    while (i < COUNT(schemes) && !str_starts(s, schemes[i].scheme))
        i++;
    struct str skipped = i < COUNT(schemes) ? schemes[i].scheme : s;
    struct str rest = { s.p + skipped.n, s.n - skipped.n };
    if (i == COUNT(schemes) ||
        !web_parse(arena_printf(r->arena, "https://%.*s", STR_ARG(rest)), &w) || w.rest.n > 0)
        return fault(r, n, "a mail server is like smtps://mail.example:465, or smtp+starttls://…");
    m->kind = schemes[i].kind;
    m->port = w.port ? w.port : schemes[i].port;
    bool six = memchr(w.host.p, ':', w.host.n) != NULL;
    m->host = six ? arena_printf(r->arena, "[%.*s]", STR_ARG(w.host)) : w.host;
    m->remote.endpoint = s;
    if (m->kind == CONF_SMTP_PLAIN && !w.near)
        fault(r, n, "without TLS a mail server must be near: smtps:// or smtp+starttls://");
    m->near = w.near;
    m->address = w.address;
}

/* Muster GmbH <letters@muster.example>, or the address alone */
static void read_from(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct conf_mail *m = base;
    struct str s, name = { 0 };
    (void)rule;
    if (!scalar(r, n, &s))
        return;
    struct str address = s;
    const char *open = memrchr(s.p, '<', s.n);
    if (open != NULL && s.p[s.n - 1] == '>') {
        name = str_trim((struct str){ s.p, (size_t)(open - s.p) });
        address = (struct str){ open + 1, (size_t)(s.p + s.n - open) - 2 };
    }
    if (!mailbox_ok(address))
        return fault(r, n, "'%s' is not like letters@muster.example, or Name <address>",
                     shown_node(r, n));
    m->from_name = name;
    m->from_address = address;
}

static void mail_check(struct reader *r, const struct yaml *n, void *base)
{
    const struct conf_mail *m = base;
    const struct yaml *user = yaml_get(n, STR("user")), *password = yaml_get(n, STR("password")),
                      *tls = yaml_get(n, STR("tls"));
    if ((user == NULL) != (password == NULL))
        fault(r, user != NULL ? user : password, "'user' and 'password' go together");
    if (m->kind == CONF_SMTP_NONE)
        return;
    if (m->near && m->address && !m->remote.allow_private_addresses)
        fault(r, yaml_get(n, STR("smtp")),
              "a private address is called only with 'allow_private_addresses: true'");
    if (tls != NULL && m->kind == CONF_SMTP_PLAIN)
        fault(r, tls, "'tls' is for a mail server that is called by it");
}

#define MAIL(member) .at = offsetof(struct conf_mail, member)
static const struct rule mail_rules[] = {
    { "smtp", read_smtp,
      "`smtps://host:465` or `smtp+starttls://host:587`; `smtp://host:25` for one in a private "
      "network alone",
      .needed = KIND_ANY },
    { "user", read_credential, "name for the mail server; default: none is said", MAIL(user) },
    { "password", read_credential, "the same for its password, or `{file: PATH}`", MAIL(password) },
    { "from", read_from, "sender: `Muster GmbH <letters@muster.example>`, or the address alone",
      .needed = KIND_ANY },
    { "allow_private_addresses", read_bool,
      "`true`: the mail server may stand in a private network; default `false`",
      MAIL(remote.allow_private_addresses) },
    { "tls", read_inner, "as of destinations", .table = &table_destination_tls },
};
const struct table table_mail = { "double_opt_in.mail",
                                  "The mail server that takes the letters. It is verified always; "
                                  "TLS 1.2 is the least.",
                                  mail_rules,
                                  COUNT(mail_rules),
                                  0,
                                  NULL,
                                  mail_check,
                                  NULL };

static void read_mail(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    table_read(r, rule->table, n, &((struct conf *)base)->double_opt_in.mail);
}

/* ---- letters ---- */

static void check_placeholders(struct reader *r, const struct yaml *n, struct str text,
                               bool *ret_link)
{
    static const struct str known[] = { STR_INIT("link"), STR_INIT("controller"),
                                        STR_INIT("purposes"), STR_INIT("until") };
    *ret_link = false;
    while (text.n > 0) {
        const char *open = memmem(text.p, text.n, "{{", 2);
        const char *end = text.p + text.n;
        const char *close = open ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;
        if (close == NULL)
            return;
        struct str name = { open + 2, (size_t)(close - open) - 2 };
        bool is_known = false;
        for (size_t i = 0; i < COUNT(known); i++)
            is_known = is_known || str_eq(name, known[i]);
        if (!is_known)
            fault(r, n, "'{{%s}}' is none of {{link}}, {{controller}}, {{purposes}}, {{until}}",
                  shown(r->scratch, name));
        *ret_link = *ret_link || str_eq(name, known[0]);
        text = (struct str){ close + 2, (size_t)(end - close) - 2 };
    }
}

static void letter_check(struct reader *r, const struct yaml *n, void *base)
{
    const struct conf_letter *l = base;
    const struct yaml *subject = yaml_get(n, STR("subject")), *text = yaml_get(n, STR("text"));
    bool link;
    if (subject == NULL || text == NULL)
        return;
    check_placeholders(r, subject, l->subject, &link);
    if (link)
        fault(r, subject, "{{link}} stands in the text");
    check_placeholders(r, text, l->text, &link);
    if (!link)
        fault(r, text, "a letter without {{link}} cannot be answered");
    if (l->text.n > LIMIT_LETTER)
        fault_limit(r, text, "bytes in a letter", LIMIT_LETTER);
}

static const struct rule letter_rules[] = {
    { "subject", read_line, "of the letter, with the same placeholders but {{link}}",
      .needed = KIND_ANY, .at = offsetof(struct conf_letter, subject) },
    { "text", read_text,
      "plain text; `{{link}}`, `{{controller}}`, `{{purposes}}` (their titles, a line each), "
      "`{{until}}` are filled in, and the first is needed; at most 16 KB",
      .needed = KIND_ANY, .at = offsetof(struct conf_letter, text) },
};
const struct table table_letter = { "double_opt_in.letters.LANGUAGE",
                                    "Letters of your own. For `en`, `de` and `nl` there is one; "
                                    "whoever reads another language that stands "
                                    "here gets it, anybody else `en`.",
                                    letter_rules,
                                    COUNT(letter_rules),
                                    sizeof(struct conf_letter),
                                    NULL,
                                    letter_check,
                                    NULL };

static void read_letters(struct reader *r, const struct rule *rule, const struct yaml *n,
                         void *base)
{
    struct conf_double_opt_in *d = &((struct conf *)base)->double_opt_in;
    if (!is_map(r, n))
        return;
    if (n->count > LIMIT_LANGUAGES)
        return fault_limit(r, n, "languages", LIMIT_LANGUAGES);
    d->letter = arena_array(r->arena, struct conf_letter, n->count);
    for (const struct yaml *k = n->first; k != NULL; k = k->next) {
        struct conf_letter *l = &d->letter[d->letter_count];
        if (k->reported)
            continue;
        language_check(r, n, k);
        l->language = arena_str(r->arena, k->text);
        table_read(r, rule->table, k->value, l);
        d->letter_count++;
    }
}

/* ---- the whole ---- */

static void read_life(struct reader *r, const struct rule *rule, const struct yaml *n, void *base)
{
    struct duration d;
    (void)rule;
    if (!scalar_duration(r, n, &d))
        return;
    if (d.months != 0 || d.ms < LEAST_LIFE_MS || d.ms > LIMIT_LETTER_LIFE_MS)
        return fault(r, n, "must be between 1min and 30d");
    ((struct conf *)base)->double_opt_in.lifetime_ms = d.ms;
}

static void init(struct reader *r, const struct yaml *n, void *base)
{
    struct conf_double_opt_in *d = &((struct conf *)base)->double_opt_in;
    (void)r, (void)n;
    d->on = true;
    d->lifetime_ms = DEFAULT_LIFE_MS;
}

/* The hook that is named is told of verifications, and no other: who has the link can confirm. */
static void check_mailer(struct reader *r, const struct yaml *at, struct conf *c)
{
    const struct yaml *mail = yaml_get(at, STR("mail")), *hook = yaml_get(at, STR("hook"));
    struct conf_hook *found = NULL;
    if (mail == NULL && hook == NULL)
        fault(r, at, "who sends the letters? 'mail' or 'hook' is missing");
    if (mail != NULL && hook != NULL)
        fault(r, hook, "letters go by 'mail' or by a 'hook', not by both");
    if (hook == NULL || hook->reported)
        return;
    for (uint32_t i = 0; i < c->hook_count; i++)
        if (str_eq(c->hook[i].remote.id, c->double_opt_in.hook))
            found = &c->hook[i];
    if (found == NULL)
        fault(r, hook, "no hook is called '%s'", shown_node(r, hook));
    else
        found->on |= CONF_HOOK_VERIFICATION;
}

void double_opt_in_check(struct reader *r, const struct yaml *n, struct conf *c)
{
    struct conf_double_opt_in *d = &c->double_opt_in;
    const struct yaml *at = yaml_get(n, STR("double_opt_in"));
    if (!d->on)
        return;
    if (d->public_url.n == 0)
        d->public_url = c->public_url;
    check_mailer(r, at, c);
    if (d->public_url.n == 0)
        fault(r, at, "the link in a letter needs 'public_url', here or at the top");
    bool any = false;
    for (uint32_t i = 0; i < c->purpose_count; i++)
        any = any || c->purpose[i].double_opt_in;
    if (!any)
        warning(r, at,
                "no purpose says 'double_opt_in: true': letters confirm only what came "
                "from somebody who could not say it");
}

#define OPT_IN(member) .at = offsetof(struct conf, double_opt_in.member)
static const struct rule rules[] = {
    { "public_url", read_public_url,
      "what the link begins with, before `/confirm/…`; default: the `public_url` of the file",
      OPT_IN(public_url) },
    { "lifetime", read_life, "of a link, 1min to 30d; default 48h" },
    { "mail", read_mail, "the mail server that takes letters, see below; or `hook`",
      .table = &table_mail },
    { "hook", read_id,
      "the `id` of one of `hooks`: your own mailer, which is told `verification.requested` with "
      "address, letter and link",
      OPT_IN(hook) },
    { "letters", read_letters, "see below; default: ours, in English, German and Dutch",
      .table = &table_letter },
};
const struct table table_double_opt_in = {
    "double_opt_in",
    "Who gave an address is asked there, by a letter with a link, whether it was her: "
    "[double-opt-in.md](double-opt-in.md).",
    rules,
    COUNT(rules),
    0,
    init,
    NULL,
    NULL
};
