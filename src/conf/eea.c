#include "conf/conf.h"

#include <string.h>

bool conf_in_eea(const char country[3])
{
    /* Agreement on the European Economic Area, as of 2026: EU-27, IS, LI, NO */
    static const char members[] = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV "
                                  "MT NL NO PL PT RO SE SI SK";
    for (const char *m = members; *m; m += m[2] ? 3 : 2) {
        if (m[0] == country[0] && m[1] == country[1] && country[2] == 0)
            return true;
    }
    return false;
}
