#include "policy/gate.h"
#include "model/event.h"

_Static_assert((int)SIGNAL_GPC == (int)CONF_GPC && (int)SIGNAL_DNT == (int)CONF_DNT,
               "signals are matched with `honours` bit by bit");
_Static_assert(LIMIT_PURPOSES <= 64, "struct use has one bit of `lowered` per purpose");
_Static_assert(LIMIT_DESTINATIONS <= 32, "a version has one bit of `named_slots` per slot");

#define DOUBT (1LL << 62) /* added to a seq: behind every act of that moment */

/* One act: where it stands in the order of (effect, seq). */
struct spoken {
    const struct standing *standing; /* NULL: there is none */
    int64_t effect, seq;
};

/* What one subject's acts say of one purpose at one moment. */
struct voice {
    struct spoken newest;                 /* of what counts: lowerings and effective grants */
    struct spoken idle;                   /* the newest grant that permits nothing */
    const struct policy_version *version; /* when an effective grant is the newest */
    bool was_granted;                     /* some effective grant was given */
};

/* What is asked, beside the purpose and the subject. */
struct question {
    const struct policy_use *on; /* NULL: no use in particular */
    const struct use *use;       /* NULL likewise */
    int64_t at_ms;
};

static bool is_later(int64_t effect, int64_t seq, const struct spoken *than)
{
    if (than->standing == NULL)
        return true;
    return effect != than->effect ? effect > than->effect : seq > than->seq;
}

/* The version that a grant rests on, or NULL when it permits nothing. */
static const struct policy_version *effective(const struct policy_purpose *p,
                                              const struct standing *s)
{
    if (!s->confirmed || (s->bare && !p->conf->proof_optional))
        return NULL;
    return policy_version_numbered(p, s->version);
}

static void hear_lowering(struct voice *v, const struct standing *s, int64_t at_ms)
{
    /* Of a class that reaches past the moment it is not known which of its acts were
     * before: the doubt counts as a lowering at the moment itself. */
    bool past = s->last_effect <= at_ms;
    int64_t effect = past ? s->last_effect : at_ms;
    int64_t seq = past ? s->last_seq : DOUBT + s->first_seq;
    bool tie = effect == v->newest.effect && seq == v->newest.seq; /* no act is two; if one were */
    if (is_later(effect, seq, &v->newest) || tie)
        v->newest = (struct spoken){ s, effect, seq };
}

static void hear_grant(struct voice *v, const struct policy_purpose *p, const struct standing *s,
                       int64_t at_ms)
{
    bool past = s->last_effect <= at_ms; /* else only its first act is known to be before */
    int64_t effect = past ? s->last_effect : s->first_effect;
    int64_t seq = past ? s->last_seq : s->first_seq;
    const struct policy_version *version = effective(p, s);
    if (version)
        v->was_granted = true;
    struct spoken *beside = version ? &v->newest : &v->idle;
    if (!is_later(effect, seq, beside))
        return;
    *beside = (struct spoken){ s, effect, seq };
    if (version)
        v->version = version;
}

static struct voice listen(const struct policy_purpose *p, const struct snapshot *subject,
                           int64_t at_ms)
{
    struct voice v = { 0 };
    for (uint32_t i = 0; subject && i < subject->count; i++) {
        const struct standing *s = &subject->standing[i];
        if (s->purpose != p->number || s->first_effect > at_ms)
            continue;
        if (s->grant)
            hear_grant(&v, p, s, at_ms);
        else
            hear_lowering(&v, s, at_ms);
    }
    return v;
}

static bool lowered(const struct voice *v)
{
    return v->newest.standing && !v->newest.standing->grant;
}

static bool granted(const struct voice *v)
{
    return v->newest.standing && v->newest.standing->grant;
}

static bool reads_with_consent(const struct conf_purpose *c)
{
    return c->terminal_access != CONF_TERMINAL_NECESSARY &&
           c->terminal_access != CONF_TERMINAL_EXEMPT && c->terminal_access != CONF_TERMINAL_NONE;
}

/* Why nothing stands although nothing lowers. */
static enum reason idle_reason(const struct policy_purpose *p, const struct voice *v)
{
    const struct standing *s = v->idle.standing;
    if (s == NULL)
        return REASON_NO_CONSENT;
    if (!s->confirmed)
        return REASON_UNCONFIRMED;
    return s->bare && policy_version_numbered(p, s->version) ? REASON_NO_PROOF : REASON_NO_CONSENT;
}

static enum reason basis_reason(const struct policy_purpose *p, const struct voice *v)
{
    switch (p->conf->basis) {
    case CONF_CONTRACT:
    case CONF_LEGAL_OBLIGATION: break;
    case CONF_LEGITIMATE_INTERESTS:
        if (lowered(v))
            return REASON_OBJECTED;
        break;
    case CONF_CONSENT:
    default:
        if (lowered(v))
            return v->was_granted ? REASON_WITHDRAWN : REASON_REFUSED;
        return granted(v) ? REASON_PERMITTED : idle_reason(p, v);
    }
    return reads_with_consent(p->conf) && !granted(v) ? REASON_NO_TERMINAL_ACCESS
                                                      : REASON_PERMITTED;
}

