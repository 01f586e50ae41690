#include "cli/cmd.h"
#include "codec/json.h"

#include <stdio.h>
#include <unistd.h>

enum { ASK_EVERY_US = 200000 };

static void print_line(const struct json_doc *d, struct arena *a)
{
    struct str at = cmd_member(d, JSON_ROOT, "at", a), name = cmd_member(d, JSON_ROOT, "name", a),
               type = cmd_member(d, JSON_ROOT, "type", a);
    struct str fields = cmd_member(d, JSON_ROOT, "fields", a);
    (void)printf("%.*s  %-9.*s %-10.*s %-16.*s %-9.*s %-20.*s %.*s%s%.*s\n",
                 (int)(at.n > 19 ? 8 : 0), at.p + 11, STR_ARG(cmd_member(d, JSON_ROOT, "stage", a)),
                 STR_ARG(type), STR_ARG(cmd_member(d, JSON_ROOT, "destination", a)),
                 STR_ARG(cmd_member(d, JSON_ROOT, "verdict", a)),
                 STR_ARG(cmd_member(d, JSON_ROOT, "reason", a)), STR_ARG(name), fields.n ? " " : "",
                 STR_ARG(fields));
}

/* Prints what came, and finds where to go on. */
static bool take_lines(struct str lines, bool json, struct arena *a, struct str *ret_last)
{
    struct str line;
    while (lines.n != 0 && str_next(&lines, '\n', &line)) {
        struct json_doc d;
        if (line.n == 0)
            continue;
        if (json_scan(line, a, &d, NULL) != OK)
            return false;
        struct str last = cmd_member(&d, JSON_ROOT, "last", a);
        if (last.n != 0)
            *ret_last = last;
        else if (json)
            (void)printf("%.*s\n", STR_ARG(line));
        else
            print_line(&d, a);
    }
    (void)fflush(stdout);
    return true;
}

int cmd_tail(int argc, char **argv)
{
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc > 1 && !json)
        return cmd_fail(EXIT_USAGE, "takes no argument but --json");
    AUTO(conf_free) struct conf *c = NULL;
    int code = cmd_conf(&c);
    char after[32] = "";
    while (code == EXIT_DONE && !ferror(stdout)) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct str body, last = { 0 };
        char target[64];
        (void)snprintf(target, sizeof target, "/v1/tail?after=%s", after);
        code = cmd_call(c, "GET", target, STR(""), &a, &body);
        if (code == EXIT_DONE && !take_lines(body, json, &a, &last))
            code = cmd_fail(EXIT_FAILED, "the daemon's answer was cut");
        if (code == EXIT_DONE) {
            (void)snprintf(after, sizeof after, "%.*s", STR_ARG(last));
            (void)usleep(ASK_EVERY_US);
        }
    }
    return code;
}
