/* consent/document.h - documents as others name them: by id, in acts and notices. */
#ifndef CONSENT_DOCUMENT_H
#define CONSENT_DOCUMENT_H

#include "codec/json.h"
#include "store/document.h"

/* A list of ids under `field`: null, or an array of up to LIMIT_PROOFS_PER_ACT texts, of which
 * empty ones are passed over. What they name is not looked at yet. */
enum err document_ids_parse(const struct json_doc *d, uint32_t list, const char *field,
                            struct arena *a, struct str **ret_id, uint32_t *ret_count,
                            struct err_info *info) MUST_CHECK;

/* The facts of these documents. ERR_VALUE names `field` when one of them does not exist. */
enum err documents_find(struct store_reader *r, const struct str *id, uint32_t count,
                        const char *field, struct arena *a, int64_t **ret_seq,
                        struct err_info *info) MUST_CHECK;

/* An array with what is known of each document that is attached to a fact. */
enum err write_attached(struct store_reader *r, int64_t fact, const char *name, struct arena *a,
                        struct buf *to) MUST_CHECK;

#endif
