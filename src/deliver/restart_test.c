#include "deliver/house.h"
#include "base/clock.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void nothing_goes_before_sending_is_on_disk(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ 0 });
    house_start(h);
    h->fail = 1;
    int64_t segment = house_add_n(h, "anna", 2);
    house_until(h, h->fail == 0);
    house_idle(h, 100);
    assert_int_equal(receiver_connections(h->receiver), 0);
    assert_true(house_cursor(h, SLOT_HOOK).segment == 0);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 2); /* a second later */
    assert_int_equal(house_arrived(h, segment, 1), 1);
    house_free(&h);
}

static void fail_once(struct house *h)
{
    h->fail = 1;
}

static void result_that_could_not_be_kept_is_kept_later_and_not_sent_again(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ 0 });
    house_start(h);
    h->before_done = fail_once; /* the next commit is the result's */
    int64_t segment = house_add_n(h, "anna", 2);
    house_until(h, h->before_done == NULL && h->fail == 0);
    /* a withdrawal does not wait for the disk */
    assert_true(house_barrier(h, "anna", 500));
    assert_int_equal(house_pending(h, SLOT_HOOK, PENDING_SENDING), 1);
    house_until(h, house_result(h, SLOT_HOOK, segment, 0) == DELIVERY_SENT);
    assert_int_equal(receiver_count(h->receiver), 1);
    house_free(&h);
}

static void stop_waits_for_what_is_on_its_way_and_starts_nothing(void **state)
{
    (void)state;
    struct house *h = house_new((struct house_options){ .events = 5 });
    house_invite(h, 40);
    receiver_next(h->receiver, RECEIVE_NEVER, 4);
    house_start(h);
    int64_t segment = house_add_guests(h, 40);
    house_until(h, receiver_waiting(h->receiver) == 4);
    deliver_stop(h->d);
    house_idle(h, 100);
    assert_false(deliver_stopped(h->d));
    receiver_release(h->receiver);
    house_stop(h);
    assert_int_equal(receiver_count(h->receiver), 4);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(house_result(h, SLOT_HOOK, segment, i), i < 20 ? DELIVERY_SENT : 0);
    assert_int_equal(house_cursor(h, SLOT_HOOK).index, 20);
    for (int s = PENDING_SENDING; s <= PENDING_DEAD; s++)
        assert_int_equal(house_pending(h, SLOT_HOOK, (enum pending_state)s), 0);
    house_start(h);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 20);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(house_arrived(h, segment, i), 1);
    house_free(&h);
}

static void stop_now(struct house *h)
{
    deliver_stop(h->d);
}

static void what_was_not_begun_at_a_stop_is_no_attempt(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .hold = true });
    house_start(h);
    h->before_done = stop_now; /* `sending` is on disk, the request is not yet begun */
    int64_t segment = house_add_n(h, "anna", 2);
    house_until(h, deliver_stopped(h->d));
    house_stop(h);
    assert_int_equal(receiver_connections(h->receiver), 0);
    assert_int_equal(house_pending(h, SLOT_HOOK, PENDING_RETRY), 1);
    house_start(h);
    house_until(h, house_numbers(h, SLOT_HOOK).sent == 2);
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    assert_int_equal(house_fate(h, SLOT_HOOK, segment, 0, &a).attempts, 1);
    house_free(&h);
}

/* The receiver was away; whether it still is, the new process cannot know. */
static void what_waited_for_long_is_tried_at_once_after_a_start(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .backoff_ms = 900000 });
    house_invite(h, 1);
    receiver_next(h->receiver, RECEIVE_503, 1);
    house_start(h);
    int64_t segment = house_add_n(h, "anna", 1);
    house_until(h, house_numbers(h, SLOT_HOOK).retried == 1);
    house_stop(h);
    house_start(h);
    house_until(h, house_result(h, SLOT_HOOK, segment, 0) == DELIVERY_SENT);
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    assert_int_equal(house_fate(h, SLOT_HOOK, segment, 0, &a).attempts, 2);
    house_free(&h);
}

static void stop_without_a_loop_ends_and_leaves_what_is_unknown(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .send_ms = 300 });
    receiver_next(h->receiver, RECEIVE_NEVER, 1);
    house_start(h);
    int64_t segment = house_add_n(h, "anna", 1);
    house_until(h, receiver_waiting(h->receiver) == 1);
    must(pthread_mutex_lock(&h->lock) == 0);
    h->refuse = true;
    must(pthread_mutex_unlock(&h->lock) == 0);
    deliver_stop(h->d);
    house_until(h, deliver_stopped(h->d)); /* its time is over */
    assert_true(house_barrier(h, "anna", 0));
    deliver_close(&h->d);
    h->refuse = false;
    assert_int_equal(house_result(h, SLOT_HOOK, segment, 0), DELIVERY_UNCERTAIN);
    assert_int_equal(house_pending(h, SLOT_HOOK, PENDING_SENDING), 1);
    house_free(&h);
}

