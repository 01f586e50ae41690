/* Sends the records of a file to the daemon, a few at a time, and goes on where it stood whatever was
 * killed meanwhile: the daemon commits how far it has come with what it takes in. */
#include "cli/cmd.h"
#include "cli/source.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 2 << 20, MOST = 2048, REFUSED_HERE = 100000 };

struct refusal {
    uint64_t shown;
    struct err_info info;
};

struct import {
    const struct conf *conf;
    struct source source;
    struct str id;
    struct arena arena; /* of all its life */
    bool dry_run, repeats_all;
    int wait_s;

    uint64_t next;    /* records before this one are done */
    struct buf chunk; /* lines to be sent; */
    struct buf json;
    uint32_t in_chunk, want;
    uint64_t accepted, repeated, refused; /* of a dry run */
    struct refusal *here;                 /* what cannot even be sent */
    uint32_t here_count;
    uint64_t *shown; /* of notices: what people call record i + 1 */
    uint32_t shown_count;

    bool terminal;
    int64_t told_ms, begun_ms;
    uint64_t done; /* records of this run */
};

/* ---- how far it is ---- */

static void tell(struct import *m, bool end)
{
    int64_t now = clock_mono_ms();
    if (!end && now - m->told_ms < (m->terminal ? 200 : 5000))
        return;
    m->told_ms = now;
    uint64_t size = m->source.size ? m->source.size : 1;
    unsigned percent = (unsigned)(m->source.read >= size ? 100 : m->source.read * 100 / size);
    double seconds = (double)(now - m->begun_ms + 1) / 1000;
    if (m->terminal) {
        char bar[31] = "..............................";
        memset(bar, '#', percent * 30 / 100);
        (void)fprintf(stderr, "\r[%s] %3u%%  %" PRIu64 " records, %.0f a second%s", bar, percent,
                      m->done, (double)m->done / seconds, end ? "\n" : "");
    } else {
        (void)fprintf(stderr, "%u%%, %" PRIu64 " records, %.0f a second\n", percent, m->done,
                      (double)m->done / seconds);
    }
}

/* ---- what is sent ---- */

static void refuse_here(struct import *m, uint64_t shown, const struct err_info *info)
{
    if (m->here_count == REFUSED_HERE)
        return;
    if ((m->here_count & (m->here_count - 1)) == 0) /* at each power of two */
        m->here = must_realloc(m->here, (m->here_count ? 2 * m->here_count : 1) * sizeof *m->here);
    m->here[m->here_count++] = (struct refusal){ shown, *info };
}

static void remember(struct import *m, const struct source_record *r)
{
    if (!str_eq(m->source.kind, STR("notices")) || r->number != m->shown_count + 1)
        return;
    if ((m->shown_count & (m->shown_count - 1)) == 0)
        m->shown =
            must_realloc(m->shown, (m->shown_count ? 2 * m->shown_count : 1) * sizeof *m->shown);
    m->shown[m->shown_count++] = r->shown;
}

static enum err fill(struct import *m, bool *ret_more, struct err_info *info)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    *ret_more = true;
    while (m->in_chunk < m->want && m->chunk.n < CHUNK / 2) {
        struct source_record r;
        enum err e = source_next(&m->source, &a, &m->json, &r, info);
        if (e == ERR_NOT_FOUND) {
            *ret_more = false;
            return OK;
        }
        if (e != OK)
            return e;
        remember(m, &r);
        if (r.fault != OK) {
            refuse_here(m, r.shown, info);
        } else if (r.number >= m->next) {
            buf_printf(&m->chunk, "%" PRIu64 " ", r.number);
            buf_str(&m->chunk, r.json);
            buf_byte(&m->chunk, '\n');
            m->in_chunk++;
        }
        arena_clear(&a);
    }
    return OK;
}

