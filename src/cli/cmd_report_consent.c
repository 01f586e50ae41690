#include "audit/report.h"
#include "base/clock.h"
#include "cli/cmd.h"

#include <stdio.h>

static int print(struct str json, bool as_json, struct arena *a)
{
    AUTO(buf_fini) struct buf text = BUF_INIT(256u << 20);
    if (as_json) {
        cmd_print(stdout, json);
        (void)putchar('\n');
    } else if (report_text(json, a, &text)) {
        cmd_print(stdout, buf_view(&text));
    } else {
        return cmd_fail(EXIT_FAILED, "it is too long to be printed: take --json");
    }
    return fflush(stdout) == 0 ? EXIT_DONE : cmd_fail(EXIT_FAILED, "it cannot be written");
}

int cmd_report_consent(int argc, char **argv)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(conf_free) struct conf *c = NULL;
    AUTO(store_reader_close) struct store_reader *r = NULL;
    struct frozen frozen;
    struct report_question q = { .frozen = &frozen, .now_ms = clock_now_ms() };
    bool json = argc == 5 && strcmp(argv[4], "--json") == 0;
    if ((argc != 4 && !json) || strcmp(argv[1], "consent") != 0 ||
        strcmp(argv[2], "--subject") != 0 || argv[3][0] == 0)
        return cmd_fail(EXIT_USAGE, "takes consent --subject ID [--json]");
    q.subject = str_of(argv[3]);
    int code = cmd_conf(&c);
    if (code == EXIT_DONE)
        code = cmd_reader(c, &r);
    if (code == EXIT_DONE)
        code = cmd_policy(c, r, &a, &frozen, &q.policy);
    if (code != EXIT_DONE)
        return code;
    struct str report;
    enum err e = report_consent(r, &q, &a, &report);
    if (e != OK)
        return cmd_fail(EXIT_FAILED, "%s",
                        e == ERR_NOT_FOUND ? "nothing is known of this subject" : err_text(e));
    return print(report, json, &a);
}
