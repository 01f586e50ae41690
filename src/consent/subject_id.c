#include "consent/ledger.h"

#include "base/limits.h"

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

/* The length of the UTF-8 sequence at p, 0 when it is malformed or a C1 control. */
static size_t sequence(const unsigned char *p, size_t n)
{
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool beyond = p[0] == 0xf4 && p[1] > 0x8f;
    bool control = p[0] == 0xc2 && p[1] < 0xa0;
    return overlong || surrogate || beyond || control ? 0 : len;
}

bool subject_id_ok(struct str id)
{
    if (id.n == 0 || id.n > LIMIT_ID)
        return false;
    const unsigned char *p = (const unsigned char *)id.p;
    for (size_t i = 0; i < id.n;) {
        size_t step = p[i] < 0x80 ? 1 : sequence(p + i, id.n - i);
        if (step == 0 || p[i] < 0x20 || p[i] == 0x7f)
            return false;
        i += step;
    }
    return !is_placeholder(str_trim(id));
}
