/* pipeline/pipeline.h - all stages, joined.
 *
 * bytes → collect → gate → segment → (commit) → gate → transform → deliver, and
 * act → ledger → snapshot, with the threads they run on (ARCHITECTURE, "Threads"): the loop's,
 * which calls everything here unless said otherwise; the delivery thread; the
 * reader; the janitor.
 *
 * A turn of the loop: requests come in and join the open group through a
 * waiter; pipeline_turn() commits the group and marks the waiters done. Nobody
 * is answered before her waiter is done.
 */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include "collect/collect.h"
#include "consent/verification.h"
#include "deliver/deliver.h"
#include "deliver/hook.h"
#include "pipeline/numbers.h"
#include "pipeline/reader.h"
#include "pipeline/tail.h"
#include "pipeline/watch.h"

/* One configuration in use; a reload makes the next. Counted: whoever is not
 * on the loop's thread takes a reference. */
struct generation {
    const struct conf *conf;
    const struct policy *policy;
    const struct fields_plan *plan;
};

struct pipeline;

/* Opens the store, brings the configuration in (ERR_CONFLICT when something
 * frozen was changed: *reports says what), fills the deduplication window and starts the
 * threads. The pipeline owns `conf` from then on. `wake` is called from any thread when a turn is due. */
enum err pipeline_open(struct conf *conf, void (*wake)(void *ctx), void *ctx,
                       struct pipeline **ret_p, struct buf *reports,
                       struct err_info *info) MUST_CHECK;

/* Brings a changed file into use, or refuses it as a whole and goes on with the old one. */
enum err pipeline_reload(struct pipeline *p, struct buf *reports, struct err_info *info) MUST_CHECK;

/* The last commit, no new sends, tickets waited for, checkpoint. pipeline_stopping() first, then turns until
 * pipeline_stopped(), then close. */
void pipeline_stopping(struct pipeline *p);
bool pipeline_stopped(struct pipeline *p);
void pipeline_close(struct pipeline **p);

const struct generation *pipeline_generation(
    struct pipeline *p); /* the loop's view; valid until the next reload */
const struct generation *pipeline_generation_ref(struct pipeline *p); /* any thread */
void pipeline_generation_unref(struct pipeline *p, const struct generation **g);
uint32_t pipeline_generation_number(const struct generation *g);

/* ---- waiting for the commit ---- */

struct waiter {
    struct waiter *next, *prev;
    bool joined, done;
    enum err result; /* OK: durable, and past the barrier if there was one */
    /* set by pipeline_consent() and pipeline_subject() */
    struct str lowers; /* the subject whose withdrawal this is; empty: none */
    bool lowers_all;   /* of several people at once, or of a text */
    struct barrier *barrier;
    void (*finished)(
        struct waiter
            *w); /* called when it was done later than at the end of this turn; may be NULL */
};
/* Takes a waiter out, whose request went away. What was joined is committed all the same. */
void pipeline_leave(struct pipeline *p, struct waiter *w);

/* Commits what joined, applies what other threads posted, looks at barriers. True when waiters became done. */
bool pipeline_turn(struct pipeline *p);
/* Milliseconds until a turn is due for its own sake; at most 1000. */
int pipeline_timeout(struct pipeline *p);

/* ---- what comes in ---- */

struct ingest_answer {
    uint32_t stored, denied, duplicate;
    struct str explain; /* JSON array, one per message, when asked for */
};
/* Decides and stores the messages of one request. `source` tells senders apart for deduplication. When something must be
 * committed, w has joined; else it is done at once. Never fails for a message's sake. */
enum err pipeline_ingest(struct pipeline *p, const struct collect_result *events, uint64_t source,
                         bool explain, struct arena *a, struct waiter *w,
                         struct ingest_answer *ret_answer, struct err_info *info) MUST_CHECK;

