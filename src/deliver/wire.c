#include "base/clock.h"
#include "base/address.h"
#include "deliver/deliver_priv.h"

#include <curl/curl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_KEPT = 64 };

/* A connection's socket is ours, not libcurl's: removing a request there is no abort, the kernel goes on
 * sending what it holds. Only a reset (SO_LINGER 0) stops that. */
struct wire_socket {
    struct wire_socket *next;
    int fd;
    bool used;
    /* until it is connected: libcurl closes one that never was without telling us */
    struct flight *opener;
    /* whose bytes may be in it; a kept connection passes from one to the next before we
     * hear that the first has ended */
    struct flight *flight;
};

struct flight {
    struct flight *next;
    struct wire *w;
    struct parcel *p;
    CURL *easy;
    struct curl_slist *header;
    struct buf answer;
    bool begun, denied, resent, closed_address, long_answer;
};

struct wire {
    struct deliver *d;
    CURLM *multi;
    struct flight *flight;
    uint32_t in_flight;
    struct wire_socket *socket;
};

/* ---- sockets ---- */

static void set_reset(int fd, bool on)
{
    struct linger l = { .l_onoff = on, .l_linger = 0 };
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &l,
                     sizeof l); /* of a socket of ours: cannot fail */
}

static bool has_unsent(int fd)
{
    int n = 0;
    return ioctl(fd, SIOCOUTQ, &n) == 0 && n > 0;
}

static const struct conf_destination *conf_of(const struct parcel *p)
{
    return p->policy.policy->use[p->use].conf;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct flight *f = ctx;
    (void)purpose;
    if (!conf_of(f->p)->allow_private_addresses && !address_is_public(&a->addr)) {
        f->closed_address = true;
        return CURL_SOCKET_BAD;
    }
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    struct wire_socket *s = must_alloc(sizeof *s);
    *s = (struct wire_socket){ .next = f->w->socket, .fd = fd, .opener = f };
    f->w->socket = s;
    return fd;
}

static int close_socket(void *ctx, curl_socket_t fd)
{
    struct wire *w = ctx;
    struct wire_socket **at = &w->socket;
    while (*at != NULL && (*at)->fd != fd)
        at = &(*at)->next;
    struct wire_socket *s = *at;
    if (s != NULL) {
        /* half a request is not sent to its end behind our back; a whole one need not end rudely */
        set_reset(fd, s->flight != NULL && has_unsent(fd));
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

/* libcurl does not say which socket a request on a kept connection uses; its two ends do. */
static struct wire_socket *find_socket(struct wire *w, const char *peer, int peer_port,
                                       const char *local, int local_port)
{
    for (struct wire_socket *s = w->socket; s != NULL; s = s->next) {
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

static struct wire_socket *socket_of(const struct flight *f)
{
    struct wire_socket *s = f->w->socket;
    while (s != NULL && s->flight != f)
        s = s->next;
    return s;
}

static void forget_unconnected(struct flight *f)
{
    struct wire_socket **at = &f->w->socket;
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

/* The connection is dead from here on, what the kernel held is gone. libcurl finds out and closes it. */
static void reset_now(struct wire_socket *s)
{
    struct sockaddr none = { .sa_family = AF_UNSPEC };
    set_reset(s->fd, true);
    (void)connect(s->fd, &none, sizeof none); /* Linux: disconnects, with a reset */
}

/* ---- before the first byte ---- */

static bool decide(void *ctx)
{
    struct flight *f = ctx;
    return parcel_still_permitted(f->w->d, f->p);
}

static int before_request(void *ctx, char *peer, char *local, int peer_port, int local_port)
{
    struct flight *f = ctx;
    struct parcel *p = f->p;
    struct deliver *d = f->w->d;
    if (!conf_of(p)->allow_private_addresses && !address_text_is_public(peer)) {
        f->closed_address = true; /* a connection kept for a destination that may */
        return CURL_PREREQFUNC_ABORT;
    }
    if (f->begun && conf_of(p)->uncertain == CONF_HOLD) {
        f->resent = true; /* the first try may have arrived on the connection that died */
        return CURL_PREREQFUNC_ABORT;
    }
    struct wire_socket *s = find_socket(f->w, peer, peer_port, local, local_port);
    if (s == NULL)
        return CURL_PREREQFUNC_ABORT; /* what could not be cut is not begun */
    s->opener = NULL;
    if (s->used && has_unsent(s->fd)) {
        reset_now(
            s); /* answered before it was read: what is left of the request before stays here */
        f->denied = true;
        return CURL_PREREQFUNC_ABORT;
    }
    p->has_ticket = tickets_take(d->setup.tickets, &p->id, p->subject, p->subject_count, decide, f);
    if (!p->has_ticket) {
        if (f->begun)
            parcel_may_have_arrived(p);
        f->denied = true;
        return CURL_PREREQFUNC_ABORT;
    }
    f->begun = true;
    s->used = true;
    s->flight = f;
    return CURL_PREREQFUNC_OK;
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *ctx)
{
    struct flight *f = ctx;
    size_t n = size * count, room = LIMIT_ANSWER - f->answer.n;
    buf_add(&f->answer, bytes, n < room ? n : room);
    if (n <= room)
        return n;
    f->long_answer = true; /* enough to know what it says; ends the transfer */
    return 0;
}

/* ---- a request ---- */

static void add_header(struct flight *f, const char *line)
{
    struct curl_slist *l = curl_slist_append(f->header, line);
    must(l != NULL);
    f->header = l;
}

static void set_up(struct flight *f)
{
    struct deliver *d = f->w->d;
    struct outgoing_request *q = &f->p->request;
    CURL *e = f->easy;
    add_header(f, "Expect:");
    for (uint32_t i = 0; i < q->header_count; i++)
        add_header(f, arena_str(&f->p->arena, q->header[i]).p);
    curl_easy_setopt(e, CURLOPT_URL, arena_str(&f->p->arena, q->url).p);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "licet/" LICET_VERSION);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, f->header);
    curl_easy_setopt(e, CURLOPT_POST, 1L);
    if (strcmp(q->method, "POST") != 0)
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, q->method);
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body.n > 0 ? q->body.p : "");
    int64_t connect_ms = LIMIT_CONNECT_S * 1000;
    if (connect_ms > d->setup.send_ms)
        connect_ms = d->setup.send_ms;
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)d->setup.send_ms);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, f);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, f->w); /* the connection outlives this request */
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, f);
    curl_easy_setopt(e, CURLOPT_PRIVATE, f);
}

