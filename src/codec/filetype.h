/* codec/filetype.h - what a file is, by its bytes alone.
 *
 * Four kinds, of which each is looked through far enough that bytes of another kind,
 * or a file that was cut short, are not taken for one:
 *
 *   PDF   ISO 32000-2, 7.5: header at the first byte; startxref and %%EOF at the end
 *   PNG   ISO 15948, 5: all chunks with their checksums, IHDR to IEND, nothing behind
 *   JPEG  ITU-T T.81, B: markers up to a scan with its frame before it, an end behind it
 *   WebP  RFC 9649: RIFF of just this size, chunks that fill it, an image among them
 *
 * It is not said that a viewer would show it, or that it does no harm there.
 * Pure; any thread.
 */
#ifndef CODEC_FILETYPE_H
#define CODEC_FILETYPE_H

#include "base/str.h"

enum file_type { FILE_UNKNOWN = 0, FILE_PDF, FILE_PNG, FILE_JPEG, FILE_WEBP, FILE_TYPES };

enum file_type file_type_of(struct str bytes);

struct file_kind {
    struct str media;  /* "application/pdf" */
    struct str suffix; /* "pdf" */
};
extern const struct file_kind file_kind[FILE_TYPES];

/* The type with this media type; FILE_UNKNOWN when there is none. */
enum file_type file_type_named(struct str media);

#endif
