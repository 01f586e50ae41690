/* audit/receipt_words.h - what a receipt says in licet's own words, in three languages.
 *
 * Words for states and evidence are looked up by the names that stand in the document (docs/api.md).
 */
#ifndef AUDIT_RECEIPT_WORDS_H
#define AUDIT_RECEIPT_WORDS_H

#include "base/arena.h"

enum tongue { TONGUE_EN = 0, TONGUE_DE, TONGUE_NL, TONGUES };
extern const char *const tongue_name[TONGUES]; /* "en", "de", "nl" */

/* Of "de", "de-AT", "DE"; English for what licet has no words in. */
enum tongue tongue_of(struct str language);
/* False when licet has no words in that language. */
bool tongue_known(struct str language);

enum word {
    WORD_TITLE,
    WORD_INTRO_STANDING,
    WORD_INTRO_ACT,
    WORD_NOTHING_SAID,
    WORD_RESTRICTED,
    WORD_RECORDED_UNDER,
    WORD_NAME,
    WORD_EMAIL,
    WORD_CONTROLLER,
    WORD_CONTACT,
    WORD_ISSUED,
    WORD_RECEIPT_ID,
    WORD_OVERVIEW,
    WORD_PURPOSE,
    WORD_ANSWER,
    WORD_ANSWER_THEN,
    WORD_ANSWER_NOW,
    WORD_UNTIL,
    WORD_WHEN,
    WORD_HOLDS_UNTIL,
    WORD_HELD_UNTIL,
    WORD_BASIS,
    WORD_APPLIES_TO,
    WORD_DATA,
    WORD_RECIPIENTS,
    WORD_RECIPIENT,
    WORD_COUNTRY,
    WORD_ROLE,
    WORD_TRANSFERS,
    WORD_TRANSFER_TEXT,
    WORD_STORAGE,
    WORD_AUTOMATION,
    WORD_CONSEQUENCES,
    WORD_WITHDRAWAL,
    WORD_EVIDENCE,
    WORD_TEXT,
    WORD_TEXT_SINCE,
    WORD_TEXT_NONE,
    WORD_NOTICES,
    WORD_VERSION,
    WORD_DECIDED_NOW,
    WORD_RECORDS,
    WORD_RECORD,
    WORD_CHECKSUM,
    WORD_STATED_TIME,
    WORD_RECEIVED,
    WORD_SOURCE,
    WORD_ADDRESS,
    WORD_SAID,
    WORD_FORM,
    WORD_CONTENT,
    WORD_DOCUMENT,
    WORD_PAPER,
    WORD_CMP,
    WORD_CUT,
    WORD_RIGHTS,
    WORD_RIGHT_WITHDRAW,
    WORD_RIGHT_ACCESS,
    WORD_RIGHT_RECTIFICATION,
    WORD_RIGHT_ERASURE,
    WORD_RIGHT_RESTRICTION,
    WORD_RIGHT_PORTABILITY,
    WORD_RIGHT_OBJECTION,
    WORD_RIGHT_COMPLAINT,
    WORD_CHECK,
    WORD_CHECK_TEXT,
    WORD_NOTHING_TITLE,
    WORD_NOTHING_TEXT,
    WORDS
};
const char *word(enum tongue t, enum word w);

/* What one of these names means; the name itself when there are no words for it. */
enum glossary { /* which names */
                NAME_STATE,
                NAME_SAID, /* an event: "grant", "lower" */
                NAME_EVIDENCE,
                NAME_SOURCE,
                NAME_BASIS,
                NAME_SCOPE,
                NAME_ROLE,
                NAME_TRANSFER,
};
struct str word_for(enum tongue t, enum glossary g, struct str name);

/* "22 November 2026", with `clock` ", 16:20 UTC" behind it. */
struct str word_date(enum tongue t, int64_t ms, bool clock, struct arena *a);

/* "Ireland (IE)"; of what is no country the code alone. */
struct str word_country(enum tongue t, struct str code, struct arena *a);

#endif
