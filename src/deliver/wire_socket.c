#include "deliver/wire_priv.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void set_reset(int fd, bool on)
{
    struct linger l = { .l_onoff = on, .l_linger = 0 };
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &l,
                     sizeof l); /* of a socket of ours: cannot fail */
}

bool wire_socket_has_unsent(const struct wire_socket *s)
{
    int n = 0;
    return ioctl(s->fd, SIOCOUTQ, &n) == 0 && n > 0;
}

int wire_socket_open(struct flight *f, int family, int type, int protocol)
{
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return -1;
    struct wire_socket *s = must_alloc(sizeof *s);
    *s = (struct wire_socket){ .next = f->lane->socket, .fd = fd, .opener = f };
    f->lane->socket = s;
    return fd;
}

int wire_socket_close(struct lane *l, int fd)
{
    struct wire_socket **at = &l->socket;
    while (*at != NULL && (*at)->fd != fd)
        at = &(*at)->next;
    struct wire_socket *s = *at;
    if (s != NULL) {
        /* half a request is not sent to its end behind our back; a whole one need not end rudely */
        set_reset(fd, s->flight != NULL && wire_socket_has_unsent(s));
        *at = s->next;
        free(s);
    }
    return close(fd);
}

static bool is_end(const struct sockaddr_storage *a, const char *ip, int port)
{
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    if (a->ss_family == AF_INET) {
        memcpy(&in4, a, sizeof in4);
        return ntohs(in4.sin_port) == port &&
               inet_ntop(AF_INET, &in4.sin_addr, text, sizeof text) != NULL &&
               strcmp(text, ip) == 0;
    }
    memcpy(&in6, a, sizeof in6);
    return a->ss_family == AF_INET6 && ntohs(in6.sin6_port) == port &&
           inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text) != NULL && strcmp(text, ip) == 0;
}

struct wire_socket *wire_socket_find(const struct lane *l, const char *peer, int peer_port,
                                     const char *local, int local_port)
{
    for (struct wire_socket *s = l->socket; s != NULL; s = s->next) {
        struct sockaddr_storage a = { 0 };
        socklen_t n = sizeof a;
        if (getsockname(s->fd, (struct sockaddr *)&a, &n) != 0 || !is_end(&a, local, local_port))
            continue;
        n = sizeof a;
        if (getpeername(s->fd, (struct sockaddr *)&a, &n) == 0 && is_end(&a, peer, peer_port))
            return s;
    }
    return NULL;
}

void wire_socket_reset(struct wire_socket *s)
{
    struct sockaddr none = { .sa_family = AF_UNSPEC };
    set_reset(s->fd, true);
    (void)connect(s->fd, &none, sizeof none); /* Linux: disconnects, with a reset */
}

static struct wire_socket *socket_of(const struct flight *f)
{
    struct wire_socket *s = f->lane->socket;
    while (s != NULL && s->flight != f)
        s = s->next;
    return s;
}

void wire_socket_cut(struct flight *f)
{
    struct wire_socket *s = socket_of(f);
    if (s != NULL)
        wire_socket_reset(s);
}

static void forget_unconnected(struct flight *f)
{
    struct wire_socket **at = &f->lane->socket;
    while (*at != NULL) {
        struct wire_socket *s = *at;
        if (s->opener != f) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        free(s);
    }
}

void wire_socket_leave(struct flight *f)
{
    struct wire_socket *s;
    while ((s = socket_of(f)) != NULL) {
        if (wire_socket_has_unsent(s))
            wire_socket_reset(s);
        s->flight = NULL;
    }
    forget_unconnected(f);
}
