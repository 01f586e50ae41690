/* store/store.h - what licet remembers, in verbs of the domain.
 *
 * Facts are append-only rows: acts, subject edits, notices, purpose versions,
 * configuration generations, deletions. Events are kept in segments, one per
 * group commit, with one cursor per destination; a group of events alone goes to
 * files beside the database (store/eventlog.h). Everything else (current
 * subjects, standings, lists) is derived from facts in the same transaction,
 * and `licet verify` re-checks it. SQL text stands in this folder only.
 *
 * Every group commit appends one link to the hash chain (store/chain.h).
 * Nothing is acknowledged to anybody before store_commit() returned OK.
 *
 * Thread: a struct store belongs to one thread (the loop's). A struct
 *         store_reader is a connection of its own, for one thread at a time; it
 *         sees committed groups only, and of groups of events alone those published.
 * Owner:  results live in the arena passed in, unless said otherwise.
 * Errors: ERR_IO, ERR_FULL, ERR_CORRUPT, ERR_BUSY (another daemon holds the
 *         directory); after a failed write verb the group must be rolled back.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"
#include "model/act.h"
#include "model/frozen.h"
#include "store/segment.h"

struct store;
struct store_reader;

struct store_options {
    struct str dir;  /* data directory, made when missing (0700) */
    bool memory;     /* nothing on disk: for tests; readers then share the connection */
    bool must_exist; /* commands that only look: do not create, do not lock, do not migrate */
};

enum err store_open(const struct store_options *o, struct store **ret_store,
                    struct err_info *info) MUST_CHECK;
void store_close(struct store **s); /* checkpoints and unlocks */
enum err store_reader_open(struct store *s, struct store_reader **ret_r,
                           struct err_info *info) MUST_CHECK;
enum err store_reader_open_dir(struct str dir, struct store_reader **ret_r,
                               struct err_info *info) MUST_CHECK;
void store_reader_close(struct store_reader **r);
/* The store's own view, uncommitted group included. Same thread as the store. */
struct store_reader *store_own_reader(struct store *s);

/* Per-installation secrets, made when the database was created: 32 bytes each. */
enum store_secret {
    SECRET_DEVICE_TOKEN,
    SECRET_PSEUDONYM,
    SECRET_DEDUPE,
    SECRET_SIGN_SEED,
    SECRET_COUNT
};
void store_secret(const struct store *s, enum store_secret which, uint8_t ret_secret[32]);
enum err store_read_secret(struct store_reader *r, enum store_secret which,
                           uint8_t ret_secret[32]) MUST_CHECK;

/* ---- groups ---- */

struct chain_head {
    int64_t group; /* number of the group, from 1 */
    int64_t at_ms;
    uint8_t hash[32];
};

enum err store_begin(struct store *s) MUST_CHECK;
/* Durable when it returns OK (WAL, synchronous=FULL). On failure the group was
 * rolled back. A group with nothing in it leaves no trace. */
enum err store_commit(struct store *s, int64_t at_ms, struct chain_head *ret_head,
                      struct err_info *info) MUST_CHECK;
void store_rollback(struct store *s);
/* Shows readers the groups of events that were committed since the last group with
 * anything else, which shows them, too. Cheap, no sync: they are durable already.
 * Outside a group, or in one that has nothing but events. */
enum err store_publish(struct store *s, struct err_info *info) MUST_CHECK;
uint32_t store_unpublished(const struct store *s); /* how many groups */
bool store_has_written(const struct store *s);     /* the open group: more than events */

/* ---- facts ---- */

enum fact_kind { /* stored: append only */
                 FACT_ACT = 1,
                 FACT_SUBJECT,
                 FACT_NOTICE,
                 FACT_PURPOSE_VERSION,
                 FACT_VOID,
                 FACT_RESTRICTION,
                 FACT_ERASURE,
                 FACT_CONFIGURATION,
                 FACT_RETENTION,
                 FACT_NAME,
                 FACT_DOCUMENT,  /* store/document.h */
                 FACT_FINDING,   /* store/finding.h */
                 FACT_SEAL = 20, /* store/proof.h */
                 FACT_SIGNING_KEY,
                 FACT_STAMP,
                 FACT_VERIFICATION = 30, /* store/verification.h */
                 FACT_VERIFICATION_END,
};

