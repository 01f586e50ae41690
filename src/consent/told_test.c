/* What hooks are told of facts. */
#include "consent/asking.h"
#include "consent/told.h"

#include "store/finding.h"

static struct fact_found fact(int64_t seq)
{
    struct fact_found f;
    assert_int_equal(store_read_fact(w.reader, seq, &w.arena, &f), OK);
    return f;
}

static struct fact_found newest(void)
{
    return fact(store_newest_fact(w.reader));
}

static const char *type_of(const struct fact_found *f, uint32_t on)
{
    const struct told_type *t = told_type(w.reader, f, on);
    return t != NULL ? t->name : "";
}

static struct str told(const struct fact_found *f)
{
    AUTO(buf_fini) struct buf to = BUF_INIT(1 << 20);
    const struct told_type *t = told_type(w.reader, f, CONF_HOOK_ALL);
    assert_non_null(t);
    assert_int_equal(told_write(t, w.reader, w.conf, f, &w.arena, &to), OK);
    return arena_str(&w.arena, buf_view(&to));
}

static struct fact_found act(const char *preferences)
{
    (void)private(text("{\"subject\":{\"id\":\"u\"},\"preferences\":%s," PROOF "}", preferences));
    return newest();
}

static void an_act_that_lowers_anything_registered_is_a_withdrawal(void **state)
{
    (void)state;
    static const struct {
        const char *preferences, *type, *lowered;
        uint32_t on; /* told to these, and to no others */
    } rows[] = {
        { "{\"letters\":true}", "consent.recorded", "[]", CONF_HOOK_CONSENT },
        { "{\"letters\":false}", "consent.withdrawn", "[\"letters\"]", CONF_HOOK_WITHDRAWAL },
        { "{\"letters\":\"perhaps\"}", "consent.withdrawn", "[\"letters\"]", CONF_HOOK_WITHDRAWAL },
        { "{\"letters\":true,\"statistics\":false,\"marketing\":0}", "consent.withdrawn",
          "[\"statistics\",\"marketing\"]", CONF_HOOK_WITHDRAWAL | CONF_HOOK_CONSENT },
        { "{\"stranger\":false}", "consent.recorded", "[]", CONF_HOOK_CONSENT },
        { "{}", "consent.recorded", "[]", CONF_HOOK_CONSENT },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fact_found f = act(rows[i].preferences);
        assert_string_equal(type_of(&f, CONF_HOOK_ALL), rows[i].type);
        for (uint32_t on = 1; on < CONF_HOOK_ALL; on *= 2)
            assert_string_equal(type_of(&f, on), (rows[i].on & on) != 0 ? rows[i].type : "");
        assert_string_equal(at(told(&f), "data.lowered"), rows[i].lowered);
    }
}

static void an_act_is_told_as_it_is_shown_without_proof_and_address(void **state)
{
    (void)state;
    struct consent_answer ans = private(
        STR("{\"subject\":{\"id\":\"u\",\"email\":\"u@secret.example\",\"first_name\":\"Ursula\"},"
            "\"preferences\":{\"letters\":true,\"color\":\"blue\"},\"consent_type\":\"form\","
            "\"ip_address\":\"203.0.113.7\"," PROOF "}"));
    struct fact_found f = newest();
    struct str message = told(&f), shown = consent(ans);
    static const char *const same[] = { "timestamp",   "received",      "source", "consent_type",
                                        "preferences", "legal_notices", "effects" };
    assert_string_equal(at(message, "data.consent_id"), at(shown, "id"));
    assert_string_equal(at(message, "data.subject_id"), "\"u\"");
    for (size_t i = 0; i < COUNT(same); i++)
        assert_string_equal(at(message, text("data.%s", same[i]).p), at(shown, same[i]));
    assert_string_equal(at(message, "data.consent_type"), "\"form\"");
    static const char *const secret[] = { "secret.example", "Ursula", "203.0.113", "<form>" };
    for (size_t i = 0; i < COUNT(secret); i++)
        assert_null(memmem(message.p, message.n, secret[i], strlen(secret[i])));
}

