/* codec/multipart.h - a form with files: multipart/form-data (RFC 7578, RFC 2046, 5.1).
 *
 * Of a whole body, strictly: it begins with a delimiter and ends with the closing one, lines end in
 * CRLF, nothing stands before or behind. Nothing is copied but names with escapes in them.
 *
 * Owner:  parts and unescaped names live in the arena; other slices point into the body.
 * Thread: any.
 * Limit:  LIMIT_PARTS, LIMIT_PART_HEAD; a boundary has at most 70 characters (RFC 2046).
 */
#ifndef CODEC_MULTIPART_H
#define CODEC_MULTIPART_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

struct part {
    struct str name;
    bool has_filename;
    struct str filename; /* as sent, paths and all; any bytes but CR, LF and NUL */
    struct str content;
};

/* The boundary in a Content-Type. False when that is not multipart/form-data, or has no good one. */
bool multipart_boundary(struct str content_type, struct str *ret_boundary) MUST_CHECK;

/* All parts, in their order. ERR_SYNTAX or ERR_LIMIT; *ret_why says in words why. */
enum err multipart_read(struct str body, struct str boundary, struct arena *a,
                        struct part **ret_parts, uint32_t *ret_count,
                        const char **ret_why) MUST_CHECK;

#endif
