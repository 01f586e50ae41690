/* policy/gate.h - is this use permitted?
 *
 * Pure: no I/O, no clock, no log. The caller brings the compiled policy, the
 * subjects' snapshots, the use and the moment; the same four always give the
 * same answer, so an old decision can be replayed, best with the snapshot of that
 * seq: of acts that share a standing and reach past the moment, a grant counts as
 * its first act and what lowers counts at the moment itself.
 *
 * Thread: any; inputs are read-only.
 * Limit:  LIMIT_PURPOSES_PER_USE reasons in one decision.
 */
#ifndef POLICY_GATE_H
#define POLICY_GATE_H

#include "policy/policy.h"

/* One use of one event (or of a profile). */
struct use {
    uint32_t index;              /* into policy->use; anything beyond it is an unknown use */
    bool has_device, has_person; /* the event carries such an identifier */
    uint32_t signals;            /* SIGNAL_… of the request (model/event.h) */
    uint64_t lowered;            /* bit = purpose index: the event itself denies it */
    bool use_lowered;            /* the event itself denies this destination */
    bool departing;              /* the second decision: at_capture counts */
    enum reason at_capture;      /* the first decision's reason */
    bool capture_device_fields, capture_person_fields; /* and what it let pass */
    bool test; /* came with a key of mode: test: judged like any other, then denied */
};

/* Decides one use at one moment (ms since 1970, UTC). `device` or `person` is
 * NULL when the event does not carry one or nothing is known of it; has_device
 * and has_person tell which. Always writes *ret_decision, whose first word is a
 * denial unless everything was agreed to. */
void gate_decide(const struct policy *p, const struct snapshot *device,
                 const struct snapshot *person, const struct use *use, int64_t at_ms,
                 struct decision *ret_decision);

/* Which claims of that use hold: bit = kind (conf_claim_kind). A claim holds when each of its
 * purposes would permit the use by itself; one without purposes never does. Says nothing of whether
 * the use is permitted: ask gate_decide() first. */
uint32_t gate_claims(const struct policy *p, const struct snapshot *device,
                     const struct snapshot *person, const struct use *use, int64_t at_ms);

/* What one subject's acts say of one purpose, without any use: for the
 * interface's `preferences` and for /v1/permissions. *ret_d->reason is
 * REASON_PERMITTED or the first of no_consent … expired, not_verified that applies
 * when no particular recipient is asked for. */
void gate_purpose(const struct policy *p, const struct snapshot *subject, uint32_t purpose_index,
                  int64_t at_ms, struct decision_purpose *ret_d);

#endif
