#include "cli/cmd.h"
#include "codec/text.h"

#include <stdio.h>
#include <unistd.h>

int cmd_backup(int argc, char **argv)
{
    if (argc != 2)
        return cmd_fail(EXIT_USAGE, "takes the FILE to write");
    if (access(argv[1], F_OK) == 0)
        return cmd_fail(EXIT_FAILED, "%s is there already", argv[1]);
    AUTO(conf_free) struct conf *c = NULL;
    AUTO(store_reader_close) struct store_reader *r = NULL;
    int code = cmd_conf(&c);
    if (code == EXIT_DONE)
        code = cmd_reader(c, &r);
    if (code != EXIT_DONE)
        return code;
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct chain_head head;
    struct err_info info = { 0 };
    enum err e = store_backup(r, str_of(argv[1]), &head, &info);
    if (e != OK)
        return cmd_fail(EXIT_FAILED, "%s", info.text[0] ? info.text : err_text(e));
    struct str hash = hex_encode((struct str){ (const char *)head.hash, 32 }, &a);
    (void)printf("%s\nhead %lld:%.*s\n", argv[1], (long long)head.group, STR_ARG(hash));
    return EXIT_DONE;
}