/* Drops the lines that are done. */
static uint32_t drop_done(struct import *m)
{
    size_t at = 0;
    uint32_t n = 0;
    while (at < m->chunk.n) {
        struct str rest = { m->chunk.p + at, m->chunk.n - at }, line, number;
        unsigned long long value;
        (void)str_next(&rest, '\n', &line);
        struct str begin = line;
        if (!str_next(&begin, ' ', &number) || !str_to_u64(number, &value) || value >= m->next)
            break;
        at += line.n + 1;
        n++;
    }
    if (at > 0)
        memmove(m->chunk.p, m->chunk.p + at, m->chunk.n - at);
    m->chunk.n -= at;
    m->in_chunk -= n;
    return n;
}

/* ---- the daemon ---- */

static void rest(int ms)
{
    struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
    (void)nanosleep(&t, NULL);
}

/* Tries again for a while when the daemon is gone or has no time: it takes nothing twice. */
static int ask(struct import *m, const char *method, const char *target, struct str body,
               struct arena *a, int *ret_status, struct str *ret_body)
{
    int64_t until = clock_mono_ms() + m->wait_s * 1000LL;
    for (bool told = false;;) {
        enum cmd_sent sent = cmd_send(m->conf, method, target, body, a, ret_status, ret_body);
        if (sent == SENT && *ret_status != 503 && *ret_status != 429)
            return EXIT_DONE;
        if (clock_mono_ms() >= until)
            return cmd_fail(EXIT_FAILED, "%s; run the same again, and it goes on where it stood",
                            sent == SENT_NO_DAEMON ? "no daemon runs (licet serve)"
                            : sent == SENT         ? "the daemon has no time, or cannot write"
                                                   : "the daemon was cut off");
        if (!told)
            (void)fprintf(stderr, "%swaiting for the daemon\n", m->terminal ? "\n" : "");
        told = true;
        rest(250);
    }
}

static int say(struct import *m, const struct str body)
{
    (void)m;
    return cmd_fail(EXIT_FAILED, "the daemon says: %.*s", STR_ARG(body));
}

static void print_refusal(const struct import *m, unsigned long long line, struct str field,
                          struct str error)
{
    if (m->shown_count && line >= 1 && line <= m->shown_count)
        line = m->shown[line - 1];
    if (m->source.records.form == RECORDS_ARRAY)
        (void)printf("%s: item %llu: ", m->source.options->file, line);
    else
        (void)printf("%s:%llu: ", m->source.options->file, line);
    (void)printf("%.*s%s%.*s\n", STR_ARG(field), field.n ? ": " : "", STR_ARG(error));
}

static unsigned long long print_refusals(const struct import *m, const struct json_doc *d,
                                         uint32_t list, struct arena *a)
{
    unsigned long long line = 0;
    for (uint32_t r = json_first(d, list); r; r = json_next(d, list, r)) {
        (void)str_to_u64(cmd_member(d, r, "line", a), &line);
        print_refusal(m, line, cmd_member(d, r, "field", a), cmd_member(d, r, "error", a));
    }
    return line;
}

/* Where it goes on, of the daemon's answer. */
static int take_place(struct import *m, struct str body, struct arena *a, struct json_doc *ret_d)
{
    unsigned long long next;
    if (json_scan(body, a, ret_d, NULL) != OK ||
        !str_to_u64(cmd_member(ret_d, JSON_ROOT, "next", a), &next))
        return cmd_fail(EXIT_FAILED, "the daemon's answer was cut");
    m->next = next;
    return EXIT_DONE;
}

static int send_chunk(struct import *m)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str target = arena_printf(&a, "/v1/imports?id=%.*s&kind=%.*s%s", STR_ARG(m->id),
                                     STR_ARG(m->source.kind), m->dry_run ? "&dry_run=1" : "");
    struct str body = { 0 };
    struct json_doc d;
    unsigned long long n;
    int status = 0, code = ask(m, "POST", target.p, buf_view(&m->chunk), &a, &status, &body);
    if (code != EXIT_DONE)
        return code;
    if (status != 200)
        return say(m, body);
    code = take_place(m, body, &a, &d);
    if (code != EXIT_DONE)
        return code;
    uint32_t done = drop_done(m);
    if (done == 0)
        return cmd_fail(EXIT_FAILED, "the daemon takes nothing more");
    m->done += done;
    m->want = m->in_chunk == 0 ? (m->want < MOST ? m->want * 2 : MOST) : done;
    if (!m->dry_run)
        return EXIT_DONE;
    if (str_to_u64(cmd_member(&d, JSON_ROOT, "accepted", &a), &n))
        m->accepted += n;
    if (str_to_u64(cmd_member(&d, JSON_ROOT, "repeated", &a), &n))
        m->repeated += n;
    uint32_t refused = json_get(&d, JSON_ROOT, STR("refused"));
    m->refused += json_type(&d, refused) == JSON_ARRAY ? d.node[refused].count : 0;
    (void)print_refusals(m, &d, refused, &a);
    return EXIT_DONE;
}

