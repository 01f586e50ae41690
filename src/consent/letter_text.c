/* What a letter says. */
#include "consent/verification_priv.h"

#include "base/limits.h"
#include "codec/language.h"

#include <stdio.h>
#include <time.h>

static const struct conf_letter ours[] = {
    { STR_INIT("en"), STR_INIT("Please confirm: {{controller}}"),
      STR_INIT("Hello,\n\n"
               "somebody gave this address to {{controller}} and agreed to the following:\n\n"
               "{{purposes}}\n\n"
               "If this was you, please open this page. It shows the full text, and nothing "
               "counts before you confirm it there:\n\n"
               "{{link}}\n\n"
               "The link works once, until {{until}}.\n\n"
               "If this was not you, there is nothing you need to do. On the same page you can "
               "tell us so; then we write no letter of this kind to this address for 90 "
               "days.\n\n"
               "{{controller}}\n") },
    { STR_INIT("de"), STR_INIT("Bitte bestätigen: {{controller}}"),
      STR_INIT("Guten Tag,\n\n"
               "jemand hat bei {{controller}} diese Adresse angegeben und Folgendem "
               "zugestimmt:\n\n"
               "{{purposes}}\n\n"
               "Wenn Sie das waren, öffnen Sie bitte diese Seite. Dort steht der vollständige "
               "Text, und erst mit Ihrer Bestätigung dort gilt die Zustimmung:\n\n"
               "{{link}}\n\n"
               "Der Link gilt einmal, bis {{until}}.\n\n"
               "Waren Sie es nicht, brauchen Sie nichts zu tun. Auf derselben Seite können Sie "
               "uns das auch mitteilen; dann schreiben wir 90 Tage lang keine solche Nachricht "
               "an diese Adresse.\n\n"
               "{{controller}}\n") },
    { STR_INIT("nl"), STR_INIT("Bevestig alstublieft: {{controller}}"),
      STR_INIT("Hallo,\n\n"
               "iemand heeft bij {{controller}} dit adres opgegeven en hiermee ingestemd:\n\n"
               "{{purposes}}\n\n"
               "Was u dat, open dan deze pagina. Daar staat de volledige tekst, en de "
               "toestemming geldt pas als u haar daar bevestigt:\n\n"
               "{{link}}\n\n"
               "De link werkt één keer, tot {{until}}.\n\n"
               "Was u het niet, dan hoeft u niets te doen. Op dezelfde pagina kunt u ons dat "
               "ook laten weten; dan sturen wij 90 dagen lang geen bericht van deze soort naar "
               "dit adres.\n\n"
               "{{controller}}\n") },
};

/* ---- languages ---- */

static uint32_t languages(const struct conf *c, struct arena *a, struct str **ret_all)
{
    uint32_t n = 0, own = c->double_opt_in.letter_count;
    struct str *all = arena_array(a, struct str, own + COUNT(ours));
    for (uint32_t i = 0; i < own; i++)
        all[n++] = c->double_opt_in.letter[i].language;
    for (size_t i = 0; i < COUNT(ours); i++)
        all[n++] = ours[i].language;
    *ret_all = all;
    return n;
}

