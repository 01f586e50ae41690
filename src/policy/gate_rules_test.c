#include "policy/gate.h"
#include "model/event.h"
#include "policy/gate_house.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define BIT(reason) (1u << (reason))

/* ---- the rules, told by what was said and not by how the gate looks ---- */

struct told {
    bool granted, effective, lowers, stands, specific;
};

static struct told hear(const struct house *house, const struct history *h)
{
    struct told t = { .granted = h->order <= LOWERED_AFTER };
    t.effective =
        t.granted && h->confirmed && h->version != V_NONE && (!h->bare || house->proof_optional);
    t.stands = t.effective && h->order != LOWERED_AFTER;
    t.lowers = (h->order == LOWERED_AFTER || h->order == ONLY_LOWERED ||
                (h->order == LOWERED_BEFORE && !t.effective));
    t.specific = t.stands && !h->bare && !h->imported;
    return t;
}

static uint32_t consent_rules(const struct history *h, const struct told *t)
{
    if (t->lowers)
        return t->effective ? BIT(REASON_WITHDRAWN) : BIT(REASON_REFUSED);
    if (t->stands)
        return 0;
    if (t->granted && !h->confirmed)
        return BIT(REASON_UNCONFIRMED);
    if (t->granted && h->version != V_NONE)
        return BIT(REASON_NO_PROOF);
    return BIT(REASON_NO_CONSENT);
}

/* What a subject's acts close: with `only_a_no` what a device closes beside a person. */
static uint32_t act_rules(const struct house *house, const struct history *h, bool only_a_no)
{
    struct told t = hear(house, h);
    bool reads = house->terminal == CONF_TERMINAL_CONSENT;
    if (only_a_no && !t.lowers)
        return 0;
    switch (house->basis) {
    case CONF_CONSENT: return consent_rules(h, &t);
    case CONF_LEGITIMATE_INTERESTS:
        return (t.lowers ? BIT(REASON_OBJECTED) : 0) |
               (reads && !t.stands ? BIT(REASON_NO_TERMINAL_ACCESS) : 0);
    default: return reads && !t.stands ? BIT(REASON_NO_TERMINAL_ACCESS) : 0;
    }
}

static uint32_t grant_rules(const struct house *house, const struct history *h, uint32_t flags)
{
    bool needed = house->basis == CONF_CONSENT || house->terminal == CONF_TERMINAL_CONSENT;
    if (!needed || !hear(house, h).stands)
        return 0;
    bool unnamed = h->version == V_UNNAMED || h->version == V_BOTH;
    bool voided = h->version == V_VOIDED || h->version == V_BOTH;
    bool unverified = house->double_opt_in && !(flags & SUBJECT_VERIFIED);
    return (unnamed ? BIT(REASON_RECIPIENT_NOT_NAMED) : 0) |
           (voided ? BIT(REASON_TEXT_VOIDED) : 0) | (h->old ? BIT(REASON_EXPIRED) : 0) |
           (unverified ? BIT(REASON_NOT_VERIFIED) : 0);
}

static uint32_t request_rules(const struct house *house, const struct history *h,
                              const struct use *use)
{
    bool signal = use->signals && !hear(house, h).specific;
    bool client = use->use_lowered || use->lowered;
    return (signal ? BIT(REASON_SIGNAL) : 0) | (client ? BIT(REASON_CLIENT_LOWERED) : 0);
}

static uint32_t subject_rules(const struct house *house, const struct history *h, uint32_t flags,
                              const struct use *use)
{
    return act_rules(house, h, false) | grant_rules(house, h, flags) | request_rules(house, h, use);
}

static enum reason first_of(uint32_t reasons)
{
    for (int r = 0; r < REASON_COUNT; r++) {
        if (reasons & BIT(r))
            return (enum reason)r;
    }
    return REASON_PERMITTED;
}

/* ---- which reasons, and which two at once, were met ---- */

static struct seen {
    uint64_t reason[REASON_COUNT];
    bool together[REASON_COUNT][REASON_COUNT];
} seen;

static void note(uint32_t reasons)
{
    seen.reason[first_of(reasons)]++;
    for (int a = 0; a < REASON_COUNT; a++) {
        for (int b = a + 1; b < REASON_COUNT && reasons & BIT(a); b++)
            seen.together[a][b] |= (reasons & BIT(b)) != 0;
    }
}