/* One purpose of one act, after binding (ARCHITECTURE, "Acts"). */
struct act_effect {
    uint32_t purpose; /* number in the store */
    bool grant, confirmed;
    enum act_evidence evidence;
    uint32_t version;  /* 0: binds nothing */
    int64_t effect_ms; /* of this purpose: a grant's may lie before what the same act lowers */
};

struct act_row {
    struct id id;
    struct str subject; /* external id */
    int64_t claimed_ms, received_ms;
    enum act_source source;
    struct str payload; /* the fact's bytes: JSON, written once, hashed as it is */
    const struct act_effect *effect;
    uint32_t effect_count;
    /* derived columns for lists and filters */
    struct str ip;                /* as it is to be kept, or empty */
    struct str type;              /* "consent_type" of the payload, or empty */
    const struct str *preference; /* names of all preferences, registered or not */
    uint32_t preference_count;
};
enum err store_add_act(struct store *s, const struct act_row *row, int64_t *ret_seq) MUST_CHECK;

/* The subject as people see it. Text fields are JSON-free UTF-8, empty: none. */
struct subject_row {
    struct str id;
    struct str email, first_name, last_name, full_name;
    bool verified;
    uint32_t flags;   /* SUBJECT_… */
    struct str extra; /* unknown keys as sent: a JSON object, or empty */
    struct str
        preferences; /* JSON object name → {"value":…,"consent_id":"…"}, newest of each; or empty */
    int64_t created_ms, changed_ms;
    int64_t seq; /* of the newest fact */
};
/* Writes a subject (new or changed): `row` is the whole new state but for
 * flags, seq and created_ms, payload the fact that says what was asked. An act
 * on a subject that does not exist needs this first. */
enum err store_put_subject(struct store *s, const struct subject_row *row, struct str payload,
                           int64_t received_ms, int64_t *ret_seq) MUST_CHECK;
/* Updates the derived preferences of a subject after an act; no fact of its own. */
enum err store_set_preferences(struct store *s, struct str subject,
                               struct str preferences) MUST_CHECK;
enum err store_get_subject(struct store_reader *r, struct str id, struct arena *a,
                           struct subject_row *ret_row) MUST_CHECK;

/* id, email_exact, first_name and last_name are compared byte by byte. email and full_name are
 * taken apart at dots and spaces, and what holds any of the parts is found; a part is held by what has
 * all its words as whole words, ASCII letters of either case: "@example.com" finds what holds
 * "example" or "com". A phone is found by its digits; a 00 before them does not count. */
struct subject_filter {
    struct str id, email_exact, email, first_name, last_name, full_name, phone; /* empty: any */
    int verified;                                                               /* -1 any, 0, 1 */
    int64_t from_ms, to_ms;    /* of changed_ms, inclusive; 0: open */
    struct str starting_after; /* a subject id; ERR_NOT_FOUND when unknown */
    uint32_t limit;            /* 1 … LIMIT_LIST */
};
/* Newest first: by when they were made, or with from_ms or to_ms by when they were changed. Indexes are
 * asked at most three times LIMIT_EXAMINED times; what would take more is ERR_LIMIT. */
enum err store_list_subjects(struct store_reader *r, const struct subject_filter *f,
                             struct arena *a, struct subject_row **ret_rows,
                             uint32_t *ret_count) MUST_CHECK;

/* The snapshot for the gate: reduced from the subject's acts, one block of
 * must_alloc memory that the caller frees. A subject nothing is known of gives
 * one with seq 0. `up_to_seq` replays the past; INT64_MAX for now. */
enum err store_load_snapshot(struct store_reader *r, struct str subject, int64_t up_to_seq,
                             struct snapshot **ret_snapshot) MUST_CHECK;

