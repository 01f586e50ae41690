#include "consent/act_bind.h"

#include "base/limits.h"

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static const struct act_origin *origin_of(const struct act_saying *s, struct str name)
{
    for (uint32_t i = 0; i < s->origin_count; i++) {
        if (str_eq(s->origin[i].name, name))
            return &s->origin[i];
    }
    return NULL;
}

int64_t act_counts_from(const struct act_saying *s, bool grants)
{
    bool claims = s->source == ACT_IMPORT || (grants && s->source == ACT_PRIVATE_KEY);
    return claims ? earlier(s->claimed_ms, s->received_ms) : s->received_ms;
}

int64_t act_effect_ms(const struct act_saying *s, const struct act_preference *said)
{
    const struct act_origin *origin = origin_of(s, said->name); /* of imports alone */
    return origin ? earlier(origin->effect_ms, s->received_ms) : act_counts_from(s, said->grants);
}

bool act_may_raise(const struct act_saying *s, struct str name)
{
    const struct act_origin *origin = origin_of(s, name);
    return s->confirmed && (origin == NULL || (origin->confirmed && origin->grant));
}

static bool names(const struct policy_version *v, const struct act_citation *c)
{
    for (uint32_t i = 0; i < v->notice_count; i++) {
        if (v->notice[i].version == c->version && str_eq(v->notice[i].identifier, c->identifier))
            return true;
    }
    return false;
}

static bool names_identifier(const struct policy_version *v, struct str identifier)
{
    for (uint32_t i = 0; i < v->notice_count; i++) {
        if (str_eq(v->notice[i].identifier, identifier))
            return true;
    }
    return false;
}

enum cited {
    CITED_NOTHING = 0, /* no notice that any version of the purpose names */
    CITED_UNMATCHED,   /* one at a version that no version of the purpose names */
    CITED_MATCHED,
};

static enum cited citations(const struct policy_purpose *p, const struct act_body *b)
{
    enum cited all = CITED_NOTHING;
    for (uint32_t c = 0; c < b->citation_count; c++) {
        bool relevant = false, matched = false;
        for (uint32_t v = 0; v < p->version_count; v++) {
            relevant = relevant || names_identifier(&p->version[v], b->citation[c].identifier);
            matched = matched || names(&p->version[v], &b->citation[c]);
        }
        if (relevant && !matched)
            return CITED_UNMATCHED;
        if (relevant)
            all = CITED_MATCHED;
    }
    return all;
}

/* The citations carry this version: one of its notices is cited, and none of
 * them only at another number. */
static bool carried(const struct policy_version *v, const struct act_body *b)
{
    bool any = false;
    for (uint32_t n = 0; n < v->notice_count; n++) {
        bool here = false, elsewhere = false;
        for (uint32_t c = 0; c < b->citation_count; c++) {
            if (!str_eq(b->citation[c].identifier, v->notice[n].identifier))
                continue;
            if (b->citation[c].version == v->notice[n].version)
                here = true;
            else
                elsewhere = true;
        }
        if (elsewhere && !here)
            return false;
        any = any || here;
    }
    return any;
}

/* May an act with that effect be bound to this version at all? */
static bool bindable(const struct policy_version *v, const struct act_saying *s, int64_t effect_ms)
{
    return v->since_ms <= effect_ms &&
           (s->source != ACT_PUBLIC_KEY || policy_version_is_recent(v, s->received_ms));
}

static const struct act_stated *stated(const struct policy_purpose *p, const struct act_body *b)
{
    for (uint32_t i = 0; i < b->stated_count; i++) {
        if (str_eq(b->stated[i].purpose, p->conf->id))
            return &b->stated[i];
    }
    return NULL;
}

static const struct policy_version *which_version(const struct policy_purpose *p,
                                                  const struct act_body *b,
                                                  const struct act_saying *s, enum cited cited,
                                                  int64_t effect_ms)
{
    const struct act_stated *say = stated(p, b);
    const struct act_origin *origin = origin_of(s, p->conf->id);
    const struct policy_version *v = NULL;
    if (origin != NULL) {
        v = policy_version_numbered(p, origin->version);
    } else if (say != NULL) {
        v = policy_version_numbered(p, say->version);
    } else if (cited == CITED_MATCHED) {
        for (uint32_t i = p->version_count; i-- > 0 && v == NULL;) {
            if (carried(&p->version[i], b) && bindable(&p->version[i], s, effect_ms))
                v = &p->version[i];
        }
    } else if (cited == CITED_NOTHING) {
        v = policy_version_at(p, effect_ms);
    }
    return v != NULL && bindable(v, s, effect_ms) ? v : NULL;
}

