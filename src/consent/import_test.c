#include "consent/asking.h"

#include "base/clock.h"
#include "consent/row.h"

static struct import_answer import(const char *id, const char *kind, const char *body, bool dry_run)
{
    struct import_request q = { .id = str_of(id),
                                .kind = str_of(kind),
                                .body = str_of(body),
                                .dry_run = dry_run,
                                .received_ms = w.now,
                                .until_mono_ms = clock_mono_ms() + 60000 };
    struct import_answer ans = { 0 };
    w.info = (struct err_info){ 0 };
    world_begin(&w);
    if (ledger_import(w.ledger, w.policy, &q, &w.arena, &ans, &w.info) != OK)
        fail_msg("%s: %s", w.info.field, w.info.text);
    world_commit(&w);
    return ans;
}

static enum err refused(const char *id, const char *kind, const char *body)
{
    struct import_request q = {
        .id = str_of(id), .kind = str_of(kind), .body = str_of(body), .received_ms = w.now
    };
    struct import_answer ans;
    world_begin(&w);
    enum err e = ledger_import(w.ledger, w.policy, &q, &w.arena, &ans, &w.info);
    world_commit(&w);
    return e;
}

static uint64_t acts_of(const char *subject_id)
{
    return items(list_consents(text("subject_id=%s&limit=100", subject_id).p));
}

#define GRANT(who, at)                                                                             \
    "{\"subject\":{\"id\":\"" who "\"},\"timestamp\":\"" at                                        \
    "\",\"preferences\":{\"statistics\":true}," PROOF "}"

static void lines_that_were_taken_are_not_taken_again(void **state)
{
    (void)state;
    const char *all = "1 " GRANT("a", "2026-02-01T00:00:00Z") "\n3 " GRANT(
        "b", "2026-02-01T00:00:00Z") "\n4 " GRANT("a", "2026-02-02T00:00:00Z") "\n";
    struct import_answer ans = import("i", "consents", all, false);
    assert_string_equal(at(ans.json, "next"), "5");
    assert_string_equal(at(ans.json, "accepted"), "3");
    ans = import("i", "consents", all, false);
    assert_string_equal(at(ans.json, "accepted"), "0");
    assert_int_equal(acts_of("a"), 2);
    ans = import("i", "consents", text("4 {}\n9 " GRANT("b", "2026-02-03T00:00:00Z")).p, false);
    assert_string_equal(at(ans.json, "next"), "10");
    assert_int_equal(acts_of("b"), 2);
}

static void what_is_refused_is_told_and_kept_and_does_not_hold_up_the_rest(void **state)
{
    (void)state;
    struct import_answer ans = import("i", "consents",
                                      "1 {\"subject\":{\"id\":\"null\"}}\n2 nonsense\n3 " GRANT(
                                          "a", "2026-02-01T00:00:00Z") "\n4 {\"preferences\":7}\n",
                                      false);
    assert_string_equal(at(ans.json, "accepted"), "1");
    struct str told;
    assert_int_equal(ledger_list_refused(w.reader, STR("i"), 1, &w.arena, &told), OK);
    assert_int_equal(items(told), 2);
    assert_string_equal(at(item(told, 0), "line"), "2");
    assert_string_equal(at(item(told, 1), "field"), "\"preferences\"");
    assert_reason("a", "statistics", REASON_PERMITTED);
}

static void a_dry_run_leaves_nothing(void **state)
{
    (void)state;
    struct import_answer ans = import(
        "i", "consents", "1 " GRANT("a", "2026-02-01T00:00:00Z") "\n2 {\"preferences\":7}", true);
    assert_string_equal(at(ans.json, "accepted"), "1");
    assert_int_equal(items(str_of(at(ans.json, "refused"))), 1);
    struct str json;
    assert_int_equal(ledger_get_subject(w.reader, STR("a"), &w.arena, &json), ERR_NOT_FOUND);
    assert_int_equal(ledger_get_import(w.reader, STR("i"), &w.arena, &json), ERR_NOT_FOUND);
}

static void an_import_covers_no_text_that_is_younger(void **state)
{
    (void)state;
    w.now = JUL_1;
    (void)import("i", "consents",
                 "1 " GRANT("old", "2025-12-31T23:59:59Z") "\n2 " GRANT(
                     "one", "2026-02-28T00:00:00Z") "\n3 " GRANT("two", "2026-04-01T00:00:00Z"),
                 false);
    static const struct {
        const char *who, *version;
    } rows[] = { { "old", "0" }, { "one", "1" }, { "two", "2" } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str list = list_consents(text("subject_id=%s", rows[i].who).p);
        struct str effects = str_of(at(item(list, 0), "effects"));
        assert_string_equal(at(item(effects, 0), "version"), rows[i].version);
    }
    assert_reason("old", "statistics", REASON_NO_CONSENT);
    /* not even when it says so */
    (void)import("j", "consents",
                 "1 {\"subject\":{\"id\":\"liar\"},\"timestamp\":\"2026-02-01T00:00:00Z\","
                 "\"preferences\":{\"statistics\":true},\"versions\":{\"statistics\":3}," PROOF "}",
                 false);
    assert_reason("liar", "statistics", REASON_NO_CONSENT);
}

