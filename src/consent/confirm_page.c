/* What a person reads who follows a link. No script, nothing from elsewhere. */
#include "consent/verification_priv.h"

#include "base/limits.h"
#include "codec/language.h"

const char confirmation_css[] =
    ":root{color-scheme:light dark;--ink:#1b1b1f;--soft:#5b5b66;--line:#d9d9e0;--card:#fff;"
    "--ground:#f4f4f7;--act:#23408e}"
    "@media(prefers-color-scheme:dark){:root{--ink:#ececf1;--soft:#a9a9b8;--line:#3a3a46;"
    "--card:#1d1d24;--ground:#131318;--act:#a9bdff}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--ground);color:var(--ink);"
    "font:1rem/1.55 system-ui,sans-serif;overflow-wrap:anywhere}"
    "main{max-width:40rem;margin:0 auto;padding:clamp(1.25rem,5vw,3rem)}"
    "h1{font-size:1.6rem;line-height:1.2;margin:0 0 1rem}"
    "h2{font-size:1.15rem;line-height:1.3;margin:0 0 .75rem}"
    "p{margin:0 0 1rem}"
    "section{background:var(--card);border:1px solid var(--line);border-radius:.5rem;"
    "padding:1.25rem;margin:1.25rem 0}"
    "dl{margin:0}dt{color:var(--soft);font-size:.875rem}dd{margin:0 0 .75rem}"
    "dd:last-child{margin:0}"
    "form{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.5rem 0}"
    "button{flex:1 1 13rem;min-height:3rem;padding:.6rem 1rem;font:inherit;font-weight:600;"
    "color:var(--act);background:var(--card);border:2px solid var(--act);border-radius:.5rem;"
    "cursor:pointer}"
    "button:hover{text-decoration:underline}"
    ":focus-visible{outline:3px solid var(--act);outline-offset:3px}"
    "small{display:block;color:var(--soft);font-size:.875rem}";

struct words {
    struct str language;
    struct str title, lead[3];        /* around the address and the controller */
    struct str part[CONF_TEXT_PARTS]; /* but the title */
    struct str yes, no, note[2];      /* around the date */
    struct str contact;
    struct {
        struct str title, text;
    } page[PAGE_NOTED + 1];
};