static void a_subject_is_new_once_and_tells_which_fields_changed(void **state)
{
    (void)state;
    struct str json;
    assert_int_equal(
        put("s", "{\"email\":\"s@x.example\",\"phone\":\"1\",\"car\":\"2\"}", false, &json), OK);
    struct fact_found first = newest();
    w.now += 1;
    assert_int_equal(put("s", "{\"verified\":true,\"last_name\":\"Sand\"}", true, &json), OK);
    struct fact_found second = newest();
    assert_string_equal(type_of(&first, CONF_HOOK_SUBJECT), "subject.created");
    assert_string_equal(type_of(&second, CONF_HOOK_SUBJECT), "subject.changed");
    assert_string_equal(type_of(&second, CONF_HOOK_ALL & ~CONF_HOOK_SUBJECT), "");
    assert_string_equal(at(told(&first), "data.changed"), "[\"email\",\"other\"]");
    assert_string_equal(at(told(&first), "data.verified"), "false");
    assert_string_equal(at(told(&second), "data.changed"), "[\"last_name\",\"verified\"]");
    assert_string_equal(at(told(&second), "data.verified"), "true");
    assert_null(memmem(told(&second).p, told(&second).n, "Sand", 4));
    assert_string_equal(at(told(&first), "data.verified"), "false"); /* as it was then */
}

static void restrictions_are_told_with_their_end(void **state)
{
    (void)state;
    (void)act("{}");
    for (int restricted = 1; restricted >= 0; restricted--) {
        int64_t seq;
        world_begin(&w);
        assert_int_equal(
            store_add_restriction(w.store, STR("u"), restricted, STR("{}"), w.now, &seq), OK);
        world_commit(&w);
        struct fact_found f = fact(seq);
        assert_string_equal(type_of(&f, CONF_HOOK_SUBJECT),
                            restricted ? "subject.restricted" : "subject.released");
        assert_string_equal(at(told(&f), "data.restricted"), restricted ? "true" : "false");
    }
}

static struct fact_found found(char hash)
{
    int64_t seq;
    struct finding n = { .identifier = STR("terms"),
                         .received_ms = w.now,
                         .content = STR("\"T\"") };
    memset(n.hash, hash, sizeof n.hash);
    world_begin(&w);
    assert_int_equal(store_add_finding(w.store, &n, STR("{\"found\":1}"), &seq), OK);
    world_commit(&w);
    return fact(seq);
}

static void a_finding_is_told_while_it_is_pending(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf to = BUF_INIT(1 << 20);
    struct str json;
    struct fact_found first = found('a');
    assert_string_equal(type_of(&first, CONF_HOOK_NOTICE), "notice.pending");
    struct str message = told(&first);
    assert_string_equal(at(message, "data.identifier"), "\"terms\"");
    struct fact_found second = found('b');
    const struct told_type *t = told_type(w.reader, &first, CONF_HOOK_ALL);
    assert_int_equal(told_write(t, w.reader, w.conf, &first, &w.arena, &to), ERR_NOT_FOUND);
    struct str sha256 = text("%.*s", 64, at(told(&second), "data.sha256") + 1);
    world_begin(&w);
    assert_int_equal(
        ledger_confirm_notice(w.ledger, STR("terms"), sha256, w.now, &w.arena, &json, &w.info), OK);
    world_commit(&w);
    assert_int_equal(told_write(t, w.reader, w.conf, &second, &w.arena, &to), ERR_NOT_FOUND);
    struct fact_found notice = newest();
    assert_string_equal(type_of(&notice, CONF_HOOK_NOTICE), "notice.published");
    assert_string_equal(at(told(&notice), "data.version"), "1");
    assert_string_equal(at(told(&notice), "data.content"), "");
}

