/* policy/policy.h - one configuration, compiled for the gate.
 *
 * Made by policy/compile.h, read-only after that: any thread may look. It lives
 * as long as its arena, which the owner of the configuration holds.
 *
 * Numbers are stable over the life of a database (the store gives them out);
 * indexes are positions in this policy's arrays and change with a reload.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "conf/conf.h"
#include "model/act.h"
#include "model/decision.h"

struct policy_recipient {
    uint32_t slot; /* the destination's number in the store */
    struct str name;
    char country[3];
};

struct policy_version {
    uint32_t version;
    int64_t since_ms;
    int64_t until_ms;  /* the next version's since; INT64_MAX for the newest */
    int64_t voided_ms; /* 0: not voided */
    const struct policy_recipient *recipient; /* as frozen when the version was first stored */
    uint32_t recipient_count;
    uint32_t named_slots; /* bit = slot: the destination's present recipient is named, under the
                             name and country that were frozen */
    const struct conf_notice_ref *notice;
    uint32_t notice_count;
};

struct policy_purpose {
    uint32_t number; /* in the store */
    const struct conf_purpose *conf;
    const struct policy_version *version; /* ascending */
    uint32_t version_count;
};

/* A time in which a transfer rests on something: from_ms <= at < to_ms. */
struct policy_span {
    int64_t from_ms, to_ms;
};

/* One importer outside the EEA; one valid span is enough, without any it is never. */
struct policy_importer {
    const struct policy_span *span;
    uint32_t span_count;
};

/* What a destination is told beside the events (conf_claim): indexes of purposes. */
struct policy_claim {
    uint32_t purpose[LIMIT_PURPOSES_PER_USE]; /* UINT32_MAX: unknown */
    uint32_t purpose_count;                   /* 0: never said of anybody */
};

struct policy_use {
    uint32_t slot; /* the destination's number in the store: 0 … LIMIT_DESTINATIONS-1 */
    const struct conf_destination *conf;      /* id, role, transfers, … */
    uint32_t require[LIMIT_PURPOSES_PER_USE]; /* indexes of purposes, UINT32_MAX: unknown */
    uint32_t require_count;                   /* the recipient's own purposes included */
    bool is_own;                              /* recipient is the controller: named in every text */
    bool has_role; /* a mere processor, the controller, or its own purposes are mapped (R74) */
    const struct policy_importer *importer;
    uint32_t importer_count;
    struct policy_claim claim[CONF_CLAIMS];
};

struct policy {
    const struct conf *conf;
    uint32_t generation; /* of the configuration, from 1 */
    uint8_t hash[32];    /* of everything that shapes a decision */
    const struct policy_purpose *purpose;
    uint32_t purpose_count;
    const struct policy_use *use; /* one per destination, in the order of the file */
    uint32_t use_count;
    int16_t use_of_slot[LIMIT_DESTINATIONS]; /* slot → index into use, -1: not configured now */
};

/* Index of the purpose or use with that id, or UINT32_MAX. */
uint32_t policy_purpose_index(const struct policy *p, struct str id);
uint32_t policy_use_index(const struct policy *p, struct str id);
const struct policy_purpose *policy_purpose_numbered(const struct policy *p, uint32_t number);
/* The version in force at a moment, or NULL before the first. */
const struct policy_version *policy_version_at(const struct policy_purpose *p, int64_t at_ms);
const struct policy_version *policy_version_numbered(const struct policy_purpose *p,
                                                     uint32_t version);
/* Whether what a public key says at that moment may still be about this text: the newest, or followed by another no longer
 * than LIMIT_PUBLIC_VERSION_GRACE_MS ago (a page that was open meanwhile). */
bool policy_version_is_recent(const struct policy_version *v, int64_t at_ms);

#endif
