/* licet without the browser's scripts: -Dsdk=disabled. */
#include "api/sdk.h"

const struct sdk_script sdk_scripts[] = { { 0 } };
