#include "consent/act_bind.h"

#include "consent/world.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static struct world w;

static int open_world(void **state)
{
    (void)state;
    world_policy(&w);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&w);
    return 0;
}

/* The one effect of an act that says one thing of one purpose. */
static struct act_effect bind_as(const char *json, enum act_source source, bool confirmed,
                                 int64_t claimed, int64_t received)
{
    struct act_body b;
    struct act_effect e[LIMIT_PREFERENCES];
    struct act_saying s = {
        .source = source, .confirmed = confirmed, .claimed_ms = claimed, .received_ms = received
    };
    if (act_parse(str_of(json), BODY_JSON, &w.arena, &b, &w.info) != OK)
        fail_msg("%s: %s %s", json, w.info.field, w.info.text);
    assert_int_equal(act_bind(w.policy, &b, &s, e), 1);
    return e[0];
}

static struct act_effect bind(const char *json, int64_t claimed, int64_t received)
{
    return bind_as(json, ACT_PRIVATE_KEY, true, claimed, received);
}

#define GRANT "\"preferences\":{\"statistics\":true}"
#define PROOF "\"proofs\":[{\"form\":\"<f>\"}]"
#define CITE(identifier, version)                                                                  \
    "\"legal_notices\":[{\"identifier\":\"" identifier "\",\"version\":" #version "}]"

static void a_grant_takes_effect_when_claimed_by_private_key_and_when_received_by_public(
    void **state)
{
    (void)state;
    const char *grant = "{" GRANT "}", *lower = "{\"preferences\":{\"statistics\":false}}";
    assert_int_equal(bind(grant, JAN_1, MAR_1).effect_ms, JAN_1);
    assert_int_equal(bind(grant, MAR_1 + 1000, MAR_1).effect_ms, MAR_1); /* never ahead */
    assert_int_equal(bind_as(grant, ACT_PUBLIC_KEY, true, JAN_1, MAR_1).effect_ms, MAR_1);
    assert_int_equal(bind(lower, JAN_1, MAR_1).effect_ms, MAR_1);
    assert_int_equal(bind_as(lower, ACT_PUBLIC_KEY, true, JAN_1, MAR_1).effect_ms, MAR_1);
    assert_int_equal(bind_as(grant, ACT_IMPORT, true, JAN_1, MAR_1).effect_ms, JAN_1);
    assert_int_equal(bind_as(lower, ACT_IMPORT, true, JAN_1, MAR_1).effect_ms, JAN_1);
}

static void anybody_may_lower_and_not_anybody_may_raise(void **state)
{
    (void)state;
    assert_false(bind_as("{" GRANT "}", ACT_PUBLIC_KEY, false, MAR_1, MAR_1).confirmed);
    assert_true(bind_as("{" GRANT "}", ACT_PUBLIC_KEY, true, MAR_1, MAR_1).confirmed);
    struct act_effect e =
        bind_as("{\"preferences\":{\"statistics\":null}}", ACT_PUBLIC_KEY, false, MAR_1, MAR_1);
    assert_false(e.grant);
    assert_true(e.confirmed);
    assert_int_equal(e.version, 0);
}