static bool was_shown(const struct policy_purpose *p, const struct act_body *b)
{
    const struct act_stated *say = stated(p, b);
    if (say == NULL || b->shown_language.n == 0)
        return false;
    for (uint32_t i = 0; i < p->conf->version_count; i++) {
        const struct conf_version *v = &p->conf->version[i];
        for (uint32_t t = 0; v->version == say->version && t < v->text_count; t++) {
            if (str_eq(v->text[t].language, b->shown_language))
                return true;
        }
    }
    return false;
}

/* Only for the version that is stated: a CMP's text is not whichever happens to be in force. */
static bool by_cmp(const struct policy *policy, const struct policy_purpose *p,
                   const struct act_body *b, bool grant, const struct policy_version *bound)
{
    if (!grant)
        return act_cmp_is_ours(policy, &b->cmp);
    return bound != NULL && stated(p, b) != NULL &&
           act_cmp_bears_out(policy, bound, p->conf->id, &b->cmp);
}

/* A citation is evidence for the version that carries it, not for another one
 * that the act states. */
static enum act_evidence evidence(const struct policy *policy, const struct policy_purpose *p,
                                  const struct act_body *b, const struct act_saying *s,
                                  enum cited cited, bool grant, const struct policy_version *bound)
{
    const struct act_origin *origin = origin_of(s, p->conf->id);
    if (s->source == ACT_CONFIRMATION)
        return EVIDENCE_CONFIRMATION;
    if (origin != NULL && origin->bare)
        return EVIDENCE_IMPORT;
    if (b->cmp.raw.n > 0) /* what it does not show, nothing beside it shows */
        return by_cmp(policy, p, b, grant, bound) || origin != NULL ? EVIDENCE_CMP : EVIDENCE_BARE;
    if (b->offline.n > 0)
        return EVIDENCE_PAPER;
    if (was_shown(p, b))
        return EVIDENCE_SHOWN;
    if (b->proof)
        return EVIDENCE_PROOF;
    if (cited == CITED_MATCHED && (bound == NULL || carried(bound, b)))
        return EVIDENCE_CITED;
    return s->source == ACT_IMPORT ? EVIDENCE_IMPORT : EVIDENCE_BARE;
}

static struct act_effect effect_of(const struct policy *policy, const struct policy_purpose *p,
                                   const struct act_body *b, const struct act_preference *said,
                                   const struct act_saying *s)
{
    enum cited cited = citations(p, b);
    struct act_effect e = { .purpose = p->number, .grant = said->grants };
    const struct policy_version *bound = NULL;
    e.effect_ms = act_effect_ms(s, said);
    if (e.grant) {
        e.confirmed = act_may_raise(s, said->name);
        bound = which_version(p, b, s, cited, e.effect_ms);
        e.version = bound ? bound->version : 0;
    } else {
        e.confirmed = true; /* anybody may lower */
    }
    e.evidence = evidence(policy, p, b, s, cited, e.grant, bound);
    return e;
}

uint32_t act_bind(const struct policy *p, const struct act_body *body, const struct act_saying *s,
                  struct act_effect *ret_effect)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < body->preference_count; i++) {
        uint32_t index = policy_purpose_index(p, body->preference[i].name);
        if (index != UINT32_MAX)
            ret_effect[count++] = effect_of(p, &p->purpose[index], body, &body->preference[i], s);
    }
    return count;
}

uint32_t act_refused_version(const struct policy_purpose *p, const struct act_body *body,
                             const struct act_saying *s)
{
    const struct policy_version *v = which_version(p, body, s, citations(p, body), s->received_ms);
    return v ? v->version : 0;
}

const char *act_effect_fault(const struct policy *p, const struct act_effect *e)
{
    if (!e->grant)
        return NULL;
    if (!e->confirmed)
        return "is not confirmed: who sent it could not grant it for this subject";
    if (e->version == 0)
        return "binds no version of the text: none was in force then, or what the act states or "
               "cites matches none";
    const struct policy_purpose *purpose = policy_purpose_numbered(p, e->purpose);
    if (evidence_is_bare(e->evidence) && !(purpose && purpose->conf->proof_optional))
        return "has no proof of what was shown";
    return NULL;
}
