/* consent/ledger.h - the consent database: what comes in as JSON becomes acts,
 * subjects and notices; what comes out are answers and snapshots.
 *
 * The interface's shapes are those that existing clients speak (docs/api.md).
 *
 * Thread: the writing verbs belong to the loop's thread, within an open group
 *         (store_begin); they take effect for others when ledger_committed() is
 *         called after the commit, or never (ledger_rolled_back()).
 *         ledger_snapshot() may be called by any thread.
 */
#ifndef CONSENT_LEDGER_H
#define CONSENT_LEDGER_H

#include "policy/policy.h"
#include "store/store.h"

struct ledger;

enum err ledger_open(struct store *s, struct ledger **ret_ledger, struct err_info *info) MUST_CHECK;
void ledger_close(struct ledger **l);

/* ---- snapshots: a bounded cache, least recently used goes first ---- */

/* The subject's committed snapshot, with a reference that the caller gives back.
 * Never NULL on OK. Subjects blocked in memory give one with SUBJECT_RESTRICTED. */
enum err ledger_snapshot(struct ledger *l, struct store_reader *r, struct str subject,
                         const struct snapshot **ret_snapshot) MUST_CHECK;
void ledger_snapshot_unref(struct ledger *l, const struct snapshot **s);

/* The loop's own view: acts of the open group count already. Valid until the
 * next verb, commit or rollback. Loop thread. */
enum err ledger_snapshot_now(struct ledger *l, struct str subject,
                             const struct snapshot **ret_snapshot) MUST_CHECK;

/* After every group, an empty one too: publishes its snapshots, or forgets them. Loop thread. */
void ledger_committed(struct ledger *l);
void ledger_rolled_back(struct ledger *l);

/* Somebody else's verb wrote a fact on this subject into the open group (a
 * restriction, an erasure): her snapshot is read anew. Loop thread. */
enum err ledger_changed(struct ledger *l, struct str subject) MUST_CHECK;

/* A withdrawal whose commit failed: this subject counts as restricted until a
 * commit that concerns her succeeds. More than LIMIT_SNAPSHOTS of them at once, and
 * everybody does, until a restart. Loop thread. */
void ledger_block(struct ledger *l, struct str subject);

/* ---- acts ---- */

enum body_format { BODY_JSON, BODY_FORM }; /* application/x-www-form-urlencoded: subject[email]=… */

struct consent_request {
    struct str body;
    enum body_format format;
    enum act_source source;          /* ACT_PUBLIC_KEY, ACT_PRIVATE_KEY or ACT_IMPORT */
    bool dry_run;                    /* everything is checked, nothing written */
    struct str device;               /* subject id of a valid device token; empty: none */
    struct str subject_token_secret; /* empty: subject tokens are not accepted */
    struct str ip;                   /* of the request; empty: it is not to be kept */
    bool whole_ip;                   /* it is not cut to /24 or /48 */
    struct str idempotency_key;      /* empty: none */
    struct str accept_language;      /* of the request; empty: it says nothing of the person */
    bool
        letter; /* by public key: it may cause one (consent/verification.h), as far as the sender goes */
    int64_t received_ms;
};

struct consent_answer {
    struct str json;    /* {"id","timestamp","subject_id"} and, by private key only, "warnings" */
    struct str subject; /* external id */
    struct id act;
    /* The first answer to this Idempotency-Key; nothing was written. `lowers` is
     * as it was, `new_device` is not: a device token is handed out once. */
    bool replayed;
    /* licet made up the subject's id, and the act grants something: hand out a device token. */
    bool new_device;
    /* A refusal by public key of somebody who is not known, and who says nothing of herself: no act
     * was recorded, but counted for these purposes (bit = index). The answer is as ever. */
    uint64_t counted;
    bool letter; /* one was asked for */
    bool
        lowers; /* passes the barrier (ARCHITECTURE, "Sending and withdrawal") before it is answered */
};

/* Records one act. Faults of the envelope (ERR_SYNTAX, ERR_VALUE, ERR_LIMIT, with the field named) write
 * nothing and leave the group usable; ERR_IO, ERR_FULL and ERR_CORRUPT mean the group must be rolled back.
 * ERR_FORBIDDEN: the key may not say this at all. ERR_CONFLICT: the Idempotency-Key came with another body before. */
enum err ledger_add_consent(struct ledger *l, const struct policy *p,
                            const struct consent_request *q, struct arena *a,
                            struct consent_answer *ret_answer, struct err_info *info) MUST_CHECK;

