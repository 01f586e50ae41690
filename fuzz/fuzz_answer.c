/* Any bytes as a receiver's answer, through libcurl and the wire: one end, in bounded time, and a judgement
 * that only a whole answer can make. */
#include "base/clock.h"
#include "base/limits.h"
#include "deliver/backoff.h"
#include "deliver/wire.h"

#include "target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEND_MS = 2000, MOST_TURNS = 10000, FEATURES = 4096 };

/* libcurl has no counters of the fuzzer's: what it made of an answer leads on instead. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t feature[FEATURES];

static void seen(uint32_t kind, uint64_t what)
{
    feature[(kind * 521 + what) % FEATURES] = 1;
}

static uint32_t log2_of(uint64_t n)
{
    uint32_t bits = 0;
    for (; n > 0; n >>= 1)
        bits++;
    return bits;
}

static uint64_t hash_of(struct str s)
{
    uint64_t h = 5381;
    for (size_t i = 0; i < s.n; i++)
        h = h * 33 + (unsigned char)s.p[i];
    return h;
}

static struct wire *wire;
static struct conf_destination conf;
static int listening = -1;
static bool ended;

/* ---- the sender ---- */

static bool may_begin(struct cargo *c, bool again)
{
    (void)c, (void)again;
    return true;
}

static void has_ended(struct cargo *c, const struct ended *e)
{
    must(c->conf == &conf && !ended);
    ended = true;
    must(e->body.n <= LIMIT_ANSWER && e->error != NULL);
    must((e->how == ENDED_ANSWERED) == (e->status > 0) || e->status == 0);
    must(e->how != ENDED_DENIED && e->how != ENDED_CUT);
    if (e->how == ENDED_ANSWERED) {
        enum answer a = destination_find(STR("webhook"))->judge(e->status, e->body);
        must(a >= ANSWER_SENT && a <= ANSWER_UNCERTAIN);
        must((a == ANSWER_SENT) == (e->status >= 200 && e->status < 300));
    }
    seen(1, (uint64_t)e->status);
    seen(2, log2_of(e->body.n) + 32 * (uint64_t)e->how);
    seen(3, log2_of((uint64_t)e->retry_after_s));
    seen(4, hash_of(str_of(e->error)));
    struct backoff b = { 0 };
    int64_t now = clock_now_ms();
    int64_t delay = backoff_delay(BACKOFF_BASE_MS, 1, e->retry_after_s);
    must(delay >= 0 && delay <= LIMIT_RETRY_AFTER_S * INT64_C(1000));
    backoff_failed(&b, BACKOFF_BASE_MS, now, e->retry_after_s, true);
    must(b.until_ms >= now && b.until_ms - now <= LIMIT_RETRY_AFTER_S * INT64_C(1000));
}

/* ---- the receiver ---- */

static void start(void)
{
    static char endpoint[64];
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof in;
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    must(listening >= 0 && bind(listening, (struct sockaddr *)&in, sizeof in) == 0 &&
         listen(listening, 64) == 0 && getsockname(listening, (struct sockaddr *)&in, &size) == 0);
    (void)snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u/", ntohs(in.sin_port));
    conf = (struct conf_destination){ .id = STR("hook"),
                                      .type = STR("webhook"),
                                      .endpoint = str_of(endpoint),
                                      .allow_private_addresses = true };
    wire = wire_new(SEND_MS);
    must(wire != NULL);
}

/* Counts instead of looking at the clock: a fuzzer may be stopped for a while. */
static void turn(uint32_t *turns)
{
    wire_turn(wire);
    must(++*turns < MOST_TURNS);
    if (*turns > MOST_TURNS / 2)
        wire_wait(wire, 5);
}

static void answer(const uint8_t *data, size_t n)
{
    struct linger reset = { .l_onoff = 1 };
    AUTO(close_fd) int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    char bytes[4096];
    uint32_t turns = 0;
    while (!ended && read(fd, bytes, sizeof bytes) <= 0) /* the request */
        turn(&turns);
    (void)!send(fd, data, n, MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    while (!ended) {
        (void)!read(fd, bytes, sizeof bytes);
        turn(&turns);
        if (!ended)
            wire_wait(wire, 5);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (listening < 0)
        start();
    if (n == 0)
        return 0;
    conf.uncertain = data[0] & 1 ? CONF_HOLD : CONF_RETRY;
    static const struct cargo_verbs verbs = { may_begin, NULL, has_ended };
    struct arena a = ARENA_INIT;
    struct outgoing_request q = { .method = "POST",
                                  .url = conf.endpoint,
                                  .header = { STR("Content-Type: application/json") },
                                  .header_count = 1,
                                  .body = BUF_INIT(64) };
    struct cargo c = { .verbs = &verbs, .conf = &conf, .arena = &a, .request = &q };
    buf_lit(&q.body, "{}");
    ended = false;
    must(wire_start(wire, &c));
    uint32_t turns = 0;
    while (!ended) { /* a second connection, where libcurl sends again on another one */
        turn(&turns);
        answer(data + 1, n - 1);
    }
    must(wire_in_flight(wire) == 0);
    arena_fini(&a);
    buf_fini(&q.body);
    return 0;
}
