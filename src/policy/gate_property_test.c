#include "base/clock.h"
#include "model/event.h"
#include "policy/fixture.h"
#include "policy/gate_naive.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

enum { WORLDS = 2500, FEWER_WORLDS = 700, CASES_PER_WORLD = 100, ACTS = 14 };

/* ---- chance ---- */

static uint64_t chance_state;

static uint32_t chance(uint32_t below)
{
    uint64_t z = chance_state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) >> 32) % below;
}

static bool one_in(uint32_t n)
{
    return chance(n) == 0;
}

/* LICET_SEED=… repeats a run. */
static uint64_t seed(void)
{
    const char *given = getenv("LICET_SEED");
    uint64_t s = given ? strtoull(given, NULL, 0) : (uint64_t)clock_now_ms();
    print_message("# LICET_SEED=%llu\n", (unsigned long long)s);
    return s;
}

/* ---- a world: a configuration, and whom its versions named ---- */

static const struct str purpose_names[] = { STR_INIT("statistics"), STR_INIT("marketing"),
                                            STR_INIT("linking"), STR_INIT("newsletter"),
                                            STR_INIT("ghost") };
static const struct str destination_names[] = { STR_INIT("own"), STR_INIT("ga4"),
                                                STR_INIT("hubspot") };
static const struct str companies[] = { STR_INIT("Google LLC"), STR_INIT("HubSpot Inc") };
static const char countries[][3] = { "IE", "US", "CH" };

struct world {
    struct arena arena;
    struct conf conf;
    struct naive_world naive;
    struct frozen frozen;
    const struct policy *policy;
};

static int64_t some_day(void)
{
    return FIXTURE_NOW + chance(60) * FIXTURE_DAY;
}

static int64_t some_moment(void)
{
    /* few values, so that acts coincide with each other, with days and with ends */
    return some_day() + (one_in(2) ? 0 : (int64_t)chance(3) - 1);
}

static struct str *some_names(struct world *w, const struct str *from, uint32_t n, uint32_t most,
                              uint32_t *ret_count)
{
    struct str *names = arena_array(&w->arena, struct str, most);
    *ret_count = one_in(8) ? 0 : 1 + chance(most);
    for (uint32_t i = 0; i < *ret_count; i++)
        names[i] = from[one_in(6) ? n - 1 : chance(n)];
    return names;
}

static void make_version(struct world *w, struct conf_version *v, uint32_t number)
{
    *v = (struct conf_version){
        .version = number,
        .since_ms = FIXTURE_NOW + number * 5 * FIXTURE_DAY,
        .voided_ms = one_in(5) ? some_moment() : 0,
    };
    v->recipient =
        some_names(w, destination_names, COUNT(destination_names), 4, &v->recipient_count);
}

static void make_purpose(struct world *w, struct conf_purpose *p, uint32_t i)
{
    *p = (struct conf_purpose){
        .id = purpose_names[i],
        .basis = one_in(2) ? CONF_CONSENT : (enum conf_basis)chance(4),
        .terminal_access = (enum conf_terminal)chance(4),
        .scope = one_in(3) ? CONF_PERSON : CONF_DEVICE,
        .double_opt_in = one_in(4),
        .proof_optional = one_in(3),
        .honours = chance(4),
        .lifetime = { .months = (int32_t)chance(4), .ms = chance(3) * 10 * FIXTURE_DAY },
        .version_count = 1 + chance(3),
    };
    p->version = arena_array(&w->arena, struct conf_version, p->version_count + 1);
    for (uint32_t v = 0; v < p->version_count; v++)
        make_version(w, &p->version[v], one_in(8) && v ? v + 2 : v + 1);
    for (uint32_t v = 1; v < p->version_count; v++)
        p->version[v].version += p->version[v].version <= p->version[v - 1].version;
}

