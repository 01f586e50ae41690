/* Any bytes on a connection of the real server: answered or hung up on, and the next one is
 * served. Everything behind it is real, too: routes, gate, ledger and a store. */
#include "api/server_priv.h"
#include "base/limits.h"
#include "base/log.h"
#include "pipeline/pipeline.h"

#include "target.h"

#include <microhttpd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEXT                                                                                       \
    "text: {en: {title: T, aim: A, data: D, transfer: X, storage: S, automation: N, "              \
    "consequences: C, withdrawal: W}}"

/* The loop is turned here, not in its own thread: what came is handled at once, and nobody waits. */
enum { READER_MS = 1, QUIET = 2, READER_QUIET = 6, EACH = 1000 };

static char dir[64];
static struct server *server;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st, (void)type, (void)f;
    return remove(path);
}

static void remove_all(void)
{
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void start(void)
{
    struct err_info info;
    AUTO(buf_fini) struct buf text = BUF_INIT(1u << 16), reports = BUF_INIT(1u << 20);
    /* in memory where that can be: each request may be a commit */
    (void)snprintf(dir, sizeof dir, "%s/licet-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(dir) != NULL);
    buf_printf(&text,
               "listen: 127.0.0.1:0\nstore: \"sqlite:%s\"\ntrusted_proxies: [127.0.0.0/8]\n"
               "controller: {name: Muster GmbH, country: DE, contact: a@muster.example}\n"
               "keys: {private: [0123456789abcdef0123456789abcdef], public: "
               "[fedcba9876543210fedcba98, {key: fedcba9876543210fedcba99, mode: test, origins: "
               "[https://shop.example]}]}\n"
               "subject_token_secret: 0123456789abcdef0123456789\n"
               "limits: {public_per_second: 1000000, address_per_minute: 1000000, "
               "subject_per_hour: 1000000}\n"
               "purposes:\n"
               "  - {id: statistics, scope: device, proof: optional, versions: [{version: 1, "
               "since: 2020-01-01, recipients: [own], " TEXT "}]}\n"
               "  - {id: letters, scope: person, versions: [{version: 1, since: 2020-01-01, " TEXT
               "}]}\n"
               "destinations:\n"
               "  - {id: own, requires: [statistics], retention: 1d, fields: {event: keep, "
               "\"properties.*\": keep}}\n",
               dir);
    struct conf *c = NULL;
    log_set_level(LOG_ERROR);
    if (conf_parse(buf_view(&text), "fuzz.yaml", &c, &reports) != OK ||
        server_open(c, &server, &reports, &info) != OK) {
        fprintf(stderr, "%.*s%s\n", (int)reports.n, reports.p, info.text);
        must(!"the server of the fuzzer");
    }
    must(atexit(remove_all) == 0);
}

static int call(void)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_port = htons(server_port(server)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    /* from many addresses: the ports of one are used up sooner than they become free again */
    static uint32_t from;
    struct sockaddr_in our = { .sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK + ++from % 65536) };
    struct linger reset = { .l_onoff = 1 }; /* no port stays in use behind it */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&our, sizeof our) == 0 &&
        connect(fd, (struct sockaddr *)&in, sizeof in) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0)
        return fd;
    fprintf(stderr, "call %u from the fuzzer: %s; %u connections are open\n", from, strerror(errno),
            connections_open(server->connections));
    must(!"a socket of the fuzzer");
}

static bool turn(void)
{
    uint64_t calls;
    (void)!read(server->wake_fd, &calls, sizeof calls);
    guard_turn_begin(server);
    (void)MHD_run(server->tcp);
    bool again = pipeline_turn(server->pipeline);
    guard_turn_end(server);
    return again;
}

static bool may_come(int patience)
{
    return server->active > 0 || patience > READER_QUIET; /* that one may not have been accepted */
}

/* Turns until nothing moves any more, `patience` times more for an answer that is still due; gives what came back, cut at `size`. */
static size_t listen_to(int fd, int patience, char *to, size_t size)
{
    char more[4096];
    size_t got = 0;
    for (int quiet = 0; quiet < QUIET || (may_come(patience) && got == 0 && quiet < patience);) {
        bool again = turn();
        ssize_t n = recv(fd, more, sizeof more, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            break;
        if (n > 0) {
            size_t keep = (size_t)n < size - got ? (size_t)n : size - got;
            memcpy(to + got, more, keep);
            got += keep;
        }
        quiet = n > 0 || again ? 0 : quiet + 1;
        struct pollfd p = { .fd = server->wake_fd, .events = POLLIN };
        if (quiet >= QUIET && may_come(patience) && got == 0)
            (void)poll(&p, 1, READER_MS); /* the reader's thread has it */
    }
    return got;
}

static size_t ask(const void *bytes, size_t n, int patience, char *to, size_t size)
{
    AUTO(close_fd) int fd = call();
    for (size_t sent = 0; sent < n;) { /* it may hang up before the end */
        ssize_t k = send(fd, (const char *)bytes + sent, n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (k < 0 && errno != EAGAIN)
            break;
        sent += k > 0 ? (size_t)k : 0;
        (void)turn();
    }
    return listen_to(fd, patience, to, size);
}

static void is_alive(void)
{
    static const char question[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char answer[] = "HTTP/1.1 200 ";
    char got[64];
    must(ask(question, sizeof question - 1, 5000, got, sizeof got) >= sizeof answer - 1);
    must(memcmp(got, answer, sizeof answer - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint64_t count;
    char got[16];
    if (server == NULL)
        start();
    size_t heard = ask(data, n, READER_QUIET, got, sizeof got);
    must(heard < 5 || memcmp(got, "HTTP/", 5) == 0);
    for (int i = 0; i < QUIET; i++)
        (void)turn(); /* it hung up */
    if (++count % EACH == 0)
        is_alive();
    return 0;
}
