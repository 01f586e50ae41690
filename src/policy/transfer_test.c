#include "policy/gate_house.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static enum reason transfer_reason(struct conf_transfer *transfers, uint32_t count,
                                   const char *country, int64_t at_ms)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct conf_version v = { .version = 1, .since_ms = NOW - 900 * DAY };
    v.recipient = fixture_names(&a, &v.recipient_count, "ga4", NULL);
    struct conf_purpose purpose = {
        .id = STR("statistics"), .lifetime = { .months = 120 }, .version = &v, .version_count = 1
    };
    struct conf_destination d = {
        .id = STR("ga4"),
        .has_recipient = true,
        .recipient_name = STR("Google"),
        .transfer = transfers,
        .transfer_count = count,
    };
    memcpy(d.recipient_country, country, 3);
    d.requires = fixture_names(&a, &d.require_count, "statistics", NULL);
    struct conf c = {
        .purpose = &purpose, .purpose_count = 1, .destination = &d, .destination_count = 1
    };
    struct frozen frozen;
    const struct policy *p = fixture_compile(&c, NULL, &a, &frozen);
    struct standing grant = at_once(
        (struct standing){ .grant = true, .confirmed = true, .version = 1 }, NOW - 800 * DAY, 1);
    const struct use use = { .has_device = true };
    struct decision decision;
    gate_decide(p, fixture_snapshot(&a, 0, 1, &grant), NULL, &use, at_ms, &decision);
    return decision.reason;
}

static void transfer_stops_on_the_day_its_basis_ends(void **state)
{
    (void)state;
    const struct conf_transfer scc = { .importer = STR_INIT("Google LLC"),
                                       .country = "US",
                                       .basis = CONF_SCC,
                                       .assessed_ms = NOW + 20 * DAY };
    const struct conf_transfer unassessed = {
        .importer = STR_INIT("Google LLC"), .country = "US", .basis = CONF_BCR, .fallback = &scc
    };
    struct conf_transfer adequacy = { .importer = STR_INIT("Google LLC"),
                                      .country = "US",
                                      .basis = CONF_ADEQUACY,
                                      .since_ms = NOW,
                                      .until_ms = NOW + 9 * DAY,
                                      .certified_until_ms = NOW + 5 * DAY,
                                      .fallback = &unassessed };
    const struct {
        int64_t at;
        enum reason reason;
    } days[] = {
        { NOW - 1, REASON_NO_TRANSFER_BASIS },
        { NOW, REASON_PERMITTED },
        { NOW + 6 * DAY - 1, REASON_PERMITTED },     /* the last day is still in */
        { NOW + 6 * DAY, REASON_NO_TRANSFER_BASIS }, /* not certified any more */
        { NOW + 20 * DAY - 1, REASON_NO_TRANSFER_BASIS },
        { NOW + 20 * DAY, REASON_PERMITTED }, /* the fallback's fallback was assessed */
    };
    for (size_t i = 0; i < COUNT(days); i++)
        assert_int_equal(transfer_reason(&adequacy, 1, "IE", days[i].at), days[i].reason);
    adequacy.certified_until_ms = 0;
    assert_int_equal(transfer_reason(&adequacy, 1, "IE", NOW + 10 * DAY - 1), REASON_PERMITTED);
    assert_int_equal(transfer_reason(&adequacy, 1, "IE", NOW + 10 * DAY), REASON_NO_TRANSFER_BASIS);
}

static void every_importer_needs_its_own_basis(void **state)
{
    (void)state;
    struct conf_transfer t[3] = {
        { .importer = STR_INIT("Google LLC"), .country = "US", .basis = CONF_DEROGATION },
        { .importer = STR_INIT("Sub Ltd"), .country = "IN", .basis = CONF_SCC },
        { .importer = STR_INIT("Google LLC"),
          .country = "US",
          .basis = CONF_ADEQUACY,
          .until_ms = NOW - 30 * DAY },
    };
    assert_int_equal(transfer_reason(t, 1, "IE", NOW), REASON_PERMITTED);
    assert_int_equal(transfer_reason(t, 2, "IE", NOW), REASON_NO_TRANSFER_BASIS);
    t[1].assessed_ms = NOW;
    assert_int_equal(transfer_reason(t, 2, "IE", NOW - 1), REASON_NO_TRANSFER_BASIS);
    assert_int_equal(transfer_reason(t, 2, "IE", NOW), REASON_PERMITTED);
    /* of several entries for one importer one is enough */
    assert_int_equal(transfer_reason(t, 3, "IE", NOW), REASON_PERMITTED);
    t[0].since_ms = NOW + DAY;
    assert_int_equal(transfer_reason(t, 3, "IE", NOW), REASON_NO_TRANSFER_BASIS);
    /* an importer within the EEA needs none */
    memcpy(t[0].country, "FR", 3);
    memcpy(t[2].country, "NO", 3);
    assert_int_equal(transfer_reason(t, 3, "IE", NOW), REASON_PERMITTED);
    /* the same name in another country is another importer */
    memcpy(t[2].country, "CN", 3);
    assert_int_equal(transfer_reason(t, 3, "IE", NOW), REASON_NO_TRANSFER_BASIS);
}

static void recipient_outside_must_be_an_importer(void **state)
{
    (void)state;
    struct conf_transfer t[2] = {
        { .importer = STR_INIT("Somebody Else"), .country = "US", .basis = CONF_DEROGATION },
        { .importer = STR_INIT("Google"), .country = "US", .basis = CONF_DEROGATION },
    };
    assert_int_equal(transfer_reason(NULL, 0, "IE", NOW), REASON_PERMITTED);
    assert_int_equal(transfer_reason(NULL, 0, "US", NOW), REASON_NO_TRANSFER_BASIS);
    assert_int_equal(transfer_reason(t, 1, "US", NOW), REASON_NO_TRANSFER_BASIS);
    assert_int_equal(transfer_reason(t, 2, "US", NOW), REASON_PERMITTED);
    assert_int_equal(transfer_reason(t, 2, "CH", NOW), REASON_NO_TRANSFER_BASIS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transfer_stops_on_the_day_its_basis_ends),
        cmocka_unit_test(every_importer_needs_its_own_basis),
        cmocka_unit_test(recipient_outside_must_be_an_importer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