static void evidence_is_the_strongest_there_is(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum act_evidence evidence;
    } cases[] = {
        { "{" GRANT "}", EVIDENCE_BARE },
        { "{" GRANT ",\"proofs\":[{}]}", EVIDENCE_BARE },
        { "{" GRANT "," CITE("terms", 1) "}", EVIDENCE_BARE }, /* not this purpose's notice */
        { "{" GRANT "," CITE("privacy_policy", 9) "}", EVIDENCE_BARE },
        { "{" GRANT "," CITE("privacy_policy", 7) "}", EVIDENCE_CITED },
        { "{" GRANT "," CITE("privacy_policy", 7) "," PROOF "}", EVIDENCE_PROOF },
        { "{" GRANT ",\"proof_document_ids\":[\"d1\"]}", EVIDENCE_PROOF },
        { "{" GRANT ",\"versions\":{\"statistics\":1},\"shown\":{\"language\":\"de\"}," PROOF "}",
          EVIDENCE_SHOWN },
        /* a language that this version does not have; a version that is not stated; none at all */
        { "{" GRANT ",\"versions\":{\"statistics\":2},\"shown\":{\"language\":\"de\"}}",
          EVIDENCE_BARE },
        { "{" GRANT ",\"versions\":{\"letters\":1},\"shown\":{\"language\":\"en\"}}",
          EVIDENCE_BARE },
        { "{" GRANT ",\"versions\":{\"statistics\":4},\"shown\":{\"language\":\"en\"}}",
          EVIDENCE_BARE },
        { "{" GRANT ",\"versions\":{\"statistics\":1},\"shown\":{\"language\":\"\"}}",
          EVIDENCE_BARE },
        { "{" GRANT ",\"versions\":{\"statistics\":1},\"shown\":{}}", EVIDENCE_BARE },
        /* what is cited carries another version than the one stated */
        { "{" GRANT ",\"versions\":{\"statistics\":2}," CITE("privacy_policy", 7) "}",
          EVIDENCE_BARE },
        { "{" GRANT ",\"versions\":{\"statistics\":1}," CITE("privacy_policy", 7) "}",
          EVIDENCE_CITED },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (bind(cases[i].json, MAR_1, MAR_1).evidence != cases[i].evidence)
            fail_msg("%s: %s", cases[i].json,
                     act_evidence_name[bind(cases[i].json, MAR_1, MAR_1).evidence]);
    }
}

static void the_version_is_the_stated_one_else_the_cited_one_else_the_one_in_force(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int64_t at;
        uint32_t version;
    } cases[] = {
        { "{" GRANT ",\"versions\":{\"statistics\":1}}", MAR_1, 1 },
        { "{" GRANT ",\"versions\":{\"statistics\":\"1\"}," CITE("privacy_policy", 8) "}", MAR_1,
          1 },
        { "{" GRANT ",\"versions\":{\"statistics\":9}," PROOF "}", MAR_1, 0 },
        { "{" GRANT ",\"versions\":{\"statistics\":0}," PROOF "}", MAR_1, 0 },
        { "{" GRANT ",\"versions\":{\"statistics\":null}," PROOF "}", MAR_1, 0 },
        { "{" GRANT ",\"versions\":{\"statistics\":-1}," PROOF "}", MAR_1, 0 },
        { "{" GRANT ",\"versions\":{\"letters\":1}," PROOF "}", MAR_1, 2 }, /* another purpose's */
        { "{" GRANT "," CITE("privacy_policy", 7) "}", MAR_1, 1 },
        { "{" GRANT "," CITE("privacy_policy", 7) "," PROOF "}", MAR_1, 1 },
        { "{" GRANT "," CITE("privacy_policy", 8) "}", MAR_1, 2 },
        { "{" GRANT "," CITE("privacy_policy", 8) "}", JUN_1, 3 }, /* both carry it: the newest */
        { "{" GRANT "," PROOF "}", JAN_1, 1 },
        { "{" GRANT "," PROOF "}", MAR_1 - 1, 1 },
        { "{" GRANT "," PROOF "}", MAR_1, 2 },
        { "{" GRANT "," PROOF "}", JUL_1, 3 },
        { "{" GRANT "}", MAR_1, 2 }, /* bare is for the gate to refuse */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct act_effect e = bind(cases[i].json, cases[i].at, JUL_1);
        if (e.version != cases[i].version)
            fail_msg("%s: version %u", cases[i].json, e.version);
    }
}

