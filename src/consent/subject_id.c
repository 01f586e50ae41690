#include "consent/ledger.h"

#include "base/limits.h"
#include "codec/utf8.h"

/* Ids that programs send when they have none. Compared without regard to ASCII case. */
static const struct str placeholder[] = {
    STR_INIT("null"),
    STR_INIT("nil"),
    STR_INIT("none"),
    STR_INIT("undefined"),
    STR_INIT("nan"),
    STR_INIT("n/a"),
    STR_INIT("na"),
    STR_INIT("anonymous"),
    STR_INIT("anon"),
    STR_INIT("unknown"),
    STR_INIT("guest"),
    STR_INIT("default"),
    STR_INIT("empty"),
    STR_INIT("true"),
    STR_INIT("false"),
    STR_INIT("-1"),
    STR_INIT("{}"),
    STR_INIT("[]"),
    STR_INIT("(not set)"),
    STR_INIT("(none)"),
    STR_INIT("[object object]"),
    STR_INIT("<null>"),
    STR_INIT("not_available"),
    STR_INIT("invalid"),
    STR_INIT("ffffffff-ffff-ffff-ffff-ffffffffffff"),
};

enum { PLACEHOLDER_MAX = 36 };

/* "0", "0000", the zero UUID: nothing but zeros and what separates them. */
static bool only_zeros(struct str id)
{
    for (size_t i = 0; i < id.n; i++) {
        if (strchr("0-.:{} ", id.p[i]) == NULL || id.p[i] == 0)
            return false;
    }
    return true;
}

static bool is_placeholder(struct str id)
{
    if (id.n > PLACEHOLDER_MAX + 2)
        return false;
    if (only_zeros(id))
        return true;
    for (size_t i = 0; i < COUNT(placeholder); i++) {
        if (str_eq_nocase(id, placeholder[i]))
            return true;
    }
    return false;
}

bool subject_id_ok(struct str id)
{
    if (id.n == 0 || id.n > LIMIT_ID)
        return false;
    const char *end = id.p + id.n;
    for (const char *p = id.p; p < end;) {
        unsigned char c = (unsigned char)*p;
        size_t step = c < 0x80 ? 1 : utf8_sequence(p, end);
        bool c1_control = c == 0xc2 && step == 2 && (unsigned char)p[1] < 0xa0;
        if (step == 0 || c < 0x20 || c == 0x7f || c1_control)
            return false;
        p += step;
    }
    return !is_placeholder(str_trim(id));
}
