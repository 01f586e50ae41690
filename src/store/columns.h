/* store/columns.h - what tables derive from a fact, as bytes.
 *
 * A fact's leaf covers its payload, which is the caller's, and these columns,
 * which say the same in the form that lists, filters and standings are made of:
 * so verify can compare every derived row with bytes that the chain holds, and
 * views can be built again. Readers check all lengths; slices point into the
 * bytes read. Pure; any thread.
 */
#ifndef STORE_COLUMNS_H
#define STORE_COLUMNS_H

#include "base/buf.h"
#include "store/chain.h"
#include "store/document.h"
#include "store/finding.h"
#include "store/store.h"
#include "store/verification.h"

struct act_columns {
    struct id id;
    int64_t claimed_ms, received_ms;
    enum act_source source;
    struct str subject, ip;
    uint32_t effect_count, preference_count;
    struct str effects, preferences; /* undecoded */
};
void columns_act(struct buf *to, const struct act_row *row);
bool columns_read_act(struct str columns, struct act_columns *ret_c);
bool columns_next_effect(struct str *effects, struct act_effect *ret_e);
bool columns_next_text(struct str *texts, struct str *ret_s);

/* All of a subject but preferences, flags other than verified, and seq. */
void columns_subject(struct buf *to, const struct subject_row *row);
bool columns_read_subject(struct str columns, struct subject_row *ret_row);
void columns_notice(struct buf *to, const struct notice_row *row);
bool columns_read_notice(struct str columns, struct notice_row *ret_row);
/* All of a document but seq. */
void columns_document(struct buf *to, const struct document *d);
bool columns_read_document(struct str columns, struct document *ret_d);
/* All of a finding but seq and version. */
void columns_finding(struct buf *to, const struct finding *f);
bool columns_read_finding(struct str columns, struct finding *ret_f);

/* All of a verification but seq, its end and its letter. */
void columns_verification(struct buf *to, const struct verification *v);
bool columns_read_verification(struct str columns, struct verification *ret_v);
struct verification_end {
    struct id id; /* the verification's */
    struct str subject;
    enum verification_outcome outcome;
    int64_t at_ms;
};
void columns_verification_end(struct buf *to, const struct verification_end *e);
bool columns_read_verification_end(struct str columns, struct verification_end *ret_e);

struct restriction_columns {
    struct str subject;
    bool restricted;
    int64_t received_ms;
};
void columns_restriction(struct buf *to, const struct restriction_columns *c);
bool columns_read_restriction(struct str columns, struct restriction_columns *ret_c);

struct void_columns {
    uint32_t purpose, version;
    int64_t from_ms, at_ms;
};
void columns_void(struct buf *to, const struct void_columns *c);
bool columns_read_void(struct str columns, struct void_columns *ret_c);

/* A retention fact: the segments that it rewrote, with their new hash. */
enum { NAMED = 8 + CHAIN_HASH };
void columns_retention(struct buf *to, int64_t at_ms, struct str named, uint32_t count);
bool columns_read_retention(struct str columns, struct str *ret_named);
bool columns_next_named(struct str *named, int64_t *ret_number, struct str *ret_hash);

/* Seals, signing keys, stamps: what stands beside the statement, which is the payload. */
struct seal_columns {
    int64_t from, to;
    struct str signature;
};
void columns_seal(struct buf *to, const struct seal_columns *c);
bool columns_read_seal(struct str columns, struct seal_columns *ret_c);
struct key_columns {
    struct str by_itself, by_previous; /* signatures; the second may be empty */
};
void columns_key(struct buf *to, const struct key_columns *c);
bool columns_read_key(struct str columns, struct key_columns *ret_c);
struct stamp_columns {
    int64_t seal_seq, at_ms;
    struct str authority, token;
};
void columns_stamp(struct buf *to, const struct stamp_columns *c);
bool columns_read_stamp(struct str columns, struct stamp_columns *ret_c);

/* An item of an outgoing request, ITEM bytes each. */
enum { ITEM = 8 + 4 + 1 + 1 + 1 };
void items_add(struct buf *to, const struct delivery_item *item);
bool items_next(struct str *items, struct delivery_item *ret_item);

#endif
