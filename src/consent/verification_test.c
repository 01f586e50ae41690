#include "consent/asking.h"

#include "consent/verification.h"

#include "codec/text.h"

#include <sodium.h>
#include <stdlib.h>

#define MAIL "jane@shop.example"
#define NEWS "\"preferences\":{\"newsletter\":true}," PROOF

static int open_letters(void **state)
{
    w.letters = true;
    return open_world(state);
}

/* ---- asking, as a browser and as the operator's server do ---- */

static struct consent_answer browser(struct str json)
{
    return sent(
        &(struct consent_request){ .body = json, .source = ACT_PUBLIC_KEY, .letter = true });
}

/* A sign-up in a new browser. */
static struct consent_answer sign_up(const char *email)
{
    return browser(text("{\"subject\":{\"email\":\"%s\"}," NEWS "}", email));
}

static const char *state_of(struct str subject)
{
    struct str json;
    enum err e = ledger_get_verification(w.reader, subject, w.now, &w.arena, &json);
    return e == OK ? at(json, "state") : "";
}

static struct id verification_of(struct str subject)
{
    struct str json;
    struct id id;
    assert_int_equal(ledger_get_verification(w.reader, subject, w.now, &w.arena, &json), OK);
    const char *quoted = at(json, "id");
    assert_true(id_parse((struct str){ quoted + 1, ID_TEXT }, &id));
    return id;
}

static struct str token_of(struct str subject)
{
    uint8_t secret[32];
    struct id id = verification_of(subject);
    store_secret(w.store, SECRET_DEVICE_TOKEN, secret);
    struct str link = verification_link(w.conf, secret, &id, &w.arena);
    static const struct str before = STR_INIT("https://muster.example/licet/confirm/");
    assert_true(str_starts(link, before));
    return (struct str){ link.p + before.n, link.n - before.n };
}

static struct confirmation_page reply(struct str token, enum confirmation_answer answer)
{
    struct confirmation_page page = { 0 };
    struct confirmation_request q = { .token = token, .answer = answer, .received_ms = w.now };
    world_begin(&w);
    enum err e = ledger_confirm(w.ledger, w.policy, &q, &w.arena, &page, &w.info);
    if (e != OK)
        fail_msg("%s: %s", w.info.field, w.info.text);
    world_commit(&w);
    return page;
}

static struct confirmation_page shown(struct str token)
{
    struct confirmation_page page = { 0 };
    struct confirmation_request q = { .token = token, .received_ms = w.now };
    assert_int_equal(ledger_show_confirmation(w.reader, w.policy, &q, &w.arena, &page), OK);
    return page;
}

static uint32_t due(struct due_letter **ret_due)
{
    uint32_t n;
    assert_int_equal(ledger_due_letters(w.ledger, w.policy, w.now, 16, &w.arena, ret_due, &n), OK);
    return n;
}

static enum err on_demand(const char *subject, const char *body)
{
    struct str json;
    struct verification_request q = { .subject = str_of(subject),
                                      .body = str_of(body),
                                      .received_ms = w.now };
    w.info = (struct err_info){ 0 };
    world_begin(&w);
    enum err e = ledger_ask_verification(w.ledger, w.policy, &q, &w.arena, &json, &w.info);
    world_commit(&w);
    return e;
}

static void note_letter(const struct due_letter *d, int64_t sent_ms, int64_t next_ms)
{
    struct verification_letter l = { .sent_ms = sent_ms, .next_ms = next_ms, .attempts = 1 };
    world_begin(&w);
    assert_int_equal(store_note_letter(w.store, d->seq, &l), OK);
    world_commit(&w);
}

/* ---- who is asked ---- */

