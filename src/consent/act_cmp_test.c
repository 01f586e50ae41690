#include "consent/act_cmp.h"

#include "consent/act_bind.h"
#include "consent/world.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

/* Purposes 1, 3, 4, vendors 2 and 755, special feature 1, of 2026-01-01. */
#define TC "CQdWToAQdWToAAfACBENCWFoALAAAELAAAYgF5wAgABALzAAogIAAAAA.IF5wAwABAAKAXmAA.YAAAAAAAAAAA"

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

static void map(enum conf_cmp_provider provider, struct conf_cmp_entry *entry, uint32_t count)
{
    w.conf->cmp = (struct conf_cmp){ .provider = provider, .entry = entry, .entry_count = count };
}

static struct conf_cmp_entry onetrust[] = {
    { .key = STR_INIT("C0002"), .purpose = STR_INIT("statistics"), .version = 2 },
    { .key = STR_INIT("C0004"), .purpose = STR_INIT("marketing"), .version = 1 },
};

static struct act_effect effect(const char *preferences, const char *more, enum act_source source,
                                int64_t received)
{
    struct act_body b;
    struct act_effect e[LIMIT_PREFERENCES];
    struct act_saying s = {
        .source = source, .confirmed = true, .claimed_ms = received, .received_ms = received
    };
    struct str json = arena_printf(&w.arena, "{\"preferences\":{%s},%s}", preferences, more);
    if (act_parse(json, BODY_JSON, &w.arena, &b, &w.info) != OK)
        fail_msg("%.*s: %s %s", STR_ARG(json), w.info.field, w.info.text);
    assert_int_equal(act_bind(w.policy, &b, &s, e), 1);
    return e[0];
}

static enum act_evidence evidence(const char *more)
{
    return effect("\"statistics\":true", more, ACT_PUBLIC_KEY, MAR_1 + DAY).evidence;
}

#define V2 "\"versions\":{\"statistics\":2},"
#define SAID(more) "\"cmp\":{\"provider\":\"onetrust\"" more "}"
#define GOOD ",\"consent_id\":\"r1\",\"granted\":[\"C0001\",\"C0002\"]"

static void what_the_map_names_is_evidence_and_nothing_else_is(void **state)
{
    (void)state;
    map(CONF_CMP_ONETRUST, onetrust, 2);
    static const struct {
        const char *json;
        enum act_evidence evidence;
    } cases[] = {
        { V2 SAID(GOOD), EVIDENCE_CMP },
        { V2 SAID(GOOD ",\"text_hash\":\"abc\",\"version\":7"), EVIDENCE_CMP },
        { SAID(GOOD), EVIDENCE_BARE },                                     /* no version stated */
        { "\"versions\":{\"statistics\":1}," SAID(GOOD), EVIDENCE_BARE },  /* another one */
        { "\"versions\":{\"statistics\":3}," SAID(GOOD), EVIDENCE_BARE },  /* not yet in force */
        { "\"versions\":{\"statistics\":99}," SAID(GOOD), EVIDENCE_BARE }, /* none */
        { V2 SAID(",\"granted\":[\"C0002\"]"), EVIDENCE_BARE },            /* no receipt */
        { V2 SAID(",\"consent_id\":\"\",\"granted\":[\"C0002\"]"), EVIDENCE_BARE },
        { V2 SAID(",\"consent_id\":\"r1\""), EVIDENCE_BARE },
        { V2 SAID(",\"consent_id\":\"r1\",\"granted\":[]"), EVIDENCE_BARE },
        { V2 SAID(",\"consent_id\":\"r1\",\"granted\":[\"C0004\",\"c0002\",\"C000\"]"),
          EVIDENCE_BARE },
        { V2 "\"cmp\":{\"provider\":\"cookiebot\"" GOOD "}", EVIDENCE_BARE },
        { V2 "\"cmp\":{\"provider\":\"OneTrust\"" GOOD "}", EVIDENCE_BARE },
        /* what was chosen before the text was in force is not about it */
        { V2 SAID(GOOD ",\"at\":\"2026-02-28T23:59:59Z\""), EVIDENCE_BARE },
        { V2 SAID(GOOD ",\"at\":\"2026-03-01T00:00:00Z\""), EVIDENCE_CMP },
        /* a TC string beside it must be one */
        { V2 SAID(GOOD ",\"tc_string\":\"x\""), EVIDENCE_BARE },
        { V2 SAID(GOOD ",\"tc_string\":\"" TC "\""), EVIDENCE_BARE }, /* older than the text */
        /* nothing beside it shows what it does not show */
        { V2 "\"shown\":{\"language\":\"en\"},\"proofs\":[{\"form\":\"f\"}],"
             "\"legal_notices\":[{\"identifier\":\"privacy_policy\",\"version\":8}]," SAID(""),
          EVIDENCE_BARE },
        { V2 "\"shown\":{\"language\":\"en\"},\"cmp\":null", EVIDENCE_SHOWN },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (evidence(cases[i].json) != cases[i].evidence)
            fail_msg("%s: %s", cases[i].json, act_evidence_name[evidence(cases[i].json)]);
    }
    map(CONF_CMP_NONE, NULL, 0);
    assert_int_equal(evidence(V2 SAID(GOOD)), EVIDENCE_BARE);
    assert_int_equal(evidence(V2 "\"cmp\":{\"provider\":\" \"" GOOD "}"), EVIDENCE_BARE);
}

