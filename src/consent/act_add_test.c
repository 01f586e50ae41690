#include "consent/asking.h"

#include "base/limits.h"

/* ---- answers ---- */

static void the_answer_is_what_existing_clients_expect(void **state)
{
    (void)state;
    struct consent_answer ans =
        private(STR("{\"timestamp\":\"2026-02-04T14:52:26.789Z\",\"subject\":{\"id\":\"u1\"},"
                    "\"preferences\":{\"statistics\":true}," PROOF "}"));
    char id[ID_TEXT + 1];
    id_format(&ans.act, id);
    struct str expected = text("{\"id\":\"%s\",\"timestamp\":\"2026-02-04T14:52:26Z\","
                               "\"subject_id\":\"u1\"}",
                               id);
    assert_string_equal(arena_str(&w.arena, ans.json).p, expected.p);
    assert_true(str_eq(ans.subject, STR("u1")));
    assert_false(ans.replayed || ans.new_device || ans.lowers);
}

static void a_private_grant_that_permits_nothing_is_answered_with_a_warning(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says;
    } cases[] = {
        { "{\"preferences\":{\"statistics\":true}}", "no proof" },
        { "{\"preferences\":{\"marketing\":true}," PROOF ",\"timestamp\":\"2026-01-31T00:00:00Z\"}",
          "no version" },
        { "{\"preferences\":{\"statistics\":true}," PROOF
          ",\"legal_notices\":[{\"identifier\":\"privacy_policy\",\"version\":3}]}",
          "no version" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct consent_answer ans = private(str_of(cases[i].json));
        const char *warnings = at(ans.json, "warnings");
        assert_non_null(strstr(warnings, cases[i].says));
        assert_non_null(strstr(warnings, i == 1 ? "\\\"marketing\\\"" : "\\\"statistics\\\""));
        assert_int_not_equal(reason_of(ans.subject, i == 1 ? "marketing" : "statistics"),
                             REASON_PERMITTED);
    }
    assert_string_equal(
        at(private(STR("{\"preferences\":{\"letters\":true,\"other\":true}}")).json, "warnings"),
        ""); /* proof: optional; not registered */
    assert_string_equal(at(public(STR("{\"preferences\":{\"statistics\":true}}")).json, "warnings"),
                        "");
}

static void the_public_answer_is_the_same_for_known_and_unknown_subjects(void **state)
{
    (void)state;
    (void)private(
        STR("{\"subject\":{\"id\":\"known\",\"email\":\"k@example.org\",\"verified\":true},"
            "\"preferences\":{\"statistics\":true}," PROOF "}"));
    const char *body =
        "{\"timestamp\":\"2026-02-20T00:00:00Z\",\"subject\":{\"id\":\"%s\",\"email\":"
        "\"x@example.org\"},\"preferences\":{\"statistics\":%s}}";
    static const char *const values[] = { "true", "false" };
    for (int i = 0; i < 2; i++) {
        struct consent_answer a = public(text(body, "known", values[i]));
        struct consent_answer b = public(text(body, "nobody", values[i]));
        assert_int_equal(a.json.n, b.json.n - 1); /* but for the id itself */
        assert_int_equal(a.lowers, b.lowers);
        assert_int_equal(a.new_device, b.new_device);
        assert_string_equal(at(a.json, "timestamp"), at(b.json, "timestamp"));
        assert_string_equal(at(a.json, "warnings"), "");
    }
}

/* ---- bodies ---- */

static void forms_are_understood(void **state)
{
    (void)state;
    struct consent_answer ans = sent(&(struct consent_request){
        .body = STR("subject[id]=u&subject[email]=a%40example.org&preferences[statistics]=true&"
                    "preferences[colour]=dark+red&proofs[0][content]=said+so&"
                    "legal_notices[0][identifier]=privacy_policy&legal_notices[0][version]=8"),
        .format = BODY_FORM,
        .source = ACT_PRIVATE_KEY });
    assert_reason("u", "statistics", REASON_PERMITTED);
    assert_string_equal(at(subject("u"), "email"), "\"a@example.org\"");
    assert_string_equal(at(consent(ans), "preferences"),
                        "{\"statistics\":\"true\",\"colour\":\"dark red\"}");
    assert_string_equal(at(consent(ans), "legal_notices"),
                        "[{\"identifier\":\"privacy_policy\",\"version\":8}]");
}

