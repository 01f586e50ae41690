/* consent/act_bind.h - what an act means for each purpose: the effect, the
 * evidence, the version that it is bound to (ARCHITECTURE, "Acts").
 *
 * Pure: no I/O, no clock, no store; the same four inputs give the same answer.
 */
#ifndef CONSENT_ACT_BIND_H
#define CONSENT_ACT_BIND_H

#include "consent/act_parse.h"

/* Who said it, and when. */
struct act_saying {
    enum act_source source;
    bool confirmed; /* may raise: the key, the token, the id made up in this call */
    int64_t claimed_ms, received_ms;
};

/* When a grant, or a lowering, of such an act takes effect. */
int64_t act_grant_effect(const struct act_saying *s);
int64_t act_lower_effect(const struct act_saying *s);

/* One effect per registered purpose that the act names, in its order. The
 * citations of the body are resolved: those without a version carry the newest
 * stored one, or 0. Room for body->preference_count effects; returns how many. */
uint32_t act_bind(const struct policy *p, const struct act_body *body, const struct act_saying *s,
                  struct act_effect *ret_effect);

/* Why a grant by itself permits nothing, as a sentence; NULL when it may permit. */
const char *act_effect_fault(const struct policy *p, const struct act_effect *e);

#endif
