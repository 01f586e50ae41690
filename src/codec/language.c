#include "codec/language.h"

enum { WHOLE = 1000, RANGES = 32 };

static struct str primary(struct str s)
{
    struct str part = s;
    (void)str_next(&s, '-', &part); /* without '-' it is all of it */
    return part;
}

bool language_same(struct str a, struct str b)
{
    return primary(a).n > 0 && str_eq_nocase(primary(a), primary(b));
}

/* "0.8" in thousandths; -1: not read. */
static int quality(struct str s)
{
    unsigned long long digits = 0;
    if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') || (s.n > 1 && s.p[1] != '.'))
        return -1;
    struct str rest = { s.p + 2, s.n > 2 ? s.n - 2 : 0 };
    if (rest.n > 0 && !str_to_u64(rest, &digits))
        return -1;
    for (size_t i = rest.n; i < 3; i++)
        digits *= 10;
    int all = (s.p[0] - '0') * WHOLE + (int)digits;
    return all <= WHOLE ? all : -1;
}

static bool next_range(struct str *rest, struct str *ret_language, int *ret_quality)
{
    struct str part, parameter;
    while (str_next(rest, ',', &part)) {
        int q = WHOLE;
        (void)str_next(&part, ';', ret_language);
        *ret_language = str_trim(*ret_language);
        while (str_next(&part, ';', &parameter)) {
            parameter = str_trim(parameter);
            if (str_starts(parameter, STR("q=")) || str_starts(parameter, STR("Q=")))
                q = quality((struct str){ parameter.p + 2, parameter.n - 2 });
        }
        if (ret_language->n == 0 || q < 0)
            continue;
        *ret_quality = q;
        return true;
    }
    return false;
}

uint32_t language_pick(struct str accept, const struct str *have, uint32_t count)
{
    uint32_t best = UINT32_MAX;
    int best_quality = 0, q;
    struct str language;
    for (int n = 0; n < RANGES && next_range(&accept, &language, &q); n++) {
        for (uint32_t i = 0; i < count && q > best_quality; i++) {
            if (!str_eq_nocase(have[i], language) && !language_same(have[i], language))
                continue;
            best = i;
            best_quality = q;
        }
    }
    return best;
}
