#include "audit/receipt_words.h"

#include "codec/locale.h"
#include "codec/time.h"

const char *const tongue_name[TONGUES] = { "en", "de", "nl" };

static bool find(struct str language, enum tongue *ret_t)
{
    struct str rest = language, primary = { 0 };
    (void)str_next(&rest, '-', &primary); /* empty: none of ours */
    for (int t = 0; t < TONGUES; t++) {
        if (str_eq_nocase(primary, str_of(tongue_name[t]))) {
            *ret_t = (enum tongue)t;
            return true;
        }
    }
    return false;
}

enum tongue tongue_of(struct str language)
{
    enum tongue t = TONGUE_EN;
    return find(language, &t) ? t : TONGUE_EN;
}

bool tongue_known(struct str language)
{
    enum tongue t;
    return find(language, &t);
}

static const char *const words[WORDS][TONGUES] = {
    [WORD_TITLE] = { "Consent receipt", "Einwilligungsbeleg", "Toestemmingsbewijs" },
    [WORD_INTRO_STANDING] = { "What you agreed to, refused or withdrew, as it stands now.",
                              "Wozu Sie ja oder nein gesagt oder was Sie widerrufen haben, nach "
                              "heutigem Stand.",
                              "Waarmee u instemde, wat u weigerde of introk, zoals het nu is." },
    [WORD_INTRO_ACT] = { "What was recorded of you once, and what became of it since.",
                         "Was einmal von Ihnen festgehalten wurde, und was seitdem daraus wurde.",
                         "Wat eens van u is vastgelegd, en wat er sindsdien van werd." },
    [WORD_NOTHING_SAID] = { "No purpose is spoken of.", "Von keinem Zweck ist die Rede.",
                            "Er is van geen enkel doel sprake." },
    [WORD_RESTRICTED] = { "Nothing is done with your data at present: its processing is "
                          "restricted.",
                          "Mit Ihren Daten geschieht derzeit nichts: Ihre Verarbeitung ist "
                          "eingeschränkt.",
                          "Met uw gegevens gebeurt nu niets: de verwerking is beperkt." },
    [WORD_RECORDED_UNDER] = { "Recorded under", "Geführt unter", "Vastgelegd onder" },
    [WORD_NAME] = { "Name", "Name", "Naam" },
    [WORD_EMAIL] = { "E-mail", "E-Mail", "E-mail" },
    [WORD_CONTROLLER] = { "Responsible", "Verantwortlich", "Verantwoordelijk" },
    [WORD_CONTACT] = { "Contact", "Kontakt", "Contact" },
    [WORD_ISSUED] = { "Issued", "Ausgestellt", "Afgegeven" },
    [WORD_RECEIPT_ID] = { "Receipt", "Beleg", "Bewijs" },
    [WORD_OVERVIEW] = { "At a glance", "Auf einen Blick", "In het kort" },
    [WORD_PURPOSE] = { "Purpose", "Zweck", "Doel" },
    [WORD_ANSWER] = { "Your answer", "Ihre Antwort", "Uw antwoord" },
    [WORD_ANSWER_THEN] = { "Your answer then", "Ihre Antwort damals", "Uw antwoord toen" },
    [WORD_ANSWER_NOW] = { "Now", "Heute", "Nu" },
    [WORD_UNTIL] = { "Until", "Bis", "Tot" },
    [WORD_WHEN] = { "Since", "Seit", "Sinds" },
    [WORD_HOLDS_UNTIL] = { "Holds until", "Gilt bis", "Geldt tot" },
    [WORD_HELD_UNTIL] = { "Held until", "Galt bis", "Gold tot" },
    [WORD_BASIS] = { "Legal basis", "Rechtsgrundlage", "Grondslag" },
    [WORD_APPLIES_TO] = { "Applies to", "Gilt für", "Geldt voor" },
    [WORD_DATA] = { "Which data", "Welche Daten", "Welke gegevens" },
    [WORD_RECIPIENTS] = { "Who receives it", "Wer sie erhält", "Wie ze ontvangt" },
    [WORD_RECIPIENT] = { "Recipient", "Empfänger", "Ontvanger" },
    [WORD_COUNTRY] = { "Country", "Land", "Land" },
    [WORD_ROLE] = { "Role", "Rolle", "Rol" },
    [WORD_TRANSFERS] = { "Transfers out of the European Economic Area",
                         "Übermittlungen aus dem Europäischen Wirtschaftsraum hinaus",
                         "Doorgiften buiten de Europese Economische Ruimte" },
    [WORD_TRANSFER_TEXT] = { "Transfer", "Weitergabe", "Doorgifte" },
    [WORD_STORAGE] = { "Storage", "Speicherung", "Bewaring" },
    [WORD_AUTOMATION] = { "Automatic decisions", "Automatische Entscheidungen",
                          "Automatische besluiten" },
    [WORD_CONSEQUENCES] = { "What follows for you", "Was für Sie daraus folgt",
                            "Wat er voor u uit volgt" },
    [WORD_WITHDRAWAL] = { "How to withdraw", "So widerrufen Sie", "Zo trekt u in" },
    [WORD_EVIDENCE] = { "Evidence", "Nachweis", "Bewijs" },
    [WORD_TEXT] = { "Text", "Text", "Tekst" },
    [WORD_TEXT_SINCE] = { "in force since", "in Kraft seit", "van kracht sinds" },
    [WORD_TEXT_NONE] = { "It is tied to no text.", "Es ist an keinen Text gebunden.",
                         "Het is aan geen tekst verbonden." },
    [WORD_NOTICES] = { "Legal notices", "Rechtliche Hinweise", "Juridische teksten" },
    [WORD_VERSION] = { "version", "Fassung", "versie" },
    [WORD_DECIDED_NOW] = { "Decided now by record", "Heute entscheidet Eintrag",
                           "Nu beslist registratie" },
    [WORD_RECORDS] = { "Records", "Einträge", "Registraties" },
    [WORD_RECORD] = { "Record", "Eintrag", "Registratie" },
    [WORD_CHECKSUM] = { "Checksum", "Prüfsumme", "Controlesom" },
    [WORD_STATED_TIME] = { "Given", "Abgegeben", "Gegeven" },
    [WORD_RECEIVED] = { "Recorded", "Festgehalten", "Vastgelegd" },
    [WORD_SOURCE] = { "How it came", "Wie es kam", "Hoe het kwam" },
    [WORD_ADDRESS] = { "IP address", "IP-Adresse", "IP-adres" },
    [WORD_SAID] = { "What was said", "Was gesagt wurde", "Wat er is gezegd" },
    [WORD_FORM] = { "Form", "Formular", "Formulier" },
    [WORD_CONTENT] = { "Content", "Inhalt", "Inhoud" },
    [WORD_DOCUMENT] = { "Document", "Dokument", "Document" },
    [WORD_PAPER] = { "On paper", "Auf Papier", "Op papier" },
    [WORD_CMP] = { "Consent platform", "Einwilligungsplattform", "Toestemmingsplatform" },
    [WORD_CUT] = { "There is more of it; the receipt as JSON has all.",
                   "Es geht weiter; der Beleg als JSON enthält alles.",
                   "Er is meer; het bewijs als JSON bevat alles." },
    [WORD_RIGHTS] = { "Your rights", "Ihre Rechte", "Uw rechten" },
    [WORD_RIGHT_WITHDRAW] = { "to withdraw a consent at any time, as easily as you gave it",
                              "eine Einwilligung jederzeit zu widerrufen, so einfach, wie Sie sie "
                              "gegeben haben",
                              "een toestemming altijd in te trekken, even eenvoudig als u haar "
                              "gaf" },
    [WORD_RIGHT_ACCESS] = { "to learn what is kept about you, with a copy",
                            "zu erfahren, was über Sie gespeichert ist, mit einer Kopie",
                            "te weten wat over u wordt bewaard, met een kopie" },
    [WORD_RIGHT_RECTIFICATION] = { "to have what is wrong put right",
                                   "Falsches berichtigen zu lassen", "fouten te laten verbeteren" },
    [WORD_RIGHT_ERASURE] = { "to have it erased", "es löschen zu lassen", "het te laten wissen" },
    [WORD_RIGHT_RESTRICTION] = { "to have its use restricted",
                                 "die Verwendung einschränken zu lassen",
                                 "het gebruik te laten beperken" },
    [WORD_RIGHT_PORTABILITY] = { "to take your data with you", "Ihre Daten mitzunehmen",
                                 "uw gegevens mee te nemen" },
    [WORD_RIGHT_OBJECTION] = { "to object to what does not rest on your consent",
                               "dem zu widersprechen, was nicht auf Ihrer Einwilligung beruht",
                               "bezwaar te maken tegen wat niet op uw toestemming berust" },
    [WORD_RIGHT_COMPLAINT] = { "to complain to a data protection authority",
                               "sich bei einer Datenschutzbehörde zu beschweren",
                               "een klacht in te dienen bij een gegevensbeschermingsautoriteit" },
    [WORD_CHECK] = { "How to check it", "So lässt es sich prüfen", "Zo is het te controleren" },
    [WORD_CHECK_TEXT] = { "Each record has a number and a checksum. The controller keeps the same "
                          "ones "
                          "in a chain in which nothing can be changed unnoticed. Keep this "
                          "receipt, and "
                          "quote the record's number when you ask. It says nothing about whether "
                          "what is done is lawful.",
                          "Jeder Eintrag hat eine Nummer und eine Prüfsumme. Der Verantwortliche "
                          "führt "
                          "dieselben in einer Kette, in der sich nichts unbemerkt ändern lässt. "
                          "Heben Sie "
                          "den Beleg auf, und nennen Sie bei Fragen die Nummer des Eintrags. Ob "
                          "rechtmäßig ist, was geschieht, sagt er nicht.",
                          "Elke registratie heeft een nummer en een controlesom. De "
                          "verantwoordelijke "
                          "bewaart dezelfde in een keten waarin niets ongemerkt kan worden "
                          "gewijzigd. "
                          "Bewaar dit bewijs, en noem bij vragen het nummer van de registratie. Of "
                          "rechtmatig is wat er gebeurt, zegt het niet." },
    [WORD_NOTHING_TITLE] = { "Nothing to show", "Nichts zu zeigen", "Niets te tonen" },
    [WORD_NOTHING_TEXT] = { "There is no receipt for this browser, or for whoever asked.",
                            "Für diesen Browser, oder für diese Anfrage, gibt es keinen Beleg.",
                            "Voor deze browser, of voor deze vraag, is er geen bewijs." },
};