static void what_was_being_sent_at_a_crash_is_repeated_or_held(void **state)
{
    (void)state;
    for (int hold = 0; hold < 2; hold++) {
        struct house *h = house_with_anna((struct house_options){ .hold = hold, .events = 2 });
        house_invite(h, 6);
        receiver_next(h->receiver, RECEIVE_NEVER, 3);
        house_start(h);
        int64_t segment = house_add_guests(h, 6);
        house_until(h, receiver_waiting(h->receiver) == 3);
        house_crash(h);
        assert_int_equal(house_pending(h, SLOT_HOOK, PENDING_SENDING), 3);
        int64_t next = house_add_n(h, "anna", 1);
        house_start(h);
        house_until(h, house_result(h, SLOT_HOOK, next, 0) == DELIVERY_SENT);
        house_until(h, house_pending(h, SLOT_HOOK, PENDING_RETRY) == 0);
        house_until(h, house_pending(h, SLOT_HOOK, PENDING_SENDING) == 0);
        for (uint32_t i = 0; i < 6; i++) {
            assert_int_equal(house_result(h, SLOT_HOOK, segment, i),
                             hold ? DELIVERY_UNCERTAIN : DELIVERY_SENT);
            assert_int_equal(house_arrived(h, segment, i), hold ? 1 : 2);
        }
        assert_int_equal(house_pending(h, SLOT_HOOK, PENDING_DEAD), 0);
        if (!hold) /* the same requests, in their order */
            for (uint32_t i = 0; i < 3; i++)
                assert_int_equal(house_arrived(h, segment, 2 * i), 2);
        house_free(&h);
    }
}

static struct conf_destination *hook_of(struct house *h)
{
    for (uint32_t i = 0; i < h->conf->destination_count; i++)
        if (str_eq(h->conf->destination[i].id, STR("hook")))
            return &h->conf->destination[i];
    fail_msg("no hook");
    return NULL;
}

/* A destination that becomes one of another kind, which takes fewer at a time. */
static void what_does_not_fit_into_its_request_any_more_is_a_dead_letter(void **state)
{
    (void)state;
    enum { EVENTS = 60, FIT = 25 };
    struct house *h = house_with_anna((struct house_options){ .ga4 = true });
    struct conf_destination *hook = hook_of(h);
    hook->type = STR("webhook");
    hook->batch_events = EVENTS;
    house_reload(h);
    receiver_set(h->receiver, RECEIVE_503);
    house_start(h);
    int64_t segment = house_add_n(h, "anna", EVENTS);
    house_until(h, house_pending(h, SLOT_HOOK, PENDING_RETRY) == 1);
    house_stop(h); /* its thread reads the configuration */
    hook->type = STR("ga4");
    house_reload(h);
    receiver_set(h->receiver, RECEIVE_200);
    house_start(h);
    house_until(h, house_numbers(h, SLOT_HOOK).sent + house_numbers(h, SLOT_HOOK).dead == EVENTS);
    for (uint32_t i = 0; i < EVENTS; i++)
        assert_int_equal(house_result(h, SLOT_HOOK, segment, i),
                         i < FIT ? DELIVERY_SENT : DELIVERY_DEAD);
    assert_int_equal(house_pending(h, SLOT_HOOK, PENDING_RETRY), 0);
    AUTO(arena_fini) struct arena a = ARENA_INIT;
    assert_true(str_eq(house_fate(h, SLOT_HOOK, segment, FIT, &a).error,
                       STR("it does not fit into its request any more: send it again")));
    house_free(&h);
}

static void keep_nothing(void *ctx, const struct stored_event *e, struct buf *ret_body)
{
    (void)ctx, (void)e, (void)ret_body;
}

static void event_whose_body_is_gone_is_given_up(void **state)
{
    (void)state;
    struct house *h = house_with_anna((struct house_options){ .backoff_ms = 300 });
    receiver_set(h->receiver, RECEIVE_500);
    house_start(h);
    int64_t segment = house_add_n(h, "anna", 2);
    house_until(h, house_pending(h, SLOT_HOOK, PENDING_RETRY) == 1);
    house_stop(h);
    uint32_t tried = receiver_count(h->receiver), done;
    struct chain_head head;
    assert_int_equal(store_begin(h->store), OK);
    assert_int_equal(
        store_strip_segments(h->store, segment, 10, clock_now_ms(), 0, keep_nothing, NULL, &done),
        OK);
    assert_int_equal(store_commit(h->store, clock_now_ms(), &head, NULL), OK);
    assert_true(done > 0);
    house_start(h);
    house_until(h, house_result(h, SLOT_HOOK, segment, 1) == DELIVERY_DEAD);
    assert_true(house_error_is(h, SLOT_HOOK, segment, "the event is not kept any more"));
    assert_int_equal(receiver_count(h->receiver), tried);
    house_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_goes_before_sending_is_on_disk),
        cmocka_unit_test(result_that_could_not_be_kept_is_kept_later_and_not_sent_again),
        cmocka_unit_test(stop_waits_for_what_is_on_its_way_and_starts_nothing),
        cmocka_unit_test(what_was_not_begun_at_a_stop_is_no_attempt),
        cmocka_unit_test(what_waited_for_long_is_tried_at_once_after_a_start),
        cmocka_unit_test(stop_without_a_loop_ends_and_leaves_what_is_unknown),
        cmocka_unit_test(what_was_being_sent_at_a_crash_is_repeated_or_held),
        cmocka_unit_test(what_does_not_fit_into_its_request_any_more_is_a_dead_letter),
        cmocka_unit_test(event_whose_body_is_gone_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
