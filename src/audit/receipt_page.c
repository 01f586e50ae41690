/* The receipt for people, made of the receipt itself: it shows nothing that does not stand there. */
#include "audit/paper.h"
#include "audit/reading.h"
#include "audit/receipt.h"
#include "audit/receipt_words.h"

#include "codec/time.h"

enum { SHOWN = 2000 };

struct page {
    struct reading g;
    struct paper p;
    enum tongue t;
    bool of_act;
};

#define EACH(x, v, list)                                                                           \
    for (uint32_t v = json_first(&(x)->g.d, (list)); v; v = json_next(&(x)->g.d, (list), v))

static struct str text(const struct page *x, uint32_t object, const char *member)
{
    return reading_text(&x->g, object, member);
}

static struct words said(const struct page *x, enum glossary g, struct str name)
{
    return WORDS_OF(word_for(x->t, g, name));
}

static void pair(struct page *x, enum word name, struct words w)
{
    if (w.text.n)
        paper_pair(&x->p, word(x->t, name), w);
}

static void pair_of(struct page *x, enum word name, uint32_t object, const char *member)
{
    pair(x, name, WORDS_OF(text(x, object, member)));
}

/* A moment of the document; nothing when it has none. */
static struct str moment(struct page *x, uint32_t object, const char *member, bool clock)
{
    int64_t ms;
    struct str s = text(x, object, member);
    return s.n && time_parse(s, &ms) ? word_date(x->t, ms, clock, x->g.a) : (struct str){ 0 };
}

static void pair_moment(struct page *x, enum word name, uint32_t object, const char *member,
                        bool clock)
{
    pair(x, name, WORDS_OF(moment(x, object, member, clock)));
}

/* ---- the head ---- */

static void show_head(struct page *x)
{
    uint32_t controllers = reading_get(&x->g, JSON_ROOT, "pii_controllers");
    paper_heading(&x->p, 1, WORDS_OF(str_of(word(x->t, WORD_TITLE))));
    paper_line(&x->p, "quiet",
               WORDS_OF(str_of(word(x->t, x->of_act ? WORD_INTRO_ACT : WORD_INTRO_STANDING))));
    if (reading_is(&x->g, JSON_ROOT, "restricted"))
        paper_line(&x->p, "over", WORDS_OF(str_of(word(x->t, WORD_RESTRICTED))));
    paper_pairs_begin(&x->p);
    EACH(x, v, controllers)
    {
        struct str country = word_country(
            x->t, text(x, reading_get(&x->g, v, "party_address"), "addressCountry"), x->g.a);
        pair(x, WORD_CONTROLLER,
             WORDS_OF(arena_printf(x->g.a, "%.*s, %.*s", STR_ARG(text(x, v, "party_name")),
                                   STR_ARG(country))));
        pair_of(x, WORD_CONTACT, v, "party_contact");
    }
    pair_of(x, WORD_NAME, JSON_ROOT, "name");
    pair_of(x, WORD_EMAIL, JSON_ROOT, "email");
    paper_pair_code(&x->p, word(x->t, WORD_RECORDED_UNDER), text(x, JSON_ROOT, "pii_principal_id"));
    pair_moment(x, WORD_ISSUED, JSON_ROOT, "issued", true);
    paper_pair_code(&x->p, word(x->t, WORD_RECEIPT_ID), text(x, JSON_ROOT, "receipt_id"));
    paper_pairs_end(&x->p);
}

/* ---- at a glance ---- */

/* What the text calls it; without a text, its id. */
static struct words title_of(const struct page *x, uint32_t purpose)
{
    struct str title = text(x, purpose, "title");
    return title.n ? (struct words){ title, text(x, reading_get(&x->g, purpose, "privacy_notice"),
                                                 "language") }
                   : WORDS_OF(text(x, purpose, "purpose"));
}