static void a_citation_that_matches_nothing_binds_nothing_even_beside_a_proof(void **state)
{
    (void)state;
    assert_int_equal(
        bind("{" GRANT "," CITE("privacy_policy", 6) "," PROOF "}", MAR_1, MAR_1).version, 0);
    assert_int_equal(bind("{" GRANT "," PROOF
                          ",\"legal_notices\":[{\"identifier\":\"privacy_policy\",\"version\":8},"
                          "{\"identifier\":\"privacy_policy\",\"version\":6}]}",
                          MAR_1, MAR_1)
                         .version,
                     0);
    /* without a version, and nothing of that name stored: act_parse leaves 0 */
    assert_int_equal(bind("{" GRANT "," PROOF
                          ",\"legal_notices\":[{\"identifier\":\"privacy_policy\"}]}",
                          MAR_1, MAR_1)
                         .version,
                     0);
}

static void notices_that_no_version_names_do_not_matter(void **state)
{
    (void)state;
    assert_int_equal(bind("{" GRANT "," CITE("imprint", 99) "," PROOF "}", MAR_1, MAR_1).version,
                     2);
    assert_int_equal(bind("{" GRANT
                          ",\"legal_notices\":[{\"identifier\":\"imprint\",\"version\":3},"
                          "{\"identifier\":\"privacy_policy\",\"version\":7}]}",
                          MAR_1, MAR_1)
                         .version,
                     1);
    assert_int_equal(
        bind("{\"preferences\":{\"letters\":true}," CITE("privacy_policy", 99) "," PROOF "}", MAR_1,
             MAR_1)
            .version,
        1);
}

static void notices_together_carry_the_version_that_agrees_with_all(void **state)
{
    (void)state;
    const char *both = "{" GRANT ",\"legal_notices\":[{\"identifier\":\"cookies\",\"version\":2},"
                       "{\"identifier\":\"privacy_policy\",\"version\":8}]}";
    assert_int_equal(bind(both, JUN_1, JUN_1).version, 3);
    /* cookies 2 belongs to version 3, privacy_policy 7 to version 1 */
    const char *mixed = "{" GRANT ",\"legal_notices\":[{\"identifier\":\"cookies\",\"version\":2},"
                        "{\"identifier\":\"privacy_policy\",\"version\":7}]}";
    assert_int_equal(bind(mixed, JUN_1, JUN_1).version, 1);
    const char *only_cookies = "{" GRANT "," CITE("cookies", 2) "}";
    assert_int_equal(bind(only_cookies, JUN_1, JUN_1).version, 3);
    assert_int_equal(bind(only_cookies, MAR_1, JUN_1).version, 0);
}

static void no_version_that_came_into_force_after_the_effect_is_bound(void **state)
{
    (void)state;
    const char *stated = "{" GRANT ",\"versions\":{\"statistics\":2}}";
    assert_int_equal(bind(stated, MAR_1 - 1, JUN_1).version, 0);
    assert_int_equal(bind(stated, MAR_1, JUN_1).version, 2);
    assert_int_equal(bind("{" GRANT "," CITE("privacy_policy", 8) "}", MAR_1 - 1, JUN_1).version,
                     0);
}

static void imports_older_than_the_first_version_cover_nothing(void **state)
{
    (void)state;
    static const char *const acts[] = { "{" GRANT "," PROOF "}",
                                        "{" GRANT "," CITE("privacy_policy", 7) "}",
                                        "{" GRANT ",\"versions\":{\"statistics\":1}}",
                                        "{" GRANT "}" };
    for (size_t i = 0; i < COUNT(acts); i++) {
        assert_int_equal(bind_as(acts[i], ACT_IMPORT, true, JAN_1 - 1, JUN_1).version, 0);
        assert_int_equal(bind_as(acts[i], ACT_IMPORT, true, JAN_1, JUN_1).version, 1);
    }
}

