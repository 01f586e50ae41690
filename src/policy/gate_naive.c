#include "policy/gate_naive.h"

enum { DAY = 24 * 3600 * 1000 };

/* ---- snapshots from raw acts ---- */

static bool before(int64_t effect, int64_t seq, int64_t effect2, int64_t seq2)
{
    return effect < effect2 || (effect == effect2 && seq < seq2);
}

static bool same_class(const struct naive_act *a, const struct naive_act *b)
{
    return str_eq(a->purpose, b->purpose) && a->grant == b->grant && a->bare == b->bare &&
           a->confirmed == b->confirmed && a->imported == b->imported && a->version == b->version;
}

static void put_act(struct snapshot *to, uint32_t number, const struct naive_act *act)
{
    struct standing *s = to->standing, *end = s + to->count;
    while (s < end && !(s->purpose == number && s->grant == act->grant && s->bare == act->bare &&
                        s->confirmed == act->confirmed && s->imported == act->imported &&
                        s->version == act->version))
        s++;
    if (s == end) {
        to->count++;
        *s = (struct standing){ number,        act->grant,   act->confirmed, act->bare,
                                act->imported, act->version, act->effect,    act->seq,
                                act->effect,   act->seq };
    }
    if (before(act->effect, act->seq, s->first_effect, s->first_seq)) {
        s->first_effect = act->effect;
        s->first_seq = act->seq;
    }
    if (before(s->last_effect, s->last_seq, act->effect, act->seq)) {
        s->last_effect = act->effect;
        s->last_seq = act->seq;
    }
}

struct snapshot *naive_snapshot(const struct policy *p, const struct naive_subject *subject,
                                struct arena *a)
{
    if (subject == NULL)
        return NULL;
    struct snapshot *s = arena_alloc(a, sizeof(*s) + subject->count * sizeof(struct standing));
    s->flags = subject->flags;
    for (uint32_t i = 0; i < subject->count; i++) {
        const struct naive_act *act = &subject->act[i];
        uint32_t index = policy_purpose_index(p, act->purpose);
        put_act(s, index == UINT32_MAX ? 0 : p->purpose[index].number, act);
        s->seq = act->seq > s->seq ? act->seq : s->seq;
    }
    return s;
}

/* ---- what the acts say ---- */

static const struct conf_purpose *find_purpose(const struct conf *c, struct str id)
{
    for (uint32_t i = 0; i < c->purpose_count; i++) {
        if (str_eq(c->purpose[i].id, id))
            return &c->purpose[i];
    }
    return NULL;
}

static const struct conf_version *find_version(const struct conf_purpose *p, uint32_t version)
{
    for (uint32_t i = 0; i < p->version_count; i++) {
        if (p->version[i].version == version)
            return &p->version[i];
    }
    return NULL;
}

static bool is_effective(const struct conf_purpose *p, const struct naive_act *act)
{
    return act->grant && act->confirmed && find_version(p, act->version) != NULL &&
           (!act->bare || p->proof_optional);
}

/* An act as it counts at a moment: a snapshot knows of a class only its oldest
 * and its newest act, so when the newest is still to come, grants count as the
 * oldest, and what lowers counts as of this very moment. */
struct heard {
    const struct naive_act *act;
    int64_t effect, seq, named_seq;
};

static bool hear(const struct naive_subject *s, const struct naive_act *act, int64_t at,
                 struct heard *ret_h)
{
    *ret_h = (struct heard){ act, act->effect, act->seq, act->seq };
    if (act->effect > at)
        return false;
    const struct naive_act *oldest = act;
    bool more_to_come = false;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct naive_act *other = &s->act[i];
        if (!same_class(act, other))
            continue;
        if (other->effect > at)
            more_to_come = true;
        if (before(other->effect, other->seq, oldest->effect, oldest->seq))
            oldest = other;
    }
    if (!more_to_come)
        return true;
    if (act->grant)
        return act == oldest;
    *ret_h = (struct heard){ act, at, INT64_MAX / 2 + oldest->seq, oldest->seq };
    return true;
}

