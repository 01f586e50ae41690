/* api/embedded.h - files that the build makes and the binary carries (tools/embed).
 *
 * Owner: nobody, they are constants.
 */
#ifndef API_EMBEDDED_H
#define API_EMBEDDED_H

#include "base/str.h"

#include <stdint.h>

struct embedded {
    struct str bytes;   /* empty: licet was built without it */
    struct str gzip;    /* the same, compressed */
    const char *type;   /* content type */
    const char *tag;    /* of the content: for an ETag, without quotes */
    const char *policy; /* Content-Security-Policy; NULL: none */
    uint32_t keep_s;    /* how long it may be kept without asking whether it is still so */
};

extern const struct embedded embedded_description; /* the joined files of api/openapi, as JSON */
extern const struct embedded embedded_docs;        /* the same as a page */

/* The browser's scripts, made of web/ by web/sdk/build.mjs; empty when built with -Dsdk=disabled. */
extern const struct embedded embedded_licet_js, embedded_licet_core_js, embedded_licet_cmp_js,
    embedded_iubenda_cons_js;

#endif