static void evidence_of_an_import_alone_permits_no_more_than_none(void **state)
{
    (void)state;
    (void)import("i", "consents",
                 "1 {\"subject\":{\"id\":\"a\"},\"timestamp\":\"2026-02-01T00:00:00Z\","
                 "\"preferences\":{\"statistics\":true,\"letters\":true}}",
                 false);
    assert_reason("a", "statistics", REASON_NO_PROOF);
    assert_reason("a", "letters", REASON_PERMITTED); /* proof: optional */
}

static void what_the_origin_made_of_an_act_is_never_exceeded(void **state)
{
    (void)state;
    static const struct {
        const char *effect;
        enum reason expected;
    } rows[] = {
        { "\"grant\":true,\"confirmed\":true,\"evidence\":\"proof\",\"version\":1",
          REASON_PERMITTED },
        { "\"grant\":true,\"confirmed\":false,\"evidence\":\"proof\",\"version\":1",
          REASON_UNCONFIRMED },
        { "\"grant\":true,\"confirmed\":true,\"evidence\":\"bare\",\"version\":1",
          REASON_NO_PROOF },
        { "\"grant\":true,\"confirmed\":true,\"evidence\":\"proof\",\"version\":0",
          REASON_NO_CONSENT },
        { "\"grant\":true,\"confirmed\":true,\"evidence\":\"proof\",\"version\":3",
          REASON_NO_CONSENT }, /* younger than the act */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *id = text("o%zu", i).p;
        (void)import(id, "consents",
                     text("1 {\"subject\":{\"id\":\"%s\"},\"timestamp\":\"2026-02-01T00:00:00Z\","
                          "\"preferences\":{\"statistics\":true}," PROOF
                          ",\"effects\":[{\"purpose\":7,\"name\":\"statistics\",%s,"
                          "\"effect\":1770000000000}]}",
                          id, rows[i].effect)
                         .p,
                     false);
        assert_reason(id, "statistics", rows[i].expected);
    }
}

static void a_lowering_passes_the_barrier_only_for_who_was_known(void **state)
{
    (void)state;
    const char *no = "{\"subject\":{\"id\":\"k\"},\"timestamp\":\"2026-02-05T00:00:00Z\","
                     "\"preferences\":{\"statistics\":false}}";
    assert_false(import("i", "consents", text("1 %s", no).p, false).lowers);
    assert_false(import("i", "consents", "2 " GRANT("k", "2026-02-06T00:00:00Z"), false).lowers);
    assert_true(import("i", "consents", text("3 %s", no).p, false).lowers);
    assert_false(import("d", "consents", text("3 %s", no).p, true).lowers); /* a dry run */
    assert_reason("k", "statistics", REASON_PERMITTED);                     /* the grant is newer */
}

static void subjects_are_filled_and_never_overwritten(void **state)
{
    (void)state;
    struct str json;
    assert_int_equal(put("s", "{\"email\":\"new@x.example\",\"plan\":\"gold\"}", false, &json), OK);
    struct import_answer ans = import(
        "i", "subjects",
        "1 {\"id\":\"s\",\"email\":\"old@x.example\",\"first_name\":\"Ada\",\"plan\":\"lead\","
        "\"verified\":true,\"preferences\":{\"x\":{\"value\":1}}}\n"
        "2 {\"id\":\"t\",\"email\":\"t@x.example\",\"restricted\":true}\n"
        "3 {\"email\":\"nobody@x.example\"}\n4 {\"id\":\"t\"}",
        false);
    assert_string_equal(at(ans.json, "accepted"), "2");
    assert_string_equal(at(ans.json, "repeated"), "1");
    assert_string_equal(at(subject("s"), "email"), "\"new@x.example\"");
    assert_string_equal(at(subject("s"), "plan"), "\"gold\"");
    assert_string_equal(at(subject("s"), "first_name"), "\"Ada\"");
    assert_string_equal(at(subject("s"), "verified"), "true");
    assert_string_equal(at(subject("t"), "restricted"), "true"); /* what was closed stays closed */
}

static void notices_keep_their_versions(void **state)
{
    (void)state;
    const char *both = "1 {\"identifier\":\"n\",\"version\":1,\"content\":\"a\"}\n"
                       "2 {\"identifier\":\"n\",\"version\":2,\"content\":\"b\"}\n";
    assert_string_equal(at(import("i", "notices", both, false).json, "accepted"), "2");
    assert_string_equal(at(import("j", "notices", both, false).json, "repeated"), "2");
    struct import_answer ans =
        import("k", "notices",
               "1 {\"identifier\":\"n\",\"version\":2,\"content\":\"other\"}\n"
               "2 {\"identifier\":\"n\",\"version\":4,\"content\":\"d\"}\n"
               "3 {\"identifier\":\"n\",\"content\":\"c\"}\n",
               false);
    assert_int_equal(items(str_of(at(ans.json, "refused"))), 2);
    assert_int_equal(store_newest_notice(w.reader, STR("n")), 3);
}