/* The consent database's writes: ledger.h, within the group. */
enum err pipeline_consent(struct pipeline *p, struct consent_request *q, struct arena *a,
                          struct waiter *w, struct consent_answer *ret_answer,
                          struct err_info *info) MUST_CHECK;
enum err pipeline_subject(struct pipeline *p, const struct subject_request *q, struct arena *a,
                          struct waiter *w, struct str *ret_json, struct err_info *info) MUST_CHECK;
enum err pipeline_notices(struct pipeline *p, struct str body, enum body_format format,
                          struct arena *a, struct waiter *w, struct str *ret_json,
                          struct err_info *info) MUST_CHECK;

/* Declares a text void (ledger_void()): durable, and the gate refuses what rests on it, when this
 * returns OK; w is done when nothing that began before is on its way any more. */
enum err pipeline_void(struct pipeline *p, struct str body, struct arena *a, struct waiter *w,
                       struct str *ret_json, struct err_info *info) MUST_CHECK;

/* Takes in records of an import (ledger_import()), for LIMIT_IMPORT_MS at most. */
enum err pipeline_import(struct pipeline *p, const struct import_request *q, struct arena *a,
                         struct waiter *w, struct str *ret_json, struct err_info *info) MUST_CHECK;

/* Of an upload; ERR_FULL when the disk has no room for it beside what withdrawals need. */
enum err pipeline_document(struct pipeline *p, const struct document_request *q, struct arena *a,
                           struct waiter *w, struct str *ret_json,
                           struct err_info *info) MUST_CHECK;

/* Double opt-in: consent/verification.h. */
enum err pipeline_ask_verification(struct pipeline *p, const struct verification_request *q,
                                   struct arena *a, struct waiter *w, struct str *ret_json,
                                   struct err_info *info) MUST_CHECK;
enum err pipeline_confirm(struct pipeline *p, const struct confirmation_request *q, struct arena *a,
                          struct waiter *w, struct confirmation_page *ret_page,
                          struct err_info *info) MUST_CHECK;

/* What is pending of a watched notice becomes its next version. */
enum err pipeline_confirm_notice(struct pipeline *p, struct str identifier, struct str sha256,
                                 struct arena *a, struct waiter *w, struct str *ret_json,
                                 struct err_info *info) MUST_CHECK;

/* Dead letters due again: one request, or (id NULL) all of a destination (slot, -1: all). */
enum err pipeline_revive(struct pipeline *p, int slot, const struct id *id, struct waiter *w,
                         uint32_t *ret_count, struct err_info *info) MUST_CHECK;

/* Nothing more is begun for a destination, until it is told to go on; over restarts. ERR_STATE-free: saying it twice
 * changes nothing. Takes effect with deliver_look() after the commit. */
enum err pipeline_pause(struct pipeline *p, uint32_t slot, bool paused, struct waiter *w,
                        struct err_info *info) MUST_CHECK;

/* The same for a hook; and its dead messages due again: one, or (message NULL) all, of one hook or (id empty) of
 * all. Takes effect with hooks_look() after the commit. */
enum err pipeline_pause_hook(struct pipeline *p, struct str id, bool paused, struct waiter *w,
                             struct err_info *info) MUST_CHECK;
enum err pipeline_revive_hook(struct pipeline *p, struct str id, const struct id *message,
                              struct waiter *w, uint32_t *ret_count,
                              struct err_info *info) MUST_CHECK;

/* ---- looking ---- */

/* Runs a job on the reader's thread, which sees all that was answered before. */
void pipeline_look(struct pipeline *p, struct reader_job *job);
struct ledger *pipeline_ledger(struct pipeline *p);
struct deliver *pipeline_deliver(struct pipeline *p);
struct hooks *pipeline_hooks(struct pipeline *p);
struct tail *pipeline_tail(struct pipeline *p);
struct watch *pipeline_watch(struct pipeline *p);
struct numbers *pipeline_numbers(struct pipeline *p);
void pipeline_secret(struct pipeline *p, enum store_secret which, uint8_t ret_secret[32]);

#endif