static int find_place(struct import *m)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str body = { 0 };
    struct json_doc d;
    int status = 0;
    int code = ask(m, "GET", arena_printf(&a, "/v1/imports/%.*s", STR_ARG(m->id)).p,
                   (struct str){ 0 }, &a, &status, &body);
    m->next = 1;
    if (code != EXIT_DONE || status == 404 || m->dry_run)
        return code;
    if (status != 200)
        return say(m, body);
    code = take_place(m, body, &a, &d);
    if (code != EXIT_DONE)
        return code;
    (void)fprintf(stderr, "import %.*s was begun before: it goes on at %s %" PRIu64 "\n",
                  STR_ARG(m->id), source_unit(&m->source), m->next);
    return EXIT_DONE;
}

/* ---- the report ---- */

static int report_refused(struct import *m)
{
    for (unsigned long long after = 0;;) {
        AUTO(arena_fini) struct arena a = ARENA_INIT;
        struct str body = { 0 };
        struct json_doc d;
        int status = 0;
        int code =
            ask(m, "GET",
                arena_printf(&a, "/v1/imports/%.*s/refused?after=%llu", STR_ARG(m->id), after).p,
                (struct str){ 0 }, &a, &status, &body);
        if (code != EXIT_DONE || status == 404)
            return code;
        if (status != 200 || json_scan(body, &a, &d, NULL) != OK)
            return say(m, body);
        if (json_first(&d, JSON_ROOT) == 0)
            return EXIT_DONE;
        after = print_refusals(m, &d, JSON_ROOT, &a);
    }
}

static int totals(struct import *m)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct str body = { 0 };
    struct json_doc d;
    int status = 0;
    int code = ask(m, "GET", arena_printf(&a, "/v1/imports/%.*s", STR_ARG(m->id)).p,
                   (struct str){ 0 }, &a, &status, &body);
    if (code != EXIT_DONE || status == 404)
        return code;
    if (status != 200 || json_scan(body, &a, &d, NULL) != OK)
        return say(m, body);
    unsigned long long n;
    if (str_to_u64(cmd_member(&d, JSON_ROOT, "accepted", &a), &n))
        m->accepted = n;
    if (str_to_u64(cmd_member(&d, JSON_ROOT, "repeated", &a), &n))
        m->repeated = n;
    if (str_to_u64(cmd_member(&d, JSON_ROOT, "refused", &a), &n))
        m->refused = n;
    return EXIT_DONE;
}

static int report(struct import *m)
{
    int code = m->dry_run ? EXIT_DONE : report_refused(m);
    for (uint32_t i = 0; i < m->here_count; i++) {
        const struct refusal *r = &m->here[i];
        uint32_t known = m->shown_count;
        m->shown_count = 0; /* it has people's number */
        print_refusal(m, r->shown, str_of(r->info.field), str_of(r->info.text));
        m->shown_count = known;
    }
    if (code == EXIT_DONE && !m->dry_run)
        code = totals(m);
    if (code != EXIT_DONE)
        return code;
    uint64_t refused = m->refused + m->here_count;
    (void)printf("%s%.*s: %" PRIu64 " accepted, %" PRIu64 " there already, %" PRIu64 " refused\n",
                 m->dry_run ? "dry run, nothing was written: " : "", STR_ARG(m->source.kind),
                 m->accepted, m->repeated, refused);
    return refused ? EXIT_FAILED : EXIT_DONE;
}

