/* model/decision.h - the gate's answer, and why.
 *
 * The reasons in their order (ARCHITECTURE, "Order of reasons"). Their numbers are stored with events:
 * never renumber, only append. Zero is a denial, so forgotten memory fails safe.
 */
#ifndef MODEL_DECISION_H
#define MODEL_DECISION_H

#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

enum reason {
    REASON_UNKNOWN_USE = 0,
    REASON_PERMITTED = 1,
    REASON_NO_ROLE,
    REASON_ERASED,
    REASON_RESTRICTED,
    REASON_NO_TRANSFER_BASIS,
    REASON_UNKNOWN_PURPOSE,
    REASON_NO_CONSENT,
    REASON_REFUSED,
    REASON_WITHDRAWN,
    REASON_UNCONFIRMED,
    REASON_NO_PROOF,
    REASON_OBJECTED,
    REASON_NO_TERMINAL_ACCESS,
    REASON_RECIPIENT_NOT_NAMED,
    REASON_TEXT_VOIDED,
    REASON_EXPIRED,
    REASON_NOT_VERIFIED,
    REASON_SIGNAL,
    REASON_CLIENT_LOWERED,
    REASON_NOT_AT_CAPTURE,
    REASON_TEST,       /* a key of mode: test; judged and shown, nothing leaves */
    REASON_NO_ID,      /* from here on: the destination cannot take it */
    REASON_UNSUITABLE, /* it has no such event */
    REASON_TOO_OLD,    /* it takes only newer ones */
    REASON_COUNT
};

/* Whether the gate gives it; the others come from a destination that cannot take the event. */
static inline bool reason_of_gate(enum reason r)
{
    return r < REASON_NO_ID || r > REASON_TOO_OLD;
}

/* "unknown_use", "permitted", "no_role", … as in answers and metrics. */
const char *reason_name(enum reason r);
/* A short plain sentence for people: "She withdrew her consent." */
const char *reason_text(enum reason r);

enum gate_verdict { GATE_DENY = 0, GATE_PERMIT };

struct decision_purpose {
    uint32_t purpose; /* index into policy->purpose; UINT32_MAX when it is unknown */
    enum reason reason;
    bool by_device;   /* the failing (or deciding) subject is the device, not the person */
    uint32_t version; /* of the act that decided; 0: none */
    int64_t act_seq;  /* of the act that decided; 0: none */
};

struct decision {
    enum gate_verdict verdict;
    enum reason reason; /* the first that failed, or REASON_PERMITTED */
    bool device_fields; /* fields that belong to the device may leave */
    bool person_fields; /* fields that belong to the person may leave */
    uint32_t count;     /* one per required purpose, in the order of `requires` */
    struct decision_purpose purpose[LIMIT_PURPOSES_PER_USE];
};

#endif
