#include "api/server_priv.h"

#include "base/clock.h"
#include "base/log.h"

#include <microhttpd.h>

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
    STOP_WAIT_MS = (LIMIT_SEND_S + 5) * 1000,
    GROUP_WAIT_NS = 20000,
    PART_ROUNDS = 16,
    LEAST_ROUNDS = 6
};

static void wake(void *ctx)
{
    struct server *s = ctx;
    uint64_t one = 1;
    ssize_t n = write(s->wake_fd, &one, sizeof one);
    (void)n; /* EAGAIN: it is awake already */
}

static enum err start_listeners(struct server *s, struct err_info *info)
{
    const struct conf *c = pipeline_generation(s->pipeline)->conf;
    int tcp = listen_tcp(c, &s->port, info);
    if (tcp < 0)
        return info->err;
    s->tcp = serve_start(s, tcp, true);
    s->socket_path = arena_printf(&s->arena, "%.*s/licet.sock", STR_ARG(c->data_dir));
    int local = s->tcp ? listen_local(s->socket_path, info) : -1;
    if (s->tcp == NULL || local < 0) {
        if (s->tcp == NULL)
            close_fd(&tcp);
        return s->tcp ? info->err
                      : err_set(info, ERR_IO, "listen", "the HTTP server cannot be started");
    }
    s->local = serve_start(s, local, false);
    if (s->local == NULL) {
        close_fd(&local);
        return err_set(info, ERR_IO, "store", "the control socket cannot be served");
    }
    return OK;
}

static int watch_signals(void)
{
    (void)prctl(PR_SET_TIMERSLACK, 1000UL); /* else a moment's wait takes twice its time */
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    must(pthread_sigmask(SIG_BLOCK, &set, NULL) ==
         0); /* before any thread is started: they inherit it */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a full disk, not an end */
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    must(fd >= 0);
    return fd;
}

enum err server_open(struct conf *conf, struct server **ret_s, struct buf *reports,
                     struct err_info *info)
{
    struct server *s = must_alloc_zero(sizeof *s);
    s->signal_fd = watch_signals();
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    must(s->wake_fd >= 0);
    s->limiter = limiter_new();
    random_bytes(s->tag_key, sizeof s->tag_key);
    enum err e = guard_open(s, conf, reports, info);
    if (e == OK)
        e = pipeline_open(conf, wake, s, &s->pipeline, reports, info);
    else
        conf_free(&conf);
    if (e == OK) {
        guard_configure(s);
        e = start_listeners(s, info);
    }
    if (e != OK) {
        if (s->pipeline != NULL)
            pipeline_stopping(s->pipeline);
        server_close(&s);
        return e;
    }
    *ret_s = s;
    return OK;
}

uint16_t server_port(const struct server *s)
{
    return s->port;
}

/* ---- the loop ---- */

/* "   12 | key: value" and the line of its caret: beside the fault for people, not for a log. */
static bool shows_source(struct str line)
{
    while (line.n != 0 && (line.p[0] == ' ' || (line.p[0] >= '0' && line.p[0] <= '9'))) {
        line.p++;
        line.n--;
    }
    return str_starts(line, STR("| "));
}

void log_reports(const struct buf *reports)
{
    struct str rest = buf_view(reports), line;
    while (rest.n != 0 && str_next(&rest, '\n', &line)) {
        if (line.n == 0 || shows_source(line))
            continue;
        bool error = memmem(line.p, line.n, ": error: ", 9) != NULL;
        log_write(error ? LOG_ERROR : LOG_WARNING, "configuration", LOG_S("text", line));
    }
}

static void reload(struct server *s)
{
    AUTO(buf_fini) struct buf reports = BUF_INIT(LIMIT_CONF);
    struct err_info info = { 0 };
    enum err e = pipeline_reload(s->pipeline, &reports, &info);
    log_reports(&reports);
    if (e == OK)
        guard_reloaded(s);
    if (e == OK)
        log_write(
            LOG_INFO, "reload.done",
            LOG_N("generation", pipeline_generation_number(pipeline_generation(s->pipeline))));
    else
        log_write(LOG_ERROR, "reload.refused", LOG_C("text", info.text));
}

static void take_signals(struct server *s)
{
    struct signalfd_siginfo si;
    while (read(s->signal_fd, &si, sizeof si) == (ssize_t)sizeof si) {
        if (si.ssi_signo == SIGHUP)
            reload(s);
        else
            s->stopping = true;
    }
}

static int epoll_of(struct MHD_Daemon *d)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD);
    must(info != NULL);
    return info->epoll_fd;
}