static const struct words all_words[] = {
    { STR_INIT("en"),
      STR_INIT("Please confirm"),
      { STR_INIT("With the address "), STR_INIT(", somebody agreed to the following at "),
        STR_INIT(". It counts only once you confirm it here.") },
      { STR_INIT(""), STR_INIT("What for"), STR_INIT("Which data"), STR_INIT("To whom"),
        STR_INIT("Where and how long it is kept"), STR_INIT("Automatic decisions"),
        STR_INIT("What follows for you"), STR_INIT("How to take it back") },
      STR_INIT("Yes, I agree"),
      STR_INIT("This was not me"),
      { STR_INIT("If you do nothing, none of this counts. This page works until "), STR_INIT(".") },
      STR_INIT("Questions: "),
      { [PAGE_DONE] = { STR_INIT("Confirmed"),
                        STR_INIT("Thank you. You can take it back at any time.") },
        [PAGE_USED] = { STR_INIT("Already confirmed"),
                        STR_INIT("What this link asked for is confirmed. There is nothing more "
                                 "to do.") },
        [PAGE_EXPIRED] = { STR_INIT("No longer valid"),
                           STR_INIT("This link has run out, or what it was about has changed "
                                    "since. Nothing was confirmed by it. If you still want it, "
                                    "please sign up once more.") },
        [PAGE_UNKNOWN] = { STR_INIT("Not found"),
                           STR_INIT("There is no such link. Was it copied from the letter in "
                                    "full?") },
        [PAGE_NOTED] = { STR_INIT("Noted"),
                         STR_INIT("Nothing was confirmed. For 90 days we write no letter of this "
                                  "kind to this address.") } } },
    { STR_INIT("de"),
      STR_INIT("Bitte bestätigen"),
      { STR_INIT("Mit der Adresse "), STR_INIT(" hat jemand bei "),
        STR_INIT(" Folgendem zugestimmt. Es gilt erst, wenn Sie es hier bestätigen.") },
      { STR_INIT(""), STR_INIT("Wofür"), STR_INIT("Welche Daten"), STR_INIT("An wen"),
        STR_INIT("Wo und wie lange sie liegen"), STR_INIT("Automatische Entscheidungen"),
        STR_INIT("Was für Sie daraus folgt"), STR_INIT("Wie Sie es zurücknehmen") },
      STR_INIT("Ja, ich stimme zu"),
      STR_INIT("Das war ich nicht"),
      { STR_INIT("Wenn Sie nichts tun, gilt nichts davon. Diese Seite funktioniert bis "),
        STR_INIT(".") },
      STR_INIT("Fragen: "),
      { [PAGE_DONE] = { STR_INIT("Bestätigt"),
                        STR_INIT("Danke. Sie können es jederzeit zurücknehmen.") },
        [PAGE_USED] = { STR_INIT("Bereits bestätigt"),
                        STR_INIT("Worum dieser Link gebeten hat, ist bestätigt. Es ist nichts "
                                 "weiter zu tun.") },
        [PAGE_EXPIRED] = { STR_INIT("Nicht mehr gültig"),
                           STR_INIT("Dieser Link ist abgelaufen, oder das, worum es ging, hat "
                                    "sich seither geändert. Durch ihn wurde nichts bestätigt. "
                                    "Wenn Sie es noch möchten, melden Sie sich bitte noch "
                                    "einmal an.") },
        [PAGE_UNKNOWN] = { STR_INIT("Nicht gefunden"),
                           STR_INIT("Diesen Link gibt es nicht. Wurde er vollständig aus der "
                                    "Nachricht übernommen?") },
        [PAGE_NOTED] = { STR_INIT("Vermerkt"),
                         STR_INIT("Nichts wurde bestätigt. 90 Tage lang schreiben wir keine "
                                  "solche Nachricht an diese Adresse.") } } },
    { STR_INIT("nl"),
      STR_INIT("Bevestig alstublieft"),
      { STR_INIT("Met het adres "), STR_INIT(" heeft iemand bij "),
        STR_INIT(" hiermee ingestemd. Het geldt pas als u het hier bevestigt.") },
      { STR_INIT(""), STR_INIT("Waarvoor"), STR_INIT("Welke gegevens"), STR_INIT("Aan wie"),
        STR_INIT("Waar en hoe lang ze bewaard worden"), STR_INIT("Automatische besluiten"),
        STR_INIT("Wat daar voor u uit volgt"), STR_INIT("Hoe u het intrekt") },
      STR_INIT("Ja, ik stem ermee in"),
      STR_INIT("Dit was ik niet"),
      { STR_INIT("Als u niets doet, geldt hier niets van. Deze pagina werkt tot "), STR_INIT(".") },
      STR_INIT("Vragen: "),
      { [PAGE_DONE] = { STR_INIT("Bevestigd"), STR_INIT("Dank u. U kunt het altijd intrekken.") },
        [PAGE_USED] = { STR_INIT("Al bevestigd"),
                        STR_INIT("Waar deze link om vroeg, is bevestigd. U hoeft niets meer te "
                                 "doen.") },
        [PAGE_EXPIRED] = { STR_INIT("Niet meer geldig"),
                           STR_INIT("Deze link is verlopen, of waar het om ging is intussen "
                                    "veranderd. Er is niets door bevestigd. Wilt u het nog, "
                                    "meld u dan opnieuw aan.") },
        [PAGE_UNKNOWN] = { STR_INIT("Niet gevonden"),
                           STR_INIT("Deze link bestaat niet. Is hij volledig uit het bericht "
                                    "overgenomen?") },
        [PAGE_NOTED] = { STR_INIT("Genoteerd"),
                         STR_INIT("Er is niets bevestigd. 90 dagen lang sturen wij geen bericht "
                                  "van deze soort naar dit adres.") } } },
};

/* ---- languages ---- */

static const struct words *words_of(struct str language)
{
    for (size_t i = 0; i < COUNT(all_words); i++) {
        if (language_same(all_words[i].language, language))
            return &all_words[i];
    }
    return NULL;
}

struct str page_language(struct str said, struct str otherwise, struct str accept)
{
    struct str have[COUNT(all_words)];
    for (size_t i = 0; i < COUNT(all_words); i++)
        have[i] = all_words[i].language;
    const struct words *w = words_of(said);
    if (w == NULL)
        w = words_of(otherwise);
    uint32_t picked = w == NULL ? language_pick(accept, have, COUNT(have)) : UINT32_MAX;
    if (picked < COUNT(all_words))
        w = &all_words[picked];
    return w != NULL ? w->language : have[0];
}

/* ---- HTML ---- */

static void put_text(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&': buf_lit(to, "&amp;"); break;
        case '<': buf_lit(to, "&lt;"); break;
        case '>': buf_lit(to, "&gt;"); break;
        case '"': buf_lit(to, "&quot;"); break;
        case '\'': buf_lit(to, "&#39;"); break;
        default: buf_byte(to, s.p[i]);
        }
    }
}

