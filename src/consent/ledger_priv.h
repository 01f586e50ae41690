/* consent/ledger_priv.h - what the files of this folder share. */
#ifndef CONSENT_LEDGER_PRIV_H
#define CONSENT_LEDGER_PRIV_H

#include "consent/ledger.h"
#include "consent/snapshots.h"

#include "base/buf.h"
#include "codec/json_write.h"

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

/* The standing that the act of that seq belongs to, and when the act took effect. NULL: none does. */
const struct standing *snapshot_decided_by(const struct snapshot *s, uint32_t purpose, int64_t seq,
                                           int64_t *ret_effect);

/* ---- writing JSON ---- */

/* As GET shows them, with all languages. */
void subject_write_line(const struct subject_row *row, struct arena *a, struct buf *to);
enum err notice_write_line(struct store_reader *r, const struct notice_row *n, struct arena *a,
                           struct buf *to) MUST_CHECK;

/* ---- addresses ---- */

/* An IP address as text: canonical, or cut to /24 and /48. Empty when it is none. */
struct str address_canonical(struct str ip, struct arena *a);
struct str address_truncated(struct str ip, struct arena *a);

#endif
