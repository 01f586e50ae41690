#include "cli/cmd.h"
#include "policy/compile.h"

#include <stdio.h>
#include <unistd.h>

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
    e = policy_compare(c, &frozen, &a, &news, &reports);
    cmd_print(stderr, buf_view(&reports));
    return e == OK ? EXIT_DONE : EXIT_USAGE;
}

int cmd_check(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return cmd_fail(EXIT_USAGE, "takes no arguments");
    AUTO(conf_free) struct conf *c = NULL;
    int code = cmd_conf(&c);
    if (code == EXIT_DONE)
        code = compare(c);
    if (code == EXIT_DONE)
        (void)printf("%s: no faults, %u purpose%s, %u destination%s\n", cmd_options.config,
                     c->purpose_count, PLURAL(c->purpose_count), c->destination_count,
                     PLURAL(c->destination_count));
    return code;
}
