#include "api/server_priv.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int listen_tcp(const struct conf *c, uint16_t *ret_port, struct err_info *info)
{
    char host[256], port[8];
    (void)snprintf(host, sizeof host, "%.*s", STR_ARG(c->listen_host));
    (void)snprintf(port, sizeof port, "%u", c->listen_port);
    struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV },
                    *found;
    int e = getaddrinfo(host[0] ? host : NULL, port, &want, &found);
    if (e != 0) {
        (void)err_set(info, ERR_IO, "listen", "%s: %s", host, gai_strerror(e));
        return -1;
    }
    int on = 1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 4096) == 0;
    freeaddrinfo(found);
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    if (!ok || getsockname(fd, (struct sockaddr *)&bound, &size) != 0) {
        (void)err_set(info, ERR_IO, "listen", "%s:%s: %s", host, port, strerror(errno));
        close_fd(&fd);
        return -1;
    }
    *ret_port =
        ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
                                          : ((struct sockaddr_in *)(void *)&bound)->sin_port);
    return fd;
}

/* Whoever may write to the data directory may command the daemon. */
int listen_local(struct str path, struct err_info *info)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    if (path.n >= sizeof at.sun_path) {
        (void)err_set(info, ERR_LIMIT, "store",
                      "the data directory's path is too long for a socket in it");
        return -1;
    }
    memcpy(at.sun_path, path.p, path.n);
    (void)unlink(at.sun_path); /* of a daemon that was killed; the lock says that none runs */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t old = umask(0177);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 64) == 0;
    (void)umask(old);
    if (!ok) {
        (void)err_set(info, ERR_IO, "store", "%s: %s", at.sun_path, strerror(errno));
        close_fd(&fd);
    }
    return fd;
}
