#include "cli/cmd.h"

static int list(const struct conf *c, struct arena *a)
{
    struct json_doc d;
    int code = cmd_ask(c, "GET", "/v1/notices", STR(""), a, &d);
    if (code != EXIT_DONE)
        return code;
    for (uint32_t n = json_first(&d, JSON_ROOT); n; n = json_next(&d, JSON_ROOT, n)) {
        struct str version = cmd_member(&d, n, "in_force", a);
        uint32_t pending = json_get(&d, n, STR("pending"));
        (void)printf("%-20.*s %s%.*s", STR_ARG(cmd_member(&d, n, "identifier", a)),
                     version.n ? "version " : "no version yet", STR_ARG(version));
        if (json_type(&d, pending) == JSON_OBJECT)
            (void)printf(", pending since %.*s: %.*s", STR_ARG(cmd_member(&d, pending, "found", a)),
                         STR_ARG(cmd_member(&d, pending, "sha256", a)));
        struct str wrong = cmd_member(&d, n, "error", a);
        if (wrong.n > 0 && !str_eq(wrong, STR("null")))
            (void)printf(", last look: %.*s", STR_ARG(wrong));
        (void)putchar('\n');
    }
    if (json_first(&d, JSON_ROOT) == 0)
        (void)printf("none\n");
    return EXIT_DONE;
}

static int show(const struct conf *c, const char *identifier, struct arena *a)
{
    struct json_doc d;
    int code =
        cmd_ask(c, "GET", arena_printf(a, "/v1/notices/%s/pending", identifier).p, STR(""), a, &d);
    if (code != EXIT_DONE)
        return code;
    cmd_print(stdout, cmd_member(&d, JSON_ROOT, "content", a)); /* it has no control characters */
    (void)putchar('\n');
    return EXIT_DONE;
}

static int confirm(const struct conf *c, const char *identifier, const char *sha256,
                   struct arena *a)
{
    struct json_doc d;
    int code = cmd_ask(
        c, "POST",
        arena_printf(a, "/v1/notices/confirm?identifier=%s&sha256=%s", identifier, sha256).p,
        STR(""), a, &d);
    if (code != EXIT_DONE)
        return code;
    (void)printf("%s is version %.*s now\n", identifier,
                 STR_ARG(cmd_member(&d, JSON_ROOT, "version", a)));
    return EXIT_DONE;
}

/* What stands in a path or a query as it is. */
static bool is_word(const char *s)
{
    for (const char *p = s; *p != 0; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
              *p == '_' || *p == '-' || *p == '.'))
            return false;
    }
    return *s != 0;
}

int cmd_notices(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "list";
    bool lists = argc <= 2 && strcmp(verb, "list") == 0;
    bool shows = argc == 3 && strcmp(verb, "show") == 0;
    bool confirms = argc == 4 && strcmp(verb, "confirm") == 0;
    for (int i = 2; i < argc; i++) {
        if (!is_word(argv[i]))
            return cmd_fail(EXIT_USAGE, "'%s' is neither an identifier nor a hash", argv[i]);
    }
    if (!lists && !shows && !confirms)
        return cmd_fail(EXIT_USAGE, "takes list, show IDENTIFIER, or confirm IDENTIFIER SHA256");
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(conf_free) struct conf *c = NULL;
    int code = cmd_conf(&c);
    if (code != EXIT_DONE)
        return code;
    return lists ? list(c, &a) : shows ? show(c, argv[2], &a) : confirm(c, argv[2], argv[3], &a);
}
