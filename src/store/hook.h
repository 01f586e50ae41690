/* store/hook.h - how far the ledger's facts were told to each hook, and what of them waits.
 *
 * The facts themselves are the outbox: a hook has a cursor over them, and a row for each message that
 * is behind the cursor and not finished. Nothing here is a fact; no row holds anything of a subject.
 *
 * Owner, thread, errors: as in store/store.h.
 */
#ifndef STORE_HOOK_H
#define STORE_HOOK_H

#include "store/store.h"

/* ---- facts, in the order in which they were written ---- */

struct fact_found {
    int64_t seq;
    enum fact_kind kind;
    int64_t subject; /* its number; 0: none */
    uint8_t leaf[32];
    struct str columns; /* store/columns.h; empty: it was erased */
    struct str payload; /* as above; empty also in lists */
};
int64_t store_newest_fact(struct store_reader *r); /* 0: none */
int64_t store_newest_seq(const struct store *s);   /* the same of the store, without a query */
/* Those of some kinds (bits: 1 << kind) behind `after` up to `last`, `limit` at most. */
enum err store_list_facts(struct store_reader *r, int64_t after, int64_t last, uint32_t kinds,
                          uint32_t limit, struct arena *a, struct fact_found **ret_facts,
                          uint32_t *ret_count) MUST_CHECK;
enum err store_read_fact(struct store_reader *r, int64_t seq, struct arena *a,
                         struct fact_found *ret_fact) MUST_CHECK;
/* Nothing was written of her before this fact. */
bool store_is_first_fact(struct store_reader *r, const struct fact_found *f);

/* ---- hooks ---- */

struct hook_row {
    int64_t number; /* given out by the store */
    struct str id;  /* as in the configuration */
    int64_t cursor; /* every fact up to this one was told, is for others, or has a message below */
    int64_t start_seq; /* it began behind this fact … */
    int64_t start_ms;  /* … then */
    int64_t paused_ms; /* nothing goes there since; 0: it is not paused */
    struct str why;    /* it paused itself; or empty */
    int64_t absent_ms; /* not in the configuration since; 0: it is in it */
};
enum err store_get_hook(struct store_reader *r, struct str id, struct arena *a,
                        struct hook_row *ret_row) MUST_CHECK;
enum err store_list_hooks(struct store_reader *r, struct arena *a, struct hook_row **ret_rows,
                          uint32_t *ret_count) MUST_CHECK; /* all that ever were */
/* A new one, or all of a known one but its number. */
enum err store_put_hook(struct store *s, const struct hook_row *row) MUST_CHECK;
/* Whether that is still how it began: it may have been taken out and come back meanwhile. */
bool store_hook_began(struct store *s, int64_t number, int64_t start_ms);
enum err store_set_hook_cursor(struct store *s, int64_t number, int64_t cursor) MUST_CHECK;
enum err store_set_hook_paused(struct store *s, int64_t number, int64_t paused_ms,
                               struct str why) MUST_CHECK;

/* ---- messages that are not finished ---- */

enum hook_state { HOOK_WAITING = 1, HOOK_DEAD }; /* stored: append only */

struct hook_message {
    int64_t hook, seq; /* the hook's number, the fact */
    enum hook_state state;
    struct id id;
    uint32_t attempts;
    int64_t first_ms; /* of the first attempt; 0: none was made */
    int64_t at_ms;    /* of the last one, or of its end */
    int64_t next_ms;  /* not before */
    struct str error; /* of the last attempt, without payload */
};
enum err store_put_hook_message(struct store *s, const struct hook_message *m) MUST_CHECK;
enum err store_remove_hook_message(struct store *s, int64_t hook, int64_t seq) MUST_CHECK;
/* Of a hook (0: of all), in the order of hooks and facts, behind fact `after` (with hook 0: from the start). */
enum err store_list_hook_messages(struct store_reader *r, int64_t hook, enum hook_state state,
                                  int64_t after, uint32_t limit, struct arena *a,
                                  struct hook_message **ret_messages,
                                  uint32_t *ret_count) MUST_CHECK;
enum err store_count_hook_messages(struct store_reader *r, int64_t hook, enum hook_state state,
                                   uint64_t *ret_count) MUST_CHECK;
/* Dead ones are due again, as if they had never been tried: those with one id (or NULL: all) of one hook
 * (or 0: of all). */
enum err store_revive_hook_messages(struct store *s, int64_t hook, const struct id *id,
                                    uint32_t *ret_count) MUST_CHECK;
/* All of a hook that wait are dead. */
enum err store_bury_hook_messages(struct store *s, int64_t hook, struct str error, int64_t at_ms,
                                  uint32_t *ret_count) MUST_CHECK;

#endif
