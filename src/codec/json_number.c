#include "codec/json_priv.h"

#include <math.h>
#include <stdlib.h>

static inline struct str take_digits(const char **p, const char *end)
{
    const char *from = *p;
    while (*p != end && **p >= '0' && **p <= '9')
        ++*p;
    return (struct str){ from, (size_t)(*p - from) };
}

static bool integer_fits(struct str digits, bool negative)
{
    const struct str most = negative ? STR("9223372036854775808") : STR("9223372036854775807");
    return digits.n < most.n || (digits.n == most.n && str_cmp(digits, most) <= 0);
}

/* Is the number finite as a double? `exponent` is that of the first digit of
 * `whole`. Only numbers from 1e308 on need a look at their digits, and of those
 * the first 309 decide, since the border is a whole number. Written without a
 * point they mean the same in every locale. */
static bool real_fits(struct str whole, struct str fraction, int64_t exponent)
{
    enum { MOST = 309 };
    const struct str parts[] = { whole, fraction };
    char digits[MOST + 1];
    size_t n = 0;
    for (size_t i = 0; i < COUNT(parts); i++) {
        for (size_t k = 0; k < parts[i].n && n < MOST; k++) {
            if (n == 0 && parts[i].p[k] == '0')
                exponent--; /* "0.00…": the first digit that counts comes later */
            else
                digits[n++] = parts[i].p[k];
        }
    }
    if (n == 0 || exponent < MOST - 1)
        return true;
    if (exponent > MOST - 1)
        return false;
    memset(digits + n, '0', MOST - n);
    digits[MOST] = 0;
    return !isinf(strtod(digits, NULL));
}

/* "e-12". NULL, or what is wrong. Stops counting where it cannot matter: no
 * text has enough digits to make up for it. */
static const char *take_exponent(const char **p, const char *end, int64_t *ret_v)
{
    ++*p;
    bool down = *p != end && **p == '-';
    if (*p != end && (**p == '-' || **p == '+'))
        ++*p;
    struct str digits = take_digits(p, end);
    if (digits.n == 0)
        return "expected a digit";
    int64_t v = 0;
    for (size_t i = 0; i < digits.n && v < INT64_MAX / 100; i++)
        v = v * 10 + (digits.p[i] - '0');
    *ret_v = down ? -v : v;
    return NULL;
}

const char *json_number_end(const char **p, const char *end)
{
    const char *from = *p;
    bool negative = **p == '-';
    *p += negative;
    struct str whole = take_digits(p, end), fraction = { 0 };
    if (whole.n == 0)
        return "expected a digit";
    if (whole.n > 1 && *whole.p == '0') {
        *p = whole.p;
        return "number with a leading zero";
    }
    bool integer = true;
    int64_t exponent = 0;
    if (*p != end && **p == '.') {
        ++*p;
        fraction = take_digits(p, end);
        if (fraction.n == 0)
            return "expected a digit";
        integer = false;
    }
    if (*p != end && (**p == 'e' || **p == 'E')) {
        const char *why = take_exponent(p, end, &exponent);
        if (why != NULL)
            return why;
        integer = false;
    }
    bool fits = integer ? whole.n < 19 || integer_fits(whole, negative)
                        : (exponent <= 0 && whole.n <= 300) ||
                              real_fits(whole, fraction, exponent + (int64_t)whole.n - 1);
    if (fits)
        return NULL;
    *p = from;
    return "number out of range";
}
