/* consent/row.h - a row of CSV as a record that an import takes, and back.
 *
 * A column's path says where its value goes:
 *   timestamp, id, identifier, …                 the member of that name, a string
 *   subject.email, preferences.newsletter, versions.newsletter, offline.taken_by, content.en
 *                                                a member of that object, a string
 *   legal_notices.privacy_policy                 a cited notice, the value is its version
 *   proofs.form, proofs.content                  of one proof
 *   preferences, legal_notices, proofs, proof_document_ids, versions, shown, offline, cmp,
 *   effects, other, subject, content             the whole, as JSON (content: as JSON, or else a text)
 * An empty field says nothing.
 *
 * Thread: any. Owner: the map lives in the arena.
 */
#ifndef CONSENT_ROW_H
#define CONSENT_ROW_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct row_map;

/* Names given to columns: "E-Mail=subject.email"; an empty path leaves the column out. */
struct row_name {
    struct str column, path;
};

/* From a header. Columns that no name is given to are paths themselves. ERR_VALUE, with the column
 * named in the text: a path that is none, twice the same, or both a whole and its parts. */
enum err row_map_make(struct str kind, const struct str *header, uint32_t count,
                      const struct row_name *name, uint32_t name_count, struct arena *a,
                      const struct row_map **ret_map, struct err_info *info) MUST_CHECK;

/* One record as JSON on one line. ERR_VALUE names the path: a field that is no JSON where it must
 * be, or is no UTF-8; more fields than the header has. ERR_LIMIT. */
enum err row_write(const struct row_map *m, const struct str *field, uint32_t count,
                   struct arena *a, struct buf *to, struct err_info *info) MUST_CHECK;

/* The kind that a header or a first record is of: "consents", "subjects" or "notices". */
struct str row_kind_of_header(const struct str *path, uint32_t count);
struct str row_kind_of_record(struct str json, struct arena *a);

/* ---- the other way ---- */

/* The header for a kind, and one record of ledger_export() as a row, line ends included. */
void row_header(struct str kind, struct buf *to);
enum err row_from_json(struct str kind, struct str json, struct arena *a,
                       struct buf *to) MUST_CHECK;

#endif
