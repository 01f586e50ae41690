#include "cli/cmd.h"

#include <stdio.h>

/* ---- voided ---- */

static void print_sent(const struct json_doc *d, uint32_t s, bool json, struct arena *a)
{
    if (json) {
        struct str raw = json_raw(d, s);
        (void)printf("%.*s\n", STR_ARG(raw));
        return;
    }
    (void)printf("%.*s  %-9.*s  %.*s (%.*s, %.*s)  event %.*s of %.*s %.*s  %.*s\n",
                 STR_ARG(cmd_member(d, s, "at", a)), STR_ARG(cmd_member(d, s, "result", a)),
                 STR_ARG(cmd_member(d, s, "destination", a)),
                 STR_ARG(cmd_member(d, s, "recipient", a)), STR_ARG(cmd_member(d, s, "country", a)),
                 STR_ARG(cmd_member(d, s, "event", a)), STR_ARG(cmd_member(d, s, "as", a)),
                 STR_ARG(cmd_member(d, s, "subject", a)), STR_ARG(cmd_member(d, s, "fields", a)));
}

static int report_version(const struct conf *c, struct str purpose, struct str version, bool json)
{
    struct str after = STR("0");
    char kept[32];
    unsigned long long count = 0, omitted = 0, n;
    for (;;) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct json_doc d;
        int code =
            cmd_ask(c, "GET",
                    arena_printf(&a, "/v1/reports/voided?purpose=%.*s&version=%.*s&after=%.*s",
                                 STR_ARG(purpose), STR_ARG(version), STR_ARG(after))
                        .p,
                    STR(""), &a, &d);
        if (code != EXIT_DONE)
            return code;
        uint32_t sent = json_get(&d, JSON_ROOT, STR("sent"));
        for (uint32_t s = json_first(&d, sent); s; s = json_next(&d, sent, s)) {
            print_sent(&d, s, json, &a);
            count++;
        }
        if (str_to_u64(cmd_member(&d, JSON_ROOT, "omitted", &a), &n))
            omitted += n;
        if (!str_to_u64(cmd_member(&d, JSON_ROOT, "next", &a), &n))
            break;
        (void)snprintf(kept, sizeof kept, "%llu", n);
        after = str_of(kept);
    }
    if (!json)
        (void)printf("%.*s version %.*s: %llu sent%s\n", STR_ARG(purpose), STR_ARG(version), count,
                     omitted ? ", and more of people with too many events to list" : "");
    return EXIT_DONE;
}

static int report_all(const struct conf *c, bool json)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d;
    int code = cmd_ask(c, "GET", "/v1/reports/voided", STR(""), &a, &d);
    if (code != EXIT_DONE)
        return code;
    for (uint32_t v = json_first(&d, JSON_ROOT); v && code == EXIT_DONE;
         v = json_next(&d, JSON_ROOT, v))
        code = report_version(c, cmd_member(&d, v, "purpose", &a), cmd_member(&d, v, "version", &a),
                              json);
    if (json_first(&d, JSON_ROOT) == 0 && !json)
        (void)printf("no text is void\n");
    return code;
}

static bool is_plain(const char *s)
{
    for (; *s; s++) {
        if (!((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '_' || *s == '-'))
            return false;
    }
    return true;
}

int cmd_report_voided(int argc, char **argv)
{
    const char *purpose = NULL, *version = NULL;
    bool json = false;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--purpose") == 0 && i + 1 < argc)
            purpose = argv[++i];
        else if (strcmp(argv[i], "--version") == 0 && i + 1 < argc)
            version = argv[++i];
        else
            return cmd_fail(EXIT_USAGE, "voided takes --purpose ID --version N and --json");
    }
    if ((purpose == NULL) != (version == NULL) ||
        (purpose && (!is_plain(purpose) || !is_plain(version))))
        return cmd_fail(EXIT_USAGE, "voided takes --purpose ID and --version N together");
    AUTO(conf_free) struct conf *c = NULL;
    int code = cmd_conf(&c);
    if (code != EXIT_DONE)
        return code;
    return purpose ? report_version(c, str_of(purpose), str_of(version), json)
                   : report_all(c, json);
}

/* ---- coverage ---- */

static void print_counts(const struct json_doc *d, uint32_t object, struct arena *a)
{
    static const char *const name[] = { "granted",   "expired", "voided",
                                        "withdrawn", "refused", "without_effect" };
    for (size_t i = 0; i < COUNT(name); i++) {
        struct str n = cmd_member(d, object, name[i], a);
        if (n.n > 0)
            (void)printf("  %.*s %s", STR_ARG(n),
                         strcmp(name[i], "without_effect") == 0 ? "without effect" : name[i]);
    }
    (void)putchar('\n');
}

int cmd_report_coverage(int argc, char **argv)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(conf_free) struct conf *c = NULL;
    bool json = argc == 3 && strcmp(argv[2], "--json") == 0;
    struct json_doc d;
    if (argc != 2 && !json)
        return cmd_fail(EXIT_USAGE, "coverage takes --json and nothing else");
    int code = cmd_conf(&c);
    if (code == EXIT_DONE)
        code = cmd_ask(c, "GET", "/v1/purposes", STR(""), &a, &d);
    if (code != EXIT_DONE)
        return code;
    if (json) {
        (void)printf("%.*s\n", STR_ARG(json_raw(&d, JSON_ROOT)));
        return EXIT_DONE;
    }
    for (uint32_t p = json_first(&d, JSON_ROOT); p; p = json_next(&d, JSON_ROOT, p)) {
        (void)printf("%.*s:", STR_ARG(cmd_member(&d, p, "id", &a)));
        print_counts(&d, json_get(&d, p, STR("subjects")), &a);
        (void)printf("    refused by people who are not known: %.*s\n",
                     STR_ARG(cmd_member(&d, p, "refused_by_unknown", &a)));
        uint32_t list = json_get(&d, p, STR("versions"));
        for (uint32_t v = json_first(&d, list); v; v = json_next(&d, list, v)) {
            (void)printf("    version %.*s:", STR_ARG(cmd_member(&d, v, "version", &a)));
            print_counts(&d, v, &a);
        }
    }
    return EXIT_DONE;
}