/* POST, PUT, PATCH of subjects; private key only. `id` empty: from the body, or made up. */
struct subject_request {
    struct str body;
    enum body_format format;
    struct str id;   /* from the path */
    bool must_exist; /* PUT and PATCH: ERR_NOT_FOUND otherwise */
    int64_t received_ms;
};
struct subject_answer {
    struct str json;
    struct str subject; /* external id */
    bool lowers; /* she was verified and is not any more: passes the barrier like a withdrawal */
};
enum err ledger_put_subject(struct ledger *l, const struct subject_request *q, struct arena *a,
                            struct subject_answer *ret_answer, struct err_info *info) MUST_CHECK;

/* One notice object or an array of them; all or none. The answer has the shape of the body. */
enum err ledger_add_notices(struct ledger *l, struct str body, enum body_format format,
                            int64_t received_ms, struct arena *a, struct str *ret_json,
                            struct err_info *info) MUST_CHECK;

/* ---- generations of consents ---- */

/* Declares a version void: {"purpose","version","reason","from"}; without `from` it is void from now on.
 * ERR_VALUE names what is at fault; ERR_CONFLICT: it is void since then or earlier. The policy
 * must be compiled anew before the group is committed. */
struct void_answer {
    struct str json; /* {"purpose","version","from","declared","reason"} */
    struct str purpose;
    uint32_t version;
};
enum err ledger_void(struct ledger *l, const struct policy *p, struct str body, int64_t received_ms,
                     struct arena *a, struct void_answer *ret_answer,
                     struct err_info *info) MUST_CHECK;

/* GET /v1/purposes and /v1/purposes/ID/coverage: how many subjects hold which version, by what the
 * store counts along; ERR_NOT_FOUND: no such purpose. Reader's thread. */
enum err ledger_purposes(struct store_reader *r, const struct policy *p, int64_t now,
                         struct arena *a, struct str *ret_json) MUST_CHECK;
enum err ledger_coverage(struct store_reader *r, const struct policy *p, struct str purpose,
                         int64_t now, struct arena *a, struct str *ret_json) MUST_CHECK;

/* ---- imports ---- */

/* Lines of an import, each "NUMBER JSON": numbers that grow, and one record of that kind in the form
 * in which the interface shows it (docs/api.md). Lines that the import has passed already are left
 * out. A record that is refused does not hold up the others. Ends when the time is over, after one
 * line at least. Faults of the whole are ERR_VALUE and ERR_LIMIT. */
struct import_request {
    struct str id;   /* the import's: 1 … LIMIT_ID bytes, letters, digits, "._-" */
    struct str kind; /* "consents", "subjects", "notices" */
    struct str body;
    bool dry_run;
    int64_t received_ms;
    int64_t until_mono_ms;
};
struct import_answer {
    struct str
        json; /* {"id","kind","next","accepted","repeated","refused":[{"line","field","error"}]}: of
                        these lines */
    uint64_t accepted;
    bool lowers; /* somebody who was known: passes the barrier of everybody */
};
enum err ledger_import(struct ledger *l, const struct policy *p, const struct import_request *q,
                       struct arena *a, struct import_answer *ret_answer,
                       struct err_info *info) MUST_CHECK;
/* How far it has come; and what it refused, LIMIT_IMPORT_PAGE a page, behind the line `after`. */
enum err ledger_get_import(struct store_reader *r, struct str id, struct arena *a,
                           struct str *ret_json) MUST_CHECK;
enum err ledger_list_refused(struct store_reader *r, struct str id, int64_t after, struct arena *a,
                             struct str *ret_json) MUST_CHECK;

/* Everything of a kind as lines that ledger_import() takes, without their numbers. `line` gets one
 * JSON object, valid within the call. ERR_VALUE: no such kind. */
enum err ledger_export(struct store_reader *r, struct str kind, int64_t from_ms, int64_t to_ms,
                       enum err (*line)(void *ctx, struct str json), void *ctx) MUST_CHECK;
/* ---- documents: proofs and notices as files ---- */

struct document_request {
    struct str bytes;    /* of the file */
    struct str filename; /* as the client said it: any bytes, or empty */
    uint32_t most;       /* bytes that it may have */
    int64_t received_ms;
};
/* PDF, PNG, JPEG and WebP, told by their content (codec/filetype.h). Faults name "file"; ERR_LIMIT: too large. */
enum err ledger_add_document(struct ledger *l, const struct document_request *q, struct arena *a,
                             struct str *ret_json, struct err_info *info) MUST_CHECK;

enum err ledger_get_document(struct store_reader *r, struct str id, struct arena *a,
                             struct str *ret_json) MUST_CHECK;
enum err ledger_list_documents(struct store_reader *r, struct str query, struct arena *a,
                               struct str *ret_json, struct err_info *info) MUST_CHECK;
