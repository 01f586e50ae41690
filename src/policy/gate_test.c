#include "policy/gate.h"
#include "base/clock.h"
#include "model/event.h"
#include "policy/gate_house.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/* ---- single promises ---- */

struct scene {
    struct arena arena;
    struct house house;
    const struct policy *policy;
    struct use use;
};

static struct scene *scene_new(struct house house)
{
    struct scene *s = must_alloc_zero(sizeof(*s));
    s->house = house;
    s->policy = house_policy(&house, &s->arena);
    s->use = (struct use){ .index = OUT, .has_device = true };
    return s;
}

static void scene_free(struct scene **s)
{
    if (*s)
        arena_fini(&(*s)->arena);
    free(*s);
    *s = NULL;
}

static struct decision decide_at(struct scene *s, const struct snapshot *device, int64_t at_ms)
{
    struct decision d;
    gate_decide(s->policy, device, NULL, &s->use, at_ms, &d);
    return d;
}

static void zeroed_memory_denies(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ 0 });
    const struct policy no_policy = { 0 };
    const struct use no_use = { 0 };
    struct snapshot *yes = said(&good_grant, SUBJECT_VERIFIED, &s->arena);
    struct decision d = { .verdict = GATE_PERMIT };
    gate_decide(&no_policy, yes, yes, &s->use, NOW, &d);
    assert_int_equal(d.verdict, GATE_DENY);
    assert_int_equal(d.reason, REASON_UNKNOWN_USE);
    gate_decide(s->policy, yes, yes, &no_use, NOW, &d);
    assert_int_equal(d.verdict, GATE_DENY);
    assert_int_equal(d.reason, REASON_NO_CONSENT);

    struct snapshot *zero_standing = fixture_snapshot(&s->arena, 0, 1, (struct standing[1]){ 0 });
    assert_int_equal(decide_at(s, zero_standing, NOW).reason, REASON_NO_CONSENT);
    assert_int_equal(decide_at(s, NULL, NOW).reason, REASON_NO_CONSENT);
    struct standing first_purpose = { .purpose = 1 }; /* zero otherwise: it lowers */
    assert_int_equal(decide_at(s, fixture_snapshot(&s->arena, 0, 1, &first_purpose), NOW).reason,
                     REASON_REFUSED);

    struct policy_use zero_use = { 0 };
    struct policy p = *s->policy;
    p.use = &zero_use;
    p.use_count = 1;
    gate_decide(&p, yes, NULL, &s->use, NOW, &d);
    assert_int_equal(d.verdict, GATE_DENY);
    s->use.departing = true; /* at_capture is zero: it was not permitted */
    assert_int_equal(decide_at(s, yes, NOW).reason, REASON_NOT_AT_CAPTURE);
    struct decision zero = { 0 };
    assert_int_equal(zero.verdict, GATE_DENY);
    assert_int_not_equal(zero.reason, REASON_PERMITTED);
}

static void consent_ends_to_the_millisecond(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ 0 });
    int64_t given = NOW - 100 * DAY, ends = time_add(given, (struct duration){ .months = 12 });
    struct snapshot *yes = said(&good_grant, 0, &s->arena);
    assert_int_equal(decide_at(s, yes, given - 1).reason, REASON_NO_CONSENT);
    assert_int_equal(decide_at(s, yes, given).reason, REASON_PERMITTED);
    assert_int_equal(decide_at(s, yes, ends - 1).reason, REASON_PERMITTED);
    assert_int_equal(decide_at(s, yes, ends).reason, REASON_EXPIRED);
}

static void voiding_counts_from_its_moment(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ 0 });
    const struct history h = { .confirmed = true, .version = V_VOIDED };
    struct snapshot *yes = said(&h, 0, &s->arena);
    assert_int_equal(decide_at(s, yes, NOW - DAY - 1).reason, REASON_PERMITTED);
    assert_int_equal(decide_at(s, yes, NOW - DAY).reason, REASON_TEXT_VOIDED);
}

static void older_grant_that_arrives_late_reopens_nothing(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ 0 });
    struct standing grant = { .grant = true, .confirmed = true, .version = 1 };
    struct standing acts[3] = {
        at_once(grant, NOW - 10 * DAY, 1),
        at_once((struct standing){ 0 }, NOW - 5 * DAY, 2),
        at_once(grant, NOW - 6 * DAY, 3),
    };
    struct decision d = decide_at(s, fixture_snapshot(&s->arena, 0, 3, acts), NOW);
    assert_int_equal(d.reason, REASON_WITHDRAWN);
    assert_int_equal(d.purpose[0].act_seq, 2);
    assert_int_equal(d.purpose[0].version, 0);
    assert_true(d.purpose[0].by_device);
    acts[2].last_effect = NOW - 5 * DAY; /* at the very same time the later one decides */
    d = decide_at(s, fixture_snapshot(&s->arena, 0, 3, acts), NOW);
    assert_int_equal(d.reason, REASON_PERMITTED);
    assert_int_equal(d.purpose[0].act_seq, 3);
    assert_int_equal(d.purpose[0].version, 1);
    acts[2].last_seq = 2; /* no two acts are one; if they were, the lowering decides */
    d = decide_at(s, fixture_snapshot(&s->arena, 0, 3, acts), NOW);
    assert_int_equal(d.reason, REASON_WITHDRAWN);
}

