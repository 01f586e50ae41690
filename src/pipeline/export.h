/* pipeline/export.h - every stored event with what became of it, for programs.
 *
 * Any thread, with a reader of its own, beside a running daemon as well. Events
 * come in the order in which they were stored, segment by segment; what is
 * stored meanwhile comes, too. An event's line holds ids of people, no field of
 * the event.
 */
#ifndef PIPELINE_EXPORT_H
#define PIPELINE_EXPORT_H

#include "store/store.h"

/* Calls `line` with one JSON object for each event, without newline; another answer than OK
 * ends it and is returned. A destination has `result` when something was permitted to it:
 * sent, dropped (with its reason), uncertain, dead, retry, sending; waiting when its
 * turn has not come; missing when its turn has passed and there is no record of it, which
 * must never be. `own` keeps and has none. */
enum err export_events(struct store_reader *r, enum err (*line)(void *ctx, struct str text),
                       void *ctx) MUST_CHECK;

#endif
