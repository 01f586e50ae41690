#include "base/address.h"
#include "deliver/wire_priv.h"

#include <curl/curl.h>

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct flight *f = ctx;
    (void)purpose;
    if (!wire_guard_admits(&f->guard, &a->addr))
        return CURL_SOCKET_BAD;
    return wire_socket_open(f, a->family, a->socktype, a->protocol); /* -1 is CURL_SOCKET_BAD */
}

static int close_socket(void *ctx, curl_socket_t fd)
{
    return wire_socket_close(ctx, fd);
}

/* ---- before the first byte ---- */

static int before_request(void *ctx, char *peer, char *local, int peer_port, int local_port)
{
    struct flight *f = ctx;
    f->guard.closed_address =
        !wire_may_call_private(f->guard.conf) && !address_text_is_public(peer);
    if (f->guard.closed_address || f->guard.bad_header)
        return CURL_PREREQFUNC_ABORT;
    if (f->begun && f->guard.conf->uncertain == CONF_HOLD) {
        f->resent = true; /* the first try may have arrived on the connection that died */
        return CURL_PREREQFUNC_ABORT;
    }
    struct wire_socket *s = wire_socket_find(f->lane, peer, peer_port, local, local_port);
    if (s == NULL)
        return CURL_PREREQFUNC_ABORT; /* what could not be cut is not begun */
    s->opener = NULL;
    if (s->used && wire_socket_has_unsent(s)) {
        /* answered before it was read: what is left of the request before stays here */
        wire_socket_reset(s);
        f->denied = true;
        return CURL_PREREQFUNC_ABORT;
    }
    if (!f->cargo->verbs->may_begin(f->cargo, f->begun)) {
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

static void set_up(struct flight *f)
{
    CURL *e = f->easy;
    wire_set_guard(e, &f->guard, f->w->send_ms, f->cargo->arena);
    f->header = wire_set_request(e, &f->guard, f->cargo->request, f->cargo->arena);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, f);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA,
                     f->lane); /* the connection outlives this request */
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
    (void)curl_multi_remove_handle(f->lane->multi, f->easy);
    curl_easy_cleanup(f->easy);
    curl_slist_free_all(f->header);
    wire_socket_leave(f);
    f->lane->flights--;
    buf_fini(&f->answer);
    free(f);
}

bool wire_start(struct wire *w, struct cargo *c)
{
    struct lane *lane = lane_of(w, c);
    CURL *easy = lane != NULL ? curl_easy_init() : NULL;
    if (easy == NULL)
        return false;
    struct flight *f = must_alloc(sizeof *f);
    *f = (struct flight){ .next = w->flight, .w = w, .lane = lane, .cargo = c, .easy = easy };
    f->guard.conf = c->conf;
    f->answer = (struct buf)BUF_INIT(LIMIT_ANSWER);
    w->flight = f;
    w->in_flight++;
    lane->flights++;
    set_up(f);
    if (curl_multi_add_handle(lane->multi, easy) == CURLM_OK)
        return true;
    flight_free(w, f);
    return false;
}

/* Who answers in another version was asked by somebody else. */
static bool is_http1(const struct flight *f)
{
    long version = 0;
    (void)curl_easy_getinfo(f->easy, CURLINFO_HTTP_VERSION, &version);
    return version == CURL_HTTP_VERSION_1_0 || version == CURL_HTTP_VERSION_1_1;
}

static enum ended_how how_ended(const struct flight *f, CURLcode code, long status)
{
    if (f->denied)
        return ENDED_DENIED;
    if (!f->begun)
        return ENDED_UNBEGUN;
    if (status > 0 && !f->resent && is_http1(f) && (code == CURLE_OK || f->long_answer))
        return ENDED_ANSWERED;
    return ENDED_BROKEN;
}

static void end(struct wire *w, struct flight *f, CURLcode code)
{
    long status = 0;
    curl_off_t retry_after = 0;
    (void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &retry_after);
    struct cargo *c = f->cargo;
    struct ended e = { .how = how_ended(f, code, status),
                       .retry_after_s = retry_after,
                       .error = wire_error(f->easy, &f->guard, code),
                       .body = arena_str(c->arena, buf_view(&f->answer)) };
    e.status = e.how == ENDED_ANSWERED ? (int)status : 0;
    flight_free(w, f);
    c->verbs->ended(c, &e);
}

static void cut_where_asked(struct wire *w)
{
    struct flight *next;
    for (struct flight *f = w->flight; f != NULL; f = next) {
        next = f->next;
        struct cargo *c = f->cargo;
        if (c->verbs->must_cut == NULL || !c->verbs->must_cut(c))
            continue;
        wire_socket_cut(f);
        flight_free(w, f);
        c->verbs->ended(c, &(struct ended){ .how = ENDED_CUT, .error = "reset by licet" });
    }
}

static void end_lane(struct wire *w, struct lane *l)
{
    int left;
    struct CURLMsg *m;
    while ((m = curl_multi_info_read(l->multi, &left)) != NULL) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct flight *f = NULL;
        CURLcode code = m->data.result; /* gone with the handle */
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&f);
        end(w, f, code);
    }
}

void wire_turn(struct wire *w)
{
    lanes_turn(w);
    for (struct lane *l = w->lane; l != NULL; l = l->next)
        end_lane(w, l);
    cut_where_asked(w);
}

uint32_t wire_in_flight(const struct wire *w)
{
    return w->in_flight;
}

void wire_wait(struct wire *w, int timeout_ms)
{
    lanes_wait(w, timeout_ms);
}

void wire_wake(struct wire *w)
{
    uint64_t one = 1;
    (void)!write(w->wake, &one, sizeof one); /* full: it wakes up anyway */
}

struct wire *wire_new(int64_t send_ms)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    AUTO(wire_free) struct wire *w = must_alloc(sizeof *w);
    *w = (struct wire){ .send_ms = send_ms };
    w->poll = epoll_create1(EPOLL_CLOEXEC);
    w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event e = { .events = EPOLLIN }; /* of no lane */
    if (w->poll < 0 || w->wake < 0 || epoll_ctl(w->poll, EPOLL_CTL_ADD, w->wake, &e) != 0)
        return NULL;
    struct wire *made = w;
    w = NULL;
    return made;
}

void wire_free(struct wire **ww)
{
    struct wire *w = *ww;
    if (w == NULL)
        return;
    while (w->flight != NULL) {
        wire_socket_cut(w->flight);
        flight_free(w, w->flight);
    }
    lanes_free(w);
    if (w->poll >= 0)
        (void)close(w->poll);
    if (w->wake >= 0)
        (void)close(w->wake);
    free(w);
    *ww = NULL;
}
