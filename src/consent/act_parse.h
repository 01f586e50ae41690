/* consent/act_parse.h - the body of POST /consent as a struct.
 *
 * Says what stands there, and refuses what cannot stand there; what it means is
 * act_bind.h's matter. Texts are as in the body: lists and objects under
 * `preferences` are taken as they come.
 *
 * Owner:  slices live in the arena and in the body.
 * Thread: any. Limit: LIMIT_CONSENT_BODY and the maxima of "the consent database".
 */
#ifndef CONSENT_ACT_PARSE_H
#define CONSENT_ACT_PARSE_H

#include "consent/act_cmp.h"
#include "consent/ledger.h"
#include "consent/subject_fields.h"

struct act_citation {
    struct str identifier;
    uint32_t version; /* 0: none given, and none stored */
    bool has_version; /* false: the one in force at the effect is meant */
};

struct act_preference {
    struct str name;
    struct str raw; /* JSON as sent */
    bool grants;    /* true, 1, "true", "1", "on", "yes"; all else lowers */
};

struct act_stated {
    struct str purpose;
    uint32_t version; /* 0: no number that a version can have */
};

struct act_body {
    struct json_doc doc;
    bool has_timestamp;
    int64_t timestamp_ms;
    struct subject_said subject;
    struct str subject_token;
    struct act_citation *citation;
    uint32_t citation_count;
    bool proof; /* a form, a content, or a document is there */
    struct act_preference *preference;
    uint32_t preference_count;
    struct act_stated *stated;
    uint32_t stated_count;
    struct str offline;        /* JSON as sent: who took it and where it is kept; empty: none */
    struct str shown_language; /* empty: none */
    struct act_cmp cmp;
    struct str consent_type; /* empty: none */
    struct str ip_address;   /* empty: none */
    bool autodetect_ip_address;
    struct str *document; /* their ids as said */
    uint32_t document_count;
    struct str proofs, proof_document_ids, preferences, versions,
        shown;        /* JSON as sent, or empty */
    struct str other; /* unknown top-level keys as one JSON object, or empty */
};

/* The body's text in JSON, whichever format it came in, scanned; its root is an
 * object, or an array where `array` allows that. */
enum err body_scan(struct str body, enum body_format format, bool array, struct arena *a,
                   struct json_doc *ret_doc, struct err_info *info) MUST_CHECK;

enum err act_parse(struct str body, enum body_format format, struct arena *a,
                   struct act_body *ret_body, struct err_info *info) MUST_CHECK;

#endif
