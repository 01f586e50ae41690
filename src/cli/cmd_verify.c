#include "cli/verify_file.h"
#include "codec/text.h"

#include <stdio.h>

static void print_fault(void *ctx, const char *what)
{
    (void)ctx;
    (void)printf("fault: %s\n", what);
}

static int parse_head(const char *text, struct arena *a, struct chain_head *ret_head)
{
    struct str rest = str_of(text), group;
    unsigned long long n;
    struct str hash;
    if (!str_next(&rest, ':', &group) || !str_to_u64(group, &n) || !hex_decode(rest, a, &hash) ||
        hash.n != 32)
        return cmd_fail(EXIT_USAGE, "--head is GROUP:HASH, as printed by verify and backup");
    ret_head->group = (int64_t)n;
    memcpy(ret_head->hash, hash.p, 32);
    return EXIT_DONE;
}

static int holds_head(struct store_reader *r, const struct chain_head *wanted)
{
    struct chain_head found;
    enum err e = store_get_head(r, wanted->group, &found);
    if (e != OK && e != ERR_NOT_FOUND)
        return cmd_fail(EXIT_FAILED, "the chain cannot be read: %s", err_text(e));
    if (e == OK && memcmp(found.hash, wanted->hash, 32) == 0)
        return EXIT_DONE;
    return cmd_fail(EXIT_FAILED, "group %lld is not what it was: the chain was cut or rebuilt",
                    (long long)wanted->group);
}

int cmd_verify(int argc, char **argv)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct chain_head wanted = { 0 };
    int code = EXIT_DONE;
    if (argc > 1 && strcmp(argv[1], "--head") != 0)
        return verify_file(argc, argv);
    if (argc == 3)
        code = parse_head(argv[2], &a, &wanted);
    else if (argc != 1)
        code = cmd_fail(EXIT_USAGE, "takes --head GROUP:HASH, or the FILE of a proof");
    AUTO(conf_free) struct conf *c = NULL;
    AUTO(store_reader_close) struct store_reader *r = NULL;
    if (code == EXIT_DONE)
        code = cmd_conf(&c);
    if (code == EXIT_DONE)
        code = cmd_reader(c, &r);
    if (code != EXIT_DONE)
        return code;
    struct verify_result v;
    struct err_info info = { 0 };
    enum err e = store_verify(r, print_fault, NULL, &v, &info);
    if (e != OK)
        return cmd_fail(EXIT_FAILED, "%s", info.text[0] ? info.text : err_text(e));
    if (wanted.group != 0 && holds_head(r, &wanted) != EXIT_DONE)
        return EXIT_FAILED;
    struct str hash = hex_encode((struct str){ (const char *)v.head.hash, 32 }, &a);
    (void)printf("%llu group%s, %llu fact%s, %llu event%s (%llu with their body deleted): %llu "
                 "fault%s\nhead %lld:%.*s\n",
                 (unsigned long long)v.groups, PLURAL(v.groups), (unsigned long long)v.facts,
                 PLURAL(v.facts), (unsigned long long)v.events, PLURAL(v.events),
                 (unsigned long long)v.emptied, (unsigned long long)v.faults, PLURAL(v.faults),
                 (long long)v.head.group, STR_ARG(hash));
    return v.faults == 0 ? EXIT_DONE : EXIT_FAILED;
}
