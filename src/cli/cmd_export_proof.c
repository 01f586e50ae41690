#include "audit/bundle.h"
#include "base/clock.h"
#include "cli/cmd.h"
#include "codec/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct wanted {
    struct bundle_question q;
    const char *out;
    bool has_from, has_to;
};

static bool is_day(struct str s)
{
    return s.n == 10;
}

/* A bare day as an end is meant with all of it. */
static bool take_time(const char *text, bool end, int64_t *ret_ms)
{
    if (!time_parse(str_of(text), ret_ms))
        return false;
    if (end && is_day(str_of(text)))
        *ret_ms += DAY_MS - 1;
    return true;
}

static int parse(int argc, char **argv, struct wanted *w)
{
    for (int i = 1; i < argc; i += 2) {
        const char *value = argv[i + 1];
        if (value == NULL)
            return cmd_fail(EXIT_USAGE, "%s lacks its value", argv[i]);
        if (strcmp(argv[i], "--subject") == 0)
            w->q.subject = str_of(value);
        else if (strcmp(argv[i], "--out") == 0)
            w->out = value;
        else if (strcmp(argv[i], "--from") == 0)
            w->has_from = take_time(value, false, &w->q.from_ms);
        else if (strcmp(argv[i], "--to") == 0)
            w->has_to = take_time(value, true, &w->q.to_ms);
        else
            return cmd_fail(EXIT_USAGE, "does not know '%s'", argv[i]);
    }
    bool about_time = w->has_from && w->has_to && w->q.from_ms <= w->q.to_ms;
    if (w->q.subject.n > LIMIT_ID || (w->q.subject.n > 0) == (w->has_from || w->has_to) ||
        (w->q.subject.n == 0 && !about_time))
        return cmd_fail(EXIT_USAGE, "takes --subject ID, or --from and --to with a date like "
                                    "2026-03-01 or 2026-03-01T12:00:00Z");
    return EXIT_DONE;
}

static enum err print_line(void *ctx, struct str text)
{
    FILE *to = ctx;
    return fwrite(text.p, 1, text.n, to) == text.n && fputc('\n', to) != EOF ? OK : ERR_IO;
}

static int write_to(FILE *to, struct store_reader *r, const struct keyring *k,
                    const struct wanted *w)
{
    struct bundle_numbers n;
    struct err_info info = { 0 };
    enum err e = bundle_write(r, k, &w->q, print_line, to, &n, &info);
    if (e == OK && (fflush(to) != 0 || (to != stdout && fsync(fileno(to)) != 0)))
        e = err_set(&info, ERR_IO, NULL, "the proof cannot be written");
    if (e != OK)
        return cmd_fail(EXIT_FAILED, "%s", info.text);
    (void)fprintf(stderr, "%llu record%s, %llu notice%s and texts that they name",
                  (unsigned long long)n.records, PLURAL(n.records), (unsigned long long)n.named,
                  PLURAL(n.named));
    if (n.erased)
        (void)fprintf(stderr, "; of %llu more the content was erased",
                      (unsigned long long)n.erased);
    (void)fprintf(stderr, "\n");
    return EXIT_DONE;
}

/* It holds personal data: nobody else reads it, and nothing is overwritten. */
static int write_file(struct store_reader *r, const struct keyring *k, const struct wanted *w)
{
    int fd = open(w->out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return cmd_fail(EXIT_FAILED, "%s: %s", w->out, strerrordesc_np(errno));
    FILE *to = fdopen(fd, "w");
    if (to == NULL) {
        (void)close(fd);
        return cmd_fail(EXIT_FAILED, "%s cannot be written", w->out);
    }
    int code = write_to(to, r, k, w);
    if (fclose(to) != 0 && code == EXIT_DONE)
        code = cmd_fail(EXIT_FAILED, "%s cannot be written", w->out);
    if (code != EXIT_DONE)
        (void)unlink(w->out);
    return code;
}

int cmd_export_proof(int argc, char **argv)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    AUTO(conf_free) struct conf *c = NULL;
    AUTO(store_reader_close) struct store_reader *r = NULL;
    AUTO(keyring_fini) struct keyring k = { 0 };
    struct wanted w = { .q = { .now_ms = clock_now_ms() } };
    int code = parse(argc, argv, &w);
    if (code == EXIT_DONE)
        code = cmd_conf(&c);
    if (code == EXIT_DONE)
        code = cmd_reader(c, &r);
    if (code != EXIT_DONE)
        return code;
    struct err_info info = { 0 };
    enum err e = keyring_load(keyring_file(c, &a), &a, &k, &info);
    if (e != OK)
        return cmd_fail(EXIT_FAILED, "%s", info.text);
    w.q.controller = c->controller_name;
    return w.out ? write_file(r, &k, &w) : write_to(stdout, r, &k, &w);
}