/* ---- every combination about one purpose ---- */

struct question {
    const struct house *house;
    const struct policy *policy;
    const struct history *asked, *beside; /* of the one it is about; of the device beside her */
    const struct snapshot *asked_snapshot, *beside_snapshot;
    uint32_t flags;
    struct use use;
};

static uint32_t expected_reasons(const struct question *q)
{
    const struct use *u = &q->use;
    if (!u->has_person && (!u->has_device || q->house->scope == CONF_PERSON))
        return BIT(REASON_NO_CONSENT);
    uint32_t reasons = subject_rules(q->house, q->asked, q->flags, u);
    if (u->has_person && u->has_device)
        reasons |= act_rules(q->house, q->beside, true);
    return reasons;
}

static bool expected_device_fields(const struct question *q)
{
    if (!q->use.has_device || !q->use.has_person)
        return q->use.has_device;
    if (q->house->scope == CONF_PERSON)
        return !hear(q->house, q->beside).lowers;
    return subject_rules(q->house, q->beside, q->flags, &q->use) == 0;
}

static void ask(const struct question *q)
{
    struct decision d;
    uint32_t reasons = expected_reasons(q);
    bool about_device = !q->use.has_person;
    gate_decide(q->policy, about_device ? q->asked_snapshot : q->beside_snapshot,
                about_device ? NULL : q->asked_snapshot, &q->use, NOW, &d);
    note(reasons);
    enum reason expected = first_of(reasons);
    bool permitted = reasons == 0;
    bool right = d.reason == expected && d.count == 1 && d.purpose[0].reason == expected &&
                 d.verdict == (permitted ? GATE_PERMIT : GATE_DENY) &&
                 d.person_fields == (permitted && q->use.has_person) &&
                 d.device_fields == (permitted && expected_device_fields(q));
    if (right)
        return;
    fail_msg("basis %d terminal %d scope %d doi %d proof_optional %d; order %d bare %d confirmed "
             "%d imported %d old %d v%u; beside %d; device %d person %d signals %u lowered %d; "
             "flags %u: expected %s, found %s, fields %d %d",
             q->house->basis, q->house->terminal, q->house->scope, q->house->double_opt_in,
             q->house->proof_optional, q->asked->order, q->asked->bare, q->asked->confirmed,
             q->asked->imported, q->asked->old, q->asked->version, q->beside->order,
             q->use.has_device, q->use.has_person, q->use.signals, q->use.use_lowered, q->flags,
             reason_name(expected), reason_name(d.reason), d.device_fields, d.person_fields);
}

static const struct history beside[] = {
    { .order = NOTHING_SAID },
    { .confirmed = true, .version = V_GOOD },
    { .order = ONLY_LOWERED },
    { .order = LOWERED_AFTER, .confirmed = true, .version = V_GOOD },
    { .confirmed = true, .version = V_GOOD, .imported = true },
};

static void ask_every_history(const struct house *house, const struct policy *p, struct arena *a)
{
    for (uint32_t i = 0; i < EVERY_HISTORY * 2; i++) {
        uint32_t flags = i & 1 ? SUBJECT_VERIFIED : 0;
        struct history h = history_numbered(i / 2);
        struct question q = { house, p, &h, NULL, said(&h, flags, a), NULL, flags, { 0 } };
        for (uint32_t k = 0; k < COUNT(beside); k++) {
            q.beside = &beside[k];
            q.beside_snapshot = said(&beside[k], flags, a);
            for (uint32_t u = 0; u < 16; u++) {
                q.use = (struct use){ .index = OUT,
                                      .has_device = u & 1,
                                      .has_person = u & 2,
                                      .signals = u & 4 ? SIGNAL_GPC : 0,
                                      .use_lowered = (u & 8) && k % 2,
                                      .lowered = (u & 8) && k % 2 == 0 };
                if (k == 0 || (u & 3) == 3)
                    ask(&q);
            }
        }
    }
}

static void every_combination_of_one_purpose_gives_the_first_reason(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4 * 2 * 2 * 2 * 2; i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct house house = {
            .basis = (enum conf_basis)(i & 3),
            .terminal = i & 4 ? CONF_TERMINAL_CONSENT : CONF_TERMINAL_NONE,
            .scope = i & 8 ? CONF_PERSON : CONF_DEVICE,
            .double_opt_in = i & 16,
            .proof_optional = i & 32,
        };
        ask_every_history(&house, house_policy(&house, &a), &a);
    }
}

