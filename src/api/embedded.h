/* api/embedded.h - files that the build makes and the binary carries (tools/embed).
 *
 * Owner: nobody, they are constants.
 */
#ifndef API_EMBEDDED_H
#define API_EMBEDDED_H

#include "base/str.h"

struct embedded {
    struct str bytes;
    const char *type;   /* content type */
    const char *etag;   /* of the content, in quotes */
    const char *policy; /* Content-Security-Policy; NULL: none */
};

extern const struct embedded embedded_description; /* the joined files of api/openapi, as JSON */
extern const struct embedded embedded_docs;        /* the same as a page */

#endif
