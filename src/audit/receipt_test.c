#include "audit/receipt.h"

#include "audit/receipt_words.h"
#include "audit/said.h"
#include "consent/asking.h"
#include "policy/compile.h"

#include <stdlib.h>

static struct receipt_question question(const char *language)
{
    return (struct receipt_question){
        .policy = w.policy, .language = str_of(language), .named = true, .now_ms = w.now
    };
}

static struct str standing(const char *subject)
{
    struct receipt_question q = question("");
    struct str json;
    assert_int_equal(receipt_of_subject(w.reader, &q, str_of(subject), &w.arena, &json), OK);
    return json;
}

static struct str of_act(struct consent_answer ans)
{
    struct receipt_question q = question("");
    char id[ID_TEXT + 1];
    struct str json;
    id_format(&ans.act, id);
    assert_int_equal(receipt_of_act(w.reader, &q, str_of(id), &w.arena, &json), OK);
    return json;
}

static struct str purpose_in(struct str receipt, uint32_t index)
{
    return item(str_of(at(receipt, "purposes")), index);
}

static struct str shown(struct str json, bool html)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(64 << 20);
    assert_true((html ? receipt_page : receipt_text)(json, &w.arena, &b));
    return arena_str(&w.arena, buf_view(&b));
}

static void assert_has(struct str text, const char *part)
{
    if (memmem(text.p, text.n, part, strlen(part)) == NULL)
        fail_msg("no '%s' in %.*s", part, STR_ARG(text));
}

static void assert_lacks(struct str text, const char *part)
{
    if (memmem(text.p, text.n, part, strlen(part)) != NULL)
        fail_msg("'%s' in %.*s", part, STR_ARG(text));
}

/* ---- what it tells ---- */

static void nobody_gets_no_receipt(void **state)
{
    (void)state;
    struct receipt_question q = question("");
    struct str json = STR("before");
    assert_int_equal(receipt_of_subject(w.reader, &q, STR("nobody"), &w.arena, &json),
                     ERR_NOT_FOUND);
    static const char *const ids[] = { "", "x", "5f2b6c1e-8a61-4c3e-9d36-0d4a3a8f1b11" };
    for (size_t i = 0; i < COUNT(ids); i++)
        assert_int_equal(receipt_of_act(w.reader, &q, str_of(ids[i]), &w.arena, &json),
                         ERR_NOT_FOUND);
    assert_string_equal(json.p, "before");
}

static void who_said_nothing_of_a_purpose_gets_an_empty_one(void **state)
{
    (void)state;
    (void)private(STR("{\"subject\":{\"id\":\"quiet\"},\"preferences\":{\"other\":true}}"));
    struct str json = standing("quiet");
    assert_string_equal(at(json, "purposes"), "[]");
    assert_string_equal(at(json, "records"), "[]");
    assert_has(shown(json, false), "No purpose is spoken of.");
}

static void the_text_is_the_one_that_was_agreed_to(void **state)
{
    (void)state;
    w.now = JUL_1;
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true},"
                      "\"versions\":{\"statistics\":2}," PROOF "}"));
    struct str p = purpose_in(standing("u"), 0);
    assert_string_equal(at(p, "privacy_notice.version"), "2");
    assert_string_equal(at(p, "privacy_notice.since"), "\"2026-03-01\"");
    assert_string_equal(at(p, "privacy_notice.relation"), "\"agreed\"");
    assert_string_equal(at(p, "event.valid_until"), "\"2027-07-01T00:00:00.000Z\"");
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":false}}"));
    p = purpose_in(standing("u"), 0);
    assert_string_equal(at(p, "state"), "\"withdrawn\"");
    assert_string_equal(at(p, "privacy_notice.version"), "2");
    assert_string_equal(at(p, "privacy_notice.relation"), "\"withdrawn\"");
    assert_string_equal(at(p, "event.valid_until"), "null");
    (void)private(STR("{\"subject\":{\"id\":\"n\"},\"preferences\":{\"statistics\":false}}"));
    p = purpose_in(standing("n"), 0);
    assert_string_equal(at(p, "privacy_notice.version"), "3");
    assert_string_equal(at(p, "privacy_notice.relation"), "\"in_force\"");
}

