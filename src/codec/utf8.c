#include "codec/utf8.h"

#include <stdint.h>

bool utf8_valid(struct str s)
{
    const char *p = s.n ? s.p : "", *end = p + s.n;
    while (p != end) {
        uint64_t eight;
        if (end - p >= (ptrdiff_t)sizeof eight) { /* most text is ASCII */
            memcpy(&eight, p, sizeof eight);
            if ((eight & 0x8080808080808080u) == 0) {
                p += sizeof eight;
                continue;
            }
        }
        size_t n = (unsigned char)*p < 0x80 ? 1 : utf8_sequence(p, end);
        if (n == 0)
            return false;
        p += n;
    }
    return true;
}