static void show_overview(struct page *x, uint32_t purposes)
{
    paper_section_begin(&x->p);
    paper_heading(&x->p, 2, WORDS_OF(str_of(word(x->t, WORD_OVERVIEW))));
    if (json_first(&x->g.d, purposes) == 0) {
        paper_line(&x->p, NULL, WORDS_OF(str_of(word(x->t, WORD_NOTHING_SAID))));
        paper_section_end(&x->p);
        return;
    }
    const char *const heading[] = { word(x->t, WORD_PURPOSE),
                                    word(x->t, x->of_act ? WORD_ANSWER_THEN : WORD_ANSWER),
                                    word(x->t, x->of_act ? WORD_ANSWER_NOW : WORD_UNTIL) };
    paper_table_begin(&x->p, NULL, heading, COUNT(heading));
    EACH(x, v, purposes)
    {
        uint32_t event = reading_get(&x->g, v, "event");
        struct words state = said(x, NAME_STATE, text(x, v, "state"));
        struct str until =
            reading_is(&x->g, v, "holds") ? moment(x, event, "valid_until", false) : STR("");
        struct words row[3] = { title_of(x, v), state, WORDS_OF(until) };
        if (x->of_act) {
            row[1] = said(x, NAME_SAID, text(x, event, "said"));
            row[2] = state;
        }
        paper_row(&x->p, row, COUNT(row));
    }
    paper_table_end(&x->p);
    paper_section_end(&x->p);
}

/* ---- a purpose ---- */

static void show_transfers(struct page *x, uint32_t recipients)
{
    bool any = false;
    const char *const heading[] = { word(x->t, WORD_RECIPIENT), word(x->t, WORD_COUNTRY),
                                    word(x->t, WORD_BASIS), word(x->t, WORD_UNTIL) };
    EACH(x, r, recipients)
    {
        uint32_t list = reading_get(&x->g, r, "transfers");
        EACH(x, v, list)
        {
            if (!any)
                paper_table_begin(&x->p, word(x->t, WORD_TRANSFERS), heading, COUNT(heading));
            any = true;
            struct str instrument = text(x, v, "instrument"),
                       basis = word_for(x->t, NAME_TRANSFER, text(x, v, "basis"));
            struct words row[] = {
                WORDS_OF(text(x, v, "importer")),
                WORDS_OF(word_country(x->t, text(x, v, "country"), x->g.a)),
                WORDS_OF(arena_printf(x->g.a, "%.*s%s%.*s", STR_ARG(basis),
                                      instrument.n ? ": " : "", STR_ARG(instrument))),
                WORDS_OF(moment(x, v, "until", false)),
            };
            paper_row(&x->p, row, COUNT(row));
        }
    }
    if (any)
        paper_table_end(&x->p);
}

static void show_recipients(struct page *x, uint32_t purpose)
{
    uint32_t list = reading_get(&x->g, purpose, "recipient_third_parties");
    const char *const heading[] = { word(x->t, WORD_RECIPIENT), word(x->t, WORD_COUNTRY),
                                    word(x->t, WORD_ROLE) };
    if (json_first(&x->g.d, list) == 0)
        return;
    paper_table_begin(&x->p, word(x->t, WORD_RECIPIENTS), heading, COUNT(heading));
    EACH(x, v, list)
    {
        struct str country = text(x, reading_get(&x->g, v, "party_address"), "addressCountry");
        struct words row[] = { WORDS_OF(text(x, v, "party_name")),
                               WORDS_OF(word_country(x->t, country, x->g.a)),
                               said(x, NAME_ROLE, text(x, v, "party_role")) };
        paper_row(&x->p, row, COUNT(row));
    }
    paper_table_end(&x->p);
    show_transfers(x, list);
}

/* "privacy_policy 7, terms 2" */
static struct str notices(struct page *x, uint32_t list)
{
    struct str all = { 0 };
    EACH(x, v, list)
    {
        struct str version = text(x, v, "version");
        all = arena_printf(x->g.a, "%.*s%s%.*s%s%s%s%.*s", STR_ARG(all), all.n ? "; " : "",
                           STR_ARG(text(x, v, "identifier")), version.n ? ", " : "",
                           version.n ? word(x->t, WORD_VERSION) : "", version.n ? " " : "",
                           STR_ARG(version));
    }
    return all;
}