static void make_transfer(struct world *w, struct conf_transfer *t, uint32_t depth)
{
    *t = (struct conf_transfer){
        .importer = companies[chance(2)],
        .basis = (enum conf_transfer_basis)chance(4),
        .since_ms = one_in(2) ? 0 : some_day(),
        .until_ms = one_in(2) ? 0 : some_day(),
        .certified_until_ms = one_in(2) ? 0 : some_day(),
        .assessed_ms = one_in(3) ? 0 : some_day(),
    };
    memcpy(t->country, countries[chance(3)], 3);
    if (depth && one_in(2)) {
        struct conf_transfer *fallback = arena_new(&w->arena, struct conf_transfer);
        make_transfer(w, fallback, depth - 1);
        t->fallback = fallback;
    }
}

static void name_recipient(struct conf_destination *d)
{
    d->recipient_name = companies[chance(2)];
    memcpy(d->recipient_country, countries[one_in(4) ? chance(3) : 0], 3);
}

static void make_destination(struct world *w, struct conf_destination *d, uint32_t i)
{
    *d = (struct conf_destination){
        .id = destination_names[i],
        .type = destination_names[i],
        .has_recipient = i > 0,
        .role = one_in(3) ? (enum conf_role)chance(3) : CONF_PROCESSOR,
        .transfer_count = one_in(4) ? chance(4) : 0,
    };
    d->requires =
        some_names(w, purpose_names, w->conf.purpose_count + one_in(6), 3, &d->require_count);
    if (d->has_recipient) {
        name_recipient(d);
        d->recipient_purpose =
            some_names(w, purpose_names, w->conf.purpose_count, 2, &d->recipient_purpose_count);
    }
    d->transfer = arena_array(&w->arena, struct conf_transfer, d->transfer_count);
    for (uint32_t t = 0; t < d->transfer_count; t++)
        make_transfer(w, &d->transfer[t], 2);
}

static void note_named(struct world *w)
{
    struct naive_named *named = arena_array(&w->arena, struct naive_named, 4 * 3 * 4);
    for (uint32_t i = 0; i < w->conf.purpose_count; i++) {
        const struct conf_purpose *p = &w->conf.purpose[i];
        for (uint32_t k = 0; k < p->version_count * 4; k++) {
            const struct conf_version *v = &p->version[k / 4];
            for (uint32_t d = 0; k % 4 < v->recipient_count && d < w->conf.destination_count; d++) {
                const struct conf_destination *to = &w->conf.destination[d];
                if (!str_eq(to->id, v->recipient[k % 4]) || !to->has_recipient)
                    continue;
                struct naive_named *n = &named[w->naive.named_count++];
                *n = (struct naive_named){ p->id, v->version, to->id, to->recipient_name, "" };
                memcpy(n->country, to->recipient_country, 3);
            }
        }
    }
    w->naive.named = named;
    w->naive.conf = &w->conf;
}

/* Texts are declared void, some of them twice, some that nobody has. */
static void declare_voids(struct world *w, struct frozen *frozen)
{
    enum { MOST = 3 };
    struct naive_voided *naive = arena_array(&w->arena, struct naive_voided, MOST);
    struct frozen_void *voided = arena_array(&w->arena, struct frozen_void, MOST);
    uint32_t count = one_in(3) ? chance(MOST + 1) : 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t purpose = chance(w->conf.purpose_count), version = 1 + chance(4);
        int64_t from = one_in(10) ? 0 : some_moment();
        naive[i] = (struct naive_voided){ w->conf.purpose[purpose].id, version, from };
        voided[i] = (struct frozen_void){ .purpose = purpose + 1, version, from };
    }
    w->naive.voided = naive;
    frozen->voided = voided;
    w->naive.voided_count = frozen->void_count = count;
}

