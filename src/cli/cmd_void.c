#include "cli/cmd.h"

#include "codec/json_write.h"

#include <stdio.h>

int cmd_void(int argc, char **argv)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(buf_fini) struct buf body = BUF_INIT(64 << 10);
    const char *given[4] = { 0 };
    static const char *const name[4] = { "purpose", "version", "reason", "from" };
    for (int i = 1; i + 1 < argc; i += 2) {
        for (int k = 0; k < 4; k++) {
            if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name[k]) == 0)
                given[k] = argv[i + 1];
        }
    }
    int known = 0;
    for (int k = 0; k < 4; k++)
        known += given[k] != NULL;
    if (argc != 1 + 2 * known || !given[0] || !given[1] || !given[2])
        return cmd_fail(EXIT_USAGE, "takes --purpose ID --version N --reason TEXT [--from DATE]");
    buf_byte(&body, '{');
    for (int k = 0; k < 4; k++) {
        if (given[k] != NULL)
            write_text(&body, name[k], str_of(given[k]));
    }
    buf_byte(&body, '}');
    AUTO(conf_free) struct conf *c = NULL;
    struct json_doc d;
    int code = cmd_conf(&c);
    if (code == EXIT_DONE)
        code = cmd_ask(c, "POST", "/v1/void", buf_view(&body), &a, &d);
    if (code != EXIT_DONE)
        return code;
    (void)printf(
        "version %.*s of %.*s is void from %.*s: nothing starts on its way on it any more\n"
        "licet report voided --purpose %.*s --version %.*s   lists what had been sent\n",
        STR_ARG(cmd_member(&d, JSON_ROOT, "version", &a)),
        STR_ARG(cmd_member(&d, JSON_ROOT, "purpose", &a)),
        STR_ARG(cmd_member(&d, JSON_ROOT, "from", &a)),
        STR_ARG(cmd_member(&d, JSON_ROOT, "purpose", &a)),
        STR_ARG(cmd_member(&d, JSON_ROOT, "version", &a)));
    return EXIT_DONE;
}