static void of_several_texts_the_last_that_was_agreed_to_is_withdrawn(void **state)
{
    (void)state;
    static const int versions[] = { 1, 2, 1 };
    w.now = JUL_1;
    for (size_t i = 0; i < COUNT(versions); i++) {
        w.now += DAY;
        (void)private(text("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true},"
                           "\"versions\":{\"statistics\":%d}," PROOF "}",
                           versions[i]));
    }
    w.now += DAY;
    struct consent_answer no =
        private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":false}}"));
    assert_string_equal(at(purpose_in(standing("u"), 0), "privacy_notice.version"), "1");
    w.now += DAY; /* what comes later is not what was withdrawn then */
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true},"
                      "\"versions\":{\"statistics\":3}," PROOF "}"));
    struct str p = purpose_in(of_act(no), 0);
    assert_string_equal(at(p, "privacy_notice.version"), "1");
    assert_string_equal(at(p, "privacy_notice.relation"), "\"withdrawn\"");
    assert_string_equal(at(p, "state"), "\"granted\"");
}

static void a_grant_tied_to_no_text_shows_none(void **state)
{
    (void)state;
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"statistics\":true},"
                      "\"versions\":{\"statistics\":9}," PROOF "}"));
    struct str json = standing("u"), p = purpose_in(json, 0);
    assert_string_equal(at(p, "privacy_notice"), "null");
    assert_string_equal(at(p, "holds"), "false");
    assert_string_equal(at(p, "event.event_state"), "\"ConsentUnknown\"");
    assert_string_equal(at(p, "event.event_type"), "null");
    assert_string_equal(at(p, "title"), "");
    assert_has(shown(json, false), "It is tied to no text.");
}

static void a_void_text_is_told(void **state)
{
    (void)state;
    (void)private(
        STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"marketing\":true}," PROOF "}"));
    struct void_answer ans;
    world_begin(&w);
    assert_int_equal(ledger_void(w.ledger, w.policy,
                                 STR("{\"purpose\":\"marketing\",\"version\":1,\"reason\":\"r\"}"),
                                 w.now, &w.arena, &ans, &w.info),
                     OK);
    world_commit(&w);
    struct frozen *frozen = arena_new(&w.arena, struct frozen);
    AUTO(buf_fini) struct buf reports = BUF_INIT(1 << 20);
    assert_int_equal(store_load_frozen(w.reader, &w.arena, frozen), OK);
    assert_int_equal(policy_compile(w.conf, frozen, 2, &w.arena, &w.policy, &reports), OK);
    struct str p = purpose_in(standing("u"), 0);
    assert_string_equal(at(p, "state"), "\"text_voided\"");
    assert_string_equal(at(p, "event.event_state"), "\"ConsentInvalidated\"");
}

static void a_strangers_yes_is_told_as_unconfirmed(void **state)
{
    (void)state;
    (void)public(
        STR("{\"subject\":{\"id\":\"victim\"},\"preferences\":{\"statistics\":true}," PROOF "}"));
    struct str p = purpose_in(standing("victim"), 0);
    assert_string_equal(at(p, "state"), "\"unconfirmed\"");
    assert_string_equal(at(p, "event.confirmed"), "false");
    assert_string_equal(at(p, "event.event_state"), "\"ConsentUnknown\"");
}

static void what_decides_is_shown_and_not_what_came_last(void **state)
{
    (void)state;
    struct consent_answer newer =
        private(STR("{\"subject\":{\"id\":\"u\"},\"timestamp\":\"2026-02-20T00:00:00Z\","
                    "\"preferences\":{\"statistics\":true}," PROOF "}"));
    struct consent_answer late =
        private(STR("{\"subject\":{\"id\":\"u\"},\"timestamp\":\"2026-02-10T00:00:00Z\","
                    "\"preferences\":{\"statistics\":true}," PROOF "}"));
    char id[ID_TEXT + 1];
    id_format(&newer.act, id);
    assert_string_equal(at(purpose_in(standing("u"), 0), "decided_by"), text("\"%s\"", id).p);
    struct str p = purpose_in(of_act(late), 0);
    assert_string_equal(at(p, "decided_by"), text("\"%s\"", id).p);
    assert_string_equal(at(p, "event.event_state"), "\"ConsentGiven\"");
    assert_string_equal(at(p, "event.effect_time"), "\"2026-02-10T00:00:00.000Z\"");
}