static void an_act_asks_when_something_of_it_waits_and_the_address_is_good(void **state)
{
    (void)state;
    struct str json;
    assert_int_equal(put("known", "{\"email\":\"" MAIL "\"}", false, &json), OK);
    assert_int_equal(put("sure", "{\"email\":\"" MAIL "\",\"verified\":true}", false, &json), OK);
    assert_int_equal(put("bare", "{}", false, &json), OK);
    static const struct {
        const char *body;
        bool by_public_key, asks;
    } cases[] = {
        { "{\"subject\":{\"email\":\"a@x.example\"}," NEWS "}", true, true },
        { "{\"subject\":{\"email\":\"a@x.example\"},\"preferences\":{\"newsletter\":false}}", true,
          false },
        { "{\"subject\":{\"email\":\"a@x.example\"},\"preferences\":{\"letters\":true}}", true,
          false }, /* permitted already: the id was made up just now */
        { "{\"subject\":{\"email\":\"a@x.example\"},\"preferences\":{\"other\":true}}", true,
          false },
        { "{\"subject\":{\"email\":\"a@x.example\"},\"preferences\":{\"newsletter\":true},"
          "\"versions\":{\"newsletter\":9}}",
          true, false }, /* bound to no text */
        { "{\"subject\":{\"email\":\"no address\"}," NEWS "}", true, false },
        { "{" NEWS "}", true, false },
        { "{\"subject\":{\"id\":\"known\"}," NEWS "}", true, true },
        { "{\"subject\":{\"id\":\"known\",\"email\":\"JANE@shop.example\"}," NEWS "}", true, true },
        { "{\"subject\":{\"id\":\"known\",\"email\":\"b@x.example\"}," NEWS "}", true, false },
        { "{\"subject\":{\"id\":\"bare\",\"email\":\"b@x.example\"}," NEWS "}", true, false },
        { "{\"subject\":{\"id\":\"fresh\",\"email\":\"b@x.example\"}," NEWS "}", true, false },
        { "{\"subject\":{\"id\":\"c@x.example\",\"email\":\"C@x.example\"}," NEWS "}", true, true },
        { "{\"subject\":{\"id\":\"sure\"}," NEWS "}", true, false },
        { "{\"subject\":{\"id\":\"p1\",\"email\":\"d@x.example\"}," NEWS "}", false, true },
        { "{\"subject\":{\"id\":\"p2\",\"email\":\"e@x.example\",\"verified\":true}," NEWS "}",
          false, false },
        { "{\"subject\":{\"id\":\"p3\"}," NEWS "}", false, false },
        { "{\"subject\":{\"id\":\"p4\",\"email\":\"f@x.example\"},\"preferences\":{\"letters\":"
          "true}}",
          false, false },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        w.now += 2 * DAY; /* the limits of the day do not matter */
        struct consent_request q = { .body = str_of(cases[i].body),
                                     .source =
                                         cases[i].by_public_key ? ACT_PUBLIC_KEY : ACT_PRIVATE_KEY,
                                     .letter = true };
        struct consent_answer ans = sent(&q);
        if (ans.letter != cases[i].asks)
            fail_msg("%zu: %s", i, cases[i].body);
        if (cases[i].asks)
            assert_string_equal(state_of(ans.subject), "\"requested\"");
    }
}

static void a_strangers_grant_without_double_opt_in_is_asked_about_as_well(void **state)
{
    (void)state;
    struct str json;
    assert_int_equal(put("known", "{\"email\":\"" MAIL "\"}", false, &json), OK);
    struct consent_answer ans =
        browser(STR("{\"subject\":{\"id\":\"known\"},\"preferences\":{\"letters\":true}}"));
    assert_true(ans.letter);
    assert_reason("known", "letters", REASON_UNCONFIRMED);
    assert_int_equal(reply(token_of(STR("known")), CONFIRMATION_YES).status, 200);
    assert_reason("known", "letters", REASON_PERMITTED);
    assert_string_equal(at(subject("known"), "verified"), "true");
}