struct act_found {
    struct id id;
    int64_t seq, claimed_ms, received_ms;
    struct str subject, payload, ip;
    enum act_source source;
    uint8_t leaf[32];
};
enum err store_get_act(struct store_reader *r, const struct id *id, struct arena *a,
                       struct act_found *ret_act) MUST_CHECK;
enum err store_get_act_by_seq(struct store_reader *r, int64_t seq, struct arena *a,
                              struct act_found *ret_act) MUST_CHECK;
struct act_filter {
    struct str subject, preference_key, ip; /* empty: any; ip "none": acts without one */
    struct str type;                        /* empty: any; "null": acts without one */
    const struct subject_filter *who; /* NULL: anybody. Its time, cursor and limit do not count */
    int source;                       /* -1 any, or enum act_source */
    int64_t from_ms, to_ms;           /* of the claimed time, inclusive; 0: open */
    bool has_starting_after;
    struct id starting_after; /* ERR_NOT_FOUND when unknown */
    uint32_t limit;
};
/* Newest first: by receipt, or with from_ms or to_ms by the claimed time. ERR_LIMIT as above. */
enum err store_list_acts(struct store_reader *r, const struct act_filter *f, struct arena *a,
                         struct act_found **ret_acts, uint32_t *ret_count) MUST_CHECK;

/* Idempotency-Key: the first answer, kept LIMIT_IDEMPOTENCY_MS. `scope` tells
 * keys of different senders apart. */
enum err store_put_answer(struct store *s, struct str scope, struct str key, int64_t at_ms,
                          struct str body_hash, struct str answer) MUST_CHECK;
enum err store_get_answer(struct store_reader *r, struct str scope, struct str key, int64_t now_ms,
                          struct arena *a, struct str *ret_body_hash,
                          struct str *ret_answer) MUST_CHECK;

struct notice_row {
    struct str identifier;
    uint32_t version; /* from 1, given out by the store */
    int64_t timestamp_ms, received_ms;
    struct str content; /* JSON as sent: a string, or {language: text}; or empty */
    int64_t seq;
};
/* ret_version is the next number of that identifier. The payload is made by
 * the caller with the version that store_next_notice() promises. */
uint32_t store_next_notice(struct store *s, struct str identifier);
enum err store_add_notice(struct store *s, const struct notice_row *row, struct str payload,
                          int64_t *ret_seq) MUST_CHECK;
struct notice_filter {
    struct str identifier; /* empty: all */
    uint32_t version;      /* 0: all */
    struct str language;   /* of those that the content has; empty: any */
    int64_t from_ms, to_ms;
    /* Behind this version of starting_after_identifier (of `identifier` when that is empty);
     * without a version, behind the oldest of it. ERR_NOT_FOUND when there is no such notice. */
    struct str starting_after_identifier;
    uint32_t starting_after_version;
    uint32_t limit;
};
/* Newest first. ERR_LIMIT when more than LIMIT_EXAMINED notices would be looked at. */
enum err store_list_notices(struct store_reader *r, const struct notice_filter *f, struct arena *a,
                            struct notice_row **ret_rows, uint32_t *ret_count) MUST_CHECK;
/* The newest version of an identifier, 0 when there is none. */
uint32_t store_newest_notice(struct store_reader *r, struct str identifier);

/* Facts of the remaining kinds: restriction, erasure, void, retention. A
 * restriction or its end sets the subject's flag. */
enum err store_add_restriction(struct store *s, struct str subject, bool restricted,
                               struct str payload, int64_t received_ms,
                               int64_t *ret_seq) MUST_CHECK;

/* ---- configuration ---- */

enum err store_load_frozen(struct store_reader *r, struct arena *a,
                           struct frozen *ret_frozen) MUST_CHECK;
/* Names, versions and one generation fact (without secrets). */
enum err store_add_configuration(struct store *s, const struct policy_news *news,
                                 struct str payload, int64_t at_ms,
                                 uint32_t *ret_generation) MUST_CHECK;
uint32_t store_newest_generation(struct store_reader *r);

/* ---- generations of consents ---- */

