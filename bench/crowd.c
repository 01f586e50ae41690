/* bench/crowd.c - many clients in one process, for script/bench overload.
 *
 *   crowd slow PORT CONNECTIONS SECONDS
 *       Keeps so many connections open: every second one begins a head and
 *       sends a byte of it each second, the others have asked once and are silent. Those
 *       that are closed come again. Prints how many were open, at least and in the middle.
 *
 *   crowd flood PORT KEY RATE SECONDS CONNECTIONS BATCH RUN FILE
 *       Sends RATE batches a second, whether the earlier ones were answered or
 *       not, over at most so many connections; prints what became of them and how long the answers
 *       took. FILE gets the number of each batch that was answered with 200.
 *
 *   crowd replay PORT KEY BATCH RUN FILE
 *       Sends those batches again, one by one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, DIGITS = 8, SOURCES = 50, TICKS = 100 };

static int port, epoll;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The clock by which the kernel says when something came. */
static int64_t wall_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* As read(), and when the last of it came to this machine. */
static ssize_t read_stamped(int fd, char *to, size_t room, int64_t *ret_us)
{
    char control[256];
    struct iovec v = { .iov_base = to, .iov_len = room };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    ssize_t n = recvmsg(fd, &m, 0);
    *ret_us = wall_us();
    for (struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL; c != NULL; c = CMSG_NXTHDR(&m, c)) {
        struct timespec t;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        *ret_us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    }
    return n;
}

static void allow_files(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        fail("getrlimit");
    r.rlim_cur = r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r) != 0)
        fail("setrlimit");
}

/* From one of many addresses of this machine. */
static int dial(unsigned source)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in from = { .sin_family = AF_INET,
                                .sin_addr.s_addr =
                                    htonl(INADDR_LOOPBACK + 0x100 + source % SOURCES) };
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons((uint16_t)port) };
    if (fd < 0)
        fail("socket");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
        fail("bind");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        fail("connect");
    return fd;
}

static void watch(int fd, void *what)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = what };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) != 0)
        fail("epoll_ctl");
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void say(const char *what, uint32_t *us, size_t n)
{
    qsort(us, n, sizeof *us, by_size);
    printf("%s_p50_us %u\n%s_p99_us %u\n%s_max_us %u\n", what, n ? us[n / 2] : 0, what,
           n ? us[n * 99 / 100] : 0, what, n ? us[n - 1] : 0);
}

/* ---- slow ---- */

struct slow {
    int fd;
    bool drips, up;
};

static void slow_start(struct slow *s, unsigned i)
{
    s->fd = dial(i);
    s->drips = i % 2 == 0;
    s->up = false;
    watch(s->fd, s);
}