static void who_sends_too_much_causes_no_letter_and_is_recorded_all_the_same(void **state)
{
    (void)state;
    struct consent_answer ans =
        public(STR("{\"subject\":{\"email\":\"" MAIL "\"}," NEWS "}")); /* .letter is false */
    assert_false(ans.letter);
    assert_string_equal(at(consent(ans), "preferences"), "{\"newsletter\":true}");
}

static void an_address_said_by_public_key_stands_once_it_is_confirmed(void **state)
{
    (void)state;
    struct consent_answer ans = sign_up(MAIL);
    const char *id = arena_str(&w.arena, ans.subject).p;
    assert_string_equal(at(subject(id), "email"), "null");
    (void)reply(token_of(ans.subject), CONFIRMATION_YES);
    assert_string_equal(at(subject(id), "email"), "\"" MAIL "\"");
    assert_string_equal(at(subject(id), "verified"), "true");
}

/* ---- how often ---- */

static void a_mailbox_and_a_subject_get_few_letters_a_day(void **state)
{
    (void)state;
    static const char *const same[] = { MAIL, "JANE@Shop.Example", "jane+1@shop.example", MAIL };
    for (size_t i = 0; i < COUNT(same); i++)
        assert_int_equal(sign_up(same[i]).letter, i < 3);
    assert_true(sign_up("other@shop.example").letter);
    w.now += DAY;
    struct consent_answer ans = sign_up(MAIL);
    assert_true(ans.letter);
    for (int i = 0; i < 4; i++) {
        const struct consent_request q = {
            .body = text("{\"subject\":{\"email\":\"m%d@shop.example\"}," NEWS "}", i),
            .source = ACT_PUBLIC_KEY,
            .device = ans.subject,
            .letter = true
        };
        assert_int_equal(sent(&q).letter, i < 2);
    }
}

static void who_said_it_was_not_her_gets_no_letter_for_90_days(void **state)
{
    (void)state;
    struct consent_answer ans = sign_up(MAIL);
    uint32_t acts = items(list_consents("limit=100"));
    struct confirmation_page page = reply(token_of(ans.subject), CONFIRMATION_NOT_ME);
    assert_true(page.disowned && !page.confirmed && page.status == 200);
    assert_int_equal(items(list_consents("limit=100")), acts);
    assert_string_equal(state_of(ans.subject), "\"disowned\"");
    assert_int_equal(reply(token_of(ans.subject), CONFIRMATION_YES).status, 410);
    assert_int_equal(reason_of(ans.subject, "newsletter"), REASON_NOT_VERIFIED);
    w.now += 2 * DAY;
    assert_false(sign_up("Jane+x@shop.example").letter);
    assert_int_equal(put(arena_str(&w.arena, ans.subject).p, "{\"email\":\"" MAIL "\"}", true,
                         &(struct str){ 0 }),
                     OK);
    assert_int_equal(on_demand(arena_str(&w.arena, ans.subject).p, ""), ERR_CONFLICT);
    w.now += 88 * DAY;
    assert_true(sign_up(MAIL).letter);
}

static void on_demand_says_why_not(void **state)
{
    (void)state;
    struct str json;
    assert_int_equal(on_demand("nobody", ""), ERR_NOT_FOUND);
    assert_int_equal(put("u", "{}", false, &json), OK);
    assert_int_equal(on_demand("u", ""), ERR_VALUE);
    assert_string_equal(w.info.field, "email");
    assert_int_equal(put("u", "{\"email\":\"" MAIL "\"}", true, &json), OK);
    assert_int_equal(on_demand("u", ""), ERR_CONFLICT);
    (void)private(STR("{\"subject\":{\"id\":\"u\"}," NEWS "}"));
    assert_string_equal(state_of(STR("u")), "\"requested\"");
    assert_int_equal(on_demand("u", "{\"language\":\"xx\"}"), ERR_VALUE);
    assert_string_equal(w.info.field, "language");
    assert_int_equal(on_demand("u", "["), ERR_SYNTAX);
    assert_int_equal(on_demand("u", "{\"language\":\"de\"}"), OK);
    assert_int_equal(on_demand("u", "{\"language\":null}"), OK);
    assert_int_equal(on_demand("u", ""), ERR_BUSY);
    w.now += DAY;
    assert_int_equal(on_demand("u", ""), OK);
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"newsletter\":false}}"));
    assert_int_equal(on_demand("u", ""), ERR_CONFLICT);
}

