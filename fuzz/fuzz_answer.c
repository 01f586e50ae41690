/* Any bytes as a receiver's answer, through libcurl and the wire: one end, in bounded time, and a judgement
 * that only a whole answer can make. What stands around the wire (store, gate) is replaced here. */
#include "base/clock.h"
#include "deliver/deliver_priv.h"

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

static struct deliver deliver;
static struct outlet outlet;
static struct conf_destination conf;
static struct policy_use use;
static struct policy policy;
static int listening = -1;
static bool ended;

/* ---- what the wire asks of others ---- */

bool parcel_still_permitted(struct deliver *d, struct parcel *p)
{
    (void)d, (void)p;
    return true;
}

void parcel_may_have_arrived(struct parcel *p)
{
    p->maybe_arrived = true;
}

void parcel_ended(struct deliver *d, struct parcel *p, const struct ended *e)
{
    must(d == &deliver && !ended);
    ended = true;
    must(e->body.n <= LIMIT_ANSWER && e->error != NULL);
    must((e->how == ENDED_ANSWERED) == (e->status > 0) || e->status == 0);
    must(e->how != ENDED_DENIED && e->how != ENDED_CUT);
    if (e->how == ENDED_ANSWERED) {
        enum answer a = p->driver->judge(e->status, e->body);
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
    if (p->has_ticket)
        tickets_give_back(d->setup.tickets, &p->id);
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
    use = (struct policy_use){ .conf = &conf };
    policy = (struct policy){ .use = &use, .use_count = 1 };
    deliver.setup.send_ms = SEND_MS;
    deliver.setup.tickets = tickets_new();
    deliver.wire = wire_new(&deliver);
    must(deliver.wire != NULL);
}

/* Counts instead of looking at the clock: a fuzzer may be stopped for a while. */
static void turn(uint32_t *turns)
{
    wire_turn(deliver.wire);
    must(++*turns < MOST_TURNS);
    if (*turns > MOST_TURNS / 2)
        wire_wait(deliver.wire, 5);
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
            wire_wait(deliver.wire, 5);
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
    struct parcel p = { .outlet = &outlet,
                        .policy = { .policy = &policy },
                        .driver = destination_find(STR("webhook")) };
    p.request.method = "POST";
    p.request.url = conf.endpoint;
    p.request.header[p.request.header_count++] = STR("Content-Type: application/json");
    p.request.body = (struct buf)BUF_INIT(64);
    buf_lit(&p.request.body, "{}");
    ended = false;
    must(wire_start(deliver.wire, &p));
    uint32_t turns = 0;
    while (!ended) { /* a second connection, where libcurl sends again on another one */
        turn(&turns);
        answer(data + 1, n - 1);
    }
    must(wire_in_flight(deliver.wire) == 0);
    arena_fini(&p.arena);
    buf_fini(&p.request.body);
    return 0;
}