/* A text declared void, a fact kept for ever; of several on one version the earliest `from_ms`
 * counts (store_load_frozen()). ERR_NOT_FOUND: no such version is stored; the group stays good. */
struct void_row {
    uint32_t purpose, version; /* purpose: its number */
    int64_t from_ms, at_ms;    /* void since; declared */
};
enum err store_add_void(struct store *s, const struct void_row *row, struct str payload,
                        int64_t *ret_seq) MUST_CHECK;
struct void_found {
    int64_t seq;
    struct void_row row;
    struct str payload;
};
enum err store_list_voids(struct store_reader *r, struct arena *a, struct void_found **ret_voids,
                          uint32_t *ret_count) MUST_CHECK; /* oldest first */

/* Subjects who ever granted that version in force for them, LIMIT_LIST a page at most, in the order
 * of their numbers, behind one of these; looks at LIMIT_EXAMINED standings. *ret_next is where the
 * next page begins, 0: there is none. A page may be empty. */
struct holder {
    int64_t number;
    struct str id;
};
enum err store_list_holders(struct store_reader *r, uint32_t purpose, uint32_t version,
                            int64_t after, struct arena *a, struct holder **ret_holders,
                            uint32_t *ret_count, int64_t *ret_next) MUST_CHECK;

/* How many subjects stand where with one purpose. Derived, and kept up to date with each act: a
 * few rows for each version and day, whatever the number of subjects. `bare`: as it is when a grant
 * needs no proof. */
enum coverage_state { /* stored: append only */
                      COVERAGE_GRANTED = 1,
                      COVERAGE_REFUSED,
                      COVERAGE_WITHDRAWN,
                      COVERAGE_IDLE, /* only grants that permit nothing */
};
struct coverage_row {
    enum coverage_state state;
    uint32_t version; /* held, or (withdrawn) held before; else 0 */
    int64_t day_ms;   /* COVERAGE_GRANTED: the day, 00:00 UTC, of the effect; else 0 */
    uint64_t n;
};
enum err store_list_coverage(struct store_reader *r, uint32_t purpose, bool bare, struct arena *a,
                             struct coverage_row **ret_rows, uint32_t *ret_count) MUST_CHECK;

/* Somebody who is not known refused or withdrew: a counter by purpose, version (0: none was in
 * force) and day. No fact, and nothing that could name her. */
enum err store_count_unknown(struct store *s, uint32_t purpose, uint32_t version,
                             int64_t at_ms) MUST_CHECK;
struct unknown_row {
    int64_t day_ms;
    uint32_t version;
    uint64_t n;
};
enum err store_list_unknown(struct store_reader *r, uint32_t purpose, int64_t from_ms,
                            struct arena *a, struct unknown_row **ret_rows,
                            uint32_t *ret_count) MUST_CHECK;

/* ---- imports and exports ---- */

/* How far an import has come: written in the group of what it brought, so that it goes on where
 * it stood, whatever was killed. */
struct import_row {
    struct str id, kind;
    int64_t next; /* records before this one (from 1) are done */
    uint64_t accepted, repeated, refused;
    int64_t begun_ms, changed_ms;
};
enum err store_get_import(struct store_reader *r, struct str id, struct arena *a,
                          struct import_row *ret_row) MUST_CHECK;
enum err store_put_import(struct store *s, const struct import_row *row) MUST_CHECK;
struct refused_line {
    int64_t line;
    struct str field, error; /* without the value */
};
enum err store_refuse_line(struct store *s, struct str import,
                           const struct refused_line *line) MUST_CHECK;
enum err store_list_refused(struct store_reader *r, struct str import, int64_t after,
                            uint32_t limit, struct arena *a, struct refused_line **ret_lines,
                            uint32_t *ret_count) MUST_CHECK;

/* Everything, oldest first, as it was when the call began: acts and notices by their timestamp,
 * subjects by their last change, both ends inclusive (0: open). Slices are valid within `fn`; another
 * answer than OK ends the walk and is returned. While it lasts, the WAL is not cut. */