static void everything_that_was_sent_is_kept_as_it_was(void **state)
{
    (void)state;
    world_begin(&w);
    struct str document;
    assert_int_equal(
        ledger_add_document(w.ledger,
                            &(struct document_request){ .bytes = STR("%PDF-1.7 startxref 9 %%EOF"),
                                                        .most = 100,
                                                        .received_ms = w.now },
                            &w.arena, &document, &w.info),
        OK);
    world_commit(&w);
    const char *id = at(document, "id");
    struct consent_answer ans = private(text(
        "{\"subject\":{\"id\":42,\"phones\":[{\"number\":\"1\",\"label\":\"home\"}]},"
        "\"preferences\":{\"banner\":{\"v\": [1, 2.50],\"t\":\"\\u00fc\"},\"statistics\":\"yes\"},"
        "\"proofs\":[{\"content\":\"\\\"quoted\\\"\",\"form\":\"<b>\"}],"
        "\"proof_document_ids\":[%s],\"versions\":{\"statistics\":2},"
        "\"shown\":{\"language\":\"en\",\"layout\":3},\"unescape_json\":true,"
        "\"campaign\":{\"id\":[7]},\"effects\":\"mine\",\"received\":0}",
        id));
    struct str c = consent(ans);
    assert_string_equal(at(c, "subject"), "{\"id\":\"42\",\"phones\":[{\"number\":\"1\",\"label\":"
                                          "\"home\"}],\"owner_id\":\"1\",\"email\":null,"
                                          "\"first_name\":null,\"last_name\":null,"
                                          "\"full_name\":null,\"verified\":null}");
    assert_string_equal(at(c, "preferences.banner"), "{\"v\": [1, 2.50],\"t\":\"\\u00fc\"}");
    assert_string_equal(at(c, "proofs"), "[{\"content\":\"\\\"quoted\\\"\",\"form\":\"<b>\"}]");
    assert_string_equal(at(c, "proof_document_ids"), text("[%s]", id).p);
    assert_string_equal(at(c, "shown.layout"), "3");
    assert_string_equal(at(c, "other"),
                        "{\"campaign\":{\"id\":[7]},\"effects\":\"mine\",\"received\":0}");
    assert_string_equal(at(c, "source"), "\"private\"");
    assert_string_equal(at(c, "received"), "\"2026-03-01T00:00:00.000Z\"");
    assert_int_equal(strlen(at(c, "checksum")), 66);
    assert_string_equal(at(c, "owner_id"), "\"1\"");
    struct consent_answer list = private(STR("{\"preferences\":[\"a\",{\"statistics\":true}]}"));
    assert_string_equal(at(consent(list), "preferences"), "[\"a\",{\"statistics\":true}]");
    assert_string_equal(at(consent(list), "effects"), "[]");
    assert_int_equal(reason_of(list.subject, "statistics"), REASON_NO_CONSENT);
}

static void an_act_that_says_nothing_is_recorded_too(void **state)
{
    (void)state;
    struct consent_answer ans = private(STR("{}"));
    struct id id;
    assert_true(id_parse(ans.subject, &id));
    assert_string_equal(at(consent(ans), "preferences"), "{}");
    assert_string_equal(at(consent(ans), "legal_notices"), "[]");
    (void)private(text("{\"subject\":{\"id\":\"%.*s\"},\"preferences\":{\"letters\":true}}",
                       STR_ARG(ans.subject)));
    (void)private(text("{\"subject\":{\"id\":\"%.*s\"},\"preferences\":{\"letters\":true}}",
                       STR_ARG(ans.subject)));
    assert_int_equal(items(list_consents("")), 3);
}

static void what_is_nested_deeply_can_be_read_again_or_is_refused(void **state)
{
    (void)state;
    static const char *const around[] = { "{\"preferences\":{\"x\":%s}}", "{\"unknown\":%s}",
                                          "{\"subject\":{\"x\":%s}}", "{\"shown\":{\"x\":%s}}" };
    for (size_t i = 0; i < COUNT(around); i++) {
        uint32_t accepted = 0;
        for (int depth = LIMIT_JSON_DEPTH - 6; depth <= LIMIT_JSON_DEPTH; depth++) {
            char nested[2 * LIMIT_JSON_DEPTH + 1] = { 0 };
            memset(nested, '[', (size_t)depth);
            memset(nested + depth, ']', (size_t)depth);
            struct consent_answer ans;
            struct consent_request q = { .source = ACT_PRIVATE_KEY };
            AUTO(buf_fini) struct buf body = BUF_INIT(1000);
            const char *hole = strstr(around[i], "%s");
            buf_add(&body, around[i], (size_t)(hole - around[i]));
            buf_str(&body, str_of(nested));
            buf_str(&body, str_of(hole + 2));
            q.body = buf_view(&body);
            enum err e = send(&q, &ans);
            assert_true(e == OK || e == ERR_LIMIT);
            if (e != OK)
                continue;
            accepted++;
            (void)consent(ans);
            (void)subject(arena_str(&w.arena, ans.subject).p);
            (void)private(text("{\"subject\":{\"id\":\"%.*s\"},\"preferences\":{\"y\":1}}",
                               STR_ARG(ans.subject))); /* her stored view is read again */
        }
        assert_in_range(accepted, 1, 6);
    }
}

