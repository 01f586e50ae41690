/* A request that is no delivery keeps the rules of deliveries. */
#include "deliver/post.h"
#include "deliver/receiver.h"
#include "deliver/wire_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct arena a;
static struct receiver *receiver;

static int open_receiver(void **state)
{
    (void)state;
    arena_init(&a);
    receiver = receiver_new();
    return 0;
}

static int close_receiver(void **state)
{
    (void)state;
    receiver_free(&receiver);
    arena_fini(&a);
    return 0;
}

static struct conf_destination there(bool may_be_private)
{
    return (struct conf_destination){
        .endpoint = arena_printf(&a, "http://127.0.0.1:%u/", receiver_port(receiver)),
        .allow_private_addresses = may_be_private,
    };
}

static enum err said(const struct conf_destination *to, const char *type, const atomic_bool *stop,
                     int *ret_status, const char **ret_why)
{
    struct post q = { .url = to->endpoint, .type = type, .body = STR("x"), .stop = stop };
    struct str answer;
    *ret_why = "";
    *ret_status = 0;
    return post(to, &q, &a, ret_status, &answer, ret_why);
}

static void what_is_posted_arrives(void **state)
{
    (void)state;
    struct conf_destination to = there(true);
    atomic_bool stop = false;
    const char *why;
    int status;
    assert_int_equal(said(&to, "text/plain", &stop, &status, &why), OK);
    assert_int_equal(status, 200);
    assert_int_equal(receiver_count(receiver), 1);
}

static void a_header_that_is_not_one_line_is_not_sent(void **state)
{
    (void)state;
    struct conf_destination to = there(true);
    static const char *const bad[] = { "a\r\nX-Injected: 1", "a\nb", "a\rb", "a\x7f", "a\x01" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *why;
        int status;
        assert_int_equal(said(&to, bad[i], NULL, &status, &why), ERR_IO);
        assert_string_equal(why, "a header is not one line");
    }
    assert_int_equal(receiver_count(receiver), 0);
}

static void a_private_address_is_called_only_where_that_is_allowed(void **state)
{
    (void)state;
    struct conf_destination to = there(false);
    const char *why;
    int status;
    assert_int_equal(said(&to, "text/plain", NULL, &status, &why), ERR_IO);
    assert_string_equal(why, "the address is not a public one");
    struct wire_answer answer;
    assert_int_equal(wire_probe(&to, to.endpoint, NULL, &a, &answer), ERR_IO);
    assert_string_equal(answer.why, "the address is not a public one");
    assert_int_equal(receiver_count(receiver), 0);
}

static void a_head_without_end_is_cut(void **state)
{
    (void)state;
    struct conf_destination to = there(true);
    receiver_say(receiver, &(struct raw_answer){ .head = STR("HTTP/1.1 200 OK\r\n"),
                                                 .more = STR("X-Long: 0123456789abcdef\r\n"),
                                                 .times = 4000 });
    receiver_set(receiver, RECEIVE_RAW);
    const char *why;
    int status;
    assert_int_equal(said(&to, "text/plain", NULL, &status, &why), ERR_IO);
    assert_string_equal(why, "the answer's header does not end");
}

static void whoever_stops_waits_for_nobody(void **state)
{
    (void)state;
    struct conf_destination to = there(true);
    atomic_bool stop = true;
    const char *why;
    int status;
    receiver_set(receiver, RECEIVE_NEVER);
    assert_int_equal(said(&to, "text/plain", &stop, &status, &why), ERR_IO);
    receiver_release(receiver);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_receiver, close_receiver)
    const struct CMUnitTest tests[] = {
        TEST(what_is_posted_arrives),
        TEST(a_header_that_is_not_one_line_is_not_sent),
        TEST(a_private_address_is_called_only_where_that_is_allowed),
        TEST(a_head_without_end_is_cut),
        TEST(whoever_stops_waits_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