static void a_purpose_that_is_gone_keeps_its_name(void **state)
{
    (void)state;
    struct consent_answer ans = private(STR(
        "{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":true,\"statistics\":true}," PROOF
        "}"));
    struct policy smaller = *w.policy;
    struct policy_purpose kept[] = { w.policy->purpose[0] };
    smaller.purpose = kept;
    smaller.purpose_count = 1;
    const struct policy *whole = w.policy;
    w.policy = &smaller;
    struct str json = of_act(ans);
    assert_int_equal(items(str_of(at(json, "purposes"))), 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct str p = purpose_in(json, i);
        if (strcmp(at(p, "purpose"), "\"letters\"") != 0)
            continue;
        assert_string_equal(at(p, "state"), "\"unknown_purpose\"");
        assert_string_equal(at(p, "lawful_basis"), "null");
        assert_string_equal(at(p, "privacy_notice"), "null");
    }
    assert_has(shown(json, true), "This purpose is not pursued any more");
    assert_int_equal(items(str_of(at(standing("u"), "purposes"))), 1);
    w.policy = whole;
}

static void names_are_told_only_to_who_may_know(void **state)
{
    (void)state;
    (void)private(STR("{\"subject\":{\"id\":\"u\",\"first_name\":\"Ann\",\"last_name\":\"Lee\","
                      "\"email\":\"ann@example.org\"},\"preferences\":{\"letters\":false}}"));
    assert_string_equal(at(standing("u"), "name"), "\"Ann Lee\"");
    assert_string_equal(at(standing("u"), "email"), "\"ann@example.org\"");
    struct receipt_question q = question("");
    q.named = false;
    struct str json;
    assert_int_equal(receipt_of_subject(w.reader, &q, STR("u"), &w.arena, &json), OK);
    assert_lacks(json, "Ann");
    assert_lacks(json, "example.org");
}

static void an_erased_act_has_no_receipt(void **state)
{
    (void)state;
    struct said s = { 0 };
    struct act_found act = { .seq = 7 };
    assert_int_equal(said_read(&act, &w.arena, &s), ERR_NOT_FOUND);
    act.payload = STR("{\"effects\":");
    assert_int_equal(said_read(&act, &w.arena, &s), ERR_CORRUPT);
    assert_int_equal(s.act.seq, 0);
}

static void damaged_effects_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}",
        "7",
        "{\"purpose\":1,\"name\":\"a\",\"evidence\":\"proof\",\"version\":-1,\"effect\":1}",
        "{\"purpose\":1,\"name\":\"a\",\"evidence\":\"magic\",\"version\":1,\"effect\":1}",
        "{\"purpose\":4294967296,\"name\":\"a\",\"evidence\":\"proof\",\"version\":1,\"effect\":1}",
        "{\"purpose\":1,\"name\":2,\"evidence\":\"proof\",\"version\":1,\"effect\":1}",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct json_doc d;
        struct said_effect e = { .effect.purpose = 99 };
        struct str json = text("{\"effects\":[%s]}", bad[i]);
        assert_int_equal(json_scan(json, &w.arena, &d, NULL), OK);
        uint32_t node = json_first(&d, json_get(&d, JSON_ROOT, STR("effects")));
        if (said_effect(&d, node, &w.arena, &e))
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(e.effect.purpose, 99);
    }
}

/* ---- words ---- */