static void a_refused_body_writes_nothing(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "{\"subject\":{\"id\":\"null\"}}",
        "{\"subject\":{\"id\":\"\"}}",
        "{\"timestamp\":\"soon\"}",
        "{\"preferences\":7}",
        "{\"legal_notices\":{}x}",
        "{\"a\":\"\xff\"}",
        "{\"preferences\":{\"a\":1,\"a\":2}}",
    };
    for (size_t i = 0; i < COUNT(bodies); i++) {
        for (int source = ACT_PUBLIC_KEY; source <= ACT_PRIVATE_KEY; source++) {
            struct consent_answer ans = { .lowers = true };
            struct consent_request q = { .body = str_of(bodies[i]),
                                         .source = (enum act_source)source };
            enum err e = send(&q, &ans);
            if (e != ERR_SYNTAX && e != ERR_VALUE)
                fail_msg("%s: %d", bodies[i], e);
            assert_true(ans.lowers); /* untouched */
        }
    }
    struct chain_head head;
    assert_int_equal(store_newest_head(w.reader, &head), OK);
    assert_int_equal(head.group, 1); /* the configuration's */
    assert_string_equal(list_consents("").p, "[]");
    assert_string_equal(list_subjects("").p, "[]");
}

/* ---- once ---- */

static struct consent_request keyed(const char *body, enum act_source source, const char *key)
{
    return (struct consent_request){ .body = str_of(body),
                                     .source = source,
                                     .idempotency_key = str_of(key) };
}

static void the_first_answer_to_an_idempotency_key_is_replayed(void **state)
{
    (void)state;
    const char *body = "{\"preferences\":{\"statistics\":true,\"letters\":false}}";
    struct consent_request q = keyed(body, ACT_PRIVATE_KEY, "k1");
    struct consent_answer first = sent(&q);
    w.now += 5000;
    struct consent_answer second = sent(&q);
    assert_true(second.replayed);
    assert_true(str_eq(first.json, second.json));
    assert_non_null(strstr(at(second.json, "warnings"), "statistics"));
    assert_true(str_eq(first.subject, second.subject));
    assert_memory_equal(&first.act, &second.act, sizeof first.act);
    assert_true(first.lowers && second.lowers);
    assert_int_equal(items(list_consents("")), 1);
    q = keyed(body, ACT_PRIVATE_KEY, "k2");
    assert_false(sent(&q).replayed);
    q = keyed(body, ACT_PUBLIC_KEY, "k1");
    assert_false(sent(&q).replayed);
    assert_int_equal(items(list_consents("")), 3);
}

static void an_idempotency_key_with_another_body_is_a_conflict(void **state)
{
    (void)state;
    struct consent_answer ans;
    struct consent_request q = keyed("{\"preferences\":{\"letters\":true}}", ACT_PRIVATE_KEY, "k");
    (void)sent(&q);
    q.body = STR("{\"preferences\":{\"letters\":false}}");
    assert_int_equal(send(&q, &ans), ERR_CONFLICT);
    assert_string_equal(w.info.field, "Idempotency-Key");
    w.now += LIMIT_IDEMPOTENCY_MS + 1;
    assert_int_equal(send(&q, &ans), OK); /* the key may be used again */
    assert_false(ans.replayed);
}

static void a_device_token_is_handed_out_once(void **state)
{
    (void)state;
    struct consent_request q = keyed("{\"preferences\":{\"letters\":true}}", ACT_PUBLIC_KEY, "k");
    assert_true(sent(&q).new_device);
    struct consent_answer again = sent(&q);
    assert_true(again.replayed);
    assert_false(again.new_device);
    q.device = STR("another-device"); /* another browser that came upon the same key */
    assert_true(str_eq(sent(&q).subject, STR("another-device")));
}

static void an_idempotency_key_has_a_maximum(void **state)
{
    (void)state;
    char key[LIMIT_IDEMPOTENCY_KEY + 2] = { 0 };
    memset(key, 'k', LIMIT_IDEMPOTENCY_KEY + 1);
    struct consent_answer ans;
    struct consent_request q = keyed("{}", ACT_PRIVATE_KEY, key);
    assert_int_equal(send(&q, &ans), ERR_LIMIT);
    assert_string_equal(w.info.field, "Idempotency-Key");
    q.idempotency_key.n--;
    assert_int_equal(send(&q, &ans), OK);
}