static void refused_is_who_never_granted_and_withdrawn_who_did(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ 0 });
    struct standing lower = at_once((struct standing){ 0 }, NOW - 5 * DAY, 2);
    struct standing idle = at_once((struct standing){ .grant = true, .version = 1 }, NOW - DAY, 3);
    struct standing grant = at_once(
        (struct standing){ .grant = true, .confirmed = true, .version = 1 }, NOW - 9 * DAY, 1);
    struct snapshot *refused =
        fixture_snapshot(&s->arena, 0, 2, (struct standing[]){ idle, lower });
    struct snapshot *withdrawn =
        fixture_snapshot(&s->arena, 0, 3, (struct standing[]){ idle, lower, grant });
    assert_int_equal(decide_at(s, refused, NOW).reason, REASON_REFUSED);
    assert_int_equal(decide_at(s, withdrawn, NOW).reason, REASON_WITHDRAWN);
    /* refused, then granted, refused again: three acts in two classes */
    lower.first_effect = NOW - 20 * DAY;
    withdrawn = fixture_snapshot(&s->arena, 0, 2, (struct standing[]){ lower, grant });
    assert_int_equal(decide_at(s, withdrawn, NOW).reason, REASON_WITHDRAWN);
}

static void past_is_judged_by_what_was_there(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ 0 });
    struct standing acts[2] = {
        at_once((struct standing){ .grant = true, .confirmed = true, .version = 1 }, NOW - 10 * DAY,
                1),
        at_once((struct standing){ 0 }, NOW - 5 * DAY, 2),
    };
    struct snapshot *both = fixture_snapshot(&s->arena, 0, 2, acts);
    assert_int_equal(decide_at(s, both, NOW - 5 * DAY - 1).reason, REASON_PERMITTED);
    assert_int_equal(decide_at(s, both, NOW - 5 * DAY).reason, REASON_WITHDRAWN);

    /* a class that reaches past the moment: grants count as their first, lowerings at once */
    acts[0].last_effect = NOW + DAY;
    acts[0].last_seq = 7;
    both = fixture_snapshot(&s->arena, 0, 2, acts);
    assert_int_equal(decide_at(s, both, NOW).reason, REASON_WITHDRAWN);
    acts[1] = at_once((struct standing){ 0 }, NOW - 20 * DAY, 2);
    acts[1].last_effect = NOW + 2 * DAY;
    acts[1].last_seq = 9;
    struct decision d = decide_at(s, fixture_snapshot(&s->arena, 0, 2, acts), NOW);
    assert_int_equal(d.reason, REASON_WITHDRAWN);
    assert_int_equal(d.purpose[0].act_seq, 2);
}

static void version_nobody_knows_grants_nothing(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ 0 });
    const struct history h = { .confirmed = true, .version = 77 };
    assert_int_equal(decide_at(s, said(&h, 0, &s->arena), NOW).reason, REASON_NO_CONSENT);
    const struct history bare = { .confirmed = true, .bare = true, .version = UINT32_MAX };
    assert_int_equal(decide_at(s, said(&bare, 0, &s->arena), NOW).reason, REASON_NO_CONSENT);
}

static void nobody_is_never_somebody(void **state)
{
    (void)state;
    for (int basis = CONF_CONSENT; basis <= CONF_LEGITIMATE_INTERESTS; basis++) {
        AUTO(scene_free)
        struct scene *s = scene_new(
            (struct house){ .basis = (enum conf_basis)basis, .terminal = CONF_TERMINAL_NONE });
        struct snapshot *yes = said(&good_grant, SUBJECT_VERIFIED, &s->arena);
        struct decision d;
        s->use.has_device = false;
        gate_decide(s->policy, yes, yes, &s->use, NOW, &d);
        assert_int_equal(d.reason, REASON_NO_CONSENT);
    }
}