struct opinion {
    bool has_newest, has_idle, ever_granted;
    struct heard newest, idle;
};

static struct opinion opinion_of(const struct conf_purpose *p, const struct naive_subject *s,
                                 int64_t at)
{
    struct opinion o = { 0 };
    for (uint32_t i = 0; s && i < s->count; i++) {
        const struct naive_act *act = &s->act[i];
        struct heard h;
        if (!str_eq(act->purpose, p->id) || !hear(s, act, at, &h))
            continue;
        bool counts = !act->grant || is_effective(p, act);
        if (act->grant && counts)
            o.ever_granted = true;
        bool *has = counts ? &o.has_newest : &o.has_idle;
        struct heard *best = counts ? &o.newest : &o.idle;
        if (!*has || before(best->effect, best->seq, h.effect, h.seq))
            *best = h;
        *has = true;
    }
    return o;
}

/* ---- one purpose ---- */

struct verdict {
    uint32_t reasons; /* bit = enum reason */
    uint32_t version;
    int64_t seq;
};

static enum reason least(uint32_t reasons)
{
    for (int r = 0; r < REASON_COUNT; r++) {
        if (r != REASON_PERMITTED && reasons >> r & 1)
            return (enum reason)r;
    }
    return REASON_PERMITTED;
}

static int64_t naive_add(int64_t ms, struct duration d)
{
    static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    int months = tm.tm_year * 12 + tm.tm_mon + d.months;
    tm.tm_year = months / 12;
    tm.tm_mon = months % 12;
    int year = tm.tm_year + 1900;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int last = days[tm.tm_mon] + (tm.tm_mon == 1 && leap);
    if (tm.tm_mday > last)
        tm.tm_mday = last;
    return (int64_t)timegm(&tm) * 1000 + ms % 1000 + d.ms;
}

static bool is_named(const struct naive_world *w, const struct conf_purpose *p, uint32_t version,
                     const struct conf_destination *d)
{
    for (uint32_t i = 0; i < w->named_count; i++) {
        const struct naive_named *n = &w->named[i];
        if (str_eq(n->purpose, p->id) && n->version == version && str_eq(n->destination, d->id) &&
            str_eq(n->name, d->recipient_name) && strcmp(n->country, d->recipient_country) == 0)
            return true;
    }
    return false;
}

static struct verdict ask(const struct naive_world *w, const struct conf_purpose *p,
                          const struct conf_destination *d, const struct naive_subject *s,
                          const struct use *use, int64_t at)
{
    struct opinion o = opinion_of(p, s, at);
    bool no = o.has_newest && !o.newest.act->grant, yes = o.has_newest && o.newest.act->grant;
    bool consent = p->basis == CONF_CONSENT;
    bool reading = p->terminal_access == CONF_TERMINAL_CONSENT;
    struct verdict v = { 0 };
    if (consent && no)
        v.reasons |= o.ever_granted ? 1u << REASON_WITHDRAWN : 1u << REASON_REFUSED;
    if (consent && !no && !yes) {
        if (!o.has_idle)
            v.reasons |= 1u << REASON_NO_CONSENT;
        else if (!o.idle.act->confirmed)
            v.reasons |= 1u << REASON_UNCONFIRMED;
        else if (o.idle.act->bare && find_version(p, o.idle.act->version))
            v.reasons |= 1u << REASON_NO_PROOF;
        else
            v.reasons |= 1u << REASON_NO_CONSENT;
    }
    if (p->basis == CONF_LEGITIMATE_INTERESTS && no)
        v.reasons |= 1u << REASON_OBJECTED;
    if (!consent && reading && !yes)
        v.reasons |= 1u << REASON_NO_TERMINAL_ACCESS;
    if (yes && (consent || reading)) {
        const struct conf_version *bound = find_version(p, o.newest.act->version);
        if (d->has_recipient && !is_named(w, p, bound->version, d))
            v.reasons |= 1u << REASON_RECIPIENT_NOT_NAMED;
        if (bound->voided_ms != 0 && at >= bound->voided_ms)
            v.reasons |= 1u << REASON_TEXT_VOIDED;
        for (uint32_t i = 0; i < w->voided_count; i++) {
            const struct naive_voided *text = &w->voided[i];
            if (str_eq(text->purpose, p->id) && text->version == bound->version &&
                at >= text->from_ms)
                v.reasons |= 1u << REASON_TEXT_VOIDED;
        }
        if (at >= naive_add(o.newest.effect, p->lifetime))
            v.reasons |= 1u << REASON_EXPIRED;
        if (p->double_opt_in && !(s->flags & SUBJECT_VERIFIED))
            v.reasons |= 1u << REASON_NOT_VERIFIED;
    }
    if (use->signals & p->honours && !(yes && !o.newest.act->bare && !o.newest.act->imported))
        v.reasons |= 1u << REASON_SIGNAL;
    if (use->use_lowered || use->lowered & 1ull << (p - w->conf->purpose))
        v.reasons |= 1u << REASON_CLIENT_LOWERED;

    enum reason r = least(v.reasons);
    bool closed = r == REASON_REFUSED || r == REASON_WITHDRAWN || r == REASON_OBJECTED ||
                  r == REASON_NO_TERMINAL_ACCESS;
    if (yes || (no && closed)) {
        v.version = o.newest.act->version;
        v.seq = o.newest.named_seq;
    } else if (consent && !no && o.has_idle) {
        v.version = o.idle.act->version;
        v.seq = o.idle.named_seq;
    }
    return v;
}