static void a_message_has_the_same_id_whenever_it_is_told_and_no_other_has_it(void **state)
{
    (void)state;
    enum { N = 50 };
    struct id id[N], again;
    for (int i = 0; i < N; i++) {
        struct fact_found f = act("{\"letters\":true}"), same = fact(f.seq);
        const struct told_type *t = told_type(w.reader, &f, CONF_HOOK_ALL);
        assert_true(told_id(t, &f, &id[i]) && told_id(t, &same, &again));
        assert_memory_equal(&id[i], &again, sizeof again);
        assert_int_equal(id_ms(&again), w.now);
        assert_int_equal(again.b[6] >> 4, 7); /* UUIDv7, RFC 9562 */
        assert_int_equal(again.b[8] >> 6, 2);
        char shown[ID_TEXT + 1];
        id_format(&again, shown);
        assert_string_equal(at(told(&f), "id"), text("\"%s\"", shown).p);
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(&id[k], &id[i], sizeof *id);
    }
}

/* Of an erased fact there is nothing to tell; a damaged one is no reason to fall. */
static void what_is_erased_or_damaged_is_not_told(void **state)
{
    (void)state;
    AUTO(buf_fini) struct buf to = BUF_INIT(1 << 20);
    struct fact_found f = act("{\"letters\":false}"), damaged = f;
    struct id id;
    const struct told_type *t = told_type(w.reader, &f, CONF_HOOK_ALL);
    damaged.payload = (struct str){ 0 };
    assert_int_equal(told_write(t, w.reader, w.conf, &damaged, &w.arena, &to), ERR_NOT_FOUND);
    damaged.columns = (struct str){ 0 };
    assert_null(told_type(w.reader, &damaged, CONF_HOOK_ALL));
    static const char *const payload[] = {
        "{", "[]", "{\"effects\":7}", "null", "\"\"", "{\"effects\":[1,{},{\"grant\":false}]}"
    };
    for (size_t i = 0; i < COUNT(payload); i++) {
        damaged = f;
        damaged.payload = str_of(payload[i]);
        enum err e = told_write(t, w.reader, w.conf, &damaged, &w.arena, &to);
        assert_true(e == OK || e == ERR_CORRUPT);
        buf_clear(&to);
    }
    for (size_t n = 1; n < f.columns.n; n++) {
        damaged = f;
        damaged.columns = arena_str(&w.arena, (struct str){ f.columns.p, n });
        t = told_type(w.reader, &damaged, CONF_HOOK_ALL);
        enum err e = t != NULL ? told_write(t, w.reader, w.conf, &damaged, &w.arena, &to) : OK;
        assert_true(e == OK || e == ERR_CORRUPT);
        buf_clear(&to);
    }
    char early[512];
    assert_true(f.columns.n <= sizeof early);
    memcpy(early, f.columns.p, f.columns.n);
    memset(early + 24, 0xff, 8); /* received in the year 0 and before */
    damaged = f;
    damaged.columns = (struct str){ early, f.columns.n };
    assert_false(told_id(told_type(w.reader, &damaged, CONF_HOOK_ALL), &damaged, &id));
}

static void kinds_are_those_of_the_types_that_are_wanted(void **state)
{
    (void)state;
    assert_int_equal(told_kinds(CONF_HOOK_CONSENT), 1u << FACT_ACT);
    assert_int_equal(told_kinds(CONF_HOOK_WITHDRAWAL), 1u << FACT_ACT);
    assert_int_equal(told_kinds(CONF_HOOK_SUBJECT), 1u << FACT_SUBJECT | 1u << FACT_RESTRICTION);
    assert_int_equal(told_kinds(CONF_HOOK_NOTICE), 1u << FACT_NOTICE | 1u << FACT_FINDING);
    assert_int_equal(told_kinds(CONF_HOOK_TEXT_VOIDED), 1u << FACT_VOID);
    assert_int_equal(told_kinds(0), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_act_that_lowers_anything_registered_is_a_withdrawal),
        T(an_act_is_told_as_it_is_shown_without_proof_and_address),
        T(a_subject_is_new_once_and_tells_which_fields_changed),
        T(restrictions_are_told_with_their_end),
        T(a_finding_is_told_while_it_is_pending),
        T(a_message_has_the_same_id_whenever_it_is_told_and_no_other_has_it),
        T(what_is_erased_or_damaged_is_not_told),
        T(kinds_are_those_of_the_types_that_are_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