static void slow_event(struct slow *s, unsigned i, uint32_t events, unsigned *open)
{
    char waste[4096];
    ssize_t n = 1;
    if (!s->up && events & EPOLLOUT && !(events & (EPOLLERR | EPOLLHUP))) {
        static const char begun[] = "POST /v1/batch HTTP/1.1\r\nHost: x\r\n",
                          whole[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        s->up = true;
        ++*open;
        n = s->drips ? write(s->fd, begun, sizeof begun - 1)
                     : write(s->fd, whole, sizeof whole - 1);
    }
    while (n > 0 && events & EPOLLIN)
        n = read(s->fd, waste, sizeof waste);
    if (n > 0 || (n < 0 && errno == EAGAIN && !(events & (EPOLLERR | EPOLLHUP))))
        return;
    *open -= s->up;
    close(s->fd);
    slow_start(s, i);
}

static int slow(unsigned count, int seconds)
{
    struct slow *s = calloc(count, sizeof *s);
    unsigned open = 0, started = 0, least = count, samples = 0, phase = 0, sample[4096];
    int64_t begin = now_us(), end = begin + seconds * 1000000LL, tick = begin;
    bool complete = false;
    while (now_us() < end) {
        for (int i = 0; i < 200 && started < count; i++, started++)
            slow_start(&s[started], started);
        struct epoll_event e[EVENTS];
        int n = epoll_wait(epoll, e, EVENTS, started < count ? 1 : 5);
        for (int i = 0; i < n; i++) {
            struct slow *it = e[i].data.ptr;
            slow_event(it, (unsigned)(it - s), e[i].events, &open);
        }
        if (now_us() < tick)
            continue;
        tick += 1000000 / TICKS;
        phase = (phase + 1) % TICKS;
        for (unsigned i = 2 * phase; i < started; i += 2 * TICKS) {
            if (s[i].up && s[i].drips && write(s[i].fd, "X", 1) < 0)
                continue; /* it will be told closed */
        }
        if (phase != 0)
            continue;
        if (!complete && open > count * 95 / 100) {
            complete = true;
            printf("complete\n");
            (void)fflush(stdout);
        }
        if (complete && samples < sizeof sample / sizeof sample[0]) {
            sample[samples++] = open;
            least = open < least ? open : least;
        }
    }
    qsort(sample, samples, sizeof sample[0], by_size);
    printf("slow_least %u\nslow_median %u\n", samples ? least : 0,
           samples ? sample[samples / 2] : 0);
    return 0;
}

/* ---- flood ---- */

static char *body; /* a request; the number in each message id is written in */
static size_t body_n, *digit_at, digits;

static void make_body(const char *key, int batch, const char *run)
{
    size_t room = (size_t)batch * 600 + 1024, n = 0;
    char *json = malloc(room);
    digit_at = calloc((size_t)batch, sizeof *digit_at);
    body = malloc(room + 1024);
    if (json == NULL || digit_at == NULL || body == NULL)
        fail("malloc");
    n += (size_t)snprintf(json, room, "{\"batch\":[");
    for (int i = 0; i < batch; i++) {
        n += (size_t)snprintf(
            json + n, room - n,
            "%s{\"type\":\"track\",\"event\":\"Product Viewed\",\"anonymousId\":\"device-%04d\","
            "\"properties\":{\"product\":\"p-17\",\"value\":12.5,\"currency\":\"EUR\"},\"context\":"
            "{"
            "\"page\":{\"path\":\"/products/17\",\"url\":\"https://shop.example/products/"
            "17?utm_source=mail\"},\"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64)\"},"
            "\"messageId\":\"%s-%03d-",
            i ? "," : "", i % 1000, run, i);
        digit_at[digits++] = n;
        n += (size_t)snprintf(json + n, room - n, "00000000\"}");
    }
    n += (size_t)snprintf(json + n, room - n, "]}");
    size_t head = (size_t)snprintf(body, room,
                                   "POST /v1/batch HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic "
                                   "%s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
                                   key, n);
    memcpy(body + head, json, n);
    body_n = head + n;
    for (size_t i = 0; i < digits; i++)
        digit_at[i] += head;
    free(json);
}

static void number_body(unsigned number)
{
    char text[DIGITS + 1];
    (void)snprintf(text, sizeof text, "%0*u", DIGITS, number);
    for (size_t i = 0; i < digits; i++)
        memcpy(body + digit_at[i], text, DIGITS);
}

struct client {
    int fd;
    bool up, busy;
    unsigned number;
    int64_t sent_us;
    char *rest; /* not yet written */
    size_t rest_n, rest_at, got;
    char answer[2048];
    struct client *next; /* free */
};

struct tally {
    uint64_t sent, ok, refused, errors, unsent;
    uint32_t *ok_us, *refused_us, *own_us; /* own: from an answer's coming to its being read here */
    size_t room;
    int64_t count_from_us; /* what is answered earlier is warming up */
    FILE *acknowledged;
};

static struct client *idle_clients;

static void flush_rest(struct client *c)
{
    while (c->rest_at < c->rest_n) {
        ssize_t n = write(c->fd, c->rest + c->rest_at, c->rest_n - c->rest_at);
        if (n <= 0)
            return;
        c->rest_at += (size_t)n;
    }
}

static void send_number(struct client *c, unsigned number)
{
    number_body(number);
    c->busy = true;
    c->number = number;
    c->got = 0;
    c->rest_n = c->rest_at = 0;
    c->sent_us = wall_us();
    ssize_t n = write(c->fd, body, body_n);
    size_t done = n > 0 ? (size_t)n : 0;
    if (done < body_n) {
        c->rest = c->rest ? c->rest : malloc(body_n);
        if (c->rest == NULL)
            fail("malloc");
        memcpy(c->rest, body + done, body_n - done);
        c->rest_n = body_n - done;
    }
}

/* The status, once the whole answer is there; else 0. */
static int whole_answer(struct client *c)
{
    c->answer[c->got] = 0;
    const char *end = strstr(c->answer, "\r\n\r\n"),
               *length = strstr(c->answer, "Content-Length: ");
    if (end == NULL || length == NULL ||
        c->got < (size_t)(end + 4 - c->answer) + strtoul(length + 16, NULL, 10))
        return 0;
    return atoi(c->answer + 9);
}

static void count(struct tally *t, struct client *c, int status, int64_t came_us)
{
    uint32_t us = (uint32_t)(came_us - c->sent_us);
    bool counts = c->sent_us >= t->count_from_us;
    if (status == 200) {
        fprintf(t->acknowledged, "%u\n", c->number);
        if (counts && t->ok < t->room) {
            t->own_us[t->ok] = (uint32_t)(wall_us() - came_us);
            t->ok_us[t->ok++] = us;
        }
    } else if (status == 503) {
        if (counts && t->refused < t->room)
            t->refused_us[t->refused++] = us;
    } else {
        t->errors++;
    }
}

static void client_event(struct client *c, uint32_t events, struct tally *t)
{
    if (!c->up && events & EPOLLOUT && !(events & EPOLLERR)) {
        c->up = true;
        c->next = idle_clients;
        idle_clients = c;
        return;
    }
    if (c->busy && events & EPOLLOUT)
        flush_rest(c);
    ssize_t n = 1;
    while (n > 0 && events & EPOLLIN) {
        int64_t came_us;
        n = read_stamped(c->fd, c->answer + c->got, sizeof c->answer - 1 - c->got, &came_us);
        if (n > 0)
            c->got += (size_t)n;
        int status = c->busy ? whole_answer(c) : 0;
        if (status != 0) {
            count(t, c, status, came_us);
            c->busy = false;
            c->got = 0;
            c->next = idle_clients;
            idle_clients = c;
        }
    }
    if (n == 0 || (n < 0 && errno != EAGAIN) || events & EPOLLERR) {
        fprintf(stderr, "crowd: a connection was closed: %s\n", n < 0 ? strerror(errno) : "end");
        exit(1);
    }
}

static void look(int64_t timeout_us, struct tally *t)
{
    struct epoll_event e[EVENTS];
    struct timespec wait = { .tv_sec = timeout_us / 1000000,
                             .tv_nsec = timeout_us % 1000000 * 1000 };
    int n = epoll_pwait2(epoll, e, EVENTS, &wait, NULL);
    for (int i = 0; i < n; i++)
        client_event(e[i].data.ptr, e[i].events, t);
}

static void connect_all(struct client *c, int connections, struct tally *t)
{
    int64_t end = now_us() + 60 * 1000000LL;
    for (int i = 0; i < connections; i++) {
        c[i].fd = dial((unsigned)i);
        watch(c[i].fd, &c[i]);
    }
    for (int up = 0; up < connections && now_us() < end;) {
        look(10000, t);
        up = 0;
        for (int i = 0; i < connections; i++)
            up += c[i].up;
    }
}

static struct client *take_client(void)
{
    struct client *c = idle_clients;
    idle_clients = c->next;
    return c;
}

static int flood(double rate, int seconds, int connections, const char *file)
{
    struct tally t = { .room = (size_t)(rate * seconds) + 1000 };
    struct client *c = calloc((size_t)connections, sizeof *c);
    t.ok_us = calloc(t.room, sizeof *t.ok_us);
    t.refused_us = calloc(t.room, sizeof *t.refused_us);
    t.own_us = calloc(t.room, sizeof *t.own_us);
    t.acknowledged = fopen(file, "w");
    if (c == NULL || t.ok_us == NULL || t.refused_us == NULL || t.own_us == NULL ||
        t.acknowledged == NULL)
        fail("start");
    connect_all(c, connections, &t);
    int64_t begin = now_us(), end = begin + seconds * 1000000LL, now;
    t.count_from_us = wall_us() + 1000000;
    uint64_t due_before = 0;
    while ((now = now_us()) < end) {
        uint64_t due = (uint64_t)((double)(now - begin) * rate / 1e6);
        for (; due_before < due; due_before++) {
            if (idle_clients != NULL)
                send_number(take_client(), (unsigned)t.sent++);
            else
                t.unsent++;
        }
        int64_t next = begin + (int64_t)((double)(due_before + 1) * 1e6 / rate) - now_us();
        look(idle_clients == NULL ? 1000 : next > 0 ? next : 0, &t);
    }
    uint64_t answered_in_time = t.ok;
    for (int64_t grace = now_us() + 10 * 1000000LL; now_us() < grace;) {
        int busy = 0;
        for (int i = 0; i < connections; i++)
            busy += c[i].busy;
        if (busy == 0)
            break;
        look(10000, &t);
    }
    unsigned lost = 0;
    for (int i = 0; i < connections; i++)
        lost += c[i].busy;
    printf("offered_per_s %.0f\nsent_per_s %.0f\naccepted_per_s %.0f\nrefused_per_s %.0f\n", rate,
           (double)t.sent / seconds, (double)answered_in_time / (seconds - 1),
           (double)t.refused / (seconds - 1));
    printf("unanswered %u\nerrors %llu\nno_connection_per_s %.0f\n", lost,
           (unsigned long long)t.errors, (double)t.unsent / seconds);
    say("accepted", t.ok_us, t.ok);
    say("refused", t.refused_us, t.refused);
    say("generator", t.own_us, t.ok);
    return fclose(t.acknowledged);
}

static int replay(const char *file)
{
    struct tally t = { .room = 1 << 24 };
    struct client c = { 0 };
    FILE *numbers = fopen(file, "r");
    t.ok_us = calloc(t.room, sizeof *t.ok_us);
    t.refused_us = calloc(t.room, sizeof *t.refused_us);
    t.own_us = calloc(t.room, sizeof *t.own_us);
    t.acknowledged = fopen("/dev/null", "w");
    if (numbers == NULL || t.ok_us == NULL || t.refused_us == NULL || t.own_us == NULL ||
        t.acknowledged == NULL)
        fail("start");
    connect_all(&c, 1, &t);
    unsigned number;
    while (fscanf(numbers, "%u", &number) == 1) {
        send_number(take_client(), number);
        while (c.busy)
            look(100000, &t);
    }
    printf("accepted %llu\n", (unsigned long long)t.ok);
    return 0;
}

int main(int argc, char **argv)
{
    allow_files();
    (void)signal(SIGPIPE, SIG_IGN); /* who was closed is told by EPOLLHUP */
    epoll = epoll_create1(EPOLL_CLOEXEC);
    port = argc > 2 ? atoi(argv[2]) : 0;
    if (argc == 5 && strcmp(argv[1], "slow") == 0)
        return slow((unsigned)atoi(argv[3]), atoi(argv[4]));
    if (argc == 10 && strcmp(argv[1], "flood") == 0) {
        make_body(argv[3], atoi(argv[7]), argv[8]);
        return flood(atof(argv[4]), atoi(argv[5]), atoi(argv[6]), argv[9]);
    }
    if (argc == 7 && strcmp(argv[1], "replay") == 0) {
        make_body(argv[3], atoi(argv[4]), argv[5]);
        return replay(argv[6]);
    }
    fprintf(stderr, "crowd: see the head of bench/crowd.c\n");
    return 2;
}