static void devices_grant_does_not_stand_in_for_hers(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ .double_opt_in = true });
    struct snapshot *yes = said(&good_grant, 0, &s->arena);
    struct snapshot *verified = said(&good_grant, SUBJECT_VERIFIED, &s->arena);
    struct decision d;
    s->use.has_person = true;
    gate_decide(s->policy, verified, NULL, &s->use, NOW, &d);
    assert_int_equal(d.reason, REASON_NO_CONSENT);
    assert_false(d.purpose[0].by_device);
    /* never the grant from one and the verification from the other */
    gate_decide(s->policy, verified, yes, &s->use, NOW, &d);
    assert_int_equal(d.reason, REASON_NOT_VERIFIED);
    gate_decide(s->policy, yes, verified, &s->use, NOW, &d);
    assert_int_equal(d.reason, REASON_PERMITTED);
    assert_true(d.person_fields);
    assert_false(d.device_fields); /* the device alone would fail: not verified */
    gate_decide(s->policy, verified, verified, &s->use, NOW, &d);
    assert_true(d.person_fields && d.device_fields);
}

static void gate_names_the_act_of_the_one_who_closes(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ 0 });
    const struct history no = { .order = ONLY_LOWERED };
    struct decision d;
    s->use.has_person = true;
    gate_decide(s->policy, said(&no, 0, &s->arena), said(&good_grant, 0, &s->arena), &s->use, NOW,
                &d);
    assert_int_equal(d.reason, REASON_REFUSED);
    assert_true(d.purpose[0].by_device);
    assert_int_equal(d.purpose[0].act_seq, 90);
    gate_decide(s->policy, NULL, said(&good_grant, 0, &s->arena), &s->use, NOW, &d);
    assert_int_equal(d.reason, REASON_PERMITTED);
    assert_false(d.purpose[0].by_device);
    assert_int_equal(d.purpose[0].act_seq, 50);
    assert_int_equal(d.purpose[0].version, V_GOOD);
}

static void either_signal_that_is_honoured_counts(void **state)
{
    (void)state;
    AUTO(scene_free)
    struct scene *s = scene_new(
        (struct house){ .basis = CONF_LEGITIMATE_INTERESTS, .terminal = CONF_TERMINAL_NONE });
    struct snapshot *none = fixture_snapshot(&s->arena, 0, 0, NULL);
    assert_int_equal(decide_at(s, none, NOW).reason, REASON_PERMITTED);
    s->use.signals = SIGNAL_DNT; /* not among honours: [gpc] */
    assert_int_equal(decide_at(s, none, NOW).reason, REASON_PERMITTED);
    s->use.signals = SIGNAL_DNT | SIGNAL_GPC;
    assert_int_equal(decide_at(s, none, NOW).reason, REASON_SIGNAL);
    assert_int_equal(decide_at(s, said(&good_grant, 0, &s->arena), NOW).reason, REASON_PERMITTED);
}

static void client_lowers_only_what_it_names(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ 0 });
    struct snapshot *yes = said(&good_grant, 0, &s->arena);
    s->use.lowered = ~1ull;
    assert_int_equal(decide_at(s, yes, NOW).reason, REASON_PERMITTED);
    s->use.lowered = 1;
    assert_int_equal(decide_at(s, yes, NOW).reason, REASON_CLIENT_LOWERED);
}

/* ---- several purposes ---- */

static void purposes_are_asked_in_the_order_of_requires(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct conf_version v = { .version = 1, .since_ms = NOW - 900 * DAY };
    v.recipient = fixture_names(&a, &v.recipient_count, "meta", NULL);
    struct conf_purpose purposes[3];
    const char *ids[] = { "first", "second", "third" };
    for (int i = 0; i < 3; i++)
        purposes[i] = (struct conf_purpose){
            .id = str_of(ids[i]), .lifetime = { .months = 12 }, .version = &v, .version_count = 1
        };
    struct conf_destination meta = {
        .id = STR("meta"),
        .has_recipient = true,
        .recipient_name = STR("Meta"),
        .recipient_country = "IE",
        .role = CONF_JOINT_CONTROLLER,
    };
    meta.requires = fixture_names(&a, &meta.require_count, "third", "first", "third", NULL);
    meta.recipient_purpose =
        fixture_names(&a, &meta.recipient_purpose_count, "second", "first", NULL);
    struct conf c = {
        .purpose = purposes, .purpose_count = 3, .destination = &meta, .destination_count = 1
    };
    struct frozen frozen;
    const struct policy *p = fixture_compile(&c, NULL, &a, &frozen);

    struct standing acts[3];
    for (uint32_t i = 0; i < 3; i++) {
        acts[i] = at_once((struct standing){ .grant = true, .confirmed = true, .version = 1 },
                          NOW - DAY, i + 1);
        acts[i].purpose = policy_purpose_numbered(p, i + 1)->number;
    }
    const struct use use = { .has_device = true };
    struct decision d;
    gate_decide(p, fixture_snapshot(&a, 0, 3, acts), NULL, &use, NOW, &d);
    assert_int_equal(d.verdict, GATE_PERMIT);
    assert_int_equal(d.count, 3);
    const uint32_t order[] = { 2, 0, 1 };
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(d.purpose[i].purpose, order[i]);
    acts[0].confirmed = false; /* asked second */
    acts[1].grant = false;     /* asked third, as the recipient's own */
    gate_decide(p, fixture_snapshot(&a, 0, 3, acts), NULL, &use, NOW, &d);
    assert_int_equal(d.verdict, GATE_DENY);
    assert_int_equal(d.reason, REASON_UNCONFIRMED);
    assert_int_equal(d.purpose[0].reason, REASON_PERMITTED);
    assert_int_equal(d.purpose[1].reason, REASON_UNCONFIRMED);
    assert_int_equal(d.purpose[2].reason, REASON_REFUSED);
}
/* ---- speed ---- */