enum err store_each_act(struct store_reader *r, int64_t from_ms, int64_t to_ms,
                        enum err (*fn)(void *ctx, const struct act_found *act),
                        void *ctx) MUST_CHECK;
enum err store_each_subject(struct store_reader *r, int64_t from_ms, int64_t to_ms,
                            enum err (*fn)(void *ctx, const struct subject_row *row),
                            void *ctx) MUST_CHECK;
enum err store_each_notice(struct store_reader *r, int64_t from_ms, int64_t to_ms,
                           enum err (*fn)(void *ctx, const struct notice_row *row),
                           void *ctx) MUST_CHECK;

/* ---- events ---- */

/* Adds the group's segment; its number is the group's. The builder must stay as it is until the
 * group is committed or rolled back. */
enum err store_add_segment(struct store *s, const struct segment_builder *b) MUST_CHECK;

struct segment_found {
    int64_t number;
    int64_t at_ms;
    struct str bytes;
};
/* The first behind `after` that holds an event permitted for one of these slots (bits).
 * ERR_NOT_FOUND at the end. */
enum err store_next_permitted(struct store_reader *r, int64_t after, uint32_t slots,
                              struct arena *a, struct segment_found *ret_segment) MUST_CHECK;
/* The newest segment whose events were all received before a moment; 0: none. */
int64_t store_newest_segment_before(struct store_reader *r, int64_t at_ms);
enum err store_get_segment(struct store_reader *r, int64_t number, struct arena *a,
                           struct segment_found *ret_segment) MUST_CHECK;
int64_t store_newest_segment(struct store_reader *r); /* 0: none */
/* Where an event lies. ERR_NOT_FOUND. */
enum err store_find_event(struct store_reader *r, const struct id *event, int64_t *ret_segment,
                          uint32_t *ret_index) MUST_CHECK;
/* Calls fn for the message hash of each event received since; for the
 * deduplication window. Oldest first. */
enum err store_each_message(struct store_reader *r, int64_t since_ms,
                            void (*fn)(void *ctx, uint64_t hash, int64_t received_ms),
                            void *ctx) MUST_CHECK;

/* Deletes what only deliveries needed from segments up to `last`: each event
 * keeps its entry; its body stays, cut down by `keep` (which writes the fields
 * that `own` may have, or nothing), and a retention fact with the rewritten
 * segments' hashes is added. At most `most` segments a call; *ret_done is how many
 * were cut: less than `most` when there is nothing left to do up to `last`.
 * Each segment is cut by `keep` once, oldest first; one whose events are permitted for slots of `whole`
 * only (bits) is passed over: it holds what these may have, in the form in which they have it. When the own store's time is over
 * too, `keep` is NULL: all bodies up to `last` are deleted, cut before or not. */
typedef void (*store_keep_fn)(void *ctx, const struct stored_event *e, struct buf *ret_body);
enum err store_strip_segments(struct store *s, int64_t last, uint32_t most, int64_t at_ms,
                              uint32_t whole, store_keep_fn keep, void *ctx,
                              uint32_t *ret_done) MUST_CHECK;
/* Deletes from the event log what the segments that were cut down had there, outside a group. Left
 * for later while somebody verifies or copies. */
enum err store_tidy(struct store *s, struct err_info *info) MUST_CHECK;

/* ---- deliveries ---- */

enum delivery_result {                     /* stored: append only */
                       DELIVERY_SENT = 1,  /* the receiver said yes */
                       DELIVERY_DROPPED,   /* the second decision said no; see reason */
                       DELIVERY_RETRY,     /* not now; will be tried again */
                       DELIVERY_DEAD,      /* refused for good, or tried too often */
                       DELIVERY_UNCERTAIN, /* it may have arrived, and may not be repeated */
};
extern const char *const delivery_result_name[6];

struct delivery_item {
    int64_t segment;
    uint32_t index;
    enum delivery_result result;
    enum reason reason; /* with DELIVERY_DROPPED */
    uint32_t fields;    /* which of the request's sets of names; below LIMIT_FIELD_SETS */
};

