/* codec/json_write.h - JSON written member by member.
 *
 * The buffer itself knows whether a comma is due: nothing need be remembered between calls. What has
 * become too long shows at the end, in write_done().
 */
#ifndef CODEC_JSON_WRITE_H
#define CODEC_JSON_WRITE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

/* Begins a member: a comma where one is needed, the name, the colon. */
void write_name(struct buf *to, struct str name);
/* `"name":"value"`, `"name":raw`, … ; raw is JSON, "" writes null. */
void write_text(struct buf *to, const char *name, struct str value);
void write_text_or_null(struct buf *to, const char *name, struct str value);
void write_raw(struct buf *to, const char *name, struct str raw);
void write_bool(struct buf *to, const char *name, bool value);
void write_number(struct buf *to, const char *name, int64_t value);
/* With milliseconds; null for 0; or as existing clients know it, without. */
void write_time(struct buf *to, const char *name, int64_t ms);
void write_time_or_null(struct buf *to, const char *name, int64_t ms);
void write_time_seconds(struct buf *to, const char *name, int64_t ms);
/* The day alone, in UTC. */
void write_day(struct buf *to, const char *name, int64_t ms);
/* A comma unless the container was opened just now, or a member begun: for values without a name. */
void write_comma(struct buf *to);
/* The buffer's bytes in the arena; ERR_LIMIT when it ran over. */
enum err write_done(struct buf *from, struct arena *a, struct str *ret_json) MUST_CHECK;

#endif