static void make_world(struct world *w)
{
    struct frozen first;
    memset(&w->conf, 0, sizeof(w->conf));
    memset(&w->naive, 0, sizeof(w->naive));
    w->conf.controller_name = STR("Muster GmbH");
    memcpy(w->conf.controller_country, "DE", 3);
    w->conf.purpose_count = 1 + chance(4);
    w->conf.purpose = arena_array(&w->arena, struct conf_purpose, COUNT(purpose_names));
    for (uint32_t i = 0; i < w->conf.purpose_count; i++)
        make_purpose(w, &w->conf.purpose[i], i);
    w->conf.destination_count = 1 + chance(3);
    w->conf.destination = arena_array(&w->arena, struct conf_destination, COUNT(destination_names));
    for (uint32_t i = 0; i < w->conf.destination_count; i++)
        make_destination(w, &w->conf.destination[i], i);
    note_named(w);
    w->policy = fixture_compile(&w->conf, NULL, &w->arena, &first);
    for (uint32_t i = 1; i < w->conf.destination_count; i++) {
        if (one_in(3))
            name_recipient(&w->conf.destination[i]); /* re-pointed after it was frozen */
    }
    declare_voids(w, &first);
    w->policy = fixture_compile(&w->conf, &first, &w->arena, &w->frozen);
}

/* ---- one case ---- */

struct doubt {
    struct naive_act device_acts[ACTS + 1], person_acts[ACTS + 1];
    struct naive_subject device, person;
    const struct naive_subject *known_device, *known_person;
    struct use use;
    int64_t at_ms;
};

static struct naive_act some_act(const struct world *w, int64_t seq)
{
    struct naive_act act = {
        .purpose = purpose_names[chance(w->conf.purpose_count)],
        .effect = some_moment(),
        .seq = seq,
        .grant = !one_in(3),
        .confirmed = !one_in(5),
        .bare = one_in(5),
        .imported = one_in(4),
        .version = one_in(8) ? chance(6) : 1 + chance(3),
    };
    if (!act.grant)
        act.version = 0;
    return act;
}

static uint32_t some_acts(const struct world *w, struct naive_act *acts)
{
    int64_t seqs[ACTS];
    uint32_t count = one_in(8) ? 0 : 1 + chance(ACTS);
    for (uint32_t i = 0; i < ACTS; i++) {
        uint32_t at = chance(i + 1);
        seqs[i] = seqs[at];
        seqs[at] = 100 + i;
    }
    for (uint32_t i = 0; i < count; i++)
        acts[i] = some_act(w, seqs[i]);
    return count;
}

static uint32_t some_flags(void)
{
    return (one_in(2) ? SUBJECT_VERIFIED : 0) | (one_in(25) ? SUBJECT_RESTRICTED : 0) |
           (one_in(25) ? SUBJECT_ERASED : 0);
}

static void make_doubt(const struct world *w, struct doubt *c)
{
    memset(c, 0, sizeof(*c));
    c->device =
        (struct naive_subject){ some_flags(), c->device_acts, some_acts(w, c->device_acts) };
    c->person =
        (struct naive_subject){ some_flags(), c->person_acts, some_acts(w, c->person_acts) };
    c->known_device = one_in(8) ? NULL : &c->device;
    c->known_person = one_in(8) ? NULL : &c->person;
    c->use = (struct use){
        .index = one_in(50) ? 7 : chance(w->conf.destination_count),
        .has_device = !one_in(4),
        .has_person = one_in(2),
        .signals = one_in(3) ? chance(4) : 0,
        .lowered = one_in(6) ? chance(16) : 0,
        .use_lowered = one_in(20),
        .departing = one_in(2),
        .at_capture = one_in(3) ? (enum reason)chance(REASON_COUNT) : REASON_PERMITTED,
        .capture_device_fields = !one_in(3),
        .capture_person_fields = !one_in(3),
        .test = one_in(20),
    };
    c->at_ms = one_in(4) ? FIXTURE_NOW + 200 * FIXTURE_DAY : some_moment() + 20 * FIXTURE_DAY;
}

static struct decision decide(struct world *w, const struct doubt *c)
{
    struct decision d;
    memset(&d, 0xa5, sizeof(d));
    gate_decide(w->policy, naive_snapshot(w->policy, c->known_device, &w->arena),
                naive_snapshot(w->policy, c->known_person, &w->arena), &c->use, c->at_ms, &d);
    return d;
}

/* ---- showing a failure ---- */

static long long day(int64_t ms)
{
    return ms ? (ms - FIXTURE_NOW) / 1000 : 0;
}

