/* model/act.h - what a person said, as the gate sees it.
 *
 * An act is one consent record. A snapshot is one subject's acts at one
 * instant, reduced to what can matter: acts on one purpose that differ in
 * nothing the gate looks at share one `standing`, which keeps only its oldest
 * and its newest. So a snapshot stays small however often somebody clicks, and
 * the gate can still replay a past decision.
 */
#ifndef MODEL_ACT_H
#define MODEL_ACT_H

#include "base/id.h"
#include "base/str.h"

#include <stdint.h>

enum act_source { ACT_PUBLIC_KEY = 0, ACT_PRIVATE_KEY, ACT_CMP, ACT_IMPORT, ACT_CONFIRMATION };
enum act_evidence {
    EVIDENCE_BARE = 0,
    EVIDENCE_CITED,
    EVIDENCE_PROOF,
    EVIDENCE_SHOWN,
    EVIDENCE_CMP,
    EVIDENCE_IMPORT,      /* nothing but the line of an import: worth as much as none */
    EVIDENCE_PAPER,       /* on paper or by word: who took it, and where it is kept */
    EVIDENCE_CONFIRMATION /* she was shown the text on our page and pressed the button there */
};
/* Whether a grant with it needs a purpose that says `proof: optional`. */
static inline bool evidence_is_bare(enum act_evidence e)
{
    return e == EVIDENCE_BARE || e == EVIDENCE_IMPORT;
}

/* Names as they stand in answers and payloads: "public", "private", …; "bare", … */
extern const char *const act_source_name[5];
extern const char *const act_evidence_name[8];

struct standing {
    uint32_t purpose; /* the purpose's number in the store (policy/policy.h: number) */
    bool grant;       /* false: it lowers, or objects */
    bool confirmed;   /* who said it could (ARCHITECTURE, "Acts"); what lowers always could */
    bool bare;        /* evidence_is_bare() */
    bool imported;    /* not given on this site */
    uint32_t version; /* bound version; 0: it grants nothing. 0 for what lowers */
    int64_t first_effect, first_seq; /* the act with the smallest (effect, seq) */
    int64_t last_effect, last_seq;   /* the act with the greatest */
};

enum { SUBJECT_VERIFIED = 1, SUBJECT_RESTRICTED = 2, SUBJECT_ERASED = 4 };

struct snapshot {
    int64_t seq;    /* of the newest fact that shaped it; 0: nothing is known of this subject */
    uint32_t flags; /* SUBJECT_… */
    uint32_t count;
    struct standing standing[];
};

#endif