static bool needs_grant(const struct conf_purpose *c)
{
    switch (c->basis) {
    case CONF_CONTRACT:
    case CONF_LEGAL_OBLIGATION:
    case CONF_LEGITIMATE_INTERESTS: return reads_with_consent(c);
    case CONF_CONSENT:
    default: return true;
    }
}

static bool expired(const struct conf_purpose *c, int64_t effect, int64_t at_ms)
{
    /* no month is shorter than 28 days, so most need no calendar */
    int64_t surely;
    if (!__builtin_add_overflow(effect + c->lifetime.months * (28 * DAY_MS), c->lifetime.ms,
                                &surely) &&
        at_ms < surely)
        return false;
    return at_ms >= time_add(effect, c->lifetime);
}

/* What is wrong with the grant that the purpose rests on. */
static enum reason grant_reason(const struct policy_purpose *p, const struct voice *v,
                                const struct snapshot *subject, const struct question *q)
{
    const struct policy_version *version = v->version;
    if (q->on && !q->on->is_own && !(version->named_slots >> q->on->slot & 1))
        return REASON_RECIPIENT_NOT_NAMED;
    if (version->voided_ms && q->at_ms >= version->voided_ms)
        return REASON_TEXT_VOIDED;
    if (expired(p->conf, v->newest.effect, q->at_ms))
        return REASON_EXPIRED;
    if (p->conf->double_opt_in && !(subject->flags & SUBJECT_VERIFIED))
        return REASON_NOT_VERIFIED;
    return REASON_PERMITTED;
}

/* What the request and the event say against it. */
static enum reason request_reason(const struct policy_purpose *p, uint32_t index,
                                  const struct voice *v, const struct use *use)
{
    bool specific = granted(v) && !v->newest.standing->bare && !v->newest.standing->imported;
    if (use->signals & p->conf->honours && !specific)
        return REASON_SIGNAL;
    if (use->use_lowered || use->lowered >> index & 1)
        return REASON_CLIENT_LOWERED;
    return REASON_PERMITTED;
}

/* The act that a reason rests on: the newest that counts, else the idle grant
 * that is named as the reason. A lowering that closes nothing is not it. */
static void name_act(const struct voice *v, struct decision_purpose *d)
{
    const struct spoken *by = v->newest.standing ? &v->newest : &v->idle;
    bool closes = d->reason == REASON_REFUSED || d->reason == REASON_WITHDRAWN ||
                  d->reason == REASON_OBJECTED || d->reason == REASON_NO_TERMINAL_ACCESS;
    bool idle = d->reason == REASON_UNCONFIRMED || d->reason == REASON_NO_PROOF ||
                d->reason == REASON_NO_CONSENT;
    if (by->standing == NULL || (by == &v->newest ? lowered(v) && !closes : !idle))
        return;
    d->version = by->standing->version;
    d->act_seq = by->seq % DOUBT;
}

/* One subject alone against one purpose. */
static void judge(const struct policy_purpose *p, uint32_t index, const struct snapshot *subject,
                  const struct question *q, struct decision_purpose *ret_d)
{
    struct voice v = listen(p, subject, q->at_ms);
    enum reason r = basis_reason(p, &v);
    if (r == REASON_PERMITTED && needs_grant(p->conf))
        r = grant_reason(p, &v, subject, q);
    if (r == REASON_PERMITTED && q->use)
        r = request_reason(p, index, &v, q->use);
    *ret_d = (struct decision_purpose){ .purpose = index, .reason = r };
    name_act(&v, ret_d);
}

/* The device beside a person: it cannot grant for her, but a no of it closes. */
static void judge_device_beside(const struct policy_purpose *p, uint32_t index,
                                const struct snapshot *device, const struct question *q,
                                struct decision_purpose *d)
{
    struct voice v = listen(p, device, q->at_ms);
    enum reason r = lowered(&v) ? basis_reason(p, &v) : REASON_PERMITTED;
    if (r == REASON_PERMITTED || (d->reason != REASON_PERMITTED && d->reason <= r))
        return;
    *d = (struct decision_purpose){ .purpose = index, .reason = r, .by_device = true };
    name_act(&v, d);
}

static void judge_purpose(const struct policy *policy, uint32_t index,
                          const struct snapshot *device, const struct snapshot *person,
                          const struct question *q, struct decision_purpose *ret_d)
{
    *ret_d = (struct decision_purpose){ .purpose = UINT32_MAX, .reason = REASON_UNKNOWN_PURPOSE };
    if (index >= policy->purpose_count)
        return;
    const struct policy_purpose *p = &policy->purpose[index];
    if (q->use->has_person) {
        judge(p, index, person, q, ret_d);
        if (device)
            judge_device_beside(p, index, device, q, ret_d);
    } else if (q->use->has_device && p->conf->scope == CONF_DEVICE) {
        judge(p, index, device, q, ret_d);
        ret_d->by_device = true;
    } else {
        *ret_d = (struct decision_purpose){ .purpose = index,
                                            .reason = REASON_NO_CONSENT,
                                            .by_device = q->use->has_device };
    }
}

