#include "api/connection.h"
#include "base/limits.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static struct conf conf;
static struct connections *c;

static int setup(void **state)
{
    (void)state;
    static struct str proxy[] = { STR_INIT("10.0.0.0/8") };
    conf = (struct conf){ .timeouts = { .head_ms = 15000, .body_ms = 30000, .idle_ms = 75000 },
                          .limits = { .connections = 100, .connections_per_address = 10 },
                          .trusted_proxy = proxy,
                          .trusted_proxy_count = 1 };
    c = connections_new(NULL);
    connections_configure(c, &conf);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(connections_open(c), 0);
    assert_int_equal(connections_addresses(c), 0);
    connections_free(&c);
    return 0;
}

struct guest {
    struct connection *connection;
    int far; /* their end of it */
};

static struct guest come(const char *from, int64_t now)
{
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    bool is_four = inet_pton(AF_INET, from, &four.sin_addr) == 1;
    assert_true(is_four || inet_pton(AF_INET6, from, &six.sin6_addr) == 1);
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    const void *address = is_four ? (const void *)&four : (const void *)&six;
    return (struct guest){ .connection = connection_open(c, address, fd[0], now), .far = fd[1] };
}

static bool was_closed(const struct guest *g)
{
    char byte;
    bool closed = recv(g->far, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
    assert_int_equal(closed, g->connection->closing);
    return closed;
}

static void go(struct guest *g)
{
    (void)close(g->connection->fd);
    (void)close(g->far);
    connection_close(c, &g->connection);
    assert_null(g->connection);
}

/* In `stage` since 1000 ms: open until `least_ms` later, closed then. */
static void check_stage(enum connection_stage stage, size_t bytes, int64_t least_ms,
                        enum connection_end why)
{
    struct guest g = come("203.0.113.1", 1000);
    bool ends = why < CONNECTION_ENDS;
    uint64_t before = ends ? connections_ended(c, why) : 0;
    if (stage != STAGE_NEW)
        connection_enter(c, g.connection, STAGE_HEAD, 1000);
    if (stage != STAGE_NEW && stage != STAGE_HEAD)
        connection_enter(c, g.connection, stage, 1000);
    g.connection->bytes = bytes;
    connections_sweep(c, 1000 + least_ms - 1);
    assert_false(was_closed(&g));
    connections_sweep(c, 1000 + least_ms);
    assert_int_equal(was_closed(&g), ends);
    connections_sweep(c, 1000 + 2 * least_ms); /* once is enough */
    if (ends)
        assert_int_equal(connections_ended(c, why), before + 1);
    go(&g);
}

static void every_stage_has_an_end_of_its_own(void **state)
{
    (void)state;
    check_stage(STAGE_NEW, 0, 15000, END_HEAD);
    check_stage(STAGE_HEAD, 0, 15000, END_HEAD);
    check_stage(STAGE_BODY, 0, 30000, END_BODY);
    check_stage(STAGE_ANSWER, 0, LIMIT_ANSWER_S * 1000, END_ANSWER);
    check_stage(STAGE_IDLE, 0, 75000, END_IDLE);
    check_stage(STAGE_WORK, 0, 3600 * 1000, CONNECTION_ENDS);
}

static void what_has_come_or_is_to_go_gives_more_time(void **state)
{
    (void)state;
    check_stage(STAGE_BODY, LIMIT_FLOOR_RATE * 10, 40000, END_BODY);
    check_stage(STAGE_ANSWER, LIMIT_FLOOR_RATE * 10, LIMIT_ANSWER_S * 1000 + 10000, END_ANSWER);
    check_stage(STAGE_HEAD, LIMIT_FLOOR_RATE * 10, 15000, END_HEAD);
}

static void a_byte_does_not_begin_the_time_anew(void **state)
{
    (void)state;
    struct guest g = come("203.0.113.1", 0);
    connection_enter(c, g.connection, STAGE_HEAD, 0);
    connection_enter(c, g.connection, STAGE_BODY, 0);
    for (int64_t now = 1; now < 30; now++) {
        g.connection->bytes++;
        connections_sweep(c, now * 1000);
        assert_false(was_closed(&g));
    }
    connections_sweep(c, 30 * 1000 + 100);
    assert_true(was_closed(&g));
    go(&g);
}

static void a_long_request_hides_no_stuck_one_behind_it(void **state)
{
    (void)state;
    struct guest works = come("203.0.113.1", 0), stuck = come("203.0.113.2", 0);
    connection_enter(c, works.connection, STAGE_HEAD, 0);
    connection_enter(c, works.connection, STAGE_WORK, 0);
    connection_enter(c, stuck.connection, STAGE_HEAD, 1);
    connections_sweep(c, 16000);
    assert_false(was_closed(&works));
    assert_true(was_closed(&stuck));
    go(&works);
    go(&stuck);
}

static void one_address_has_only_so_many(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool stays;
    } next[] = { { "203.0.113.1", false },
                 { "203.0.113.2", true },
                 { "10.1.2.3", true },
                 { "::ffff:203.0.113.1", false } };
    struct guest g[10];
    for (int i = 0; i < 10; i++) {
        g[i] = come("203.0.113.1", 0);
        assert_false(was_closed(&g[i]));
    }
    for (size_t i = 0; i < COUNT(next); i++) {
        struct guest n = come(next[i].address, 0);
        assert_int_equal(was_closed(&n), !next[i].stays);
        go(&n);
    }
    go(&g[0]);
    g[0] = come("203.0.113.1", 0);
    assert_false(was_closed(&g[0])); /* there is room again */
    for (int i = 0; i < 10; i++)
        go(&g[i]);
}