struct str letter_language(const struct conf *c, struct str said, struct str accept,
                           struct arena *a)
{
    struct str *all;
    uint32_t n = languages(c, a, &all);
    for (uint32_t i = 0; i < n; i++) {
        if (str_eq_nocase(all[i], said))
            return all[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        if (language_same(all[i], said))
            return all[i];
    }
    uint32_t picked = language_pick(accept, all, n);
    return picked < n ? all[picked] : (struct str){ 0 };
}

static const struct conf_letter *letter_of(const struct conf *c, struct str language)
{
    const struct conf_double_opt_in *d = &c->double_opt_in;
    struct str wanted = language.n ? language : STR("en");
    for (uint32_t i = 0; i < d->letter_count; i++) {
        if (str_eq(d->letter[i].language, wanted))
            return &d->letter[i];
    }
    for (size_t i = 0; i < COUNT(ours); i++) {
        if (str_eq(ours[i].language, wanted))
            return &ours[i];
    }
    return letter_of(c, STR("en"));
}

const struct conf_text *purpose_text(const struct policy_purpose *purpose, uint32_t version,
                                     struct str language, struct str otherwise)
{
    const struct conf_version *v = NULL;
    for (uint32_t i = 0; i < purpose->conf->version_count; i++) {
        if (purpose->conf->version[i].version == version)
            v = &purpose->conf->version[i];
    }
    if (v == NULL || v->text_count == 0)
        return NULL;
    const struct str wanted[] = { language, otherwise, STR("en") };
    for (size_t w = 0; w < COUNT(wanted); w++) {
        for (uint32_t i = 0; i < v->text_count; i++) {
            if (str_eq_nocase(v->text[i].language, wanted[w]))
                return &v->text[i];
        }
        for (uint32_t i = 0; i < v->text_count; i++) {
            if (language_same(v->text[i].language, wanted[w]))
                return &v->text[i];
        }
    }
    return &v->text[0];
}

struct str letter_date(struct str language, int64_t ms, struct arena *a)
{
    static const struct {
        struct str language;
        const char *month[12];
        const char *point, *behind; /* the day, the time */
    } all[] = {
        { STR_INIT("en"),
          { "January", "February", "March", "April", "May", "June", "July", "August", "September",
            "October", "November", "December" },
          "",
          "UTC" },
        { STR_INIT("de"),
          { "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
            "Oktober", "November", "Dezember" },
          ".",
          "Uhr (UTC)" },
        { STR_INIT("nl"),
          { "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september",
            "oktober", "november", "december" },
          "",
          "uur (UTC)" },
    };
    size_t i = 0;
    while (i < COUNT(all) && !language_same(all[i].language, language))
        i++;
    i = i < COUNT(all) ? i : 0;
    struct tm t;
    time_t seconds = (time_t)(ms / 1000);
    must(gmtime_r(&seconds, &t) != NULL);
    return arena_printf(a, "%d%s %s %d, %02d:%02d %s", t.tm_mday, all[i].point,
                        all[i].month[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min,
                        all[i].behind);
}

/* ---- filling in ---- */

static void put_titles(const struct verification_read *v, struct str language, bool lines,
                       struct buf *to)
{
    for (uint32_t i = 0; i < v->asked_count; i++) {
        const struct conf_text *t =
            purpose_text(v->asked[i].purpose, v->asked[i].version, language, STR("en"));
        struct str title = t ? t->part[0] : v->asked[i].purpose->conf->id;
        if (i > 0)
            buf_str(to, lines ? STR("\n") : STR(", "));
        if (lines)
            buf_lit(to, "* ");
        buf_str(to, str_trim(title));
    }
}

struct filling {
    const struct policy *p;
    const struct verification_read *v;
    struct arena *a;
    struct str language;
    bool lines;
};

/* One pass: what is filled in is not looked at again. */
static struct str fill(const struct filling *f, struct str text)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(LIMIT_LETTER_FILLED);
    while (text.n > 0) {
        const char *open = memmem(text.p, text.n, "{{", 2), *end = text.p + text.n;
        const char *close = open ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;
        if (close == NULL)
            break;
        struct str name = { open + 2, (size_t)(close - open) - 2 };
        buf_add(&to, text.p, (size_t)(open - text.p));
        if (str_eq(name, STR("controller")))
            buf_str(&to, f->p->conf->controller_name);
        else if (str_eq(name, STR("purposes")))
            put_titles(f->v, f->language, f->lines, &to);
        else if (str_eq(name, STR("until")))
            buf_str(&to, letter_date(f->language, f->v->v.until_ms, f->a));
        else
            buf_add(&to, open, (size_t)(close + 2 - open));
        text = (struct str){ close + 2, (size_t)(end - close) - 2 };
    }
    buf_str(&to, text);
    return arena_str(f->a, buf_view(&to));
}

void letter_fill(const struct policy *p, const struct verification_read *v, struct arena *a,
                 struct str *ret_subject, struct str *ret_text)
{
    const struct conf_letter *l = letter_of(p->conf, v->language);
    struct filling f = { .p = p, .v = v, .a = a, .language = l->language };
    *ret_subject = fill(&f, l->subject);
    f.lines = true;
    *ret_text = fill(&f, l->text);
}

struct str letter_with_link(struct str text, struct str link, struct arena *a)
{
    static const struct str mark = STR_INIT("{{link}}");
    AUTO(buf_fini) struct buf to = BUF_INIT(2 * LIMIT_LETTER_FILLED);
    while (text.n > 0) {
        const char *at = memmem(text.p, text.n, mark.p, mark.n);
        size_t before = at ? (size_t)(at - text.p) : text.n, skip = before + (at ? mark.n : 0);
        buf_add(&to, text.p, before);
        if (at != NULL)
            buf_str(&to, link);
        text = (struct str){ text.p + skip, text.n - skip };
    }
    return arena_str(a, buf_view(&to));
}
