#include "base/log.h"
#include "base/buf.h"
#include "base/clock.h"

#include <stdatomic.h>
#include <unistd.h>

static _Atomic int least_level = LOG_INFO;

void log_set_level(enum log_level least)
{
    atomic_store(&least_level, (int)least);
}

static void add_quoted(struct buf *b, struct str s)
{
    buf_byte(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\')
            buf_byte(b, '\\');
        if (c < 0x20 || c >= 0x7f) /* a log line is ASCII, whatever came in */
            buf_printf(b, "\\u%04x", c);
        else
            buf_byte(b, (char)c);
    }
    buf_byte(b, '"');
}

void log_fields(enum log_level level, const char *event, const struct log_field *fields)
{
    static const char *const name[] = { "debug", "info", "warning", "error" };
    if ((int)level < atomic_load(&least_level))
        return;
    AUTO(buf_fini) struct buf b = BUF_INIT(8192);
    buf_printf(&b, "{\"time_ms\":%lld,\"level\":\"%s\",\"event\":\"%s\"", (long long)clock_now_ms(),
               name[level], event);
    for (const struct log_field *f = fields; f->name != NULL; f++) {
        buf_printf(&b, ",\"%s\":", f->name);
        if (f->is_number)
            buf_printf(&b, "%lld", (long long)f->number);
        else
            add_quoted(&b, f->text);
    }
    buf_lit(&b, "}\n");
    if (b.over)
        return; /* a field of 8 KB is a bug elsewhere; a cut line would not parse */
    ssize_t written = write(STDERR_FILENO, b.p, b.n);
    (void)written; /* there is nowhere left to say that logging failed */
}