static void of_ipv6_the_64_is_one_address(void **state)
{
    (void)state;
    static const char *const address[] = { "2001:db8:1:2::1", "2001:db8:1:2:ffff::" };
    struct guest g[10];
    for (int i = 0; i < 10; i++)
        g[i] = come(address[i % 2], 0);
    struct guest near = come("2001:db8:1:2::77", 0), far = come("2001:db8:1:3::1", 0);
    assert_true(was_closed(&near));
    assert_false(was_closed(&far));
    go(&near);
    go(&far);
    for (int i = 0; i < 10; i++)
        go(&g[i]);
}

static void a_trusted_proxy_has_as_many_as_it_wants(void **state)
{
    (void)state;
    struct guest g[50];
    for (int i = 0; i < 50; i++) {
        g[i] = come("10.0.0.1", 0);
        assert_false(was_closed(&g[i]));
    }
    for (int i = 0; i < 50; i++)
        go(&g[i]);
}

static void fill(struct guest g[100], int64_t now)
{
    for (int i = 0; i < 100; i++)
        g[i] = come("10.0.0.1", now);
}

static void empty(struct guest g[100])
{
    for (int i = 0; i < 100; i++)
        go(&g[i]);
}

static void who_never_spoke_makes_room_first(void **state)
{
    (void)state;
    struct guest g[100];
    fill(g, 0);
    for (int i = 0; i < 50; i++) {
        connection_enter(c, g[i].connection, STAGE_HEAD, 0);
        connection_enter(c, g[i].connection, STAGE_IDLE, 0);
    }
    struct guest fresh = come("203.0.113.1", 5000);
    assert_false(was_closed(&fresh));
    assert_true(was_closed(&g[50]));
    assert_int_equal(connections_ended(c, END_CROWDED), 1);
    go(&fresh);
    empty(g);
}

static void then_who_was_silent_for_longest(void **state)
{
    (void)state;
    struct guest g[100];
    fill(g, 0);
    for (int i = 0; i < 100; i++) {
        connection_enter(c, g[i].connection, STAGE_HEAD, i);
        connection_enter(c, g[i].connection, STAGE_IDLE, i);
    }
    connection_enter(c, g[0].connection, STAGE_HEAD, 200);
    connection_enter(c, g[0].connection, STAGE_IDLE, 201);
    struct guest fresh = come("203.0.113.1", 5000);
    assert_true(was_closed(&g[1])); /* the first one spoke again */
    assert_false(was_closed(&g[0]));
    assert_false(was_closed(&fresh));
    go(&fresh);
    empty(g);
}

static void then_who_does_not_come_to_the_end_of_a_head(void **state)
{
    (void)state;
    struct guest g[100];
    fill(g, 0);
    for (int i = 0; i < 100; i++)
        connection_enter(c, g[i].connection, STAGE_HEAD, i);
    struct guest fresh = come("203.0.113.1", 5000);
    assert_true(was_closed(&g[0]));
    assert_false(was_closed(&fresh));
    go(&fresh);
    empty(g);
}

static void nobody_who_works_or_just_came_makes_room(void **state)
{
    (void)state;
    struct guest g[100];
    fill(g, 4000);
    for (int i = 0; i < 50; i++) {
        connection_enter(c, g[i].connection, STAGE_HEAD, 0);
        connection_enter(c, g[i].connection, STAGE_WORK, 0);
    }
    struct guest fresh = come("203.0.113.1", 5000);
    assert_true(was_closed(&fresh));
    assert_int_equal(connections_ended(c, END_REFUSED), 1);
    for (int i = 0; i < 100; i++)
        assert_false(was_closed(&g[i]));
    go(&fresh);
    empty(g);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(every_stage_has_an_end_of_its_own),
        TEST(what_has_come_or_is_to_go_gives_more_time),
        TEST(a_byte_does_not_begin_the_time_anew),
        TEST(a_long_request_hides_no_stuck_one_behind_it),
        TEST(one_address_has_only_so_many),
        TEST(of_ipv6_the_64_is_one_address),
        TEST(a_trusted_proxy_has_as_many_as_it_wants),
        TEST(who_never_spoke_makes_room_first),
        TEST(then_who_was_silent_for_longest),
        TEST(then_who_does_not_come_to_the_end_of_a_head),
        TEST(nobody_who_works_or_just_came_makes_room),
    };
    return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
