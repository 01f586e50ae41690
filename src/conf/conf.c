#include "conf/read_priv.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void forget(struct str s)
{
    if (s.n)
        sodium_memzero((char *)s.p, s.n);
}

void conf_free(struct conf **c)
{
    if (*c == NULL)
        return;
    forget((*c)->subject_token_secret);
    for (uint32_t i = 0; i < (*c)->destination_count; i++)
        forget((*c)->destination[i].secret);
    arena_fini(&(*c)->arena);
    free(*c);
    *c = NULL;
}

static struct str folder_of(struct str file)
{
    const char *slash = file.n ? memrchr(file.p, '/', file.n) : NULL;
    return slash ? (struct str){ file.p, (size_t)(slash - file.p) + 1 } : STR("");
}

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("+/=_-", c) != NULL;
}

/* Where the file cannot be read as YAML, nobody knows what in it is a key:
 * whatever could be one is not shown. */
static void mask_words(struct str text)
{
    char *kept = (char *)text.p; /* ours, from arena_str() */
    for (size_t i = 0, start = 0; i <= text.n; i++) {
        if (i < text.n && kept[i] && word_char(kept[i]))
            continue;
        if (i - start >= KEY_LEAST)
            memset(kept + start, '*', i - start);
        start = i + 1;
    }
}

static enum err judge(const struct faults *f, bool parsed)
{
    if (f->errors == 0)
        return OK;
    return !parsed ? ERR_SYNTAX : f->limit ? ERR_LIMIT : ERR_VALUE;
}

static void too_long(struct str name, struct buf *reports)
{
    buf_printf(reports, "%.*s: error: the file is longer than %u bytes\n", STR_ARG(name),
               LIMIT_CONF);
}

enum err conf_parse(struct str text, const char *name, struct conf **ret_conf, struct buf *reports)
{
    if (text.n > LIMIT_CONF) {
        too_long(str_of(name), reports);
        return ERR_LIMIT;
    }
    if (sodium_init() < 0)
        return ERR_IO;
    AUTO(conf_free) struct conf *c = must_alloc_zero(sizeof *c);
    AUTO(arena_fini) struct arena scratch = ARENA_INIT;
    c->file = arena_str(&c->arena, str_of(name));
    c->text = arena_str(&c->arena, text);
    struct faults f;
    faults_init(&f, c->file, c->text, &scratch);
    struct reader r = { .conf = c, .arena = &c->arena, .scratch = &scratch, .faults = &f };
    r.folder = folder_of(c->file);
    r.kept = (char *)c->text.p; /* ours, from arena_str() */
    r.root = yaml_parse(text, &scratch, &f);
    if (r.root != NULL) {
        table_read(&r, &table_top, r.root, c);
        if (r.root->type == YAML_MAP)
            check_all(&r);
    } else {
        mask_words(c->text);
    }
    faults_print(&f, reports);
    enum err e = judge(&f, r.root != NULL);
    if (e != OK)
        return e;
    *ret_conf = c;
    c = NULL;
    return OK;
}

/* Up to one byte more than allowed, so that conf_parse() sees the excess. */
static enum err slurp(const char *file, struct buf *to)
{
    AUTO(close_fd) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return ERR_IO;
    char *at = buf_room(to, LIMIT_CONF); /* at once: keys are not to be copied about */
    while ((at = buf_room(to, 1)) != NULL) {
        ssize_t n = read(fd, at, to->cap - to->n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR_IO;
        if (n == 0)
            return OK;
        to->n += (size_t)n;
    }
    return OK;
}

enum err conf_load(const char *file, struct conf **ret_conf, struct buf *reports)
{
    AUTO(buf_fini) struct buf text = BUF_INIT(LIMIT_CONF + 1);
    enum err e = slurp(file, &text);
    if (e != OK)
        buf_printf(reports, "%s: error: %s\n", file, strerror(errno));
    else
        e = conf_parse(buf_view(&text), file, ret_conf, reports);
    if (text.p != NULL)
        sodium_memzero(text.p, text.cap); /* keys may stand in it */
    return e;
}
