#include "audit/keyring.h"
#include "base/clock.h"
#include "cli/cmd.h"
#include "codec/text.h"
#include "codec/time.h"

#include <stdio.h>

static void print_key(const struct key_found *k, bool in_use, struct arena *a)
{
    char at[TIME_TEXT + 1];
    time_format_seconds(k->key.at_ms, at);
    struct str key = hex_encode((struct str){ (const char *)k->key.public, SIGN_KEY }, a);
    (void)printf("%.*s  since %s%s%s\n", STR_ARG(key), at,
                 key_is_handed_over(k) ? "  handed over by the one before"
                 : k->key.has_previous ? "  NOT handed over by the one before"
                                       : "",
                 in_use ? "  in use" : "");
}

static bool is_in(const struct key_found *k, uint32_t count, const struct key_found *one)
{
    for (uint32_t i = 0; i < count; i++)
        if (memcmp(k[i].key.public, one->key.public, SIGN_KEY) == 0)
            return true;
    return false;
}

/* Those the chain has, then what the file has besides. */
static int list(const struct conf *c, struct arena *a)
{
    AUTO(store_reader_close) struct store_reader *r = NULL;
    AUTO(keyring_fini) struct keyring k = { 0 };
    struct key_found *known;
    uint32_t count;
    struct err_info info = { 0 };
    int code = cmd_reader(c, &r);
    if (code != EXIT_DONE)
        return code;
    if (store_list_signing_keys(r, a, &known, &count) != OK)
        return cmd_fail(EXIT_FAILED, "the keys cannot be read: see licet verify");
    enum err e = keyring_load(keyring_file(c, a), a, &k, &info);
    for (uint32_t i = 0; i < count; i++)
        print_key(&known[i], e == OK && memcmp(known[i].key.public, k.key, SIGN_KEY) == 0, a);
    for (uint32_t i = 0; i < k.count; i++)
        if (!is_in(known, count, &k.known[i]))
            print_key(&k.known[i], i + 1 == k.count, a);
    return e == OK ? EXIT_DONE : cmd_fail(EXIT_FAILED, "%s", info.text);
}

static int make(const struct conf *c, struct arena *a)
{
    AUTO(keyring_fini) struct keyring k = { 0 };
    struct err_info info = { 0 };
    struct str file = keyring_file(c, a);
    enum err e = keyring_turn(file, clock_now_ms(), a, &info);
    if (e == ERR_NOT_FOUND)
        e = keyring_make(file, clock_now_ms(), a, &info);
    if (e == OK)
        e = keyring_load(file, a, &k, &info);
    if (e != OK)
        return cmd_fail(EXIT_FAILED, "%s", info.text);
    print_key(&k.known[k.count - 1], true, a);
    (void)printf("A running daemon takes it into use with its next seal. Publish it, and keep "
                 "a copy of %.*s.\n",
                 STR_ARG(file));
    return EXIT_DONE;
}

int cmd_keys(int argc, char **argv)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(conf_free) struct conf *c = NULL;
    bool makes = argc == 2 && strcmp(argv[1], "new") == 0;
    if (!makes && !(argc == 2 && strcmp(argv[1], "list") == 0))
        return cmd_fail(EXIT_USAGE, "takes list or new");
    int code = cmd_conf(&c);
    if (code != EXIT_DONE)
        return code;
    return makes ? make(c, &a) : list(c, &a);
}
