/* consent/snapshots.h - the bounded cache behind ledger_snapshot().
 *
 * Two tables, each of `capacity` subjects, least recently used out first:
 * the loop's own, which is looked at without a lock and sees the open group;
 * and a shared one under a mutex, which holds what is committed.
 *
 * A reader that misses registers its load first and reads then. A commit that
 * changes a subject puts the new snapshot on every registered load of it, and a
 * reader that comes back finds that instead of publishing its own. So nobody
 * gets, after snapshots_committed() returned, what was true before the commit.
 *
 * Owner:  snapshots are copied in, counted, and freed with their last reference.
 * Thread: functions of the loop and of any thread, as said below.
 */
#ifndef CONSENT_SNAPSHOTS_H
#define CONSENT_SNAPSHOTS_H

#include "model/act.h"

struct snapshots;
struct snapshot_entry; /* a registered load */

struct snapshots *snapshots_new(uint32_t capacity);
void snapshots_free(struct snapshots **s);

/* ---- loop thread ---- */

/* What the loop's table holds, or NULL. What it returns stays valid until the
 * next snapshots_change(), _committed() or _rolled_back(). */
const struct snapshot *snapshots_now(struct snapshots *s, struct str subject);
/* After a miss: keeps a copy of what the store says of a subject that the open group does not change. */
const struct snapshot *snapshots_keep(struct snapshots *s, struct str subject,
                                      const struct snapshot *loaded);
/* The open group changed this subject: a copy becomes what the loop sees now,
 * and what everybody sees after the commit. */
void snapshots_change(struct snapshots *s, struct str subject, const struct snapshot *loaded);
void snapshots_committed(struct snapshots *s);
void snapshots_rolled_back(struct snapshots *s);
/* From now on her snapshots say SUBJECT_RESTRICTED, until a committed change of her. When more than
 * `capacity` subjects are blocked, everybody is, until the end of the process. */
void snapshots_block(struct snapshots *s, struct str subject);

/* ---- any thread ---- */

/* A referenced snapshot; or NULL, and *ret_load must be given to snapshots_loaded(). */
const struct snapshot *snapshots_take(struct snapshots *s, struct str subject,
                                      struct snapshot_entry **ret_load);
/* Ends a load. `loaded` is what was read after snapshots_take() returned, or
 * NULL when that failed. A referenced snapshot, NULL only if `loaded` was. */
const struct snapshot *snapshots_loaded(struct snapshots *s, struct snapshot_entry *load,
                                        const struct snapshot *loaded);
void snapshots_unref(const struct snapshot **snapshot);

#endif