/* ---- the view of preferences ---- */

static void the_view_names_the_newest_value_and_the_act_that_proves_it(void **state)
{
    (void)state;
    struct consent_answer a = private(STR("{\"subject\":{\"id\":\"u\"},\"preferences\":"
                                          "{\"letters\":true,\"colour\":\"red\"}}"));
    w.now += 1000;
    struct consent_answer b = private(STR(
        "{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":\"off\",\"size\":{\"n\":1}}}"));
    char first[ID_TEXT + 1], second[ID_TEXT + 1];
    id_format(&a.act, first);
    id_format(&b.act, second);
    struct str expected =
        text("{\"letters\":{\"value\":\"off\",\"consent_id\":\"%s\"},\"colour\":{\"value\":\"red\","
             "\"consent_id\":\"%s\"},\"size\":{\"value\":{\"n\":1},\"consent_id\":\"%s\"}}",
             second, first, second);
    assert_string_equal(at(subject("u"), "preferences"), expected.p);
    (void)private(STR("{\"subject\":{\"id\":\"u\"},\"timestamp\":\"2026-02-02T00:00:00Z\","
                      "\"preferences\":{\"letters\":true}}"));
    assert_string_equal(at(subject("u"), "preferences"), expected.p);
    assert_string_equal(
        at(str_of(at(item(list_subjects("id=u"), 0), "preferences")), "letters.consent_id"),
        text("\"%s\"", second).p);
}

static void the_view_is_bounded_and_a_withdrawal_still_passes(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf body = BUF_INIT(1 << 20);
    struct consent_answer ans;
    int names = 0;
    enum err e = OK;
    for (int act = 0; e == OK && act < 6; act++) {
        buf_clear(&body);
        buf_lit(&body, "{\"subject\":{\"id\":\"u\"},\"preferences\":{");
        for (int i = 0; i < LIMIT_PREFERENCES; i++)
            buf_printf(&body, "%s\"p%d\":true", i ? "," : "", names++);
        buf_lit(&body, "}}");
        struct consent_request q = { .body = buf_view(&body), .source = ACT_PRIVATE_KEY };
        e = send(&q, &ans);
    }
    assert_int_equal(e, ERR_LIMIT);
    assert_string_equal(w.info.field, "preferences");
    assert_int_equal(names, 5 * LIMIT_PREFERENCES);
    (void)private(
        STR("{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":false,\"more\":1}}"));
    assert_string_equal(at(subject("u"), "preferences.letters.value"), "false");
    assert_string_equal(at(subject("u"), "preferences.more"), "");
    assert_reason("u", "letters", REASON_REFUSED);
}

static void a_huge_value_lowers_and_does_not_fill_the_view(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf body = BUF_INIT(1 << 20);
    buf_lit(&body, "{\"subject\":{\"id\":\"u\"},\"preferences\":{\"letters\":\"");
    for (int i = 0; i < 600000; i++)
        buf_byte(&body, 'x');
    buf_lit(&body, "\"}}");
    assert_true(public(buf_view(&body)).lowers);
    assert_string_equal(at(subject("u"), "preferences.letters.value"), "false");
    buf_clear(&body);
    buf_lit(&body, "{\"subject\":{\"id\":\"u\"},\"preferences\":{\"other\":\"");
    for (int i = 0; i < 600000; i++)
        buf_byte(&body, 'x');
    buf_lit(&body, "\"}}");
    struct consent_answer ans;
    struct consent_request q = { .body = buf_view(&body), .source = ACT_PRIVATE_KEY };
    assert_int_equal(send(&q, &ans), ERR_LIMIT);
    assert_string_equal(w.info.field, "preferences");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        T(the_answer_is_what_existing_clients_expect),
        T(a_private_grant_that_permits_nothing_is_answered_with_a_warning),
        T(the_public_answer_is_the_same_for_known_and_unknown_subjects),
        T(forms_are_understood),
        T(everything_that_was_sent_is_kept_as_it_was),
        T(an_act_that_says_nothing_is_recorded_too),
        T(what_is_nested_deeply_can_be_read_again_or_is_refused),
        T(a_refused_body_writes_nothing),
        T(the_first_answer_to_an_idempotency_key_is_replayed),
        T(an_idempotency_key_with_another_body_is_a_conflict),
        T(a_device_token_is_handed_out_once),
        T(an_idempotency_key_has_a_maximum),
        T(the_view_names_the_newest_value_and_the_act_that_proves_it),
        T(the_view_is_bounded_and_a_withdrawal_still_passes),
        T(a_huge_value_lowers_and_does_not_fill_the_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
