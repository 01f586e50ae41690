#include "deliver/receiver.h"
#include "base/buf.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 4096, NEXT = 64, MOST = 4 << 20 };

struct line {
    struct receiver *r;
    pthread_t thread;
    int fd;
    uint32_t number;
};

struct receiver {
    int listening;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool over;
    struct raw_answer raw;
    enum receive how, next[NEXT];
    int next_count;
    uint64_t tick, releases;
    struct received *first, **last;
    uint32_t count, at_once, most_at_once, waiting, resets, line_count;
    struct line *line[CONNECTIONS];
};

static void lock(struct receiver *r)
{
    must(pthread_mutex_lock(&r->lock) == 0);
}

static void unlock(struct receiver *r)
{
    must(pthread_mutex_unlock(&r->lock) == 0);
}

static enum receive take_how(struct receiver *r)
{
    lock(r);
    enum receive how = r->next_count > 0 ? r->next[0] : r->how;
    if (r->next_count > 0)
        memmove(r->next, r->next + 1, (size_t)--r->next_count * sizeof *r->next);
    r->at_once++;
    if (r->at_once > r->most_at_once)
        r->most_at_once = r->at_once;
    unlock(r);
    return how;
}

static void wait_for_release(struct receiver *r)
{
    lock(r);
    uint64_t seen = r->releases;
    r->waiting++;
    while (r->releases == seen && !r->over)
        must(pthread_cond_wait(&r->changed, &r->lock) == 0);
    r->waiting--;
    unlock(r);
}

static void copy_header(struct str head, const char *name, char *to, size_t size)
{
    const char *at = memmem(head.p, head.n, name, strlen(name));
    size_t n = 0;
    if (at != NULL)
        for (at += strlen(name); *at != '\r' && n + 1 < size; at++)
            to[n++] = *at;
    to[n] = 0;
}

/* More bytes into b; false when there are none any more. */
static bool read_some(struct line *l, struct buf *b, bool *ret_reset)
{
    char bytes[16384];
    ssize_t n = read(l->fd, bytes, sizeof bytes);
    if (n < 0)
        *ret_reset = errno == ECONNRESET;
    if (n > 0)
        buf_add(b, bytes, (size_t)n);
    return n > 0 && !b->over;
}

static void say(struct line *l, const char *text)
{
    (void)!send(l->fd, text, strlen(text),
                MSG_NOSIGNAL); /* the other side may be gone: then so be it */
}

