#include "cli/cmd.h"

#include "codec/time.h"
#include "consent/ledger.h"
#include "consent/row.h"

#include <stdio.h>

struct export
{
    struct str kind;
    bool csv;
    struct arena a;
    struct buf row;
};

static enum err print(struct str text)
{
    return fwrite(text.p, 1, text.n, stdout) == text.n ? OK : ERR_IO;
}

static enum err print_record(void *ctx, struct str json)
{
    struct export *x = ctx;
    buf_clear(&x->row);
    enum err e = OK;
    if (x->csv) {
        e = row_from_json(x->kind, json, &x->a, &x->row);
    } else {
        buf_str(&x->row, json);
        buf_byte(&x->row, '\n');
    }
    arena_clear(&x->a);
    return e == OK ? print(buf_view(&x->row)) : e;
}

static int export(const struct conf *c, struct export *x, int64_t from_ms, int64_t to_ms)
{
    AUTO(store_reader_close) struct store_reader *r = NULL;
    int code = cmd_reader(c, &r);
    if (code != EXIT_DONE)
        return code;
    enum err e = OK;
    if (x->csv) {
        row_header(x->kind, &x->row);
        e = print(buf_view(&x->row));
    }
    if (e == OK)
        e = ledger_export(r, x->kind, from_ms, to_ms, print_record, x);
    if (e == OK && fflush(stdout) != 0)
        e = ERR_IO;
    return e == OK ? EXIT_DONE : cmd_fail(EXIT_FAILED, "the export was cut: %s", err_text(e));
}

/* A day as an end means to its last millisecond. */
static bool read_time(const char *text, bool end, int64_t *ret_ms)
{
    struct str s = str_of(text);
    if (!time_parse(s, ret_ms))
        return false;
    if (end && s.n == 10)
        *ret_ms += DAY_MS - 1;
    return true;
}

int cmd_export(int argc, char **argv)
{
    struct export x = { .row = BUF_INIT(16 << 20) };
    int64_t from_ms = 0, to_ms = 0;
    bool ok = argc > 1;
    if (ok)
        x.kind = str_of(argv[1]);
    ok = ok && (str_eq(x.kind, STR("consents")) || str_eq(x.kind, STR("subjects")) ||
                str_eq(x.kind, STR("notices")));
    for (int i = 2; ok && i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--from") == 0)
            ok = read_time(value, false, &from_ms);
        else if (strcmp(argv[i], "--to") == 0)
            ok = read_time(value, true, &to_ms);
        else if (strcmp(argv[i], "--format") == 0)
            ok = (x.csv = strcmp(value, "csv") == 0) || strcmp(value, "ndjson") == 0;
        else
            ok = false;
    }
    if (!ok)
        return cmd_fail(EXIT_USAGE,
                        "takes consents, subjects or notices, and --from TIME, --to TIME, "
                        "--format ndjson|csv");
    AUTO(conf_free) struct conf *c = NULL;
    int code = cmd_conf(&c);
    if (code == EXIT_DONE)
        code = export(c, &x, from_ms, to_ms);
    buf_fini(&x.row);
    arena_fini(&x.a);
    return code;
}
