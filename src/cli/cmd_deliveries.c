#include "cli/cmd.h"
#include "codec/json.h"
#include "pipeline/export.h"

#include <stdio.h>

static const char *plural(struct str number)
{
    return str_eq(number, STR("1")) ? "" : "s";
}

static int list(const struct conf *c, const char *state)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str body, target = arena_printf(&a, "/v1/deliveries?state=%s", state);
    int code = cmd_call(c, "GET", target.p, &a, &body);
    if (code != EXIT_DONE)
        return code;
    struct json_doc d;
    if (json_scan(body, &a, &d, NULL) != OK)
        return cmd_fail(EXIT_FAILED, "the daemon's answer was cut");
    for (uint32_t q = json_first(&d, JSON_ROOT); q; q = json_next(&d, JSON_ROOT, q)) {
        struct str events = cmd_member(&d, q, "events", &a),
                   attempts = cmd_member(&d, q, "attempts", &a);
        (void)printf("%.*s  %.*s  %-12.*s  %.*s event%s, %.*s attempt%s  %.*s\n",
                     STR_ARG(cmd_member(&d, q, "id", &a)), STR_ARG(cmd_member(&d, q, "at", &a)),
                     STR_ARG(cmd_member(&d, q, "destination", &a)), STR_ARG(events), plural(events),
                     STR_ARG(attempts), plural(attempts), STR_ARG(cmd_member(&d, q, "error", &a)));
    }
    if (json_first(&d, JSON_ROOT) == 0)
        (void)printf("none\n");
    return EXIT_DONE;
}

static int resend(const struct conf *c, const char *which)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    bool all = strcmp(which, "all") == 0;
    struct id id;
    if (!all && !id_parse(str_of(which), &id))
        return cmd_fail(EXIT_USAGE, "--resend takes the id of a request, or all");
    struct str body, target = all ? STR("/v1/deliveries/resend?all=1")
                                  : arena_printf(&a, "/v1/deliveries/resend?id=%s", which);
    int code = cmd_call(c, "POST", target.p, &a, &body);
    struct json_doc d;
    if (code != EXIT_DONE)
        return code;
    if (json_scan(body, &a, &d, NULL) != OK)
        return cmd_fail(EXIT_FAILED, "the daemon's answer was cut");
    struct str count = cmd_member(&d, JSON_ROOT, "resent", &a);
    (void)printf("%.*s request%s due again\n", STR_ARG(count), plural(count));
    return EXIT_DONE;
}

static enum err print_line(void *ctx, struct str text)
{
    FILE *to = ctx;
    return fwrite(text.p, 1, text.n, to) == text.n && fputc('\n', to) != EOF ? OK : ERR_IO;
}

static int export(const struct conf *c)
{
    AUTO(store_reader_close) struct store_reader *r = NULL;
    int code = cmd_reader(c, &r);
    if (code != EXIT_DONE)
        return code;
    enum err e = export_events(r, print_line, stdout);
    if (e == OK && fflush(stdout) != 0)
        e = ERR_IO;
    return e == OK ? EXIT_DONE : cmd_fail(EXIT_FAILED, "the export was cut: %s", err_text(e));
}

int cmd_deliveries(int argc, char **argv)
{
    const char *state = "dead", *which = NULL;
    bool all = argc == 2 && strcmp(argv[1], "--export") == 0;
    if (argc == 3 && strcmp(argv[1], "--state") == 0)
        state = argv[2];
    else if (argc == 3 && strcmp(argv[1], "--resend") == 0)
        which = argv[2];
    else if (argc != 1 && !all)
        return cmd_fail(EXIT_USAGE,
                        "takes --state dead|retry|sending, or --resend ID|all, or --export");
    AUTO(conf_free) struct conf *c = NULL;
    int code = cmd_conf(&c);
    if (code != EXIT_DONE)
        return code;
    if (all)
        return export(c);
    return which ? resend(c, which) : list(c, state);
}