static void show_subject(const char *who, const struct naive_subject *s)
{
    print_message("# %s: %s flags %u\n", who, s ? "known" : "unknown", s ? s->flags : 0);
    for (uint32_t i = 0; s && i < s->count; i++) {
        const struct naive_act *x = &s->act[i];
        print_message("#   %.*s %s effect %lld seq %lld confirmed %d bare %d imported %d v%u\n",
                      STR_ARG(x->purpose), x->grant ? "grant" : "lower", day(x->effect),
                      (long long)x->seq, x->confirmed, x->bare, x->imported, x->version);
    }
}

static void show_decision(const char *who, const struct decision *d)
{
    print_message("# %s: verdict %d %s fields %d %d\n", who, d->verdict, reason_name(d->reason),
                  d->device_fields, d->person_fields);
    for (uint32_t i = 0; i < d->count; i++) {
        const struct decision_purpose *p = &d->purpose[i];
        print_message("#   purpose %d %s by_device %d v%u seq %lld\n", (int)p->purpose,
                      reason_name(p->reason), p->by_device, p->version, (long long)p->act_seq);
    }
}

static void show_world(const struct world *w)
{
    for (uint32_t i = 0; i < w->conf.purpose_count; i++) {
        const struct conf_purpose *p = &w->conf.purpose[i];
        print_message("# purpose %.*s basis %d terminal %d scope %d doi %d proof_optional %d "
                      "honours %u lifetime %d mo %lld s\n",
                      STR_ARG(p->id), p->basis, p->terminal_access, p->scope, p->double_opt_in,
                      p->proof_optional, p->honours, p->lifetime.months,
                      (long long)p->lifetime.ms / 1000);
        for (uint32_t v = 0; v < p->version_count; v++)
            print_message("#   v%u voided %lld\n", p->version[v].version,
                          day(p->version[v].voided_ms));
    }
    for (uint32_t i = 0; i < w->naive.voided_count; i++)
        print_message("# %.*s v%u declared void %lld\n", STR_ARG(w->naive.voided[i].purpose),
                      w->naive.voided[i].version, day(w->naive.voided[i].from_ms));
    for (uint32_t i = 0; i < w->naive.named_count; i++) {
        const struct naive_named *n = &w->naive.named[i];
        print_message("# %.*s v%u names %.*s = %.*s (%s)\n", STR_ARG(n->purpose), n->version,
                      STR_ARG(n->destination), STR_ARG(n->name), n->country);
    }
}

static void show_use(const struct world *w, const struct doubt *c)
{
    const struct use *u = &c->use;
    print_message("# at %lld use %u device %d person %d signals %u lowered %llx/%d departing %d "
                  "capture %s %d %d test %d\n",
                  day(c->at_ms), u->index, u->has_device, u->has_person, u->signals,
                  (unsigned long long)u->lowered, u->use_lowered, u->departing,
                  reason_name(u->at_capture), u->capture_device_fields, u->capture_person_fields,
                  u->test);
    if (u->index >= w->conf.destination_count)
        return;
    const struct conf_destination *d = &w->conf.destination[u->index];
    print_message("# to %.*s = %.*s (%s) role %d\n", STR_ARG(d->id), STR_ARG(d->recipient_name),
                  d->recipient_country, d->role);
    for (uint32_t i = 0; i < d->require_count; i++)
        print_message("#   requires %.*s\n", STR_ARG(d->requires[i]));
    for (uint32_t i = 0; i < d->recipient_purpose_count; i++)
        print_message("#   recipient's %.*s\n", STR_ARG(d->recipient_purpose[i]));
    for (uint32_t i = 0; i < d->transfer_count; i++) {
        for (const struct conf_transfer *t = &d->transfer[i]; t; t = t->fallback)
            print_message("#   transfer %.*s (%s) basis %d %lld-%lld certified %lld assessed "
                          "%lld\n",
                          STR_ARG(t->importer), t->country, t->basis, day(t->since_ms),
                          day(t->until_ms), day(t->certified_until_ms), day(t->assessed_ms));
    }
}

static void show(const struct world *w, const struct doubt *c, const struct decision *one,
                 const struct decision *other)
{
    show_world(w);
    show_use(w, c);
    show_subject("device", c->known_device);
    show_subject("person", c->known_person);
    show_decision("one", one);
    show_decision("other", other);
}

