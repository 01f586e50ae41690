/* api/sdk.h - the browser's scripts as they were built, held in the program.
 *
 * Made of web/sdk by web/sdk/build.mjs; none when licet was built with -Dsdk=disabled.
 */
#ifndef API_SDK_H
#define API_SDK_H

#include "base/str.h"

struct sdk_script {
    const char *name; /* "licet.js" */
    const char *tag;  /* of its bytes: the ETag, quotes included */
    struct str plain, gzip;
};
extern const struct sdk_script sdk_scripts[]; /* ends with a name that is NULL */

#endif
