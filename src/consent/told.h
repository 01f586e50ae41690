/* consent/told.h - facts of the ledger as hooks are told of them (docs/hooks.md): their types, and what is said.
 *
 * One table (told.c) has a row for each type; to tell of another kind of fact, add a row. What is said is what the
 * private API shows of the fact, but no proof, no document, no name, e-mail or address of the network: who is told
 * can ask. Only the hook that sends the letters of double opt-in is told the address and the link. It is written anew for each attempt and stored nowhere; so a type may say what only holds then.
 *
 * Thread: any, with a reader of one's own. Owner: results live in the arena.
 */
#ifndef CONSENT_TOLD_H
#define CONSENT_TOLD_H

#include "base/buf.h"
#include "conf/conf.h"
#include "store/hook.h"

struct told_type {
    const char *name; /* "consent.withdrawn", … */
    enum fact_kind kind;
    uint32_t on; /* a bit of CONF_HOOK_…: who wants it */
    /* Whether a fact of that kind is of this type; NULL: every one that is of none before it. */
    bool (*is)(struct store_reader *r, const struct fact_found *f);
    /* Further bits of those who want it; NULL: none. */
    uint32_t (*also)(const struct fact_found *f);
    /* When it was recorded. False: the columns are damaged. */
    bool (*at)(const struct fact_found *f, int64_t *ret_ms);
    /* Writes the members of "data". ERR_NOT_FOUND: there is nothing to tell any more. */
    enum err (*write)(struct store_reader *r, const struct conf *c, const struct fact_found *f,
                      struct arena *a, struct buf *to);
};

/* The kinds of facts that are told to who wants these bits: 1 << kind each. */
uint32_t told_kinds(uint32_t on);
/* NULL: it is told to nobody who wants only these, or was erased. */
const struct told_type *told_type(struct store_reader *r, const struct fact_found *f, uint32_t on);
/* The message's id: the same whenever and to whomever the fact is told. False: the columns are damaged. */
bool told_id(const struct told_type *t, const struct fact_found *f, struct id *ret_id);
/* The body: {"id", "type", "time", "data"}. The fact with its payload. */
enum err told_write(const struct told_type *t, struct store_reader *r, const struct conf *c,
                    const struct fact_found *f, struct arena *a, struct buf *to) MUST_CHECK;

#endif