static void what_a_stranger_said_is_not_brought_up_again(void **state)
{
    (void)state;
    struct str json;
    assert_int_equal(put("u", "{\"email\":\"" MAIL "\"}", false, &json), OK);
    (void)public(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":true}}"));
    assert_int_equal(on_demand("u", ""), ERR_CONFLICT);
    (void)private(STR("{\"subject\":{\"id\":\"u\"}," NEWS "}"));
    (void)reply(token_of(STR("u")), CONFIRMATION_YES);
    assert_reason("u", "newsletter", REASON_PERMITTED);
    assert_reason("u", "letters", REASON_UNCONFIRMED);
}

/* ---- what a click does ---- */

static void it_confirms_the_very_version_that_was_asked_about(void **state)
{
    (void)state;
    struct consent_answer ans = sign_up(MAIL);
    w.now += DAY + 3600000; /* version 2 is in force since this day */
    struct confirmation_page page = reply(token_of(ans.subject), CONFIRMATION_YES);
    assert_true(page.confirmed && !page.disowned);
    assert_int_equal(page.status, 200);
    struct str act = item(list_consents("limit=1"), 0);
    assert_string_equal(at(act, "source"), "\"confirmation\"");
    struct str effect = item(str_of(at(act, "effects")), 0);
    assert_string_equal(at(effect, "version"), "1");
    assert_string_equal(at(effect, "evidence"), "\"confirmation\"");
    assert_string_equal(at(effect, "effect"), text("%lld", (long long)w.now).p);
    assert_int_equal(reason_of(ans.subject, "newsletter"), REASON_PERMITTED);
}

static void it_counts_once(void **state)
{
    (void)state;
    struct consent_answer ans = sign_up(MAIL);
    struct str token = token_of(ans.subject);
    assert_int_equal(shown(token).status, 200);
    assert_int_equal(shown(token).status, 200);
    assert_int_equal(reply(token, CONFIRMATION_NONE).status, 200);
    assert_string_equal(state_of(ans.subject), "\"requested\"");
    assert_int_equal(reply(token, CONFIRMATION_YES).status, 200);
    uint32_t acts = items(list_consents("limit=100"));
    for (int answer = CONFIRMATION_NONE; answer <= CONFIRMATION_NOT_ME; answer++)
        assert_int_equal(reply(token, (enum confirmation_answer)answer).status, 410);
    assert_int_equal(items(list_consents("limit=100")), acts);
    assert_string_equal(state_of(ans.subject), "\"confirmed\"");
}

static void it_runs_out(void **state)
{
    (void)state;
    struct consent_answer ans = sign_up(MAIL);
    struct str token = token_of(ans.subject);
    w.now += 2 * DAY - 1;
    assert_int_equal(shown(token).status, 200);
    w.now++;
    assert_int_equal(shown(token).status, 410);
    assert_int_equal(reply(token, CONFIRMATION_YES).status, 410);
    assert_int_equal(reply(token, CONFIRMATION_NOT_ME).status, 410);
    assert_int_equal(reason_of(ans.subject, "newsletter"), REASON_NOT_VERIFIED);
    assert_string_equal(state_of(ans.subject), "\"failed\"");
}

