#include "base/clock.h"
#include "deliver/wire_priv.h"

#include <curl/curl.h>
#include <sodium.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { CONNECTIONS_KEPT = 16, READY = 64 };

/* ---- what libcurl waits for ---- */

static int watch(CURL *easy, curl_socket_t fd, int what, void *ctx, void *watched)
{
    struct lane *l = ctx;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(l->w->poll, EPOLL_CTL_DEL, fd,
                        NULL); /* closed sockets went by themselves */
        return 0;
    }
    struct epoll_event e = { .events = ((what & CURL_POLL_IN) ? EPOLLIN : 0u) |
                                       ((what & CURL_POLL_OUT) ? EPOLLOUT : 0u),
                             .data.u64 = (uint64_t)l->number << 32 | (uint32_t)fd };
    (void)watched;
    /* libcurl closes a socket that never was connected without telling; then another one has its number */
    if (epoll_ctl(l->w->poll, EPOLL_CTL_MOD, fd, &e) == 0 ||
        (errno == ENOENT && epoll_ctl(l->w->poll, EPOLL_CTL_ADD, fd, &e) == 0))
        return 0;
    return -1; /* the transfers end with an error */
}

static int set_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    (void)multi;
    ((struct lane *)ctx)->due_ms = timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + timeout_ms;
    return 0;
}

/* ---- lanes ---- */

static void hash_str(crypto_generichash_state *h, struct str s)
{
    uint64_t n = s.n;
    (void)crypto_generichash_update(h, (const unsigned char *)&n, sizeof n);
    (void)crypto_generichash_update(h, (const unsigned char *)s.p, s.n);
}

/* Equal for configurations whose connections may stand in for each other. */
static void settings_of(const struct conf_destination *c, uint8_t ret_settings[LANE_SETTINGS])
{
    crypto_generichash_state h;
    (void)crypto_generichash_init(&h, NULL, 0, LANE_SETTINGS);
    const struct str part[] = {
        c->id,        c->type,       c->endpoint, c->tls.ca,        c->tls.key, c->tls.certificate,
        c->proxy.url, c->proxy.user, c->proxy.ca, c->proxy.password
    };
    for (size_t i = 0; i < COUNT(part); i++)
        hash_str(&h, part[i]);
    for (uint32_t i = 0; i < c->tls.pin_count; i++)
        hash_str(&h, c->tls.pin[i]);
    const unsigned char open[] = { c->allow_private_addresses, c->proxy.allow_private_addresses };
    (void)crypto_generichash_update(&h, open, sizeof open);
    (void)crypto_generichash_final(&h, ret_settings, LANE_SETTINGS);
}

static struct lane *lane_new(struct wire *w, uint32_t of, const uint8_t settings[LANE_SETTINGS])
{
    CURLM *multi = curl_multi_init();
    if (multi == NULL)
        return NULL;
    struct lane *l = must_alloc(sizeof *l);
    *l = (struct lane){ .next = w->lane,
                        .w = w,
                        .number = ++w->newest_lane,
                        .of = of,
                        .multi = multi,
                        .due_ms = INT64_MAX };
    memcpy(l->settings, settings, sizeof l->settings);
    w->lane = l;
    (void)curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, l);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, l);
    return l;
}

static void lane_free(struct lane *l)
{
    (void)curl_multi_cleanup(l->multi);
    free(l);
}

/* Those of the same destination that nobody uses any more. */
static void free_others(struct wire *w, const struct lane *used)
{
    struct lane **at = &w->lane;
    while (*at != NULL) {
        struct lane *l = *at;
        if (l == used || l->of != used->of || l->flights > 0) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        lane_free(l);
    }
}

struct lane *lane_of(struct wire *w, const struct cargo *c)
{
    uint8_t settings[LANE_SETTINGS];
    settings_of(c->conf, settings);
    struct lane *l = w->lane;
    while (l != NULL &&
           (l->of != c->lane || memcmp(l->settings, settings, sizeof l->settings) != 0))
        l = l->next;
    if (l == NULL)
        l = lane_new(w, c->lane, settings);
    if (l != NULL)
        free_others(w, l);
    return l;
}

void lanes_free(struct wire *w)
{
    while (w->lane != NULL) {
        struct lane *l = w->lane;
        w->lane = l->next;
        lane_free(l);
    }
}

/* ---- turns ---- */

static void move_ready(struct wire *w, const struct epoll_event *e)
{
    uint32_t number = (uint32_t)(e->data.u64 >> 32);
    struct lane *l = w->lane;
    int running, what = 0;
    while (l != NULL && l->number != number)
        l = l->next;
    if (l == NULL)
        return;
    what |= (e->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) ? CURL_CSELECT_IN : 0;
    what |= (e->events & EPOLLOUT) ? CURL_CSELECT_OUT : 0;
    what |= (e->events & (EPOLLHUP | EPOLLERR)) ? CURL_CSELECT_ERR : 0;
    /* what fails, fails a request */
    (void)curl_multi_socket_action(l->multi, (curl_socket_t)(uint32_t)e->data.u64, what, &running);
}

void lanes_turn(struct wire *w)
{
    struct epoll_event ready[READY];
    int count = epoll_wait(w->poll, ready, READY, 0);
    for (int i = 0; i < count; i++)
        move_ready(w, &ready[i]);
    int64_t now = clock_mono_ms();
    for (struct lane *l = w->lane; l != NULL; l = l->next) {
        int running;
        if (l->due_ms > now)
            continue;
        l->due_ms = INT64_MAX; /* libcurl sets it anew */
        (void)curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

void lanes_wait(struct wire *w, int timeout_ms)
{
    int64_t now = clock_mono_ms();
    for (const struct lane *l = w->lane; l != NULL; l = l->next)
        if (l->due_ms != INT64_MAX && l->due_ms - now < timeout_ms)
            timeout_ms = l->due_ms > now ? (int)(l->due_ms - now) : 0;
    struct epoll_event ready; /* stays ready until the turn … */
    (void)epoll_wait(w->poll, &ready, 1, timeout_ms);
    /* … but for calls: those that come from here on end the next wait, what they want is looked for before it */
    uint64_t calls;
    (void)!read(w->wake, &calls, sizeof calls);
}
