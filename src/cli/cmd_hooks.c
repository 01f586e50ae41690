#include "cli/cmd.h"
#include "codec/json.h"

#include <stdio.h>

static bool is_null(struct str s)
{
    return s.n == 0 || str_eq(s, STR("null"));
}

/* An answer that is a list. */
static int call(const struct conf *c, const char *target, struct arena *a, struct json_doc *ret_d)
{
    int code = cmd_ask(c, "GET", target, STR(""), a, ret_d);
    if (code == EXIT_DONE && json_first(ret_d, JSON_ROOT) == 0)
        (void)printf("none\n");
    return code;
}

/* ---- list ---- */

static void print_hook(const struct json_doc *d, uint32_t q, struct arena *a)
{
    struct str state = cmd_member(d, q, "state", a), lag = cmd_member(d, q, "lag_facts", a),
               why = cmd_member(d, q, "why", a), error = cmd_member(d, q, "last_error", a),
               until = cmd_member(d, q, "open_until", a);
    (void)printf("%-16.*s %-8.*s %.*s fact%s behind, oldest message %.*s s old, %.*s unfinished, "
                 "%.*s dead",
                 STR_ARG(cmd_member(d, q, "hook", a)), STR_ARG(state), STR_ARG(lag),
                 cmd_plural(lag), STR_ARG(cmd_member(d, q, "lag_seconds", a)),
                 STR_ARG(cmd_member(d, q, "unfinished", a)), STR_ARG(cmd_member(d, q, "dead", a)));
    if (!is_null(why))
        (void)printf(", %.*s", STR_ARG(why));
    if (str_eq(state, STR("open")))
        (void)printf(", nothing before %.*s", STR_ARG(until));
    if (!is_null(error))
        (void)printf(", last error %.*s: %.*s", STR_ARG(cmd_member(d, q, "last_error_at", a)),
                     STR_ARG(error));
    (void)putchar('\n');
}

static int list(const struct conf *c)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d;
    int code = call(c, "/v1/hooks", &a, &d);
    for (uint32_t q = code == EXIT_DONE ? json_first(&d, JSON_ROOT) : 0; q;
         q = json_next(&d, JSON_ROOT, q))
        print_hook(&d, q, &a);
    return code;
}

/* ---- messages ---- */

static int messages(const struct conf *c, const char *state)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d;
    int code = call(c, arena_printf(&a, "/v1/hooks/messages?state=%s", state).p, &a, &d);
    for (uint32_t q = code == EXIT_DONE ? json_first(&d, JSON_ROOT) : 0; q;
         q = json_next(&d, JSON_ROOT, q)) {
        struct str attempts = cmd_member(&d, q, "attempts", &a);
        (void)printf(
            "%.*s  %.*s  %-16.*s  %.*s attempt%s  %.*s\n", STR_ARG(cmd_member(&d, q, "id", &a)),
            STR_ARG(cmd_member(&d, q, "recorded", &a)), STR_ARG(cmd_member(&d, q, "hook", &a)),
            STR_ARG(attempts), cmd_plural(attempts), STR_ARG(cmd_member(&d, q, "error", &a)));
    }
    return code;
}

static int resend(const struct conf *c, const char *which)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct id id;
    struct str target;
    if (strcmp(which, "all") == 0)
        target = STR("/v1/hooks/resend?all=1");
    else if (id_parse(str_of(which), &id))
        target = arena_printf(&a, "/v1/hooks/resend?id=%s", which);
    else if (cmd_is_id(which))
        target = arena_printf(&a, "/v1/hooks/resend?hook=%s", which);
    else
        return cmd_fail(EXIT_USAGE, "resend takes the id of a message, of a hook, or all");
    struct json_doc d;
    int code = cmd_ask(c, "POST", target.p, STR(""), &a, &d);
    if (code != EXIT_DONE)
        return code;
    struct str count = cmd_member(&d, JSON_ROOT, "resent", &a);
    (void)printf("%.*s message%s due again\n", STR_ARG(count), cmd_plural(count));
    return EXIT_DONE;
}

int cmd_hooks(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "list";
    bool lists = argc <= 2 && strcmp(verb, "list") == 0;
    bool tells = argc == 2 && (strcmp(verb, "dead") == 0 || strcmp(verb, "waiting") == 0);
    bool resends = argc == 3 && strcmp(verb, "resend") == 0;
    bool pauses = argc == 3 && (strcmp(verb, "pause") == 0 || strcmp(verb, "resume") == 0);
    if (!lists && !tells && !resends && !pauses)
        return cmd_fail(EXIT_USAGE, "takes list, dead, waiting, resend ID|HOOK|all, pause HOOK or "
                                    "resume HOOK");
    AUTO(conf_free) struct conf *c = NULL;
    int code = cmd_conf(&c);
    if (code != EXIT_DONE)
        return code;
    if (lists)
        return list(c);
    if (tells)
        return messages(c, verb);
    return resends ? resend(c, argv[2]) : cmd_pause(c, "/v1/hooks", "hook", verb, argv[2]);
}