struct document_content {
    struct str bytes;
    struct str type;     /* media type */
    struct str filename; /* ours: the id, and what belongs to the type */
};
/* ERR_CORRUPT when the bytes are not those that were uploaded. */
enum err ledger_read_document(struct store_reader *r, struct str id, struct arena *a,
                              struct document_content *ret_c) MUST_CHECK;

/* ---- notices that are watched (conf: `notices`) ---- */

/* This text (codec/reader_text.h) stands there now. Writes a finding when it is another than before, or than the
 * newest version; *ret_pending: it waits for somebody's word. */
enum err ledger_found_notice(struct ledger *l, struct str identifier, struct str text,
                             int64_t received_ms, struct arena *a, bool *ret_pending) MUST_CHECK;
/* Makes what is pending the next version, in force from now on. `sha256`: its hash or 8 digits and more of its
 * beginning; ERR_CONFLICT when it is another's. ERR_VALUE when nothing is pending. */
enum err ledger_confirm_notice(struct ledger *l, struct str identifier, struct str sha256,
                               int64_t received_ms, struct arena *a, struct str *ret_json,
                               struct err_info *info) MUST_CHECK;
/* ERR_NOT_FOUND when nothing is pending. */
enum err ledger_pending_notice(struct store_reader *r, struct str identifier, struct arena *a,
                               struct str *ret_json) MUST_CHECK;
/* Each with its version in force and what is pending. `looked` says how the last look at it went and when. */
typedef const char *(*ledger_looked_fn)(void *ctx, struct str identifier, int64_t *ret_at_ms);
enum err ledger_watched_notices(struct store_reader *r, const struct conf *c, int64_t now,
                                ledger_looked_fn looked, void *ctx, struct arena *a,
                                struct str *ret_json) MUST_CHECK;
uint32_t ledger_count_pending(struct store_reader *r, const struct conf *c);

/* ---- reading; any thread, with its own reader. ERR_NOT_FOUND, ERR_VALUE with the parameter named,
 *      ERR_LIMIT when a filter would look at too much. `query` is the undecoded query string; ids and
 *      identifiers from paths come decoded. Parameters that are not known are ignored ---- */

enum err ledger_get_consent(struct store_reader *r, struct str id, struct arena *a,
                            struct str *ret_json) MUST_CHECK;
enum err ledger_list_consents(struct store_reader *r, struct str query, struct arena *a,
                              struct str *ret_json, struct err_info *info) MUST_CHECK;
enum err ledger_get_subject(struct store_reader *r, struct str id, struct arena *a,
                            struct str *ret_json) MUST_CHECK;
enum err ledger_list_subjects(struct store_reader *r, struct str query, struct arena *a,
                              struct str *ret_json, struct err_info *info) MUST_CHECK;
/* `identifier` empty: of all. "terms": its versions, newest first. "terms/3": one object, no array.
 * "terms" with "at" in the query: the version in force then, one object.
 * ERR_NOT_FOUND when that identifier, or version, was never stored, or none was in force. */
enum err ledger_list_notices(struct store_reader *r, struct str identifier, struct str query,
                             struct arena *a, struct str *ret_json,
                             struct err_info *info) MUST_CHECK;

/* GET /v1/permissions/SUBJECT: per purpose and per destination, with reasons. `now` is the moment.
 * A destination that requires purposes of the device alone is asked as for a device, any other as for
 * a person ("as"). ERR_VALUE when the id is none; a subject nobody knows is answered like any other. */
enum err ledger_permissions(struct ledger *l, struct store_reader *r, const struct policy *p,
                            struct str subject, int64_t now, struct arena *a,
                            struct str *ret_json) MUST_CHECK;

/* What the holder of a read token (consent/read_token.h) is shown: for every purpose what stands, since and
 * until when, on which text, and whether it counts. Of somebody unknown, erased or restricted: that
 * nothing is recorded. ERR_VALUE when the id is none. */
enum err ledger_state(struct ledger *l, struct store_reader *r, const struct policy *p,
                      struct str subject, int64_t now, struct arena *a,
                      struct str *ret_json) MUST_CHECK;

/* ---- ids ---- */

/* Refuses ids that collect strangers: "", null, undefined, 0, anonymous, the zero UUID and their
 * like; longer than LIMIT_ID; with control characters. */
bool subject_id_ok(struct str id);

/* A device token: signed, says which subject this browser is. Base64url text. */
struct str device_token_make(const uint8_t secret[32], struct str subject, struct arena *a);
bool device_token_check(const uint8_t secret[32], struct str token, struct arena *a,
                        struct str *ret_subject);

/* A subject token: HMAC-SHA256 of the subject's id, as hexadecimal or base64url, made by the operator's
 * server. Without a secret none is good. */
bool subject_token_check(struct str secret, struct str subject, struct str token, struct arena *a);

#endif
