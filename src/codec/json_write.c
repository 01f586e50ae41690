#include "codec/json_write.h"
#include "codec/json.h"
#include "codec/time.h"

#include <inttypes.h>

void write_comma(struct buf *to)
{
    char before = to->n > 0 ? to->p[to->n - 1] : '{';
    if (before != '{' && before != '[' && before != ':')
        buf_byte(to, ',');
}

void write_name(struct buf *to, struct str name)
{
    write_comma(to);
    json_write_string(to, name);
    buf_byte(to, ':');
}

void write_text(struct buf *to, const char *name, struct str value)
{
    write_name(to, str_of(name));
    json_write_string(to, value);
}

void write_text_or_null(struct buf *to, const char *name, struct str value)
{
    if (value.n > 0)
        write_text(to, name, value);
    else
        write_raw(to, name, STR("null"));
}

void write_raw(struct buf *to, const char *name, struct str raw)
{
    write_name(to, str_of(name));
    buf_str(to, raw.n ? raw : STR("null"));
}

void write_bool(struct buf *to, const char *name, bool value)
{
    write_raw(to, name, value ? STR("true") : STR("false"));
}

void write_number(struct buf *to, const char *name, int64_t value)
{
    write_name(to, str_of(name));
    buf_printf(to, "%" PRId64, value);
}

void write_time(struct buf *to, const char *name, int64_t ms)
{
    char text[TIME_TEXT + 1];
    time_format(ms, text);
    write_text(to, name, str_of(text));
}

void write_time_or_null(struct buf *to, const char *name, int64_t ms)
{
    if (ms)
        write_time(to, name, ms);
    else
        write_raw(to, name, STR("null"));
}

void write_time_seconds(struct buf *to, const char *name, int64_t ms)
{
    char text[TIME_TEXT + 1];
    time_format_seconds(ms, text);
    write_text(to, name, str_of(text));
}

void write_day(struct buf *to, const char *name, int64_t ms)
{
    char text[TIME_TEXT + 1];
    time_format(ms, text);
    write_text(to, name, (struct str){ text, 10 });
}

enum err write_done(struct buf *from, struct arena *a, struct str *ret_json)
{
    if (from->over)
        return ERR_LIMIT;
    *ret_json = arena_str(a, buf_view(from));
    return OK;
}
