#include "policy/gate.h"
#include "base/clock.h"
#include "model/event.h"
#include "policy/fixture.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define NOW FIXTURE_NOW
#define DAY FIXTURE_DAY
#define BIT(reason) (1u << (reason))

enum { STATISTICS = 0, OUT = 0, LOST = 1, BARE_USE = 2 };
enum { V_NONE, V_GOOD, V_UNNAMED, V_VOIDED, V_BOTH, V_COUNT };

/* ---- one purpose and a destination that needs it ---- */

struct house {
    enum conf_basis basis;
    enum conf_terminal terminal;
    enum conf_scope scope;
    bool double_opt_in, proof_optional, no_role, no_transfer;
};

static void house_versions(struct conf_purpose *p, struct arena *a)
{
    p->version_count = V_COUNT - 1;
    p->version = arena_array(a, struct conf_version, p->version_count);
    for (uint32_t i = 0; i < p->version_count; i++) {
        struct conf_version *v = &p->version[i];
        v->version = i + 1;
        v->since_ms = NOW - 1000 * DAY + i * DAY;
        if (v->version == V_GOOD || v->version == V_VOIDED)
            v->recipient = fixture_names(a, &v->recipient_count, "out", "lost", "idle", NULL);
        if (v->version == V_VOIDED || v->version == V_BOTH)
            v->voided_ms = NOW - DAY;
    }
}

static struct conf_destination house_destination(const struct house *h, const char *id,
                                                 const char *requires, struct arena *a)
{
    struct conf_destination d = {
        .id = str_of(id),
        .has_recipient = true,
        .recipient_name = STR("Out Inc"),
        .role = h->no_role ? CONF_CONTROLLER : CONF_PROCESSOR,
    };
    memcpy(d.recipient_country, h->no_transfer ? "US" : "IE", 3);
    d.requires = fixture_names(a, &d.require_count, requires, NULL);
    return d;
}

static const struct policy *house_policy(const struct house *h, struct arena *a)
{
    struct frozen frozen;
    struct conf *c = arena_new(a, struct conf);
    c->purpose_count = 1;
    c->purpose = arena_new(a, struct conf_purpose);
    c->purpose[0] = (struct conf_purpose){
        .id = STR("statistics"),
        .basis = h->basis,
        .terminal_access = h->terminal,
        .scope = h->scope,
        .double_opt_in = h->double_opt_in,
        .proof_optional = h->proof_optional,
        .honours = CONF_GPC,
        .lifetime = { .months = 12 },
    };
    house_versions(&c->purpose[0], a);
    c->destination_count = 3;
    c->destination = arena_array(a, struct conf_destination, 3);
    c->destination[OUT] = house_destination(h, "out", "statistics", a);
    c->destination[LOST] = house_destination(h, "lost", "ghost", a);
    c->destination[BARE_USE] = house_destination(h, "idle", NULL, a);
    return fixture_compile(c, NULL, a, &frozen);
}

/* ---- what a subject said ---- */

enum order { NEVER_LOWERED, LOWERED_BEFORE, LOWERED_AFTER, ONLY_LOWERED, NOTHING_SAID, ORDERS };

struct history {
    enum order order;
    bool bare, confirmed, imported, old;
    uint32_t version;
};

enum { EVERY_HISTORY = ORDERS * 16 * V_COUNT };

static struct history history_numbered(uint32_t i)
{
    return (struct history){
        .order = (enum order)(i % ORDERS),
        .bare = i / ORDERS & 1,
        .confirmed = i / ORDERS & 2,
        .imported = i / ORDERS & 4,
        .old = i / ORDERS & 8,
        .version = i / ORDERS / 16,
    };
}

static const struct history good_grant = { .confirmed = true, .version = V_GOOD };

static struct standing at_once(struct standing s, int64_t effect, int64_t seq)
{
    s.purpose = 1;
    s.first_effect = s.last_effect = effect;
    s.first_seq = s.last_seq = seq;
    return s;
}

static struct snapshot *said(const struct history *h, uint32_t flags, struct arena *a)
{
    int64_t when = h->old ? NOW - 400 * DAY : NOW - 100 * DAY;
    struct standing grant = at_once((struct standing){ .grant = true,
                                                       .confirmed = h->confirmed,
                                                       .bare = h->bare,
                                                       .imported = h->imported,
                                                       .version = h->version },
                                    when, 50);
    /* what was before has the greater seq: it arrived later, and must not matter */
    struct standing before = at_once((struct standing){ 0 }, when - DAY, 90);
    struct standing after = at_once((struct standing){ 0 }, when + DAY, 20);
    switch (h->order) {
    case NEVER_LOWERED: return fixture_snapshot(a, flags, 1, &grant);
    case LOWERED_BEFORE: return fixture_snapshot(a, flags, 2, (struct standing[]){ before, grant });
    case LOWERED_AFTER: return fixture_snapshot(a, flags, 2, (struct standing[]){ after, grant });
    case ONLY_LOWERED: return fixture_snapshot(a, flags, 1, &before);
    default: return fixture_snapshot(a, flags, 0, NULL);
    }
}

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
    if (use.index > BARE_USE) {
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
        else if (use.index == BARE_USE)
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
        if (seen.reason[a] == 0)
            fail_msg("%s was never met", reason_name((enum reason)a));
        for (int b = a + 1; b < REASON_COUNT; b++) {
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

static void purpose_alone_is_judged_without_a_use(void **state)
{
    (void)state;
    AUTO(scene_free) struct scene *s = scene_new((struct house){ .double_opt_in = true });
    for (uint32_t i = 0; i < EVERY_HISTORY * 2; i++) {
        struct history h = history_numbered(i / 2);
        uint32_t flags = i & 1 ? SUBJECT_VERIFIED : 0;
        struct decision_purpose d;
        gate_purpose(s->policy, said(&h, flags, &s->arena), STATISTICS, NOW, &d);
        uint32_t reasons = act_rules(&s->house, &h, false) | grant_rules(&s->house, &h, flags);
        assert_int_equal(d.reason, first_of(reasons & ~BIT(REASON_RECIPIENT_NOT_NAMED)));
        assert_int_equal(d.purpose, STATISTICS);
    }
    struct decision_purpose d;
    gate_purpose(s->policy, NULL, STATISTICS, NOW, &d);
    assert_int_equal(d.reason, REASON_NO_CONSENT);
    gate_purpose(s->policy, NULL, 1, NOW, &d);
    assert_int_equal(d.reason, REASON_UNKNOWN_PURPOSE);
    assert_int_equal(d.purpose, UINT32_MAX);
    gate_purpose(s->policy, NULL, UINT32_MAX, NOW, &d);
    assert_int_equal(d.reason, REASON_UNKNOWN_PURPOSE);
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

/* ---- transfers ---- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_of_one_purpose_gives_the_first_reason),
        cmocka_unit_test(every_combination_of_the_whole_gives_the_first_reason),
        cmocka_unit_test(every_reason_and_every_pair_was_met),
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
        cmocka_unit_test(purpose_alone_is_judged_without_a_use),
        cmocka_unit_test(purposes_are_asked_in_the_order_of_requires),
        cmocka_unit_test(transfer_stops_on_the_day_its_basis_ends),
        cmocka_unit_test(every_importer_needs_its_own_basis),
        cmocka_unit_test(recipient_outside_must_be_an_importer),
        cmocka_unit_test(deciding_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
