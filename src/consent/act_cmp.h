/* consent/act_cmp.h - what a consent management platform makes known of a choice, as evidence.
 *
 * {"provider": "onetrust", "consent_id": "…", "at": "2026-01-02T03:04:05Z", "granted": ["C0002"],
 * "tc_string": "…", …}. Everybody has the public key, so it proves no more than that somebody said
 * so: it makes nothing bindable and nobody confirmed who was not.
 *
 * Owner:  slices live in the arena and in the body.
 * Thread: any. Limit: LIMIT_CMP_MEMBER, LIMIT_CMP_GRANTED.
 */
#ifndef CONSENT_ACT_CMP_H
#define CONSENT_ACT_CMP_H

#include "codec/json.h"
#include "codec/tcf.h"
#include "policy/policy.h"

struct act_cmp {
    struct str raw; /* JSON as sent; empty: there is none */
    struct str provider;
    struct str consent_id; /* the CMP's receipt; empty: none */
    bool has_at;
    int64_t at_ms; /* when the CMP says that she chose */
    struct str *granted;
    uint32_t granted_count;
    bool has_tcf, tcf_good; /* a TC string is there, and can be read */
    struct tcf tcf;
};

/* The member of that object of `d`; 0: none. ERR_VALUE and ERR_LIMIT name "cmp.…". A TC string that
 * cannot be read is kept: it bears nothing out. */
enum err act_cmp_parse(const struct json_doc *d, uint32_t object, struct arena *a,
                       struct act_cmp *ret_cmp, struct err_info *info) MUST_CHECK;

/* Whether it comes from the platform that the configuration names: as much as a refusal needs. */
bool act_cmp_is_ours(const struct policy *p, const struct act_cmp *cmp);
/* Whether it shows that she granted this version: the configuration maps it, everything that the
 * map asks for was granted (by a TC string: the very purposes and vendors), there is a receipt, and
 * it was not said before this text was in force. */
bool act_cmp_bears_out(const struct policy *p, const struct policy_version *v, struct str purpose,
                       const struct act_cmp *cmp);

#endif