const char *word(enum tongue t, enum word w)
{
    must(words[w][t] != NULL);
    return words[w][t];
}

static const struct {
    enum glossary g;
    struct str name;
    const char *in[TONGUES];
} names[] = {
    { NAME_STATE, STR_INIT("granted"), { "You agreed", "Sie haben zugestimmt", "U stemde in" } },
    { NAME_STATE,
      STR_INIT("noted"),
      { "Noted; this does not rest on consent", "Vermerkt; dies beruht nicht auf Einwilligung",
        "Genoteerd; dit berust niet op toestemming" } },
    { NAME_STATE,
      STR_INIT("withdrawn"),
      { "You withdrew your consent", "Sie haben widerrufen", "U trok uw toestemming in" } },
    { NAME_STATE, STR_INIT("refused"), { "You said no", "Sie haben nein gesagt", "U zei nee" } },
    { NAME_STATE,
      STR_INIT("objected"),
      { "You objected", "Sie haben widersprochen", "U maakte bezwaar" } },
    { NAME_STATE,
      STR_INIT("expired"),
      { "Your consent has run out", "Ihre Einwilligung ist abgelaufen",
        "Uw toestemming is verlopen" } },
    { NAME_STATE,
      STR_INIT("text_voided"),
      { "You agreed to a text that is void: nothing rests on it",
        "Sie haben einem Text zugestimmt, der ungültig ist: Nichts beruht mehr darauf",
        "U stemde in met een tekst die ongeldig is: niets berust er nog op" } },
    { NAME_STATE,
      STR_INIT("not_verified"),
      { "You agreed; your address is not confirmed yet",
        "Sie haben zugestimmt; Ihre Adresse ist noch nicht bestätigt",
        "U stemde in; uw adres is nog niet bevestigd" } },
    { NAME_STATE,
      STR_INIT("unconfirmed"),
      { "A yes was recorded, but not confirmed to be yours: nothing rests on it",
        "Ein Ja ist festgehalten, aber nicht als Ihres bestätigt: Nichts beruht darauf",
        "Een ja is vastgelegd, maar niet als het uwe bevestigd: niets berust erop" } },
    { NAME_STATE,
      STR_INIT("no_proof"),
      { "A yes was recorded without proof of what was shown: nothing rests on it",
        "Ein Ja ist festgehalten, ohne Nachweis, was gezeigt wurde: Nichts beruht darauf",
        "Een ja is vastgelegd zonder bewijs van wat werd getoond: niets berust erop" } },
    { NAME_STATE,
      STR_INIT("no_consent"),
      { "A yes was recorded that is tied to no text: nothing rests on it",
        "Ein Ja ist festgehalten, das an keinen Text gebunden ist: Nichts beruht darauf",
        "Een ja is vastgelegd dat aan geen tekst verbonden is: niets berust erop" } },
    { NAME_STATE,
      STR_INIT("no_terminal_access"),
      { "You did not agree that your device is read",
        "Sie haben dem Lesen Ihres Geräts nicht "
        "zugestimmt",
        "U stemde niet in met het uitlezen van uw apparaat" } },
    { NAME_STATE,
      STR_INIT("unknown_purpose"),
      { "This purpose is not pursued any more", "Dieser Zweck wird nicht mehr verfolgt",
        "Dit doel wordt niet meer nagestreefd" } },
    { NAME_SAID, STR_INIT("grant"), { "Yes", "Ja", "Ja" } },
    { NAME_SAID, STR_INIT("lower"), { "No", "Nein", "Nee" } },
    { NAME_EVIDENCE,
      STR_INIT("shown"),
      { "A banner showed this text.", "Ein Banner zeigte diesen Text.",
        "Een banner toonde deze tekst." } },
    { NAME_EVIDENCE,
      STR_INIT("proof"),
      { "The form, or what was said in it, is kept.",
        "Das Formular oder sein Inhalt ist "
        "aufbewahrt.",
        "Het formulier of de inhoud ervan is bewaard." } },
    { NAME_EVIDENCE,
      STR_INIT("cited"),
      { "The legal notices that contain this text were named.",
        "Die rechtlichen Hinweise, die diesen Text enthalten, waren genannt.",
        "De juridische teksten die deze tekst bevatten, waren genoemd." } },
    { NAME_EVIDENCE,
      STR_INIT("cmp"),
      { "The receipt of a consent platform is kept.",
        "Der Beleg einer Einwilligungsplattform ist "
        "aufbewahrt.",
        "Het bewijs van een toestemmingsplatform is bewaard." } },
    { NAME_EVIDENCE,
      STR_INIT("import"),
      { "Taken over from another system, without proof.",
        "Aus einem anderen System übernommen, ohne Nachweis.",
        "Uit een ander systeem overgenomen, zonder bewijs." } },
    { NAME_EVIDENCE,
      STR_INIT("paper"),
      { "Said on paper or by word; it is known who took it and where it is kept.",
        "Auf Papier oder mündlich; vermerkt ist, wer es aufnahm und wo es liegt.",
        "Op papier of mondeling; bekend is wie het opnam en waar het ligt." } },
    { NAME_EVIDENCE,
      STR_INIT("confirmation"),
      { "The link in a letter was followed, and the text confirmed there.",
        "Der Link in einem Brief wurde geöffnet und der Text dort bestätigt.",
        "De link in een brief werd geopend en de tekst daar bevestigd." } },
    { NAME_EVIDENCE,
      STR_INIT("bare"),
      { "No proof was recorded.", "Kein Nachweis ist festgehalten.",
        "Er is geen bewijs vastgelegd." } },
    { NAME_SOURCE,
      STR_INIT("public"),
      { "From a browser", "Von einem Browser", "Van een browser" } },
    { NAME_SOURCE,
      STR_INIT("private"),
      { "From the controller's server", "Vom Server des Verantwortlichen",
        "Van de server van de verantwoordelijke" } },
    { NAME_SOURCE,
      STR_INIT("cmp"),
      { "From a consent platform", "Von einer Einwilligungsplattform",
        "Van een toestemmingsplatform" } },
    { NAME_SOURCE,
      STR_INIT("import"),
      { "Taken over from another system", "Aus einem anderen System übernommen",
        "Uit een ander systeem overgenomen" } },
    { NAME_SOURCE,
      STR_INIT("confirmation"),
      { "By a confirmed e-mail", "Durch eine bestätigte E-Mail", "Door een bevestigde e-mail" } },
    { NAME_BASIS,
      STR_INIT("consent"),
      { "Your consent, Art. 6(1)(a) GDPR", "Ihre Einwilligung, Art. 6 Abs. 1 lit. a DSGVO",
        "Uw toestemming, art. 6 lid 1 onder a AVG" } },
    { NAME_BASIS,
      STR_INIT("contract"),
      { "A contract with you, Art. 6(1)(b) GDPR",
        "Ein Vertrag mit Ihnen, Art. 6 Abs. 1 lit. b "
        "DSGVO",
        "Een overeenkomst met u, art. 6 lid 1 onder b AVG" } },
    { NAME_BASIS,
      STR_INIT("legal_obligation"),
      { "A legal obligation, Art. 6(1)(c) GDPR",
        "Eine rechtliche Verpflichtung, Art. 6 Abs. 1 lit. c DSGVO",
        "Een wettelijke verplichting, art. 6 lid 1 onder c AVG" } },
    { NAME_BASIS,
      STR_INIT("legitimate_interests"),
      { "Legitimate interests, Art. 6(1)(f) GDPR; you may object",
        "Berechtigte Interessen, Art. 6 Abs. 1 lit. f DSGVO; Sie können widersprechen",
        "Gerechtvaardigde belangen, art. 6 lid 1 onder f AVG; u kunt bezwaar maken" } },
    { NAME_SCOPE,
      STR_INIT("device"),
      { "This device or browser", "Dieses Gerät oder diesen Browser",
        "Dit apparaat of deze "
        "browser" } },
    { NAME_SCOPE, STR_INIT("person"), { "You yourself", "Sie selbst", "U zelf" } },
    { NAME_ROLE,
      STR_INIT("processor"),
      { "processor: acts for the controller",
        "Auftragsverarbeiter: handelt für den "
        "Verantwortlichen",
        "verwerker: handelt voor de verantwoordelijke" } },
    { NAME_ROLE,
      STR_INIT("controller"),
      { "controller: decides itself", "Verantwortlicher: entscheidet selbst",
        "verantwoordelijke: beslist zelf" } },
    { NAME_ROLE,
      STR_INIT("joint_controller"),
      { "joint controller", "gemeinsam verantwortlich", "gezamenlijk verantwoordelijk" } },
    { NAME_TRANSFER,
      STR_INIT("adequacy"),
      { "adequacy decision", "Angemessenheitsbeschluss", "adequaatheidsbesluit" } },
    { NAME_TRANSFER,
      STR_INIT("scc"),
      { "standard contractual clauses", "Standardvertragsklauseln", "modelcontractbepalingen" } },
    { NAME_TRANSFER,
      STR_INIT("bcr"),
      { "binding corporate rules", "verbindliche interne Vorschriften",
        "bindende bedrijfsvoorschriften" } },
    { NAME_TRANSFER,
      STR_INIT("derogation"),
      { "derogation for specific situations", "Ausnahme für bestimmte Fälle",
        "afwijking voor specifieke situaties" } },
};

