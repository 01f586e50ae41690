/* store/document.h - uploaded documents: what they are, their bytes, and to what they are attached.
 *
 * An upload is a fact. The bytes stand beside the facts, once for each content (SHA-256), in the
 * database itself: so they are committed, backed up and deleted with it, and no file can be
 * missing. The fact's leaf covers the hash; verification hashes the bytes again.
 *
 * Owner, thread, errors: as in store/store.h.
 */
#ifndef STORE_DOCUMENT_H
#define STORE_DOCUMENT_H

#include "store/store.h"

enum { DOCUMENT_HASH = 32 };

struct document {
    struct id id;
    int64_t received_ms;
    struct str name; /* as the client called it, without a path; or empty */
    struct str type; /* media type, by its content */
    uint64_t size;
    uint8_t hash[DOCUMENT_HASH]; /* SHA-256 of the bytes */
    int64_t seq;                 /* of its fact; given out by the store */
};

/* Whether so many bytes can be written and the disk is still not so full that a withdrawal would
 * need the reserve. Outside a group or in one. */
bool store_has_room(const struct store *s, size_t bytes);

/* Fills size and hash. */
void store_measure_document(struct str bytes, struct document *d);
/* A measured one. ERR_VALUE: these are not its bytes. */
enum err store_add_document(struct store *s, const struct document *d, struct str bytes,
                            struct str payload, int64_t *ret_seq) MUST_CHECK;
enum err store_get_document(struct store_reader *r, const struct id *id, struct arena *a,
                            struct document *ret_d) MUST_CHECK;
/* ERR_CORRUPT when they are not those that were uploaded. */
enum err store_read_document(struct store_reader *r, const struct document *d, struct arena *a,
                             struct str *ret_bytes) MUST_CHECK;

/* Newest first; `after` NULL: from the newest. ERR_NOT_FOUND when there is no such document. */
enum err store_list_documents(struct store_reader *r, const struct id *after, uint32_t limit,
                              struct arena *a, struct document **ret_d,
                              uint32_t *ret_count) MUST_CHECK;

/* Ties documents (their seq) to an act or a notice of the open group, whose payload names their
 * ids under "proof_document_ids" or "document_ids". One that is named twice is tied once. */
enum err store_attach_documents(struct store *s, int64_t fact, const int64_t *document,
                                uint32_t count) MUST_CHECK;
/* In the order in which they were uploaded. */
enum err store_list_attached(struct store_reader *r, int64_t fact, struct arena *a,
                             struct document **ret_d, uint32_t *ret_count) MUST_CHECK;

#endif
