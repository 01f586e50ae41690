/* One request to the running daemon, by the socket in its data directory. */
#include "cli/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_MAX = 64 << 20 };

static int connect_daemon(const struct conf *c, struct arena *a)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct str path = arena_printf(a, "%.*s/licet.sock", STR_ARG(c->data_dir));
    if (path.n >= sizeof at.sun_path)
        return -1;
    memcpy(at.sun_path, path.p, path.n);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close_fd(&fd);
    return -1;
}

static bool write_all(int fd, struct str s)
{
    while (s.n > 0) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s.p += n;
        s.n -= (size_t)n;
    }
    return true;
}

static bool read_all(int fd, struct buf *to)
{
    for (;;) {
        char *room = buf_room(to, 65536);
        if (room == NULL)
            return false;
        ssize_t n = read(fd, room, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        to->n += (size_t)n;
    }
}

static int no_daemon(const struct conf *c, struct arena *a)
{
    AUTO(free_ptr) char *path = realpath(arena_str(a, c->data_dir).p, NULL);
    if (path != NULL)
        return cmd_fail(EXIT_FAILED, "no daemon runs in %s", path);
    AUTO(free_ptr) char *here = c->data_dir.p[0] == '/' ? NULL : getcwd(NULL, 0);
    return cmd_fail(EXIT_FAILED, "no daemon runs in %s%s%.*s: there is no such folder",
                    here ? here : "", here ? "/" : "", STR_ARG(c->data_dir));
}

enum cmd_sent cmd_send(const struct conf *c, const char *method, const char *target,
                       struct str body, struct arena *a, int *ret_status, struct str *ret_body)
{
    AUTO(close_fd) int fd = connect_daemon(c, a);
    if (fd < 0)
        return SENT_NO_DAEMON;
    AUTO(buf_fini) struct buf answer = BUF_INIT(ANSWER_MAX);
    struct str length = strcmp(method, "POST") == 0
                            ? arena_printf(a, "Content-Length: %zu\r\n", body.n)
                            : (struct str){ 0 };
    struct str head =
        arena_printf(a, "%s %s HTTP/1.1\r\nHost: licet\r\nConnection: close\r\n%.*s\r\n", method,
                     target, STR_ARG(length));
    /* who refuses a body may answer before it was read */
    bool written = write_all(fd, head) && write_all(fd, body);
    bool read = read_all(fd, &answer);
    unsigned long long status = 0;
    char *end = answer.n ? memmem(answer.p, answer.n, "\r\n\r\n", 4) : NULL;
    if ((!written && end == NULL) || !read || end == NULL || answer.n < 12 ||
        memcmp(answer.p, "HTTP/1.1 ", 9) != 0 ||
        !str_to_u64((struct str){ answer.p + 9, 3 }, &status))
        return SENT_NO_ANSWER;
    *ret_status = (int)status;
    *ret_body = arena_str(a, (struct str){ end + 4, answer.n - (size_t)(end + 4 - answer.p) });
    return SENT;
}

int cmd_call(const struct conf *c, const char *method, const char *target, struct str body,
             struct arena *a, struct str *ret_text)
{
    int status = 0;
    struct str answer = { 0 };
    switch (cmd_send(c, method, target, body, a, &status, &answer)) {
    case SENT_NO_DAEMON: return no_daemon(c, a);
    case SENT_NO_ANSWER: return cmd_fail(EXIT_FAILED, "the daemon did not answer, or was cut off");
    case SENT: break;
    }
    if (status != 200)
        return cmd_fail(EXIT_FAILED, "the daemon says: %.*s", STR_ARG(answer));
    *ret_text = answer;
    return EXIT_DONE;
}

int cmd_ask(const struct conf *c, const char *method, const char *target, struct str body,
            struct arena *a, struct json_doc *ret_d)
{
    struct str text;
    int code = cmd_call(c, method, target, body, a, &text);
    if (code == EXIT_DONE && json_scan(text, a, ret_d, NULL) != OK)
        code = cmd_fail(EXIT_FAILED, "the daemon's answer was cut");
    return code;
}

const char *cmd_plural(struct str number)
{
    return str_eq(number, STR("1")) ? "" : "s";
}

bool cmd_is_id(const char *s)
{
    for (; *s != 0; s++)
        if (!((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '_'))
            return false;
    return true;
}

int cmd_pause(const struct conf *c, const char *path, const char *what, const char *verb,
              const char *id)
{
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    struct json_doc d;
    if (!cmd_is_id(id))
        return cmd_fail(EXIT_USAGE, "'%s' is not the id of a %s", id, what);
    int code = cmd_ask(c, "POST", arena_printf(&a, "%s/%s?%s=%s", path, verb, what, id).p, STR(""),
                       &a, &d);
    if (code == EXIT_DONE)
        (void)printf("%s %s\n", id,
                     strcmp(verb, "pause") == 0 ? "is paused; what is on its way is finished"
                                                : "goes on");
    return code;
}

struct str cmd_member(const struct json_doc *d, uint32_t object, const char *name, struct arena *a)
{
    struct str s = { 0 };
    (void)json_text(d, json_get(d, object, str_of(name)), a, &s); /* absent: empty */
    return s;
}