/* Where a destination stands: everything before it is delivered, dropped, dead,
 * uncertain, or among the pending requests. */
struct delivery_cursor {
    int64_t segment; /* whole segments up to this one are taken … */
    uint32_t index;  /* … and of the next one, this many events */
};
enum err store_get_cursor(struct store_reader *r, uint32_t slot,
                          struct delivery_cursor *ret_c) MUST_CHECK; /* zero when new */
/* A new destination starts at the newest segment, not with the past. */
enum err store_set_cursor(struct store *s, uint32_t slot,
                          const struct delivery_cursor *c) MUST_CHECK;

/* One outgoing request, from `sending` to its end. */
struct delivery_request {
    struct id id;
    uint32_t slot;
    uint32_t attempts; /* begun so far */
    int64_t at_ms;     /* begun, or of the result */
    int64_t next_ms;   /* of a retry: not before */
    struct str error;  /* last one, without payload; empty: none */
    /* The sets of names of fields that left, each event's in item.fields: the sets that differ, a
     * line each ('\n' between them); names sorted, with commas between them. A set may be empty:
     * nothing at all is one empty set, number 0. */
    struct str fields;
    const struct delivery_item *item;
    uint32_t item_count;
};
/* The set of that number, within `sets`; false when there are fewer. */
bool delivery_fields(struct str sets, uint32_t number, struct str *ret_names) MUST_CHECK;
/* `sending` is on disk before the first byte goes out; with it the cursor (NULL:
 * it stays, as for a repetition). A pending request keeps its items: ERR_VALUE when
 * another number of them is given here or below. */
enum err store_mark_sending(struct store *s, const struct delivery_request *q,
                            const struct delivery_cursor *c) MUST_CHECK;
/* The end of an attempt. Items with DELIVERY_RETRY become (with those of the same
 * request) a pending retry; DEAD ones a dead letter; the others are final. Where only
 * a part of the request remains, it gets a new id, since its receiver may have seen the
 * old one with other events; where all of it remains, it keeps the id. A request
 * that was never marked (all its items dropped) may be finished as well. The
 * subjects, whose sent events become findable: hashes by store_subject_hash(). */
enum err store_finish_sending(struct store *s, const struct delivery_request *q,
                              const uint64_t *subject_hash, uint32_t subject_count) MUST_CHECK;
uint64_t store_subject_hash(const struct store_reader *r, struct str subject);

enum pending_state { PENDING_SENDING = 1, PENDING_RETRY, PENDING_DEAD };
/* Requests in a state, oldest first; slot -1: all. Retries only when next_ms <= due_ms.
 * PENDING_SENDING at start-up means: uncertain. */
enum err store_list_pending(struct store_reader *r, int slot, enum pending_state state,
                            int64_t due_ms, uint32_t limit, struct arena *a,
                            struct delivery_request **ret_q, uint32_t *ret_count) MUST_CHECK;
/* Makes dead letters due again now, with all their attempts before them: one
 * request, or (id NULL) all of a slot or of all (-1). */
enum err store_revive_dead(struct store *s, int slot, const struct id *id, int64_t at_ms,
                           uint32_t *ret_count) MUST_CHECK;

/* Retries become dead letters: their destination was taken out and is new again. The error is added to theirs. */
enum err store_bury_retries(struct store *s, uint32_t slot, struct str error, int64_t at_ms,
                            uint32_t *ret_count) MUST_CHECK;

/* What is known of a destination besides its cursor; all 0 when nothing is. */
struct delivery_standing {
    int64_t paused_ms;     /* nothing goes there since; 0: it is not paused */
    int64_t absent_ms;     /* not in the configuration since; 0: it is in it */
    int64_t start_segment; /* it began behind this segment … */
    int64_t start_ms;      /* … then */
};
enum err store_get_standing(struct store_reader *r, uint32_t slot,
                            struct delivery_standing *ret_s) MUST_CHECK;
enum err store_set_standing(struct store *s, uint32_t slot,
                            const struct delivery_standing *standing) MUST_CHECK;