/* Compared member by member: there are gaps between them. */
static bool same_decision(const struct decision *a, const struct decision *b)
{
    if (a->verdict != b->verdict || a->reason != b->reason ||
        a->device_fields != b->device_fields || a->person_fields != b->person_fields ||
        a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct decision_purpose *x = &a->purpose[i], *y = &b->purpose[i];
        if (x->purpose != y->purpose || x->reason != y->reason || x->by_device != y->by_device ||
            x->version != y->version || x->act_seq != y->act_seq)
            return false;
    }
    return true;
}

/* ---- properties ---- */

struct tally {
    uint64_t cases, permits, reasons[REASON_COUNT];
};

typedef void (*property_fn)(struct world *w, struct doubt *c, struct tally *t);

static struct tally each_case(uint32_t worlds, property_fn property)
{
    struct tally t = { 0 };
    uint64_t start = seed();
    for (uint32_t i = 0; i < worlds; i++) {
        struct world w = { .arena = ARENA_INIT };
        chance_state = start + i;
        make_world(&w);
        for (uint32_t k = 0; k < CASES_PER_WORLD; k++) {
            struct doubt c;
            make_doubt(&w, &c);
            property(&w, &c, &t);
        }
        arena_fini(&w.arena);
    }
    return t;
}

static void agrees(struct world *w, struct doubt *c, struct tally *t)
{
    struct decision expected, found = decide(w, c);
    naive_decide(&w->naive, c->known_device, c->known_person, &c->use, c->at_ms, &expected);
    if (!same_decision(&found, &expected)) {
        show(w, c, &expected, &found);
        fail_msg("the gate says %s, the naive one %s", reason_name(found.reason),
                 reason_name(expected.reason));
    }
    t->cases++;
    t->permits += found.verdict == GATE_PERMIT;
    t->reasons[found.reason]++;
}

static void gate_agrees_with_the_naive_one(void **state)
{
    (void)state;
    struct tally t = each_case(WORLDS, agrees);
    print_message("# %llu cases, %llu permitted\n", (unsigned long long)t.cases,
                  (unsigned long long)t.permits);
    assert_true(t.cases >= 200000);
    for (int r = 0; r < REASON_COUNT; r++) {
        print_message("#   %s %llu\n", reason_name((enum reason)r),
                      (unsigned long long)t.reasons[r]);
        if (reason_of_gate((enum reason)r))
            assert_true(t.reasons[r] > 20); /* chance reaches every reason */
        else
            assert_int_equal(t.reasons[r], 0);
    }
}

static bool grew(const struct decision *was, const struct decision *is)
{
    return is->verdict > was->verdict || is->device_fields > was->device_fields ||
           is->person_fields > was->person_fields;
}

static struct naive_act *new_act(struct world *w, struct doubt *c)
{
    bool to_device = one_in(2);
    struct naive_subject *s = to_device ? &c->device : &c->person;
    struct naive_act *act = (to_device ? c->device_acts : c->person_acts) + s->count++;
    *act = some_act(w, one_in(2) ? 500 : 1); /* the newest, or one that arrived first */
    return act;
}

static void lowering_closes(struct world *w, struct doubt *c, struct tally *t)
{
    struct decision was = decide(w, c);
    struct naive_act *act = new_act(w, c);
    act->grant = false;
    act->version = 0;
    struct decision is = decide(w, c);
    if (grew(&was, &is)) {
        show(w, c, &was, &is);
        fail_msg("a lowering opened something");
    }
    t->cases++;
    t->permits += was.verdict == GATE_PERMIT && is.verdict == GATE_DENY;
}

static void adding_a_lowering_never_opens(void **state)
{
    (void)state;
    struct tally t = each_case(FEWER_WORLDS, lowering_closes);
    assert_true(t.permits > 100); /* and often it closes */
}

static bool names_idle_grants(enum reason r)
{
    return r == REASON_NO_CONSENT || r == REASON_UNCONFIRMED || r == REASON_NO_PROOF;
}

