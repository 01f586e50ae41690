/* deliver/ticket.h - who is in a request that is on its way (promise P3).
 *
 * A send ticket is taken for every subject in a request, under one lock with the
 * second decision, right before the request's first byte; it is given back when the request has
 * ended. A withdrawal replaces the snapshot and then opens a barrier: it waits for the tickets that were
 * taken before, and for no others. Whoever takes a ticket later sees the new snapshot and is denied.
 *
 * Subjects are store_subject_hash(). The delivery thread gives a ticket back when the result is
 * committed (or could not be), so what the store lists when a barrier has passed is complete.
 *
 * Thread: any; one mutex inside.
 */
#ifndef DELIVER_TICKET_H
#define DELIVER_TICKET_H

#include "base/err.h"
#include "base/id.h"
#include "base/str.h"

#include <stdint.h>

struct tickets;
struct tickets *tickets_new(void);
void tickets_free(struct tickets **t); /* none may be out */

/* Runs `decide` under the lock; when it says true, the ticket for these subjects (hashes) is taken. A request
 * has at most one ticket: taking it again (libcurl re-sends) decides again and keeps it or gives it back. */
bool tickets_take(struct tickets *t, const struct id *request, const uint64_t *subject,
                  uint32_t count, bool (*decide)(void *ctx), void *ctx);
void tickets_give_back(struct tickets *t, const struct id *request);

/* Runs fn under the same lock: how a new snapshot or policy is put in place. */
void tickets_locked(struct tickets *t, void (*fn)(void *ctx), void *ctx);

/* A barrier for one subject (hash), or for everybody (all). Never blocks; ask now and then. */
struct barrier;
struct barrier *barrier_open(struct tickets *t, bool all, uint64_t subject, int64_t now_mono_ms);
/* True when no ticket from before it is out any more. After LIMIT_BARRIER_MS, requests that carry this one
 * subject only are marked to be cut (tickets_must_cut); those with several people are waited for. */
bool barrier_passed(struct barrier *b, int64_t now_mono_ms);
void barrier_close(struct barrier **b);
/* Calls fn (from any thread, without the lock) whenever a ticket came back: so that the loop looks again. */
void tickets_on_return(struct tickets *t, void (*fn)(void *ctx), void *ctx);

/* Asked by the sender each turn: is this request to be reset now? */
bool tickets_must_cut(struct tickets *t, const struct id *request);

#endif
