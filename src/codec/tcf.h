/* codec/tcf.h - a TC string of IAB Europe's Transparency and Consent Framework, version 2.
 *
 * The core with its vendors and publisher restrictions, and the segments behind it. Strict: what is
 * cut off, contradicts itself or has anything behind its end is refused. Purposes, special features
 * and vendors count from 1.
 *
 * Source: "Consent string and vendor list formats v2", with the changes of TCF 2.3.
 * Owner:  what it finds lives in the arena.
 * Thread: any. Limit: LIMIT_TC_STRING bytes.
 */
#ifndef CODEC_TCF_H
#define CODEC_TCF_H

#include "base/arena.h"
#include "base/err.h"

enum { LIMIT_TC_STRING = 8192, TCF_PURPOSES = 24, TCF_SPECIAL_FEATURES = 12, TCF_VENDORS = 65535 };

struct tcf_vendors {
    uint32_t most; /* the greatest number that is told of */
    uint8_t *bit;  /* of vendor n: bit n-1 */
};

struct tcf_restriction {
    uint32_t purpose, type; /* type 0: not allowed, 1: consent only, 2: legitimate interests only */
    uint32_t first, last;   /* vendors */
};

struct tcf {
    int64_t created_ms, updated_ms; /* updated at or after created; by whole days */
    uint32_t cmp, cmp_version, vendor_list, policy;
    uint32_t purposes, special_features; /* consent and opt-in: bit n-1 */
    struct tcf_vendors consent;
    bool has_disclosed;
    struct tcf_vendors disclosed;
    struct tcf_restriction *restriction;
    uint32_t restriction_count;
};

/* ERR_SYNTAX, or ERR_LIMIT when it is too long. */
enum err tcf_parse(struct str text, struct arena *a, struct tcf *ret_tcf) MUST_CHECK;

bool tcf_purpose(const struct tcf *t, uint32_t purpose);
bool tcf_special_feature(const struct tcf *t, uint32_t feature);
/* She consented to this vendor, and it was disclosed to her where the string says who was. */
bool tcf_vendor(const struct tcf *t, uint32_t vendor);
/* The publisher lets this vendor rest this purpose on consent. */
bool tcf_allows(const struct tcf *t, uint32_t purpose, uint32_t vendor);

#endif