static void idle_grant_changes_nothing(struct world *w, struct doubt *c, struct tally *t)
{
    struct decision was = decide(w, c);
    struct naive_act *act = new_act(w, c);
    const struct conf_purpose *p = &w->conf.purpose[policy_purpose_index(w->policy, act->purpose)];
    act->grant = true;
    switch (chance(p->proof_optional ? 2 : 3)) {
    case 0: act->confirmed = false; break;
    case 1: act->version = 0; break;
    default: act->bare = true; break;
    }
    struct decision is = decide(w, c);
    bool reason_kept =
        was.reason == is.reason || names_idle_grants(was.reason) || names_idle_grants(is.reason);
    if (was.verdict != is.verdict || was.device_fields != is.device_fields ||
        was.person_fields != is.person_fields || !reason_kept) {
        show(w, c, &was, &is);
        fail_msg("a grant that permits nothing changed something");
    }
    t->permits += was.reason != is.reason;
}

static void ineffective_grants_change_no_verdict(void **state)
{
    (void)state;
    struct tally t = each_case(FEWER_WORLDS, idle_grant_changes_nothing);
    assert_true(t.permits > 100); /* they are named as the reason */
}

static void departure_narrows(struct world *w, struct doubt *c, struct tally *t)
{
    c->use.departing = false;
    struct decision was = decide(w, c);
    c->use.departing = true;
    c->use.at_capture = was.reason;
    c->use.capture_device_fields = was.device_fields;
    c->use.capture_person_fields = was.person_fields;
    struct decision same = decide(w, c);
    assert_true(was.verdict == GATE_PERMIT ? same_decision(&was, &same) : !grew(&was, &same));
    c->at_ms += chance(40) * FIXTURE_DAY;
    struct decision is = decide(w, c);
    if (grew(&was, &is)) {
        show(w, c, &was, &is);
        fail_msg("more leaves than was permitted at capture");
    }
    t->permits += is.verdict == GATE_PERMIT;
}

static void departure_never_permits_more_than_capture(void **state)
{
    (void)state;
    struct tally t = each_case(FEWER_WORLDS, departure_narrows);
    assert_true(t.permits > 100);
}

static void signals_and_lowerings_close(struct world *w, struct doubt *c, struct tally *t)
{
    struct decision was = decide(w, c);
    switch (chance(4)) {
    case 0: c->use.signals |= 1 + chance(3); break;
    case 1: c->use.lowered |= chance(16); break;
    case 2: c->use.use_lowered = true; break;
    default: c->device.flags |= SUBJECT_RESTRICTED; break;
    }
    struct decision is = decide(w, c);
    if (grew(&was, &is)) {
        show(w, c, &was, &is);
        fail_msg("a refusal in the request opened something");
    }
    t->permits += was.verdict > is.verdict;
}

static void the_request_can_only_lower(void **state)
{
    (void)state;
    struct tally t = each_case(FEWER_WORLDS, signals_and_lowerings_close);
    assert_true(t.permits > 100);
}

/* A reload: the same world with one or two things changed, frozen ones apart. */
static void change_purpose(struct world *w, struct conf_purpose *p)
{
    struct conf_version *v = &p->version[chance(p->version_count)];
    switch (chance(9)) {
    case 0: p->basis = (enum conf_basis)chance(4); break;
    case 1: p->terminal_access = (enum conf_terminal)chance(4); break;
    case 2: p->scope = (enum conf_scope)chance(2); break;
    case 3: p->double_opt_in = one_in(2); break;
    case 4: p->proof_optional = one_in(2); break;
    case 5: p->honours = chance(4); break;
    case 6: p->lifetime.months = (int32_t)chance(4); break;
    case 7: v->voided_ms = v->voided_ms ? v->voided_ms : some_moment(); break;
    default:
        make_version(w, &p->version[p->version_count],
                     p->version[p->version_count - 1].version + 1);
        p->version[p->version_count].since_ms = FIXTURE_NOW + 90 * FIXTURE_DAY;
        p->version_count++;
        break;
    }
}