/* The words of the text, in the text's language. */
static void show_wording(struct page *x, uint32_t purpose, struct str language)
{
    static const struct {
        enum word name;
        const char *member;
    } parts[] = { { WORD_TRANSFER_TEXT, "transfer" },
                  { WORD_STORAGE, "retention_period" },
                  { WORD_AUTOMATION, "processing_method" },
                  { WORD_CONSEQUENCES, "consequences" } };
    for (size_t i = 0; i < COUNT(parts); i++)
        pair(x, parts[i].name, (struct words){ text(x, purpose, parts[i].member), language });
}

static void show_text_version(struct page *x, uint32_t notice)
{
    if (json_type(&x->g.d, notice) != JSON_OBJECT) {
        pair(x, WORD_TEXT, WORDS_OF(str_of(word(x->t, WORD_TEXT_NONE))));
        return;
    }
    struct str version = text(x, notice, "version"), since = moment(x, notice, "since", false);
    AUTO(buf_fini) struct buf b = BUF_INIT(1024);
    buf_printf(&b, "%s %.*s, %s %.*s", word(x->t, WORD_VERSION), STR_ARG(version),
               word(x->t, WORD_TEXT_SINCE), STR_ARG(since));
    pair(x, WORD_TEXT, WORDS_OF(arena_str(x->g.a, buf_view(&b))));
    pair(x, WORD_NOTICES, WORDS_OF(notices(x, reading_get(&x->g, notice, "legal_notices"))));
}

static const char *kind_of(const struct page *x, uint32_t purpose)
{
    struct str state = text(x, purpose, "state");
    if (reading_is(&x->g, purpose, "holds"))
        return "yes";
    bool no = str_eq(state, STR("withdrawn")) || str_eq(state, STR("refused")) ||
              str_eq(state, STR("objected"));
    return no ? "no" : "over";
}

/* The state is what counts today; on the receipt of one act that must be said. */
static void show_state(struct page *x, uint32_t purpose)
{
    struct words state = said(x, NAME_STATE, text(x, purpose, "state"));
    if (x->of_act)
        state = WORDS_OF(
            arena_printf(x->g.a, "%s: %.*s", word(x->t, WORD_ANSWER_NOW), STR_ARG(state.text)));
    paper_line(&x->p, kind_of(x, purpose), state);
}

static void show_answer(struct page *x, uint32_t purpose, uint32_t event)
{
    bool holds = reading_is(&x->g, purpose, "holds");
    bool expired = str_eq(text(x, purpose, "state"), STR("expired"));
    struct str by = text(x, purpose, "decided_by"), since = moment(x, event, "effect_time", true),
               answer = word_for(x->t, NAME_SAID, text(x, event, "said"));
    bool decides = str_eq(by, text(x, event, "record_id"));
    if (x->of_act)
        pair(x, WORD_ANSWER_THEN,
             WORDS_OF(arena_printf(x->g.a, "%.*s, %.*s", STR_ARG(answer), STR_ARG(since))));
    else
        pair(x, WORD_WHEN, WORDS_OF(since));
    if (decides && (holds || expired))
        pair_moment(x, holds ? WORD_HOLDS_UNTIL : WORD_HELD_UNTIL, event, "valid_until", true);
    if (x->of_act && by.n && !decides)
        paper_pair_code(&x->p, word(x->t, WORD_DECIDED_NOW), by);
}

