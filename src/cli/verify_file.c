/* licet verify FILE: without a configuration, on any machine. */
#include "audit/bundle.h"
#include "cli/verify_file.h"
#include "codec/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 256, KEY_FILE = 256 << 10 };

struct given {
    uint8_t key[KEYS][SIGN_KEY];
    struct bundle_trust trust;
    struct buf authorities;
};

static void given_fini(struct given *g)
{
    buf_fini(&g->authorities);
}

static bool slurp(const char *file, struct buf *to)
{
    FILE *f = fopen(file, "re");
    if (f == NULL)
        return false;
    char *room = buf_room(to, KEY_FILE);
    to->n = fread(room, 1, KEY_FILE, f);
    bool whole = feof(f) != 0 && ferror(f) == 0;
    (void)fclose(f);
    return whole;
}

static bool add_key(struct given *g, struct str hex)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str key;
    if (hex.n != 2 * SIGN_KEY || !hex_decode(hex, &a, &key) || g->trust.key_count == KEYS)
        return false;
    memcpy(g->key[g->trust.key_count++], key.p, SIGN_KEY);
    return true;
}

/* A key itself, or a file whose lines begin with one, as `licet keys list` prints them. */
static int take_key(struct given *g, const char *value)
{
    AUTO(buf_fini) struct buf text = BUF_INIT(KEY_FILE + 1);
    struct str line, word;
    if (add_key(g, str_of(value)))
        return EXIT_DONE;
    if (!slurp(value, &text))
        return cmd_fail(EXIT_USAGE, "--key: '%s' is neither a key nor a file with keys", value);
    struct str rest = buf_view(&text);
    uint32_t before = g->trust.key_count;
    while (str_next(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.n && str_next(&line, ' ', &word))
            (void)add_key(g, word); /* what else stands there is for people */
    }
    return g->trust.key_count > before
               ? EXIT_DONE
               : cmd_fail(EXIT_USAGE, "--key: '%s' has no line that begins with a key", value);
}

static int take_authorities(struct given *g, const char *file)
{
    if (!slurp(file, &g->authorities) ||
        memmem(g->authorities.p, g->authorities.n, "-----BEGIN CERTIFICATE-----", 27) == NULL)
        return cmd_fail(EXIT_USAGE, "--authority: '%s' is no file with certificates (PEM)", file);
    g->trust.authorities = buf_view(&g->authorities);
    return EXIT_DONE;
}

static int parse(int argc, char **argv, struct given *g, const char **ret_file)
{
    g->trust.key = g->key;
    for (int i = 1; i < argc; i++) {
        int code = EXIT_DONE;
        bool key = strcmp(argv[i], "--key") == 0, authority = strcmp(argv[i], "--authority") == 0;
        if ((key || authority) && argv[i + 1] == NULL)
            return cmd_fail(EXIT_USAGE, "%s lacks its value", argv[i]);
        if (key)
            code = take_key(g, argv[++i]);
        else if (authority)
            code = take_authorities(g, argv[++i]);
        else if (*ret_file == NULL && (argv[i][0] != '-' || argv[i][1] == 0))
            *ret_file = argv[i];
        else
            return cmd_fail(EXIT_USAGE, "takes one FILE, --key FILE|KEY and --authority FILE");
        if (code != EXIT_DONE)
            return code;
    }
    return *ret_file != NULL ? EXIT_DONE : cmd_fail(EXIT_USAGE, "takes the FILE to check");
}

/* ---- lines ---- */

static void print(void *ctx, struct str line)
{
    (void)ctx;
    (void)printf("%.*s\n", STR_ARG(line));
}

/* ERR_NOT_FOUND: the end. A last line without '\n' was cut. */
static enum err read_line(FILE *f, struct buf *line, struct err_info *info)
{
    buf_clear(line);
    for (;;) {
        int c = getc_unlocked(f);
        if (c == '\n')
            return OK;
        if (c == EOF && ferror(f))
            return err_set(info, ERR_IO, NULL, "it cannot be read: %s", strerrordesc_np(errno));
        if (c == EOF)
            return line->n == 0 ? ERR_NOT_FOUND
                                : err_set(info, ERR_VALUE, NULL,
                                          "the file was cut: its last line "
                                          "has no end");
        buf_byte(line, (char)c);
        if (line->over)
            return err_set(info, ERR_LIMIT, NULL, "a line is longer than %u MB",
                           LIMIT_PROOF_LINE >> 20);
    }
}

static int check(FILE *f, const struct bundle_trust *trust)
{
    AUTO(buf_fini) struct buf line = BUF_INIT(LIMIT_PROOF_LINE);
    AUTO(bundle_check_free)
    struct bundle_check *c = bundle_check_new(trust, print, NULL);
    struct err_info info = { 0 };
    enum err e;
    while ((e = read_line(f, &line, &info)) == OK &&
           (e = bundle_check_line(c, buf_view(&line), &info)) == OK)
        ;
    if (e == ERR_NOT_FOUND)
        e = bundle_check_end(c, &info);
    (void)fflush(stdout); /* the two streams in their order */
    return e == OK ? EXIT_DONE : cmd_fail(EXIT_FAILED, "NOT PROVEN: %s", info.text);
}

int verify_file(int argc, char **argv)
{
    AUTO(given_fini) struct given g = { .authorities = BUF_INIT(KEY_FILE + 1) };
    const char *file = NULL;
    int code = parse(argc, argv, &g, &file);
    if (code != EXIT_DONE)
        return code;
    if (strcmp(file, "-") == 0)
        return check(stdin, &g.trust);
    FILE *f = fopen(file, "re");
    if (f == NULL)
        return cmd_fail(EXIT_FAILED, "%s: %s", file, strerrordesc_np(errno));
    code = check(f, &g.trust);
    (void)fclose(f);
    return code;
}