/* ---- */

static int run(struct import *m)
{
    bool more = true;
    int code = find_place(m);
    m->told_ms = m->begun_ms = clock_mono_ms();
    while (code == EXIT_DONE && (more || m->in_chunk > 0)) {
        struct err_info info = { 0 };
        enum err e = more ? fill(m, &more, &info) : OK;
        if (e != OK)
            code = cmd_fail(EXIT_FAILED, "%s:%" PRIu64 ": %s", m->source.options->file,
                            m->source.records.line, info.text);
        if (code == EXIT_DONE && m->in_chunk > 0)
            code = send_chunk(m);
        if (code == EXIT_DONE)
            tell(m, false);
    }
    tell(m, true);
    return code == EXIT_DONE ? report(m) : code;
}

static bool read_name(struct source_options *o, const char *text)
{
    const char *sign = strrchr(text, '=');
    if (sign == NULL || o->name_count == SOURCE_NAMES)
        return false;
    o->name[o->name_count++] =
        (struct row_name){ .column = { text, (size_t)(sign - text) }, .path = str_of(sign + 1) };
    return true;
}

static int read_options(int argc, char **argv, struct import *m, struct source_options *o)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool takes = true, ok = value != NULL;
        if (strcmp(argv[i], "--dry-run") == 0) {
            m->dry_run = ok = true;
            takes = false;
        } else if (argv[i][0] != '-' && o->file == NULL) {
            o->file = argv[i];
            takes = false;
            ok = true;
        } else if (strcmp(argv[i], "--kind") == 0) {
            o->kind = value;
        } else if (strcmp(argv[i], "--format") == 0) {
            o->format = value;
        } else if (strcmp(argv[i], "--id") == 0) {
            m->id = str_of(value);
        } else if (strcmp(argv[i], "--map") == 0) {
            ok = ok && read_name(o, value);
        } else if (strcmp(argv[i], "--wait") == 0) {
            unsigned long long s = 0;
            ok = ok && str_to_u64(str_of(value), &s) && s <= 86400;
            m->wait_s = (int)s;
        } else {
            ok = false;
        }
        if (!ok)
            return cmd_fail(EXIT_USAGE, "cannot take '%s': see --help", argv[i]);
        i += takes;
    }
    return o->file ? EXIT_DONE : cmd_fail(EXIT_USAGE, "which file? See --help");
}

static int import(struct import *m, const struct source_options *o)
{
    struct err_info info = { 0 };
    enum err e = source_open(&m->source, o, &info);
    if (e != OK)
        return cmd_fail(e == ERR_IO ? EXIT_FAILED : EXIT_USAGE, "%s: %s", o->file, info.text);
    if (!str_eq(m->source.kind, STR("consents")) && !str_eq(m->source.kind, STR("subjects")) &&
        !str_eq(m->source.kind, STR("notices")))
        return cmd_fail(EXIT_USAGE, "--kind is consents, subjects or notices");
    if (m->id.n == 0)
        e = source_id(o, m->source.kind, &m->arena, &m->id, &info);
    return e == OK ? run(m) : cmd_fail(EXIT_FAILED, "%s", info.text);
}

int cmd_import(int argc, char **argv)
{
    AUTO(conf_free) struct conf *c = NULL;
    struct source_options o = { 0 };
    struct import m = { .chunk = BUF_INIT(2 * CHUNK),
                        .json = BUF_INIT(2 * LIMIT_RECORD),
                        .want = 64,
                        .wait_s = 60,
                        .source = { .fd = -1 },
                        .terminal = isatty(STDERR_FILENO) };
    int code = read_options(argc, argv, &m, &o);
    if (code == EXIT_DONE)
        code = cmd_conf(&c);
    m.conf = c;
    if (code == EXIT_DONE)
        code = import(&m, &o);
    source_close(&m.source);
    buf_fini(&m.chunk);
    buf_fini(&m.json);
    arena_fini(&m.arena);
    free(m.here);
    free(m.shown);
    return code;
}