static void show_purpose(struct page *x, uint32_t purpose)
{
    uint32_t event = reading_get(&x->g, purpose, "event"),
             notice = reading_get(&x->g, purpose, "privacy_notice"),
             data = json_first(&x->g.d, reading_get(&x->g, purpose, "pii_information"));
    struct str language = text(x, notice, "language");
    paper_section_begin(&x->p);
    paper_heading(&x->p, 2, title_of(x, purpose));
    show_state(x, purpose);
    struct words aim = { text(x, purpose, "description"), language };
    if (aim.text.n)
        paper_line(&x->p, NULL, aim);
    paper_pairs_begin(&x->p);
    show_answer(x, purpose, event);
    pair(x, WORD_WITHDRAWAL, (struct words){ text(x, purpose, "withdrawal_method"), language });
    pair(x, WORD_DATA, (struct words){ text(x, data, "pii_type"), language });
    show_wording(x, purpose, language);
    paper_pairs_end(&x->p);
    show_recipients(x, purpose);
    paper_pairs_begin(&x->p);
    pair(x, WORD_BASIS, said(x, NAME_BASIS, text(x, purpose, "lawful_basis")));
    pair(x, WORD_APPLIES_TO, said(x, NAME_SCOPE, text(x, purpose, "scope")));
    show_text_version(x, notice);
    pair(x, WORD_EVIDENCE, said(x, NAME_EVIDENCE, text(x, event, "evidence")));
    paper_pair_code(&x->p, word(x->t, WORD_RECORD), text(x, event, "record_id"));
    paper_pairs_end(&x->p);
    paper_section_end(&x->p);
}

/* ---- records ---- */

static void quote(struct page *x, const char *name, struct str value)
{
    struct str shown = reading_cut(value, SHOWN);
    if (value.n == 0)
        return;
    paper_pair_quote(&x->p, name,
                     shown.n < value.n ? arena_printf(x->g.a, "%.*s …\n(%s)", STR_ARG(shown),
                                                      word(x->t, WORD_CUT))
                                       : value);
}

/* What stands in an object, a line for each name. */
static void quote_members(struct page *x, enum word what, uint32_t object)
{
    AUTO(buf_fini) struct buf lines = BUF_INIT(RECEIPT_MAX);
    for (uint32_t k = json_first(&x->g.d, object); k; k = json_next(&x->g.d, object, k + 1)) {
        struct str name = { 0 };
        (void)json_string(&x->g.d, k, x->g.a, &name); /* a key is a string */
        buf_str(&lines, lines.n ? STR("\n") : STR(""));
        buf_str(&lines, name);
        buf_lit(&lines, ": ");
        buf_str(&lines, reading_value(&x->g, k + 1));
    }
    quote(x, word(x->t, what), arena_str(x->g.a, buf_view(&lines)));
}

static void show_proofs(struct page *x, uint32_t record)
{
    uint32_t list = reading_get(&x->g, record, "proofs");
    EACH(x, v, list)
    {
        quote(x, word(x->t, WORD_FORM), text(x, v, "form"));
        quote(x, word(x->t, WORD_CONTENT), text(x, v, "content"));
        struct str form = text(x, v, "form_sha256"), content = text(x, v, "content_sha256");
        if (form.n)
            paper_pair_code(&x->p, arena_printf(x->g.a, "%s, SHA-256", word(x->t, WORD_FORM)).p,
                            form);
        if (content.n)
            paper_pair_code(&x->p, arena_printf(x->g.a, "%s, SHA-256", word(x->t, WORD_CONTENT)).p,
                            content);
    }
    list = reading_get(&x->g, record, "proof_documents");
    EACH(x, v, list)
    paper_pair_code(&x->p, word(x->t, WORD_DOCUMENT),
                    arena_printf(x->g.a, "%.*s, SHA-256 %.*s", STR_ARG(text(x, v, "name")),
                                 STR_ARG(text(x, v, "sha256"))));
}