/* What was sent of a subject (or is uncertain), newest first, at most `limit`. */
struct sent_found {
    struct id event;
    uint32_t slot;
    int64_t at_ms;
    enum delivery_result result;
    struct str fields;            /* this event's names alone */
    int64_t received_ms, act_seq; /* of the event: what its verdicts rest on (store/segment.h) */
    bool as_person;               /* she is the event's person, not its device */
};
enum err store_list_sent(struct store_reader *r, struct str subject, uint32_t limit,
                         struct arena *a, struct sent_found **ret_sent, uint32_t *ret_count,
                         uint64_t *ret_total) MUST_CHECK;
/* What became of one stored event: one item per finished or pending request. One
 * that is on its way is DELIVERY_UNCERTAIN. */
struct event_delivery {
    uint32_t slot;
    enum delivery_result result;
    enum reason reason;
    int64_t at_ms;
    uint32_t attempts;
    struct str fields, error; /* fields: this event's names alone */
};
enum err store_event_deliveries(struct store_reader *r, int64_t segment, uint32_t index,
                                struct arena *a, struct event_delivery **ret_d,
                                uint32_t *ret_count) MUST_CHECK;
/* The same for all events of a segment, by index: one for each event and slot that a
 * request has or had. An event behind a slot's cursor without one was denied. */
struct outcome {
    uint32_t index, slot;
    bool sending; /* on its way now; result then says nothing */
    enum delivery_result result;
    enum reason reason; /* with DELIVERY_DROPPED */
    int64_t at_ms;
    uint32_t attempts;
};
enum err store_segment_outcomes(struct store_reader *r, int64_t segment, struct arena *a,
                                struct outcome **ret_outcomes, uint32_t *ret_count) MUST_CHECK;
/* How many of this subject's events wait for these slots (bits), one that waits for two counted
 * twice: permitted when they came and behind the slot's cursor, or to be tried again. Looks through
 * all that waits, whoever it is about: a fraction of a second for each million events. */
enum err store_count_waiting(struct store_reader *r, struct str subject, uint32_t slots,
                             uint64_t *ret_count) MUST_CHECK;

/* ---- counters, backup, verification ---- */

/* Adds to the anonymous hourly counters: what was not stored, by slot and reason. */
enum err store_count(struct store *s, int64_t hour_ms, uint32_t slot, enum reason reason,
                     uint64_t n) MUST_CHECK;
struct counter_row {
    int64_t hour_ms;
    uint32_t slot;
    enum reason reason;
    uint64_t n;
};
enum err store_list_counters(struct store_reader *r, int64_t from_ms, int64_t to_ms,
                             struct arena *a, struct counter_row **ret_rows,
                             uint32_t *ret_count) MUST_CHECK;

/* A consistent copy of the live database, by SQLite's backup interface, with all events in it, as
 * one file (0600) that must not exist yet (ERR_CONFLICT). */
enum err store_backup(struct store_reader *r, struct str to_file, struct chain_head *ret_head,
                      struct err_info *info) MUST_CHECK;
enum err store_newest_head(struct store_reader *r, struct chain_head *ret_head) MUST_CHECK;
enum err store_get_head(struct store_reader *r, int64_t group,
                        struct chain_head *ret_head) MUST_CHECK; /* ERR_NOT_FOUND */

/* Reads everything again: the chain from the first group, every leaf, every derived
 * column and row. Calls `fault` for each thing that does not agree (names the fact or event).
 * OK when it could be read at all, whatever it found. */
struct verify_result {
    uint64_t groups, facts, events, emptied, faults;
    struct chain_head head;
};
enum err store_verify(struct store_reader *r, void (*fault)(void *ctx, const char *what), void *ctx,
                      struct verify_result *ret_result, struct err_info *info) MUST_CHECK;

/* Moves what the WAL holds to the database, as far as no reader needs it where it is;
 * waits for nobody. Call it now and then beside the loop: commits do not, until the
 * WAL has 64 MB. Reader's thread. */
enum err store_checkpoint(struct store_reader *r) MUST_CHECK;

#endif