static void put_element(struct buf *to, const char *tag, struct str text)
{
    buf_printf(to, "<%s>", tag);
    put_text(to, text);
    buf_printf(to, "</%s>", tag);
}

/* Enough for her to know it again, and not for who looks over her shoulder. */
static void put_address(struct buf *to, struct str address)
{
    const char *at = address.n ? memrchr(address.p, '@', address.n) : NULL;
    if (at == NULL)
        return;
    buf_lit(to, "<strong>");
    put_text(to, (struct str){ address.p, at - address.p > 1 ? 1 : 0 });
    buf_lit(to, "…\xe2\x81\xa0"); /* no end of line here */
    put_text(to, (struct str){ at, (size_t)(address.p + address.n - at) });
    buf_lit(to, "</strong>");
}

static void put_purpose(struct buf *to, const struct words *w, const struct asked *k,
                        struct str otherwise)
{
    const struct conf_text *t = purpose_text(k->purpose, k->version, w->language, otherwise);
    if (t == NULL)
        return;
    buf_lit(to, "<section lang=\"");
    put_text(to, t->language);
    buf_lit(to, "\">");
    put_element(to, "h2", t->part[0]);
    buf_lit(to, "<dl>");
    for (int i = 1; i < CONF_TEXT_PARTS; i++) {
        buf_printf(to, "<dt lang=\"%.*s\">", STR_ARG(w->language));
        put_text(to, w->part[i]);
        buf_lit(to, "</dt>");
        put_element(to, "dd", t->part[i]);
    }
    buf_lit(to, "</dl></section>");
}

static void put_question(struct buf *to, const struct words *w, const struct policy *p,
                         const struct verification_read *v, struct arena *a)
{
    put_element(to, "h1", w->title);
    buf_lit(to, "<p>");
    put_text(to, w->lead[0]);
    put_address(to, v->address);
    put_text(to, w->lead[1]);
    put_element(to, "strong", p->conf->controller_name);
    put_text(to, w->lead[2]);
    buf_lit(to, "</p>");
    for (uint32_t i = 0; i < v->asked_count; i++)
        put_purpose(to, w, &v->asked[i], v->language);
    buf_printf(to,
               "<form method=\"post\"><input type=\"hidden\" name=\"language\" value=\"%.*s\">"
               "<button name=\"answer\" value=\"yes\">",
               STR_ARG(w->language));
    put_text(to, w->yes);
    buf_lit(to, "</button><button name=\"answer\" value=\"not_me\">");
    put_text(to, w->no);
    buf_lit(to, "</button></form><p><small>");
    put_text(to, w->note[0]);
    put_text(to, letter_date(w->language, v->v.until_ms, a));
    put_text(to, w->note[1]);
    buf_lit(to, "</small></p>");
}

static void put_content(struct buf *to, enum page_kind kind, const struct words *w,
                        const struct policy *p, const struct verification_read *v, struct arena *a)
{
    if (kind == PAGE_ASK) {
        put_question(to, w, p, v, a);
    } else {
        put_element(to, "h1", w->page[kind].title);
        put_element(to, "p", w->page[kind].text);
    }
    buf_lit(to, "<p><small>");
    put_text(to, w->contact);
    put_text(to, p->conf->controller_contact);
    buf_lit(to, "</small></p>");
}

enum err page_write(enum page_kind kind, struct str language, const struct policy *p,
                    const struct verification_read *v, struct arena *a, struct str *ret_html,
                    struct str *ret_main)
{
    AUTO(buf_fini) struct buf main = BUF_INIT(LIMIT_CONSENT_BODY / 2);
    AUTO(buf_fini) struct buf to = BUF_INIT(LIMIT_CONSENT_BODY);
    const struct words *w = words_of(language);
    must(w != NULL);
    put_content(&main, kind, w, p, v, a);
    buf_printf(&to,
               "<!doctype html><html lang=\"%.*s\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
               "<meta name=\"robots\" content=\"noindex\">",
               STR_ARG(w->language));
    put_element(&to, "title", kind == PAGE_ASK ? w->title : w->page[kind].title);
    buf_printf(&to, "<style>%s</style></head><body><main>", confirmation_css);
    buf_str(&to, buf_view(&main));
    buf_lit(&to, "</main></body></html>");
    if (main.over || to.over)
        return ERR_LIMIT;
    *ret_main = arena_str(a, buf_view(&main));
    *ret_html = arena_str(a, buf_view(&to));
    return OK;
}
