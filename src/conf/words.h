/* conf/words.h - what the banner says of itself, word by word.
 *
 * W(name, meaning, English, German, Dutch). A name is a key under banner.texts.LANGUAGE in the configuration and a
 * member of "words" in the answer of GET /sdk/policy; {…} is filled in by the browser's script. Other languages come from
 * the configuration, which may also say these otherwise.
 */
#ifndef CONF_WORDS_H
#define CONF_WORDS_H

#define CONF_WORDS_EACH(W)                                                                         \
    W(title, "question of the banner", "May we use your data?",                                    \
      "Dürfen wir Ihre Daten verwenden?", "Mogen wij uw gegevens gebruiken?")                      \
    W(intro, "what stands below it; {controller}",                                                 \
      "{controller} asks for your consent. It is voluntary: everything here works without it, "    \
      "and "                                                                                       \
      "you can change your mind at any time.",                                                     \
      "{controller} bittet um Ihre Einwilligung. Sie ist freiwillig: Hier funktioniert alles "     \
      "auch "                                                                                      \
      "ohne sie, und Sie können sich jederzeit anders entscheiden.",                               \
      "{controller} vraagt om uw toestemming. Die is vrijwillig: alles hier werkt ook zonder, en " \
      "u "                                                                                         \
      "kunt altijd van gedachten veranderen.")                                                     \
    W(title_news, "question when only something is new", "Something is new. May we?",              \
      "Etwas ist neu. Dürfen wir?", "Er is iets nieuws. Mag dat?")                                 \
    W(intro_news, "what stands below it; {controller}",                                            \
      "What you chose before stays as it is. {controller} asks about this alone:",                 \
      "Ihre frühere Wahl bleibt bestehen. {controller} fragt nur nach diesem:",                    \
      "Wat u eerder koos, blijft zo. {controller} vraagt alleen dit:")                             \
    W(accept_all, "button", "Accept all", "Alle annehmen", "Alles toestaan")                       \
    W(decline_all, "button", "Decline all", "Alle ablehnen", "Alles weigeren")                     \
    W(accept, "button, when there is one question", "Accept", "Annehmen", "Toestaan")              \
    W(decline, "button, when there is one question", "Decline", "Ablehnen", "Weigeren")            \
    W(choose, "button: one by one", "Choose one by one", "Einzeln wählen", "Per onderdeel kiezen") \
    W(save, "button", "Save my choice", "Meine Wahl speichern", "Mijn keuze opslaan")              \
    W(withdraw_all, "button", "Withdraw all", "Alles widerrufen", "Alles intrekken")               \
    W(close, "button, for readers of the screen", "Close without choosing",                        \
      "Schließen, ohne zu wählen", "Sluiten zonder te kiezen")                                     \
    W(manage, "title of the choices, and the button that opens them", "Privacy choices",           \
      "Datenschutz-Wahl", "Privacykeuzes")                                                         \
    W(manage_intro, "what stands below that title",                                                \
      "What is switched on may take place, what is off may not. A withdrawal takes effect at "     \
      "once.",                                                                                     \
      "Was eingeschaltet ist, darf geschehen, was aus ist, nicht. Ein Widerruf wirkt sofort.",     \
      "Wat aan staat mag gebeuren, wat uit staat niet. Intrekken werkt meteen.")                   \
    W(full_text, "opens the full text", "Full text", "Voller Wortlaut", "Volledige tekst")         \
    W(data, "heading in the full text", "Which data", "Welche Daten", "Welke gegevens")            \
    W(transfer, "heading in the full text", "Who receives it, and where",                          \
      "Wer sie erhält, und wo", "Wie ze ontvangt, en waar")                                        \
    W(recipients, "heading in the full text", "Recipients", "Empfänger", "Ontvangers")             \
    W(storage, "heading in the full text", "How long it is kept", "Wie lange sie bleiben",         \
      "Hoe lang ze bewaard worden")                                                                \
    W(automation, "heading in the full text", "Decided by a machine?",                             \
      "Entscheidet eine Maschine?", "Beslist een machine?")                                        \
    W(consequences, "heading in the full text", "What follows for you",                            \
      "Was für Sie daraus folgt", "Wat dit voor u betekent")                                       \
    W(withdrawal, "heading in the full text", "How to take it back", "Wie Sie es zurücknehmen",    \
      "Hoe u het intrekt")                                                                         \
    W(version, "below the full text; {version}, {since}",                                          \
      "Text {version}, in force since {since}", "Text {version}, in Kraft seit {since}",           \
      "Tekst {version}, van kracht sinds {since}")                                                 \
    W(on_since, "state; {date}", "Accepted on {date}", "Angenommen am {date}",                     \
      "Toegestaan op {date}")                                                                      \
    W(off_since, "state; {date}", "Declined on {date}", "Abgelehnt am {date}",                     \
      "Geweigerd op {date}")                                                                       \
    W(waiting, "state", "Counts once you are online again", "Gilt, sobald Sie wieder online sind", \
      "Geldt zodra u weer online bent")                                                            \
    W(is_new, "beside a title", "New", "Neu", "Nieuw")                                             \
    W(changed, "beside a title", "Changed", "Geändert", "Gewijzigd")                               \
    W(changed_in, "what is new; {parts}", "New since you last chose: {parts}",                     \
      "Neu seit Ihrer letzten Wahl: {parts}", "Nieuw sinds uw laatste keuze: {parts}")             \
    W(aim, "what it is for, among what is new", "What for", "Wofür", "Waarvoor")                   \
    W(signal, "beside a question that the browser answered by itself",                             \
      "Your browser says no to this for you. You can allow it here all the same.",                 \
      "Ihr Browser lehnt das für Sie ab. Sie können es hier trotzdem erlauben.",                   \
      "Uw browser weigert dit voor u. U kunt het hier toch toestaan.")                             \
    W(separate, "heading above what is asked separately", "Asked separately", "Getrennt gefragt",  \
      "Apart gevraagd")                                                                            \
    W(separate_note, "what stands below it", "Never part of “Accept all”.",                        \
      "Nie Teil von „Alle annehmen“.", "Nooit deel van ‘Alles toestaan’.")                         \
    W(unasked, "heading above what rests on other grounds", "Without your consent",                \
      "Ohne Ihre Einwilligung", "Zonder uw toestemming")                                           \
    W(object, "label of the switch of a legitimate interest",                                      \
      "Our legitimate interest. You can object by switching it off.",                              \
      "Unser berechtigtes Interesse. Sie widersprechen, indem Sie es ausschalten.",                \
      "Ons gerechtvaardigd belang. U maakt bezwaar door het uit te zetten.")                       \
    W(yes, "button of a question asked by itself", "I agree", "Ich willige ein", "Ik ga akkoord")  \
    W(no, "button of a question asked by itself", "I do not agree", "Ich willige nicht ein",       \
      "Ik ga niet akkoord")                                                                        \
    W(failed, "when a choice could not be recorded",                                               \
      "This could not be recorded, so nothing was switched on. Please try again later.",           \
      "Das konnte nicht festgehalten werden; eingeschaltet ist nichts. Bitte versuchen Sie es "    \
      "später noch einmal.",                                                                       \
      "Dit kon niet worden vastgelegd; er is niets aangezet. Probeer het later nog eens.")         \
    W(recorded, "what licet has recorded of a purpose; {date}, {until}",                           \
      "Recorded since {date}, holds until {until}", "Festgehalten seit {date}, gilt bis {until}",  \
      "Vastgelegd sinds {date}, geldt tot {until}")                                                \
    W(recorded_no, "likewise; {date}", "Recorded as declined since {date}",                        \
      "Seit {date} ist Ihre Ablehnung festgehalten", "Uw weigering is vastgelegd sinds {date}")    \
    W(recorded_withdrawn, "likewise; {date}", "Recorded as withdrawn since {date}",                \
      "Seit {date} ist Ihr Widerruf festgehalten", "Uw intrekking is vastgelegd sinds {date}")     \
    W(recorded_objection, "likewise; {date}", "Recorded as objected to since {date}",              \
      "Seit {date} ist Ihr Widerspruch festgehalten", "Uw bezwaar is vastgelegd sinds {date}")     \
    W(recorded_nothing, "likewise", "Nothing is recorded", "Nichts ist festgehalten",              \
      "Er is niets vastgelegd")                                                                    \
    W(recorded_older, "when it is not the newest text; {version}",                                 \
      "You accepted an earlier text (version {version}).",                                         \
      "Sie haben einen früheren Text angenommen (Fassung {version}).",                             \
      "U hebt een eerdere tekst aanvaard (versie {version}).")                                     \
    W(not_counting, "when it counts for nothing; {why}, one of the following",                     \
      "Not valid: {why}.", "Gilt nicht: {why}.", "Geldt niet: {why}.")                             \
    W(why_unconfirmed, "said so of a grant that she did not confirm", "you have not confirmed it", \
      "Sie haben es nicht bestätigt", "u hebt het niet bevestigd")                                 \
    W(why_no_proof, "… of which nothing proves the wording",                                       \
      "there is no proof of what you were shown",                                                  \
      "es gibt keinen Nachweis, was Ihnen gezeigt wurde",                                          \
      "er is geen bewijs van wat u te zien kreeg")                                                 \
    W(why_expired, "… that is too old", "its time is over", "die Zeit ist abgelaufen",             \
      "de tijd is om")                                                                             \
    W(why_text_voided, "… of a text that was declared void", "the text was taken back",            \
      "der Text wurde zurückgenommen", "de tekst is teruggenomen")                                 \
    W(why_not_verified, "… of an address that double opt-in has not verified",                     \
      "your e-mail address is not confirmed yet", "Ihre E-Mail-Adresse ist noch nicht bestätigt",  \
      "uw e-mailadres is nog niet bevestigd")                                                      \
    W(why_other, "… for any other reason", "something that it needs is missing",                   \
      "etwas, das es braucht, fehlt", "er ontbreekt iets dat nodig is")                            \
    W(account, "heading above what is recorded for who signed in", "With your account",            \
      "Mit Ihrem Konto", "Met uw account")                                                         \
    W(account_note, "what stands below it", "What is recorded for you, whatever device you use.",  \
      "Was für Sie festgehalten ist, gleich mit welchem Gerät.",                                   \
      "Wat voor u is vastgelegd, met welk apparaat ook.")                                          \
    W(account_asking, "while it is asked for", "One moment …", "Einen Augenblick …",               \
      "Een ogenblik …")                                                                            \
    W(account_unseen, "when it cannot be had",                                                     \
      "What is recorded for your account cannot be shown now. Please try again later.",            \
      "Was für Ihr Konto festgehalten ist, lässt sich gerade nicht zeigen. Bitte versuchen Sie " \
      "es später noch einmal.",                                                                    \
      "Wat voor uw account is vastgelegd, kan nu niet worden getoond. Probeer het later nog "      \
      "eens.")                                                                                     \
    W(withdraw, "button, beside what is recorded for the account", "Withdraw", "Widerrufen",       \
      "Intrekken")                                                                                 \
    W(withdraw_waiting, "when it was pressed without a line",                                      \
      "Withdrawn here. It is sent once you are online again.",                                     \
      "Hier widerrufen. Es wird gesendet, sobald Sie wieder online sind.",                         \
      "Hier ingetrokken. Het wordt verstuurd zodra u weer online bent.")                           \
    W(decide, "button, beside what she has not agreed to with the account", "Decide",              \
      "Entscheiden", "Beslissen")                                                                  \
    W(responsible, "who answers for it; {controller}, {country}, {contact}",                       \
      "Responsible: {controller}, {country}, {contact}",                                           \
      "Verantwortlich: {controller}, {country}, {contact}",                                        \
      "Verantwoordelijk: {controller}, {country}, {contact}")                                      \
    W(policy, "text of the link to privacy_policy", "Privacy policy", "Datenschutzerklärung",      \
      "Privacyverklaring")                                                                         \
    W(imprint, "text of the link to imprint", "Imprint", "Impressum", "Colofon")

enum conf_word {
#define CONF_WORD_NUMBER(name, meaning, en, de, nl) WORD_##name,
    CONF_WORDS_EACH(CONF_WORD_NUMBER)
#undef CONF_WORD_NUMBER
        CONF_WORDS
};

enum { CONF_WORD_LANGUAGES = 3 };

extern const char *const conf_word_language[CONF_WORD_LANGUAGES];
extern const struct conf_word_text {
    const char *name;
    const char *text[CONF_WORD_LANGUAGES];
} conf_word_text[CONF_WORDS];

#endif