static void change_destination(struct world *w, struct conf_destination *d)
{
    switch (chance(5)) {
    case 0: name_recipient(d); break;
    case 1: d->role = (enum conf_role)chance(3); break;
    case 2: d->transfer_count = d->transfer_count ? d->transfer_count - 1 : 0; break;
    case 3: d->require_count = d->require_count ? d->require_count - 1 : 0; break;
    default: d->has_recipient = one_in(2); break;
    }
    (void)w;
}

static const struct policy *reload(struct world *w)
{
    struct conf *c = &w->conf;
    struct conf_purpose *purposes = arena_array(&w->arena, struct conf_purpose, 5);
    struct conf_destination *destinations = arena_array(&w->arena, struct conf_destination, 3);
    memcpy(purposes, c->purpose, c->purpose_count * sizeof(*purposes));
    memcpy(destinations, c->destination, c->destination_count * sizeof(*destinations));
    for (uint32_t i = 0; i < c->purpose_count; i++) {
        struct conf_version *v = arena_array(&w->arena, struct conf_version, 5);
        memcpy(v, purposes[i].version, purposes[i].version_count * sizeof(*v));
        purposes[i].version = v;
    }
    struct conf *after = arena_new(&w->arena, struct conf);
    *after = *c;
    after->purpose = purposes;
    after->destination = destinations;
    switch (chance(5)) {
    case 0:
        if (c->purpose_count < 4)
            make_purpose(w, &purposes[after->purpose_count++], c->purpose_count);
        break;
    case 1:
        if (c->destination_count < COUNT(destination_names))
            make_destination(w, &destinations[after->destination_count++], c->destination_count);
        break;
    case 2: after->destination_count -= after->destination_count > 1; break;
    case 3: change_destination(w, &destinations[chance(c->destination_count)]); break;
    default: change_purpose(w, &purposes[chance(c->purpose_count)]); break;
    }
    struct frozen frozen;
    return fixture_compile(after, &w->frozen, &w->arena, &frozen);
}

/* No act is bound to a version that was not configured when it was given. */
static void unbind_unknown(const struct policy *p, struct naive_act *acts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = policy_purpose_index(p, acts[i].purpose);
        if (!policy_version_numbered(&p->purpose[index], acts[i].version))
            acts[i].version = 0;
    }
}

static void reload_that_does_not_narrow_denies_nothing_new(void **state)
{
    (void)state;
    uint64_t start = seed(), wider = 0, narrower = 0, denied = 0;
    for (uint32_t i = 0; i < FEWER_WORLDS * 2; i++) {
        struct world w = { .arena = ARENA_INIT };
        chance_state = start + i;
        make_world(&w);
        const struct policy *before = w.policy, *after = reload(&w);
        bool narrows = policy_narrows(before, after);
        *(narrows ? &narrower : &wider) += 1;
        for (uint32_t k = 0; k < CASES_PER_WORLD; k++) {
            struct doubt c;
            make_doubt(&w, &c);
            unbind_unknown(before, c.device_acts, c.device.count);
            unbind_unknown(before, c.person_acts, c.person.count);
            w.policy = before;
            struct decision was = decide(&w, &c);
            w.policy = after;
            struct decision is = decide(&w, &c);
            denied += narrows && grew(&is, &was);
            if (!narrows && grew(&is, &was)) {
                show(&w, &c, &was, &is);
                fail_msg("a reload that does not narrow closed something");
            }
        }
        arena_fini(&w.arena);
    }
    print_message("# %llu wider, %llu narrower, %llu decisions narrowed\n",
                  (unsigned long long)wider, (unsigned long long)narrower,
                  (unsigned long long)denied);
    assert_true(wider > 100 && narrower > 100 && denied > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gate_agrees_with_the_naive_one),
        cmocka_unit_test(adding_a_lowering_never_opens),
        cmocka_unit_test(ineffective_grants_change_no_verdict),
        cmocka_unit_test(departure_never_permits_more_than_capture),
        cmocka_unit_test(the_request_can_only_lower),
        cmocka_unit_test(reload_that_does_not_narrow_denies_nothing_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
