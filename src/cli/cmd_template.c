#include "cli/cmd.h"
#include "cli/template.h"

#include "base/clock.h"
#include "codec/time.h"
#include "codec/utf8.h"

#include <stdio.h>

enum { DATE = 10 };

static int list(void)
{
    for (uint32_t i = 0; i < TEMPLATES; i++) {
        struct str summary = template_summary(&templates[i]);
        (void)printf("%-18s %.*s\n", templates[i].name, STR_ARG(summary));
    }
    return EXIT_DONE;
}

static int choose(struct template_wish *w, const char *name)
{
    for (uint32_t i = 0; i < TEMPLATES; i++) {
        if (strcmp(templates[i].name, name) == 0) {
            w->chosen[i] = true;
            return EXIT_DONE;
        }
    }
    return cmd_fail(EXIT_USAGE, "no template '%s': licet template lists them", name);
}

/* NAME=VALUE. What stands in a text is one line. */
static int add_set(struct template_wish *w, const char *text)
{
    struct str all = str_of(text), name;
    if (w->set_count == TEMPLATE_SETS)
        return cmd_fail(EXIT_USAGE, "--set at most %d times", TEMPLATE_SETS);
    if (strchr(text, '=') == NULL || !str_next(&all, '=', &name) || name.n == 0)
        return cmd_fail(EXIT_USAGE, "--set takes NAME=VALUE");
    struct str value = str_trim((struct str){ name.p + name.n + 1, strlen(name.p + name.n + 1) });
    bool ok = value.n > 0 && value.n <= TEMPLATE_VALUE && utf8_valid(value);
    for (size_t i = 0; i < value.n; i++)
        ok = ok && (unsigned char)value.p[i] >= ' ' && value.p[i] != 0x7f;
    if (!ok)
        return cmd_fail(EXIT_USAGE, "--set %.*s: the value is one line of text, at most %d bytes",
                        STR_ARG(name), TEMPLATE_VALUE);
    for (uint32_t i = 0; i < w->set_count; i++) {
        if (str_eq(w->set[i].name, name))
            return cmd_fail(EXIT_USAGE, "--set %.*s stands twice", STR_ARG(name));
    }
    w->set[w->set_count++] = (struct template_set){ .name = name, .value = value };
    return EXIT_DONE;
}

static int check_words(const struct template_wish *w)
{
    struct str rest = str_of(w->language), one;
    while (rest.n > 0 && str_next(&rest, ',', &one)) {
        if (!str_eq(one, STR("en")) && !str_eq(one, STR("de")) && !str_eq(one, STR("nl")))
            return cmd_fail(EXIT_USAGE, "no texts in '%.*s': there are en, de, nl", STR_ARG(one));
    }
    if (w->section != NULL && strcmp(w->section, "purposes") != 0 &&
        strcmp(w->section, "destinations") != 0 && strcmp(w->section, "links") != 0)
        return cmd_fail(EXIT_USAGE, "--section takes purposes, destinations or links");
    return EXIT_DONE;
}

static int read_options(int argc, char **argv, struct template_wish *w, bool *ret_any)
{
    int code = EXIT_DONE;
    *ret_any = false;
    for (int i = 1; i < argc && code == EXIT_DONE; i++) {
        const char *next = i + 1 < argc && argv[i + 1][0] != 0 ? argv[i + 1] : NULL;
        if (argv[i][0] != '-') {
            code = choose(w, argv[i]);
            *ret_any = true;
            continue;
        }
        if (next == NULL)
            return cmd_fail(EXIT_USAGE, "%s: see licet template --help", argv[i]);
        i++;
        if (strcmp(argv[i - 1], "--set") == 0)
            code = add_set(w, next);
        else if (strcmp(argv[i - 1], "--language") == 0)
            w->language = next;
        else if (strcmp(argv[i - 1], "--section") == 0)
            w->section = next;
        else
            return cmd_fail(EXIT_USAGE, "%s: see licet template --help", argv[i - 1]);
    }
    return code == EXIT_DONE ? check_words(w) : code;
}

/* In force from the day on which it is printed, unless another is given. */
static void set_today(struct template_wish *w, char today[TIME_TEXT + 1])
{
    time_format(clock_now_ms(), today);
    for (uint32_t i = 0; i < w->set_count; i++) {
        if (str_eq(w->set[i].name, STR("since")))
            return;
    }
    w->set[w->set_count++] =
        (struct template_set){ .name = STR("since"), .value = { today, DATE }, .used = true };
}

static int print(struct template_wish *w)
{
    AUTO(buf_fini) struct buf text = BUF_INIT(LIMIT_CONF), open = BUF_INIT(LIMIT_CONF);
    template_join(w, &text, &open);
    for (uint32_t i = 0; i < w->set_count; i++) {
        if (!w->set[i].used)
            return cmd_fail(EXIT_USAGE, "--set %.*s: nothing of that name is to be filled in here",
                            STR_ARG(w->set[i].name));
    }
    if (text.over)
        return cmd_fail(EXIT_FAILED, "with these values it is too long");
    if (text.n == 0)
        return cmd_fail(EXIT_FAILED, "there are no %s in it", w->section);
    cmd_print(stdout, buf_view(&text));
    if (fflush(stdout) != 0)
        return cmd_fail(EXIT_FAILED, "it cannot be written");
    if (open.n > 0)
        (void)cmd_fail(EXIT_DONE, "still to be filled in: %.*s", STR_ARG(buf_view(&open)));
    return EXIT_DONE;
}

int cmd_template(int argc, char **argv)
{
    struct template_wish w = { 0 };
    char today[TIME_TEXT + 1];
    bool any;
    if (argc == 1)
        return list();
    int code = read_options(argc, argv, &w, &any);
    if (code != EXIT_DONE)
        return code;
    if (!any)
        return cmd_fail(EXIT_USAGE, "which template? licet template lists them");
    set_today(&w, today);
    return print(&w);
}