/* Only what a no of the device closes beside a person. */
static struct verdict ask_beside(const struct conf_purpose *p, const struct naive_subject *device,
                                 int64_t at)
{
    struct opinion o = opinion_of(p, device, at);
    struct verdict v = { 0 };
    if (!o.has_newest || o.newest.act->grant)
        return v;
    v.seq = o.newest.named_seq;
    v.version = o.newest.act->version;
    if (p->basis == CONF_CONSENT)
        v.reasons |= o.ever_granted ? 1u << REASON_WITHDRAWN : 1u << REASON_REFUSED;
    else if (p->basis == CONF_LEGITIMATE_INTERESTS)
        v.reasons |= 1u << REASON_OBJECTED;
    else if (p->terminal_access == CONF_TERMINAL_CONSENT)
        v.reasons |= 1u << REASON_NO_TERMINAL_ACCESS;
    return v;
}

static void decide_purpose(const struct naive_world *w, const struct conf_purpose *p,
                           const struct conf_destination *d, const struct naive_subject *device,
                           const struct naive_subject *person, const struct use *use, int64_t at,
                           struct decision_purpose *to)
{
    *to = (struct decision_purpose){ .purpose = (uint32_t)(p - w->conf->purpose) };
    if (!use->has_person && (!use->has_device || p->scope == CONF_PERSON)) {
        to->reason = REASON_NO_CONSENT;
        to->by_device = use->has_device;
        return;
    }
    struct verdict v = ask(w, p, d, use->has_person ? person : device, use, at);
    to->by_device = !use->has_person;
    if (use->has_person && use->has_device) {
        struct verdict beside = ask_beside(p, device, at);
        enum reason mine = least(v.reasons), other = least(beside.reasons);
        if (other != REASON_PERMITTED && (mine == REASON_PERMITTED || other < mine)) {
            v = beside;
            to->by_device = true;
        }
    }
    to->reason = least(v.reasons);
    to->version = v.version;
    to->act_seq = v.seq;
}

/* ---- the whole ---- */

static bool instrument_holds(const struct conf_transfer *t, int64_t at)
{
    if (t == NULL)
        return false;
    bool holds = t->since_ms <= at && (t->until_ms == 0 || at < t->until_ms + DAY);
    if (t->basis == CONF_ADEQUACY)
        holds = holds && (t->certified_until_ms == 0 || at < t->certified_until_ms + DAY);
    else if (t->basis == CONF_SCC || t->basis == CONF_BCR)
        holds = holds && t->assessed_ms != 0 && t->assessed_ms <= at;
    return holds || instrument_holds(t->fallback, at);
}

