#include "consent/query.h"

#include "base/limits.h"
#include "codec/text.h"
#include "codec/time.h"
#include "codec/utf8.h"

enum err query_text(const struct query *q, const char *name, size_t max, struct str *ret_value)
{
    struct str value = { 0 };
    if (query_get(q->text, str_of(name), q->a, &value) && value.n > max)
        return err_set(q->info, ERR_VALUE, name, "longer than %zu bytes", max);
    if (!utf8_valid(value))
        return err_set(q->info, ERR_VALUE, name, "is not UTF-8");
    *ret_value = str_trim(value);
    return OK;
}

enum err query_limit(const struct query *q, uint32_t *ret_limit)
{
    struct str text = { 0 };
    unsigned long long n = 10;
    enum err e = query_text(q, "limit", 20, &text);
    if (e != OK)
        return e;
    if (text.n > 0 && (!str_to_u64(text, &n) || n == 0 || n > LIMIT_LIST))
        return err_set(q->info, ERR_VALUE, "limit", "must be a number from 1 to %d", LIMIT_LIST);
    *ret_limit = (uint32_t)n;
    return OK;
}

enum err query_time(const struct query *q, const char *name, bool end, int64_t *ret_ms)
{
    struct str text = { 0 };
    enum err e = query_text(q, name, 64, &text);
    if (e != OK)
        return e;
    int64_t ms = 0;
    unsigned long long seconds;
    if (str_to_u64(text, &seconds) && seconds <= 253402300799ULL) /* the end of 9999 */
        ms = (int64_t)seconds * 1000;
    else if (text.n > 0 && !time_parse(text, &ms))
        return err_set(q->info, ERR_VALUE, name, "must be an ISO 8601 time or seconds since 1970");
    if (text.n > 0 && end && ms % 1000 == 0)
        ms += 999;
    *ret_ms = ms;
    return OK;
}

enum err query_flag(const struct query *q, const char *name, int *ret_flag)
{
    struct str text = { 0 };
    enum err e = query_text(q, name, 20, &text);
    if (e != OK)
        return e;
    bool yes = str_eq_nocase(text, STR("true")) || str_eq(text, STR("1"));
    bool no = str_eq_nocase(text, STR("false")) || str_eq(text, STR("0"));
    if (text.n > 0 && !yes && !no)
        return err_set(q->info, ERR_VALUE, name, "must be true or false");
    *ret_flag = text.n == 0 ? -1 : yes;
    return OK;
}

enum err query_number(const struct query *q, const char *name, uint32_t *ret_number)
{
    struct str text = { 0 };
    unsigned long long n = 0;
    enum err e = query_text(q, name, 20, &text);
    if (e != OK)
        return e;
    if (text.n > 0 && (!str_to_u64(text, &n) || n > INT32_MAX))
        return err_set(q->info, ERR_VALUE, name, "must be a number");
    *ret_number = (uint32_t)n;
    return OK;
}
