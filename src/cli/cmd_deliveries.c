#include "cli/cmd.h"
#include "codec/json.h"
#include "pipeline/export.h"

#include <stdio.h>

static int list(const struct conf *c, const char *state)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str target = arena_printf(&a, "/v1/deliveries?state=%s", state);
    struct json_doc d;
    int code = cmd_ask(c, "GET", target.p, STR(""), &a, &d);
    if (code != EXIT_DONE)
        return code;
    for (uint32_t q = json_first(&d, JSON_ROOT); q; q = json_next(&d, JSON_ROOT, q)) {
        struct str events = cmd_member(&d, q, "events", &a),
                   attempts = cmd_member(&d, q, "attempts", &a);
        (void)printf("%.*s  %.*s  %-12.*s  %.*s event%s, %.*s attempt%s  %.*s\n",
                     STR_ARG(cmd_member(&d, q, "id", &a)), STR_ARG(cmd_member(&d, q, "at", &a)),
                     STR_ARG(cmd_member(&d, q, "destination", &a)), STR_ARG(events),
                     cmd_plural(events), STR_ARG(attempts), cmd_plural(attempts),
                     STR_ARG(cmd_member(&d, q, "error", &a)));
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
    struct str target = all ? STR("/v1/deliveries/resend?all=1")
                            : arena_printf(&a, "/v1/deliveries/resend?id=%s", which);
    struct json_doc d;
    int code = cmd_ask(c, "POST", target.p, STR(""), &a, &d);
    if (code != EXIT_DONE)
        return code;
    struct str count = cmd_member(&d, JSON_ROOT, "resent", &a);
    (void)printf("%.*s request%s due again\n", STR_ARG(count), cmd_plural(count));
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

/* ---- destinations ---- */

/* 90 → 1m30s */
static struct str duration(struct str seconds, struct arena *a)
{
    unsigned long long s = 0;
    (void)str_to_u64(seconds, &s);
    if (s < 60)
        return arena_printf(a, "%llus", s);
    if (s < 3600)
        return arena_printf(a, "%llum%llus", s / 60, s % 60);
    return arena_printf(a, "%lluh%llum", s / 3600, s / 60 % 60);
}

static void print_destination(const struct json_doc *d, uint32_t q, struct arena *a)
{
    struct str state = cmd_member(d, q, "state", a), until = cmd_member(d, q, "open_until", a),
               lag = cmd_member(d, q, "lag_segments", a), error = cmd_member(d, q, "last_error", a);
    bool open = str_eq(state, STR("open")), any_error = error.n > 0 && !str_eq(error, STR("null"));
    (void)printf("%-16.*s %-8.*s %.*s segment%s behind, oldest event %.*s old, %.*s unfinished",
                 STR_ARG(cmd_member(d, q, "destination", a)), STR_ARG(state), STR_ARG(lag),
                 cmd_plural(lag), STR_ARG(duration(cmd_member(d, q, "lag_seconds", a), a)),
                 STR_ARG(cmd_member(d, q, "unfinished", a)));
    if (open)
        (void)printf(", nothing before %.*s", STR_ARG(until));
    if (any_error)
        (void)printf(", last error %.*s: %.*s", STR_ARG(cmd_member(d, q, "last_error_at", a)),
                     STR_ARG(error));
    (void)putchar('\n');
}

static int list_destinations(const struct conf *c)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d;
    int code = cmd_ask(c, "GET", "/v1/deliveries/destinations", STR(""), &a, &d);
    if (code != EXIT_DONE)
        return code;
    for (uint32_t q = json_first(&d, JSON_ROOT); q; q = json_next(&d, JSON_ROOT, q))
        print_destination(&d, q, &a);
    if (json_first(&d, JSON_ROOT) == 0)
        (void)printf("none\n");
    return EXIT_DONE;
}

int cmd_deliveries(int argc, char **argv)
{
    const char *state = "dead", *which = NULL, *verb = argc > 1 ? argv[1] : "";
    bool all = argc == 2 && strcmp(verb, "--export") == 0;
    bool lists = argc == 2 && strcmp(verb, "list") == 0;
    bool pauses = argc == 3 && (strcmp(verb, "pause") == 0 || strcmp(verb, "resume") == 0);
    if (argc == 3 && strcmp(verb, "--state") == 0)
        state = argv[2];
    else if (argc == 3 && strcmp(verb, "--resend") == 0)
        which = argv[2];
    else if (argc != 1 && !all && !lists && !pauses)
        return cmd_fail(EXIT_USAGE, "takes --state dead|retry|sending, --resend ID|all, --export, "
                                    "list, pause DESTINATION or resume DESTINATION");
    AUTO(conf_free) struct conf *c = NULL;
    int code = cmd_conf(&c);
    if (code != EXIT_DONE)
        return code;
    if (all)
        return export(c);
    if (lists)
        return list_destinations(c);
    if (pauses)
        return cmd_pause(c, "/v1/deliveries", "destination", verb, argv[2]);
    return which ? resend(c, which) : list(c, state);
}