static int timeout_of(struct server *s, bool again)
{
    MHD_UNSIGNED_LONG_LONG ms;
    int timeout = again ? 0 : pipeline_timeout(s->pipeline);
    if (MHD_get_timeout(s->tcp, &ms) == MHD_YES && ms < (MHD_UNSIGNED_LONG_LONG)timeout)
        timeout = (int)ms;
    if (MHD_get_timeout(s->local, &ms) == MHD_YES && ms < (MHD_UNSIGNED_LONG_LONG)timeout)
        timeout = (int)ms;
    return timeout;
}

/* A commit costs the same for one request as for a hundred: as long as looking again brings
 * new ones, they join the group. Who was just answered often has the next one ready in a
 * moment: when fewer came than lately, it waits that moment, once. */
static void read_all_ready(struct server *s)
{
    static const struct timespec moment = { .tv_nsec = GROUP_WAIT_NS };
    bool waited = false;
    uint32_t before;
    s->waiting = 0;
    do {
        before = s->waiting;
        (void)MHD_run(s->tcp);
        if (s->waiting == before && s->waiting > 0 && s->waiting < s->lately && !waited) {
            (void)nanosleep(&moment, NULL); /* shorter does no harm */
            waited = true;
            before = 0;
        }
    } while (s->waiting > before && s->waiting < s->lately);
    s->lately = s->waiting > s->lately ? s->waiting : s->lately - (s->lately - s->waiting) / 64;
}

/* The library reads a part of a body at a time, and accepts ten connections. What has arrived is read now: a commit is
 * not to lie between. */
static void read_parts(struct server *s)
{
    uint32_t before = 0;
    for (int i = 0;
         i < PART_ROUNDS && s->parts != before && (i < LEAST_ROUNDS || !guard_is_late(s)); i++) {
        before = s->parts;
        (void)MHD_run(s->tcp);
    }
}

/* One turn: read and handle, commit, then (with `again`) answer at once. */
static void turn(struct server *s, bool *again)
{
    struct pollfd fds[] = { { .fd = epoll_of(s->tcp), .events = POLLIN },
                            { .fd = epoll_of(s->local), .events = POLLIN },
                            { .fd = s->wake_fd, .events = POLLIN },
                            { .fd = s->signal_fd, .events = POLLIN } };
    int timeout = timeout_of(s, *again);
    if (timeout != 0 || !*again)
        (void)poll(fds, COUNT(fds), timeout); /* EINTR is just an early turn */
    if (fds[2].revents != 0) {
        uint64_t n;
        ssize_t got = read(s->wake_fd, &n, sizeof n);
        (void)got; /* EAGAIN: somebody else's turn took it */
    }
    if (fds[3].revents != 0)
        take_signals(s);
    guard_turn_begin(s);
    uint32_t parts = s->parts;
    read_all_ready(s);
    if (s->parts != parts)
        read_parts(s);
    if (fds[1].revents != 0 || timeout == 0)
        (void)MHD_run(s->local);
    *again = pipeline_turn(s->pipeline);
    guard_turn_end(s);
}

/* Listeners first; then whoever is inside is served to the end. */
static void stop(struct server *s)
{
    log_write(LOG_INFO, "stop.begun");
    int tcp = MHD_quiesce_daemon(s->tcp), local = MHD_quiesce_daemon(s->local);
    close_fd(&tcp);
    close_fd(&local);
    bool again = false;
    int64_t until = clock_mono_ms() + STOP_WAIT_MS;
    while (s->active > 0 && clock_mono_ms() < until)
        turn(s, &again);
    pipeline_stopping(s->pipeline);
    while (!pipeline_stopped(s->pipeline) && clock_mono_ms() < until + STOP_WAIT_MS)
        turn(s, &again);
    (void)pipeline_turn(s->pipeline); /* what the sends left to write */
}

void server_run(struct server *s)
{
    log_write(LOG_INFO, "started", LOG_N("port", s->port), LOG_C("version", LICET_VERSION));
    bool again = false;
    while (!s->stopping)
        turn(s, &again);
    stop(s);
    log_write(LOG_INFO, "stopped");
}

void server_close(struct server **ss)
{
    struct server *s = *ss;
    if (s == NULL)
        return;
    guard_release(s, s->kept_count); /* the library does not end with one suspended */
    if (s->tcp != NULL)
        MHD_stop_daemon(s->tcp);
    if (s->local != NULL)
        MHD_stop_daemon(s->local);
    guard_close(s);
    if (s->success != NULL)
        MHD_destroy_response(s->success);
    if (s->socket_path.n != 0)
        (void)unlink(s->socket_path.p);
    pipeline_close(&s->pipeline);
    limiter_free(&s->limiter);
    serve_free_requests(s);
    arena_fini(&s->arena);
    close_fd(&s->wake_fd);
    close_fd(&s->signal_fd);
    free(s);
    *ss = NULL;
}
