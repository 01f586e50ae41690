/* consent/subject_fields.h - what a body says of a subject, and what becomes of it.
 *
 * Thread: any. Owner: slices live in the arena and in the body.
 */
#ifndef CONSENT_SUBJECT_FIELDS_H
#define CONSENT_SUBJECT_FIELDS_H

#include "base/buf.h"
#include "codec/json.h"
#include "store/store.h"

enum subject_field { FIELD_EMAIL = 0, FIELD_FIRST_NAME, FIELD_LAST_NAME, FIELD_FULL_NAME, FIELDS };
extern const struct str subject_field_name[FIELDS];

enum { SUBJECT_EXTRA_MAX = 16 << 10 }; /* bytes of unknown keys kept with one subject */

struct subject_said {
    bool has_id;
    struct str id;
    struct str token; /* subject_token, when it stands here */
    bool said[FIELDS];
    struct str field[FIELDS]; /* empty when said: null or "" */
    int verified;             /* -1: not said */
    const struct json_doc *doc;
    uint32_t object; /* 0: there was none */
};

/* Reads an object; index 0 (absent) or null says nothing. `prefix` stands
 * before the names in faults: "subject." or "". The id must be subject_id_ok(). */
enum err subject_parse(const struct json_doc *d, uint32_t object, const char *prefix,
                       struct arena *a, struct subject_said *ret_said,
                       struct err_info *info) MUST_CHECK;

/* Writes what was said as members of an open object, in its own words: never the
 * token, never the id, `verified` only if wanted. */
void subject_write_said(const struct subject_said *s, bool verified, struct arena *a,
                        struct buf *to);

struct subject_rules {
    bool overwrite; /* may change what is filled; else fills what is empty */
    bool clear;     /* null and "" empty a field; else they say nothing */
    bool verified;  /* may set verified */
    bool no_email;  /* may not say an address */
};
/* Applies it to *row. *ret_changed names what was changed as JSON members
 * ("email":"…"), empty when nothing was. ERR_LIMIT: too many unknown keys. */
enum err subject_apply(const struct subject_said *s, const struct subject_rules *rules,
                       struct arena *a, struct subject_row *row, struct str *ret_changed,
                       struct err_info *info) MUST_CHECK;

/* The bytes of the fact of a subject's creation or change. `by` is an act's source;
 * `act` its id, or empty; `changed` JSON members. */
enum err subject_payload(struct str id, const char *by, struct str act, int64_t received_ms,
                         struct str changed, struct arena *a, struct str *ret_payload,
                         struct err_info *info) MUST_CHECK;

/* A flag as JSON and as forms say it: true, false, "true", "0", 1 … -1: neither. */
int read_flag(const struct json_doc *d, uint32_t i, struct arena *a);

#endif