static void by_public_key_only_what_is_in_force_or_just_ended_is_bound(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int64_t received;
        uint32_t version;
    } cases[] = {
        { "{" GRANT ",\"versions\":{\"statistics\":1}}", MAR_1 - 1, 1 },
        { "{" GRANT ",\"versions\":{\"statistics\":1}}", MAR_1, 1 },
        { "{" GRANT ",\"versions\":{\"statistics\":1}}", MAR_1 + 7 * DAY, 1 },
        { "{" GRANT ",\"versions\":{\"statistics\":1}}", MAR_1 + 7 * DAY + 1, 0 },
        { "{" GRANT "," CITE("privacy_policy", 7) "}", MAR_1 + 7 * DAY, 1 },
        { "{" GRANT "," CITE("privacy_policy", 7) "}", MAR_1 + 7 * DAY + 1, 0 },
        { "{" GRANT ",\"versions\":{\"statistics\":2}}", MAR_1 - 1, 0 },
        { "{" GRANT ",\"versions\":{\"statistics\":3}}", JUL_1, 3 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        /* whatever it claims */
        struct act_effect e =
            bind_as(cases[i].json, ACT_PUBLIC_KEY, true, JAN_1, cases[i].received);
        if (e.version != cases[i].version)
            fail_msg("%zu: version %u", i, e.version);
    }
    assert_int_equal(bind("{" GRANT ",\"versions\":{\"statistics\":1}}", JUL_1, JUL_1).version, 1);
}

static void only_registered_names_have_effects(void **state)
{
    (void)state;
    struct act_body b;
    struct act_effect e[8];
    struct act_saying s = { ACT_PRIVATE_KEY, true, MAR_1, MAR_1 };
    assert_int_equal(
        act_parse(STR("{\"preferences\":{\"x\":true,\"marketing\":1,\"Statistics\":true,"
                      "\"statistics\":\"no\",\"letters \":true}}"),
                  BODY_JSON, &w.arena, &b, &w.info),
        OK);
    assert_int_equal(act_bind(w.policy, &b, &s, e), 2);
    assert_true(e[0].grant);
    assert_int_equal(e[0].purpose,
                     w.policy->purpose[policy_purpose_index(w.policy, STR("marketing"))].number);
    assert_false(e[1].grant);
}

static void what_permits_nothing_says_why(void **state)
{
    (void)state;
    struct act_effect e = bind("{" GRANT "," PROOF "}", MAR_1, MAR_1);
    assert_null(act_effect_fault(w.policy, &e));
    e = bind("{" GRANT "}", MAR_1, MAR_1);
    assert_non_null(strstr(act_effect_fault(w.policy, &e), "no proof"));
    e = bind("{\"preferences\":{\"letters\":true}}", MAR_1, MAR_1);
    assert_null(act_effect_fault(w.policy, &e)); /* proof: optional */
    e = bind("{" GRANT "," PROOF "}", JAN_1 - 1, MAR_1);
    assert_non_null(strstr(act_effect_fault(w.policy, &e), "no version"));
    e = bind_as("{" GRANT "," PROOF "}", ACT_PUBLIC_KEY, false, MAR_1, MAR_1);
    assert_non_null(strstr(act_effect_fault(w.policy, &e), "not confirmed"));
    e = bind("{\"preferences\":{\"statistics\":false}}", MAR_1, MAR_1);
    assert_null(act_effect_fault(w.policy, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_grant_takes_effect_when_claimed_by_private_key_and_when_received_by_public),
        cmocka_unit_test(anybody_may_lower_and_not_anybody_may_raise),
        cmocka_unit_test(evidence_is_the_strongest_there_is),
        cmocka_unit_test(the_version_is_the_stated_one_else_the_cited_one_else_the_one_in_force),
        cmocka_unit_test(a_citation_that_matches_nothing_binds_nothing_even_beside_a_proof),
        cmocka_unit_test(notices_that_no_version_names_do_not_matter),
        cmocka_unit_test(notices_together_carry_the_version_that_agrees_with_all),
        cmocka_unit_test(no_version_that_came_into_force_after_the_effect_is_bound),
        cmocka_unit_test(imports_older_than_the_first_version_cover_nothing),
        cmocka_unit_test(by_public_key_only_what_is_in_force_or_just_ended_is_bound),
        cmocka_unit_test(only_registered_names_have_effects),
        cmocka_unit_test(what_permits_nothing_says_why),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