static void flight_free(struct wire *w, struct flight *f)
{
    struct flight **at = &w->flight;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    w->in_flight--;
    (void)curl_multi_remove_handle(w->multi, f->easy);
    curl_easy_cleanup(f->easy);
    curl_slist_free_all(f->header);
    /* the request is over only when nothing of it can still leave the kernel */
    struct wire_socket *s;
    while ((s = socket_of(f)) != NULL) {
        if (has_unsent(s->fd))
            reset_now(s);
        s->flight = NULL;
    }
    forget_unconnected(f);
    buf_fini(&f->answer);
    free(f);
}

bool wire_start(struct wire *w, struct parcel *p)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return false;
    struct flight *f = must_alloc(sizeof *f);
    *f = (struct flight){ .next = w->flight, .w = w, .p = p, .easy = easy };
    f->answer = (struct buf)BUF_INIT(LIMIT_ANSWER);
    w->flight = f;
    w->in_flight++;
    set_up(f);
    if (curl_multi_add_handle(w->multi, easy) == CURLM_OK)
        return true;
    flight_free(w, f);
    return false;
}

static enum ended_how how_ended(const struct flight *f, CURLcode code, long status)
{
    if (f->denied)
        return ENDED_DENIED;
    if (!f->begun)
        return ENDED_UNBEGUN;
    if (status > 0 && !f->resent && (code == CURLE_OK || f->long_answer))
        return ENDED_ANSWERED;
    return ENDED_BROKEN;
}

static void end(struct wire *w, struct flight *f, CURLcode code)
{
    long status = 0;
    curl_off_t retry_after = 0;
    (void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &retry_after);
    struct parcel *p = f->p;
    struct ended e = { .how = how_ended(f, code, status),
                       .retry_after_s = retry_after,
                       .error = f->closed_address  ? "the address is not a public one"
                                : code == CURLE_OK ? "no answer"
                                                   : curl_easy_strerror(code),
                       .body = arena_str(&p->arena, buf_view(&f->answer)) };
    e.status = e.how == ENDED_ANSWERED ? (int)status : 0;
    flight_free(w, f);
    parcel_ended(w->d, p, &e);
}

static void cut_where_asked(struct wire *w)
{
    struct flight *next;
    for (struct flight *f = w->flight; f != NULL; f = next) {
        next = f->next;
        struct parcel *p = f->p;
        if (!p->has_ticket || !tickets_must_cut(w->d->setup.tickets, &p->id))
            continue;
        struct wire_socket *s = socket_of(f);
        if (s != NULL)
            reset_now(s);
        flight_free(w, f);
        parcel_ended(w->d, p,
                     &(struct ended){ .how = ENDED_CUT, .error = "reset for a withdrawal" });
    }
}

void wire_turn(struct wire *w)
{
    int running, left;
    (void)curl_multi_perform(w->multi, &running); /* what fails, fails a request */
    struct CURLMsg *m;
    while ((m = curl_multi_info_read(w->multi, &left)) != NULL) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct flight *f = NULL;
        CURLcode code = m->data.result; /* gone with the handle */
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&f);
        end(w, f, code);
    }
    cut_where_asked(w);
}

uint32_t wire_in_flight(const struct wire *w)
{
    return w->in_flight;
}

void wire_wait(struct wire *w, int timeout_ms)
{
    (void)curl_multi_poll(w->multi, NULL, 0, timeout_ms, NULL);
}

void wire_wake(struct wire *w)
{
    (void)curl_multi_wakeup(w->multi);
}

struct wire *wire_new(struct deliver *d)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    CURLM *multi = curl_multi_init();
    if (multi == NULL)
        return NULL;
    (void)curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    struct wire *w = must_alloc(sizeof *w);
    *w = (struct wire){ .d = d, .multi = multi };
    return w;
}

void wire_free(struct wire **w)
{
    if (*w == NULL)
        return;
    while ((*w)->flight != NULL) {
        struct wire_socket *s = socket_of((*w)->flight);
        if (s != NULL)
            reset_now(s);
        flight_free(*w, (*w)->flight);
    }
    (void)curl_multi_cleanup((*w)->multi);
    free(*w);
    *w = NULL;
}
