/* store/proof.h - what a proof is made of: facts with their groups, heads, seals, keys, stamps.
 *
 * Readers as in store/store.h. Facts come whole, as they are hashed (store/chain.h); of a group the
 * leaves of all its facts and events, which tell nothing but that something is there.
 *
 * Owner:  results live in the arena passed in.
 * Errors: ERR_NOT_FOUND where something may not be there; ERR_IO, ERR_CORRUPT.
 */
#ifndef STORE_PROOF_H
#define STORE_PROOF_H

#include "store/seal.h"
#include "store/store.h"

/* One state of the database until it is released, whatever is committed meanwhile. */
enum err store_hold(struct store_reader *r, struct err_info *info) MUST_CHECK;
void store_release(struct store_reader *r);

struct proof_fact {
    int64_t seq;
    unsigned kind; /* enum fact_kind */
    bool emptied;  /* erased: key, columns and payload are gone */
    struct str key, leaf, columns, payload;
};
enum err store_get_fact(struct store_reader *r, int64_t seq, struct arena *a,
                        struct proof_fact *ret_f) MUST_CHECK;

/* Numbers of facts, ascending. ERR_LIMIT beyond `most`. */
struct fact_list {
    int64_t *seq;
    uint32_t count;
};
enum err store_facts_of(struct store_reader *r, struct str subject, uint32_t most, struct arena *a,
                        struct fact_list *ret_l) MUST_CHECK;
/* All facts about subjects that were committed from … to, both included. */
enum err store_facts_between(struct store_reader *r, int64_t from_ms, int64_t to_ms, uint32_t most,
                             struct arena *a, struct fact_list *ret_l) MUST_CHECK;
/* All of a kind; kinds that are neither acts nor subjects. */
enum err store_facts_of_kind(struct store_reader *r, enum fact_kind kind, uint32_t most,
                             struct arena *a, struct fact_list *ret_l) MUST_CHECK;
enum err store_notice_fact(struct store_reader *r, struct str identifier, uint32_t version,
                           int64_t *ret_seq) MUST_CHECK;

struct proof_group {
    int64_t number, at_ms, first_seq, last_seq; /* last_seq < first_seq: it has no facts */
    uint8_t previous[CHAIN_HASH], head[CHAIN_HASH];
    struct str leaves; /* the facts' by seq, then the events' */
};
/* The group that a fact was committed with. */
enum err store_group_of(struct store_reader *r, int64_t seq, struct arena *a,
                        struct proof_group *ret_g) MUST_CHECK;
/* Its number alone. */
enum err store_group_number(struct store_reader *r, int64_t seq, int64_t *ret_number) MUST_CHECK;
/* The heads of groups from … to, in order; ERR_CORRUPT when one is missing. */
enum err store_each_head(struct store_reader *r, int64_t from, int64_t to,
                         void (*fn)(void *ctx, const uint8_t head[CHAIN_HASH]),
                         void *ctx) MUST_CHECK;

/* ---- seals, stamps, keys ---- */

struct seal_found {
    int64_t seq;
    struct str statement, signature;
    struct seal seal;
};
enum err store_newest_seal(struct store_reader *r, struct arena *a,
                           struct seal_found *ret_s) MUST_CHECK;
/* The seal over that group; the first one whose `to` is not before it. */
enum err store_seal_over(struct store_reader *r, int64_t group, struct arena *a,
                         struct seal_found *ret_s) MUST_CHECK;
/* The one that follows a seal. */
enum err store_seal_after(struct store_reader *r, int64_t seq, struct arena *a,
                          struct seal_found *ret_s) MUST_CHECK;
/* ERR_STALE: it does not begin where the newest one ends. */
enum err store_add_seal(struct store *s, struct str statement, struct str signature) MUST_CHECK;

/* A time stamp (RFC 3161) on a seal's statement. */
struct stamp_found {
    int64_t seal_seq;
    struct str authority, token; /* URL; DER */
};
/* The first one on this seal or one that follows it, which dates this one, too. */
enum err store_stamp_over(struct store_reader *r, int64_t seal_seq, struct arena *a,
                          struct stamp_found *ret_s) MUST_CHECK;
enum err store_add_stamp(struct store *s, const struct stamp_found *stamp,
                         int64_t at_ms) MUST_CHECK;

struct key_found {
    struct str statement, by_itself, by_previous; /* the last may be empty */
    struct key_statement key;
};
/* Oldest first. */
enum err store_list_signing_keys(struct store_reader *r, struct arena *a, struct key_found **ret_k,
                                 uint32_t *ret_count) MUST_CHECK;
enum err store_add_signing_key(struct store *s, const struct key_found *k) MUST_CHECK;

#endif