static void it_gives_no_more_rights_than_a_public_act_has(void **state)
{
    (void)state;
    map(CONF_CMP_ONETRUST, onetrust, 2);
    const char *said = V2 SAID(GOOD), *grant = "\"statistics\":true";
    struct act_effect e = effect(grant, said, ACT_PUBLIC_KEY, JUN_1 + 7 * DAY);
    assert_int_equal(e.version, 2); /* ended seven days ago */
    assert_int_equal(e.evidence, EVIDENCE_CMP);
    e = effect(grant, said, ACT_PUBLIC_KEY, JUN_1 + 7 * DAY + 1);
    assert_int_equal(e.version, 0);
    assert_int_equal(e.evidence, EVIDENCE_BARE);
    /* it counts from when it was received, whatever time the platform names */
    e = effect(grant, V2 SAID(GOOD ",\"at\":\"2026-03-02T00:00:00Z\""), ACT_PUBLIC_KEY,
               MAR_1 + 9 * DAY);
    assert_int_equal(e.effect_ms, MAR_1 + 9 * DAY);
    struct act_body b;
    struct act_effect list[LIMIT_PREFERENCES];
    struct act_saying s = { .source = ACT_PUBLIC_KEY,
                            .claimed_ms = MAR_1 + DAY,
                            .received_ms = MAR_1 + DAY };
    struct str json = arena_printf(&w.arena, "{\"preferences\":{%s},%s}", grant, said);
    assert_int_equal(act_parse(json, BODY_JSON, &w.arena, &b, &w.info), OK);
    assert_int_equal(act_bind(w.policy, &b, &s, list), 1);
    assert_false(list[0].confirmed); /* no token of the device's */
}

static void a_purpose_that_needs_several_things_needs_each(void **state)
{
    (void)state;
    struct conf_cmp_entry both[] = { onetrust[0], onetrust[1], onetrust[0] };
    both[2].key = STR("C0003");
    map(CONF_CMP_ONETRUST, both, 3);
    assert_int_equal(evidence(V2 SAID(GOOD)), EVIDENCE_BARE);
    assert_int_equal(evidence(V2 SAID(",\"consent_id\":\"r\",\"granted\":[\"C0003\",\"C0002\"]")),
                     EVIDENCE_CMP);
}

static void what_lowers_lowers_whatever_comes_with_it(void **state)
{
    (void)state;
    map(CONF_CMP_ONETRUST, onetrust, 2);
    struct act_effect e = effect("\"statistics\":false", SAID(""), ACT_PUBLIC_KEY, MAR_1 + DAY);
    assert_false(e.grant);
    assert_true(e.confirmed);
    assert_int_equal(e.evidence, EVIDENCE_CMP);
    e = effect("\"statistics\":false", "\"cmp\":{\"provider\":\"?\",\"tc_string\":\"!\"}",
               ACT_PUBLIC_KEY, MAR_1 + DAY);
    assert_true(!e.grant && e.confirmed && e.evidence == EVIDENCE_BARE);
}

static enum act_evidence by_tcf(struct conf_tcf_part *part, uint32_t count, const char *string)
{
    struct conf_cmp_entry entry = {
        .purpose = STR("statistics"), .version = 1, .part = part, .part_count = count
    };
    map(CONF_CMP_TCF, &entry, 1);
    struct str more = arena_printf(&w.arena,
                                   "\"versions\":{\"statistics\":1},\"cmp\":{\"provider\":\"tcf\","
                                   "\"granted\":[\"purpose 9\"],\"tc_string\":\"%s\"}",
                                   string);
    return effect("\"statistics\":true", arena_printf(&w.arena, "%.*s", STR_ARG(more)).p,
                  ACT_PUBLIC_KEY, FEB_1)
        .evidence;
}