static void say_retry_date(struct line *l)
{
    time_t at = time(NULL) + 2;
    struct tm tm;
    must(gmtime_r(&at, &tm) != NULL);
    char date[64], text[160];
    (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    (void)snprintf(text, sizeof text,
                   "HTTP/1.1 429 Slow\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
    say(l, text);
}

static bool say_all(struct line *l, struct str s)
{
    return send(l->fd, s.p, s.n, MSG_NOSIGNAL) == (ssize_t)s.n;
}

static void say_raw(struct line *l)
{
    lock(l->r);
    struct raw_answer raw = l->r->raw;
    unlock(l->r);
    bool heard = say_all(l, raw.head);
    for (uint32_t i = 0; heard && i < raw.times; i++) {
        (void)usleep(raw.pause_us);
        heard = say_all(l, raw.more);
    }
    if (raw.stays && heard)
        wait_for_release(l->r);
}

/* True when the connection goes on. */
static bool answer(struct line *l, enum receive how)
{
    switch (how) {
    case RECEIVE_200_SLOWLY:
    case RECEIVE_200: say(l, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"); return true;
    case RECEIVE_NEVER: say(l, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); return true;
    case RECEIVE_200_AND_CLOSE:
        say(l, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        return false;
    case RECEIVE_200_LONG:
        say(l, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        for (int i = 0; i < 3000; i++)
            say(l, "a hundred and more bytes of what nobody asked for, and nobody will read to its "
                   "end, "
                   "for sure, never.\n");
        return false;
    case RECEIVE_RAW: say_raw(l); return false;
    case RECEIVE_301:
        say(l, "HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
        return true;
    case RECEIVE_400: say(l, "HTTP/1.1 400 No\r\nContent-Length: 3\r\n\r\nno\n"); return true;
    case RECEIVE_429:
        say(l, "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
        return true;
    case RECEIVE_429_DATE: say_retry_date(l); return true;
    case RECEIVE_500: say(l, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"); return true;
    case RECEIVE_503: say(l, "HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n"); return true;
    case RECEIVE_GARBAGE: say(l, "\x16\x03\x01 nothing that HTTP would be\r\n\r\n"); return false;
    case RECEIVE_HALF: say(l, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"); return false;
    case RECEIVE_RESET: {
        struct linger linger = { .l_onoff = 1 };
        must(setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
        return false;
    }
    case RECEIVE_CLOSE:
    case RECEIVE_DEAF:
    case RECEIVE_200_EARLY: return false;
    }
    return false;
}

static struct received *note(struct line *l, const struct received *got)
{
    struct receiver *r = l->r;
    struct received *kept = must_alloc(sizeof *kept);
    *kept = *got;
    lock(r);
    *r->last = kept;
    r->last = &kept->next;
    r->count++;
    unlock(r);
    return kept;
}

/* From here on the sender may know. */
static void note_answer(struct line *l, struct received *kept, bool reset)
{
    struct receiver *r = l->r;
    lock(r);
    r->resets += reset;
    r->at_once--;
    kept->answered = ++r->tick;
    unlock(r);
}

/* One request and its answer; false when the connection ends. */
static bool serve(struct line *l, struct buf *b)
{
    struct receiver *r = l->r;
    bool reset = false, more = true;
    const char *end = NULL;
    struct received got = { .connection = l->number };
    buf_clear(b);
    while (more && (b->n == 0 || (end = memmem(b->p, b->n, "\r\n\r\n", 4)) == NULL)) {
        more = read_some(l, b, &reset);
        if (got.begun == 0 && b->n > 0)
            got.begun = receiver_tick(r);
    }
    if (end == NULL) {
        lock(r);
        r->resets += reset;
        unlock(r);
        return false;
    }
    char length[24];
    size_t head = (size_t)(end - b->p) + 4;
    struct str text = { b->p, head };
    copy_header(text, "webhook-id: ", got.id, sizeof got.id);
    copy_header(text, "webhook-signature: ", got.signature, sizeof got.signature);
    copy_header(text, "Content-Length: ", length, sizeof length);
    got.promised = strtoul(length, NULL, 10);
    got.how = take_how(r);
    if (got.how == RECEIVE_DEAF)
        wait_for_release(r);
    if (got.how == RECEIVE_200_EARLY) {
        say(l, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        wait_for_release(r);
    }
    while (more && b->n < head + got.promised)
        more = read_some(l, b, &reset);
    got.whole = receiver_tick(r);
    got.at_mono_ms = clock_mono_ms();
    got.complete = b->n == head + got.promised;
    char *body = must_alloc(b->n - head + 1);
    memcpy(body, b->p + head, b->n - head);
    got.body = (struct str){ body, b->n - head };
    struct received *kept = note(l, &got);
    if (got.how == RECEIVE_NEVER && got.complete) {
        wait_for_release(r);
        char c;
        if (recv(l->fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == ECONNRESET)
            reset = true;
    }
    if (got.how == RECEIVE_200_SLOWLY)
        (void)usleep(2000);
    note_answer(l, kept, reset);
    return got.complete && answer(l, got.how);
}

static void *run_line(void *ctx)
{
    struct line *l = ctx;
    struct buf b = BUF_INIT(MOST);
    while (serve(l, &b)) {
    }
    buf_fini(&b);
    lock(l->r); /* receiver_free() looks at the descriptor */
    (void)close(l->fd);
    l->fd = -1;
    unlock(l->r);
    return NULL;
}

static void *run(void *ctx)
{
    struct receiver *r = ctx;
    for (;;) {
        int fd = accept(r->listening, NULL, NULL);
        if (fd < 0)
            return NULL;
        struct line *l = must_alloc_zero(sizeof *l);
        l->r = r;
        l->fd = fd;
        lock(r);
        must(r->line_count < CONNECTIONS);
        r->line[r->line_count++] = l;
        l->number = r->line_count;
        unlock(r);
        must(pthread_create(&l->thread, NULL, run_line, l) == 0);
    }
}

struct receiver *receiver_new(void)
{
    struct receiver *r = must_alloc_zero(sizeof *r);
    must(pthread_mutex_init(&r->lock, NULL) == 0 && pthread_cond_init(&r->changed, NULL) == 0);
    r->last = &r->first;
    r->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof in;
    int small = 32768; /* of what was sent, the rest stays on the other side until it is read */
    must(r->listening >= 0 &&
         setsockopt(r->listening, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0 &&
         bind(r->listening, (struct sockaddr *)&in, sizeof in) == 0 &&
         listen(r->listening, 512) == 0 &&
         getsockname(r->listening, (struct sockaddr *)&in, &n) == 0);
    r->port = ntohs(in.sin_port);
    must(pthread_create(&r->thread, NULL, run, r) == 0);
    return r;
}

void receiver_free(struct receiver **rr)
{
    struct receiver *r = *rr;
    if (r == NULL)
        return;
    (void)shutdown(r->listening, SHUT_RDWR);
    must(pthread_join(r->thread, NULL) == 0);
    (void)close(r->listening);
    lock(r);
    r->over = true;
    must(pthread_cond_broadcast(&r->changed) == 0);
    for (uint32_t i = 0; i < r->line_count; i++)
        if (r->line[i]->fd >= 0)
            (void)shutdown(r->line[i]->fd, SHUT_RDWR);
    unlock(r);
    for (uint32_t i = 0; i < r->line_count; i++) {
        must(pthread_join(r->line[i]->thread, NULL) == 0);
        free(r->line[i]);
    }
    for (struct received *got = r->first, *next; got != NULL; got = next) {
        next = got->next;
        free((char *)got->body.p);
        free(got);
    }
    (void)pthread_mutex_destroy(&r->lock);
    (void)pthread_cond_destroy(&r->changed);
    free(r);
    *rr = NULL;
}

uint16_t receiver_port(const struct receiver *r)
{
    return r->port;
}

void receiver_set(struct receiver *r, enum receive how)
{
    lock(r);
    r->how = how;
    unlock(r);
}

void receiver_say(struct receiver *r, const struct raw_answer *raw)
{
    lock(r);
    r->raw = *raw;
    unlock(r);
}

void receiver_next(struct receiver *r, enum receive how, int n)
{
    lock(r);
    must(r->next_count + n <= NEXT);
    while (n-- > 0)
        r->next[r->next_count++] = how;
    unlock(r);
}

void receiver_release(struct receiver *r)
{
    lock(r);
    r->releases++;
    must(pthread_cond_broadcast(&r->changed) == 0);
    unlock(r);
}

uint64_t receiver_tick(struct receiver *r)
{
    lock(r);
    uint64_t tick = ++r->tick;
    unlock(r);
    return tick;
}

uint64_t receiver_answered(struct receiver *r, const struct received *q)
{
    lock(r);
    uint64_t tick = q->answered;
    unlock(r);
    return tick;
}

static uint32_t look(struct receiver *r, const uint32_t *at)
{
    lock(r);
    uint32_t n = *at;
    unlock(r);
    return n;
}

uint32_t receiver_count(struct receiver *r)
{
    return look(r, &r->count);
}

uint32_t receiver_connections(struct receiver *r)
{
    return look(r, &r->line_count);
}

uint32_t receiver_most_at_once(struct receiver *r)
{
    return look(r, &r->most_at_once);
}

uint32_t receiver_waiting(struct receiver *r)
{
    return look(r, &r->waiting);
}

uint32_t receiver_resets(struct receiver *r)
{
    return look(r, &r->resets);
}

const struct received *receiver_get(struct receiver *r, uint32_t n)
{
    lock(r);
    const struct received *got = r->first;
    while (got != NULL && n-- > 0)
        got = got->next;
    unlock(r);
    must(got != NULL);
    return got;
}