static bool importer_is_fine(const struct conf_destination *d, struct str name,
                             const char country[3], int64_t at)
{
    for (uint32_t i = 0; i < d->transfer_count; i++) {
        if (str_eq(d->transfer[i].importer, name) && strcmp(d->transfer[i].country, country) == 0 &&
            instrument_holds(&d->transfer[i], at))
            return true;
    }
    return false;
}

static bool transfers_are_fine(const struct conf_destination *d, int64_t at)
{
    for (uint32_t i = 0; i < d->transfer_count; i++) {
        const struct conf_transfer *t = &d->transfer[i];
        if (!conf_in_eea(t->country) && !importer_is_fine(d, t->importer, t->country, at))
            return false;
    }
    return !d->has_recipient || conf_in_eea(d->recipient_country) ||
           importer_is_fine(d, d->recipient_name, d->recipient_country, at);
}

static bool device_would_pass(const struct naive_world *w, const struct conf_purpose *p,
                              const struct conf_destination *d, const struct naive_subject *device,
                              const struct use *use, int64_t at)
{
    if (p->scope == CONF_DEVICE)
        return least(ask(w, p, d, device, use, at).reasons) == REASON_PERMITTED;
    struct opinion o = opinion_of(p, device, at);
    return !o.has_newest || o.newest.act->grant;
}

void naive_decide(const struct naive_world *w, const struct naive_subject *device,
                  const struct naive_subject *person, const struct use *use, int64_t at,
                  struct decision *ret)
{
    *ret = (struct decision){ 0 };
    if (use->index >= w->conf->destination_count)
        return;
    const struct conf_destination *d = &w->conf->destination[use->index];
    uint32_t general = 0, flags = 0;
    if (use->has_device && device)
        flags |= device->flags;
    if (use->has_person && person)
        flags |= person->flags;
    if (d->has_recipient && d->role != CONF_PROCESSOR && d->recipient_purpose_count == 0)
        general |= 1u << REASON_NO_ROLE;
    if (flags & SUBJECT_ERASED)
        general |= 1u << REASON_ERASED;
    if (flags & SUBJECT_RESTRICTED)
        general |= 1u << REASON_RESTRICTED;
    if (!transfers_are_fine(d, at))
        general |= 1u << REASON_NO_TRANSFER_BASIS;
    ret->reason = least(general);

    bool device_fields = true;
    for (uint32_t i = 0; i < d->require_count + d->recipient_purpose_count; i++) {
        struct str id =
            i < d->require_count ? d->requires[i] : d->recipient_purpose[i - d->require_count];
        const struct conf_purpose *p = find_purpose(w->conf, id);
        struct decision_purpose *to = &ret->purpose[ret->count];
        bool asked = false;
        for (uint32_t k = 0; k < ret->count && p; k++)
            asked |= ret->purpose[k].purpose == p - w->conf->purpose;
        if (asked)
            continue;
        ret->count++;
        if (p == NULL) {
            *to = (struct decision_purpose){ UINT32_MAX, REASON_UNKNOWN_PURPOSE, false, 0, 0 };
        } else {
            decide_purpose(w, p, d, device, person, use, at, to);
            device_fields &= device_would_pass(w, p, d, device, use, at);
        }
        if (ret->reason == REASON_PERMITTED)
            ret->reason = to->reason;
    }
    uint32_t last = ret->count == 0 ? 1u << REASON_NO_CONSENT : 0;
    if (use->departing && use->at_capture != REASON_PERMITTED)
        last |= 1u << REASON_NOT_AT_CAPTURE;
    if (use->test)
        last |= 1u << REASON_TEST;
    if (ret->reason == REASON_PERMITTED)
        ret->reason = least(last);
    if (ret->reason != REASON_PERMITTED)
        return;
    ret->verdict = GATE_PERMIT;
    ret->device_fields = use->has_device && (!use->has_person || device_fields);
    ret->person_fields = use->has_person;
    if (use->departing && !use->capture_device_fields)
        ret->device_fields = false;
    if (use->departing && !use->capture_person_fields)
        ret->person_fields = false;
}
