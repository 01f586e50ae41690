#include "api/tls.h"
#include "cli/cmd.h"

#include "base/clock.h"
#include "consent/policy_names.h"
#include "deliver/probe.h"
#include "policy/compile.h"

#include <stdio.h>
#include <unistd.h>

static void tell_unnamed(void *ctx, struct str recipient, struct str purpose)
{
    (void)ctx;
    (void)fprintf(stderr,
                  "warning: the privacy policy in force does not name \"%.*s\", which receives "
                  "something for \"%.*s\"\n",
                  STR_ARG(recipient), STR_ARG(purpose));
}

static void say_unnamed(const struct conf *c, struct store_reader *r)
{
    enum err e = policy_names_recipients(r, c, clock_now_ms(), tell_unnamed, NULL);
    if (e != OK && e != ERR_NOT_FOUND) /* without a policy there is nothing to look at */
        (void)fprintf(stderr, "warning: the privacy policy cannot be read: %s\n", err_text(e));
}

/* With a database there, the file must also agree with what is frozen in it. */
static int compare(const struct conf *c)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str file = arena_printf(&a, "%.*s/licet.db", STR_ARG(c->data_dir));
    if (access(file.p, F_OK) != 0)
        return EXIT_DONE;
    AUTO(store_reader_close) struct store_reader *r = NULL;
    int code = cmd_reader(c, &r);
    if (code != EXIT_DONE)
        return code;
    struct frozen frozen;
    struct policy_news news;
    AUTO(buf_fini) struct buf reports = BUF_INIT(LIMIT_CONF);
    enum err e = store_load_frozen(r, &a, &frozen);
    if (e != OK)
        return cmd_fail(EXIT_FAILED, "the database cannot be read: %s", err_text(e));
    say_unnamed(c, r);
    e = policy_compare(c, &frozen, &a, &news, &reports);
    cmd_print(stderr, buf_view(&reports));
    return e == OK ? EXIT_DONE : EXIT_USAGE;
}

static int ask_receiver(const struct conf_destination *d)
{
    AUTO(buf_fini) struct buf says = BUF_INIT(LIMIT_ANSWER);
    enum err e = probe(d, &says);
    if (e == ERR_NOT_FOUND)
        return EXIT_DONE;
    (void)fflush(stdout); /* the two streams in their order */
    struct str rest = buf_view(&says), line;
    while (rest.n > 0 && str_next(&rest, '\n', &line))
        (void)cmd_fail(EXIT_FAILED, "%.*s: %.*s", STR_ARG(d->id), STR_ARG(line));
    if (e != OK)
        return EXIT_FAILED;
    (void)printf("%.*s: reached, no faults\n", STR_ARG(d->id));
    return EXIT_DONE;
}

static int check_certificate(const struct conf *c)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(LIMIT_CONF);
    AUTO(certificate_unref) struct certificate *cert = NULL;
    enum err e = c->tls.on ? certificate_load(c, &cert, &reports) : OK;
    cmd_print(stderr, buf_view(&reports));
    return e == OK ? EXIT_DONE : EXIT_USAGE;
}

int cmd_check(int argc, char **argv)
{
    bool live = argc == 2 && strcmp(argv[1], "--live") == 0;
    if (argc > 1 && !live)
        return cmd_fail(EXIT_USAGE, "takes no argument but --live");
    AUTO(conf_free) struct conf *c = NULL;
    int code = cmd_conf_warn(&c);
    if (code == EXIT_DONE)
        code = check_certificate(c);
    if (code == EXIT_DONE)
        code = compare(c);
    if (code == EXIT_DONE)
        (void)printf("%s: no faults, %u purpose%s, %u destination%s\n", cmd_options.config,
                     c->purpose_count, PLURAL(c->purpose_count), c->destination_count,
                     PLURAL(c->destination_count));
    for (uint32_t i = 0; code != EXIT_USAGE && live && i < c->destination_count; i++) {
        if (ask_receiver(&c->destination[i]) != EXIT_DONE)
            code = EXIT_FAILED;
    }
    for (uint32_t i = 0; code != EXIT_USAGE && live && i < c->hook_count; i++) {
        if (ask_receiver(&c->hook[i].remote) != EXIT_DONE)
            code = EXIT_FAILED;
    }
    return code;
}