/* ---- every combination about the use as a whole ---- */

static void ask_generally(const struct policy *p, const struct house *h, uint32_t i,
                          struct arena *a)
{
    static const struct history histories[4] = {
        { .confirmed = true, .version = V_GOOD },
        { .order = NOTHING_SAID },
        { .order = ONLY_LOWERED },
        { .confirmed = true, .version = V_GOOD, .old = true },
    };
    const struct history *history = &histories[i & 3];
    uint32_t flags = (i & 4 ? SUBJECT_ERASED : 0) | (i & 8 ? SUBJECT_RESTRICTED : 0);
    bool person = i & 16;
    struct use use = {
        .index = i >> 5 & 3,
        .has_device = true,
        .has_person = person,
        .use_lowered = i & 128,
        .departing = i & 256,
        .at_capture = i & 512 ? REASON_EXPIRED : REASON_PERMITTED,
        .capture_device_fields = i & 1024,
        .capture_person_fields = i & 1024,
        .test = i & 2048,
    };
    struct snapshot *device = said(person ? &histories[0] : history, i & 4096 ? flags : 0, a);
    struct snapshot *her = said(history, i & 4096 ? 0 : flags, a);
    if (!person)
        device->flags = flags;

    uint32_t reasons = 0;
    if (use.index > IDLE) {
        reasons = BIT(REASON_UNKNOWN_USE);
    } else {
        reasons = (h->no_role ? BIT(REASON_NO_ROLE) : 0) |
                  (flags & SUBJECT_ERASED ? BIT(REASON_ERASED) : 0) |
                  (flags & SUBJECT_RESTRICTED ? BIT(REASON_RESTRICTED) : 0) |
                  (h->no_transfer ? BIT(REASON_NO_TRANSFER_BASIS) : 0) |
                  (use.departing && i & 512 ? BIT(REASON_NOT_AT_CAPTURE) : 0) |
                  (use.test ? BIT(REASON_TEST) : 0);
        if (use.index == LOST)
            reasons |= BIT(REASON_UNKNOWN_PURPOSE);
        else if (use.index == IDLE)
            reasons |= BIT(REASON_NO_CONSENT);
        else
            reasons |= subject_rules(h, history, flags, &use);
    }
    struct decision d;
    gate_decide(p, device, her, &use, NOW, &d);
    note(reasons);
    bool fields = reasons == 0 && (!use.departing || use.capture_device_fields);
    if (d.reason != first_of(reasons) || d.verdict != (reasons ? GATE_DENY : GATE_PERMIT) ||
        d.device_fields != fields || d.person_fields != (fields && person))
        fail_msg("%x no_role %d no_transfer %d: expected %s, found %s", i, h->no_role,
                 h->no_transfer, reason_name(first_of(reasons)), reason_name(d.reason));
    uint32_t count = use.index == OUT || use.index == LOST;
    assert_int_equal(d.count, count); /* every purpose is answered, whatever else failed */
    if (use.index == LOST) {
        assert_int_equal(d.purpose[0].reason, REASON_UNKNOWN_PURPOSE);
        assert_int_equal(d.purpose[0].purpose, UINT32_MAX);
    } else if (use.index == OUT) {
        assert_int_equal(d.purpose[0].reason, first_of(subject_rules(h, history, flags, &use)));
    }
}

static void every_combination_of_the_whole_gives_the_first_reason(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct house h = { .no_role = i & 1, .no_transfer = i & 2 };
        const struct policy *p = house_policy(&h, &a);
        for (uint32_t k = 0; k < 1u << 13; k++)
            ask_generally(p, &h, k, &a);
    }
}

static bool one_of(int r, uint32_t reasons)
{
    return reasons & BIT(r);
}