static void languages_are_found_by_their_first_part(void **state)
{
    (void)state;
    static const struct {
        const char *accepted, *want;
    } rows[] = {
        { "", "" },
        { "*", "" },
        { "fr", "" },
        { "de", "de" },
        { "de-AT,de;q=0.9,en;q=0.8", "de-AT" },
        { "fr-FR,fr;q=0.9, nl;q=0.8", "nl" },
        { "EN-us", "EN-us" },
        { ",,;q=1, en ;q=0", "en" },
        { "deutsch", "" },
        { "-de", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str got = receipt_language(str_of(rows[i].accepted));
        if (!str_eq(got, str_of(rows[i].want)))
            fail_msg("'%s': '%.*s'", rows[i].accepted, STR_ARG(got));
    }
}

static void every_word_is_there_in_every_language(void **state)
{
    (void)state;
    for (int t = 0; t < TONGUES; t++) {
        for (int i = 0; i < WORDS; i++)
            assert_true(strlen(word((enum tongue)t, (enum word)i)) > 0);
        for (size_t i = 0; i < COUNT(act_source_name); i++)
            assert_false(str_eq(word_for((enum tongue)t, NAME_SOURCE, str_of(act_source_name[i])),
                                str_of(act_source_name[i])));
        for (size_t i = 0; i < COUNT(act_evidence_name); i++)
            assert_false(
                str_eq(word_for((enum tongue)t, NAME_EVIDENCE, str_of(act_evidence_name[i])),
                       str_of(act_evidence_name[i])));
        /* what gate_purpose() may say */
        for (int r = REASON_UNKNOWN_PURPOSE; r <= REASON_NOT_VERIFIED; r++) {
            struct str name = str_of(reason_name((enum reason)r));
            if (r != REASON_RECIPIENT_NOT_NAMED)
                assert_false(str_eq(word_for((enum tongue)t, NAME_STATE, name), name));
        }
    }
    assert_string_equal(word_for(TONGUE_DE, NAME_STATE, STR("of tomorrow")).p, "of tomorrow");
}

static void dates_and_countries_are_written_as_people_do(void **state)
{
    (void)state;
    struct arena *a = &w.arena;
    assert_string_equal(word_date(TONGUE_EN, JUL_1, false, a).p, "1 July 2026");
    assert_string_equal(word_date(TONGUE_DE, MAR_1 + 3661000, true, a).p,
                        "1. M\xc3\xa4rz 2026, 01:01 UTC");
    assert_string_equal(word_date(TONGUE_NL, MAR_1 - 1, true, a).p, "28 februari 2026, 23:59 UTC");
    assert_string_equal(word_country(TONGUE_NL, STR("IE"), a).p, "Ierland (IE)");
    assert_string_equal(word_country(TONGUE_EN, STR("ZZ"), a).p, "ZZ");
    assert_int_equal(word_country(TONGUE_EN, STR(""), a).n, 0);
}

/* ---- strangers ---- */

static uint32_t count(struct str text, char c)
{
    uint32_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == c;
    return n;
}

/* Text of a stranger: any bytes that JSON may carry, and what means something to others. */
static struct str strange(unsigned *seed)
{
    static const char *const piece[] = { "<",     ">",   "&",    "\"",    "'",     "\\",
                                         "</dd>", "-->", "{{",   "\x1b[", "\r",    "\xe2\x80\xae",
                                         "%s",    "é",   "\x7f", "]]>",   "&#60;", "</style>",
                                         "x" };
    AUTO(buf_fini) struct buf b = BUF_INIT(4096);
    for (int i = 1 + rand_r(seed) % 8; i > 0; i--)
        buf_str(&b, str_of(piece[(unsigned)rand_r(seed) % COUNT(piece)]));
    return arena_str(&w.arena, buf_view(&b));
}

static struct str quoted(struct str s)
{
    AUTO(buf_fini) struct buf b = BUF_INIT(64 << 10);
    json_write_string(&b, s);
    return arena_str(&w.arena, buf_view(&b));
}

/* As many tags, quotes and elements as with plain words, whatever was written. */
static void whatever_strangers_write_the_page_is_built_alike(void **state)
{
    (void)state;
    unsigned seed = 27560;
    uint32_t open = 0, close = 0, quotes = 0;
    for (int round = 0; round < 60; round++) {
        struct str s[6];
        for (size_t i = 0; i < COUNT(s); i++)
            s[i] = quoted(round ? strange(&seed) : STR("plain"));
        struct consent_answer ans = private(
            text("{\"subject\":{\"id\":\"u%d\",\"full_name\":%s,\"email\":%s},\"preferences\":{"
                 "\"statistics\":true,\"other\":%s},\"legal_notices\":[{\"identifier\":\"terms\"}],"
                 "\"proofs\":[{\"form\":%s,\"content\":%s}],\"shown\":{\"language\":\"en\","
                 "\"note\":%s}}",
                 round, s[0].p, s[1].p, s[2].p, s[3].p, s[4].p, s[5].p));
        struct str page = shown(of_act(ans), true), words = shown(of_act(ans), false);
        if (round == 0) {
            open = count(page, '<');
            close = count(page, '>');
            quotes = count(page, '"');
        }
        assert_int_equal(count(page, '<'), open);
        assert_int_equal(count(page, '>'), close);
        assert_int_equal(count(page, '"'), quotes);
        assert_lacks(page, "\x1b");
        assert_lacks(words, "\x1b");
        assert_lacks(words, "\r");
        assert_lacks(words, "\xe2\x80\xae");
    }
}

static void what_is_no_receipt_is_not_shown(void **state)
{
    (void)state;
    static const char *const other[] = { "", "{", "[]", "null", "{}", "{\"receipt_id\":\"\"}" };
    for (size_t i = 0; i < COUNT(other); i++) {
        AUTO(buf_fini) struct buf b = BUF_INIT(1 << 20);
        assert_false(receipt_page(str_of(other[i]), &w.arena, &b));
        assert_false(receipt_text(str_of(other[i]), &w.arena, &b));
        assert_int_equal(b.n, 0);
    }
}

static void what_does_not_fit_is_not_cut(void **state)
{
    (void)state;
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":true}}"));
    struct str json = standing("u");
    AUTO(buf_fini) struct buf b = BUF_INIT(2000);
    assert_false(receipt_page(json, &w.arena, &b));
    buf_clear(&b);
    b.max = 100;
    assert_false(receipt_text(json, &w.arena, &b));
}

