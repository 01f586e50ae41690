/* pipeline/dedupe.h - message ids seen lately.
 *
 * A window of LIMIT_DEDUPE_IDS ids or LIMIT_DEDUPE_MS, whichever ends first,
 * over all sources (the hash covers source and message id). Kept in memory and
 * filled again at start from the stored events. Grows with use: about 16 bytes an id.
 *
 * Thread: one.
 */
#ifndef PIPELINE_DEDUPE_H
#define PIPELINE_DEDUPE_H

#include <stdbool.h>
#include <stdint.h>

struct dedupe;
struct dedupe *dedupe_new(uint32_t ids, int64_t window_ms);
void dedupe_free(struct dedupe **d);

/* dedupe_seen() will be asked of this hash in a moment: gets the memory near. */
void dedupe_expect(const struct dedupe *d, uint64_t hash);

/* True when the hash was seen within the window; else remembers it. Times do
 * not run backwards. */
bool dedupe_seen(struct dedupe *d, uint64_t hash, int64_t at_ms);

/* Forgets what was added since the mark: a group that could not be committed. */
uint64_t dedupe_mark(const struct dedupe *d);
void dedupe_rollback(struct dedupe *d, uint64_t mark);

#endif