static void show_record(struct page *x, uint32_t record)
{
    paper_heading(&x->p, 3,
                  WORDS_OF(arena_printf(x->g.a, "%s %.*s", word(x->t, WORD_RECORD),
                                        STR_ARG(text(x, record, "record_id")))));
    paper_pairs_begin(&x->p);
    pair_moment(x, WORD_STATED_TIME, record, "timestamp", true);
    pair_moment(x, WORD_RECEIVED, record, "received", true);
    pair_of(x, WORD_SOURCE, record, "collection_method");
    paper_pair_code(&x->p, word(x->t, WORD_CHECKSUM), text(x, record, "checksum"));
    pair(x, WORD_NOTICES, WORDS_OF(notices(x, reading_get(&x->g, record, "legal_notices"))));
    pair_of(x, WORD_ADDRESS, record, "ip_address");
    quote_members(x, WORD_SAID, reading_get(&x->g, record, "preferences"));
    quote_members(x, WORD_PAPER, reading_get(&x->g, record, "offline"));
    quote_members(x, WORD_CMP, reading_get(&x->g, record, "cmp"));
    show_proofs(x, record);
    paper_pairs_end(&x->p);
}

static void show_foot(struct page *x)
{
    uint32_t rights = reading_get(&x->g, JSON_ROOT, "privacy_rights");
    paper_section_begin(&x->p);
    paper_heading(&x->p, 2, WORDS_OF(str_of(word(x->t, WORD_RIGHTS))));
    paper_items_begin(&x->p);
    EACH(x, v, rights)
    paper_item(&x->p, WORDS_OF(reading_value(&x->g, v)));
    paper_items_end(&x->p);
    paper_section_end(&x->p);
    paper_section_begin(&x->p);
    paper_heading(&x->p, 2, WORDS_OF(str_of(word(x->t, WORD_CHECK))));
    paper_line(&x->p, NULL, WORDS_OF(str_of(word(x->t, WORD_CHECK_TEXT))));
    paper_section_end(&x->p);
}

static bool show(struct str json, bool html, struct arena *a, struct buf *to)
{
    struct page x = { .g = { .a = a }, .p = { .to = to, .a = a, .html = html } };
    if (json_scan(json, a, &x.g.d, NULL) != OK || text(&x, JSON_ROOT, "receipt_id").n == 0)
        return false;
    x.t = tongue_of(text(&x, JSON_ROOT, "language"));
    x.of_act = str_eq(text(&x, JSON_ROOT, "covers"), STR("act"));
    x.p.language = str_of(tongue_name[x.t]);
    uint32_t purposes = reading_get(&x.g, JSON_ROOT, "purposes"),
             records = reading_get(&x.g, JSON_ROOT, "records");
    paper_begin(&x.p, str_of(word(x.t, WORD_TITLE)));
    show_head(&x);
    show_overview(&x, purposes);
    EACH(&x, v, purposes)
    show_purpose(&x, v);
    if (json_first(&x.g.d, records)) {
        paper_section_begin(&x.p);
        paper_heading(&x.p, 2, WORDS_OF(str_of(word(x.t, WORD_RECORDS))));
        EACH(&x, v, records)
        show_record(&x, v);
        paper_section_end(&x.p);
    }
    show_foot(&x);
    paper_end(&x.p);
    return !to->over;
}

bool receipt_page(struct str json, struct arena *a, struct buf *to)
{
    return show(json, true, a, to);
}

bool receipt_text(struct str json, struct arena *a, struct buf *to)
{
    return show(json, false, a, to);
}

void receipt_nothing(struct str language, struct arena *a, struct buf *to)
{
    enum tongue t = tongue_of(language);
    struct paper p = { .to = to, .a = a, .html = true, .language = str_of(tongue_name[t]) };
    paper_begin(&p, str_of(word(t, WORD_NOTHING_TITLE)));
    paper_heading(&p, 1, WORDS_OF(str_of(word(t, WORD_NOTHING_TITLE))));
    paper_line(&p, NULL, WORDS_OF(str_of(word(t, WORD_NOTHING_TEXT))));
    paper_end(&p);
}

struct str receipt_page_policy(struct arena *a)
{
    return paper_policy(a);
}

struct str receipt_language(struct str accepted)
{
    struct str item;
    while (str_next(&accepted, ',', &item)) {
        struct str language = { 0 };
        (void)str_next(&item, ';', &language); /* else empty: none of ours */
        language = str_trim(language);
        if (tongue_known(language))
            return language;
    }
    return (struct str){ 0 };
}