static void an_import_that_is_none_is_refused_as_a_whole(void **state)
{
    (void)state;
    static const struct {
        const char *id, *kind, *body, *field;
    } rows[] = {
        { "", "consents", "", "id" },
        { "a b", "consents", "", "id" },
        { "i", "people", "", "kind" },
        { "i", "consents", "{}", "body" },
        { "i", "consents", "0 {}", "body" },
        { "i", "consents", "2 {}\n2 {}", "body" },
        { "i", "consents", "3 {}\n1 {}", "body" },
        { "i", "consents", "1", "body" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(refused(rows[i].id, rows[i].kind, rows[i].body), ERR_VALUE);
        assert_string_equal(w.info.field, rows[i].field);
    }
    (void)import("i", "consents", "1 {}", false);
    assert_int_equal(refused("i", "subjects", "2 {\"id\":\"x\"}"), ERR_CONFLICT);
}

/* ---- rows ---- */

static const char *row(const char *kind, const char *header, const char *fields)
{
    struct str h[16], f[16], rest = str_of(header), part;
    uint32_t n = 0, count = 0;
    while (str_next(&rest, '|', &part))
        h[n++] = part;
    rest = str_of(fields);
    while (str_next(&rest, '|', &part))
        f[count++] = part;
    const struct row_map *m;
    struct err_info info = { 0 };
    static const struct row_name names[] = { { STR_INIT("E-Mail"), STR_INIT("subject.email") },
                                             { STR_INIT("Remark"), STR_INIT("") } };
    if (row_map_make(str_of(kind), h, n, names, COUNT(names), &w.arena, &m, &info) != OK)
        return arena_printf(&w.arena, "header: %s", info.text).p;
    AUTO(buf_fini) struct buf to = BUF_INIT(1 << 16);
    if (row_write(m, f, count, &w.arena, &to, &info) != OK)
        return arena_printf(&w.arena, "%s: %s", info.field, info.text).p;
    return arena_str(&w.arena, buf_view(&to)).p;
}

static void rows_become_records(void **state)
{
    (void)state;
    assert_string_equal(
        row("consents",
            "subject.id|E-Mail|preferences.a.b|preferences.c|Remark|legal_notices.terms|"
            "proofs.form|versions|proofs.content",
            "u1||yes|no|secret|3|<f>|{\"a\":\n1}|\"q\""),
        "{\"subject\":{\"id\":\"u1\"},\"preferences\":{\"a.b\":\"yes\",\"c\":\"no\"},"
        "\"legal_notices\":[{\"identifier\":\"terms\",\"version\":\"3\"}],"
        "\"proofs\":[{\"form\":\"<f>\",\"content\":\"\\\"q\\\"\"}],\"versions\":{\"a\": 1}}");
    assert_string_equal(row("notices", "identifier|content", "t|{\"en\":\"x\"}"),
                        "{\"identifier\":\"t\",\"content\":{\"en\":\"x\"}}");
    assert_string_equal(row("notices", "identifier|content", "t|{not json"),
                        "{\"identifier\":\"t\",\"content\":\"{not json\"}");
    assert_string_equal(row("consents", "versions", "{"), "versions: must be JSON");
    assert_string_equal(row("consents", "subject.id", "\xff"), "subject.id: is not UTF-8");
    assert_non_null(strstr(row("consents", "id", "a|b"), "2 fields"));
    assert_non_null(strstr(row("consents", "nonsense", "a"), "'nonsense' is no field"));
    assert_non_null(strstr(row("consents", "subject|subject.id", "{}|b"), "say the same"));
    assert_non_null(strstr(row("consents", "id|id", "a|b"), "say the same"));
    assert_non_null(strstr(row("consents", "subject.", "a"), "is no field"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_that_were_taken_are_not_taken_again, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(
            what_is_refused_is_told_and_kept_and_does_not_hold_up_the_rest, open_world,
            close_world),
        cmocka_unit_test_setup_teardown(a_dry_run_leaves_nothing, open_world, close_world),
        cmocka_unit_test_setup_teardown(an_import_covers_no_text_that_is_younger, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(evidence_of_an_import_alone_permits_no_more_than_none,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(what_the_origin_made_of_an_act_is_never_exceeded,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(a_lowering_passes_the_barrier_only_for_who_was_known,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(subjects_are_filled_and_never_overwritten, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(notices_keep_their_versions, open_world, close_world),
        cmocka_unit_test_setup_teardown(an_import_that_is_none_is_refused_as_a_whole, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(rows_become_records, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