/* Two reasons that can never hold at once. */
static bool exclude_each_other(int a, int b)
{
    const uint32_t alone = BIT(REASON_UNKNOWN_USE) | BIT(REASON_PERMITTED);
    const uint32_t purpose = BIT(REASON_NO_CONSENT) | BIT(REASON_REFUSED) | BIT(REASON_WITHDRAWN) |
                             BIT(REASON_UNCONFIRMED) | BIT(REASON_NO_PROOF) | BIT(REASON_OBJECTED) |
                             BIT(REASON_NO_TERMINAL_ACCESS) | BIT(REASON_RECIPIENT_NOT_NAMED) |
                             BIT(REASON_TEXT_VOIDED) | BIT(REASON_EXPIRED) |
                             BIT(REASON_NOT_VERIFIED) | BIT(REASON_SIGNAL) |
                             BIT(REASON_CLIENT_LOWERED);
    const uint32_t hers = BIT(REASON_NO_CONSENT) | BIT(REASON_UNCONFIRMED) | BIT(REASON_NO_PROOF);
    const uint32_t consent = hers | BIT(REASON_REFUSED) | BIT(REASON_WITHDRAWN);
    const uint32_t other_bases = BIT(REASON_OBJECTED) | BIT(REASON_NO_TERMINAL_ACCESS);
    const uint32_t on_grant = BIT(REASON_RECIPIENT_NOT_NAMED) | BIT(REASON_TEXT_VOIDED) |
                              BIT(REASON_EXPIRED) | BIT(REASON_NOT_VERIFIED);
    return one_of(a, alone) || one_of(b, alone) ||
           (a == REASON_UNKNOWN_PURPOSE && one_of(b, purpose)) ||
           (one_of(a, consent) && one_of(b, other_bases)) || (one_of(a, hers) && one_of(b, hers)) ||
           (one_of(a, hers) && one_of(b, on_grant));
}

/* Whether the tests above had to choose between these two; general reasons were
 * met with general ones and some of a purpose, those of a purpose with each other. */
static void every_reason_and_every_pair_was_met(void **state)
{
    (void)state;
    const uint32_t rare = BIT(REASON_REFUSED) | BIT(REASON_NO_CONSENT) | BIT(REASON_EXPIRED) |
                          BIT(REASON_CLIENT_LOWERED) | BIT(REASON_UNKNOWN_PURPOSE);
    for (int a = 0; a < REASON_COUNT; a++) {
        if (!reason_of_gate((enum reason)a))
            continue;
        if (seen.reason[a] == 0)
            fail_msg("%s was never met", reason_name((enum reason)a));
        for (int b = a + 1; b < REASON_COUNT; b++) {
            if (!reason_of_gate((enum reason)b))
                continue;
            bool general_a = a < REASON_UNKNOWN_PURPOSE || a >= REASON_NOT_AT_CAPTURE;
            bool general_b = b < REASON_UNKNOWN_PURPOSE || b >= REASON_NOT_AT_CAPTURE;
            if (general_a != general_b && !one_of(general_a ? b : a, rare))
                continue;
            if (seen.together[a][b] == exclude_each_other(a, b))
                fail_msg("%s and %s %s", reason_name((enum reason)a), reason_name((enum reason)b),
                         seen.together[a][b] ? "met" : "never met");
        }
    }
}

static void purpose_alone_is_judged_without_a_use(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    const struct house house = { .double_opt_in = true };
    const struct policy *p = house_policy(&house, &a);
    for (uint32_t i = 0; i < EVERY_HISTORY * 2; i++) {
        struct history h = history_numbered(i / 2);
        uint32_t flags = i & 1 ? SUBJECT_VERIFIED : 0;
        struct decision_purpose d;
        gate_purpose(p, said(&h, flags, &a), STATISTICS, NOW, &d);
        uint32_t reasons = act_rules(&house, &h, false) | grant_rules(&house, &h, flags);
        assert_int_equal(d.reason, first_of(reasons & ~BIT(REASON_RECIPIENT_NOT_NAMED)));
        assert_int_equal(d.purpose, STATISTICS);
    }
    struct decision_purpose d;
    gate_purpose(p, NULL, STATISTICS, NOW, &d);
    assert_int_equal(d.reason, REASON_NO_CONSENT);
    gate_purpose(p, NULL, 1, NOW, &d);
    assert_int_equal(d.reason, REASON_UNKNOWN_PURPOSE);
    assert_int_equal(d.purpose, UINT32_MAX);
    gate_purpose(p, NULL, UINT32_MAX, NOW, &d);
    assert_int_equal(d.reason, REASON_UNKNOWN_PURPOSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_of_one_purpose_gives_the_first_reason),
        cmocka_unit_test(every_combination_of_the_whole_gives_the_first_reason),
        cmocka_unit_test(every_reason_and_every_pair_was_met),
        cmocka_unit_test(purpose_alone_is_judged_without_a_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
