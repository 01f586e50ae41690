#include "audit/receipt.h"
#include "base/clock.h"
#include "cli/cmd.h"

#include <stdio.h>

struct wish {
    const char *subject, *act, *format, *language;
};

static bool read_options(int argc, char **argv, struct wish *w)
{
    const struct {
        const char *name;
        const char **to;
    } options[] = { { "--subject", &w->subject },
                    { "--act", &w->act },
                    { "--format", &w->format },
                    { "--language", &w->language } };
    for (int i = 1; i < argc; i += 2) {
        const char **to = NULL;
        for (size_t o = 0; o < COUNT(options); o++) {
            if (strcmp(argv[i], options[o].name) == 0)
                to = options[o].to;
        }
        if (to == NULL || i + 1 == argc || argv[i + 1][0] == 0)
            return false;
        *to = argv[i + 1];
    }
    return (w->subject || w->act) &&
           (strcmp(w->format, "json") == 0 || strcmp(w->format, "html") == 0 ||
            strcmp(w->format, "text") == 0);
}

/* Of somebody else's act there is no receipt for her. */
static enum err look(struct store_reader *r, const struct receipt_question *q, const struct wish *w,
                     struct arena *a, struct str *ret_json)
{
    struct act_found act;
    struct id id;
    if (w->act == NULL)
        return receipt_of_subject(r, q, str_of(w->subject), a, ret_json);
    if (w->subject != NULL) {
        enum err e = id_parse(str_of(w->act), &id) ? store_get_act(r, &id, a, &act) : ERR_NOT_FOUND;
        if (e != OK || !str_eq(act.subject, str_of(w->subject)))
            return e != OK ? e : ERR_NOT_FOUND;
    }
    return receipt_of_act(r, q, str_of(w->act), a, ret_json);
}

static int print(const struct wish *w, struct str json, struct arena *a)
{
    AUTO(buf_fini) struct buf shown = BUF_INIT(4 * RECEIPT_MAX);
    bool ok = true;
    if (strcmp(w->format, "json") == 0) {
        buf_str(&shown, json);
        buf_byte(&shown, '\n');
    } else {
        bool html = strcmp(w->format, "html") == 0;
        ok = (html ? receipt_page : receipt_text)(json, a, &shown);
    }
    if (!ok)
        return cmd_fail(EXIT_FAILED, "it is too long to be printed: take --format json");
    cmd_print(stdout, buf_view(&shown));
    return fflush(stdout) == 0 ? EXIT_DONE : cmd_fail(EXIT_FAILED, "it cannot be written");
}

int cmd_receipt(int argc, char **argv)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(conf_free) struct conf *c = NULL;
    AUTO(store_reader_close) struct store_reader *r = NULL;
    struct frozen frozen;
    struct wish w = { .format = "text", .language = "" };
    struct receipt_question q = { .named = true, .now_ms = clock_now_ms() };
    if (!read_options(argc, argv, &w))
        return cmd_fail(EXIT_USAGE, "takes --subject ID, --act ID, --format json|html|text and "
                                    "--language LANGUAGE");
    q.language = str_of(w.language);
    int code = cmd_conf(&c);
    if (code == EXIT_DONE)
        code = cmd_reader(c, &r);
    if (code == EXIT_DONE)
        code = cmd_policy(c, r, &a, &frozen, &q.policy);
    if (code != EXIT_DONE)
        return code;
    struct str json;
    enum err e = look(r, &q, &w, &a, &json);
    if (e != OK)
        return cmd_fail(EXIT_FAILED, "%s",
                        e == ERR_NOT_FOUND ? "there is nothing to give a receipt of" : err_text(e));
    return print(&w, json, &a);
}