/* Beside a person the device's own fields need the device's own yes; for a
 * purpose that only a person can grant, that it did not say no. */
static bool device_alone_passes(const struct policy *policy, const struct snapshot *device,
                                const struct question *q)
{
    for (uint32_t i = 0; i < q->on->require_count; i++) {
        uint32_t index = q->on->require[i];
        const struct policy_purpose *p = &policy->purpose[index];
        struct decision_purpose d;
        if (p->conf->scope == CONF_DEVICE) {
            judge(p, index, device, q, &d);
            if (d.reason != REASON_PERMITTED)
                return false;
        } else {
            struct voice v = listen(p, device, q->at_ms);
            if (lowered(&v))
                return false;
        }
    }
    return true;
}

static bool transfer_rests(const struct policy_use *u, int64_t at_ms)
{
    for (uint32_t i = 0; i < u->importer_count; i++) {
        const struct policy_importer *m = &u->importer[i];
        bool valid = false;
        for (uint32_t s = 0; s < m->span_count && !valid; s++)
            valid = m->span[s].from_ms <= at_ms && at_ms < m->span[s].to_ms;
        if (!valid)
            return false;
    }
    return true;
}

static enum reason general_reason(const struct policy_use *u, const struct snapshot *device,
                                  const struct snapshot *person, int64_t at_ms)
{
    uint32_t flags = (device ? device->flags : 0) | (person ? person->flags : 0);
    if (!u->has_role)
        return REASON_NO_ROLE;
    if (flags & SUBJECT_ERASED)
        return REASON_ERASED;
    if (flags & SUBJECT_RESTRICTED)
        return REASON_RESTRICTED;
    if (!transfer_rests(u, at_ms))
        return REASON_NO_TRANSFER_BASIS;
    /* a use that requires nothing was agreed to by nobody */
    return u->require_count ? REASON_PERMITTED : REASON_NO_CONSENT;
}

static void first(enum reason *r, enum reason next)
{
    if (*r == REASON_PERMITTED)
        *r = next;
}

void gate_decide(const struct policy *p, const struct snapshot *device,
                 const struct snapshot *person, const struct use *use, int64_t at_ms,
                 struct decision *ret_decision)
{
    struct decision *d = ret_decision;
    *d = (struct decision){ .verdict = GATE_DENY, .reason = REASON_UNKNOWN_USE };
    if (use->index >= p->use_count)
        return;
    const struct question q = { .on = &p->use[use->index], .use = use, .at_ms = at_ms };
    device = use->has_device ? device : NULL;
    person = use->has_person ? person : NULL;

    enum reason r = general_reason(q.on, device, person, at_ms);
    d->count = q.on->require_count;
    for (uint32_t i = 0; i < d->count; i++) {
        judge_purpose(p, q.on->require[i], device, person, &q, &d->purpose[i]);
        first(&r, d->purpose[i].reason);
    }
    if (use->departing && use->at_capture != REASON_PERMITTED)
        first(&r, REASON_NOT_AT_CAPTURE);
    if (use->test)
        first(&r, REASON_TEST);
    d->reason = r;
    if (r != REASON_PERMITTED)
        return;
    d->verdict = GATE_PERMIT;
    d->device_fields = use->has_device && (!use->departing || use->capture_device_fields) &&
                       (!use->has_person || device_alone_passes(p, device, &q));
    d->person_fields = use->has_person && (!use->departing || use->capture_person_fields);
}

uint32_t gate_claims(const struct policy *p, const struct snapshot *device,
                     const struct snapshot *person, const struct use *use, int64_t at_ms)
{
    uint32_t held = 0;
    if (use->index >= p->use_count)
        return held;
    const struct question q = { .on = &p->use[use->index], .use = use, .at_ms = at_ms };
    device = use->has_device ? device : NULL;
    person = use->has_person ? person : NULL;
    for (uint32_t kind = 0; kind < CONF_CLAIMS; kind++) {
        const struct policy_claim *claim = &q.on->claim[kind];
        bool holds = claim->purpose_count > 0;
        for (uint32_t i = 0; i < claim->purpose_count && holds; i++) {
            struct decision_purpose d;
            judge_purpose(p, claim->purpose[i], device, person, &q, &d);
            holds = d.reason == REASON_PERMITTED;
        }
        held |= (uint32_t)holds << kind;
    }
    return held;
}

void gate_purpose(const struct policy *p, const struct snapshot *subject, uint32_t purpose_index,
                  int64_t at_ms, struct decision_purpose *ret_d)
{
    *ret_d = (struct decision_purpose){ .purpose = UINT32_MAX, .reason = REASON_UNKNOWN_PURPOSE };
    if (purpose_index < p->purpose_count)
        judge(&p->purpose[purpose_index], purpose_index, subject,
              &(struct question){ .at_ms = at_ms }, ret_d);
}