static void it_is_for_the_address_that_was_written_to(void **state)
{
    (void)state;
    struct str json;
    (void)private(STR("{\"subject\":{\"id\":\"u\",\"email\":\"" MAIL "\"}," NEWS "}"));
    assert_int_equal(put("u", "{\"email\":\"new@shop.example\"}", true, &json), OK);
    assert_int_equal(reply(token_of(STR("u")), CONFIRMATION_YES).status, 410);
    assert_string_equal(at(subject("u"), "verified"), "false");
    struct due_letter *d;
    assert_int_equal(due(&d), 1);
    assert_non_null(d[0].dropped);
}

static void tokens_that_are_not_ours_are_unknown(void **state)
{
    (void)state;
    struct consent_answer ans = sign_up(MAIL);
    struct str token = arena_str(&w.arena, token_of(ans.subject));
    struct confirmation_page nobody = shown(STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    assert_int_equal(nobody.status, 404);
    char *bytes = (char *)arena_str(&w.arena, token).p;
    for (size_t i = 0; i < token.n; i++) {
        char was = bytes[i];
        bytes[i] = was == 'A' ? 'B' : 'A';
        struct confirmation_page page = reply((struct str){ bytes, token.n }, CONFIRMATION_YES);
        assert_int_equal(page.status, 404);
        assert_true(str_eq(page.html, nobody.html));
        bytes[i] = was;
    }
    static const char *const odd[] = { "", "/", "\xff\xfe", "%00" };
    for (size_t i = 0; i < COUNT(odd); i++)
        assert_int_equal(shown(str_of(odd[i])).status, 404);
    char *large = arena_alloc(&w.arena, 1 << 20);
    assert_int_equal(shown((struct str){ large, 1 << 20 }).status, 404);
    assert_int_equal(reply(token, CONFIRMATION_YES).status, 200);
}

static void nothing_that_is_stored_leads_to_the_link(void **state)
{
    (void)state;
    struct consent_answer ans = sign_up(MAIL);
    struct str token = token_of(ans.subject);
    struct verification v;
    uint8_t secret[32];
    assert_int_equal(store_newest_verification(w.reader, ans.subject, &w.arena, &v), OK);
    assert_null(memmem(v.payload.p, v.payload.n, token.p, token.n));
    assert_non_null(memmem(v.payload.p, v.payload.n, "{{link}}", 8));
    store_secret(w.store, SECRET_DEVICE_TOKEN, secret);
    secret[0] ^= 1;
    struct str other = verification_link(w.conf, secret, &v.id, &w.arena);
    assert_null(memmem(other.p, other.n, token.p, token.n));
    (void)reply(token, CONFIRMATION_YES);
    struct str act = item(list_consents("limit=1"), 0);
    struct str whole;
    const char *id = at(act, "id");
    assert_int_equal(
        ledger_get_consent(w.reader, (struct str){ id + 1, ID_TEXT }, &w.arena, &whole), OK);
    assert_null(memmem(whole.p, whole.n, token.p, token.n));
}

static void restricted_people_get_no_letters(void **state)
{
    (void)state;
    struct consent_answer ans = sign_up(MAIL);
    int64_t seq;
    world_begin(&w);
    assert_int_equal(store_add_restriction(w.store, ans.subject, true, STR("{}"), w.now, &seq), OK);
    assert_int_equal(ledger_changed(w.ledger, ans.subject), OK);
    world_commit(&w);
    struct due_letter *d;
    assert_int_equal(due(&d), 1);
    assert_string_equal(d[0].dropped, "the subject is restricted");
    assert_int_equal(on_demand(arena_str(&w.arena, ans.subject).p, ""), ERR_CONFLICT);
}

/* Whatever is said around a letter, by whomever and in whatever order: the click opens only what she, or
 * the operator for her, did not close since. */
static void no_click_opens_what_was_closed_since(void **state)
{
    (void)state;
    srandom(7);
    for (int round = 0; round < 60; round++) {
        w.now += 3 * DAY;
        const char *id = text("r%d", round).p;
        bool granted = false, closed = false, clicked = false;
        (void)private(
            text("{\"subject\":{\"id\":\"%s\",\"email\":\"r%d@x.example\"}," NEWS "}", id, round));
        granted = true;
        struct str token = arena_str(&w.arena, token_of(str_of(id)));
        for (int step = 0; step < 4; step++) {
            long what = random() % 5;
            w.now += 1000;
            if (what == 0) {
                (void)private(text("{\"subject\":{\"id\":\"%s\"},\"preferences\":{\"newsletter\":"
                                   "false}}",
                                   id));
                closed = true;
            } else if (what == 1) {
                (void)public(text("{\"subject\":{\"id\":\"%s\"},\"preferences\":{\"newsletter\":"
                                  "0}}",
                                  id));
                closed = true;
            } else if (what == 2) { /* an old grant that arrives late opens nothing again */
                (void)private(text("{\"subject\":{\"id\":\"%s\"},\"timestamp\":\"2026-02-01T00:00:"
                                   "00Z\"," NEWS "}",
                                   id));
            } else {
                struct confirmation_page page = reply(token, CONFIRMATION_YES);
                assert_int_equal(page.status, closed || clicked ? 410 : 200);
                clicked = clicked || !closed;
            }
        }
        enum reason r = reason_of(str_of(id), "newsletter");
        bool opens = granted && clicked && !closed;
        if ((r == REASON_PERMITTED) != opens)
            fail_msg("round %d: %s", round, reason_name(r));
    }
}

/* ---- letters ---- */

static void a_letter_is_due_until_it_went(void **state)
{
    (void)state;
    struct due_letter *d;
    struct consent_answer ans = sign_up(MAIL);
    assert_int_equal(due(&d), 1);
    assert_null(d[0].dropped);
    assert_true(str_eq(d[0].to, STR(MAIL)));
    struct str token = token_of(ans.subject);
    assert_non_null(memmem(d[0].text.p, d[0].text.n, token.p, token.n));
    assert_non_null(memmem(d[0].text.p, d[0].text.n, "* T\n", 4)); /* the title */
    assert_non_null(memmem(d[0].text.p, d[0].text.n, "Muster GmbH", 11));
    assert_null(memmem(d[0].text.p, d[0].text.n, "{{", 2));
    note_letter(&d[0], 0, w.now + 5000);
    assert_int_equal(due(&d), 0);
    assert_string_equal(state_of(ans.subject), "\"requested\"");
    w.now += 5000;
    assert_int_equal(due(&d), 1);
    note_letter(&d[0], w.now, 0);
    assert_int_equal(due(&d), 0);
    assert_string_equal(state_of(ans.subject), "\"sent\"");
    w.now += 2 * DAY;
    assert_string_equal(state_of(ans.subject), "\"expired\"");
}

static void a_letter_that_was_answered_meanwhile_is_not_sent_again(void **state)
{
    (void)state;
    struct due_letter *d;
    struct consent_answer ans = sign_up(MAIL);
    assert_int_equal(due(&d), 1);
    (void)reply(token_of(ans.subject), CONFIRMATION_YES); /* its copy had arrived */
    note_letter(&d[0], 0, w.now);
    assert_int_equal(due(&d), 0);
}

static void a_letter_that_nobody_wants_any_more_is_dropped(void **state)
{
    (void)state;
    struct due_letter *d;
    struct consent_answer a = sign_up("a@x.example"), b = sign_up("b@x.example");
    (void)sign_up("b+2@x.example");
    (void)public(text("{\"subject\":{\"id\":\"%.*s\"},\"preferences\":{\"newsletter\":false}}",
                      STR_ARG(a.subject)));
    (void)reply(token_of(b.subject), CONFIRMATION_NOT_ME);
    assert_int_equal(due(&d), 2);
    assert_string_equal(d[0].dropped, "nothing waits for a confirmation any more");
    assert_string_equal(d[1].dropped, "the address's owner said that it was not her");
    w.now += 3 * DAY;
    (void)sign_up("c@x.example");
    assert_int_equal(due(&d), 3);
    assert_string_equal(d[0].dropped, "its time was over");
    assert_null(d[2].dropped);
}

/* ---- the page ---- */

static bool has(struct str html, const char *what)
{
    return memmem(html.p, html.n, what, strlen(what)) != NULL;
}

static void the_page_shows_the_whole_text_in_her_language_and_no_markup_of_others(void **state)
{
    (void)state;
    struct consent_answer ans = browser(
        STR("{\"subject\":{\"email\":\"" MAIL "\"},\"shown\":{\"language\":\"de\"}," NEWS "}"));
    struct confirmation_page page = shown(token_of(ans.subject));
    assert_true(has(page.html, "<html lang=\"de\">"));
    assert_true(has(page.html, "<h2>Rundbrief</h2>"));
    assert_true(has(page.html, "&lt;W&gt;") && !has(page.html, "<W>"));
    assert_true(has(page.html, "j…") && has(page.html, "@shop.example"));
    assert_false(has(page.html, MAIL));
    struct confirmation_request q = { .token = token_of(ans.subject),
                                      .language = STR("nl"),
                                      .received_ms = w.now };
    assert_int_equal(ledger_show_confirmation(w.reader, w.policy, &q, &w.arena, &page), OK);
    assert_true(has(page.html, "<html lang=\"nl\">") && has(page.html, "<section lang=\"de\">"));
    q.language = STR("\"><script>");
    assert_int_equal(ledger_show_confirmation(w.reader, w.policy, &q, &w.arena, &page), OK);
    assert_false(has(page.html, "script"));
}

static void what_was_shown_is_the_proof(void **state)
{
    (void)state;
    struct consent_answer ans = sign_up(MAIL);
    struct str token = token_of(ans.subject), whole, form;
    struct confirmation_page page = shown(token);
    (void)reply(token, CONFIRMATION_YES);
    const char *id = at(item(list_consents("limit=1"), 0), "id");
    assert_int_equal(
        ledger_get_consent(w.reader, (struct str){ id + 1, ID_TEXT }, &w.arena, &whole), OK);
    struct json_doc d;
    struct str proof = item(str_of(at(whole, "proofs")), 0);
    assert_int_equal(json_scan(proof, &w.arena, &d, NULL), OK);
    assert_true(json_string(&d, json_get(&d, JSON_ROOT, STR("form")), &w.arena, &form));
    assert_non_null(memmem(page.html.p, page.html.n, form.p, form.n));
    assert_true(has(form, "<button") && has(form, "<dd>W</dd>"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_letters, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_act_asks_when_something_of_it_waits_and_the_address_is_good),
        T(a_strangers_grant_without_double_opt_in_is_asked_about_as_well),
        T(who_sends_too_much_causes_no_letter_and_is_recorded_all_the_same),
        T(an_address_said_by_public_key_stands_once_it_is_confirmed),
        T(a_mailbox_and_a_subject_get_few_letters_a_day),
        T(who_said_it_was_not_her_gets_no_letter_for_90_days),
        T(on_demand_says_why_not),
        T(what_a_stranger_said_is_not_brought_up_again),
        T(it_confirms_the_very_version_that_was_asked_about),
        T(it_counts_once),
        T(it_runs_out),
        T(it_is_for_the_address_that_was_written_to),
        T(tokens_that_are_not_ours_are_unknown),
        T(nothing_that_is_stored_leads_to_the_link),
        T(restricted_people_get_no_letters),
        T(no_click_opens_what_was_closed_since),
        T(a_letter_is_due_until_it_went),
        T(a_letter_that_was_answered_meanwhile_is_not_sent_again),
        T(a_letter_that_nobody_wants_any_more_is_dropped),
        T(the_page_shows_the_whole_text_in_her_language_and_no_markup_of_others),
        T(what_was_shown_is_the_proof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
