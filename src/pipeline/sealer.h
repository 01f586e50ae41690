/* pipeline/sealer.h - signs the chain's head now and then, and has it time stamped.
 *
 * A thread with a reader of its own looks what is due, reads the signing key (made at the first start) and asks
 * the authority; whatever is written is written by the loop. What fails is logged and tried again, the authority after
 * a minute, then less and less often up to an hour; nothing else waits for it.
 *
 * Thread: sealer_write() belongs to the loop's, within the open group; sealer_has() to any.
 */
#ifndef PIPELINE_SEALER_H
#define PIPELINE_SEALER_H

#include "pipeline/pipeline.h"

struct sealer;
/* Takes the store_reader over. */
struct sealer *sealer_new(struct pipeline *p, struct store_reader *r, void (*wake)(void *ctx),
                          void *ctx);
void sealer_free(struct sealer **s); /* waits for the authority, a few seconds at most */

bool sealer_has(struct sealer *s);                        /* something to be written */
void sealer_write(struct sealer *s, struct store *store); /* what cannot be written is logged */

#endif
