/* consent/act_bind.h - what an act means for each purpose: the effect, the
 * evidence, the version that it is bound to (ARCHITECTURE, "Acts").
 *
 * Pure: no I/O, no clock, no store; the same four inputs give the same answer.
 */
#ifndef CONSENT_ACT_BIND_H
#define CONSENT_ACT_BIND_H

#include "consent/act_parse.h"

/* What the licet that exported an act had made of one of its preferences (`effects`). An import
 * never makes more of it, only less. */
struct act_origin {
    struct str name;
    bool grant, confirmed, bare;
    uint32_t version; /* 0: it bound none */
    int64_t effect_ms;
};

/* Who said it, and when. */
struct act_saying {
    enum act_source source;
    bool confirmed; /* may raise: the key, the token, the id made up in this call */
    int64_t claimed_ms, received_ms;
    const struct act_origin *origin; /* ACT_IMPORT only */
    uint32_t origin_count;
};

/* Reads them from an imported body. ERR_VALUE names "effects". */
enum err act_origin_parse(const struct act_body *body, struct arena *a, struct act_saying *s,
                          struct err_info *info) MUST_CHECK;

/* When what such an act grants, or lowers, takes effect; and what it says of one name, of which the origin
 * of an import may know better. */
int64_t act_counts_from(const struct act_saying *s, bool grants);
int64_t act_effect_ms(const struct act_saying *s, const struct act_preference *said);
/* Whether it may raise that name. */
bool act_may_raise(const struct act_saying *s, struct str name);
/* The version that a refusal by this act is about: stated, cited, or in force when it was received; 0: none. */
uint32_t act_refused_version(const struct policy_purpose *p, const struct act_body *body,
                             const struct act_saying *s);

/* One effect per registered purpose that the act names, in its order. The
 * citations of the body are resolved: those without a version carry the newest
 * stored one, or 0. Room for body->preference_count effects; returns how many. */
uint32_t act_bind(const struct policy *p, const struct act_body *body, const struct act_saying *s,
                  struct act_effect *ret_effect);

/* Why a grant by itself permits nothing, as a sentence; NULL when it may permit. */
const char *act_effect_fault(const struct policy *p, const struct act_effect *e);

#endif