struct str word_for(enum tongue t, enum glossary g, struct str name)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        if (names[i].g == g && str_eq(names[i].name, name))
            return str_of(names[i].in[t]);
    }
    return name;
}

struct str word_date(enum tongue t, int64_t ms, bool clock, struct arena *a)
{
    static const char *const month[TONGUES][12] = {
        { "January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December" },
        { "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
          "Oktober", "November", "Dezember" },
        { "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september",
          "oktober", "november", "december" },
    };
    char text[TIME_TEXT + 1]; /* 2026-01-02T03:04:05.678Z */
    time_format(ms, text);
    int number = (text[5] - '0') * 10 + text[6] - '0';
    const char *day = text + 8 + (text[8] == '0');
    return arena_printf(a, "%.*s%s %s %.4s%s%.5s%s", (int)(text + 10 - day), day,
                        t == TONGUE_DE ? "." : "", month[t][number - 1], text, clock ? ", " : "",
                        clock ? text + 11 : "", clock ? " UTC" : "");
}

struct str word_country(enum tongue t, struct str code, struct arena *a)
{
    struct str name = locale_country(str_of(tongue_name[t]), arena_str(a, code).p, a);
    return str_eq(name, code) ? code : arena_printf(a, "%.*s (%.*s)", STR_ARG(name), STR_ARG(code));
}