static void deciding_is_quick(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ 0 });
    struct snapshot *yes = said(&good_grant, 0, &s->arena);
    enum { ROUNDS = 1000000 };
    for (int person = 0; person < 2; person++) {
        struct decision d;
        uint64_t permits = 0;
        s->use.has_person = person;
        int64_t start = clock_mono_ms();
        for (int i = 0; i < ROUNDS; i++) {
            gate_decide(s->policy, yes, yes, &s->use, NOW + (i & 1023), &d);
            permits += d.verdict == GATE_PERMIT;
        }
        int64_t took = clock_mono_ms() - start;
        print_message("# %s: %lld ns per decision\n", person ? "device and person" : "device",
                      (long long)took * 1000000 / ROUNDS);
        assert_int_equal(permits, ROUNDS);
        assert_true(took < 10000);
    }
}

static void claim_holds_exactly_when_its_purpose_would_permit(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ 0 });
    uint32_t held = 0;
    for (uint32_t i = 0; i < EVERY_HISTORY; i++) {
        struct history h = history_numbered(i);
        struct snapshot *device = said(&h, 0, &s->arena);
        for (uint32_t lowered = 0; lowered < 2; lowered++) {
            s->use.lowered = lowered;
            struct decision d = decide_at(s, device, NOW);
            uint32_t claims = gate_claims(s->policy, device, NULL, &s->use, NOW);
            assert_int_equal(claims, d.purpose[0].reason == REASON_PERMITTED);
            held += claims;
        }
    }
    assert_in_range(held, 1, EVERY_HISTORY - 1);
}

static void nobody_claims_what_nobody_said(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ 0 });
    struct snapshot *yes = said(&good_grant, SUBJECT_VERIFIED, &s->arena);
    assert_int_equal(gate_claims(s->policy, yes, NULL, &s->use, NOW), 1 << CONF_AD_USER_DATA);
    struct use use = s->use;
    use.has_device = false; /* a snapshot alone makes nobody */
    assert_int_equal(gate_claims(s->policy, yes, yes, &use, NOW), 0);
    use = (struct use){ .index = OUT, .has_person = true };
    assert_int_equal(gate_claims(s->policy, yes, NULL, &use, NOW), 0);
    use = s->use;
    static const uint32_t others[] = { LOST, IDLE, 3, UINT32_MAX };
    for (size_t i = 0; i < COUNT(others); i++) { /* an unknown purpose, none, no such use */
        use.index = others[i];
        assert_int_equal(gate_claims(s->policy, yes, yes, &use, NOW), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_memory_denies),
        cmocka_unit_test(consent_ends_to_the_millisecond),
        cmocka_unit_test(voiding_counts_from_its_moment),
        cmocka_unit_test(older_grant_that_arrives_late_reopens_nothing),
        cmocka_unit_test(refused_is_who_never_granted_and_withdrawn_who_did),
        cmocka_unit_test(past_is_judged_by_what_was_there),
        cmocka_unit_test(version_nobody_knows_grants_nothing),
        cmocka_unit_test(nobody_is_never_somebody),
        cmocka_unit_test(devices_grant_does_not_stand_in_for_hers),
        cmocka_unit_test(gate_names_the_act_of_the_one_who_closes),
        cmocka_unit_test(either_signal_that_is_honoured_counts),
        cmocka_unit_test(client_lowers_only_what_it_names),
        cmocka_unit_test(purposes_are_asked_in_the_order_of_requires),
        cmocka_unit_test(claim_holds_exactly_when_its_purpose_would_permit),
        cmocka_unit_test(nobody_claims_what_nobody_said),
        cmocka_unit_test(deciding_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