static void a_tc_string_must_bear_out_every_part_itself(void **state)
{
    (void)state;
    struct conf_tcf_part all[] = { { CONF_TCF_PURPOSE, 1 },
                                   { CONF_TCF_PURPOSE, 3 },
                                   { CONF_TCF_VENDOR, 755 },
                                   { CONF_TCF_SPECIAL_FEATURE, 1 } };
    assert_int_equal(by_tcf(all, 4, TC), EVIDENCE_CMP);
    struct conf_tcf_part none[] = { { CONF_TCF_PURPOSE, 9 }, /* `granted` alone says so */
                                    { CONF_TCF_PURPOSE, 2 }, /* legitimate interests alone */
                                    { CONF_TCF_VENDOR, 10 },
                                    { CONF_TCF_VENDOR, 65535 },
                                    { CONF_TCF_SPECIAL_FEATURE, 2 } };
    for (size_t i = 0; i < COUNT(none); i++) {
        struct conf_tcf_part two[] = { all[0], none[i] };
        assert_int_equal(by_tcf(two, 2, TC), EVIDENCE_BARE);
    }
    assert_int_equal(by_tcf(all, 0, TC), EVIDENCE_BARE);
    assert_int_equal(by_tcf(all, 4, ""), EVIDENCE_BARE);
    assert_int_equal(by_tcf(all, 4, "CQdWToAQdWToAAfACBENCWFo"), EVIDENCE_BARE);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *field;
    } cases[] = { { "{\"cmp\":7}", "cmp" },
                  { "{\"cmp\":\"onetrust\"}", "cmp" },
                  { "{\"cmp\":[]}", "cmp" },
                  { "{\"cmp\":{}}", "cmp.provider" },
                  { "{\"cmp\":{\"provider\":\"\"}}", "cmp.provider" },
                  { "{\"cmp\":{\"provider\":7}}", "cmp.provider" },
                  { "{\"cmp\":{\"provider\":\"a\",\"consent_id\":{}}}", "cmp.consent_id" },
                  { "{\"cmp\":{\"provider\":\"a\",\"at\":\"yesterday\"}}", "cmp.at" },
                  { "{\"cmp\":{\"provider\":\"a\",\"granted\":\"C0002\"}}", "cmp.granted" },
                  { "{\"cmp\":{\"provider\":\"a\",\"granted\":[1]}}", "cmp.granted" },
                  { "{\"cmp\":{\"provider\":\"a\",\"tc_string\":[]}}", "cmp.tc_string" } };
    struct act_body b;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(act_parse(str_of(cases[i].json), BODY_JSON, &w.arena, &b, &w.info),
                         ERR_VALUE);
        assert_string_equal(w.info.field, cases[i].field);
    }
    AUTO(buf_fini) struct buf to = BUF_INIT(1u << 20);
    buf_lit(&to, "{\"cmp\":{\"provider\":\"a\",\"granted\":[\"0\"");
    for (int i = 1; i < LIMIT_CMP_GRANTED; i++)
        buf_lit(&to, ",\"x\"");
    size_t n = to.n;
    buf_lit(&to, "]}}");
    assert_int_equal(act_parse(buf_view(&to), BODY_JSON, &w.arena, &b, &w.info), OK);
    to.n = n;
    buf_lit(&to, ",\"one more\"]}}");
    assert_int_equal(act_parse(buf_view(&to), BODY_JSON, &w.arena, &b, &w.info), ERR_LIMIT);
    buf_clear(&to);
    buf_lit(&to, "{\"cmp\":{\"provider\":\"a\",\"more\":\"");
    for (int i = 0; i < LIMIT_CMP_MEMBER; i++)
        buf_byte(&to, 'x');
    buf_lit(&to, "\"}}");
    assert_int_equal(act_parse(buf_view(&to), BODY_JSON, &w.arena, &b, &w.info), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_map_names_is_evidence_and_nothing_else_is),
        cmocka_unit_test(it_gives_no_more_rights_than_a_public_act_has),
        cmocka_unit_test(a_purpose_that_needs_several_things_needs_each),
        cmocka_unit_test(what_lowers_lowers_whatever_comes_with_it),
        cmocka_unit_test(a_tc_string_must_bear_out_every_part_itself),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
