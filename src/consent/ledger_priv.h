/* consent/ledger_priv.h - what the files of this folder share. */
#ifndef CONSENT_LEDGER_PRIV_H
#define CONSENT_LEDGER_PRIV_H

#include "consent/ledger.h"
#include "consent/snapshots.h"

#include "base/buf.h"

struct ledger {
    struct store *store;
    struct store_reader *own; /* the loop's view, open group included */
    struct snapshots *snapshots;
};

/* ledger_open() with a smaller cache: tests want to see it run full. */
enum err ledger_open_sized(struct store *s, uint32_t snapshots, struct ledger **ret_ledger,
                           struct err_info *info) MUST_CHECK;

/* The one owner of an installation, in the places where answers name one. */
#define OWNER "1"

/* What a verb of the store that failed means to our caller: the group must go.
 * Never one of the errors that say the request was at fault. */
enum err write_failed(enum err e) MUST_CHECK;

/* ---- writing JSON ---- */

/* Begins a member: a comma where one is needed, the name, the colon. */
void write_name(struct buf *to, struct str name);
/* `"name":"value"`, `"name":raw`, … ; raw is JSON, "" writes null. */
void write_text(struct buf *to, const char *name, struct str value);
void write_text_or_null(struct buf *to, const char *name, struct str value);
void write_raw(struct buf *to, const char *name, struct str raw);
void write_bool(struct buf *to, const char *name, bool value);
void write_number(struct buf *to, const char *name, int64_t value);
/* With milliseconds, or as existing clients know it, without. */
void write_time(struct buf *to, const char *name, int64_t ms);
void write_time_seconds(struct buf *to, const char *name, int64_t ms);
/* A comma unless the container was opened just now: for items of an array. */
void write_comma(struct buf *to);
/* The buffer's bytes in the arena; ERR_LIMIT when it ran over. */
enum err write_done(struct buf *from, struct arena *a, struct str *ret_json) MUST_CHECK;

/* As GET shows them, with all languages. */
void subject_write_line(const struct subject_row *row, struct arena *a, struct buf *to);
enum err notice_write_line(struct store_reader *r, const struct notice_row *n, struct arena *a,
                           struct buf *to) MUST_CHECK;

/* ---- addresses ---- */

/* An IP address as text: canonical, or cut to /24 and /48. Empty when it is none. */
struct str address_canonical(struct str ip, struct arena *a);
struct str address_truncated(struct str ip, struct arena *a);

#endif