static void a_long_proof_is_cut_on_the_page_alone(void **state)
{
    (void)state;
    char form[9001];
    memset(form, 'f', sizeof form - 1);
    form[sizeof form - 1] = 0;
    AUTO(buf_fini) struct buf b = BUF_INIT(64 << 10);
    buf_printf(&b,
               "{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":true},\"proofs\":[{"
               "\"form\":\"%s\"}]}",
               form);
    struct str json = of_act(private(arena_str(&w.arena, buf_view(&b))));
    assert_has(json, form);
    assert_lacks(shown(json, true), form);
    assert_has(shown(json, true), "There is more of it");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(nobody_gets_no_receipt),
        TEST(who_said_nothing_of_a_purpose_gets_an_empty_one),
        TEST(the_text_is_the_one_that_was_agreed_to),
        TEST(of_several_texts_the_last_that_was_agreed_to_is_withdrawn),
        TEST(a_grant_tied_to_no_text_shows_none),
        TEST(a_void_text_is_told),
        TEST(a_strangers_yes_is_told_as_unconfirmed),
        TEST(what_decides_is_shown_and_not_what_came_last),
        TEST(a_purpose_that_is_gone_keeps_its_name),
        TEST(names_are_told_only_to_who_may_know),
        TEST(an_erased_act_has_no_receipt),
        TEST(damaged_effects_are_none),
        TEST(languages_are_found_by_their_first_part),
        TEST(every_word_is_there_in_every_language),
        TEST(dates_and_countries_are_written_as_people_do),
        TEST(whatever_strangers_write_the_page_is_built_alike),
        TEST(what_is_no_receipt_is_not_shown),
        TEST(what_does_not_fit_is_not_cut),
        TEST(a_long_proof_is_cut_on_the_page_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
