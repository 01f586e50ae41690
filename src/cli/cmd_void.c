#include "cli/cmd.h"

#include <stdio.h>

static void put(struct buf *b, const char *name, const char *value)
{
    buf_str(b, b->n > 1 ? STR(",") : STR(""));
    json_write_string(b, str_of(name));
    buf_byte(b, ':');
    json_write_string(b, str_of(value));
}

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
            put(&body, name[k], given[k]);
    }
    buf_byte(&body, '}');
    AUTO(conf_free) struct conf *c = NULL;
    struct str answer;
    struct json_doc d;
    int code = cmd_conf(&c);
    if (code == EXIT_DONE)
        code = cmd_post(c, "POST", "/v1/void", buf_view(&body), &a, &answer);
    if (code != EXIT_DONE)
        return code;
    if (json_scan(answer, &a, &d, NULL) != OK)
        return cmd_fail(EXIT_FAILED, "the daemon's answer was cut");
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
