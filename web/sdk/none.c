/* licet without the browser's scripts: -Dsdk=disabled. */
#include "api/embedded.h"

const struct embedded embedded_licet_js, embedded_licet_core_js, embedded_licet_cmp_js,
    embedded_iubenda_cons_js;
